"""A run of limited time: what is asked first, and what is not reached.

Law: once the time has ended no statement is begun; one that runs may go on for the grace of the deadline.
What was not reached has no answer, and says why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TypeVar

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.pool import Task
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.deadline import Deadline
from kisaan_validate.process.stopping import Cause, Stop

Answer = TypeVar("Answer")

NEXT = "it goes first in the next scan"


def not_reached(reason: str) -> DatabaseError:
    """Why a check has no answer that was not asked before the time ended."""
    return DatabaseError(f"not reached: {reason}", NEXT)


def turn_of(ids: Iterable[str], first: Mapping[str, int]) -> int:
    """The turn of a statement that answers these checks: that of the one that is due first. What answers no
    check comes last.
    """
    return min((first.get(id, 0) for id in ids), default=sys.maxsize)


class Budget:
    """Refuses work once the time has ended."""

    def __init__(self, deadline: Deadline | None) -> None:
        self._deadline = deadline
        self._refused = False

    @property
    def ended(self) -> bool:
        """Whether something was not reached."""
        return self._refused

    def gated(self, task: Task[Answer]) -> Task[Answer]:
        """The same task, which is begun only while there is time."""
        deadline = self._deadline
        if deadline is None:
            return task

        def work(session: Session) -> Answer:
            if deadline.over:
                self._refused = True
                return task.give_up(not_reached(deadline.reason))
            return task.work(session)

        return Task(work, task.give_up)

    def end(self, stop: Stop, *, more: bool) -> None:
        """Ask for nothing more if the time has ended and something is left: it was refused, or there is
        ``more``.
        """
        deadline = self._deadline
        if deadline is not None and (self._refused or (more and deadline.over)):
            self._refused = True
            stop.forgo(deadline.reason, Cause.OUT_OF_TIME)
