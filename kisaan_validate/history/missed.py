"""Nights on which no run was recorded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median_low

LEAST_GAPS = 7
"""From so few gaps between runs no rhythm is guessed."""

SHORTEST = 3600
"""Seconds; runs that follow each other faster are somebody's at work, and no rhythm."""


def rhythm(times: Sequence[datetime], every_seconds: int) -> int:
    """How often runs come, in seconds: as it was said, else the median gap of at least 7; 0 if neither
    tells.
    """
    if every_seconds:
        return every_seconds
    gaps = sorted(int((b - a).total_seconds()) for a, b in pairwise(times))
    middle = median_low(gaps) if len(gaps) >= LEAST_GAPS else 0
    return middle if middle >= SHORTEST else 0


def missed(times: Sequence[datetime], every_seconds: int) -> list[int]:
    """How many runs are missing before each of these times, the oldest first, one number each.

    A night that is an hour longer or shorter, as where clocks change, or half as late again, misses nothing.
    """
    every = rhythm(times, every_seconds)
    gaps = [0.0, *((b - a).total_seconds() for a, b in pairwise(times))]
    if not every:
        return [0] * len(times)
    # Beyond one and a half there is room for one more; rounded to the nearest whole number of nights.
    return [max(0, round(gap / every) - 1) if gap > 1.5 * every else 0 for gap in gaps[: len(times)]]
