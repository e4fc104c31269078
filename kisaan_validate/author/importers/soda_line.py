"""One check of SodaCL: what it asks, read strictly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from fractions import Fraction
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.thresholds import Threshold, read_threshold
from kisaan_validate.author.source import remark
from kisaan_validate.dataclass import dataclass

NAME = r'(?:"(?:[^"]|"")*"|[^\s\[\]"]+)'


@dataclass(frozen=True)
class SodaScope:
    """Which rows of which table a check is about, and what is said of its columns for all checks."""

    table: str
    where: str = ""
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class SodaLine:
    """One check of a dataset: its text, its settings, and where it is about."""

    maker: Maker
    scope: SodaScope
    text: str
    settings: dict[str, Any]
    said: Said
    table_of: Callable[[str], str] = str

    @property
    def where(self) -> str:
        """The rows that are meant."""
        own = self.settings.get("filter")
        return sql.both(self.scope.where, sql.author_condition(own, "a filter") if own is not None else "")

    def id(self, *parts: str) -> str:
        """A check's id."""
        return ".".join((self.scope.table, *parts))

    def verdicts(self, inline: str | None) -> list[tuple[Threshold, bool, Said]]:
        """What is admitted, whether in per cent, and how bad it is otherwise: one for the line, or for
        fail and for warn.
        """
        if inline:
            # In the line the threshold says what holds; after "when" it says what fails.
            threshold, percent = read_threshold(inline)
            return [(threshold, percent, self.said)]
        made = []
        for key, severity in (("fail", "blocking"), ("warn", "warning")):
            given = self.settings.get(key)
            if given is not None:
                text = sql.as_text(given, f"{key}: when …").strip()
                if not text.startswith("when "):
                    raise NoCounterpart(f"{key} needs 'when …', not {remark(text)}")
                threshold, percent = read_threshold(text.removeprefix("when "))
                made.append((threshold.inverse, percent, replace(self.said, severity=severity)))
        if not made:
            raise NoCounterpart("it has no threshold")
        return made


VALIDITY = (
    "valid values",
    "valid regex",
    "valid format",
    "valid min",
    "valid max",
    "valid length",
    "valid min length",
    "valid max length",
    "invalid values",
    "invalid regex",
    "invalid format",
    "missing values",
    "missing regex",
    "missing format",
    "include null",
)
KNOWN = (
    *VALIDITY,
    "name",
    "fail",
    "warn",
    "filter",
    "samples limit",
    "samples columns",
    "attributes",
    "identity",
)


def refuse_settings(line: SodaLine) -> None:
    """A setting that cannot be parsed may change what a check means."""
    for key in line.settings:
        if key not in KNOWN:
            raise NoCounterpart(f"the setting {remark(key)} cannot be parsed")


# --- counts of rows ---------------------------------------------------------------------------------------


def refuse_idle(admitted: Threshold, percent: bool = False) -> None:
    """Raises NoCounterpart for a threshold that every number meets."""
    if admitted.admits_all(100 if percent else None):
        raise NoCounterpart("it allows every number: it can never fail")


def one_of(columns: list[str]) -> str:
    """The one column that a metric is about. Raises NoCounterpart."""
    if len(columns) != 1:
        raise NoCounterpart("one column is expected")
    return columns[0]


def settings_of(line: SodaLine, column: str) -> dict[str, Any]:
    """What counts as missing and as valid: the file's configuration for the column, then the check's own."""
    own = {key: value for key, value in line.settings.items() if key in VALIDITY}
    # The check's own setting wins over the file's.
    return {**line.scope.columns.get(column, {}), **own}


def percent_of(admitted: Threshold, over: str, under: str) -> str:
    """A share of no rows is 0 %, as Soda has it."""
    said = admitted.sql(f"{over} * 100", under)
    if admitted.admits(0):
        return f"{under} = 0 OR ({said})"
    return f"{under} > 0 AND {said}"


def most_share(admitted: Threshold) -> Fraction | None:
    """If it admits just the shares from 0 up to one, that one included; else None."""
    if admitted.outside:
        plain = (
            admitted.high is None
            and admitted.low is not None
            and not admitted.low_included
            and admitted.low >= 0
        )
        # Per cent to a share.
        return admitted.low / 100 if plain and admitted.low is not None else None
    if admitted.high is None or not admitted.high_included or admitted.high < 0 or not admitted.admits(0):
        return None
    return admitted.high / 100
