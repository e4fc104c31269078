"""Expectations about the values of one column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_expected import Expected, whole
from kisaan_validate.author.importers.gx_shape import positions
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark, sql_name


def not_null(e: Expected) -> list[str]:
    """No value is missing."""
    return e.of_rows(f"{sql_name(e.column())} IS NOT NULL", "not_null")


def null_of(e: Expected) -> list[str]:
    """Every value is missing."""
    return e.of_rows(f"{sql_name(e.column())} IS NULL", "is_null")


def in_set(e: Expected) -> list[str]:
    """Every value is one of a list."""
    return e.of_values(_members(e), "in_set")


def _members(e: Expected) -> str:
    values = sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set")
    return sql.in_list(sql_name(e.column()), values)


def not_in_set(e: Expected) -> list[str]:
    """No value is one of a list."""
    if not [
        v for v in sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set") if v is not None
    ]:
        raise NoCounterpart("a set without values: it can never fail")
    return e.of_values(f"NOT ({_members(e)})", "not_in_set")


def between(e: Expected) -> list[str]:
    """Values lie within bounds."""
    return e.of_values(e.bounds_of(sql_name(e.column())), "between")


def length_between(e: Expected) -> list[str]:
    """Lengths of texts lie within bounds."""
    return e.of_values(e.counts(f"length({sql_name(e.column())}::text)"), "length")


def length_equal(e: Expected) -> list[str]:
    """Texts have one length."""
    return e.of_values(f"length({sql_name(e.column())}::text) = {sql.value_sql(whole(e, 'value'))}", "length")


def pattern(matcher: Callable[[str, Any], str], key: str, negated: bool) -> Callable[[Expected], list[str]]:
    """One pattern, or a list of which any (or all) must match; negated, none may."""

    def make(e: Expected) -> list[str]:
        column, given = sql_name(e.column()), e.kwargs.get(key)
        # PostgreSQL's own escape character is the backslash.
        if key == "like_pattern" and e.kwargs.get("escape") not in (None, "\\"):
            raise NoCounterpart("LIKE with an escape character of its own")
        patterns = sql.as_list(given, "patterns") if key.endswith("_list") else [given]
        if not patterns:
            raise NoCounterpart("an empty list of patterns")
        joined = " AND " if e.kwargs.get("match_on") == "all" else " OR "
        said = joined.join(matcher(column, p) for p in patterns)
        return e.of_values(f"NOT ({said})" if negated else said, "not_matches" if negated else "matches")

    return make


def unique(e: Expected) -> list[str]:
    """No two rows have one value."""
    return unique_over(e, [e.column()], nulls_equal=False)


def unique_over(e: Expected, columns: list[str], *, nulls_equal: bool, where: str = "") -> list[str]:
    """No two rows have the same values in these columns."""
    condition = sql.both(e.where, where)
    if e.mostly == 1:
        more = {} if nulls_equal else {"nulls_equal": False}
        arguments: list[Any] = [columns[0] if len(columns) == 1 else columns]
        id = e.id("_".join(columns), "unique")
        return [e.maker.declare("unique", e.table, arguments, id, e.said, columns, where=condition, **more)]
    # Called for what it raises: a tolerance of everything.
    sql.tolerance_of(1 - e.mostly)
    # Unexpected are all rows whose value another row has too, not only the surplus ones.
    filled = condition if nulls_equal else sql.both(condition, sql.none_null(columns))
    only = f" WHERE {filled}" if filled else ""
    # Groups are counted, then rows of the repeated ones: a share of rows, not of values.
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


def exists(e: Expected) -> list[str]:
    """The column is there, at its place if one is given."""
    column, index = e.column(), e.kwargs.get("column_index")
    made = [e.maker.declare("column", e.table, [column], e.id(column, "present"), e.said, [column])]
    if index is not None:
        made += positions(
            e,
            # Great Expectations counts places from 0, PostgreSQL from 1.
            f"c.name = {sql.value_sql(column)} AND c.position <> {whole(e, 'column_index') + 1}",
            "index",
        )
    return made


def of_type(e: Expected) -> list[str]:
    """The column has one of the types."""
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
    # The length in parentheses belongs to each of the types.
    return tuple(f"{t}({size}" for t in known) if size else known


# --- several columns of a row -----------------------------------------------------------------------------
