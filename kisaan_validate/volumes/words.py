"""Figures, bounds and rules of volumes as people say them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from kisaan_validate.volumes.expect import Accepted
from kisaan_validate.volumes.model import (
    Season,
    VolumeFact,
    VolumeMeasure,
    VolumeRule,
    VolumeSide,
    exact_number,
)
from kisaan_validate.volumes.season import UNIT

_ROUNDED = 10


def number_words(value: Fraction) -> str:
    """A number with commas, all its decimals; as a fraction where these would not end."""
    whole, rest = divmod(abs(value), 1)
    sign = "-" if value < 0 else ""
    for places in range(1, _ROUNDED):
        if not rest or rest * 10**places % 1 == 0:
            digits = f".{int(rest * 10**places):0{places}}" if rest else ""
            return f"{sign}{whole:,}{digits}"
    return f"{sign}{abs(value)}"


def span_words(seconds: int) -> str:
    """``1 d 2 h``, ``4 min 5 s``: a length of time, its parts that are not 0."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = ((days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "0 s"


def figure_words(measure: VolumeMeasure, value: Fraction) -> str:
    """A figure, or a bound of one."""
    if measure is VolumeMeasure.NULLS:
        # 1/3 has no percentage that ends.
        said = number_words(value * 100)
        return f"{value}" if "/" in said else f"{said} %"
    if measure is VolumeMeasure.FRESHNESS and value.denominator == 1:
        return span_words(int(value))
    return number_words(value)


def measure_words(rule: VolumeRule, table: str, columns: tuple[str, ...]) -> str:
    """What is measured: ``the number of rows of orders``."""
    column = columns[0] if columns else ""
    return {
        VolumeMeasure.ROWS: f"the number of rows of {table}",
        VolumeMeasure.SUM: f"the sum of {column} of {table}",
        VolumeMeasure.NULLS: f"the share of rows of {table} whose {column} is NULL",
        VolumeMeasure.DISTINCT: f"the number of distinct {column} of {table}",
        VolumeMeasure.FRESHNESS: f"the age of the newest {column} of {table}",
    }[rule.measure] + (f" whose {columns[-1]} lies in one day" if rule.arrives else "")


def found_words(rule: VolumeRule, day: date, value: str, table: str, columns: tuple[str, ...]) -> str:
    """What was found: ``1,204 rows of orders that came on Sunday, 2026-11-29``."""
    number = exact_number(value)
    return f"{_measured(rule, value, number, table, columns)}{_day(rule, day, columns)}"


def _measured(
    rule: VolumeRule, value: str, number: Fraction | None, table: str, columns: tuple[str, ...]
) -> str:
    column = columns[0] if columns else ""
    if number is None:
        nothing = {
            VolumeMeasure.NULLS: f"no rows of {table}",
            VolumeMeasure.SUM: f"no sum of {column} of {table}",
        }
        return nothing.get(rule.measure, f"no {column} of {table}")
    if rule.measure is VolumeMeasure.NULLS:
        nulls, _, rows = value.partition("/")
        return f"{int(nulls):,} of {int(rows or 1):,} {column} of {table} are NULL"
    said = _with_scale(value) if rule.measure is VolumeMeasure.SUM else figure_words(rule.measure, number)
    return {
        VolumeMeasure.ROWS: f"{said} {'row' if number == 1 else 'rows'} of {table}",
        VolumeMeasure.SUM: f"{said} is the sum of {column} of {table}",
        VolumeMeasure.DISTINCT: f"{said} distinct {column} of {table}",
        VolumeMeasure.FRESHNESS: f"the newest {column} of {table} is {said} old",
    }[rule.measure]


def _with_scale(text: str) -> str:
    """A decimal with commas and all the places that the server wrote."""
    whole, point, places = text.partition(".")
    return f"{'-' if whole.startswith('-') else ''}{abs(int(whole)):,}{point}{places}"


def _day(rule: VolumeRule, day: date, columns: tuple[str, ...]) -> str:
    named = f"{day:%A}, {day}"
    return f", {columns[-1]} on {named}" if rule.arrives else f" on {named}"


def accepted_words(measure: VolumeMeasure, by: Season, found: Accepted) -> str:
    """By which nights what is accepted: ``the last 12 Sundays: 2,900 to 3,400``."""
    return f"{found.words}: {_range(measure, found)}{_growth(by, found)}"


def _range(measure: VolumeMeasure, found: Accepted) -> str:
    low = figure_words(measure, found.low) if found.low is not None else ""
    high = figure_words(measure, found.high) if found.high is not None else ""
    if found.constant and low == high:
        return f"always {low}"
    if found.above:
        return f"above {low}" + (f", up to {high}" if high else "")
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}"


def _growth(by: Season, found: Accepted) -> str:
    tenths = round((found.growth - 1) * 1_000) if found.growth is not None else 0
    if not tenths:
        return ""
    word = "growing" if tenths > 0 else "shrinking"
    return f", {word} {abs(tenths) // 10}.{abs(tenths) % 10} % a {UNIT[by]}"


def limits_words(rule: VolumeRule) -> str:
    """The declared bounds: ``at least 1,000``; "" without any."""
    ends = (("at least", rule.least), ("at most", rule.most))
    said = [f"{word} {_limit(rule, end)}" for word, end in ends if end is not None]
    return " and ".join(said)


def _limit(rule: VolumeRule, text: str) -> str:
    number = exact_number(text)
    return figure_words(rule.measure, number) if number is not None else text


def rule_words(rule: VolumeRule) -> str:
    """The whole rule: all that decides, so that two rules never sound alike."""
    nights = {
        Season.WEEKDAY: "earlier nights of the same weekday",
        Season.DAY_OF_MONTH: "earlier nights of the same day of the month",
        Season.ANY: "earlier nights",
    }[rule.by]
    share = figure_words(VolumeMeasure.NULLS, exact_number(rule.share) or Fraction(0))
    bands = f"{_plain(rule.score)} robust deviations, {share}, {_limit(rule, rule.change)}"
    said = [f"as on {rule.nights} or more {nights}, within the largest of {bands}", limits_words(rule)]
    said.append({VolumeSide.LOW: "only less fails", VolumeSide.HIGH: "only more fails"}.get(rule.side, ""))
    said.append(f"nights since {rule.since}" if rule.since is not None else "")
    said.append(f"days in {rule.zone}" + (f", {rule.days_back} before the run" if rule.arrives else ""))
    return "; ".join(part for part in said if part)


def _plain(text: str) -> str:
    number = exact_number(text)
    return number_words(number) if number is not None else text


def accepted_text(fact: VolumeFact) -> str:
    """What is accepted of a figure by its nights and its rule, for a table of evidence."""
    measure, ends = fact.rule.measure, []
    for word, by_nights, declared in (
        ("at least", fact.low, fact.rule.least),
        ("at most", fact.high, fact.rule.most),
    ):
        numbers = [
            number for text in (by_nights, declared) if text and (number := exact_number(text)) is not None
        ]
        if numbers:
            ends.append(
                f"{word} {figure_words(measure, max(numbers) if word == 'at least' else min(numbers))}"
            )
    return " and ".join(ends) or "a number"
