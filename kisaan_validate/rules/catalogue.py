"""Rules about the system catalogue: what exists, of which type, and what the database itself enforces."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import CataloguePart
from kisaan_validate.rules.base import CatalogRule, CatalogueAnswer

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column, Constraint, Index, Table


def _one(held: bool, message: str) -> CatalogueAnswer:
    return CatalogueAnswer(1, 0) if held else CatalogueAnswer(1, 1, message)


@dataclass(frozen=True)
class Present(CatalogRule):
    """The table, or the column, exists. The checks that depend on it are skipped where it does not."""

    kind: ClassVar[str] = "present"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"column {columns[0]} exists" if columns else f"table {table} exists"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        # A table that is missing is this rule's finding, so it must not be skipped for it.
        return ((table, ""),) if columns else ()

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, f"no such table in schema {', '.join(catalogue.schemas)}")
        if columns and columns[0] not in table.columns:
            return CatalogueAnswer(1, 1, f"{table.name} has no column {columns[0]}")
        return CatalogueAnswer(1, 0)


_SHORT = {
    "int2": "smallint",
    "int4": "integer",
    "int": "integer",
    "int8": "bigint",
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "timetz": "time with time zone",
    "time": "time without time zone",
    "decimal": "numeric",
    "varchar": "character varying",
    "char": "character",
    "bpchar": "character",
}


def canonical_type(name: str) -> str:
    """A type name as ``format_type`` writes it: ``varchar(20)`` becomes ``character varying(20)``."""
    # Quoted names keep their case and may be anything; only bare ones fold.
    text = " ".join(name.strip().split())
    match = re.fullmatch(r"(.*?)\s*(\([\d\s,]*\))?((?:\[\])*)", text)
    assert match is not None  # the pattern's parts are all optional
    base, args, array = match.groups()
    folded = base.lower() if '"' not in base else base
    return _SHORT.get(folded, folded) + (args or "").replace(" ", "") + array


@dataclass(frozen=True)
class TypeIs(CatalogRule):
    """The column's type is one of those declared. "numeric" alone admits any precision, likewise text-like
    types.
    """

    accepted: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    kind: ClassVar[str] = "type"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        what = f"{columns[0]} is {' or '.join(self.accepted)}"
        if self.labels:
            return f"{what} with the labels {', '.join(self.labels)}"
        return what

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        column = table.columns[columns[0]]
        if not any(_type_matches(column, wanted) for wanted in self.accepted):
            return CatalogueAnswer(
                1, 1, f"{columns[0]} is {column.type}, must be {' or '.join(self.accepted)}"
            )
        # As sets: the order of an enum's labels is a matter of its own.
        if self.labels and set(column.labels) != set(self.labels) and column.is_enum:
            return CatalogueAnswer(
                1, 1, f"its labels are {', '.join(column.labels)}, must be {', '.join(self.labels)}"
            )
        return CatalogueAnswer(1, 0)


def _type_matches(column: Column, wanted: str) -> bool:
    if wanted == "enum":
        return column.is_enum
    # "numeric" admits any precision, "numeric(18,2)" only its own.
    open_ended = "(" not in wanted
    actual = column.type if not open_ended else re.sub(r"\([\d,]*\)", "", column.type)
    return actual == wanted


@dataclass(frozen=True)
class ColumnsAre(CatalogRule):
    """The table has no column beside those declared (``strict``)."""

    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "strict"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{table} has no undeclared column"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        extra = sorted(set(table.columns) - set(self.names))
        sample = tuple((("column", name),) for name in extra)
        return CatalogueAnswer(
            len(table.columns), len(extra), f"undeclared: {', '.join(extra)}" if extra else "", sample
        )


@dataclass(frozen=True)
class NotNullDeclared(CatalogRule):
    """The catalogue itself forbids NULL (``nullable`` False), or allows it."""

    nullable: bool = False
    kind: ClassVar[str] = "nullability"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"the catalogue {'allows' if self.nullable else 'forbids'} NULL in {columns[0]}"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        forbidden = table.declares_not_null(columns[0])
        wrong = (
            f"{columns[0]} "
            f"{'is declared NOT NULL, must allow NULL' if forbidden else 'is not declared NOT NULL, must be'}"
        )
        return _one(forbidden is not self.nullable, wrong)


@dataclass(frozen=True)
class DefaultIs(CatalogRule):
    """The column's default is this expression, as the catalogue prints it; None means that there is none."""

    default: str | None = None
    kind: ClassVar[str] = "default"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} has {'no default' if self.default is None else f'the default {self.default}'}"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        actual = table.columns[columns[0]].default
        return _one(
            # Printed defaults carry casts and parentheses that nobody wrote.
            _plain(actual) == _plain(self.default),
            f"its default is {actual or 'none'}, must be {self.default or 'none'}",
        )


def _plain(default: str | None) -> str | None:
    if default is None:
        return None
    return re.sub(r"::[\w\". ]+(\(\d+(,\d+)?\))?", "", default).strip("() ").lower()


_CONSTRAINT_KINDS = {"primary key": "p", "unique": "u", "foreign key": "f", "check": "c", "exclusion": "x"}


@dataclass(frozen=True)
class HasConstraint(CatalogRule):
    """A constraint over exactly these columns (or of this name) is present, validated and enforced.

    A valid, total unique index counts as a unique constraint.
    """

    constraint: str = "unique"
    name: str = ""
    target: str = ""
    nulls_not_distinct: bool = False
    kind: ClassVar[str] = "constraint"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        which = f" {self.name}" if self.name else ""
        over = f" over ({', '.join(columns)})" if columns else ""
        to = f" to {self.target}" if self.target else ""
        nulls = ", NULLs count as equal" if self.nulls_not_distinct else ""
        return f"the database enforces a {self.constraint} constraint{which}{over}{to}{nulls}"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        # A unique index without a constraint enforces the same.
        if self.constraint == "unique" and not self.name and self._unique(table, columns):
            return CatalogueAnswer(1, 0)
        target = catalogue.find(self.target) if self.target else None
        found = [
            c
            for c in table.constraints
            if c.kind == _CONSTRAINT_KINDS[self.constraint]
            and (not self.name or c.name == self.name)
            and (not columns or set(c.columns) == set(columns))
            and (not self.target or (target is not None and c.target == target.key))
        ]
        if self.constraint == "unique" and not self.name:
            # Only the definition says NULLS NOT DISTINCT, which PostgreSQL has since 15.
            found = [c for c in found if not self.nulls_not_distinct or "NULLS NOT DISTINCT" in c.definition]
        if not found:
            near = _nearly_unique(table, columns) if self.constraint == "unique" and not self.name else ""
            return CatalogueAnswer(1, 1, near or "there is no such constraint")
        # A unique constraint of a parent says nothing of the rows in its children.
        if not all(_binds_all(table, c) for c in found):
            return CatalogueAnswer(
                1,
                1,
                f"{', '.join(c.name for c in found)} covers {table.name} only, not the rows that "
                "are read with it",
            )
        sound = [c for c in found if c.validated and c.enforced]
        state = ", ".join(f"{c.name} is {'not validated' if c.enforced else 'not enforced'}" for c in found)
        return _one(bool(sound), state)

    def _unique(self, table: Table, columns: tuple[str, ...]) -> bool:
        if self.nulls_not_distinct:
            return bool(table.unique_with_nulls_equal(frozenset(columns)))
        if table.unbound:
            return False
        indexes = (i for i in table.indexes if i.unique and i.valid and not i.predicate)
        return any(set(index.columns) == set(columns) for index in indexes)


def _nearly_unique(table: Table, columns: tuple[str, ...]) -> str:
    """What a unique index over exactly these columns does not forbid, for readers who think that it is
    enough; or "".
    """
    over = ", ".join(columns)
    for index in (i for i in table.indexes if i.unique and set(i.columns) == set(columns)):
        if not index.valid:
            return f"{index.name} is unique over ({over}), but it is not valid"
        if index.predicate:
            return f"{index.name} is unique over ({over}), but only for rows where {_bare(index.predicate)}"
        # Columns that are NOT NULL leave nothing for NULLs to repeat.
        nullable = [c for c in columns if not table.declares_not_null(c)]
        if nullable and not index.nulls_not_distinct:
            may = f"{', '.join(nullable)} may be NULL, and NULLs do not count as equal"
            return f"{index.name} is unique over ({over}), but allows rows with NULL: {may}"
    return ""


_NO_INHERIT = re.compile(r" NO INHERIT( NOT VALID| NOT ENFORCED)*$")


def _binds_all(table: Table, constraint: Constraint) -> bool:
    """Whether it holds for everything that is read with the table; of all kinds, only CHECK is inherited
    (see Table.unbound).
    """
    if table.foreign:
        return False
    # NO INHERIT keeps a CHECK from the children.
    return not table.children or (constraint.kind == "c" and not _NO_INHERIT.search(constraint.definition))


@dataclass(frozen=True)
class HasIndex(CatalogRule):
    """A valid index is present: of this name, or one over all rows that begins with these columns."""

    name: str = ""
    unique: bool = False
    kind: ClassVar[str] = "index"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        which = f" {self.name}" if self.name else ""
        over = f" beginning with ({', '.join(columns)})" if columns else ""
        return f"a valid {'unique ' if self.unique else ''}index{which}{over} is present"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        found = [
            index
            for index in table.indexes
            if (not self.name or index.name == self.name)
            and index.columns[: len(columns)] == columns
            and (index.unique or not self.unique)
        ]
        if not found:
            return CatalogueAnswer(1, 1, "there is no such index")
        # A partial index serves only queries that repeat its condition; a check that names it knows
        # what it is.
        usable = [i for i in found if i.valid and (self.name or not i.predicate)]
        return _one(bool(usable), "; ".join(_shortcoming(i) for i in found))


def _bare(condition: str) -> str:
    """A printed condition without the parentheses around the whole of it."""
    depth, closed = 0, []
    for place, sign in enumerate(condition):
        depth += (sign == "(") - (sign == ")")
        closed += [place] if not depth else []
    # Only if the first parenthesis closes at the very end does it hold the whole.
    if condition.startswith("(") and closed[:1] == [len(condition) - 1]:
        return condition[1:-1]
    return condition


def _shortcoming(index: Index) -> str:
    """Why an index is not enough."""
    if not index.valid:
        return f"{index.name} is not valid"
    return f"{index.name} only covers rows where {_bare(index.predicate)}"


@dataclass(frozen=True)
class TriggersEnabled(CatalogRule):
    """The named triggers exist and every trigger of the table fires."""

    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "triggers"
    looks_at = frozenset({CataloguePart.TRIGGERS})

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        named = f", and {', '.join(self.names)} exist" if self.names else ""
        return f"every trigger of {table} is enabled{named}"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        if table is None:
            return CatalogueAnswer(1, 1, "no such table")
        missing = sorted(set(self.names) - {t.name for t in table.triggers})
        # "O" fires on ordinary writes, "A" always; "R" fires only on a replica, "D" never.
        off = sorted(t.name for t in table.triggers if t.enabled not in {"O", "A"})
        wrong = [(name, "missing") for name in missing] + [(name, "disabled") for name in off]
        sample = tuple((("trigger", name), ("problem", problem)) for name, problem in wrong)
        message = ", ".join(f"{name} is {problem}" for name, problem in wrong)
        return CatalogueAnswer(len(table.triggers) + len(missing), len(wrong), message, sample)


@dataclass(frozen=True)
class NoColumnOfType(CatalogRule):
    """No column of the tables that match a pattern has this type."""

    type: str = ""
    tables: str = "*"
    except_: tuple[str, ...] = ()
    kind: ClassVar[str] = "no_column_of_type"
    looks_at = frozenset()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        but = f", except {', '.join(self.except_)}" if self.except_ else ""
        return f"no column of {self.tables} is {self.type}{but}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return ()

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        scope = [t for t in catalogue.tables.values() if t.countable and fnmatchcase(t.name, self.tables)]
        facts = [
            (t, c) for t in scope for c in t.columns.values() if f"{t.name}.{c.name}" not in self.except_
        ]
        wrong = sorted(f"{t.name}.{c.name}" for t, c in facts if _type_matches(c, self.type))
        message = (
            f"{'1 column is' if len(wrong) == 1 else f'{len(wrong)} columns are'} {self.type}: "
            f"{', '.join(wrong)}"
            if wrong
            else ""
        )
        return CatalogueAnswer(len(facts), len(wrong), message, tuple((("column", name),) for name in wrong))
