"""Fills in a step's words: the rollout's folder, and what earlier steps left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rollout import RolloutStep, StepAttested, StepEnded, StepRecord, StepStarted
from kisaan_validate.rollout.book import RolloutBook
from kisaan_validate.rollout.machine import attempts_of, step_entries
from kisaan_validate.rollout.plan import NAMED


def filled(step: RolloutStep, book: RolloutBook) -> tuple[str, ...]:
    """The words of a step's next attempt, whose number ``{attempt}`` is. Raises UsageError where an earlier
    step left nothing that they name.
    """
    attempt = str(attempts_of(step.id, book.entries) + 1)
    return tuple(filled_text(word.replace("{attempt}", attempt), book) for word in step.argv)


def filled_text(text: str, book: RolloutBook) -> str:
    """A text in which ``{folder}`` is the rollout's folder, ``{record:STEP}`` the newest record of a step,
    ``{beside:STEP}`` the folder of that, ``{when:STEP}`` when the step last began or was attested.
    """
    # In one pass: inserted text may hold braces.
    return re.sub(
        rf"\{{folder\}}|{NAMED.pattern}",
        lambda found: str(book.folder) if found[0] == "{folder}" else _named(found[1], found[2], book),
        text,
    )


def _named(what: str, step: str, book: RolloutBook) -> str:
    if what == "when":
        times = [entry.at for entry, event in step_entries(step, book.entries) if _begins(event)]
        if not times:
            raise UsageError(
                f"{step} was not done, so there is no time to name",
                "it was overridden; do it, or go on without it",
            )
        return f"{times[-1]:%Y-%m-%dT%H:%M:%S+00:00}"
    record = next(_records(step, book), None)
    if record is None:
        raise UsageError(f"{step} left no record", f"kisaan-validate rollout next --again {step}")
    path = book.folder / record.path
    return str(path.parent if what == "beside" else path)


def _begins(event: object) -> bool:
    return isinstance(event, (StepStarted, StepAttested))


def _records(step: str, book: RolloutBook) -> Iterator[StepRecord]:
    """Records of the newest attempt that left some, the newest first."""
    for _, event in reversed(step_entries(step, book.entries)):
        if isinstance(event, StepEnded):
            yield from reversed(event.records)
