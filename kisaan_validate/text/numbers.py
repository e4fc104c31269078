"""Numbers of things as people say them. Counts are exact, with commas."""

from __future__ import annotations


def counted(value: int, one: str, many: str = "") -> str:
    """``1 check``, ``2 checks``; ``many`` where an s will not do."""
    return f"{value:,} {agreeing(value, one, many or one + 's')}"


def agreeing(value: int, one: str, many: str) -> str:
    """The word that agrees with a number: ``is`` or ``are``, ``row`` or ``rows``."""
    return one if value == 1 else many
