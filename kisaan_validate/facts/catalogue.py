"""Facts of the system catalogue, as plain values. Standard library only; ``postgres`` reads them."""

from __future__ import annotations

from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kisaan_validate.facts.server import ServerFacts

from kisaan_validate.facts.engine import POSTGRESQL, Engine
from kisaan_validate.facts.titles import TableKey, split_name

KIND_WORDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}

NUMBERS_WITH_NAN = frozenset({"numeric", "float4", "float8"})
"""The names of PostgreSQL's types whose values may be NaN."""

SHAPES = frozenset({"point", "lseg", "box", "path", "line", "polygon", "circle"})
"""Those of its types of geometry: their coordinates are double precision, and their text is nothing but
these.
"""

PRINTED = SHAPES | {"macaddr", "macaddr8", "pg_lsn", "tsquery", "tsvector", "xml"}
"""Its types whose values are distinguished by what they print, and have no order or figures of their own."""


@dataclass(frozen=True)
class TypeFacts:
    """What the catalogue says of a type below its domains.

    ``kind`` is ``typtype``: b base, e enum, c composite, r range, m multirange, p pseudo. ``builtin``: it
    lives in pg_catalog. ``element`` is that of an array, the subtype of a range, the range of a
    multirange. ``extension`` is the one that brought it. ``fields`` are a composite type's, in their
    order. ``scale`` is that of a numeric, where all values it is compared with are stored with the same
    one; None where that is not known.
    """

    name: str
    kind: str = "b"
    builtin: bool = True
    element: TypeFacts | None = None
    extension: str = ""
    array: bool = False
    fields: tuple[tuple[str, TypeFacts], ...] = ()
    scale: int | None = None

    @property
    def has_nan(self) -> bool:
        """Whether a value of the type may be a NaN, or hold one, however deep inside it."""
        # A type of the user's may be called numeric.
        own = self.builtin and (self.name in NUMBERS_WITH_NAN or self.name in SHAPES)
        inner = (*([self.element] if self.element is not None else []), *(field for _, field in self.fields))
        return own or any(part.has_nan for part in inner)


@dataclass(frozen=True)
class Column:
    """One column. ``type`` is ``format_type``'s text, ``base`` the ``typname`` below any domain, ``made``
    what it is made of.

    ``correlation`` is ANALYZE's measure of how far the rows lie in the order of the column (-1 to 1), None
    if unknown. ``operators`` are the comparisons of a type that is not PostgreSQL's own, as (symbol, SQL)
    by its default operator class.
    """

    name: str
    type: str
    base: str
    not_null: bool
    default: str | None = None
    generated: str = ""
    identity: str = ""
    labels: tuple[str, ...] = ()
    typmod: int = -1
    correlation: float | None = None
    made: TypeFacts | None = None
    operators: tuple[tuple[str, str], ...] = ()

    @property
    def is_enum(self) -> bool:
        """Whether values are labels of an enum type."""
        return bool(self.labels)

    @property
    def may_be_nan(self) -> bool:
        """Whether the type has a NaN."""
        return self.base in NUMBERS_WITH_NAN

    @property
    def has_nan(self) -> bool:
        """Whether a value may be a NaN, or hold one."""
        return self.may_be_nan or (self.made is not None and self.made.has_nan)

    @property
    def scale(self) -> int | None:
        """The decimal places that a numeric type rounds to, if it limits them.

        The typmod of numeric(p, s) is ((p << 16) | (s & 0x7ff)) + 4, s an 11-bit signed number (PostgreSQL
        source, numeric.c, make_numeric_typmod).
        """
        # Below 4 there is no typmod, so numeric keeps whatever scale a value has.
        if self.base != "numeric" or self.typmod < 4:
            return None
        raw = (self.typmod - 4) & 0x7FF
        # Negative since PostgreSQL 15: numeric(5, -2) rounds to hundreds.
        return raw - 0x800 if raw & 0x400 else raw

    def sign(self, symbol: str, other: Column | None = None) -> str:
        """The operator by which values are compared, as SQL: of citext its own, which is in no schema to
        be relied on.

        With a column of another type only PostgreSQL's own operators can compare.
        """
        # Two types share an operator only if both have the same extension's.
        shared = other is None or other.operators == self.operators
        return dict(self.operators).get(symbol, symbol) if shared else symbol

    @property
    def max_length(self) -> int | None:
        """The number of characters that the type itself allows, if it limits them."""
        # The typmod of text types counts its own four bytes of header.
        if self.base in {"varchar", "bpchar"} and self.typmod > 4:
            return self.typmod - 4
        return None


@dataclass(frozen=True)
class Constraint:
    """One constraint. ``kind`` is ``contype``: p, u, f, c, x, or n (NOT NULL, from PostgreSQL 18 on).

    ``foreign``: it calls functions or operators that came neither with PostgreSQL nor with an extension.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    definition: str
    validated: bool
    enforced: bool
    target: TableKey | None = None
    target_columns: tuple[str, ...] = ()
    foreign: bool = False


@dataclass(frozen=True)
class Index:
    """One index. ``columns`` holds None for an expression; ``valid`` means valid, ready and live;
    ``ordered`` a btree.
    """

    name: str
    unique: bool
    valid: bool
    columns: tuple[str | None, ...]
    predicate: str = ""
    nulls_not_distinct: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Trigger:
    """One user trigger. ``enabled`` is ``tgenabled``: O origin, A always, R replica only, D disabled."""

    name: str
    enabled: str


@dataclass(frozen=True)
class Sequence:
    """A sequence that fills a column. ``ascending`` tells the sign of its increment."""

    schema: str
    name: str
    ascending: bool


@dataclass(frozen=True)
class Table:
    """One relation with everything that checks ask about it.

    ``only`` is a SQL condition on its rows: where a filter is declared, a check sees no others ("" means
    all rows). ``children`` says that rows of tables that inherit from it (no partitions) are read with its
    own, ``foreign`` that rows of foreign tables are: by a foreign table itself, a parent of one, or a view
    over either. ``believed``: what is declared of its rows may stand for them, because the run was told
    so. ``names`` are those under which all its columns are read, in their order, where these are not their
    own; ``own`` are these then.
    """

    oid: int
    schema: str
    name: str
    kind: str
    columns: Mapping[str, Column]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    selectable: bool = True
    writable: bool = False
    row_security: bool = False
    owner: str = ""
    partition: bool = False
    estimated_rows: int = 0
    only: str = ""
    children: bool = False
    foreign: bool = False
    believed: bool = False
    names: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    @property
    def unbound(self) -> bool:
        """Whether rows are read with it that its own constraints and indexes may not bind.

        A unique index and a foreign key hold for the table alone, not for those that inherit from it;
        before PostgreSQL 18 a child may drop NOT NULL; a CHECK may be NO INHERIT (PostgreSQL
        documentation, 5.11 Inheritance, Caveats). No constraint of a foreign table is enforced here
        (CREATE FOREIGN TABLE, Notes).
        """
        return self.children or self.foreign

    @property
    def own_names(self) -> dict[str, str]:
        """What columns are called that are read under other names, by these."""
        return dict(zip(self.names, self.own, strict=True))

    @property
    def key(self) -> TableKey:
        """(schema, name)."""
        return (self.schema, self.name)

    @property
    def title(self) -> str:
        """The name people use: without the schema where it is ``public``."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The primary key's columns in order, or () if there is none."""
        return next((c.columns for c in self.constraints if c.kind == "p"), ())

    @property
    def lockable(self) -> bool:
        """Whether LOCK TABLE accepts it."""
        # LOCK TABLE takes views since PostgreSQL 11, and neither materialized views nor foreign tables.
        return self.kind in {"r", "p", "v"}

    @property
    def countable(self) -> bool:
        """Whether it is one of the relations whose rows a baseline counts."""
        return self.kind in {"r", "p"}

    def unique_over(self, columns: frozenset[str]) -> Index | None:
        """A valid, total, plain unique index over all its rows whose columns are all among ``columns``, if
        there is one.
        """
        # Rows of children are read along, and the index knows none of them.
        if self.unbound:
            return None
        return next(
            (
                index
                for index in self.indexes
                if index.unique
                and index.valid
                and not index.predicate
                and None not in index.columns
                # All columns of the index must be among these: fewer equal columns make equal entries.
                and columns.issuperset(c for c in index.columns if c is not None)
            ),
            None,
        )

    def may_be_matched(self, columns: Iterable[str]) -> bool:
        """Whether some unique index, of whatever standing, says that no two rows agree in these columns.

        Of a view that is not known: its rows may be those of a table that has one.
        """
        named = set(columns)
        found = any(
            # Also invalid and partial ones: the planner may believe them, so the rows must be read apart.
            i.unique and named.issuperset(c for c in i.columns if c is not None)
            for i in self.indexes
        )
        # What a view reads is unknown here, so a unique index below it is taken for possible.
        return bool(named) and (found or self.kind == "v")

    def unique_with_nulls_equal(self, columns: frozenset[str]) -> str:
        """The names of the indexes by which two rows that agree in ``columns`` cannot exist, NULL equal to
        NULL, or "".

        Either one unique index that treats NULLs so (or whose columns are never NULL), or, for one column
        k that may be NULL, a pair: unique over all columns WHERE k IS NOT NULL, and over the others WHERE
        k IS NULL.
        """
        index = self.unique_over(columns)
        if index is not None and (index.nulls_not_distinct or self._never_null(index.columns)):
            return index.name
        # Sorted, so that the same index is named in every run.
        for nullable in sorted(columns):
            filled = self._partial(columns, f"({nullable} IS NOT NULL)")
            empty = self._partial(columns - {nullable}, f"({nullable} IS NULL)")
            if filled and empty and self._never_null(columns - {nullable}):
                return f"{filled}, {empty}"
        return ""

    def _never_null(self, columns: Iterable[str | None]) -> bool:
        return all(self.proves_not_null(c) for c in columns if c is not None)

    def _partial(self, columns: frozenset[str], predicate: str) -> str:
        if self.unbound:
            return ""
        return next(
            (
                i.name
                for i in self.indexes
                # The text is PostgreSQL's own way to print the
                # condition; another condition means something else.
                if i.unique and i.valid and i.predicate == predicate and columns == set(i.columns)
            ),
            "",
        )

    def proves_not_null(self, column: str) -> bool:
        """Whether NOT NULL holds for all rows, the old ones too.

        ``attnotnull`` alone is no proof on PostgreSQL 18, which knows NOT NULL constraints that are NOT
        VALID: there, every NOT NULL constraint of the column must be validated.
        """
        return not self.unbound and self.declares_not_null(column)

    def declares_not_null(self, column: str) -> bool:
        """Whether the table itself forbids NULL, validated and enforced, whatever is read with it."""
        facts = self.columns.get(column)
        if facts is None or not facts.not_null:
            return False
        # PostgreSQL 18 records NOT NULL as constraints, which may be NOT VALID; before it there are none.
        return all(
            c.validated and c.enforced for c in self.constraints if c.kind == "n" and column in c.columns
        )


@dataclass(frozen=True)
class UniqueIndex:
    """What a unique index says: no two rows agree in ``keys`` (SQL), of those that ``where`` leaves.
    ``nulls``: NULLs differ.
    """

    name: str
    keys: tuple[str, ...]
    where: str = ""
    nulls: bool = True


@dataclass(frozen=True)
class Declared:
    """A relation with rows of its own, and what is declared of them that a planner takes for true."""

    schema: str
    name: str
    partitioned: bool = False
    not_null: tuple[str, ...] = ()
    unique: tuple[UniqueIndex, ...] = ()


class CataloguePart(StrEnum):
    """A part of the catalogue without which all other checks can still be judged."""

    SEQUENCES = "which sequences fill columns"
    TRIGGERS = "triggers"


@dataclass(frozen=True)
class Catalogue:
    """The relations of the configured schemas, in the order in which names are looked up.

    ``at`` is the server's time (UTC, as text) when they were read: no row that the snapshot holds came later.
    ``engine`` is whose catalogue it is. ``server`` is read where a check is about it. ``withheld`` are the
    parts that the role may not read, and why.
    """

    schemas: tuple[str, ...]
    tables: Mapping[TableKey, Table]
    server_version_num: int
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: str = ""
    engine: Engine = POSTGRESQL
    server: ServerFacts | None = None
    withheld: Mapping[CataloguePart, str] = field(default_factory=dict)

    def find(self, name: str) -> Table | None:
        """The relation that a declared name means: its aliases in turn, each in the schemas in turn."""
        # The first that exists wins, as in PostgreSQL's search path.
        for candidate in self.aliases.get(name, (name,)):
            schema, bare = split_name(candidate)
            for key in [(schema, bare)] if schema else [(s, bare) for s in self.schemas]:
                if key in self.tables:
                    return self.tables[key]
        return None

    @property
    def names(self) -> dict[str, None]:
        """Every name by which a relation can be declared, each once."""
        spelled = ((name, f"{schema}.{name}") for schema, name in self.tables)
        return dict.fromkeys(name for names in (*spelled, self.aliases) for name in names)

    def restricted(self, conditions: Mapping[str, str]) -> Catalogue:
        """The same relations, those of these declared names with only the rows for which their SQL
        condition is true.
        """
        tables = dict(self.tables)
        for name, condition in conditions.items():
            if (table := self.find(name)) is not None:
                # Under every name: two aliases mean one table, whose rows are filtered alike.
                tables[table.key] = replace(table, only=condition)
        return replace(self, tables=tables)
