"""Which columns an author's expression takes care of itself where they are NaN."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp

from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.assertion import plain_expression, with_texts
from kisaan_validate.sql.reading import column_name

Named = frozenset[tuple[str, str]]
"""Columns as (qualifier, name); the qualifier is "" in an expression over one row."""

# What numeric, float4 and float8 read (PostgreSQL source, numeric_in and float8in_internal). A float may have
# a sign, and what a C library allows in parentheses; blanks are those of C's isspace.
_NAN = re.compile(r"(?ai)\s*[-+]?nan(\(\w*\))?\s*")
_NUMBER = re.compile(r"(?ai)\s*[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|inf|infinity)\s*")


@lru_cache(maxsize=4096)
def settled_for_nan(expression: str) -> Named:
    """The columns for which the expression itself says what a NaN means.

    It names NaN beside them (``amount <> 'NaN'``, ``amount > 0 OR amount = 'NaN'``); or one of the
    conditions that must all hold is never true of a NaN (``amount <= 100``, ``amount BETWEEN 0 AND 100``,
    ``amount IN (1, 2)``); or it only asks whether there is a value (``amount IS NOT NULL``), and a NaN is
    one.
    """
    try:
        tree = with_texts(plain_expression(expression, ""), expression)
    # What is not understood says nothing of NaN, so the guard stays.
    except SuiteError:
        return frozenset()
    # Who writes NaN beside a column has thought of it.
    named = {_key(column) for text in tree.find_all(exp.Literal) if _is_nan(text) for column in _beside(text)}
    # A column that is also compared somewhere is not only asked for its presence.
    compared = {_key(column) for column in tree.find_all(exp.Column) if not _is_presence(column)}
    present = {_key(column) for column in tree.find_all(exp.Column)} - compared
    return frozenset(
        # Only what must hold by itself: an OR may be true for another reason.
        named | present | {_key(column) for part in _conjuncts(tree) for column in _refused(part)}
    )


def _key(column: exp.Column) -> tuple[str, str]:
    return column.table, column_name(column)


def _is_nan(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and _NAN.fullmatch(node.name) is not None


def _is_presence(column: exp.Expr) -> bool:
    """Whether a column stands where only its presence is asked for: ``amount IS NULL``."""
    node = column
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    test = node.parent
    return isinstance(test, exp.Is) and test.this is node and isinstance(test.expression, exp.Null)


def _beside(literal: exp.Expr) -> list[exp.Column]:
    """The columns in the smallest part of the expression that holds the literal and any column."""
    node = literal.parent
    while node is not None:
        if columns := list(node.find_all(exp.Column)):
            return columns
        node = node.parent
    return []


def _conjuncts(tree: exp.Expr) -> list[exp.Expr]:
    plain = tree.unnest()
    if isinstance(plain, exp.And):
        return [part for side in (plain.left, plain.right) for part in _conjuncts(side)]
    return [plain]


def _refused(condition: exp.Expr) -> list[exp.Column]:
    """The column that a condition bounds from above, or compares with plain values that are no NaN."""
    # NaN is greater than every number, so "less than" refuses it.
    if isinstance(condition, (exp.LT, exp.LTE)):
        return _bounded(condition.left, [condition.right])
    if isinstance(condition, (exp.GT, exp.GTE)):
        # The same the other way round: 100 > amount.
        return _bounded(condition.right, [condition.left])
    if isinstance(condition, exp.EQ):
        return _bounded(condition.left, [condition.right]) or _bounded(condition.right, [condition.left])
    if isinstance(condition, exp.Between):
        # Of SYMMETRIC either end may be the upper one.
        ends = ("low", "high") if condition.args.get("symmetric") else ("high",)
        return _bounded(condition.this, [condition.args[end] for end in ends])
    if isinstance(condition, exp.In) and condition.expressions:
        return _bounded(condition.this, condition.expressions)
    return []


def _bounded(side: exp.Expr, values: list[exp.Expr]) -> list[exp.Column]:
    plain = side.unnest()
    if isinstance(plain, exp.Column) and all(_is_number(value) for value in values):
        return [plain]
    return []


def _is_number(value: exp.Expr) -> bool:
    """A plain number that is no NaN; whatever has to be computed may be one."""
    # A computed bound may itself be a NaN, and would then let one pass.
    plain = value.unnest()
    if isinstance(plain, (exp.Neg, exp.Cast)):
        return _is_number(plain.this)
    # Another text may be an array, a range or a row: {5,NaN} is below {100}.
    return isinstance(plain, exp.Literal) and _NUMBER.fullmatch(plain.name) is not None
