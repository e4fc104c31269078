"""Numbers of things as people say them. Counts are exact, with commas."""

from __future__ import annotations

from collections.abc import Sequence


def counted(value: int, one: str, many: str = "") -> str:
    """``1 check``, ``2 checks``; ``many`` where an s will not do."""
    return f"{value:,} {agreeing(value, one, many or one + 's')}"


def agreeing(value: int, one: str, many: str) -> str:
    """The word that agrees with a number: ``is`` or ``are``, ``row`` or ``rows``."""
    return one if value == 1 else many


def some_of(names: Sequence[str], most: int) -> str:
    """``a, b, c and 4 more``: at most ``most`` of the names, and how many are left."""
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left:,} more" if left > 0 else "")
