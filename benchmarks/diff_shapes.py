"""What a comparison costs of tables unlike payments: wide, many, with long texts, or changed by half.

    python benchmarks/diff_shapes.py [--rows 5000000] [--rounds 3] [--server embedded]

Each shape takes turns with its unit, the least that any way must do on both sides at once; the bound is of
the ratio. Exit code 1 if an answer is wrong, a bound is exceeded, or the client needs over 100 MB.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from diff import MOST_MEGABYTES, watched
from measure import Spread
from server import VERSIONS, Server, serving


@dataclass(frozen=True)
class Shape:
    """A kind of database. ``make`` fills the old side, ``change`` makes the new one of a copy. ``unit`` are
    the statements of one side; ``copied``: their rows go to the client. ``most`` bounds the ratio.
    """

    words: str
    make: str
    change: str
    unit: Sequence[str]
    changed: int
    most: float
    copied: bool = False


def _chain(columns: Sequence[tuple[str, str]]) -> str:
    digest = "1"
    for name, function in columns:
        digest = f"{function}({name}, {digest})"
    inner = f"SELECT id / 256 AS b, {digest} AS d FROM t OFFSET '0'"
    return f"SELECT b, count(*), sum(d) FROM ({inner}) AS s GROUP BY 1"


def wide(rows: int) -> Shape:
    """300 columns of three types."""
    kinds = [
        ("int", "(g * {n}) % 1000", "hashint4extended"),
        ("text", "'value ' || g % {n}", "hashtextextended"),
        ("numeric(12,2)", "(g % ({n} * 100))::numeric / 100", "hash_numeric_extended"),
    ]
    columns = [(f"c{n}", *kinds[n % 3]) for n in range(1, 300)]
    typed = ", ".join(f"{name} {kind}" for name, kind, _, _ in columns)
    made = ", ".join(value.format(n=name[1:]) for name, _, value, _ in columns)
    return Shape(
        f"300 columns, {rows:,} rows",
        f"CREATE TABLE t (id int PRIMARY KEY, {typed}); INSERT INTO t SELECT g, {made} "
        f"FROM generate_series(1, {rows}) AS g",
        "UPDATE t SET c150 = c150 + 1, c151 = c151 || 'x' WHERE id % 1000 = 0",
        [_chain([(name, function) for name, _, _, function in columns])],
        rows // 1000,
        10,
    )


def many(tables: int) -> Shape:
    """Tables of a thousand rows, whose cost is that of statements."""
    each = (
        "CREATE TABLE t{n} (id int PRIMARY KEY, a numeric, b text, c timestamp); INSERT INTO t{n} "
        "SELECT g, g, g, '2025-01-01' FROM generate_series(1, 1000) AS g;"
    )
    return Shape(
        f"{tables} tables of 1,000 rows",
        "".join(each.format(n=n) for n in range(tables)),
        "".join(f"UPDATE t{n} SET a = a + 1 WHERE id = 7;" for n in range(0, tables, 10)),
        [f"SELECT count(*) FROM t{n}" for n in range(tables)],
        tables // 10,
        60,
    )


def long(rows: int) -> Shape:
    """Texts of a megabyte, which must not travel."""
    return Shape(
        f"texts of 1 MB, {rows} rows",
        "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT g, (SELECT string_agg("
        "md5((g * n)::text), '') FROM generate_series(1, 32768) AS n) "
        f"FROM generate_series(1, {rows}) AS g",
        "UPDATE t SET x = x || '.' WHERE id % 100 = 0",
        [_chain([("x", "hashtextextended")])],
        rows // 100,
        4,
    )


def half(rows: int) -> Shape:
    """Every other row changed: all of them are read and told."""
    return Shape(
        f"half of {rows:,} rows changed",
        "CREATE TABLE t (id int PRIMARY KEY, a numeric(12,2), b text, c timestamp); INSERT INTO t SELECT "
        "g, g, 'note ' || g, '2025-01-01'::timestamp + g * interval '1 s' "
        f"FROM generate_series(1, {rows}) AS g",
        "UPDATE t SET a = a + 1 WHERE id % 2 = 0",
        ["COPY (SELECT * FROM t ORDER BY id) TO STDOUT"],
        rows // 2,
        40,
        copied=True,
    )


class _Nowhere:
    def write(self, data: bytes) -> int:
        """Count what comes."""
        return len(data)


def _unit(shape: Shape, dsns: Sequence[str]) -> float:
    def one(dsn: str) -> None:
        connection = psycopg2.connect(dsn)
        with connection.cursor() as cursor:
            for sql in shape.unit:
                if shape.copied:
                    cursor.copy_expert(sql, _Nowhere())
                else:
                    cursor.execute(sql)
                    cursor.fetchall()
        connection.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=one, args=(dsn,)) for dsn in dsns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def measure(server: Server, shape: Shape, rounds: int, folder: Path) -> bool:
    """Build, take turns, print; whether the answer is right and the bounds are kept."""
    for name in ("shape_old", "shape_new"):
        server.sql(f"DROP DATABASE IF EXISTS {name}")
    server.sql("CREATE DATABASE shape_old TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    for name, text in (("shape_old", shape.make), ("shape_new", shape.change)):
        if name == "shape_new":
            server.sql("CREATE DATABASE shape_new TEMPLATE shape_old STRATEGY file_copy")
        with server.session(name) as cursor:
            cursor.execute(text)
            cursor.execute("VACUUM (FREEZE, ANALYZE)")
    dsns = [server.dsn(name) for name in ("shape_old", "shape_new")]
    words = [
        sys.executable,
        "-m",
        "kisaan_validate",
        "diff",
        "--before",
        dsns[0],
        "--after",
        dsns[1],
        "--format",
        "json",
    ]
    units, taken, peaks, right = [], [], [], True
    for _ in range(rounds):
        units.append(_unit(shape, dsns))
        seconds, peak, _ = watched([*words, "-o", "diff.json"], folder, (1,))
        taken.append(seconds)
        peaks.append(peak)
        tables = json.loads((folder / "diff.json").read_text(encoding="utf-8"))["tables"]
        right = right and sum(table["changed"] for table in tables) == shape.changed
    ratio = Spread(tuple(t / u for t, u in zip(taken, units, strict=True)))
    print(
        f"  {shape.words:<32}{Spread(tuple(taken))!s:>22} s{ratio!s:>22} x its unit (at most {shape.most:g})"
        f"{max(peaks):>6.0f} MB   {'as planted' if right else 'WRONG'}",
        flush=True,
    )
    return right and ratio.median <= shape.most and max(peaks) <= MOST_MEGABYTES


def main() -> int:
    """Measure every shape."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, default=5_000_000, help="the measure of all (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--server", choices=VERSIONS, default="embedded", help="default %(default)s")
    options = parser.parse_args()
    made: list[Callable[[], Shape]] = [
        lambda: wide(options.rows // 100),
        lambda: many(400),
        lambda: long(max(100, options.rows // 25_000)),
        lambda: half(options.rows // 5),
    ]
    with serving(version=options.server) as server, tempfile.TemporaryDirectory() as folder:
        kept = [measure(server, shape(), options.rounds, Path(folder)) for shape in made]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
