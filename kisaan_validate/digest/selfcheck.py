"""A fixed question about hostile values: two servers that answer it alike compute the same digests.

It is asked before anything is compared. What a server answered is also kept with a baseline's digests: a
server that gives other answers later cannot be compared with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.digest.columns import value_hash
from kisaan_validate.digest.forms import CanonicalForm, Context, own_form
from kisaan_validate.digest.parts import Part, elements_of
from kisaan_validate.digest.rows import SEEDS, LiveDigest, row_digest, staged
from kisaan_validate.digest.seeded import SeededDigest
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.sql.qualify import qualified

_INT4, _TEXT, _NUMERIC = TypeFacts("int4"), TypeFacts("text"), TypeFacts("numeric")

HOSTILE: dict[str, tuple[TypeFacts, tuple[str, ...]]] = {
    "integer": (TypeFacts("int8"), ("0", "-1", "4294967295", "-9223372036854775808", "9223372036854775807")),
    "numeric": (_NUMERIC, ("0", "500", "-500", "500.00", "1e-20", "12345678901234567890.000001", "NaN")),
    "float": (TypeFacts("float8"), ("0", "-0", "NaN", "Infinity", "-Infinity", "1e-300", "0.1")),
    "boolean": (TypeFacts("bool"), ("true", "false")),
    "text": (_TEXT, ("", "a", " a ", "é€😀", "it''s \\ \"quoted\"", "line" + "x" * 40)),
    "json": (TypeFacts("jsonb"), ('{"b": 1, "a": [null, "é", 1.50]}', "null", "[]")),
    "timestamp": (
        TypeFacts("timestamp"),
        ("2025-10-18 05:30:00.123456", "infinity", "-infinity", "0044-03-15 00:00:00 BC"),
    ),
    "timestamptz": (
        TypeFacts("timestamptz"),
        ("2025-10-18 05:30:00.123456+00", "infinity", "294276-12-31 23:59:59.999999+00"),
    ),
    "date": (TypeFacts("date"), ("2025-10-18", "infinity", "5874897-12-31", "4713-01-01 BC")),
    "time": (TypeFacts("time"), ("00:00", "23:59:59.999999", "24:00")),
    "timetz": (TypeFacts("timetz"), ("12:00+00", "13:00+01")),
    "interval": (TypeFacts("interval"), ("1 mon", "30 days", "720:00:00", "-1 mon +2 days 00:00:01")),
    "uuid": (TypeFacts("uuid"), ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",)),
    "bytea": (TypeFacts("bytea"), ("\\x", "\\x00", "\\xff00ff")),
    "bits": (TypeFacts("varbit"), ("", "0", "10000000", "000000001")),
    "inet": (TypeFacts("inet"), ("192.168.0.1", "192.168.0.0/24", "::1")),
    "array of integer": (TypeFacts("_int4", array=True, element=_INT4), ("{}", "{1,NULL,3}", "[0:1]={1,2}")),
    "array of text": (TypeFacts("_text", array=True, element=_TEXT), ("{}", '{"",NULL,"NULL","a,b"}')),
    "array of numeric": (
        TypeFacts("_numeric", array=True, element=_NUMERIC),
        ("{}", "{1.50,NULL}", "{{1},{2}}"),
    ),
    "range of numeric": (
        TypeFacts("numrange", "r", element=_NUMERIC),
        ("empty", "(,)", "[1.50,2)", "(1.5,]"),
    ),
}
"""By form: facts of a type, and literals of it that hash functions of PostgreSQL are known to confuse, or
might.
"""


def self_check_sql(
    encoding: str, server_encoding: str = "UTF8", *, ascii_only: bool = False, seed: bytes = b""
) -> str:
    """One SELECT without a table: (form, its place, number of the value, lane, lane), in that order.
    Encoding as in ``rows``; ``seed`` of digests that have one.

    ``ascii_only``: one of the servers to be compared could not hold the other texts.
    """
    context = Context(encoding=server_encoding)
    parts = []
    # The place, not the name, orders the rows: names sort differently under other collations.
    for place, (name, part, values) in enumerate(_questions(ascii_only)):
        digest: LiveDigest = row_digest(encoding, elements_of([part], context))
        if seed:
            digest = SeededDigest(seed, (part,), context, 2)
        inner = staged(values, {"n": "n", **digest.items})
        parts.append(
            f"SELECT '{name}' AS form, {place} AS place, n, {digest.lanes[0]} AS high, {digest.lanes[1]} "
            f"AS low FROM {inner}"
        )
    return qualified("\nUNION ALL\n".join(parts) + "\nORDER BY place, n")


def column_check_sql(version: int, server_encoding: str = "UTF8", *, ascii_only: bool = False) -> str:
    """The same of ``digest.columns``, on a server of this version that has ``hash_record_extended``:
    (form, place, n, lane, lane).
    """
    context = Context(encoding=server_encoding)
    parts = []
    for place, (name, part, values) in enumerate(_questions(ascii_only)):
        hashed = value_hash(part, context, version)
        high, low = (hashed.of("r", str(seed)) for seed in SEEDS)
        inner = staged(values, {"n": "n", "r": hashed.inner})
        parts.append(
            # The hash of NULL is NULL, which two servers could not be seen to agree in.
            f"SELECT '{name}' AS form, {place} AS place, n, coalesce({high}, 0) AS high, coalesce({low}, "
            f"0) AS low FROM {inner}"
        )
    return qualified("\nUNION ALL\n".join(parts) + "\nORDER BY place, n")


def _questions(ascii_only: bool) -> Iterator[tuple[str, Part, str]]:
    """By form: a column ``v`` of it, and a FROM item with its hostile values and NULL, numbered by ``n``."""
    for name, (facts, literals) in HOSTILE.items():
        form = own_form(facts)
        assert isinstance(form, CanonicalForm), name
        values = ", ".join(
            # NULL last, because every form has it.
            f"({n}, {_literal(text, facts, ascii_only)})"
            for n, text in enumerate((*literals, None))
        )
        yield name, Part("v", facts, form), f"(VALUES {values}) AS given (n, v)"


def _literal(text: str | None, facts: TypeFacts, ascii_only: bool) -> str:
    # ``typname`` of an array is no name that SQL reads.
    name = {"_int4": "int4[]", "_text": "text[]", "_numeric": "numeric[]"}.get(facts.name, facts.name)
    if text is None:
        return f"NULL::{name}"
    # Question marks on both sides are equal, and still an ASCII text of the same length.
    shown = text.encode("ascii", "replace").decode() if ascii_only else text
    return f"'{shown}'::{name}"
