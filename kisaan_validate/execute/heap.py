"""The door for every statement that reads rows: its plan is looked at first, and what is no reading of the
heap is not run.

An index may lack rows, or lead to wrong ones: one that an update of the collation left out of order, one
that a fault of the server damaged. So sessions that read rows have the planner's ways through indexes
switched off, and as PostgreSQL takes that for a strong wish only, each plan is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.plans import QueryPlan, Scan
from kisaan_validate.postgres.session import Session, Setting, usual

# ``off`` is a cost, not a ban: PostgreSQL may still take an index where nothing else is possible.
HEAP: tuple[Setting, ...] = (
    ("enable_indexscan", "off"),
    ("enable_indexonlyscan", "off"),
    ("enable_bitmapscan", "off"),
)
"""Every row is met where it lies."""

LOOKUPS: tuple[Setting, ...] = (("enable_indexscan", "on"), ("enable_bitmapscan", "on"))
"""An index may find rows, whose values are then those of the heap."""

ANYHOW: tuple[Setting, ...] = (*LOOKUPS, ("enable_indexonlyscan", "on"))
"""An index may stand for the table."""

_SYSTEM = ("pg_catalog", "information_schema", "pg_toast")


class TooLarge(DatabaseError):
    """The planner expects more temporary files than a guest may write: not run, and so not answered."""


class NotRead(DatabaseError):
    """The plan would not read the heap of what is to be judged: not run, and so not answered."""


def refusal(session: Session, sql: str) -> DatabaseError | None:
    """Why a statement is not run in a session that reads heaps only; None if it may be. Raises
    DatabaseError.
    """
    plan = explained(session, sql)
    return too_large(session, plan) or not_read(beside_heap(session, sql, plan))


def explained(
    session: Session, sql: str, settings: Sequence[Setting] = (), *, verbose: bool = False
) -> QueryPlan:
    """The plan of a statement, which is not run, under these settings, which stay. Raises DatabaseError.

    ``verbose`` names the schemas too.
    """
    # In one message with the EXPLAIN: one round trip for each plan.
    changed = "".join(f"SET LOCAL {name} = {value}; " for name, value in settings)
    ((plan,),) = session.execute(f"{changed}EXPLAIN ({'VERBOSE, ' if verbose else ''}FORMAT JSON) {sql}")
    # A driver may hand JSON over parsed or as text.
    return QueryPlan((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def too_large(session: Session, plan: QueryPlan) -> TooLarge | None:
    """Whether a statement would write more temporary bytes than allowed. Raises DatabaseError."""
    expected = plan.temp_bytes(*session.memory)
    # The planner's estimate can be far off, but the server's own temp_file_limit needs a superuser to set.
    if expected <= session.limits.temp_bytes:
        return None
    allowed = session.limits.temp_bytes // 1024**2
    return TooLarge(
        f"not run: it would write about {expected // 1024**2} MiB of temporary files, but "
        f"{allowed} MiB are allowed",
        "raise temp_limit_mb, or run it on a copy",
    )


def beside_heap(
    session: Session, sql: str, plan: QueryPlan, found: Callable[[Scan], bool] = lambda scan: False
) -> tuple[Scan, ...]:
    """The scans by which rows of the database's own tables are not read from their heap. Raises
    DatabaseError.

    ``found`` tells the relations whose rows an index may find. What the catalogue of the server says is
    always found so.
    """
    # VERBOSE prints every output expression, which is long; most plans do not need it.
    if all(scan.of_the_heap for scan in plan.scans):
        return ()
    scans = explained(session, sql, verbose=True).scans  # only there are schemas named
    return tuple(s for s in scans if not s.of_the_heap and s.schema not in _SYSTEM and not found(s))


def not_read(scans: Sequence[Scan]) -> NotRead | None:
    """The error of a statement whose plan has these scans beside the heap."""
    if not scans:
        return None
    listed = ", ".join(dict.fromkeys(scan.words for scan in scans))
    return NotRead(
        f"not run: its rows would be found through {listed}, not read from the table",
        "if you know that the index is intact (pg_amcheck --heapallindexed), run with --trust-indexes",
    )


@contextmanager
def heap_only(session: Session) -> Iterator[None]:
    """Every statement in the block reads heaps only; afterwards the planner may do as before. Raises
    DatabaseError.
    """
    session.tune(HEAP)
    # After an error the session is rolled back, and the settings with it.
    yield
    if not session.lost:
        session.tune((name, usual(name)) for name, _ in HEAP)


@contextmanager
def by_index(session: Session) -> Iterator[None]:
    """In the block, which is of a session that reads heaps only, an index may find rows. Raises
    DatabaseError.

    After a failure in it the caller returns to the session's savepoint, and so to heaps only.
    """
    session.tune(LOOKUPS)
    yield
    # The same: a failure in the block skips this, and the savepoint undoes it.
    undo(session, LOOKUPS)


def undo(session: Session, settings: Sequence[Setting]) -> None:
    """Back to heaps only. Raises DatabaseError."""
    if settings and not session.lost:
        session.tune([(name, "off") for name, _ in settings])
