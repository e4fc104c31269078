"""One address, two servers: whoever is not on the server that holds the snapshot gives no answer."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import SYSTEM_BIN, Server, missing, system_server, wait_until
from gates import by_id
from standbys import PRIMARY_PORT, standby_of

from kisaan_validate import declare as d
from kisaan_validate.errors import DatabaseError, TargetError
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.same_server import leave_mark, prove_same_server
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of

ROWS = (
    "CREATE TABLE items (id int PRIMARY KEY, amount int); INSERT INTO items SELECT g, {amount} FROM "
    "generate_series(1, 50) g"
)


@dataclass
class Twins:
    """A server, and another that began as its base backup: one system identifier, other rows since."""

    first: Server
    second: Server
    database: str


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    """Every row of the first violates the suite, none of the second does."""
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        missing("PostgreSQL 15 is missing: apt-get install postgresql")
    with system_server(PRIMARY_PORT) as first:
        database = first.create(ROWS.format(amount=-1))
        with standby_of(first) as second:
            second.sql("SELECT pg_promote()")
            second.sql("UPDATE items SET amount = 1", database)
            yield Twins(first, second, database)


def _count_on(server: Server, database: str) -> list[Any]:
    """Give every session number of a server many transactions, so that its twin's numbers can be brought
    to the same.

    Returns the first sessions, still open: the lowest numbers may be those of a twin's own processes.
    """
    sessions = [server.connect(database) for _ in range(10)]
    for session in sessions:
        session.autocommit = True
        with session.cursor() as cursor:
            for _ in range(500):
                cursor.execute("SELECT 1")
    # Only these: what other tests left open on a server that they share is nobody's here.
    ended = ", ".join(str(session.info.backend_pid) for session in sessions[5:])
    for session in sessions[5:]:
        session.close()
    left = f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({ended})"
    wait_until(lambda: server.sql(left, database) == [(0,)])
    return sessions[:5]


@dataclass
class Balancer:
    """A socket whose connections go to the first server, from the one numbered ``since`` on to the second."""

    twins: Twins
    since: int
    before_second: Callable[[], Any] = lambda: None
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kisaan-balancer-")))
    count: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self.listener.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def dsn(self) -> str:
        """Where the tool believes that one server is."""
        return f"host={self.folder} port=5432 dbname={self.twins.database} user=postgres"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.count += 1
                threading.Thread(
                    target=self._serve, args=(client, self.count >= self.since), daemon=True
                ).start()

    def _serve(self, client: socket.socket, second: bool) -> None:
        if second:
            self.before_second()
        server = self.twins.second if second else self.twins.first
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(f"{server.host}/.s.PGSQL.{server.port}")
        for source, sink in ((client, upstream), (upstream, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        """No further connections."""
        self.listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def snapshot_names(server: Server) -> list[str]:
    """The exported snapshots of a server, by their files."""
    return [path.name for path in (Path(server.host) / "data" / "pg_snapshots").iterdir()]


def export_as(server: Server, database: str, name: str) -> list[Any]:
    """Export a snapshot of this very name: of a virtual transaction with these numbers. Returns the open
    sessions.
    """
    backend, transaction = (int(part, 16) for part in name.split("-")[:2])
    sessions: list[Any] = []
    wait_until(lambda: _numbered(server, database, backend, sessions))
    cursor = sessions[-1].cursor()
    cursor.execute(_NUMBERS)
    for _ in range(transaction - int(cursor.fetchone()[0].split("/")[1]) - 1):
        cursor.execute("SELECT 1")
    cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    cursor.execute("SELECT pg_export_snapshot()")
    assert cursor.fetchone() == (name,)
    return sessions


_NUMBERS = "SELECT virtualtransaction FROM pg_locks WHERE pid = pg_backend_pid() LIMIT 1"


def _numbered(server: Server, database: str, backend: int, sessions: list[Any]) -> bool:
    """Open sessions, which get the lowest free numbers, until one has this number; a number may be taken
    for a moment.
    """
    for _ in range(60):
        sessions.append(server.connect(database))
        cursor = sessions[-1].cursor()
        cursor.execute(_NUMBERS)
        if int(cursor.fetchone()[0].split("/")[0]) == backend:
            return True
    while sessions:
        sessions.pop().close()
    return False


def measured(balancer: Balancer, jobs: int = 2) -> Run:
    """A run through the balancer."""
    suite = suite_of(d.holds("items", "amount > 0", id="positive"), d.unique("items", "amount", id="alike"))
    try:
        return run(suite, balancer.dsn, options=Options(jobs=jobs, limits=Limits(lock_timeout=1000)))
    finally:
        balancer.close()


def test_one_server_behind_a_balancer_answers(twins: Twins) -> None:
    """The instrument works: all connections to the first server give its answers."""
    result = measured(Balancer(twins, since=99))
    assert by_id(result)["positive"].violations == 50
    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize("since", [2, 3])
def test_a_session_on_another_server_answers_nothing(twins: Twins, since: int) -> None:
    """Even where a snapshot of the same name exists there: it is refused by name. With one worker left,
    that one answers.
    """
    held: list[Any] = []
    once = threading.Lock()
    beside = _count_on(twins.first, twins.database)

    def same_name() -> None:
        with once:
            if not held:
                wait_until(lambda: snapshot_names(twins.first) != [])
                held.extend(export_as(twins.second, twins.database, snapshot_names(twins.first)[0]))

    result = measured(Balancer(twins, since, same_name))
    assert held, "the second server was never asked"
    for session in (*held, *beside):
        session.close()
    found = by_id(result)["positive"]
    if since == 2:
        assert found.status is Status.ERROR
        assert "a different server" in found.message
        assert result.verdict is Verdict.INCONCLUSIVE
    else:
        assert found.violations == 50


def test_a_session_proves_itself_once_and_never_on_another_server(twins: Twins) -> None:
    """A session of the same server sees the mark; one of its twin does not, whatever the way in which it
    was left.
    """
    targets = [find_target(server.dsn(twins.database)) for server in (twins.first, twins.second)]
    for revoked in (False, True):
        role = "weak" if revoked else "postgres"
        if revoked:
            for server in (twins.first, twins.second):
                server.sql(
                    "CREATE ROLE weak LOGIN; REVOKE EXECUTE ON FUNCTION "
                    "pg_try_advisory_xact_lock_shared(bigint) FROM PUBLIC",
                    twins.database,
                )
            targets = [
                find_target(server.dsn(twins.database, role)) for server in (twins.first, twins.second)
            ]
        holder, worker = (Session(targets[0], Limits(), ("public",)) for _ in range(2))
        stranger = Session(targets[1], Limits(), ("public",))
        for session in (holder, worker, stranger):
            session.begin()
        mark = leave_mark(holder)
        assert mark.locked is not revoked
        prove_same_server(worker, mark)
        with pytest.raises(DatabaseError, match="a different server"):
            prove_same_server(stranger, mark)
        holder.close()
        wait_until(lambda: not twins.first.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"))
        prove_same_server(worker, mark)
        late = Session(targets[0], Limits(), ("public",))
        late.begin()
        if mark.locked:
            with pytest.raises(DatabaseError, match="has ended"):
                prove_same_server(late, mark)
        for session in (worker, stranger, late):
            session.close()


def test_the_host_that_answered_is_recorded(twins: Twins) -> None:
    """Of a list of hosts the one that answered, with its port; and an expectation is of that one, not of
    the list.
    """
    dead = tempfile.mkdtemp()
    dsn = f"host={dead},{twins.first.host} port=5555,{twins.first.port} dbname={twins.database} user=postgres"
    result = run(suite_of(d.row_count("items", low=1, id="rows")), dsn)
    assert (result.place.host, result.place.port) == (twins.first.host, twins.first.port)
    with pytest.raises(TargetError, match="expect says"):
        run(suite_of(d.row_count("items", low=1, id="rows")), dsn, options=Options(expect={"host": dead}))
