"""What is left of a run whose files were removed."""

from __future__ import annotations

from datetime import UTC, datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.history.night import Night


@dataclass(frozen=True)
class Tombstone:
    """A run that was removed at ``pruned_at`` by ``rule``: what its checks said, and its place in the chain.

    It says what the run was, and proves nothing of it: only the digest of its run.json is held by another
    file, the run after it. It has no key and no value of any row but
    the names of migrations that came into the suite's ledger.
    """

    night: Night
    previous_run: str
    previous_digest: str
    pruned_at: datetime
    rule: str

    @property
    def words(self) -> str:
        """When and why: "pruned on 2026-11-30 by the rule: keep 90 days"."""
        return f"pruned on {self.pruned_at.astimezone(UTC):%Y-%m-%d} by the rule: {self.rule}"
