"""Signs certificates as runs are signed: a detached statement on a certificate's digest, by OpenSSH."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.backup.reading import read_certificate
from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.files import read_file, write_file
from kisaan_validate.signoff.keys import Signers, check, sign
from kisaan_validate.signoff.statement import Decision, Statement, read_statement, sha256, statement_text
from kisaan_validate.text.numbers import counted
from kisaan_validate.version import VERSION

MARK = ".signoff-"
"""Between the name of a certificate and the number of a statement on it; its signature has ``.sig`` added."""


@dataclass(frozen=True)
class CertificateSignature:
    """One statement on a certificate, and what is wrong with it ("" if nothing)."""

    path: Path
    statement: Statement | None
    wrong: str


def sign_certificate(path: Path, key: Path, signer: str, decision: Decision, reason: str) -> Path:
    """Sign the certificate in a file; the path of the statement. Raises UsageError for one that is not good
    and would be approved, for an empty name or reason, and where OpenSSH refuses.
    """
    made, data = read_certificate(path), path.read_bytes()
    name, why = signer.strip(), " ".join(reason.split())
    if not name or not name.isprintable():
        raise UsageError(f"{signer!r} is not a name", "write it as in the allowed signers file")
    if not why:
        raise UsageError("a decision needs a reason", "give one with --reason")
    if decision is Decision.APPROVE and made.verdict is not Verdict.PASS:
        raise UsageError("not signed: the backup was not proved to be good", "--decision reject says so")
    number = 1 + len(list(_statements(path)))
    statement = _statement(made, path.name, data, number, name, decision, why)
    text = statement_text(statement)
    place = path.with_name(f"{path.name}{MARK}{number:04d}.json")
    # The signature first: a statement is only found with its signature beside it.
    write_file(place.with_name(f"{place.name}.sig"), sign(text, key).decode())
    write_file(place, text.decode())
    return place


def _statement(
    made: Certificate, name: str, data: bytes, number: int, signer: str, decision: Decision, reason: str
) -> Statement:
    e = made.evidence
    taken, against = e.taken, e.against
    database = (e.dump.database if e.dump is not None else "") or (against.database if against else "")
    covers = {name: sha256(data)}
    if e.dump is not None:
        covers[e.dump.name] = f"sha256:{e.dump.sha256}"
    return Statement(
        run=made.id,
        number=number,
        database=database,
        system_identifier=taken.system_identifier if taken is not None else "",
        data_as_of=taken.started_at if taken is not None else made.made_at,
        verdict=made.verdict,
        covers=covers,
        signer=signer,
        decision=decision,
        at=datetime.now(UTC).replace(microsecond=0),
        reason=reason,
        tool_version=VERSION,
    )


def signatures_on(path: Path, signers: Signers | None) -> tuple[CertificateSignature, ...]:
    """Every statement beside a certificate, and whether it holds."""
    digest = sha256(path.read_bytes())
    return tuple(_checked(one, path.name, digest, signers) for one in _statements(path))


def _statements(path: Path) -> Iterator[Path]:
    yield from sorted(path.parent.glob(f"{_literal(path.name)}{MARK}*.json"))


def _literal(name: str) -> str:
    """A name in which no sign means anything to glob."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _checked(path: Path, name: str, digest: str, signers: Signers | None) -> CertificateSignature:
    try:
        statement = read_statement(read_file(path).encode(), path.name)
        signature = path.with_name(f"{path.name}.sig").read_bytes()
    except (RecordError, OSError) as error:
        return CertificateSignature(path, None, getattr(error, "fact", "its signature is missing"))
    if statement.covers.get(name) != digest:
        return CertificateSignature(path, statement, "it is of another certificate")
    if signers is None:
        return CertificateSignature(path, statement, "no allowed signers file says whose keys count")
    found = check(statement_text(statement), signature, statement.signer, signers, statement.at)
    return CertificateSignature(path, statement, "" if found.good else found.message)


def signature_words(one: CertificateSignature) -> str:
    """What is said of a statement, in a line."""
    if one.statement is None:
        return f"{one.path.name}: {one.wrong}"
    said = one.statement
    done = {Decision.APPROVE: "approved", Decision.REJECT: "rejected"}.get(said.decision, said.decision.value)
    words = f"{done} by {said.signer} on {said.at:%Y-%m-%d %H:%M} UTC: {said.reason}"
    covered = counted(len(said.covers), "file")
    return (
        f"{words} ({covered}; signature holds)" if not one.wrong else f"{words} (does not count: {one.wrong})"
    )
