"""Reads what a Python file states in plain literals. It is parsed, and never imported or run."""

from __future__ import annotations

import ast
import warnings
from typing import Any

MOST_PARSED = 1024**2
"""Bytes of a file that is parsed: Python's parser takes a hundred times as much memory."""


class NotLiteral:
    """Stands for a value that is not a literal: only running the file would show it."""


NOT_LITERAL = NotLiteral()


def parsed_python(text: str) -> ast.Module | str:
    """The tree of a file, or why it cannot be parsed."""
    if len(text) > MOST_PARSED:
        return "is too long to be parsed"
    try:
        with warnings.catch_warnings():
            # An odd escape in somebody's docstring does not concern us.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return f"is not Python of this version: line {error.lineno}"
    # The parser's answers to thousands of nested brackets, and to a NUL.
    except (RecursionError, MemoryError, ValueError):
        return "cannot be parsed"


def assigned(body: list[ast.stmt]) -> dict[str, Any]:
    """The names that a body assigns, with their literal values; NOT_LITERAL where it is something else."""
    found: dict[str, Any] = {}
    for statement in body:
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets: list[ast.expr] = [statement.target]
            value: ast.expr = statement.value
        elif isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        else:
            continue
        for target in targets:
            found |= _bound(target, value)
    return found


def _bound(target: ast.expr, value: ast.expr) -> dict[str, Any]:
    """The names that one target binds, also several at once: ``revision, down_revision = "b", "a"``."""
    if isinstance(target, ast.Name):
        return {target.id: literal(value)}
    if not isinstance(target, (ast.Tuple, ast.List)):
        return {}
    # Values that are unpacked at run time are not known; their names are.
    same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
    values = (
        value.elts if same and isinstance(value, (ast.Tuple, ast.List)) else [ast.Name("")] * len(target.elts)
    )
    found: dict[str, Any] = {}
    for one, its in zip(target.elts, values, strict=True):
        found |= _bound(one, its)
    return found


def literal(value: ast.expr) -> Any:
    """The value of a literal. Within a list, anything else becomes NOT_LITERAL, so that the others count."""
    if isinstance(value, (ast.List, ast.Tuple)):
        return [literal(item) for item in value.elts]
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return NOT_LITERAL
