"""Which table a suite of Great Expectations is about: what the file says, else its name, and never a
guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers.tables import Tables
from kisaan_validate.author.source import dotted, remark
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.titles import split_name

_TABLE_KEYS = ("table", "table_name")
_SCHEMA_KEYS = ("schema", "schema_name")
_ASSET_KEYS = ("data_asset_name",)
_LEVELS = frozenset(
    {
        "warning",
        "warnings",
        "warn",
        "error",
        "errors",
        "failure",
        "failures",
        "fail",
        "critical",
        "fatal",
        "info",
        "default",
        "basic",
        "demo",
        "suite",
        "expectations",
        "expectation_suite",
        "validation",
        "validations",
        "checks",
        "tests",
        "quality",
        "all",
    }
)
"""Words that end a suite's name, behind that of its table: how bad it is, or that it is a suite."""


def table_of_suite(suite: dict[Any, Any], path: Path, tables: Tables) -> str:
    """The table of a suite, as declarations write it.

    ``--table`` has the first word; then what the file itself says (``table`` and ``schema``, or the data
    asset, anywhere in its ``meta``), then the suite's name, as far as it can mean one table only. Raises
    UsageError where it is not known.
    """
    name = suite.get("name") or suite.get("expectation_suite_name")
    called = name if isinstance(name, str) and name.strip() else path.name.partition(".")[0]
    if called in tables.names:
        return tables.names[called]
    if tables.only:
        return tables.only
    about = {key: value for key, value in suite.items() if key != "expectations"}
    found = _one_of([*_named(about, _TABLE_KEYS)], "tables", path) or _one_of(
        [*_named(about, _ASSET_KEYS)], "tables", path
    )
    if not found and any(True for _ in _texts(about, ("query",))):
        raise UsageError(
            f"{path} is about a query, not a table", "name the table whose rows it returns: --table NAME"
        )
    if not found:
        found = _of_name(called, path)
        schema = _one_of([*_texts(about, _SCHEMA_KEYS)], "schemas", path)
        found = _joined(schema, found) if schema and not split_name(found)[0] else found
    return tables.of(found)


def _one_of(found: list[str], what: str, path: Path) -> str:
    """The one that was found; "" for none. Raises UsageError for several."""
    names = list(dict.fromkeys(found))
    if len(names) > 1:
        listed = ", ".join(remark(name) for name in names)
        raise UsageError(f"{path} names several {what}: {listed}", "name its table: --table NAME")
    return names[0] if names else ""


def _mappings(value: Any) -> Iterator[dict[Any, Any]]:
    """A value and all that is in it, as far as these are mappings."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(inner)


def _named(value: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Every table that stands under one of these keys, with the schema that stands beside it."""
    for mapping in _mappings(value):
        if name := _text(mapping, keys):
            yield _joined(_text(mapping, _SCHEMA_KEYS), name)


def _texts(value: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Every text that stands under one of these keys."""
    for mapping in _mappings(value):
        if text := _text(mapping, keys):
            yield text


def _text(value: dict[Any, Any], keys: tuple[str, ...]) -> str:
    return next(
        (str(value[key]).strip() for key in keys if isinstance(value.get(key), str) and value[key].strip()),
        "",
    )


def _joined(schema: str, name: str) -> str:
    """A schema and a name; a name that has its schema before it stands for both."""
    own, dot, bare = name.rpartition(".")
    if dot and own and bare and (not schema or schema == own) and "." not in own:
        return dotted(own, bare)
    return dotted(schema, name)


def _of_name(called: str, path: Path) -> str:
    """The table that a suite's name means: its parts, without the word at the end that says what kind of
    suite it is.
    """
    parts = called.split(".")
    if len(parts) > 1 and parts[-1].lower() in _LEVELS:
        parts = parts[:-1]
        if len(parts) <= 2 and all(parts):
            return dotted(parts[0] if len(parts) > 1 else "", parts[-1])
    if len(parts) == 1 and parts[0].strip():
        return dotted("", parts[0])
    hint = "name its table: --table SCHEMA.NAME"
    raise UsageError(
        (
            f"the suite {remark(called)} of {path} does not say whether that is a table or a schema "
            "and a table"
        ),
        hint,
    )
