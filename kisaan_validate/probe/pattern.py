"""Regular expressions that other people write, and that strangers' texts are matched with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

PATIENCE = 1.0
"""Seconds that one regular expression may take over one text."""


def compiled(pattern: str) -> regex.Pattern[str] | None:
    """The regular expression that a text says; None if it says none."""
    import regex

    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError):
        return None
