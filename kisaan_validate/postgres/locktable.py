"""The server's shared table of locks: how large it is, how full, and how much a table takes. Raises
DatabaseError.

One table serves all sessions of a server. A session that finds it full gets "out of shared memory".
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.qualify import qualified

FULL_HINT = "wait until the server is less busy, or raise max_locks_per_transaction (needs a restart)"

_SIZE = (
    "current_setting('max_locks_per_transaction')::bigint"
    " * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)"
)
"""The documented size. The server's own is larger: its auxiliary processes have places too, and some
memory is spare.
"""

_TAKEN = "FROM pg_locks AS l WHERE NOT l.fastpath AND l.mode <> 'SIReadLock'"
"""Locks of the fast path are kept by their own session, those of predicates in a table of their own."""

_ROOM = qualified(
    f"SELECT {_SIZE}, (SELECT count(*) {_TAKEN} AND l.pid IS DISTINCT FROM pg_backend_pid()), "
    "current_setting('max_parallel_workers_per_gather')::int"
)
_TAKEN_NOW = qualified(f"SELECT {_SIZE}, (SELECT count(*) {_TAKEN})")

_PATIENCE, _PAUSE = 10.0, 0.25
"""Seconds: how long others may take to give back locks, and how often that is looked at."""


@dataclass(frozen=True)
class Room:
    """``size`` locks fit into the table by its settings; ``used`` are held by others. ``parallel`` workers
    may help a statement.
    """

    size: int
    used: int
    parallel: int = 0

    @property
    def free(self) -> int:
        """How many locks a guest may take: half of the table stays free of everybody's."""
        return max(0, self.size // 2 - self.used)


@dataclass(frozen=True)
class Cost:
    """What a table takes of the table of locks: itself with all its parts, and their indexes, which
    every reader locks too.
    """

    relations: int = 1
    indexes: int = 0

    @property
    def read(self) -> int:
        """The locks of a session that reads it."""
        return self.relations + self.indexes


def read_room(session: Session) -> Room:
    """The table of locks as it is now, without what this session holds."""
    ((size, used, parallel),) = session.execute(_ROOM)
    return Room(size, used, parallel)


def read_costs(session: Session, oids: Iterable[int]) -> Mapping[int, Cost]:
    """What each of these relations costs, by oid."""
    rows = session.execute(query("lockcosts", "tree"), {"oids": list(oids)})
    return {oid: Cost(relations, indexes) for oid, relations, indexes in rows}


def overfull(session: Session, more: int = 0) -> str:
    """Whether less than half of the table is free, ``more`` locks counted in that are about to be taken:
    in words, or "".
    """
    ((size, used),) = session.execute(_TAKEN_NOW)
    # Half of it is for everybody else: a full table makes their statements fail, not only ours.
    if used + more <= size // 2:
        return ""
    return f"{used:,} of {size:,} slots of the server's lock table are in use, and half of it must stay free"


def await_room(session: Session, more: int) -> None:
    """Wait until ``more`` locks leave half of the table free. Raises DatabaseError if that does not come
    within seconds.
    """
    end = time.monotonic() + _PATIENCE
    while why := overfull(session, more):
        if time.monotonic() > end:
            raise DatabaseError(f"not run: {why}", FULL_HINT, "53200")
        time.sleep(_PAUSE)
