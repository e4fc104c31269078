"""Reads who is at work in the database: sessions, prepared transactions, locks. No table is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.preflight import BlockersSeen, PreparedSeen, RelationLock, SessionSeen
from kisaan_validate.postgres.session import Session
from kisaan_validate.preflight.asked import Inquiry
from kisaan_validate.sql.qualify import qualified

Seen = TypeVar("Seen")

LONGEST_QUERY = 500
"""Characters of a query's text that are shown."""

_HERE = "(SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"

# What other roles do is hidden from all but pg_read_all_stats; who they are is not.
_SESSIONS = qualified(f"""
SELECT a.pid, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
       coalesce(host(a.client_addr), ''), coalesce(a.backend_type, ''), coalesce(a.state, ''),
       coalesce(date_trunc('second', a.xact_start)::text, ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8,
       a.query = '<insufficient privilege>', coalesce(a.state = 'disabled', false),
       coalesce(p.command, ''), p.relid::bigint,
       coalesce(a.query LIKE 'autovacuum:%%(to prevent wraparound)', false),
       CASE WHEN %(queries)s THEN left(a.query, {LONGEST_QUERY + 1}) ELSE '' END
FROM pg_stat_activity AS a
LEFT JOIN (
    SELECT v.pid, v.relid, 'VACUUM' AS command FROM pg_stat_progress_vacuum AS v
    UNION ALL SELECT c.pid, c.relid, c.command FROM pg_stat_progress_create_index AS c
    UNION ALL SELECT k.pid, k.relid, k.command FROM pg_stat_progress_cluster AS k
    UNION ALL SELECT z.pid, z.relid, 'ANALYZE' FROM pg_stat_progress_analyze AS z
) AS p ON p.pid = a.pid
WHERE a.datid = {_HERE} AND a.pid <> pg_backend_pid()
  AND coalesce(a.backend_type, '') <> 'parallel worker'
ORDER BY a.pid""")

_PREPARED = qualified("""
SELECT p.gid, p.owner::text, date_trunc('second', p.prepared)::text,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8
FROM pg_prepared_xacts AS p WHERE p.database = current_database() ORDER BY p.prepared, p.gid""")

# Only waiting locks are asked for their blockers: that looks at the whole table of locks.
_LOCKS = qualified(f"""
SELECT l.pid, l.relation::bigint, l.mode, l.granted,
       CASE WHEN l.granted THEN NULL ELSE extract(epoch FROM clock_timestamp()
            - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start))::float8 END,
       CASE WHEN l.granted THEN NULL ELSE pg_blocking_pids(l.pid) END
FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.database = {_HERE} AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY l.pid, l.relation, l.mode""")

HIDDEN = "this role may not see it"
SILENT = "its role has track_activities off"


def blockers_seen(inquiry: Inquiry) -> BlockersSeen:
    """Everything, at about one moment. Raises DatabaseError only where the session is lost."""
    reasons: list[tuple[str, str]] = []

    def ask(name: str, read: Callable[[Inquiry], Seen]) -> Seen | None:
        try:
            return read(inquiry)
        except DatabaseError as error:
            if error.lost:
                raise
            reasons.append((name, error.fact))
            return None

    with inquiry.looking():
        sessions = ask("sessions", _sessions)
        prepared = ask("prepared", _prepared)
        locks = ask("locks", _locks)
    return BlockersSeen(sessions, prepared, locks, tuple(reasons))


def _sessions(inquiry: Inquiry) -> tuple[SessionSeen, ...]:
    rows = inquiry.session.execute_within(_SESSIONS, {"queries": inquiry.asked.show_queries})
    return tuple(_session(inquiry.session, *row) for row in rows)


def _session(session: Session, *row: Any) -> SessionSeen:
    pid, user, application, client, kind, state = row[:6]
    since, open_, still, hidden, silent, command, relation, wraparound, query = row[6:]
    why = HIDDEN if hidden else SILENT if silent else ""
    text = f"{query[:LONGEST_QUERY]}…" if len(query) > LONGEST_QUERY else query
    return SessionSeen(
        pid,
        user,
        application,
        client,
        kind,
        state,
        since=since,
        open_seconds=open_,
        still_seconds=still,
        hidden=why,
        command=command,
        relation=relation,
        wraparound=wraparound,
        query="" if hidden else session.target.hide(text),
    )


def _prepared(inquiry: Inquiry) -> tuple[PreparedSeen, ...]:
    return tuple(PreparedSeen(*row) for row in inquiry.session.execute_within(_PREPARED))


def _locks(inquiry: Inquiry) -> tuple[RelationLock, ...]:
    return tuple(
        RelationLock(pid, relation, mode, granted, waited, tuple(blockers or ()))
        for pid, relation, mode, granted, waited, blockers in inquiry.session.execute_within(_LOCKS)
    )
