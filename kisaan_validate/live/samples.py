"""The rows of a comparison that are kept as samples, and what hides somebody's values in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.row_differences import Kind, RowChange
from kisaan_validate.live.plan import PairPlan
from kisaan_validate.personal.masking import masked_change

SAMPLES_BYTES = 16 << 20
"""Characters of all samples of a comparison; beyond, no more rows are kept as samples: they are counted
all the same.
"""


@dataclass
class Allowance:
    """What is left for the samples of all tables."""

    left: int = SAMPLES_BYTES

    def takes(self, change: RowChange) -> bool:
        """Whether a row may be kept. The first of a kind and table always may."""
        self.left -= sum(
            len(value) for row in (change.before, change.after) for value in row.values() if value
        )
        return self.left > 0


def _none_kept() -> dict[Kind, list[RowChange]]:
    return {kind: [] for kind in Kind}


@dataclass
class Samples:
    """Keeps the first ``limit`` rows of each kind, as ``hide`` shows them, and the first row of each column
    that changed in none of those.
    """

    limit: int
    allowance: Allowance
    hide: Callable[[RowChange], RowChange]
    kept: dict[Kind, list[RowChange]] = field(default_factory=_none_kept)
    columns: set[str] = field(default_factory=set)

    def see(self, change: RowChange) -> None:
        """Look at one row."""
        kept = self.kept[change.kind]
        if self._wanted(change, kept) and (self.allowance.takes(change) or not kept):
            kept.append(self.hide(change))
            self.columns.update(change.columns)

    def _wanted(self, change: RowChange, kept: list[RowChange]) -> bool:
        """Whether there is room for the row, or it is the first of a column."""
        if len(kept) < self.limit:
            return True
        return self.limit > 0 and not self.columns.issuperset(change.columns)

    def all(self) -> tuple[RowChange, ...]:
        """What was kept: changed rows, then removed, then added ones."""
        return (*self.kept[Kind.CHANGED], *self.kept[Kind.REMOVED], *self.kept[Kind.ADDED])


def hiding(plan: PairPlan) -> Callable[[RowChange], RowChange]:
    """What makes of a row the same row without the values of the plan's personal columns."""
    personal = frozenset(pair.name for pair in plan.pairs if pair.personal)
    if not personal:
        return lambda change: change
    return lambda change: masked_change(change, plan.key, personal)
