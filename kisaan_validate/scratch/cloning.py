"""Copies a database within a server: restored once, then cloned for each variant."""

from __future__ import annotations

import time
from typing import Any

from kisaan_validate.errors import DatabaseError
from kisaan_validate.scratch.reaching import identifier

_BUSY, _THERE = "55006", "42P04"
_PATIENCE = 3.0

_OTHERS = """SELECT DISTINCT usename::text FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend'"""

_SETTINGS = """INSERT INTO pg_db_role_setting SELECT made.oid, setrole, setconfig FROM pg_db_role_setting
JOIN pg_database AS old ON old.oid = setdatabase CROSS JOIN pg_database AS made
WHERE old.datname = %s AND made.datname = %s"""


def clone(connection: Any, source: str, name: str, owner: str) -> None:
    """A copy of a database in which nobody works, with its settings. ``connection``: the superuser's, in
    autocommit, to another database. Raises DatabaseError.
    """
    import psycopg2

    _wait_for_others(connection, source)
    words = f"CREATE DATABASE {identifier(name)} OWNER {identifier(owner)} TEMPLATE {identifier(source)}"
    # By files: the default writes each page into the WAL.
    words += " STRATEGY file_copy" if connection.server_version >= 150000 else ""
    try:
        with connection.cursor() as cursor:
            _copy(cursor, words, connection.server_version)
            # Settings of a database are no part of it, and are not copied.
            cursor.execute(_SETTINGS, (source, name))
    except psycopg2.Error as error:
        said = " ".join(str(error).split())
        raise DatabaseError(
            f"{source} could not be cloned: {said}", "", error.pgcode or "", bool(connection.closed)
        ) from None


def _copy(cursor: Any, words: str, version: int) -> None:
    """Share blocks where the server and the file system can, else copy them."""
    import psycopg2

    if version < 180000:
        cursor.execute(words)
        return
    try:
        cursor.execute("SET file_copy_method = clone")
        cursor.execute(words)
    except psycopg2.Error as error:
        if error.pgcode in (_BUSY, _THERE) or cursor.connection.closed:
            raise
        cursor.execute("SET file_copy_method = copy")
        cursor.execute(words)


def _wait_for_others(connection: Any, source: str) -> None:
    """A session that was closed is gone a moment later. Who stays is named, which PostgreSQL does not."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS, (source,))
            names = ", ".join(sorted(str(name) for (name,) in cursor.fetchall()))
        if not names:
            return
        if time.monotonic() > deadline:
            raise DatabaseError(f"{source} cannot be cloned: it is being accessed by {names}", "", _BUSY)
        time.sleep(0.05)
