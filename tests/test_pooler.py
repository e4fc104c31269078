"""Behind a transaction-pooling proxy: doctor says so, and a run is still right and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from conftest import Server, needs, wait_until

from kisaan_validate import declare
from kisaan_validate.config import Config
from kisaan_validate.database.lock import advisory_lock
from kisaan_validate.database.session import Limits
from kisaan_validate.database.target import find_target
from kisaan_validate.doctor import examine
from kisaan_validate.errors import AlreadyRunning
from kisaan_validate.model import Verdict
from kisaan_validate.runner import run
from kisaan_validate.suite.load import suite_of


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def pooled(server: Server, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(DSN through pgbouncer in transaction mode, name of a database with a filled table)."""
    program = needs("pgbouncer")
    database = server.create("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g")
    port = _free_port()
    settings = tmp_path / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{database} = host={server.host} port={server.port} dbname={database} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n"
        f"unix_socket_dir =\nlogfile = {tmp_path}/log\ndefault_pool_size = 8\n"
    )
    # It refuses to run as root, and only the server's own user may reach its socket.
    owner = Path(server.host).owner()
    as_user: dict[str, object] = {"user": owner} if os.geteuid() == 0 else {}
    if as_user:
        for parent in takewhile(lambda folder: folder != Path(tempfile.gettempdir()), (tmp_path, *tmp_path.parents)):
            parent.chmod(0o755)
        shutil.chown(tmp_path, owner)
    process = subprocess.Popen([program, str(settings)], stderr=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens)
    yield f"host=127.0.0.1 port={port} dbname={database} user=postgres", database
    process.terminate()
    process.wait(10)
    server.drop(database)


def test_doctor_names_a_pooling_proxy(pooled: tuple[str, str], server: Server) -> None:
    """The process id told at connection is not the server's: a proxy stands in between, and a hint says what to do."""
    dsn, database = pooled
    titles = {f.title: f for f in examine(Config(suite=Path("nowhere")), dsn)}
    assert titles["pooling proxy"].good is None
    assert "connect to PostgreSQL itself" in titles["pooling proxy"].hint
    direct = {f.title for f in examine(Config(suite=Path("nowhere")), server.dsn(database))}
    assert "direct connection" in direct


def test_a_run_through_a_pooling_proxy_is_right_and_leaks_no_setting(pooled: tuple[str, str]) -> None:
    """Everything happens inside transactions with SET LOCAL: counts are exact and the next client finds clean settings."""
    import psycopg2

    dsn, _ = pooled
    made = run(suite_of(declare.holds("t", "v > 10"), declare.unique("t", "v")), dsn)
    assert made.verdict is Verdict.FAIL
    assert [r.violations for r in made.results] == [10, 0]
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0", "0")
    connection.close()


def test_the_lock_of_a_run_excludes_through_a_pooling_proxy_too(pooled: tuple[str, str], server: Server) -> None:
    """A lock of the session would be shared by all clients of the pool, or stay behind: this one excludes, and ends with its holder."""
    dsn, database = pooled
    through, direct = find_target(dsn), find_target(server.dsn(database))
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    for first, second in ((through, through), (through, direct), (direct, through)):
        with advisory_lock(first, Limits(), {}, "suite"):
            with pytest.raises(AlreadyRunning), advisory_lock(second, Limits(), {}, "suite"):
                pass
            assert run(suite_of(declare.unique("t", "v")), dsn).verdict is Verdict.PASS
        wait_until(lambda: server.sql(held, database) == [(0,)])
