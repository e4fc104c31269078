"""Durations in words, exact: in the largest unit of which they are a whole number."""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration_words(seconds: int) -> str:
    """ "40 min" of 2,400; as TOML files write them."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size:,} {unit}"
    return f"{seconds:,} s"
