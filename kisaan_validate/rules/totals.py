"""Bounds of a sum, exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.nan import nan_literal
from kisaan_validate.sql.expressions import (
    quote,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue


from kisaan_validate.rules.aggregates import BoundedRule, Figures, Rows

_SUMMED = frozenset({"int2", "int4", "int8", "numeric"})


@dataclass(frozen=True)
class Total(BoundedRule):
    """The exact sum of a column lies within bounds. Of no values it is 0; a NaN among them is outside of
    any bounds.
    """

    kind: ClassVar[str] = "total"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The sum."""
        return f"the sum of {columns[0]} of {table}"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """NULLs are left out. Raises DatabaseError where a sum would depend on the order of addition."""
        column = rows.view.table.columns[columns[0]]
        if column.base not in _SUMMED:
            hint = "only integer and numeric columns have exact sums; use declare.quantile for others"
            raise DatabaseError(f"{column.name} is {column.type}, which has no exact sum", hint)
        # NULL is the sum of no values, and 0 by our rules.
        found = f"coalesce({rows.of(f'sum({quote(column.name)})')}, 0)::numeric"
        # PostgreSQL's NaN is greater than every number: a lower bound alone would admit it.
        held = self.bounds.held(found)
        if column.may_be_nan:
            held = f"{held} AND {found} <> {nan_literal('numeric')}"
        judged = rows.of(f"count({quote(column.name)})")
        return Figures((("total", found),), held, judged, {"total": columns})
