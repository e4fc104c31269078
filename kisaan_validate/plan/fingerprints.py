"""Digests that say which row holds which value: figures of a table, beside counts and sums. Pure.

A row gives two lanes of its key and one value, both in canonical form (``digest.columns``; under SHA-256
``digest.rows``); each is summed over all rows. The digest does not depend on the order of rows, equal rows
do not cancel, and two tables agree only if each key has the same value on both sides. It is kept with all
that must agree before two may be compared: ``encoding/form of the value/forms of the key``.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest import parts
from kisaan_validate.digest.columns import seeds, value_hash
from kisaan_validate.digest.forms import CanonicalForm, Context, own_form
from kisaan_validate.digest.rows import HASH, HASH_SINCE, SHA256, row_digest
from kisaan_validate.facts.catalogue import PRINTED, Column, TypeFacts
from kisaan_validate.facts.measure_key import SELF_CHECK, FigureKey, by_key
from kisaan_validate.facts.table import Family, Measured
from kisaan_validate.plan.figures import Figure, base_of

_RANGES = {
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
    "daterange": "date",
}
# What is not listed has no canonical form of its own until somebody looked at how it prints and compares.
_BUILTIN = PRINTED | {
    "int2",
    "int4",
    "int8",
    "oid",
    "numeric",
    "float4",
    "float8",
    "bool",
    "text",
    "varchar",
    "bpchar",
    "name",
    "char",
    "json",
    "jsonb",
    "timestamp",
    "timestamptz",
    "date",
    "time",
    "timetz",
    "interval",
    "uuid",
    "bytea",
    "bit",
    "varbit",
    "inet",
    "cidr",
    "money",
}


@dataclass(frozen=True)
class Digesting:
    """How one side computes digests: the encoding, the database's own encoding of text, and what its
    self-check answered.

    ``version`` is the server's; it decides how a function is written, not what it answers.
    """

    encoding: str
    server_encoding: str
    check: str
    version: int = 0

    @property
    def context(self) -> Context:
        """What the SQL of forms depends on."""
        return Context(encoding=self.server_encoding)

    @property
    def measured(self) -> Measured:
        """What is recorded of it."""
        return Measured(SELF_CHECK.text, "", names=(self.encoding, self.check))


def encoding_for(version: int) -> str:
    """The encoding that a server of this version is asked for."""
    # ``hash_record_extended`` exists since PostgreSQL 14; older servers digest by SHA-256.
    return HASH if version >= HASH_SINCE else SHA256


def facts_of(base: str, *, enum: bool = False) -> TypeFacts:
    """What is known of a type by its name alone: its ``typname`` below any domain, or an array of a
    built-in type.
    """
    if enum:
        return TypeFacts(base, "e", builtin=False)
    if base in _RANGES:
        return TypeFacts(base, "r", element=facts_of(_RANGES[base]))
    if base.endswith("[]"):
        # ``format_type`` writes one pair of brackets whatever
        # the number of dimensions, ``typname`` an underscore.
        element = base.rstrip("[]")
        return TypeFacts(base, array=True, element=facts_of(base_of(element) or element))
    if base.startswith("_"):
        return TypeFacts(base, array=True, element=facts_of(base[1:]))
    return TypeFacts(base, builtin=base in _BUILTIN, extension="citext" if base == "citext" else "")


def facts_of_column(column: Column) -> TypeFacts:
    """What a column's type is made of, as the catalogue says; where that was not read, what its name says."""
    # The catalogue sees through domains and composite types, which a name does not show.
    return column.made or facts_of(column.base, enum=column.is_enum)


def why_not(column: Column) -> str:
    """Why values of a column have no canonical form; "" where they have one."""
    form = own_form(facts_of_column(column))
    if isinstance(form, CanonicalForm):
        return ""
    return f"values of type {column.type} have no canonical form{_because(form, column)}"


def _because(reason: str, column: Column) -> str:
    plain = f"the type {facts_of_column(column).name} has no canonical form"
    return "" if reason == plain else f": {reason}"


@dataclass(frozen=True)
class SqlPart(parts.Part):
    """One value of a row: any SQL ``text``, the canonical form in which it is digested, and the type that
    it has.
    """

    text: str = ""

    @property
    def sql(self) -> str:
        """The value itself."""
        return self.text


_WHOLE = (
    # A NULL adds nothing to the sums, so a number that no integer column could hold makes them differ.
    "CASE WHEN ({0}) = trunc({0}) AND ({0}) BETWEEN -9223372036854775808 AND 9223372036854775807 "
    "THEN ({0})::int8 END"
)
"""A numeric as the integer that it may have been before: NULL for one that was none, which no integer is
taken for.
"""


def part_of(sql: str, facts: TypeFacts, *, wanted: str = "", column: str = "") -> SqlPart | None:
    """A value as a part of a digest, in its own form or in the ``wanted`` one; None where the type has no
    such form.

    A number is digested as an integer where one is wanted, an integer as a number, a uuid as a text.
    ``column``: the name of the column whose value it is as it stands, so that it surely is of the type.
    """
    form = own_form(facts)
    if not isinstance(form, CanonicalForm):
        return None
    if not wanted or str(form) == wanted:
        return SqlPart(column, facts, form, text=sql)
    if (form.name, wanted) == ("numeric", "integer"):
        return SqlPart("", facts_of("int8"), CanonicalForm("integer"), text=_WHOLE.format(sql))
    if (form.name, wanted) in {("integer", "numeric"), ("uuid", "text")}:
        return SqlPart(column, facts, CanonicalForm(wanted), text=sql)
    return None


def elements_of(values: Sequence[SqlPart], server_encoding: str) -> tuple[str, ...]:
    """SQL expressions that together tell these values from all others."""
    return parts.elements_of(values, Context(encoding=server_encoding))


def seed_items(how: Digesting, key: Sequence[SqlPart]) -> list[str]:
    """What the inner SELECT needs besides, once for all digests of a measure: the seeds that the key
    makes.
    """
    # Computed once in the inner SELECT: each digest of a measure needs the same seeds.
    if how.encoding != HASH:
        return []
    return [f"{seed} AS seed{n}" for n, seed in enumerate(seeds(key, how.context, how.version))]


@dataclass(frozen=True)
class Digested:
    """A digest within a measure: of the key and this value, or of the key alone; ``only`` of rows of which
    that SQL is true.
    """

    name: FigureKey
    value: SqlPart | None
    only: str = ""

    def form(self, encoding: str, key: Sequence[SqlPart]) -> str:
        """What two digests must have in common to be comparable."""
        value = str(self.value.form) if self.value is not None else "row"
        return f"{encoding}/{value}/{','.join(str(part.form) for part in key)}"

    def items(self, how: Digesting, key: Sequence[SqlPart], alias: str) -> tuple[list[str], tuple[str, str]]:
        """The expressions of the inner SELECT, each with its alias, and the lanes outside of it (see
        ``seed_items``).
        """
        # ``0`` is never NULL, so a digest of rows counts every row.
        present = f"({self.value.sql})" if self.value is not None else "0"
        inner = [f"{present} AS p{alias}", *([f"{self.only} AS o{alias}"] if self.only else [])]
        if how.encoding != HASH:
            # ``ROW()`` of nothing is no expression, so a table without usable columns digests a constant.
            values = [*key, *([self.value] if self.value is not None else [])]
            digest = row_digest(how.encoding, elements_of(values, how.server_encoding) or ["0"], f"r{alias}")
            return [*inner, f"{digest.inner} AS {digest.name}"], digest.lanes
        if self.value is None:
            # Of the key alone the seeds are the digest already.
            return inner, ("seed0", "seed1")
        hashed = value_hash(self.value, how.context, how.version)
        return [*inner, f"{hashed.inner} AS r{alias}"], (
            hashed.of(f"r{alias}", "seed0"),
            hashed.of(f"r{alias}", "seed1"),
        )

    def figure(self, form: str, lanes: Sequence[str], alias: str, kept: str) -> Figure:
        """The figure that counts the values and sums the lanes, of the rows of which ``kept`` is true (""
        all).
        """
        # ``o`` is computed inside, because its SQL may hold a window function or a subquery.
        conditions = [*([kept] if kept else []), *([f"o{alias}"] if self.only else [])]
        where = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
        outputs = (f"count(p{alias}){where}", *(f"(sum({lane}){where})::text" for lane in lanes))
        return Figure(by_key(self.name).text, Family.OTHER, outputs, False, False, form=form)
