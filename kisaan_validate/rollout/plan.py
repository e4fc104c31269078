"""Reads ``rollout.toml``: text to plan, or one error that names the step."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.rollout import (
    RolloutCriterion,
    RolloutKind,
    RolloutPhase,
    RolloutPlan,
    RolloutStep,
    StepCondition,
    StepVerdict,
)
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.toml.reader import read

if TYPE_CHECKING:
    from kisaan_validate.rollout.plan_model import ConditionTable, PhaseTable, StepTable

NAMED = re.compile(r"\{(record|beside|when):([a-z0-9_-]+)\}")
"""What a word may name of an earlier step."""
MOST_STEPS = 500
"""The most steps: a person goes through them one by one in a night."""


def read_plan(text: str, origin: str, commands: Collection[str] | None = None) -> RolloutPlan:
    """The plan that a text states. ``commands`` are the names that a step of kind ours may begin with; None
    takes any. Raises SuiteError; ``origin`` is the file's name for messages.
    """
    from kisaan_validate.rollout.plan_model import RolloutFile

    given = read(text, origin, RolloutFile)
    steps = [step for phase in given.phase for step in phase.step]
    if not steps or len(steps) > MOST_STEPS:
        raise SuiteError(f"it has {len(steps):,} steps", f"write 1 to {MOST_STEPS:,}", origin)
    _distinct([phase.id for phase in given.phase], "phases", origin)
    _distinct([step.id for step in steps], "steps", origin)
    _distinct([one.id for one in given.criteria], "criteria", origin)
    phases = tuple(_phase(phase) for phase in given.phase)
    criteria = tuple(RolloutCriterion(one.id, one.text, one.steps, one.proved_in) for one in given.criteria)
    plan = RolloutPlan(given.name, phases, criteria, hashlib.sha256(text.encode()).hexdigest())
    if not plan.forward:
        raise SuiteError("every phase is a way back", "leave out rollback = true of one", origin)
    _check_steps(plan, commands, origin)
    _check_criteria(plan, origin)
    return plan


def _distinct(ids: Sequence[str], what: str, origin: str) -> None:
    if twice := next((id for id, n in Counter(ids).items() if n > 1), None):
        raise SuiteError(f"two {what} have the id {twice!r}", "give each its own id", origin)


def _phase(given: PhaseTable) -> RolloutPhase:
    return RolloutPhase(
        given.id, given.title, tuple(_step(step, given.id) for step in given.step), given.rollback
    )


def _step(given: StepTable, phase: str) -> RolloutStep:
    step = RolloutStep(
        given.id,
        given.title,
        phase,
        RolloutKind(given.kind),
        " ".join(given.why.split()),
        given.argv,
        given.show,
        given.records,
        given.needs,
        tuple(map(StepVerdict, given.gate)),
        _condition(given.only_if),
        given.on_failure,
        given.optional,
        given.run,
        given.environment,
        given.directory,
        given.timeout,
        given.wait,
    )
    # Over everything that the plan says about it: what was done for another text does not count.
    said = json.dumps(asdict(step), sort_keys=True, ensure_ascii=False)
    return replace(step, definition=hashlib.sha256(said.encode()).hexdigest())


def _condition(given: ConditionTable | None) -> StepCondition | None:
    return StepCondition(given.step, tuple(map(StepVerdict, given.verdict))) if given is not None else None


def _check_steps(plan: RolloutPlan, commands: Collection[str] | None, origin: str) -> None:
    backs = [phase.id for phase in plan.phases if phase.rollback]
    forward: list[str] = []
    for phase in plan.phases:
        # A way back stands by itself: it may be taken from any step.
        seen: list[str] = [] if phase.rollback else forward
        for step in phase.steps:
            where = f"{origin}: step {step.id}"
            condition = (step.only_if.step,) if step.only_if is not None else ()
            # Only earlier ones: so needs cannot lead in a circle.
            _known((*step.needs, *condition), seen, where, "does not come before it")
            _known(filter(None, (step.on_failure,)), backs, where, "is not a phase with rollback = true")
            # The way back may also name what the way forward left.
            _check_named(step, plan, [*seen, *(forward if phase.rollback else ())], where)
            if step.kind is RolloutKind.OURS and commands is not None:
                _check_command(step.argv[0], commands, where)
            seen.append(step.id)


def _check_named(step: RolloutStep, plan: RolloutPlan, earlier: Sequence[str], where: str) -> None:
    for what, name in NAMED.findall("\n".join((*step.argv, *step.show))):
        _known((name,), earlier, where, "does not come before it")
        if what != "when" and not plan.every[name].records:
            raise SuiteError(f"{name!r} has no records", f"name them, or leave out {{{what}:{name}}}", where)


def _known(names: Iterable[str], known: Sequence[str], where: str, otherwise: str) -> None:
    for name in names:
        if name not in known:
            raise SuiteError(f"{name!r} {otherwise}", did_you_mean(name, known) if known else "", where)


def _check_command(name: str, commands: Collection[str], where: str) -> None:
    if name == "rollout":
        raise SuiteError("a rollout does not run itself", "name another command", where)
    if name not in commands:
        raise SuiteError(
            f"kisaan-validate has no command {name!r}", did_you_mean(name, sorted(commands)), where
        )


def _check_criteria(plan: RolloutPlan, origin: str) -> None:
    steps = [step.id for step in plan.forward]
    for one in plan.criteria:
        where = f"{origin}: criterion {one.id}"
        _known((*one.steps, *one.proved_in), steps, where, "is not a step of the way forward")
        for name in one.proved_in:
            if plan.every[name].kind is not RolloutKind.OURS or not plan.every[name].records:
                raise SuiteError(f"{name!r} records no run", "name a step of kind ours with records", where)
