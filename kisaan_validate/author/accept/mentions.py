"""Old names in the text of Python sources: SQL in declarations, and what functions read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kisaan_validate.author.accept.changes import SuiteChanges
from kisaan_validate.author.accept.python_edit import bound_arguments, declared_name
from kisaan_validate.facts.titles import split_name

_PROSE = frozenset({"why", "hint", "owner", "tags", "severity"})
"""Arguments that people read."""


def mentions(text: str, word: str) -> bool:
    """Whether a text holds a name as a whole word."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def renamed_words(text: str, changes: SuiteChanges) -> Iterator[tuple[str, str]]:
    """The names, old and new, to look for in a text: columns only where it mentions their table."""
    for table, new in sorted(changes.tables.items()):
        yield split_name(table)[1], new
    for (table, column), new in sorted(changes.columns.items()):
        names = (table, changes.tables.get(table, table))
        if any(mentions(text, split_name(name)[1]) for name in names):
            yield column, new


def left_in_lines(path: str, text: str, changes: SuiteChanges) -> Iterator[str]:
    """Lines of SQL or TOML that mention an old name."""
    for old, new in renamed_words(text, changes):
        for number, line in enumerate(text.splitlines(), 1):
            if mentions(line, old):
                yield f"{path}:{number}: mentions {old}, which is {new} now"


def left_in_python(path: str, source: str, changes: SuiteChanges) -> Iterator[str]:
    """Texts of functions and declarations that mention an old name."""
    words = dict(renamed_words(source, changes))
    for text in _texts(ast.parse(source)):
        for old, new in words.items():
            if mentions(str(text.value), old):
                yield f"{path}:{text.lineno}: mentions {old}, which is {new} now"


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield from _within(node.body[_docstring(node) :] if isinstance(node.body, list) else [node.body])
        elif isinstance(node, ast.Call) and (name := declared_name(node)):
            given = bound_arguments(node, name)
            names = {id(given[key]) for key in ("table", "to", "column", "columns", "on") if key in given}
            prose = {id(given[key]) for key in _PROSE if key in given}
            yield from _within([v for v in given.values() if id(v) not in names | prose])


def _docstring(function: ast.FunctionDef | ast.Lambda) -> int:
    return int(isinstance(function, ast.FunctionDef) and ast.get_docstring(function) is not None)


def _within(nodes: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.Constant]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part
