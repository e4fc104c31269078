"""Rehearsals and their receipts as JSON files, by their published JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.receipt import RECEIPT_FORMAT, RehearsalReceipt
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.record.files import read_file
from kisaan_validate.record.typed import json_of, parsed, published_schema, read_exactly, validated

_RECEIPT, _REHEARSAL = "receipt", "rehearsal"


def receipt_to_json(receipt: RehearsalReceipt) -> str:
    """The text of ``receipt.json``."""
    return json_of(_RECEIPT, receipt)


def rehearsed_to_json(found: Rehearsed) -> str:
    """The text of ``rehearsal.json``: all facts that the page shows."""
    return json_of(_REHEARSAL, found)


def rehearsed_from_json(text: str, source: str = "rehearsal.json") -> Rehearsed:
    """The rehearsal that ``text`` holds. Raises RecordError where it is damaged, edited or too new."""
    given = parsed(text, source, "rehearse again")
    if not isinstance(given, dict) or given.get("kind") != "rehearsal":
        raise RecordError(f"{source} is not a rehearsal file", "check the file's name")
    body = {key: value for key, value in given.items() if key != "kind"}
    made: Rehearsed = validated(Rehearsed, body, source)
    # What the model ignores or changes was not written by us.
    if rehearsed_to_json(made) != text:
        raise RecordError(f"{source} was changed", "it was edited or made by another version; rehearse again")
    return made


def read_receipt(path: Path) -> RehearsalReceipt:
    """The receipt in a file. Raises RecordError where it is damaged, edited or of another kind."""
    return receipt_from_json(read_file(path), str(path))


def receipt_from_json(text: str, source: str = "receipt.json") -> RehearsalReceipt:
    """The receipt that ``text`` holds. Raises RecordError, naming ``source``."""
    made: RehearsalReceipt = read_exactly(
        RehearsalReceipt, _RECEIPT, RECEIPT_FORMAT, text, source, "rehearse again"
    )
    return made


def receipt_schema() -> dict[str, Any]:
    """The JSON Schema of ``receipt.json``."""
    return published_schema(RehearsalReceipt, _RECEIPT)
