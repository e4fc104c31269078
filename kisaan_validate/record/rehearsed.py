"""Rehearsals and their receipts as JSON files, by their published JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.facts.receipt import RECEIPT_FORMAT, RehearsalReceipt
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.record.codec import adapter
from kisaan_validate.record.files import read_file


def receipt_to_json(receipt: RehearsalReceipt) -> str:
    """The text of ``receipt.json``."""
    return _text("receipt", adapter(RehearsalReceipt).dump_python(receipt, mode="json"))


def rehearsed_to_json(found: Rehearsed) -> str:
    """The text of ``rehearsal.json``: all facts that the page shows."""
    return _text("rehearsal", adapter(Rehearsed).dump_python(found, mode="json"))


def _text(kind: str, plain: Any) -> str:
    return json.dumps({"kind": kind, **plain}, indent=1, ensure_ascii=False) + "\n"


def read_receipt(path: Path) -> RehearsalReceipt:
    """The receipt in a file. Raises RecordError where it is damaged, edited or of another kind."""
    return receipt_from_json(read_file(path), str(path))


def receipt_from_json(text: str, source: str = "receipt.json") -> RehearsalReceipt:
    """The receipt that ``text`` holds. Raises RecordError, naming ``source``."""
    from pydantic import ValidationError

    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise RecordError(f"{source} is not complete JSON", "it may be truncated; rehearse again") from None
    if not isinstance(given, dict) or given.get("kind") != "receipt":
        raise RecordError(f"{source} is no receipt of a rehearsal", "check the file's name")
    version = given.get("format_version")
    if type(version) is not int or version != RECEIPT_FORMAT:
        fact = f"{source} has format {version}; this version reads {RECEIPT_FORMAT}"
        raise OtherFormat(fact, "rehearse again with this version")
    body = {key: value for key, value in given.items() if key != "kind"}
    try:
        made: RehearsalReceipt = adapter(RehearsalReceipt).validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{source} is not valid: {place}: {first['msg']}", "it was edited") from None
    # Reading must lose nothing and change nothing.
    if receipt_to_json(made) != _text("receipt", body):
        raise RecordError(f"{source} holds what no receipt holds", "it was edited; rehearse again")
    return made


def receipt_schema() -> dict[str, Any]:
    """The JSON Schema of ``receipt.json``."""
    schema: dict[str, Any] = adapter(RehearsalReceipt).json_schema(mode="serialization")
    schema["properties"] = {"kind": {"const": "receipt"}, **schema["properties"]}
    schema["required"] = ["kind", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
