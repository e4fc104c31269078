"""What the models of TOML files are made of. A model stands beside the code that uses it.

Only functions that read a file import this module: pydantic takes a tenth of a second to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError, core_schema

from kisaan_validate.dataclass import dataclass
from kisaan_validate.text.nearest import did_you_mean

__all__ = ["AfterValidator", "Field", "create_model", "model_validator"]


def wrong(fact: str, hint: str = "") -> PydanticCustomError:
    """What a validator raises: a fact to stand behind the place, and what to do."""
    return PydanticCustomError("wrong", "{fact}", {"fact": fact, "hint": hint})


class TomlTable(BaseModel):
    """A table of a file. Types are taken as written, unknown keys are refused with the nearest known one."""

    # Strict: "5" is no number, and 1 no truth.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    called: ClassVar[str] = ""
    """What errors call the table; "" where its place in the file says it."""
    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Hints for keys that belong in another file."""

    # Before the types, so that an unknown key is named and not the missing one that it was meant for.
    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise PydanticCustomError("table", "must be a table")
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        for key in (key for key in given if key not in fields):
            # For a key of another file the message names that file, not a similar key of this one.
            said = f"{cls.called} has no {cut(key)!r}" if cls.called else f"unknown key {cut(key)!r}"
            raise wrong(said, cls.elsewhere.get(key) or did_you_mean(cut(key), fields))
        for key, field in fields.items():
            if field.is_required() and key not in given:
                example: Any = next(iter(field.examples or ()), "…")
                said = f'"{example}"' if isinstance(example, str) else str(example)
                raise wrong(f"{cls.called} needs {key!r}".strip(), f"write {key} = {said}")
        return given


@dataclass(frozen=True, eq=False)
class LookBefore:
    """What a value passes before its type is looked at, and what the JSON Schema puts over the type."""

    look: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        # Before the type: a hint may say more than "must be a text".
        return core_schema.no_info_before_validator_function(self.look, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), **self.schema}


def shaped(pattern: str, must_be: str, hint: str = "") -> LookBefore:
    """A text in which a regular expression is found."""

    def look(value: Any) -> Any:
        if not isinstance(value, str) or re.search(pattern, value) is None:
            raise wrong(f"must be {must_be}", hint)
        return value

    return LookBefore(look, {"pattern": pattern})


def version(known: int) -> LookBefore:
    """The number of the one format that this version reads."""

    def look(value: Any) -> Any:
        # bool is an int to Python, and format = true is no format.
        if type(value) is not int or value != known:
            newer = isinstance(value, int) and value > known
            hint = "upgrade kisaan-validate" if newer else f"write format = {known}"
            raise wrong(f"must be {known}; this version reads no other", hint)
        return value

    return LookBefore(look, {"const": known})


def tables(key: str) -> LookBefore:
    """A list of tables, each written under the key in double brackets."""

    def look(value: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise wrong("must be a list of tables", f"write [[{key}]]")
        return value

    return LookBefore(look, {})


def cut(text: str) -> str:
    """A text as an error repeats it: at most sixty characters."""
    # A value may be a megabyte, and an error is one line.
    return text if len(text) <= 60 else f"{text[:60]}…"


def schema_of(model: type[TomlTable], title: str) -> dict[str, Any]:
    """The JSON Schema of a file that is read as ``model``. It refuses nothing that the reader takes."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": title, **_plain(model.model_json_schema())}


def _plain(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and without null, which no file can say."""
    if isinstance(node, list):
        # TOML has no null: a key that is not written is not there.
        return [_plain(value) for value in node if value != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    said = {key: _plain(value) for key, value in node.items() if value is not None}
    said = {key: value for key, value in said.items() if key != "title" or not isinstance(value, str)}
    return {**said.pop("anyOf")[0], **said} if len(said.get("anyOf", ())) == 1 else said


Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]
Filled = Annotated[str, shaped(r"\S", "a text that is not blank")]
# Not the null sign, which no system takes in the name of a file.
FilePath = Annotated[str, shaped(r"^[^\x00]*[^\s\x00][^\x00]*$", "a path")]
