"""What the guard of a run did, in words."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from kisaan_validate.facts.guarding import CANNOT_TELL, Pause
from kisaan_validate.facts.run import Run
from kisaan_validate.text.numbers import counted


def guard_words(run: Run) -> str:
    """In one line: whether the run waited, for how long, and the first reason; "" without a guard."""
    if run.guard is None:
        return ""
    if run.guard.given_up:
        return f"guard: gave up: {run.guard.given_up}"
    waits, slow = ([p for p in run.pauses if p.slowed is slowed] for slowed in (False, True))
    spells = [*_spells(waits, "waited"), *_spells(slow, "went slower")]
    paused = f"{', '.join(spells)}; first reason: {run.pauses[0].reason}" if spells else "no pause"
    # A rule without a reading did not watch.
    return "; ".join((f"guard: {paused}", *unwatched(run)))


def unwatched(run: Run) -> list[str]:
    """The rules of the guard that could not be read, and why, a text each."""
    readings = run.guard.readings.items() if run.guard is not None else ()
    return [f"{name.replace('_', ' ')}: {said}" for name, said in readings if said.startswith(CANNOT_TELL)]


def _spells(pauses: Iterable[Pause], what: str) -> list[str]:
    seconds = [pause.seconds for pause in pauses]
    return [f"{what} {counted(len(seconds), 'time')}, {ceil(sum(seconds)):,} s in all"] if seconds else []


def pause_words(pause: Pause) -> str:
    """A pause in one line."""
    how = "one statement at a time" if pause.slowed else "waiting"
    held = "with the snapshot held" if pause.snapshot else "before the snapshot"
    return (
        f"{pause.started_at:%Y-%m-%d %H:%M:%S} UTC, {ceil(pause.seconds):,} s {how}, {held}: {pause.reason}"
    )
