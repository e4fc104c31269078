"""Reads all rows of a ledger of migrations, of whichever kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.ledger import LEDGER_SHAPES, LedgerKind, LedgerShape, LedgerSource
from kisaan_validate.facts.migrations import LedgerEntries, LedgerEntry
from kisaan_validate.facts.sqlstate import hint_for
from kisaan_validate.facts.titles import split_name
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted

MOST_ENTRIES = 500_000
"""A ledger with more rows is not read: no project has so many migrations."""

_LONGEST = 1_000
"""Characters of a name that are read: no file's name is longer."""

_FIND = qualified(
    "SELECT c.oid::bigint, n.nspname::text, c.relkind::text, has_any_column_privilege(c.oid, 'SELECT')"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relname = %(table)s AND n.nspname = ANY (%(schemas)s) AND c.relkind = ANY ('{r,p,v,m,f}')"
)

_COLUMNS = qualified(
    "SELECT a.attname::text, t.typname::text, n.nspname = 'pg_catalog'"
    " FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace"
    " WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped"
)

_KINDS = {"p": "a partitioned table", "v": "a view", "m": "a materialized view", "f": "a foreign table"}


@dataclass(frozen=True)
class _Found:
    oid: int
    schema: str
    columns: dict[str, str]
    """The type of each column."""


def read_entries(
    session: Session, source: LedgerSource, is_personal: Callable[[str, str], bool] = lambda *_: False
) -> LedgerEntries:
    """The rows of the ledger, or why they are not known. The session must be in a transaction, which keeps
    no lock of this. ``is_personal`` tells of (table, column) whether its values must not be read. Raises
    DatabaseError only if the session is lost.
    """
    nothing = LedgerEntries(source.kind, source.table, only_heads=source.kind is LedgerKind.ALEMBIC)
    session.execute("SAVEPOINT ledger_rows")
    try:
        found = _read(session, source, nothing, is_personal)
    except DatabaseError as error:
        if error.lost:
            raise
        found = replace(nothing, message=_said(error))
    # Rolled back in either case: a lock of a subtransaction goes with it.
    session.execute("ROLLBACK TO SAVEPOINT ledger_rows; RELEASE SAVEPOINT ledger_rows")
    return found


def _said(error: DatabaseError) -> str:
    hint = hint_for(error.sqlstate)
    return f"{error.fact}; {hint}" if hint else error.fact


def _read(
    session: Session,
    source: LedgerSource,
    nothing: LedgerEntries,
    is_personal: Callable[[str, str], bool],
) -> LedgerEntries:
    found = _table(session, source.table)
    if found is None:
        return replace(nothing, absent=True, message=f"{source.table} does not exist")
    if isinstance(found, str):
        return replace(nothing, message=found)
    shape = _shape(source)
    needed = _columns_of(shape, source.kind)
    for column in needed:
        if column not in found.columns:
            return replace(nothing, message=f"{source.table} has no column {column}")
        if not found.columns[column]:
            return replace(nothing, message=f"the type of its column {column} is not one of PostgreSQL's own")
        if is_personal(split_name(source.table)[1], column):
            return replace(nothing, message=f"its column {column} is personal")
    rows = session.execute(_rows_sql(found, shape, source))
    if len(rows) > MOST_ENTRIES:
        return replace(nothing, message=f"it has more than {counted(MOST_ENTRIES, 'row')}")
    timed = {"timestamptz": True, "timestamp": False}.get(found.columns.get(shape.at, ""))
    notes = [f"its column {shape.at} has no times"] if timed is None and shape.at else []
    entries = tuple(_entry(row, source.kind, timed) for row in rows)
    locked = source.kind is LedgerKind.KNEX and _knex_locked(session, found, source.table)
    if locked is None:
        notes.append(f"{source.table}_lock is not there, or may not be read: a runner may be at work")
    return replace(nothing, entries=entries, locked=bool(locked), notes=tuple(notes))


def _shape(source: LedgerSource) -> LedgerShape:
    """The columns of this ledger: those of its kind, where nobody can name others."""
    shape = LEDGER_SHAPES[source.kind]
    if source.kind is not LedgerKind.NAMES:
        return shape
    return replace(shape, name=source.name, at=source.at)


def _columns_of(shape: LedgerShape, kind: LedgerKind) -> tuple[str, ...]:
    more = {LedgerKind.DJANGO: ("app",), LedgerKind.FLYWAY: ("version", "type", "success")}.get(kind, ())
    return tuple(c for c in (shape.name, shape.at, shape.number, shape.checksum, *more) if c)


def _table(session: Session, title: str) -> _Found | str | None:
    """The ledger's table, or why it cannot be one; None where it is not there."""
    schema, name = split_name(title)
    schemas = [schema] if schema else list(session.schemas)
    there = {row[1]: row for row in session.execute(_FIND, {"table": name, "schemas": schemas})}
    # The first schema of the path that has it, as the server would look it up.
    row = next((there[s] for s in schemas if s in there), None)
    if row is None:
        return None
    oid, where, kind, selectable = row
    if kind != "r":
        # A view or a foreign table may run anything, and its rows may come from anywhere.
        return f"{title} is {_KINDS[kind]}, not a plain table"
    if not selectable:
        return f"this role may not read {title}; {hint_for('42501')}"
    columns = session.execute(_COLUMNS, {"oid": oid})
    return _Found(oid, where, {column: type_ if own else "" for column, type_, own in columns})


def _rows_sql(found: _Found, shape: LedgerShape, source: LedgerSource) -> str:
    """The statement: (name, time, number, checksum, success, what else the kind has)."""

    def text(column: str) -> str:
        return f"{quote(column)}::text" if column else "NULL"

    timed = found.columns.get(shape.at) in {"timestamptz", "timestamp"}
    parts = [f"left({text(shape.name)}, {_LONGEST})", text(shape.at if timed else ""), text(shape.number)]
    parts += [text(shape.checksum), "NULL", "NULL"]
    if source.kind is LedgerKind.DJANGO:
        parts[5] = f"left({text('app')}, {_LONGEST})"
    elif source.kind is LedgerKind.FLYWAY:
        parts[4], parts[5] = text("success"), "concat(version, ' ', type)"
    table = f"{quote(found.schema)}.{quote(split_name(source.table)[1])}"
    return qualified(f"SELECT {', '.join(parts)} FROM {table} LIMIT {MOST_ENTRIES + 1}")


def _entry(row: tuple[str | None, ...], kind: LedgerKind, zoned: bool | None) -> LedgerEntry:
    name, at, number, checksum, success, more = (value or "" for value in row)
    if kind is LedgerKind.DJANGO:
        name = f"{more}.{name}"
    elif kind is LedgerKind.FLYWAY:
        version, _, type_ = more.rpartition(" ")
        name = f"{type_} {version or name}"
    return LedgerEntry(
        name,
        at,
        _instant(at) if zoned else None,
        int(number) if number.lstrip("-").isdigit() else None,
        checksum,
        None if not success else success in {"true", "t", "1"},
    )


def _instant(at: str) -> datetime | None:
    """A time with its zone; None for infinity, and for years that Python does not know."""
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None


def _knex_locked(session: Session, found: _Found, title: str) -> bool | None:
    """Whether a runner says that it is at work, in a second table, which is made with the ledger. None: it
    cannot be told.
    """
    lock = f"{split_name(title)[1]}_lock"
    where = {"table": lock, "schemas": [found.schema]}
    if not any(kind == "r" and may for _, _, kind, may in session.execute(_FIND, where)):
        return None
    table = f"{quote(found.schema)}.{quote(lock)}"
    return bool(session.execute(qualified(f"SELECT 1 FROM {table} WHERE is_locked = 1 LIMIT 1")))
