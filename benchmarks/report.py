"""Size, rendering time and first paint of the page: ``make bench-report``.

3,000 checks, 50 of them failing with 20 keys each; claims, reasons, hints, owners, tags and SQL are those
of the sample run (the KisaanCenter suite), each made a text of its own by a number, so that nothing can be
saved by repetition. Beside a baseline and a contract, as on the night of a migration. Then 11,500 checks of
400 tables: the sample's twenty over and over, under names of their own, with the suite's prose.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kisaan_validate.cli.report_command import judged_again  # noqa: E402
from kisaan_validate.facts.baseline import baseline_of  # noqa: E402
from kisaan_validate.facts.check import Check, Form  # noqa: E402
from kisaan_validate.facts.result import Evidence, Result, Status  # noqa: E402
from kisaan_validate.facts.table import TableFacts  # noqa: E402
from kisaan_validate.report.html import render_html  # noqa: E402
from kisaan_validate.verdict.judgement import Judgement, judge  # noqa: E402

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def large(checks: int = 3000, failing: int = 50, keys: int = 20, shared: bool = False) -> Judgement:
    """A run of so many checks, of which so many fail with so many keys; prose and SQL of the sample.

    ``shared`` leaves the prose as it is in the suite, where many checks have the same.
    """
    sample = judged_again(ROOT / "reports" / "sample" / "run.json")
    results = {r.check_id: r for r in sample.run.results}
    made = [
        _one(_turned(c, n // len(sample.run.checks)), results[c.id], n, n < failing, keys, shared)
        for n, c in _numbered(sample.run.checks, checks)
    ]
    statements = [
        s
        for n in range(checks * len(sample.run.statements) // len(sample.run.checks))
        for s in sample.run.statements[n % len(sample.run.statements) :][:1]
    ]
    run = replace(
        sample.run,
        checks=tuple(c for c, _ in made),
        results=tuple(r for _, r in made),
        statements=tuple(statements),
        suite=replace(sample.run.suite, total_checks=checks),
        criteria=(),
    )
    before = replace(
        run,
        results=tuple(
            replace(r, status=Status.PASS, violations=0, sample=()) if r.status is Status.FAIL else r
            for r in run.results
        ),
    )
    assert sample.baseline is not None
    frozen = baseline_of(before)
    return judge(run, replace(sample.baseline, checks=frozen.checks), sample.contract)


def wide(turns: int = 20, checks: int = 575) -> Judgement:
    """A run over so many times the tables of the sample, with so many checks for each time."""
    sample = judged_again(ROOT / "reports" / "sample" / "run.json")
    run, before = sample.run, sample.baseline
    assert before is not None
    titles = {table.title for table in run.tables}
    results = {result.check_id: result for result in run.results}
    own = [check for check in run.checks if check.table in titles][:checks]
    names = re.compile(rf"\b({'|'.join(sorted(titles, key=len, reverse=True))})\b")

    def turned(text: str, turn: int) -> str:
        return names.sub(rf"\g<1>_{turn:02}", text) if turn else text

    def check_of(check: Check, turn: int) -> Check:
        said = {name: turned(getattr(check, name), turn) for name in ("id", "table", "claim")}
        return replace(check, **said, applies=tuple(turned(text, turn) for text in check.applies))

    def result_of(result: Result, turn: int) -> Result:
        made = replace(result, check_id=turned(result.check_id, turn), sql=turned(result.sql, turn))
        if not turn or result.status is not Status.FAIL:
            return made
        return replace(made, status=Status.PASS, violations=0, sample=(), key_digest="", message="")

    def tables_of(found: tuple[TableFacts, ...]) -> tuple[TableFacts, ...]:
        return tuple(replace(t, name=turned(t.name, turn)) for turn in range(turns) for t in found)

    coverage = tuple(replace(c, table=turned(c.table, turn)) for turn in range(turns) for c in run.coverage)
    made = replace(
        run,
        checks=tuple(check_of(check, turn) for turn in range(turns) for check in own),
        results=tuple(result_of(results[check.id], turn) for turn in range(turns) for check in own),
        tables=tables_of(run.tables),
        coverage=coverage,
        statements=run.statements * turns,
        suite=replace(run.suite, total_checks=turns * len(own)),
        criteria=(),
    )
    # Only the sample's own tables were migrated.
    old = (*before.tables, *(table for table in made.tables if table.title not in titles))
    frozen = baseline_of(replace(made, tables=old))
    return judge(made, replace(before, tables=frozen.tables, checks=frozen.checks), sample.contract)


def _numbered(checks: Sequence[Check], wanted: int) -> list[tuple[int, Check]]:
    return [(n, checks[n % len(checks)]) for n in range(wanted)]


def _turned(check: Check, turn: int) -> Check:
    # The sample's checks are repeated, and each turn gets ids of its own.
    return replace(check, id=f"{check.id}.{turn}") if turn else check


def _one(check: Check, result: Result, n: int, fails: bool, keys: int, shared: bool) -> tuple[Check, Result]:
    mark = "" if shared else f" ({n})"
    made = replace(
        check, why=check.why + mark, hint=check.hint + mark, form=Form.ROW if fails else check.form
    )
    # Some checks have no SQL of rows, and the page must have as much text for each.
    sql = (
        result.sql
        or f"SELECT id, {', '.join(check.columns) or 'name'}\nFROM "
        f"public.{check.table or 'kisaan_users'}\nWHERE NOT (id > 0)"
    )
    if not fails:
        if result.status is Status.FAIL:
            result = replace(result, status=Status.PASS, violations=0, sample=(), key_digest="", message="")
        return made, replace(result, check_id=check.id)
    rows = tuple(
        (("id", str(1_000_000 + k)), ("amount", "-1234.56"), ("created_at", "2025-10-18 20:30:00.123456+00"))
        for k in range(keys)
    )
    return made, Result(
        check.id,
        Status.FAIL,
        41_233,
        300_000,
        Evidence.SCANNED,
        sample=rows,
        key=("id",),
        key_digest="e" * 64,
        sql=sql,
        milliseconds=12.5,
    )


def main() -> None:
    """Print what was measured."""
    from browser import chromium

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--checks", type=int, default=3000)
    options.add_argument("--times", type=int, default=5)
    given = options.parse_args()
    # Shared prose is how a real suite looks; prose of its own for each check is the worst case.
    runs = {
        f"{given.checks:,} checks, 50 failing with 20 keys each, prose as often shared as in the suite": (
            large(given.checks, shared=True)
        ),
        f"{given.checks:,} checks, every check with prose of its own": large(given.checks),
        "11,500 checks of 400 tables": wide(),
    }
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for name, judged in runs.items():
            start = time.perf_counter()
            text = render_html(judged)
            took = time.perf_counter() - start
            page = Path(folder) / "report.html"
            page.write_text(text, encoding="utf-8")
            painted = []
            for _ in range(given.times):
                browser.open(page)
                painted.append(browser.ask(PAINTED))
            print(f"{name}:")
            print(f"  size         {len(text.encode()):,} bytes")
            print(f"  rendering    {took:.2f} s")
            print(
                f"  first paint  {statistics.median(painted):.0f} ms (median of {given.times}, worst "
                f"{max(painted):.0f} ms)"
            )


if __name__ == "__main__":
    main()
