"""Bounds of a quantile, an exact value of the column."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.rules.base import free_name
from kisaan_validate.rules.bounds import compared, exact_text
from kisaan_validate.rules.intervals import Interval
from kisaan_validate.rules.nan import nan_sql
from kisaan_validate.sql.expressions import (
    View,
    literal,
    quote,
    source_sql,
    to_sql,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column, Table


from kisaan_validate.rules.aggregates import AggregateRule, Figures, Rows, said, where_sql


@dataclass(frozen=True)
class Quantile(AggregateRule):
    """The least value that at least ``share`` of the values do not exceed (percentile_disc) lies within
    bounds.

    It is one of the values, never a mean of two, and it is judged by counting: the quantile is at most b
    exactly if the values up to b are at least the share of all. So nothing is sorted, and no fraction is
    rounded. Of values that a NaN is among there is no quantile within any bounds, wherever it stands.
    """

    share: Fraction = Fraction(1, 2)
    low: Any = None
    high: Any = None
    kind: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        Interval(self.low, self.high).refuse_void()

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        return Interval(self.low, self.high).idle(table.columns[columns[0]])

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The quantile."""
        return f"the {exact_text(self.share)}-quantile of {columns[0]} of {table}"

    def wanted(self) -> str:
        """The bounds."""
        ends = [("at least", self.low), ("at most", self.high)]
        return " and ".join(f"{word} {end}" for word, end in ends if end is not None)

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Counts the values below the lower bound, and up to the upper one."""
        value = to_sql(rows.view.value(columns[0]))
        column, found = rows.view.table.columns[columns[0]], rows.of(f"count({quote(columns[0])})")
        parts = []
        if self.low is not None:
            below = rows.of("count(*)", f"{value} {column.sign('<')} {_bound(column, self.low)}")
            # Fewer than the share lie below the bound: then the quantile is the bound or above it.
            parts.append(compared(below, "<", self.share, found))
        if self.high is not None:
            up_to = rows.of("count(*)", f"{value} {column.sign('<=')} {_bound(column, self.high)}")
            # At least the share lie up to the bound: then the quantile is the bound or below it.
            parts.append(compared(up_to, ">=", self.share, found))
        # The quantile itself costs a sort; it is read only where the check fails.
        shown = [("quantile", ""), ("values_found", found)]
        if nan := nan_sql(column, quote(columns[0])):
            shown.append(("nan_found", rows.of("count(*)", nan)))
            parts.append(f"{shown[-1][1]} = 0")
        # Without values there is no quantile, and nothing that could be beyond its bounds.
        return Figures(tuple(shown), f"{found} = 0 OR ({' AND '.join(parts)})", found, {"quantile": columns})

    def listing(
        self,
        table: Table,
        columns: tuple[str, ...],
        catalogue: Catalogue,
        figures: Figures,
        names: Mapping[str, str],
    ) -> str:
        """The quantile itself: of n values that in the place n·share, rounded up."""
        column, value = table.columns[columns[0]], to_sql(View(table).value(columns[0]))
        segments = ", ".join(quote(c) for c in self.segment_by)
        each = f"PARTITION BY {segments} " if segments else ""
        lead = f"{segments}, " if segments else ""
        inner = {name: quote(free_name(name, self.segment_by)) for name in ("v", "place", "n", "nan")}
        where = where_sql(table, self.where, f"{quote(columns[0])} IS NOT NULL")
        source = f"{source_sql(table, matched=())}{where}"
        outputs = [
            f"{inner['v']} AS {quote(names['quantile'])}",
            f"{inner['n']} AS {quote(names['values_found'])}",
        ]
        within = [
            f"{inner['v']} {column.sign(sign)} {_bound(column, end)}"
            for sign, end in ((">=", self.low), ("<=", self.high))
            if end is not None
        ]
        ranked = (
            f"row_number() OVER ({each}ORDER BY {value}) AS {inner['place']}, count(*) OVER "
            f"({each.rstrip()}) AS {inner['n']}"
        )
        # A NaN sorts above all numbers, so the quantile may look fine beside it.
        if nan := nan_sql(column, quote(columns[0])):
            ranked += f", count(*) FILTER (WHERE {nan}) OVER ({each.rstrip()}) AS {inner['nan']}"
            outputs.append(f"{inner['nan']} AS {quote(names['nan_found'])}")
            within.append(f"{inner['nan']} = 0")
        p, q = self.share.numerator, self.share.denominator
        return (
            f"SELECT {lead}{', '.join(outputs)}, {said(self.wanted())} AS {quote(names['wanted'])}\nFROM (\n"
            # ceil(n × p / q) in whole numbers: (n × p + q − 1) div q.
            f"SELECT {lead}{value} AS {inner['v']}, {ranked}\nFROM {source}\n) AS q\n"
            f"WHERE {inner['place']} = div({inner['n']}::numeric * {p} + {q - 1}, {q}) AND NOT "
            f"({' AND '.join(within)})"
        )


def _bound(column: Column, value: Any) -> str:
    """A bound as the column's values compare with it: ``real`` in its own precision, so that 0.1 equals
    0.1.
    """
    text = to_sql(literal(value))
    # Else real is widened to double precision, and a stored 0.1 is no longer 0.1.
    return f"CAST({text} AS REAL)" if column.base == "float4" else text
