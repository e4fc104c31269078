"""What ``DataFrame.filter`` of Spark is given, as PostgreSQL's SQL: comparisons of columns and plain
values, nothing computed.

Of these the two agree: unknown where NULL is, NaN greater than every number. Names are taken as they are
written.
"""

from __future__ import annotations

from typing import NoReturn

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kisaan_validate.sql.expressions import exact_decimal, literal, quote, to_sql

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
}


def spark_condition(text: str) -> str:
    """A condition on a row as SQL. Raises ValueError for what is no comparison of columns and plain
    values.
    """
    try:
        trees = sqlglot.parse(text, dialect="spark")
    # Spark's own grammar is richer; whatever is not plainly the same in both is refused.
    except (SqlglotError, RecursionError, ValueError):
        _refuse(text)
    # A comment may be a hint to Spark, which means something.
    if len(trees) != 1 or trees[0] is None or any(node.comments for node in trees[0].walk()):
        _refuse(text)
    return _condition(trees[0], text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"a Spark row condition that cannot be parsed: {text}")


def _condition(node: exp.Expr, text: str) -> str:
    if isinstance(node, exp.Paren):
        return f"({_condition(node.this, text)})"
    if isinstance(node, (exp.And, exp.Or)):
        word = "AND" if isinstance(node, exp.And) else "OR"
        # In parentheses, whatever the precedence is in either language.
        return f"({_condition(node.this, text)} {word} {_condition(node.expression, text)})"
    if isinstance(node, exp.Not):
        return f"NOT ({_condition(node.this, text)})"
    if (sign := _COMPARISONS.get(type(node))) is not None:
        return f"{_value(node.this, text)} {sign} {_value(node.expression, text)}"
    # PostgreSQL's BETWEEN has the same ends; SYMMETRIC is Spark's own.
    if isinstance(node, exp.Between) and not node.args.get("symmetric"):
        low, high = _value(node.args["low"], text), _value(node.args["high"], text)
        return f"{_value(node.this, text)} BETWEEN {low} AND {high}"
    if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
        return (
            f"{_value(node.this, text)} IN ({', '.join(_value(value, text) for value in node.expressions)})"
        )
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return f"{_value(node.this, text)} IS NULL"
    if (
        isinstance(node, exp.Like)
        and isinstance(node.expression, exp.Literal)
        # Spark and PostgreSQL treat a backslash in a pattern differently.
        and "\\" not in node.expression.name
    ):
        return f"{_value(node.this, text)} LIKE {_value(node.expression, text)}"
    if isinstance(node, exp.Column):
        return _value(node, text)
    _refuse(text)


def _value(node: exp.Expr, text: str) -> str:
    """A column, a text, a number or a truth value."""
    plain = node.unnest()
    if isinstance(plain, exp.Column) and not plain.table and isinstance(plain.this, exp.Identifier):
        return quote(plain.name)
    if isinstance(plain, exp.Boolean):
        return to_sql(literal(bool(plain.this)))
    sign, number = (-1, plain.this.unnest()) if isinstance(plain, exp.Neg) else (1, plain)
    if isinstance(plain, exp.Literal) and plain.is_string:
        return to_sql(literal(plain.name))
    if isinstance(number, exp.Literal) and not number.is_string:
        try:
            # Every digit is kept, and a number too long to be written out is refused.
            return to_sql(literal(sign * exact_decimal(number.name)))
        except ValueError:
            _refuse(text)
    _refuse(text)
