"""What the nights before accept of a night, and how many of them that takes.

A series that was constant accepts nothing else. Else a figure is accepted within the largest of three bands
around what is expected: so many robust deviations, a share of it, an absolute change. What is expected is
the median of comparable nights, each brought up to the night by the growth that they show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from kisaan_validate.dataclass import dataclass
from kisaan_validate.volumes.model import (
    Season,
    VolumeMeasure,
    VolumePoint,
    VolumeRule,
    VolumeSide,
    exact_number,
)
from kisaan_validate.volumes.robust import deviation, growth, median, steady, widened
from kisaan_validate.volumes.season import OLDEST, comparable, distance, last_words, nights_words

CONSTANT_LOOK, CONSTANT_NIGHTS = 30, 8
"""A series is constant if its last nights are equal: so many at most, so many at least."""

GROWTH_NIGHTS = 6
"""From so few nights no growth is read: of three, one decides."""

_COUNTS = frozenset({VolumeMeasure.ROWS, VolumeMeasure.DISTINCT, VolumeMeasure.FRESHNESS})
_GROWING = frozenset({VolumeMeasure.ROWS, VolumeMeasure.DISTINCT, VolumeMeasure.SUM})
"""Of these zero means that nothing is there; a share and an age do not grow from year to year."""

SUM_GRAIN, SHARE_GRAIN = 100, 10_000
"""Bounds of sums are whole hundredths, bounds of shares hundredths of a percent, both rounded outwards."""


@dataclass(frozen=True)
class Accepted:
    """What is accepted, both ends included, None where any is; ``above``: not the lower end itself.

    ``growth`` is the factor by which the nights grew from one to the next, None where that was not asked.
    """

    low: Fraction | None
    high: Fraction | None
    words: str
    constant: bool = False
    above: bool = False
    growth: Fraction | None = None

    def holds(self, value: Fraction) -> bool:
        """Whether a figure is accepted."""
        if self.low is not None and (value < self.low or (self.above and value == self.low)):
            return False
        return self.high is None or value <= self.high


@dataclass(frozen=True)
class TooLittle:
    """There are too few nights; ``words`` say how many."""

    words: str


def points_used(rule: VolumeRule, day: date, points: Sequence[VolumePoint]) -> tuple[VolumePoint, ...]:
    """Those of the points that the judgement of ``day`` looks at, the oldest first."""
    used = {*comparable(rule.by, day, points), *_latest(rule.by, day, points)}
    return tuple(sorted(used, key=lambda point: point.day))


def expected(rule: VolumeRule, day: date, points: Sequence[VolumePoint]) -> Accepted | TooLittle:
    """What is accepted of ``day`` by these points, one a day; of those of the day itself and later nothing
    is read.
    """
    return _expected(rule, day, tuple(points))


@lru_cache(maxsize=256)
def _expected(rule: VolumeRule, day: date, points: tuple[VolumePoint, ...]) -> Accepted | TooLittle:
    # Cached: a record is judged when it is made, and again by each reader.
    latest = [_number(point) for point in _latest(rule.by, day, points)]
    if len(latest) >= max(CONSTANT_NIGHTS, rule.nights) and len(set(latest)) == 1:
        of_month = rule.by is Season.DAY_OF_MONTH
        words = last_words(rule.by if of_month else Season.ANY, day, len(latest))
        return _sided(rule, Accepted(latest[0], latest[0], words, constant=True))
    alike = comparable(rule.by, day, points)
    if len(alike) < rule.nights:
        return TooLittle(f"knows too little: {len(alike)} of {nights_words(rule.by, day, rule.nights)}")
    return _sided(rule, _band(rule, day, alike))


def _latest(by: Season, day: date, points: Sequence[VolumePoint]) -> Sequence[VolumePoint]:
    """The nights that are equal if the series is constant: the last ones of any day; of a month the
    comparable ones, since a peak that comes once a month would never be learned beside thirty equal nights.
    """
    if by is Season.DAY_OF_MONTH:
        return comparable(by, day, points)
    oldest = day - timedelta(days=OLDEST[Season.ANY])
    before = (point for point in points if oldest <= point.day < day)
    return sorted(before, key=lambda point: point.day)[-CONSTANT_LOOK:]


def _band(rule: VolumeRule, day: date, alike: Sequence[VolumePoint]) -> Accepted:
    values = [_number(point) for point in alike]
    ages = [distance(rule.by, point.day, day) for point in alike]
    factor = None
    brought = values
    if rule.measure in _GROWING and len(values) >= GROWTH_NIGHTS and min(values) > 0 and steady(values):
        factor = growth([(-age, value) for age, value in zip(ages, values, strict=True)])
        brought = [value * factor**age for age, value in zip(ages, values, strict=True)]
    middle, change = median(brought), _exact(rule.change)
    score = _exact(rule.score) * widened(len(values))
    half = max(score * deviation(brought), _exact(rule.share) * abs(middle), change)
    low, high, above = middle - half, middle + half, False
    if rule.measure is not VolumeMeasure.SUM or min(values) >= 0:
        # Where no night was empty, an empty one is no chance, however far the nights lie apart; but of a
        # few rows all may be missing.
        above = low <= 0 < min(values) and rule.measure in _GROWING and middle > change
        low = max(low, Fraction(0))
    low, high = _rounded(rule.measure, low, high)
    if above and rule.measure in _COUNTS:
        low, above = Fraction(1), False
    words = last_words(rule.by, day, len(values))
    return Accepted(low, high, words, above=above, growth=factor)


def _rounded(measure: VolumeMeasure, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds that people can read. Of a count nothing changes by it; others are rounded outwards."""
    if measure in _COUNTS:
        return Fraction(ceil(low)), Fraction(floor(high))
    grain = SHARE_GRAIN if measure is VolumeMeasure.NULLS else SUM_GRAIN
    low, high = Fraction(floor(low * grain), grain), Fraction(ceil(high * grain), grain)
    return low, min(high, Fraction(1)) if measure is VolumeMeasure.NULLS else high


def _sided(rule: VolumeRule, found: Accepted) -> Accepted:
    low = None if rule.side is VolumeSide.HIGH else found.low
    high = None if rule.side is VolumeSide.LOW else found.high
    above = found.above and low is not None
    return Accepted(low, high, found.words, found.constant, above, found.growth)


def _number(point: VolumePoint) -> Fraction:
    return _exact(point.value)


def _exact(text: str) -> Fraction:
    number = exact_number(text)
    # What is declared was read before, and what is recorded is refused by its reader.
    assert number is not None, text
    return number
