"""A row-by-row comparison as people and programs read it. Everything shown comes from the nouns; nothing
is worked out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kisaan_validate.facts.differences import ADDED, REMOVED, Change
from kisaan_validate.facts.result import MASKED
from kisaan_validate.facts.row_differences import Kind, RowChange, RowDiff, TableDiff
from kisaan_validate.report.beside import not_compared_lines
from kisaan_validate.report.text import plain, shortened
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import alone, pair
from kisaan_validate.version import VERSION

FORMAT = "kisaan-validate/rowdiff"
FORMAT_VERSION = 2
"""1: the first. 2: ``not_compared``, and the verdict ``same in what was compared``. Readers refuse a
higher one.
"""

LONGEST = 60
"""Characters of a value that the console shows; the JSON has all of them."""

ALIKE = "printed alike, but not equal"
"""What is said of two values whose texts are the same, though their canonical forms are not."""


def verdict_of(diff: RowDiff) -> str:
    """``different``, ``cannot tell``, ``same``, or where something was not compared ``same in what was
    compared``.

    What is known to differ outranks what is unknown.
    """
    # Known to differ comes first: further comparisons cannot take it back.
    if diff.differs:
        return "different"
    # No table at all compared is no sameness.
    if not (diff.known and diff.tables):
        return "cannot tell"
    return "same in what was compared" if diff.not_compared else "same"


def row_differences_to_json(diff: RowDiff) -> str:
    """The comparison as JSON (see docs/diff.md)."""
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "tool_version": VERSION,
        "verdict": verdict_of(diff),
        "before": diff.before,
        "after": diff.after,
        "encoding": diff.encoding,
        "notes": list(diff.notes),
        "schema": [_change(c) for c in diff.schema],
        "unknown": [{"what": u.what, "reason": u.reason} for u in diff.unknown],
        "not_compared": [
            {"what": n.what, "before": n.before, "after": n.after, "differs": n.judged}
            for n in diff.not_compared
        ],
        "tables": [_table(t) for t in diff.tables],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # Bytes of a database without an encoding are no text: JSON's own escape tells them apart.
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "table": change.table,
        "name": change.name,
        "aspect": change.aspect,
        "before": change.before,
        "after": change.after,
    }


def _table(table: TableDiff) -> dict[str, Any]:
    return {
        # Every key is always written, empty or not: readers need no defaults.
        "table": table.table,
        "keyed_by": list(table.keyed_by),
        "how": table.how,
        "known": table.known,
        "rows_before": table.rows_before,
        "rows_after": table.rows_after,
        "added": table.added,
        "removed": table.removed,
        "changed": table.changed,
        "late": table.late,
        "columns": dict(table.columns),
        "masked": list(table.masked),
        "compared": [
            {
                "name": p.name,
                "before_name": p.before_name or p.name,
                "before_type": p.before_type,
                "after_type": p.after_type,
                "form": p.form,
            }
            for p in table.compared
        ],
        "schema": [_change(c) for c in table.schema],
        "patterns": [
            {
                "name": p.name,
                "columns": list(p.columns),
                "rows": p.rows,
                "words": p.words,
                "facts": dict(p.facts),
            }
            for p in table.patterns
        ],
        "unknown": [{"what": u.what, "reason": u.reason} for u in table.unknown],
        "samples": [_row(change, table) for change in table.samples],
    }


def _row(change: RowChange, table: TableDiff) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": change.kind.value,
        "key": dict(zip(table.keyed_by, change.key, strict=True)),
    }
    if change.kind is Kind.CHANGED:
        shown["columns"] = {
            name: {"before": change.before[name], "after": change.after[name]} for name in change.columns
        }
    else:
        # One side only: an added or removed row has no other.
        shown |= {"copies": change.copies, "late": change.late, "row": dict(change.before or change.after)}
    return shown


def print_row_differences(diff: RowDiff, *, quiet: bool) -> None:
    """Which tables differ, by how many rows and in which columns; samples; what is unknown; the
    verdict.
    """
    # Values and names are never wrapped: a line is one fact, for grep.
    console = Console(soft_wrap=True)
    if not quiet:
        console.print(Text(f"before  {plain(diff.before)}\nafter   {plain(diff.after)}"))
        for note in diff.notes:
            console.print(Text(f"note    {plain(note)}", style="yellow"))
        _print_schema(console, diff.schema)
        _print_counts(console, diff.tables)
        for table in diff.tables:
            _print_samples(console, table)
    # Printed even if quiet: what is unknown must not be left out.
    for unknown in (*diff.unknown, *(u for table in diff.tables for u in table.unknown)):
        console.print(Text(plain(f"cannot tell  {unknown.what}: {unknown.reason}"), style="bold yellow"))
    for line in not_compared_lines(diff.not_compared):
        console.print(Text(plain(line), style="yellow"))
    console.print(_verdict(diff))


def _print_schema(console: Console, changes: Sequence[Change]) -> None:
    for change in changes:
        # A table's own change has its name in both places: it is said once.
        name = ".".join(dict.fromkeys(part for part in (change.table, change.name) if part))
        console.print(Text(f"schema  {change.kind} {plain(name)} {_said(change)}"))


def _said(change: Change) -> str:
    """What differs, in words: of a whole object its definition as far as there is room."""
    whole = {ADDED: f"added: {change.after}", REMOVED: f"removed: {change.before}"}.get(change.aspect)
    if whole is not None:
        return shortened(plain(whole), 400)
    both = pair(change.before, change.after, longest=80, none="none", quoted=False)
    return f"{change.aspect}: {' → '.join(both)}"


def _print_counts(console: Console, tables: Iterable[TableDiff]) -> None:
    # Late rows are listed too: they explain a difference in the counts that is no difference of rows.
    listed = [t for t in tables if t.differs or not t.known or t.late]
    shown = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in ("table", "key", "rows before", "rows after", "added", "removed", "changed"):
        shown.add_column(heading, overflow="fold", justify="left" if heading in {"table", "key"} else "right")
    for t in listed:
        key = ", ".join(t.keyed_by) or "none: rows counted as duplicates"
        late = f" (+{t.late:,} late)" if t.late else ""
        figures = (t.rows_before, t.rows_after, t.added, t.removed, t.changed)
        texts = ["not known" if figure is None else f"{figure:,}" for figure in figures]
        texts[2] += late
        shown.add_row(*(Text(text) for text in (plain(t.table), plain(key), *texts)))
    if listed:
        console.print(shown)


def _print_samples(console: Console, table: TableDiff) -> None:
    if table.columns:
        columns = ", ".join(f"{plain(name)} {rows:,}" for name, rows in table.columns.items())
        console.print(Text(f"columns  {plain(table.table)}: {columns}", style="bold"))
    for pattern in table.patterns:
        name = ".".join((table.table, " and ".join(pattern.columns))) if pattern.columns else table.table
        console.print(Text(f"pattern  {plain(name)}: {plain(pattern.words)}", style="bold"))
    for change in table.samples:
        key = ", ".join(
            f"{plain(n)}={alone(v, LONGEST)}" for n, v in zip(table.keyed_by, change.key, strict=True)
        )
        head = f"{change.kind.value:<8}{plain(table.table)} {key}".rstrip()
        if change.kind is Kind.CHANGED:
            values = "; ".join(f"{plain(name)}: {_both(change, name)}" for name in change.columns)
        else:
            values = _whole(change.before or change.after, change.copies, change.late)
        console.print(Text(f"{head}  {values}"))


def _both(change: RowChange, name: str) -> str:
    """Both values of a changed column."""
    before, after = change.before[name], change.after[name]
    forms = " → ".join(pair(before, after, longest=LONGEST))
    return f"{forms} ({ALIKE})" if printed_alike(before, after) else forms


def printed_alike(before: str | None, after: str | None) -> bool:
    """Whether the server prints two values of a changed column alike; of masked ones nothing is said."""
    return before == after != MASKED


def _whole(row: Mapping[str, str | None], copies: int, late: bool) -> str:
    first = ", ".join(f"{plain(name)}={alone(value, LONGEST)}" for name, value in list(row.items())[:6])
    times = f"{copies:,} times " if copies > 1 else ""
    return f"{'late, ' if late else ''}{times}({first}{', …' if len(row) > 6 else ''})"


def _verdict(diff: RowDiff) -> Text:
    verdict = verdict_of(diff)
    # Bold green also for "same in what was compared": what was not compared stands in the lines above.
    style = {"same": "bold green", "same in what was compared": "bold green", "different": "bold red"}.get(
        verdict, "bold yellow"
    )
    compared = [t for t in diff.tables if t.known]
    # Tables compared only in part are left out: not all of their rows were compared.
    rows = sum(t.rows_before or 0 for t in compared)
    said = f"{counted(len(compared), 'table')} compared row by row, {counted(rows, 'row')} before"
    if left := len(diff.tables) - len(compared):
        said += f"; {counted(left, 'table')} compared only in part"
    if diff.unknown:
        said += f"; {counted(len(diff.unknown), 'other comparison')} not possible"
    if verdict == "different":
        differing = sum(t.differs for t in diff.tables)
        said += (
            f"; {counted(differing, 'table')} with different rows, "
            f"{counted(len(diff.schema), 'difference')} in the schema"
        )
    return Text.assemble((verdict.upper(), style), f"  {said}")
