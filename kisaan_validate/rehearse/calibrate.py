"""How fast this machine is beside production: the same count of one table, timed here and there."""

from __future__ import annotations

import time
from typing import Any

from kisaan_validate.errors import TargetError
from kisaan_validate.facts.rehearsal import Calibration
from kisaan_validate.postgres.connecting import connect
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.expressions import quote

TIMES = 3
"""The best of so many counts: the first may read from the disk."""
THERE_SECONDS = 60
"""A count in production that takes longer is given up."""

_LARGEST = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^(pg_|information_schema$)'
     ORDER BY pg_relation_size(c.oid) DESC, 1, 2 LIMIT 1
"""
# One process, as a migration is; the table's own pages, as a rewrite reads them.
_ALONE = (
    "SET max_parallel_workers_per_gather = 0",
    "SET enable_indexonlyscan = off",
    "SET enable_indexscan = off",
    "SET enable_bitmapscan = off",
    "SET jit = off",
    "SET search_path = ''",
)
_GUEST = (
    "SET default_transaction_read_only = on",
    f"SET statement_timeout = '{THERE_SECONDS}s'",
    "SET lock_timeout = '1s'",
)


def calibrated(connection: Any, production: Target | None, stop: Stop | None = None) -> Calibration | None:
    """The calibration by the largest table of a copy; None if it has no table. ``connection`` is a
    superuser's on the copy. Production is only read, within limits; where it cannot be, the reason is said.
    """
    cursor = connection.cursor()
    cursor.execute(_LARGEST)
    found = cursor.fetchone()
    if found is None:
        return None
    relation, quoted = ".".join(found), ".".join(quote(part) for part in found)
    _set(cursor, _ALONE)
    rows, here = _timed(cursor, quoted)
    if production is None:
        return Calibration(relation, rows, here, None, reason="no production database was named")
    rows_there, there, reason = _there(production, quoted, stop or Stop())
    return Calibration(relation, rows, here, there, rows_there, reason)


def _there(production: Target, quoted: str, stop: Stop) -> tuple[int | None, float | None, str]:
    import psycopg2

    try:
        connection = connect(production, 10, stop)
    except TargetError as error:
        return None, None, error.fact
    try:
        cursor = connection.cursor()
        _set(cursor, (*_GUEST, *_ALONE))
        rows, seconds = _timed(cursor, quoted)
        return rows, seconds, ""
    except psycopg2.Error as error:
        return (
            None,
            None,
            f"production refused the count: SQLSTATE {error.pgcode or 'none, the line was lost'}",
        )
    finally:
        connection.close()


def _set(cursor: Any, settings: tuple[str, ...]) -> None:
    for setting in settings:
        cursor.execute(setting)


def _timed(cursor: Any, quoted: str) -> tuple[int, float]:
    """The rows of a table, and the seconds of the fastest count."""
    rows, best = 0, float("inf")
    for _ in range(TIMES):
        start = time.perf_counter()
        cursor.execute(f"SELECT count(*) FROM {quoted}")
        rows = cursor.fetchone()[0]
        best = min(best, time.perf_counter() - start)
    return rows, best


def calibration_words(found: Calibration | None) -> str:
    """A sentence for people: what a time measured here is there."""
    if found is None:
        return "The copy has no table, so that nothing says how fast production is beside it."
    here = f"Counting the {found.rows:,} rows of {found.relation} took {found.here:.3f} s here"
    if found.there is None or found.rows_there is None:
        return f"{here}; how long in production, nobody measured: {found.reason}."
    there = f"{here} and {found.there:.3f} s for {found.rows_there:,} rows in production"
    factor = found.factor
    if factor is None:
        return f"{there}: too little to compare."
    if factor >= 1:
        return f"{there}: expect times there to be about {factor:.1f} times as long as here."
    return f"{there}: production is about {1 / factor:.1f} times as fast as this machine."
