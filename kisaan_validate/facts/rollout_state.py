"""Where a rollout stands: each step, what is to be done now, each criterion."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.rollout import (
    RolloutCriterion,
    RolloutEntry,
    RolloutPhase,
    RolloutPlan,
    RolloutStep,
    StepVerdict,
)


class StepStanding(StrEnum):
    """What is known about a step. Only PASSED and ATTESTED are green; a person's word is named as such."""

    OPEN = "open"
    PASSED = "passed"
    ATTESTED = "attested"
    LET_THROUGH = "let through"
    OVERRIDDEN = "overridden"
    NOT_NEEDED = "not needed"
    NOT_DONE = "not done"
    FAILED = "no-go"
    UNKNOWN = "cannot tell"
    INTERRUPTED = "interrupted"
    DAMAGED = "evidence lost"
    BLOCKED = "blocked"


GREEN = frozenset({StepStanding.PASSED, StepStanding.ATTESTED})
SETTLED = GREEN | {
    StepStanding.LET_THROUGH,
    StepStanding.OVERRIDDEN,
    StepStanding.NOT_NEEDED,
    StepStanding.NOT_DONE,
}
"""After these the next step may begin."""


@dataclass(frozen=True)
class RolloutStepState:
    """One step as it stands, and why in a line. ``verdict`` is what its last attempt came to, None if there
    is none that counts; ``entry`` is the number of the entry that decides, ``evidence`` that of the last
    attempt or attestation, 0 where there is none.
    """

    step: RolloutStep
    standing: StepStanding
    why: str = ""
    verdict: StepVerdict | None = None
    entry: int = 0
    evidence: int = 0

    @property
    def words(self) -> str:
        """How it stands, and why."""
        return f"{self.standing.value}{f', {self.why}' if self.why else ''}"


class RolloutAsk(StrEnum):
    """What is to be done now."""

    RUN = "run"
    ATTEST = "attest"
    STOPPED = "stopped"
    COMPLETE = "complete"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True)
class RolloutPosition:
    """Where a rollout stands: all steps on its way, the one that is to be done now and why. ``back`` is the
    phase of the way back, "" on the way forward.
    """

    ask: RolloutAsk
    states: tuple[RolloutStepState, ...]
    now: RolloutStepState | None
    why: str
    back: str = ""
    before_back: tuple[RolloutStepState, ...] = ()
    """The steps of the way forward as they stood when it was turned back."""

    @property
    def done(self) -> int:
        """How many steps are settled."""
        return sum(state.standing in SETTLED for state in self.states)


class CriterionState(StrEnum):
    """What is known about a success criterion."""

    PROVED = "proved"
    ATTESTED = "attested"
    OVERRIDDEN = "overridden"
    NOT_MET = "not met"
    OPEN = "not proved"


GREEN_CRITERIA = frozenset({CriterionState.PROVED, CriterionState.ATTESTED})
"""These are met; of the second by a person's word."""


@dataclass(frozen=True)
class CriterionResult:
    """A criterion, what is known of it, and by what."""

    criterion: RolloutCriterion
    state: CriterionState
    said: str


@dataclass(frozen=True)
class RolloutNight:
    """All that the page of a rollout shows. ``notes`` are what is odd: clocks, lost evidence, takeovers."""

    plan: RolloutPlan
    entries: tuple[RolloutEntry, ...]
    head: str
    position: RolloutPosition
    criteria: tuple[CriterionResult, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    made_at: datetime

    @property
    def phases(self) -> tuple[RolloutPhase, ...]:
        """The phases of the way forward, and that of the way back if it was taken."""
        return tuple(p for p in self.plan.phases if not p.rollback or p.id == self.position.back)
