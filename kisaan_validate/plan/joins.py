"""The joins of a plan: checks of a table and the one it refers to, and the pass that they share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.check import Check
from kisaan_validate.plan.statements import ListedKeys, Pass, Reads, Slot, bare_of
from kisaan_validate.rules.base import Join, JoinRule
from kisaan_validate.sql.expressions import View, decided_by_rows, named_columns, quote, to_sql


@dataclass(frozen=True)
class JoinedCheck:
    """A check of a join. ``listed`` is its slot in a scan of its table alone (see ``ListedKeys``), if it has
    one; ``by_index``: an index may find the row that is referred to. ``ours``: its kind is the engine's own.
    """

    slot: Slot
    listed: Slot | None = None
    by_index: bool = False
    ours: bool = True


def joined_check(check: Check, rule: JoinRule, child: Table, parent: Table, *, ours: bool) -> JoinedCheck:
    """A check over rows of ``child`` and the rows of ``parent`` that they refer to. ``ours``: its kind is the
    engine's own. Only then does it say the same of a scan as of a join.
    """
    columns = tuple(dict.fromkeys((*rule.join.columns, *check.columns)))
    # The aliases that ``join_pass`` gives to its two sides.
    sides = View(child, "child"), View(parent, "parent")
    condition, judged = (to_sql(part(*sides, check.columns)) for part in (rule.violation, rule.judged))
    slot = Slot(check.id, condition, columns, judged)
    alone = View(child), View(parent)
    violation = rule.violation_listed(*alone, check.columns) if ours else None
    listed = None
    if violation is not None:
        judged = to_sql(rule.judged(*alone, check.columns))
        listed = replace(slot, condition=to_sql(violation), judged=judged)
    return JoinedCheck(slot, listed, rule.by_index, ours)


def join_pass(child: Table, parent: Table, join: Join, checks: Sequence[JoinedCheck]) -> Pass:
    """The pass over a table and the rows it refers to. Needs the columns of ``parent`` to be unique.

    Of ``child`` only the rows that its filter leaves are read.
    """
    listed = _listed(child, parent, checks)
    if _unhelped(child, parent):
        child, parent = replace(child, believed=False), replace(parent, believed=False)
    referring = _referring(child, join, checks)
    only = f"({child.only}) AND {referring}" if child.only and referring else child.only or referring
    read = replace(child, only=only)
    left, right = View(read, "child"), View(parent, "parent")
    by_index = _by_index(child, parent, checks)
    # Where an index leads through the child too, the planner may want to merge both: its heap is read apart
    # from that.
    apart = by_index and any(i.ordered and i.columns[:1] == join.columns[:1] for i in child.indexes)
    matched = None if apart else join.columns
    slots = tuple(one.slot for one in checks)
    on = _matching(child, parent, join)
    # A unique index must not shorten the join, unless the rows are looked up through it on purpose.
    found = right.source(() if by_index else join.parent_columns, read=_read_of_parent(parent, on, slots))
    joined = f"LEFT JOIN {found} ON {on}"
    tables = (child.key, parent.key)
    return Pass(
        f"{child.name} with {parent.name} by {', '.join(join.columns)}",
        child,
        f"{left.source(matched)}\n{joined}",
        slots,
        tables,
        "child",
        planner=_planner(child, parent, join),
        joined=joined,
        # The values are compared once more: an index may lead to another row than it should.
        looked=f"LEFT JOIN {right.source(())} ON {on} AND {decided_by_rows(on)}",
        reads=Reads(
            tables,
            bare_of(child, parent),
            (parent.key,) if by_index else (),
            child.believed or parent.believed,
        ),
        placed=f"{left.source(matched, placed=True)}\n{joined}",
        listed=listed,
        referring=referring,
    )


def _referring(child: Table, join: Join, checks: Sequence[JoinedCheck]) -> str:
    """The condition that a row refers to another; "" where the join is given all rows.

    A hash join may hash the child ("Hash Right Join"). All rows with NULL then share one bucket. If they do
    not fit in memory, PostgreSQL doubles the number of batches, which never splits that bucket, until none
    but these rows is left in it (nodeHash.c), and each batch takes memory.
    """
    nullable = [c for c in join.columns if not child.declares_not_null(c)]
    # Another package's kind may judge rows that refer to nothing.
    if not all(one.ours for one in checks):
        return ""
    return " AND ".join(f"{quote(c)} IS NOT NULL" for c in nullable)


def _matching(child: Table, parent: Table, join: Join) -> str:
    """The condition by which a row finds the one it refers to."""
    pairs = zip(join.columns, join.parent_columns, strict=True)
    signs = ((a, child.columns[a].sign("=", parent.columns[b]), b) for a, b in pairs)
    return " AND ".join(f"child.{quote(a)} {sign} parent.{quote(b)}" for a, sign, b in signs)


def _by_index(child: Table, parent: Table, checks: Sequence[JoinedCheck]) -> bool:
    """Whether an index may find the rows of the parent: only in another table, and never through a view,
    which may judge its rows. One check that may not use it decides for all that share the statement.
    """
    return all(one.by_index for one in checks) and child.key != parent.key and child.kind != "v"


def _listed(child: Table, parent: Table, checks: Sequence[JoinedCheck]) -> ListedKeys | None:
    slots = tuple(one.listed for one in checks if one.listed is not None)
    if child.only or len(slots) < len(checks) or not _unhelped(child, parent):
        return None
    return ListedKeys(slots, parent.estimated_rows, parent.oid)


def _planner(child: Table, parent: Table, join: Join) -> tuple[tuple[str, str], ...]:
    # Only believed tables: a merge finds the judged rows through an index.
    merged = child.believed and _in_order(child, join.columns) and _in_order(parent, join.parent_columns)
    return MERGED if merged else ()


# Followed by a point, it names a column.
_AS_A_WHOLE = re.compile(r'(?<![\w$])parent(?![\w$])(?!"?\s*\.\s*["\w])', re.IGNORECASE)


def _read_of_parent(parent: Table, on: str, slots: Sequence[Slot]) -> list[str]:
    """The columns that a join reads of the row that is referred to; none where it may read all."""
    texts = [on, *(slot.condition + slot.judged for slot in slots)]
    return [] if any(map(_AS_A_WHOLE.search, texts)) else named_columns(parent, *texts)


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
