"""Makes the passes of a plan: over the rows of a table, over a table and the one it refers to; marking or
not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kisaan_validate.facts.catalogue import Table
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.marks import Marking
from kisaan_validate.plan.statements import SLOT_LIMIT, ListedKeys, Pass, Reads, Slot, bare_of
from kisaan_validate.sql.expressions import View, decided_by_rows, named_columns, quote, table_sql


def row_pass(table: Table, slots: Iterable[Slot], figures: Iterable[Figure] = ()) -> Pass:
    """The single scan of a table that all its row checks share; also counts its rows, and measures its
    columns.
    """
    return Pass(
        f"rows of {table.name}",
        table,
        table_sql(table),
        tuple(slots),
        (table.key,),
        counts_table=True,
        figures=tuple(figures),
        reads=Reads((table.key,), bare_of(table)),
    )


def join_pass(
    child: Table,
    parent: Table,
    columns: Sequence[str],
    parent_columns: Sequence[str],
    slots: Iterable[Slot],
    *,
    by_index: bool = False,
    listed: Sequence[Slot] = (),
) -> Pass:
    """The pass over a table and the rows it refers to. Needs ``parent_columns`` to be unique in ``parent``.

    Of ``child`` only the rows that its filter leaves are read. ``by_index``: an index may find the rows of
    ``parent``. ``listed`` are the same slots for a scan of ``child`` alone, where there are such.
    """
    unhelped = _unhelped(child, parent)
    if unhelped:
        child, parent = replace(child, believed=False), replace(parent, believed=False)
    left, right = View(child, "child"), View(parent, "parent")
    by_index = (
        # Looked up through an index only in another table,
        # and never through a view, which may judge its rows.
        by_index and child.key != parent.key and child.kind != "v"
    )  # else its own rows would be found so
    # Where an index leads through the child too, the planner may want to merge both: its heap is read apart
    # from that.
    apart = any(i.ordered and i.columns[:1] == tuple(columns[:1]) for i in child.indexes) and by_index
    pairs = [
        (a, child.columns[a].sign("=", parent.columns[b]), b)
        for a, b in zip(columns, parent_columns, strict=True)
    ]
    on = " AND ".join(f"child.{quote(a)} {sign} parent.{quote(b)}" for a, sign, b in pairs)
    slots = tuple(slots)
    read = _read_of_parent(parent, on, slots)
    # A unique index must not shorten the join, unless the rows are looked up through it on purpose.
    joined = f"LEFT JOIN {right.source(() if by_index else parent_columns, read=read)} ON {on}"
    # The values are compared once more: an index may lead to another row than it should.
    looked = f"LEFT JOIN {right.source(())} ON {on} AND {decided_by_rows(on)}"
    purpose = f"{child.name} with {parent.name} by {', '.join(columns)}"
    # Only believed tables: a merge finds the judged rows through an index.
    merged = child.believed and _in_order(child, columns) and _in_order(parent, parent_columns)
    matched = None if apart else columns
    source = f"{left.source(matched)}\n{joined}"
    tables = (child.key, parent.key)
    reads = Reads(
        tables, bare_of(child, parent), (parent.key,) if by_index else (), child.believed or parent.believed
    )
    planner = MERGED if merged else ()
    return Pass(
        purpose,
        child,
        source,
        slots,
        tables,
        "child",
        planner=planner,
        joined=joined,
        looked=looked,
        reads=reads,
        placed=f"{left.source(matched, placed=True)}\n{joined}",
        listed=ListedKeys(tuple(listed), parent.estimated_rows, parent.oid)
        if listed and unhelped and not child.only
        else None,
    )


# Followed by a point, it names a column.
_AS_A_WHOLE = re.compile(r'(?<![\w$])parent(?![\w$])(?!"?\s*\.\s*["\w])', re.IGNORECASE)


def _read_of_parent(parent: Table, on: str, slots: Sequence[Slot]) -> list[str]:
    """The columns that a join reads of the row that is referred to; none where it may read all."""
    texts = [on, *(slot.condition + slot.judged for slot in slots)]
    return [] if any(map(_AS_A_WHOLE.search, texts)) else named_columns(parent, *texts)


def marked(statement: Pass, marking: Marking) -> Pass:
    """The same pass that also marks where violating rows lie, unless it cannot."""
    figures = [slot for slot in statement.slots if slot.query is not None]
    riding = [slot.condition + slot.judged + slot.found + slot.shown for slot in figures]
    # Read from the subquery, a row as a whole would be another one, with the flags in it.
    named = re.compile(rf"(?<![\w$]){re.escape(statement.table.name)}(?![\w$])", re.IGNORECASE)
    as_a_whole = any(map(named.search, riding))
    outputs = len(statement.table.columns) + 2 * len(statement.slots)
    if as_a_whole or outputs > SLOT_LIMIT:
        return statement
    return replace(statement, marking=marking)


MERGED = (("enable_hashjoin", "off"),)
"""Two tables that both lie in the order of the join are merged through their indexes, which reads each
page once.

Only where indexes are believed: of the child they would find the rows that are judged."""

ORDERED = 0.95
"""From this correlation on (pg_stats: ANALYZE's measure of how far the rows lie in the order of a column)
a table is in order.
"""

LARGE = 1_000_000
"""Fewer rows are joined well enough by any plan."""


SMALL_BESIDE = 10
"""A table of so many times fewer rows than a large one that refers to it is read as a whole by any plan."""


def _unhelped(child: Table, parent: Table) -> bool:
    """Whether no index would help to join two tables: then none is believed, and nothing declared has to be
    proved for it.
    """
    large = child.estimated_rows * SMALL_BESIDE >= LARGE
    few = 0 < parent.estimated_rows * SMALL_BESIDE <= child.estimated_rows
    # The bounds of partitions may leave some of them unread.
    return large and few and "p" not in {child.kind, parent.kind}


def _in_order(table: Table, columns: Sequence[str]) -> bool:
    """Whether a large table lies in the order of these columns, and a valid index leads through it in that
    order.
    """
    correlation = table.columns[columns[0]].correlation
    # Of several columns pg_stats knows the order of each, not of all together.
    if len(columns) > 1 or correlation is None or abs(correlation) < ORDERED or table.estimated_rows < LARGE:
        return False
    # A partial index does not lead through all rows.
    return any(
        i.valid and i.ordered and not i.predicate and i.columns[:1] == tuple(columns) for i in table.indexes
    )
