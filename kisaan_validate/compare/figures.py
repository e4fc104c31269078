"""The figures of a column before and after: NULLs, ends, exact sums."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from kisaan_validate.facts.differences import (
    FIGURES,
    VALUES,
    Change,
)
from kisaan_validate.facts.table import (
    ColumnFacts,
    Family,
    Profile,
    TableFacts,
)


def figure_changes(table: str, old: ColumnFacts, new: ColumnFacts) -> list[Change]:
    """The figures of a column that differ, as changes."""
    if old.profile is None or new.profile is None:
        return []
    a, b = old.profile, new.profile
    # NULL for want of rows is a figure; NULL because it failed is not.
    names = [name for name in differing(a, b) if not _lost(old, name) and not _lost(new, name)]
    return [
        Change(VALUES, table, old.name, figure, _figure(a, figure), _figure(b, figure)) for figure in names
    ]


def _lost(column: ColumnFacts, figure: str) -> bool:
    """Whether a figure is missing because it could not be computed, not because there were no values."""
    return bool(column.unmeasured) and column.profile is not None and _figure(column.profile, figure) is None


def _figure(profile: Profile, name: str) -> str | None:
    value = getattr(profile, name)
    return None if value is None else str(value)


def differing(a: Profile, b: Profile) -> tuple[str, ...]:
    """The figures in which two profiles differ: numbers compared by value, everything else as text.

    Sums of inexact numbers are left out: they depend on the order of addition. Where one side is personal
    only the NULLs can be compared.
    """
    if a.personal or b.personal:
        return ("nulls",) if a.nulls != b.nulls else ()
    # A column that became numeric may hold the very numbers it had as floats.
    number = {a.family, b.family} <= {Family.NUMBER, Family.FLOAT}
    inexact = Family.FLOAT in {a.family, b.family}
    names = [name for name in FIGURES if not (name == "total" and inexact)]
    return tuple(n for n in names if not same_text(_figure(a, n), _figure(b, n), number or n == "nulls"))


def same_text(a: str | None, b: str | None, number: bool) -> bool:
    """Whether two figures are equal; ``number`` compares 1.50 with 1.5 by value, exactly."""
    if a == b or a is None or b is None or not number:
        return a == b
    try:
        return Decimal(a) == Decimal(b)
    # Equal texts were answered above; what is no number to Decimal differs.
    except InvalidOperation:
        return False


def unmeasured(old: TableFacts, new: TableFacts) -> dict[str, list[str]]:
    """The columns of a table whose figures are missing on a side, and why."""
    left, right = ({c.name: c for c in table.columns} for table in (old, new))
    both = sorted(left.keys() & right.keys())
    reasons = {c: _untold(left[c], right[c]) for c in both}
    return {f"the values of {old.title}.{c}": found for c, found in reasons.items() if found}


def _untold(old: ColumnFacts, new: ColumnFacts) -> list[str]:
    """Why figures of a column cannot be compared; the sum of inexact numbers never is."""
    sides = (("before", old), ("after", new))
    found = [
        f"{when}: {side.unmeasured}" for when, side in sides if side.unmeasured and not is_inexact_sum(side)
    ]
    if found:
        return found
    if old.profile is None or new.profile is None:
        return ["its figures were not measured on both sides"]
    # On one side its figures are not kept.
    if old.profile.personal is not new.profile.personal:
        return ["it is personal on one side only"]
    return []


def is_inexact_sum(column: ColumnFacts) -> bool:
    """Whether all its figures but a sum of inexact numbers are known."""
    p = column.profile
    # The ends are known, so values were read; only the sum is missing.
    return p is not None and p.family is Family.FLOAT and p.total is None and p.minimum is not None


# --- checks -----------------------------------------------------------------------------------------------
