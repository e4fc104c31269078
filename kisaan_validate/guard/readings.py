"""Reads what the guard's rules ask for: one cheap statement in a session of its own, outside all snapshots.

What this role may not see is None, with the reason: "cannot tell" is never taken for "nothing there". Our
own sessions are not counted; they are known by their process ids, and by their application_name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.facts.sqlstate import sqlstate_said
from kisaan_validate.guard.rules import GAUGES, GuardReading, GuardRules
from kisaan_validate.postgres.connecting import APPLICATION_NAME
from kisaan_validate.postgres.session import Discretion, Limits, Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.qualify import authored, qualified

BRIEF = Limits(lock_timeout=500, statement_timeout=2_000, connect_timeout_seconds=5)
"""A guard that waits for long sees nothing meanwhile, and is itself a load."""

RIGHTS = "this role does not see the sessions of others; grant pg_monitor to it"
"""Why numbers about sessions are not known (PostgreSQL documentation, 27.2: details of other roles' sessions
are shown to pg_read_all_stats only).
"""

UNKNOWN = {"replication_lag": "the server does not say it, or not to this role; grant pg_monitor to it"}
"""The same where it may also have another reason."""

_OURS = (
    "(a.pid = ANY (%(ours)s::int[])"
    f" OR left(a.application_name, {len(APPLICATION_NAME)}) = '{APPLICATION_NAME}')"
)

# Server processes without a user are the server's own.
_OTHERS = (
    f"FROM pg_stat_activity AS a WHERE a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid() AND NOT {_OURS}"
)

_SEEN = "NOT coalesce(bool_or(a.query = '<insufficient privilege>' OR a.state = 'disabled'), false)"
"""Whether this role sees of each session what it does, and each says so (track_activities)."""

# A parallel worker needs no connection; where the kind is hidden, each process counts as one.
_CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid IS NOT NULL"
    " AND coalesce(a.backend_type, 'client backend') = 'client backend'"
)

_SQL: Mapping[str, str] = {
    # A standby by its own age, as ``postgres/sql/standby.sql`` says it; a primary by its slowest standby.
    "replication_lag": """SELECT CASE WHEN pg_is_in_recovery() THEN (
        SELECT CASE WHEN s.age < 0 THEN 0 ELSE s.age END FROM (SELECT CASE
            WHEN pg_is_wal_replay_paused() THEN r.behind ELSE least(r.behind, r.heard) END AS age
        FROM (SELECT
            extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS behind,
            (SELECT extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time)::float8
             FROM pg_stat_wal_receiver AS w WHERE w.latest_end_lsn <= pg_last_wal_replay_lsn()) AS heard
        ) AS r) AS s
    ) ELSE (
        SELECT CASE WHEN NOT coalesce(bool_or(w.state IS NULL), false)
                    THEN coalesce(max(extract(epoch FROM w.replay_lag)), 0)::float8 END
        FROM pg_stat_replication AS w
    ) END""",
    # Only waiting locks are asked for their blockers: that looks at the whole table of locks.
    "blocking": f"""SELECT coalesce(max(extract(epoch FROM clock_timestamp()
            - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, w.query_start))), 0)::float8
        FROM pg_locks AS l JOIN pg_stat_activity AS w ON w.pid = l.pid
        WHERE CASE WHEN l.granted THEN false
                   ELSE pg_blocking_pids(l.pid)
                        && ARRAY(SELECT a.pid FROM pg_stat_activity AS a WHERE {_OURS}) END""",
    "active_sessions": f"""SELECT CASE WHEN {_SEEN}
        THEN count(*) FILTER (WHERE a.state = 'active' AND a.backend_type = 'client backend') END
        {_OTHERS}""",
    "longest_snapshot": f"""SELECT CASE WHEN {_SEEN} THEN greatest(
            0,
            max(extract(epoch FROM clock_timestamp() - a.xact_start))
                FILTER (WHERE a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL),
            (SELECT max(extract(epoch FROM clock_timestamp() - p.prepared)) FROM pg_prepared_xacts AS p)
        )::float8 END
        {_OTHERS}""",
    "free_connections": f"""SELECT least(
            current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true), '0')::int - ({_CONNECTED}),
            nullif(d.datconnlimit, -1) - ({_CONNECTED} AND a.datid = d.oid))
        FROM pg_database AS d WHERE d.datname = current_database()""",
    "free_locks": """SELECT current_setting('max_locks_per_transaction')::bigint
            * (current_setting('max_connections')::bigint
               + current_setting('max_prepared_transactions')::bigint)
            - (SELECT count(*) FROM pg_locks AS l WHERE NOT l.fastpath AND l.mode <> 'SIReadLock')""",
}
"""A statement for each gauge. Views of the server's state alone: none reads a table or waits for a lock."""

_PLACE = qualified("SELECT pg_postmaster_start_time()::text, pg_is_in_recovery()")


def place_of(session: Session) -> tuple[str, bool]:
    """When the session's server was started, and whether it is a standby. Raises DatabaseError."""
    ((started, standby),) = session.execute(_PLACE)
    return str(started), bool(standby)


class Reader:
    """Reads for the guard. Connects when it must, and again when its session was lost."""

    def __init__(
        self, target: Target, rules: GuardRules, ours: Callable[[], Collection[int]], stop: Stop | None = None
    ) -> None:
        self._target, self._rules, self._ours, self._stop = target, rules, ours, stop
        self._session: Session | None = None
        self._asked = [name for name in GAUGES if name in rules.bounds]
        self.place: tuple[str, bool] | None = None
        """The server of the last answer: when it was started, and whether it is a standby."""

    def read(self) -> dict[str, GuardReading]:
        """A reading for each rule. Raises nothing."""
        files = _files(self._rules)
        # A file that says "stop" needs no server.
        if not self._asked and not self._rules.query:
            return files
        try:
            return {**files, **self._told()}
        except KisaanError as error:
            self.close()
            return {**files, **self._silent(error)}

    def close(self) -> None:
        """Give the session back."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _told(self) -> dict[str, GuardReading]:
        """What the server says. Raises TargetError and DatabaseError, if it says nothing."""
        if self._session is not None:
            try:
                return self._ask(self._session)
            except DatabaseError as error:
                # Only a session that is gone is replaced: a server that refuses would refuse again.
                if not self._session.lost:
                    raise error
                self.close()
        self._session = Session(self._target, BRIEF, ("public",), self._stop)
        # The team's query may read personal values, and the server may quote them in its refusal.
        self._session.discretion = Discretion(frozenset(), lambda sql: sql.startswith(_ASKED))
        return self._ask(self._session)

    def _ask(self, session: Session) -> dict[str, GuardReading]:
        # READ COMMITTED, ended at once: no snapshot is held between two looks.
        session.begin(isolation="READ COMMITTED")
        try:
            self.place = place_of(session)
            found = self._gauges(session)
            if self._rules.query:
                found["query"] = _truth(session, self._rules.query)
            return found
        finally:
            if not session.lost:
                session.execute("ROLLBACK")

    def _gauges(self, session: Session) -> dict[str, GuardReading]:
        if not self._asked:
            return {}
        try:
            values = self._values(session, self._asked)
            return {name: _reading(name, value) for name, value in zip(self._asked, values, strict=True)}
        except DatabaseError as error:
            if error.lost or session.lost:
                raise
        # A right may be missing for one of them: that must not hide the others.
        return {name: self._alone(session, name) for name in self._asked}

    def _alone(self, session: Session, name: str) -> GuardReading:
        try:
            (value,) = self._values(session, [name])
            return _reading(name, value)
        except DatabaseError as error:
            if error.lost or session.lost:
                raise
            return GuardReading(None, error.fact)

    def _values(self, session: Session, names: list[str]) -> tuple[Any, ...]:
        listed = ",\n".join(f"({_SQL[name]}) AS {name}" for name in names)
        (row,) = session.execute_within(qualified(f"SELECT {listed}"), {"ours": list(self._ours())})
        return row

    def _silent(self, error: KisaanError) -> dict[str, GuardReading]:
        """The readings of a server that did not answer."""
        found = {name: GuardReading(None, error.fact) for name in (*self._asked, *self._query())}
        # One that refuses because it is full says how many are free.
        if "free_connections" in found and sqlstate_said(error.fact) == "53300":
            found["free_connections"] = GuardReading(0)
        return found

    def _query(self) -> tuple[str, ...]:
        return ("query",) if self._rules.query else ()


def _reading(name: str, value: Any) -> GuardReading:
    return GuardReading(None, UNKNOWN.get(name, RIGHTS)) if value is None else GuardReading(float(value))


_ASKED = "SELECT * FROM (\n"


def _truth(session: Session, query: str) -> GuardReading:
    """Whether the team's query returned true. Raises DatabaseError if the session is lost."""
    try:
        rows = session.execute_within(qualified(f"{_ASKED}{authored(query)}\n) AS asked LIMIT 2"))
    except DatabaseError as error:
        if error.lost or session.lost:
            raise
        return GuardReading(None, f"the query failed: {error.fact}")
    if len(rows) != 1 or len(rows[0]) != 1 or not isinstance(rows[0][0], bool):
        return GuardReading(None, "the query must return one row of one boolean that is not NULL")
    return GuardReading(rows[0][0])


def _files(rules: GuardRules) -> dict[str, GuardReading]:
    """Whether each file is, or is not, there."""
    wanted = {"pause_file": False, "needs_file": True, "forbids_file": False}
    named = {name: getattr(rules, name) for name in wanted}
    return {name: _there(path, wanted[name]) for name, path in named.items() if path}


def _there(path: str, wanted: bool) -> GuardReading:
    try:
        os.stat(path)
        return GuardReading(wanted)
    except (FileNotFoundError, NotADirectoryError):
        return GuardReading(not wanted)
    except OSError as error:
        return GuardReading(None, f"{path}: {error.strerror}")
