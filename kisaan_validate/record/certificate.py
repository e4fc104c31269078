"""Certificates of backups, and records of how dumps were taken, to JSON and back."""

from __future__ import annotations

from typing import Any

from kisaan_validate.facts.certificate import CERTIFICATE_FORMAT, TAKEN_FORMAT, BackupTaken, Certificate
from kisaan_validate.record.typed import json_of, published_schema, read_exactly

_CERTIFICATE, _TAKEN = "certificate", "backup"
_AGAIN = "verify the dump again"


def certificate_to_json(certificate: Certificate) -> str:
    """The text of ``NAME.certificate.json``."""
    return json_of(_CERTIFICATE, certificate)


def certificate_from_json(text: str, source: str = "certificate") -> Certificate:
    """The Certificate that ``text`` holds. Raises RecordError, naming ``source``."""
    made: Certificate = read_exactly(Certificate, _CERTIFICATE, CERTIFICATE_FORMAT, text, source, _AGAIN)
    return made


def taken_to_json(taken: BackupTaken) -> str:
    """The text of ``NAME.backup.json``."""
    return json_of(_TAKEN, taken)


def taken_from_json(text: str, source: str = "record") -> BackupTaken:
    """The BackupTaken that ``text`` holds. Raises RecordError, naming ``source``."""
    again = "take the backup again"
    made: BackupTaken = read_exactly(BackupTaken, _TAKEN, TAKEN_FORMAT, text, source, again)
    return made


def certificate_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of both files, by their names."""
    kinds = {_CERTIFICATE: Certificate, _TAKEN: BackupTaken}
    return {name: published_schema(kind, name) for name, kind in kinds.items()}
