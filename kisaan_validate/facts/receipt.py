"""The receipt of a rehearsal: what was rehearsed, by digests, so that production can be compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import SessionSetting
from kisaan_validate.facts.result import Verdict

RECEIPT_FORMAT = 1
"""Version of a receipt. 1: first form."""


@dataclass(frozen=True)
class ReceiptFile:
    """A file by its name and the SHA-256 (hex) of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class ReceiptChange:
    """A difference between before and after the migration, without its values. ``delta`` is of counts."""

    kind: str
    table: str
    name: str
    aspect: str
    delta: int | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies it within its comparison."""
        return (self.kind, self.table, self.name, self.aspect)


@dataclass(frozen=True)
class RehearsalReceipt:
    """What a rehearsal was of, and what it came to.

    ``migrations`` are the files, () where ``command`` ran them. ``contract`` and ``suite`` are digests as a
    run records them, "" where there was none. ``dump_taken_at`` has no zone where the dump does not say.
    ``changes`` are those of the copy; ``compared`` tells whether they are known at all. ``reasons`` are the
    verdict's.
    """

    at: datetime
    version: str
    verdict: Verdict
    reasons: tuple[str, ...]
    migrations: tuple[ReceiptFile, ...]
    command: str
    dump: ReceiptFile
    dump_taken_at: datetime | None
    dumped_from: str
    server_version: str
    contract: str
    suite: str
    settings: tuple[SessionSetting, ...]
    compared: bool
    changes: tuple[ReceiptChange, ...] = ()
    format_version: int = RECEIPT_FORMAT

    @property
    def server_major(self) -> str:
        """The major version of the rehearsal's server, "18" of "18.6" or "PostgreSQL 18.6"."""
        return major_of(self.server_version)

    def changed_files(self, now: Sequence[ReceiptFile]) -> tuple[str, ...]:
        """Which files of migrations are not as rehearsed, in words."""
        before, after = ({file.name: file.sha256 for file in files} for files in (self.migrations, now))
        found = []
        for name in sorted({*before, *after}):
            if name not in after:
                found.append(f"{name} was rehearsed, but is no longer there")
            elif name not in before:
                found.append(f"{name} was not rehearsed")
            elif before[name] != after[name]:
                found.append(f"{name} was changed after the rehearsal")
        return tuple(found)


def major_of(version: str) -> str:
    """The major version in "18.6" or "PostgreSQL 18.6"."""
    return version.removeprefix("PostgreSQL").strip().partition(".")[0]


@dataclass(frozen=True)
class ReceiptReview:
    """A run in production compared with the receipt of its rehearsal.

    ``void`` says what is not as it was rehearsed: then the rehearsal proves nothing for this run. ``other``
    says where production came out differently. ``unknown`` says what cannot be compared.
    """

    void: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def as_rehearsed(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not (self.void or self.other or self.unknown)
