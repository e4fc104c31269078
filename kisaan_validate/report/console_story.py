"""The demonstration and the list of checks, shown on the console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.compare.tables import row_counts
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.check import Check
from kisaan_validate.report.shown import Shown as Text

if TYPE_CHECKING:
    from kisaan_validate.ops.demo.story import DemoStory

from kisaan_validate.report.console import answer_lines, verdict_line
from kisaan_validate.report.console_parts import new_console, print_table, rows_shown


def print_checks(checks: Sequence[Check], total: int) -> None:
    """The declared checks: id, severity, what must hold."""
    console = new_console()
    rows = [(check.id, check.severity.value, check.claim) for check in checks]
    print_table(console, ("check", "severity", "what must hold"), rows)
    console.print(f"{len(checks):,} of {total:,} checks")


def print_story(story: DemoStory, page: Path, *, clean: bool) -> None:
    """What the migration of the demonstration fixed, left and broke, and whether all that was planted was
    found.
    """
    console, judged = new_console(), story.judged
    for line in answer_lines(judged):
        console.print(line, soft_wrap=True)
    counts = row_counts(story.before, baseline_of(story.after))
    moved = [
        # c.delta is None where unknown: neither moved nor the same, so it is in neither number.
        f"{c.table} {rows_shown(c.before)} → {rows_shown(c.after)} ({c.delta:+,})"
        for c in counts
        if c.delta
    ]
    if stopped := story.migrated.stopped:
        more = f"{story.migrated.applied:,} files applied; no later file ran, and the service keeps running"
        console.print(Text(f"runner  stopped at {stopped}: {story.migrated.reason}; {more}"), soft_wrap=True)
    console.print(
        "rows    "
        f"{'; '.join([*moved, f'{sum(c.delta == 0 for c in counts):,} tables with the same number of rows'])}"
    )
    if not clean:
        for state, word in (("fixed", "fixed"), ("left", "left"), ("introduced", "broke")):
            faults = [fault for fault in story.faults if fault["after_migration"] == state]
            told = [fault["story"] for fault in faults if fault.get("told")]
            if not faults:
                continue
            for number, sentence in enumerate(told):
                console.print(Text(f"{'' if number else word:<8}{sentence}"))
            console.print(f"        … and {len(faults) - len(told):,} more")
    console.print(verdict_line(judged))
    for title, ids in (("missed", story.missed), ("not planted", story.invented)):
        for id, count in ids.items():
            console.print(Text(f"{title}: {id} ({count:,})", style="bold red"))
    for step, came_to in story.unlike.items():
        console.print(Text(f"unlike the manifest: {step} came to {came_to}", style="bold red"))
    if story.proved:
        found = (
            f"all {len(story.faults):,} planted faults were found, or seen fixed, with exact counts, "
            "and nothing else"
        )
        console.print(f"proof   {'nothing found after a clean migration' if clean else found}")
    console.print(Text(f"report  {page}"), soft_wrap=True)
