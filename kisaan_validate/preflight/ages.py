"""How old evidence is, and whether it is recent enough."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from kisaan_validate.facts.states import StandingState
from kisaan_validate.text.durations import UNITS, duration_words

AHEAD = 5
"""Seconds by which evidence may be younger than this machine's clock: clocks are never quite the same."""


def age_words(seconds: float) -> str:
    """An age in its two largest units, rounded up: never younger than it is."""
    left = ceil(seconds)
    parts: list[str] = []
    for unit, size in reversed(UNITS.items()):
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size:,} {unit}")
            left %= size
    return " ".join(parts) or "0 s"


def age_judged(at: datetime, now: datetime, most: int) -> tuple[StandingState, str]:
    """Whether something of ``at`` is at most ``most`` seconds old, in words: "2 h old (at most 1 d)"."""
    seconds = (now - at).total_seconds()
    if seconds < -AHEAD:
        return StandingState.UNKNOWN, f"{age_words(-seconds)} ahead of this machine's clock"
    words = f"{age_words(max(0.0, seconds))} old"
    if seconds > most:
        return StandingState.FAIL, f"{words}, at most {duration_words(most)} is allowed"
    return StandingState.PASS, f"{words} (at most {duration_words(most)})"
