"""One run at a time: an advisory lock on the server, which excludes runs on all hosts. Reads only, like
everything here.

The lock belongs to a transaction that stays open in a session of its own. A lock of the session would be
shared by all clients behind a transaction-pooling proxy; an open transaction keeps its server process to
itself. The transaction is READ COMMITTED and holds no snapshot, so it keeps no VACUUM from its work; it
ends with the session, whatever ends that.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import AlreadyRunning, DatabaseError
from kisaan_validate.postgres.expected import check_expectation
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.qualify import qualified


def lock_key(suite: str, database: str) -> int:
    """The key of the lock: the first eight bytes of SHA-256 over ``kisaan-validate``, suite and database,
    as a bigint.
    """
    # NUL, which no database's name can hold, keeps ("a", "bc") apart from ("ab", "c").
    digest = hashlib.sha256(
        "\0".join(("kisaan-validate", suite, database)).encode("utf-8", "surrogatepass")
    ).digest()
    # Signed, because the function takes a bigint.
    return int.from_bytes(digest[:8], "big", signed=True)


@dataclass(frozen=True)
class HeldLock:
    """A lock that is held."""

    database: str
    session: Session

    @property
    def lost(self) -> bool:
        """Whether the session that held it is gone, so that another run may have begun."""
        try:
            self.session.execute("SELECT 1")
            return False
        except DatabaseError:
            return True


@contextmanager
def advisory_lock(
    target: Target, limits: Limits, expect: Mapping[str, str], suite: str, stop: Stop | None = None
) -> Iterator[HeldLock]:
    """Hold the lock of a suite on a database. Raises AlreadyRunning, saying who holds it as far as this
    role may know.

    Raises TargetError (no connection, or not the expected database) and DatabaseError.
    """
    session = Session(target, limits, ("public",), stop)
    try:
        # Before the lock: the wrong database must not even be marked.
        check_expectation(session, expect, target)
        session.begin(isolation="READ COMMITTED")
        session.execute(
            # Local to the transaction, so that a pooler's next client does not inherit the name.
            qualified("SELECT set_config('application_name', %(name)s, true)"),
            {"name": _holder_name()},
        )
        ((database,),) = session.execute(qualified("SELECT current_database()"))
        key = lock_key(suite, database)
        # Tried, not waited for: a later run is told at once who holds it.
        ((granted,),) = session.execute(qualified("SELECT pg_try_advisory_xact_lock(%(key)s)"), {"key": key})
        if not granted:
            who = _who(session, key)
            raise AlreadyRunning(
                f"suite {suite!r} is already running against database {database!r}: {who}",
                "wait until it is done",
            )
        yield HeldLock(database, session)
    finally:
        session.close()


def _holder_name() -> str:
    """Seen by everybody in pg_stat_activity; the server keeps 63 bytes of it, in ASCII."""
    # A longer name would be cut by the server, with a warning for each session.
    return f"kisaan-validate --lock, pid {os.getpid()} on {socket.gethostname()}"[:63]


_HOLDER = qualified(
    "SELECT a.pid, a.usename::text, a.application_name, host(a.client_addr), a.xact_start FROM pg_locks AS l "
    "JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND "
    # objsubid 1 is a lock by one bigint, whose halves stand in classid and objid.
    "l.objsubid = 1 "
    "AND l.classid::bigint = %(high)s AND l.objid::bigint = %(low)s "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _who(session: Session, key: int) -> str:
    # Both halves as unsigned numbers, as pg_locks shows them.
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    rows = session.execute(_HOLDER, {"high": high, "low": low})
    # The holder may end between the try and the look.
    return _said(rows[0]) if rows else "it just ended"


def _said(row: tuple[Any, ...]) -> str:
    pid, role, name, address, since = row
    words = [str(name or "a session"), f"as {role}" if role else "", f"from {address}" if address else ""]
    words.append(
        f"since {_utc(since)}" if isinstance(since, datetime) else "start time hidden from this role"
    )
    return f"{', '.join(word for word in words if word)} (server process {pid})"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
