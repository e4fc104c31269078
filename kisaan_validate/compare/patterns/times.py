"""What happens to times: shifts, zones taken for others, lost fractions, epochs, days and months
exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kisaan_validate.compare.patterns.base import Pair, Parameter, Pattern, Sort, number_of, time_of

TIMES = frozenset({Sort.TIME})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAVED = frozenset({timedelta(hours=1), timedelta(minutes=30)})
_DAY, _QUARTER, _NONE = timedelta(days=1), timedelta(minutes=15), timedelta(0)

FIXED_ZONES = {
    "+05:30": "Asia/Kolkata",
    "+05:45": "Asia/Kathmandu",
    "+04:00": "Asia/Dubai",
    "+05:00": "Asia/Karachi",
    "+06:00": "Asia/Dhaka",
    "+06:30": "Asia/Yangon",
    "+07:00": "Asia/Bangkok",
    "+08:00": "Asia/Shanghai",
    "+09:00": "Asia/Tokyo",
    "+03:00": "Africa/Nairobi",
    "+03:30": "Asia/Tehran",
    "-03:00": "America/Sao_Paulo",
}
"""A well-known zone of an offset that does not change over the year, to call a shift by."""

SUMMER_ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Helsinki",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Halifax",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Asia/Jerusalem",
    "Africa/Cairo",
)
"""One zone for each well-known rule of summer time."""


def in_words(shift: timedelta) -> str:
    """+05:30, -01:00:00.5, +2 days, +1 day 02:00."""
    # divmod of a negative timedelta rounds down, so the sign is taken off first.
    size, sign = abs(shift), "-" if shift < _NONE else "+"
    days, rest = divmod(size, _DAY)
    minutes, small = divmod(rest, timedelta(minutes=1))
    seconds = (
        f"{small.seconds:02d}" + f".{small.microseconds:06d}".rstrip("0")
        if small.microseconds
        else f"{small.seconds:02d}"
    )
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds}" if small else "")
    if not days:
        return sign + clock
    return f"{sign}{days} day{'s' if days > 1 else ''}" + (f" {clock}" if rest else "")


class Shifted(Pattern):
    """Every time moved by the same amount: +05:30."""

    name = "time shift"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The difference, to the microsecond."""
        if pair.times and pair.times[0] != pair.times[1]:
            yield _shift(pair.times[1] - pair.times[0])

    def free(self, parameter: Parameter) -> bool:
        """Offsets of zones, and a day, are few; any two times differ by something."""
        return not _known(parameter[0])

    def says(self, parameter: Parameter) -> str:
        """By how much, and whose offset that is."""
        zone = FIXED_ZONES.get("+" + parameter[0][1:], FIXED_ZONES.get("-" + parameter[0][1:]))
        return f"shifted by {parameter[0]}" + (f" (the offset of {zone})" if zone else "")

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``shift``."""
        return {"shift": parameter[0]}


@cache
def _known_shifts() -> frozenset[str]:
    # All offsets are quarters of an hour, up to 14.
    quarters = {in_words(sign * n * _QUARTER) for n in range(1, 14 * 4 + 1) for sign in (1, -1)}
    return frozenset(quarters | {in_words(_DAY), in_words(-_DAY)})


def _known(shift: str) -> bool:
    return shift in _known_shifts()


_words: dict[timedelta, Parameter] = {}


def _shift(difference: timedelta) -> Parameter:
    """The parameter of a shift; the words of the first thousand are kept, since one shift is met again and
    again.
    """
    found = _words.get(difference)
    if found is None:
        found = (in_words(difference),)
        if len(_words) < 1_000:
            _words[difference] = found
    return found


@cache
def _zones() -> tuple[tuple[str, ZoneInfo, frozenset[timedelta]], ...]:
    """The zones this machine knows, each with its offsets through half a century."""
    found = []
    for name in SUMMER_ZONES:
        try:
            zone = ZoneInfo(name)
        # A machine without tzdata knows no zones; then no zone is claimed.
        except ZoneInfoNotFoundError:
            continue
        months = [
            # One moment a quarter is enough to meet both offsets of a zone.
            datetime(year, month, 15, tzinfo=UTC)
            for year in range(1980, 2031)
            for month in (1, 4, 7, 10)
        ]
        found.append(
            (name, zone, frozenset(offset for m in months if (offset := m.astimezone(zone).utcoffset())))
        )
    return tuple(found)


@lru_cache(maxsize=1_000)
def _candidates(difference: timedelta) -> tuple[tuple[str, str, ZoneInfo], ...]:
    """The zones that have the difference as an offset at some time of the year, each with the way it would
    be taken.
    """
    read = (("read as", name, zone) for name, zone, offsets in _zones() if -difference in offsets)
    return (*read, *(("shown as", name, zone) for name, zone, offsets in _zones() if difference in offsets))


class ZoneTaken(Pattern):
    """Local times of a zone with summer time were taken for UTC, or the other way: two shifts, by the time
    of the year.
    """

    name = "zone shift"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Every zone whose offset at that time is the difference."""
        if not pair.times:
            return
        before, after = pair.times
        difference = after - before
        for way, name, zone in _candidates(difference):
            if way == "shown as":
                offsets = {before.astimezone(zone).utcoffset()}
            else:
                # A local time is twice there when clocks go back: both are tried.
                offsets = {-_local_offset(before, zone, fold) for fold in (0, 1)}
            if difference in offsets:
                yield way, name

    def least(self, parameter: Parameter) -> int:
        """Some zone fits a single hour."""
        return 3

    def needs_variety(self, parameter: Parameter) -> bool:
        """With a single offset it is a constant shift."""
        return True

    def variety(self, pair: Pair) -> object:
        """The offsets are what must differ."""
        return pair.times and pair.times[1] - pair.times[0]

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """The better known zone."""
        return SUMMER_ZONES.index(parameter[1]), parameter[0]

    def says(self, parameter: Parameter) -> str:
        """Which zone, and which way."""
        way, zone = parameter
        meant = (
            "UTC was read as its local time" if way == "read as" else "its local time stands where UTC stood"
        )
        return f"shifted by the offset of {zone}, which changes with summer time ({meant})"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``zone`` and ``way``."""
        return {"way": parameter[0], "zone": parameter[1]}


def _local_offset(moment: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    return moment.replace(tzinfo=zone, fold=fold).utcoffset() or _NONE


class SummerShifted(Pattern):
    """Only times within a zone's summer time moved, by that hour: its offset was taken for the same all
    year.
    """

    name = "summer time shift"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Every zone that keeps summer time then, by as much as the difference."""
        if not pair.times:
            return
        before, after = pair.times
        difference = after - before
        if abs(difference) in _SAVED:
            for name, zone, _ in _zones():
                if before.astimezone(zone).dst() == abs(difference):
                    yield in_words(difference), name

    def least(self, parameter: Parameter) -> int:
        """Half of all times lie in summer."""
        return 3

    def needs_variety(self, parameter: Parameter) -> bool:
        """Times of one summer are merely times of one season."""
        return True

    def variety(self, pair: Pair) -> object:
        """More than one year."""
        return pair.times and pair.times[0].year

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """The better known zone."""
        return SUMMER_ZONES.index(parameter[1]), parameter[0]

    def says(self, parameter: Parameter) -> str:
        """By how much, and whose summer."""
        return f"shifted by {parameter[0]}, within the summer time of {parameter[1]} only,"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``shift`` and ``zone``."""
        return {"shift": parameter[0], "zone": parameter[1]}


class CalendarMoved(Pattern):
    """Another month or year, the same day and time: 2025 became 0025, or 2026."""

    name = "calendar shift"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The difference in months."""
        if not pair.times:
            return
        before, after = pair.times
        months = (after.year - before.year) * 12 + after.month - before.month
        # With year and month alike: day, time and fraction must be the same. 2000 is a leap year.
        if months and before.replace(year=2000, month=1) == after.replace(year=2000, month=1):
            yield (f"{months:+d}",)

    def free(self, parameter: Parameter) -> bool:
        """One year more or less, and a lost century, are what happens."""
        # Two-digit years: 2025 became 0025, or 1925.
        return abs(int(parameter[0])) not in {12, 1_200, 12 * 1_900, 12 * 2_000}

    def says(self, parameter: Parameter) -> str:
        """By how many months or years."""
        months = int(parameter[0])
        size, unit = (months // 12, "year") if months % 12 == 0 else (months, "month")
        return f"moved by {size:+,d} {unit}{'s' if abs(size) > 1 else ''}, day and time the same"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``months``."""
        return {"months": parameter[0]}


class DayMonthExchanged(Pattern):
    """4 March became 3 April: day and month were read the other way round."""

    name = "day and month exchanged"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The same year and time, day and month exchanged."""
        if pair.times:
            before, after = pair.times
            if (
                # Where day and month are equal nothing would have changed.
                before.month != before.day
                and before.day <= 12
                and before.replace(month=before.day, day=before.month) == after
            ):
                yield ()

    def says(self, parameter: Parameter) -> str:
        """No parameter."""
        return "day and month exchanged"


_UNITS = {
    "day": _DAY,
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
}


class PrecisionLost(Pattern):
    """The time of the day was lost, or minutes, seconds, fractions: cut off or rounded."""

    name = "time precision lost"
    sorts = TIMES

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Every unit at which it is so; a day may also begin at a zone's midnight."""
        if not pair.times:
            return
        before, after = pair.times
        if abs(after - before) > _DAY:
            return
        since = before - _EPOCH
        for unit, size in _UNITS.items():
            # Whole units since 1970: exact, without floats.
            cut = since // size * size
            if cut == since:
                break  # nothing finer was there to lose
            if _EPOCH + cut == after:
                yield unit, "cut off", "UTC"
            elif unit != "day" and after == _EPOCH + cut + size and since - cut >= size / 2:
                yield unit, "rounded", "UTC"
        yield from self._local_midnight(before, after)

    def _local_midnight(self, before: datetime, after: datetime) -> Iterator[Parameter]:
        # Midnight in another zone, as UTC shows it.
        offset = timedelta(hours=24) - timedelta(hours=after.hour, minutes=after.minute)
        if after.second or after.microsecond or offset % _QUARTER or not _NONE <= before - after < _DAY:
            return
        for shift in (offset, offset - _DAY):
            if _NONE != shift != _DAY and abs(shift) <= timedelta(hours=14) and before != after:
                yield "day", "cut off", in_words(shift)

    def free(self, parameter: Parameter) -> bool:
        """A day's beginning in some zone fits one in a hundred accidents."""
        return parameter[2] != "UTC"

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """The coarser unit first: it says more."""
        return list(_UNITS).index(parameter[0]), *parameter[1:]

    def says(self, parameter: Parameter) -> str:
        """What was lost."""
        unit, way, zone = parameter
        if unit == "day":
            return "time of the day lost" + ("" if zone == "UTC" else f" (the start of the day at {zone})")
        return f"{'cut off below' if way == 'cut off' else 'rounded to'} the {unit}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``unit``, ``way`` and ``zone``."""
        return {"unit": parameter[0], "way": parameter[1], "zone": parameter[2]}


_EPOCHS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}


class Epoch(Pattern):
    """A time became the number of its seconds or milliseconds since 1970, or the other way, or one was
    taken for the other.
    """

    name = "epoch"
    group = 0
    sorts = frozenset({Sort.TIME, Sort.NUMBER, Sort.TEXT})

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Exactly, or with the fraction of a second cut off."""
        if pair.times:
            yield from self._mistaken(*pair.times)
        elif (time := time_of(pair.before)) and (number := number_of(pair.after)) is not None:
            yield from (("to", unit) for unit in self._units(time, number))
        elif (time := time_of(pair.after)) and (number := number_of(pair.before)) is not None:
            yield from (("from", unit) for unit in self._units(time, number))

    def _units(self, time: datetime, number: Decimal) -> Iterator[str]:
        since = _since(time)
        for unit, factor in _EPOCHS.items():
            if number in (since * factor, since * factor // 1):
                yield unit

    def _mistaken(self, before: datetime, after: datetime) -> Iterator[Parameter]:
        # Seconds read as milliseconds fall into January 1970; near the epoch anything could be that.
        if abs(after - before) < 1_000 * _DAY or not _EPOCH + timedelta(
            days=366
        ) < before < _EPOCH + timedelta(days=36_525):
            return
        old, new = _since(before), _since(after)
        # Exactly, or with the fraction cut off, as an integer column does.
        if new in (old / 1_000, old // 1_000):
            yield "mistaken", "seconds"
        elif new in (old * 1_000, old // 1 * 1_000):
            yield "mistaken", "milliseconds"

    def says(self, parameter: Parameter) -> str:
        """Which way, in which unit."""
        way, unit = parameter
        if way == "mistaken":
            other = "milliseconds" if unit == "seconds" else "seconds"
            return f"{unit} since 1970 were read as {other}"
        if way == "to":
            return f"became {unit} since 1970"
        return f"{unit} since 1970 became a time"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``way`` and ``unit``."""
        return {"way": parameter[0], "unit": parameter[1]}


def _since(time: datetime) -> Decimal:
    # Whole microseconds first: total_seconds() would be a float.
    return Decimal((time - _EPOCH) // timedelta(microseconds=1)) / 1_000_000


PATTERNS: tuple[Pattern, ...] = (
    Epoch(),
    DayMonthExchanged(),
    ZoneTaken(),
    SummerShifted(),
    PrecisionLost(),
    CalendarMoved(),
    Shifted(),
)
