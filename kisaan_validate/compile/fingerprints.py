"""Digests that say which row holds which value: SQL text for sums over the rows of a table. Pure.

Each row gives 128 bits of a hash over its key and the value, both in canonical form; the two halves are summed over all
rows as exact numbers. So the digest does not depend on the order of rows, equal rows do not cancel, and two tables agree
only if each key has the same value on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kisaan_validate.compile.figures import Figure
from kisaan_validate.model import Family

_NUMBER = frozenset({"int2", "int4", "int8", "numeric"})
_TEXT = frozenset({"text", "varchar", "bpchar", "name", "citext"})
_OWN = frozenset({
    "bool", "float4", "float8", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "bytea", "inet",
    "cidr", "macaddr", "macaddr8", "bit", "varbit", "oid", "pg_lsn", "int4range", "int8range", "numrange", "tsrange",
    "tstzrange", "daterange",
})  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One value of a row: SQL, and the canonical form in which it is digested."""

    sql: str
    form: str

    @property
    def text(self) -> str:
        """SQL of the canonical text: equal values give equal texts, different ones different texts."""
        if self.form == "number":
            return f"trim_scale(({self.sql})::numeric)::text"
        if self.form == "json":
            return f"(({self.sql})::jsonb)::text"
        if self.form.endswith("[]"):
            return f"(array_dims({self.sql}) || ({self.sql})::text)"
        return f"({self.sql})::text"


def form_of(base: str, *, enum: bool = False) -> str:
    """The canonical form of a type by its ``typname`` below any domain; "" for a type that has none."""
    if enum or base in _TEXT:
        return "text"
    if base in _NUMBER:
        return "number"
    if base in {"json", "jsonb"}:
        return "json"
    if base.startswith("_") and form_of(base[1:]):
        return f"{form_of(base[1:])}[]"
    return base if base in _OWN else ""


def text_of(parts: Iterable[Part]) -> str:
    """SQL of one text for several values, from which each of them, and NULL, can be told."""
    return f"ARRAY[{', '.join(part.text for part in parts)}]::text[]::text"


def halves(parts: Iterable[Part]) -> tuple[str, str]:
    """SQL of the two halves of a row's digest, as numbers."""
    hashed = f"encode(sha256(convert_to({text_of(parts)}, 'UTF8')), 'hex')"
    high, low = (f"('x' || substr({hashed}, {start}, 16))::bit(64)::bigint::numeric" for start in (1, 17))
    return high, low


def digest_figure(name: str, present: str, form: str, lanes: Sequence[str], where: str = "") -> Figure:
    """The figure that sums the halves; ``present`` is the SQL that is NULL where there is no value."""
    kept = f" FILTER (WHERE {where})" if where else ""
    outputs = (f"count({present}){kept}", *(f"sum({lane}){kept}::text" for lane in lanes))
    return Figure(name, Family.OTHER, outputs, False, False, form=form)
