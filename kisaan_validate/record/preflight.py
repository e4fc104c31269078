"""``preflight.json``: what was asked before a migration and what was found, by its published JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kisaan_validate.facts.preflight import PREFLIGHT_FORMAT, PreflightRecord
from kisaan_validate.record.files import read_file
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

_PREFLIGHT = "preflight"


def preflight_to_json(record: PreflightRecord) -> str:
    """The text of ``preflight.json``."""
    return json_of(_PREFLIGHT, record)


def preflight_from_json(text: str, source: str = "preflight.json") -> PreflightRecord:
    """The record that ``text`` holds. Raises RecordError, naming ``source``."""
    made: PreflightRecord = read_exactly(
        PreflightRecord, _PREFLIGHT, PREFLIGHT_FORMAT, text, source, "ask again: kisaan-validate preflight"
    )
    return made


def read_preflight(path: Path) -> PreflightRecord:
    """The record in a file. Raises RecordError where it is damaged, edited or of another kind."""
    return preflight_from_json(read_file(path), str(path))


def preflight_schema() -> dict[str, Any]:
    """The JSON Schema of ``preflight.json``."""
    return published_schema(PreflightRecord, _PREFLIGHT)
