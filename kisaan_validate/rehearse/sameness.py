"""Whether two databases of the scratch server are equal: every row, the schema, and sequences where asked.

What a migration writes by now() differs from one run to the next. So two undisturbed runs are compared
first, and the columns in which these differ are left out of later comparisons, by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.differences import DIGEST, Change, Unknown
from kisaan_validate.facts.rehearsed import Sameness
from kisaan_validate.facts.titles import column_place
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.facts.row_differences import RowDiff, TableDiff
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.scratch.server import Scratch

_SCHEMAS = """
SELECT n.nspname::text FROM pg_catalog.pg_namespace n
WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%s)
ORDER BY 1
"""

_TABLES = """
SELECT CASE n.nspname WHEN 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
"""

_SEQUENCES = """
SELECT s.schemaname || '.' || s.sequencename, coalesce(s.last_value::text, 'not used')
FROM pg_catalog.pg_sequences s ORDER BY 1
"""

_MANY = 12


@dataclass(frozen=True)
class Unsteady:
    """What differs between two undisturbed migrations of one copy: ``columns`` as (table, column), and whole
    ``tables`` whose rows differ in another way. ``words`` say it.
    """

    columns: frozenset[tuple[str, str]] = frozenset()
    tables: frozenset[str] = frozenset()
    schema: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Comparer:
    """Compares databases of one scratch server. ``ours`` are schemas that the rehearsal itself makes."""

    scratch: Scratch
    ours: tuple[str, ...] = ()
    stop: Stop | None = None
    unsteady: Unsteady = field(default_factory=Unsteady)

    def same(self, one: str, other: str, *, sequences: bool = False) -> Sameness:
        """Whether ``other`` equals ``one``. Raises nothing: what fails is said to be unknown."""
        try:
            return self._same(one, other, sequences)
        except KisaanError as error:
            return Sameness(None, unknown=(error.fact,))

    def _same(self, one: str, other: str, sequences: bool) -> Sameness:
        gone, shared = self._schemas(one, other)
        found = self._rows(one, other, shared)
        differing = [*gone, *self._differing(found)]
        if sequences:
            differing += self._sequences(one, other)
        unknown = [f"{u.what}: {u.reason}" for u in _unknown(found)]
        equal = False if differing else None if unknown else True
        return Sameness(equal, tuple(differing), tuple(unknown), self.unsteady.words)

    def _schemas(self, one: str, other: str) -> tuple[list[str], tuple[str, ...]]:
        here, there = (
            [str(row[0]) for row in self.scratch.execute(_SCHEMAS, name, (list(self.ours),))]
            for name in (one, other)
        )
        lone = sorted({*here} ^ {*there})
        return [f"schema {name}: only on one side" for name in lone], tuple(n for n in here if n in there)

    def _rows(self, one: str, other: str, schemas: tuple[str, ...]) -> RowDiff:
        from kisaan_validate.facts.row_differences import RowDiff
        from kisaan_validate.live.options import DiffOptions
        from kisaan_validate.live.run import diff_rows

        if not schemas:
            return RowDiff(one, other)
        there = {str(row[0]) for row in self.scratch.execute(_TABLES, other)}
        ignored = frozenset(place for place in self.unsteady.columns if place[0] in there)
        # No samples: what is not read cannot be shown.
        options = DiffOptions(schemas, schemas, ignored=ignored, samples=0)
        # The superuser: row security and grants of the dump must hide nothing.
        sides = [self.scratch.target(name, "postgres") for name in (one, other)]
        return diff_rows(sides[0], sides[1], options, stop=self.stop)

    def _differing(self, found: RowDiff) -> Iterator[str]:
        for table in found.tables:
            if table.differs and table.table not in self.unsteady.tables:
                yield table_words(table)
        schema = [words for words in map(change_words, found.schema) if words not in self.unsteady.schema]
        yield from schema[:_MANY]
        if len(schema) > _MANY:
            yield f"{len(schema) - _MANY:,} more differences of the schema"
        yield from (item.words for item in found.not_compared if item.judged)

    def _sequences(self, one: str, other: str) -> Iterator[str]:
        here, there = (dict(self.scratch.execute(_SEQUENCES, name)) for name in (one, other))
        for name in sorted(here.keys() & there.keys()):
            if here[name] != there[name]:
                yield f"sequence {name}: {here[name]} before, {there[name]} after"

    def unsteady_between(self, one: str, other: str) -> Unsteady:
        """What differs between two undisturbed runs of the migration. Raises nothing."""
        try:
            gone, shared = self._schemas(one, other)
            found = self._rows(one, other, shared)
        except KisaanError as error:
            return Unsteady(words=(error.fact,), known=False)
        return _unsteady(found, gone)


def _unsteady(found: RowDiff, gone: Collection[str]) -> Unsteady:
    differing = [table for table in found.tables if table.differs]
    by_column = [t for t in differing if t.columns and not (t.added or t.removed)]
    columns = {(t.table, column) for t in by_column for column in t.columns}
    tables = {t.table for t in differing if t not in by_column}
    schema = tuple(map(change_words, found.schema))
    words = [
        *(f"the values of {column_place(*place)}" for place in sorted(columns)),
        *(f"the rows of {table}" for table in sorted(tables)),
        *schema,
        *gone,
    ]
    return Unsteady(frozenset(columns), frozenset(tables), schema, tuple(words), not any(_unknown(found)))


def _unknown(found: RowDiff) -> Iterator[Unknown]:
    yield from found.unknown
    for table in found.tables:
        yield from table.unknown
        if not table.known and not table.unknown:
            yield Unknown(f"the rows of {table.table}", "they were not compared")


def table_words(table: TableDiff) -> str:
    """How a table differs, in words: exact numbers, and the columns."""
    counts = [
        f"{counted(number, 'row')} {word}"
        for number, word in ((table.removed, "gone"), (table.changed, "changed"), (table.added, "new"))
        if number
    ]
    if not counts:
        return f"{table.table}: {_count(table.rows_before)} rows before, {_count(table.rows_after)} after"
    columns = f" ({', '.join(table.columns)})" if table.columns else ""
    return f"{table.table}: {', '.join(counts)}{columns}"


def _count(rows: int | None) -> str:
    return "unknown" if rows is None else f"{rows:,}"


def change_words(change: Change) -> str:
    """A difference in words."""
    name = ".".join(dict.fromkeys(part for part in (change.table, change.name) if part))
    if change.aspect == DIGEST:
        return f"{change.kind} of {name} differ"
    return f"{change.kind} {name}: {change.aspect}"
