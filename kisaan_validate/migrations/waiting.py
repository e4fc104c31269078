"""Waits until every migration of the folder is in the ledger, by short looks with nothing held between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, TargetError
from kisaan_validate.facts.migrations import (
    MigrationsStanding,
    Oddity,
    ServiceAnswer,
    Waited,
    WaitEnd,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.look import OtherDatabase
from kisaan_validate.process.deadline import Deadline, DeadlineTimer
from kisaan_validate.process.stopping import Cause, Stop
from kisaan_validate.text.numbers import agreeing, counted, some_of

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0
"""Seconds between two looks: the pause grows while nothing changes."""

_NAMED = 3
_SILENT = 3.0
"""Seconds without an answer after which a server is not just slow. A look that a stop cancelled may take half
of it.
"""

Ask = Callable[[Stop], MigrationsStanding]
"""One look. Raises TargetError and DatabaseError."""


@dataclass(frozen=True)
class WaitAsked:
    """What is asked at each look: the ledger, and ``health``, the status of the service, if it is wanted.
    ``timeout`` is in seconds. ``tell`` hears one line for each change.
    """

    ask: Ask
    timeout: float
    health: Callable[[Stop], int | None] | None = None
    tell: Callable[[str], None] = lambda _: None


def wait_until_applied(asked: WaitAsked, stop: Stop) -> tuple[Waited, MigrationsStanding | None]:
    """Wait. Returns how it ended and what the ledger last said, None where it could never be read. Raises
    OtherDatabase.
    """
    waiter = _Waiter(asked, stop)
    until = Deadline(time.monotonic() + asked.timeout, "the time to wait is over", grace=0.0)
    # Also a look that is under way is ended then, whatever the server does.
    with DeadlineTimer(until, stop):
        end = waiter.wait()
    return waiter.waited(end), waiter.standing


def judge_waited(waited: Waited, standing: MigrationsStanding | None) -> Verdict:
    """PASS only if all are applied. FAIL where the last look saw that some are not, or never will be;
    INCONCLUSIVE where that is not known at the end, or somebody stopped it.
    """
    if waited.end is WaitEnd.APPLIED:
        return Verdict.PASS
    if waited.end is WaitEnd.NEVER:
        return Verdict.FAIL
    if waited.end is WaitEnd.STOPPED or standing is None or waited.unreachable:
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL if _is_missing(standing) else Verdict.INCONCLUSIVE


def all_applied(standing: MigrationsStanding) -> bool:
    """Whether every file is in the ledger, and no runner is at work. Other oddities are for `migrations`."""
    return standing.known and not any(f.oddity in _OPEN for f in standing.findings)


_OPEN = frozenset({Oddity.PENDING, Oddity.FAILED, Oddity.LOCKED})


def _is_missing(standing: MigrationsStanding) -> bool:
    sure = StandingState.WORK, StandingState.FAIL
    return any(f.oddity in _OPEN and f.state in sure for f in standing.findings)


def progress_words(standing: MigrationsStanding) -> str:
    """How far the migrations are, in one sentence."""
    unread = [f.fact for f in standing.findings if f.oddity is Oddity.NOT_READ and not f.name]
    if unread:
        return "; ".join(unread)
    files = sum(item.in_folder for item in standing.items)
    missing = standing.pending
    applied = sum(item.in_folder and item.in_ledger is True for item in standing.items)
    words = f"{applied:,} of {counted(files, 'migration')} applied"
    if missing:
        words += f"; missing: {some_of(missing, _NAMED)}"
    if any(f.oddity is Oddity.LOCKED for f in standing.findings):
        words += "; the ledger is locked: a runner is at work, or died at work"
    return words


class _Waiter:
    """The state of one wait."""

    def __init__(self, asked: WaitAsked, stop: Stop) -> None:
        self._asked, self._stop = asked, stop
        self._begun, self._since = datetime.now(UTC), time.monotonic()
        self._looks = 0
        self._changed: datetime | None = None
        self._service: ServiceAnswer | None = None
        self._said: dict[str, str] = {}
        self._unreachable = ""
        self.standing: MigrationsStanding | None = None

    def wait(self) -> WaitEnd:
        pause = FIRST_PAUSE
        while True:
            if self._look():
                pause = FIRST_PAUSE
            if (end := self._end()) is not None:
                return end
            if self._stop.wait(pause):
                timed = self._stop.cause is Cause.OUT_OF_TIME
                return WaitEnd.TIMED_OUT if timed else WaitEnd.STOPPED
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _end(self) -> WaitEnd | None:
        if self.standing is None or self._unreachable:
            return None
        if all_applied(self.standing):
            return WaitEnd.APPLIED
        return WaitEnd.NEVER if self.standing.named(Oddity.FAILED) else None

    def _look(self) -> bool:
        """One look; whether it saw anything new. What a stop interrupted counts for nothing."""
        begun = time.monotonic()
        try:
            standing = self._asked.ask(self._stop)
        except OtherDatabase:
            raise
        except (DatabaseError, TargetError) as error:
            if self._stop.requested:
                return self._cut_short(begun)
            self._unreachable = error.fact
            return self._tell("ledger", f"the server cannot be asked: {error.fact}")
        # What was read before says why; that we cancelled the last look says nothing.
        if self._stop.requested and not standing.known:
            return self._cut_short(begun)
        self._looks += 1
        self._unreachable = ""
        new = self._tell("ledger", progress_words(standing))
        if new or self._changed is None:
            self._changed = datetime.now(UTC)
        self.standing = standing
        self._ask_service(standing)
        return new

    def _cut_short(self, begun: float) -> bool:
        """A look that our own end interrupted saw nothing new."""
        # It did not answer while there was time: what it said before may be old.
        silent = time.monotonic() - begun
        if silent > _SILENT:
            self._unreachable = self._unreachable or f"no answer for {silent:,.0f} s"
        return False

    def _ask_service(self, standing: MigrationsStanding) -> None:
        if self._asked.health is None:
            return
        status = self._asked.health(self._stop)
        missing = len(standing.pending) if standing.known else None
        answer = ServiceAnswer(datetime.now(UTC), status, missing)
        # The first success is kept: from then on others believed that the service was ready.
        if self._service is None or not _is_success(self._service.status):
            self._service = answer
        self._tell("service", service_words(answer))

    def _tell(self, what: str, words: str) -> bool:
        """Report it if it is new; returns whether it was."""
        if self._said.get(what) == words:
            return False
        self._said[what] = words
        self._asked.tell(words)
        return True

    def waited(self, end: WaitEnd) -> Waited:
        return Waited(
            self._begun,
            time.monotonic() - self._since,
            end,
            self._looks,
            self._changed,
            self._unreachable,
            self._service,
        )


def _is_success(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def service_words(answer: ServiceAnswer) -> str:
    """What the service answers, beside what is missing."""
    if answer.status is None:
        return "the service does not answer"
    said = f"the service answers {answer.status}"
    if answer.missing is None:
        return f"{said}; what is missing is not known"
    if not answer.missing:
        return said
    are = agreeing(answer.missing, "is", "are")
    return f"{said}, and {counted(answer.missing, 'migration')} {are} missing"
