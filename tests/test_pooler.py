"""Behind a transaction-pooling proxy: doctor says so, and a run is still right and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path

import psycopg2
import pytest
from conftest import Server, needs, wait_until
from control import sessions, started
from helpers import write_suite

from kisaan_validate import declare
from kisaan_validate.errors import AlreadyRunning
from kisaan_validate.facts.result import Verdict
from kisaan_validate.ops.config import Config
from kisaan_validate.ops.doctor import examine
from kisaan_validate.postgres.lock import advisory_lock
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def pooled(server: Server, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(DSN through pgbouncer in transaction mode, name of a database with a filled table)."""
    with pooler(server, tmp_path, 8) as place:
        yield place


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether it came up; it ends if somebody else took the port meanwhile."""

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(lambda: process.poll() is not None or answers())
    return process.poll() is None


@contextmanager
def pooler(server: Server, folder: Path, places: int) -> Iterator[tuple[str, str]]:
    """The same, with so many places."""
    program = needs("pgbouncer")
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(1, "
        "1000) g"
    )
    # It refuses to run as root, and only the server's own user may reach its socket.
    owner = Path(server.host).owner()
    as_user: dict[str, object] = {"user": owner} if os.geteuid() == 0 else {}
    if as_user:
        for parent in takewhile(lambda one: one != Path(tempfile.gettempdir()), (folder, *folder.parents)):
            parent.chmod(0o755)
        shutil.chown(folder, owner)
    for _ in range(5):
        port = _free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n{database} = host={server.host} port={server.port} dbname={database} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = "
            f"transaction\n"
            f"unix_socket_dir =\nlogfile = {folder}/log\ndefault_pool_size = {places}\n"
        )
        process = subprocess.Popen([program, str(settings)], stderr=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]
        if _listens(port, process):
            break
    else:
        raise AssertionError((folder / "log").read_text())
    try:
        yield f"host=127.0.0.1 port={port} dbname={database} user=postgres", database
    finally:
        process.terminate()
        process.wait(10)
        server.drop(database)


def test_doctor_names_a_pooling_proxy(pooled: tuple[str, str], server: Server) -> None:
    """The process id told at connection is not the server's: a proxy stands in between, and a hint says
    what to do.
    """
    dsn, database = pooled
    titles = {f.title: f for f in examine(Config(suite=Path("nowhere")), dsn)}
    assert titles["pooling proxy"].good is None
    assert "connect to PostgreSQL directly" in titles["pooling proxy"].hint
    direct = {f.title for f in examine(Config(suite=Path("nowhere")), server.dsn(database))}
    assert "direct connection" in direct


def test_a_run_through_a_pooling_proxy_is_right_and_leaks_no_setting(pooled: tuple[str, str]) -> None:
    """Everything happens inside transactions with SET LOCAL: counts are exact and the next client finds
    clean settings.
    """
    dsn, _ = pooled
    made = run(suite_of(declare.holds("t", "v > 10"), declare.unique("t", "v")), dsn)
    assert made.verdict is Verdict.FAIL
    assert [r.violations for r in made.results] == [10, 0]
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0", "0")
    connection.close()


def test_the_lock_of_a_run_excludes_through_a_pooling_proxy_too(
    pooled: tuple[str, str], server: Server
) -> None:
    """A lock of the session would be shared by all clients of the pool, or stay behind: this one excludes,
    and ends with its holder.
    """
    dsn, database = pooled
    through, direct = find_target(dsn), find_target(server.dsn(database))
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    for first, second in ((through, through), (through, direct), (direct, through)):
        with advisory_lock(first, Limits(), {}, "suite"):
            with pytest.raises(AlreadyRunning), advisory_lock(second, Limits(), {}, "suite"):
                pass
            assert run(suite_of(declare.unique("t", "v")), dsn).verdict is Verdict.PASS
        wait_until(lambda: server.sql(held, database) == [(0,)])


SLEEPS = (
    "from kisaan_validate import declare\ndeclare.holds('t', 'v > 10', "
    "id='rows')\ndeclare.holds('t', 'pg_sleep(60 * v) IS NULL', id='slow', volatile='pg_sleep')\n"
)


def test_a_pooler_with_fewer_places_than_sessions_costs_time_and_no_answer(
    server: Server, tmp_path: Path
) -> None:
    """Two places, one of them the snapshot's: one session does the work of three, and the run says so."""
    with pooler(server, tmp_path, 2) as (dsn, _):
        made = run(
            suite_of(declare.holds("t", "v > 10"), declare.unique("t", "v")),
            f"{dsn} connect_timeout=2",
            options=Options(jobs=3),
        )
    assert made.verdict is Verdict.FAIL
    assert [r.violations for r in made.results] == [10, 0]
    (notice,) = [notice for notice in made.notices if notice.code == "sessions"]
    assert (
        notice.message == "1 of 3 sessions joined the snapshot: the connection was lost: no answer within 2 s"
    )


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["3", "1"])
def test_waiting_for_a_place_in_a_pooler_does_not_outlast_a_signal(
    server: Server, tmp_path: Path, jobs: str
) -> None:
    """With three sessions for two places, while the second waits for one; with a single place, while the
    first works.
    """
    places = 2 if jobs == "3" else 1
    write_suite(tmp_path / "checks", {"a.py": SLEEPS})
    with (
        pooler(server, tmp_path, places) as (dsn, database),
        started(["run", "--jobs", jobs], tmp_path, dsn) as command,
    ):
        command.runs_until(lambda: len(sessions(server, database)) == places)
        time.sleep(1)
        assert command.ended(command.signal(signal.SIGTERM)) == 3, command.err
        (record,) = command.records
        assert record["interrupted"] == "interrupted by SIGTERM"
        wait_until(lambda: not [q for _, q in sessions(server, database) if "pg_sleep" in q], 10)


@pytest.mark.slow
def test_a_full_pooler_is_not_waited_for_without_end(server: Server, tmp_path: Path) -> None:
    """No place at all: nothing was measured, exit 2; doctor says the same."""
    write_suite(tmp_path / "checks", {"a.py": SLEEPS})
    with (
        pooler(server, tmp_path, 1) as (dsn, _),
        closing(psycopg2.connect(dsn)) as taken,
        taken.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")  # a transaction that keeps the only place
        for words in (["run"], ["doctor"]):
            with started([*words, "--dsn", f"{dsn} connect_timeout=2"], tmp_path, "") as command:
                command.listens()
                assert command.ended(time.monotonic(), 40) == 2, command.err
            assert "no answer within 2 s" in command.err + command.out
