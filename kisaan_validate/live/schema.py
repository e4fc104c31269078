"""The schemas of two live sides, compared: what differs, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.changes import changes_of_sequences
from kisaan_validate.compare.renaming.bodies import bodies_in_question, bodies_told, with_bodies
from kisaan_validate.compare.renaming.follow import with_heirs
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.compare.renaming.objects import objects_through
from kisaan_validate.compare.schema import Reading, SchemaDiff, compare_schemas
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.differences import ADDED, REMOVED, Change, NotCompared, Unknown, catalogue_of
from kisaan_validate.facts.row_differences import TableDiff
from kisaan_validate.facts.table import SchemaObject
from kisaan_validate.live.compare import both
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.sql.expressions import quote

Sides = tuple[LiveSide, LiveSide]
Found = tuple[list[Change], list[Unknown], tuple[NotCompared, ...]]
"""What differs, what is unknown, and what was not compared."""


def compare_live_schemas(
    sides: Sides, schemas: Mapping[str, str], renames: Renames, *, selected: bool
) -> Found:
    """What differs between the schemas, and what is unknown. ``selected``: only what belongs to tables that
    were asked for.

    ``schemas`` says which schema after corresponds to which before, ``renames`` what is declared to be
    renamed.
    """
    renamed = {old: new for old, new in schemas.items() if old != new}
    try:
        readings = _readings(sides, renamed, renames)
        if selected:
            return _of_tables(sides, readings)
        return _of_all(sides, renamed, readings)
    except DatabaseError as error:
        return [], [Unknown("the schema", error.fact)], ()


def _readings(sides: Sides, renamed: Mapping[str, str], renames: Renames) -> tuple[Reading, Reading]:
    """Both readings of the catalogue, that of the side before under the names of the side after. Raises
    DatabaseError.
    """
    (old, hidden_old), (new, hidden_new) = both(lambda number: sides[number].objects())
    versions = [side.snapshot.place.server_version_num for side in sides]
    objects = tuple(_renamed(item, renamed) for item in old)
    unread = {renames.title(_title(what, renamed)): why for what, why in hidden_old.items()}
    if renames:
        places = [
            frozenset((o.table, o.name) for o in listed if o.kind == "column") for listed in (objects, new)
        ]
        relations = {
            **sides[1].places,
            # A renamed table has the place that it has after, so that references to it compare equal.
            **sides[0].places,
            **{t: p for t, p in sides[1].places.items() if t in renames.tables.values()},
        }
        whole = with_heirs(renames, objects, *places)
        objects = objects_through(objects, whole, new, relations)
        # Bodies that call a renamed function differ by that name alone; they are asked from the side after.
        bodies = sides[1].bodies(bodies_in_question(objects, new, whole))
        objects = with_bodies(objects, new, bodies_told(bodies, objects, new, whole, relations))
    return Reading(objects, unread, versions[0]), Reading(new, hidden_new, versions[1])


def _of_all(sides: Sides, renamed: Mapping[str, str], readings: tuple[Reading, Reading]) -> Found:
    (stood, lost_old), (stand, lost_new) = both(lambda number: sides[number].sequences())
    found = compare_schemas(*readings, renamed=bool(renamed))
    stood = tuple(replace(value, name=_title(value.name, renamed)) for value in stood)
    lost = {**lost_old, **lost_new}
    unknown = [*_unread(readings), *found.unknown]
    unknown += [Unknown(f"the value of sequence {name}", why) for name, why in lost.items()]
    return [*found.changes, *changes_of_sequences(stood, stand)], unknown, found.not_compared


def _of_tables(sides: Sides, readings: tuple[Reading, Reading]) -> Found:
    chosen = sides[0].seen.keys() | sides[1].seen.keys()
    found: SchemaDiff = compare_schemas(*readings).of_tables(chosen)
    unknown = [item for title in sorted(chosen) for item in _unread(readings, title)]
    return list(found.changes), [*unknown, *found.unknown], found.not_compared


def _unread(readings: Iterable[Reading], only: str = "") -> list[Unknown]:
    hidden = {what: why for reading in readings for what, why in reading.unread.items() if only in ("", what)}
    return [Unknown(catalogue_of(what), reason) for what, reason in hidden.items()]


def with_tables(sides: Sides, changes: Iterable[Change], tables: Iterable[TableDiff]) -> list[Change]:
    """The changes with columns and tables of one side only, said even where the catalogue as a whole could
    not be read.
    """
    # The catalogue's own words first; what is known from the tables only fills in.
    known = {change.key: change for change in changes}
    for change in (change for table in tables for change in table.schema):
        known.setdefault(change.key, change)
    for number, aspect in ((0, REMOVED), (1, ADDED)):
        mine, other = sides[number], sides[1 - number]
        for title in mine.seen.keys() - other.seen.keys():
            texts = ("table", None) if aspect == REMOVED else (None, "table")
            change = Change("table", title, title, aspect, *texts)
            # Its parent says that it is one; as a table of its own it would look added.
            if not other.is_partition(title):  # it is there, and what it is a partition of is said
                known.setdefault(change.key, change)
    return sorted(known.values(), key=lambda change: change.key)


def _title(title: str, schemas: Mapping[str, str]) -> str:
    """A title of the side before as it would be after."""
    for old, new in schemas.items():
        bare = (
            title
            if old == "public" and "." not in title
            else title.removeprefix(f"{old}.")
            # Only a whole schema name before the dot: "a." of "a_old.x" does not count.
            if title.startswith(f"{old}.")
            else None
        )
        if bare is not None:
            return bare if new == "public" else f"{new}.{bare}"
    return title


def _renamed(item: SchemaObject, schemas: Mapping[str, str]) -> SchemaObject:
    """An object of the side before as it would be under the names of the side after."""
    if not schemas:
        return item

    def text(value: str) -> str:
        for old, new in schemas.items():
            # Escaped for the replacement, in which a backslash means something.
            there = f"{quote(new)}.".replace("\\", r"\\")
            value = re.sub(rf"(?<![\w.]){re.escape(quote(old))}\.", there, value)
        return value

    table = _title(item.table, schemas) if item.table else ""
    name = schemas.get(item.name, item.name) if item.kind == "schema" else item.name
    if item.name == item.table:
        name = table
    # A grant on a schema names it in the middle of a sentence.
    elif item.kind == "grant" and not item.table:
        who, on, schema = item.name.partition(" on schema ")
        name = f"{who}{on}{schemas.get(schema, schema)}"
    return SchemaObject(item.kind, table, name, {key: text(value) for key, value in item.facts.items()})
