"""A session before and after a statement: its settings, and the way back when it failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kisaan_validate.errors import DatabaseError
from kisaan_validate.postgres.session import Session, usual


def recover(session: Session) -> None:
    """Back to the savepoint that every worker sets once; rolling back to it keeps it."""
    if not session.lost:
        try:
            session.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        except DatabaseError:
            # Without the savepoint every later statement would fail with 25P02 and hide the first error.
            session.close()


def give_back(session: Session) -> None:
    """After a statement: the locks that it took, where the server's lock table has no room to keep them."""
    # Rolling back to the savepoint gives back the locks taken since; the snapshot stays.
    if session.frugal:
        recover(session)


SAVEPOINT = "kisaan"


@contextmanager
def tuned(session: Session, settings: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Settings of the planner for the statements in the block. They change no answer, so one that fails is
    left out.
    """
    try:
        session.tune(settings)
    except DatabaseError:
        recover(session)
    try:
        yield
    finally:
        if settings and not session.lost:
            try:
                # Not DEFAULT, which is the role's own where it has one.
                session.tune([(name, usual(name)) for name, _ in settings])
            except DatabaseError:
                recover(session)


FEW_ROWS = (("parallel_tuple_cost", "0"),)
"""Violating rows are few, but the planner takes them for many, and would not read them in parallel."""
