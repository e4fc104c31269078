"""Which nights are comparable with a night, and what they are called."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from kisaan_validate.volumes.model import Season, VolumePoint

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

WINDOW = {Season.WEEKDAY: 12, Season.DAY_OF_MONTH: 12, Season.ANY: 28}
"""So many comparable nights are looked at, at most."""

OLDEST = {Season.WEEKDAY: 182, Season.DAY_OF_MONTH: 400, Season.ANY: 91}
"""Days; what is older says nothing of today."""


def comparable(by: Season, day: date, points: Sequence[VolumePoint]) -> tuple[VolumePoint, ...]:
    """The last of the points that are comparable with ``day``, the oldest first; none of the day itself or
    later.
    """
    oldest = day - timedelta(days=OLDEST[by])
    alike = (p for p in points if oldest <= p.day < day and _place(by, p.day) == _place(by, day))
    return tuple(sorted(alike, key=lambda p: p.day)[-WINDOW[by] :])


def distance(by: Season, earlier: date, later: date) -> int:
    """How many weeks, months or days lie between two comparable days."""
    if by is Season.DAY_OF_MONTH:
        return (later.year - earlier.year) * 12 + later.month - earlier.month
    days = (later - earlier).days
    return days // 7 if by is Season.WEEKDAY else days


def _place(by: Season, day: date) -> int:
    if by is Season.WEEKDAY:
        return day.weekday()
    if by is Season.ANY:
        return 0
    # The ends of months are alike, whether they are the 28th or the 31st.
    return 0 if is_month_end(day) else day.day


def is_month_end(day: date) -> bool:
    """Whether it is the last day of its month."""
    return day.day == monthrange(day.year, day.month)[1]


def nights_words(by: Season, day: date, number: int) -> str:
    """So many comparable nights: ``12 Sundays``, ``3 month ends``, ``1 night``."""
    one = {
        Season.WEEKDAY: _DAYS[day.weekday()],
        Season.DAY_OF_MONTH: "month end" if is_month_end(day) else f"day {day.day} of a month",
        Season.ANY: "night",
    }[by]
    if number == 1:
        return f"1 {one}"
    return f"{number} days {day.day} of a month" if one.startswith("day ") else f"{number} {one}s"


def last_words(by: Season, day: date, number: int) -> str:
    """By which nights something was judged: ``the last 12 Sundays``."""
    return f"the last {nights_words(by, day, number)}"


UNIT = {Season.WEEKDAY: "week", Season.DAY_OF_MONTH: "month", Season.ANY: "night"}
"""What :func:`distance` counts."""
