"""Times as PostgreSQL writes the values of its settings."""

from __future__ import annotations

import re

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1e-3}


def setting_seconds(text: str) -> float:
    """A time as current_setting() writes it: ``3s``, ``500ms``, ``0``. Raises ValueError."""
    found = re.fullmatch(r"(\d+)(us|ms|s|min|h|d)?", text)
    if found is None:
        raise ValueError(f"not a time: {text!r}")
    return int(found[1]) * _UNITS[found[2] or ""]
