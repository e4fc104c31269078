"""Conditions that decide nothing, which were a slip."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.assertion import _CONSTANT


def refuse_idle(tree: exp.Expr, origin: str) -> None:
    """Raises SuiteError for a SELECT that no row decides about: it returns none whatever is stored, or all.

    Its WHERE (or HAVING), or one condition of several, reads no column, or its LIMIT is 0. Such a check
    would pass for ever.
    """
    if reason := _idle(tree):
        raise SuiteError(
            f"{reason}: its result does not depend on any row",
            "a check that cannot fail proves nothing",
            origin,
        )


def _idle(tree: exp.Expr) -> str:
    """Why no row of the tables decides what a query returns, or ""."""
    limit: Any = tree.args.get("limit")
    wanted = limit and (limit.args.get("expression") or limit.args.get("count"))
    # Any number of zeros: LIMIT 00 is LIMIT 0.
    if isinstance(wanted, exp.Expr) and re.fullmatch(r"0+", wanted.unnest().name):
        return "LIMIT 0 returns no row"
    if isinstance(tree, exp.Subquery):
        return _idle(tree.this)
    if isinstance(tree, exp.SetOperation):
        left, right = _idle(tree.left), _idle(tree.right)
        # What is taken away may be constant; what it is taken from may not.
        if isinstance(tree, exp.Except):
            return left
        # Both sides must have rows for INTERSECT; a UNION is idle only if both are.
        return left or right if isinstance(tree, exp.Intersect) else left and right
    for word in ("where", "having"):
        clause: Any = tree.args.get(word)
        if clause is not None and _decides_nothing(clause.this):
            return f"the {word.upper()} (or a part of it) reads no column"
    return ""


def _decides_nothing(condition: exp.Expr) -> bool:
    """Whether a condition, or one that must hold beside others, is constant. ``1 = 1 AND …`` and ``true
    AND …`` may be.
    """
    if _is_constant(condition):
        return True
    # AND-parts one by one: a constant one decides for all rows, whatever the others say.
    whole = condition.unnest()
    parts = [part.unnest() for part in whole.flatten()] if isinstance(whole, exp.And) else []
    return any(_decides_nothing(part) for part in parts if not _plainly_true(part))


def _plainly_true(condition: exp.Expr) -> bool:
    # ``1 = 1`` and ``true`` stand where text is put together, and decide nothing.
    if isinstance(condition, exp.EQ) and isinstance(condition.left, exp.Literal):
        return (
            condition.left == condition.right and not condition.left.is_string
        )  # texts are made harmless: all look alike
    return isinstance(condition, exp.Boolean) and bool(condition.this)


def _is_constant(condition: exp.Expr) -> bool:
    # An operator that is named with its schema is somebody's own function.
    return all(
        isinstance(node, _CONSTANT) and not isinstance(node, exp.Operator) for node in condition.walk()
    )
