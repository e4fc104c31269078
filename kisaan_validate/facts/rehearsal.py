"""What was measured while a migration ran on a copy: outages that canaries felt, rules broken, settings.

Times are seconds since the start of the variant's tape, by the server's clock.
"""

from __future__ import annotations

from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.tape import Tape


@dataclass(frozen=True)
class SecondsRange:
    """A time that is known to lie between ``least`` and ``most`` seconds."""

    least: float
    most: float


class CanaryAccess(StrEnum):
    """What a canary tries."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class OutageInterval:
    """A time in which a canary could not do its work: it waited from ``start`` to ``end``, at most.

    ``least`` is the shorter time that is proved: from the canary's own start of waiting to the end of its
    wait. ``failed`` is why it could not do it even then ("" if it was only late): an SQLSTATE with its name.
    ``open``: the canaries were stopped while it still waited.
    """

    start: float
    end: float
    least: float
    statements: tuple[int, ...] = ()
    failed: str = ""
    open: bool = False


@dataclass(frozen=True)
class CanaryOutage:
    """A table that could not be read or written for a while. ``longest`` is the longest wait at once."""

    relation: str
    access: CanaryAccess
    intervals: tuple[OutageInterval, ...]
    total: SecondsRange
    longest: SecondsRange


@dataclass(frozen=True)
class NotTried:
    """A table that no canary could read or write, or only its lock and no row, and why."""

    relation: str
    access: CanaryAccess
    reason: str


@dataclass(frozen=True)
class CanaryWatch:
    """What the canaries felt. ``outages`` names only tables with one; ``tried`` are the relations that were
    tried, by access, so that a table without an outage is told from a table that nobody tried.

    ``every`` is the longest time between two tries of one table without an outage, in seconds: a shorter
    outage may be missing. A wait of less than ``felt`` seconds is no outage. ``tries`` counts all.
    """

    read: tuple[str, ...]
    written: tuple[str, ...]
    outages: tuple[CanaryOutage, ...]
    not_tried: tuple[NotTried, ...]
    every: float
    felt: float
    tries: int
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenReader:
    """A transaction that had read every table and was left open: from the tape's start to ``until``.

    ``asked`` is for how long it was to stay. ``ended_by`` is "time", "migration" (it was done before) or what
    else ended it.
    """

    asked: float
    until: float
    relations: int
    ended_by: str


class FileState(StrEnum):
    """How one file of migrations ended."""

    APPLIED = "applied"
    SKIPPED = "already applied"
    """The ledger of migrations names it."""
    FAILED = "failed"
    NOT_REACHED = "not reached"
    """An earlier file failed, or it was stopped before."""


@dataclass(frozen=True)
class MigratedFile:
    """One file of migrations. ``error`` has the SQLSTATE and the server's message without values."""

    name: str
    sha256: str
    state: FileState
    seconds: float | None = None
    sqlstate: str = ""
    error: str = ""
    line: int | None = None


@dataclass(frozen=True)
class MigrationDone:
    """How the migration itself ended. Either ``files`` or a ``command`` with its ``exit_code`` (None: it was
    ended by us, ``stopped`` says why).

    ``tail`` is the end of its output without secrets.
    """

    succeeded: bool
    seconds: float
    files: tuple[MigratedFile, ...] = ()
    command: str = ""
    exit_code: int | None = None
    tail: str = ""
    stopped: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SessionSetting:
    """A setting of the migrating session, where a result may depend on it. ``source`` as in pg_settings."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Calibration:
    """The same count of one table timed here and in production, best of several. ``there`` is None where
    production was not asked, ``reason`` says why. ``factor`` is there / here.
    """

    relation: str
    rows: int
    here: float
    there: float | None
    rows_there: int | None = None
    reason: str = ""

    @property
    def factor(self) -> float | None:
        """How many times longer production takes; by the row, where the numbers of rows differ."""
        if self.there is None or not self.here or not self.rows or not self.rows_there:
            return None
        return (self.there / self.rows_there) / (self.here / self.rows)


@dataclass(frozen=True)
class RuleFinding:
    """A rule of migrations that the tape breaks: from locks, rewrites and the catalogue, never from a wall
    time. ``statements`` are numbers of the tape, the telling one first; ``fact`` says what is, ``advice``
    what to do. ``severity``: a warning fails nothing. ``waived`` is the reason of a waiver, "" if there is
    none.
    """

    rule: str
    title: str
    statements: tuple[int, ...]
    relations: tuple[str, ...]
    fact: str
    advice: str
    waived: str = ""
    severity: Severity = Severity.BLOCKING

    @property
    def fails(self) -> bool:
        """Whether it fails the migration."""
        return not self.waived and self.severity is Severity.BLOCKING


@dataclass(frozen=True)
class RehearsedRun:
    """One run of the migration on a copy, with what was measured meanwhile. ``reader`` is None where no
    reader was left open.
    """

    migration: MigrationDone
    tape: Tape
    canaries: CanaryWatch
    reader: OpenReader | None = None


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsed migration: once alone, once beside an open reader (None, with ``reader_reason``: not done).

    ``not_proved`` are what the rehearsal does not tell, in words; a rehearsal with any is never "all well".
    """

    server_version: str
    settings: tuple[SessionSetting, ...]
    calibration: Calibration | None
    alone: RehearsedRun
    beside_reader: RehearsedRun | None
    reader_reason: str
    findings: tuple[RuleFinding, ...]
    not_proved: tuple[str, ...] = ()

    @property
    def sets_lock_timeout(self) -> bool | None:
        """Whether every statement that event triggers saw had a lock_timeout; None if they saw none."""
        limits = [s.detail.lock_timeout for s in self.alone.tape.statements]
        seen = [limit for limit in limits if limit is not None]
        return all(limit > 0 for limit in seen) if seen else None
