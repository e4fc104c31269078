"""What ``DataFrame.query`` is given, as SQL: only its syntax is looked at, nothing is evaluated.

pandas knows no unknown: a comparison with a missing value is false, ``!=`` and ``not in`` are true of it;
and NaN is missing.
"""

from __future__ import annotations

import ast
import io
import tokenize
from decimal import Decimal
from typing import Any, NoReturn

from kisaan_validate.author.importers.expressions import nan_sql, value_sql
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.sql.expressions import exact_decimal

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "IN",
    ast.NotIn: "NOT IN",
}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NULLS = {"isnull": "", "isna": "", "notnull": "NOT ", "notna": "NOT "}


def pandas_condition(text: str) -> str:
    """A condition on a row as SQL that is true exactly where pandas says so. Raises NoCounterpart."""
    plain, names = _as_python(text)
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        _refuse(text)
    return _ConditionReader(text, plain, names).condition(tree)


def _refuse(text: str) -> NoReturn:
    raise NoCounterpart(f"a row condition that cannot be parsed: {remark(text)}")


def _as_python(text: str) -> tuple[str, dict[str, str]]:
    """The condition as Python reads it (``&`` and ``|`` bind as words do, names in backquotes), and what
    quoted names mean.
    """
    quoted, names = text.strip().split("`"), {}
    # An odd number of backquotes leaves one open.
    if len(quoted) % 2 == 0:
        _refuse(text)
    for n in range(1, len(quoted), 2):
        # The stand-in must be no name of the condition: its length is in it, and a number.
        names[stand_in := f"quoted_name_{n}_{len(text)}"] = quoted[n]
        quoted[n] = stand_in
    words = {"&": " and ", "|": " or "}
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO("".join(quoted)).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        _refuse(text)
    kept = [t for t in tokens if t.type not in {tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER}]
    # A second line or a comment could hide what pandas would not read.
    if any(t.type == tokenize.COMMENT or t.start[0] > 1 for t in kept):
        _refuse(text)
    # Python binds & and | closer than comparisons; DataFrame.query binds them as words.
    return " ".join(words.get(t.string, t.string) if t.type == tokenize.OP else t.string for t in kept), names


class _ConditionReader:
    """Reads the tree of one condition; ``plain`` is the text that it was parsed from, for the digits of its
    numbers.
    """

    def __init__(self, text: str, plain: str, names: dict[str, str]) -> None:
        self.text, self.plain, self.names = text, plain, names

    def condition(self, node: ast.expr) -> str:
        """A node that is true or false."""
        if isinstance(node, ast.BoolOp):
            word = " AND " if isinstance(node.op, ast.And) else " OR "
            return "(" + word.join(self.condition(value) for value in node.values) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
            # pandas knows no unknown: what is not true is false, and its opposite is true.
            return f"({self.condition(node.operand)}) IS NOT TRUE"
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(node.left, node.ops[0], node.comparators[0])
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and not node.args
            and not node.keywords
        ):
            column = self._column(node.func.value)
            if column and node.func.attr in _NULLS:
                # To pandas NaN is missing too.
                missing = f"({column} IS NULL OR {nan_sql(column)})"
                return f"NOT {missing}" if _NULLS[node.func.attr] else missing
        _refuse(self.text)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
        sign, column = _SIGNS.get(type(operator), ""), self._column(left)
        # 5 < a is a > 5.
        if not column and (column := self._column(right)):
            left, right, sign = right, left, _MIRRORED.get(sign, "")
        if not column or not sign:
            _refuse(self.text)
        if sign in {"IN", "NOT IN"}:
            return self._listed(column, right, sign)
        value = self._value(right)
        literal = value_sql(value)
        # != is true of a missing value.
        if sign == "<>":
            return f"{column} IS DISTINCT FROM {literal}"
        number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        # To PostgreSQL a NaN is greater than every number.
        above = number and sign in {">", ">="}
        if above:
            return f"({column} {sign} {literal} AND {column} < 'NaN'::numeric)"
        return f"{column} {sign} {literal}"

    def _listed(self, column: str, values: ast.expr, sign: str) -> str:
        if not isinstance(values, (ast.List, ast.Tuple, ast.Set)) or not values.elts:
            _refuse(self.text)
        listed = ", ".join(value_sql(self._value(value)) for value in values.elts)
        if sign == "IN":
            return f"{column} IN ({listed})"
        return f"({column} IN ({listed})) IS NOT TRUE"

    def _column(self, node: ast.expr) -> str:
        """The column that a name means, as SQL; "" for anything else."""
        if not isinstance(node, ast.Name) or node.id in {"True", "False", "None"}:
            return ""
        return sql_name(self.names.get(node.id, node.id))

    def _value(self, node: ast.expr) -> Any:
        """A literal, its digits as they are written."""
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            _refuse(self.text)
        if not isinstance(value, float):
            return value
        # The digits as written: the float that Python made of them may be another number.
        written = (ast.get_source_segment(self.plain, node) or "").replace(" ", "").replace("_", "")
        try:
            exact = exact_decimal(written)
        except ValueError:
            _refuse(self.text)
        return exact if exact.is_finite() else _refuse(self.text)
