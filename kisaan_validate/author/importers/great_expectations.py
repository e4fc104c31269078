"""Suites of Great Expectations (JSON of 0.x and of 1.x): each expectation as checks, or why there is none.

Where an answer depends on where Great Expectations runs, it is taken as on PostgreSQL: NULL is no
unexpected value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.conditions import row_condition_sql
from kisaan_validate.author.importers.gx_tables import table_of_suite
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.reading import read_json
from kisaan_validate.author.importers.tables import Tables
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.errors import UsageError

_KNOWN = frozenset(
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


def import_suite(path: Path, maker: Maker, tables: Tables) -> None:
    """Every expectation of one suite. Raises UsageError if it is no suite, or its table is not known."""
    suite = read_json(path)
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list):
        raise UsageError(
            f"{path} is not a Great Expectations suite",
            "it needs a list of expectations; a checkpoint is not a suite",
        )
    table = table_of_suite(suite, path, tables)
    for number, expectation in enumerate(suite["expectations"]):
        place = f"expectations[{number}]"
        maker.item(path.name, place, _title(expectation), partial(translate, expectation, table, maker))


def _title(expectation: Any) -> str:
    if not isinstance(expectation, dict):
        return remark(repr(expectation))
    kwargs = expectation.get("kwargs")
    column = kwargs.get("column") if isinstance(kwargs, dict) else None
    kind = _type_of(expectation)
    return f"{kind} of {column}" if isinstance(column, str) else kind


def _type_of(expectation: dict[str, Any]) -> str:
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
            raise NoCounterpart("a list of different columns is expected")
        return names

    def value(self, key: str, figure: bool = False) -> str | None:
        """A bound as SQL; None for none. That of a ``figure`` reads no column."""
        given = self.kwargs.get(key)
        if given is None:
            return None
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
        if isinstance(given, bool) or not isinstance(given, (int, Decimal)):
            raise NoCounterpart(f"{key} is not a number: {remark(repr(given))}")
        return Fraction(given)

    def strict(self, key: str) -> bool:
        """Whether a bound is left out itself."""
        return self.kwargs.get(key) is True

    def id(self, *parts: str) -> str:
        """A check's id: the table, and what is said of it."""
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
        figure = subject.startswith("m.")
        return sql.bounded(subject, self.value("min_value", figure), self.value("max_value", figure), *strict)

    def counts(self, subject: str) -> str:
        """The same around a number of rows, columns or values. Raises NoCounterpart too where every number
        is admitted.
        """
        least, most = self.kwargs.get("min_value"), self.kwargs.get("max_value")
        idle = isinstance(least, (int, Decimal)) and (
            least < 0 or (least == 0 and not self.strict("strict_min"))
        )
        if idle and most is None:
            raise NoCounterpart(f"every number is at least {least}: it can never fail")
        return self.bounds_of(subject)


def translate(
    expectation: Any,
    table: str,
    maker: Maker,
    *,
    condition: str | None = None,
    values_are_sql: bool = False,
    said: Said | None = None,
) -> Iterable[str]:
    """The ids of the checks that an expectation becomes. Raises NoCounterpart and SuiteError.

    dbt_expectations speaks the same language: there ``condition`` is the row condition as SQL, and bounds
    that are texts are SQL (``values_are_sql``).
    """
    if not isinstance(expectation, dict) or not isinstance(expectation.get("kwargs", {}), dict):
        raise NoCounterpart("it is not an expectation: an object with a type and kwargs is expected")
    kind, kwargs = _type_of(expectation), dict(expectation.get("kwargs") or {})
    if kind in STATISTICAL:
        raise NoCounterpart(STATISTICAL[kind])
    if kind not in TRANSLATED:
        raise NoCounterpart("it is not one of Great Expectations' own expectations")
    if "$PARAMETER" in str(kwargs):
        raise NoCounterpart("it has a parameter that is only known when it runs ($PARAMETER)")
    if unknown := [key for key, value in kwargs.items() if key not in _KNOWN and value not in (None, False)]:
        raise NoCounterpart(f"the argument {remark(unknown[0])} is unknown")
    if condition is None:
        condition = row_condition_sql(kwargs.get("row_condition"), kwargs.get("condition_parser"))
    mostly = kwargs.get("mostly")
    share = Fraction(1) if mostly is None else sql.share_of(mostly)
    expected = Expected(maker, table, kwargs, condition, share, said or _said(expectation), values_are_sql)
    return TRANSLATED[kind](expected)


def _said(expectation: dict[str, Any]) -> Said:
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


def _not_null(e: Expected) -> list[str]:
    return e.of_rows(f"{sql_name(e.column())} IS NOT NULL", "not_null")


def _null(e: Expected) -> list[str]:
    return e.of_rows(f"{sql_name(e.column())} IS NULL", "is_null")


def _in_set(e: Expected) -> list[str]:
    return e.of_values(_members(e), "in_set")


def _members(e: Expected) -> str:
    values = sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set")
    return sql.in_list(sql_name(e.column()), values)


def _not_in_set(e: Expected) -> list[str]:
    if not [
        v for v in sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set") if v is not None
    ]:
        raise NoCounterpart("a set without values: it can never fail")
    return e.of_values(f"NOT ({_members(e)})", "not_in_set")


def _between(e: Expected) -> list[str]:
    return e.of_values(e.bounds_of(sql_name(e.column())), "between")


def _length_between(e: Expected) -> list[str]:
    return e.of_values(e.counts(f"length({sql_name(e.column())}::text)"), "length")


def _length_equal(e: Expected) -> list[str]:
    return e.of_values(
        f"length({sql_name(e.column())}::text) = {sql.value_sql(_whole(e, 'value'))}", "length"
    )


def _whole(e: Expected, key: str) -> int:
    value = e.kwargs.get(key)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise NoCounterpart(f"{key} is not a whole number: {remark(repr(value))}")
    return value


def _pattern(matcher: Callable[[str, Any], str], key: str, negated: bool) -> Callable[[Expected], list[str]]:
    """One pattern, or a list of which any (or all) must match; negated, none may."""

    def make(e: Expected) -> list[str]:
        column, given = sql_name(e.column()), e.kwargs.get(key)
        if key == "like_pattern" and e.kwargs.get("escape") not in (None, "\\"):
            raise NoCounterpart("LIKE with an escape character of its own")
        patterns = sql.as_list(given, "patterns") if key.endswith("_list") else [given]
        if not patterns:
            raise NoCounterpart("an empty list of patterns")
        joined = " AND " if e.kwargs.get("match_on") == "all" else " OR "
        said = joined.join(matcher(column, p) for p in patterns)
        return e.of_values(f"NOT ({said})" if negated else said, "not_matches" if negated else "matches")

    return make


def _unique(e: Expected) -> list[str]:
    return _unique_over(e, [e.column()], nulls_equal=False)


def _unique_over(e: Expected, columns: list[str], *, nulls_equal: bool, where: str = "") -> list[str]:
    condition = sql.both(e.where, where)
    if e.mostly == 1:
        more = {} if nulls_equal else {"nulls_equal": False}
        arguments: list[Any] = [columns[0] if len(columns) == 1 else columns]
        id = e.id("_".join(columns), "unique")
        return [e.maker.declare("unique", e.table, arguments, id, e.said, columns, where=condition, **more)]
    sql.tolerance_of(1 - e.mostly)
    # Unexpected are all rows whose value another row has too, not only the surplus ones.
    filled = condition if nulls_equal else sql.both(condition, sql.none_null(columns))
    only = f" WHERE {filled}" if filled else ""
    source = (
        f"FROM (SELECT count(*) AS n FROM {sql.table_ref(e.table)}{only} GROUP BY {sql.listed(columns)}) AS g"
    )
    outputs = [
        ("repeated", "coalesce(sum(g.n) FILTER (WHERE g.n > 1), 0)"),
        ("judged", "coalesce(sum(g.n), 0)"),
    ]
    share = 1 - e.mostly
    condition = f"m.repeated * {share.denominator} <= {share.numerator} * m.judged"
    said = replace(
        e.said, title=f"at most {share} of the rows have a duplicate value of {', '.join(columns)}"
    )
    return [
        e.maker.measure(e.table, outputs, condition, e.id("_".join(columns), "unique"), said, source=source)
    ]


def _exists(e: Expected) -> list[str]:
    column, index = e.column(), e.kwargs.get("column_index")
    made = [e.maker.declare("column", e.table, [column], e.id(column, "present"), e.said, [column])]
    if index is not None:
        made += _positions(
            e, f"c.name = {sql.value_sql(column)} AND c.position <> {_whole(e, 'column_index') + 1}", "index"
        )
    return made


def _of_type(e: Expected) -> list[str]:
    names = e.kwargs.get("type_") if "type_" in e.kwargs else e.kwargs.get("type_list")
    wanted = sorted({t for name in (names if isinstance(names, list) else [names]) for t in _types(name)})
    if not wanted:
        raise NoCounterpart("an empty list of types")
    column = e.column()
    return [e.maker.declare("column", e.table, [column], e.id(column, "type"), e.said, [column], type=wanted)]


_TYPES: dict[str, tuple[str, ...]] = {
    "integer": ("integer",),
    "int": ("integer", "bigint", "smallint"),
    "int64": ("bigint",),
    "int32": ("integer",),
    "int16": ("smallint",),
    "bigint": ("bigint",),
    "biginteger": ("bigint",),
    "smallint": ("smallint",),
    "smallinteger": ("smallint",),
    "serial": ("integer",),
    "numeric": ("numeric",),
    "decimal": ("numeric",),
    "float": ("double precision", "real"),
    "float64": ("double precision",),
    "float32": ("real",),
    "double": ("double precision",),
    "double_precision": ("double precision",),
    "real": ("real",),
    "text": ("text",),
    "string": ("text", "character varying"),
    "str": ("text", "character varying"),
    "varchar": ("character varying",),
    "char": ("character",),
    "bool": ("boolean",),
    "boolean": ("boolean",),
    "date": ("date",),
    "time": ("time without time zone",),
    "timestamp": ("timestamp without time zone", "timestamp with time zone"),
    "datetime": ("timestamp without time zone", "timestamp with time zone"),
    "datetime64[ns]": ("timestamp without time zone",),
    "timestamptz": ("timestamp with time zone",),
    "uuid": ("uuid",),
    "json": ("json",),
    "jsonb": ("jsonb",),
    "bytea": ("bytea",),
    "interval": ("interval",),
    "timedelta64[ns]": ("interval",),
    "inet": ("inet",),
    "cidr": ("cidr",),
    "money": ("money",),
}
"""Names of types in SQLAlchemy, pandas and SQL, in lower case, to PostgreSQL's."""


def _types(name: Any) -> tuple[str, ...]:
    text = sql.as_text(name, "the name of a type")
    plain, _, size = text.partition("(")
    known = _TYPES.get(plain.strip().lower())
    if known is None:
        raise NoCounterpart(f"the type {remark(text)} has no known counterpart in PostgreSQL")
    return tuple(f"{t}({size}" for t in known) if size else known


# --- several columns of a row -----------------------------------------------------------------------------


def _ignored(e: Expected, columns: list[str], default: str) -> str:
    """The rows that are left alone, as SQL for "missing"."""
    rule = e.kwargs.get("ignore_row_if") or default
    any_null = " OR ".join(f"{sql_name(c)} IS NULL" for c in columns)
    known = {
        "both_values_are_missing": sql.all_null(columns),
        "all_values_are_missing": sql.all_null(columns),
        "neither": "",
        "never": "",
        "either_value_is_missing": any_null,
        "any_value_is_missing": any_null,
    }
    if rule not in known:
        raise NoCounterpart(f"ignore_row_if {remark(str(rule))} is not known")
    return known[rule]


def _pair(operator: str) -> Callable[[Expected], list[str]]:
    def make(e: Expected) -> list[str]:
        a, b = e.column("column_A"), e.column("column_B")
        sign = ">=" if operator == ">" and e.kwargs.get("or_equal") is True else operator
        missing = _ignored(e, [a, b], "both_values_are_missing") or "false"
        said = f"{sql_name(a)} {sign} {sql_name(b)}"
        if (
            sign == "="
        ):  # there, one NULL is not equal, and two are not either unless such rows are left alone
            said += f" AND {sql_name(a)} IS NOT NULL AND {sql_name(b)} IS NOT NULL"
        return _several(e, said, "pair", [a, b], missing)

    return make


def _several(e: Expected, expression: str, kind: str, columns: list[str], missing: str) -> list[str]:
    """An expression over several columns, in the rows that are not left alone."""
    where = sql.both(e.where, "" if missing == "false" else f"NOT ({missing})")
    said = replace(e.said, tolerance=sql.tolerance_of(1 - e.mostly))
    return [
        e.maker.row(e.table, expression, e.id("_".join(columns), kind), said, where=where, columns=columns)
    ]


def _pair_in_set(e: Expected) -> list[str]:
    a, b = e.column("column_A"), e.column("column_B")
    pairs = sql.as_list(e.kwargs.get("value_pairs_set"), "pairs of values")
    said = []
    for pair in pairs:
        left, right = (
            sql.as_list(pair, "a pair") if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        if left is None or right is None:
            raise NoCounterpart("pairs of two values are expected, none of them null")
        said.append(f"({sql_name(a)} = {sql.value_sql(left)} AND {sql_name(b)} = {sql.value_sql(right)})")
    if not said:
        raise NoCounterpart("an empty set of pairs")
    return _several(
        e, " OR ".join(said), "pair_in_set", [a, b], _ignored(e, [a, b], "both_values_are_missing") or "false"
    )


def _compound(e: Expected) -> list[str]:
    columns = e.columns()
    rule = e.kwargs.get("ignore_row_if") or "all_values_are_missing"
    if rule == "any_value_is_missing":
        return _unique_over(e, columns, nulls_equal=False)
    missing = _ignored(e, columns, "all_values_are_missing")
    return _unique_over(e, columns, nulls_equal=True, where=f"NOT ({missing})" if missing else "")


def _unique_in_record(e: Expected) -> list[str]:
    columns = e.columns()
    names = [sql_name(c) for c in columns]
    # One NULL is unlike any value, two are alike.
    pairs = [
        f"({a} <> {b} AND NOT ({a} IS NULL AND {b} IS NULL))"
        for n, a in enumerate(names)
        for b in names[n + 1 :]
    ]
    if not pairs:
        raise NoCounterpart("a single column cannot repeat itself within a row")
    return _several(
        e,
        " AND ".join(pairs),
        "unique_in_record",
        columns,
        _ignored(e, columns, "all_values_are_missing") or "false",
    )


def _columns_equal(e: Expected) -> list[str]:
    columns = e.columns()
    first, *others = [sql_name(c) for c in columns]
    if not others:
        raise NoCounterpart("a single column always equals itself")
    said = " AND ".join(f"{first} IS NOT DISTINCT FROM {other}" for other in others)
    return _several(e, said, "equal", columns, _ignored(e, columns, "all_values_are_missing") or "false")


def _sum_equal(e: Expected) -> list[str]:
    columns, wanted = e.columns(), e.number("sum_total")
    if wanted is None:
        raise NoCounterpart("sum_total is missing")
    total = " + ".join(sql_name(c) for c in columns)
    said = f"{total} = {sql.value_sql(e.kwargs['sum_total'])}"
    return _several(e, said, "sum", columns, _ignored(e, columns, "all_values_are_missing") or "false")


# --- figures over all rows --------------------------------------------------------------------------------


def _aggregate(output: str, word: str) -> Callable[[Expected], list[str]]:
    """A figure of one column within bounds; ``{c}`` in ``output`` is the column."""

    def make(e: Expected) -> list[str]:
        column, counted = e.column(), output.startswith("count(")
        outputs = [("measured", output.replace("{c}", sql_name(column)))]
        condition = e.counts("m.measured") if counted else e.bounds_of("m.measured")
        of = [] if counted else [sql_name(column)]
        return e.figure(
            outputs,
            condition,
            word.replace(" ", "_"),
            f"the {word} of {column} is within bounds",
            column,
            of=of,
        )

    return make


def _ratio(over: str, under: str, word: str) -> Callable[[Expected], list[str]]:
    """A quotient within bounds, compared without dividing."""

    def make(e: Expected) -> list[str]:
        column, low, high = e.column(), e.number("min_value"), e.number("max_value")
        sql.refuse_empty(
            e.kwargs.get("min_value"),
            e.kwargs.get("max_value"),
            strict=e.strict("strict_min") or e.strict("strict_max"),
        )
        counted, parts = over.startswith("count("), []
        if (
            counted
            and not e.strict("strict_min")
            and not e.strict("strict_max")
            and (low or 0) <= 0
            and (high is None or high >= 1)
        ):
            raise NoCounterpart("a share is always between 0 and 1: it can never fail")
        for bound, sign in (
            (low, ">" if e.strict("strict_min") else ">="),
            (high, "<" if e.strict("strict_max") else "<="),
        ):
            if bound is not None:
                parts.append(f"m.measured * {bound.denominator} {sign} ({bound.numerator}) * m.judged")
        if not parts:
            raise NoCounterpart("it has no bounds: it can never fail")
        outputs = [
            ("measured", over.replace("{c}", sql_name(column))),
            ("judged", under.replace("{c}", sql_name(column))),
        ]
        condition = " AND ".join(["m.judged > 0", *parts])
        of = [] if counted else [sql_name(column)]
        return e.figure(
            outputs,
            condition,
            word.replace(" ", "_"),
            f"the {word} of {column} is within bounds",
            column,
            of=of,
        )

    return make


def _quantiles(e: Expected) -> list[str]:
    column, ranges = e.column(), e.kwargs.get("quantile_ranges")
    if not isinstance(ranges, dict) or e.kwargs.get("allow_relative_error"):
        raise NoCounterpart("exact quantiles with their ranges are expected")
    shares = [sql.share_of(q) for q in sql.as_list(ranges.get("quantiles"), "quantiles")]
    bounds = sql.as_list(ranges.get("value_ranges"), "ranges of values")
    if len(shares) != len(bounds) or not shares:
        raise NoCounterpart("each quantile needs its range")
    made: list[str] = []
    for given, pair in zip(ranges["quantiles"], bounds, strict=True):
        low, high = (
            sql.as_list(pair, "a range") if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        sql.refuse_empty(low, high)
        least, most = (sql.bound_sql(b, "the end of a range") if b is not None else None for b in (low, high))
        condition = sql.bounded("m.measured", least, most)
        output = f"percentile_disc({sql.value_sql(given)}) WITHIN GROUP (ORDER BY {sql_name(column)})"
        title = f"the {given}-quantile of {column} is within bounds"
        made += e.figure([("measured", output)], condition, "quantile", title, column, of=[sql_name(column)])
    return made


def _median(e: Expected) -> list[str]:
    # The mean of the two in the middle, without dividing: percentile_cont would make a float of it.
    column, name = e.column(), sql_name(e.column())
    e.number("min_value"), e.number("max_value")
    e.bounds_of("")
    low, high = (
        f"2 * ({bound})" if (bound := e.value(key)) is not None else None
        for key in ("min_value", "max_value")
    )
    twice = sql.bounded("m.lower + m.upper", low, high, e.strict("strict_min"), e.strict("strict_max"))
    twice += f" AND NOT {sql.nan_sql('m.lower + m.upper')}"  # of infinities of both signs there is no mean
    outputs = [
        ("lower", f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {name})"),
        ("upper", f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {name} DESC)"),
    ]
    return e.figure(outputs, twice, "median", f"the median of {column} is within bounds", column, of=[name])


def _contains_set(e: Expected) -> list[str]:
    column = e.column()
    values = [
        v for v in sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set") if v is not None
    ]
    if not values:
        raise NoCounterpart("a set without values: it can never fail")
    if e.mostly != 1:
        raise NoCounterpart("mostly means nothing for a set that must occur")
    texts = all(isinstance(v, str) for v in values)
    wanted = "\n  UNION ALL ".join(
        f"SELECT {sql.value_sql(v)}{'::text' if texts else ''} AS value" for v in values
    )
    subject = f"t.{sql_name(column)}{'::text' if texts else ''}"
    if e.where:
        raise NoCounterpart("a row condition together with a set that must occur")
    statement = (
        f"SELECT w.value\nFROM (\n  {wanted}\n) AS w\nWHERE NOT EXISTS (\n"
        f"  SELECT 1 FROM {sql.table_ref(e.table)} AS t WHERE {subject} = w.value\n)"
    )
    said = replace(e.said, title=f"each of the {len(values)} values occurs in {column}")
    return [e.maker.assertion(e.table, statement, ["value"], e.id(column, "contains_set"), said)]


def _most_common(e: Expected) -> list[str]:
    column, inside = e.column(), sql.in_list("r.value", e.kwargs.get("value_set"))
    name = sql_name(column)
    filled = sql.both(e.where, f"{name} IS NOT NULL")
    alone = "" if e.kwargs.get("ties_okay") is True else "count(*) FILTER (WHERE r.place = 1) <> 1 OR "
    statement = (
        "SELECT count(*) FILTER (WHERE r.place = 1) AS most_common\nFROM (\n"
        "  SELECT v.value, rank() OVER (ORDER BY v.n DESC) AS place\n"
        f"  FROM (SELECT {name} AS value, count(*) AS n FROM {sql.table_ref(e.table)} WHERE {filled} "
        f"GROUP BY {name}) AS v\n) AS r\n"
        f"HAVING {alone}(bool_or({inside}) FILTER (WHERE r.place = 1)) IS NOT TRUE\n  OR "
        f"bool_or({sql.nan_sql('r.value')})"
    )
    said = replace(e.said, title=f"the most common value of {column} is one of those expected")
    return [e.maker.assertion(e.table, statement, ["most_common"], e.id(column, "most_common"), said)]


def _equals_set(e: Expected) -> list[str]:
    return [*_contains_set(e), *_in_set(e)]


def _rows_between(e: Expected) -> list[str]:
    return e.figure(
        [("rows_found", "count(*)")],
        e.counts("m.rows_found"),
        "row_count",
        "the number of rows is within bounds",
    )


def _rows_equal(e: Expected) -> list[str]:
    condition = f"m.rows_found = {_whole(e, 'value')}"
    return e.figure([("rows_found", "count(*)")], condition, "row_count", "the number of rows is as expected")


def _rows_as_other(e: Expected) -> list[str]:
    other = sql.as_text(e.kwargs.get("other_table_name"), "another table's name")
    counted = f"(SELECT count(*) FROM {sql.table_ref(other)})"
    outputs = [("rows_found", "count(*)"), ("rows_there", counted)]
    return e.figure(
        outputs, "m.rows_found = m.rows_there", "row_count_as_other", f"it has as many rows as {other}"
    )


# --- the columns of the table -----------------------------------------------------------------------------


def _positions(e: Expected, wrong: str, kind: str) -> list[str]:
    """The table's columns as rows (name, position), and which of them are wrong."""
    name = sql.table_ref(e.table)
    statement = (
        "SELECT c.name, c.position\nFROM (\n  SELECT a.attname::text AS name, row_number() OVER (ORDER "
        "BY a.attnum) AS position\n"
        f"  FROM pg_catalog.pg_attribute AS a\n  WHERE a.attrelid = {sql.value_sql(name)}::regclass AND "
        f"a.attnum > 0 AND NOT a.attisdropped\n"
        f") AS c\nWHERE {wrong}"
    )
    said = replace(e.said, title="the columns are as expected")
    return [e.maker.assertion(e.table, statement, ["name"], e.id(kind), said)]


def _column_count(e: Expected) -> list[str]:
    name = sql.value_sql(sql.table_ref(e.table))
    condition = (
        f"m.columns_found = {_whole(e, 'value')}" if "value" in e.kwargs else e.counts("m.columns_found")
    )
    source = (
        f"FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = {name}::regclass AND a.attnum > 0 "
        f"AND NOT a.attisdropped"
    )
    said = replace(e.said, title="the number of columns is as expected")
    return [
        e.maker.measure(
            e.table, [("columns_found", "count(*)")], condition, e.id("column_count"), said, source=source
        )
    ]


def _column_set(e: Expected) -> list[str]:
    names = e.columns("column_set")
    made = [e.maker.declare("column", e.table, [c], e.id(c, "present"), e.said, [c]) for c in names]
    if e.kwargs.get("exact_match") is not False:
        made += _positions(e, f"NOT ({sql.in_list('c.name', names)})", "no_other_column")
    return made


def _column_order(e: Expected) -> list[str]:
    names = e.columns()
    made = [e.maker.declare("column", e.table, [c], e.id(c, "present"), e.said, [c]) for c in names]
    places = " OR ".join(
        f"(c.position = {n} AND c.name = {sql.value_sql(c)})" for n, c in enumerate(names, 1)
    )
    return [*made, *_positions(e, f"NOT ({places})", "column_order")]


def _query(e: Expected) -> list[str]:
    text = sql.as_text(e.kwargs.get("unexpected_rows_query"), "a query").replace(
        "{batch}", sql.table_ref(e.table)
    )
    if e.where:
        raise NoCounterpart("a row condition together with a query")
    return [custom_query(e.maker, e.table, text, e.id("unexpected_rows"), e.said)]


def custom_query(maker: Maker, table: str, text: str, id: str, said: Said) -> str:
    """An author's SELECT of wrong rows. Where its outputs have no names, the rows are numbered. Raises
    NoCounterpart, SuiteError.
    """
    from kisaan_validate.sql.assertion import parse_select
    from kisaan_validate.sql.reading import output_columns

    body = sql.as_text(text, "a query").strip().rstrip(";").strip()
    sql._refuse_templates(body)
    parse_select(body, "")
    names = list(output_columns(body))
    plain = [n for n in names if n and n != "*" and n.isidentifier() and n.isascii() and n == n.lower()]
    if names and len(plain) == len(names):
        return maker.assertion(table, body, plain[:1], id, said)
    numbered = f"SELECT row_number() OVER () AS row_number\nFROM (\n{body}\n) AS v"
    return maker.assertion(table, numbered, ["row_number"], id, said)


_STATISTICAL = "it is statistical: it estimates, and no row violates it"
_ORDER = "a table has no order of rows"
STATISTICAL: dict[str, str] = {
    **dict.fromkeys(
        (
            "expect_column_kl_divergence_to_be_less_than",
            "expect_column_chisquare_test_p_value_to_be_greater_than",
            "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than",
            "expect_column_pair_cramers_phi_value_to_be_less_than",
            "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than",
            "expect_column_value_z_scores_to_be_less_than",
            "expect_column_values_to_not_be_outliers",
            "expect_column_values_to_be_within_n_stdevs",
            "expect_column_values_to_be_within_n_moving_stdevs",
        ),
        _STATISTICAL,
    ),
    **dict.fromkeys(
        ("expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"), _ORDER
    ),
    "expect_column_values_to_be_dateutil_parseable": "dateutil guesses what a date is; store "
    "dates in a date column",
    "expect_column_values_to_match_strftime_format": "PostgreSQL does not read strftime formats; "
    "store dates in a date column",
    "expect_column_values_to_be_json_parseable": "only PostgreSQL 16 and later can check whether "
    "a text is JSON; store it in a jsonb column",
    "expect_column_values_to_match_json_schema": "PostgreSQL has no JSON Schema validation",
    "expect_query_results_to_match_comparison": "it compares with another data source: a run sees one "
    "database",
    "expect_multicolumn_values_to_be_unique": "Great Expectations has withdrawn it; see unique "
    "within a record",
}
"""Expectations without a counterpart, and why."""

TRANSLATED: dict[str, Callable[[Expected], list[str]]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_distinct_values_to_be_in_set": _in_set,
    "expect_column_distinct_values_to_contain_set": _contains_set,
    "expect_column_distinct_values_to_equal_set": _equals_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _length_between,
    "expect_column_value_lengths_to_equal": _length_equal,
    "expect_column_values_to_match_regex": _pattern(sql.matches, "regex", False),
    "expect_column_values_to_not_match_regex": _pattern(sql.matches, "regex", True),
    "expect_column_values_to_match_regex_list": _pattern(sql.matches, "regex_list", False),
    "expect_column_values_to_not_match_regex_list": _pattern(sql.matches, "regex_list", True),
    "expect_column_values_to_match_like_pattern": _pattern(sql.like, "like_pattern", False),
    "expect_column_values_to_not_match_like_pattern": _pattern(sql.like, "like_pattern", True),
    "expect_column_values_to_match_like_pattern_list": _pattern(sql.like, "like_pattern_list", False),
    "expect_column_values_to_not_match_like_pattern_list": _pattern(sql.like, "like_pattern_list", True),
    "expect_column_values_to_be_unique": _unique,
    "expect_column_to_exist": _exists,
    "expect_column_values_to_be_of_type": _of_type,
    "expect_column_type_to_be": _of_type,
    "expect_column_values_to_be_in_type_list": _of_type,
    "expect_column_pair_values_to_be_equal": _pair("="),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(">"),
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_compound_columns_to_be_unique": _compound,
    "expect_select_column_values_to_be_unique_within_record": _unique_in_record,
    "expect_multicolumn_values_to_be_equal": _columns_equal,
    "expect_multicolumn_sum_to_equal": _sum_equal,
    "expect_column_min_to_be_between": _aggregate("min({c})", "least value"),
    "expect_column_max_to_be_between": _aggregate("max({c})", "greatest value"),
    "expect_column_sum_to_be_between": _aggregate("sum({c})", "sum"),
    "expect_column_stdev_to_be_between": _aggregate("stddev_samp({c})", "standard deviation"),
    "expect_column_unique_value_count_to_be_between": _aggregate(
        "count(DISTINCT {c})", "number of different values"
    ),
    "expect_column_mean_to_be_between": _ratio("sum({c})", "count({c})", "mean"),
    "expect_column_proportion_of_unique_values_to_be_between": _ratio(
        "count(DISTINCT {c})", "count({c})", "share of different values"
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": _ratio(
        "count({c})", "count(*)", "share of values"
    ),
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_median_to_be_between": _median,
    "expect_column_most_common_value_to_be_in_set": _most_common,
    "expect_table_row_count_to_be_between": _rows_between,
    "expect_table_row_count_to_equal": _rows_equal,
    "expect_table_row_count_to_equal_other_table": _rows_as_other,
    "expect_table_column_count_to_equal": _column_count,
    "expect_table_column_count_to_be_between": _column_count,
    "expect_table_columns_to_match_set": _column_set,
    "expect_table_columns_to_match_ordered_list": _column_order,
    "unexpected_rows_expectation": _query,
}
"""Every expectation that has a counterpart."""
