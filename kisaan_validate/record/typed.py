"""A dataclass as a JSON file of one kind and format: written, read strictly, and its published schema."""

from __future__ import annotations

import json
from typing import Any

from kisaan_validate.errors import OtherFormat, RecordError

_adapters: dict[type[Any], Any] = {}


def adapter(kind: type[Any]) -> Any:
    """The pydantic adapter of a dataclass, made once."""
    from pydantic import TypeAdapter

    # Building one takes pydantic a moment; records are read by the hundred.
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def json_text(name: str, plain: dict[str, Any]) -> str:
    """The text of a file that calls itself ``name``."""
    return json.dumps({"kind": name, **plain}, indent=1, ensure_ascii=False) + "\n"


def json_lines(name: str, plain: dict[str, Any]) -> str:
    """The text of a file that calls itself ``name``, a line for each entry, and for each entry of a list."""
    entries = {"kind": name, **plain}.items()
    return "{" + ",\n".join(f"{compact(key)}:{_in_lines(value)}" for key, value in entries) + "}\n"


def _in_lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return compact(value)
    return "[\n" + ",\n".join(map(compact, value)) + "]"


def compact(value: Any, *, sort: bool = False) -> str:
    """JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort)


def json_of(name: str, value: Any) -> str:
    """The text of a dataclass as a file that calls itself ``name``."""
    return json_text(name, adapter(type(value)).dump_python(value, mode="json"))


def published_schema(kind: type[Any], name: str) -> dict[str, Any]:
    """The JSON Schema of such files, as in ``docs/schemas``."""
    schema: dict[str, Any] = adapter(kind).json_schema(mode="serialization")
    schema["properties"] = {"kind": {"const": name}, **schema["properties"]}
    schema["required"] = ["kind", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def parsed(text: str, source: str, again: str) -> Any:
    """The JSON of a file. Raises RecordError, which says to do ``again`` what made it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{source} is not complete JSON: {error}", f"it may be truncated; {again}"
        ) from None


def validated(kind: type[Any], body: dict[str, Any], source: str) -> Any:
    """The dataclass that a file's fields make. Raises RecordError, naming the first field that is wrong."""
    from pydantic import ValidationError

    try:
        return adapter(kind).validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(
            f"{source} is not valid: {place}: {first['msg']}", "it may have been edited"
        ) from None


def read_exactly(kind: type[Any], name: str, newest: int, text: str, source: str, again: str) -> Any:
    """What :func:`json_of` wrote, of the one format that there is, read back without loss. Raises RecordError
    (of another kind, damaged, edited) and OtherFormat.
    """
    given = parsed(text, source, again)
    if not isinstance(given, dict) or given.get("kind") != name:
        raise RecordError(f"{source} is not a {name} file", "check the file's name")
    version = given.get("format_version")
    # A boolean is an int to isinstance.
    if type(version) is not int or version != newest:
        raise OtherFormat(f"{source} has format {version!r}; this version reads {newest}", again)
    value = validated(kind, {key: item for key, item in given.items() if key != "kind"}, source)
    # What the model ignores or changes was not written by us.
    if json_of(name, value) != text:
        raise RecordError(f"{source} was changed", f"it was edited or damaged; {again}")
    return value
