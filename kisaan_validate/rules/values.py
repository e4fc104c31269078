"""Rules that compare the values of one column with values that the author gave."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.rules.base import later
from kisaan_validate.rules.intervals import Interval, refuse_no_value
from kisaan_validate.rules.nan import nan_literal, refusing_nan
from kisaan_validate.rules.rows import PredicateRule, in_words
from kisaan_validate.sql.expressions import View, literal, to_sql

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table


NAN_BY_NAME = 'to check for NaN, name it in SQL: declare.holds("t", "x <> \'NaN\'")'
"""What to do instead, where a check is given a NaN to compare with."""


_OPERATORS: dict[str, tuple[str, str]] = {
    "equal_to": ("=", "equals"),
    "not_equal_to": ("<>", "is not"),
    "greater_than": (">", "is greater than"),
    "greater_than_or_equal_to": (">=", "is at least"),
    "less_than": ("<", "is less than"),
    "less_than_or_equal_to": ("<=", "is at most"),
}


@dataclass(frozen=True)
class Compare(PredicateRule):
    """column OPERATOR value. ``operator`` is pandera's name of the check."""

    operator: str = "equal_to"
    value: Any = None
    allow_nan: bool = False
    kind: ClassVar[str] = "compare"

    def __post_init__(self) -> None:
        # A NaN as a bound would make a check that nothing can fail, or nothing can pass.
        refuse_no_value(self.value, "the value", NAN_BY_NAME)
        self._interval().refuse_void()

    def _interval(self) -> Interval:
        symbol = _OPERATORS[self.operator][0]
        if symbol in {">", ">="}:
            return Interval(low=self.value, include_low=symbol == ">=")
        if symbol in {"<", "<="}:
            return Interval(high=self.value, include_high=symbol == "<=")
        return Interval(self.value, self.value)

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        # Equality with an end of the line is a real question; only an inequality can be endless.
        if _OPERATORS[self.operator][0] in {"=", "<>"}:
            return ""
        return self._interval().idle(table.columns[columns[0]], self.allow_nan)

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} {_OPERATORS[self.operator][1]} {in_words(self.value)}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        symbol = _OPERATORS[self.operator][0]
        compared = _compared(view, columns[0], symbol, self.value)
        return _nan_guard(
            compared, view, columns[0], symbol in {">", ">=", "<>"}, symbol in {"<", "<="}, self.allow_nan
        )


@dataclass(frozen=True)
class InRange(PredicateRule):
    """low <= column <= high, each bound included or not."""

    low: Any = None
    high: Any = None
    include_low: bool = True
    include_high: bool = True
    allow_nan: bool = False
    kind: ClassVar[str] = "in_range"

    def __post_init__(self) -> None:
        self._interval().refuse_void()

    def _interval(self) -> Interval:
        return Interval(self.low, self.high, self.include_low, self.include_high)

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        return self._interval().idle(table.columns[columns[0]], self.allow_nan)

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        left, right = "[" if self.include_low else "(", "]" if self.include_high else ")"
        return f"{columns[0]} is in {left}{in_words(self.low)}, {in_words(self.high)}{right}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        low = _compared(view, columns[0], ">=" if self.include_low else ">", self.low)
        high = _compared(view, columns[0], "<=" if self.include_high else "<", self.high)
        # NaN is greater than every number: the upper bound already refuses it.
        return _nan_guard(sa.and_(low, high), view, columns[0], False, True, self.allow_nan)


@dataclass(frozen=True)
class OneOf(PredicateRule):
    """The value is (or with ``negated``, is not) one of a set."""

    values: frozenset[Any] = frozenset()
    negated: bool = False
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "isin"

    def __post_init__(self) -> None:
        for value in self.values:
            refuse_no_value(value, "one of the values", f"{NAN_BY_NAME}; for NULL write None")

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        listed = ", ".join(sorted(in_words(v) for v in self.values))
        return f"{columns[0]} is {'none' if self.negated else 'one'} of {listed or '(an empty set)'}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        held = self._listed(view, columns[0])
        # "one of" refuses a NaN by itself, because none is in the list.
        if self.negated and not self.allow_nan:
            return refusing_nan(held, view, columns)
        return held

    def _listed(self, view: View, name: str) -> ColumnElement[bool]:
        value, column = view.value(name), view.table.columns[name]
        if not self.values:
            # "NULL passes": an empty list decides for values only.
            return sa.literal_column(
                f"CASE WHEN {to_sql(value)} IS NOT NULL THEN {str(self.negated).lower()} END"
            )
        # In a fixed order, because the SQL is part of the evidence.
        ordered = sorted(self.values, key=lambda v: (str(type(v)), str(v)))
        # IN would look the operator up in the search path; an extension's own is named.
        if column.operators:
            each = [_compared(view, name, "<>" if self.negated else "=", v) for v in ordered]
            return sa.and_(*each) if self.negated else sa.or_(*each)
        items = [_item(view, name, v) for v in ordered]
        return value.not_in(items) if self.negated else value.in_(items)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue) or super().enforced_by(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        column = table.columns[columns[0]]
        if (
            # An enum can hold none but its labels, so a set of all of them is a proof.
            not self.negated
            and not self.null_fails
            and column.is_enum
            and self.values.issuperset(column.labels)
        ):
            return f"type {column.type}"
        return ""


def _compared(view: View, column: str, symbol: str, value: Any) -> ColumnElement[bool]:
    sign = view.table.columns[column].sign(symbol)
    return view.value(column).op(sign, is_comparison=True)(_literal(view, column, value))


_LARGEST_REAL = 3.4028234663852886e38


def _literal(view: View, column: str, value: Any) -> ColumnElement[Any]:
    facts = view.table.columns[column]
    if facts.base == "float4" and type(value) in {int, float}:
        # Else real is widened, and 0.1 no longer equals 0.1. What no real can hold is compared with the
        # widened value.
        fits = abs(value) <= _LARGEST_REAL or abs(value) == inf
        return sa.cast(literal(value), sa.REAL if fits else sa.DOUBLE_PRECISION)
    return literal(value)


def _item(view: View, column: str, value: Any) -> ColumnElement[Any]:
    """A value of a list; a text with its type, so that the list is one array and not as many comparisons."""
    facts, made = view.table.columns[column], _literal(view, column, value)
    if isinstance(value, str) and (facts.is_enum or facts.base in {"text", "varchar"}):
        return sa.cast(made, sa.Text)
    return made


def _nan_guard(
    held: ColumnElement[bool], view: View, column: str, open_above: bool, closed_above: bool, allow_nan: bool
) -> ColumnElement[bool]:
    """PostgreSQL's NaN is greater than every number: a lower bound must refuse it, an upper bound may
    admit it.

    Arrays, ranges and rows compare by what is in them, in its order: one that holds a NaN may lie on
    either side.
    """
    facts = view.table.columns[column]
    # Where the bound is open above, a NaN would pass it; inside arrays and ranges it may stand anywhere.
    if (open_above or not facts.may_be_nan) and not allow_nan:
        return refusing_nan(held, view, (column,))
    # Allowed by name, and the upper bound would refuse it: so it is let in.
    if facts.may_be_nan and closed_above and allow_nan:
        return sa.or_(held, view.column(column) == sa.literal_column(nan_literal(facts.base)))
    return held
