"""Declarations of figures: a number over many rows, compared with bounds or earlier nights."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Unpack

from kisaan_validate.declare.arguments import check_value_bounds, check_zone, choice, figure_parts, share_of
from kisaan_validate.declare.making import (
    Declaration,
    FigureArguments,
    MetaArguments,
    caller,
    checked,
    columns_of,
    declared,
)
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import bounds
from kisaan_validate.rules.counts import DistinctCount, NullShare, RowCount, RowCountAgainst
from kisaan_validate.rules.fresh import Fresh
from kisaan_validate.rules.quantile import Quantile
from kisaan_validate.rules.reconciles import SUM_OPERATORS
from kisaan_validate.rules.totals import Total
from kisaan_validate.rules.volume import Volume
from kisaan_validate.rules.volume_reading import VolumeWords, read_volume


def row_count(
    table: str, *, low: int | None = None, high: int | None = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The number of rows."""
    fields, meta = figure_parts(more)
    rule = RowCount(bounds=checked(bounds.read_count_bounds, low, high), **fields)
    return declared("row_count", table, (), rule, meta)


def row_count_against(
    table: str,
    other: str,
    *,
    relation: str = "=",
    factor: Any = 1,
    other_where: str = "",
    **more: Unpack[FigureArguments],
) -> Declaration:
    """The number of rows is ``relation`` (= <= >= < >) ``factor`` times that of ``other``.

    ``factor`` is an exact number above 0 (a whole number, Decimal, Fraction or "80%"). ``other_where`` is
    SQL over a row of ``other``. With ``segment_by`` both tables need its columns.
    """
    choice("relation", relation, SUM_OPERATORS)
    fields, meta = figure_parts(more)
    exact = checked(bounds.read_exact, share_of(factor, "factor"), "factor")
    if exact <= 0 or not other:
        raise SuiteError("row_count_against() needs another table, and a factor above 0", origin=caller())
    if other == table and fields["where"] == other_where:
        raise SuiteError(
            "it compares a table with itself", "name another table, or restrict one side", caller()
        )
    rule = RowCountAgainst(other=other, relation=relation, factor=exact, other_where=other_where, **fields)
    return declared("row_count_against", table, (), rule, meta)


def null_share(
    table: str, column: str, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The share of NULLs.

    A bound is exact: "5%", "1/20", Fraction(1, 20), Decimal("0.05"), 0 or 1. It is compared without dividing.
    """
    fields, meta = figure_parts(more, (column,))
    found = checked(bounds.read_bounds, share_of(low, "low"), share_of(high, "high"))
    rule = NullShare(bounds=checked(bounds.check_share_bounds, found), **fields)
    return declared("null_share", table, (column,), rule, meta)


def total(
    table: str, column: str, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The exact sum of integers or numeric; 0 of no values.

    A bound is a whole number, Decimal or Fraction.
    """
    fields, meta = figure_parts(more, (column,))
    rule = Total(bounds=checked(bounds.read_bounds, low, high), **fields)
    return declared("total", table, (column,), rule, meta)


def distinct_count(
    table: str,
    columns: str | list[str],
    *,
    low: int | None = None,
    high: int | None = None,
    **more: Unpack[FigureArguments],
) -> Declaration:
    """The number of different values or combinations; NULL does not count."""
    fields, meta = figure_parts(more, columns_of(columns))
    if not columns_of(columns):
        raise SuiteError("distinct_count() needs columns", origin=caller())
    rule = DistinctCount(bounds=checked(bounds.read_count_bounds, low, high), **fields)
    return declared("distinct_count", table, columns_of(columns), rule, meta)


def quantile(
    table: str, column: str, share: Any, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The ``share``-quantile ("95%"), as ``percentile_disc`` gives it.

    ``share`` is exact: "95%", "1/2", Fraction, Decimal, or 1 for the greatest value. A bound is a value that
    compares with the column's: a whole number, Decimal, date, datetime, timedelta or text.
    """
    fields, meta = figure_parts(more, (column,))
    exact = checked(bounds.read_exact, share_of(share, "share"), "share")
    if not 0 < exact <= 1:
        raise SuiteError(
            f"share={share!r} is not a share of the values",
            'write "50%"; for the smallest value use a row check',
            caller(),
        )
    checked(check_value_bounds, low, high)
    rule = Quantile(share=exact, low=low, high=high, **fields)
    return declared("quantile", table, (column,), rule, meta)


def fresh(
    table: str, column: str, within: timedelta, *, zone: str = "", **more: Unpack[FigureArguments]
) -> Declaration:
    """The newest value up to now is at most ``within`` (a timedelta) old; ``zone``: of values without one.

    A table without any value is not fresh.

    Now is the time of the run's snapshot; what is dated later does not count. ``zone`` ("Asia/Kolkata") is
    the time zone of values that have none: a ``timestamp``, or a ``date``, whose age is counted in whole
    days of its calendar.
    """
    if not isinstance(within, timedelta) or within <= timedelta(0) or getattr(within, "nanoseconds", 0) != 0:
        raise SuiteError(f"within={within!r} is not an age", "write timedelta(days=2)", caller())
    check_zone(zone)
    fields, meta = figure_parts(more, (column,))
    return declared("fresh", table, (column,), Fresh(within=within, zone=zone, **fields), meta)


def volume(
    table: str,
    *,
    arrivals: str = "",
    sum: str = "",
    nulls: str = "",
    distinct: str = "",
    freshness: str = "",
    zone: str = "",
    days_back: int = 1,
    by: str = "weekday",
    nights: int | None = None,
    share: Any = "10%",
    at_least_change: Any = None,
    score: Any = Fraction(7, 2),
    side: str = "",
    least: Any = None,
    most: Any = None,
    since: str | date | None = None,
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """The number of rows is as on earlier nights; or a ``sum``, the share of ``nulls``, the ``distinct``
    values, the ``freshness`` of a column.

    ``arrivals`` names the column that says when a row came: only rows of one day in ``zone`` count,
    ``days_back`` days before the run's (1 is yesterday; 2 where rows come late). Nights of the same weekday
    are compared (``by``: or "day_of_month", "any"), ``nights`` of them or more, else there is no answer. It
    fails past ``score`` robust deviations and ``at_least_change`` and ``share`` of what is expected, on that
    ``side`` ("low", "high", else both). ``least`` and ``most`` hold whatever the past says. With ``since``
    only nights from that day on count, also those that failed. See volumes.md.
    """
    check_zone(zone)
    words = VolumeWords(
        arrivals, sum, nulls, distinct, freshness, zone, days_back, by, nights, share, at_least_change, score,
        side, least, most, since,
    )  # fmt: skip
    rule, columns = checked(read_volume, words)
    return declared("volume", table, columns, Volume(rule, where), meta)
