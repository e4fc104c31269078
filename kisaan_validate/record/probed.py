"""Runs of probes as JSON files, by their published JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kisaan_validate.facts.probe import PROBED_FORMAT, Probed
from kisaan_validate.record.files import read_file
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

_KIND = "probe"


def probed_to_json(found: Probed) -> str:
    """The text of ``probe.json``."""
    return json_of(_KIND, found)


def read_probed(path: Path) -> Probed:
    """The run in a file. Raises RecordError where it is damaged, edited or of another kind."""
    return probed_from_json(read_file(path), str(path))


def probed_from_json(text: str, source: str = "probe.json") -> Probed:
    """The run that ``text`` holds. Raises RecordError, naming ``source``."""
    made: Probed = read_exactly(Probed, _KIND, PROBED_FORMAT, text, source, "run the probes again")
    return made


def probe_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of ``probe.json``, by its name."""
    return {_KIND: published_schema(Probed, _KIND)}
