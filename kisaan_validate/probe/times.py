"""Times in logs and on the command line, always with a stated zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

WEEK = timedelta(days=7)

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_EPOCH = re.compile(r"\d{10}(\.\d{1,9})?|\d{13}")


@dataclass(frozen=True)
class TwoWindows:
    """The time before and the time after, each as (begins, ends), equally long."""

    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]


def two_windows(around: datetime, until: datetime | None, seconds: int, week: bool) -> TwoWindows:
    """So many seconds before ``around``, and as many from ``until`` (None: from ``around``) on; with
    ``week``, those of the same weekday a week before the latter. Raises UsageError.
    """
    start, long = until or around, timedelta(seconds=seconds)
    if start < around:
        raise UsageError(
            "--until is earlier than --around",
            "give the time when the change began, then the time when it ended",
        )
    begins = start - WEEK if week else around - long
    if begins + long > around:
        raise UsageError("the time a week before reaches into the change", "name a shorter time with --for")
    return TwoWindows((begins, begins + long), (start, start + long))


def read_zone(text: str) -> tzinfo:
    """The zone that ``UTC``, ``+05:30`` or ``Asia/Kolkata`` names. Raises UsageError."""
    if text.upper() in {"UTC", "Z"}:
        return UTC
    if (found := _OFFSET.fullmatch(text)) and int(found[2]) < 24 and int(found[3]) < 60:
        long = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(long if found[1] == "+" else -long)
    try:
        return ZoneInfo(text)
    # A path, a NUL, an unknown name: it raises three kinds of errors.
    except (ValueError, OSError, KeyError):
        raise UsageError("--zone names no time zone", "write UTC, +05:30 or Asia/Kolkata") from None


class NoTime(Exception):
    """A text is not a time; ``ambiguous``: it is one that a clock showed twice, or never."""

    def __init__(self, ambiguous: bool = False) -> None:
        super().__init__()
        self.ambiguous = ambiguous


class NoZone(NoTime):
    """A text is a time without a known zone."""


# A log has many lines of one second, and strptime is slow.
@lru_cache(maxsize=4096)
def read_time(text: str, form: str, zone: tzinfo | None) -> datetime:
    """The time that a text says, in UTC: ISO 8601, seconds or milliseconds since 1970, or as ``form``
    (strptime). Raises NoTime.
    """
    try:
        made = datetime.strptime(text, form) if form else _read(text.strip())
        if made.tzinfo is None:
            made = _placed(made, zone)
        return made.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoTime from None


def _read(text: str) -> datetime:
    if not _EPOCH.fullmatch(text):
        return datetime.fromisoformat(text.replace(",", "."))
    # In whole microseconds: a float of that many seconds has lost some.
    whole, _, rest = text.partition(".")
    micro = int(whole) * (1_000 if len(whole) == 13 else 1_000_000) + int(f"{rest:0<6}"[:6] or 0)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)


def _placed(made: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise NoZone
    there = made.replace(tzinfo=zone)
    # When clocks are put back an hour comes twice; put forward, one never comes.
    if there.utcoffset() != there.replace(fold=1).utcoffset():
        raise NoTime(ambiguous=True)
    return there
