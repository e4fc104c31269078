"""Runs a step: begins it, runs it, digests what it left, records how it ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from kisaan_validate.facts.rollout import (
    CriterionSeen,
    RolloutKind,
    RolloutStep,
    StepEnded,
    StepRecord,
    StepStarted,
    StepVerdict,
)
from kisaan_validate.process.leash import NOT_STARTED
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rollout.book import RolloutBook
from kisaan_validate.rollout.evidence import criteria_of, make_folders, records_of, stamps
from kisaan_validate.rollout.filling import filled, filled_text
from kisaan_validate.rollout.machine import attempts_of
from kisaan_validate.rollout.masking import masked_argv, others_environment, secrets_of
from kisaan_validate.rollout.running import ProgramEnd, StepProgram, our_argv, run_program
from kisaan_validate.text.durations import duration_words

_OURS = {
    0: "",
    1: "it failed",
    2: "error in usage, configuration or connection: nothing was measured",
    3: "inconclusive",
    5: "nothing was checked",
    6: "another run holds its lock",
    7: "it did not run",
}
"""What the exit codes of this program mean."""


def run_step(book: RolloutBook, step: RolloutStep, show: Callable[[str], None], stop: Stop) -> StepEnded:
    """Run a step and record it; how it ended. Raises UsageError, RecordError and AlreadyRunning."""
    attempt = attempts_of(step.id, book.entries) + 1
    # Before the attempt is recorded, since that changes the next one's number.
    argv, program = shown_argv(step, book), _program(step, book)
    log = f"logs/{step.id}-{attempt}.log"
    make_folders(book.folder, step)
    before = stamps(book.folder, step)
    book.add(StepStarted(step.id, step.definition, attempt, argv, log))
    ended = run_program(program, book.folder / log, show, stop)
    records, missing = records_of(book.folder, step, before)
    verdict, words = judge_end(step, ended, missing)
    event = StepEnded(
        step.id,
        step.definition,
        attempt,
        verdict,
        ended.code,
        round(ended.seconds, 3),
        words,
        records,
        _criteria(step, book.folder, records),
    )
    book.add(event)
    book.look_again()
    return event


def _criteria(step: RolloutStep, folder: Path, records: tuple[StepRecord, ...]) -> tuple[CriterionSeen, ...]:
    return criteria_of(folder, records) if step.kind is RolloutKind.OURS else ()


def judge_end(step: RolloutStep, ended: ProgramEnd, missing: str) -> tuple[StepVerdict, str]:
    """What an end means, and why in a line. Exit 0 without the expected records does not pass."""
    last = f": {ended.last}" if ended.last else ""
    if ended.code is None:
        why = ended.stopped or "its end was not seen"
        limit = f" ({duration_words(step.timeout_seconds)})" if "within its time" in why else ""
        return StepVerdict.UNKNOWN, f"{why}{limit}{last}"
    if ended.code < 0:
        return StepVerdict.UNKNOWN, f"signal {-ended.code} ended it{last}"
    if ended.code == 0:
        return (StepVerdict.UNKNOWN, f"exit 0, but {missing}") if missing else (StepVerdict.PASS, ended.last)
    if step.kind is RolloutKind.OURS:
        verdict = StepVerdict.FAIL if ended.code == 1 else StepVerdict.UNKNOWN
        return verdict, f"exit {ended.code}, {_OURS.get(ended.code, 'unknown')}{last}"
    # What never began did not fail.
    verdict = StepVerdict.UNKNOWN if ended.code == NOT_STARTED else StepVerdict.FAIL
    return verdict, f"exit {ended.code}{last}"


def shown_argv(step: RolloutStep, book: RolloutBook) -> tuple[str, ...]:
    """The words of a step as they are shown and kept, without secrets. Raises UsageError."""
    return masked_argv(filled(step, book), secrets_of(os.environ))


def _program(step: RolloutStep, book: RolloutBook) -> StepProgram:
    words = filled(step, book)
    if step.kind is RolloutKind.OURS:
        return StepProgram(our_argv(words), dict(os.environ), step.timeout_seconds)
    directory = Path(filled_text(step.directory, book)) if step.directory else None
    environment = others_environment(step.environment)
    return StepProgram(words, environment, step.timeout_seconds, directory)
