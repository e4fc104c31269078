"""What people decide: they attest, override by name, turn back, accept a changed plan."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rollout import (
    PLAN_NAME,
    AttestOutcome,
    PlanAccepted,
    RolloutKind,
    RolloutStep,
    StepAttested,
    StepOverridden,
    StepRecord,
    TurnedBack,
)
from kisaan_validate.facts.rollout_state import RolloutAsk, RolloutPosition, RolloutStepState
from kisaan_validate.record.files import cannot_write
from kisaan_validate.rollout.book import RolloutBook
from kisaan_validate.rollout.conduct import shown_argv
from kisaan_validate.rollout.evidence import digested
from kisaan_validate.rollout.filling import filled_text
from kisaan_validate.rollout.machine import accepted_plan, last_settled
from kisaan_validate.rollout.masking import masked
from kisaan_validate.text.durations import duration_words

LONGEST_NAME, LONGEST_TEXT = 120, 2_000
MOST_BYTES = 256 << 20
"""Bytes of a file that may be attested with."""


def attest(
    book: RolloutBook, step_id: str, outcome: AttestOutcome, by: str, text: str, file: Path | None
) -> StepAttested:
    """Record what a person says of the step at which the rollout stands. Raises UsageError."""
    state = _standing_at(book, step_id)
    step, name, said = state.step, a_name(by), a_text(text, "--text")
    if step.runs and outcome is not AttestOutcome.NOT_DONE:
        raise UsageError(f"{step.id} is run by this program, not attested", "kisaan-validate rollout next")
    if outcome is AttestOutcome.NOT_DONE and not step.optional:
        hint = "to go on without it: rollout override"
        raise UsageError(f"{step.id} is not optional", hint)
    if outcome is not AttestOutcome.DONE and not said:
        raise UsageError(f"{outcome.value} needs a reason", "give one with --text")
    if outcome is AttestOutcome.DONE:
        _require_waited(book, step)
    kept = _kept(book, step, file) if file is not None else None
    event = StepAttested(step.id, step.definition, outcome, name, asked_text(step, book), said, kept)
    book.add(event)
    book.look_again()
    return event


def override(book: RolloutBook, step_id: str, by: str, reason: str) -> StepOverridden:
    """Record that a person goes on without a pass of the step at which the rollout stands. It never makes
    it green. Raises UsageError.
    """
    state = _standing_at(book, step_id)
    name, why = a_name(by), _a_reason(reason)
    was = f"{state.standing.value}{f': {state.why}' if state.why else ''}"
    event = StepOverridden(state.step.id, state.step.definition, name, why, was)
    book.add(event)
    return event


def accept_plan(book: RolloutBook, by: str, reason: str) -> PlanAccepted:
    """Record that a person accepts the changed plan. Raises UsageError."""
    if not book.changed:
        raise UsageError(f"{PLAN_NAME} was not changed", "there is nothing to accept")
    name, why = a_name(by), _a_reason(reason)
    event = PlanAccepted(accepted_plan(book.entries), book.plan.digest, name, why)
    book.add(event)
    return event


def turn_back(book: RolloutBook, phase: str, by: str, reason: str) -> TurnedBack:
    """Take the way back: ``phase``, or the one that the plan names for the step at which the rollout stands.
    Raises UsageError.
    """
    position = book.position
    if position.back:
        raise UsageError(f"the way back was taken already: {position.back}", "kisaan-validate rollout next")
    now = position.now.step if position.now is not None else None
    event = TurnedBack(
        way_back(book, position, phase), now.id if now else "", a_name(by), a_text(reason, "--reason")
    )
    book.add(event)
    return event


def way_back(book: RolloutBook, position: RolloutPosition, phase: str = "") -> str:
    """The phase of the way back that is meant. Raises UsageError where the plan names none."""
    backs = [one.id for one in book.plan.phases if one.rollback]
    wanted = phase or ways_back(position)
    if wanted in backs:
        return wanted
    if not backs:
        raise UsageError("the plan has no way back", "a phase with rollback = true is one")
    fact = f"{phase!r} is not a way back" if phase else "nothing was begun that the plan takes back"
    raise UsageError(fact, f"name a way back with --to: {', '.join(backs)}")


def ways_back(position: RolloutPosition) -> str:
    """The way back that the plan names for the present step, or else for the newest one that was begun; ""
    if there is none.
    """
    now = position.now.step.on_failure if position.now is not None else ""
    begun = [state.step.on_failure for state in position.states if state.evidence and state.step.on_failure]
    return now or (begun[-1] if begun else "")


def a_name(text: str) -> str:
    """The name of a person. Raises UsageError for none."""
    name = " ".join(text.split())
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(f"--by needs a name of 1 to {LONGEST_NAME} characters", "write who decides")
    return name


def a_text(text: str, option: str) -> str:
    """What a person wrote, in one line, without secrets. Raises UsageError for control characters."""
    said = " ".join(text.split())
    if not said.isprintable():
        raise UsageError(f"{option} has a control character", "write plain text")
    if len(said) > LONGEST_TEXT:
        raise UsageError(f"{option} has {len(said):,} characters", f"write at most {LONGEST_TEXT:,}")
    return masked(said)


def _a_reason(text: str) -> str:
    """Why somebody overrides. Raises UsageError for none."""
    said = a_text(text, "--reason")
    if not said:
        raise UsageError("an override needs a reason", "give one with --reason")
    return said


def asked_text(step: RolloutStep, book: RolloutBook) -> str:
    """What a person is asked to do: the title, and what is shown to copy."""
    lines = [masked(filled_text(line, book)) for line in step.show]
    if step.kind is RolloutKind.COMMAND:
        import shlex

        lines = [shlex.join(shown_argv(step, book))]
    return "\n".join([step.title, *lines])


def _standing_at(book: RolloutBook, step_id: str) -> RolloutStepState:
    """The step at which the rollout stands, which must be that. Raises UsageError."""
    book.require_plan()
    now = book.position.now
    if now is not None and now.step.id == step_id:
        return now
    if step_id not in book.plan.every:
        from kisaan_validate.text.nearest import did_you_mean

        raise UsageError(f"there is no step {step_id!r}", did_you_mean(step_id, list(book.plan.every)))
    if now is None or book.position.ask in {RolloutAsk.COMPLETE, RolloutAsk.ROLLED_BACK}:
        raise UsageError("the rollout is at its end", "see kisaan-validate rollout status")
    raise UsageError(
        f"the rollout stands at {now.step.id}, not at {step_id}", "steps are done one after the other"
    )


def _require_waited(book: RolloutBook, step: RolloutStep) -> None:
    since = last_settled(book.position, book.entries)
    if not step.wait_seconds or since is None:
        return
    ready = since + timedelta(seconds=step.wait_seconds)
    if datetime.now(UTC) < ready:
        raise UsageError(
            f"{step.id} can be attested {duration_words(step.wait_seconds)} after the step before it: from "
            f"{ready:%Y-%m-%d %H:%M:%S} UTC",
            "wait, or: rollout override",
        )


def _kept(book: RolloutBook, step: RolloutStep, file: Path) -> StepRecord:
    """A copy of the file in the folder, which is copied as a whole."""
    if not file.is_file():
        raise UsageError(f"{file} is not a file", "name one with --file")
    if file.stat().st_size > MOST_BYTES:
        raise UsageError(f"{file} is larger than 256 MB", "attest with a digest of it in --text")
    suffix = file.suffix if file.suffix.isascii() and file.suffix[1:].isalnum() else ""
    copy = book.folder / "evidence" / f"{len(book.entries) + 1:04d}-{step.id}{suffix[:10]}"
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o600)
    except OSError as error:
        raise cannot_write(copy, error) from None
    return digested(book.folder, copy)
