"""The digest of a column: it says which row holds which value. Pure; ``docs/digest.md`` defines it.

A row's key makes two 64-bit seeds; each value of the row is hashed under both, and the hashes are summed
over the rows. Rows have different seeds, so that two values that change places change the sums. NULL
counts as 0, and adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.form_sql import is_packed, is_text
from kisaan_validate.digest.forms import RAW, CanonicalForm, Context
from kisaan_validate.digest.parts import Part, elements_of
from kisaan_validate.digest.rows import SEEDS, row_sql

BYTES_SINCE = 180000
"""The first server version whose hash of bytea can be called; before, a row of one column gives the same
number.
"""

# Their elements are bytes already, whose hash is the same number on every version.
_BYTES = frozenset(
    {
        "numeric",
        "float",
        "timestamp",
        "timestamptz",
        "time",
        "timetz",
        "interval",
        "bits",
        "inet",
        "money",
        "bytea",
    }
)


@dataclass(frozen=True)
class ValueHash:
    """How a value is hashed: ``inner`` once per row, where the row's columns are; then ``of`` its alias and
    a seed.
    """

    inner: str
    template: str

    def of(self, alias: str, seed: str) -> str:
        """The hash as an int8 expression; it may be NULL for NULL, which a sum passes over."""
        return self.template.format(v=alias, s=seed)


def value_hash(part: Part, context: Context, version: int) -> ValueHash:
    """How a value is hashed on a server of this version: on all of them to the same number.

    That is ``hash_record_extended`` of a row of the value's elements, written as the hash of the only
    element's own type where there is one; and integers carry into the seed what their hash would fold
    away.
    """
    if part.form.name == "integer":
        return ValueHash(part.value(context), _INT4 if _is_small(part) else _INT8)
    elements = part.elements(context)
    template = _TEMPLATES.get(_kind(part.form, context), "") if len(elements) == 1 else ""
    if template and (template != _BYTEA or version >= BYTES_SINCE):
        return ValueHash(elements[0], template)
    return ValueHash(f"ROW({', '.join(elements)})", _RECORD)


_INT4 = "hashint8extended({v}, {s})"
# the upper half may be 0 or -1 beyond int4 too: the high bit, which no upper half has alone, keeps such seeds
# apart
_INT8 = (
    "hashint8extended({v}, CASE WHEN {v} BETWEEN -2147483648 AND 2147483647 THEN {s} ELSE {s} # ({v} "
    ">> 32) # 4611686018427387904 END)"
)
_RECORD = "hash_record_extended({v}, {s})"
_BYTEA = "hashbyteaextended({v}, {s})"
_TEMPLATES = {
    "text": 'hashtextextended({v} COLLATE "C", {s})',
    "int4": "hashint4extended({v}, {s})",
    "uuid": "uuid_hash_extended({v}, {s})",
    "bytea": _BYTEA,
}


def _is_small(part: Part) -> bool:
    """Whether every value fits int4, because it is that column's own."""
    return bool(part.column) and not part.cast and part.facts.builtin and part.facts.name in {"int2", "int4"}


def _kind(form: CanonicalForm, context: Context) -> str:
    """The type of the form's only element; "" where its hash cannot be called by name."""
    if form.name in _BYTES:
        return "bytea"
    if is_packed(form):
        return "bytea"
    if is_text(form):
        # Text in UTF-8 hashes as text; of any other encoding its UTF-8 bytes do.
        return "text" if context.encoding in RAW else "bytea"
    return {"boolean": "int4", "uuid": "uuid"}.get(form.name, "")


def seeds(key: Sequence[Part], context: Context, version: int) -> tuple[str, str]:
    """The two seeds of a row, int8 expressions over its columns: of a key of one column its hash, else of
    the key's digest.
    """
    if len(key) == 1:
        hashed = value_hash(key[0], context, version)
        # NULL counts as 0, so a NULL in the key still gives the row a seed.
        first, second = (f"coalesce({hashed.of(f'({hashed.inner})', str(seed))}, 0)" for seed in SEEDS)
    else:
        # A table without usable columns has one key for all rows: only their number can differ.
        row = row_sql(elements_of(key, context) or ("0",))
        first, second = (f"hash_record_extended({row}, {seed})" for seed in SEEDS)
    # Mixed once more, as the lanes of a row are (see ``rows``).
    return f"hashint4extended(1, {first})", f"hashint4extended(1, {second})"
