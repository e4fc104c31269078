"""Certificates of backups, and records of how dumps were taken, to JSON and back."""

from __future__ import annotations

import json
from typing import Any

from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.facts.certificate import CERTIFICATE_FORMAT, TAKEN_FORMAT, BackupTaken, Certificate
from kisaan_validate.record.codec import adapter

KINDS: dict[type[Any], tuple[str, int]] = {
    Certificate: ("certificate", CERTIFICATE_FORMAT),
    BackupTaken: ("backup", TAKEN_FORMAT),
}
"""What a file calls itself, and the newest form that this version reads."""


def certificate_schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of these files, as published in ``docs/schemas``."""
    schema: dict[str, Any] = adapter(kind).json_schema(mode="serialization")
    name, _ = KINDS[kind]
    schema["properties"] = {"kind": {"const": name}, **schema["properties"]}
    schema["required"] = ["kind", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def certificate_to_json(certificate: Certificate) -> str:
    """The text of ``NAME.certificate.json``."""
    return _text(Certificate, certificate)


def certificate_from_json(text: str, source: str = "certificate") -> Certificate:
    """The Certificate that ``text`` holds. Raises RecordError, naming ``source``."""
    certificate: Certificate = _read(Certificate, text, source)
    return certificate


def taken_to_json(taken: BackupTaken) -> str:
    """The text of ``NAME.backup.json``."""
    return _text(BackupTaken, taken)


def taken_from_json(text: str, source: str = "record") -> BackupTaken:
    """The BackupTaken that ``text`` holds. Raises RecordError, naming ``source``."""
    taken: BackupTaken = _read(BackupTaken, text, source)
    return taken


def _text(kind: type[Any], value: Any) -> str:
    plain = adapter(kind).dump_python(value, mode="json")
    return json.dumps({"kind": KINDS[kind][0], **plain}, indent=1, ensure_ascii=False) + "\n"


def _read(kind: type[Any], text: str, source: str) -> Any:
    from pydantic import ValidationError

    name, newest = KINDS[kind]
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{source} is not complete JSON: {error}", "it may be truncated") from None
    if not isinstance(given, dict) or given.get("kind") != name:
        raise RecordError(f"{source} is no {name} file", "check the file's name")
    version = given.get("format_version")
    # A boolean is an int to isinstance.
    if type(version) is not int or version != newest:
        raise OtherFormat(f"{source} has format {version!r}; this version reads {newest}", "verify again")
    body = {key: value for key, value in given.items() if key != "kind"}
    try:
        value = adapter(kind).validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(
            f"{source} is not valid: {place}: {first['msg']}", "it may have been edited"
        ) from None
    # Reading must lose nothing: what the model ignores or changes was not written by us.
    if _text(kind, value) != text:
        raise RecordError(f"{source} was changed", "it was edited or damaged; verify again")
    return value
