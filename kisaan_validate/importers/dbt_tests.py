"""dbt's generic tests, those of dbt_utils, and those of dbt_expectations, as checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from kisaan_validate.importers import expressions as sql
from kisaan_validate.importers import great_expectations
from kisaan_validate.importers.maker import Maker
from kisaan_validate.importers.outcome import NoCounterpart, Said
from kisaan_validate.source import remark, sql_name


@dataclass(frozen=True)
class Test:
    """One test on its way: of which column ("" for none) of which table, with its arguments, over which rows."""

    __test__ = False  # not one of pytest's

    maker: Maker
    table: str
    column: str
    arguments: dict[str, Any]
    where: str
    relation: Callable[[Any], str]
    resolved: Callable[[str], str]
    said: Said = field(default_factory=Said)

    def only(self, *names: str) -> Test:
        """The same test, if it has no other arguments: one that is not understood may change what it means."""
        if unknown := [name for name in self.arguments if name not in (*names, "column_name")]:
            raise NoCounterpart(f"the argument {remark(unknown[0])} is not understood")
        return self

    def name(self) -> str:
        """The column, as SQL. Raises NoCounterpart for a test of a whole relation."""
        return sql_name(self.own())

    def own(self) -> str:
        """The column's name."""
        given = self.arguments.get("column_name")
        if not self.column and isinstance(given, str):
            return sql.folded(given)
        if not self.column:
            raise NoCounterpart("it needs a column")
        return self.column

    def id(self, *parts: str) -> str:
        """A check's id."""
        return ".".join((self.table, *parts))

    def row(self, expression: str, kind: str) -> list[str]:
        """An expression over a row."""
        columns = [self.own()] if self.column else []
        return [self.maker.row(self.table, expression, self.id(*columns, kind), self.said, where=self.where, columns=columns)]

    def select(self, statement: str, keys: list[str], kind: str, title: str) -> list[str]:
        """A SELECT of failing rows."""
        parts = [self.column] if self.column else []
        return [self.maker.assertion(self.table, statement, keys, self.id(*parts, kind), replace(self.said, title=title))]

    def figure(self, outputs: list[tuple[str, str]], condition: str, kind: str, title: str) -> list[str]:
        """A figure over all rows: dbt counts one failure or none."""
        if self.said.tolerance:
            raise NoCounterpart("a threshold on a test that fails once or not at all: it can never fail")
        parts = [self.column] if self.column else []
        said = replace(self.said, title=title)
        return [self.maker.measure(self.table, outputs, condition, self.id(*parts, kind), said, where=self.where)]

    def source(self, alias: str) -> str:
        """The rows that are meant, as an item of FROM."""
        name = sql.table_ref(self.table)
        return f"(SELECT * FROM {name} WHERE {self.where}) AS {alias}" if self.where else f"{name} AS {alias}"


def _not_null(test: Test) -> list[str]:
    return test.only().row(f"{test.name()} IS NOT NULL", "not_null")


def _unique(test: Test) -> list[str]:
    return _unique_over(test.only(), [test.own()], nulls_equal=False)


def _unique_over(test: Test, columns: list[str], *, nulls_equal: bool) -> list[str]:
    # dbt counts the values that occur more than once, not the rows.
    more = {} if nulls_equal else {"nulls_equal": False}
    arguments: list[Any] = [columns[0] if len(columns) == 1 else columns]
    id = test.id("_".join(columns), "unique")
    return [test.maker.declare("unique", test.table, arguments, id, test.said, columns, counts="groups", where=test.where, **more)]


def _combination(test: Test) -> list[str]:
    given = sql.as_list(test.only("combination_of_columns", "quote_columns").arguments.get("combination_of_columns"), "columns")
    quoted = test.arguments.get("quote_columns") is True
    columns = [(lambda c: c if quoted else sql.folded(c))(sql.as_text(c, "a column's name")) for c in given]
    if not columns or len(set(columns)) < len(columns):
        raise NoCounterpart("different columns are expected")
    return _unique_over(test, columns, nulls_equal=True)


def _values(test: Test) -> str:
    """The set of an accepted_values: quoted (the default), every value is written as a text."""
    values = [v for v in sql.as_list(test.only("values", "quote").arguments.get("values"), "a list of values") if v is not None]
    if test.arguments.get("quote", True) is False:
        parts = [sql.author_value(v, "a value") if isinstance(v, str) else sql.value_sql(v) for v in values]
    else:
        parts = [sql.value_sql(str(v)) for v in values if isinstance(v, (str, int, Decimal))]
    if len(parts) < len(values) or not parts:
        raise NoCounterpart("a list of texts and numbers is expected")
    return f"{test.name()} IN ({', '.join(parts)})"


def _accepted(test: Test) -> list[str]:
    inside = _values(test)
    if not test.said.tolerance:
        return test.row(inside, "accepted_values")
    # dbt counts different values, not rows: with a threshold that is another number.
    statement = f"SELECT DISTINCT {test.name()}::text AS value\nFROM {test.source('t')}\nWHERE NOT ({inside})"
    return test.select(statement, ["value"], "accepted_values", "each value is one of those that are accepted; counts values")


def _not_accepted(test: Test) -> list[str]:
    return test.row(f"NOT ({_values(test)})", "not_accepted_values")


def _relationships(test: Test) -> list[str]:
    return _refers(test.only("to", "field"), "", "")


def _relationships_where(test: Test) -> list[str]:
    test.only("to", "field", "from_condition", "to_condition")
    conditions = []
    for key in ("from_condition", "to_condition"):
        given = test.arguments.get(key)
        conditions.append("" if given in (None, "1=1") else sql.author_condition(given, key))
    return _refers(test, *conditions)


def _refers(test: Test, from_condition: str, to_condition: str) -> list[str]:
    parent, on = test.relation(test.arguments.get("to")), sql.folded(sql.as_text(test.arguments.get("field"), "a field"))
    name = sql.table_ref(parent)
    there = f"(SELECT * FROM {name} WHERE {to_condition}) AS p" if to_condition else f"{name} AS p"
    child = replace(test, where=sql.both(test.where, from_condition)).source("c")
    statement = (
        f"SELECT row_number() OVER () AS row_number, c.{test.name()}\nFROM {child}\nWHERE c.{test.name()} IS NOT NULL\n"
        f"  AND NOT EXISTS (SELECT 1 FROM {there} WHERE p.{sql_name(on)} = c.{test.name()})"
    )
    return test.select(statement, ["row_number"], "relationships", f"every {test.own()} is an existing {on} of {parent}")


def _range(test: Test) -> list[str]:
    test.only("min_value", "max_value", "inclusive")
    strict = test.arguments.get("inclusive") is False
    low, high = (_bound(test.arguments.get(key), key) for key in ("min_value", "max_value"))
    return test.row(sql.bounded(test.name(), low, high, strict, strict), "accepted_range")


def _bound(value: Any, key: str) -> str | None:
    if value is None:
        return None
    return sql.author_value(value, key) if isinstance(value, str) else sql.value_sql(value)


def _expression(test: Test) -> list[str]:
    given = sql.as_text(test.only("expression").arguments.get("expression"), "an expression")
    text = f"{test.name()} {given}" if test.column else given
    return test.row(sql.author_condition(text, "the expression"), "expression")


def _not_empty(test: Test) -> list[str]:
    trimmed = test.only("trim_whitespace").arguments.get("trim_whitespace", True) is not False
    return test.row(f"trim({test.name()}) <> ''" if trimmed else f"{test.name()} <> ''", "not_empty_string")


def _proportion(test: Test) -> list[str]:
    test.only("at_least", "at_most")
    parts = []
    for key, sign in (("at_least", ">="), ("at_most", "<=")):
        given = test.arguments.get(key)
        if isinstance(given, str):
            given = Decimal(given) if given.replace(".", "", 1).isdigit() else given
        if given is not None:
            share = sql.share_of(given)
            parts.append(f"m.present * {share.denominator} {sign} {share.numerator} * m.judged")
    if not parts:
        raise NoCounterpart("it has no bounds: it can never fail")
    outputs = [("present", f"count({test.name()})"), ("judged", "count(*)")]
    return test.figure(outputs, f"m.judged = 0 OR ({' AND '.join(parts)})", "not_null_proportion", f"enough rows have {test.own()}")


def _at_least_one(test: Test) -> list[str]:
    return test.only().figure([("present", f"count({test.name()})")], "m.present > 0", "at_least_one", f"some row has {test.own()}")


def _not_constant(test: Test) -> list[str]:
    outputs = [("different", f"count(DISTINCT {test.name()})")]
    return test.only().figure(outputs, "m.different <> 1", "not_constant", f"{test.own()} has more than one value")


def _rows_against(relation: str, kind: str) -> Callable[[Test], list[str]]:
    def make(test: Test) -> list[str]:
        other = sql.table_ref(test.relation(test.only("compare_model").arguments.get("compare_model")))
        outputs = [("rows_found", "count(*)"), ("rows_there", f"(SELECT count(*) FROM {other})")]
        return test.figure(outputs, f"m.rows_found {relation} m.rows_there", kind, f"its rows are {relation} those of {other}")

    return make


_PERIODS = {"second", "minute", "hour", "day", "week", "month", "year"}


def _recency(test: Test) -> list[str]:
    test.only("datepart", "field", "interval", "ignore_time_component")
    if test.arguments.get("ignore_time_component"):
        raise NoCounterpart("ages counted in whole days")
    return _recent(test, test.arguments.get("field"))


def _recent(test: Test, subject: Any) -> list[str]:
    part, interval = test.arguments.get("datepart"), test.arguments.get("interval")
    if part not in _PERIODS or isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
        raise NoCounterpart("an age is a number of seconds, minutes, hours, days, weeks, months or years")
    outputs = [("newest", f"max({sql.author_value(subject, 'a column')})")]
    condition = f"m.newest >= now() - INTERVAL '{interval} {part}s'"
    return test.figure(outputs, condition, "recency", f"the newest value is at most {interval} {part}s old")


GENERIC: dict[str, Callable[[Test], list[str]]] = {
    "not_null": _not_null, "unique": _unique, "accepted_values": _accepted, "relationships": _relationships,
    "unique_combination_of_columns": _combination, "not_accepted_values": _not_accepted, "relationships_where": _relationships_where,
    "accepted_range": _range, "expression_is_true": _expression, "not_empty_string": _not_empty, "not_null_proportion": _proportion,
    "at_least_one": _at_least_one, "not_constant": _not_constant, "equal_rowcount": _rows_against("=", "equal_rowcount"),
    "fewer_rows_than": _rows_against("<", "fewer_rows_than"), "recency": _recency,
}  # fmt: skip
"""dbt's own generic tests, and those of dbt_utils, without their package's name."""

_RENAMED = {
    "column_type": "type_", "column_type_list": "type_list", "compare_model": "other_table_name", "strictly": "strictly",
}  # fmt: skip
_KNOWN = {
    "value_set", "min_value", "max_value", "regex", "regex_list", "like_pattern", "like_pattern_list", "match_on", "value", "column_list",
    "ignore_row_if", "or_equal", "column_A", "column_B", "row_condition", "quote_values", "strictly", "column_type", "column_type_list",
    "compare_model", "sum_total", "column_name", "value_pairs_set",
}  # fmt: skip


def expectation(name: str, test: Test) -> Iterable[str]:
    """A test of dbt_expectations, by way of the expectation that it is named after."""
    kind = name.lower()
    if kind == "expect_row_values_to_have_recent_data":
        test.only("datepart", "interval", "row_condition")
        return _recent(replace(test, where=_condition(test)), test.own())
    if kind in great_expectations.STATISTICAL:
        raise NoCounterpart(great_expectations.STATISTICAL[kind])
    if test.said.tolerance:
        raise NoCounterpart("a threshold on a test of dbt_expectations")
    if unknown := [key for key in test.arguments if key not in _KNOWN]:
        raise NoCounterpart(f"the argument {remark(unknown[0])} is not understood")
    kwargs = {_RENAMED.get(key, key): value for key, value in test.arguments.items() if key not in {"row_condition", "quote_values"}}
    if test.column:
        kwargs.setdefault("column", test.column)
    if isinstance(kwargs.get("other_table_name"), str):
        kwargs["other_table_name"] = test.relation(kwargs["other_table_name"])
    for key in ("column_A", "column_B", "column_name"):
        if isinstance(kwargs.get(key), str):
            kwargs[key] = sql.folded(kwargs[key])
    if isinstance(kwargs.get("column_list"), list):
        kwargs["column_list"] = kwargs["column_set"] = [sql.folded(c) if isinstance(c, str) else c for c in kwargs["column_list"]]
    kwargs["strict_min"] = kwargs["strict_max"] = kwargs.pop("strictly", False) is True
    _refuse_unquoted(test, kwargs)
    return great_expectations.translate(
        {"type": kind, "kwargs": kwargs}, test.table, test.maker, condition=_condition(test), values_are_sql=True, said=test.said
    )


def _refuse_unquoted(test: Test, kwargs: dict[str, Any]) -> None:
    if test.arguments.get("quote_values", True) is False and any(isinstance(v, str) for v in kwargs.get("value_set") or []):
        raise NoCounterpart("a set of SQL expressions (quote_values: false)")


def _condition(test: Test) -> str:
    own = test.arguments.get("row_condition")
    return sql.both(test.where, sql.author_condition(test.resolved(own), "a row condition") if isinstance(own, str) else "")
