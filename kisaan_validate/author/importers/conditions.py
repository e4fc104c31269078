"""Great Expectations' row conditions, in each of their notations, as SQL."""

from __future__ import annotations

import re
from typing import Any

from kisaan_validate.author.importers.expressions import as_list, as_text, value_sql
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.importers.pandas_condition import pandas_condition
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.sql.expressions import exact_decimal
from kisaan_validate.sql.spark import spark_condition

_OPERATORS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OWN = frozenset({"great_expectations", "great_expectations__experimental__"})


def row_condition_sql(condition: Any, parser: Any) -> str:
    """A row condition as SQL; "" for none. Raises NoCounterpart for what no SQL over one row says."""
    if condition in (None, ""):
        return ""
    if isinstance(condition, dict):
        return _structured(condition, parser)
    text = as_text(condition, "a row condition")
    if parser == "spark":
        try:
            # Spark reads a dialect of its own; what it reads differently from PostgreSQL is refused.
            return spark_condition(text)
        except ValueError as error:
            raise NoCounterpart(remark(str(error))) from None
    if parser == "pandas":
        return pandas_condition(text)
    # Only Great Expectations' own notation begins so.
    if parser in _OWN or (parser is None and text.lstrip().startswith("col(")):
        return _own_condition(text)
    if parser is None:
        raise NoCounterpart(f"no condition_parser says how to read the row condition: {remark(text)}")
    raise NoCounterpart(f"the condition parser {remark(str(parser))} is not known")


_QUOTED = r"""(?:"([^"\\]*)"|'([^'\\]*)')"""
_OWN_CONDITION = re.compile(
    rf"col\(\s*{_QUOTED}\s*\)\s*(?:(?P<notnull>\.not_?null\(\))|(?P<operator>==|!=|<=|>=|<|>)\s*"
    rf"(?:(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?:date\(\s*)?{_QUOTED}\s*\)?))",
    re.I,
)


def _own_condition(text: str) -> str:
    """``col("a") > 5``, ``col("a").notNull()``: one comparison. What follows it, Great Expectations itself
    leaves out.
    """
    match = _OWN_CONDITION.fullmatch(text.strip())
    if match is None:
        # fullmatch: what follows one comparison Great Expectations drops in silence; here it is refused.
        raise NoCounterpart(
            f"a row condition that cannot be parsed (one comparison is expected): {remark(text)}"
        )
    name, value = (next((g for g in match.group(*pair) if g is not None), "") for pair in ((1, 2), (6, 7)))
    column = sql_name(as_text(name, "a column's name"))
    if match["notnull"]:
        return f"{column} IS NOT NULL"
    try:
        right = value_sql(exact_decimal(match["number"]) if match["number"] else value)
    except ValueError as error:
        raise NoCounterpart(f"a row condition that cannot be parsed: {error}") from None
    return f"{column} {_OPERATORS[match['operator']]} {right}"


def _structured(node: dict[str, Any], parser: Any) -> str:
    """The conditions that version 1.6 and later write as objects."""
    kind = node.get("type")
    if kind in {"and", "or"}:
        parts = [
            _structured(part, parser)
            for part in as_list(node.get("conditions"), "conditions")
            if isinstance(part, dict)
        ]
        # A part that is no mapping would be left out, and the condition would admit other rows.
        if not parts or len(parts) != len(node["conditions"]):
            raise NoCounterpart("a row condition that cannot be parsed")
        return "(" + f" {kind.upper()} ".join(parts) + ")"
    if kind == "nullity":
        # is_null = "false" is a text, and true to Python.
        if not isinstance(node.get("is_null"), bool):
            raise NoCounterpart("a row condition that cannot be parsed")
        return f"{_column(node)} IS {'' if node['is_null'] else 'NOT '}NULL"
    if kind == "comparison":
        return _comparison(_column(node), str(node.get("operator")), node.get("parameter"))
    if kind == "pass_through":
        # A condition in the notation of another parser, handed through.
        return row_condition_sql(node.get("pass_through_filter"), parser)
    raise NoCounterpart(f"a row condition of type {remark(str(kind))}")


def _column(node: dict[str, Any]) -> str:
    column = node.get("column")
    return sql_name(as_text(column.get("name") if isinstance(column, dict) else column, "a column's name"))


def _comparison(column: str, operator: str, value: Any) -> str:
    if operator in {"IN", "NOT_IN"}:
        items = [value_sql(v) for v in as_list(value, "a list of values")]
        if not items:
            raise NoCounterpart("a row condition with an empty list")
        return f"{column} {operator.replace('_', ' ')} ({', '.join(items)})"
    if operator not in _OPERATORS:
        raise NoCounterpart(f"the operator {remark(operator)} of a row condition")
    return f"{column} {_OPERATORS[operator]} {value_sql(value)}"
