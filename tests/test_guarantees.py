"""docs/guarantees.md names tests that are there."""

from __future__ import annotations

import ast
import re

from conftest import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    """A law whose test was renamed or removed is no longer held by anybody."""
    lines = [re.match(r"- \[(test_\w+\.py)\]\(", line) for line in PAGE.splitlines() if line.startswith("- ")]
    assert len(lines) > 40
    missing = []
    for line in filter(None, lines):
        tree = ast.parse((ROOT / "tests" / line[1]).read_text(encoding="utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        laws = re.findall(r"`(\w+)`", line.string)
        assert laws, line.string
        missing += [f"{line[1]}::{law}" for law in laws if f"test_{law}" not in there]
    assert all(lines)
    assert not missing
