"""What every declared check can say about itself, and how it is read from text or Python values."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Severity, Tolerance
from kisaan_validate.rules.applies import split_conditions
from kisaan_validate.text.durations import read_duration
from kisaan_validate.text.nearest import did_you_mean


@dataclass(frozen=True)
class Meta:
    """Severity and prose of one check; empty strings where nothing was said.

    ``filter`` is None where nothing was said of it, "" where no filter shall apply, else the check's own.
    ``settling`` is None where nothing was said, else seconds; 0: a failure is not asked again.
    """

    id: str = ""
    severity: Severity = Severity.BLOCKING
    tolerance: Tolerance | None = None
    why: str = ""
    hint: str = ""
    finding: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    filter: str | None = None
    settling: int | None = None


KEYS = (
    "id",
    "severity",
    "tolerance",
    "why",
    "hint",
    "finding",
    "owner",
    "tags",
    "applies",
    "filter",
    "settling",
)


def read_meta(given: dict[str, Any], origin: str = "") -> Meta:
    """Meta from keyword-like values. Raises SuiteError for an unknown key or a value that cannot be meant."""
    for key in given:
        if key not in KEYS:
            raise SuiteError(f"unknown setting {key!r}", did_you_mean(key, KEYS), origin)
    return Meta(
        id=str(given.get("id", "")),
        severity=_severity(given.get("severity", "blocking"), origin),
        tolerance=read_tolerance(given.get("tolerance"), origin),
        why=_prose(given.get("why", "")),
        hint=_prose(given.get("hint", "")),
        finding=_prose(given.get("finding", "")),
        owner=str(given.get("owner", "")),
        tags=as_names(given.get("tags", ())),
        applies=_conditions(given.get("applies", ())),
        filter=_filter(given.get("filter"), origin),
        settling=_settling(given.get("settling"), origin),
    )


def merge_meta(*layers: dict[str, Any]) -> dict[str, Any]:
    """Later layers win, key by key; tags add up."""
    merged: dict[str, Any] = {}
    for layer in layers:
        tags = as_names(merged.get("tags", ())) + as_names(layer.get("tags", ()))
        # Tags say where a check belongs, so an inner layer adds to them and cannot take one away.
        merged = {**merged, **layer, "tags": tuple(dict.fromkeys(tags))}
    return merged


def as_names(value: Any, separator: str = ",") -> tuple[str, ...]:
    """A tuple of names from a string with separators or from any iterable of strings."""
    parts = value.split(separator) if isinstance(value, str) else list(value)
    return tuple(str(p).strip() for p in parts if str(p).strip())


def _conditions(value: Any) -> tuple[str, ...]:
    """Conditions, each as it is written: a semicolon inside of quotes is part of a name."""
    return split_conditions(value) if isinstance(value, str) else as_names(value)


def _prose(value: Any) -> str:
    return " ".join(str(value).split())


def _filter(value: Any, origin: str) -> str | None:
    # A condition is kept as written, with its blanks: a string in it may hold some.
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    # False says "no filter" on purpose; "" records that, None that nothing was said.
    if value is False:
        return ""
    raise SuiteError(
        f"filter={value!r} is neither False nor a condition",
        'write filter=False, or "deleted_at IS NULL"',
        origin,
    )


LONGEST_SETTLING = 86_400
"""Seconds. A run waits so long at most to ask a failure again."""


def _settling(value: Any, origin: str) -> int | None:
    if value is None:
        return None
    seconds = read_duration(value) if isinstance(value, str) else None
    if isinstance(value, timedelta) and value == timedelta(seconds=value // timedelta(seconds=1)):
        seconds = value // timedelta(seconds=1)
    if seconds is None or not 0 <= seconds <= LONGEST_SETTLING:
        raise SuiteError(f"settling={value!r} is not a settling time", 'write "5 min", at most "1 d"', origin)
    return seconds


def _severity(value: Any, origin: str) -> Severity:
    try:
        return Severity(str(value))
    except ValueError:
        raise SuiteError(
            f"unknown severity {value!r}", did_you_mean(str(value), list(Severity)), origin
        ) from None


def read_tolerance(value: Any, origin: str = "") -> Tolerance | None:
    """A tolerance from a number of rows (5, "5", "5 rows") or an exact fraction ("0.1%", "1/1000", Fraction).

    A float is refused: 0.001 is not exactly a thousandth. So is a share of all rows: it accepts whatever
    is found. Raises SuiteError.
    """
    if value is None:
        return None
    if isinstance(value, Tolerance):
        return _told(value, origin)
    # bool is an int to Python, and True rows are no number of rows.
    if isinstance(value, bool) or not isinstance(value, (int, str, Fraction)):
        raise SuiteError(
            f"tolerance {value!r} is not exact", 'write rows as 5, a share as "0.1%" or "1/1000"', origin
        )
    if isinstance(value, int):
        return _rows(value, origin)
    if isinstance(value, Fraction):
        return _share(value, origin)
    text = value.strip()
    if match := re.fullmatch(r"(\d+)(\s*rows?)?", text):
        return _rows(int(match[1]), origin)
    if (share := exact_share(text)) is not None:
        return _share(share, origin)
    raise SuiteError(
        f"tolerance {value!r} is not understood", 'write rows as 5, a share as "0.1%" or "1/1000"', origin
    )


def exact_share(text: str) -> Fraction | None:
    """The fraction that "0.1%" or "1/1000" says; None for any other text."""
    # Fraction reads the decimal text exactly, which float() would not.
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip()):
        return Fraction(match[1]) / 100
    if match := re.fullmatch(r"(\d+)\s*/\s*([1-9]\d*)", text.strip()):
        return Fraction(int(match[1]), int(match[2]))
    return None


def _told(given: Tolerance, origin: str) -> Tolerance:
    """A tolerance that was made by hand: one number of rows, or one share."""
    parts = (given.rows, given.numerator, given.denominator)
    # ``type`` instead of isinstance: a bool must not pass for a number.
    if type(given.rows) is int and parts[1:] == (None, None):
        return _rows(given.rows, origin)
    if (
        given.rows is None
        and type(given.numerator) is int
        and type(given.denominator) is int
        and given.denominator > 0
    ):
        return _share(Fraction(given.numerator, given.denominator), origin)
    raise SuiteError(
        f"tolerance {given!r} is neither rows nor a share",
        'write rows as 5, a share as "0.1%" or "1/1000"',
        origin,
    )


def _rows(rows: int, origin: str) -> Tolerance:
    if rows < 0:
        raise SuiteError("a tolerance is never negative", origin=origin)
    return Tolerance(rows=rows)


def _share(share: Fraction, origin: str) -> Tolerance:
    if share < 0:
        raise SuiteError("a tolerance is never negative", origin=origin)
    # A tolerance of everything is a check of nothing.
    if share >= 1:
        raise SuiteError(
            f"a check that tolerates {share} of the rows can never fail",
            "write less than 100%",
            origin,
        )
    return Tolerance(numerator=share.numerator, denominator=share.denominator)
