"""The canonical form of every type: under it equal values have equal elements, and different values
different ones.

An element is a SQL expression of a type whose hash reads every bit of it (int4, date, uuid, bytea, text
under collation "C"), or bytes. ``docs/digest.md`` lists the common ones; ``tests/test_digest_types.py``
tries to break them on real servers.
"""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import PRINTED, TypeFacts


@dataclass(frozen=True)
class CanonicalForm:
    """The class under which values of a column are compared.

    ``element`` is that of an array, a range or a multirange; ``fields`` are those of a composite, by name,
    in their order. As text it holds no comma, slash or colon: texts of forms are listed and kept beside
    digests.
    """

    name: str
    element: CanonicalForm | None = None
    fields: tuple[tuple[str, CanonicalForm], ...] = ()

    def __str__(self) -> str:
        # Semicolons, because commas and slashes separate the forms of a key beside a digest.
        if self.name == "composite":
            return f"composite ({'; '.join(f'{_plain(name)} {form}' for name, form in self.fields)})"
        return f"{self.name} of {self.element}" if self.element else self.name

    @property
    def nested(self) -> bool:
        """Whether its values hold others."""
        return self.name in {"array", "range", "multirange", "composite"}


def _plain(name: str) -> str:
    """A field's name, what could be taken for punctuation by its code: no two names become one."""
    return "".join(c if c.isalnum() or c == "_" else f"%{ord(c):x}%" for c in name)


RAW = frozenset({"UTF8", "SQL_ASCII"})
"""Encodings whose text is digested as it is; any other is converted to UTF-8, on both sides (its element
is then bytea).
"""


@dataclass(frozen=True)
class Context:
    """What the SQL of one side depends on: the declared zone of its ``timestamp`` columns (""), and the
    encoding of text.

    Where two databases are compared and one is in none of ``RAW``, both sides have the encoding of that
    one. ``in_zone``: the session itself runs in the zone, where a cast says the same as AT TIME ZONE and
    costs a fifth.
    """

    zone: str = ""
    encoding: str = "UTF8"
    in_zone: bool = False


_NAMES = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "oid": "integer",
    "numeric": "numeric",
    "float4": "float",
    "float8": "float",
    "bool": "boolean",
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "name": "text",
    "char": "text",
    "json": "json",
    "jsonb": "json",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "date": "date",
    "time": "time",
    "timetz": "timetz",
    "interval": "interval",
    "uuid": "uuid",
    "bytea": "bytea",
    "bit": "bits",
    "varbit": "bits",
    "inet": "inet",
    "cidr": "inet",
    "money": "money",
}
"""The forms of PostgreSQL's own types."""

_PRINTED = PRINTED | {
    "txid_snapshot",
    "pg_snapshot",
    "xid8",
    "jsonpath",
    "int2vector",
    "oidvector",
}
"""PostgreSQL's own types whose printed text is exact and depends on no setting but the pinned ones."""

_PRINTED_EXTENSIONS = {
    "hstore": {"hstore"},
    "ltree": {"ltree", "lquery", "ltxtquery"},
    "postgis": {"geometry", "geography", "raster"},
    "postgis_raster": {"raster"},
    "vector": {"vector", "halfvec", "sparsevec"},
    "cube": {"cube"},
    "intarray": {"query_int"},
    "isn": {"ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"},
}
"""Types of extensions that print exactly what they hold. Others do not: seg and box2d print fewer digits
than they hold.
"""


def own_form(facts: TypeFacts) -> CanonicalForm | str:
    """The form of a type compared with itself, or why there is none."""
    if facts.kind == "c":
        return _composite(facts)
    # An array whose elements have no form has none either, for the reason of its element.
    if facts.element is not None and (facts.array or facts.kind in {"r", "m"}):
        element = own_form(facts.element)
        name = "array" if facts.array else {"r": "range", "m": "multirange"}[facts.kind]
        if isinstance(element, CanonicalForm):
            return CanonicalForm(name, element)
        return element
    # An enum is compared by its label: the order and the numbers of labels differ between servers.
    if facts.kind == "e" or facts.extension == "citext":
        return CanonicalForm("text")
    # ``builtin``: a type of somebody's own may be called numeric.
    if facts.builtin and facts.name in _NAMES:
        return CanonicalForm(_NAMES[facts.name])
    if (facts.builtin and facts.name in _PRINTED) or facts.name in _PRINTED_EXTENSIONS.get(
        facts.extension, ()
    ):
        return CanonicalForm(f"printed {facts.name}")
    return f"the type {facts.name} has no canonical form"


def _composite(facts: TypeFacts) -> CanonicalForm | str:
    """Of composites: (1,2) is another value where the fields have other names or another order. The
    type's own name does not matter.
    """
    fields = [(name, own_form(field)) for name, field in facts.fields]
    for name, form in fields:
        if not isinstance(form, CanonicalForm):
            return f"{form} (field {name} of {facts.name})"
    return CanonicalForm(
        "composite", fields=tuple((name, form) for name, form in fields if isinstance(form, CanonicalForm))
    )


_WIDER = {
    frozenset({"integer", "numeric"}): "numeric",
    frozenset({"date", "timestamp"}): "timestamp",
    frozenset({"timestamp", "timestamptz"}): "timestamptz",
    frozenset({"date", "timestamptz"}): "timestamptz",
    frozenset({"uuid", "text"}): "text",
}
"""Two forms and the one that holds both without loss."""


def common_form(before: TypeFacts, after: TypeFacts, zoned: bool) -> CanonicalForm | str:
    """The form under which two columns are compared, or why they cannot be. ``zoned``: a zone was
    declared.
    """
    old, new = own_form(before), own_form(after)
    if not isinstance(old, CanonicalForm):
        return old
    if not isinstance(new, CanonicalForm):
        return new
    return _meet(old, new, zoned)


def _meet(old: CanonicalForm, new: CanonicalForm, zoned: bool) -> CanonicalForm | str:
    if old == new:
        return old
    if old.name == new.name and old.element and new.element:
        element = _meet(old.element, new.element, zoned)
        if isinstance(element, CanonicalForm):
            return replace(old, element=element)
        return element
    if old.name == new.name == "composite" and [name for name, _ in old.fields] == [
        name for name, _ in new.fields
    ]:
        return _meet_fields(old, new, zoned)
    name = _WIDER.get(frozenset({old.name, new.name}), "")
    if not name:
        return f"{old} and {new} have no form in common"
    # A clock without its zone says nothing of the moment.
    if name == "timestamptz" and not zoned:
        return f"{old.name} became {new.name}, and its time zone was not declared"
    return CanonicalForm(name)


def _meet_fields(old: CanonicalForm, new: CanonicalForm, zoned: bool) -> CanonicalForm | str:
    fields = [(name, _meet(a, b, zoned)) for (name, a), (_, b) in zip(old.fields, new.fields, strict=True)]
    for name, form in fields:
        if not isinstance(form, CanonicalForm):
            return f"{form} (field {name})"
    return replace(
        old, fields=tuple((name, form) for name, form in fields if isinstance(form, CanonicalForm))
    )


def needs_zone(before: TypeFacts, after: TypeFacts) -> bool:
    """Whether the columns could be compared if a zone were declared."""
    return not isinstance(common_form(before, after, False), CanonicalForm) and isinstance(
        common_form(before, after, True), CanonicalForm
    )
