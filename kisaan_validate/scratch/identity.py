"""Which server it is, told by facts that a name or an address cannot imitate."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.sql.qualify import qualified

_SYSTEM = qualified("SELECT system_identifier::text FROM pg_catalog.pg_control_system() AS control")
_STARTED = qualified("SELECT date_part('epoch', pg_postmaster_start_time())::text")
_DATA = qualified("SELECT current_setting('data_directory')")
_ADDRESS = qualified("SELECT host(inet_server_addr()), inet_server_port()")


@dataclass(frozen=True)
class ScratchIdentity:
    """``system``: the cluster's identifier, which its copies share. ``started``: when its postmaster began.
    ``data``: its data folder. ``address``: where it answered us. "" where it did not say.
    """

    system: str
    started: str
    data: str
    address: str


def identity_of(connection: Any) -> ScratchIdentity:
    """Read it. The connection must be in autocommit; what the role may not read stays "". Writes nothing."""
    host, port = _asked(connection, _ADDRESS) or (None, None)
    return ScratchIdentity(
        system=_only(connection, _SYSTEM),
        started=_only(connection, _STARTED),
        data=_only(connection, _DATA),
        address=f"{host}:{port}" if host else "",
    )


def _only(connection: Any, sql: str) -> str:
    row = _asked(connection, sql)
    return str(row[0]) if row and row[0] is not None else ""


def _asked(connection: Any, sql: str) -> tuple[Any, ...] | None:
    import psycopg2

    with suppress(psycopg2.Error), connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
    return None


def same(one: ScratchIdentity, other: ScratchIdentity, *, made: bool = False) -> str:
    """Why these are, or may be, one server; "" if they are proved to be two. ``made``: one of them was made
    by us a moment ago, so that another start is proof.
    """
    if one.system and one.system == other.system:
        return "they have one system identifier: it is the same server, or a copy of it"
    if one.started and one.started == other.started:
        return "they were started in the same microsecond"
    if one.address and one.address == other.address:
        return f"both answer at {one.address}"
    unread = [
        name
        for name, pair in (
            ("system identifier", (one.system or made, other.system or made)),
            ("start time", (one.started, other.started)),
        )
        if not all(pair)
    ]
    return f"nobody can tell, since the {' and the '.join(unread)} cannot be read" if unread else ""
