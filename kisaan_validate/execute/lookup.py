"""Listing few rows together with those that they refer to, each of which is looked up through its unique
index.

The result is compared with what was counted, and the heap is asked where they differ: so an index
is never believed here, it only saves reading.
"""

from __future__ import annotations

import re

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import explained, undo
from kisaan_validate.execute.recovery import recover, tuned
from kisaan_validate.postgres.session import Rows, Session, Setting

_BY_INDEX: tuple[Setting, ...] = (("enable_indexscan", "on"),)

# The planner takes marked rows for far more than they are, and would read all of the other table for them.
_ONE_BY_ONE: tuple[Setting, ...] = (
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
)

_REFERRED = re.compile(r"parent(_\d+)?")
"""The alias of rows that are referred to (``plan.joins.join_pass``), and of its partitions."""


def looked_up(session: Session, sql: str) -> tuple[Rows, float] | None:
    """The rows of a listing and its milliseconds; None where the index cannot give them. Raises nothing."""
    try:
        with tuned(session, _ONE_BY_ONE):
            plan = explained(session, sql, _BY_INDEX)
            # Without an index each row would cost a scan of the other table.
            wanted = all(
                scan.kind == "Index Scan" if _REFERRED.fullmatch(scan.alias) else scan.of_the_heap
                for scan in plan.scans
            )
            found = session.timed(sql) if wanted else None
            undo(session, _BY_INDEX)
        return found
    except DatabaseError:
        recover(session)
        return None
