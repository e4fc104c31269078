"""Other names that change with a rename: those of what lost its name, and of columns that come from a parent.
Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kisaan_validate.compare.renaming.names import ColumnPlace, Renames
from kisaan_validate.facts.table import SchemaObject
from kisaan_validate.facts.titles import split_titles


def formerly(name: str, known: Collection[str]) -> str:
    """The name shown for something whose old name belongs to something else after."""
    made = f"{name} (before)"
    # Somebody may have called a table so.
    while made in known:
        made += "'"
    return made


def with_displaced(renames: Renames, tables: Collection[str], columns: Collection[ColumnPlace]) -> Renames:
    """The renames, with whatever had a new name before and is not renamed itself: it went, and gets a name of
    its own.

    ``tables`` and ``columns`` are all of before.
    """
    titles, names = dict(renames.tables), dict(renames.columns)
    for new in renames.tables.values():
        # What bore the name is itself renamed in a chain or a swap; then it needs no other.
        if new not in renames.tables and new in tables:
            titles[new] = formerly(new, {*titles.values(), *tables})
    for (title, _), new in renames.columns.items():
        if (title, new) not in renames.columns and (title, new) in columns:
            known = {name for table, name in columns if table == title} | {
                n for (t, _), n in names.items() if t == title
            }
            names[title, new] = formerly(new, known)
    return Renames(titles, names)


def with_heirs(
    renames: Renames,
    objects: Iterable[SchemaObject],
    before: Collection[ColumnPlace],
    after: Collection[ColumnPlace],
) -> Renames:
    """The renames, with those of columns that partitions and children have from their parents. ``objects``
    are of before.
    """
    columns, heirs = dict(renames.columns), _heirs(objects)
    waiting = list(renames.columns.items())
    # A child of a child has the column from its grandparent.
    while waiting:
        (title, old), new = waiting.pop()
        for heir in heirs.get(title, ()):
            # Only what is really so on both sides: a child may have a column of its own by this name.
            there = (heir, old) in before and (renames.title(heir), new) in after
            if there and (heir, old) not in columns:
                columns[heir, old] = new
                waiting.append(((heir, old), new))
    return Renames(renames.tables, columns)


def _heirs(objects: Iterable[SchemaObject]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in objects:
        if item.kind == "table":
            for above in (item.facts.get(name, "") for name in ("partition of", "inherits")):
                for parent in split_titles(above):
                    found.setdefault(parent, []).append(item.table)
    return found
