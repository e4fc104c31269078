"""What the history costs: ``make bench-history``, or ``python benchmarks/history.py --runs 2000``.

Records that many nights of a suite of 100 checks on one database, and measures the first index (every run is
read), ``history`` as a command of its own, the index after one more run, and how long one more run takes to
learn what it remembers. Limits: ``history`` 1 s, one more run 0.5 s; exit 1 beyond.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
# The runs are made by the tests' own builders, which lie beside the package.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from index_cases import run_number  # noqa: E402

from kisaan_validate.cli.history_index import the_history  # noqa: E402
from kisaan_validate.cli.last_run import remembering  # noqa: E402
from kisaan_validate.facts.run import Provenance, Run  # noqa: E402
from kisaan_validate.ops.config import Config  # noqa: E402
from kisaan_validate.record.codec import digest_of, run_to_json  # noqa: E402
from kisaan_validate.signoff.chain import linked  # noqa: E402
from kisaan_validate.verdict.judgement import judge  # noqa: E402

LIST_LIMIT, MORE_LIMIT = 1.0, 0.5
START = datetime(2020, 1, 1, 2, tzinfo=UTC)


def main() -> int:
    """Measure and print; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    wanted = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="kisaan-history-") as folder:
        config = Config(reports=Path(folder))
        _record_all(config.reports, wanted)
        size = next(config.reports.glob("*/run.json")).stat().st_size / 1_000
        print(f"{wanted:,} nights of 100 checks, run.json {size:,.0f} kB each")
        print(f"first index, every run read             {_seconds(lambda: _up(config)):8.3f} s")
        listed = [_seconds(lambda: _list(config)) for _ in range(5)]
        more, learned = [], []
        # Five, because one takes so short that a single measurement is noise.
        for number in range(wanted, wanted + 5):
            learned.append(_record(config, number))
            more.append(_seconds(lambda: _up(config)))
        _say("history, a process of its own", listed, LIST_LIMIT)
        _say("index after one more run", more, MORE_LIMIT)
        _say("what one more run remembers", learned, MORE_LIMIT)
    return int(median(listed) > LIST_LIMIT or median(more) > MORE_LIMIT)


def _say(what: str, times: list[float], limit: float) -> None:
    ends = f"least {min(times):.3f}, most {max(times):.3f}"
    print(f"{what + ', median of 5':<40}{median(times):8.3f} s ({ends}; limit {limit} s)")


def _record_all(reports: Path, wanted: int) -> None:
    """Record so many nights, one after the other, without what each remembers."""
    before = Provenance()
    for number in range(wanted):
        run = replace(_night(number), provenance=before)
        text = run_to_json(run)
        (reports / run.id).mkdir()
        (reports / run.id / "run.json").write_text(text, encoding="utf-8")
        before = Provenance(previous_run=run.id, previous_digest=digest_of(text))
    head = {"id": before.previous_run, "sha256": before.previous_digest}
    (reports / ".chain").write_text(json.dumps(head))


def _record(config: Config, number: int) -> float:
    """Record a night; the seconds that it took to find and read the one before it."""
    with linked(_night(number), config.reports) as run:
        judged = judge(run)
        begin = time.perf_counter()
        judged = remembering(config, since_last=True)(judged)
        took = time.perf_counter() - begin
        place = config.reports / run.id
        place.mkdir()
        (place / "run.json").write_text(run_to_json(judged.run), encoding="utf-8")
    return took


def _night(number: int) -> Run:
    made = run_number(3 * number, START + timedelta(days=number), checks=100, errors=int(number % 20 == 19))
    checks = tuple(replace(check, digest=f"{n:064x}") for n, check in enumerate(made.checks))
    return replace(made, checks=checks)


def _up(config: Config) -> None:
    with the_history(config):
        pass


def _list(config: Config) -> None:
    words = [sys.executable, "-m", "kisaan_validate", "history", "--reports", str(config.reports)]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
