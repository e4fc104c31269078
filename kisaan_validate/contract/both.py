"""Both sides of a migration, as the rules of a contract look at them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from kisaan_validate.compare.renaming.names import Relation, relation_of
from kisaan_validate.compare.schema import RELATIONS
from kisaan_validate.contract.naming import NO_FATES, Fates, Naming
from kisaan_validate.contract.stale import StaleMeasures
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import VALUES, Change, ChangeKey
from kisaan_validate.facts.measure_key import MeasureKey, count_key

if TYPE_CHECKING:
    from kisaan_validate.contract.needs import Arrival, Names, Removal
    from kisaan_validate.contract.promise import Promise
    from kisaan_validate.facts.baseline import Baseline, CheckFacts
    from kisaan_validate.facts.kept import RowsCompared, ValuesCompared
    from kisaan_validate.facts.table import ColumnFacts, Measured, Profile, SchemaObject, TableFacts

WITH_ROWS = ("table", "view", "materialized view")
"""The kinds of objects that have rows."""


class CannotTell(Exception):
    """Something that a rule must know was not measured. ``args[0]`` says what and why."""


@dataclass(frozen=True)
class Side:
    """One side, with its parts by name. ``when`` is the word for it: before or after."""

    when: str
    facts: Baseline
    tables: Mapping[str, TableFacts]
    columns: Mapping[tuple[str, str], ColumnFacts]
    objects: Mapping[tuple[str, str, str], SchemaObject]
    checks: Mapping[str, CheckFacts]
    measures: Mapping[str, Measured]

    def measured(self, key: MeasureKey) -> Measured:
        """A measure by its key. Raises CannotTell where it was not, or could not be, taken."""
        found = self.measures.get(key.text)
        if found is None:
            raise CannotTell(f"it was not measured {self.when} ({key.text})")
        # A message is the reason of a measure that was refused: its figures are no answer.
        if found.message:
            raise CannotTell(f"it could not be measured {self.when} ({key.text}): {found.message}")
        return found

    def count(self, rule: str, table: str) -> int:
        """How many rows a rule speaks of. Raises CannotTell."""
        rows = self.measured(count_key(rule, table)).rows
        if rows is None:
            raise CannotTell(f"it was not counted {self.when} ({count_key(rule, table).text})")
        return rows

    def rows(self, table: str) -> int:
        """How many rows a table has. Raises CannotTell."""
        facts = self.tables.get(table)
        if facts is None or facts.rows is None:
            reason = f": {facts.reason}" if facts is not None and facts.reason else ""
            raise CannotTell(f"the rows of {table} were not counted {self.when}{reason}")
        return facts.rows

    def profile(self, table: str, column: str) -> Profile:
        """The figures of a column, over all rows. Raises CannotTell."""
        facts = self.columns.get((table, column))
        if facts is None or facts.profile is None:
            raise CannotTell(f"the figures of {table}.{column} were not measured {self.when}")
        return facts.profile

    def has_object(self, kind: str, table: str, name: str) -> bool:
        """Whether the catalogue has such an object. Raises CannotTell where it could not be read."""
        # Unread may be a whole kind, a relation or its object; "not there" would be a guess about any of
        # them.
        for hidden in (kind, table, name if kind in WITH_ROWS else ""):
            if hidden and hidden in self.facts.unread:
                raise CannotTell(
                    f"the catalogue could not be read {self.when}: {hidden}: {self.facts.unread[hidden]}"
                )
        return (kind, table, name) in self.objects

    def has_table(self, title: str) -> bool:
        """Whether there is such a relation, counted or not. Raises CannotTell."""
        # Counted tables first: they are known to be there even where the catalogue could not be read.
        return title in self.tables or any(self.has_object(kind, title, title) for kind in WITH_ROWS)

    def has_column(self, title: str, name: str) -> bool:
        """Whether there is such a column, measured or not. Raises CannotTell."""
        return (title, name) in self.columns or self.has_object("column", title, name)

    def names_table(self, title: str) -> bool:
        """Whether a relation is known by this title, even as one that could not be read."""
        return (
            title in self.tables
            or title in self.facts.unread
            or any((k, title, title) in self.objects for k in RELATIONS)
        )

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """Every relation that is known, by title."""
        # A title may be ambiguous (a dot in a name): what the tables say of themselves comes last and wins.
        titles = {title for kind, title, _ in self.objects if kind in RELATIONS} | set(self.facts.unread)
        return {
            **{title: relation_of(title) for title in titles},
            **{t.title: (t.schema, t.name) for t in self.facts.tables},
        }

    @cached_property
    def every_column(self) -> frozenset[tuple[str, str]]:
        """Every column that is known, as (title, name)."""
        return frozenset(self.columns) | {
            (table, name) for kind, table, name in self.objects if kind == "column"
        }


def side_of(facts: Baseline, when: str) -> Side:
    """A side with its parts by name."""
    return Side(
        when,
        facts,
        {t.title: t for t in facts.tables},
        {(t.title, c.name): c for t in facts.tables for c in t.columns},
        {o.key: o for o in facts.objects},
        {c.id: c for c in facts.checks},
        {m.id: m for m in facts.measured},
    )


@dataclass(frozen=True)
class Both:
    """Before and after, their changes by key, and what the contract asks of each table as a whole.

    Tables and columns that were renamed as promised (``fates``) have their names of after on both sides.
    ``speakers`` are the promises that speak of the values of columns, as (title, name); ``dropped`` the
    columns that are promised to go. ``rows`` and ``values`` are what files beside the baseline told, by
    title and by column. ``remarks`` say of what went whether it is found under a name that came. ``stale``
    says which figures of the old side cannot be used, because they were measured for something else.
    """

    before: Side
    after: Side
    changes: Mapping[ChangeKey, Change]
    removals: Mapping[str, tuple[Removal, ...]] = field(default_factory=dict)
    arrivals: Mapping[str, tuple[Arrival | Names, ...]] = field(default_factory=dict)
    speakers: Mapping[tuple[str, str], Promise] = field(default_factory=dict)
    dropped: frozenset[tuple[str, str]] = frozenset()
    fates: Fates = field(default_factory=lambda: NO_FATES)
    rows: Mapping[str, RowsCompared] = field(default_factory=dict)
    values: Mapping[tuple[str, str], ValuesCompared] = field(default_factory=dict)
    remarks: Mapping[ChangeKey, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schemas: tuple[str, ...] = ("public",)
    stale: StaleMeasures = field(default_factory=StaleMeasures)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Before and after."""
        return (self.before, self.after)

    def table(self, name: str) -> str:
        """The title of the relation that a rule means: the first that exists on either side, else as it is
        written.

        An alias is tried name by name, a name without a schema in the suite's schemas.
        """
        return self.naming.table(name)

    def column(self, title: str, name: str) -> str:
        """What a column of a table is called now, where a rule names it as before or after."""
        return self.naming.column(title, name)

    def gone(self, name: str) -> str:
        """The title of a relation that a rule names as it was called before."""
        return self.naming.gone(name, self.before.names_table)

    @cached_property
    def naming(self) -> Naming:
        """How names are understood."""
        return Naming(
            self.fates.declared,
            self.fates.done,
            self.aliases,
            self.schemas,
            knows=lambda title: any(side.names_table(title) for side in self.sides),
            came=lambda title: self.after.names_table(title) and not self.before.names_table(title),
            column_came=lambda *place: (
                place in self.after.every_column and place not in self.before.every_column
            ),
        )

    def stale_of(self, title: str) -> str:
        """Why figures of a table of the old side cannot be used, or ""."""
        return self.stale.of(self._titles(title))

    def _titles(self, title: str) -> tuple[str, ...]:
        """The titles of a table, now and before."""
        return (title, self.fates.done.title_before(title)) if title else ()

    def old_measure(self, key: MeasureKey) -> Measured:
        """A measure of the old side. Raises CannotTell."""
        # Figures that another version of the contract asked for would answer another question.
        if why := self.stale.of_key(key, self._titles(key.table)):
            raise CannotTell(why)
        return self.before.measured(key)

    def old_count(self, rule: str, table: str) -> int:
        """How many rows of the old side a rule speaks of: none of a table that is new. Raises CannotTell."""
        if why := self.stale.of(self._titles(table), [rule]):
            raise CannotTell(why)
        # A table that is new was not measured before, and no row of it was there.
        return self.before.count(rule, table) if self.before.has_table(table) else 0

    def keys_of(self, table: str, column: str) -> frozenset[ChangeKey]:
        """The keys of the changes of a column's figures."""
        return frozenset(key for key in self.changes if key[:3] == (VALUES, table, column))

    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key that the table had before; () where it had none."""
        for (kind, title, _), item in self.before.objects.items():
            # From the printed definition: a baseline keeps objects as texts, those of older versions too.
            if (
                kind == "constraint"
                and title == table
                and (found := _KEY.match(item.facts.get("definition", "")))
            ):
                return tuple(_unquoted(name) for name in _NAME.findall(found[1]))
        return ()


# A quoted name may hold a parenthesis or a comma.
_KEY = re.compile(r"PRIMARY KEY \(((?:\"(?:[^\"]|\"\")*\"|[^)\"])*)\)")
_NAME = re.compile(r'(?:^|, )("(?:[^"]|"")*"|[^",\s]+)')


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
