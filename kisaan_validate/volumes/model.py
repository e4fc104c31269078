"""Volumes: what is measured of a table each night, the rule that judges it, and what a run recorded of both.

Exact numbers are text: ``1204``, ``-0.50``, or ``37/1204``, which is a share with its two counts.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from fractions import Fraction

from kisaan_validate.dataclass import dataclass

LONGEST_NUMBER = 400
"""Characters; what is longer is no figure that a table of this world has."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|-?[0-9]+/[0-9]*[1-9][0-9]*")


def exact_number(text: str) -> Fraction | None:
    """The number that a text is; None if it is not one: NaN, an exponent, a division by zero."""
    if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return Fraction(text)


class VolumeMeasure(StrEnum):
    """What is measured. All but FRESHNESS may be of the rows of one day only."""

    ROWS = "rows"
    SUM = "sum"
    NULLS = "nulls"
    """The share of rows in which a column is NULL."""
    DISTINCT = "distinct"
    FRESHNESS = "freshness"
    """The age of the newest value in whole seconds."""


class Season(StrEnum):
    """With which nights a night is compared."""

    WEEKDAY = "weekday"
    DAY_OF_MONTH = "day_of_month"
    ANY = "any"


class VolumeSide(StrEnum):
    """On which side of the accepted range a figure rings."""

    BOTH = "both"
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class VolumeRule:
    """How a figure is judged. It rings past ``score`` robust deviations, and ``change``, and ``share`` of
    what is expected: past all three. ``nights`` is how many comparable nights it needs.

    ``least`` and ``most`` hold whatever the past says. Nights before ``since`` count for nothing, those from
    then on count even if they rang. ``arrives``: of the rows of one day, ``days_back`` days before the run's.
    """

    measure: VolumeMeasure = VolumeMeasure.ROWS
    arrives: bool = False
    days_back: int = 1
    zone: str = "UTC"
    by: Season = Season.WEEKDAY
    nights: int = 8
    share: str = "1/10"
    change: str = "10"
    score: str = "7/2"
    side: VolumeSide = VolumeSide.BOTH
    least: str | None = None
    most: str | None = None
    since: date | None = None


@dataclass(frozen=True)
class VolumePoint:
    """The figure of one day."""

    day: date
    value: str


@dataclass(frozen=True)
class PastPoint:
    """The figure of one earlier night; ``trains``: it did not ring, or somebody accepted that it did."""

    point: VolumePoint
    trains: bool


@dataclass(frozen=True)
class VolumeFact:
    """What a run knows of one volume: the figure of ``day``, and the earlier nights it was judged by.

    ``measured`` is the digest of what is measured, without the rule. ``value`` is "" where there was nothing
    to measure. ``low`` and ``high`` are what the nights and the rule accept, None where they do not say.
    """

    rule: VolumeRule
    measured: str
    day: date
    value: str
    points: tuple[VolumePoint, ...] = ()
    low: str | None = None
    high: str | None = None
