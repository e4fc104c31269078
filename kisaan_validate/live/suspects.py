"""Columns and tables that one side has and the other has not: whether they are the same under two names,
which nobody declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kisaan_validate.compare.renaming.tables import called
from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import Context
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.catalogue import Table, TypeFacts
from kisaan_validate.facts.row_differences import TableDiff
from kisaan_validate.live.compare import Comparison
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.plan import PairedTable, PairPlan, plan_pair
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.live.statements import HASHED, WHOLE, Buckets

MOST = 8
"""So many pairs of a table, or of tables, are compared; the others are named."""

_BUCKETS = 1023


@dataclass(frozen=True)
class Suspects:
    """Both sides, and what a comparison of two tables needs."""

    sides: tuple[LiveSide, LiveSide]
    context: Context
    encoding: str
    options: DiffOptions
    casts: Mapping[str, TypeFacts]
    seed: bytes = b""

    def notes(self, tables: Iterable[TableDiff]) -> Iterator[str]:
        """What is to be said of names that went while others came. Raises nothing: what cannot be compared
        is said.
        """
        # Without known digests of both sides there is nothing to compare with.
        compared = {table.table for table in tables if table.compared and table.known}
        for title in sorted(compared):
            yield from self._columns(title, self.sides[0].seen[title], self.sides[1].seen[title])
        yield from self._tables()

    def _columns(self, title: str, before: Table, after: Table) -> Iterator[str]:
        ignored = {column for table, column in self.options.ignored if table == title}
        gone = [name for name in before.columns if name not in after.columns and name not in ignored]
        came = [name for name in after.columns if name not in before.columns and name not in ignored]
        pairs = [
            (g, c)
            for g in gone
            for c in came
            # A pair without common columns has no rows that could be the same.
            if (plan := self._plan(title, called(before, {g: c}), after, c)) and plan.pairs
        ]
        for old, new in pairs[:MOST]:
            plan = self._plan(title, called(before, {old: new}), after, new)
            yield self._said(
                plan,
                f"{title}.{old}",
                f"{title}.{new}",
                f"--renamed {_written(before)}.{_part(old)}={_part(new)}",
                "values",
            )
        if len(pairs) > MOST:
            yield (f"{title}: only {MOST} of {len(pairs):,} pairs of columns were compared to find renames")

    def _tables(self) -> Iterator[str]:
        before, after = (side.seen for side in self.sides)
        gone = sorted(before.keys() - after.keys())
        came = sorted(after.keys() - before.keys())
        # By columns alone: names say nothing, and the rows decide.
        pairs = [(g, c) for g in gone for c in came if set(before[g].columns) == set(after[c].columns)]
        for old, new in pairs[:MOST]:
            plan = self._plan(new, before[old], after[new])
            yield self._said(
                plan, old, new, f"--renamed {_written(before[old])}={_written(after[new])}", "rows and values"
            )
        # Left unsaid, a reader would take the pairs that were compared for all of them.
        if len(pairs) > MOST:
            yield f"only {MOST} of {len(pairs):,} pairs of tables were compared to find renames"

    def _plan(self, title: str, before: Table, after: Table, column: str = "") -> PairPlan:
        """How two tables are compared: as a whole, or only one column beside the key. Without options that
        name others.
        """
        # Options that name columns would refuse a pair that nobody declared.
        bare = replace(self.options, keys={}, casts={}, ignored=frozenset(), since={}, samples=0)
        plan = plan_pair(
            title, PairedTable(before, self.context), PairedTable(after, self.context), bare, self.casts
        )
        if not column or column not in {pair.name for pair in plan.pairs}:
            return plan if not column else replace(plan, pairs=(), parts=())
        # Without a key only whole rows can be compared, as multisets.
        if not plan.key:
            return plan
        kept = [
            (p, parts)
            for p, parts in zip(plan.pairs, plan.parts, strict=True)
            if p.name in {*plan.key, column}
        ]
        return replace(plan, pairs=tuple(p for p, _ in kept), parts=tuple(p for _, p in kept))

    def _said(self, plan: PairPlan, old: str, new: str, option: str, what: str) -> str:
        try:
            same = Comparison(self.sides, plan, self.encoding, self.options, seed=self.seed).alike(
                # Only whether they differ at all, so few large buckets are enough.
                Buckets(HASHED if plan.key else WHOLE, mask=_BUCKETS)
            )
        except KisaanError as error:
            return (
                f"{old} was removed and {new} added; whether they hold the same {what} could not "
                f"be compared: {error.fact}"
            )
        if not same:
            return f"{old} was removed and {new} added with different contents: what {new} lacks is lost"
        if plan.unknown:
            left = "; ".join(item.what for item in plan.unknown)
            return (
                f"{old} was removed and {new} added with the same {what}, except what could not "
                f"be compared ({left}): if it was renamed, use {option}"
            )
        return f"{old} was removed and {new} added with the same {what}: if it was renamed, use {option}"


def _written(table: Table) -> str:
    """A table as the option names it."""
    return ".".join(_part(part) for part in table.key[table.schema == "public" :])


def _part(name: str) -> str:
    if re.fullmatch(r"[\w$]+", name):
        return name
    return '"' + name.replace('"', '""') + '"'
