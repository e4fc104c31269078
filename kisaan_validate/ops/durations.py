"""How long something may be, as it is written in TOML: a whole number and its unit."""

from __future__ import annotations

import re
from typing import Annotated, Any

from kisaan_validate.toml.model import LookBefore, wrong

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_DURATION = r"^\s*(\d{1,9})\s*(s|min|h|d)\s*$"


def _seconds(value: Any) -> int:
    # A bare number is refused: seconds or milliseconds could be meant.
    found = re.search(_DURATION, value) if isinstance(value, str) else None
    # The text itself is not repeated: it may be a secret in the wrong place.
    if found is None:
        hint = 'write a whole number and its unit: "90 s", "15 min", "2 h", "1 d"'
        raise wrong("must be a duration", hint)
    return int(found[1]) * _UNITS[found[2]]


def _some_seconds(value: Any) -> int:
    if not (seconds := _seconds(value)):
        raise wrong("must be longer than 0 s")
    return seconds


_WRITTEN = {"type": "string", "pattern": _DURATION}
Duration = Annotated[int, LookBefore(_seconds, _WRITTEN)]
"""In seconds."""
SomeTime = Annotated[int, LookBefore(_some_seconds, _WRITTEN)]
"""In seconds, and more than none."""
