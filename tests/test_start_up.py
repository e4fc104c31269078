"""What a command imports, and what was made ahead for it: nothing waits for what it does not use."""

from __future__ import annotations

import pytest
from make_templates import FOLDER, compiled

from kisaan_validate.report import compiled as ahead
from kisaan_validate.report import html


def test_the_compiled_templates_are_those_of_the_templates() -> None:
    """Each template has a compiled form of just its text, and nothing else is there."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    assert there == compiled(), "run: python tests/make_templates.py"


def test_a_template_that_was_changed_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled form of another text, or for another Jinja2, is never used."""
    source = (FOLDER.parent / "tables.html.j2").read_text(encoding="utf-8")
    assert ahead._ahead("tables.html.j2", source)
    assert not ahead._ahead("tables.html.j2", source + " ")
    assert not ahead._ahead("missing.html.j2", source)
    monkeypatch.setattr(ahead, "bc_version", ahead.bc_version + 1)
    assert not ahead._ahead("tables.html.j2", source)
    # And the page is the same either way.
    loader = ahead.CompiledLoader()
    template = loader.load(html._templates(), "unproved.html.j2")
    assert template.root_render_func is not None
