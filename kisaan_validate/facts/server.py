"""The state of a server apart from its data: ages, sequences, indexes, collations, checksums, slots.

A section that could not be read is a :class:`Withheld` with the reason, never an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from kisaan_validate.dataclass import dataclass

TRANSACTIONS, MULTIXACTS = "transactions", "multixacts"
"""Names of counters: the next transaction (64 bits), the next multixact (modulo 2^32)."""


@dataclass(frozen=True)
class Withheld:
    """Why a section is not known."""

    reason: str


@dataclass(frozen=True)
class ServerCounter:
    """Where a counter of the server stood: a sequence by its title, or one of the names above."""

    name: str
    value: int


@dataclass(frozen=True)
class Counters:
    """Where counters stood at a time of the server's clock."""

    at: datetime
    values: Mapping[str, int]


@dataclass(frozen=True)
class FrozenAge:
    """How many transactions and multixacts ago the oldest ones were that a database or table may hold."""

    kind: str
    name: str
    xids: int
    multixacts: int


@dataclass(frozen=True)
class FrozenAges:
    """The ages of all databases, and of all tables of this one. From ``freeze_max`` (transactions) and
    ``multixact_freeze_max`` on, autovacuum freezes a table by force.
    """

    freeze_max: int
    multixact_freeze_max: int
    ages: tuple[FrozenAge, ...]


@dataclass(frozen=True)
class FilledColumn:
    """A column that a sequence fills, as ``schema.table.column``, and its ``typname`` below any domain."""

    name: str
    base: str


@dataclass(frozen=True)
class SequenceState:
    """A sequence. ``last`` is None where it was never called, or where ``unread`` says why it is not known.

    ``base`` is its own type: int2, int4 or int8.
    """

    name: str
    base: str
    minimum: int
    maximum: int
    increment: int
    cycles: bool
    last: int | None = None
    unread: str = ""
    fills: tuple[FilledColumn, ...] = ()


@dataclass(frozen=True)
class BrokenIndex:
    """An index that PostgreSQL does not use, or does not keep. ``state`` says in words why.

    ``built`` is true while a session builds it, None where the role may not see that.
    """

    name: str
    table: str
    state: str
    built: bool | None


@dataclass(frozen=True)
class IndexStates:
    """How many indexes there are, and those that are not as they should be."""

    total: int
    broken: tuple[BrokenIndex, ...]


@dataclass(frozen=True)
class CollationState:
    """A collation that columns or indexes use: the version it was made with, and that of the library now."""

    name: str
    recorded: str
    actual: str | None
    indexes: int | None


@dataclass(frozen=True)
class ChecksumState:
    """Failures of checksums that the server counted, by database (``""``: shared tables)."""

    enabled: bool
    failures: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class SlotState:
    """A replication slot. ``held`` are the bytes of WAL from its restart point to now, None without one."""

    name: str
    kind: str
    active: bool
    status: str
    held: int | None


@dataclass(frozen=True)
class SlotStates:
    """All slots of the server, and ``max_slot_wal_keep_size`` in bytes (None: no limit)."""

    keep: int | None
    slots: tuple[SlotState, ...]


@dataclass(frozen=True)
class ServerFacts:
    """All sections. ``earlier`` are counters of a run or baseline before, for rates."""

    counters: Counters | Withheld
    ages: FrozenAges | Withheld
    sequences: tuple[SequenceState, ...] | Withheld
    indexes: IndexStates | Withheld
    collations: tuple[CollationState, ...] | Withheld
    checksums: ChecksumState | Withheld
    slots: SlotStates | Withheld
    earlier: tuple[Counters, ...] = field(default=())

    @property
    def recorded(self) -> tuple[ServerCounter, ...]:
        """The counters as a run keeps them, for the rates of the next one."""
        found: dict[str, int] = {}
        if isinstance(self.counters, Counters):
            found |= self.counters.values
        if not isinstance(self.sequences, Withheld):
            found |= {s.name: s.last for s in self.sequences if s.last is not None}
        return tuple(ServerCounter(name, found[name]) for name in sorted(found))
