"""The relations of the copy as they were before each statement, so that a statement's changes can be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.tape import (
    ColumnMove,
    ConstraintMove,
    RelationRename,
    SizeChange,
    TapeColumn,
)
from kisaan_validate.rehearse.triggers import ALL_TABLES, schema_of

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "i": "index",
    "I": "partitioned index",
    "S": "sequence",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "c": "composite type",
}
"""What pg_class.relkind means, in words."""


@dataclass(frozen=True)
class KnownRelation:
    """A relation's name, kind and, for an index, the oid of its table."""

    name: str
    kind: str
    table: int | None


@dataclass(frozen=True)
class KnownTable:
    """A table's columns by number, its constraints by oid: name, kind, definition, validated."""

    name: str
    size: int
    columns: Mapping[int, TapeColumn]
    constraints: Mapping[int, tuple[str, str, str, bool]]


@dataclass(frozen=True)
class TableMoves:
    """What differs between two states of tables."""

    columns: tuple[ColumnMove, ...] = ()
    constraints: tuple[ConstraintMove, ...] = ()
    renames: tuple[RelationRename, ...] = ()
    sizes: tuple[SizeChange, ...] = ()


@dataclass
class KnownCatalogue:
    """What is committed. ``relations`` holds every relation that was ever named, ``committed`` the oids of
    those that others can see. ``files`` are relfilenodes by oid at the start.
    """

    tables: dict[int, KnownTable] = field(default_factory=dict)
    relations: dict[int, KnownRelation] = field(default_factory=dict)
    committed: set[int] = field(default_factory=set)
    files: dict[int, int] = field(default_factory=dict)

    def name(self, oid: int) -> str | None:
        """The name that a relation had first; None where nothing ever named it."""
        found = self.relations.get(oid)
        return found.name if found else None

    def table_name(self, oid: int) -> str:
        """The name of the table that a relation is or belongs to."""
        found = self.relations[oid]
        return self.relations[found.table].name if found.table in self.relations else found.name

    def learn(self, locks: Iterable[list[Any]]) -> None:
        """Names that a note of an event trigger has."""
        for oid, _, schema, name, kind, table in locks:
            if name is not None:
                known = KnownRelation(f"{schema}.{name}", KINDS.get(kind, kind), table)
                self.relations.setdefault(oid, known)


def known_table(said: Mapping[str, Any]) -> KnownTable:
    """A table as our functions describe it."""
    return KnownTable(
        f"{said['schema']}.{said['name']}",
        said["size"],
        {c[0]: TapeColumn(c[1], c[2], c[3], c[4]) for c in said["columns"] or ()},
        {k[0]: (k[1], k[2], k[3], k[4]) for k in said["constraints"] or ()},
    )


def read_catalogue(cursor: Any, token: str) -> KnownCatalogue:
    """The state of all tables now."""
    cursor.execute(f"SELECT {schema_of(token)}.state(({ALL_TABLES}))")
    tables = {said["oid"]: known_table(said) for said in cursor.fetchone()[0]["tables"]}
    made = KnownCatalogue(tables)
    for oid, schema, name, kind, table, file in read_relations(cursor):
        made.relations[oid] = KnownRelation(f"{schema}.{name}", KINDS.get(kind, kind), table)
        made.files[oid] = file
    made.committed = set(made.relations)
    return made


def read_relations(cursor: Any) -> list[tuple[Any, ...]]:
    """Oid, schema, name, kind, the table of an index, and relfilenode of all relations."""
    cursor.execute(
        "SELECT c.oid::bigint, n.nspname, c.relname, c.relkind, i.indrelid::bigint, c.relfilenode::bigint"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_index AS i ON i.indexrelid = c.oid WHERE n.nspname !~ '^(pg_|information_schema$)'"
    )
    return list(cursor.fetchall())


def moves(before: KnownTable | None, after: KnownTable, ours: bool) -> TableMoves:
    """What a statement did to one table. A table that was not there has only its size to tell."""
    if before is None:
        return TableMoves(sizes=(SizeChange(after.name, None, after.size),))
    columns = tuple(
        ColumnMove(before.name, before.columns.get(number), after.columns.get(number), ours)
        for number in sorted({*before.columns, *after.columns})
        if before.columns.get(number) != after.columns.get(number)
    )
    renamed = (RelationRename(before.name, after.name, ours),) if before.name != after.name else ()
    sized = (SizeChange(before.name, before.size, after.size),) if before.size != after.size else ()
    return TableMoves(columns, tuple(_constraints(before, after, ours)), renamed, sized)


def _constraints(before: KnownTable, after: KnownTable, ours: bool) -> Iterable[ConstraintMove]:
    for oid, (name, kind, definition, validated) in after.constraints.items():
        old = before.constraints.get(oid)
        if old is None or old[3] != validated:
            was = old[3] if old else None
            yield ConstraintMove(before.name, name, kind, definition, was, validated, ours)
