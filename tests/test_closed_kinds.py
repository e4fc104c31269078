"""docs/closed-kinds.md and docs/promises.md name tests that are there."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import ROOT

PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("closed-kinds.md", "promises.md")
}


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    """A law whose test was renamed or removed is no longer held by anybody."""
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGES[page])
    assert len(named) > 3
    missing = []
    for file, test in named:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        if not any(isinstance(node, ast.FunctionDef) and node.name == test for node in tree.body):
            missing.append(f"{file}::{test}")
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test(page: str) -> None:
    """No kind is closed, and nothing promised, by words alone."""
    rows = [
        line
        for line in PAGES[page].splitlines()
        if line.startswith("| ") and not line.startswith(("| kind", "| promise |", "| ---"))
    ]
    assert [row for row in rows if "::" not in row] == []
