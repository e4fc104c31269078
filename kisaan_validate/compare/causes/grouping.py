"""Differences grouped by table and cause: each in exactly one group. Pure.

The order in which causes are tried is the order of how much they know: rows that were compared one by one,
then a pattern that both ends of a column follow, then a number of rows, then a column, then things altered
alike. What no cause joins with another difference is a group of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kisaan_validate.compare.causes.base import ChangeGroup, GroupCause, Single
from kisaan_validate.compare.causes.rows import RowsDiffer, count_moved, rows_differ
from kisaan_validate.compare.causes.values import (
    ENDS,
    ColumnValues,
    EndsMoved,
    GroupsDiffer,
    SequencesMoved,
    alike,
)
from kisaan_validate.compare.patterns.ends import pattern_of_ends
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import ROWS, SEQUENCE, TOTALS, VALUES, Change, ChangeKey
from kisaan_validate.facts.kept import RowsCompared
from kisaan_validate.facts.table import Profile, TableFacts


@dataclass(frozen=True)
class TableSides:
    """One table before and after, and what is known of its rows one by one."""

    before: TableFacts
    after: TableFacts
    rows: RowsCompared | None = None

    def profiles(self, column: str) -> tuple[Profile, Profile] | None:
        """The figures of a column on both sides; None where one is missing."""
        found = [c.profile for side in (self.before, self.after) for c in side.columns if c.name == column]
        a, b = found if len(found) == 2 else (None, None)
        return (a, b) if a is not None and b is not None else None

    def values(self, a: Profile, b: Profile) -> int | None:
        """How many values a column holds, if both sides hold equally many; else None."""
        if self.before.rows is None or self.after.rows is None or a.nulls is None or b.nulls is None:
            return None
        old, new = self.before.rows - a.nulls, self.after.rows - b.nulls
        return old if old == new else None


def grouped(
    changes: Iterable[Change],
    before: Baseline,
    after: Baseline,
    rows: Iterable[RowsCompared] = (),
    explained: Mapping[ChangeKey, tuple[str, ...]] | None = None,
) -> tuple[ChangeGroup, ...]:
    """The differences of a comparison in groups, in the order in which a reader needs them.

    ``explained`` maps a difference to the promises that explain it. Money comes first, then other values,
    numbers of rows, the schema, sequences; within each by table.
    """
    sides = _sides(before, after, rows)
    by = explained or {}
    parts: dict[tuple[str, frozenset[str]], list[Change]] = {}
    for change in sorted(changes, key=lambda c: c.key):
        # One declared promise stands for many columns, each with an id of its own behind a slash.
        declared = frozenset(id.partition("/")[0] for id in by.get(change.key, ()))
        parts.setdefault((change.table, declared), []).append(change)
    made = [
        ChangeGroup(table, cause, taken, _promises(taken, by))
        for (table, _), members in parts.items()
        for cause, taken in _causes(members, sides.get(table))
    ]
    return tuple(sorted(made, key=lambda group: _rank(group, sides)))


def _promises(taken: Iterable[Change], explained: Mapping[ChangeKey, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for change in taken for id in explained.get(change.key, ())))


def _sides(before: Baseline, after: Baseline, rows: Iterable[RowsCompared]) -> dict[str, TableSides]:
    old = {t.title: t for t in before.tables}
    compared = {r.table: r for r in rows}
    return {
        t.title: TableSides(old[t.title], t, compared.get(t.title)) for t in after.tables if t.title in old
    }


def _causes(
    members: Sequence[Change], sides: TableSides | None
) -> Iterator[tuple[GroupCause, tuple[Change, ...]]]:
    """Each cause with what it takes of the members; what a cause has taken, no later one gets."""
    rest = list(members)
    for find in (_of_rows, _of_ends, _of_count, _of_columns, _of_schema):
        for cause in find(rest, sides):
            taken = tuple(change for change in rest if cause.reproduces(change))
            if taken:
                yield _named(cause, taken), taken
                rest = [change for change in rest if change not in taken]


def _named(cause: GroupCause, taken: tuple[Change, ...]) -> GroupCause:
    """The cause, or the difference itself where there is only one and the cause says no more than it."""
    told = isinstance(cause, RowsDiffer)
    return Single(taken[0]) if len(taken) == 1 and not told else cause


def _of_rows(rest: Sequence[Change], sides: TableSides | None) -> Iterator[GroupCause]:
    if sides is None or sides.rows is None:
        return
    found = rows_differ(sides.rows, sides.before, sides.after)
    if found is not None:
        yield found


def _of_ends(rest: Sequence[Change], sides: TableSides | None) -> Iterator[GroupCause]:
    """Columns both of whose ends differ and follow one pattern: those of one pattern together."""
    if sides is None:
        return
    found: dict[tuple[str, tuple[str, ...]], EndsMoved] = {}
    for column in _with_both_ends(rest):
        profiles = sides.profiles(column)
        if profiles is None:
            continue
        values = sides.values(*profiles)
        fitting = pattern_of_ends(*profiles, values)
        if fitting is None:
            continue
        pattern, parameter = fitting
        known = found.get((pattern.name, tuple(parameter)))
        columns = {**(known.columns if known else {}), column: (*profiles, values)}
        found[pattern.name, tuple(parameter)] = EndsMoved(sides.after.title, pattern, parameter, columns)
    yield from found.values()


def _with_both_ends(changes: Iterable[Change]) -> list[str]:
    ends: dict[str, set[str]] = {}
    for change in changes:
        if change.kind == VALUES and change.aspect in ENDS:
            ends.setdefault(change.name, set()).add(change.aspect)
    return [column for column, figures in ends.items() if len(figures) == len(ENDS)]


def _of_count(rest: Sequence[Change], sides: TableSides | None) -> Iterator[GroupCause]:
    for change in rest:
        if sides is not None and (change.kind, change.aspect) == (ROWS, "count"):
            yield count_moved(change, sides.before, sides.after)


def _of_columns(rest: Sequence[Change], sides: TableSides | None) -> Iterator[GroupCause]:
    for name in dict.fromkeys(change.name for change in rest if change.kind == VALUES):
        table = next(change.table for change in rest if (change.kind, change.name) == (VALUES, name))
        yield ColumnValues(table, name)


def _of_schema(rest: Sequence[Change], sides: TableSides | None) -> Iterator[GroupCause]:
    if any(change.kind == SEQUENCE for change in rest):
        yield SequencesMoved()
    for table, name in dict.fromkeys((c.table, c.name) for c in rest if c.kind == TOTALS):
        yield GroupsDiffer(table, name)
    for change in rest:
        yield Single(change) if change.kind == ROWS else alike(change)


# --- what a reader needs first -----------------------------------------------------------------------------

_MONEY = re.compile(r"money|numeric\([0-9]+,[1-9][0-9]*\)")
"""Types that hold money: exact, with decimal places."""


def _rank(group: ChangeGroup, sides: Mapping[str, TableSides]) -> tuple[int, str, ChangeKey]:
    return (
        min(_weight(change, sides.get(group.table)) for change in group.changes),
        group.table,
        group.changes[0].key,
    )


def _weight(change: Change, sides: TableSides | None) -> int:
    """0 money, 1 other values, 2 numbers of rows, 3 the schema, 4 sequences."""
    if change.kind == VALUES:
        return 0 if sides is not None and _is_money(change.name, sides) else 1
    return {TOTALS: 0, ROWS: 2, SEQUENCE: 4}.get(change.kind, 3)


def _is_money(column: str, sides: TableSides) -> bool:
    return any(
        c.name == column and _MONEY.fullmatch(c.type) is not None
        for side in (sides.before, sides.after)
        for c in side.columns
    )
