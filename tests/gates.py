"""Holding a run at a known point: a check that waits for a lock that the test holds, and a run in a
thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from conftest import Server, wait_until

from kisaan_validate import declare as d
from kisaan_validate.declare import Declaration
from kisaan_validate.facts.result import Result
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.connecting import APPLICATION_NAME
from kisaan_validate.postgres.session import Limits

GATE_TABLE = "CREATE TABLE gate (id int PRIMARY KEY); INSERT INTO gate VALUES (1);"
PATIENT = Limits(lock_timeout=60_000)
"""Limits under which a gate may stay closed for as long as a test needs."""

Value = TypeVar("Value")


class Background(Generic[Value]):
    """A function in a thread; ``result`` returns what it returns or raises what it raises."""

    def __init__(self, work: Callable[[], Value]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._values: list[Value] = []
        self._thread = threading.Thread(target=self._into, daemon=True)
        self._thread.start()

    def _into(self) -> None:
        try:
            self._values.append(self._work())
        except BaseException as error:
            self._error = error

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def result(self, seconds: float = 30.0) -> Value:
        """Wait for the end; fail loudly if it does not come in time."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), f"still running after {seconds} s"
        if self._error is not None:
            raise self._error
        return self._values[0]


@dataclass
class Gate:
    """A closed gate in one database."""

    server: Server
    database: str
    connection: Any

    def check(self, id: str = "gate", table: str = "gate") -> Declaration:
        """A check that holds, and waits while the gate is closed."""
        waits = "id IS NULL OR pg_advisory_xact_lock_shared(7)::text = ''"
        return d.holds(table, waits, volatile="pg_advisory_xact_lock_shared", id=id)

    def reached(self, sessions: int = 1) -> list[int]:
        """Wait until so many sessions stand before the gate; their server processes."""
        wait_until(lambda: len(self._waiting()) >= sessions)
        return self._waiting()

    def _waiting(self) -> list[int]:
        return [pid for pid, state, wait in activity(self.server, self.database) if wait == "advisory"]

    def open(self) -> None:
        """Let everybody through."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def gate_in(server: Server, database: str) -> Iterator[Gate]:
    """A closed gate, opened at the end whatever happens."""
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(7)")
        yield Gate(server, database, connection)
    finally:
        connection.close()


def activity(server: Server, database: str) -> list[tuple[int, str, str]]:
    """(server process, state, what it waits for) of every session of the program under test in a database."""
    sql = f"""SELECT pid, coalesce(state, ''), coalesce(wait_event, '') FROM pg_stat_activity
              WHERE datname = '{database}' AND application_name = '{APPLICATION_NAME}'"""
    return [(int(pid), str(state), str(wait)) for pid, state, wait in server.sql(sql)]


def holder_of(server: Server, database: str) -> int:
    """The session that exported the snapshot: the oldest of the run."""
    sql = f"""SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND application_name = '{APPLICATION_NAME}'
              ORDER BY backend_start LIMIT 1"""
    return int(server.sql(sql)[0][0])


def kill(server: Server, *pids: int) -> None:
    """Terminate server processes and wait until they are gone."""
    listed = ", ".join(str(pid) for pid in pids)
    server.sql(f"SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{listed}]) AS pid")
    wait_until(lambda: not server.sql(f"SELECT pid FROM pg_stat_activity WHERE pid IN ({listed})"))


def by_id(run: Run) -> dict[str, Result]:
    """The results of a run by check id."""
    return {result.check_id: result for result in run.results}


def answers(run: Run) -> dict[str, tuple[object, ...]]:
    """All that a run says of each check, without times: two runs on equal data must agree in it."""
    return {
        r.check_id: (
            r.status,
            r.violations,
            r.examined,
            r.evidence,
            r.sample,
            r.key_digest,
            r.message,
            r.sqlstate,
        )
        for r in run.results
    }
