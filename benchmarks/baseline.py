"""What ``baseline`` costs beside ``run`` on the same database, and how much memory its process needs.

    python benchmarks/baseline.py [--rows 5000000] [--layout all] [--rounds 5] [--keep FOLDER]

Both are whole child processes, in turn and interleaved, after one of each that is not counted. Ratios are
of one round; seconds are of one machine. The unit is ``SELECT count(*)`` of both large tables. Exit code 1
if a limit is exceeded.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from market import LARGE, SUITE, Built, Market, each_market, environment, parser_of
from measure import Child, Spread, child

MOST_RATIO = 2.5
MOST_MEGABYTES = 200


@dataclass(frozen=True)
class Round:
    """One measurement of each."""

    unit: float
    run: Child
    baseline: Child


@dataclass(frozen=True)
class Measured:
    """What several rounds on one market gave."""

    market: Market
    rounds: tuple[Round, ...]

    @property
    def ratio(self) -> Spread:
        """How many times as long as ``run`` the command ``baseline`` takes."""
        return Spread(tuple(r.baseline.seconds / r.run.seconds for r in self.rounds))

    @property
    def peak_mb(self) -> float:
        """The most memory that a process of ``baseline`` ever held."""
        return max(r.baseline.peak_mb for r in self.rounds)

    @property
    def within_limits(self) -> bool:
        """Whether neither limit is exceeded."""
        # The median, because one slow round says more of the
        # machine; of memory the peak, because it must fit.
        return self.ratio.median <= MOST_RATIO and self.peak_mb <= MOST_MEGABYTES

    def line(self) -> str:
        """A line of the table."""
        cells = [f"{self.market.layout:<9}{self.market.rows:>10,}"]
        unit = Spread(tuple(r.unit for r in self.rounds))
        run = Spread(tuple(r.run.seconds for r in self.rounds))
        baseline = Spread(tuple(r.baseline.seconds for r in self.rounds))
        cells += [f"  {spread!s:>22}" for spread in (unit, run, baseline, self.ratio)]
        return "".join([*cells, f"{self.peak_mb:>9.0f}", "" if self.within_limits else "   TOO MUCH"])


HEADER = (
    f"{'layout':<9}{'rows':>10}  {'count(*) s':>22}  {'run s':>22}  {'baseline s':>22}  "
    f"{'baseline / run':>22}{'peak MB':>9}"
)


def counting(built: Built) -> float:
    """The unit: seconds to count both large tables, one after the other."""
    with built.server.session(built.market.database) as cursor:
        start = time.perf_counter()
        for table in LARGE:
            cursor.execute(f"SELECT count(*) FROM {table}")
        return time.perf_counter() - start


def one_round(built: Built, swapped: bool) -> Round:
    """Each once; ``swapped`` puts ``baseline`` before ``run``, so that neither always profits from the
    other.
    """
    with tempfile.TemporaryDirectory() as folder:
        place, env = Path(folder), environment(built)
        command = ["-m", "kisaan_validate"]
        words = {
            "run": [*command, "run", "--quiet", "--suite", str(SUITE)],
            "baseline": [*command, "baseline", "--quiet", "--suite", str(SUITE), "-o", "baseline.json"],
        }
        unit = counting(built)
        # The planted violations make a run fail: 1 is what it must say.
        expect = {"run": (1,), "baseline": (0,)}
        done = {
            # The order changes from round to round, so that caches favour neither.
            name: child(words[name], env, place, expect[name])
            for name in sorted(words, reverse=not swapped)
        }
    return Round(unit, done["run"], done["baseline"])


def measure(built: Built, rounds: int) -> Measured:
    """``rounds`` rounds, after one that fills the caches."""
    # Not counted: the first round reads from disk what all later ones find in memory.
    one_round(built, swapped=False)
    return Measured(built.market, tuple(one_round(built, swapped=n % 2 == 1) for n in range(rounds)))


def main() -> int:
    """Measure every layout, print the table, judge it."""
    options = parser_of(__doc__, 5).parse_args()
    measured = []
    for built in each_market(options):
        measured.append(measure(built, options.rounds))
    print(
        f"\nmedian (min to max) of {options.rounds} rounds\n{HEADER}", *(m.line() for m in measured), sep="\n"
    )
    print(f"\nlimits: baseline / run {MOST_RATIO}, peak {MOST_MEGABYTES} MB")
    return 0 if all(m.within_limits for m in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
