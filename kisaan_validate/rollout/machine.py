"""Where a rollout stands, by its plan and what was done: a pure function.

Law: a step is green only by evidence of its own kind that passes, counts for the step as it is written
now, is younger than the evidence of what it needs, and is still there. Whatever else happened, it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from kisaan_validate.facts.rollout import (
    AttestOutcome,
    PlanAccepted,
    RolloutEntry,
    RolloutKind,
    RolloutOpened,
    RolloutPlan,
    RolloutStep,
    StepAttested,
    StepEnded,
    StepEvent,
    StepOverridden,
    StepStarted,
    StepVerdict,
    TurnedBack,
)
from kisaan_validate.facts.rollout_state import (
    SETTLED,
    RolloutAsk,
    RolloutPosition,
    RolloutStepState,
    StepStanding,
)

_STOPS = {
    StepStanding.FAILED,
    StepStanding.UNKNOWN,
    StepStanding.DAMAGED,
    StepStanding.BLOCKED,
}


def what_next(
    plan: RolloutPlan, entries: Sequence[RolloutEntry], damaged: Collection[str] = ()
) -> RolloutPosition:
    """Where the rollout stands. ``damaged`` are ids of steps whose evidence is gone or was changed."""
    turned = next((e for e in reversed(entries) if isinstance(e.event, TurnedBack)), None)
    if turned is None or not isinstance(turned.event, TurnedBack):
        return _position(_states(plan.forward, entries, damaged), RolloutAsk.COMPLETE, "", ())
    before = _states(plan.forward, entries[: turned.number - 1], damaged)
    # Steps of the way back that were done before it was taken do not count.
    states = _states(plan.steps_of(turned.event.phase), entries[turned.number :], damaged)
    return _position(states, RolloutAsk.ROLLED_BACK, turned.event.phase, before)


def _position(
    states: tuple[RolloutStepState, ...], end: RolloutAsk, back: str, before: tuple[RolloutStepState, ...]
) -> RolloutPosition:
    now = next((state for state in states if state.standing not in SETTLED), None)
    # A way back without any step, as after a change of plan, was not completed.
    if now is None and not states:
        return RolloutPosition(RolloutAsk.STOPPED, states, None, "the plan has no such phase", back, before)
    if now is None:
        return RolloutPosition(end, states, None, "every step is settled", back, before)
    return RolloutPosition(_ask(now), states, now, now.why or now.step.why, back, before)


def _ask(now: RolloutStepState) -> RolloutAsk:
    if now.standing in _STOPS:
        return RolloutAsk.STOPPED
    # What somebody else's command did before it was cut off is not known: a person looks first.
    if now.standing is StepStanding.INTERRUPTED:
        return RolloutAsk.RUN if now.step.kind is RolloutKind.OURS else RolloutAsk.STOPPED
    return RolloutAsk.RUN if now.step.runs else RolloutAsk.ATTEST


def _states(
    steps: Sequence[RolloutStep], entries: Sequence[RolloutEntry], damaged: Collection[str]
) -> tuple[RolloutStepState, ...]:
    found: dict[str, RolloutStepState] = {}
    for step in steps:
        found[step.id] = _state(step, entries, found, step.id in damaged)
    return tuple(found.values())


def _state(
    step: RolloutStep, entries: Sequence[RolloutEntry], earlier: Mapping[str, RolloutStepState], damaged: bool
) -> RolloutStepState:
    if why := _not_needed(step, earlier):
        return RolloutStepState(step, StepStanding.NOT_NEEDED, why)
    after = max((earlier[name].evidence for name in step.needs if name in earlier), default=0)
    events = [entry for entry in entries if _counts(entry, step)]
    fresh = [entry for entry in events if entry.number > after]
    state = _by_last(step, fresh, damaged)
    if state.standing is StepStanding.OPEN and (missing := _missing(step, earlier)):
        return RolloutStepState(step, StepStanding.BLOCKED, f"it needs {missing}")
    if state.standing is StepStanding.OPEN and events:
        again = max(step.needs, key=lambda name: earlier[name].evidence if name in earlier else 0)
        return RolloutStepState(step, StepStanding.OPEN, f"it was done before {again} was repeated")
    return state


def _counts(entry: RolloutEntry, step: RolloutStep) -> bool:
    """Whether an entry counts for this step as it is written now, and is of a kind that such a step takes."""
    event = entry.event
    if not isinstance(event, StepEvent) or event.step != step.id or event.definition != step.definition:
        return False
    if isinstance(event, StepOverridden):
        return True
    if isinstance(event, StepAttested):
        # A person's word does not prove a step that is run; it can only leave out an optional one.
        return event.outcome is AttestOutcome.NOT_DONE if step.runs else True
    return step.runs


def _not_needed(step: RolloutStep, earlier: Mapping[str, RolloutStepState]) -> str:
    """Why a step is not needed; "" where it is, or where that is not known."""
    if step.only_if is None or step.only_if.step not in earlier:
        return ""
    decides = earlier[step.only_if.step]
    if decides.standing is StepStanding.NOT_NEEDED:
        return f"{decides.step.id} was not needed"
    # Only by what is known: an override without a verdict leaves it needed.
    if decides.standing not in SETTLED or decides.verdict in {None, StepVerdict.UNKNOWN}:
        return ""
    if decides.verdict in step.only_if.verdicts:
        return ""
    return f"{decides.step.id} came to {decides.verdict}"


def _missing(step: RolloutStep, earlier: Mapping[str, RolloutStepState]) -> str:
    """The first needed step that was left out; "" if none."""
    needed = (name for name in step.needs if name in earlier)
    left = (name for name in needed if earlier[name].standing is StepStanding.NOT_DONE)
    return next((f"{name}, which was not done" for name in left), "")


def _by_last(step: RolloutStep, events: Sequence[RolloutEntry], damaged: bool) -> RolloutStepState:
    """What the last event makes of a step."""
    told = [entry for entry in events if not isinstance(entry.event, StepOverridden)]
    evidence = told[-1].number if told else 0
    standing, why, verdict = _told(step, told[-1].event if told else None, damaged)
    last = events[-1] if events else None
    if last is not None and isinstance(last.event, StepOverridden):
        why = f"by {last.event.by}: {last.event.reason}"
        return RolloutStepState(step, StepStanding.OVERRIDDEN, why, verdict, last.number, evidence)
    return RolloutStepState(step, standing, why, verdict, evidence, evidence)


def _told(step: RolloutStep, event: object, damaged: bool) -> tuple[StepStanding, str, StepVerdict | None]:
    if event is None:
        return StepStanding.OPEN, "", None
    if isinstance(event, StepStarted):
        return StepStanding.INTERRUPTED, f"attempt {event.attempt} began, and its end was not recorded", None
    if isinstance(event, StepEnded):
        return _ended(step, event, damaged)
    assert isinstance(event, StepAttested)
    return _attested(step, event, damaged)


def _ended(
    step: RolloutStep, event: StepEnded, damaged: bool
) -> tuple[StepStanding, str, StepVerdict | None]:
    passed, failed = event.verdict is StepVerdict.PASS, event.verdict is StepVerdict.FAIL
    let = passed or event.verdict in step.gate
    # What missing evidence said is not known.
    if let and damaged:
        return StepStanding.DAMAGED, "a record of it is missing or was changed", StepVerdict.UNKNOWN
    if let:
        return (StepStanding.PASSED if passed else StepStanding.LET_THROUGH), event.words, event.verdict
    return (StepStanding.FAILED if failed else StepStanding.UNKNOWN), event.words, event.verdict


def _attested(
    step: RolloutStep, event: StepAttested, damaged: bool
) -> tuple[StepStanding, str, StepVerdict | None]:
    why = f"by {event.by}{f': {event.text}' if event.text else ''}"
    if event.outcome is AttestOutcome.NOT_DONE:
        left = StepStanding.NOT_DONE if step.optional else StepStanding.UNKNOWN
        return left, why, StepVerdict.UNKNOWN
    if damaged:
        return StepStanding.DAMAGED, "its file is missing or was changed", StepVerdict.UNKNOWN
    if event.outcome is AttestOutcome.DONE:
        return StepStanding.ATTESTED, why, StepVerdict.PASS
    let = StepVerdict.FAIL in step.gate
    return (StepStanding.LET_THROUGH if let else StepStanding.FAILED), why, StepVerdict.FAIL


def attempts_of(step: str, entries: Sequence[RolloutEntry]) -> int:
    """How often a step was begun, whatever its text was then."""
    return sum(isinstance(e.event, StepStarted) and e.event.step == step for e in entries)


def last_settled(position: RolloutPosition, entries: Sequence[RolloutEntry]) -> datetime | None:
    """When the newest of the steps before the present one was settled; None if none was."""
    numbers = {state.entry for state in position.states if state.standing in SETTLED}
    return max((entry.at for entry in entries if entry.number in numbers), default=None)


def accepted_plan(entries: Sequence[RolloutEntry]) -> str:
    """The digest of the plan that holds: that of the beginning, or the last that was accepted."""
    digests = [
        e.event.plan if isinstance(e.event, RolloutOpened) else e.event.after
        for e in entries
        if isinstance(e.event, (RolloutOpened, PlanAccepted))
    ]
    return digests[-1] if digests else ""


def step_entries(step: str, entries: Sequence[RolloutEntry]) -> tuple[tuple[RolloutEntry, StepEvent], ...]:
    """Everything that was recorded for a step."""
    return tuple((e, e.event) for e in entries if isinstance(e.event, StepEvent) and e.event.step == step)
