"""What a migration did to a database, statement by statement: its locks, rewrites, sizes and times.

Times are seconds since the start of the tape, by the server's clock. A missing figure is None, with a reason
beside it, never 0.
"""

from __future__ import annotations

from enum import StrEnum

from kisaan_validate.dataclass import dataclass

BLOCKS_WRITES = frozenset(
    {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
)
"""The lock modes in which nobody else may write to a table (PostgreSQL, "Explicit Locking")."""

BLOCKS_READS = frozenset({"AccessExclusiveLock"})
"""The lock mode in which nobody else may read a table."""


class StatementOutcome(StrEnum):
    """How a statement ended."""

    COMMITTED = "committed"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"
    """It was done, and its transaction or savepoint was rolled back."""
    UNKNOWN = "unknown"
    """The tape does not tell: its session did not end before the tape did, or lines are missing."""


class SeenBy(StrEnum):
    """Where a statement's locks were read."""

    TRIGGER = "event trigger"
    """Exactly: by event triggers, in the statement's own session."""
    SAMPLES = "samples"
    """From outside, every few milliseconds: a lock held more briefly may be missing."""


@dataclass(frozen=True)
class TapeLock:
    """A lock on a relation. ``mode`` is the server's name, such as ``AccessExclusiveLock``.

    ``since`` is when it was got at the earliest, ``until`` when it was let go at the latest (None: unknown).
    ``waited`` is how long the session queued for it, as the server logged or samples saw it; 0 if neither
    did. ``table`` is the table that the relation belongs to: itself, or an index's table. ``ours`` tells that
    the transaction created the relation itself, so that nobody else can miss it. ``sampled``: seen from
    outside, every few milliseconds, so that ``since`` and ``until`` are as exact as that.
    """

    relation: str
    kind: str
    table: str
    mode: str
    since: float
    until: float | None
    waited: float = 0.0
    sampled: bool = False
    ours: bool = False

    @property
    def blocks_reads(self) -> bool:
        """Whether nobody else could read meanwhile. An index so locked stops every query of its table."""
        return self.mode in BLOCKS_READS and not self.ours

    @property
    def blocks_writes(self) -> bool:
        """Whether nobody else could write meanwhile."""
        return self.mode in BLOCKS_WRITES and not self.ours


@dataclass(frozen=True)
class TableScan:
    """A whole table read or written by a statement, as the server's own log says.

    ``what`` is ``rewriting`` (a new file), ``verifying`` (all rows tested), ``validating`` (a foreign key,
    named in ``constraint``) or ``building`` (an index, named in ``index``).
    """

    relation: str
    what: str
    at: float
    constraint: str = ""
    index: str = ""


@dataclass(frozen=True)
class TableRewrite:
    """A relation that got a new file. ``reasons`` are in words; ``bytes_before`` is its size until then."""

    relation: str
    reasons: tuple[str, ...]
    bytes_before: int | None
    sampled: bool = False
    ours: bool = False


@dataclass(frozen=True)
class SizeChange:
    """Bytes of a relation with its indexes and TOAST around a statement. None: it was not there."""

    relation: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class TapeColumn:
    """A column as the catalogue has it. ``default`` is its expression, "" if it has none."""

    name: str
    type: str
    not_null: bool
    default: str = ""


@dataclass(frozen=True)
class ColumnMove:
    """A column of a table that a statement added, dropped or altered: as it was and as it is."""

    relation: str
    before: TapeColumn | None
    after: TapeColumn | None
    ours: bool = False


@dataclass(frozen=True)
class ConstraintMove:
    """A constraint that a statement added or altered. ``kind`` as in pg_constraint.contype.

    ``was_validated`` is None where the constraint was not there before.
    """

    relation: str
    name: str
    kind: str
    definition: str
    was_validated: bool | None
    validated: bool
    ours: bool = False


@dataclass(frozen=True)
class RelationRename:
    """A relation that a statement gave another name or schema."""

    before: str
    after: str
    ours: bool = False


@dataclass(frozen=True)
class DroppedObject:
    """An object that a statement dropped. ``normal`` is False where it went with another one."""

    type: str
    identity: str
    normal: bool


@dataclass(frozen=True)
class TapeDetail:
    """What event triggers saw of a statement that changes the schema; empty for others.

    ``lock_timeout`` in seconds (0.0: none) and ``time_zone`` are the session's while it ran; "" and None
    where no trigger saw it.
    """

    lock_timeout: float | None = None
    time_zone: str = ""
    created: tuple[str, ...] = ()
    columns: tuple[ColumnMove, ...] = ()
    constraints: tuple[ConstraintMove, ...] = ()
    renames: tuple[RelationRename, ...] = ()


@dataclass(frozen=True)
class TapeStatement:
    """One statement of the migration.

    ``number`` counts from 1 in order of start. ``text`` is masked where it was found in no given file:
    then ``file`` is "" and ``line`` None. ``within`` is the number of the statement that ran this one, as a
    DO block or function does; 0 for what the client sent. ``transaction`` numbers the tape's transactions.
    ``committed`` is when its transaction ended in a commit, at the latest. ``wal_bytes`` is None where
    other sessions wrote too, ``wal_reason`` says so. ``temp_bytes`` None: the server did not log it.
    """

    number: int
    session: int
    transaction: int
    text: str
    file: str
    line: int | None
    tag: str
    start: float
    end: float | None
    committed: float | None
    outcome: StatementOutcome
    seen_by: SeenBy
    within: int = 0
    error: str = ""
    sqlstate: str = ""
    locks: tuple[TapeLock, ...] = ()
    scans: tuple[TableScan, ...] = ()
    rewrites: tuple[TableRewrite, ...] = ()
    dropped: tuple[DroppedObject, ...] = ()
    sizes: tuple[SizeChange, ...] = ()
    temp_bytes: int | None = 0
    wal_bytes: int | None = None
    wal_reason: str = ""
    detail: TapeDetail = TapeDetail()

    @property
    def seconds(self) -> float | None:
        """How long it ran; None if its end is unknown."""
        return None if self.end is None else self.end - self.start


@dataclass(frozen=True)
class Tape:
    """All statements between the tape's start and its end, ``seconds`` later.

    ``sample_seconds`` is the largest time between two samples of the locks (None: none were taken).
    ``gaps`` are what the tape does not tell, in words: a rehearsal with a gap proves less.
    """

    started_at: str
    seconds: float
    statements: tuple[TapeStatement, ...]
    sample_seconds: float | None
    gaps: tuple[str, ...] = ()

    @property
    def by_number(self) -> dict[int, TapeStatement]:
        """The statements by their numbers."""
        return {statement.number: statement for statement in self.statements}
