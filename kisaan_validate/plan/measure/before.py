"""What is measured for a contract before the migration: of the rows that may go, and of the values that
may come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from kisaan_validate.contract.needs import Arrival, Names, Need, Removal, Renaming, Untouched
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.measure_key import (
    FigureKey,
    MeasureKey,
    by_key,
    names_key,
    null_keys_key,
    of_column,
    remainder_key,
    untouched,
)
from kisaan_validate.plan.fingerprints import Digested
from kisaan_validate.plan.measure.figured import at_once, figures
from kisaan_validate.plan.measure.side import TableSide, Telling, held, texts, those
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.measure.value import Value, promised
from kisaan_validate.plan.measure.wanted import digests_wanted, no_form
from kisaan_validate.plan.renames import undigested
from kisaan_validate.sql.expressions import decided_by_rows, quote, table_sql

NULL_KEYS_LIMIT = 50_000
"""So many keys of rows without a value are kept at most where a promise says that only these may change."""


def measures_before(side: TableSide, needs: Sequence[Need], *, every: bool) -> list[Measure]:
    """The statements over one table. With ``every``, all its columns are digested, not only the promised
    ones.
    """
    made = [side.count(n.rule, held(n.where)) for n in those(needs, Arrival) if not n.by]
    made += [names(side, n) for n in those(needs, Names)]
    made += [_null_keys(side, n) for n in those(needs, Untouched) if n.column in side.table.columns]
    values, unknown = promised(side, needs)
    # A renamed column must be found again by its digest; where it has none, the reason is recorded now.
    unknown |= {by_key(of_column(name)): why for name, why in _untold_renames(side, needs, every).items()}
    telling = side.chosen_key(_spoken(needs))
    digests = digests_wanted(side, needs, no_form, None, every=every)
    # Only rows with a value: those without are the ones that the promise lets change.
    digests += [d for n in those(needs, Untouched) if (d := _untouched(side, n)) is not None]
    remainder = _Remainder(side, telling, values, digests, unknown)
    # One statement for each set of removals that could turn out to be done.
    for subset in _subsets(those(needs, Removal)):
        made += remainder.without(subset)
    return made


def names(side: TableSide, need: Names) -> Measure:
    """Which of the names of a list are there."""
    column = quote(need.column)
    sql = (
        # ``COLLATE "C"``: the order of the names is recorded, and must not depend on the server.
        f'SELECT array_agg(DISTINCT {column}::text COLLATE "C")\n'
        f"FROM {table_sql(side.table)}\nWHERE {column}::text = ANY ({texts(need.names)})"
    )
    return side.measure(names_key(need.rule), sql, named="")


def _spoken(needs: Sequence[Need]) -> set[str]:
    """The columns of whose values promises speak."""
    return {getattr(need, "column", "") for need in needs if not isinstance(need, (Names, Renaming))}


def _subsets(removals: Sequence[Removal]) -> list[tuple[Removal, ...]]:
    """Which rules are done is known only afterwards: none, each alone, all together, and all but one."""
    # Not every subset: their number doubles with each removal, and these few cover what happens in practice.
    sizes = sorted({1, len(removals) - 1, len(removals)} - {0, -1}) if removals else []
    return [(), *(subset for size in sizes for subset in combinations(removals, size))]


def _untold_renames(side: TableSide, needs: Sequence[Need], every: bool) -> dict[str, str]:
    parts = {name: side.part(name) for name in side.table.columns}
    # Digests under a key of their own tell of personal columns.
    told = side.personal if every else frozenset[str]()
    return undigested(side.table, needs, {**parts, **dict.fromkeys(told, "")}, side.personal)


def _untouched(side: TableSide, need: Untouched) -> Digested | None:
    """The digest of a column over the rows where it has a value."""
    part = side.part(need.column)
    where = f"{quote(need.column)} IS DISTINCT FROM NULL"
    if part is not None:
        return Digested(untouched(need.column, need.rule), part, where)
    return None


def _null_keys(side: TableSide, need: Untouched) -> Measure:
    """The keys of the rows where the column is NULL, one more than may be kept if there are more."""
    id, key = null_keys_key(need.rule), side.table.primary_key
    parts = side.parts(key, {})
    # A key that holds the column itself would change with it.
    if not key or len(parts) < len(key) or need.column in key:
        why = "has no primary key to record the rows without a value by (or the key is personal)"
        return side.measure(id, message=f"{side.title} {why}")
    # Read from the rows: since PostgreSQL 17 the planner answers a test for NULL from the declaration.
    null = decided_by_rows(f"{quote(need.column)} IS NOT DISTINCT FROM NULL")
    # One more than may be kept, so that a full list can be told from a cut one.
    source = f"{table_sql(side.table)} WHERE {null} LIMIT {NULL_KEYS_LIMIT + 1}"
    inner = f"SELECT {side.row_text(parts.values())} AS k FROM {source}"
    return side.measure(id, f'SELECT array_agg(k ORDER BY k COLLATE "C")\nFROM ({inner}) AS q', named="")


@dataclass(frozen=True)
class _Remainder:
    """The rows that are left when some removals are done. ``unknown``: why of figures, by name, nothing
    can be said.
    """

    side: TableSide
    telling: Telling
    values: Sequence[Value]
    digests: Sequence[Digested]
    unknown: Mapping[FigureKey, str]

    def without(self, removals: Sequence[Removal]) -> list[Measure]:
        """Their figures and digests, and as parts of these what each value and each group of digests
        needs.
        """
        gone = [(r.rule, self.side.goes(r)) for r in removals]
        # NOT of a condition that ``goes`` made true or false, never NULL: no row falls between the two sets.
        stays = f"NOT ({' OR '.join(sql for _, sql in gone)})" if gone else ""
        id = remainder_key(self.side.title, (r.rule for r in removals))
        # One removal alone is counted in the same scan; of several it is not clear whose a row was.
        counted = gone if len(gone) == 1 else []
        untold = [
            self.side.measure(id.of_part(figure.text), message=why, key=self.telling.key)
            for figure, why in self.unknown.items()
        ]
        own = {v.figure_key: [v.digested] if v.digested is not None else [] for v in self.values}
        every = [*self.digests, *(d for listed in own.values() for d in listed)]
        whole = self._figures(id, stays, counted=counted, values=self.values, digests=every)
        first, *others = at_once(self.digests)
        # The first part holds the counts of rows, which all other parts rely on.
        parts = [self._figures(id, stays, counted=counted, digests=first)]
        parts += [self._figures(id, stays, digests=group, every=False) for group in others]
        # Each value with its own digest: an expression that fails costs only its own promise.
        parts += [self._figures(id, stays, values=[v], digests=own[v.figure_key]) for v in self.values]
        return [replace(whole, parts=tuple(parts) if len(parts) > 1 else ()), *untold]

    def _figures(
        self,
        id: MeasureKey,
        stays: str,
        *,
        counted: Sequence[tuple[str, str]] = (),
        values: Sequence[Value] = (),
        digests: Sequence[Digested] = (),
        every: bool = True,
    ) -> Measure:
        return figures(
            self.side, id, stays, self.telling, counted=counted, values=values, digests=digests, every=every
        )
