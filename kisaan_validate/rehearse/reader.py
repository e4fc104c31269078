"""A reader who leaves a transaction open that has read every table: where the queue for a lock shows."""

from __future__ import annotations

import threading
from typing import Any

from kisaan_validate.facts.rehearsal import OpenReader
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.sql.expressions import quote


class OpenReaderSession:
    """Within, a transaction is open that has read a row of every table, for ``seconds`` at most."""

    def __init__(self, ours: OurSessions, started: float, seconds: float) -> None:
        self._ours = ours
        self._started = started
        self._seconds = seconds
        self._relations = 0
        self._until: float | None = None
        self._ended_by = ""
        self._lock = threading.Lock()

    def __enter__(self) -> OpenReaderSession:
        self._connection: Any = self._ours.open()
        cursor = self._connection.cursor()
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'"
            " AND n.nspname !~ '^(pg_|information_schema$|validate_tape_)'"
        )
        for schema, name in cursor.fetchall():
            cursor.execute(f"SELECT 1 FROM {quote(schema)}.{quote(name)} LIMIT 1")
            self._relations += 1
        self._timer = threading.Timer(self._seconds, self._end, ["time"])
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._end("migration")
        self._connection.close()

    @property
    def reader(self) -> OpenReader:
        """What it was, after the end."""
        return OpenReader(self._seconds, self._until or 0.0, self._relations, self._ended_by)

    def _end(self, why: str) -> None:
        """Once: the timer and the end of the migration may come together."""
        import psycopg2

        with self._lock:
            if self._ended_by:
                return
            self._ended_by = why
            try:
                cursor = self._connection.cursor()
                cursor.execute("COMMIT")
                cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
                self._until = cursor.fetchone()[0] - self._started
            except psycopg2.Error as error:
                self._ended_by = f"SQLSTATE {error.pgcode or 'lost'}"
