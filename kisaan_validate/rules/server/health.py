"""The checks of ``declare.server_health()``: their bounds, why they matter, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.meta import exact_share
from kisaan_validate.rules.server.ages import WraparoundAge
from kisaan_validate.rules.server.base import ServerRule
from kisaan_validate.rules.server.objects import CollationVersions, NoInvalidIndex
from kisaan_validate.rules.server.sequences import SequenceHeadroom, SequenceTypes
from kisaan_validate.rules.server.storage import ChecksumFailures, SlotsHoldWal


@dataclass(frozen=True)
class HealthBounds:
    """Where each check begins to fail. Raises SuiteError for what cannot be meant."""

    wraparound: str | Fraction
    overdue: int
    values_left: str | Fraction
    days: int
    wal_bytes: int

    def __post_init__(self) -> None:
        for name, usual in (("overdue", 2), ("days", 30), ("wal_bytes", 10 * 1024**3)):
            value = getattr(self, name)
            # A bool is an int to Python.
            if type(value) is not int or value < 1:
                raise SuiteError(f"{name}={value!r} is not a whole number above 0", f"write {name}={usual:_}")
        share_of("wraparound", self.wraparound)
        share_of("values_left", self.values_left)


def share_of(name: str, value: str | Fraction) -> Fraction:
    """A share between 0 and 1, exact. Raises SuiteError."""
    share = exact_share(value) if isinstance(value, str) else value
    if not isinstance(share, Fraction) or not 0 < share < 1:
        raise SuiteError(f"{name}={value!r} is not a share between 0 and 1", f'write {name}="20%"')
    return share


CHECKS: Mapping[str, Callable[[HealthBounds], ServerRule]] = {
    "wraparound": lambda b: WraparoundAge(share_of("wraparound", b.wraparound), b.overdue, b.days),
    "sequence_headroom": lambda b: SequenceHeadroom(share_of("values_left", b.values_left), b.days),
    "sequence_types": lambda _: SequenceTypes(),
    "invalid_indexes": lambda _: NoInvalidIndex(),
    "collations": lambda _: CollationVersions(),
    "checksums": lambda _: ChecksumFailures(),
    "replication_slots": lambda b: SlotsHoldWal(b.wal_bytes),
}
"""How each rule is made of the bounds, by its name."""

WHY: Mapping[str, str] = {
    "wraparound": "at the end of its transaction IDs the server refuses to write",
    "sequence_headroom": "after its last value every insert that needs the sequence fails",
    "sequence_types": "inserts fail at the end of the narrower type, long before the wider one",
    "invalid_indexes": "an invalid index answers no query, may not enforce uniqueness, and slows every write",
    "collations": "an index that was built in another order misses rows and admits duplicates",
    "checksums": "a page on disk is not what was written",
    "replication_slots": "kept WAL fills the disk, and a slot that lost it needs a new replica",
}

HINTS: Mapping[str, str] = {
    "wraparound": (
        "end old transactions, prepared transactions and unused slots, then VACUUM (FREEZE) the oldest tables"
    ),
    "sequence_headroom": (
        "make both bigint: ALTER TABLE … ALTER COLUMN … TYPE bigint; ALTER SEQUENCE … AS bigint"
    ),
    "sequence_types": "ALTER SEQUENCE … AS the type of its column, or change the column's type",
    "invalid_indexes": "REINDEX INDEX CONCURRENTLY it, or DROP INDEX CONCURRENTLY what a failed build left",
    "collations": (
        "REINDEX the indexes that use it, then ALTER COLLATION … (or DATABASE …) REFRESH COLLATION VERSION"
    ),
    "checksums": "check the disks, restore the damaged pages from a backup, then pg_stat_reset()",
    "replication_slots": (
        "restart what reads the slot, or SELECT pg_drop_replication_slot('…') if nothing will; "
        "limit it by max_slot_wal_keep_size"
    ),
}
