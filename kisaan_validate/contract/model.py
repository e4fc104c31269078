"""A contract as it is written. What a promise can say are the fields of its class, each by its type."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from kisaan_validate.contract.objects import ATTRIBUTES, OfObject
from kisaan_validate.contract.rules import Promise
from kisaan_validate.facts.check import Severity
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.toml.model import (
    AfterValidator,
    Field,
    Filled,
    LookBefore,
    Name,
    TomlTable,
    create_model,
    cut,
    tables,
    version,
    wrong,
)

CONTRACT_FORMAT = 1
"""Version of a contract file. 1: first form."""

PLURALS = {"columns": "column", "tables": "table", "checks": "check", "names": "name"}
"""Lists that stand for one promise each, by what they list."""

_Prose = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]


class ContractFile(TomlTable):
    """What a migration promises."""

    format: Annotated[int, version(CONTRACT_FORMAT)] = Field(
        description="the version of this format", examples=[CONTRACT_FORMAT]
    )
    name: Annotated[str, AfterValidator(str.strip)] = Field("", description="the migration's name in reports")
    why: _Prose = Field("", description="what the migration is for")
    promise: Annotated[tuple[dict[str, Any], ...], Field(strict=False), tables("promise")] = Field(
        (), description="the promises"
    )


def _one_of(known: Iterable[str]) -> LookBefore:
    """One of these words. Errors name the given one, and the nearest."""
    words = list(known)

    def look(value: Any) -> Any:
        # Anything but a text is left to the type, which says it better.
        if isinstance(value, str) and value not in words:
            raise wrong(f"{cut(value)!r} is not known", did_you_mean(cut(value), words))
        return value

    return LookBefore(look, {"enum": words})


def _listed(value: Any) -> Any:
    if not isinstance(value, (str, list)):
        raise wrong("must be a text or a list of texts")
    return [value] if isinstance(value, str) else value


# SQL stays as it is written: a blank may stand in a string, a line break end a comment.
_Said = Annotated[str, AfterValidator(str.strip)]
_Texts = Annotated[tuple[str, ...], Field(strict=False), LookBefore(_listed, {"type": ["string", "array"]})]
_Severity = Annotated[str, _one_of(Severity), AfterValidator(Severity)]
_Many = Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]

_Object = Annotated[str, _one_of(ATTRIBUTES)]

_FORMS: dict[Any, Any] = {
    str: _Said,
    bool: bool,
    int | None: Annotated[int, Field(ge=0)],
    tuple[str, ...]: _Texts,
    Severity: _Severity,
    Mapping[str, str | tuple[str, ...]] | None: dict[str, _Texts],
}
"""How a field of a promise is written, by its type."""

_SAYS = {
    "attribute": "what changes of the object",
    "by": "columns that identify rows",
    "check": "a check's id",
    "column": "table.column",
    "duplicates": "columns that make rows duplicates",
    "expression": "SQL over the old row; {column} is the column",
    "facts": "what the catalogue says, by attribute",
    "from": "what it was before; of looked_up, the table",
    "id": "its name, unique in the contract",
    "key": "the other table's columns; by default its primary key",
    "kind": "what is promised",
    "name": "the object's name",
    "names": "names, or a pattern of names",
    "object": "its kind",
    "optional": "true: its object may be missing from both sides",
    "rows": "so many rows",
    "severity": "blocking (the default), warning or info",
    "surplus_of": "a uniqueness check's id: its surplus rows go",
    "table": "the table's name",
    "to": "what it becomes",
    "using": "SQL over the old row: the new value",
    "value": "SQL over the row looked up",
    "where": "SQL over one row: which rows",
    "why": "why, in plain words",
    "with": "SQL over the old row: what fills NULLs",
}


# A model takes pydantic milliseconds to make, and a contract has many promises of one kind.
@cache
def promise_model(kind: type[Promise]) -> type[TomlTable]:
    """The table of a promise of this kind."""
    types, fields = get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    made: dict[str, Any] = {"kind": (Literal[kind.kind], Field(description=_SAYS["kind"]))}
    for name, field in fields.items():
        # Python's own words (from, with) carry an underscore as names of fields.
        key = name.rstrip("_")
        form: Any = {"id": Filled, "object": _Object}.get(name) or _FORMS[types[name]]
        default: Any = ... if name == "id" else field.default or None
        made[name] = (form, Field(default, alias=key, description=_SAYS[key]))
    for plural, singular in PLURALS.items():
        if plural not in fields and (
            singular in fields or (plural == "columns" and issubclass(kind, OfObject))
        ):
            made[plural] = (_Many, Field(None, description=f"one promise for each of these {plural}"))
    return create_model(f"{kind.__name__}Table", __base__=_named(kind), __doc__=kind.__doc__, **made)


def _named(kind: type[Promise]) -> type[TomlTable]:
    class Named(TomlTable):
        called: ClassVar[str] = kind.kind

    return Named
