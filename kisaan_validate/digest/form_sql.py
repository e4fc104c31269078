"""Canonical forms as SQL: the text and the bytes that digests are made of."""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.digest.forms import (
    RAW,
    CanonicalForm,
    Context,
)
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.sql.expressions import quote, text_literal, to_sql

_SIMPLE_CAST = {
    "integer": "int8",
    "numeric": "numeric",
    "float": "float8",
    "boolean": "bool",
    "json": "jsonb",
    "timestamp": "timestamp",
    "date": "date",
    "time": "time",
    "timetz": "timetz",
    "interval": "interval",
    "uuid": "uuid",
    "bytea": "bytea",
    "bits": "varbit",
    "inet": "inet",
    "money": "money",
    "timestamptz": "timestamptz",
    "text": "text",
}

ZONELESS = frozenset(_SIMPLE_CAST)
"""Forms whose elements do not depend on the zone in which the session runs."""

_ALREADY = {
    "numeric": "numeric",
    "float8": "float",
    "jsonb": "json",
    "timestamp": "timestamp",
    "time": "time",
    "timetz": "timetz",
    "interval": "interval",
    "timestamptz": "timestamptz",
    "money": "money",
    "inet": "inet",
}
"""Types that are their form's own, so that no cast is written.

Not those whose values are elements as they are: a domain over them must become its base, whose number
servers share.
"""


_SENT = {
    "numeric": "numeric_send",
    "timestamp": "timestamp_send",
    "timestamptz": "timestamptz_send",
    "time": "time_send",
    "timetz": "timetz_send",
    "interval": "interval_send",
    "bits": "varbit_send",
    "inet": "inet_send",
    "money": "cash_send",
}


_EXACT_IN_ARRAYS = {
    "integer",
    "float",
    "boolean",
    "text",
    "date",
    "time",
    "timetz",
    "interval",
    "uuid",
    "bytea",
    "bits",
}
"""Forms whose text within a printed array is canonical, after a cast of the whole array."""


def value_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """The expression ``sql`` of a column as a value of its form, still typed. NULL stays NULL."""
    typed = typed_sql(form, facts, sql, context)
    # Trailing zeros are no part of a number. Under one declared scale on both sides all values have the same.
    if form.name == "numeric" and facts.scale is None:
        return f"trim_scale({typed})"
    return typed


def typed_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """The same as ``value_sql``, a number with its trailing zeros."""
    # Composites and similar types keep their type; what they hold is read part by part.
    if form.nested or form.name.startswith("printed "):
        return sql
    if form.name == "timestamptz" and (clock := clock_sql(facts, sql)):
        if context.in_zone:
            return f"{clock}::timestamptz"
        return f"({clock} AT TIME ZONE {to_sql(text_literal(context.zone))})"
    return (
        sql
        if facts.builtin and _ALREADY.get(facts.name) == form.name
        else f"{sql}::{_SIMPLE_CAST[form.name]}"
    )


def clock_sql(facts: TypeFacts, sql: str) -> str:
    """A column without a zone as what its clock shows, "" of others: a date is its midnight."""
    if not facts.builtin or facts.name not in {"timestamp", "date"}:
        return ""
    return sql if facts.name == "timestamp" else f"{sql}::timestamp"


def elements_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> tuple[str, ...]:
    """The elements of a value: SQL expressions that together tell it from every other value of its form."""
    if is_packed(form):
        return (packed_sql(form, facts, sql, context),)
    if form.name == "array":
        return _array(form, facts, sql, context)
    if form.name == "range":
        return _range(form, facts, sql, context)
    value = value_sql(form, facts, sql, context)
    if form.name == "integer":
        # The hash of int8 folds its halves, so that -1 and 4294967295 share one: the upper half comes on its
        # own.
        return (value, f"({value} >> 32)::int4")
    if form.name == "float":
        # Bytes tell -0 from 0; NaN has many patterns of bits and is one value.
        return (f"CASE WHEN {value} = 'NaN' THEN '\\x'::bytea ELSE float8send({value}) END",)
    if form.name == "boolean":
        return (f"{value}::int4",)
    if form.name in _SENT:
        return (f"{_SENT[form.name]}({value})",)
    if form.name in {"date", "uuid", "bytea"}:
        return (value,)
    return (_bytes_of(value if form.name == "text" else f"{value}::text", context),)


def _bytes_of(text: str, context: Context) -> str:
    """A text whose hash reads its bytes, in UTF-8 whatever the database's encoding is."""
    if context.encoding in RAW:
        return f'{text} COLLATE "C"'
    return f"convert_to({text}, 'UTF8')"


def _array(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> tuple[str, ...]:
    assert form.element is not None
    assert facts.element is not None
    # One cast of the array gives one text for equal values, which costs less than unnesting it.
    if form.element.name in _EXACT_IN_ARRAYS:
        return (_bytes_of(f"{sql}::{_SIMPLE_CAST[form.element.name]}[]::text", context),)
    # The text of a row quotes its parts, so ("a,b") stays apart from ("a", "b").
    row = f"ROW({', '.join(elements_sql(form.element, facts.element, 'item.v', context))})::text"
    listed = (
        f"(SELECT array_agg({row} ORDER BY item.n) FROM unnest({sql}) WITH ORDINALITY AS item (v, n))::text"
    )
    # array_dims of an empty array is NULL, as that of NULL is.
    return (
        f"CASE WHEN {sql} IS NOT NULL THEN coalesce(array_dims({sql}), '') END COLLATE \"C\"",
        _bytes_of(listed, context),
    )


def _range(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> tuple[str, ...]:
    assert form.element is not None
    assert facts.element is not None
    # All of a range: empty, both brackets and both infinities. lower() of each of these is NULL alike.
    flags = " || ".join(
        f"{name}({sql})::int4::text"
        for name in ("isempty", "lower_inc", "upper_inc", "lower_inf", "upper_inf")
    )
    lower = elements_sql(form.element, facts.element, f"lower({sql})", context)
    upper = elements_sql(form.element, facts.element, f"upper({sql})", context)
    return (f'({flags}) COLLATE "C"', *lower, *upper)


def is_packed(form: CanonicalForm) -> bool:
    """Whether the only element of a value is its packed bytes: composites, multiranges, and arrays of what
    is itself nested.
    """
    if form.name == "array":
        return form.element is not None and form.element.nested
    return form.name in {"composite", "multirange"}


def packed_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """One expression whose binary form tells a value from all others of its form, whatever is within; NULL
    for NULL only.

    Bytes are framed by PostgreSQL's own binary format of rows and arrays, which gives each part's length,
    or says that it is NULL. It names the parts' types by their numbers, so all parts are of built-in
    types, the same on every server.
    """
    if form.name == "composite":
        return _packed_composite(form, facts, sql, context)
    if form.name == "range":
        return _packed_range(form, facts, sql, context)
    if form.name == "multirange" or is_packed(form):
        return _packed_list(form, facts, sql, context)
    if form.name == "integer":
        return value_sql(form, facts, sql, context)
    elements = [_sent(element, form, context) for element in elements_sql(form, facts, sql, context)]
    if len(elements) == 1:
        return elements[0]
    return _packed_row(elements, f"{sql} IS NOT NULL")


def is_text(form: CanonicalForm) -> bool:
    """Whether its elements are texts (or their bytes, where the encoding of one side asks for that)."""
    return form.name in {"text", "json", "array"} or form.name.startswith("printed ")


def _sent(element: str, form: CanonicalForm, context: Context) -> str:
    """A text as its bytes: as a text it would be checked, and refused, where the database itself knows no
    encoding.
    """
    raw = is_text(form) and context.encoding in RAW
    # 'SQL_ASCII' converts nothing: the bytes are taken as they are stored.
    return f"pg_catalog.convert_to({element}, 'SQL_ASCII')" if raw else element


def _packed_row(parts: Iterable[str], present: str) -> str:
    return f"CASE WHEN {present} THEN pg_catalog.record_send(ROW({', '.join(parts)})) END"


def _packed_composite(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """IS NULL would ask a composite whether all its fields are NULL; DISTINCT FROM NULL asks whether it is
    there at all.
    """
    types = dict(facts.fields)
    parts = [packed_sql(field, types[name], f"({sql}).{quote(name)}", context) for name, field in form.fields]
    return _packed_row(parts, f"{sql} IS DISTINCT FROM NULL")


def _packed_range(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    assert form.element is not None
    assert facts.element is not None
    names = ("isempty", "lower_inc", "upper_inc", "lower_inf", "upper_inf")
    flags = [f"pg_catalog.{name}({sql})" for name in names]
    ends = [
        packed_sql(form.element, facts.element, f"pg_catalog.{end}({sql})", context)
        for end in ("lower", "upper")
    ]
    # Of a range IS NOT NULL is safe: it has no fields that could all be NULL.
    return _packed_row([*flags, *ends], f"{sql} IS NOT NULL")


def _packed_list(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """Of an array its dimensions and its elements, of a multirange its ranges.

    In FROM, ``unnest`` would make a column of each field of a composite; in the SELECT list it gives
    values as they are.
    """
    assert form.element is not None
    assert facts.element is not None
    array = form.name == "array"
    # Multiranges have no cardinality(), so their ranges are counted.
    size = (
        f"pg_catalog.cardinality({sql})"
        if array
        else f"(SELECT pg_catalog.count(*) FROM pg_catalog.unnest({sql}))"
    )
    listed = f"SELECT pg_catalog.unnest({sql}) AS v, pg_catalog.generate_series(1, {size}) AS n"
    item = packed_sql(form.element, facts.element, "item.v", context)
    # Two functions in one SELECT list go in step; OFFSET keeps the value from being computed again for each
    # use.
    items = f"(SELECT pg_catalog.array_agg({item} ORDER BY item.n) FROM ({listed} OFFSET '0') AS item)"
    # The dimensions count as well as the elements: {{1,2}} is not {1,2}.
    dims = [f'pg_catalog.array_dims({sql}) COLLATE "C"'] if array else []
    return _packed_row([*dims, items], f"{sql} IS NOT NULL")


def shown_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """The text in which a value is shown to people: as the column prints it, but converted where its class
    demands it.
    """
    if form.name == "numeric":
        # Of numeric as it is stored: people want to see 1.50, though 1.5 is equal to it.
        return f"{sql}::numeric::text"
    return f"{value_sql(form, facts, sql, context)}::text"


def proof_sql(form: CanonicalForm, facts: TypeFacts, sql: str, context: Context) -> str:
    """A text that differs exactly where values differ, if the shown one may not; else "" (numbers compare
    as Decimals).
    """
    if is_packed(form):
        return f"encode(sha256({packed_sql(form, facts, sql, context)}), 'hex')"
    # Other forms print exactly what they hold, or are compared as numbers.
    if form.name not in {"array", "range"}:
        return ""
    return f"ROW({', '.join(elements_sql(form, facts, sql, context))})::text"
