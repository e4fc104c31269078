"""What the sign-offs of a run come to: approved, rejected, or what is still missing. Pure functions of
checked statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, StrEnum, auto

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.signoff.statement import Caution, Decision, Statement


class StampState(Enum):
    """What is known of a time stamp."""

    PROVED = auto()
    UNVERIFIED = auto()
    """No authority was named by which it could be verified."""
    WRONG = auto()


@dataclass(frozen=True)
class Stamp:
    """A time stamp, and in words what it says."""

    state: StampState
    words: str


class SignoffState(StrEnum):
    """Where a run stands with the people who answer for it."""

    UNSIGNED = "not signed"
    WAITING = "not approved yet"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Signed:
    """One sign-off as it lies beside a run. ``statement`` is None where its file cannot be read; ``wrong``
    says why it does not hold, one reason an entry, and is empty where it holds. ``stamp`` is what its time
    stamp proved, None for none. ``answers`` says how its key can also answer to whoever ran it, whatever
    name it was signed with; "" if it can not. ``unchecked`` says why nobody can tell whose signature it
    is: it fits, and counts for nobody."""

    path: str
    digest: str
    statement: Statement | None
    key: str = ""
    wrong: tuple[str, ...] = ()
    stamp: Stamp | None = None
    answers: str = ""
    unchecked: str = ""

    @property
    def ran_it(self) -> bool:
        """Whether its key may also sign for the operator."""
        return bool(self.answers)

    @property
    def holds(self) -> bool:
        """Whether it counts."""
        return self.statement is not None and not self.wrong and not self.unchecked


@dataclass(frozen=True)
class Attestable:
    """A manual criterion of the run, and the latest word of each person on it. It is met if there is one
    and all say so.
    """

    id: str
    text: str
    by: tuple[Signed, ...] = ()

    @property
    def met(self) -> bool:
        """Whether somebody attested it, and nobody denies it."""
        # One who denies outweighs all who attest.
        return bool(self.by) and all(_decision(s) is Decision.ATTEST for s in self.by)


@dataclass(frozen=True)
class SignoffStanding:
    """All that is said of who answers for a run. ``approvals`` are those that count towards ``needed``:
    one a person.

    ``lost`` are sign-offs that later ones saw and that are not here."""

    state: SignoffState
    needed: int
    signed: tuple[Signed, ...] = ()
    approvals: tuple[Signed, ...] = ()
    rejections: tuple[Signed, ...] = ()
    criteria: tuple[Attestable, ...] = ()
    missing: tuple[str, ...] = ()
    operator: str = ""
    lost: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The standing in one sentence."""
        names = ", ".join(s.statement.signer for s in self.approvals if s.statement is not None)
        if self.state is SignoffState.APPROVED:
            accepted = (
                f", accepting {', '.join(_ACCEPTED[c] for c in self.accepted)}" if self.accepted else ""
            )
            count = (
                f"{len(self.approvals)} approval{'' if len(self.approvals) == 1 else 's'}, "
                f"{self.needed} needed"
            )
            return f"Approved by {names} ({count}){accepted}."
        if self.state is SignoffState.REJECTED:
            return (
                f"Rejected by "
                f"{', '.join(s.statement.signer for s in self.rejections if s.statement is not None)}."
            )
        if self.state is SignoffState.UNSIGNED:
            return f"Not signed: needs {self.needed} approval{'' if self.needed == 1 else 's'}."
        return f"Not approved: {'; '.join(self.missing)}."

    @property
    def accepted(self) -> tuple[Caution, ...]:
        """What those who approved accept, although it speaks against it."""
        # Only of those whose approval counts.
        said = {c for s in self.approvals if s.statement is not None for c in s.statement.accepted}
        return tuple(c for c in Caution if c in said)

    @property
    def broken(self) -> tuple[Signed, ...]:
        """The sign-offs that do not hold. Those whose signer is unknown are not among them."""
        return tuple(s for s in self.signed if s.statement is None or s.wrong)

    @property
    def unattested(self) -> tuple[Attestable, ...]:
        """The manual criteria that nobody attested, or that somebody denies."""
        return tuple(c for c in self.criteria if not c.met)

    def replaced(self, signed: Signed) -> bool:
        """Whether a sign-off that holds was followed by a later one of the same person on the same matter."""
        kept = (*self.approvals, *self.rejections, *(s for c in self.criteria for s in c.by))
        # What holds and is not the latest word of its author.
        return signed.holds and signed not in kept


_ACCEPTED = {
    Caution.PARTIAL: "that the run is partial",
    Caution.VERDICT: "the verdict",
    Caution.UNCOMMITTED: "uncommitted changes",
    Caution.UNATTESTED: "unattested criteria",
}


def cautions(run: Run, verdict: Verdict | None, attested: Iterable[str] = ()) -> dict[Caution, str]:
    """What an approval of this run must say that it accepts, each with what is the matter.

    ``verdict`` is None where it is not known; ``attested`` are the ids of the manual criteria that are met.
    """
    found: dict[Caution, str] = {}
    if run.selection.partial:
        found[Caution.PARTIAL] = (
            f"the run is partial: {len(run.checks):,} of {run.suite.total_checks:,} checks were run"
        )
    # None is not known, and no reason to refuse.
    if verdict not in (Verdict.PASS, None):
        found[Caution.VERDICT] = f"the verdict is {verdict}"
    if run.provenance.uncommitted:
        changed = run.provenance.uncommitted
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        found[Caution.UNCOMMITTED] = f"the suite had uncommitted changes: {', '.join(changed[:3])}{more}"
    done = set(attested)
    if missing := [id for id, _ in manual_criteria(run) if id not in done]:
        found[Caution.UNATTESTED] = f"not attested: {', '.join(missing)}"
    return found


def manual_criteria(run: Run) -> tuple[tuple[str, str], ...]:
    """(id, text) of the criteria of a run that only people can attest."""
    return tuple((c.id, c.text) for c in run.criteria if c.manual)


def attestable(run: Run, signed: Sequence[Signed]) -> tuple[Attestable, ...]:
    """The manual criteria of a run with what people said of them, of sign-offs in the order in which they
    were made.
    """
    holding = [s for s in signed if s.holds and _decision(s) in (Decision.ATTEST, Decision.DENY)]
    return tuple(
        Attestable(
            id,
            text,
            tuple(
                latest_of_each(
                    [s for s in holding if s.statement is not None and s.statement.criterion == id]
                )
            ),
        )
        for id, text in manual_criteria(run)
    )


def standing_of(run: Run, signed: Sequence[Signed] = (), needed: int = 0) -> SignoffStanding:
    """Where a run stands. ``signed`` is in the order in which they were made; ``needed`` can only raise
    what the run asks.

    One decision a person counts, the latest. One key under two names, or one name with two keys, is one
    person. The operator cannot be the only approver.
    """
    # The run's own demand is signed with it; a caller may only ask for more.
    needed = max(run.provenance.approvals, needed, 1)
    holding = [s for s in signed if s.holds]
    # Decisions and attestations are counted apart: an attestation replaces no approval.
    latest = latest_of_each([s for s in holding if _decision(s) in (Decision.APPROVE, Decision.REJECT)])
    rejections = tuple(s for s in latest if _decision(s) is Decision.REJECT)
    approvals = tuple(s for s in latest if _decision(s) is Decision.APPROVE)
    lost = lost_of(signed)
    missing = _missing(run, approvals, needed)
    missing += tuple(f"{path} existed when others signed and is now missing" for path in lost)
    # One rejection outweighs any number of approvals.
    if rejections:
        state = SignoffState.REJECTED
    elif approvals and not missing:
        state = SignoffState.APPROVED
    else:
        state = SignoffState.WAITING if signed else SignoffState.UNSIGNED
    return SignoffStanding(
        state,
        needed,
        tuple(signed),
        approvals,
        rejections,
        attestable(run, signed),
        missing,
        run.provenance.operator,
        lost,
    )


def same_person(operator: str, signer: str) -> bool:
    """Whether a claimed operator may be this signer: the same name, or the same before the @, whatever the
    case.
    """
    left, right = operator.strip().casefold(), signer.strip().casefold()
    # Before the @: an operator "asha" signs as "asha@example.org".
    return bool(left) and (left == right or left.partition("@")[0] == right.partition("@")[0])


def lost_of(signed: Sequence[Signed]) -> tuple[str, ...]:
    """The sign-offs that others saw, as they saw them, and that are not among these."""
    here = {s.path: s.digest for s in signed}
    seen = [item for s in signed if s.statement is not None for item in s.statement.seen.items()]
    # By digest too: a sign-off that was changed is not the one that was seen.
    return tuple(dict.fromkeys(path for path, digest in seen if here.get(path) != digest))


def _decision(signed: Signed) -> Decision | None:
    return signed.statement.decision if signed.statement is not None else None


def latest_of_each(holding: Sequence[Signed]) -> list[Signed]:
    """The latest word of each person."""
    person = _people(holding)
    # The last one written wins, as they come in the order in which they were made.
    last = {person[at]: one for at, one in enumerate(holding)}
    return [one for at, one in enumerate(holding) if last[person[at]] is one]


def _people(holding: Sequence[Signed]) -> list[int]:
    """Who made each sign-off, as numbers: those that share a name or a key, directly or through others,
    are one person.
    """
    person = list(range(len(holding)))
    owner: dict[str, int] = {}
    for at, one in enumerate(holding):
        name = one.statement.signer.casefold() if one.statement is not None else ""
        for mark in (f"name {name}", f"key {one.key}"):
            # Union by relabelling: a name or key that was met before makes both the same person.
            other = person[owner.setdefault(mark, at)]
            person = [person[at] if p == other else p for p in person]
    return person


def _lacking(given: int, needed: int) -> str:
    """How many approvals are needed, and whose."""
    if needed == 1:
        return "needs 1 approval from someone other than the operator"
    return (
        f"has {given} of {needed} approvals, needs {needed - given} more, each from a different person "
        "with a different key"
    )


def _missing(run: Run, approvals: Sequence[Signed], needed: int) -> tuple[str, ...]:
    """What keeps these approvals from being enough."""
    missing = []
    if len(approvals) < needed:
        missing.append(_lacking(len(approvals), needed))
    operator = run.provenance.operator
    others = [
        s
        for s in approvals
        if s.statement is not None and not s.ran_it and not same_person(operator, s.statement.signer)
    ]
    # An approval by the operator counts, but not alone.
    if approvals and not others:
        how = [
            f"{s.statement.signer}: {s.answers}" for s in approvals if s.statement is not None and s.answers
        ]
        missing.append(
            f"{operator} ran it and cannot be the only approver" + (f" ({'; '.join(how)})" if how else "")
        )
    # Unknown who ran it: nobody can be told to be somebody else.
    if approvals and not operator:
        missing.append("who ran it is not recorded, so whether somebody else approved is unknown")
    return tuple(missing)
