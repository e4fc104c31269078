"""By how much two figures differ, exactly: −30, +500.00, −5:30:00."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact

from kisaan_validate.facts.differences import VALUES, Change
from kisaan_validate.facts.table import Family

NUMBERS, TIMES = frozenset({"integer", "numeric"}), frozenset({"timestamp", "timestamptz"})
"""The canonical forms of columns whose values have a difference."""

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_EXACT = Context(prec=2_000, traps=[Inexact])
"""Wide enough for every number of a value that is shown as a whole."""


def delta(before: str | None, after: str | None, form: str) -> str:
    """What was added to ``before`` to get ``after``; "" where values of this form have no difference."""
    if before is None or after is None:
        return ""
    if form in NUMBERS:
        return between_numbers(before, after)
    # Between a clock and a moment nobody knows how far it is.
    same = form in TIMES and _zoned(before) == _zoned(after)
    return between_times(before, after) if same else ""


def _zoned(text: str) -> bool:
    return re.search(r"[+-][0-9]{2}(:?[0-9]{2})*$", text[10:]) is not None


def difference(change: Change, family: Family | None) -> str:
    """The difference of a column's figure, with its sign; "" where none is a number or a span of time."""
    # A smallest text that looks like a number is not one.
    if change.kind != VALUES or change.before is None or change.after is None:
        return ""
    if change.aspect == "nulls" or family is Family.NUMBER:
        return between_numbers(change.before, change.after)
    moments = family in {Family.INSTANT, Family.LOCAL_TIME}
    return between_times(change.before, change.after) if moments else ""


def between_numbers(before: str, after: str) -> str:
    """``after`` less ``before`` with all its digits; "" unless both are plain numbers."""
    if not (_PLAIN.fullmatch(before) and _PLAIN.fullmatch(after)):
        return ""
    found = _EXACT.subtract(Decimal(after), Decimal(before))
    return f"{'−' if found < 0 else '+' if found else '±'}{abs(found):,f}"


def between_times(before: str, after: str) -> str:
    """The time from one to the other, in days and hours; "" unless both are moments."""
    try:
        span = _moment(after) - _moment(before)
    # Infinity, years before Christ.
    except (ValueError, OverflowError):
        return ""
    return f"{'−' if span < timedelta() else '+'}{_span(abs(span))}"


def _moment(text: str) -> datetime:
    """A moment as it is written: one without a zone stands beside one of UTC, as sessions write them."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _span(span: timedelta) -> str:
    days = f"{span.days:,} {'day' if span.days == 1 else 'days'}" if span.days else ""
    # Whole days, as between two dates, have no hours to be told.
    hours = str(timedelta(seconds=span.seconds, microseconds=span.microseconds))
    return " ".join(filter(None, (days, hours if span - timedelta(span.days) or not days else "")))
