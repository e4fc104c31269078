"""What the pages over all runs cost: ``make bench-index``, or ``python benchmarks/index.py --runs 2000``.

Records that many runs of a suite of 100 checks on three databases, one each three hours, and measures: the
first index (every run is read), the index after one more run (one is read), index.html in bytes, and its
first paint in Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
# The runs are made by the tests' own builders, which lie beside the package.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import Browser, chromium  # noqa: E402
from index_cases import run_number  # noqa: E402

from kisaan_validate.cli.runs_index import AFTER_A_RUN, update_index  # noqa: E402
from kisaan_validate.facts.run import Run  # noqa: E402
from kisaan_validate.record.codec import run_to_json  # noqa: E402

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    wanted = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="kisaan-index-") as folder:
        reports = Path(folder)
        start = datetime(2025, 1, 1, tzinfo=UTC)
        for number in range(wanted):
            _record(reports, run_number(number, start + timedelta(hours=3 * number), checks=100))
        print(f"{wanted:,} runs, run.json {_size(next(reports.glob('*/run.json')))} each")
        print(f"first index, every run read          {_seconds(lambda: update_index(reports)):8.3f} s")
        later = []
        # Five, because one index takes so short that a single measurement is noise.
        for more in range(5):
            number = wanted + more
            _record(reports, run_number(number, start + timedelta(hours=3 * number), checks=100))
            later.append(_seconds(lambda: update_index(reports, seconds=AFTER_A_RUN)))
        print(
            f"index after one more run, median of 5 {median(later):7.3f} s (least {min(later):.3f}, most "
            f"{max(later):.3f})"
        )
        print(
            f"index.html {_size(reports / 'index.html')}, the file beside it "
            f"{_size(reports / '.kisaan-index.json')}, "
            f"{len(list(reports.glob('index-*.html')))} pages of months, the largest "
            f"{max((_size(p) for p in reports.glob('index-*.html')), default='none')}"
        )
        with chromium() as browser:
            paints = [_paint(browser, reports / "index.html") for _ in range(5)]
        print(
            f"first paint of index.html, median of 5 {median(paints):6.0f} ms (least {min(paints):.0f}, "
            f"most {max(paints):.0f})"
        )


def _record(reports: Path, run: Run) -> None:
    place = reports / run.id
    place.mkdir()
    (place / "run.json").write_text(run_to_json(replace(run)), encoding="utf-8")
    # The index only has to find a page, not to read it.
    (place / "report.html").write_text("<!doctype html>", encoding="utf-8")


def _seconds(work: object) -> float:
    begin = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begin


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1_000:,.0f} kB"


def _paint(browser: Browser, page: Path) -> float:
    browser.open(page)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if browser.ask("performance.getEntriesByName('first-contentful-paint').length"):
            return float(browser.ask(PAINT))
        time.sleep(0.02)
    raise AssertionError("nothing was painted")


if __name__ == "__main__":
    main()
