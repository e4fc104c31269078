"""The first session asks one statement after another: one that fails must not take the next ones with it."""

from __future__ import annotations

from contextlib import suppress

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import HEAP
from kisaan_validate.execute.recovery import SAVEPOINT, give_back, recover
from kisaan_validate.postgres.session import Session


def heaps_only(holder: Session) -> None:
    """From here on the first session reads no catalogue, only rows. A lost one fails at its next
    statement.
    """
    # Swallowed: the next statement of this session meets the same loss and reports it.
    with suppress(DatabaseError):
        # Locks of the catalogue would fill the lock table for the rest of the run.
        give_back(holder)
        holder.tune(HEAP)
        if holder.frugal:
            holder.execute(f"SAVEPOINT {SAVEPOINT}")  # what it returns to: heaps only


def unready(holder: Session) -> str:
    """Let a statement of the first session fail without the next ones; why that cannot be, or "" (what was
    measured stays).
    """
    try:
        holder.execute(f"SAVEPOINT {SAVEPOINT}")
    except DatabaseError as error:
        return error.fact
    return ""


def goes_on(session: Session, error: DatabaseError) -> bool:
    """Whether other tables can still be read after one could not: the server said why, and the session is
    as before.
    """
    # Without a SQLSTATE the server did not say it: the line broke.
    if not error.sqlstate or error.lost or session.lost:
        return False
    recover(session)
    return not session.lost


def alive(session: Session) -> bool:
    """Whether the snapshot is still held."""
    try:
        # A session learns that the server ended it only when it asks.
        session.execute("SELECT 1")
        return True
    except DatabaseError:
        return False
