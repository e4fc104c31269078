"""The tape of a migration: every statement, its locks, its transaction, its place, and nothing of ours."""

from __future__ import annotations

import os
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import ROOT, SYSTEM_BIN, missing, wait_until
from rehearsing import VERSIONS, Stage, as_psql, at_once, staged

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.tape import SeenBy, StatementOutcome, Tape, TapeStatement
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.command import CommandRunner
from kisaan_validate.rehearse.logfile import missing_lines, parsed
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.tape import TapeRecorder

SETUP = """
    CREATE TABLE notes (id integer PRIMARY KEY, body text, at timestamp);
    INSERT INTO notes SELECT n, 'note ' || n, '2026-01-01' FROM generate_series(1, 1000) AS n;
    CREATE TABLE other (id integer);
"""
GOLDEN = ROOT / "tests" / "golden" / "unseen_commands.txt"


@pytest.fixture(scope="module", params=VERSIONS)
def stage(request: Any) -> Iterator[Stage]:
    """A scratch server of each version."""
    with staged(request.param) as made:
        yield made


def by_text(tape: Tape, start: str) -> TapeStatement:
    """The one statement whose text begins so."""
    (found,) = [s for s in tape.statements if s.text.startswith(start)]
    return found


def modes(statement: TapeStatement, relation: str) -> set[str]:
    """The lock modes that a statement took on a relation."""
    return {lock.mode for lock in statement.locks if lock.relation == relation}


def ends(statement: TapeStatement) -> set[float | None]:
    """When the locks that event triggers saw were let go; a sample may see others, for a moment."""
    return {lock.until for lock in statement.locks if not lock.sampled}


def test_nothing_is_lost_when_a_transaction_is_rolled_back(stage: Stage) -> None:
    """The locks of what failed are there, let go when it failed, and nothing counts as committed."""
    sql = """ALTER TABLE notes ADD COLUMN a integer DEFAULT random() * 9;
ALTER TABLE notes ALTER COLUMN body SET NOT NULL;
DROP TABLE other;
SELECT nothing_like_this FROM notes"""
    tape = stage.tape(stage.database(SETUP), {"m.sql": sql}, at_once(sql))
    assert tape.gaps == ()
    assert [s.tag for s in tape.statements] == ["ALTER TABLE", "ALTER TABLE", "DROP TABLE", "SELECT"]
    assert [s.line for s in tape.statements] == [1, 2, 3, 4]
    *done, failed = tape.statements
    assert {s.outcome for s in done} == {StatementOutcome.ROLLED_BACK}
    assert {s.committed for s in tape.statements} == {None}
    assert (failed.outcome, failed.sqlstate) == (StatementOutcome.FAILED, "42703")
    assert failed.error == 'column "nothing_like_this" does not exist'
    first, second, third = done
    assert "AccessExclusiveLock" in modes(first, "public.notes")
    assert [r.reasons for r in first.rewrites] == [("default value",)]
    assert [(m.after.name, m.after.not_null) for m in second.detail.columns if m.after] == [("body", True)]
    assert [d.identity for d in third.dropped if d.type == "table"] == ["public.other"]
    assert modes(third, "public.other") == {"AccessExclusiveLock"}
    assert {until for s in done for until in ends(s)} == {failed.end}


def test_savepoints_decide_what_became_of_each_statement(stage: Stage) -> None:
    """What was taken back let its locks go then; the rest was committed with the transaction."""
    sql = """BEGIN; ALTER TABLE notes ADD COLUMN a integer; SAVEPOINT s; ALTER TABLE other ADD COLUMN b integer;
ROLLBACK TO SAVEPOINT s; ALTER TABLE notes ADD COLUMN c integer; COMMIT"""
    tape = stage.tape(stage.database(SETUP), {"m.sql": sql}, as_psql(sql))
    back = by_text(tape, "ALTER TABLE other")
    until = by_text(tape, "ROLLBACK TO").end
    assert (back.outcome, ends(back)) == (StatementOutcome.ROLLED_BACK, {until})
    a, c = by_text(tape, "ALTER TABLE notes ADD COLUMN a"), by_text(tape, "ALTER TABLE notes ADD COLUMN c")
    assert {a.outcome, c.outcome} == {StatementOutcome.COMMITTED}
    assert a.committed == c.committed == by_text(tape, "COMMIT").committed
    assert ends(a) == {a.committed}
    assert [m.after.name for m in c.detail.columns if m.after] == ["c"]
    assert len({s.transaction for s in tape.statements}) == 1


def test_a_session_that_leaves_is_rolled_back(stage: Stage) -> None:
    """Its last transaction had no end in the log."""
    tape = stage.tape(stage.database(SETUP), {}, as_psql("BEGIN; ALTER TABLE notes ADD COLUMN a integer"))
    assert {s.outcome for s in tape.statements} == {StatementOutcome.ROLLED_BACK}


@pytest.mark.slow
def test_a_hundred_statements_keep_their_lines_in_both_ways_of_sending(stage: Stage) -> None:
    """As one message or one by one: each is there once, in order, with its line, its end and its locks."""
    lines = [f"ALTER TABLE notes ADD COLUMN c{n} integer;" for n in range(50)]
    lines += [f"UPDATE notes SET c{n} = {n} WHERE id = {n};" for n in range(50)]
    sql = "\n".join(lines)
    for send in (at_once(sql), as_psql(sql)):
        tape = stage.tape(stage.database(SETUP), {"hundred.sql": sql}, send)
        assert tape.gaps == ()
        assert [s.line for s in tape.statements] == list(range(1, 101))
        assert [s.number for s in tape.statements] == list(range(1, 101))
        assert {s.outcome for s in tape.statements} == {StatementOutcome.COMMITTED}
        starts = [s.start for s in tape.statements]
        assert starts == sorted(starts)
        assert all(s.end is not None and s.end >= s.start for s in tape.statements)
        transactions = {s.transaction for s in tape.statements}
        assert len(transactions) == (1 if send.__qualname__.startswith("at_once") else 100)
        added = [m.after.name for s in tape.statements for m in s.detail.columns if m.after]
        assert added == [f"c{n}" for n in range(50)]


def test_what_runs_inside_functions_and_do_blocks_is_told(stage: Stage) -> None:
    """Each as a statement of its own within the one that was sent, with the line of the block."""
    sql = """CREATE FUNCTION widen(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN wide integer', t); END $$;
DO $body$
BEGIN
  ALTER TABLE notes ADD COLUMN a integer;
  BEGIN
    ALTER TABLE notes ADD COLUMN a integer;
  EXCEPTION WHEN duplicate_column THEN NULL;
  END;
  UPDATE notes SET a = 1;
  DROP TABLE other;
END $body$;
SELECT widen('notes');
"""
    tape = stage.tape(stage.database(SETUP), {"m.sql": sql}, at_once(sql))
    assert tape.gaps == ()
    do, call = by_text(tape, "DO"), by_text(tape, "SELECT")
    inner = [s for s in tape.statements if s.within]
    assert [(s.within, s.tag, s.line) for s in inner] == [
        (do.number, "ALTER TABLE", 5),
        (do.number, "ALTER TABLE", 7),
        (do.number, "DROP TABLE", 11),
        (call.number, "ALTER TABLE", None),
    ]
    outcomes = [s.outcome.value for s in inner]
    assert outcomes == ["committed", "failed", "committed", "committed"]
    # The text is the program's: it stands in no file as it was run.
    assert inner[-1].text == "ALTER TABLE notes ADD COLUMN wide integer"
    assert modes(inner[0], "public.notes") == {"AccessExclusiveLock"}
    assert "RowExclusiveLock" in modes(do, "public.notes") | modes(inner[2], "public.notes")


SEVERAL = """
import os, psycopg2, threading
def work(table):
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute(f"ALTER TABLE {table} ADD COLUMN more integer")
    barrier.wait()
    connection.commit()
    cursor.execute(f"CREATE INDEX ON {table} (more)")
    connection.commit()
barrier = threading.Barrier(2)
threads = [threading.Thread(target=work, args=(t,)) for t in ("notes", "other")]
[t.start() for t in threads]; [t.join() for t in threads]
print("done", os.environ["PGPASSWORD"], os.environ["DATABASE_URL"])
"""


def test_a_command_of_several_connections_is_on_the_tape(stage: Stage) -> None:
    """Another process, two sessions at once: each statement has its session, and no secret is kept."""
    database = stage.database(SETUP)
    environment = stage.scratch.environment(database)
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(SEVERAL)}"
    runner = CommandRunner(command, environment, timeout=60)
    ours = OurSessions(lambda: stage.scratch.connect(database))
    with TapeRecorder(ours, {}) as recorder:
        done = runner.run()
    assert (done.succeeded, done.exit_code, done.stopped) == (True, 0, "")
    assert done.tail.startswith("done")
    secrets = [environment[name] for name in ("PGPASSWORD", "DATABASE_URL") if environment.get(name)]
    assert not any(secret in done.tail or secret in done.command for secret in secrets)
    tape = recorder.tape
    assert tape is not None
    assert tape.gaps == ()
    changes = [s for s in tape.statements if s.tag in {"ALTER TABLE", "CREATE INDEX"}]
    assert {s.session for s in changes} == {1, 2}
    assert sorted((s.tag, s.outcome.value) for s in changes) == [
        ("ALTER TABLE", "committed"),
        ("ALTER TABLE", "committed"),
        ("CREATE INDEX", "committed"),
        ("CREATE INDEX", "committed"),
    ]
    first, second = (s for s in changes if s.tag == "ALTER TABLE")
    # They met at the barrier: each held its lock while the other one ran.
    assert max(first.start, second.start) < min(first.locks[0].until or 0, second.locks[0].until or 0)


def test_the_extended_protocol_is_read_too(stage: Stage, tmp_path: Path) -> None:
    """As drivers send statements that they prepare first; commits and failures are told the same way."""
    program = SYSTEM_BIN / "pgbench"
    if not program.exists():
        missing("pgbench is missing: apt-get install postgresql")
    sql = ["ALTER TABLE notes ADD COLUMN a integer;", "BEGIN;", "UPDATE notes SET a = 1 WHERE id = 7;"]
    sql += ["CREATE INDEX notes_a ON notes (a);", "COMMIT;", "ALTER TABLE nowhere ADD COLUMN b integer;"]
    script = tmp_path / "script.sql"
    script.write_text("\n".join(sql))
    database = stage.database(SETUP)
    command = f"{program} -n -M extended -t 1 -f {script}"
    ours = OurSessions(lambda: stage.scratch.connect(database))
    with TapeRecorder(ours, {"script.sql": script.read_text()}) as recorder:
        CommandRunner(command, stage.scratch.environment(database), timeout=60).run()
    assert recorder.tape is not None
    tape = recorder.tape
    assert tape.gaps == ()
    assert [(s.tag, s.line, s.outcome.value) for s in tape.statements if s.line] == [
        ("ALTER TABLE", 1, "committed"),
        ("BEGIN", 2, "committed"),
        ("UPDATE", 3, "committed"),
        ("CREATE INDEX", 4, "committed"),
        ("COMMIT", 5, "committed"),
        ("ALTER TABLE", 6, "failed"),
    ]
    assert len({s.transaction for s in tape.statements if s.line in {2, 3, 4, 5}}) == 1
    assert "ShareLock" in modes(by_text(tape, "CREATE INDEX"), "public.notes")


def test_a_command_that_hangs_is_ended_with_what_it_started() -> None:
    """After its time, or when somebody asks to stop; the answer says which."""
    runner = CommandRunner("echo begun; sleep 600 & sleep 600", {"PGHOST": "nowhere"}, timeout=0.3)
    done = runner.run()
    assert (done.succeeded, done.exit_code, done.tail) == (False, None, "begun")
    assert "0 s" in done.stopped
    stop = Stop()
    threading.Timer(0.2, stop.request, ["the user stopped it"]).start()
    assert CommandRunner("sleep 600", {}, stop=stop).run().stopped == "the user stopped it"


def test_nothing_of_ours_stays_and_the_role_cannot_touch_it(stage: Stage) -> None:
    """No trigger, schema or setting; a setting of the database that was there before is as it was."""
    database = stage.database(SETUP)
    stage.scratch.execute(f"ALTER DATABASE {database} SET deadlock_timeout = '7s'")
    state = """SELECT (SELECT count(*) FROM pg_event_trigger), (SELECT array_agg(nspname ORDER BY 1)
        FROM pg_namespace), (SELECT count(*) FROM pg_proc WHERE pronamespace >= 16384), (SELECT array_agg(
        setconfig::text) FROM pg_db_role_setting JOIN pg_database AS d ON d.oid = setdatabase
        WHERE d.datname = current_database())"""
    before = stage.scratch.execute(state, database)

    def migrate(cursor: Any) -> None:
        cursor.execute("SELECT evtname FROM pg_event_trigger")
        names = [name for (name,) in cursor.fetchall()]
        assert len(names) == 4
        for name in names:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"DROP EVENT TRIGGER {name}")
        cursor.execute("ALTER TABLE notes ADD COLUMN a integer")

    tape = stage.tape(database, {}, migrate)
    assert by_text(tape, "ALTER TABLE").seen_by is SeenBy.TRIGGER
    assert stage.scratch.execute(state, database) == before


def test_lines_that_a_function_writes_are_not_taken_for_the_servers(stage: Stage) -> None:
    """RAISE LOG may say anything; it neither begins nor ends a statement."""
    sql = """DO $$ BEGIN
  RAISE LOG 'statement: DROP TABLE notes';
  RAISE LOG 'duration: 1.000 ms';
  RAISE LOG 'PARSE ANALYSIS STATISTICS';
  ALTER TABLE notes ADD COLUMN a integer;
END $$;
ALTER TABLE other ADD COLUMN a integer"""
    tape = stage.tape(stage.database(SETUP), {"m.sql": sql}, at_once(sql))
    assert tape.gaps == ()
    assert [(s.tag, s.line, s.within, s.outcome.value) for s in tape.statements] == [
        ("DO", 1, 0, "committed"),
        ("ALTER TABLE", 5, 1, "committed"),
        ("ALTER TABLE", 7, 0, "committed"),
    ]


def test_the_triggers_fire_for_whoever_turns_triggers_off(stage: Stage) -> None:
    """A session that replicates fires no ordinary trigger; ours are ENABLE ALWAYS."""
    database = stage.database(SETUP)

    def migrate(cursor: Any) -> None:
        # Opened here: a session of before the tape is none of its.
        other = stage.scratch.connect(database)
        other.cursor().execute("SET session_replication_role = replica")
        other.cursor().execute("ALTER TABLE notes ADD COLUMN a integer")
        other.close()

    assert by_text(stage.tape(database, {}, migrate), "ALTER TABLE").seen_by is SeenBy.TRIGGER


def test_locks_that_no_trigger_sees_are_sampled(stage: Stage) -> None:
    """LOCK TABLE, TRUNCATE, an UPDATE and VACUUM FULL: marked as sampled, with the new files."""
    sql = """BEGIN; LOCK TABLE notes IN SHARE MODE; SELECT pg_sleep(0.4); COMMIT;
BEGIN; TRUNCATE other; SELECT pg_sleep(0.4); COMMIT;
BEGIN; UPDATE notes SET body = 'x'; SELECT pg_sleep(0.4); ROLLBACK; VACUUM FULL notes"""
    database = stage.database(SETUP)
    stage.run(database, "INSERT INTO notes SELECT n FROM generate_series(1001, 200000) AS n")
    tape = stage.tape(database, {"m.sql": sql}, as_psql(sql))
    assert tape.gaps == ()
    expected = {
        "LOCK TABLE": ("public.notes", "ShareLock"),
        "TRUNCATE": ("public.other", "AccessExclusiveLock"),
        "UPDATE": ("public.notes", "RowExclusiveLock"),
        "VACUUM": ("public.notes", "AccessExclusiveLock"),
    }
    for start, (relation, mode) in expected.items():
        statement = by_text(tape, start)
        assert statement.seen_by is SeenBy.SAMPLES
        (lock,) = [k for k in statement.locks if (k.relation, k.mode) == (relation, mode)]
        assert lock.sampled
        assert statement.start <= lock.since <= (lock.until or 0)
    assert [(r.relation, r.reasons, r.sampled) for r in by_text(tape, "VACUUM").rewrites] == [
        ("public.notes", ("VACUUM FULL",), True)
    ]
    lock = by_text(tape, "LOCK TABLE").locks[0]
    assert (lock.until or 0) - lock.since >= 0.19


COMMANDS = """
CREATE TABLE made (id integer PRIMARY KEY, body text, at timestamp) PARTITION BY RANGE (id)
CREATE TABLE part PARTITION OF made FOR VALUES FROM (0) TO (9)
ALTER TABLE made DETACH PARTITION part CONCURRENTLY
CREATE TABLE copied AS SELECT * FROM notes
SELECT * INTO copied_too FROM notes
CREATE VIEW seen AS SELECT * FROM notes
CREATE MATERIALIZED VIEW kept AS SELECT * FROM notes
CREATE UNIQUE INDEX kept_id ON kept (id)
REFRESH MATERIALIZED VIEW kept
REFRESH MATERIALIZED VIEW CONCURRENTLY kept
CREATE INDEX notes_body ON notes (body)
CREATE INDEX CONCURRENTLY notes_at ON notes (at)
DROP INDEX CONCURRENTLY notes_at
REINDEX TABLE notes
REINDEX TABLE CONCURRENTLY notes
ALTER TABLE notes ADD COLUMN more integer
ALTER TYPE mood ADD VALUE 'glad'
COMMENT ON TABLE notes IS 'a comment'
GRANT SELECT ON notes TO PUBLIC
REVOKE SELECT ON notes FROM PUBLIC
CREATE STATISTICS about ON body, at FROM notes
ALTER DATABASE {database} SET work_mem = '5MB'
INSERT INTO notes VALUES (0, 'zero')
UPDATE notes SET body = 'one' WHERE id = 1
DELETE FROM notes WHERE id = 2
MERGE INTO notes USING other ON notes.id = other.id WHEN MATCHED THEN DELETE
SELECT count(*) FROM notes
SELECT 1 FROM notes WHERE id = 3 FOR UPDATE
BEGIN
LOCK TABLE notes
COMMIT
TRUNCATE other
ANALYZE notes
VACUUM notes
VACUUM FULL notes
CLUSTER notes USING notes_pkey
DROP VIEW seen
DROP TABLE copied
"""


@pytest.mark.slow
def test_which_commands_no_trigger_sees(stage: Stage) -> None:
    """Each is run; the list says which are only sampled, on each version."""
    database = stage.database(SETUP + "CREATE TYPE mood AS ENUM ('sad');")
    commands = COMMANDS.format(database=database).strip().splitlines()
    tape = stage.tape(database, {"m.sql": ";\n".join(commands)}, as_psql(";\n".join(commands)))
    assert tape.gaps == ()
    # REFRESH CONCURRENTLY sends statements of its own.
    sent = [s for s in tape.statements if not s.within]
    assert [(s.line, s.outcome) for s in sent] == [
        (n, StatementOutcome.COMMITTED) for n in range(1, len(commands) + 1)
    ]
    seen = {
        command.replace(database, "DATABASE"): s.seen_by.value
        for command, s in zip(commands, sent, strict=True)
        if command not in {"BEGIN", "COMMIT"}
    }
    golden = GOLDEN.with_name(f"unseen_commands_{stage.version}.txt")
    text = "".join(f"{by:14} {command}\n" for command, by in seen.items())
    if os.environ.get("KISAAN_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == text


def test_a_lock_that_is_awaited_says_how_long(stage: Stage) -> None:
    """It is held from when it was got; the wait is beside it."""
    database = stage.database(SETUP)
    holder = stage.scratch.connect(database)
    holder.cursor().execute("BEGIN; LOCK TABLE notes IN ACCESS SHARE MODE")
    threading.Timer(0.6, lambda: holder.cursor().execute("COMMIT")).start()
    sql = "ALTER TABLE notes ADD COLUMN a integer"
    tape = stage.tape(database, {"m.sql": sql}, at_once(sql))
    holder.close()
    statement = by_text(tape, "ALTER TABLE")
    (lock,) = [k for k in statement.locks if k.mode == "AccessExclusiveLock" and k.kind == "table"]
    assert 0.1 <= lock.waited <= statement.seconds  # type: ignore[operator]
    assert lock.since >= statement.start + 0.1
    # The holder was there before the tape, and is said to be missing on it.
    assert any("before the tape" in gap for gap in tape.gaps)


def test_wal_is_told_only_where_nobody_else_wrote(stage: Stage) -> None:
    """Alone it is the statement's; beside another writer it is None, with the reason."""
    sql = "CREATE INDEX notes_body ON notes (body)"
    alone = by_text(stage.tape(stage.database(SETUP), {}, at_once(sql)), "CREATE INDEX")
    assert alone.wal_bytes is not None
    assert alone.wal_bytes > 0
    database = stage.database(SETUP)
    done = threading.Event()

    def write() -> None:
        connection = stage.scratch.connect(database)
        connection.cursor().execute("BEGIN; INSERT INTO other VALUES (1)")
        done.wait(30)
        connection.close()

    writer = threading.Thread(target=write)

    def migrate(cursor: Any) -> None:
        writer.start()
        wait_until(lambda: stage.scratch.execute("SELECT 1 FROM pg_locks WHERE mode = 'RowExclusiveLock'"))
        time.sleep(0.1)
        cursor.execute(sql)

    beside = by_text(stage.tape(database, {}, migrate), "CREATE INDEX")
    done.set()
    writer.join()
    assert (beside.wal_bytes, beside.wal_reason) == (None, "another session wrote meanwhile")


@pytest.mark.slow
def test_temporary_files_and_sizes_are_counted(stage: Stage) -> None:
    """Of an index that does not fit into memory; a rewrite has the size of before."""
    database = stage.database(SETUP)
    stage.run(database, "INSERT INTO notes SELECT n, md5(n::text) FROM generate_series(1001, 60000) AS n")
    sql = "SET maintenance_work_mem = '1MB'; CREATE INDEX notes_body ON notes (body); VACUUM notes"
    tape = stage.tape(database, {"m.sql": sql}, as_psql(sql))
    made = by_text(tape, "CREATE INDEX")
    assert made.temp_bytes is not None
    assert made.temp_bytes > 1_000_000
    (size,) = made.sizes
    assert size.relation == "public.notes"
    assert (size.before or 0) < (size.after or 0)


def test_what_people_wrote_is_masked(stage: Stage) -> None:
    """Literals of statements on rows, of statements in no file, and passwords; names and places stay."""
    kept = "COMMENT ON TABLE notes IS 'as the team says'"
    sql = f"INSERT INTO notes VALUES (5001, 'a person''s secret', NULL); {kept}"
    tape = stage.tape(
        stage.database(SETUP),
        {"m.sql": sql},
        as_psql(f"{sql}; ALTER TABLE notes ALTER COLUMN body SET DEFAULT 'of nobody''s file'; SELECT 1/0"),
    )
    whole = repr(tape)
    assert kept in whole
    assert "secret" not in whole
    assert "nobody" not in by_text(tape, "ALTER TABLE").text
    assert by_text(tape, "INSERT").line == 1


@pytest.mark.slow
def test_errors_quote_no_value(stage: Stage) -> None:
    """A message of the server about a row has the name of the constraint, and no row."""
    tape = stage.tape(
        stage.database(SETUP),
        {},
        as_psql("ALTER TABLE notes ALTER COLUMN body TYPE integer USING body::integer"),
    )
    (failed,) = tape.statements
    assert failed.outcome is StatementOutcome.FAILED
    assert failed.error.startswith("invalid input syntax for type integer")
    assert "note 1" not in repr(tape)


def test_a_message_with_an_error_of_syntax_is_on_the_tape(stage: Stage) -> None:
    """The server logs no statement then: it has no text, and its failure is not lost."""
    tape = stage.tape(stage.database(SETUP), {}, at_once("ALTER TABLE notes ADD COLUMN; SELECT 1"))
    (failed,) = tape.statements
    assert (failed.outcome, failed.sqlstate, failed.text) == (StatementOutcome.FAILED, "42601", "")


def test_a_server_without_that_log_is_refused_and_left_as_it_was(server: Any, database: str) -> None:
    """The refusal says which settings it needs."""
    ours = OurSessions(lambda: server.connect(database))
    with pytest.raises(UsageError, match="no log as CSV") as told, TapeRecorder(ours, {}):
        pass
    assert "logging_collector = on" in told.value.hint
    assert server.sql("SELECT count(*) FROM pg_event_trigger", database) == [(0,)]


def test_a_line_that_is_missing_is_noticed() -> None:
    """Each session counts its lines."""
    row = '2026-01-01 00:00:00.123 UTC,"u","d",7,"",abc.{s},{n},"idle",,"1/2",0,LOG,00000,"a ""b""\nc",,,,,,,,,"","client backend",,0\n'
    whole = "".join(row.format(s=s, n=n) for s, n in ((1, 1), (1, 2), (2, 1), (1, 3)))
    lines = parsed(whole + "half a li")
    assert [line.message for line in lines] == ['a "b"\nc'] * 4
    assert missing_lines(lines) == 0
    assert missing_lines([*lines[:1], *lines[2:]]) == 1
