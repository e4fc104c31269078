"""What was asked for, and who is informed of the progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.execute.gate import OPEN, Gate
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import EARLY, Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.suite.load import Suite

if TYPE_CHECKING:
    from kisaan_validate.guard.watch import Guard

Item = TypeVar("Item")


@dataclass(frozen=True)
class Progress:
    """What is being done, and how far it is; ``total`` 0 means unknown."""

    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class GuardSaid(Progress):
    """The guard lets the run wait, go slower, go on or give up; ``phase`` says so, with the first reason."""


@dataclass(frozen=True)
class Connected:
    """The database that was reached, before anything is read."""

    host: str
    port: str
    database: str
    role: str
    source: str


Observer = Callable[[Progress | Connected], None]


def connected(session: Session, target: Target) -> Connected:
    """What a session has reached: the host that answered, of all that were asked."""
    (host, port), p = session.address, session.parameters
    return Connected(host or "local socket", port, p.get("dbname", ""), p.get("user", ""), target.source)


@dataclass(frozen=True)
class RunRequest:
    """Which suite, or part of one, on which database, and how. ``started`` is when it was made. ``gate`` is
    asked before each statement; ``guard`` holds it, where there is one.
    """

    suite: Suite
    target: Target
    options: Options
    observer: Observer
    stop: Stop
    gate: Gate = OPEN
    guard: Guard | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """``started``, and the time that has passed since."""
        # Not the wall clock: it may be set back meanwhile, and no run ends before it began.
        return self.started + timedelta(seconds=time.monotonic() - self._since)

    @property
    def interrupted(self) -> str:
        """What interrupted the run; "" if nothing did, or it ended early by its own rule."""
        return "" if self.halted else self.stop.reason

    @property
    def halted(self) -> str:
        """Why it ended early by its own rule, in words; "" if it did not."""
        return self.stop.reason if self.stop.cause in EARLY else ""

    def say(self, phase: str) -> None:
        """Tell the observer what is done now."""
        self.observer(Progress(phase))

    def counting(self, phase: str) -> Callable[[int, int], None]:
        """A function that tells the observer how much of ``phase`` is done, of how much."""
        return lambda done, total: self.observer(Progress(phase, done, total))

    def while_wanted(self, items: Iterable[Item]) -> Iterator[Item]:
        """One after the other, as the gate lets them, until somebody asks to stop."""
        # ``takewhile`` asks before each item, so a stop ends the work between two tables.
        return takewhile(lambda _: self._may_go_on(), items)

    def _may_go_on(self) -> bool:
        with self.gate.enter(None, self.stop):
            return not self.stop.requested
