"""Whether the profile of a column agrees with itself and with its table. Pure, as ``consistency``."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.table import ColumnFacts


def profile_contradictions(what: str, column: ColumnFacts, rows: int | None) -> Iterator[str]:
    """What in the profile of column ``what``, of a table with so many rows, cannot be, in words."""
    told = column.distribution
    if told is None:
        return
    if column.profile is not None and column.profile.personal and _values(told):
        yield f"the personal column {what} has values in its profile"
    if told.message and (told.distinct is not None or _values(told)):
        yield f"{what} was profiled, and says why not"
    if told.nulls is None or rows is None:
        return
    present = rows - told.nulls
    if present < 0 or told.nulls < 0:
        yield f"{what} has another number of NULLs than its table has rows for"
    if told.distinct is not None and not 0 <= told.distinct <= present:
        yield f"{what} has {told.distinct:,} distinct values in {present:,} rows"
    yield from _counts(what, told, present)


def _values(told: Distribution) -> bool:
    return bool(told.quantiles or told.frequent or told.histogram)


def _counts(what: str, told: Distribution, present: int) -> Iterator[str]:
    listed = [frequent.rows for frequent in told.frequent]
    if sum(listed) > present or listed != sorted(listed, reverse=True):
        yield f"the most frequent values of {what} are not those of {present:,} rows"
    if told.histogram is None:
        return
    drawn = told.histogram
    if len(drawn.rows) + 1 != len(drawn.edges):
        yield f"the histogram of {what} has {len(drawn.rows)} buckets between {len(drawn.edges)} edges"
    if (total := sum(drawn.rows) + drawn.below + drawn.above + drawn.other) != present:
        yield f"the histogram of {what} counts {total:,} of {present:,} rows"
