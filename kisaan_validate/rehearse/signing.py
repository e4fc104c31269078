"""A rehearsal's folder is signed and verified as runs are: page, facts and receipt by their digests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.facts.receipt import RehearsalReceipt
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.files import read_file
from kisaan_validate.record.rehearsed import read_receipt, rehearsed_from_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.report.rehearsal_page import render_rehearsal
from kisaan_validate.signoff.beside import (
    NO_SIGNERS,
    FileSignature,
    SaidOf,
    SignedThing,
    decision_words,
    sign_beside,
    signatures_on,
)
from kisaan_validate.signoff.check import SignoffTrust
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.signoff.standing import Signed, latest_of_each, lost_of
from kisaan_validate.signoff.statement import Caution, Decision, sha256
from kisaan_validate.text.numbers import agreeing
from kisaan_validate.version import VERSION

RECEIPT, FACTS, PAGE = "receipt.json", "rehearsal.json", "rehearsal.html"
"""The files of a rehearsal. A signature covers all of them, and the run after the migration."""


def sign_rehearsal(folder: Path, said: SaidOf, key: Path) -> Path:
    """Sign a rehearsal; the path of the statement. Raises RecordError where its files do not belong together,
    and UsageError where another verdict than PASS would be approved and was not accepted.
    """
    receipt, found = _read(folder)
    wrong = next(_wrong(folder, receipt, found), "")
    if wrong:
        raise RecordError(f"not signed: {wrong}", "rehearse again")
    doubts = receipt.verdict is not Verdict.PASS and Caution.VERDICT not in said.accepted
    if said.decision is Decision.APPROVE and doubts:
        raise UsageError(
            f"not signed: the rehearsal's verdict is {receipt.verdict.value}: {receipt.reasons[0]}",
            "--accept-verdict approves it all the same, --decision reject says no",
        )
    taken = receipt.dump_taken_at
    thing = SignedThing(
        folder / RECEIPT,
        f"rehearsal-{receipt.at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        receipt.verdict,
        _covered(folder, receipt, found),
        # A dump may say when it was taken without a zone: that is no moment.
        taken if taken is not None and taken.tzinfo is not None else receipt.at,
    )
    return sign_beside(thing, said, key)


def _read(folder: Path) -> tuple[RehearsalReceipt, Rehearsed]:
    receipt = read_receipt(folder / RECEIPT)
    return receipt, rehearsed_from_json(read_file(folder / FACTS), str(folder / FACTS))


def _covered(folder: Path, receipt: RehearsalReceipt, found: Rehearsed) -> dict[str, str]:
    names = [RECEIPT, FACTS, PAGE]
    if found.contract.record:
        names.append(f"{found.contract.record}/run.json")
    covers = {name: sha256((folder / name).read_bytes()) for name in names if (folder / name).is_file()}
    return covers | {receipt.dump.name: f"sha256:{receipt.dump.sha256}"}


def _wrong(folder: Path, receipt: RehearsalReceipt, found: Rehearsed) -> Iterator[str]:
    """What does not follow from the facts."""
    judged = judge_rehearsal(found)
    reasons = tuple(f"{reason.kind}: {reason.words}" for reason in (*judged.failures, *judged.open))
    if (receipt.verdict, receipt.reasons) != (judged.verdict, reasons):
        yield f"the verdict of {RECEIPT} does not follow from {FACTS}"
    files = tuple((f.name, f.sha256) for f in found.rehearsal.alone.migration.files)
    same = (receipt.dump.sha256, receipt.at, tuple((f.name, f.sha256) for f in receipt.migrations))
    if same != (found.dump.sha256, found.at, files):
        yield f"{RECEIPT} and {FACTS} are of two rehearsals"
    if not (folder / PAGE).is_file():
        yield f"{PAGE} is missing"
    elif found.version == VERSION and read_file(folder / PAGE) != render_rehearsal(found, judged):
        yield f"{PAGE} is not what {FACTS} says"


def verify_rehearsal(folder: Path, trust: SignoffTrust) -> Verified:
    """What the files of a rehearsal prove: that they belong together, and who answers for them. Raises
    RecordError where there is none.
    """
    verified = Verified(str(folder))
    receipt, found = _read(folder)
    wrong = list(_wrong(folder, receipt, found))
    for words in wrong:
        verified.add(Mark.WRONG, RECEIPT, words)
    if not wrong:
        verified.add(Mark.PROVED, FACTS, f"the verdict {receipt.verdict.value} follows from the facts")
    if not wrong and found.version == VERSION:
        verified.add(Mark.PROVED, PAGE, "it says what the facts say")
    elif not wrong:
        words = f"it was made by version {found.version}: only a signature says that it is unchanged"
        verified.add(Mark.NOTE, PAGE, words)
    now = _covered(folder, receipt, found)
    holding = [
        one for one in signatures_on(folder / RECEIPT, trust.signers, "receipt") if _told(one, now, verified)
    ]
    signed = [Signed(one.path.name, sha256(one.path.read_bytes()), one.statement, one.key) for one in holding]
    for name in lost_of(signed):
        verified.add(Mark.WRONG, name, "a later statement saw it, and it is gone or was changed")
    _approved(signed, trust.approvals, verified)
    return verified


def _told(one: FileSignature, now: dict[str, str], verified: Verified) -> bool:
    """Say what a statement is worth; whether it counts."""
    said = one.statement
    if said is None:
        verified.add(Mark.WRONG, one.path.name, one.wrong)
        return False
    changed = sorted(name for name, digest in said.covers.items() if now.get(name) != digest)
    if changed:
        verified.add(Mark.WRONG, one.path.name, f"{', '.join(changed)}: not what was signed")
    elif one.wrong:
        verified.add(Mark.OPEN if one.wrong == NO_SIGNERS else Mark.WRONG, one.path.name, one.wrong)
    else:
        verified.add(Mark.PROVED, one.path.name, decision_words(said))
    return not changed and not one.wrong


def _approved(signed: list[Signed], needed: int, verified: Verified) -> None:
    """The latest word of each person counts, and one rejection outweighs all approvals."""
    words = [one.statement for one in latest_of_each(signed)]
    last = [(said.decision, said.signer) for said in words if said is not None]
    approving = [signer for decision, signer in last if decision is Decision.APPROVE]
    rejecting = [signer for decision, signer in last if decision is Decision.REJECT]
    if rejecting:
        verified.add(Mark.WRONG, "approval", f"rejected by {', '.join(rejecting)}")
    elif len(approving) < needed:
        many = f"{len(approving):,} of {needed:,} {agreeing(needed, 'approval', 'approvals')}"
        verified.add(Mark.OPEN, "approval", many)
    else:
        verified.add(Mark.PROVED, "approval", f"approved by {', '.join(approving)}")
