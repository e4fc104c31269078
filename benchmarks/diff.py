"""What an exact comparison of two large tables costs: beside counting them, beside reladiff, and against a
baseline file.

    python benchmarks/diff.py [--rows 5000000] [--layout ordered] [--rounds 3] [--keep FOLDER]
    [--without-rival] [--without-baseline] [--server embedded]

Two databases hold a table of 12 columns before and after a migration: wider types, 250 rows changed, 100
lost, 50 gained (``diff.sql``, ``migrated.sql``). All ways take turns in every round; ratios are of one
round, the unit is ``SELECT count(*)`` of both sides. Beside them stands a chain of 64-bit hashes as people
write it by hand, which is not faithful. Each way must find exactly what was planted. Memory is that of the
client process and its children together, shared pages counted once (PSS). reladiff is installed into a
throw-away environment; where it cannot be, that is said. Exit code 1 if an answer is wrong or a limit is
exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from market import FEWEST_ROWS
from measure import Spread
from server import VERSIONS, Server, serving, versions
from table import note

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LAYOUTS = ("ordered", "shuffled", "uuid", "texts")
PLANTED = {"changed": 250, "removed": 100, "added": 50}
RIVAL = "reladiff==0.6.0"
# Limits, so that a change that slows the comparison down fails here.
MOST_CHAINS, LEAST_FASTER, MOST_MEGABYTES, MOST_BASELINES = 2, 3, 100, 1.5
COUNT, OURS, THEIRS, STORE, AGAINST = "count(*)", "diff", "reladiff", "baseline --digests", "run against it"
PLAIN, CHAIN, HALF = "baseline", "64-bit chain by hand", "the chain of one side"
BY_HAND = {COUNT, CHAIN, HALF}

_INTEGER, _NUMBER = ("hashint8extended", "int8", "0"), ("hash_numeric_extended", "numeric", "0")
_TEXT, _TIME = ("hashtextextended", "text", "''"), ("timestamp_hash_extended", "timestamp", "'epoch'")
CHAINED = {
    "transaction_id": _INTEGER,
    "shop_id": _INTEGER,
    "counterparty_id": _INTEGER,
    "amount": _NUMBER,
    "fee": _NUMBER,
    "method": _TEXT,
    "status": _TEXT,
    "notes": _TEXT,
    "payment_date": _TIME,
    "created_at": _TIME,
    "updated_at": _TIME,
}
"""What is often written by hand: each column's hash is the seed of the next. It confuses 500 with -500, -1
with 4294967295, NULL with 0: no way to compare money, but a measure of what hashing in PostgreSQL costs at
the least."""


@dataclass(frozen=True)
class Pair:
    """Two databases on a running server: before and after."""

    server: Server
    layout: str
    rows: int

    @property
    def names(self) -> tuple[str, str]:
        """The names of the databases."""
        return (f"diff_{self.layout}_{self.rows}_old", f"diff_{self.layout}_{self.rows}_new")

    @property
    def dsns(self) -> tuple[str, str]:
        """How they are reached."""
        old, new = self.names
        return (self.server.dsn(old), self.server.dsn(new))


def build(pair: Pair) -> None:
    """Both databases: found as they should be, or built under the name and marked when they are complete."""
    old, new = pair.names
    texts = [(HERE / name).read_text(encoding="utf-8") for name in ("diff.sql", "migrated.sql")]
    # A kept database is used only if both sources are those that it was built from.
    digest = hashlib.sha256("".join(texts).encode()).hexdigest()
    known = (
        f"SELECT count(*) FROM pg_database WHERE datname IN ('{old}', '{new}') AND "
        f"shobj_description(oid, 'pg_database') = '{digest}'"
    )
    if pair.server.sql(known) == [(2,)]:
        return
    for name in pair.names:
        pair.server.sql(f"DROP DATABASE IF EXISTS {name}")
    pair.server.sql(f"CREATE DATABASE {old} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    _fill(pair, old, texts[0])
    # A copy of the files, so that both sides lie on disk alike.
    pair.server.sql(f"CREATE DATABASE {new} TEMPLATE {old} STRATEGY file_copy")
    _fill(pair, new, texts[1])
    # Marked last: a database that was left half built is not taken for a whole one.
    for name in pair.names:
        pair.server.sql(f"COMMENT ON DATABASE {name} IS '{digest}'")


def _fill(pair: Pair, database: str, text: str) -> None:
    with pair.server.session(database) as cursor:
        cursor.execute("SELECT set_config('diff.rows', %s, false)", (str(pair.rows),))
        cursor.execute("SELECT set_config('diff.layout', %s, false)", (pair.layout,))
        cursor.execute(text)
        # Frozen and analysed, both sides cost the same in every round.
        cursor.execute("VACUUM (FREEZE, ANALYZE)")
        cursor.execute("CHECKPOINT")


@dataclass(frozen=True)
class Reading:
    """One way, once: whole wall time in seconds, the most memory in MB of 10^6 bytes, and what it found."""

    seconds: float
    peak_mb: float = 0.0
    found: dict[str, int] | None = None


def watched(
    words: Sequence[str], folder: Path, expect: Sequence[int], quiet: bool = True
) -> tuple[float, float, str]:
    """(seconds, MB, standard output) of a child process. Raises SystemExit with its output for another
    exit code.
    """
    # This checkout, whatever is installed.
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=said, text=True)
        peak, ended = [0.0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peak, ended))
        watcher.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - start
        ended.set()
        watcher.join()
        if process.returncode not in expect:
            said.seek(0)
            raise SystemExit(
                f"error: {' '.join(words)}: exit code "
                f"{process.returncode}\n{output[-1000:]}{said.read().decode()[-2000:]}"
            )
    return seconds, peak[0], output


def _watch(pid: int, peak: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.1):
        total = 0
        try:
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return
        # PSS counts a shared page once, spread over its sharers; RSS would count it for each.
        for member in family:
            try:
                total += member.memory_full_info().pss
            # A process may end between the listing and the look.
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total / 1e6)


@dataclass(frozen=True)
class Bench:
    """The ways over one pair. ``rival`` is the interpreter that has reladiff, None where it could not be
    installed.
    """

    pair: Pair
    folder: Path
    rival: Path | None
    baselines: bool = True

    @property
    def ways(self) -> dict[str, Callable[[], Reading]]:
        """Each way by its name, in the order in which they take turns."""
        found = {COUNT: self.count, CHAIN: self.chain, OURS: self.ours}
        if self.baselines:
            found |= {HALF: self.half, PLAIN: self.plain, STORE: self.store, AGAINST: self.against}
        return {**found, THEIRS: self.theirs} if self.rival is not None else found

    def count(self) -> Reading:
        """The unit: both sides counted, one after the other; the median of five, for it is short and so
        the least steady.
        """
        taken = []
        for _ in range(5):
            start = time.perf_counter()
            for name in self.pair.names:
                self.pair.server.sql("SELECT count(*) FROM payments", name)
            taken.append(time.perf_counter() - start)
        return Reading(statistics.median(taken))

    def chain(self) -> Reading:
        """A digest that is not faithful, of half the bits, summed per bucket on both sides at once;
        nothing is opened.
        """
        return self._chain(self.pair.names)

    def half(self) -> Reading:
        """The same of the old side alone, as a baseline reads it."""
        return self._chain(self.pair.names[:1])

    def _chain(self, databases: Sequence[str]) -> Reading:
        digest, uuid = "2611923443488327891", self.pair.layout == "uuid"
        for column, (function, cast, empty) in CHAINED.items():
            digest = f"{function}(coalesce({column}::{cast}, {empty}), {digest})"
        digest = f"uuid_hash_extended(id, {digest})" if uuid else f"hashint8extended(id::int8, {digest})"
        # Kept from being pulled up: grouped by the expression itself, PostgreSQL would expect as many groups
        # as rows.
        bucket = "(uuid_hash_extended(id, 1) & 32767)::int4" if uuid else "(id / 256)::int4"
        inner = f"SELECT {bucket} AS bucket, {digest} AS digest FROM payments OFFSET '0'"
        sql = f"SELECT bucket, count(*), sum(digest) FROM ({inner}) AS s GROUP BY 1"
        start = time.perf_counter()
        threads = [threading.Thread(target=self.pair.server.sql, args=(sql, name)) for name in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Reading(time.perf_counter() - start)

    def ours(self) -> Reading:
        """``kisaan-validate diff`` of the two databases."""
        before, after = self.pair.dsns
        words = [sys.executable, "-m", "kisaan_validate", "diff", "--before", before, "--after", after]
        words += ["--zone", "UTC", "--format", "json", "-o", "diff.json"]
        # 1 means "differs", which is what was planted; any other code is a failure.
        seconds, peak, _ = watched(words, self.folder, (1,))
        (table,) = json.loads((self.folder / "diff.json").read_text(encoding="utf-8"))["tables"]
        return Reading(seconds, peak, {kind: table[kind] for kind in PLANTED})

    def theirs(self) -> Reading:
        """reladiff, with two threads, over all columns."""
        columns = self.pair.server.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attnum > 1",
            self.pair.names[0],
        )
        words = [
            str(self.rival),
            str(HERE / "rival_diff.py"),
            self.pair.server.host,
            self.pair.server.port,
            # attnum > 1: the key is named on its own.
            *self.pair.names,
        ]
        seconds, peak, said = watched([*words, *(name for (name,) in columns)], self.folder, (0,))
        found: dict[str, Any] = json.loads(said)
        return Reading(seconds, peak, {kind: found[kind] for kind in PLANTED})

    def plain(self) -> Reading:
        """A baseline of the old side without digests, for comparison."""
        return self._baseline("plain.json")

    def store(self) -> Reading:
        """A baseline of the old side with digests of buckets and columns."""
        return self._baseline("digests.json", "--digests")

    def _baseline(self, file: str, *more: str) -> Reading:
        words = [
            sys.executable,
            "-m",
            "kisaan_validate",
            "baseline",
            "--quiet",
            "--suite",
            "suite",
            "--force",
            "-o",
            file,
            *more,
        ]
        seconds, peak, _ = watched([*words, "--dsn", self.pair.dsns[0]], self.folder, (0,))
        return Reading(seconds, peak)

    def against(self) -> Reading:
        """The new side compared with that baseline."""
        words = [
            sys.executable,
            "-m",
            "kisaan_validate",
            "run",
            "--quiet",
            "--suite",
            "suite",
            "--baseline",
            "digests.json",
        ]
        seconds, peak, _ = watched(
            [*words, "--other-database", "--dsn", self.pair.dsns[1]], self.folder, (0, 1, 3)
        )
        return Reading(seconds, peak)


@contextmanager
def rival(wanted: bool) -> Iterator[Path | None]:
    """An interpreter with reladiff in a throw-away environment; None, with a word about it, if it cannot
    be installed.
    """
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True)
        python = Path(folder) / "bin" / "python"
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            RIVAL,
            "psycopg2-binary",
        ]
        done = made.returncode == 0 and subprocess.run(install, capture_output=True).returncode == 0
        if not done:
            print(f"{RIVAL} could not be installed: compared without it")
        yield python if done else None


def measure(bench: Bench, rounds: int) -> dict[str, list[Reading]]:
    """``rounds`` rounds of every way, after one count that fills the caches."""
    bench.count()
    found: dict[str, list[Reading]] = {name: [] for name in bench.ways}
    for n in range(rounds):
        # In turn from both ends; the baseline must be stored before a run is measured against it.
        for name in bench.ways if n % 2 == 0 else reversed([w for w in bench.ways if w != STORE]):
            found[name].append(bench.ways[name]())
            print(f"  round {n + 1}: {name:<20}{found[name][-1].seconds:>8.2f} s", flush=True)
        if n % 2 and bench.baselines:
            found[STORE].append(bench.store())
    return found


def report(bench: Bench, found: dict[str, list[Reading]]) -> bool:
    """Print one layout's figures; whether every answer is right and all limits are kept."""
    pair = bench.pair
    print(f"\n{pair.layout}, {pair.rows:,} rows a side: median (min to max) of {len(found[COUNT])} rounds")
    units = [r.seconds for r in found[COUNT]]
    right = True
    for name, readings in found.items():
        ratio = Spread(tuple(r.seconds / unit for r, unit in zip(readings, units, strict=True)))
        answers = [r.found for r in readings if r.found is not None]
        wrong = [a for a in answers if a != PLANTED]
        # A rival's wrong answer is shown and is no failure of ours.
        right = right and (not wrong or name == THEIRS)
        said = f"   WRONG: {wrong[0]}" if wrong else "   as planted" if answers else ""
        seconds = Spread(tuple(r.seconds for r in readings))
        peak = " " * 10 if name in BY_HAND else f"{max(r.peak_mb for r in readings):>7.0f} MB"
        print(f"  {name:<20}{seconds!s:>24} s{ratio!s:>24} x count(*){peak}{said}")
    where = f"{pair.layout}, {pair.rows:,} rows a side, {pair.server.version}"
    note(where, "`diff`, × `count(*)` of both", _ratio(found, OURS, COUNT))
    if HALF in found:
        # Whatever digests a baseline keeps, it has to hash each row once.
        sums = Spread(tuple(1 + share for share in _ratio(found, HALF, PLAIN).values))
        note(where, "a baseline and a 64-bit chain by hand of its side, × baseline", sums)
        print(f"  {'a baseline and a chain, x baseline':<36}{sums!s:>24}")
    kept = [_limit(where, *limit) for limit in _limits(found)]
    return right and all(kept)


def _ratio(found: dict[str, list[Reading]], name: str, to: str) -> Spread:
    pairs = zip(found[name], found[to], strict=True)
    return Spread(tuple(one.seconds / other.seconds for one, other in pairs))


def _limits(found: dict[str, list[Reading]]) -> list[tuple[str, Spread, float]]:
    """What is bounded: (what, how much, at most)."""
    peak = max(r.peak_mb for r in found[OURS])
    limits = [
        ("`diff`, × 64-bit chain", _ratio(found, OURS, CHAIN), MOST_CHAINS),
        ("`diff`, client memory, MB", Spread((peak,)), MOST_MEGABYTES),
    ]
    if STORE in found:
        limits.append(("`baseline --digests`, × baseline", _ratio(found, STORE, PLAIN), MOST_BASELINES))
    if THEIRS in found:
        limits.append(("`diff`, × reladiff", _ratio(found, OURS, THEIRS), 1 / LEAST_FASTER))
    return limits


def _limit(where: str, what: str, found: Spread, most: float) -> bool:
    kept = found.median <= most
    note(where, what, found, f"{most:.2f}", kept=kept)
    print(f"  {what:<36}{found!s:>24}   at most {most:.2f}{'' if kept else '   MISSED'}")
    return kept


def _suite(folder: Path) -> None:
    """The least that can be a suite: baseline and run need one."""
    (folder / "suite").mkdir()
    (folder / "suite" / "suite.toml").write_text('name = "diff"\n', encoding="utf-8")
    check = 'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
    (folder / "suite" / "checks.py").write_text(check, encoding="utf-8")


def main() -> int:
    """Measure every layout, print the figures, judge them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=int, default=5_000_000, help="rows of each table (default %(default)s)"
    )
    parser.add_argument("--layout", choices=(*LAYOUTS, "all"), default="all", help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a data folder to build in once and use again"
    )
    parser.add_argument("--without-rival", action="store_true", help="do not compare with reladiff")
    parser.add_argument("--without-baseline", action="store_true", help="do not measure baselines")
    parser.add_argument(
        "--server", choices=(*VERSIONS, "both"), default="embedded", help="default %(default)s"
    )
    options = parser.parse_args()
    if options.rows < FEWEST_ROWS or options.rounds < 1:
        parser.error(f"at least {FEWEST_ROWS} rows and one round")
    good = True
    with rival(not options.without_rival) as python:
        for version in versions(options.server):
            with serving(options.keep, version) as server:
                for layout in LAYOUTS if options.layout == "all" else (options.layout,):
                    pair = Pair(server, layout, options.rows)
                    build(pair)
                    with tempfile.TemporaryDirectory() as folder:
                        _suite(Path(folder))
                        bench = Bench(pair, Path(folder), python, not options.without_baseline)
                        good = report(bench, measure(bench, options.rounds)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
