"""A contract beside both sides: what happened to the names that it promises to change, and both sides as its
rules look at them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.contract.both import Both, side_of
from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.naming import Fates, Naming
from kisaan_validate.contract.needs import Arrival, Names, Removal
from kisaan_validate.contract.objects import Added, Dropped
from kisaan_validate.contract.promise import Promise
from kisaan_validate.contract.renamed import fates_of
from kisaan_validate.contract.stale import StaleMeasures
from kisaan_validate.contract.through import baseline_through
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import NAME, Change, Diff
from kisaan_validate.facts.run import Run

Aliases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SeenBaseline:
    """A baseline as a contract lets it be seen: what was renamed as promised has its name of after."""

    before: Baseline
    fates: Fates

    @property
    def changes(self) -> tuple[Change, ...]:
        """The names that changed, as differences."""
        found = []
        for fate in self.fates.by_id.values():
            # The name of the column, or the title where a table was renamed.
            (title, name), old = fate.after, fate.before[bool(fate.before[1])]
            if fate.said is None:
                kind = "column" if name else "table"
                found.append(Change(kind, title, name or title, NAME, old, name or title))
        return tuple(found)


def seen_by(contract: Contract | None, before: Baseline, after: Baseline) -> SeenBaseline:
    """The baseline as the contract lets it be seen beside what is there now."""
    if contract is None:
        return SeenBaseline(before, Fates())
    naming = Naming(aliases=after.suite.aliases, schemas=after.suite.schemas)
    # An old name that something new is promised to take is free, though it is there after.
    added = frozenset(_places(contract.promises, naming))
    fates = fates_of(contract.promises, side_of(before, "before"), side_of(after, "after"), naming, added)
    return SeenBaseline(baseline_through(before, fates, (p.id for p in contract.promises), after), fates)


def _places(promises: Iterable[Promise], naming: Naming) -> Iterable[tuple[str, str]]:
    """The tables and columns that are promised to come, under the names that they may mean."""
    for promise in promises:
        if isinstance(promise, Added) and promise.object == "table":
            yield from ((title, "") for title in naming.titles(promise.name))
        elif isinstance(promise, Added) and promise.object == "column":
            yield from ((title, promise.name) for title in naming.titles(promise.table))


def both_of(
    contract: Contract, seen: SeenBaseline, run: Run, after: Baseline, found: Diff, stale: StaleMeasures
) -> Both:
    """Both sides as the rules of the contract look at them. ``found`` are the differences of the two."""
    bare = Both(
        side_of(seen.before, "before"),
        side_of(after, "after"),
        {change.key: change for change in found.changes},
        aliases=run.suite.aliases,
        schemas=after.suite.schemas,
        stale=stale,
        fates=seen.fates,
        rows={r.table: r for r in run.rows},
        values={(v.table, v.column): v for v in run.values},
    )
    removals: dict[str, tuple[Removal, ...]] = defaultdict(tuple)
    arrivals: dict[str, tuple[Arrival | Names, ...]] = defaultdict(tuple)
    for need in contract.needs:
        if isinstance(need, Removal):
            # By title: two promises may write one table with and without its schema, or by an alias.
            removals[bare.table(need.table)] += (need,)
        elif isinstance(need, (Arrival, Names)):
            arrivals[bare.table(need.table)] += (need,)
    dropped = (p.place(bare) for p in contract.promises if isinstance(p, Dropped) and p.object == "column")
    return replace(
        bare,
        removals=dict(removals),
        arrivals=dict(arrivals),
        speakers=_speakers(contract.promises, bare),
        dropped=frozenset((table, name) for _, table, name in dropped),
    )


def _speakers(promises: Iterable[Promise], both: Both) -> dict[tuple[str, str], Promise]:
    """The promises that speak of the values of columns; of several, one that says what happens to each
    value.
    """
    found: dict[tuple[str, str], Promise] = {}
    for promise in promises:
        if (place := promise.rewrites()) is not None:
            title = both.table(place[0])
            at = (title, both.column(title, place[1]))
            if at not in found or not found[at].says_values:
                found[at] = promise
    return found
