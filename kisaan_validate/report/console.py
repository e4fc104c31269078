"""What people see in a terminal: the target, a short table, the verdict, where the report is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kisaan_validate.changes import diff
from kisaan_validate.model import Baseline, Check, Diff, Result, Run, Severity, Status, Transition, Verdict

if TYPE_CHECKING:
    from kisaan_validate.demo import Story
    from kisaan_validate.runner import Connected

STYLES = {
    Status.PASS: "green", Status.TOLERATED: "cyan", Status.FAIL: "bold red", Status.ERROR: "bold yellow",
    Status.SKIP: "yellow", Status.NOT_APPLICABLE: "dim",
}  # fmt: skip
_ORDER = [Status.FAIL, Status.ERROR, Status.SKIP, Status.TOLERATED, Status.PASS, Status.NOT_APPLICABLE]
_VERDICT_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
_SEVERITIES = [Severity.BLOCKING, Severity.WARNING, Severity.INFO]
MOST_ROWS = 40
"""So many checks are listed unless --verbose asks for all; the report has them all."""


def target_line(place: Connected) -> str:
    """The first line of every run: which database, and where that was said."""
    return f"target  {place.role}@{place.host}:{place.port}/{place.database}  (from {place.source})"


def print_run(run: Run, baseline: Baseline | None, folder: Path | None, *, quiet: bool, verbose: bool) -> None:
    """The run as a short table: what needs attention, the verdict, and where the report is."""
    console = _console()
    changes = diff(baseline, run) if baseline is not None else None
    if not quiet:
        if changes is not None:
            _print_rows(console, changes)
        _print_attention(console, run, changes, verbose)
        for notice in run.notices:
            console.print(Text(f"note    {notice.message}", style="yellow"))
    console.print(_verdict_line(run))
    for line in _unproved_lines(run):
        console.print(Text(line))
    if folder is not None:
        console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)


def _console() -> Console:
    console = Console(highlight=False)
    # Without a terminal there is no width to respect: lines are for grep and mail.
    return console if console.is_terminal else Console(highlight=False, width=160)


def _verdict_line(run: Run) -> Text:
    counts = Counter(result.status for result in run.results)
    parts = [f"{counts[status]:,} {status.value.replace('_', ' ')}" for status in _ORDER if counts[status]]
    line = Text.assemble((f"{run.verdict.value:<12}", _VERDICT_STYLES[run.verdict]), f"  {', '.join(parts)}")
    if run.selection.partial:
        line.append(f"  PARTIAL: {len(run.checks):,} of {run.suite.total_checks:,} checks", style="bold yellow")
    return line


def _unproved_lines(run: Run) -> list[str]:
    lines = []
    blocking = [r for r in run.failures if run.by_id[r.check_id].severity is Severity.BLOCKING]
    unanswered = sum(r.status in {Status.ERROR, Status.SKIP} for r in run.results)
    if blocking:
        lines.append(f"        {len(blocking):,} blocking checks failed")
    if unanswered:
        lines.append(f"        {unanswered:,} checks have no answer: nothing is said about them")
    if run.interrupted:
        lines.append(f"        {run.interrupted}; what was measured before is kept")
    return lines


def _print_rows(console: Console, changes: Diff) -> None:
    table = _table("rows of", "before", "after", "delta")
    moved = [c for c in changes.rows if c.delta != 0]
    for change in moved:
        delta = "not known" if change.delta is None else f"{change.delta:+,}"
        table.add_row(Text(change.table), _number(change.before), _number(change.after), delta)
    for column in table.columns[1:]:
        column.justify = "right"
    if moved:
        console.print(table)
    console.print(f"rows    {changes.unchanged_tables:,} tables unchanged, {len(moved):,} changed or unknown")


def _number(text: str | None) -> str:
    return "–" if text is None else f"{int(text):,}"


def _print_attention(console: Console, run: Run, changes: Diff | None, verbose: bool) -> None:
    checks = run.by_id
    results = sorted(run.results, key=lambda r: (_ORDER.index(r.status), _SEVERITIES.index(checks[r.check_id].severity)))
    listed = [r for r in results if verbose or r.status not in {Status.PASS, Status.NOT_APPLICABLE}]
    shown = listed if verbose else listed[:MOST_ROWS]
    moves = {move.check_id: move for move in changes.moves} if changes is not None else {}
    table = _table("status", "severity", "check", "violations", *(["since baseline"] if moves else []), "what")
    for result in shown:
        check = checks[result.check_id]
        row = [Text(result.status.value, style=STYLES[result.status]), Text(check.severity.value), Text(check.id), _count(result)]
        if moves:
            row.append(Text(_move(moves[check.id].transition, moves[check.id].before)))
        table.add_row(*row, Text(_what(result, check)))
    if shown:
        console.print(table)
    if len(listed) > len(shown):
        console.print(f"        … and {len(listed) - len(shown):,} more; see the report, or pass --verbose")


def _move(transition: Transition, before: int | None) -> str:
    return transition.value if before is None else f"{transition.value} (was {before:,})"


def _what(result: Result, check: Check) -> str:
    return result.message or check.claim


def _count(result: Result) -> Text:
    if result.violations is None:
        return Text("–", justify="right")
    of = f" of {result.examined:,}" if result.examined is not None else ""
    return Text(f"{result.violations:,}{of}", justify="right")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in {"status", "severity", "violations"})
    return table


def print_baseline(baseline: Baseline, path: Path, *, quiet: bool) -> None:
    """What was frozen, and what could not be counted."""
    console = _console()
    known = [t for t in baseline.tables if t.rows is not None]
    rows = sum(t.rows or 0 for t in known)
    if not quiet:
        console.print(f"rows    {rows:,} in {len(known):,} tables, {len(baseline.checks):,} checks, at {baseline.taken_at:%Y-%m-%d %H:%M:%S} UTC")
        for table in baseline.tables:
            if table.rows is None:
                console.print(Text(f"not counted: {table.title}: {table.reason}", style="bold yellow"))
    console.print(Text(f"baseline  {path}"), soft_wrap=True)


def print_checks(checks: Sequence[Check], total: int) -> None:
    """The declared checks: id, severity, what must hold."""
    console = _console()
    table = _table("check", "severity", "what must hold")
    for check in checks:
        table.add_row(Text(check.id), Text(check.severity.value), Text(check.claim))
    console.print(table)
    console.print(f"{len(checks):,} of {total:,} checks")


def print_story(story: Story, folder: Path, *, clean: bool) -> None:
    """What the migration of the demonstration fixed, left and broke, and whether all that was planted was found."""
    console = _console()
    changes = diff(story.before, story.after)
    moved = [f"{c.table} {_number(c.before)} → {_number(c.after)} ({c.delta:+,})" for c in changes.rows if c.delta]
    console.print(f"rows    {'; '.join(moved)}; {changes.unchanged_tables:,} tables unchanged")
    if not clean:
        for state, word in (("fixed", "fixed"), ("left", "left"), ("introduced", "broke")):
            faults = [fault for fault in story.faults if fault["after_migration"] == state]
            told = [fault["story"] for fault in faults if fault.get("told")]
            for number, sentence in enumerate(told):
                console.print(Text(f"{'' if number else word:<8}{sentence}"))
            console.print(f"        … and {len(faults) - len(told):,} more")
    console.print(_verdict_line(story.after))
    for title, ids in (("missed", story.missed), ("not planted", story.invented)):
        for id, count in ids.items():
            console.print(Text(f"{title}: {id} ({count:,})", style="bold red"))
    if not story.missed and not story.invented:
        found = f"all {len(story.faults):,} faults of the manifest were found, or seen fixed, with exact counts, and nothing else"
        console.print(f"proof   {'nothing to find after a clean migration' if clean else found}")
    console.print(Text(f"report  {folder / 'report.html'}"), soft_wrap=True)
