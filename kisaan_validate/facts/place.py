"""Where a run was: server, database, snapshot. No secrets."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.engine import POSTGRESQL


@dataclass(frozen=True)
class Standby:
    """How a standby stood when its rows were read.

    ``behind_seconds`` is how old its rows can be at most, by the server's clock; None if it could not be
    told. ``replayed_at`` is when the last commit that it replayed was made; ``replay_paused`` None if that
    could not be told.
    """

    behind_seconds: float | None
    replay_paused: bool | None
    replayed_at: datetime | None

    @property
    def words(self) -> str:
        """What people read: "standby, 612 s behind, replay paused". Seconds are rounded up: never younger
        than it is.
        """
        age = (
            # None is not 0: an unknown age must not read as "0 s behind".
            "how far behind is not known"
            if self.behind_seconds is None
            else f"{ceil(self.behind_seconds):,} s behind"
        )
        return f"standby, {age}" + (", replay paused" if self.replay_paused else "")


@dataclass(frozen=True)
class Place:
    """Where and on what a run was measured. Holds no password and no connection string.

    ``host`` and ``port`` are those that answered, of all that were asked; ``address`` is the server's own
    network address ("" over a local socket). ``standby`` is None on a primary. ``engine`` is "" for
    PostgreSQL.
    """

    host: str
    port: str
    database: str
    role: str
    source: str
    server_version: str
    server_version_num: int
    system_identifier: str
    time_zone: str
    in_recovery: bool
    snapshot: str
    lsn: str
    at: datetime
    encoding: str = ""
    collation: str = ""
    address: str = ""
    standby: Standby | None = None
    engine: str = ""

    @property
    def server(self) -> str:
        """Engine and version, as people read them: "PostgreSQL 18.1"."""
        return f"{self.engine or POSTGRESQL.name} {self.server_version}"


@dataclass(frozen=True)
class Notice:
    """Something about the run's environment that its reader must know. Not a check, never a verdict."""

    code: str
    message: str
    hint: str = ""
