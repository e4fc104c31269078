"""What a column's figures alone say of how its values changed: sums, ends and NULLs of before and after,
and no rows.

Figures prove little. What follows from them is said as a fact; what they merely agree with is called
"consistent with", never more: other changes may give the same figures. Personal columns keep no figures,
so nothing is said of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kisaan_validate.compare.patterns.base import EXACT, Pair, Parameter, Pattern, number_of, shown
from kisaan_validate.compare.patterns.numbers import ConstantDifference, PowerOfTen, ScaleLost, SignFlipped
from kisaan_validate.compare.patterns.texts import Truncated
from kisaan_validate.compare.patterns.times import CalendarMoved, PrecisionLost, Shifted, ZoneTaken
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.table import Family, Profile, TableFacts

_NUMBERS: tuple[Pattern, ...] = (SignFlipped(), PowerOfTen(), ScaleLost(), ConstantDifference())
_TIMES: tuple[Pattern, ...] = (ZoneTaken(), PrecisionLost(), CalendarMoved(), Shifted())
_TEXTS: tuple[Pattern, ...] = (Truncated(),)


@dataclass(frozen=True)
class Hint:
    """What the figures of a column say. ``proved``: it follows from them; else they are merely consistent
    with it.
    """

    table: str
    column: str
    words: str
    proved: bool


def hints(before: Baseline, after: Baseline) -> tuple[Hint, ...]:
    """What the figures say of every column that is on both sides, table by table."""
    old, new = ({t.title: t for t in side.tables} for side in (before, after))
    return tuple(hint for name in old if name in new for hint in _of_table(old[name], new[name]))


def _of_table(old: TableFacts, new: TableFacts) -> Iterator[Hint]:
    left, right = (
        {c.name: c.profile for c in table.columns if c.profile is not None} for table in (old, new)
    )
    for column in left:
        # Personal columns keep only NULLs.
        if column not in right or left[column].personal or right[column].personal:
            continue
        words = of_column(left[column], right[column], old.rows, new.rows)
        yield from (Hint(new.title, column, text, proved) for text, proved in words)


def of_column(
    a: Profile, b: Profile, rows_before: int | None, rows_after: int | None
) -> Iterator[tuple[str, bool]]:
    """(words, whether they are proved) about one column; nothing where its figures are the same, or say
    nothing.
    """
    # With other rows, NULLs may have come or gone with them.
    if rows_before is not None and rows_before == rows_after:
        yield from _nulls(a, b, rows_after)
    if (a.minimum, a.maximum) != (b.minimum, b.maximum) or a.total != b.total:
        # It follows: minimum and maximum are the same value.
        if b.minimum is not None and b.minimum == b.maximum and a.minimum != a.maximum:
            yield f"all values{' that are not NULL' if b.nulls else ''} are now {shown(b.minimum)}", True
        # Only where nothing else changed can the figures be those of the same values.
        elif (a.nulls, rows_before) == (b.nulls, rows_after):
            yield from _whole(a, b, None if rows_after is None or b.nulls is None else rows_after - b.nulls)


def _nulls(a: Profile, b: Profile, rows: int | None) -> Iterator[tuple[str, bool]]:
    if a.nulls is None or b.nulls is None or a.nulls == b.nulls:
        return
    size = abs(a.nulls - b.nulls)
    if b.nulls < a.nulls:
        yield (
            (
                f"if no rows were added or removed, at least {size:,} "
                f"NULL{'s were' if size > 1 else ' was'} filled; which rows is unknown"
            ),
            True,
        )
    else:
        yield (
            (
                f"if no rows were added or removed, at least {size:,} "
                f"value{'s' if size > 1 else ''} became NULL; which rows is unknown"
            ),
            True,
        )


def _whole(a: Profile, b: Profile, values: int | None) -> Iterator[tuple[str, bool]]:
    """What must have happened to every value if minimum, maximum and sum followed one pattern."""
    sums = number_of(a.total), number_of(b.total)
    found = pattern_of_ends(a, b, values)
    if found is not None:
        pattern, parameter = found
        kept = "minimum, maximum and sum" if None not in sums else "minimum and maximum"
        yield (
            f"{kept} are consistent with: {pattern.says(parameter).rstrip(',')}, in every row",
            False,
        )
        return
    # A sum of 0 is its own negative.
    if None not in sums and sums[0] and sums[1] == -sums[0]:
        yield (
            (
                "the sum is exactly the negative of what it was; minimum and maximum are not the "
                "old ones with the sign flipped"
            ),
            True,
        )


def pattern_of_ends(a: Profile, b: Profile, values: int | None) -> tuple[Pattern, Parameter] | None:
    """The one pattern that makes both ends and the sum of ``b`` of those of ``a``; None if there is none.

    ``values`` is how many values are not NULL, the same number on both sides; None where that is unknown.
    """
    sums = number_of(a.total), number_of(b.total)
    # The first pattern that fits is named: all of them would only be consistent.
    for pattern in _patterns_of(a, b):
        ends = ends_of(pattern, a, b)
        # One parameter must explain both ends.
        both = set(pattern.fits(ends[0])) & set(pattern.fits(ends[1]))
        for parameter in sorted(both, key=pattern.order):
            if follows(pattern, parameter, ends, sums, values):
                return pattern, parameter
    return None


def _patterns_of(a: Profile, b: Profile) -> tuple[Pattern, ...]:
    if {a.family, b.family} == {Family.NUMBER}:
        return _NUMBERS
    if {a.family, b.family} == {Family.TEXT}:
        return _TEXTS
    # Dates and times, and what became one.
    if not {a.family, b.family} & {Family.NUMBER, Family.FLOAT, Family.TEXT}:
        return _TIMES
    return ()


def ends_of(pattern: Pattern, a: Profile, b: Profile) -> tuple[Pair, Pair]:
    """The smallest and the largest value before, each beside what the pattern must make it."""
    if isinstance(pattern, SignFlipped):  # what was smallest is largest
        return Pair(a.minimum, b.maximum), Pair(a.maximum, b.minimum)
    return Pair(a.minimum, b.minimum), Pair(a.maximum, b.maximum)


def follows(
    pattern: Pattern,
    parameter: Parameter,
    ends: tuple[Pair, Pair],
    sums: tuple[Decimal | None, Decimal | None],
    values: int | None,
) -> bool:
    """Whether the sum changed as it must, and the ends say more than a single value would."""
    if isinstance(pattern, ZoneTaken):
        # Of one offset it would be a plain shift.
        return pattern.variety(ends[0]) != pattern.variety(ends[1])
    old, new = sums
    if old is None or new is None:
        return True
    difference = EXACT.subtract(new, old)
    if isinstance(pattern, SignFlipped):
        return new == -old
    if isinstance(pattern, PowerOfTen):
        return new == old.scaleb(int(parameter[0]), EXACT)
    if values is None:
        return False
    if isinstance(pattern, ConstantDifference):
        return difference == EXACT.multiply(Decimal(parameter[0]), Decimal(values))
    step = Decimal(1).scaleb(-int(parameter[1]))
    # Rounding moves each value by less than one step.
    return abs(difference) <= EXACT.multiply(step, Decimal(values))
