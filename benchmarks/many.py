"""What a large schema costs: ``init``, ``list``, ``run``, ``baseline`` of 400 tables and about 12,000 checks.

The database is empty, so that nothing but the number of tables and checks is measured; the suite is the one
that ``init`` drafts of it. Then ``baseline`` of many small tables. Processor time of the command and of what
it started, wall time, and the most memory of one process:

    python benchmarks/many.py [--tables 400] [--small 2000]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from server import Server, serving  # noqa: E402

COLUMNS = """id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
parent bigint, code text NOT NULL UNIQUE, title varchar(80) NOT NULL, amount numeric(12,2) NOT NULL,
count integer NOT NULL CHECK (count >= 0), made timestamptz NOT NULL DEFAULT now()"""
"""Of each table: with a reference they are drafted as about 30 checks."""


def tables_sql(tables: int) -> Iterator[str]:
    """The statements that make so many tables, each with a reference to the one before it."""
    for number in range(tables):
        refers = f", FOREIGN KEY (parent) REFERENCES ledger_{number - 1:04}" if number else ""
        yield f"CREATE TABLE ledger_{number:04} ({COLUMNS}{refers})"


def small_sql(tables: int) -> Iterator[str]:
    """The statements that make so many tables of ten rows."""
    for number in range(tables):
        yield (
            f"CREATE TABLE tiny_{number:05} AS SELECT i AS id, 'name ' || i AS name, i * 1.5 AS amount "
            "FROM generate_series(1, 10) AS i"
        )


def filled(server: Server, database: str, statements: Iterator[str]) -> str:
    """A new database after these statements, each in a transaction of its own; its DSN."""
    server.sql(f"CREATE DATABASE {database}")
    with server.session(database) as cursor:
        for statement in statements:
            cursor.execute(statement)
    return server.dsn(database)


def measured(label: str, dsn: str, folder: Path, *words: str) -> None:
    """Run a command, print what it took."""
    started = time.perf_counter()
    program = [sys.executable, "-m", "kisaan_validate", *words]
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.execve(sys.executable, program, {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": dsn})
    os.close(said)
    # wait4, because only it tells what this one command used, and what it forked off.
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    print(
        f"{label:<34} {used.ru_utime + used.ru_stime:7.2f} s CPU  {wall:7.2f} s wall  "
        f"{used.ru_maxrss / 1024:6.0f} MB  exit {code}",
        flush=True,
    )
    if code not in {0, 1, 3}:
        print((folder / "said.txt").read_text()[-2000:])


def size(folder: Path, name: str) -> str:
    """The size of the newest file of this name below a folder."""
    found = max(folder.rglob(name), key=lambda path: path.stat().st_mtime, default=None)
    return f"{found.stat().st_size / 1e6:.2f} MB" if found is not None else "none"


def main() -> None:
    """Measure one after another, print a line for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tables", type=int, default=400)
    options.add_argument("--small", type=int, default=2_000)
    given = options.parse_args()
    with serving() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.tables:
            dsn = filled(server, "wide", tables_sql(given.tables))
            measured(f"init of {given.tables:,} empty tables", dsn, folder, "init", "-o", "checks")
            measured("list", dsn, folder, "list")
            print(f"  {(folder / 'said.txt').read_text().count(chr(10)):,} lines")
            measured("run", dsn, folder, "run")
            print(f"  run.json {size(folder, 'run.json')}, report.html {size(folder, 'report.html')}")
            measured("baseline", dsn, folder, "baseline", "-o", "wide.json")
        if given.small:
            dsn = filled(server, "small", small_sql(given.small))
            checks = folder / "few"
            checks.mkdir()
            (checks / "few.py").write_text(
                "from kisaan_validate import declare\n\ndeclare.table('tiny_00000')\n"
            )
            words = ("baseline", "--suite", "few", "-o", "small.json")
            measured(f"baseline of {given.small:,} tables of ten rows", dsn, folder, *words)


if __name__ == "__main__":
    main()
