"""Our own sessions on the copy: they are in no log and on no tape, and follow no setting of its database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "kisaan-validate rehearsal"
"""The application name of our sessions."""

_SETTINGS = (
    f"SET application_name = '{NAME}'",
    "SET search_path = ''",
    "SET log_min_messages = panic",
    "SET log_statement = 'none'",
    "SET log_duration = off",
    "SET log_min_duration_statement = -1",
    "SET log_parser_stats = off",
    "SET log_lock_waits = off",
    "SET log_temp_files = -1",
    "SET client_min_messages = error",
    "SET lock_timeout = 0",
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    "SET default_transaction_isolation = 'read committed'",
    "SET default_transaction_read_only = off",
    "SET jit = off",
)


class OurSessions:
    """Opens superuser's sessions by ``connect`` and knows their processes, so that others can leave them
    out.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self.pids: set[int] = set()

    def open(self) -> Any:
        """A psycopg2 connection in autocommit with our settings. Raises psycopg2.Error."""
        connection = self._connect()
        connection.autocommit = True
        self.pids.add(connection.info.backend_pid)
        with connection.cursor() as cursor:
            cursor.execute("; ".join(_SETTINGS))
        return connection

    @property
    def settings(self) -> str:
        """What a session of ours sets first, as one batch of SQL."""
        return "; ".join(_SETTINGS)
