"""Signs certificates as runs are signed: a detached statement on a certificate's digest, by OpenSSH."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.backup.reading import read_certificate
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.result import Verdict
from kisaan_validate.signoff.beside import SaidOf, SignedThing, sign_beside
from kisaan_validate.signoff.statement import Decision, sha256


def sign_certificate(path: Path, key: Path, said: SaidOf) -> Path:
    """Sign the certificate in a file; the path of the statement. Raises UsageError for one that is not good
    and would be approved, for an empty name or reason, and where OpenSSH refuses.
    """
    made, data = read_certificate(path), path.read_bytes()
    if said.decision is Decision.APPROVE and made.verdict is not Verdict.PASS:
        raise UsageError("not signed: the backup was not proved to be good", "--reject says so")
    return sign_beside(_thing(made, path, data), said, key)


def _thing(made: Certificate, path: Path, data: bytes) -> SignedThing:
    e = made.evidence
    taken, against = e.taken, e.against
    covers = {path.name: sha256(data)}
    if e.dump is not None:
        covers[e.dump.name] = f"sha256:{e.dump.sha256}"
    return SignedThing(
        path,
        made.id,
        made.verdict,
        covers,
        taken.started_at if taken is not None else made.made_at,
        (e.dump.database if e.dump is not None else "") or (against.database if against else ""),
        taken.system_identifier if taken is not None else "",
    )
