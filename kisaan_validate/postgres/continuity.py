"""Whether two snapshots are of one history: what the later sees of an old transaction, the earlier one saw.

Transaction ids and places of rows mean the same on two nights only if the server was never set back to an
older state in between. It cannot be while it runs. What an unclean end of its processes takes away is what
its log had not written; so the log must have been written up to the snapshot.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.qualify import qualified

WRITTEN_SECONDS = 20.0
"""How long is waited for the log to be written. Ends of transactions are within a second, also of those that
do not wait for it (PostgreSQL documentation, 28.4 Asynchronous Commit); what vacuum and reading itself log is
within 15 s, when the background writer logs what runs (source, postmaster/bgwriter.c,
LOG_SNAPSHOT_INTERVAL_MS).
"""


@dataclass(frozen=True)
class Moment:
    """Where a server stands in a snapshot. ``server`` is a digest of what it is, since it was started; all
    transactions below ``horizon`` had ended, and none from ``upper`` on is seen. ``log`` is the end of its
    log when that was asked, in the snapshot; "" on a standby, which has all that it shows on its disk.
    """

    server: str
    horizon: int
    upper: int
    log: str


def read_moment(session: Session, system_identifier: str) -> Moment:
    """Where the server stands, in the session's snapshot. Raises DatabaseError."""
    ((snapshot, started, recovery, database, log),) = session.execute(query("continuity"))
    # "xmin:xmax:xip_list" (PostgreSQL documentation, 9.27 Transaction ID and Snapshot Information).
    horizon, upper, _ = str(snapshot).split(":")
    said = "|".join(map(str, (system_identifier, started, recovery, database)))
    return Moment(hashlib.sha256(said.encode()).hexdigest(), int(horizon), int(upper), log or "")


def read_shapes(session: Session, oids: Iterable[int]) -> dict[int, str]:
    """A digest of what each table is, by oid: its file and its columns. Only of those that are kept as heaps:
    elsewhere a version may be changed where it lies. Raises DatabaseError.
    """
    rows = session.execute(query("shapes"), {"oids": list(oids)})
    return {oid: hashlib.sha256(str(said).encode()).hexdigest() for oid, kept, said in rows if kept == "heap"}


def read_functions(session: Session, names: Collection[str]) -> tuple[dict[str, bool], dict[str, str]]:
    """Of the functions of these names that did not come with the server: whether all of a name are immutable,
    and a digest of what they are, by name. Raises DatabaseError.
    """
    immutable: dict[str, bool] = {}
    digests: dict[str, str] = {}
    for name, always, digest in session.execute(query("functions"), {"names": sorted(names)}):
        immutable[name] = immutable.get(name, True) and always
        digests[name] = digests.get(name, "") + digest
    return immutable, digests


def functions_text(digests: Mapping[str, str], names: Iterable[str]) -> str:
    """What functions of these names are, as a text that changes with any of them."""
    return ",".join(f"{name} {digests[name]}" for name in sorted(set(names)) if name in digests)


def is_written(session: Session, log: str) -> bool:
    """Whether the log is on disk up to a position, so that no crash can take back what stands before it.
    Waits for it a moment. Raises DatabaseError.
    """
    if not log:
        return True
    asked = qualified(f"SELECT pg_current_wal_flush_lsn() >= '{log}'::pg_lsn")
    until = time.monotonic() + WRITTEN_SECONDS
    while True:
        ((written,),) = session.execute(asked)
        if written or time.monotonic() >= until:
            return bool(written)
        time.sleep(0.05)


def try_read(session: Session, system_identifier: str) -> Moment | str:
    """Where the server stands, or why that cannot be told. Raises DatabaseError if the session is lost."""
    session.execute("SAVEPOINT moment")
    try:
        found = read_moment(session, system_identifier)
    except DatabaseError as error:
        if error.lost:
            raise
        session.execute("ROLLBACK TO SAVEPOINT moment; RELEASE SAVEPOINT moment")
        return error.fact
    session.execute("RELEASE SAVEPOINT moment")
    return found
