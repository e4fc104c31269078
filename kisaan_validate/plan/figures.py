"""The figures of a column: which a type has, and the SQL that computes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import PRINTED, Column
from kisaan_validate.facts.table import Family, Profile
from kisaan_validate.sql.expressions import quote

TEXT_LIMIT = 200
"""The minimum and maximum of texts are kept up to so many characters; it is those that are compared."""

_FAMILIES = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), Family.NUMBER),
    **dict.fromkeys(("float4", "float8"), Family.FLOAT),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "uuid", "citext"), Family.TEXT),
    "timestamptz": Family.INSTANT,
    "timestamp": Family.LOCAL_TIME,
}
# Types with an order but no sum; their ends depend on no collation.
_ORDERED = frozenset({"date", "time", "timetz", "interval", "inet", "cidr"})
# An end of these would depend on the server's version, its locale, or on how a value is printed.
_UNORDERED = PRINTED | {
    "json",
    "jsonb",
    "bytea",
    "bit",
    "varbit",
    "money",
    "oid",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
}
_NAMES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "character varying": "varchar",
    "character": "bpchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "boolean": "bool",
    "bit varying": "varbit",
}


def base_of(type_name: str) -> str | None:
    """The ``typname`` of a built-in type as ``format_type`` writes it; None for one that is not known
    here.
    """
    plain = type_name.partition("(")[0].strip()
    # The modifier stands inside: ``timestamp(3) with time zone``.
    tail = type_name.rpartition(")")[2] if "(" in type_name else ""
    name = "interval" if plain.startswith("interval ") else _NAMES.get(plain + tail, plain + tail)
    known = name in {*_FAMILIES, *_ORDERED, *_UNORDERED, "bool"} or type_name.endswith("[]")
    return name if known else None


@dataclass(frozen=True)
class Figure:
    """The figures of one expression: ``name`` for readers, ``outputs`` as SQL, in the order of
    ``read``.

    With a ``form``, the last two outputs are the sums of a digest's halves.
    """

    name: str
    family: Family
    outputs: tuple[str, ...]
    ends: bool
    total: bool
    personal: bool = False
    form: str = ""

    def lesser(self) -> Iterator[Figure]:
        """The same without its sum, then without its ends too: what is left where one of them cannot be
        computed.
        """
        if self.total:
            yield replace(self, outputs=self.outputs[:-1], total=False)
        if self.ends:
            yield replace(self, outputs=self.outputs[:1], total=False, ends=False)

    def read(self, rows: int, values: Sequence[str | None]) -> Profile:
        """The profile from what :attr:`outputs` returned, as texts."""
        present, rest = int(values[0] or 0), list(values[1:])
        # Ends and sum come first, so that the digest's two sums are always the last outputs.
        low, high = (rest.pop(0), rest.pop(0)) if self.ends else (None, None)
        total = rest.pop(0) if self.total else None
        # A sum of no rows is NULL; the digest of nothing is 0.
        digest = f"{self.form}:{rest[0] or 0}:{rest[1] or 0}" if self.form else None
        return Profile(self.family, rows - present, low, high, total, self.personal, digest)


def figure_of(
    name: str, expression: str, base: str, *, enum: bool = False, personal: bool = False, where: str = ""
) -> Figure:
    """The figures of an expression whose type has this ``typname``; ``where`` restricts the rows.

    A personal column is only counted: no value, not even the least, leaves the server.
    """
    # FILTER, not WHERE: other figures of the same scan are over other rows.
    kept = f" FILTER (WHERE {where})" if where else ""
    outputs = [f"count({expression}){kept}"]
    # Labels of an enum compare as texts; the order in which they were declared may differ between sides.
    family = Family.TEXT if enum else _FAMILIES.get(base, Family.OTHER)
    ends = not personal and (family is not Family.OTHER or base in _ORDERED)
    total = not personal and family in {Family.NUMBER, Family.FLOAT}
    if base == "bool":  # the number of true values
        expression, family, total = f"{expression}::integer", Family.NUMBER, not personal
    if ends:
        outputs += [_end(end, expression, base, family, kept) for end in ("min", "max")]
    if total:
        outputs.append(f"(sum({expression}){kept})::text")
    return Figure(name, family, tuple(outputs), ends, total, personal)


def _end(end: str, expression: str, base: str, family: Family, kept: str) -> str:
    """SQL for the least or the greatest value, as a text that depends on nothing but the values."""
    if family is Family.TEXT:
        # ``COLLATE "C"``: the least text must not depend on the collation or on its version.
        return f'left({end}(({expression})::text COLLATE "C"){kept}, {TEXT_LIMIT})'
    if (
        base == "interval"
    ):  # 1 mon equals 30 days: which of the two min() finds depends on the order of the rows
        return f"justify_interval({end}({expression}){kept})::text"
    # As text, so that no driver turns a number into a float or a date into a local one.
    return f"({end}({expression}){kept})::text"


def column_figure(column: Column, *, personal: bool, expression: str = "", where: str = "") -> Figure:
    """The figures of a column, or of an expression that stands for it."""
    text = expression or quote(column.name)
    return figure_of(column.name, text, column.base, enum=column.is_enum, personal=personal, where=where)
