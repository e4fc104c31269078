"""A rollout: the plan that people wrote, and what was done, entry by entry."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from kisaan_validate.dataclass import dataclass

ROLLOUT_FORMAT = 1
"""Version of `rollout.json`. 1: first form."""

RECORD_NAME = "rollout.json"
"""The record's name in the folder of a rollout."""

PLAN_NAME = "rollout.toml"
"""The plan's name in the folder of a rollout; also how ``override`` names a changed plan."""


class RolloutKind(StrEnum):
    """Who does a step."""

    OURS = "ours"
    """A command of this program: it is run, and its exit code is the verdict."""
    PERSON = "person"
    """What a person does and attests."""
    SHOWN = "shown"
    """A command of others that a person runs and attests."""
    COMMAND = "command"
    """A command of others that is run only if the plan says ``run = true``; else it is shown."""


class StepVerdict(StrEnum):
    """The verdict of an attempt at a step."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class AttestOutcome(StrEnum):
    """What a person says of a step."""

    DONE = "done"
    FAILED = "failed"
    NOT_DONE = "not done"


@dataclass(frozen=True)
class StepCondition:
    """A step is needed only if an earlier one came to one of these verdicts."""

    step: str
    verdicts: tuple[StepVerdict, ...]


@dataclass(frozen=True)
class RolloutStep:
    """One step of a plan.

    ``argv`` is a program and its words, never a text for a shell; ``show`` are lines to copy. ``records``
    are files that the command writes, as patterns relative to the rollout's folder. ``gate`` are the
    verdicts that let the next step begin. ``wait_seconds`` must pass after the steps before it, before it
    can be attested. ``definition`` is the SHA-256 of all this: what was done counts only for the step as it
    was written then.
    """

    id: str
    title: str
    phase: str
    kind: RolloutKind
    why: str = ""
    argv: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    gate: tuple[StepVerdict, ...] = (StepVerdict.PASS,)
    only_if: StepCondition | None = None
    on_failure: str = ""
    optional: bool = False
    run: bool = False
    environment: tuple[str, ...] = ()
    directory: str = ""
    timeout_seconds: int = 3_600
    wait_seconds: int = 0
    definition: str = ""

    @property
    def runs(self) -> bool:
        """Whether ``rollout next`` runs it; else a person does, and attests it."""
        return self.kind is RolloutKind.OURS or (self.kind is RolloutKind.COMMAND and self.run)


@dataclass(frozen=True)
class RolloutPhase:
    """Steps under one title; ``rollback``: they are done only on the way back."""

    id: str
    title: str
    steps: tuple[RolloutStep, ...]
    rollback: bool = False


@dataclass(frozen=True)
class RolloutCriterion:
    """What must be true at the end. ``steps``: all of them prove it. ``proved_in``: the newest run that one
    of these steps recorded decides, by its criterion of the same id.
    """

    id: str
    text: str
    steps: tuple[str, ...] = ()
    proved_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class RolloutPlan:
    """A plan as written; ``digest`` is the SHA-256 of its text."""

    name: str
    phases: tuple[RolloutPhase, ...]
    criteria: tuple[RolloutCriterion, ...]
    digest: str

    @property
    def forward(self) -> tuple[RolloutStep, ...]:
        """The steps that lead to the end, in their order."""
        return tuple(step for phase in self.phases if not phase.rollback for step in phase.steps)

    def steps_of(self, phase: str) -> tuple[RolloutStep, ...]:
        """The steps of one phase."""
        return tuple(step for one in self.phases if one.id == phase for step in one.steps)

    @property
    def every(self) -> dict[str, RolloutStep]:
        """All steps by their ids, also those of the way back."""
        return {step.id: step for phase in self.phases for step in phase.steps}


# --- what was done ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RolloutOperator:
    """Who was at the keyboard, by the operating system: not authenticated."""

    user: str
    host: str
    pid: int


@dataclass(frozen=True)
class StepRecord:
    """A file that a step left: its path in the rollout's folder, its size in bytes and SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class CriterionSeen:
    """What a recorded run says of one criterion: ``proved``, ``not met`` or another word, and why."""

    id: str
    standing: str
    said: str


@dataclass(frozen=True)
class RolloutOpened:
    """The rollout began, by this plan."""

    name: str
    plan: str
    tool_version: str
    what: Literal["opened"] = "opened"


@dataclass(frozen=True)
class StepEvent:
    """What was recorded of a step. ``definition`` is that of the step as it was written then."""

    step: str
    definition: str

    @property
    def evidence(self) -> tuple[StepRecord, ...]:
        """The files that must still be there."""
        return ()


@dataclass(frozen=True)
class StepStarted(StepEvent):
    """An attempt began. ``argv`` is without secrets; ``log`` is where its output is kept."""

    attempt: int
    argv: tuple[str, ...]
    log: str
    what: Literal["started"] = "started"


@dataclass(frozen=True)
class StepEnded(StepEvent):
    """An attempt ended. ``exit_code`` is None where the command was ended by us; ``words`` say why in a
    line; ``seconds`` are by a clock that nobody sets.
    """

    attempt: int
    verdict: StepVerdict
    exit_code: int | None
    seconds: float
    words: str
    records: tuple[StepRecord, ...] = ()
    criteria: tuple[CriterionSeen, ...] = ()
    what: Literal["ended"] = "ended"

    @property
    def evidence(self) -> tuple[StepRecord, ...]:
        """The records that the attempt left."""
        return self.records


@dataclass(frozen=True)
class StepAttested(StepEvent):
    """A person said how a step ended. ``shown`` is the text that was asked."""

    outcome: AttestOutcome
    by: str
    shown: str
    text: str
    file: StepRecord | None = None
    what: Literal["attested"] = "attested"

    @property
    def evidence(self) -> tuple[StepRecord, ...]:
        """The file that shows it, if there is one."""
        return (self.file,) if self.file is not None else ()


@dataclass(frozen=True)
class StepOverridden(StepEvent):
    """A person decided to go on without a pass. ``was`` is what the step came to."""

    by: str
    reason: str
    was: str
    what: Literal["overridden"] = "overridden"


@dataclass(frozen=True)
class TurnedBack:
    """The way back was taken: the phase, and the step that caused it ("" if none)."""

    phase: str
    because: str
    by: str
    reason: str
    what: Literal["turned back"] = "turned back"


@dataclass(frozen=True)
class PlanAccepted:
    """A changed plan was accepted by name; digests of both."""

    before: str
    after: str
    by: str
    reason: str
    what: Literal["plan changed"] = "plan changed"


@dataclass(frozen=True)
class WorkTakenOver:
    """The lock of somebody who had gone was taken over; ``holder`` says whose."""

    holder: str
    by: str
    what: Literal["taken over"] = "taken over"


RolloutEvent = (
    RolloutOpened
    | StepStarted
    | StepEnded
    | StepAttested
    | StepOverridden
    | TurnedBack
    | PlanAccepted
    | WorkTakenOver
)


@dataclass(frozen=True)
class RolloutEntry:
    """One line of the record. ``before`` is the digest of the entry before it, "" of the first."""

    number: int
    at: datetime
    operator: RolloutOperator
    before: str
    event: RolloutEvent


@dataclass(frozen=True)
class RolloutRecord:
    """`rollout.json`: the entries in their order, the digest of the last."""

    entries: tuple[RolloutEntry, ...]
    head: str
    format_version: int = ROLLOUT_FORMAT
