"""What the package's modules import and define, each file read and parsed once for all laws about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "kisaan_validate"
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Placed:
    """A statement, whether it stands in a function or a private class, and whether only type checkers run it."""

    node: ast.stmt
    hidden: bool = False
    typing_only: bool = False


@dataclass(frozen=True)
class Source:
    """A module: its docstring, the names without one that others can reach, its classes with their lines, its
    imports. Nothing of the tree beside: the trees of the whole package fill memory.
    """

    docstring: str
    undocumented: tuple[str, ...]
    classes: tuple[tuple[str, int], ...]
    imports: tuple[ast.Import, ...]
    at_run_time: tuple[ast.ImportFrom, ...]
    for_types: tuple[ast.ImportFrom, ...]

    def named(self) -> set[str]:
        """The modules that are imported, as they are written."""
        plain = {alias.name for node in self.imports for alias in node.names}
        return plain | {node.module for node in (*self.at_run_time, *self.for_types) if node.module}


def _walk(body: ast.AST, hidden: bool = False, typing_only: bool = False) -> Iterator[Placed]:
    """Statements only: expressions, the most of a tree, hold none."""
    for node in ast.iter_child_nodes(body):
        if isinstance(node, ast.stmt):
            yield Placed(node, hidden, typing_only)
        if isinstance(node, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _walk(node, hidden or _hides(node), typing_only or _for_types(node))


def _hides(node: ast.AST) -> bool:
    public = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    return isinstance(node, DEFINITIONS) and not public


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def files() -> list[Path]:
    """Every module of the package, in order."""
    return sorted(PACKAGE.rglob("*.py"))


def statements(text: str) -> Iterator[ast.stmt]:
    """Every statement of a program, outer ones first."""
    return (placed.node for placed in _walk(ast.parse(text)))


@cache
def source(path: Path) -> Source:
    """Read a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    placed = list(_walk(tree))
    from_ = [p for p in placed if isinstance(p.node, ast.ImportFrom)]
    return Source(
        ast.get_docstring(tree) or "",
        tuple(
            p.node.name
            for p in placed
            if isinstance(p.node, DEFINITIONS) and not p.hidden and not ast.get_docstring(p.node)
        ),
        tuple((p.node.name, p.node.lineno) for p in placed if isinstance(p.node, ast.ClassDef)),
        tuple(p.node for p in placed if isinstance(p.node, ast.Import)),
        tuple(p.node for p in from_ if isinstance(p.node, ast.ImportFrom) and not p.typing_only),
        tuple(p.node for p in from_ if isinstance(p.node, ast.ImportFrom) and p.typing_only),
    )
