"""Reads arguments that several functions of this room take. SuiteErrors stand at the author's line."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from kisaan_validate.declare.making import FigureArguments, MetaArguments, caller, columns_of
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import intervals
from kisaan_validate.rules.base import Join
from kisaan_validate.rules.meta import exact_share
from kisaan_validate.text.nearest import did_you_mean


def yes_or_no(allow_nan: Any) -> bool:
    """``allow_nan``, which must be True or False."""
    if not isinstance(allow_nan, bool):
        raise SuiteError(f"allow_nan={allow_nan!r} is neither True nor False", origin=caller())
    return allow_nan


def choice(name: str, value: str, known: tuple[str, ...]) -> str:
    """A value of the argument ``name``, which must be one of those known."""
    if value not in known:
        raise SuiteError(f"{name}={value!r} is not one of {', '.join(known)}", origin=caller())
    return value


def join_of(columns: str | list[str], to: str, on: str | list[str]) -> Join:
    """The join of pairs of columns with the table ``to``."""
    own, other = columns_of(columns), columns_of(on)
    if len(own) != len(other) or not own:
        raise SuiteError(f"{own} and {other} are not pairs of columns", origin=caller())
    return Join(own, to, other)


def figure_parts(
    given: FigureArguments, columns: tuple[str, ...] = ()
) -> tuple[dict[str, Any], MetaArguments]:
    """The rule's fields of a figure's keyword arguments, and the others, which every declaration takes."""
    segment_by = columns_of(given.get("segment_by", ()))
    segments = given.get("segments", 100)
    if isinstance(segments, bool) or not isinstance(segments, int) or segments < 1:
        raise SuiteError(
            f"segments={segments!r} is not a number of segments", "write a whole number, 1 or more", caller()
        )
    if "segments" in given and not segment_by:
        raise SuiteError(
            "segments=… limits the number of segments, but there is no segment_by=…", "", caller()
        )
    if twice := [c for c in segment_by if segment_by.count(c) > 1 or c in columns or not c]:
        raise SuiteError(
            f"{twice[0]!r} cannot be used for segments here", "name other columns, each once", caller()
        )
    fields = {"where": given.get("where", ""), "segment_by": segment_by, "segments": segments}
    meta: Any = {key: value for key, value in given.items() if key not in fields}
    return fields, meta


def share_of(value: Any, what: str) -> Any:
    """A share as an exact number; None stays None."""
    read = exact_share(value) if isinstance(value, str) else value
    if isinstance(value, str) and read is None:
        raise SuiteError(f"{what}={value!r} cannot be parsed", 'write "5%" or "1/20"', caller())
    return read


def check_value_bounds(low: Any, high: Any) -> None:
    """Raises SuiteError for bounds that cannot be written exactly, or leave nothing, or all."""
    from kisaan_validate.sql.expressions import literal

    for what, value in (("low", low), ("high", high)):
        intervals.refuse_no_value(value, what)
        if isinstance(value, (bool, float)):
            raise SuiteError(
                f"{what}={value!r} is not exact", 'write 5, Decimal("0.1"), a date, a datetime or a text'
            )
        try:
            literal(value) if value is not None else None
        except (TypeError, ValueError) as error:
            raise SuiteError(f"{what}={value!r}: {error}") from None
    if low is None and high is None:
        raise SuiteError("without low and high it can never fail", "write low=…, high=…, or both")
    intervals.Interval(low, high).refuse_void()


def check_zone(zone: str) -> None:
    """Only names of the time zone database: an abbreviation means one zone here and another there."""
    try:
        known = not zone or bool(re.fullmatch(r"UTC|\w+(/[\w+-]+)+", zone, re.A) and ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = not available_timezones()  # a machine without the database knows none; the server will
    if not known:
        hint = did_you_mean(zone, available_timezones())
        raise SuiteError(
            f"zone={zone!r} is not a time zone",
            hint if hint.startswith("did") else 'write "Asia/Kolkata" or "UTC"',
            caller(),
        )
