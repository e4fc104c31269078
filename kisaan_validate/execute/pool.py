"""Workers: a few sessions inside the same snapshot, taking tasks in order until told to stop."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kisaan_validate.catalogue import Table
from kisaan_validate.database.locktable import await_room
from kisaan_validate.database.same_server import Shared
from kisaan_validate.database.session import Session, hint_for, sqlstate_said
from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.execute.ask import give_back
from kisaan_validate.execute.locking import Locking
from kisaan_validate.execute.snapshot import enter_snapshot

Answer = TypeVar("Answer")

GRACE_SECONDS = 2.0
"""How long a cancelled statement may take to end before its session is given up."""


class Stop:
    """Set from a signal handler or another thread: the run ends soon and keeps what it has."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self.reason = ""

    def request(self, reason: str) -> None:
        """Ask to stop; the first reason stands. Returns at once."""
        self.reason = self.reason or reason
        self._event.set()
        for callback in self._callbacks:
            threading.Thread(target=callback, daemon=True).start()

    def forgo(self, reason: str) -> None:
        """Ask for nothing more, while nothing is running that would have to be cancelled."""
        self.reason = self.reason or reason
        self._event.set()

    def on_request(self, callback: Callable[[], None]) -> None:
        """Also do this when a stop is requested, for instance cancel a statement."""
        self._callbacks.append(callback)

    @property
    def requested(self) -> bool:
        """Whether someone asked to stop."""
        return self._event.is_set()


@dataclass
class Task(Generic[Answer]):
    """One piece of work: ``work`` asks a session, ``give_up`` says what it means that nobody could be asked."""

    work: Callable[[Session], Answer]
    give_up: Callable[[DatabaseError], Answer]
    answer: Answer | None = None


class Pool:
    """``jobs`` sessions that import one snapshot. Sessions that cannot be opened or die are done without."""

    def __init__(
        self, open_session: Callable[[], Session], snapshot: Shared, tables: Sequence[Table], jobs: int, locking: Locking | None = None
    ) -> None:
        self._open, self._snapshot, self._tables, self._locking = open_session, snapshot, tables, locking or Locking()
        jobs = min(jobs, self._locking.readers) if locking is not None else jobs
        self._sessions: list[Session] = []
        self._last_error: DatabaseError | None = None
        for _ in range(max(1, jobs)):
            if (session := self._join()) is not None:
                self._sessions.append(session)

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

    def run(self, tasks: Sequence[Task[Answer]], stop: Stop, on_done: Callable[[int], None] = lambda _: None) -> list[Answer]:
        """Give every task an answer, in the order of the tasks. Blocks; returns at most GRACE_SECONDS after a stop."""
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(tasks)):
            waiting.put(number)
        finished: queue.SimpleQueue[int | Session] = queue.SimpleQueue()
        sessions = self.sessions
        for session in sessions:
            # Daemons: a server that never answers must not keep the process from ending.
            threading.Thread(target=_drain, args=(session, tasks, waiting, finished, stop, self._locking.need), daemon=True).start()
        for session in self._watch(set(sessions), finished, stop, on_done):
            session.abandon()
        return [t.answer if t.answer is not None else t.give_up(self._why(stop)) for t in tasks]

    def _watch(
        self, busy: set[Session], finished: queue.SimpleQueue[int | Session], stop: Stop, on_done: Callable[[int], None]
    ) -> set[Session]:  # fmt: skip
        """Wait for the sessions; returns those that are still busy when the grace after a stop has passed."""
        deadline, done = float("inf"), 0
        while busy and time.monotonic() < deadline:
            if stop.requested and deadline == float("inf"):
                deadline = time.monotonic() + GRACE_SECONDS
                for session in self.sessions:
                    threading.Thread(target=session.cancel, daemon=True).start()
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

    def _why(self, stop: Stop) -> DatabaseError:
        if stop.requested:
            return DatabaseError(f"not asked: {stop.reason}", "run again")
        error = next((s.loss for s in self._sessions if s.loss is not None), self._last_error)
        if error is None:
            return DatabaseError("not asked: every session was lost", "see the server's log, then run again")
        return DatabaseError(f"not asked: {error.fact}", error.hint, error.sqlstate)

    def close(self) -> None:
        """End all sessions."""
        for session in self._sessions:
            session.close()


def _drain(
    session: Session, tasks: Sequence[Task[Answer]], waiting: queue.SimpleQueue[int],
    finished: queue.SimpleQueue[int | Session], stop: Stop, need: int = 0,
) -> None:  # fmt: skip
    """Do tasks one after the other in a session, each of which may take ``need`` locks."""
    try:
        while not stop.requested and not session.lost:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                break
            tasks[number].answer = _done(session, tasks[number], need)
            finished.put(number)
    finally:
        finished.put(session)


def _done(session: Session, task: Task[Answer], need: int) -> Answer:
    """The answer of a task. Locks that cannot be kept are given back after it, and waited for before it."""
    try:
        if session.frugal:
            await_room(session, need)
    except DatabaseError as error:
        return task.give_up(error)
    answer = task.work(session)
    give_back(session)
    return answer


def _refused(error: KisaanError) -> DatabaseError:
    sqlstate = sqlstate_said(error.fact)
    return DatabaseError(error.fact, hint_for(sqlstate) or error.hint, sqlstate)
