"""What canaries try on each table: a read, and a write that is rolled back in the same message."""

from __future__ import annotations

from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import CanaryAccess, NotTried
from kisaan_validate.sql.expressions import quote

ROW_MILLISECONDS = 10
"""How long a canary awaits the lock of a row while it holds its table's."""

_TIMES = (
    "SELECT extract(epoch FROM statement_timestamp())::float8, {read},"
    " extract(epoch FROM clock_timestamp())::float8"
)
"""When the server got the message, and when it came to this place: the wait by its own clock, whatever this
process did meanwhile.
"""

_TABLES = """
    SELECT c.oid::bigint, n.nspname, c.relname, c.relkind,
           (SELECT a.attname FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum LIMIT 1),
           EXISTS (SELECT 1 FROM pg_trigger AS t
                    WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R'))
        OR EXISTS (SELECT 1 FROM pg_rewrite AS r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
       AND n.nspname !~ '^(pg_|information_schema$|validate_tape_)'
     ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True)
class Perch:
    """One table in one way: the batch that tries it."""

    oid: int
    relation: str
    access: CanaryAccess
    sql: str


def perches(cursor: Any) -> tuple[list[Perch], list[NotTried]]:
    """What can be tried in the database, and what cannot or only in part, with why."""
    cursor.execute(_TABLES)
    found: list[Perch] = []
    left: list[NotTried] = []
    for oid, schema, name, kind, column, always in cursor.fetchall():
        relation, quoted = f"{schema}.{name}", f"{quote(schema)}.{quote(name)}"
        if kind == "f":
            reason = "a foreign table: its rows are on another server"
            left += [NotTried(relation, access, reason) for access in CanaryAccess]
            continue
        found.append(Perch(oid, relation, CanaryAccess.READ, read_sql(quoted)))
        if kind == "m":
            left.append(NotTried(relation, CanaryAccess.WRITE, "a materialized view: nobody writes to it"))
            continue
        reason = _only_lock(kind, column, always)
        found.append(Perch(oid, relation, CanaryAccess.WRITE, write_sql(quoted, None if reason else column)))
        if not reason and not _has_row(cursor, quoted):
            reason = "it has no row: only the lock of a writer was tried"
        if reason:
            left.append(NotTried(relation, CanaryAccess.WRITE, reason))
    return found, left


def _only_lock(kind: str, column: str | None, always: bool) -> str:
    """Why only the lock of a writer is tried, and no row; "" if a row is."""
    if always:
        return "a trigger or rule of it always fires: only the lock of a writer was tried"
    if kind == "p":
        return "its rows are in its partitions: only the lock of a writer was tried"
    return "" if column is not None else "it has no column that can be set: only the lock was tried"


def _has_row(cursor: Any, quoted: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM ONLY {quoted})")
    return bool(cursor.fetchone()[0])


def read_sql(quoted: str) -> str:
    """Read one row of a table."""
    return _TIMES.format(read=f"(SELECT 1 FROM {quoted} LIMIT 1)")


def write_sql(quoted: str, column: str | None) -> str:
    """Set a column of one row to itself, or with no column take a writer's lock, and roll it back.

    In one message, so that the server lets go even if this process is slow. The table's lock is awaited as
    long as it takes, holding nothing. A row's lock is awaited for a moment only: a migration that holds it
    and then wants the table would wait for the canary, and the canary for the migration.
    """
    tried = f"LOCK TABLE {quoted} IN ROW EXCLUSIVE MODE"
    if column is not None:
        own = quote(column)
        row = f"(SELECT ctid FROM ONLY {quoted} LIMIT 1)"
        tried += f"; SET LOCAL lock_timeout = '{ROW_MILLISECONDS}ms'"
        tried += f"; UPDATE ONLY {quoted} SET {own} = {own} WHERE ctid = {row}"
    return f"BEGIN; {tried}; ROLLBACK; {_TIMES.format(read='1')}"
