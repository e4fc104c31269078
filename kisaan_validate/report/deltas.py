"""How far two numbers or two times are apart, as people read it: exact, with its sign."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Context, Decimal, Inexact

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_EXACT = Context(prec=2_000, traps=[Inexact])
"""Wide enough for every number of a value that is shown as a whole."""

NUMBERS, TIMES = frozenset({"integer", "numeric"}), frozenset({"timestamp", "timestamptz"})
"""The canonical forms of columns whose values have a difference."""


def delta(before: str | None, after: str | None, form: str) -> str:
    """What was added to ``before`` to get ``after``: "+0.50", "−5:30:00"; "" where there is no such thing."""
    if before is None or after is None:
        return ""
    if form in NUMBERS:
        return _of_numbers(before, after)
    return _of_times(before, after) if form in TIMES else ""


def _of_numbers(before: str, after: str) -> str:
    if not (_NUMBER.fullmatch(before) and _NUMBER.fullmatch(after)):
        return ""
    apart = _EXACT.subtract(Decimal(after), Decimal(before))
    return f"{_sign(apart < 0)}{abs(apart):,f}"


def _of_times(before: str, after: str) -> str:
    try:
        apart = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    except (ValueError, TypeError):  # infinity, years beyond 9999 or before 1; a zone on one side only
        return ""
    size = abs(apart)
    days = f"{size.days:,} d " if size.days else ""
    seconds, fraction = size.seconds, f".{size.microseconds:06}".rstrip("0").rstrip(".")
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"
    return f"{_sign(apart < timedelta())}{days}{clock}"


def _sign(negative: bool) -> str:
    return "−" if negative else "+"
