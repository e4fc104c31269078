"""What was asked before a migration, and what was found: go, no-go, cannot tell or work to do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState

PREFLIGHT_FORMAT = 1
"""Version of ``preflight.json``. 1: first form."""


class PreflightTopic(StrEnum):
    """What a question is about, in the order in which the questions are shown."""

    TARGET = "target"
    TABLES = "tables"
    WORK = "work"
    MIGRATIONS = "migrations"
    BACKUP = "backup"
    REHEARSAL = "rehearsal"
    BASELINE = "baseline"
    BLOCKERS = "blockers"
    DISK = "disk"
    HEALTH = "health"
    REPLICATION = "replication"
    CLOCKS = "clocks"
    INDEXES = "indexes"


EvidenceRow = tuple[tuple[str, str], ...]
"""One object behind an item, such as a session: pairs of a name and its value."""


@dataclass(frozen=True)
class PreflightItem:
    """The answer to one question. ``fact`` says what was found, ``todo`` what to do about it ("": nothing).

    WORK is what the migration is there to do, and never a failure; UNKNOWN has no answer. ``rows`` are the
    objects behind it, all of them.
    """

    topic: PreflightTopic
    question: str
    state: StandingState
    fact: str
    todo: str = ""
    rows: tuple[EvidenceRow, ...] = ()


@dataclass(frozen=True)
class PreflightLeftOut:
    """Something that was not asked, and who said so: the command line, or the configuration."""

    name: str
    why: str


@dataclass(frozen=True)
class PreflightPlace:
    """Where it was asked. "" and None where the server did not say it. Holds no secret."""

    source: str
    host: str
    port: str
    database: str = ""
    role: str = ""
    server: str = ""
    system_identifier: str = ""
    standby: bool | None = None


@dataclass(frozen=True)
class PreflightEvidence:
    """A file that an answer rests on: what it is, its name without its folder, the SHA-256 of its bytes."""

    what: str
    name: str
    sha256: str


@dataclass(frozen=True)
class PreflightRecord:
    """``preflight.json``: everything that was asked and answered. ``deep``: rows were read too.
    ``not_proved`` are sentences about what could not be asked at all here.
    """

    at: datetime
    version: str
    verdict: Verdict
    place: PreflightPlace
    items: tuple[PreflightItem, ...]
    left_out: tuple[PreflightLeftOut, ...]
    evidence: tuple[PreflightEvidence, ...]
    seconds: float
    deep: bool
    not_proved: tuple[str, ...] = ()
    format_version: int = PREFLIGHT_FORMAT

    def of(self, state: StandingState) -> tuple[PreflightItem, ...]:
        """The items of one state."""
        return tuple(item for item in self.items if item.state is state)


@dataclass(frozen=True)
class SessionSeen:
    """Another session in this database. What the server hides or does not say is "" or None.

    ``hidden`` says why it is not known what it does, "" where it is. ``since`` is when its transaction began,
    ``open_seconds`` how long ago; ``still_seconds`` is how long it has been in its present state. ``command``
    is what pg_stat_progress says it is at, ``relation`` the oid of what it works on.
    """

    pid: int
    user: str = ""
    application: str = ""
    client: str = ""
    kind: str = ""
    state: str = ""
    since: str = ""
    open_seconds: float | None = None
    still_seconds: float | None = None
    hidden: str = ""
    command: str = ""
    relation: int | None = None
    wraparound: bool = False
    query: str = ""


@dataclass(frozen=True)
class PreparedSeen:
    """A prepared transaction of this database: it keeps its locks until somebody ends it by name."""

    name: str
    owner: str
    since: str
    seconds: float


@dataclass(frozen=True)
class RelationLock:
    """A lock on a relation of this database that another session or prepared transaction (pid None) holds or
    waits for. ``blocked_by`` are the process ids that it waits for, ``waited`` seconds it has waited.
    """

    pid: int | None
    relation: int
    mode: str
    granted: bool
    waited: float | None = None
    blocked_by: tuple[int, ...] = ()


@dataclass(frozen=True)
class BlockersSeen:
    """Everything that could delay an ALTER, at one moment. None: that could not be read, ``reasons`` says
    why, by the name of the field.
    """

    sessions: tuple[SessionSeen, ...] | None
    prepared: tuple[PreparedSeen, ...] | None
    locks: tuple[RelationLock, ...] | None
    reasons: tuple[tuple[str, str], ...] = ()

    def why(self, name: str) -> str:
        """Why a field is None."""
        return dict(self.reasons).get(name, "it was not asked")
