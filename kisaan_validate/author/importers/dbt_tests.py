"""dbt's generic tests and those of dbt_utils as checks. A column may be an expression there: dbt writes it
out as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from decimal import Decimal
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class DbtSubject:
    """What a test is about: a column's name or an expression, as dbt would write it into its SQL; or a
    quoted name.
    """

    text: str
    quoted: bool = False

    @property
    def name(self) -> str:
        """The column's name in the catalogue; "" for an expression."""
        if self.quoted:
            return self.text
        return sql.folded(self.text) if sql.is_name(self.text) else ""

    @property
    def sql(self) -> str:
        """Its value as SQL. Raises NoCounterpart for what is no expression over a row."""
        if self.name:
            return sql_name(self.name)
        return sql.author_value(self.text, "a column")

    @property
    def title(self) -> str:
        """What it is called in an id: the name, or the words of the expression."""
        return self.name or "_".join(re.findall(r"\w+", self.text))[:60] or "expression"


@dataclass(frozen=True)
class Test:
    """One test on its way: of which column (None for none) of which table, with its arguments, over which
    rows.
    """

    __test__ = False  # not one of pytest's

    maker: Maker
    table: str
    column: DbtSubject | None
    arguments: dict[str, Any]
    where: str
    relation: Callable[[Any], str]
    resolved: Callable[[str], str]
    said: Said = field(default_factory=Said)

    def only(self, *names: str) -> Test:
        """The same test, if it has no other arguments: one that is not understood may change what it
        means.
        """
        # Passed in silence, it might change what is judged.
        if unknown := [name for name in self.arguments if name not in (*names, "column_name")]:
            raise NoCounterpart(f"the argument {remark(unknown[0])} is unknown")
        return self

    @property
    def subject(self) -> DbtSubject:
        """The column, or the expression in its place. Raises NoCounterpart for a test of a whole relation."""
        if self.column is not None:
            return self.column
        given = self.arguments.get("column_name")
        if given is None:
            raise NoCounterpart("it needs a column")
        return DbtSubject(sql.as_text(given, "a column's name as column_name"))

    def name(self) -> str:
        """The column, as SQL. Raises NoCounterpart for a test of a whole relation."""
        return self.subject.sql

    def own(self) -> str:
        """The column in words."""
        return self.subject.title

    def parts(self) -> list[str]:
        """The column's part of an id; none for a test of a whole relation."""
        if self.column is not None or "column_name" in self.arguments:
            return [self.own()]
        return []

    def id(self, *parts: str) -> str:
        """A check's id."""
        return ".".join((self.table, *parts))

    def row(self, expression: str, kind: str, *, allow_nan: bool = False) -> list[str]:
        """An expression over a row."""
        columns = [self.subject.name] if self.parts() and self.subject.name else []
        id = self.id(*self.parts(), kind)
        return [
            self.maker.row(
                self.table, expression, id, self.said, where=self.where, columns=columns, allow_nan=allow_nan
            )
        ]

    def select(self, statement: str, keys: list[str], kind: str, title: str) -> list[str]:
        """A SELECT of failing rows."""
        return [
            self.maker.assertion(
                self.table, statement, keys, self.id(*self.parts(), kind), replace(self.said, title=title)
            )
        ]

    def figure(
        self, outputs: list[tuple[str, str]], condition: str, kind: str, title: str, of: Sequence[str] = ()
    ) -> list[str]:
        """A figure over all rows: dbt counts one failure or none. ``of`` are the values that it is made
        of, as SQL.
        """
        if self.said.tolerance:
            # A figure is one failure: with a threshold of one it could never fail.
            raise NoCounterpart("a threshold on a test that fails once or not at all: it can never fail")
        said, id = replace(self.said, title=title), self.id(*self.parts(), kind)
        return [self.maker.measure(self.table, outputs, condition, id, said, where=self.where, of=of)]

    def source(self, alias: str) -> str:
        """The rows that are meant, as an item of FROM."""
        name = sql.table_ref(self.table)
        if self.where:
            # Only the author's condition, in its own parentheses.
            return f"(SELECT * FROM {name} WHERE {self.where}) AS {alias}"
        return f"{name} AS {alias}"


def _not_null(test: Test) -> list[str]:
    # Whether a value is there is asked, not what it is.
    return test.only().row(f"{test.name()} IS NOT NULL", "not_null", allow_nan=True)


def _unique(test: Test) -> list[str]:
    return _unique_over(test.only(), [test.subject], nulls_equal=False)


def _unique_over(test: Test, subjects: list[DbtSubject], *, nulls_equal: bool) -> list[str]:
    # dbt counts the values that occur more than once, not the rows.
    columns, id = [s.name for s in subjects], test.id("_".join(s.title for s in subjects), "unique")
    # Only names can be declared; an expression needs a SELECT.
    if all(columns):
        more = {} if nulls_equal else {"nulls_equal": False}
        arguments: list[Any] = [columns[0] if len(columns) == 1 else columns]
        return [
            test.maker.declare(
                "unique",
                test.table,
                arguments,
                id,
                test.said,
                columns,
                counts="groups",
                where=test.where,
                **more,
            )
        ]
    values = [s.sql for s in subjects]
    outputs = ", ".join(f"{value} AS value_{n}" for n, value in enumerate(values, 1))
    # dbt leaves out NULL in unique, and not in a combination.
    filled = "" if nulls_equal else f"\nWHERE {' AND '.join(f'{value} IS NOT NULL' for value in values)}"
    statement = (
        f"SELECT {outputs}, count(*) AS rows_found\nFROM {test.source('t')}{filled}\n"
        f"GROUP BY {', '.join(values)}\nHAVING count(*) > 1"
    )
    said = replace(
        test.said, title=f"no two rows have the same {' and '.join(s.text for s in subjects)}; counts values"
    )
    return [
        test.maker.assertion(
            test.table, statement, [f"value_{n}" for n in range(1, len(values) + 1)], id, said
        )
    ]


def _combination(test: Test) -> list[str]:
    given = sql.as_list(
        test.only("combination_of_columns", "quote_columns").arguments.get("combination_of_columns"),
        "columns",
    )
    quoted = test.arguments.get("quote_columns") is True
    subjects = [DbtSubject(sql.as_text(c, "a column's name"), quoted) for c in given]
    if not subjects or len({s.name or s.text for s in subjects}) < len(subjects):
        raise NoCounterpart("different columns are expected")
    return _unique_over(test, subjects, nulls_equal=True)


def _values(test: Test) -> str:
    """The set of an accepted_values: quoted (the default), every value is written as a text."""
    values = [
        v
        for v in sql.as_list(test.only("values", "quote").arguments.get("values"), "a list of values")
        if v is not None
    ]
    if test.arguments.get("quote", True) is False:
        parts = [sql.author_value(v, "a value") if isinstance(v, str) else sql.value_sql(v) for v in values]
    else:
        # A date or a mapping here is no literal that dbt would write.
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
    return test.select(
        statement, ["value"], "accepted_values", "each value is one of the accepted ones; counts values"
    )


def _not_accepted(test: Test) -> list[str]:
    return test.row(f"NOT ({_values(test)})", "not_accepted_values")


def _relationships(test: Test) -> list[str]:
    return _refers(test.only("to", "field"), "", "")


def _relationships_where(test: Test) -> list[str]:
    test.only("to", "field", "from_condition", "to_condition")
    conditions = []
    for key in ("from_condition", "to_condition"):
        given = test.arguments.get(key)
        # "1=1" is the package's default, and no condition.
        conditions.append("" if given in (None, "1=1") else sql.author_condition(given, key))
    return _refers(test, *conditions)


def _refers(test: Test, from_condition: str, to_condition: str) -> list[str]:
    parent, on = (
        test.relation(test.arguments.get("to")),
        DbtSubject(sql.as_text(test.arguments.get("field"), "a field")),
    )
    where = sql.both(test.where, from_condition)
    if test.subject.name and on.name:
        arguments, id = [test.subject.name, parent, on.name], test.id(*test.parts(), "relationships")
        more = {"where": where, "reference_where": to_condition}
        return [
            test.maker.declare("values_in", test.table, arguments, id, test.said, [test.subject.name], **more)
        ]
    only = f" WHERE {to_condition}" if to_condition else ""
    statement = (
        "SELECT row_number() OVER () AS row_number, c.value\n"
        f"FROM (SELECT {test.name()} AS value FROM {replace(test, where=where).source('t')}) AS c\nWHERE "
        f"c.value IS NOT NULL\n"
        f"  AND (NOT EXISTS (SELECT 1 FROM (SELECT {on.sql} AS value FROM {sql.table_ref(parent)}{only}) "
        f"AS p WHERE p.value = c.value)\n"
        # A NaN is in no set of values, also not in one that holds a NaN (docs/semantics.md, values_in).
        f"    OR {sql.nan_sql('c.value')})"
    )
    return test.select(
        statement,
        ["row_number"],
        "relationships",
        f"every {test.own()} is an existing {on.title} of {parent}",
    )


def _range(test: Test) -> list[str]:
    test.only("min_value", "max_value", "inclusive")
    strict = test.arguments.get("inclusive") is False
    sql.refuse_empty(test.arguments.get("min_value"), test.arguments.get("max_value"), strict=strict)
    low, high = (_bound(test.arguments.get(key), key) for key in ("min_value", "max_value"))
    return test.row(sql.bounded(test.name(), low, high, strict, strict), "accepted_range")


def _bound(value: Any, key: str) -> str | None:
    if value is None:
        return None
    sql.bound_sql(value, key)  # NaN is no bound, however it is written: as text, as a literal of SQL
    # Written as a literal of SQL a NaN is still no bound.
    if isinstance(value, str) and re.search(r"'\s*[+-]?\.?(nan|inf|infinity)\s*'", value, re.I):
        raise NoCounterpart(f"{key} is {remark(value)}, which is not a bound")
    if isinstance(value, str):
        return sql.author_value(value, key)
    return sql.value_sql(value)


def _expression(test: Test) -> list[str]:
    given = sql.as_text(test.only("expression").arguments.get("expression"), "an expression")
    # Behind the column, as dbt writes it: "> 0" is an expression there.
    text = f"{test.name()} {given}" if test.parts() else given
    return test.row(sql.author_condition(text, "the expression"), "expression")


def _not_empty(test: Test) -> list[str]:
    trimmed = test.only("trim_whitespace").arguments.get("trim_whitespace", True) is not False
    # Newer versions trim tabs and line ends too: what one of them calls empty is empty here.
    return test.row(
        f"btrim({test.name()}, ' ' || chr(9) || chr(10) || chr(13)) <> ''"
        if trimmed
        else f"{test.name()} <> ''",
        "not_empty_string",
    )


def _proportion(test: Test) -> list[str]:
    test.only("at_least", "at_most")
    parts = []
    for key, sign in (("at_least", ">="), ("at_most", "<=")):
        given = test.arguments.get(key)
        if isinstance(given, str):
            given = Decimal(given) if given.replace(".", "", 1).isdigit() else given
        if given is not None:
            share = sql.share_of(given)
            # Cross-multiplied: a quotient would round.
            parts.append(f"m.present * {share.denominator} {sign} {share.numerator} * m.judged")
    least, most = (test.arguments.get(key) for key in ("at_least", "at_most"))
    sql.refuse_empty(least, most)
    # Both ends that every share meets.
    if not parts or (str(least or 0) in {"0", "0.0"} and str(1 if most is None else most) in {"1", "1.0"}):
        raise NoCounterpart("it has no bounds, or none but 0 and 1: it can never fail")
    outputs = [("present", f"count({test.name()})"), ("judged", "count(*)")]
    return test.figure(
        outputs,
        # dbt gives no verdict over no rows.
        f"m.judged = 0 OR ({' AND '.join(parts)})",
        "not_null_proportion",
        f"enough rows have {test.own()}",
    )


def _at_least_one(test: Test) -> list[str]:
    return test.only().figure(
        [("present", f"count({test.name()})")], "m.present > 0", "at_least_one", f"some row has {test.own()}"
    )


def _not_constant(test: Test) -> list[str]:
    outputs = [("different", f"count(DISTINCT {test.name()})")]
    return test.only().figure(
        outputs, "m.different <> 1", "not_constant", f"{test.own()} has more than one value"
    )


def _rows_against(relation: str, kind: str) -> Callable[[Test], list[str]]:
    def make(test: Test) -> list[str]:
        other = sql.table_ref(test.relation(test.only("compare_model").arguments.get("compare_model")))
        outputs = [("rows_found", "count(*)"), ("rows_there", f"(SELECT count(*) FROM {other})")]
        return test.figure(
            outputs,
            f"m.rows_found {relation} m.rows_there",
            kind,
            f"its rows are {relation} those of {other}",
        )

    return make


_PERIODS = {"second", "minute", "hour", "day", "week", "month", "year"}


def _recency(test: Test) -> list[str]:
    test.only("datepart", "field", "interval", "ignore_time_component")
    if test.arguments.get("ignore_time_component"):
        raise NoCounterpart("ages counted in whole days")
    return recent(test, test.arguments.get("field"))


def recent(test: Test, subject: Any, only: str = "") -> list[str]:
    """The newest value is at most so old; ``only`` is a FILTER clause that says which values count."""
    part, interval = test.arguments.get("datepart"), test.arguments.get("interval")
    if part not in _PERIODS or isinstance(interval, bool) or not isinstance(interval, int) or interval < 1:
        raise NoCounterpart("an age is a number of seconds, minutes, hours, days, weeks, months or years")
    outputs = [("newest", f"max({sql.author_value(subject, 'a column')}){only}")]
    # From now() on, as dbt asks: the age is of the run.
    condition = f"m.newest >= now() - INTERVAL '{interval} {part}s'"
    return test.figure(outputs, condition, "recency", f"the newest value is at most {interval} {part}s old")


GENERIC: dict[str, Callable[[Test], list[str]]] = {
    "not_null": _not_null,
    "unique": _unique,
    "accepted_values": _accepted,
    "relationships": _relationships,
    "unique_combination_of_columns": _combination,
    "not_accepted_values": _not_accepted,
    "relationships_where": _relationships_where,
    "accepted_range": _range,
    "expression_is_true": _expression,
    "not_empty_string": _not_empty,
    "not_null_proportion": _proportion,
    "at_least_one": _at_least_one,
    "not_constant": _not_constant,
    "equal_rowcount": _rows_against("=", "equal_rowcount"),
    "fewer_rows_than": _rows_against("<", "fewer_rows_than"),
    "recency": _recency,
}
"""dbt's own generic tests, and those of dbt_utils, without their package's name."""
