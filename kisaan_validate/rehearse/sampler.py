"""Who holds or awaits which lock, seen from outside every few milliseconds."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.tape import BLOCKS_WRITES
from kisaan_validate.rehearse.ours import OurSessions

EVERY_SECONDS = 0.005
"""How long the sampler rests between two looks."""

_LOOK = """
    SELECT extract(epoch FROM clock_timestamp())::float8, l.pid, l.relation::bigint, l.mode, l.granted,
           l.virtualtransaction
      FROM (VALUES (1)) AS one LEFT JOIN pg_locks AS l
        ON l.pid <> ALL (%(ours)s)
       AND (l.locktype = 'transactionid' AND l.granted
            OR l.locktype = 'relation' AND l.database = %(database)s AND l.relation >= 16384)
"""
# The left join: a look that sees no lock still says when it was.


class LockKey(NamedTuple):
    """A session's lock. ``relation`` None: it has a transaction id, so that it has written."""

    pid: int
    relation: int | None
    mode: str
    granted: bool
    transaction: str


@dataclass(frozen=True)
class SampledLock:
    """A lock as it was seen without interruption, from ``first`` to ``last`` in seconds since 1970."""

    key: LockKey
    first: float
    last: float


class LockSampler:
    """Within, a thread looks at the locks of all sessions but ours, through a session of its own."""

    def __init__(self, ours: OurSessions) -> None:
        self._ours = ours
        self._done = threading.Event()
        self._open: dict[LockKey, list[float]] = {}
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: list[SampledLock] = []
        self.widest: float | None = None
        """The longest time between two looks."""
        self.locked: frozenset[int] = frozenset()
        """The relations that somebody kept others from, or waited to, at the last look."""
        self.failure = ""
        """Why it could not look any more, "" if it could to the end."""

    def __enter__(self) -> LockSampler:
        self._thread.start()
        # Nothing that is to be seen may begin before the first look.
        self._looked.wait(30.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._note({})

    def _run(self) -> None:
        import psycopg2

        try:
            connection = self._ours.open()
        except psycopg2.Error as error:
            self.failure = type(error).__name__
            self._looked.set()
            return
        try:
            self._look_until_done(connection)
        except psycopg2.Error as error:
            self.failure = error.pgcode or type(error).__name__
        finally:
            self._looked.set()
            connection.close()

    def _look_until_done(self, connection: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
        ((database,),) = cursor.fetchall()
        before: float | None = None
        last = False
        while not last:
            # One look after the end too: what it sees gone ended before.
            last = self._done.is_set()
            cursor.execute(_LOOK, {"ours": list(self._ours.pids), "database": database})
            rows = cursor.fetchall()
            now = rows[0][0]
            if before is not None:
                self.widest = max(self.widest or 0.0, now - before)
            before = now
            self._note({LockKey(*row[1:]): now for row in rows if row[1] is not None})
            self._looked.set()
            self._done.wait(EVERY_SECONDS)

    def _note(self, there: dict[LockKey, float]) -> None:
        # Replaced as a whole: another thread reads it.
        self.locked = frozenset(k.relation for k in there if k.relation and k.mode in BLOCKS_WRITES)
        for key in self._open.keys() - there.keys():
            first, last = self._open.pop(key)
            self.seen.append(SampledLock(key, first, last))
        for key, at in there.items():
            self._open.setdefault(key, [at, at])[1] = at


def by_session(locks: Collection[SampledLock]) -> dict[int, list[SampledLock]]:
    """Sampled locks by the process that held or awaited them, in order of time."""
    found: dict[int, list[SampledLock]] = defaultdict(list)
    for lock in sorted(locks, key=lambda lock: lock.first):
        found[lock.key.pid].append(lock)
    return found
