"""Rules on single rows. NULL passes unless the rule is about NULL; a NaN violates whatever compares it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.base import RowRule, later
from kisaan_validate.rules.enforcement import implied_by_constraints
from kisaan_validate.rules.intervals import Interval, refuse_no_value
from kisaan_validate.rules.nan import nan_literal, refusing_nan
from kisaan_validate.sql.expressions import View, literal, raw, text_literal, to_sql
from kisaan_validate.sql.nan import settled_for_nan

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table


def _words(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class NotNull(RowRule):
    """The column has a value in every row."""

    kind: ClassVar[str] = "not_null"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} is never NULL"

    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        return view.column(columns[0]).is_(None)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return "NOT NULL" if table.proves_not_null(columns[0]) else ""


@dataclass(frozen=True)
class PredicateRule(RowRule):
    """A rule that says what holds; a row violates it where that is false, and with ``null_fails`` where it
    is NULL.
    """

    null_fails: bool = False

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The predicate that must hold."""
        raise TypeError("a predicate rule states its predicate")  # pragma: no cover - abstract

    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        held = self.holds(view, columns)
        if self.null_fails:
            # IS NOT TRUE also counts NULL, which "NOT (…)" leaves out.
            return sa.literal_column(f"({to_sql(held)}) IS NOT TRUE")
        return sa.literal_column(f"NOT ({to_sql(held)})")

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        # A CHECK admits NULL, so it cannot enforce a rule that refuses it.
        if self.null_fails:
            return ""
        return implied_by_constraints(
            to_sql(self.holds(View(table), columns)), table, authored=bool(self.conditions())
        )


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
        return f"{columns[0]} {_OPERATORS[self.operator][1]} {_words(self.value)}"

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
        return f"{columns[0]} is in {left}{_words(self.low)}, {_words(self.high)}{right}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        low = _compared(view, columns[0], ">=" if self.include_low else ">", self.low)
        high = _compared(view, columns[0], "<=" if self.include_high else "<", self.high)
        # NaN is greater than every number: the upper bound already refuses it.
        return _nan_guard(sa.and_(low, high), view, columns[0], False, True, self.allow_nan)


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
        listed = ", ".join(sorted(_words(v) for v in self.values))
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


@dataclass(frozen=True)
class Matches(PredicateRule):
    """The text matches a regular expression of the server's (POSIX advanced): anywhere, or from its start."""

    pattern: str = ""
    anchored: bool = False
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "matches"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"{columns[0]} {'starts with a match of' if self.anchored else 'contains a match of'} "
            f"/{self.pattern}/"
        )

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        # Options such as (?i) count only at the very beginning of a pattern.
        # Anchored by hand, because PostgreSQL has no "match from the start".
        options = match[0] if (match := re.match(r"\(\?[a-z]+\)", self.pattern)) else ""
        # Under x a comment runs to the end of the line, and would swallow the parenthesis.
        end = "\n)" if "x" in options else ")"
        pattern = f"{options}^(?:{self.pattern[len(options) :]}{end}" if self.anchored else self.pattern
        held = _text(view, columns[0]).op("~", is_comparison=True)(text_literal(pattern))
        return held if self.allow_nan else refusing_nan(held, view, columns)


@dataclass(frozen=True)
class Affix(PredicateRule):
    """The text starts (or ends) with a string, compared character by character."""

    string: str = ""
    at_end: bool = False
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "affix"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} {'ends' if self.at_end else 'starts'} with {_words(self.string)}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        value, size = _text(view, columns[0]), len(self.string)
        part = sa.func.right(value, size) if self.at_end else sa.func.left(value, size)
        # left() and right() instead of LIKE: no character of the string is a wildcard.
        held: ColumnElement[bool] = part == text_literal(self.string) if size else value == value
        return held if self.allow_nan else refusing_nan(held, view, columns)


@dataclass(frozen=True)
class Length(PredicateRule):
    """The number of characters lies within bounds, both included."""

    low: int | None = None
    high: int | None = None
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "str_length"

    def __post_init__(self) -> None:
        for bound in (self.low, self.high):
            if bound is not None and (type(bound) is not int or bound < 0):
                raise SuiteError(
                    f"{bound!r} is not a number of characters", "write a whole number, 0 or more"
                )
        if self.high is None and not self.low:
            raise SuiteError("at least 0 characters can never fail", "write 1 or more, or omit it")
        Interval(self.low, self.high).refuse_void()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        if self.low == self.high:
            return f"{columns[0]} has exactly {self.low} characters"
        bounds = [
            f"at least {self.low}" if self.low is not None else "",
            f"at most {self.high}" if self.high is not None else "",
        ]
        return f"{columns[0]} has {' and '.join(b for b in bounds if b)} characters"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        size = sa.func.length(_text(view, columns[0]))
        parts = [size >= self.low] if self.low is not None else []
        parts += [size <= self.high] if self.high is not None else []
        if self.allow_nan:
            return sa.and_(*parts)
        return refusing_nan(sa.and_(*parts), view, columns)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue) or super().enforced_by(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        limit = table.columns[columns[0]].max_length
        # varchar(n) refuses longer texts, but says nothing of a lower bound.
        if (
            not self.low
            and not self.null_fails
            and limit is not None
            and self.high is not None
            and limit <= self.high
        ):
            return f"type {table.columns[columns[0]].type}"
        return ""


def _text(view: View, column: str) -> ColumnElement[Any]:
    base = view.table.columns[column].base
    if base in {"text", "varchar"}:
        return view.column(column)
    # As text: char(n) loses its padding, and citext its own comparison.
    return sa.cast(view.column(column), sa.Text)


_MOST_PLACES = 16_383
"""No numeric has more digits after the point (docs of PostgreSQL, "Numeric Types")."""


def _float_decimals(column: ColumnElement[Any], places: int) -> ColumnElement[bool]:
    """The same of a float: its shortest decimal text is what people read and typed. An infinity has no
    decimal places.
    """
    # Through text: 0.1::numeric of a float gives the digits that people typed.
    written = sa.cast(sa.cast(column, sa.Text), sa.Numeric)
    infinite = column.in_([sa.literal_column("'Infinity'"), sa.literal_column("'-Infinity'")])
    # PostgreSQL 13 cannot turn an infinity into numeric; it has no decimal places in any case.
    held: ColumnElement[bool] = sa.case(
        (infinite, sa.true()), else_=written == sa.func.round(written, places)
    )
    return held


@dataclass(frozen=True)
class Decimals(PredicateRule):
    """A numeric value has at most so many decimal places. Infinities have none; a NaN has no places, and
    violates it.
    """

    places: int = 2
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "decimals"

    def __post_init__(self) -> None:
        if type(self.places) is not int or self.places < 0:
            raise SuiteError(
                f"{self.places!r} is not a number of decimal places", "write a whole number, 0 or more"
            )
        if self.places >= _MOST_PLACES:
            raise SuiteError(
                f"at most {self.places} decimal places can never fail", "a numeric has at most 16383"
            )

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} has at most {self.places} decimal places"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        column: ColumnElement[Any] = view.column(columns[0])
        held: ColumnElement[bool] = column == sa.func.round(column, self.places)
        if view.table.columns[columns[0]].base in {"float4", "float8"}:
            held = _float_decimals(column, self.places)
        return held if self.allow_nan else refusing_nan(held, view, columns)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue) or super().enforced_by(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        # numeric(p, s) rounds what it stores to s places, and stores a NaN all the same.
        column = table.columns[columns[0]]
        rounded = column.scale is not None and column.scale <= self.places
        return f"type {column.type}" if rounded and self.allow_nan else ""


@dataclass(frozen=True)
class Holds(PredicateRule):
    """A SQL expression over one row's columns that must not be false, and none of these columns is NaN.

    If the expression says what a NaN of a column means, that holds; with ``allow_nan`` for all columns.
    """

    expression: str = ""
    volatile: frozenset[str] = frozenset()
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "holds"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return " ".join(self.expression.split())

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        if self.allow_nan:
            return raw(self.expression)
        settled = settled_for_nan(self.expression)
        return refusing_nan(raw(self.expression), view, (c for c in columns if ("", c) not in settled))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.expression,)

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile
