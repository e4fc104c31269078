"""Columns of one side as parts of a digest, and the statements over one table that are made of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.cut import cut_sql
from kisaan_validate.digest.form_sql import elements_sql, proof_sql, shown_sql, value_sql
from kisaan_validate.digest.forms import RAW, CanonicalForm, Context
from kisaan_validate.digest.rows import HASH, RowDigest, row_digest, row_sql
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.sql.expressions import quote


@dataclass(frozen=True)
class Part:
    """One column of one side under a form. ``facts`` are those of the type after ``cast`` (SQL type, ""
    for none).
    """

    column: str
    facts: TypeFacts
    form: CanonicalForm
    cast: str = ""

    @property
    def sql(self) -> str:
        """The column, cast where that was declared."""
        if self.cast:
            # In parentheses, because a cast binds tighter than any operator of the name's.
            return f"({quote(self.column)})::{self.cast}"
        return quote(self.column)

    def value(self, context: Context) -> str:
        """Its value as one of its form (see ``forms.value_sql``)."""
        return value_sql(self.form, self.facts, self.sql, context)

    def elements(self, context: Context) -> tuple[str, ...]:
        """The elements of its value (see ``forms.elements_sql``)."""
        return elements_sql(self.form, self.facts, self.sql, context)

    def shown(self, context: Context) -> str:
        """Its value as text for people."""
        return shown_sql(self.form, self.facts, self.sql, context)

    def staged(self, context: Context) -> str:
        """What ``cut`` is made of: the text for people, or of bytea the value."""
        return self.value(context) if self.form.name == "bytea" else self.shown(context)

    def cut(self, staged: str) -> str:
        """What travels of a value that was ``staged``: its text, or of a long one the beginning, size and
        digest.
        """
        return cut_sql(self.form, staged)

    def proof(self, context: Context) -> str:
        """A text by which two values are equal or not, where the shown one will not do, else ""."""
        return proof_sql(self.form, self.facts, self.sql, context)


def elements_of(parts: Iterable[Part], context: Context) -> tuple[str, ...]:
    """The elements of several columns, in their order, then one for the upper halves of all integers among
    them.

    PostgreSQL's hash of int8 folds its halves, so that -1 and 4294967295 share one. Within the range of
    int4 it tells all values apart; where an integer of the row is beyond, the last element is the text of
    all upper halves, else NULL.
    """
    listed = list(parts)
    integers = [part for part in listed if part.form.name == "integer"]
    elements: list[str] = []
    for part in listed:
        # Of integers only the value: the upper halves of all of them come at the end, as one element.
        elements += [part.value(context)] if part.form.name == "integer" else part.elements(context)
    if integers:
        return (*elements, _upper_halves(integers, context))
    return tuple(elements)


def _upper_halves(integers: Sequence[Part], context: Context) -> str:
    values = [part.value(context) for part in integers]
    wide = [
        v
        for part, v in zip(integers, values, strict=True)
        # smallint and integer have no upper half of their own.
        if part.cast or part.facts.name not in {"int2", "int4"}
    ]
    if not wide:
        # An element all the same: both sides must have as many, whatever the types of their integers.
        return 'NULL::text COLLATE "C"'
    beyond = " OR ".join(f"{value} NOT BETWEEN -2147483648 AND 2147483647" for value in wide)
    halves = ", ".join(f"{value} >> 32" for value in values)
    # NULL unless a value is beyond int4, so that an ordinary row costs no text.
    return f'CASE WHEN {beyond} THEN ROW({halves})::text END COLLATE "C"'


def table_digest(encoding: str, key: Sequence[Part], others: Sequence[Part], context: Context) -> RowDigest:
    """The digest of a row: of its key's columns, then of ``others``. Without a key, of ``others`` alone.

    With one column as ``others`` it is that column's digest, tied to its row: a sum over it notices two
    values that changed places.
    """
    return row_digest(encoding, elements_of((*key, *others), context))


_KEY_HASH = {
    "integer": "hashint8extended({}::int8, {})",
    "uuid": "uuid_hash_extended({}::uuid, {})",
    "text": 'hashtextextended({}::text COLLATE "C", {})',
    "numeric": "hash_numeric_extended({}::numeric, {})",
}
"""Hashes that spread keys well and cost little. They need not tell values apart, only be equal for equal
ones.
"""


def key_hash_sql(encoding: str, key: Sequence[Part], context: Context) -> str:
    """A 64-bit number that is equal for equal keys, on both servers: it places a key in a bucket and in an
    order.
    """
    # SHA-256 is available everywhere; the named hashes came with later versions.
    if encoding != HASH:
        row = f"sha256(record_send({row_sql(elements_of(key, context))}))"
        return f"('x' || encode(substr({row}, 1, 8), 'hex'))::bit(64)::int8"
    # XOR of the parts, each under its own seed, so that (1, 2) and (2, 1) differ.
    return " # ".join(_part_hash(part, number, context) for number, part in enumerate(key, start=1))


def _part_hash(part: Part, seed: int, context: Context) -> str:
    template = _KEY_HASH.get(part.form.name, "")
    # Another encoding hashes other bytes, so the row's text in UTF-8 is hashed instead.
    if part.form.name == "text" and context.encoding not in RAW:
        template = ""
    if not template:
        return f"hashtextextended(ROW({', '.join(part.elements(context))})::text, {seed})"
    # NULL gets its seed, or a key with a NULL would have no place.
    return f"coalesce({template.format(part.sql, seed)}, {seed})"


def key_bytes_sql(key: Sequence[Part], context: Context) -> str:
    """The key as bytes: equal for equal keys, different for different ones, on any server."""
    return f"record_send({row_sql(elements_of(key, context))})"
