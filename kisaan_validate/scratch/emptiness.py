"""What stands on a server that is about to become ours: it must be empty, and nobody else may be there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kisaan_validate.sql.qualify import qualified

MARK_DATABASE = "validate_scratch"

_OTHERS = """SELECT coalesce(usename::text, '') || ' in ' || datname::text FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""

_HERE = (
    ("a standby", "SELECT 'it is in recovery' WHERE pg_is_in_recovery()"),
    ("no superuser", "SELECT current_user::text FROM pg_roles WHERE rolname = current_user AND NOT rolsuper"),
    ("databases", "SELECT datname::text FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"),
    ("templates", "SELECT datname::text FROM pg_database WHERE datistemplate AND oid >= 16384"),
    ("roles", "SELECT rolname::text FROM pg_roles WHERE oid >= 16384"),
    ("tablespaces", "SELECT spcname::text FROM pg_tablespace WHERE oid >= 16384"),
    ("replication slots", "SELECT slot_name::text FROM pg_replication_slots"),
    ("standbys", "SELECT coalesce(application_name, '') FROM pg_stat_replication"),
    ("prepared transactions", "SELECT gid FROM pg_prepared_xacts"),
    ("subscriptions", "SELECT subname::text FROM pg_subscription"),
    (
        "sessions of others",
        _OTHERS,
    ),
)
"""What belongs to the server as a whole: each asks for names, and finds none on an empty server."""

_INSIDE = (
    (
        "schemas",
        "SELECT nspname::text FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_(toast_)?temp_'",
    ),
    ("relations", "SELECT relname::text FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't'"),
    ("functions", "SELECT proname::text FROM pg_proc WHERE oid >= 16384"),
    ("types", "SELECT typname::text FROM pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r')"),
    ("extensions", "SELECT extname::text FROM pg_extension WHERE oid >= 16384"),
    ("large objects", "SELECT oid::text FROM pg_largeobject_metadata"),
    ("event triggers", "SELECT evtname::text FROM pg_event_trigger"),
    ("publications", "SELECT pubname::text FROM pg_publication"),
    ("foreign servers", "SELECT srvname::text FROM pg_foreign_server"),
)
"""The same of one database."""

Ask = Callable[[str], list[tuple[Any, ...]]]


def on_server(ask: Ask, ours: Collection[str] = ()) -> list[str]:
    """What keeps a server from being empty, in words; ``ours``: names of databases and roles that we made,
    and in whose sessions nobody else is.
    """
    found = []
    for what, sql in _HERE:
        names = [str(name) for (name,) in ask(qualified(sql))]
        strange = [name for name in names if name.rpartition(" in ")[2] not in ours]
        found += [_said(what, strange)] if strange else []
    return found


def in_database(ask: Ask, database: str) -> list[str]:
    """What keeps a database from being empty, in words."""
    asked = ((what, [str(name) for (name,) in ask(qualified(sql))]) for what, sql in _INSIDE)
    return [f"{_said(what, names)} in the database {database}" for what, names in asked if names]


def _said(what: str, names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{what}: {', '.join(sorted(names)[:3])}{more}"
