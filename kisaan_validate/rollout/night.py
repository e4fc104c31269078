"""Everything that the page of a rollout shows, from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kisaan_validate.facts.rollout import StepEnded, StepStarted, WorkTakenOver
from kisaan_validate.facts.rollout_state import RolloutNight
from kisaan_validate.rollout.book import RolloutBook, clock_notes
from kisaan_validate.rollout.judge import criteria_of_plan, judge_rollout
from kisaan_validate.rollout.machine import accepted_plan


def night_of(book: RolloutBook) -> RolloutNight:
    """The night so far. A plan that was changed and not accepted, and evidence that does not hold, stand
    among its notes.
    """
    position = book.position
    criteria = criteria_of_plan(book.plan, position, book.entries)
    verdict, reasons = judge_rollout(book.plan, position, criteria, book.entries)
    return RolloutNight(
        book.plan,
        book.entries,
        book.head,
        position,
        criteria,
        verdict,
        reasons,
        tuple(_notes(book)),
        datetime.now(UTC),
    )


def _notes(book: RolloutBook) -> Iterator[str]:
    if book.changed:
        before = accepted_plan(book.entries)
        yield f"The plan was changed and not accepted; before, its SHA-256 was {before}."
    for fault in book.faults:
        yield f"Evidence of {fault.step}, entry {fault.entry}: {fault.words}."
    yield from book.strays
    yield from clock_notes(book.entries)
    for entry in book.entries:
        if isinstance(entry.event, WorkTakenOver):
            yield f"{entry.event.by} took over the lock of {entry.event.holder} (entry {entry.number})."
    ended = {(e.event.step, e.event.attempt) for e in book.entries if isinstance(e.event, StepEnded)}
    for entry in book.entries:
        event = entry.event
        if isinstance(event, StepStarted) and (event.step, event.attempt) not in ended:
            which = f"attempt {event.attempt} at {event.step}, entry {entry.number}"
            yield f"How it ended was not recorded: {which}."
