"""The steps of a rehearsal as they are done: each timed, each failure kept in words, none of them silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.facts.rehearsed import RehearsalStep, StepState
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.words import server_words

Made = TypeVar("Made")


class Steps:
    """Records how each step ended. ``say`` is told the name of each before it is done."""

    def __init__(self, stop: Stop, say: Callable[[str], None]) -> None:
        self._stop, self._say = stop, say
        self.done: list[RehearsalStep] = []

    def do(self, name: str, work: Callable[[], Made]) -> Made | None:
        """What ``work`` makes; None where it failed or was stopped, and the step says why."""
        if self._stop.requested:
            self.leave_out(name, f"stopped: {self._stop.reason}")
            return None
        self._say(name)
        start = time.monotonic()
        try:
            with _in_words():
                made = work()
        except KisaanError as error:
            seconds = time.monotonic() - start
            self.done.append(RehearsalStep(name, StepState.FAILED, seconds, error.fact))
            return None
        self.done.append(RehearsalStep(name, StepState.DONE, time.monotonic() - start))
        return made

    def must(self, name: str, work: Callable[[], Made]) -> Made:
        """The same for a step without which nothing else can be done. Raises KisaanError."""
        self._say(name)
        start = time.monotonic()
        with _in_words():
            made = work()
        self.done.append(RehearsalStep(name, StepState.DONE, time.monotonic() - start))
        return made

    def leave_out(self, name: str, reason: str) -> None:
        """A step that is not done, and why."""
        self.done.append(RehearsalStep(name, StepState.SKIPPED, reason=reason))

    def why(self, name: str) -> str:
        """Why a step was not done; "" if it was."""
        return next((step.reason for step in self.done if step.name == name), "")


@contextmanager
def _in_words() -> Iterator[None]:
    """A session that fails at any place is the server's failure, as of a full disk, and no fault of ours."""
    import psycopg2

    try:
        yield
    except psycopg2.Error as error:
        raise DatabaseError(
            f"the scratch server failed: {server_words(error)}", "", error.pgcode or "", lost=not error.pgcode
        ) from None
