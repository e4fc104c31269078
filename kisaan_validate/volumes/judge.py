"""The judgement of one figure: a pure function of the rule, the figure, and the nights before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from enum import StrEnum
from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.volumes.expect import Accepted, TooLittle, expected, points_used
from kisaan_validate.volumes.model import (
    PastPoint,
    VolumeFact,
    VolumeMeasure,
    VolumePoint,
    VolumeRule,
    exact_number,
)
from kisaan_validate.volumes.words import accepted_words, found_words, limits_words


class VolumeState(StrEnum):
    """What is said of a figure. TOO_LITTLE and NOTHING say nothing of it."""

    HOLDS = "holds"
    RINGS = "rings"
    TOO_LITTLE = "knows too little"
    NOTHING = "nothing to measure"


@dataclass(frozen=True)
class VolumeOutcome:
    """What is said of a figure, and why. ``low`` and ``high`` are what the nights accept."""

    state: VolumeState
    message: str
    low: Fraction | None = None
    high: Fraction | None = None


def training(rule: VolumeRule, day: date, past: Iterable[PastPoint]) -> tuple[VolumePoint, ...]:
    """The points that ``day`` is judged by. A night that rang does not count, unless it was accepted or lies
    after ``since``; the day itself never does. Of two points of one day the later in ``past`` counts.
    """
    since = rule.since
    one_a_day = {found.point.day: found for found in past}
    trains = (
        found.point
        for found in one_a_day.values()
        if (found.trains if since is None else found.point.day >= since)
        and exact_number(found.point.value) is not None
    )
    return points_used(rule, day, tuple(trains))


def outcome_of(fact: VolumeFact, table: str, columns: tuple[str, ...]) -> VolumeOutcome:
    """The judgement of a recorded figure, of this table and these columns."""
    rule, value = fact.rule, exact_number(fact.value)
    found = found_words(rule, fact.day, fact.value, table, columns)
    by_nights = expected(rule, fact.day, fact.points)
    if value is None:
        return _of_nothing(rule, found)
    limits = limits_words(rule)
    said = [found, f"declared: {limits}" if limits else ""]
    beyond = _beyond(rule, value)
    if isinstance(by_nights, TooLittle):
        if not limits:
            return VolumeOutcome(VolumeState.TOO_LITTLE, f"{by_nights.words}; {found}")
        return VolumeOutcome(_state(beyond), _joined(*said, f"the past {by_nights.words}"))
    rings = not by_nights.holds(value)
    words = accepted_words(rule.measure, rule.by, by_nights)
    return VolumeOutcome(_state(rings or beyond), _joined(*said, words), by_nights.low, by_nights.high)


def with_bounds(fact: VolumeFact) -> VolumeFact:
    """The fact with what its nights accept."""
    found = expected(fact.rule, fact.day, fact.points)
    if not isinstance(found, Accepted):
        return replace(fact, low=None, high=None)
    return replace(fact, low=_text(found.low), high=_text(found.high))


def _of_nothing(rule: VolumeRule, found: str) -> VolumeOutcome:
    """Where nothing could be measured: no row has a share of NULLs, but what has no newest value is old, and
    a sum that is no number is no sum.
    """
    no_share = rule.measure is VolumeMeasure.NULLS
    return VolumeOutcome(VolumeState.NOTHING if no_share else VolumeState.RINGS, found)


def _state(rings: bool) -> VolumeState:
    return VolumeState.RINGS if rings else VolumeState.HOLDS


def _beyond(rule: VolumeRule, value: Fraction) -> bool:
    """Whether it lies outside of what is declared, whatever the past says."""
    least, most = (exact_number(end) if end is not None else None for end in (rule.least, rule.most))
    return (least is not None and value < least) or (most is not None and value > most)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _text(value: Fraction | None) -> str | None:
    return str(value) if value is not None else None
