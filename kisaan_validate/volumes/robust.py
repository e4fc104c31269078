"""Medians, deviations and growth that a few wild nights do not move, in exact numbers.

Median absolute deviation, and the modified score 0.6745·(x − median)/MAD: Iglewicz and Hoaglin, How to
Detect and Handle Outliers (1993). Factors for few values: Croux and Rousseeuw, Time-efficient algorithms for
two highly robust estimators of scale (1992). Growth: the median of the slopes of all pairs (Theil 1950, Sen
1968), here of logarithms: the median of the growth factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

FEW = {2: "1.196", 3: "1.495", 4: "1.363", 5: "1.206", 6: "1.200", 7: "1.140", 8: "1.129", 9: "1.107"}
"""By how much the median absolute deviation of so many values is too small."""

_NORMAL, _MEAN_NORMAL = Fraction(6745, 10_000), Fraction(1_253_314, 1_000_000)
"""By these a median, or a mean, of absolute deviations is a standard deviation, if values are normal."""

GRAIN = 10**6
"""Growth factors are whole millionths."""


def median(values: Sequence[Fraction]) -> Fraction:
    """The middle value, or the mean of the two in the middle. Needs at least one."""
    ordered, half = sorted(values), len(values) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def deviation(values: Sequence[Fraction]) -> Fraction:
    """How far values lie from their median, as a standard deviation would say it. Where more than half are
    equal, the mean of all deviations says it; 0 where all are.
    """
    middle = median(values)
    apart = [abs(value - middle) for value in values]
    number = len(values)
    if usual := median(apart):
        # 1 − 0.8/n: from ten values on.
        few = Fraction(FEW[number]) if number in FEW else Fraction(10 * number, 10 * number - 8)
        return usual * few / _NORMAL
    return sum(apart, Fraction(0)) / number * _MEAN_NORMAL


def widened(number: int) -> Fraction:
    """By how much wider a band of deviations must be that so few values gave: 1 + 10/n.

    Student's distribution asks for 1 + 5/n beside the normal one; the rest is for the median deviation, which
    varies more, and for nights that rang, which are missing among the values. A test counts false alarms.
    """
    return 1 + Fraction(10, number)


def steady(values: Sequence[Fraction]) -> bool:
    """Whether values rise, or fall, as they follow: three of four pairs do (Kendall's tau of a half)."""
    pairs = list(combinations(values, 2))
    rising = sum(early < late for early, late in pairs)
    falling = sum(early > late for early, late in pairs)
    return 4 * max(rising, falling) >= 3 * len(pairs)


def growth(points: Sequence[tuple[int, Fraction]]) -> Fraction:
    """The median factor by which values grow in one unit of time. ``points`` are (time, value), no two of one
    time, all values above 0.
    """
    pairs = combinations(sorted(points), 2)
    factors = [root_of(late / early, then - once) for (once, early), (then, late) in pairs]
    return median(factors)


def root_of(value: Fraction, degree: int) -> Fraction:
    """The root of a value of at least 0, in whole millionths, rounded down."""
    scaled = value.numerator * GRAIN**degree // value.denominator
    return Fraction(_whole_root(scaled, degree), GRAIN)


def _whole_root(value: int, degree: int) -> int:
    """The largest whole number whose power is at most ``value``, by Newton's method from above."""
    if value == 0:
        return 0
    found = 1 << -(-value.bit_length() // degree)
    while True:
        nearer = ((degree - 1) * found + value // found ** (degree - 1)) // degree
        if nearer >= found:
            return found
        found = nearer
