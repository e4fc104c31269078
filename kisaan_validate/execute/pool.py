"""Workers: a few sessions inside the same snapshot, taking tasks in order until told to stop."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.execute.gate import OPEN, Gate
from kisaan_validate.execute.locking import Locking
from kisaan_validate.execute.recovery import give_back
from kisaan_validate.execute.snapshot import enter_snapshot
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.sqlstate import hint_for, sqlstate_said
from kisaan_validate.postgres.locktable import await_room
from kisaan_validate.postgres.same_server import Shared
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import GRACE_SECONDS, Stop

Answer = TypeVar("Answer")

_CUT_SECONDS = 0.5
"""How long a session takes to come back, after its line was cut at the end of the grace."""


@dataclass
class Task(Generic[Answer]):
    """One piece of work: ``work`` asks a session, ``give_up`` says what it means that nobody could be
    asked.
    """

    work: Callable[[Session], Answer]
    give_up: Callable[[DatabaseError], Answer]
    answer: Answer | None = None


LONG_SECONDS = 1.0
"""A session that could not join after so long was not refused: it waited for a place."""


class Pool:
    """``jobs`` sessions that import one snapshot. It goes on without those that cannot be opened, or die."""

    def __init__(
        self,
        open_session: Callable[[], Session],
        snapshot: Shared,
        tables: Sequence[Table],
        jobs: int,
        locking: Locking | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self._open, self._snapshot, self._tables = open_session, snapshot, tables
        self._locking, self._gate = locking or Locking(), gate
        self._sessions: list[Session] = []
        self._last_error: DatabaseError | None = None
        self._wanted = _sessions_for(jobs, locking)
        for _ in range(self._wanted):
            begun = time.monotonic()
            if (session := self._join()) is not None:
                self._sessions.append(session)
            elif time.monotonic() - begun > LONG_SECONDS:
                # no place, as in a pooler: the next would wait as long, while the snapshot is held
                break

    @property
    def shortage(self) -> str:
        """Why fewer sessions than asked for joined the snapshot; "" if all did."""
        joined = len(self._sessions)
        why = self._last_error.fact if self._last_error is not None else ""
        if joined < self._wanted:
            return f"{joined} of {self._wanted} sessions joined the snapshot: {why}"
        return ""

    def _join(self) -> Session | None:
        session = None
        try:
            session = self._open()
            enter_snapshot(session, self._snapshot, self._tables, keep=self._locking.kept)
            return session
        except KisaanError as error:
            if session is not None:
                session.close()
            self._last_error = error if isinstance(error, DatabaseError) else _refused(error)
            return None

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that are still alive."""
        return tuple(s for s in self._sessions if not s.lost)

    def run(
        self, tasks: Sequence[Task[Answer]], stop: Stop, on_done: Callable[[int], None] = lambda _: None
    ) -> list[Answer]:
        """Give every task an answer, in the order of the tasks. Blocks, but not long after a stop (see
        stopping).
        """
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        # All numbers are queued before any thread starts, so an empty queue means that nothing is left.
        for number in range(len(tasks)):
            waiting.put(number)
        finished: queue.SimpleQueue[int | Session] = queue.SimpleQueue()
        sessions = self.sessions
        for session in sessions:
            session.between = partial(self._gate.between, session, stop)
            # Daemons: a server that never answers must not keep the process from ending.
            threading.Thread(
                target=_drain,
                args=(session, tasks, waiting, finished, stop, self._gate, self._locking.need),
                daemon=True,
            ).start()
        # Sessions that outlive the grace are cut: their threads
        # may wait in libpq, where nothing else reaches them.
        for session in self._watch(set(sessions), finished, stop, on_done):
            session.abandon()
        # A task that a cut session held may still set its answer; until then it counts as given up.
        return [t.answer if t.answer is not None else t.give_up(self._why(stop)) for t in tasks]

    def _watch(
        self,
        busy: set[Session],
        finished: queue.SimpleQueue[int | Session],
        stop: Stop,
        on_done: Callable[[int], None],
    ) -> set[Session]:
        """Wait for the sessions; returns those that are still busy when the grace after a stop has passed."""
        deadline, done = float("inf"), 0
        # Polled, because a stop is set from a signal handler and wakes no queue.
        while busy and time.monotonic() < deadline:
            if stop.requested and deadline == float("inf"):
                # Not later than the deadline of the stop: the watchdog
                # cuts the lines then, and threads need a moment.
                deadline = min(stop.deadline, time.monotonic() + GRACE_SECONDS) + _CUT_SECONDS
            try:
                event = finished.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(event, Session):
                busy.discard(event)
            else:
                done += 1
                on_done(done)
        return busy

    @property
    def loss(self) -> str:
        """Why no session is left, as far as one of them was told."""
        return self._lost().fact

    def _lost(self) -> DatabaseError:
        # What the server said to a lost session tells more than the last failure to connect.
        error = next((s.loss for s in self._sessions if s.loss is not None), self._last_error)
        return error or DatabaseError("every session was lost", "see the server's log, then run again")

    def _why(self, stop: Stop) -> DatabaseError:
        if stop.requested:
            return DatabaseError(f"not run: {stop.reason}", "run again")
        error = self._lost()
        return DatabaseError(f"not run: {error.fact}", error.hint, error.sqlstate)

    def close(self) -> None:
        """End all sessions."""
        for session in self._sessions:
            session.close()


def _sessions_for(jobs: int, locking: Locking | None) -> int:
    """As many as are asked for and have room; none at all where nothing may be locked."""
    if not jobs or locking is None:
        return jobs
    return 0 if locking.impossible else max(1, min(jobs, locking.readers))


def _drain(
    session: Session,
    tasks: Sequence[Task[Answer]],
    waiting: queue.SimpleQueue[int],
    finished: queue.SimpleQueue[int | Session],
    stop: Stop,
    gate: Gate,
    need: int = 0,
) -> None:
    """Do tasks one after the other in a session, each of which may take ``need`` locks."""
    try:
        while not stop.requested and not session.lost:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                break
            tasks[number].answer = _let_through(session, tasks[number], need, stop, gate)
            finished.put(number)
    # Also if a task raised: ``run`` waits for every session to report that it is done.
    finally:
        finished.put(session)


def _let_through(session: Session, task: Task[Answer], need: int, stop: Stop, gate: Gate) -> Answer | None:
    """The answer of a task, once the gate lets it through; None if a stop came first. What was cancelled for
    the gate's sake is asked once more.
    """
    answer: Answer | None = None
    for _ in range(2):
        with gate.enter(session, stop) as passage:
            if stop.requested:
                break
            answer = _done(session, task, need)
        if not passage.cancelled or session.lost:
            break
    return answer


def _done(session: Session, task: Task[Answer], need: int) -> Answer:
    """The answer of a task. Locks that cannot be kept are given back after it, and waited for before it."""
    try:
        # Asked before the task, because a statement that finds
        # the lock table full fails everybody's next lock.
        if session.frugal:
            await_room(session, need)
    except DatabaseError as error:
        return task.give_up(error)
    answer = task.work(session)
    give_back(session)
    return answer


def _refused(error: KisaanError) -> DatabaseError:
    # A refusal at the door has no SQLSTATE of its own; it stands in the message.
    sqlstate = sqlstate_said(error.fact)
    return DatabaseError(error.fact, hint_for(sqlstate) or error.hint, sqlstate)
