"""Which tables are compared, and how many rows each side has."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import (
    NO_TABLE,
    TableRowCounts,
)
from kisaan_validate.facts.table import (
    TableFacts,
)


def row_counts(before: Baseline, after: Baseline) -> tuple[TableRowCounts, ...]:
    """Every table of either side, changed or not, in order of name."""
    old, new = _by_name(before.tables), _by_name(after.tables)
    return tuple(_row_count(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))


def _row_count(name: str, old: TableFacts | None, new: TableFacts | None) -> TableRowCounts:
    counts = (old.rows if old is not None else None, new.rows if new is not None else None)
    return TableRowCounts(name, *counts, _reason(old), _reason(new))


def _reason(table: TableFacts | None) -> str:
    if table is None:
        return NO_TABLE
    return table.reason or "not counted" if table.rows is None else ""


def _by_name(tables: Iterable[TableFacts]) -> dict[str, TableFacts]:
    return {table.title: table for table in tables}


# --- rows and figures -------------------------------------------------------------------------------------


def tables_in_scope(side: Baseline) -> dict[str, TableFacts]:
    """The tables whose rows are compared. A partition is counted within its parent; views and what the
    suite excludes are looked at by checks only."""
    partitions = {o.table for o in side.objects if o.kind == "table" and "partition of" in o.facts}
    left_out = side.suite.excluded_tables
    return {
        # A partition's rows are counted by its parent; twice would be wrong.
        t.title: t
        for t in side.tables
        if t.kind in {"table", "partitioned table"}
        and t.title not in partitions
        and not any(fnmatchcase(t.name, pattern) for pattern in left_out)
    }
