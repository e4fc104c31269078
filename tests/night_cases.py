"""Folders of reports with many nights, recorded one after the other as runs are, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from index_cases import run_number

from kisaan_validate.cli.last_run import remembering
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.ops.config import Config
from kisaan_validate.record.codec import run_to_json
from kisaan_validate.signoff.chain import linked
from kisaan_validate.verdict.judgement import Judgement, judge

START = datetime(2026, 1, 5, 2, tzinfo=UTC)
"""A Monday."""


def night(
    number: int, *, failing: int = 0, keys: bool = False, at: datetime | None = None, **more: object
) -> Run:
    """Run of night ``number`` on one database; so many of its four checks fail, with keys of rows if asked."""
    made = run_number(3 * number, at or START + timedelta(days=number), failing=failing, errors=0, **more)  # type: ignore[arg-type]
    results = made.results
    if keys:
        sample = tuple((("id", str(n)),) for n in range(7))
        results = tuple(
            replace(r, sample=sample, key=("id",), sample_complete=True, key_digest="ab" * 32)
            if r.status is Status.FAIL else r for r in results
        )  # fmt: skip
    checks = tuple(replace(c, digest=f"{n:064x}") for n, c in enumerate(made.checks))
    return replace(made, results=results, checks=checks)


def record_night(reports: Path, run: Run, *, every: int = 0, since_last: bool = False) -> Judgement:
    """Record a run after the one before it, with what it remembers of it; as it was recorded."""
    config = Config(reports=reports, every_seconds=every)
    with linked(run, reports) as after:
        judged = remembering(config, since_last=since_last)(judge(after))
        # Without its page, which takes longer than all else.
        for name, text in (
            ("run.json", run_to_json(judged.run)),
            ("report.html", ""),
            ("suite/a.py", "x = 1\n"),
        ):
            path = reports / run.id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return judged
