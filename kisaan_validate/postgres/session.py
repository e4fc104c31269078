"""One connection with pinned settings. Reads only; every failure becomes a DatabaseError with its
SQLSTATE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg2
import psycopg2.extensions

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.sqlstate import CANCELLED, NOT_TIMED_OUT, hint_for, sqlstate_said
from kisaan_validate.personal.masking import told_of_rows
from kisaan_validate.postgres.connecting import connect, joining_seconds
from kisaan_validate.postgres.target import Target
from kisaan_validate.postgres.watchdog import WatchedConnection
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.expressions import quote, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified

SPARE_SECONDS = 5.0
"""How much longer than ``statement_timeout`` an answer is waited for: by then the server would have ended
the statement.
"""

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Limits:
    """How long the guest may take. Milliseconds, as PostgreSQL's settings of these names; bytes for temp
    files.

    ``standby_seconds`` is how old the rows of a standby may be, ``snapshot_seconds`` how long a snapshot
    may be held, which keeps VACUUM from its work; None: as old as they are, and as long as it takes.
    """

    lock_timeout: int = 2_000
    statement_timeout: int = 15 * 60 * 1_000
    connect_timeout_seconds: int = 10
    temp_bytes: int = 2 * 1024**3
    standby_seconds: float | None = None
    snapshot_seconds: float | None = None

    @property
    def patience(self) -> float:
        """How many seconds an answer is waited for, if the server does not end the statement by itself."""
        return self.statement_timeout / 1000 + SPARE_SECONDS

    def is_early(self, milliseconds: float) -> bool:
        """Whether a statement that ended after so many milliseconds had not reached its timeout."""
        # A little less than the timeout, because the server measures by a clock of its own.
        return milliseconds < 0.99 * self.statement_timeout


# Text forms, regular expressions and the plan would otherwise follow the role's or database's settings.
_PINNED = (
    ("TimeZone", "UTC", 0),
    ("DateStyle", "ISO, YMD", 0),
    ("IntervalStyle", "postgres", 0),
    ("extra_float_digits", "3", 0),
    ("bytea_output", "hex", 0),
    ("standard_conforming_strings", "on", 0),
    ("escape_string_warning", "off", 0),
    ("transform_null_equals", "off", 0),
    ("array_nulls", "on", 0),
    ("gin_fuzzy_search_limit", "0", 0),
    ("quote_all_identifiers", "off", 0),
    # A policy must raise an error here: it would leave rows out of a count without a word.
    ("row_security", "off", 0),
    ("client_min_messages", "warning", 0),
    ("jit", "off", 0),
    # The holder of the snapshot is idle while its readers work.
    ("idle_in_transaction_session_timeout", "0", 0),
    ("transaction_timeout", "0", 170000),
    # What is declared of rows (a CHECK, the bounds of a partition, a unique index) must not stand for reading
    # them.
    ("constraint_exclusion", "off", 0),
    ("enable_partition_pruning", "off", 0),
    ("enable_partitionwise_join", "off", 0),
    ("enable_partitionwise_aggregate", "off", 0),
    ("enable_self_join_elimination", "off", 180000),
    ("enable_indexonlyscan", "off", 0),
    # Every way but those through indexes is open, so that the planner is never left with one of these.
    *(
        (f"enable_{way}", "on", 0)
        for way in ("seqscan", "tidscan", "sort", "hashagg", "material", "nestloop", "hashjoin", "mergejoin")
    ),
)
"""(setting, value, first version that has it): what a role or database may have changed, and answers
depend on.
"""


def usual(name: str) -> str:
    """The value of a setting where nothing else was asked for, as SQL: the pinned one, or the role's own."""
    return next((_text(value) for pinned, value, _ in _PINNED if pinned == name), "DEFAULT")


# Values as SQL; what the server's system does not know is left out (see ``begin``).
_ALIVE = (
    ("client_connection_check_interval", "'1s'", 140000),
    ("tcp_keepalives_idle", "30", 0),
    ("tcp_keepalives_interval", "10", 0),
    ("tcp_keepalives_count", "3", 0),
)
"""The same, for the server to notice that this program is gone: else it works on, or holds its locks and
its snapshot.
"""

_NOT_THERE = frozenset({"22023", "0A000", "42704"})
"""The SQLSTATEs of a setting that the server's system does not know."""

Setting = tuple[str, str]
"""A setting of the planner and its value, as SQL."""


# Before PostgreSQL 13 there is no hash_mem_multiplier; ``true`` makes a missing setting NULL.
_MEMORY = qualified(
    "SELECT pg_size_bytes(current_setting('work_mem')), coalesce(current_setting('hash_mem_multiplier', "
    "true), '1')"
)


@dataclass(frozen=True)
class Discretion:
    """What keeps a server's message from quoting a personal value. ``names`` may stand in it;
    ``quoted_by`` says of a statement whether rows with personal values could be read by it."""

    names: frozenset[str]
    quoted_by: Callable[[str], bool]

    def told(self, fact: str, sqlstate: str, sql: str, *, composed: bool) -> str:
        """What may be passed on of a message. ``composed``: a function of somebody's made it up."""
        if self.quoted_by(sql):
            return told_of_rows(fact, sqlstate, self.names, composed=composed)
        return fact


def milliseconds_since(start: float) -> float:
    """Milliseconds since ``start``, a reading of ``time.perf_counter()``, rounded to a microsecond."""
    return round((time.perf_counter() - start) * 1_000, 3)


class Session:
    """A connection that runs one transaction at a time, explicitly begun, never writing.

    ``SET LOCAL`` pins the settings inside the transaction, so nothing leaks through a pooling proxy.
    """

    def __init__(
        self, target: Target, limits: Limits, schemas: Sequence[str], stop: Stop | None = None
    ) -> None:
        """Connect. Raises TargetError, also where nobody answers in time. ``stop`` ends every wait (see
        ``stopping``).
        """
        self.target, self.limits, self.schemas = target, limits, tuple(schemas)
        stop = stop or Stop()
        self._connection = connect(target, limits.connect_timeout_seconds, stop)
        self._line = WatchedConnection(self._connection, stop)
        self._joining = joining_seconds(target, limits.connect_timeout_seconds)
        self.version: int = self._connection.server_version
        self.parameters: dict[str, str] = dict(self._connection.info.dsn_parameters)
        self._alive = [
            f"SET LOCAL {name} = {value}" for name, value, since in _ALIVE if self.version >= since
        ]
        self.loss: DatabaseError | None = None
        self._memory: tuple[int, float] | None = None
        self.frugal = False
        """Whether locks are given back after each statement (see ``execute.locking``)."""
        self.between: Callable[[], None] = lambda: None
        """Called before each of several statements of one task; may wait, or raise DatabaseError (see
        ``execute.gate``).
        """
        self.discretion: Discretion | None = None
        """Set where values may be personal: then no message about rows is passed on as the server wrote
        it.
        """
        self.proved: tuple[int, str] | None = None
        """The server process (pid, start of its server) that proved to be on the holder's server: see
        ``same_server``.
        """

    @property
    def address(self) -> tuple[str, str]:
        """(host, port) that answered, of all those that were asked. The host is "" for a socket that
        nobody named.
        """
        info = self._connection.info
        host = str(info.host or "")
        # A socket's directory says nothing about the server, unless somebody chose it.
        unnamed = host.startswith(("/", "@")) and not self.parameters.get("host")
        return "" if unnamed else host, str(info.port or "")

    @property
    def backend_pid(self) -> int:
        """The server's process id for this session."""
        return int(self._connection.info.backend_pid)

    def begin(self, *, snapshot: str = "", isolation: str = "REPEATABLE READ") -> None:
        """Begin a read-only transaction, pin its settings, and import ``snapshot`` if one is given.

        Takes no snapshot of its own yet: locks may still be taken before the data is fixed. A pooler may
        have no place for us; it is waited for as for a connection.
        """
        # Every property is named, because the role's defaults may say something else.
        parts = [f"BEGIN ISOLATION LEVEL {isolation} READ ONLY, NOT DEFERRABLE"]
        if snapshot:
            # Before any query and before SET LOCAL: PostgreSQL refuses an import after the first query.
            parts.append(f"SET TRANSACTION SNAPSHOT {_text(snapshot)}")
        parts += [f"SET LOCAL {name} = {value}" for name, value in self.pins()]
        # All at once: the role's own idle_in_transaction_session_timeout may be a millisecond.
        try:
            self._ask("; ".join((*parts, *self._alive)), None, min(self._joining, self.limits.patience))
        except DatabaseError as error:
            if error.lost or not self._alive or error.sqlstate not in _NOT_THERE:
                raise
            # Known now, so that later transactions of this session need no second try.
            self._alive = []
            self.execute("ROLLBACK")
            self.begin(snapshot=snapshot, isolation=isolation)

    def pins(self) -> list[tuple[str, str]]:
        """The settings of each transaction, values as SQL."""
        # pg_catalog comes first by itself; named behind others it would come after them, and so would its
        # types.
        # pg_temp is named last, or a temporary table of the session would come before all schemas.
        path = ", ".join(quote(s) for s in (*(s for s in self.schemas if s != "pg_catalog"), "pg_temp"))
        pinned = [(name, _text(value)) for name, value, since in _PINNED if self.version >= since]
        limits = self.limits
        # 0 would be no limit at all; the role's own default may be that.
        own = [
            ("statement_timeout", str(limits.statement_timeout)),
            ("lock_timeout", str(limits.lock_timeout)),
        ]
        return [
            *own,
            ("search_path", path),
            *pinned,
        ]  # first the timeouts: the role's own may be a millisecond

    def execute(self, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
        """Run one statement and fetch its rows. Raises DatabaseError; after it the transaction must be
        rolled back.
        """
        return self._ask(sql, parameters, self.limits.patience)

    def execute_within(self, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
        """The same under a savepoint that is rolled back: it keeps no lock, and if it fails, the transaction
        goes on. Raises DatabaseError.
        """
        self.execute("SAVEPOINT within")
        try:
            return self.execute(sql, parameters)
        finally:
            if not self.lost:
                self.execute("ROLLBACK TO SAVEPOINT within; RELEASE SAVEPOINT within")

    def _ask(self, sql: str, parameters: dict[str, Any] | None, seconds: float) -> Rows:
        with self._answered(sql, seconds), self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    @contextmanager
    def _answered(self, sql: str, seconds: float) -> Iterator[None]:
        """Within, the server is waited for, at most so long. Raises DatabaseError for what goes wrong."""
        start = time.perf_counter()
        try:
            with self._line.waiting(seconds):
                yield
        except psycopg2.Error as error:
            early = self.limits.is_early(milliseconds_since(start))
            # ``from None``: psycopg2's exception repeats the statement, which may hold values.
            raise self._failure(error, sql, early=early) from None

    def tune(self, settings: Iterable[Setting]) -> None:
        """Settings of the planner for what follows in this transaction. Raises DatabaseError."""
        if sql := "; ".join(f"SET LOCAL {name} = {value}" for name, value in settings):
            self.execute(sql)

    @property
    def memory(self) -> tuple[int, float]:
        """The bytes that a sort may take here, and how many times as many a hash may. Asked once. Raises
        DatabaseError.
        """
        if self._memory is None:
            # The role's own work_mem decides, so it is asked and not assumed.
            ((bytes_, factor),) = self.execute(_MEMORY)
            self._memory = int(bytes_), float(factor)
        return self._memory

    def timed(self, sql: str) -> tuple[Rows, float]:
        """The rows of a statement and how long it took, in milliseconds."""
        start = time.perf_counter()
        rows = self.execute(sql)
        return rows, milliseconds_since(start)

    def copy_out(self, sql: str, write: Callable[[bytes], object]) -> None:
        """Run ``COPY … TO STDOUT`` and hand each message, which is one row, to ``write``.

        Raises DatabaseError, and what ``write`` raises; after that the session is of no more use and must
        be closed.
        """
        with self._answered(sql, self.limits.patience), self._connection.cursor() as cursor:
            cursor.copy_expert(sql, _Sink(self._line, write))

    def cancel(self) -> None:
        """Ask the server to cancel the running statement. Returns at once; safe from any thread."""
        self._line.cancel()

    def abandon(self) -> None:
        """Cut the line to a server process that does not answer: a thread that waits for it gets an error.

        Safe from any thread, unlike ``close``, which would wait for the statement to end.
        """
        self._line.cut("given up")

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._line.why or self._connection.closed)

    def close(self) -> None:
        """Give the connection back; an open transaction is rolled back by the server."""
        self._line.close()
        self._connection.close()

    def _failure(self, error: psycopg2.Error, sql: str, *, early: bool) -> DatabaseError:
        # Without a SQLSTATE the server did not refuse anything: the line is what failed.
        if error.pgcode is None and self.lost:
            return self._loss(error)
        primary = (
            error.diag.message_primary or str(error).strip().splitlines()[0] if str(error).strip() else ""
        )
        fact = self.target.hide(primary or "the connection was lost")
        # Masked only where the server spoke: a message of this program's or libpq's quotes no row.
        if self.discretion is not None and error.pgcode:
            fact = self._discreet(fact, error, sql, self.discretion)
        sqlstate = error.pgcode or ""
        cancelled = early and sqlstate == CANCELLED
        hint = NOT_TIMED_OUT if cancelled else hint_for(sqlstate)
        return DatabaseError(fact, hint, sqlstate, self.lost, cancelled=cancelled)

    def _discreet(self, fact: str, error: psycopg2.Error, sql: str, discretion: Discretion) -> str:
        """What may be passed on: a statement that was not understood is about its own text, and about no
        row.
        """
        # Class 42 at a position in the text: parsing failed, before any row was read.
        if error.pgcode is not None and error.pgcode.startswith("42") and error.diag.statement_position:
            return fact
        return discretion.told(
            # RAISE in somebody's function may put any value into its message, without quotes.
            fact,
            error.pgcode or "",
            sql,
            composed=error.diag.source_function == "exec_stmt_raise",
        )

    def _loss(self, error: psycopg2.Error) -> DatabaseError:
        if self._line.why:
            fact, hint = (
                f"the connection was lost: {self._line.why}",
                "check that the server and the network still answer",
            )
            # The first loss is kept: later messages only say that the connection is closed.
            self.loss = self.loss or DatabaseError(fact, hint, "08006", True)
            return self.loss
        # libpq keeps what the server said before it hung up, but psycopg2 leaves it out of the exception.
        try:
            said = self._connection.info.error_message or str(error)
        except psycopg2.Error:
            said = str(error)
        lines = said.strip().splitlines() or ["the server closed the connection"]
        fact = self.target.hide(f"the connection was lost: {lines[0].strip()}")
        # Servers end sessions with a FATAL message, whose SQLSTATE psycopg2 does not hand over.
        sqlstate = sqlstate_said(said) or "08006"
        self.loss = self.loss or DatabaseError(fact, hint_for(sqlstate), sqlstate, True)
        return self.loss


class _Sink:
    """The least that psycopg2 takes for a file to write to. Each row says that the server is not silent."""

    def __init__(self, line: WatchedConnection, write: Callable[[bytes], object]) -> None:
        def take(row: bytes) -> None:
            line.heard = True
            write(row)

        self.write = take


@lru_cache(maxsize=256)
def _text(value: str) -> str:
    """A text as SQL. The same settings are pinned in each transaction, so they are written once."""
    return to_sql(text_literal(value))
