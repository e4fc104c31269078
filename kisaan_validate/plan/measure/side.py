"""A table as one side of a migration has it, and what every statement about it is made of.

``before``, ``after``, ``whole`` and ``rows`` say which statements are wanted; ``past`` is what a baseline
knows of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import TypeVar

from kisaan_validate.contract.needs import Need, Removal
from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import Context
from kisaan_validate.digest.parts import key_hash_sql
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.measure_key import MeasureKey, count_key
from kisaan_validate.plan.figures import Figure, column_figure
from kisaan_validate.plan.fingerprints import (
    Digesting,
    SqlPart,
    elements_of,
    facts_of_column,
    part_of,
    why_not,
)
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.sql.expressions import quote, raw, table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified

IsPersonal = Callable[[str, str], bool]
"""Whether a column is personal: (table, column) -> bool."""


class Unknowable(Exception):
    """What is asked for cannot be said in SQL. ``args[0]`` says why."""


@dataclass(frozen=True)
class Telling:
    """By which columns digests tell rows apart, and the forms that digests must have: those of a baseline,
    if there is one.

    ``key_forms`` has one form for each column of the key, or none; ``forms`` are by column.
    """

    key: tuple[str, ...] = ()
    key_forms: tuple[str, ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSide:
    """One table of one side."""

    table: Table
    catalogue: Catalogue
    is_personal: IsPersonal
    digesting: Digesting

    @property
    def title(self) -> str:
        """The table as people call it."""
        return self.table.title

    @cached_property
    def personal(self) -> frozenset[str]:
        """Its personal columns."""
        return frozenset(c for c in self.table.columns if self.is_personal(self.table.name, c))

    # --- its columns in digests ----------------------------------------------------------------------------

    def part(self, name: str, wanted: str = "") -> SqlPart | None:
        """A column as a part of a digest, of the wanted form if it can be.

        None for one that is personal, missing, or of a type without canonical form.
        """
        column = self.table.columns.get(name)
        if column is None or name in self.personal:
            # A personal value takes part in no digest that leaves the server.
            return None
        facts = facts_of_column(column)
        made = part_of(quote(name), facts, wanted=wanted, column=name) if wanted else None
        # A missing form is no error here: the digests then have different forms, and say so.
        return made or part_of(quote(name), facts, column=name)

    def parts(self, names: Iterable[str], forms: Mapping[str, str]) -> dict[str, SqlPart]:
        """Those of these columns that can be digested."""
        made = ((name, self.part(name, forms.get(name, ""))) for name in names)
        return {name: part for name, part in made if part is not None}

    def key_parts(self, telling: Telling) -> list[SqlPart]:
        """The parts of the key."""
        # A key of this side's own choice has no forms yet, so each column takes its own.
        known = len(telling.key_forms) == len(telling.key)
        forms = dict(zip(telling.key, telling.key_forms, strict=True)) if known else {}
        return [part for name in telling.key if (part := self.part(name, forms.get(name, ""))) is not None]

    def chosen_key(self, spoken: Iterable[str] = ()) -> Telling:
        """Which columns identify a row: the primary key if it keeps its values and is no person's.

        Else all columns whose values no promise is about: equal rows then count as the same, which is
        enough. ``spoken`` are the columns whose values promises are about.
        """
        out = self.personal | set(spoken)
        usable = [c.name for c in self.table.columns.values() if c.name not in out and not why_not(c)]
        primary = self.table.primary_key
        # All of the key or none: a part of a primary key does not tell rows apart.
        return Telling(primary if primary and set(primary) <= set(usable) else tuple(usable))

    def row_text(self, parts: Iterable[SqlPart]) -> str:
        """SQL of a text that tells the row with these values from all others."""
        return f"ROW({', '.join(elements_of(list(parts), self.digesting.server_encoding))})::text"

    def place(self, parts: Sequence[SqlPart]) -> str:
        """SQL of the number by which rows lie in buckets."""
        context = Context(encoding=self.digesting.server_encoding)
        return key_hash_sql(self.digesting.encoding, parts, context)

    # --- which rows ----------------------------------------------------------------------------------------

    def goes(self, removal: Removal) -> str:
        """SQL that is true for the rows of a removal. Among duplicates the one with the lowest key stays."""
        where = held(removal.where) if removal.where else ""
        if not removal.columns:
            return where
        # Without a key the row's place: it only has to be some fixed order within this snapshot.
        keys = ", ".join(quote(k) for k in self.table.primary_key) or "tableoid, ctid"
        # The condition is a partition of its own, so that
        # rows outside it do not count as first of their kind.
        groups = ", ".join([*([where] if where else []), *(quote(c) for c in removal.columns)])
        surplus = f"row_number() OVER (PARTITION BY {groups} ORDER BY {keys}) > 1"
        # ``where`` once more, because the window numbers the rows that it leaves out as well.
        return f"({where} AND {surplus})" if where else f"({surplus})"

    def example(self) -> Figure | None:
        """The figures of the column by which one row may be named: a key that is no person's."""
        key = self.table.primary_key
        column = self.table.columns[key[0]] if len(key) == 1 and key[0] not in self.personal else None
        if column is None:
            return None
        figure = column_figure(column, personal=False, expression="named", where="hit")
        # Only a type with ends can be shown by min(): that picks one row without sorting.
        return figure if figure is not None and figure.ends else None

    # --- statements ----------------------------------------------------------------------------------------

    def measure(
        self,
        id: MeasureKey,
        sql: str = "",
        counts: tuple[MeasureKey, ...] = (),
        figures: tuple[Figure, ...] = (),
        *,
        named: str | None = None,
        message: str = "",
        key: tuple[str, ...] = (),
    ) -> Measure:
        """A measure of this table."""
        known = frozenset({self.table.name, *self.table.columns})
        private = bool(self.personal)
        return Measure(
            id,
            self.title,
            qualified(sql),
            counts,
            figures,
            named,
            message,
            private=private,
            known=known,
            key=key,
        )

    def count(self, rule: str, condition: str, example: Figure | None = None) -> Measure:
        """How many rows a rule speaks of, and the name of one of them."""
        # A window function may stand in no FILTER, so it is computed one level below.
        id, inner, outer = count_key(rule, self.title), f"{condition} AS hit", "count(*) FILTER (WHERE hit)"
        if example is not None:
            inner += f", {quote(example.name)} AS named"
            outer += f", {example.outputs[1]}"
        sql = f"SELECT {outer}\nFROM (\n  SELECT {inner}\n  FROM {table_sql(self.table)}\n) AS q"
        return self.measure(id, sql, (id,), named=f"{example.name} " if example is not None else None)


N = TypeVar("N")


def those(needs: Iterable[Need], kind: type[N]) -> list[N]:
    """The needs of one kind."""
    return [need for need in needs if isinstance(need, kind)]


def texts(names: Iterable[str]) -> str:
    """SQL of an array of texts."""
    return f"ARRAY[{', '.join(to_sql(text_literal(name)) for name in names)}]::text[]"


def held(where: str) -> str:
    """An author's condition as SQL that is true or false."""
    # IS TRUE: a condition that is NULL for a row does not speak of it.
    return f"({to_sql(raw(where))} IS TRUE)"
