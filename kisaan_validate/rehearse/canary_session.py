"""A canary's session with the server: it connects, sets itself up, and does one try after another."""

from __future__ import annotations

import time
from typing import Any

from kisaan_validate.rehearse.canary import Canary
from kisaan_validate.rehearse.ours import NAME, OurSessions


class CanarySession:
    """A session that never blocks this process; ``busy`` while the server owes an answer."""

    def __init__(self, dsn: str, ours: OurSessions) -> None:
        import psycopg2

        # From the first moment: closed before it is set up, it would be a lost client in the log.
        self._connection: Any = psycopg2.connect(
            dsn, async_=True, application_name=NAME, options="-c log_min_messages=panic"
        )
        self._ours = ours
        self._cursor: Any = None
        self.ready = False
        self.canary: Canary | None = None
        self.busy = True

    def fileno(self) -> int:
        """The socket's number, which must be asked for again: connecting may change it."""
        return int(self._connection.fileno())

    def try_it(self, canary: Canary) -> None:
        """Begin a try; only while not busy."""
        self.canary, self.busy = canary, True
        canary.sent = time.monotonic()
        self._cursor.execute(canary.perch.sql)

    def step(self) -> tuple[Any, ...] | None:
        """Go on; the answer of a try when it came. Raises psycopg2.Error for one that was refused."""
        from psycopg2.extensions import POLL_OK

        if self._connection.poll() != POLL_OK:
            return None
        if self._cursor is None:
            self.ready = True
            self._ours.pids.add(self._connection.info.backend_pid)
            self._cursor = self._connection.cursor()
            self._cursor.execute(f"{self._ours.settings}; SET session_replication_role = replica")
            return None
        self.busy = False
        return tuple(self._cursor.fetchone()) if self.canary is not None else None

    def recover(self) -> bool:
        """After a refusal, end the transaction that it left; False if the session is gone."""
        if self._connection.closed:
            return False
        self.canary, self.busy = None, True
        self._cursor.execute("ROLLBACK")
        return True

    def close(self) -> None:
        """End the session, whatever it waits for."""
        self._connection.close()
