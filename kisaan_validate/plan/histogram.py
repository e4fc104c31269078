"""The edges of a histogram: round numbers, or round times, that hold a column's ends between them. Pure."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from itertools import cycle

from kisaan_validate.sql.expressions import exact_decimal

MOST_BUCKETS = 12
"""A histogram has at most so many buckets, and at least one."""

AXES = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), "numeric"),
    **{name: name for name in ("float4", "float8", "timestamptz", "timestamp", "date")},
}
"""By a type's name the type in which its edges are written; a type that is not here has no histogram."""

ODD = ("NaN", "Infinity", "-Infinity", "infinity", "-infinity")
"""The texts of values that lie on no axis."""

_FLOATS = {
    "float4": (Fraction(1, 10**30), Fraction(10) ** 38),
    "float8": (Fraction(1, 10**300), Fraction(10) ** 308),
}
"""The narrowest bucket, whose edges the type surely tells apart from 0, and the farthest edge from 0."""

_DAY = 86_400
_SECONDS = (1, 5, 15, 30, 60, 300, 900, 1_800, *(3_600 * n for n in (1, 3, 6, 12)))
_DAYS = tuple(_DAY * n for n in (1, 2, 7, 14))
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 2_400, 6_000, 12_000)


def edges_of(low: str, high: str, axis: str, *, whole: bool = False) -> tuple[str, ...]:
    """Ascending edges, as texts of type ``axis``, with ``low`` and ``high`` between the first and the last.

    ``whole``: the values are whole numbers, so no bucket is narrower than 1. () where the ends are no
    finite values, have more than 1,000 digits, or are beyond the calendar of the years 1 to 9999.
    """
    try:
        if axis in {"numeric", *_FLOATS}:
            return _numbers(_exact(low), _exact(high), axis, whole)
        return tuple(_written(edge, axis) for edge in _times(_moment(low), _moment(high), axis))
    except (ValueError, OverflowError):
        return ()


def _exact(text: str) -> Fraction:
    value = exact_decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return Fraction(value)


def _numbers(low: Fraction, high: Fraction, axis: str, whole: bool) -> tuple[str, ...]:
    step = Fraction(1) if whole or low == high else _power(high - low)
    wider = cycle((Fraction(2), Fraction(5, 2), Fraction(2)))  # 1, 2, 5, 10, 20, …
    while high // step - low // step >= MOST_BUCKETS:
        step *= next(wider)
    least, most = _FLOATS.get(axis, (Fraction(0), None))
    edges = [n * step for n in range(low // step, high // step + 2)]
    # What the type cannot hold would be an error of the server.
    if step < least or (most is not None and max(map(abs, edges)) > most):
        return ()
    return tuple(map(_digits, edges))


def _power(span: Fraction) -> Fraction:
    """A power of ten that fits into the span more often than there are buckets."""
    step = Fraction(1)
    while step * MOST_BUCKETS > span:
        step /= 10
    while step * MOST_BUCKETS * 10 <= span:
        step *= 10
    return step


def _digits(edge: Fraction) -> str:
    """A fraction of a power of ten, written out."""
    places = 0
    while (edge * 10**places).denominator != 1:
        places += 1
    digits = str(abs(edge * 10**places).numerator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if edge < 0 else text


def _moment(text: str) -> dt.datetime:
    # The zone is UTC in every session, so it only says which axis this is.
    return dt.datetime.fromisoformat(text.removesuffix("+00"))


def _times(low: dt.datetime, high: dt.datetime, axis: str) -> list[dt.datetime]:
    begin = dt.datetime(1, 1, 1)
    for seconds in _DAYS if axis == "date" else _SECONDS + _DAYS:
        step = dt.timedelta(seconds=seconds)
        first, last = (low - begin) // step, (high - begin) // step
        if last - first < MOST_BUCKETS:
            return [begin + n * step for n in range(first, last + 2)]
    for months in _MONTHS:
        first, last = ((end.year * 12 + end.month - 1) // months for end in (low, high))
        if last - first < MOST_BUCKETS:
            return [_month(n * months) for n in range(first, last + 2)]
    return []


def _month(number: int) -> dt.datetime:
    # There is no year 0, though round steps would begin there.
    return dt.datetime(max(number // 12, 1), number % 12 + 1, 1)


def _written(edge: dt.datetime, axis: str) -> str:
    if axis == "date":
        return edge.date().isoformat()
    return f"{edge.isoformat(sep=' ')}{'+00' if axis == 'timestamptz' else ''}"
