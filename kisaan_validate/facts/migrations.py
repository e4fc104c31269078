"""A folder of migrations, the ledger in which they are recorded, and how the two compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState, verdict_of

MIGRATIONS_FORMAT = 1
"""Version of migrations.json. 1: first form."""


class Oddity(StrEnum):
    """What can be odd about a file, a row, or the two together."""

    PENDING = "pending"
    NO_FILE = "no file"
    """In the ledger, but no file of the folder has its name."""
    FAILED = "failed"
    """The ledger says that it failed."""
    LOCKED = "locked"
    """The ledger says that a runner is at work, or died at work."""
    TWICE = "recorded twice"
    OUT_OF_ORDER = "out of order"
    OUTSIDE_WINDOW = "outside the window"
    NO_EFFECT = "without effect"
    """It is recorded, but promises that are tied to it were not kept."""
    EDITED = "edited"
    """Its checksum is not the one that the ledger has."""
    ONLY_READS = "only reads"
    OPEN_TRANSACTION = "leaves a transaction open"
    ENDS_TRANSACTION = "ends a transaction"
    """It commits or rolls back what it did not begin, so a failure leaves a part of it behind."""
    NOT_TOGETHER = "cannot run with others"
    """A statement that refuses a transaction stands among others, which are sent as one."""
    EMPTY = "empty"
    NOT_TEXT = "not UTF-8"
    SAME_NUMBER = "same number"
    OUTSIDE_FOLDER = "outside the folder"
    """A link that leads out of it."""
    NOT_READ = "not read"
    GRAPH = "graph"
    """Revisions that follow nothing known, or several heads."""
    ELSEWHERE = "elsewhere"
    """A row of an app whose files are in none of the folders."""


@dataclass(frozen=True)
class FileRemark:
    """Something odd within one file. ``line`` counts from 1; None where it is about the whole file."""

    oddity: Oddity
    fact: str
    line: int | None = None


@dataclass(frozen=True)
class MigrationFile:
    """One file of the folder.

    ``name`` is how the ledger would name it; ``path`` is within the folder. ``parents`` are names that must
    come before it (of a graph; in a folder without one, the order of names is the order). ``replaces`` are
    names that it stands for. ``checksum`` is of the kind that the ledger keeps, "" where it keeps none.
    ``statements`` is None where the file was not read as SQL.
    """

    name: str
    path: str
    sha256: str
    size: int
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    checksum: str = ""
    statements: int | None = None
    remarks: tuple[FileRemark, ...] = ()


def remarked(
    files: Iterable[MigrationFile], remarks: Iterable[tuple[str, FileRemark]]
) -> tuple[MigrationFile, ...]:
    """The files with these remarks, (name, remark), behind their own."""
    by_name: dict[str, list[FileRemark]] = {}
    for name, remark in remarks:
        by_name.setdefault(name, []).append(remark)
    return tuple(replace(file, remarks=(*file.remarks, *by_name.get(file.name, ()))) for file in files)


@dataclass(frozen=True)
class MigrationFolder:
    """The files in the order in which a runner applies them, or in ``message`` why they are not known.

    ``remarks`` are about names in it that are no migrations; ``notes`` say which files were not taken.
    """

    path: str
    files: tuple[MigrationFile, ...] = ()
    remarks: tuple[tuple[str, FileRemark], ...] = ()
    message: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerEntry:
    """One row of the ledger.

    ``at`` is when it ran, as the server wrote it ("" where nothing says it); ``instant`` the same as a time,
    None where the column has no zone or is no time. ``number`` is the ledger's own order, where it has one.
    ``success`` is None where the ledger does not say it.
    """

    name: str
    at: str = ""
    instant: datetime | None = None
    number: int | None = None
    checksum: str = ""
    success: bool | None = None


@dataclass(frozen=True)
class LedgerEntries:
    """All rows of the ledger, or in ``message`` why they are not known.

    ``absent``: the table is not there, which is how a ledger looks before the first migration. ``locked``
    says that a runner holds the ledger's own lock. ``only_heads``: rows are the ends of a graph, and what
    they follow is applied too. ``notes`` say what was not read of it.
    """

    kind: LedgerKind
    table: str
    entries: tuple[LedgerEntry, ...] = ()
    message: str = ""
    absent: bool = False
    locked: bool = False
    only_heads: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TiedPromise:
    """Whether a promise that the suite ties to a migration was kept. ``kept`` None: not known."""

    id: str
    kept: bool | None
    message: str = ""


@dataclass(frozen=True)
class MigrationWindow:
    """The time in which migrations were to run, and which of them: names or patterns, () for any.

    Without ``since`` it began long ago, without ``until`` it has not ended.
    """

    since: datetime | None = None
    until: datetime | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class MigrationItem:
    """A migration: a file, a row of the ledger, or both. ``in_ledger``: the ledger says that it is applied,
    not that it failed; None where that is not known.
    """

    name: str
    in_folder: bool
    in_ledger: bool | None
    at: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class MigrationFinding:
    """One thing that is not as it should be. ``name`` is the migration's, "" if it is about the whole.

    ``accepted``: somebody said that it is known; then its state is PASS.
    """

    oddity: Oddity
    state: StandingState
    name: str
    fact: str
    todo: str = ""
    line: int | None = None
    accepted: bool = False


@dataclass(frozen=True)
class MigrationsStanding:
    """Folder and ledger compared. ``untold`` are sentences about what was not compared, and why."""

    kind: LedgerKind
    folder: str
    table: str
    items: tuple[MigrationItem, ...]
    findings: tuple[MigrationFinding, ...]
    untold: tuple[str, ...] = ()

    def named(self, *oddities: Oddity) -> tuple[str, ...]:
        """The names of migrations with one of these oddities."""
        return tuple(dict.fromkeys(f.name for f in self.findings if f.oddity in oddities and f.name))

    @property
    def pending(self) -> tuple[str, ...]:
        """Files that the ledger does not have, in the order in which they would run."""
        return self.named(Oddity.PENDING)

    @property
    def known(self) -> bool:
        """Whether both the folder and the ledger could be read."""
        return not any(f.oddity is Oddity.NOT_READ and not f.name for f in self.findings)

    @property
    def verdict(self) -> Verdict:
        """PASS: every file is recorded, and nothing is odd. A failure outranks what is not known."""
        if any(finding.state is StandingState.WORK for finding in self.findings):
            return Verdict.FAIL
        # That folder and ledger were compared is an answer of its own: findings are only what is odd.
        return verdict_of((StandingState.PASS, *(finding.state for finding in self.findings)))


class WaitEnd(StrEnum):
    """How waiting for migrations ended."""

    APPLIED = "applied"
    NEVER = "never"
    """The ledger says that a migration failed: waiting longer does not help."""
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ServiceAnswer:
    """What the service's health endpoint said when it first answered with success, or last otherwise.

    ``status`` is None where nothing answered; ``missing`` is how many migrations were missing then, None
    where that was not known.
    """

    at: datetime
    status: int | None
    missing: int | None


@dataclass(frozen=True)
class Waited:
    """Waiting until all migrations were applied.

    ``looks`` is how often the ledger was read, ``changed`` when what it said last changed, None where it
    could never be read. ``unreachable`` says why it could not be read at the end, "" where it could.
    ``service`` is None where no health endpoint was named.
    """

    begun: datetime
    seconds: float
    end: WaitEnd
    looks: int
    changed: datetime | None = None
    unreachable: str = ""
    service: ServiceAnswer | None = None


@dataclass(frozen=True)
class MigrationsRecord:
    """migrations.json: what was found, where and when. ``waited`` is None where nobody waited."""

    at: datetime
    version: str
    host: str
    port: str
    database: str
    verdict: Verdict
    standing: MigrationsStanding
    window: MigrationWindow = field(default_factory=MigrationWindow)
    waited: Waited | None = None
    format_version: int = MIGRATIONS_FORMAT
