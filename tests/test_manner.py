"""How the code is written: what a reader must hold in mind at once stays small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from sources import PACKAGE, files, source, statements

CHOOSING = (ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
"""Conditionals and comprehensions within an expression."""

LISTING = (ast.Call, ast.keyword, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.Starred)
LISTING += (ast.withitem, ast.NamedExpr)
"""What is read part by part: the arguments of a call, the items of a display."""


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement; what is read part by part gives its parts."""
    waiting = [n for n in ast.iter_child_nodes(statement) if not isinstance(n, (ast.stmt, ast.excepthandler))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, LISTING):
            waiting += ast.iter_child_nodes(node)
        else:
            yield node


def too_much(text: str) -> list[int]:
    """The lines of expressions that choose or loop more than twice."""
    plain = (s for s in statements(text) if not isinstance(s, (ast.FunctionDef, ast.ClassDef)))
    parts = (part for statement in plain for part in _parts(statement))
    return [p.lineno for p in parts if sum(isinstance(n, CHOOSING) for n in ast.walk(p)) > 2]  # type: ignore[attr-defined]


@pytest.mark.parametrize("room", sorted(p.name for p in PACKAGE.iterdir() if p.suffix in {"", ".py"}))
def test_no_expression_chooses_more_than_twice(room: str) -> None:
    """At most two conditionals or comprehensions, one within the other or side by side."""
    place = PACKAGE / room
    there = [place] if place.is_file() else sorted(place.rglob("*.py"))
    found = [f"{f.relative_to(ROOT)}:{n}" for f in there for n in too_much(f.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


def test_the_rule_sees_what_it_forbids() -> None:
    """Nested in an argument, and in a comprehension; not three arguments with one each."""
    assert too_much("x = f(a if b else c if d else e if g else h)") == [1]
    assert too_much("x = [a if b else c if d else e for a in y]") == [1]
    assert too_much("x = f([a for a in b], [c for c in d], e if g else h)") == []


def test_a_module_begins_with_what_it_is_for() -> None:
    """Each by a sentence of its own."""
    said: dict[str, Path] = {}
    for path in files():
        line = source(path).docstring.split("\n")[0]
        assert len(line.split()) >= 3, f"{path.relative_to(ROOT)} does not say what it is for"
        assert line not in said, f"{path} and {said[line]} say the same"
        said[line] = path
