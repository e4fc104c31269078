"""The result of a rollout: each criterion and the whole, by where it stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.rollout import (
    CriterionSeen,
    PlanAccepted,
    RolloutCriterion,
    RolloutEntry,
    RolloutPlan,
    StepEnded,
    StepOverridden,
    StepVerdict,
)
from kisaan_validate.facts.rollout_state import (
    GREEN_CRITERIA,
    CriterionResult,
    CriterionState,
    RolloutAsk,
    RolloutPosition,
    RolloutStepState,
    StepStanding,
)
from kisaan_validate.text.numbers import counted

_IN_A_RUN = {
    "proved": CriterionState.PROVED,
    "not met": CriterionState.NOT_MET,
    "denied": CriterionState.NOT_MET,
}
"""What a run's words for a criterion mean; every other word proves nothing."""


def criteria_of_plan(
    plan: RolloutPlan, position: RolloutPosition, entries: Sequence[RolloutEntry]
) -> tuple[CriterionResult, ...]:
    """Each success criterion, and what is known about it. On the way back none is proved any more."""
    states = {state.step.id: state for state in (position.before_back or position.states)}
    found = tuple(_criterion(one, states, entries) for one in plan.criteria)
    if not position.back:
        return found
    back = "the rollout was turned back"
    return tuple(
        one
        if one.state is CriterionState.NOT_MET
        else CriterionResult(one.criterion, CriterionState.OPEN, back)
        for one in found
    )


def _criterion(
    criterion: RolloutCriterion, states: Mapping[str, RolloutStepState], entries: Sequence[RolloutEntry]
) -> CriterionResult:
    parts = [_by_step(states[id]) for id in criterion.steps if id in states]
    needed = [part for part in parts if part is not None]
    if criterion.proved_in:
        needed.append(_by_run(criterion, states, entries))
    if not needed:
        return CriterionResult(criterion, CriterionState.OPEN, "none of its steps was needed")
    # The worst decides; a person's word beside a proof is still a person's word.
    order = [
        CriterionState.NOT_MET,
        CriterionState.OPEN,
        CriterionState.OVERRIDDEN,
        CriterionState.ATTESTED,
        CriterionState.PROVED,
    ]
    worst = min((state for state, _ in needed), key=order.index)
    said = "; ".join(dict.fromkeys(words for state, words in needed if state is worst))
    return CriterionResult(criterion, worst, said)


def _by_step(state: RolloutStepState) -> tuple[CriterionState, str] | None:
    """What a step says about a criterion; None where it was not needed."""
    id, standing = state.step.id, state.standing
    if standing is StepStanding.NOT_NEEDED:
        return None
    if standing is StepStanding.PASSED:
        return CriterionState.PROVED, f"{id} passed"
    if standing is StepStanding.ATTESTED:
        return CriterionState.ATTESTED, f"{id} {state.why}"
    if standing is StepStanding.OVERRIDDEN:
        return CriterionState.OVERRIDDEN, f"{id} overridden {state.why}"
    failed = standing in {StepStanding.FAILED, StepStanding.LET_THROUGH} and state.verdict is StepVerdict.FAIL
    if failed:
        return CriterionState.NOT_MET, f"{id} failed"
    return CriterionState.OPEN, f"{id}: {standing.value}"


def _by_run(
    criterion: RolloutCriterion, states: Mapping[str, RolloutStepState], entries: Sequence[RolloutEntry]
) -> tuple[CriterionState, str]:
    """What the newest run of its steps says about a criterion."""
    for entry in reversed(entries):
        event = entry.event
        if not isinstance(event, StepEnded) or event.step not in criterion.proved_in:
            continue
        state = states.get(event.step)
        # Only what still counts: of this text of the step, after what it needs, and still there.
        if state is None or state.evidence != entry.number or state.standing is StepStanding.DAMAGED:
            return CriterionState.OPEN, f"the record of {event.step} does not count any more"
        seen = next((one for one in event.criteria if one.id == criterion.id), None)
        return _seen(event.step, seen)
    return CriterionState.OPEN, f"{' or '.join(criterion.proved_in)} recorded no run"


def _seen(step: str, seen: CriterionSeen | None) -> tuple[CriterionState, str]:
    if seen is None:
        return CriterionState.OPEN, f"the run of {step} has no criterion of this id"
    state = _IN_A_RUN.get(seen.standing, CriterionState.OPEN)
    return state, f"{step}: {seen.standing}{f', {seen.said}' if seen.said else ''}"


def judge_rollout(
    plan: RolloutPlan,
    position: RolloutPosition,
    criteria: Sequence[CriterionResult],
    entries: Sequence[RolloutEntry],
) -> tuple[Verdict, tuple[str, ...]]:
    """What the whole came to, and why. PASS only at the end of the way forward, with every criterion proved
    or attested, and nothing overridden or left out.
    """
    wrong, open_ = list[str](), list[str]()
    if position.back:
        wrong.append(f"It was turned back: {position.back}.")
    now = position.now
    if now is not None:
        told = f"It stands at {now.step.id}: {now.words}."
        (wrong if now.standing is StepStanding.FAILED else open_).append(told)
    elif position.ask is RolloutAsk.STOPPED:
        open_.append(f"It cannot go on: {position.why}.")
    for one in criteria:
        words = f"{one.criterion.text}: {one.state.value} ({one.said})."
        if one.state is CriterionState.NOT_MET:
            wrong.append(words)
        elif one.state not in GREEN_CRITERIA:
            open_.append(words)
    open_ += _short_of_green(plan, position)
    open_ += _overrides(plan, position, entries)
    if wrong:
        return Verdict.FAIL, (*wrong, *open_)
    return (Verdict.INCONCLUSIVE, tuple(open_)) if open_ else (Verdict.PASS, _good(position, criteria))


def _short_of_green(plan: RolloutPlan, position: RolloutPosition) -> list[str]:
    return [
        f"{state.step.id} was {state.words}."
        for state in position.states
        if state.standing in {StepStanding.OVERRIDDEN, StepStanding.NOT_DONE} or _unjudged(plan, state)
    ]


def _unjudged(plan: RolloutPlan, state: RolloutStepState) -> bool:
    """Whether a step was let through without an answer, or where no criterion judges what it failed."""
    let = state.standing is StepStanding.LET_THROUGH
    return let and (state.verdict is StepVerdict.UNKNOWN or not plan.criteria)


def _overrides(plan: RolloutPlan, position: RolloutPosition, entries: Sequence[RolloutEntry]) -> list[str]:
    """Overrides that no longer stand, since the step passed later, and accepted changes of the plan."""
    standing = {state.entry for state in position.states if state.standing is StepStanding.OVERRIDDEN}
    found = []
    for entry in entries:
        event = entry.event
        if isinstance(event, PlanAccepted):
            found.append(f"The plan was changed, accepted by {event.by}: {event.reason}.")
        # A later pass replaces it in the verdict; the page shows it for ever.
        if (
            isinstance(event, StepOverridden)
            and entry.number not in standing
            and event.step not in plan.every
        ):
            found.append(f"{event.step}, which the plan no longer has, was overridden by {event.by}.")
    return found


def _good(position: RolloutPosition, criteria: Sequence[CriterionResult]) -> tuple[str, ...]:
    attested = sum(one.state is CriterionState.ATTESTED for one in criteria)
    words = f"{counted(len(criteria), 'success criterion', 'success criteria')}: "
    words += f"{len(criteria) - attested:,} proved, {attested:,} attested by people."
    through = [s.step.id for s in position.states if s.standing is StepStanding.LET_THROUGH]
    return (
        f"{counted(len(position.states), 'step')} settled.",
        words if criteria else "No criterion is declared.",
        *([f"Failed, which the plan lets through: {', '.join(through)}."] if through else []),
    )
