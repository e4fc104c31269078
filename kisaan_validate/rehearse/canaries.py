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
from dataclasses import dataclass, field
from typing import Any

from kisaan_validate.facts.rehearsal import (
    CanaryAccess,
    CanaryOutage,
    CanaryWatch,
    NotTried,
    OutageInterval,
    SecondsRange,
)
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.perches import Perch, perches

FELT_SECONDS = 0.1
"""A wait that is shorter is no outage: people do not notice it, and a busy machine makes it too."""
SOONEST_SECONDS = 0.02
"""A table is not tried more often than this."""
SHARE = 0.15
"""The part of one processor's time that canaries may take."""
LAST_SECONDS = 2.0
"""How long after the migration a canary that still waits may take to come through."""
ROW_AGAIN_SECONDS = 0.04
"""How soon a row is tried again that somebody holds."""
AGAIN_SECONDS = 0.1
"""How soon a table is tried again that could not be read or written for another reason than a lock."""


@dataclass
class Canary:
    """What one canary felt. Times are in seconds since 1970 by the server's clock."""

    perch: Perch
    due: float = 0.0
    good: float | None = None
    """When it last could do its work."""
    sent: float = 0.0
    failing: str = ""
    refused: tuple[float, float] | None = None
    """When it was refused first, and last, without coming through between."""
    tries: int = 0
    felt: list[OutageInterval] = field(default_factory=list)


class CanarySession:
    """A session that polls: it connects, sets itself up, and then does one try after another."""

    def __init__(self, dsn: str, ours: OurSessions) -> None:
        import psycopg2

        self._connection: Any = psycopg2.connect(dsn, async_=True)
        self._ours = ours
        self._cursor: Any = None
        self.ready = False
        self.canary: Canary | None = None
        self.busy = True

    def fileno(self) -> int:
        """The socket's number, which must be asked for anew: connecting may change it."""
        return int(self._connection.fileno())

    def try_it(self, canary: Canary) -> None:
        """Begin a try; only while not busy."""
        self.canary, self.busy = canary, True
        canary.sent = time.monotonic()
        self._cursor.execute(canary.perch.sql)

    def step(self) -> tuple[Any, ...] | None:
        """Go on; the answer of a try when it came. Raises psycopg2.Error for one that was refused."""
        from psycopg2.extensions import POLL_OK

        if self._connection.poll() != POLL_OK:
            return None
        if self._cursor is None:
            self.ready = True
            self._ours.pids.add(self._connection.info.backend_pid)
            self._cursor = self._connection.cursor()
            self._cursor.execute(f"{self._ours.settings}; SET session_replication_role = replica")
            return None
        self.busy = False
        return tuple(self._cursor.fetchone()) if self.canary is not None else None

    def recover(self) -> bool:
        """After a refusal, end the transaction that it left; False if the session is gone."""
        if self._connection.closed:
            return False
        self.canary, self.busy = None, True
        self._cursor.execute("ROLLBACK")
        return True

    def close(self) -> None:
        """End the session, whatever it waits for."""
        self._connection.close()


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
        self._canaries = [Canary(perch) for perch in found]
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
        outages = [self._outage(canary) for canary in self._canaries if canary.felt]
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

    def _outage(self, canary: Canary) -> CanaryOutage:
        felt = canary.felt
        least, most = sum(i.least for i in felt), sum(i.end - i.start for i in felt)
        longest = max(felt, key=lambda i: i.end - i.start)
        return CanaryOutage(
            canary.perch.relation,
            canary.perch.access,
            tuple(felt),
            SecondsRange(round(least, 6), round(most, 6)),
            SecondsRange(round(longest.least, 6), round(longest.end - longest.start, 6)),
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
        """After two rounds, of which the second shows how long one takes: how often all tables can be tried
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
        wait = min((c.due for c in self._canaries), default=0.0) - time.monotonic()
        ready = poll.poll(1000 * min(max(wait, 0.001), 0.01))
        for number, _ in ready:
            session = by_number[number]
            canary = session.canary
            try:
                answer = session.step()
            except psycopg2.Error as error:
                self._refused(session, canary, error)
                continue
            if answer is not None and canary is not None:
                self._came_through(canary, answer[0], answer[2])

    def _came_through(self, canary: Canary, sent: float, done: float) -> None:
        self._count(canary)
        good = canary.good if canary.good is not None else sent
        if canary.refused is not None:
            first, last = canary.refused
            if canary.failing or done - first >= FELT_SECONDS:
                self._feel(canary, good, done, last - first, canary.failing)
            canary.failing, canary.refused = "", None
        elif done - sent >= FELT_SECONDS:
            self._feel(canary, good, done, done - sent, "")
        else:
            self._widest = max(self._widest, done - good)
        canary.good = done

    def _refused(self, session: CanarySession, canary: Canary | None, error: Any) -> None:
        if canary is None and not session.ready and self._sessions[1:]:
            # One session more than the server takes: the others go on.
            self._sessions.remove(session)
            self._most = len(self._sessions)
            self._gaps.append(f"the server took no more than {self._most} canaries at once")
            return
        if not session.recover() or canary is None:
            raise error
        self._count(canary)
        # The column that it sets may have gone: another one will do, if the table is there.
        if error.pgcode == "42703" and self._other_column(canary):
            canary.due = 0.0
            return
        now = time.monotonic()
        # 55P03: somebody holds the row; it is a wait like others, in short pieces.
        locked = error.pgcode == "55P03"
        canary.due = now + (ROW_AGAIN_SECONDS if locked else AGAIN_SECONDS)
        canary.failing = canary.failing if locked else f"{error.pgcode} {type(error).__name__}"
        first, _ = canary.refused or (canary.sent + self._offset, 0.0)
        canary.refused = (first, now + self._offset)

    def _count(self, canary: Canary) -> None:
        self._tries += 1
        canary.tries += 1

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

    def _feel(
        self, canary: Canary, start: float, end: float, least: float, failed: str, left: bool = False
    ) -> None:
        start, end = max(0.0, start - self._started), end - self._started
        canary.felt.append(
            OutageInterval(
                start=round(start, 6),
                end=round(end, 6),
                least=round(min(max(0.0, least), end - start), 6),
                failed=failed,
                open=left,
            )
        )

    def _close(self) -> None:
        now = time.monotonic() + self._offset
        for session in self._sessions:
            canary = session.canary
            if session.busy and canary is not None and canary.refused is None:
                sent = canary.sent + self._offset
                if now - sent >= FELT_SECONDS:
                    good = canary.good if canary.good is not None else sent
                    self._feel(canary, good, now, now - sent, "", left=True)
            session.close()
        for canary in self._canaries:
            if canary.refused is not None:
                first, last = canary.refused
                good = canary.good if canary.good is not None else first
                if not canary.failing and now - first < FELT_SECONDS:
                    continue
                self._feel(canary, good, now, last - first, canary.failing, left=True)
