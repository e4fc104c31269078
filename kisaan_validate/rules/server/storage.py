"""Damaged pages that the server met, and replication slots that keep WAL."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.server import ServerFacts, SlotState
from kisaan_validate.rules.base import CatalogueAnswer
from kisaan_validate.rules.server.base import ServerRule, Wrong, answer, known

_LOST = frozenset({"lost", "unreserved"})
_NEARLY = Fraction(4, 5)
"""From this share of max_slot_wal_keep_size on, a slot is about to be lost."""


@dataclass(frozen=True)
class ChecksumFailures(ServerRule):
    """The server has counted no failed checksum since its statistics were reset."""

    kind: ClassVar[str] = "checksums"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return "the server counted no page with a failed checksum"

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Databases with failures."""
        state = known(server.checksums)
        if not state.enabled:
            return CatalogueAnswer(0, 0, inapplicable="data checksums are off on this server")
        wrong = [
            Wrong(
                f"{_database(name)}: {failures:,} failed",
                {"database": _database(name), "failures": str(failures)},
            )
            for name, failures in state.failures
            if failures
        ]
        unknown = [f"{_database(name)} has no count" for name, failures in state.failures if failures is None]
        return answer(len(state.failures), wrong, "", unknown, "see the server's statistics")


def _database(name: str) -> str:
    return name or "shared tables"


@dataclass(frozen=True)
class SlotsHoldWal(ServerRule):
    """No replication slot keeps more than ``most`` bytes of WAL, 4/5 of max_slot_wal_keep_size, or has lost
    what it needs.
    """

    most: int = 10 * 1024**3
    kind: ClassVar[str] = "replication_slots"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"no replication slot keeps more than {self.most:,} bytes of WAL, "
            f"or {_NEARLY} of max_slot_wal_keep_size"
        )

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those past a bound."""
        states = known(server.slots)
        wrong = [found for slot in states.slots if (found := self._wrong(slot, states.keep))]
        # A slot that was made and never used keeps nothing.
        most = max((s for s in states.slots if s.held is not None), key=lambda s: s.held or 0, default=None)
        fine = f"{most.name} keeps most, {most.held:,} bytes" if most is not None else ""
        return answer(len(states.slots), wrong, fine or "there are no replication slots that keep WAL")

    def _wrong(self, slot: SlotState, keep: int | None) -> Wrong | None:
        held = slot.held or 0
        near_end = keep is not None and held > 0 and held >= _NEARLY * keep
        if not (slot.status in _LOST or held > self.most or near_end):
            return None
        row = {
            "slot": slot.name,
            "kind": slot.kind,
            "active": "yes" if slot.active else "no",
            "wal_status": slot.status,
            "bytes": "none" if slot.held is None else str(slot.held),
            "limit": "none" if keep is None else str(keep),
        }
        use = "active" if slot.active else "nobody reads it"
        keeps = "keeps none" if slot.held is None else f"keeps {slot.held:,} bytes"
        return Wrong(f"slot {slot.name} {keeps} ({slot.status or 'no status'}, {use})", row)
