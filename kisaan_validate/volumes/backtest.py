"""What a rule would have said of nights that are over, and the bounds that they suggest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil, floor

from kisaan_validate.dataclass import dataclass
from kisaan_validate.volumes.judge import VolumeOutcome, VolumeState, outcome_of, training
from kisaan_validate.volumes.model import (
    PastPoint,
    VolumeFact,
    VolumeMeasure,
    VolumePoint,
    VolumeRule,
    exact_number,
)

MARGIN = Fraction(1, 10)
"""Proposed bounds lie so far beyond the nights that did not ring."""


@dataclass(frozen=True)
class TriedNight:
    """A night and what the rule says of it."""

    point: VolumePoint
    outcome: VolumeOutcome

    @property
    def rings(self) -> bool:
        """Whether the rule would have rung."""
        return self.outcome.state is VolumeState.RINGS


def tried(
    rule: VolumeRule, past: Iterable[PastPoint], table: str, columns: tuple[str, ...]
) -> list[TriedNight]:
    """Each night judged by those before it, without those that rang; the oldest first. Of
    two figures of one day the later in ``past`` counts.
    """
    one_a_day = {found.point.day: found.point for found in past}
    before: list[PastPoint] = []
    nights = []
    for point in sorted(one_a_day.values(), key=lambda point: point.day):
        fact = VolumeFact(rule, "", point.day, point.value, training(rule, point.day, before))
        night = TriedNight(point, outcome_of(fact, table, columns))
        nights.append(night)
        before.append(PastPoint(point, not night.rings))
    return nights


def proposed(rule: VolumeRule, nights: Sequence[TriedNight]) -> str:
    """Bounds that hold on all nights that did not ring, with a margin, as arguments of a declaration; ""
    where these are fewer than the rule itself asks for.
    """
    held = (exact_number(night.point.value) for night in nights if not night.rings)
    values = [value for value in held if value is not None]
    if len(values) < rule.nights:
        return ""
    low, high = min(values), max(values)
    low -= MARGIN * abs(low)
    high += MARGIN * abs(high)
    if rule.measure is VolumeMeasure.NULLS:
        return f'most="{min(_up(high * 100), 100)}%"'
    if rule.measure is VolumeMeasure.FRESHNESS:
        return f"most=timedelta(hours={ceil(high / 3_600) or 1})"
    return f"least={_down(low)}, most={_up(high)}"


def _up(value: Fraction) -> int:
    """The next number above that has two digits, and zeros."""
    grain = _grain(value)
    return ceil(value / grain) * grain


def _down(value: Fraction) -> int:
    grain = _grain(value)
    return floor(value / grain) * grain


def _grain(value: Fraction) -> int:
    return int(10 ** max(len(str(abs(int(value)))) - 2, 0))
