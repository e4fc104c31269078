"""Django's migrations: one folder ``migrations`` for each app. The files are parsed, never run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kisaan_validate.facts.migrations import FileRemark, MigrationFile, MigrationFolder, Oddity, remarked
from kisaan_validate.migrations.content import read_content, shown_name
from kisaan_validate.migrations.graph import graph_remarks, in_order
from kisaan_validate.migrations.listing import listed
from kisaan_validate.migrations.python_file import assigned, parsed_python

FOLDER = "migrations"


def django_folder(folders: Sequence[Path]) -> MigrationFolder:
    """The migrations of all apps below these folders, each named ``app.name``."""
    title = ", ".join(map(str, folders))
    found = listed(folders, _is_taken, deep=True)
    if found.message:
        return MigrationFolder(title, message=found.message)
    labels: dict[Path, str] = {}
    files = []
    for path in found.taken:
        place = path.resolve().parent.parent
        if place not in labels:
            labels[place] = _label(place)
        files.append(_migration(path, labels[place]))
    return MigrationFolder(title, _with_graph(files), found.remarks)


def _is_taken(path: Path) -> bool:
    # As Django: names that begin with one of these are modules of helpers.
    inside = path.resolve().parent.name == FOLDER
    return inside and path.suffix == ".py" and path.name[0] not in "_~"


def _label(place: Path) -> str:
    """The app's label: what its ``apps.py`` says in a literal, else the name of its folder."""
    text = read_content(place / "apps.py", place).text
    tree = parsed_python(text) if text is not None else ""
    if isinstance(tree, str):
        return place.name
    said = {assigned(node.body).get("label") for node in tree.body if isinstance(node, ast.ClassDef)}
    texts = [label for label in said if isinstance(label, str)]
    return texts[0] if len(texts) == 1 else place.name


def _migration(path: Path, label: str) -> MigrationFile:
    """The migration in a file. Django takes every file for a migration, so none is skipped."""
    content = read_content(path, path.parent)
    name, shown = f"{label}.{shown_name(path.stem)}", f"{label}/{FOLDER}/{shown_name(path.name)}"
    made = MigrationFile(name, shown, content.sha256, content.size, remarks=content.remarks)
    if content.text is None:
        return made
    tree = parsed_python(content.text)
    if isinstance(tree, str):
        return replace(made, remarks=(FileRemark(Oddity.NOT_READ, tree),))
    body = next((n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Migration"), None)
    if body is None:
        remark = FileRemark(Oddity.NOT_READ, "has no class Migration that can be read without running it")
        return replace(made, remarks=(remark,))
    said = assigned(body)
    return replace(made, parents=_pairs(said.get("dependencies")), replaces=_pairs(said.get("replaces")))


def _pairs(value: Any) -> tuple[str, ...]:
    """``app.name`` of each pair of literals. What is computed, as for an exchangeable app, and what stands
    for an app's first or last migration, names no file.
    """
    pairs = (
        [tuple(item) for item in value if isinstance(item, (list, tuple))] if isinstance(value, list) else []
    )
    texts = [pair for pair in pairs if len(pair) == 2 and all(isinstance(part, str) for part in pair)]
    return tuple(f"{app}.{name}" for app, name in texts if not name.startswith("__"))


def _with_graph(files: Sequence[MigrationFile]) -> tuple[MigrationFile, ...]:
    """In order, with what is wrong about their graph; apps without a file here are ignored."""
    apps = {file.name.partition(".")[0] for file in files}
    stood_for = {name: file.name for file in files for name in file.replaces}
    known = {file.name for file in files}

    def mine(file: MigrationFile) -> MigrationFile:
        # A squashed migration stands for those whose files were removed.
        parents = (p if p in known else stood_for.get(p, p) for p in file.parents)
        here = (p for p in parents if p.partition(".")[0] in apps and p != file.name)
        return replace(file, parents=tuple(dict.fromkeys(here)))

    ordered = in_order(map(mine, files))
    return remarked(ordered, graph_remarks(ordered))
