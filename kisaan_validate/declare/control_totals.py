"""Control totals: sums and counts of groups, recorded for comparison."""

from __future__ import annotations

from kisaan_validate.declare.arguments import check_zone
from kisaan_validate.declare.making import caller, collector
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.totals import GroupPart, TotalSpec

MOST_GROUPS = 10_000
"""So many groups a control total may ask for at most: all of them are recorded."""


def month(column: str, zone: str = "UTC") -> GroupPart:
    """For ``by`` of a control total: the month of a date or time, named by its first day. ``zone`` is for a
    timestamptz; other columns are taken as they are stored.
    """
    check_zone(zone)
    return GroupPart(column, "month", zone)


def day(column: str, zone: str = "UTC") -> GroupPart:
    """For ``by`` of a control total: the day of a date or time. ``zone`` is as for :func:`month`."""
    check_zone(zone)
    return GroupPart(column, "day", zone)


def control_total(
    table: str, column: str, *, by: str | GroupPart | list[str | GroupPart], most: int = 1_000
) -> TotalSpec:
    """Each run and baseline records each group's rows and exact sum, for comparison.

    ``by`` names columns, or :func:`month` and :func:`day` of one; NULL is a group too. More than ``most``
    groups are no answer. It is no check: without a baseline it is shown only. Personal columns are refused.
    """
    origin = caller()
    given = by if isinstance(by, list) else [by]
    parts = tuple(GroupPart(part) if isinstance(part, str) else part for part in given)
    if not table or not column or not parts or not all(isinstance(p, GroupPart) for p in parts):
        raise SuiteError("control_total() needs a table, a column, and by=[…]", origin=origin)
    if type(most) is not int or not 1 <= most <= MOST_GROUPS:
        raise SuiteError(f"most={most!r} is not a number of groups", f"write 1 to {MOST_GROUPS:,}", origin)
    made = TotalSpec(table, column, parts, most, origin)
    gathered = collector.get()
    if gathered is not None:
        gathered.append(made)
    return made
