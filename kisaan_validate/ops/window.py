"""A window of the day: between which times a scan may run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kisaan_validate.dataclass import dataclass

ZONE_HINT = 'write "Asia/Kolkata" or "UTC"'

_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d)"


def read_times(text: str) -> tuple[time, time] | None:
    """The two times of "01:00-05:00"; None for any other text, and for a window without length."""
    found = re.fullmatch(rf"\s*{_CLOCK}\s*-\s*{_CLOCK}\s*", text, re.A)
    if found is None or found[1] == found[2]:
        return None
    return time.fromisoformat(found[1]), time.fromisoformat(found[2])


def read_zone(name: str) -> ZoneInfo | None:
    """The time zone of a name of the time zone database. An abbreviation is not a name: it means one zone
    here and another there.
    """
    if not re.fullmatch(r"UTC|\w+(/[\w+-]+)+", name, re.A):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True)
class Window:
    """From ``start`` to ``end`` on each day of ``zone``; an end before the start is that of the next day.

    On a day on which the clock skips all of it there is none.
    """

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """When the window ends that is open at ``now``, in UTC; None outside."""
        today = now.astimezone(self.zone).date()
        # That of yesterday may last beyond midnight.
        for day in (today, today - timedelta(days=1)):
            last = day + timedelta(days=self.end <= self.start)
            # In UTC: datetimes of one zone are compared by their clocks, and a night may have 23 or 25 hours.
            begins = datetime.combine(day, self.start, self.zone).astimezone(UTC)
            ends = datetime.combine(last, self.end, self.zone).astimezone(UTC)
            if begins <= now.astimezone(UTC) < ends:
                return ends
        return None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"
