"""Durations in TOML files: a whole number and its unit."""

from __future__ import annotations

from typing import Annotated, Any

from kisaan_validate.text.durations import DURATION, DURATION_HINT, read_duration
from kisaan_validate.toml.model import LookBefore, wrong

LONGEST = 36_500 * 86_400


def _seconds(value: Any) -> int:
    seconds = read_duration(value) if isinstance(value, str) else None
    # The text itself is not repeated: it may be a secret in the wrong place.
    if seconds is None:
        raise wrong("must be a duration", DURATION_HINT)
    # A hundred years: what is longer no timer can wait for, and is a slip.
    if seconds > LONGEST:
        raise wrong("must be at most 36,500 d", DURATION_HINT)
    return seconds


def _some_seconds(value: Any) -> int:
    if not (seconds := _seconds(value)):
        raise wrong("must be longer than 0 s")
    return seconds


_WRITTEN = {"type": "string", "pattern": DURATION}
Duration = Annotated[int, LookBefore(_seconds, _WRITTEN)]
"""A number of seconds."""
SomeTime = Annotated[int, LookBefore(_some_seconds, _WRITTEN)]
"""A number of seconds, and more than none."""
