"""The snapshot that a whole run sees, and the locks that keep it true."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import HEAP
from kisaan_validate.execute.locking import Locking, choose_locking
from kisaan_validate.execute.recovery import SAVEPOINT
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.catalogue import read_catalogue, read_fence, read_fence_unheld, read_place
from kisaan_validate.postgres.damage import damage_unseen
from kisaan_validate.postgres.locktable import FULL_HINT, Room, overfull, read_costs, read_room
from kisaan_validate.postgres.same_server import HolderMark, Shared, leave_mark, prove_same_server
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.standins import SQLSTATE, read_standins
from kisaan_validate.sql.expressions import table_sql
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.suite.foreign import WITHHELD, refused


@dataclass(frozen=True)
class Snapshot:
    """What the holder of the snapshot knows. ``locked`` are the tables whose files cannot change while it
    lives.

    ``fenced`` are those and the materialized views, which cannot be locked: a change of their files is
    found out. ``locking`` says how tables are locked; where it holds none, all are fenced.
    """

    id: str
    mark: HolderMark
    place: Place
    catalogue: Catalogue
    locked: tuple[Table, ...]
    unavailable: Mapping[TableKey, tuple[str, str]]
    files: Mapping[int, tuple[int | str, ...]]
    notices: tuple[Notice, ...]
    fenced: tuple[Table, ...]
    locking: Locking = field(default_factory=Locking)

    @property
    def withheld(self) -> Mapping[TableKey, str]:
        """The tables that are not read, and why: another server holds their rows, or somebody's cast would
        answer.
        """
        return {key: why for key, (state, why) in self.unavailable.items() if state in {WITHHELD, SQLSTATE}}

    @property
    def shared(self) -> Shared:
        """What other sessions need to join it."""
        return Shared(self.id, self.mark)

    @property
    def kept(self) -> tuple[Table, ...]:
        """The tables that every reader locks at its start, and keeps."""
        return self.locked if self.locking.kept else ()


Reasons = dict[TableKey, tuple[str, str]]
"""Why tables cannot be read: (SQLSTATE or "", in words)."""


def take_snapshot(
    session: Session,
    tables: Iterable[Table],
    schemas: Sequence[str],
    aliases: Mapping[str, tuple[str, ...]],
    source: str,
    foreign: Iterable[str] = (),
    *,
    readers: int = 0,
    together: Iterable[Collection[TableKey]] = (),
    share: int = 1,
) -> Snapshot:
    """Lock, then look: a table truncated or rewritten after the snapshot would look empty, or be read as
    it never was.

    ``tables`` come from an earlier look at the catalogue; the catalogue is read again inside the snapshot.
    ``foreign`` names the tables that may be read although another server holds their rows. ``readers``
    sessions will join; ``together`` are tables that one statement may read; ``share`` such holders work
    side by side (see ``locking``). Where the server's lock table has no room for a guest, no table is locked,
    and none is available. Raises DatabaseError if the session is lost.
    """
    wanted = list(tables)
    # The order is the point of this function: the mark is the first query, which fixes the snapshot.
    locking, locked, unavailable = _begun(session, wanted, together, readers, share)
    mark = leave_mark(session)
    # Exported while no subtransaction is open, because PostgreSQL refuses it in one.
    ((exported,),) = session.execute(qualified("SELECT pg_export_snapshot()"))
    place, notices = read_place(session, source, exported)
    if not locking.kept:
        notices.append(_said(locking))
        session.frugal = True
        # Later locks are given back to here; before the export it would have been a subtransaction.
        session.execute(f"SAVEPOINT {SAVEPOINT}")
    catalogue = read_catalogue(session, schemas, aliases)
    asked = {t.key for t in wanted if t.lockable}
    held = {t.key for t in locked} if locking.held else asked
    stored = {t.key for t in wanted if t.kind == "m"}
    # A materialized view cannot be locked with LOCK TABLE, but REFRESH gives it a new file, which is noticed.
    now = catalogue.tables.values()  # not ``locked``: a table may have been recreated under its name
    fenced = tuple(t for t in now if t.key in held or (t.kind == "m" and t.key in stored))
    unavailable |= _withheld(session, catalogue, locking, held, unavailable)
    # Last, so that "another server holds its rows" overrides reasons that matter less.
    unavailable.update(refused(catalogue, foreign))
    files = _files(session, fenced, locking)
    # Without locks the readers take what the catalogue shows now; a vanished table is noticed by its file.
    readable = tuple(locked) if locking.held else tuple(t for t in fenced if t.lockable)
    return Snapshot(
        exported, mark, place, catalogue, readable, unavailable, files, tuple(notices), fenced, locking
    )


def _begun(
    session: Session,
    tables: Sequence[Table],
    together: Iterable[Collection[TableKey]],
    readers: int,
    share: int,
) -> tuple[Locking, list[Table], Reasons]:
    """Begin, and lock what has room; how, which tables are locked, and why others are not."""
    locking = _locking(session, tables, together, readers, share)
    session.begin()
    # The first query fixes the snapshot: LOCK and SET do not.
    locked, unavailable = lock_tables(session, tables) if locking.held else ([], {})
    if not locking.held or not overfull(session):
        # Looked at again after locking: runs that begin together all saw the room before any of them took it.
        return locking, locked, unavailable
    session.execute("ROLLBACK")  # others came meanwhile
    locking = _locking(session, tables, together, readers, share, held=False)
    session.begin()
    return locking, [], {}


def _said(locking: Locking) -> Notice:
    """What a run says of the way in which it locks, where that is not the best."""
    if locking.impossible:
        return Notice("locks", locking.impossible, FULL_HINT)
    hint = "raise max_locks_per_transaction to lock all tables for the whole snapshot"
    return Notice("locks", locking.why, hint)


def _withheld(
    session: Session, catalogue: Catalogue, locking: Locking, held: Collection[TableKey], known: Reasons
) -> Reasons:
    """Tables that are there and must not be read, beside those that are ``known``, and why."""
    now = catalogue.tables.values()
    late = (t for t in now if t.lockable and t.key not in held and t.key not in known)
    found: Reasons = {t.key: ("", f"{t.name} appeared after the tables were locked; run again") for t in late}
    found |= {key: ("53200", why) for key, why in locking.refused.items() if key in catalogue.tables}
    found |= read_standins(session).refused(catalogue)
    if locking.impossible:
        found |= {t.key: ("53200", f"not run: {locking.impossible}") for t in now}
    # Such a session cannot promise that it meets every row, so nothing over rows is answered.
    if unseen := damage_unseen(session):
        found |= {t.key: ("", unseen) for t in now}
    return found


def _locking(
    session: Session,
    tables: Sequence[Table],
    together: Iterable[Collection[TableKey]],
    readers: int,
    share: int,
    *,
    held: bool = True,
) -> Locking:
    """How these tables are to be locked, as far as the server has room now. Raises DatabaseError."""
    # READ COMMITTED: each query sees the lock table as it is, and no snapshot is held for it.
    session.begin(isolation="READ COMMITTED")
    _, locking = room_for(session, tables, together, readers, share, held=held)
    session.execute("ROLLBACK")
    return locking


def room_for(
    session: Session,
    tables: Iterable[Table],
    together: Iterable[Collection[TableKey]],
    readers: int,
    share: int = 1,
    *,
    held: bool = True,
) -> tuple[Room, Locking]:
    """The server's lock table as it is now, and how these tables would be locked. Raises DatabaseError."""
    listed = list(tables)
    room, costs = read_room(session), read_costs(session, [t.oid for t in listed])
    known = {t.key: costs[t.oid] for t in listed if t.oid in costs}
    return room, choose_locking(room, known, together, readers, share, holding=held)


def _files(
    session: Session, tables: Iterable[Table], locking: Locking
) -> Mapping[int, tuple[int | str, ...]]:
    oids = [t.oid for t in tables]
    if locking.held:
        # Held tables cannot change shape, so their files
        # suffice; otherwise name, columns and query count too.
        return read_fence(session, oids)
    return read_fence_unheld(session, oids)


def lock_tables(
    session: Session, tables: Iterable[Table]
) -> tuple[list[Table], dict[TableKey, tuple[str, str]]]:
    """ACCESS SHARE on every table: all at once, and if that fails one by one, to name those that cannot be
    had.
    """
    wanted = [t for t in tables if t.lockable]
    if not wanted:
        return [], {}
    # All in one statement: one round trip, and one wait if somebody holds an exclusive lock.
    session.execute("SAVEPOINT locks")
    try:
        session.execute(f"LOCK TABLE {', '.join(table_sql(t) for t in wanted)} IN ACCESS SHARE MODE")
        session.execute("RELEASE SAVEPOINT locks")  # a snapshot cannot be exported from a subtransaction
        return wanted, {}
    except DatabaseError as error:
        if error.lost:
            raise
        session.execute("ROLLBACK TO SAVEPOINT locks; RELEASE SAVEPOINT locks")
    return _lock_each(session, wanted)


def _lock_each(
    session: Session, wanted: Iterable[Table]
) -> tuple[list[Table], dict[TableKey, tuple[str, str]]]:
    locked: list[Table] = []
    unavailable: dict[TableKey, tuple[str, str]] = {}
    # One by one, each in its own savepoint: a table that is locked or forbidden costs itself alone.
    for table in wanted:
        session.execute("SAVEPOINT locks")
        try:
            session.execute(f"LOCK TABLE {table_sql(table)} IN ACCESS SHARE MODE")
            session.execute("RELEASE SAVEPOINT locks")
            locked.append(table)
        except DatabaseError as error:
            if error.lost:
                raise
            session.execute("ROLLBACK TO SAVEPOINT locks; RELEASE SAVEPOINT locks")
            unavailable[table.key] = (error.sqlstate, error.fact)
    return locked, unavailable


def join_snapshot(session: Session, shared: Shared) -> None:
    """Begin a transaction in a snapshot that another session holds, on the same server. Raises
    DatabaseError.
    """
    session.begin(snapshot=shared.id)
    prove_same_server(session, shared.mark)


def enter_snapshot(session: Session, shared: Shared, tables: Iterable[Table], *, keep: bool) -> None:
    """Join the snapshot as a reader that sees heaps only; its savepoint is what it returns to. Raises
    DatabaseError.

    All locks at once and at the start (``keep``): a lock asked for later could queue behind somebody's
    ALTER TABLE. Where the server's lock table is too full for that, each statement takes its own and gives
    them back.
    """
    join_snapshot(session, shared)
    if keep:
        lock_tables(session, tables)
        # Readers lock at the same moment: one that overfills the lock table gives its locks back at once.
        if overfull(session):
            session.execute("ROLLBACK")
            join_snapshot(session, shared)
            keep = False
    session.frugal = not keep
    # After the locks, because the savepoint is where every later failure returns to.
    session.tune(HEAP)
    session.execute(f"SAVEPOINT {SAVEPOINT}")


def rewritten(session: Session, snapshot: Snapshot) -> set[TableKey]:
    """The tables whose files are no longer those that the snapshot saw. Needs a session outside the snapshot.

    Raises DatabaseError, also if the session is not on the snapshot's server.
    """
    # Its own transaction, begun now: inside the snapshot the catalogue would show the old files.
    session.begin(isolation="READ COMMITTED")
    # Behind a pooler it may be another server by now, whose files mean nothing.
    prove_same_server(session, snapshot.mark)
    now = _files(session, snapshot.fenced, snapshot.locking)
    session.execute("ROLLBACK")
    return {t.key for t in snapshot.fenced if now.get(t.oid) != snapshot.files.get(t.oid)}
