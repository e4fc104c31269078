"""Lengths of time as people write them: a whole number and its unit."""

from __future__ import annotations

import re

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
DURATION = r"^\s*(\d{1,9})\s*(s|min|h|d)\s*$"
DURATION_HINT = 'write a whole number and its unit: "90 s", "15 min", "2 h", "1 d"'


def read_duration(text: str) -> int | None:
    """The seconds of ``26 h``; None where the text is not a duration."""
    # A bare number is not a duration: seconds or milliseconds could be meant.
    found = re.search(DURATION, text)
    return int(found[1]) * UNITS[found[2]] if found is not None else None


def duration_words(seconds: int) -> str:
    """ "40 min" of 2,400: exact, in the largest unit that divides it."""
    for unit, size in reversed(UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{seconds // size:,} {unit}"
    return f"{seconds:,} s"
