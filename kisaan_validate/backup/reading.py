"""Reads a certificate, and refuses one whose verdict does not follow from its evidence."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.backup.judge import judge_backup
from kisaan_validate.backup.limits import not_proved
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.record.certificate import certificate_from_json
from kisaan_validate.record.files import read_file


def read_certificate(path: Path) -> Certificate:
    """The certificate in a file. Raises RecordError for one that is damaged or contradicts itself."""
    made = certificate_from_json(read_file(path), path.name)
    said = (made.verdict, made.reasons), made.not_proved
    if said != (judge_backup(made.evidence), not_proved(made.evidence)):
        hint = "it was edited, or made by another version; verify the backup again"
        raise RecordError(
            f"{path.name} contradicts itself: its verdict does not follow from its evidence", hint
        )
    return made
