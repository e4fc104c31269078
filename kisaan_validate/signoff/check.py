"""Whether the sign-offs beside a run hold: each statement against what it covers, its signature against
whose keys count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.signoff.answers import answers_to
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.keys import Signers, check
from kisaan_validate.signoff.standing import Signed, attestable, cautions, manual_criteria
from kisaan_validate.signoff.statement import (
    Decision,
    Statement,
    covered,
    is_statement,
    path_of,
    read_statement,
    sha256,
)
from kisaan_validate.signoff.timestamp import check_stamp

MOST = 1_000
"""So many sign-offs of one run are checked: each takes a process of OpenSSH."""


@dataclass(frozen=True)
class SignoffTrust:
    """What a verification relies on from outside the evidence: whose keys count, how many approvals are
    needed at least, and whose time stamps count (a file of certificates)."""

    signers: Signers | None = None
    source: str = ""
    approvals: int = 1
    tsa_ca: Path | None = None


def signoffs_of(files: Files, run: Run, verdict: Verdict | None, trust: SignoffTrust) -> tuple[Signed, ...]:
    """Every sign-off beside a run, checked, in the order in which they were made.

    ``verdict`` is None where the run cannot be judged again. Raises UsageError where OpenSSH is missing.
    """
    paths = [path for path in files.files if is_statement(path)]
    if len(paths) > MOST:
        raise RecordError(
            f"{files.source} has {len(paths):,} sign-offs, of which at most {MOST:,} are checked",
            "remove files that are not sign-offs",
        )
    read = [_read(files, path) for path in sorted(paths)]
    # In their order: what an approval must accept depends on the attestations before it.
    read.sort(key=_order)
    done: list[Signed] = []
    for one in read:
        done.append(_checked(one, files, run, verdict, trust, done))
    return tuple(done)


def _read(files: Files, path: str) -> Signed:
    digest = sha256(files[path])
    try:
        return Signed(path, digest, read_statement(files[path], path))
    # A statement that cannot be read stays in the list: it is evidence of something.
    except RecordError as error:
        return Signed(path, digest, None, wrong=(error.fact,))


def _order(one: Signed) -> tuple[int, bool, str]:
    """By number; where two made theirs at once, a rejection counts as the later."""
    if one.statement is None:
        return (0, False, one.path)
    return (one.statement.number, one.statement.decision is Decision.REJECT, one.path)


def _checked(
    one: Signed,
    files: Files,
    run: Run,
    verdict: Verdict | None,
    trust: SignoffTrust,
    before: Sequence[Signed],
) -> Signed:
    statement = one.statement
    if statement is None:
        return one
    # The file's name is part of what was signed, by number, decision and signer.
    wrong = [*_misplaced(one.path, statement), *differing(statement, covered(run, files.files))]
    wrong += _unsaid(statement, run, verdict, before)
    key, faults, unchecked = _signature(one.path, statement, files, trust)
    stamp, answers = (
        check_stamp(files, one.path, trust.tsa_ca),
        # A signature that does not hold gives no key to ask about.
        "" if faults else _operators(one.path, statement, files, run, trust),
    )
    return Signed(one.path, one.digest, statement, key, (*wrong, *faults), stamp, answers, unchecked)


def _operators(path: str, statement: Statement, files: Files, run: Run, trust: SignoffTrust) -> str:
    """How the key that signed an approval can also sign for the operator, under any name; "" if not."""
    if trust.signers is None or statement.decision is not Decision.APPROVE:
        return ""
    return answers_to(run.provenance.operator, files[f"{path}.sig"], trust.signers)


def _misplaced(path: str, statement: Statement) -> list[str]:
    if path == path_of(statement):
        return []
    return [f"it is named {path}, but was signed as {path_of(statement)}"]


def differing(statement: Statement, now: Mapping[str, str]) -> list[str]:
    """Which of the things that a statement covers are no longer what was signed, one sentence each."""
    wrong = []
    # Both ways: a file that came since was not covered either.
    for name in sorted({*statement.covers, *now}):
        was, has = statement.covers.get(name, ""), now.get(name, "")
        if was == has:
            continue
        if not was:
            wrong.append(f"{name} did not exist when it was signed")
        else:
            wrong.append(
                f"{name} differs from what was signed" if has else f"{name} was signed but is missing"
            )
    return wrong


def _unsaid(statement: Statement, run: Run, verdict: Verdict | None, before: Sequence[Signed]) -> list[str]:
    """What a statement says wrongly of the run, and what an approval should have said and does not."""
    wrong = []
    about = (run.id, run.place.database, run.place.system_identifier, run.place.at)
    # The same run id on another database or at another time is another run.
    if (statement.run, statement.database, statement.system_identifier, statement.data_as_of) != about:
        wrong.append(f"it is about run {statement.run} of {statement.database}")
    # None: it cannot be judged again here, which is said elsewhere.
    if verdict is not None and statement.verdict is not verdict:
        wrong.append(
            f"it was signed with verdict {statement.verdict.value}, but the verdict is {verdict.value}"
        )
    if statement.decision in (Decision.ATTEST, Decision.DENY) and (
        statement.criterion,
        statement.criterion_text,
    ) not in manual_criteria(run):
        wrong.append(f"the run has no manual criterion {statement.criterion!r} with this text")
    if statement.decision is Decision.APPROVE:
        # Only what the signer saw: a later attestation cannot make an earlier approval complete.
        met = [c.id for c in attestable(run, [s for s in before if s.path in statement.seen]) if c.met]
        unsaid = {
            c: why
            for c, why in cautions(run, verdict or statement.verdict, met).items()
            if c not in statement.accepted
        }
        wrong += [f"it approves without accepting: {why}" for why in unsaid.values()]
    return wrong


def _signature(
    path: str, statement: Statement, files: Files, trust: SignoffTrust
) -> tuple[str, list[str], str]:
    """The fingerprint of the key that signed, what is wrong with the signature, and why nobody can tell
    whose key it is.
    """
    signature = files.get(f"{path}.sig")
    if signature is None:
        return "", ["its signature is missing"], ""
    # An empty file admits nobody: ssh-keygen still tells whether the signature fits.
    signers = trust.signers or Signers(b"")
    made = check(files[path], signature, statement.signer, signers, statement.at)
    if made.good:
        return made.key, [], ""
    # It fits, and nobody said whose keys count: open, not wrong.
    if made.intact and trust.signers is None:
        return (
            made.key,
            [],
            (
                f"no allowed signers file is configured, so whether {made.key} belongs to "
                f"{statement.signer} is unknown"
            ),
        )
    return made.key, [made.message], ""
