"""The JSON Schema of a contract, for editors."""

from __future__ import annotations

from typing import Any

from kisaan_validate.contract.load import may_be_empty
from kisaan_validate.contract.model import PLURALS, ContractFile, promise_model
from kisaan_validate.contract.objects import OfObject
from kisaan_validate.contract.rules import KINDS, Promise
from kisaan_validate.toml.model import schema_of


def contract_schema() -> dict[str, Any]:
    """A table for each kind of promise, with what each must say."""
    schema = schema_of(ContractFile, "A contract of kisaan-validate")
    kinds = {name: _promise_schema(name, kind) for name, kind in KINDS.items()}
    schema["properties"]["promise"]["items"] = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds]}
    return {**schema, "$defs": kinds}


def _promise_schema(name: str, kind: type[Promise]) -> dict[str, Any]:
    made = schema_of(promise_model(kind), name)
    # One for the whole document.
    del made["$schema"]
    needed = [[key for key in keys if key in made["properties"]] for keys in _needed(kind)]
    made["required"] += [key for key, *others in needed if not others]
    choices = [{"anyOf": [{"required": [key]} for key in keys]} for keys in needed if keys[1:]]
    return {**made, "allOf": choices} if choices else made


def _needed(kind: type[Promise]) -> list[list[str]]:
    """What a promise of this kind must say, each with the lists by which it can say it."""
    lists = {singular: plural for plural, singular in PLURALS.items()}
    made = kind(id="any")
    # What an empty promise lacks is what must be said.
    empty = [name for name in made.parameters if getattr(made, name) in ("", ())]
    if issubclass(kind, OfObject):  # whether it needs a table depends on the object
        said = {"object": ["columns"], "name": ["names", "columns"]}
        return [
            [name, *said.get(name, ())] for name in empty if name != "table" and not may_be_empty(kind, name)
        ]
    return [[name.rstrip("_"), lists.get(name, "")] for name in empty if not may_be_empty(kind, name)]
