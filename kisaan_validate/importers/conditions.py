"""Great Expectations' row conditions, in each of their notations, as SQL."""

from __future__ import annotations

import ast
import re
from typing import Any

from kisaan_validate.importers.expressions import as_list, as_text, author_condition, in_list, value_sql
from kisaan_validate.importers.outcome import NoCounterpart
from kisaan_validate.source import remark, sql_name

_OPERATORS = {"==": "=", "=": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def row_condition_sql(condition: Any, parser: Any) -> str:
    """A row condition as SQL; "" for none. Raises NoCounterpart for what no SQL over one row says."""
    if condition in (None, ""):
        return ""
    if isinstance(condition, dict):
        return _structured(condition)
    text = as_text(condition, "a row condition")
    if parser == "spark":
        return author_condition(text, "the row condition")
    if parser == "pandas":
        return _from_python(text)
    if parser in {"great_expectations", "great_expectations__experimental__", None}:
        return _from_python(text)
    raise NoCounterpart(f"the condition parser {remark(str(parser))} is not known")


def _structured(node: dict[str, Any]) -> str:
    """The conditions that version 1.6 and later write as objects."""
    kind = node.get("type")
    if kind in {"and", "or"}:
        parts = [_structured(part) for part in as_list(node.get("conditions"), "conditions") if isinstance(part, dict)]
        if not parts or len(parts) != len(node["conditions"]):
            raise NoCounterpart("a row condition that is not understood")
        return "(" + f" {kind.upper()} ".join(parts) + ")"
    if kind == "nullity":
        return f"{_column(node)} IS {'' if node.get('is_null') else 'NOT '}NULL"
    if kind == "comparison":
        return _comparison(_column(node), str(node.get("operator")), node.get("parameter"))
    if kind == "pass_through":
        return row_condition_sql(node.get("pass_through_filter"), "pandas")
    raise NoCounterpart(f"a row condition of type {remark(str(kind))}")


def _column(node: dict[str, Any]) -> str:
    column = node.get("column")
    return sql_name(as_text(column.get("name") if isinstance(column, dict) else column, "a column's name"))


def _comparison(column: str, operator: str, value: Any) -> str:
    if operator.upper() in {"IN", "NOT_IN", "NOT IN"}:
        inside = in_list(column, value)
        return inside if operator.upper() == "IN" else f"NOT ({inside})"
    if operator not in _OPERATORS:
        raise NoCounterpart(f"the operator {remark(operator)} of a row condition")
    return f"{column} {_OPERATORS[operator]} {value_sql(value)}"


def _from_python(text: str) -> str:
    """``col("a") > 5`` and pandas' ``a > 5 and b == "x"`` are both expressions of Python: only their syntax is looked at."""
    plain = re.sub(r"\s&\s", " and ", re.sub(r"\s\|\s", " or ", text))
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoCounterpart(f"a row condition that is not understood: {remark(text)}") from None
    return _node(tree, text)


def _node(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.BoolOp):
        word = " AND " if isinstance(node.op, ast.And) else " OR "
        return "(" + word.join(_node(value, text) for value in node.values) + ")"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"NOT ({_node(node.operand, text)})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        column, null = _name(node.func.value), {"notNull": "NOT NULL", "notnull": "NOT NULL", "isnull": "NULL", "isNull": "NULL"}
        if column and node.func.attr in null:
            return f"{sql_name(column)} IS {null[node.func.attr]}"
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and (column := _name(node.left)):
        return _compared(column, node.ops[0], node.comparators[0], text)
    raise NoCounterpart(f"a row condition that is not understood: {remark(text)}")


_SYMBOLS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "IN", ast.NotIn: "NOT IN",
}  # fmt: skip


def _compared(column: str, operator: ast.cmpop, other: ast.expr, text: str) -> str:
    try:
        value = ast.literal_eval(other)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        raise NoCounterpart(f"a row condition that is not understood: {remark(text)}") from None
    if isinstance(value, float):
        from decimal import Decimal

        value = Decimal(ast.get_source_segment(text, other) or repr(value)) if text else Decimal(repr(value))
    symbol = _SYMBOLS.get(type(operator))
    if symbol is None:
        raise NoCounterpart(f"a row condition that is not understood: {remark(text)}")
    return _comparison(sql_name(column), symbol, list(value) if isinstance(value, tuple) else value)


def _name(node: ast.expr) -> str:
    """The column that ``col("a")`` or ``a`` names; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "col" and len(node.args) == 1:
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and not node.keywords:
            return argument.value
    return ""
