"""Each entry of a rollout's record in a line of words."""

from __future__ import annotations

from kisaan_validate.facts.rollout import (
    PlanAccepted,
    RolloutEntry,
    RolloutOpened,
    StepAttested,
    StepEnded,
    StepOverridden,
    StepStarted,
    StepVerdict,
    TurnedBack,
    WorkTakenOver,
)
from kisaan_validate.report import text
from kisaan_validate.text.numbers import counted

VERDICT_WORDS = {StepVerdict.PASS: "go", StepVerdict.FAIL: "no-go", StepVerdict.UNKNOWN: "cannot tell"}


def entry_words(entry: RolloutEntry) -> str:
    """What happened."""
    event = entry.event
    if isinstance(event, RolloutOpened):
        return f"Began: {event.name}, plan SHA-256 {event.plan}, kisaan-validate {event.tool_version}"
    if isinstance(event, StepStarted):
        return f"{event.step}: attempt {event.attempt} began: {' '.join(event.argv)}"
    if isinstance(event, StepEnded):
        return _ended(event)
    if isinstance(event, StepAttested):
        said = f": {event.text}" if event.text else ""
        return f"{event.step}: {event.outcome.value}, attested by {event.by}{said}"
    if isinstance(event, StepOverridden):
        return f"{event.step}: overridden by {event.by}: {event.reason} (it was {event.was})"
    return _of_the_whole(event)


def _ended(event: StepEnded) -> str:
    code = f"exit {event.exit_code}" if event.exit_code is not None else "ended by us"
    left = f", {counted(len(event.records), 'record')}" if event.records else ""
    words = f": {event.words}" if event.words else ""
    took = text.duration(event.seconds * 1_000)
    return f"{event.step}: {VERDICT_WORDS[event.verdict]}, {code}, {took}{left}{words}"


def _of_the_whole(event: TurnedBack | PlanAccepted | WorkTakenOver) -> str:
    if isinstance(event, TurnedBack):
        at = f" at {event.because}" if event.because else ""
        return f"Turned back{at} by {event.by}: {event.phase}{f': {event.reason}' if event.reason else ''}"
    if isinstance(event, PlanAccepted):
        return f"Changed plan accepted by {event.by}: {event.reason} (SHA-256 {event.after})"
    return f"{event.by} took over from {event.holder}"
