"""One word for one thing: what is called alike in two places is one thing, or gets a name of its own."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from conftest import ROOT
from dealing import LONGER
from make_longer import KEPT
from sources import PACKAGE, files, source

from kisaan_validate import declare

MOVED = ("compile", "database", "diffing", "draft", "importers", "renaming")
"""Rooms of before."""


def test_every_class_has_a_name_of_its_own() -> None:
    """Whoever reads the name of a class knows which one is meant, without looking where it is imported from."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in files():
        for name, line in source(path).classes:
            found[name].append(f"{path.relative_to(PACKAGE)}:{line}")
    assert len(found) > 300
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_every_longer_law_is_one() -> None:
    """tests/longer.txt names tests that there are: a stale line would let nobody notice a law that went."""
    known = {
        f"tests/{path.name}::{node.name}"
        for path in (ROOT / "tests").glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert LONGER - known == set()
    assert KEPT - known == set()


def test_a_module_that_a_docstring_names_is_there() -> None:
    """``room.module`` in the package's prose leads somewhere, also after modules moved."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} | set(MOVED)
    wrong = []
    for path in files():
        for room, module in re.findall(r"``(\w+)\.(\w+)(?:\.\w+)*``", path.read_text(encoding="utf-8")):
            here = (PACKAGE / room / module).is_dir() or (PACKAGE / room / f"{module}.py").is_file()
            # Of that room the functions are the public names.
            here = here or (room == "declare" and hasattr(declare, module))
            if room in rooms and module not in {"toml", "json"} and not here:
                wrong.append(f"{path.relative_to(PACKAGE)}: {room}.{module}")
    assert not wrong, "\n".join(wrong)
