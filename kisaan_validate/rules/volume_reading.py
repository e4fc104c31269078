"""The arguments of ``declare.volume``, made exact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.bounds import read_exact
from kisaan_validate.rules.meta import exact_share
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.volumes.model import (
    LONGEST_NUMBER,
    Season,
    VolumeMeasure,
    VolumeRule,
    VolumeSide,
    exact_number,
)
from kisaan_validate.volumes.season import WINDOW

CHANGE = {VolumeMeasure.NULLS: "1/100", VolumeMeasure.FRESHNESS: "3600"}
"""Smaller changes ring in no series that varies: a hundredth of the rows, an hour, else 10."""

NIGHTS = {Season.DAY_OF_MONTH: 3}
"""So many comparable nights are needed, else 8: of a month there are only twelve a year."""

MOST_BACK = 366


@dataclass(frozen=True)
class VolumeWords:
    """What was written, as it was written."""

    arrivals: str
    sum: str
    nulls: str
    distinct: str
    freshness: str
    zone: str
    days_back: Any
    by: str
    nights: Any
    share: Any
    at_least_change: Any
    score: Any
    side: str
    least: Any
    most: Any
    since: Any


def read_volume(given: VolumeWords) -> tuple[VolumeRule, tuple[str, ...]]:
    """The rule, and the columns: what is measured, when rows came. Raises SuiteError."""
    measure, column = _measure(given)
    if given.arrivals and measure is VolumeMeasure.FRESHNESS:
        raise SuiteError(
            "arrivals= and freshness= do not go together", "the newest of all rows is what is fresh"
        )
    if given.arrivals and given.arrivals == column:
        raise SuiteError(
            f"{column!r} cannot be both what is measured and when rows came", "name another column"
        )
    if given.arrivals and not given.zone:
        raise SuiteError("whose days are meant is not said", 'name the zone: zone="Asia/Kolkata" (or "UTC")')
    by = _choice("by", given.by, Season)
    usual = VolumeSide.HIGH if measure is VolumeMeasure.FRESHNESS else VolumeSide.BOTH
    nights = NIGHTS.get(by, 8) if given.nights is None else given.nights
    rule = VolumeRule(
        measure=measure,
        arrives=bool(given.arrivals),
        days_back=_whole("days_back", given.days_back, 0 if not given.arrivals else 1, MOST_BACK),
        zone=given.zone or "UTC",
        by=by,
        nights=_whole("nights", nights, 2, WINDOW[by]),
        share=_part("share", given.share),
        change=_change(measure, given.at_least_change),
        score=_positive("score", given.score),
        side=_choice("side", given.side, VolumeSide) if given.side else usual,
        least=_limit("least", measure, given.least),
        most=_limit("most", measure, given.most),
        since=_since(given.since),
    )
    _refuse_void(rule)
    return rule, tuple(name for name in (column, given.arrivals) if name)


def _measure(given: VolumeWords) -> tuple[VolumeMeasure, str]:
    named = {
        VolumeMeasure.SUM: given.sum,
        VolumeMeasure.NULLS: given.nulls,
        VolumeMeasure.DISTINCT: given.distinct,
        VolumeMeasure.FRESHNESS: given.freshness,
    }
    found = [(measure, column) for measure, column in named.items() if column]
    if len(found) > 1:
        listed = " and ".join(f"{measure.value}=" for measure, _ in found)
        raise SuiteError(f"{listed} are two figures", "declare each by itself")
    return found[0] if found else (VolumeMeasure.ROWS, "")


def _choice(name: str, value: Any, known: Any) -> Any:
    if value not in list(known):
        words = [one.value for one in known]
        raise SuiteError(
            f"{name}={value!r} is not one of {', '.join(words)}", did_you_mean(str(value), words)
        )
    return known(value)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise SuiteError(
            f"{name}={value!r:.60} is not a whole number from {low} to {high}", f"write {name}={low} or more"
        )
    return value


def _part(name: str, value: Any) -> str:
    exact: Fraction | None = exact_share(value) if isinstance(value, str) else read_exact(value, name)
    if exact is None or exact < 0:
        raise SuiteError(f"{name}={value!r} cannot be parsed", 'write "10%" or "1/10"')
    return str(exact)


def _positive(name: str, value: Any) -> str:
    exact = read_exact(value, name)
    if exact < 0:
        raise SuiteError(f"{name}={value!r} is below 0", "write 0 or more")
    return _short(name, exact)


def _change(measure: VolumeMeasure, value: Any) -> str:
    if value is None:
        return CHANGE.get(measure, "10")
    return _positive("at_least_change", _number("at_least_change", measure, value))


def _number(name: str, measure: VolumeMeasure, value: Any) -> Any:
    """A share may be written as one, an age as a timedelta."""
    if measure is VolumeMeasure.NULLS and isinstance(value, str):
        return Fraction(_part(name, value))
    if measure is VolumeMeasure.FRESHNESS and isinstance(value, timedelta):
        if value % timedelta(seconds=1):
            raise SuiteError(f"{name}={value!r} is not whole seconds", "write whole seconds")
        return value.days * 86_400 + value.seconds
    return value


def _limit(name: str, measure: VolumeMeasure, value: Any) -> str | None:
    if value is None:
        return None
    return _short(name, read_exact(_number(name, measure, value), name))


def _short(name: str, value: Fraction) -> str:
    if len(str(value)) > LONGEST_NUMBER:
        raise SuiteError(f"{name} has {len(str(value))} digits", f"write at most {LONGEST_NUMBER}")
    return str(value)


def _since(value: Any) -> date | None:
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise SuiteError(f"since={value!r} is not a day", 'write "2026-03-01"') from None


def _refuse_void(rule: VolumeRule) -> None:
    least, most = (Fraction(end) if end is not None else None for end in (rule.least, rule.most))
    if least is not None and most is not None and least > most:
        raise SuiteError("least= is more than most=: nothing is both", "write the smaller number as least")
    if rule.measure is VolumeMeasure.NULLS and any(
        end is not None and not 0 <= end <= 1 for end in (least, most)
    ):
        raise SuiteError("a bound of a share lies outside of 0 to 1", 'write "5%" or "1/20"')


def overridden(rule: VolumeRule, given: Iterable[str]) -> VolumeRule:
    """A rule with other settings, written ``share=20%``, ``nights=6``, ``by=any``, to be tried on nights that
    are over. Raises SuiteError.
    """
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in _TRIED or not equals:
            raise SuiteError(f"{text!r} is not such a setting", did_you_mean(name, _TRIED))
        rule = replace(rule, **{_FIELDS.get(name, name): _tried(name, rule.measure, value)})
    if rule.nights > WINDOW[rule.by]:
        raise SuiteError(
            f"nights={rule.nights} is more than by={rule.by.value} looks at",
            f"write at most {WINDOW[rule.by]}",
        )
    _refuse_void(rule)
    return rule


_TRIED = ("by", "nights", "share", "at_least_change", "score", "side", "least", "most", "since")
_FIELDS = {"at_least_change": "change"}


def _tried(name: str, measure: VolumeMeasure, value: str) -> Any:
    if name in {"by", "side"}:
        return _choice(name, value, Season if name == "by" else VolumeSide)
    if name == "nights":
        number = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value
        return _whole(name, number, 2, max(WINDOW.values()))
    if name == "since":
        return _since(value or None)
    part = exact_share(value)
    exact = part if part is not None else exact_number(value)
    if exact is None:
        raise SuiteError(f"{name}={value!r} is not an exact number", "write 5, 0.5, 1/2 or 50%")
    return _limit(name, measure, exact) if name in {"least", "most"} else _positive(name, exact)
