"""How long the suite takes beside counting, one query a check, the best fused SQL written by hand, and Soda.

    python benchmarks/speed.py [--rows 5000000] [--layout all] [--server both] [--rounds 5] [--keep FOLDER]
                               [--soda INTERPRETER]

Interleaved rounds on one server; ratios are of one round, the median of all rounds counts, the spread
stands beside it. Beside the clock stands the processor time of client and server, which other work on the
machine changes less. The suite and Soda are whole child processes, start-up, failing keys, record and page
included. The fused SQL only counts; it runs in two sessions, the single queries one after the other, as
the runbook has them. ``merged`` is the fused SQL whose large join goes through indexes, and stands beside
``run --trust-indexes``.
"""

from __future__ import annotations

import json
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from baseline import counting
from market import LARGE, READER, SUITE, Built, each_market, environment, parser_of
from measure import Child, Spread, child
from rivals import HASH, fused, single
from table import note

# Limits, so that a change that slows the suite down fails here.
MOST_OF_FUSED, MOST_OF_MERGED, START_UP = 1.2, 1.25, 1.0
LEAST_OF_SODA, MOST_MEGABYTES = 1.8, 140

COUNT, SINGLE, FUSED, MERGED, SODA = "count(*)", "24 single queries", "fused", "fused, merged", "Soda 4"
RUN, PLAIN, TRUSTING = "run", "run --sample 0", "run --trust-indexes"
FAILING = (1,)


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


def cases(built: Built, soda: Path | None, folder: Path) -> dict[str, Callable[[], float | Child]]:
    """What is measured, by name: each gives its seconds."""
    layout = built.market.layout
    words = ["-m", "kisaan_validate", "run", "--quiet", "--suite", str(SUITE)]

    def run(*more: str) -> Callable[[], Child]:
        return lambda: child([*words, *more], environment(built), folder, FAILING)

    found: dict[str, Callable[[], float | Child]] = {
        COUNT: lambda: counting(built),
        SINGLE: lambda: in_sessions(built.dsn, [(HASH, sql) for sql in single(layout)], 1),
        FUSED: lambda: in_sessions(built.dsn, fused(layout), 2),
        MERGED: lambda: in_sessions(built.dsn, fused(layout, merged=True), 2),
        PLAIN: run("--sample", "0"),
        RUN: run(),
        TRUSTING: run("--trust-indexes"),
    }
    if soda is not None:
        server = built.server
        place = (server.host, server.port, built.market.database, READER, layout, str(folder))
        rival = [str(Path(__file__).with_name("rival_soda.py")), *place]
        found[SODA] = lambda: child(rival, environment(built), folder, interpreter=soda)
    return found


@dataclass(frozen=True)
class Taken:
    """What a case took in one round, by the clock and of the processors."""

    seconds: float
    processor: float
    peak_mb: float = 0.0


Rounds = Mapping[str, list[Taken]]


def taken_by(built: Built, case: Callable[[], float | Child]) -> Taken:
    """One case, measured."""
    before = built.server.processor or 0.0
    found = case()
    served = (built.server.processor or 0.0) - before
    if isinstance(found, Child):
        return Taken(found.seconds, served + found.processor, found.peak_mb)
    return Taken(found, served)


def measured(built: Built, soda: Path | None, rounds: int) -> Rounds:
    """So many rounds, each case once in each, after one that is not counted: it fills the caches."""
    found: dict[str, list[Taken]] = {}
    for turn in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for name, case in cases(built, soda, Path(folder)).items():
                taken = taken_by(built, case)
                if turn:
                    found.setdefault(name, []).append(taken)
    return found


def statements(built: Built) -> tuple[int, dict[str, int]]:
    """How many statements a run sends to read rows, and how many of them read each large table."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "kisaan_validate", "run", "--quiet", "--sample", "0", "--suite", str(SUITE)]
        child(words, environment(built), Path(folder), (1,))
        (record,) = Path(folder).glob("reports/*/run.json")
        sent = [s["sql"] for s in json.loads(record.read_text())["statements"]]
    # By name in the text: the engine writes every table with its schema.
    return len(sent), {table: sum(f"public.{table}" in sql for sql in sent) for table in LARGE}


def ratio(rounds: Rounds, name: str, to: str, less: float = 0.0) -> Spread:
    """One case to another in each round by the clock, ``less`` so many seconds."""
    pairs = zip(rounds[name], rounds[to], strict=True)
    return Spread(tuple((one.seconds - less) / other.seconds for one, other in pairs))


def processor_ratio(rounds: Rounds, name: str, to: str) -> Spread:
    """The same of processor time."""
    pairs = zip(rounds[name], rounds[to], strict=True)
    return Spread(tuple(one.processor / other.processor for one, other in pairs))


def report(built: Built, rounds: Rounds) -> bool:
    """Print the figures of one market; whether all limits are kept."""
    market = built.market
    print(
        f"\n{market.layout}, {market.rows:,} rows, {built.server.version}: "
        f"median (min to max) of {len(rounds[RUN])} rounds"
    )
    for name, taken in rounds.items():
        clock, work = (Spread(tuple(getattr(t, part) for t in taken)) for part in ("seconds", "processor"))
        times = f"{ratio(rounds, name, FUSED)!s:>26} x fused; {processor_ratio(rounds, name, FUSED)!s:>24} x"
        print(f"  {name:<22}{clock!s:>24} s{times}; {work!s:>24} s of processors")
    whole = zip(*(rounds[name] for name in (RUN, PLAIN, TRUSTING)), strict=True)
    peaks = Spread(tuple(max(t.peak_mb for t in turn) for turn in whole))
    sent, reads = statements(built)
    print(f"  statements: {sent}; reading {', '.join(f'{t}: {n}' for t, n in reads.items())}")
    limits = [
        (f"`{RUN}` less 1 s, × fused", ratio(rounds, RUN, FUSED, START_UP), MOST_OF_FUSED),
        (f"`{TRUSTING}` less 1 s, × merged", ratio(rounds, TRUSTING, MERGED, START_UP), MOST_OF_MERGED),
        ("client memory, MB", peaks, MOST_MEGABYTES),
    ]
    if SODA in rounds:
        limits.append((f"`{RUN}`, × Soda 4", ratio(rounds, RUN, SODA), 1 / LEAST_OF_SODA))
    where = f"{market.layout}, {market.rows:,} rows, {built.server.version}"
    note(where, "fused SQL, seconds", Spread(tuple(t.seconds for t in rounds[FUSED])))
    note(where, "24 single queries, × fused", ratio(rounds, SINGLE, FUSED))
    for name, to in ((PLAIN, FUSED), (RUN, FUSED), (TRUSTING, MERGED), (RUN, SODA)):
        if to in rounds:
            said = f"`{name}`, processor time × {to.replace('fused, ', '')}"
            note(where, said, processor_ratio(rounds, name, to))
    # Every one is printed, also after one that is missed.
    kept = [_limit(where, *limit) for limit in limits]
    return all(kept)


def _limit(where: str, what: str, found: Spread, most: float) -> bool:
    kept = found.median <= most
    note(where, what, found, f"{most:.2f}", kept=kept)
    print(f"  {what:<42}{found!s:>24}   at most {most:.2f}{'' if kept else '   MISSED'}")
    return kept


def main() -> int:
    """Measure every market, print the figures, judge them."""
    parser = parser_of(__doc__, 5)
    parser.add_argument(
        "--soda",
        # It is started in another folder, and is a link that must stay one.
        type=lambda path: Path(path).absolute(),
        metavar="INTERPRETER",
        help="a Python that has soda-postgres; else it is left out",
    )
    options = parser.parse_args()
    good = True
    for built in each_market(options):
        good &= report(built, measured(built, options.soda, options.rounds))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
