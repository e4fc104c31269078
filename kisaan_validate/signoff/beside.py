"""Statements beside one file, signed by OpenSSH: of a backup's certificate, of a rehearsal's receipt.

A file's statements are named after it, so that they are found wherever both are kept.
"""

from __future__ import annotations

import glob
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.files import read_file, write_files
from kisaan_validate.signoff.keys import Signers, check, sign
from kisaan_validate.signoff.statement import (
    Caution,
    Decision,
    Statement,
    name_and_reason,
    read_statement,
    sha256,
    statement_text,
)
from kisaan_validate.text.numbers import counted
from kisaan_validate.version import VERSION

MARK = ".signoff-"
"""Between the name of a file and the number of a statement on it; its signature has ``.sig`` added."""

NO_SIGNERS = "no allowed signers file says whose keys count"
"""What is wrong with a statement where nobody's keys are known: it may be good."""


@dataclass(frozen=True)
class SignedThing:
    """What a statement is about: ``id`` and ``verdict`` of the file at ``path``, the data behind it, and by
    their digests all that the statement covers.
    """

    path: Path
    id: str
    verdict: Verdict
    covers: dict[str, str]
    data_as_of: datetime
    database: str = ""
    system_identifier: str = ""


@dataclass(frozen=True)
class SaidOf:
    """Who says what of it, and why. ``accepted`` are the doubts that an approval names."""

    signer: str
    decision: Decision
    reason: str
    accepted: tuple[Caution, ...] = field(default=())


@dataclass(frozen=True)
class FileSignature:
    """One statement on a file, and what is wrong with it ("" if nothing). ``key`` is a fingerprint."""

    path: Path
    statement: Statement | None
    wrong: str
    key: str = ""


def sign_beside(thing: SignedThing, said: SaidOf, key: Path) -> Path:
    """Sign; the path of the statement. Raises UsageError for an empty name or reason, and where OpenSSH
    refuses.
    """
    name, why = name_and_reason(said.signer, said.reason)
    earlier = _statements(thing.path)
    number = 1 + max((int(p.name.rpartition(MARK)[2][:4]) for p in earlier), default=0)
    statement = Statement(
        run=thing.id,
        number=number,
        database=thing.database,
        system_identifier=thing.system_identifier,
        data_as_of=thing.data_as_of,
        verdict=thing.verdict,
        covers=thing.covers,
        signer=name,
        decision=said.decision,
        at=datetime.now(UTC).replace(microsecond=0),
        reason=why,
        accepted=said.accepted,
        seen={p.name: sha256(p.read_bytes()) for p in earlier},
        tool_version=VERSION,
    )
    text = statement_text(statement)
    place = thing.path.with_name(f"{thing.path.name}{MARK}{number:04d}.json")
    # The signature first: a statement is only found with its signature beside it.
    signature = sign(text, key).decode()
    write_files([(place.with_name(f"{place.name}.sig"), signature), (place, text.decode())])
    return place


def signatures_on(path: Path, signers: Signers | None, what: str = "file") -> tuple[FileSignature, ...]:
    """Every statement beside a file, and whether it holds. ``what`` people call the file."""
    digest = sha256(path.read_bytes())
    return tuple(_checked(one, path.name, digest, signers, what) for one in _statements(path))


def _statements(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{glob.escape(path.name)}{MARK}[0-9][0-9][0-9][0-9].json"))


def _checked(path: Path, name: str, digest: str, signers: Signers | None, what: str) -> FileSignature:
    try:
        statement = read_statement(read_file(path).encode(), path.name)
        signature = path.with_name(f"{path.name}.sig").read_bytes()
    except (RecordError, OSError) as error:
        return FileSignature(path, None, getattr(error, "fact", "its signature is missing"))
    if statement.covers.get(name) != digest:
        return FileSignature(path, statement, f"it is of another {what}")
    if path.name != f"{name}{MARK}{statement.number:04d}.json":
        return FileSignature(path, statement, f"it is number {statement.number}, and was renamed")
    if signers is None:
        return FileSignature(path, statement, NO_SIGNERS)
    found = check(statement_text(statement), signature, statement.signer, signers, statement.at)
    return FileSignature(path, statement, "" if found.good else found.message, found.key)


def decision_words(said: Statement) -> str:
    """Who decided what, when and why."""
    done = {Decision.APPROVE: "approved", Decision.REJECT: "rejected"}.get(said.decision, said.decision.value)
    return f"{done} by {said.signer} on {said.at:%Y-%m-%d %H:%M} UTC: {said.reason}"


def signature_words(one: FileSignature) -> str:
    """What is said of a statement, in a line."""
    if one.statement is None:
        return f"{one.path.name}: {one.wrong}"
    words = decision_words(one.statement)
    covered = counted(len(one.statement.covers), "file")
    return (
        f"{words} ({covered}; signature holds)" if not one.wrong else f"{words} (does not count: {one.wrong})"
    )
