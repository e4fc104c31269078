"""What a contract must have measured, under the names that tables and columns have on this side. Pure.

A contract may name what it renames as before or as after; each side has one of the two names. SQL of the
author stays as it is written: where it names a column that has another name here, it is evaluated
beside a row that has it under that name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.renaming.names import ColumnPlace, Renames
from kisaan_validate.compare.renaming.through import facts_through
from kisaan_validate.contract.naming import Naming
from kisaan_validate.contract.needs import (
    Arrival,
    Identity,
    Lookup,
    Names,
    Need,
    Removal,
    Renaming,
    Replacement,
    Untouched,
)
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.sql.assertion import plain_expression
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.reading import columns_of


def named_here(
    needs: Iterable[Need], naming: Naming, catalogue: Catalogue, here: Mapping[str, ColumnPlace]
) -> list[Need]:
    """The needs as this side's tables and columns are called. ``here`` are the places of what is renamed,
    by promise.
    """
    # Without declared renames the contract's names are those of both sides.
    if not naming.declared:
        return list(needs)
    side = _Side(naming, {table.title: table for table in catalogue.tables.values()}, here)
    return [side.named(need) for need in needs]


def column_here(naming: Naming, table: str, name: str) -> ColumnPlace:
    """A column that a contract names, as (title of its table, name) of this side; as it is written where
    nothing is renamed.
    """
    if not naming.declared:
        return table, name
    title = naming.table(table)
    return title, naming.column(title, name)


@dataclass(frozen=True)
class _Side:
    naming: Naming
    tables: Mapping[str, Table]
    here: Mapping[str, ColumnPlace]

    def named(self, need: Need) -> Need:
        """The need in the names of this side."""
        if isinstance(need, Renaming):
            title, name = self.here.get(need.rule, ("", need.column))
            return replace(need, table=self.written(title, need.table), column=name)
        if isinstance(need, Identity) and need.goes:
            return replace(
                # What goes is looked for where it was, even if a table of that name came back.
                need,
                table=self.written(self.naming.gone(need.table, self.tables.__contains__), need.table),
            )
        title = self.naming.table(need.table)
        need = replace(need, table=self.written(title, need.table))
        table = self.tables.get(title)
        return self._columns(need, title, table) if table is not None else need

    def written(self, title: str, name: str) -> str:
        """How the catalogue finds the table of this title; where it is not there, as the contract names
        it.
        """
        table = self.tables.get(title)
        if table is not None:
            # Quoted where needed, because ``find`` splits at dots.
            return ".".join(_part(part) for part in table.key)
        return name

    def _columns(self, need: Need, title: str, table: Table) -> Need:
        def column(name: str) -> str:
            return self.naming.column(title, name)

        if isinstance(need, Removal):
            return replace(
                need,
                columns=tuple(map(column, need.columns)),
                where=self._sql(need.where, title, table, before=True),
            )
        if isinstance(need, Arrival):
            return replace(
                need,
                by=column(need.by) if need.by else "",
                where=self._sql(need.where, title, table, before=False),
            )
        if isinstance(need, Replacement):
            return replace(
                need,
                column=column(need.column),
                expression=self._sql(need.expression, title, table, before=True),
            )
        if isinstance(need, Lookup):
            return self._looked_up(replace(need, column=column(need.column), by=tuple(map(column, need.by))))
        if isinstance(need, (Names, Untouched, Identity)) and need.column:
            return replace(need, column=column(need.column))
        return need

    def _looked_up(self, need: Lookup) -> Lookup:
        # The table that is looked in may be renamed as well as the one that looks.
        title = self.naming.table(need.source)
        source = self.tables.get(title)
        if source is None:
            return need
        key = tuple(self.naming.column(title, name) for name in need.key)
        names = self._names(title, source, before=True)
        plain = next(
            # A plain column stays one: its type is then found in the catalogue, which a subquery hides.
            (quote(here) for name, here in names.items() if need.value.strip() in (name, quote(name))),
            "",
        )
        value = plain or self._sql(need.value, title, source, before=True)
        return replace(need, source=self.written(title, need.source), key=key, value=value)

    def _names(self, title: str, table: Table, *, before: bool) -> dict[str, str]:
        """Names that SQL may use of columns that have other names here: the old ones, or the new,
        and the others too where nothing else has them here."""
        former = self.naming.done.title_before(title)
        pairs = self.naming.declared.names(former)
        # An old name that a new column has taken over means the new one there.
        now = {new: self.naming.column(title, new) for new in pairs.values()}
        own = {old if before else new: now[new] for old, new in pairs.items()}
        others = {new if before else old: now[new] for old, new in pairs.items()}
        own |= {name: here for name, here in others.items() if name not in own and name not in table.columns}
        return {name: here for name, here in own.items() if name != here}

    def _sql(self, sql: str, title: str, table: Table, *, before: bool) -> str:
        """SQL of the author, beside a row that has the columns that it names under the names that it uses."""
        names = self._names(title, table, before=before)
        used = [name for name in _mentioned(sql) if name in names]
        # SQL that names nothing renamed stays as it was written, so that the statement is the author's own.
        if not used:
            return sql
        row = ", ".join(f"{quote(names[name])} AS {quote(name)}" for name in dict.fromkeys(used))
        # The line break ends a ``--`` comment of the author's; the row gives old names to the new columns.
        return f"(SELECT ({sql}\n) FROM (SELECT {row}) AS renamed)"


def undigested(
    table: Table, needs: Iterable[Need], parts: Mapping[str, object | None], personal: Container[str]
) -> dict[str, str]:
    """Of columns that are renamed, by name: why no digest tells whether their values travel. ``parts``:
    what can be digested.
    """
    wanted = {
        name: need.optional
        for need in needs
        if isinstance(need, Renaming)
        # A renaming of the table without a column speaks of all its columns.
        for name in ([need.column] if need.column else table.columns)
    }
    missing = {
        name: f"{table.title} has no column {name}"
        for name, optional in wanted.items()
        if name not in table.columns and not optional
    }
    there = [name for name in wanted if name in table.columns and parts.get(name) is None]
    types = {name: f"values of type {table.columns[name].type} have no canonical form" for name in there}
    return missing | {name: "it is personal" if name in personal else types[name] for name in there}


def travelling(table: Table, needs: Iterable[Need], old: TableFacts | None) -> list[str]:
    """The columns whose values must be found again under another name, and those that may be the same
    under two names:

    what is promised to go, and beside the baseline's facts of the table (``old``) what came.
    """
    found: dict[str, None] = {}
    for need in needs:
        if isinstance(need, Renaming):
            found |= dict.fromkeys([need.column] if need.column else table.columns)
        elif isinstance(need, Identity) and need.goes:
            found |= dict.fromkeys([need.column] if old is None else came(table, old))
    return list(found)


def suspected(before: Baseline, scope: Iterable[Table], catalogue: Catalogue) -> list[tuple[Table, Baseline]]:
    """Tables that came and may be others that went, by their columns; with the baseline as if each had
    been renamed so.
    """
    there, known = (
        {table.title for table in catalogue.tables.values()},
        {table.title for table in before.tables},
    )
    gone = [
        t for t in before.tables if t.title not in there and t.digests is not None and not t.digests.message
    ]
    found = []
    for table in (table for table in scope if table.title not in known):
        # Columns alone: a name says nothing, and whether rows are the same is measured afterwards.
        old = next((t for t in gone if {c.name for c in t.columns} == set(table.columns)), None)
        if old is not None:
            found.append(
                (
                    table,
                    facts_through(before, Renames({old.title: table.title}), (), {table.title: table.key}),
                )
            )
    return found


def came(table: Table, old: TableFacts) -> list[str]:
    """The columns of a table that the baseline does not know."""
    known = {column.name for column in old.columns}
    return [name for name in table.columns if name not in known]


def _mentioned(sql: str) -> list[str]:
    try:
        if sql:
            # ``{column}`` is no SQL; any operand will do for finding names.
            return columns_of(plain_expression(sql.replace("{column}", "NULL"), ""))
        return []
    except SuiteError:
        # Text that is not understood mentions nothing here; the statement itself will say what is wrong.
        return []


def _part(name: str) -> str:
    if "." in name or name.startswith('"'):
        return '"' + name.replace('"', '""') + '"'
    return name
