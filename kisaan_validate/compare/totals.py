"""Control totals of both sides: which groups differ, and which cannot be told. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import TOTALS, Change
from kisaan_validate.facts.totals import ControlTotal, GroupTotal


def total_changes(before: Baseline, after: Baseline) -> list[Change]:
    """One change for each group whose number of rows differs, and one for each whose sum does."""
    old = {total.key: total for total in before.totals}
    pairs = ((old[total.key], total) for total in after.totals if total.key in old)
    return [change for pair in pairs if not pair[0].message + pair[1].message for change in _changes(*pair)]


def _changes(old: ControlTotal, new: ControlTotal) -> Iterator[Change]:
    left, right = ({group.values: group for group in total.groups} for total in (old, new))
    for values in sorted(left.keys() | right.keys(), key=lambda v: group_words(new, v)):
        a, b = left.get(values), right.get(values)
        where = group_words(new, values)
        rows = [0 if group is None else group.rows for group in (a, b)]
        if rows[0] != rows[1]:
            was, is_ = (None if group is None else str(group.rows) for group in (a, b))
            yield Change(TOTALS, new.table, new.name, f"rows where {where}", was, is_, rows[1] - rows[0])
        was, is_ = (None if group is None else group.total for group in (a, b))
        if not _equal(was, is_):
            yield Change(TOTALS, new.table, new.name, f"sum where {where}", was, is_)


def _equal(before: str | None, after: str | None) -> bool:
    """Whether two sums are one number: 1.50 and 1.5 are."""
    if before is None or after is None:
        return before == after
    # A NaN equals no number, not even itself; a sum that is NaN is reported as unknown.
    return before == after or Decimal(before) == Decimal(after)


def group_words(total: ControlTotal, values: tuple[str | None, ...]) -> str:
    """One group in words; no two groups have the same."""
    pairs = zip(total.by, values, strict=True)
    return " and ".join(f"{part.words} = {_quoted(value)}" for part, value in pairs)


def _quoted(value: str | None) -> str:
    # NULL and the text NULL are two groups.
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def totals_unknown(before: Baseline, after: Baseline) -> dict[str, list[str]]:
    """The control totals that cannot be compared, and why."""
    old, new = ({total.key: total for total in side.totals} for side in (before, after))
    there = [tables_in_scope(side).keys() for side in (before, after)]
    found: dict[str, list[str]] = {}
    for key in sorted(old.keys() | new.keys(), key=str):
        # That a table came or went is a difference of its own.
        if (key[0] in there[0]) != (key[0] in there[1]):
            continue
        known = old.get(key) or new[key]
        reasons = [*_missing(old.get(key), "before"), *_missing(new.get(key), "after")]
        if key in old and key in new:
            reasons += _swallowed(old[key], new[key])
        if reasons:
            found[f"the control total {known.table}: {known.name}"] = reasons
    return found


def _missing(total: ControlTotal | None, when: str) -> list[str]:
    if total is None:
        return [f"{when}: it was not declared"]
    return [f"{when}: {total.message}"] if total.message else []


def _swallowed(old: ControlTotal, new: ControlTotal) -> list[str]:
    """Groups whose sums are the same NaN or Infinity: equal, and no proof."""
    left = {group.values: group for group in old.groups}
    same = [g for g in new.groups if g.values in left and _no_number(left[g.values], g)]
    return [f"the sum where {group_words(new, g.values)} is {g.total} on both sides" for g in same]


def _no_number(old: GroupTotal, new: GroupTotal) -> bool:
    return old.total == new.total and new.total is not None and not Decimal(new.total).is_finite()
