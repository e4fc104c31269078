"""What is asked before each statement: a gate, which somebody may close for a while.

A guard closes it while the server has a bad time. Without one it is open and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from kisaan_validate.dataclass import dataclass
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import Stop


@dataclass(eq=False)
class Passage:
    """The time of one task behind the gate. ``cancelled``: its statement was cancelled, because the gate was
    closed. ``session`` is None where another process asks.
    """

    session: Session | None
    cancelled: bool = False


class Gate(Protocol):
    """Lets statements through, or makes them wait."""

    def enter(self, session: Session | None, stop: Stop) -> AbstractContextManager[Passage]:
        """Wait until the gate is open, or a stop is requested; the block is the time of one task."""

    def between(self, session: Session, stop: Stop) -> None:
        """Wait in the same way between two statements of a task that has entered. Raises DatabaseError where
        nothing more may be asked.
        """

    def knows(self, session: Session) -> None:
        """A session is one of ours."""


class OpenGate:
    """Lets everything through."""

    @contextmanager
    def enter(self, session: Session | None, stop: Stop) -> Iterator[Passage]:
        """Nothing is waited for."""
        yield Passage(session)

    def between(self, session: Session, stop: Stop) -> None:
        """Nothing is waited for."""

    def knows(self, session: Session) -> None:
        """Nobody wants to know."""


OPEN = OpenGate()
