"""Canary sessions that read and write one row of every table while a migration runs: the outage they feel.

One thread polls all sessions. A session whose table is locked waits in the server's queue, as a user would,
and another one tries the other tables. A waiting canary holds no lock, and one that got its lock lets go in
the same message, so a migration waits for a canary no longer than for any short query.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from typing import Any

from kisaan_validate.facts.rehearsal import (
    CanaryAccess,
    CanaryWatch,
    NotTried,
)
from kisaan_validate.rehearse.canary import FELT_SECONDS, Canary
from kisaan_validate.rehearse.canary_session import CanarySession
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.perches import perches

SOONEST_SECONDS = 0.02
"""A table is not tried more often than this."""
SHARE = 0.15
"""The part of one processor's time that canaries may take."""
LOCK_NOT_AVAILABLE = "55P03"
LAST_SECONDS = 2.0
"""How long after the migration a canary that still waits may take to come through."""
ROW_AGAIN_SECONDS = 0.04
"""How soon a row is tried again that somebody holds."""
AGAIN_SECONDS = 0.1
"""How soon a table is tried again that could not be read or written for another reason than a lock."""


class CanaryFlock:
    """Within, canaries try every table of the database of ``ours``; ``watch`` tells what they felt.

    ``dsn`` is a superuser's, ``most`` the number of sessions at most, ``started`` the tape's start.
    ``locked`` tells which tables are locked just now: they are tried at once, however many others there are.
    """

    def __init__(
        self,
        dsn: str,
        ours: OurSessions,
        started: float,
        *,
        locked: Callable[[], frozenset[int]] = frozenset,
        most: int = 60,
    ) -> None:
        self._locked = locked
        self._hot: frozenset[int] = frozenset()
        self._dsn = dsn
        self._ours = ours
        self._started = started
        self._most = most
        self._done = threading.Event()
        self._sessions: list[CanarySession] = []
        self._tries = 0
        self._widest = 0.0
        self._gaps: list[str] = []
        self._second: float | None = None
        self._finish: float | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._settled = threading.Event()

    def __enter__(self) -> CanaryFlock:
        connection = self._ours.open()
        try:
            cursor = connection.cursor()
            found, self._left = perches(cursor)
            before = time.monotonic()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            (now,) = cursor.fetchone()
            # Between the two readings of this process's clock.
            self._offset = now - (before + time.monotonic()) / 2
        finally:
            connection.close()
        self._canaries = [Canary(perch, self._started) for perch in found]
        # The first two rounds follow each other at once.
        self._every = 0.0
        self._thread.start()
        # All have tried once before the migration begins: a table is known to be free then.
        self._settled.wait(60.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def watch(self) -> CanaryWatch:
        """What they felt, after the end."""
        outages = [canary.outage() for canary in self._canaries if canary.felt]
        tried = {
            a: tuple(c.perch.relation for c in self._canaries if c.perch.access is a) for a in CanaryAccess
        }
        never = [
            NotTried(c.perch.relation, c.perch.access, f"no try came through: {c.failing or 'it was locked'}")
            for c in self._canaries
            if c.good is None
        ]
        return CanaryWatch(
            read=tried[CanaryAccess.READ],
            written=tried[CanaryAccess.WRITE],
            outages=tuple(outages),
            not_tried=(*self._left, *never),
            every=round(self._widest, 6),
            felt=FELT_SECONDS,
            tries=self._tries,
            gaps=tuple(dict.fromkeys(self._gaps)),
        )

    # --- the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        import psycopg2

        try:
            self._until(self._over)
            self._finish = time.monotonic()
            deadline = self._finish + LAST_SECONDS
            # Who still waits comes through now that the migration is over, and each table is tried once more:
            # one that was renamed or dropped just before the end is missed.
            self._until(lambda: time.monotonic() > deadline or not (self._waiting() or self._left_to_try()))
        except psycopg2.Error as error:
            self._gaps.append(f"the canaries were stopped: {error.pgcode or type(error).__name__}")
        finally:
            self._settled.set()
            self._close()

    def _over(self) -> bool:
        return self._done.is_set()

    def _until(self, over: Any) -> None:
        while not over():
            self._send()
            self._receive()
            if not self._settled.is_set():
                self._settle()

    def _settle(self) -> None:
        """After two rounds (the second shows how long one takes): how often all tables can be tried
        in the time that canaries may take.
        """
        rounds = min((c.tries for c in self._canaries), default=2)
        if rounds >= 1 and self._second is None:
            self._second = time.monotonic()
        if rounds >= 2:
            spent = time.monotonic() - (self._second or time.monotonic())
            self._every = max(SOONEST_SECONDS, spent / SHARE)
            self._settled.set()

    def _waiting(self) -> bool:
        return any(s.busy and s.canary is not None for s in self._sessions)

    def _left_to_try(self) -> bool:
        held = [c for c in self._canaries if c.refused is not None and not c.failing]
        return bool(held) or any(c.sent < (self._finish or 0.0) for c in self._canaries)

    def _due(self, now: float) -> list[Canary]:
        """Who is to try now, the longest overdue first; in the end, who has not tried since."""
        hot = self._locked()
        for canary in self._canaries:
            # Once for each lock, also where a try flies that began before it.
            if canary.perch.oid in hot - self._hot:
                canary.due = 0.0
        self._hot = hot
        flying = {id(s.canary) for s in self._sessions if s.busy and s.canary is not None}
        free = [c for c in self._canaries if id(c) not in flying]
        if self._finish is not None:
            return [c for c in free if c.sent < self._finish or (c.refused and c.due <= now)]
        return sorted((c for c in free if c.due <= now), key=lambda c: c.due)

    def _send(self) -> None:
        now = time.monotonic()
        due = self._due(now)
        idle = [s for s in self._sessions if not s.busy]
        for canary, session in zip(due, idle, strict=False):
            canary.due = now + self._every
            session.try_it(canary)
        late = len(due) > len(idle) and all(s.canary is not None for s in self._sessions if s.busy)
        # Only when the others wait: two sessions are enough while no table is locked.
        if late and len(self._sessions) < self._most and (len(self._sessions) < 2 or self._stuck(now)):
            self._sessions.append(CanarySession(self._dsn, self._ours))

    def _stuck(self, now: float) -> bool:
        """Whether every session is busy with a try that does not come back at once."""
        return all(s.canary is not None and now - s.canary.sent > 0.005 for s in self._sessions)

    def _receive(self) -> None:
        import psycopg2

        poll = select.poll()
        by_number = {s.fileno(): s for s in self._sessions if s.busy}
        for number in by_number:
            poll.register(number, select.POLLIN | (0 if by_number[number].canary else select.POLLOUT))
        # Soon enough for the next try, and for a table that is locked meanwhile.
        ready = poll.poll(2)
        for number, _ in ready:
            session = by_number[number]
            canary = session.canary
            try:
                answer = session.step()
            except psycopg2.Error as error:
                self._refused(session, canary, error)
                continue
            if answer is not None and canary is not None:
                self._tries += 1
                self._widest = max(self._widest, canary.came_through(answer[0], answer[2]))

    def _refused(self, session: CanarySession, canary: Canary | None, error: Any) -> None:
        if canary is None and not session.ready and self._sessions[1:]:
            # One session more than the server takes: the others go on.
            self._sessions.remove(session)
            self._most = len(self._sessions)
            self._gaps.append(f"the server took no more than {self._most} canaries at once")
            return
        if not session.recover() or canary is None:
            raise error
        self._tries += 1
        # The column that it sets may have gone: another one will do, if the table is there.
        if error.pgcode == "42703" and self._other_column(canary):
            canary.due = 0.0
            return
        now = time.monotonic()
        locked = error.pgcode == LOCK_NOT_AVAILABLE
        canary.due = now + (ROW_AGAIN_SECONDS if locked else AGAIN_SECONDS)
        failing = "" if locked else f"{error.pgcode} {type(error).__name__}"
        canary.was_refused(canary.sent + self._offset, now + self._offset, failing)

    def _other_column(self, canary: Canary) -> bool:
        connection = self._ours.open()
        try:
            found, _ = perches(connection.cursor())
        finally:
            connection.close()
        same = (canary.perch.relation, canary.perch.access)
        other = [p for p in found if (p.relation, p.access) == same and p.sql != canary.perch.sql]
        if other:
            canary.perch = other[0]
        return bool(other)

    def _close(self) -> None:
        waiting = {id(s.canary): s.canary.sent for s in self._sessions if s.busy and s.canary is not None}
        for session in self._sessions:
            session.close()
        now = time.monotonic() + self._offset
        for canary in self._canaries:
            since = waiting.get(id(canary))
            canary.ended(now, None if since is None else since + self._offset)
