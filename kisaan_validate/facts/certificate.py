"""What is known of a backup: how it was taken, what a restore of it showed, and what certifies it."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import Diff, TableRowCounts
from kisaan_validate.facts.dump import DumpFacts, Restored
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.table import KeyedDigest

CERTIFICATE_FORMAT = 1
"""Version of a certificate. 1: first form."""

TAKEN_FORMAT = 1
"""Version of the record that ``backup take`` writes beside a dump. 1: first form."""


@dataclass(frozen=True)
class BackupTaken:
    """How a dump was taken: the record beside it.

    ``baseline`` is the name of the baseline of the same snapshot, ``baseline_digest`` the SHA-256 of its
    text. ``client`` is the pg_dump that wrote the dump, ``warnings`` the lines it printed, without values.
    ``held_seconds`` is how long the snapshot was held, which keeps VACUUM from removing dead rows.
    ``sealed`` are digests of personal columns with few values, under a key that ``sealed_key`` and the dump
    give together.
    """

    dump: str
    format: str
    size: int
    sha256: str
    snapshot: str
    baseline: str
    baseline_digest: str
    database: str
    host: str
    port: str
    system_identifier: str
    server_version: str
    client: str
    started_at: datetime
    finished_at: datetime
    dump_seconds: float
    held_seconds: float
    exit_code: int
    warnings: tuple[str, ...]
    taken_by: str
    tool_version: str
    sealed: tuple[KeyedDigest, ...] = ()
    sealed_key: str = ""
    format_version: int = TAKEN_FORMAT


@dataclass(frozen=True)
class ComparedBaseline:
    """The baseline that a restored dump was compared with. ``digests``: it holds digests of rows.

    ``same_snapshot``: it is of the snapshot that was dumped, as ``how`` says. ``younger``: it was taken
    after the dump; None where the time of the dump is not known.
    """

    name: str
    digest: str
    taken_at: datetime
    database: str
    host: str
    same_snapshot: bool
    how: str
    digests: bool
    younger: bool | None = None


@dataclass(frozen=True)
class KeyCheck:
    """A key that the restored schema declares, proved by reading the rows, never its index.

    ``kind`` is "primary key", "unique" or "foreign key". ``violations`` are rows too many of a repeated
    key, or
    rows whose referenced row is missing; None where the rows could not be asked, ``message`` says why.
    ``validated`` is False for a constraint that is NOT VALID.
    """

    kind: str
    table: str
    name: str
    columns: tuple[str, ...]
    violations: int | None
    validated: bool = True
    message: str = ""


@dataclass(frozen=True)
class IndexCheck:
    """``pg_amcheck --heapallindexed`` over the restored database. ``problems`` is None where it was not run;
    ``message`` says why, or what it found.
    """

    problems: int | None
    message: str = ""


@dataclass(frozen=True)
class Integrity:
    """What was found of the restored rows without a baseline."""

    keys: tuple[KeyCheck, ...] = ()
    indexes: IndexCheck = IndexCheck(None, "not asked for")
    message: str = ""
    """Why the keys could not be read from the catalogue, "" if they could."""


@dataclass(frozen=True)
class NewestValue:
    """The newest value of a declared time column in the dump; None with the reason."""

    table: str
    column: str
    value: str | None
    message: str = ""


@dataclass(frozen=True)
class EarlierBackup:
    """What an earlier certificate in the folder says of its dump."""

    certificate: str
    made_at: datetime
    dump: str
    size: int
    database: str
    taken_at: datetime | None
    verdict: Verdict


@dataclass(frozen=True)
class BackupAsked:
    """What was asked of a verification. ``at`` is when it began; ``valid_days`` how long a certificate holds.

    ``max_age_seconds`` is how old a good dump may be, None for any age. ``added_since`` are columns
    (table, column) that tell rows written since the baseline; tables in ``may_shrink`` may have fewer rows;
    ``accepted`` are names of what may be left out.
    """

    at: datetime
    valid_days: int
    max_age_seconds: int | None = None
    added_since: tuple[tuple[str, str], ...] = ()
    may_shrink: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupEvidence:
    """All that a certificate rests on. What was not reached is None, with the reason beside it.

    ``unread`` says why the file is no dump that can be read; ``changed`` that it is not the file that was
    recorded; ``complaints`` are errors that pg_dump reported when it wrote the dump.
    """

    asked: BackupAsked
    dump: DumpFacts | None
    unread: str = ""
    taken: BackupTaken | None = None
    changed: str = ""
    complaints: tuple[str, ...] = ()
    restored: Restored | None = None
    not_restored: str = ""
    against: ComparedBaseline | None = None
    counts: tuple[TableRowCounts, ...] = ()
    late: dict[str, int] = field(default_factory=dict)
    """Rows above the baseline's highest value of a declared column, by table."""
    ahead: tuple[str, ...] = ()
    """Sequences that stand further in the dump than in the baseline, in their own direction."""
    diff: Diff | None = None
    not_compared: str = ""
    integrity: Integrity | None = None
    newest: tuple[NewestValue, ...] = ()
    earlier: tuple[EarlierBackup, ...] = ()


@dataclass(frozen=True)
class BackupReason:
    """Why a backup is not good (``wrong``), or why that cannot be told. ``code`` is one word that stays the
    same from version to version.
    """

    code: str
    wrong: bool
    words: str


@dataclass(frozen=True)
class Certificate:
    """What was proved of one dump, by whom, until when, and what was not. ``log`` is where the log of a
    failed restore was kept.
    """

    id: str
    made_at: datetime
    made_by: str
    verdict: Verdict
    reasons: tuple[BackupReason, ...]
    evidence: BackupEvidence
    not_proved: tuple[str, ...]
    seconds: float
    log: str = ""
    tool_version: str = ""
    format_version: int = CERTIFICATE_FORMAT

    @property
    def valid_until(self) -> datetime | None:
        """When it ends; None where there is nothing that could be valid."""
        if self.verdict is not Verdict.PASS:
            return None
        return self.made_at + timedelta(days=self.evidence.asked.valid_days)
