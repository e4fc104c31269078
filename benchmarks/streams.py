"""How fast Python checks are, beside a bare COPY and beside pandas.read_sql with pandera, and what memory
they take.

    python benchmarks/streams.py [--rows 5000000] [--layout dense] [--rounds 3] [--keep FOLDER]

Twelve columns of ``payments``, a check for each and one over two of them (``streamed/payments.py``). All
ways take turns in every round; ratios are of one round. "CPU" is that of the client's processes for each
row, imports and start included: it says what a busy machine hides. Memory is that of the process and its
children together, shared pages counted once (PSS). Exit code 1 if the ways disagree about the violations,
or the streams are slower or larger than the limits.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from market import Built, each_market, environment, parser_of
from measure import Spread

READERS = Path(__file__).resolve().parent / "readers.py"
WAYS: dict[str, tuple[str, ...]] = {
    "bare COPY": ("copy",),
    "streamed, 1 process": ("streamed", "1"),
    "streamed, 2 processes": ("streamed", "2"),
    "pandas.read_sql + pandera": ("pandas",),
}
JUDGED = "streamed, 2 processes"
LEAST_ROWS = 400_000
MOST_MEGABYTES = 600


@dataclass(frozen=True)
class Reading:
    """One way, once."""

    rows: int
    seconds: float
    whole: float
    peak_mb: float
    cpu: float
    violations: int | None

    @property
    def rate(self) -> float:
        """Rows a second while rows are read."""
        return self.rows / self.seconds


def read(built: Built, words: Sequence[str]) -> Reading:
    """One child process, and the most memory that it and its children held at any moment that was looked
    at.
    """
    process = subprocess.Popen(
        [sys.executable, str(READERS), *words], env=environment(built), stdout=subprocess.PIPE, text=True
    )
    peak, ended = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, ended))
    watcher.start()
    said, _ = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"error: {' '.join(words)}: exit code {process.returncode}")
    done: dict[str, Any] = json.loads(said)
    return Reading(
        done["rows"], done["seconds"], done["with_imports"], peak[0], done["cpu"], done.get("violations")
    )


def _watch(pid: int, peak: list[float], ended: threading.Event) -> None:
    # Ten looks a second: memory is held for a chunk at least, which takes longer.
    while not ended.wait(0.1):
        total = 0
        try:
            # The readers of a run are its children, and are what takes the memory.
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return
        for member in family:
            try:
                total += member.memory_full_info().pss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 1e6)


def measure(built: Built, rounds: int) -> dict[str, list[Reading]]:
    """``rounds`` rounds of every way, after one bare COPY that fills the caches."""
    # Not counted: it brings the table into memory.
    read(built, WAYS["bare COPY"])
    found: dict[str, list[Reading]] = {name: [] for name in WAYS}
    for n in range(rounds):
        # Back and forth, so that no way always follows the same one.
        for name in sorted(WAYS, reverse=n % 2 == 1):
            found[name].append(read(built, WAYS[name]))
            reading = found[name][-1]
            print(
                f"  {name:<27}{reading.rate:>12,.0f} rows/s{reading.whole:>8.1f} s in "
                f"all{reading.cpu / reading.rows * 1e6:>8.2f} µs CPU/row"
                f"{reading.peak_mb:>6.0f} MB",
                flush=True,
            )
    return found


def table(found: dict[str, list[Reading]]) -> list[str]:
    """A line for each way."""
    bare = [reading.rate for reading in found["bare COPY"]]
    lines = [
        f"{'':<27}{'million rows/s':>24}{'× bare COPY':>22}{'in all, s':>24}{'µs CPU/row':>22}{'peak MB':>9}"
    ]
    for name, readings in found.items():
        rate = Spread(tuple(r.rate / 1e6 for r in readings))
        ratio = Spread(tuple(r.rate / b for r, b in zip(readings, bare, strict=True)))
        whole = Spread(tuple(r.whole for r in readings))
        cpu = Spread(tuple(r.cpu / r.rows * 1e6 for r in readings))
        peak = max(r.peak_mb for r in readings)
        lines.append(f"{name:<27}{rate!s:>24}{ratio!s:>22}{whole!s:>24}{cpu!s:>22}{peak:>9.0f}")
    return lines


def judged(found: dict[str, list[Reading]]) -> bool:
    """Whether all ways found the same, and the streams are within the limits."""
    violations = {r.violations for name, readings in found.items() for r in readings if name != "bare COPY"}
    rows = {r.rows for readings in found.values() for r in readings}
    # A bare COPY judges nothing, so it counts for rows alone.
    if len(violations) > 1 or len(rows) > 1:
        print(f"  THE WAYS DISAGREE: {violations} violations, {rows} rows")
        return False
    rate = Spread(tuple(r.rate for r in found[JUDGED])).median
    return rate >= LEAST_ROWS and max(r.peak_mb for r in found[JUDGED]) <= MOST_MEGABYTES


def main() -> int:
    """Measure, print, judge."""
    options = parser_of(__doc__, 3).parse_args()
    right = True
    for built in each_market(options):
        found = measure(built, options.rounds)
        print(f"\nmedian (min to max) of {options.rounds} rounds", *table(found), sep="\n", flush=True)
        right = judged(found) and right
    print(f"\nlimits: {JUDGED}: at least {LEAST_ROWS:,} rows/s, at most {MOST_MEGABYTES} MB")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
