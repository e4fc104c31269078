"""Making sign-offs: a statement on the files of a run, signed, and written beside it whole or not at all."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.record.files import write_file
from kisaan_validate.signoff.chain import HEAD, chain_lock
from kisaan_validate.signoff.check import SignoffTrust, signoffs_of
from kisaan_validate.signoff.evidence import Files, read_folder
from kisaan_validate.signoff.keys import check, sign
from kisaan_validate.signoff.standing import Signed, attestable, cautions, manual_criteria, same_person
from kisaan_validate.signoff.statement import (
    REVOKED,
    SIGNERS,
    Caution,
    Decision,
    Statement,
    covered,
    name_and_reason,
    path_of,
    statement_text,
)
from kisaan_validate.signoff.verify import faults_of
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.verdict.judgement import Judgement
from kisaan_validate.version import VERSION


@dataclass(frozen=True)
class Wish:
    """What somebody wants to sign."""

    signer: str
    decision: Decision
    reason: str
    key: Path
    criterion: str = ""
    accepted: tuple[Caution, ...] = ()


def sign_off(folder: Path, judged: Judgement, wish: Wish, trust: SignoffTrust) -> tuple[str, list[str]]:
    """Sign a run's folder as wished: the statement's path in it, and remarks for people.

    Raises UsageError for what must not be signed: a caution that is not accepted, a key that may not speak
    for the signer.
    """
    files = read_folder(folder)
    # Nobody should sign beside files that were changed: the signature would cover them.
    if faults := faults_of(files, judged.run):
        raise UsageError(
            f"not signed: {faults[0].subject}: {faults[0].message}",
            "restore the folder as it was recorded, or run again",
        )
    statement = _statement(files, judged, wish, trust)
    text, path = statement_text(statement), path_of(statement)
    signature = sign(text, wish.key)
    remarks = _remarks(judged, wish)
    if trust.signers is None:
        # Said instead of refused: a folder may be signed before anybody has agreed on whose keys count.
        remarks.append("no allowed signers file is configured, so whose key this is cannot be checked")
    else:
        made = check(text, signature, wish.signer, trust.signers, statement.at)
        if not made.good:
            hint = f"ask the owner of {trust.source} to add the key, or sign under the name it has there"
            raise UsageError(f"not signed: {made.message}", hint)
    with _kept_from_pruning(folder):
        # While a person was asked for a key the run may have been removed by a rule.
        if not (folder / "run.json").is_file():
            raise UsageError("not signed: the run was removed meanwhile", "sign a run that is there")
        # The signature first, then the statement: a statement is only found with its signature beside it.
        write_file(folder / f"{path}.sig", signature.decode())
        write_file(folder / path, text.decode())  # last: a signature without a statement does not count
        keep_signers(folder, trust)
    return path, remarks


def _kept_from_pruning(folder: Path) -> AbstractContextManager[None]:
    """The lock under which runs are removed, where the folder lies among recorded runs. Raises RecordError
    where somebody holds it for a minute.
    """
    # A copy that lies elsewhere is pruned by nobody, and its folder is no place for a lock.
    return chain_lock(folder.parent) if (folder.parent / HEAD).exists() else nullcontext()


def keep_signers(folder: Path, trust: SignoffTrust) -> None:
    """Keep beside the run whose keys count now, so that the page can be rendered from the folder alone."""
    if trust.signers is not None:
        write_file(folder / SIGNERS, trust.signers.allowed.decode("utf-8", "replace"))
        if trust.signers.revoked:
            write_file(folder / REVOKED, trust.signers.revoked.decode("utf-8", "replace"))


def _statement(files: Files, judged: Judgement, wish: Wish, trust: SignoffTrust) -> Statement:
    run = judged.run
    signer, reason = name_and_reason(wish.signer, wish.reason)
    before = signoffs_of(files, run, judged.verdict, trust)
    # Before the statement is made: it names what it accepts.
    _refuse_unaccepted(judged, wish, before)
    return Statement(
        run=run.id,
        number=1 + max(map(_number, before), default=0),
        database=run.place.database,
        system_identifier=run.place.system_identifier,
        data_as_of=run.place.at,
        verdict=judged.verdict,
        covers=covered(run, files.files),
        signer=signer,
        decision=wish.decision,
        # Whole seconds, as ssh-keygen's verify-time knows no finer.
        at=datetime.now(UTC).replace(microsecond=0),
        reason=reason,
        criterion=wish.criterion,
        criterion_text=_criterion(judged, wish),
        accepted=tuple(sorted(set(wish.accepted))),
        seen={s.path: s.digest for s in before},
        tool_version=VERSION,
    )


def _number(signed: Signed) -> int:
    """Its number, by what it says and by what it is called: a damaged one must not be written over, for it
    is evidence.
    """
    called = re.match(r"(\d{1,9})-", signed.path.rpartition("/")[2])
    return max(
        int(called[1]) if called else 0, signed.statement.number if signed.statement is not None else 0
    )


def _criterion(judged: Judgement, wish: Wish) -> str:
    if wish.decision not in (Decision.ATTEST, Decision.DENY):
        return ""
    known = dict(manual_criteria(judged.run))
    if wish.criterion not in known:
        hint = (
            did_you_mean(wish.criterion, known)
            if known
            else "declare it under [[criteria]] with manual = true"
        )
        raise UsageError(f"the run has no manual criterion {wish.criterion!r}", hint)
    return known[wish.criterion]


def _refuse_unaccepted(judged: Judgement, wish: Wish, before: tuple[Signed, ...]) -> None:
    if wish.decision is not Decision.APPROVE:
        return
    # Attestations by keys that hold count as done; an approval need not accept them.
    done = [c.id for c in attestable(judged.run, before) if c.met]
    found = {
        c: why for c, why in cautions(judged.run, judged.verdict, done).items() if c not in wish.accepted
    }
    if found:
        options = " ".join(f"--accept-{c.value}" for c in found)
        said = [*found.values(), *(_uncounted(before, done) if Caution.UNATTESTED in found else [])]
        raise UsageError(f"not approved: {'; '.join(said)}", f"to approve it anyway, add {options}")


def _uncounted(before: tuple[Signed, ...], done: list[str]) -> list[str]:
    """The attestations that do not count, of criteria that are not ``done``, each with the reason."""
    found = [(s, s.statement) for s in before if not s.holds and s.statement is not None]
    return [
        f"{said.signer} attested {said.criterion}, which does not count: {'; '.join(filter(None, why))}"
        for why, said in (((*s.wrong, s.unchecked), said) for s, said in found)
        if said.decision is Decision.ATTEST and said.criterion not in done
    ]


def _remarks(judged: Judgement, wish: Wish) -> list[str]:
    operator = judged.run.provenance.operator
    # Said here and enforced by standing_of: an operator's approval is one, and never the only one.
    if wish.decision is Decision.APPROVE and same_person(operator, wish.signer):
        return [f"{operator} ran it, so another person must approve too"]
    return []
