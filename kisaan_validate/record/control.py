"""Whether recorded control totals agree with themselves and with the counts of their tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kisaan_validate.facts.table import TableFacts
from kisaan_validate.facts.totals import ControlTotal


def total_contradictions(totals: Iterable[ControlTotal], tables: Iterable[TableFacts]) -> Iterator[str]:
    """What in them cannot be, in words: one snapshot has one number of rows."""
    rows = {table.title: table.rows for table in tables}
    seen = set()
    for total in totals:
        name = f"the control total {total.table}: {total.name}"
        if total.key in seen:
            yield f"{name} occurs twice"
        seen.add(total.key)
        if total.message:
            if total.groups:
                yield f"{name} has no answer, and has groups"
            continue
        yield from _groups(name, total, rows.get(total.table))


def _groups(name: str, total: ControlTotal, rows: int | None) -> Iterator[str]:
    values = [group.values for group in total.groups]
    if len(set(values)) < len(values):
        yield f"a group of {name} occurs twice"
    if any(len(group) != len(total.by) for group in values):
        yield f"a group of {name} has another number of values than it is grouped by"
    if any(group.rows < 1 for group in total.groups):
        yield f"a group of {name} has no row"
    counted = sum(group.rows for group in total.groups)
    if rows is not None and counted != rows:
        yield f"{name} counts {counted:,} rows, its table has {rows:,}"
