"""A run on a hot standby: the same answers as on its primary, and a conflict with replay is never a PASS."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import SYSTEM_BIN, Server, system_server, wait_until
from gates import GATE_TABLE, PATIENT, Background, activity, answers, by_id, gate_in

from kisaan_validate import declare as d
from kisaan_validate.database.lock import advisory_lock
from kisaan_validate.database.session import Limits
from kisaan_validate.database.target import find_target
from kisaan_validate.errors import AlreadyRunning
from kisaan_validate.model import Status, Verdict
from kisaan_validate.runner import Options, run
from kisaan_validate.suite.load import Suite, suite_of

TABLES = (
    GATE_TABLE
    + """
    CREATE TABLE items (id serial PRIMARY KEY, amount int NOT NULL, label text, parent int);
    INSERT INTO items (amount, label, parent) SELECT g, 'item ' || g % 90, g % 120 + 20 FROM generate_series(1, 100) AS g;
    CREATE UNLOGGED TABLE fleeting (id int); INSERT INTO fleeting VALUES (1);
"""
)
PRIMARY_PORT, STANDBY_PORT = 6416, 6417


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


def _as_postgres(*words: str) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*prefix, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", timeout=60
    )


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A streaming standby of PostgreSQL 15, taken with pg_basebackup; conflicts with replay cancel at once."""
    folder = Path(tempfile.mkdtemp(prefix="kisaan-standby-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, log = str(folder / "data"), folder / "log"
    source = ["-h", primary.host, "-p", primary.port, "-U", "postgres"]
    _as_postgres(str(SYSTEM_BIN / "pg_basebackup"), *source, "-D", data, "-R", "-X", "stream", "-c", "fast")
    options = f"-k {folder} -h '' -p {STANDBY_PORT} -c max_standby_streaming_delay=0 -c hot_standby_feedback=off"
    control = [str(SYSTEM_BIN / "pg_ctl"), "-D", data]
    _as_postgres(*control, "-w", "-l", str(log), "-o", options, "start")
    try:
        yield Server(str(folder), log, str(STANDBY_PORT))
    finally:
        _as_postgres(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary with its standby; the absence of PostgreSQL 15 is loud."""
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        pytest.fail("PostgreSQL 15 is missing: apt-get install postgresql-15")
    with system_server(PRIMARY_PORT) as primary, standby_of(primary) as standby:
        yield Pair(primary, standby)


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


def test_a_standby_gives_the_answers_of_its_primary(pair: Pair) -> None:
    """Every count, key and digest is the same; the place says that it is a standby, and of which cluster."""
    database = pair.new_database()
    here, there = (
        run(items_suite(), server.dsn(database), options=Options(jobs=3)) for server in (pair.primary, pair.standby)
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
    """It excludes there as it does on a primary. The two know nothing of each other's locks, as the documentation says."""
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


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_a_conflict_with_replay_is_never_a_pass(pair: Pair, conflict: str) -> None:
    """Replay takes away what the run reads: unanswered checks are ERROR with a SQLSTATE, answers given are true."""
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
    """New rows that arrive while a run reads belong to a later instant: every answer is that of the snapshot."""
    database = pair.new_database()
    with gate_in(pair.standby, database) as gate:
        running = Background(
            lambda: run(items_suite(gate.check()), pair.standby.dsn(database), options=Options(limits=PATIENT))
        )
        gate.reached()
        pair.primary.sql("INSERT INTO items (amount, label, parent) SELECT 1000, 'new', 1000", database)
        pair.catch_up()
        gate.open()
        result = running.result()
    assert by_id(result)["row"].violations == 10
    assert by_id(result)["join"].violations == 20
    assert by_id(run(items_suite(), pair.standby.dsn(database)))["row"].violations == 11


def test_a_standby_promoted_during_a_run_goes_on_answering(pair: Pair) -> None:
    """Promotion ends no session: the run that began on a standby ends on a primary, its answers unchanged."""
    database = pair.new_database()
    with gate_in(pair.standby, database) as gate:
        running = Background(
            lambda: run(items_suite(gate.check()), pair.standby.dsn(database), options=Options(limits=PATIENT))
        )
        gate.reached()
        assert pair.standby.sql("SELECT pg_promote()") == [(True,)]
        pair.standby.sql("DELETE FROM items WHERE id > 50", database)
        gate.open()
        result = running.result()
    assert [by_id(result)[id].violations for id in ("gate", "row", "join", "query", "sequence")] == [0, 10, 20, 10, 0]
    assert result.place.in_recovery
