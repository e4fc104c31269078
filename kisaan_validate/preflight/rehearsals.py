"""Whether this migration was rehearsed: the same files, contract and suite, on a server of this version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

from kisaan_validate.facts.certificate import Certificate
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.facts.receipt import ReceiptFile, RehearsalReceipt, major_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.preflight.ages import age_judged
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.preflight.backups import refused, taken_at
from kisaan_validate.preflight.rules import REHEARSAL
from kisaan_validate.preflight.same import dump_is_of
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted

SAY = Answers(PreflightTopic.REHEARSAL)

AGAIN = "rehearse again: kisaan-validate rehearse --dump DUMP --migrations FOLDER --contract CONTRACT"

ZONE = "TimeZone"
"""The setting that changes values: a cast between timestamps with and without a zone reads it."""

# Ours is pinned in the transaction: what a session of this role begins with is the value of a reset.
_ZONE = qualified("SELECT s.reset_val FROM pg_settings AS s WHERE s.name = 'TimeZone'")

_UTC = frozenset({"utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu", "universal"})
"""Names of one zone."""


def rehearsal_fits(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The receipt, compared with what is about to be done."""
    given = inquiry.asked.given.receipt
    if inquiry.left_out(REHEARSAL):
        return
    if given is None:
        yield SAY.unknown("receipt", "no receipt of a rehearsal was named", "name it with --receipt")
        return
    if given.record is None:
        yield refused(SAY, "receipt", given)
        return
    receipt = given.record
    yield _verdict(receipt)
    yield _age(inquiry, receipt)
    yield _version(inquiry, receipt)
    yield _files(inquiry, receipt)
    yield from _digests(inquiry, receipt)
    certificate = _certificate(inquiry, receipt)
    yield _dump(inquiry, receipt, certificate)
    yield _dump_age(inquiry, receipt, certificate)
    if not inquiry.left_out("settings"):
        yield from _zone(inquiry, receipt)


def _verdict(receipt: RehearsalReceipt) -> PreflightItem:
    why = receipt.reasons[0] if receipt.reasons else "it gives no reason"
    if receipt.verdict is Verdict.PASS:
        return SAY.go("receipt", "the rehearsal ended well")
    if receipt.verdict is Verdict.FAIL:
        return SAY.no_go("receipt", f"the rehearsal failed: {why}", "fix what it found, then rehearse again")
    return SAY.unknown("receipt", f"the rehearsal did not prove enough: {why}", AGAIN)


def _age(inquiry: Inquiry, receipt: RehearsalReceipt) -> PreflightItem:
    state, words = age_judged(receipt.at, inquiry.asked.at, inquiry.asked.rules.rehearsal_age)
    fact = f"the rehearsal of {receipt.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is {words}"
    return SAY.judged("age", state, fact, AGAIN)


def _version(inquiry: Inquiry, receipt: RehearsalReceipt) -> PreflightItem:
    if inquiry.place is None:
        return SAY.unknown("version", "the server did not say its version", "ask again")
    here = major_of(inquiry.place.server)
    if here != receipt.server_major:
        fact = f"rehearsed on PostgreSQL {receipt.server_major}, and this server is {here}"
        return SAY.no_go("version", fact, "rehearse on the version of production: --scratch-bin")
    return SAY.go("version", f"rehearsed on PostgreSQL {here}, as this server is")


def _files(inquiry: Inquiry, receipt: RehearsalReceipt) -> PreflightItem:
    if receipt.command:
        fact = f"migrations were rehearsed by a command ({receipt.command}): its files are not recorded"
        return SAY.unknown("files", fact, "rehearse with --migrations, or leave it out by name")
    if inquiry.standing is None or not inquiry.standing.known:
        fact = "whether the files are those that were rehearsed is not known: the folder was not read"
        return SAY.unknown("files", fact, "name the folder with --migrations")
    now = [ReceiptFile(item.name, item.sha256) for item in inquiry.standing.items if item.in_folder]
    changed = receipt.changed_files(now)
    if changed:
        rows = tuple((("file", words),) for words in changed)
        return SAY.no_go("files", _first(changed), AGAIN, rows)
    return SAY.go("files", f"all {counted(len(now), 'file')} are byte for byte as rehearsed")


def _first(words: Sequence[str]) -> str:
    return words[0] + (f", and {len(words) - 1:,} more like it" if len(words) > 1 else "")


def _digests(inquiry: Inquiry, receipt: RehearsalReceipt) -> Iterator[PreflightItem]:
    suite, contract = inquiry.asked.suite, inquiry.asked.contract
    for name, rehearsed, now in (
        ("contract", receipt.contract, contract.digest if contract is not None else ""),
        ("suite", receipt.suite, suite.digest if suite is not None else ""),
    ):
        if not rehearsed:
            yield SAY.unknown(name, f"it was rehearsed without a {name}", f"rehearse again with the {name}")
        elif not now:
            fact = f"whether the {name} is the one of the rehearsal is not known: there is none here"
            yield SAY.unknown(name, fact, f"name it with --{name}")
        elif rehearsed != now:
            yield SAY.no_go(name, f"the {name} is not the one of the rehearsal", AGAIN)
        else:
            yield SAY.go(name, f"the {name} is the one of the rehearsal")


def _certificate(inquiry: Inquiry, receipt: RehearsalReceipt) -> Certificate | None:
    """The certificate of the dump that was rehearsed: the one that was named, or one beside it."""
    given = inquiry.asked.given
    own = given.certificate.record if given.certificate is not None else None
    known = [*([own] if own is not None else []), *given.siblings]
    of_it = (
        one
        for one in known
        if one.evidence.dump is not None and one.evidence.dump.sha256 == receipt.dump.sha256
    )
    return next(of_it, None)


def _dump(inquiry: Inquiry, receipt: RehearsalReceipt, certificate: Certificate | None) -> PreflightItem:
    """Whether it was this database's data."""
    if certificate is None or inquiry.place is None:
        fact = f"no certificate says which database the rehearsed dump {receipt.dump.name} is of"
        hint = "rehearse on a dump that is certified, and keep the certificates in one folder"
        return SAY.unknown("data", fact, hint)
    same, words = dump_is_of(certificate, inquiry.place)
    if same:
        return SAY.go("data", f"rehearsed on the certified dump {receipt.dump.name} of this database")
    if same is False:
        return SAY.no_go("data", f"the rehearsed dump is not of this database: {words}", AGAIN)
    return SAY.unknown(
        "data", f"whether the rehearsed dump is of this database is not known: {words}", "grant pg_monitor"
    )


def _dump_age(inquiry: Inquiry, receipt: RehearsalReceipt, certificate: Certificate | None) -> PreflightItem:
    """Whether the data of the rehearsal was recent: today's rehearsal may be of last year's dump."""
    said = receipt.dump_taken_at
    at = taken_at(certificate) if certificate is not None else None
    at = at or (said if said is not None and said.tzinfo is not None else None)
    if at is None:
        fact = f"when the rehearsed dump {receipt.dump.name} was taken is not known: its time has no zone"
        return SAY.unknown("data age", fact, "rehearse on a dump of kisaan-validate backup take")
    state, words = age_judged(at, inquiry.asked.at, inquiry.asked.rules.rehearsal_age)
    fact = f"the rehearsed dump of {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is {words}"
    return SAY.judged("data age", state, fact, AGAIN)


def _zone(inquiry: Inquiry, receipt: RehearsalReceipt) -> Iterator[PreflightItem]:
    rehearsed = next((s.value for s in receipt.settings if s.name == ZONE), "")
    if not rehearsed:
        yield SAY.unknown(ZONE, "the TimeZone of the rehearsal is not recorded", AGAIN)
        return
    with inquiry.looking() as session:
        ((here,),) = session.execute(_ZONE)
    role = inquiry.place.role if inquiry.place is not None else "this role"
    if here == rehearsed or {here.lower(), rehearsed.lower()} <= _UTC:
        fact = f"rehearsed with TimeZone {rehearsed}, and a session of {role} begins with {here}"
        yield SAY.go(ZONE, fact)
        return
    yield SAY.unknown(
        ZONE,
        f"rehearsed with TimeZone {rehearsed}, and a session of {role} begins with {here}",
        f"migrate with PGOPTIONS='-c TimeZone={rehearsed}', then leave this out: --without settings",
    )
