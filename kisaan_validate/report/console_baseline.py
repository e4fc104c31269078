"""A baseline, shown on the console."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from kisaan_validate.compare.changes import lacking, rows_not_kept
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import catalogue_of, rows_of
from kisaan_validate.facts.result import Status
from kisaan_validate.report.profile_gaps import profile_gaps
from kisaan_validate.report.shown import Shown as Text
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.facts.table import Profile

from kisaan_validate.report.console_parts import cell, new_console, new_table


def print_baseline(baseline: Baseline, path: Path, *, quiet: bool) -> None:
    """What was frozen, and what could not be read."""
    console = new_console()
    known = [t for t in baseline.tables if t.rows is not None]
    rows = sum(t.rows or 0 for t in known)
    if not quiet:
        console.print(
            f"rows    {rows:,} in {len(known):,} tables, {len(baseline.checks):,} checks, at "
            f"{baseline.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        for line in _gaps(baseline):
            console.print(Text(line, style="bold yellow"))
        for line in profile_gaps(baseline.tables):
            console.print(Text(f"profile {line}", style="yellow"), soft_wrap=True)
        for line in _beside(baseline):
            console.print(Text(line), soft_wrap=True)
    console.print(Text(f"baseline  {path}"), soft_wrap=True)


def _beside(baseline: Baseline) -> list[str]:
    """The files that belong to it, and must stay beside it."""
    return [
        f"and     {file.name}, {file.size:,} bytes"
        for file in (baseline.row_file, baseline.value_file)
        if file is not None
    ]


def gap_lines(baseline: Baseline) -> list[str]:
    """What it lacks, one line each; none for a complete one."""
    lines = [f"not counted: {t.title}: {t.reason}" for t in baseline.tables if t.rows is None]
    lines += [f"not read: {what}: {reason}" for what, reason in baseline.unread.items()]
    lines += [f"not measured: {m.id}: {m.message}" for m in baseline.measured if m.message]
    said = {rows_of(t.title) for t in baseline.tables if t.rows is None}
    said |= {catalogue_of(what) for what in baseline.unread}
    # A table that was not counted already has its line with the reason.
    lines += [f"not known: {item.what}: {item.reason}" for item in lacking(baseline) if item.what not in said]
    return [*lines, *(notice.message for notice in rows_not_kept(baseline))]


def _gaps(baseline: Baseline) -> list[str]:
    """What it lacks, and what to do about it."""
    lines = gap_lines(baseline)
    hint = (
        "HINT: what is missing here cannot be compared later: fix it and take the baseline again, or "
        "compare live databases with kisaan-validate diff"
    )
    # Keyed values are an extra: without them the baseline is complete, so no hint asks to take it again.
    few = [f"not compared later: {k.table}.{k.column}: {k.message}" for k in baseline.keyed if k.message]
    return [*lines, hint, *few] if lines else few


def show_baseline(baseline: Baseline, *, verbose: bool) -> None:
    """A baseline as people read it."""
    console, place = new_console(), baseline.place
    console.print(
        Text(f"baseline of {place.database} on {place.host}:{place.port}, as {place.role}, {baseline.id}")
    )
    # A standby may have no log position: pg_last_wal_replay_lsn() can be NULL.
    console.print(
        Text(
            f"taken   {baseline.taken_at:%Y-%m-%d %H:%M:%S} UTC, snapshot {place.snapshot}, log position "
            f"{place.lsn or 'not known'}"
        )
    )
    console.print(
        Text(
            f"suite   {baseline.suite.name}, {len(baseline.checks):,} checks, digest "
            f"{baseline.suite.digest[:16]}"
        )
    )
    contract = f"contract {baseline.contract_digest[:16]}" if baseline.contract_digest else "no contract"
    console.print(Text(f"kept    for {contract}"))
    _print_tables(console, baseline, verbose)
    failing = [c for c in baseline.checks if c.status is Status.FAIL]
    table = new_table("failing", "severity", "violations")
    for check in failing:
        table.add_row(
            Text(check.id),
            Text(check.severity.value),
            Text("–" if check.violations is None else f"{check.violations:,}"),
        )
    if failing:
        console.print(table)
    console.print(
        f"checks  "
        f"{', '.join(f'{n:,} {s.value}' for s, n in Counter(c.status for c in baseline.checks).items())}"
    )
    kinds = Counter(item.kind for item in baseline.objects)
    console.print(Text(f"schema  {', '.join(counted(n, kind) for kind, n in sorted(kinds.items()))}"))
    console.print(Text(f"sequences (outside the snapshot)  {len(baseline.sequences):,}"))
    for line in (*_beside(baseline), *_gaps(baseline)):
        console.print(Text(line, style="" if line.startswith("and ") else "bold yellow"))


def _figures(profile: Profile | None) -> tuple[str, ...]:
    """NULLs, smallest, largest, sum."""
    if profile is None:
        return ("not measured",)
    nulls = "–" if profile.nulls is None else f"{profile.nulls:,}"
    # Only the number of NULLs of a personal column is no personal value.
    if profile.personal:
        return (nulls, "personal")
    return (nulls, cell(profile.minimum), cell(profile.maximum), cell(profile.total))


def _print_tables(console: Console, baseline: Baseline, verbose: bool) -> None:
    table = (
        new_table("table", "rows", "column", "type", "NULLs", "smallest", "largest", "sum")
        if verbose
        else new_table("table", "rows", "columns")
    )
    for facts in baseline.tables:
        rows = "not known" if facts.rows is None else f"{facts.rows:,}"
        if not verbose:
            table.add_row(Text(facts.title), rows, f"{len(facts.columns):,}")
            continue
        for number, column in enumerate(facts.columns):
            figures = _figures(column.profile)
            head = ("", "") if number else (facts.title, rows)
            table.add_row(*(Text(text) for text in (*head, column.name, column.type, *figures)))
    console.print(table)
