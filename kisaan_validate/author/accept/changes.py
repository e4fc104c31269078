"""Kept promises as changes of declarations: types, nullability and names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from kisaan_validate.contract.names import titles_of
from kisaan_validate.contract.promise import Promise
from kisaan_validate.contract.renamed import Renamed, unquoted
from kisaan_validate.contract.rules import Altered, Retyped
from kisaan_validate.dataclass import dataclass

Place = tuple[str, str]
"""A table as the first title that its name may mean, and a column by the name that it had before."""


@dataclass(frozen=True)
class SuiteChanges:
    """What happened to tables and columns, by the names that they had before.

    ``nullable`` says whether a column may be NULL now, ``columns`` and ``tables`` what has another name now.
    """

    schemas: tuple[str, ...]
    types: Mapping[Place, str] = field(default_factory=dict)
    nullable: Mapping[Place, bool] = field(default_factory=dict)
    columns: Mapping[Place, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> str:
        """The table that a declaration means."""
        return titles_of(name, self.schemas)[0]

    def table_name(self, name: str) -> str | None:
        """The new name of a table as a declaration writes it; None if it keeps its own."""
        return self.tables.get(self.table(name))

    @property
    def places(self) -> set[Place]:
        """The columns that something happened to."""
        return {*self.types, *self.nullable, *self.columns}


def is_understood(promise: Promise) -> bool:
    """Whether a promise changes what a suite declares of types, nullability or names."""
    if isinstance(promise, Altered):
        return promise.object == "column" and promise.attribute in {"not null", "type"}
    return isinstance(promise, (Retyped, Renamed))


def changes_of(
    promises: Iterable[Promise], schemas: Sequence[str], every: Iterable[Promise] = ()
) -> SuiteChanges:
    """What these promises change. ``every`` are all of the contract: they may name things as before or as
    after.
    """
    kept = [promise for promise in promises if is_understood(promise)]
    names = _NewNames(schemas, [p for p in (*kept, *every) if isinstance(p, Renamed)])
    types, nullable, columns, tables = {}, {}, {}, {}
    for promise in kept:
        if isinstance(promise, Renamed):
            table, column = promise.place
            if column:
                columns[names.before(table, column)] = unquoted(promise.to)
            else:
                tables[names.title(table)] = promise.to
        elif isinstance(promise, Retyped):
            types[names.before(*promise.place)] = promise.to
        elif isinstance(promise, Altered) and promise.attribute == "type":
            types[names.before(promise.table, promise.name)] = promise.to
        elif isinstance(promise, Altered):
            nullable[names.before(promise.table, promise.name)] = promise.to != "yes"
    return SuiteChanges(tuple(schemas), types, nullable, columns, tables)


class _NewNames:
    """The old names, for what a promise calls by the new ones."""

    def __init__(self, schemas: Sequence[str], renamed: Iterable[Renamed]) -> None:
        self._schemas, every = tuple(schemas), list(renamed)
        self._tables = {self.title(p.to): self.title(p.table) for p in every if p.table}
        self._columns = {
            (self._tables.get(t := self.title(p.place[0]), t), unquoted(p.to)): p.place[1]
            for p in every
            if p.column
        }

    def title(self, table: str) -> str:
        """The first title that a table's name may mean."""
        return titles_of(table, self._schemas)[0]

    def before(self, table: str, column: str) -> Place:
        """A column by its old names."""
        title = self._tables.get(self.title(table), self.title(table))
        return title, self._columns.get((title, column), column)
