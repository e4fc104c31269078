"""Whether this database has a certified, recent backup, and whether the certified dump is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.facts.result import Verdict
from kisaan_validate.preflight.ages import age_judged
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.preflight.evidence import GivenRecord
from kisaan_validate.preflight.rules import BACKUP
from kisaan_validate.preflight.same import dump_is_of

SAY = Answers(PreflightTopic.BACKUP)

AGAIN = "take and verify a backup: kisaan-validate backup take, then backup verify"


def backup_good(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The certificate, compared with this database and the present time."""
    given = inquiry.asked.given.certificate
    if inquiry.left_out(BACKUP):
        return
    if given is None:
        yield SAY.unknown("certificate", "no certificate of a backup was named", "name it with --certificate")
        return
    if given.record is None:
        yield refused(SAY, "certificate", given)
        return
    certificate = given.record
    yield _verdict(certificate, given.path.name, inquiry.asked.at)
    yield _whose(inquiry, certificate)
    yield _age(inquiry, certificate)
    if not inquiry.left_out("dump"):
        yield _dump(inquiry, certificate, given.path)


def refused(say: Answers, name: str, given: GivenRecord[Any]) -> PreflightItem:
    """The item of a file that cannot be read: damaged or missing evidence proves nothing."""
    make = say.unknown if given.foreign else say.no_go
    return make(name, given.wrong, given.todo)


def _verdict(certificate: Certificate, name: str, now: datetime) -> PreflightItem:
    if certificate.verdict is Verdict.PASS and certificate.valid_until is not None:
        if now > certificate.valid_until:
            until = f"{certificate.valid_until:%Y-%m-%d %H:%M} UTC"
            return SAY.no_go("certificate", f"{name} expired on {until}", AGAIN)
        return SAY.go("certificate", f"{name} certifies a good backup")
    why = certificate.reasons[0].words if certificate.reasons else "it gives no reason"
    if certificate.verdict is Verdict.FAIL:
        return SAY.no_go("certificate", f"the backup is not good: {why}", AGAIN)
    return SAY.unknown("certificate", f"the backup is not proved: {why}", AGAIN)


def _whose(inquiry: Inquiry, certificate: Certificate) -> PreflightItem:
    if inquiry.place is None:
        return SAY.unknown("database", "this database did not say which one it is", "ask again")
    same, words = dump_is_of(certificate, inquiry.place)
    if same:
        return SAY.go("database", f"the dump is {words}")
    if same is False:
        return SAY.no_go("database", f"the dump is not of this database: {words}", AGAIN)
    hint = "grant pg_monitor to this role, or take the backup with kisaan-validate backup take"
    return SAY.unknown("database", f"whether the dump is of this database is not known: {words}", hint)


def taken_at(certificate: Certificate) -> datetime | None:
    """When a dump was begun; None where nothing says so, or the time has no zone."""
    taken, dump = certificate.evidence.taken, certificate.evidence.dump
    at = taken.started_at if taken is not None else dump.taken_at if dump is not None else None
    return at if at is not None and at.tzinfo is not None else None


def _age(inquiry: Inquiry, certificate: Certificate) -> PreflightItem:
    at = taken_at(certificate)
    if at is None:
        fact = "when the dump was taken is not known: its time has no zone"
        return SAY.unknown("age", fact, AGAIN)
    state, words = age_judged(at, inquiry.asked.at, inquiry.asked.rules.backup_age)
    fact = f"the dump of {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is {words}"
    return SAY.judged("age", state, fact, AGAIN)


def _dump(inquiry: Inquiry, certificate: Certificate, path: Path) -> PreflightItem:
    """Whether the dump that is certified is still there: by size, by digest where rows are read too."""
    from kisaan_validate.preflight.dumped import dump_sha256, dump_size

    dump = certificate.evidence.dump
    if dump is None:
        return SAY.unknown("dump", "the certificate names no dump", AGAIN)
    place = inquiry.asked.given.dump or path.parent / dump.name
    if inquiry.asked.given.dump is None and not place.exists():
        hint = "name it with --dump, or leave it out with --without dump"
        return SAY.unknown("dump", f"the dump {dump.name} does not lie beside its certificate", hint)
    size = dump_size(place)
    if size is None:
        return SAY.no_go("dump", f"the dump {place.name} is missing, or cannot be read", AGAIN)
    if size != dump.size:
        fact = f"the dump {place.name} has {size:,} bytes, but {dump.size:,} were certified"
        return SAY.no_go("dump", fact, AGAIN)
    if not inquiry.asked.deep:
        return SAY.go("dump", f"the dump {place.name} is there with its {size:,} bytes; --deep reads them")
    digest = dump_sha256(place)
    if digest is None:
        return SAY.unknown("dump", f"the dump {place.name} could not be read to its end", "ask again")
    if digest != dump.sha256:
        return SAY.no_go("dump", f"the dump {place.name} is not the file that was certified", AGAIN)
    return SAY.go("dump", f"the dump {place.name} is byte for byte the one that was certified")
