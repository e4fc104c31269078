"""What tables and columns of the side before are called on the side after. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.table import TableFacts

ColumnPlace = tuple[str, str]
"""(title of a table, name of one of its columns)."""

Relation = tuple[str, str]
"""(schema, name)."""


@dataclass(frozen=True)
class Renames:
    """``tables`` maps old titles to new ones; ``columns`` maps (old title, name) to the
    name after.

    What is not named keeps its name. No two old names become one new name.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[ColumnPlace, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def title(self, before: str) -> str:
        """What a table is called after."""
        return self.tables.get(before, before)

    def column(self, table: str, name: str) -> str:
        """What a column of a table, by the table's title before, is called after."""
        return self.columns.get((table, name), name)

    def place(self, table: str, name: str) -> ColumnPlace:
        """An old column, as its new (title, name)."""
        return self.title(table), self.column(table, name)

    def names(self, table: str) -> dict[str, str]:
        """The columns of a table, by its title before, that have another name after."""
        return {old: new for (title, old), new in self.columns.items() if title == table}

    def title_before(self, after: str) -> str:
        """What a table of after was called before."""
        # Names of after are unique, so the first is the only one.
        return next((old for old, new in self.tables.items() if new == after), after)

    def column_before(self, table: str, name: str) -> str:
        """What a column was called before, by the title before of its table and its name after."""
        return next((old for old, new in self.names(table).items() if new == name), name)

    @property
    def back(self) -> Renames:
        """The same, seen from the side after."""
        columns = {(self.title(table), new): old for (table, old), new in self.columns.items()}
        return Renames({new: old for old, new in self.tables.items()}, columns)


def relation_of(title: str, tables: Iterable[TableFacts] = ()) -> Relation:
    """(schema, name) of a title; the facts of tables tell a dot in a name from one behind a schema."""
    known = next(((t.schema, t.name) for t in tables if t.title == title), None)
    schema, dot, name = title.partition(".")
    # A dot in a title is taken for a schema's unless the facts say otherwise.
    return known or ((schema, name) if dot else ("public", title))
