"""Canaries: what they feel while a migration runs, and that nobody feels them."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from conftest import slack
from rehearsing import VERSIONS, Stage, staged

from kisaan_validate.facts.rehearsal import (
    CanaryAccess,
    CanaryWatch,
    FileState,
    MigrationDone,
    OutageInterval,
)
from kisaan_validate.postgres.target import find_target
from kisaan_validate.rehearse.calibrate import calibrated, calibration_words
from kisaan_validate.rehearse.canaries import CanaryFlock
from kisaan_validate.rehearse.canary import FELT_SECONDS
from kisaan_validate.rehearse.canary_session import CanarySession
from kisaan_validate.rehearse.migrate import (
    FolderRunner,
    MigrationLedger,
    MigrationSource,
    give_settings,
    read_settings,
)
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.run import rehearsal_of

SETUP = """
    CREATE TABLE notes (id integer PRIMARY KEY, body text);
    INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 1000) AS n;
    CREATE TABLE quiet (id integer PRIMARY KEY, body text);
    INSERT INTO quiet VALUES (1, 'quiet');
"""


@pytest.fixture(scope="module", params=VERSIONS)
def stage(request: Any) -> Iterator[Stage]:
    """A scratch server of each version."""
    with staged(request.param) as made:
        yield made


def sends(stage: Stage, database: str, *statements: str) -> Callable[[], MigrationDone]:
    """A migration that sends these statements in one session, and stops at the first that fails."""

    def migrate() -> MigrationDone:
        connection = stage.scratch.connect(database, stage.scratch.owner)
        try:
            for statement in statements:
                connection.cursor().execute(statement)
        except psycopg2.Error as error:
            return MigrationDone(False, 0.0, notes=(error.pgcode or "",))
        finally:
            connection.close()
        return MigrationDone(True, 0.0)

    return migrate


def outages(watch: CanaryWatch) -> dict[tuple[str, str], tuple[OutageInterval, ...]]:
    """The intervals by table and access."""
    return {(o.relation, o.access.value): o.intervals for o in watch.outages}


def around(interval: OutageInterval, seconds: float) -> None:
    """The time that the lock was really held lies in the range."""
    assert interval.least <= seconds + slack() / 4
    assert interval.end - interval.start >= seconds - 0.05
    assert interval.end - interval.start <= seconds + 3 * slack()


def test_an_exclusive_lock_is_felt_by_readers_and_writers_of_its_table(stage: Stage) -> None:
    """And by nobody else; the outage names the statement that held the lock, in a range that holds."""
    database = stage.database(SETUP)
    steps = ("BEGIN", "ALTER TABLE notes ADD COLUMN a integer", "SELECT pg_sleep(1)", "COMMIT")
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    assert run.tape.gaps == ()
    assert run.canaries.gaps == ()
    felt = outages(run.canaries)
    assert felt.keys() == {("public.notes", "read"), ("public.notes", "write")}
    alter = next(s for s in run.tape.statements if s.tag == "ALTER TABLE")
    for (interval,) in felt.values():
        assert interval.statements == (alter.number,)
        assert interval.failed == ""
        around(interval, alter.locks[0].until - alter.locks[0].since)  # type: ignore[operator]
    assert run.canaries.read == run.canaries.written == ("public.notes", "public.quiet")
    assert alter.wal_reason == "canaries wrote meanwhile"


@pytest.mark.slow
def test_a_lock_that_lets_read_is_felt_by_writers_alone(stage: Stage) -> None:
    """As while an index is built."""
    database = stage.database(SETUP)
    steps = ("BEGIN", "CREATE INDEX ON notes (body)", "SELECT pg_sleep(0.6)", "COMMIT")
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    assert outages(run.canaries).keys() == {("public.notes", "write")}


@pytest.mark.slow
def test_rows_that_are_locked_are_felt_by_writers(stage: Stage) -> None:
    """An UPDATE of all rows locks no table; the outage is not put down to a statement's lock."""
    database = stage.database(SETUP)
    steps = ("BEGIN", "UPDATE notes SET body = 'x'", "SELECT pg_sleep(0.6)", "COMMIT")
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    assert outages(run.canaries).keys() == {("public.notes", "write")}


def test_a_migration_that_holds_rows_and_then_wants_the_table_is_not_in_a_deadlock(stage: Stage) -> None:
    """A canary that waits for a row holds its table's lock: it lets go at once."""
    database = stage.database(SETUP)
    steps = (
        "BEGIN",
        "UPDATE notes SET body = 'x'",
        "SELECT pg_sleep(0.6)",
        "ALTER TABLE notes ADD COLUMN a integer",
        "COMMIT",
    )
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    assert run.migration.succeeded
    assert run.tape.gaps == ()
    (interval,) = outages(run.canaries)["public.notes", "write"]
    assert interval.failed == ""
    assert interval.least >= 0.4
    (alter,) = [s for s in run.tape.statements if s.tag == "ALTER TABLE"]
    assert max(lock.waited for lock in alter.locks) < 0.05 + slack() / 10


def test_a_rehearsal_names_what_it_does_not_prove(stage: Stage) -> None:
    """What the rules find, by the settings that hold; a failed migration and an untried table are named."""
    database = stage.database(SETUP + "CREATE TABLE empty (id integer)")
    change = "ALTER TABLE notes ADD COLUMN a integer"
    cursor = stage.scratch.connect(database, stage.scratch.owner).cursor()
    settings = read_settings(cursor)
    cursor.connection.close()
    alone = stage.rehearsed(database, {"m.sql": change}, sends(stage, database, change, "SELECT 1/0"))
    made = rehearsal_of("18", settings, None, alone, None, reader_reason="not asked for")
    assert [f.rule for f in made.findings] == ["no-lock-timeout"]
    assert made.sets_lock_timeout is False
    assert "the migration did not come to its end" in made.not_proved
    assert any("public.empty, write: it has no row" in words for words in made.not_proved)
    limited = tuple(replace(s, value="2s") if s.name == "lock_timeout" else s for s in settings)
    # A trigger saw the session's own: what it began with does not count.
    assert rehearsal_of("18", limited, None, alone, None).findings == made.findings


def test_canaries_change_nothing_and_fire_nothing(stage: Stage) -> None:
    """Rows, their versions, and a table that triggers fill are as before."""
    database = stage.database(
        SETUP
        + """CREATE TABLE fired (what text);
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO public.fired VALUES (TG_OP); PERFORM nextval('public.counted'); RETURN NEW; END $$;
        CREATE SEQUENCE counted;
        CREATE TRIGGER fire BEFORE UPDATE ON quiet FOR EACH ROW EXECUTE FUNCTION fire();
        CREATE TABLE always (id integer); INSERT INTO always VALUES (1);
        CREATE TRIGGER fire BEFORE UPDATE ON always FOR EACH ROW EXECUTE FUNCTION fire();
        ALTER TABLE always ENABLE ALWAYS TRIGGER fire;
        """
    )
    state = """SELECT (SELECT array_agg(t::text || xmin || ctid) FROM quiet AS t),
        (SELECT array_agg(t::text || xmin || ctid) FROM always AS t),
        (SELECT count(*) FROM fired), (SELECT last_value FROM counted), (SELECT is_called FROM counted)"""
    before = stage.scratch.execute(state, database)
    run = stage.rehearsed(database, {}, sends(stage, database, "SELECT pg_sleep(0.5)"))
    assert run.canaries.tries > 20
    assert run.canaries.outages == ()
    assert stage.scratch.execute(state, database) == before
    reasons = {n.relation: n.reason for n in run.canaries.not_tried}
    assert "always fires" in reasons["public.always"]
    assert "no row" in reasons["public.fired"]
    assert "public.quiet" not in reasons


@pytest.mark.slow
def test_each_table_that_was_not_tried_as_a_user_would_is_named(stage: Stage) -> None:
    """With why; tables of generated columns, partitions and views of rows included."""
    database = stage.database(
        '''CREATE TABLE parent (id integer, v integer) PARTITION BY RANGE (id);
        CREATE TABLE child PARTITION OF parent FOR VALUES FROM (0) TO (9); INSERT INTO parent VALUES (1, 1);
        CREATE TABLE always_made (id integer GENERATED ALWAYS AS IDENTITY); INSERT INTO always_made DEFAULT VALUES;
        CREATE TABLE "Odd ""name""" (double_it integer GENERATED ALWAYS AS (id * 2) STORED, id integer);
        INSERT INTO "Odd ""name""" VALUES (DEFAULT, 3);
        CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;'''
    )
    run = stage.rehearsed(database, {}, sends(stage, database, "SELECT 1"))
    assert run.canaries.outages == ()
    assert run.canaries.gaps == ()
    assert {(n.relation, n.access) for n in run.canaries.not_tried} == {
        ("public.parent", CanaryAccess.WRITE),
        ("public.always_made", CanaryAccess.WRITE),
        ("public.kept", CanaryAccess.WRITE),
    }
    assert 'public.Odd "name"' in run.canaries.written
    assert set(run.canaries.read) - set(run.canaries.written) == {"public.kept"}


@pytest.mark.slow
def test_a_table_that_goes_is_an_outage_to_the_end(stage: Stage) -> None:
    """Renamed or dropped, even as the last thing: whoever uses the old name fails. A column that goes does
    not stop the canary.
    """
    database = stage.database(SETUP + "CREATE TABLE gone (id integer); INSERT INTO gone VALUES (1);")
    steps = (
        "ALTER TABLE notes RENAME TO remarks",
        "ALTER TABLE quiet DROP COLUMN id",
        "SELECT pg_sleep(0.5)",
        "DROP TABLE gone",
    )
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    felt = outages(run.canaries)
    assert {relation for relation, _ in felt} == {"public.notes", "public.gone"}
    assert len(felt) == 4
    assert all(i.open and i.failed.startswith("42P01") for (i,) in felt.values())
    assert all(felt["public.notes", a][0].least > 0.2 for a in ("read", "write"))


def test_a_reader_left_open_makes_the_queue_felt(stage: Stage) -> None:
    """A migration that waits for him stops everybody; with a lock_timeout it gives way instead."""
    change = "ALTER TABLE notes ADD COLUMN a integer"
    database = stage.database(SETUP)
    run = stage.rehearsed(database, {}, sends(stage, database, change), reader_seconds=1.0)
    assert run.migration.succeeded
    assert run.reader is not None
    assert (run.reader.ended_by, run.reader.relations) == ("time", 2)
    felt = outages(run.canaries)
    assert felt.keys() == {("public.notes", "read"), ("public.notes", "write")}
    (alter,) = [s for s in run.tape.statements if s.tag == "ALTER TABLE"]
    assert all(i.statements == (alter.number,) for (i,) in felt.values())
    assert max(lock.waited for lock in alter.locks) > 0.5

    limited = stage.rehearsed(
        database,
        {},
        sends(stage, database, "SET lock_timeout = '300ms'", "ALTER TABLE notes ADD COLUMN b integer"),
        reader_seconds=5.0,
    )
    assert limited.reader is not None
    assert limited.reader.ended_by == "migration"
    assert limited.migration.notes == ("55P03",)
    for (interval,) in outages(limited.canaries).values():
        assert interval.end - interval.start < 0.3 + 2 * slack()


@pytest.mark.slow
def test_a_hundred_tables_are_watched_and_do_not_hold_the_migration_up(stage: Stage) -> None:
    """A lock on one is felt there alone, and a statement waits for canaries no longer than for any short
    query: 100 changes, of which none is held up.
    """
    tables = "".join(f"CREATE TABLE t{n} (id integer); INSERT INTO t{n} VALUES (1);" for n in range(100))
    database = stage.database(tables)
    changes = [f"ALTER TABLE t{n} ADD COLUMN a integer" for n in range(100)]
    steps = (*changes, "BEGIN", "LOCK TABLE t7", f"SELECT pg_sleep({1 + FELT_SECONDS})", "COMMIT")
    run = stage.rehearsed(database, {}, sends(stage, database, *steps))
    felt = outages(run.canaries)
    assert {("public.t7", "read"), ("public.t7", "write")} <= felt.keys()
    # Others would be a busy machine's, and have no statement.
    assert all(not i.statements for (r, _), found in felt.items() if r != "public.t7" for i in found)
    assert len(run.canaries.read) == len(run.canaries.written) == 100
    waits = sorted(lock.waited for s in run.tape.statements if s.tag == "ALTER TABLE" for lock in s.locks)
    assert waits[len(waits) * 95 // 100] == 0
    assert run.canaries.every < 1 + 2 * slack()


def test_canaries_that_are_ended_say_so(stage: Stage) -> None:
    """What they did not see is a gap."""
    database = stage.database(SETUP)
    ours = OurSessions(lambda: stage.scratch.connect(database))
    flock = CanaryFlock(stage.scratch.dsn(database, "postgres"), ours, time.time())
    with flock:
        stage.scratch.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'kisaan-validate rehearsal%'",
            database,
        )
        time.sleep(0.3)
    assert any("stopped" in gap for gap in flock.watch().gaps)


# --- the migration itself -------------------------------------------------------------------------------


def source(name: str, text: str) -> MigrationSource:
    """A file of a migration."""
    return MigrationSource(name, text, "0" * 64)


def test_files_are_applied_in_one_message_each_until_one_fails(stage: Stage) -> None:
    """The ledger has what was applied; a second run skips it and goes on."""
    database = stage.database(SETUP)
    files = [
        source("1.sql", "ALTER TABLE notes ADD COLUMN a integer; UPDATE notes SET a = 1"),
        source("2.sql", "-- nothing but words\n"),
        source("3.sql", "ALTER TABLE notes ADD COLUMN b integer;\nALTER TABLE nowhere ADD COLUMN c integer;"),
        source("4.sql", "ALTER TABLE notes ADD COLUMN d integer"),
    ]
    runner = FolderRunner(stage.scratch.dsn(database), files, MigrationLedger())
    done = runner.run()
    assert not done.succeeded
    states = [f.state for f in done.files]
    assert states == [FileState.APPLIED, FileState.APPLIED, FileState.FAILED, FileState.NOT_REACHED]
    failed = done.files[2]
    assert (failed.sqlstate, failed.error) == ("42P01", 'relation "nowhere" does not exist')
    columns = "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attnum > 0"
    # One message is one transaction: what stood before the failure is not there.
    assert stage.scratch.execute(columns, database) == [(["id", "body", "a"],)]
    assert stage.scratch.execute("SELECT name FROM _migrations ORDER BY 1", database) == [
        ("1.sql",),
        ("2.sql",),
    ]
    files[2] = source("3.sql", "ALTER TABLE notes ADD COLUMN b integer")
    again = FolderRunner(stage.scratch.dsn(database), files, MigrationLedger()).run()
    assert again.succeeded
    states = [f.state for f in again.files]
    assert states == [FileState.SKIPPED, FileState.SKIPPED, FileState.APPLIED, FileState.APPLIED]


def test_a_ledger_of_other_names_and_one_that_must_be_there(stage: Stage) -> None:
    """Its table and columns can be said; where it must not be made, its absence is said and nothing runs."""
    database = stage.database(SETUP + 'CREATE TABLE "SequelizeMeta" (title text, at timestamptz)')
    files = [source("1.sql", "ALTER TABLE notes ADD COLUMN a integer")]
    named = MigrationLedger("SequelizeMeta", "title", "at", create=False)
    assert FolderRunner(stage.scratch.dsn(database), files, named).run().succeeded
    assert stage.scratch.execute('SELECT title FROM "SequelizeMeta"', database) == [("1.sql",)]
    missing = MigrationLedger("nowhere", create=False)
    done = FolderRunner(stage.scratch.dsn(database), files, missing).run()
    assert (done.succeeded, done.files) == (False, ())
    assert done.notes == ("the ledger nowhere is not there",)


def test_settings_are_those_that_production_has(stage: Stage) -> None:
    """They hold for any client, are told with their source, and decide what the migration does."""
    database = stage.database(
        "CREATE TABLE moments (at timestamp); INSERT INTO moments VALUES ('2026-01-01');"
    )
    cursor = stage.scratch.connect(database).cursor()
    give_settings(cursor, stage.scratch.owner, database, {"TimeZone": "Asia/Kolkata", "lock_timeout": "3s"})
    session = stage.scratch.connect(database, stage.scratch.owner)
    told = {s.name: (s.value, s.source) for s in read_settings(session.cursor())}
    assert told["TimeZone"] == ("Asia/Kolkata", "database user")
    assert told["lock_timeout"] == ("3000ms", "database user")
    session.close()
    files = [source("1.sql", "ALTER TABLE moments ALTER COLUMN at TYPE timestamptz")]
    done = FolderRunner(stage.scratch.dsn(database), files, MigrationLedger()).run()
    assert done.succeeded
    moved = "SELECT extract(epoch FROM at - '2026-01-01 00:00+00'::timestamptz)::int FROM moments"
    assert stage.scratch.execute(moved, database) == [(-19_800,)]


def test_the_same_count_here_and_in_production_gives_a_factor(stage: Stage) -> None:
    """In words; a production that cannot be reached is said, with no factor."""
    database = stage.database(SETUP)
    connection = stage.scratch.connect(database)
    there = calibrated(connection, stage.scratch.target(database, "postgres"))
    assert there is not None
    assert (there.relation, there.rows, there.rows_there) == ("public.notes", 1000, 1000)
    assert there.factor is not None
    assert "1,000 rows of public.notes" in calibration_words(there)
    nowhere = calibrated(connection, find_target("host=/nonexistent dbname=x"))
    assert nowhere is not None
    assert (nowhere.there, nowhere.factor) == (None, None)
    assert "nobody measured: cannot connect" in calibration_words(nowhere)
    assert "no production database" in calibration_words(calibrated(connection, None))
    empty = stage.scratch.connect(stage.database())
    assert "no table" in calibration_words(calibrated(empty, None))


def test_a_canary_that_is_closed_while_it_connects_is_on_no_tape(stage: Stage) -> None:
    """The server says that it lost a client whose session had no settings of ours yet: that is no statement of the
    migration.
    """
    database = stage.database("CREATE TABLE t (id int PRIMARY KEY)")

    dsn, ours = stage.scratch.dsn(database, "postgres"), OurSessions(lambda: None)

    def hurried(cursor: Any) -> None:
        for polls in (*range(6), 2, 3, 4, 2, 3, 4) * 2:
            session = CanarySession(dsn, ours)
            for _ in range(polls):
                select.select([session], [], [], 0.05)
                session.step()
            session.close()
        cursor.execute("CREATE TABLE made (id int)")

    tape = stage.tape(database, {}, hurried)
    assert [(s.tag, s.sqlstate) for s in tape.statements] == [("CREATE TABLE", "")]
    assert tape.gaps == ()
