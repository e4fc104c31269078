"""docs/closed-kinds.md names tests that are there."""

from __future__ import annotations

import ast
import re

from conftest import ROOT

PAGE = (ROOT / "docs" / "closed-kinds.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    """A law whose test was renamed or removed is no longer held by anybody."""
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 30
    missing = []
    for file, test in named:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        if not any(isinstance(node, ast.FunctionDef) and node.name == test for node in tree.body):
            missing.append(f"{file}::{test}")
    assert not missing


def test_every_row_names_a_test() -> None:
    """No kind is closed by words alone."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| kind", "| ---"))]
    assert [row for row in rows if "::" not in row] == []
