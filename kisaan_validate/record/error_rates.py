"""Rates of errors before and after a change as JSON files, by their published JSON Schema."""

from __future__ import annotations

from typing import Any

from kisaan_validate.facts.error_rate import ERRORS_FORMAT, ErrorRates
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

_KIND = "errors"


def errors_to_json(found: ErrorRates) -> str:
    """The text of ``errors.json``."""
    return json_of(_KIND, found)


def errors_from_json(text: str, source: str = "errors.json") -> ErrorRates:
    """The rates that ``text`` holds. Raises RecordError, naming ``source``."""
    made: ErrorRates = read_exactly(ErrorRates, _KIND, ERRORS_FORMAT, text, source, "count again")
    return made


def error_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of ``errors.json``, by its name."""
    return {_KIND: published_schema(ErrorRates, _KIND)}
