"""Every session of a run proves that it is on the server of the session that holds the snapshot (see
execute.snapshot).

One address may stand for several servers: a load balancer, a list of hosts, a name with several addresses.
A snapshot of the same name may exist on each of them, and a base backup has the same system identifier. So
the holder takes a lock whose key is drawn at random for this run: a session that finds it taken is on
the holder's server. The lock is advisory, in shared memory, and collides with no other: it blocks nothing,
writes nothing, works on a standby and ends with the holder's transaction.

Where that function is revoked, the holder puts the key into its ``application_name``, which
``pg_stat_activity`` shows to every role (PostgreSQL documentation, 27.2.3).
"""

from __future__ import annotations

import secrets

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.postgres.session import Session

# Shared by the holder, exclusive for the others: a shared try would succeed, and prove nothing.
_HOLD = "SELECT pg_catalog.pg_try_advisory_xact_lock_shared({key})"
_TRY = "SELECT pg_catalog.pg_try_advisory_xact_lock({key})"
_NAME = "SELECT pg_catalog.set_config('application_name', 'kisaan-validate {key}', true)"
_NAMED = (
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
    " WHERE application_name OPERATOR(pg_catalog.=) 'kisaan-validate {key}'"
)
_PROCESS = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_postmaster_start_time()::text"

REVOKED = "42501"


@dataclass(frozen=True)
class HolderMark:
    """What the holder left on its server: a random key (a bigint), and whether as a lock or as a name."""

    key: int
    locked: bool


@dataclass(frozen=True)
class Shared:
    """A snapshot that other sessions import: its exported name, and the mark by which they know its
    server.
    """

    id: str
    mark: HolderMark


def leave_mark(holder: Session) -> HolderMark:
    """Mark the server of the session that holds the snapshot, until its transaction ends. Raises
    DatabaseError.
    """
    # 63 bits, so that the key is a positive bigint.
    key = secrets.randbits(63)
    holder.execute("SAVEPOINT mark")
    try:
        ((taken,),) = holder.execute(_HOLD.format(key=key))
    except DatabaseError as error:
        # Only a missing right has a way out; anything else is the failure of the run.
        if error.lost or error.sqlstate != REVOKED:
            raise
        holder.execute("ROLLBACK TO SAVEPOINT mark; RELEASE SAVEPOINT mark")
        holder.execute(_NAME.format(key=key))
        return HolderMark(key, locked=False)
    holder.execute("RELEASE SAVEPOINT mark")  # a snapshot cannot be exported from a subtransaction
    if not taken:  # one chance in 2^63: somebody has this very lock
        return leave_mark(holder)
    return HolderMark(key, locked=True)


def prove_same_server(session: Session, mark: HolderMark) -> None:
    """Refuse a session that is not on the server of the mark. Its transaction must have begun. Raises
    DatabaseError.

    A session that has proved it once is still there while it is the same process of the same server, also
    after the holder has ended. Behind a transaction pooler the next transaction may be another server's.
    """
    # The postmaster's start too: after a restart another process may have the same number.
    ((pid, started),) = session.execute(_PROCESS)
    if session.proved == (pid, started):
        return
    if not _sees(session, mark):
        raise DatabaseError(
            "this session is on a different server than the snapshot (or the session that held "
            "the snapshot has ended)",
            (
                "connect to one server, not to a load balancer, a list of hosts or a pooler for "
                "several servers"
            ),
            "08000",
        )
    session.proved = (pid, started)


def _sees(session: Session, mark: HolderMark) -> bool:
    if not mark.locked:
        # One session or more of that name; the key in it is random, so nobody else has it.
        return session.execute(_NAMED.format(key=mark.key)) != [(0,)]
    # The lock is taken at once if it is free; this transaction then holds it to its end, which harms nobody.
    ((free,),) = session.execute(_TRY.format(key=mark.key))
    return not free
