"""What ``init`` costs beside one scan of every column of every table, on the same database.

    python benchmarks/init.py [--rows 5000000] [--layout text] [--rounds 3] [--keep FOLDER]

The scan is one statement a table, one after the other: it counts the values of each column and takes the
least and the greatest. ``init`` is a whole child process, start-up included, with its usual two sessions.
Interleaved rounds after one of each that is not counted; ratios are of one round. Exit code 1 if the limit
is exceeded.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from market import Built, each_market, environment, parser_of
from measure import Child, Spread, child
from table import note

MOST_RATIO = 1.5

COLUMNS = """SELECT c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum),
array_agg(a.atttypid = 'bool'::regtype ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.oid"""


@dataclass(frozen=True)
class InitRound:
    """One measurement of each; ``scan_processor`` is what the server took for the scan, ``served`` for
    ``init``. Seconds.
    """

    scan: float
    scan_processor: float
    init: Child
    served: float


def scans(built: Built) -> list[str]:
    """The statements of the scan, one for each table."""
    found = built.server.sql(COLUMNS, built.market.database)
    return [f"SELECT {', '.join(_figures(*columns))} FROM {table}" for table, *columns in found]


def _figures(names: list[str], truths: list[bool]) -> list[str]:
    made = ["count(*)"]
    for name, truth in zip(names, truths, strict=True):
        # Of truth values there is no least one.
        made += [f"count({name})"] if truth else [f"count({name})", f"min({name})", f"max({name})"]
    return made


def scanned(built: Built) -> float:
    """Seconds of the scan."""
    statements = scans(built)
    with built.server.session(built.market.database) as cursor:
        # As the package's own sessions have it.
        cursor.execute("SET jit = off")
        start = time.perf_counter()
        for sql in statements:
            cursor.execute(sql)
            cursor.fetchall()
        return time.perf_counter() - start


def one_round(built: Built) -> InitRound:
    """The scan, then ``init`` into an empty folder."""
    before = built.server.processor or 0.0
    scan = scanned(built)
    between = built.server.processor or 0.0
    with tempfile.TemporaryDirectory() as folder:
        init = child(["-m", "kisaan_validate", "init"], environment(built), Path(folder))
    return InitRound(scan, between - before, init, (built.server.processor or 0.0) - between)


def report(built: Built, rounds: list[InitRound]) -> bool:
    """Print the figures of one market; whether the limit is kept."""
    where = f"{built.market.layout}, {built.market.rows:,} rows, {built.server.version}"
    ratio = Spread(tuple(r.init.seconds / r.scan for r in rounds))
    work = Spread(tuple((r.init.processor + r.served) / r.scan_processor for r in rounds))
    kept = ratio.median <= MOST_RATIO
    print(f"\n{where}: median (min to max) of {len(rounds)} rounds")
    print(f"  one scan of every column  {Spread(tuple(r.scan for r in rounds))!s:>24} s")
    print(f"  init                      {Spread(tuple(r.init.seconds for r in rounds))!s:>24} s")
    print(f"  processor time, × scan    {work!s:>24}")
    print(
        f"  time, × scan              {ratio!s:>24}   at most {MOST_RATIO:.2f}{'' if kept else '   MISSED'}"
    )
    note(where, "`init`, processor time × one scan of every column", work)
    note(where, "`init`, × one scan of every column", ratio, f"{MOST_RATIO:.2f}", kept=kept)
    return kept


def main() -> int:
    """Measure every market, print the figures, judge them."""
    options = parser_of(__doc__, 3, layout="text").parse_args()
    good = True
    for built in each_market(options):
        one_round(built)
        good &= report(built, [one_round(built) for _ in range(options.rounds)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
