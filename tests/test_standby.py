"""A run on a hot standby: the same answers as on its primary, and a conflict with replay is never a PASS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

import pytest
from conftest import SYSTEM_BIN, Server, system_server, wait_until
from gates import GATE_TABLE, PATIENT, Background, activity, answers, by_id, gate_in
from standbys import PRIMARY_PORT, standby_of

from kisaan_validate import declare as d
from kisaan_validate.cli.exits import exit_code
from kisaan_validate.errors import AlreadyRunning, DatabaseError
from kisaan_validate.facts.place import Standby
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.lock import advisory_lock
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.standby import too_old
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import judge

TABLES = (
    GATE_TABLE
    + """
    CREATE TABLE items (id serial PRIMARY KEY, amount int NOT NULL, label text, parent int);
    INSERT INTO items (amount, label, parent) SELECT g, 'item ' || g % 90, g % 120 + 20 FROM generate_series(1, 100) AS g;
    CREATE UNLOGGED TABLE fleeting (id int); INSERT INTO fleeting VALUES (1);
"""
)


@dataclass
class Pair:
    """A primary and the standby that follows it."""

    primary: Server
    standby: Server

    def catch_up(self) -> None:
        """Wait until the standby has replayed all that the primary has said so far."""
        ((lsn,),) = self.primary.sql("SELECT pg_current_wal_insert_lsn()")
        sql = f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn"
        wait_until(lambda: self.standby.sql(sql) == [(True,)], 20)

    def new_database(self) -> str:
        """A database on both."""
        name = self.primary.create(TABLES)
        self.catch_up()
        return name


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary with its standby; the absence of PostgreSQL 15 is loud."""
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        pytest.fail("PostgreSQL 15 is missing: apt-get install postgresql-15")
    with system_server(PRIMARY_PORT) as primary, standby_of(primary) as standby:
        yield Pair(primary, standby)


@pytest.fixture
def parting(pair: Pair) -> Iterator[Pair]:
    """The primary with a standby that one test alone has: once promoted, it follows nobody."""
    with standby_of(pair.primary) as standby:
        yield Pair(pair.primary, standby)


@contextmanager
def paused(pair: Pair) -> Iterator[None]:
    """Replay stands still meanwhile."""
    pair.standby.sql("SELECT pg_wal_replay_pause()")
    wait_until(lambda: pair.standby.sql("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    try:
        yield
    finally:
        pair.standby.sql("SELECT pg_wal_replay_resume()")


def items_suite(*more: object) -> Suite:
    """A check of every form; ``more`` come first."""
    return suite_of(
        *more,
        d.table("items", id="table"),
        d.holds("items", "amount <= 90", id="row"),
        d.references("items", "parent", "items", id="join"),
        d.unique("items", "label", id="query"),
        d.sequence("items", id="sequence"),
    )


@pytest.mark.slow
def test_a_standby_gives_the_answers_of_its_primary(pair: Pair) -> None:
    """Every count, key and digest is the same; the place says that it is a standby, and of which cluster."""
    database = pair.new_database()
    here, there = (
        run(items_suite(), server.dsn(database), options=Options(jobs=3))
        for server in (pair.primary, pair.standby)
    )
    assert answers(here) == answers(there)
    assert {r.status for r in there.results} == {Status.PASS, Status.FAIL}
    assert (here.place.in_recovery, there.place.in_recovery) == (False, True)
    assert here.place.system_identifier == there.place.system_identifier != ""
    assert there.place.lsn


def test_an_unlogged_table_is_no_table_on_a_standby(pair: Pair) -> None:
    """What a standby does not have is an ERROR there, and every other check is answered."""
    database = pair.new_database()
    unlogged = [d.holds("fleeting", "id = 1", id=f"fleeting {n}") for n in range(4)]
    result = run(items_suite(*unlogged), pair.standby.dsn(database))
    for n in range(4):
        assert by_id(result)[f"fleeting {n}"].status is Status.ERROR
        assert "recovery" in by_id(result)[f"fleeting {n}"].message
    assert by_id(result)["row"].violations == 10


def test_the_lock_of_a_run_works_on_a_standby(pair: Pair) -> None:
    """It excludes there as it does on a primary. The two know nothing of each other's locks, as the
    documentation says.
    """
    database = pair.new_database()
    there, here = (find_target(server.dsn(database)) for server in (pair.standby, pair.primary))
    with advisory_lock(there, Limits(), {}, "suite"):
        with pytest.raises(AlreadyRunning), advisory_lock(there, Limits(), {}, "suite"):
            pass
        with advisory_lock(here, Limits(), {}, "suite"):
            pass


CONFLICTS = {
    "the rows of the snapshot are vacuumed away": "DELETE FROM items WHERE id > 50; VACUUM items",
    "the table is locked": "BEGIN; LOCK TABLE items; DELETE FROM items; COMMIT",
    "the table is truncated": "TRUNCATE items",
    "the table is rewritten": "ALTER TABLE items ALTER COLUMN amount TYPE bigint",
    "the table is dropped": "DROP TABLE items CASCADE",
}


@pytest.mark.slow
@pytest.mark.parametrize("conflict", CONFLICTS)
def test_a_conflict_with_replay_is_never_a_pass(pair: Pair, conflict: str) -> None:
    """Replay takes away what the run reads: unanswered checks are ERROR with a SQLSTATE, answers given are
    true.
    """
    database = pair.new_database()
    with gate_in(pair.standby, database) as gate:
        suite = items_suite(gate.check(), d.holds("items", "amount > 0", id="positive"))
        options = Options(jobs=1, limits=PATIENT)
        running = Background(lambda: run(suite, pair.standby.dsn(database), options=options))
        gate.reached()
        connection = pair.primary.connect(database)
        for statement in CONFLICTS[conflict].split("; "):
            connection.cursor().execute(statement)
        connection.close()
        pair.catch_up()
        gate.open()
        result = running.result()
    truth = {"row": 10, "positive": 0, "join": 20, "query": 10, "sequence": 0}
    for id, violations in truth.items():
        found = by_id(result)[id]
        if found.status is Status.ERROR:
            assert found.message
            assert found.sqlstate in {"40001", "57014"}
        else:
            assert found.violations == violations
    assert (by_id(result)["gate"].status, by_id(result)["gate"].sqlstate) == (Status.ERROR, "40001")
    assert "standby" in by_id(result)["gate"].hint
    assert result.verdict is not Verdict.PASS
    wait_until(lambda: not activity(pair.standby, database), 5)


def test_replay_that_takes_nothing_away_changes_nothing(pair: Pair) -> None:
    """New rows that arrive while a run reads belong to a later instant: every answer is that of the
    snapshot.
    """
    database = pair.new_database()
    with gate_in(pair.standby, database) as gate:
        running = Background(
            lambda: run(
                items_suite(gate.check()), pair.standby.dsn(database), options=Options(limits=PATIENT)
            )
        )
        gate.reached()
        pair.primary.sql("INSERT INTO items (amount, label, parent) SELECT 1000, 'new', 1000", database)
        pair.catch_up()
        gate.open()
        result = running.result()
    assert by_id(result)["row"].violations == 10
    assert by_id(result)["join"].violations == 20
    assert by_id(run(items_suite(), pair.standby.dsn(database)))["row"].violations == 11


def test_a_run_says_that_it_is_on_a_standby_and_how_old_its_rows_are(pair: Pair) -> None:
    """Console, page and record: never a plain PASS over rows that stopped arriving. On a primary nothing
    is said.
    """
    database = pair.new_database()
    suite = suite_of(d.holds("items", "amount > 0", id="positive"))
    assert run(suite, pair.primary.dsn(database)).place.standby is None
    with paused(pair):
        pair.primary.sql("UPDATE items SET amount = -1", database)
        result = run(suite, pair.standby.dsn(database))
    standby = result.place.standby
    assert standby is not None
    assert standby.replay_paused is True
    assert standby.replayed_at is not None
    assert standby.words == f"standby, {ceil(standby.behind_seconds or 0):,} s behind, replay paused"
    (notice,) = [n for n in result.notices if n.code == "standby"]
    assert standby.words in notice.message
    assert result.verdict is Verdict.PASS
    judged = judge(result, None, None, None)
    assert standby.words in render_html(judged)
    assert run_from_json(run_to_json(result)).place.standby == standby


@pytest.mark.slow
@pytest.mark.parametrize("form", ["rows", "catalogue"])
def test_a_standby_older_than_its_limit_is_inconclusive(pair: Pair, form: str) -> None:
    """Whatever the checks are made of, facts of the catalogue too: nothing is green, and the reason stands
    in the run.
    """
    database = pair.new_database()
    check = d.holds("items", "amount > 0", id="c") if form == "rows" else d.table("items", id="c")
    with paused(pair):
        result = run(
            suite_of(check), pair.standby.dsn(database), options=Options(limits=Limits(standby_seconds=0))
        )
        fresh = run(
            suite_of(check),
            pair.standby.dsn(database),
            options=Options(limits=Limits(standby_seconds=86_400)),
        )
        with pytest.raises(DatabaseError, match="allows 0 s"):
            diff_rows(
                find_target(pair.primary.dsn(database)),
                find_target(pair.standby.dsn(database)),
                DiffOptions(limits=Limits(standby_seconds=0)),
            )
    assert result.verdict is Verdict.INCONCLUSIVE
    assert exit_code(result, result.verdict) == 3
    assert "allows 0 s" in result.interrupted
    assert fresh.verdict is Verdict.PASS


def test_an_age_that_is_not_known_is_too_old_for_any_limit() -> None:
    """No answer is never taken for a young one; without a limit nothing is refused."""
    unknown = Standby(None, None, None)
    assert "how far behind is not known" in too_old(unknown, 1e9)
    assert too_old(unknown, None) == too_old(None, 0) == ""
    assert [bool(too_old(Standby(age, False, None), 10)) for age in (0.0, 9.9, 10.0, 10.1)] == [
        False,
        False,
        False,
        True,
    ]
    assert Standby(0.1, False, None).words == "standby, 1 s behind"


@pytest.mark.slow
def test_a_standby_that_follows_is_not_called_old_because_its_primary_is_silent(pair: Pair) -> None:
    """What counts is when the primary was last heard, if all that it had by then is replayed."""
    database = pair.new_database()
    pair.primary.sql("SELECT pg_sleep(0)", database)
    pair.primary.sql("CHECKPOINT")
    pair.catch_up()
    aged = "SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) > 2"
    wait_until(lambda: pair.standby.sql(aged) == [(True,)], 30)
    heard = "SELECT clock_timestamp() - last_msg_receipt_time < interval '1 s' FROM pg_stat_wal_receiver"
    wait_until(lambda: pair.standby.sql(heard) == [(True,)], 40)
    standby = run(items_suite(), pair.standby.dsn(database)).place.standby
    assert standby is not None
    assert standby.behind_seconds is not None
    assert standby.behind_seconds < 2


def test_a_standby_promoted_during_a_run_goes_on_answering(parting: Pair) -> None:
    """Promotion ends no session: the run that began on a standby ends on a primary, its answers unchanged."""
    database = parting.new_database()
    with gate_in(parting.standby, database) as gate:
        running = Background(
            lambda: run(
                items_suite(gate.check()), parting.standby.dsn(database), options=Options(limits=PATIENT)
            )
        )
        gate.reached()
        assert parting.standby.sql("SELECT pg_promote()") == [(True,)]
        parting.standby.sql("DELETE FROM items WHERE id > 50", database)
        gate.open()
        result = running.result()
    assert [by_id(result)[id].violations for id in ("gate", "row", "join", "query", "sequence")] == [
        0,
        10,
        20,
        10,
        0,
    ]
    assert result.place.in_recovery
    (notice,) = [n for n in result.notices if n.code == "promoted"]
    assert "the standby was promoted while it was read" in notice.message
