"""No two rows are equal in these columns."""

from __future__ import annotations

from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.rules.base import QueryRule, Violations, free_name, when
from kisaan_validate.rules.relations import said
from kisaan_validate.sql.expressions import (
    kept_sql,
    quote,
    source_sql,
)


@dataclass(frozen=True)
class Unique(QueryRule):
    """No two rows have the same values. ``counts`` says what a violation is: a surplus row, or a group."""

    nulls_equal: bool = True
    counts: str = "surplus"
    where: str = ""
    kind: ClassVar[str] = "unique"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        what = columns[0] if len(columns) == 1 else f"({', '.join(columns)})"
        nulls = "equal" if self.nulls_equal else "different"
        groups = ", counted in groups" if self.counts == "groups" else ""
        return f"{what} is unique (NULLs count as {nulls}){groups}{when(self.where)}"

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return said(self.where)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        names = ", ".join(quote(c) for c in columns)
        # The column may be called like an output.
        count, surplus = free_name("rows_found", columns), free_name("surplus", columns)
        where = self._where(table, columns)
        groups = (
            # Grouped by several columns the planner could drop those
            # that a unique index covers; one cannot be dropped.
            f"FROM {source_sql(table, matched=columns if len(columns) > 1 else ())}{where}\nGROUP BY {names}"
        )
        sql = (
            f"SELECT {names}, count(*) AS {quote(count)}, count(*) - 1 AS "
            f"{quote(surplus)}\n{groups}\nHAVING count(*) > 1"
        )
        # Three equal rows are two too many; as groups they are one value that repeats.
        violations = (
            "coalesce(sum(v.n - 1), 0)::bigint"
            if self.counts == "surplus"
            else "count(*) FILTER (WHERE v.n > 1)"
        )
        # Where every row is judged, the table's own count says how many; groups of one need not be summed for
        # that.
        counting = (
            f"SELECT {violations} AS violations, coalesce(sum(v.n), 0)::bigint AS examined\n"
            f"FROM (\nSELECT count(*) AS n\n{groups}\n) AS v"
        )
        weight = surplus if self.counts == "surplus" else ""
        return Violations(
            # Without a condition the pass counts the judged rows already.
            sql,
            columns,
            weight,
            shown=(count,),
            safe=frozenset({count}),
            counting=counting if where else "",
        )

    def _where(self, table: Table, columns: tuple[str, ...]) -> str:
        """The clause that leaves the rows that are judged; "" where all are."""
        # Where NULLs differ from each other a row with one can repeat nothing.
        filled = [] if self.nulls_equal else [f"{quote(c)} IS NOT NULL" for c in columns]
        kept = kept_sql(table, *self.conditions(), *filled)
        return f"\nWHERE {kept}" if kept else ""

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        if self.nulls_equal:
            return table.unique_with_nulls_equal(frozenset(columns))
        index = table.unique_over(frozenset(columns))
        return index.name if index is not None else ""
