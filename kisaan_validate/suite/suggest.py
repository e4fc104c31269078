"""Which functions say no more than one comparison, which the database could make itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from kisaan_validate.sql.expressions import literal, quote, text_literal, to_sql
from kisaan_validate.suite.functions import source_of

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "=",
    ast.NotEq: "<>",
}


def suggestion(function: Callable[..., Any], columns: Collection[str], column: str = "") -> str:
    """SQL over one row that may say what the function says, or "" where that cannot be seen at a glance.

    ``column`` is the column of a check of one column; a check of a frame names its own, out of
    ``columns``. It is a proposal for the author: where NULL, NaN or the order of texts matter, the two
    need not agree (docs/semantics.md).
    """
    said = source_of(function)
    body = _expression(said[1]) if said is not None else None
    if said is None or body is None:
        return ""
    names = [argument.arg for argument in said[1].args.args]
    # A method of a model has ``cls`` first; a function of more arguments says more than one comparison.
    if len(names) != 1 and names[:-1] != ["cls"]:
        return ""
    reader = _ExpressionReader(names[-1], column, columns)
    try:
        return reader.condition(body)
    except _Unclear:
        return ""


def _expression(node: ast.Lambda | ast.FunctionDef) -> ast.expr | None:
    """What a function returns, if it does nothing else."""
    if isinstance(node, ast.Lambda):
        return node.body
    # A docstring does nothing.
    body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None


class _Unclear(Exception):
    """The expression is more than this module reads."""


class _ExpressionReader:
    """Reads one expression over a series, a frame or an element called ``name``."""

    def __init__(self, name: str, column: str, columns: Collection[str]) -> None:
        self.name, self.column, self.columns = name, column, columns

    def condition(self, node: ast.expr) -> str:
        """A comparison, a chain of them, or a set that the value is (or is not) in."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
            return f"NOT ({self.condition(node.operand)})"
        if isinstance(node, ast.Call):
            return self._call(node)
        if not isinstance(node, ast.Compare):
            raise _Unclear
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            word = "IN" if isinstance(node.ops[0], ast.In) else "NOT IN"
            return f"{self._subject(node.left)} {word} ({self._list(node.comparators[0])})"
        sides = [self._side(side) for side in (node.left, *node.comparators)]
        # A comparison of two constants says nothing of the row.
        if not any(is_subject for _, is_subject in sides) or any(
            type(op) not in _OPERATORS for op in node.ops
        ):
            raise _Unclear
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return " AND ".join(f"{left} {_OPERATORS[type(op)]} {right}" for (left, _), op, (right, _) in pairs)

    def _call(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Attribute) or node.keywords:
            raise _Unclear
        method, on, arguments = node.func.attr, node.func.value, node.args
        if method == "isin" and len(arguments) == 1:
            return f"{self._subject(on)} IN ({self._list(arguments[0])})"
        if method == "between" and len(arguments) == 2:
            low, high = (self._literal(a) for a in arguments)
            return f"{self._subject(on)} BETWEEN {low} AND {high}"
        if method in {"startswith", "endswith"} and len(arguments) == 1:
            text = self._subject(on.value if isinstance(on, ast.Attribute) and on.attr == "str" else on)
            # ``literal_eval`` only of a constant, so that no code runs.
            constant = ast.literal_eval(arguments[0]) if isinstance(arguments[0], ast.Constant) else None
            if not isinstance(constant, str):
                raise _Unclear
            side = "left" if method == "startswith" else "right"
            return f"{side}({text}, {len(constant)}) = {to_sql(text_literal(constant))}"
        raise _Unclear

    def _side(self, node: ast.expr) -> tuple[str, bool]:
        try:
            return self._literal(node), False
        except _Unclear:
            return self._subject(node), True

    def _subject(self, node: ast.expr) -> str:
        """The column that is meant, or the length of its text."""
        if isinstance(node, ast.Call):
            func = node.func
            if isinstance(func, ast.Name) and func.id == "len" and len(node.args) == 1 and self.column:
                return f"length({self._subject(node.args[0])})"
            if isinstance(func, ast.Attribute) and func.attr == "len" and not node.args:
                return f"length({self._subject(_text_of(func.value))})"
        if isinstance(node, ast.Name) and node.id == self.name and self.column:
            return quote(self.column)
        if not self.column and (named := self._named(node)) in self.columns:
            # Only declared columns: any other attribute may be a method of the frame.
            return quote(named)
        raise _Unclear

    def _named(self, node: ast.expr) -> str:
        """The name in ``df.name`` or ``df["name"]``."""
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == self.name
        ):
            return node.attr
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == self.name
        ):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return node.slice.value
            return ""
        return ""

    def _list(self, node: ast.expr) -> str:
        # An empty list is no SQL.
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)) or not node.elts:
            raise _Unclear
        return ", ".join(self._literal(item) for item in node.elts)

    def _literal(self, node: ast.expr) -> str:
        """A number, a text, or ``Decimal("…")``, written as SQL."""
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "Decimal"
            and len(node.args) == 1
        ):
            try:
                return to_sql(literal(Decimal(str(ast.literal_eval(node.args[0])))))
            except (ValueError, InvalidOperation):
                raise _Unclear from None
        try:
            value = ast.literal_eval(node)
            if isinstance(value, (int, float, str)):
                return to_sql(literal(value))
            return self._unclear()
        except ValueError:
            raise _Unclear from None

    def _unclear(self) -> str:
        raise _Unclear


def _text_of(node: ast.expr) -> ast.expr:
    """``s`` of ``s.str``."""
    if isinstance(node, ast.Attribute) and node.attr == "str":
        return node.value
    raise _Unclear
