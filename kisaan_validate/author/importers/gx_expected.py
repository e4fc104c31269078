"""One expectation of Great Expectations: what it asks, read strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.dataclass import dataclass

KNOWN = frozenset(
    {
        "column",
        "value_set",
        "min_value",
        "max_value",
        "strict_min",
        "strict_max",
        "value",
        "regex",
        "regex_list",
        "like_pattern",
        "like_pattern_list",
        "escape",
        "match_on",
        "mostly",
        "column_index",
        "type_",
        "type_list",
        "ignore_row_if",
        "column_A",
        "column_B",
        "or_equal",
        "value_pairs_set",
        "column_list",
        "sum_total",
        "quantile_ranges",
        "allow_relative_error",
        "ties_okay",
        "other_table_name",
        "column_set",
        "exact_match",
        "unexpected_rows_query",
        "row_condition",
        "condition_parser",
        # What it says to people, and how its tool runs it.
        "batch_id",
        "result_format",
        "include_config",
        "catch_exceptions",
        "meta",
        "notes",
        "description",
        "severity",
        "id",
    }
)
"""The arguments that are read here, or change nothing about what is expected. Any other may change what it
means.
"""

_SEVERITIES = {"critical": "blocking", "warning": "warning", "info": "info"}


def title_of(expectation: Any) -> str:
    """What people see of an expectation in the list of outcomes."""
    if not isinstance(expectation, dict):
        return remark(repr(expectation))
    kwargs = expectation.get("kwargs")
    column = kwargs.get("column") if isinstance(kwargs, dict) else None
    kind = type_of(expectation)
    return f"{kind} of {column}" if isinstance(column, str) else kind


def type_of(expectation: dict[str, Any]) -> str:
    """The kind of an expectation, as every version of the file names it."""
    return str(expectation.get("type") or expectation.get("expectation_type") or "no type")


@dataclass(frozen=True)
class Expected:
    """One expectation on its way: what is expected of which table, of which of its rows, and how much may
    differ.
    """

    maker: Maker
    table: str
    kwargs: dict[str, Any]
    where: str
    mostly: Fraction
    said: Said
    values_are_sql: bool = False

    def column(self, key: str = "column") -> str:
        """A column's name, as it is written: Great Expectations quotes what is not all in lower case."""
        return sql.as_text(self.kwargs.get(key), f"a column's name as {key}")

    def columns(self, key: str = "column_list") -> list[str]:
        """Several columns' names."""
        names = [
            sql.as_text(c, "a column's name")
            for c in sql.as_list(self.kwargs.get(key), f"a list of columns as {key}")
        ]
        if not names or len(set(names)) < len(names):
            # A column named twice would be compared with itself.
            raise NoCounterpart("a list of different columns is expected")
        return names

    def value(self, key: str, figure: bool = False) -> str | None:
        """A bound as SQL; None for none. That of a ``figure`` reads no column."""
        given = self.kwargs.get(key)
        if given is None:
            return None
        # Checked before it is taken for SQL: NaN is no bound in any notation.
        plain = sql.bound_sql(given, key)
        if self.values_are_sql and isinstance(given, str):
            if figure:
                return sql.author_constant(given, key)
            return sql.author_value(given, key)
        return plain

    def number(self, key: str) -> Fraction | None:
        """A bound that is an exact number; None for none."""
        given = self.kwargs.get(key)
        if given is None:
            return None
        # bool is an int to isinstance.
        if isinstance(given, bool) or not isinstance(given, (int, Decimal)):
            raise NoCounterpart(f"{key} is not a number: {remark(repr(given))}")
        return Fraction(given)

    def strict(self, key: str) -> bool:
        """Whether a bound is left out itself."""
        return self.kwargs.get(key) is True

    def id(self, *parts: str) -> str:
        """A check's id: the table, and what is said about it."""
        return ".".join((self.table, *parts))

    # --- ways to say it ------------------------------------------------------------------------------------

    def of_values(self, expression: str, kind: str, *columns: str, null: str = "") -> list[str]:
        """An expression over the values of columns. ``null`` is SQL for the rows whose values are missing:
        not judged.
        """
        names = columns or (self.column(),)
        missing = null or " OR ".join(f"{sql_name(c)} IS NULL" for c in names)
        tolerance = sql.tolerance_of(1 - self.mostly)
        # A tolerated share is one of the rows that have a value; without one NULL passes anyway.
        where = sql.both(self.where, f"NOT ({missing})" if tolerance or null else "")
        said = replace(self.said, tolerance=tolerance)
        return [
            self.maker.row(
                self.table, expression, self.id("_".join(names), kind), said, where=where, columns=names
            )
        ]

    def of_rows(self, expression: str, kind: str, *columns: str) -> list[str]:
        """An expression that judges every row."""
        names = columns or (self.column(),)
        said = replace(self.said, tolerance=sql.tolerance_of(1 - self.mostly))
        id = self.id("_".join(names), kind)
        # Whether a value is there is asked, not what it is: a NaN is one.
        return [
            self.maker.row(self.table, expression, id, said, where=self.where, columns=names, allow_nan=True)
        ]

    def figure(
        self,
        outputs: list[tuple[str, str]],
        condition: str,
        kind: str,
        title: str,
        *columns: str,
        of: Sequence[str] = (),
    ) -> list[str]:
        """A figure over the rows, and a condition on it; ``of`` are the values that it is made of, as SQL."""
        if self.mostly != 1:
            raise NoCounterpart("mostly means nothing for a figure over all rows")
        said = replace(self.said, title=title)
        return [
            self.maker.measure(
                self.table, outputs, condition, self.id(*columns, kind), said, where=self.where, of=of
            )
        ]

    def bounds_of(self, subject: str) -> str:
        """``min_value`` and ``max_value`` around a subject. Raises NoCounterpart for none, and where
        nothing lies between.
        """
        strict = self.strict("strict_min"), self.strict("strict_max")
        sql.refuse_empty(self.kwargs.get("min_value"), self.kwargs.get("max_value"), strict=any(strict))
        # Bounds of a figure are seen beside it, where no column can be read.
        figure = subject.startswith("m.")
        return sql.bounded(subject, self.value("min_value", figure), self.value("max_value", figure), *strict)

    def counts(self, subject: str) -> str:
        """The same around a number of rows, columns or values. Raises NoCounterpart too where every number
        is admitted.
        """
        least, most = self.kwargs.get("min_value"), self.kwargs.get("max_value")
        # A number of rows is never below zero.
        idle = isinstance(least, (int, Decimal)) and (
            least < 0 or (least == 0 and not self.strict("strict_min"))
        )
        if idle and most is None:
            raise NoCounterpart(f"every number is at least {least}: it can never fail")
        return self.bounds_of(subject)


def said_of(expectation: dict[str, Any]) -> Said:
    """Severity and prose of an expectation. Raises NoCounterpart for an unknown severity."""
    severity = str(expectation.get("severity") or "critical")
    if severity not in _SEVERITIES:
        raise NoCounterpart(f"the severity {remark(severity)} is not known")
    meta = expectation.get("meta") if isinstance(expectation.get("meta"), dict) else {}
    notes: Any = expectation.get("description") or expectation.get("notes") or (meta or {}).get("notes")
    notes = notes.get("content") if isinstance(notes, dict) else notes
    return Said(_SEVERITIES[severity], why=_prose(notes))


def _prose(notes: Any) -> str:
    if isinstance(notes, list):
        return " ".join(str(n) for n in notes)
    return notes if isinstance(notes, str) else ""


# --- values of one column ---------------------------------------------------------------------------------


def whole(e: Expected, key: str) -> int:
    """The whole number that the expectation gives under ``key``. Raises NoCounterpart for anything else."""
    value = e.kwargs.get(key)
    # JSON writes 5.0 where 5 is meant.
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NoCounterpart(f"{key} is not a whole number: {remark(repr(value))}")
    return value
