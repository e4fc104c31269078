"""How long the suite takes beside counting, beside one query a check, and beside the best fused SQL
written by hand.

    python benchmarks/speed.py [--rows 5000000] [--layout both] [--rounds 5] [--keep FOLDER]

Interleaved rounds on one server; ratios are of one round, the median of all rounds counts, the spread
stands beside it. ``suite`` is ``kisaan-validate run --sample 0`` as a child process, less the time that
the same process takes over an empty market (start-up); ``suite + keys`` is the same with its default,
which also lists the violating rows. The fused SQL and the suite run in two sessions, the single queries
one after the other, as the runbook has them.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from baseline import counting
from market import (
    FEWEST_ROWS,
    LARGE,
    SUITE,
    Built,
    Market,
    arguments,
    build,
    describe,
    environment,
    layouts,
    market_at,
)
from measure import Child, Spread, child
from rivals import HASH, ONE_EACH, fused

# Limits, so that a change that slows the suite down fails here.
MOST_OF_FUSED, MOST_OF_SINGLE, MOST_MEGABYTES = 1.10, 0.45, 150


@dataclass(frozen=True)
class Round:
    """Seconds of each, in one round."""

    count: float
    single: float
    fused: float
    start_up: float
    suite: Child
    keys: Child


def in_sessions(dsn: str, queries: Iterable[tuple[str, str]], sessions: int) -> float:
    """Seconds to run (setting, query) pairs in so many sessions side by side."""
    waiting: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for pair in queries:
        waiting.put(pair)

    def work() -> None:
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        with connection.cursor() as cursor:
            # As the package's own sessions have it.
            cursor.execute("SET jit = off")
            while not waiting.empty():
                try:
                    setting, sql = waiting.get_nowait()
                except queue.Empty:
                    break
                cursor.execute(setting)
                cursor.execute(sql)
                cursor.fetchall()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(sessions)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def one_round(built: Built, empty: Built) -> Round:
    """Each once, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        words = ["-m", "kisaan_validate", "run", "--quiet", "--suite", str(SUITE)]
        failing, without = (1,), ["--sample", "0"]
        return Round(
            counting(built),
            in_sessions(built.dsn, [(HASH, sql) for sql in ONE_EACH], 1),
            in_sessions(built.dsn, fused(built.market.layout), 2),
            child([*words, *without], environment(empty), place, failing).seconds,
            child([*words, *without], environment(built), place, failing),
            child(words, environment(built), place, failing),
        )


def statements(built: Built) -> tuple[int, dict[str, int]]:
    """How many statements a run sends to read rows, and how many of them read each large table."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "kisaan_validate", "run", "--quiet", "--sample", "0", "--suite", str(SUITE)]
        child(words, environment(built), Path(folder), (1,))
        (record,) = Path(folder).glob("reports/*/run.json")
        sent = [s["sql"] for s in json.loads(record.read_text())["statements"]]
    # By name in the text: the engine writes every table with its schema.
    return len(sent), {table: sum(f"public.{table}" in sql for sql in sent) for table in LARGE}


def report(built: Built, rounds: list[Round]) -> bool:
    """Print one layout's figures; whether all limits are kept."""
    # Start-up is the same for every database, so it is measured on an empty one and taken off.
    net = [r.suite.seconds - r.start_up for r in rounds]
    rows = [
        ("count(*) of both tables", [r.count for r in rounds]),
        ("24 single queries", [r.single for r in rounds]),
        ("fused by hand", [r.fused for r in rounds]),
        ("start-up", [r.start_up for r in rounds]),
        ("suite, less start-up", net),
        ("suite + keys, less start-up", [r.keys.seconds - r.start_up for r in rounds]),
    ]
    print(f"\n{built.market.layout}, {built.market.rows:,} rows: median (min to max) of {len(rounds)} rounds")
    for name, seconds in rows:
        ratio = Spread(tuple(s / r.count for s, r in zip(seconds, rounds, strict=True)))
        print(f"  {name:<30}{Spread(tuple(seconds))!s:>24} s{ratio!s:>26} x count(*)")
    of_fused = Spread(tuple(n / r.fused for n, r in zip(net, rounds, strict=True)))
    of_single = Spread(tuple(n / r.single for n, r in zip(net, rounds, strict=True)))
    peak = max(max(r.suite.peak_mb, r.keys.peak_mb) for r in rounds)
    sent, reads = statements(built)
    print(f"  suite / fused by hand     {of_fused}   (at most {MOST_OF_FUSED})")
    print(f"  suite / single queries    {of_single}   (at most {MOST_OF_SINGLE})")
    print(f"  client memory             {peak:.0f} MB   (at most {MOST_MEGABYTES})")
    print(f"  statements                {sent}; reading {', '.join(f'{t}: {n}' for t, n in reads.items())}")
    return of_fused.median <= MOST_OF_FUSED and of_single.median <= MOST_OF_SINGLE and peak <= MOST_MEGABYTES


def main() -> int:
    """Measure every layout, print the figures, judge them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    parser.add_argument("--rounds", type=int, default=5, help="default %(default)s")
    options = parser.parse_args()
    good = True
    for layout in layouts(options.layout):
        with market_at(Market(layout, options.rows), options.keep) as built:
            empty = build(built.server, Market(layout, FEWEST_ROWS))
            print(describe(built), flush=True)
            # Not counted: it fills the caches of both databases.
            one_round(built, empty)
            good &= report(built, [one_round(built, empty) for _ in range(options.rounds)])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
