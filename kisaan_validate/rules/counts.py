"""Bounds of how many: rows, NULLs, distinct values, rows beside another table."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.base import free_name, when
from kisaan_validate.rules.bounds import compared, exact_text
from kisaan_validate.sql.expressions import (
    quote,
    source_sql,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Table


from kisaan_validate.rules.aggregates import AggregateRule, BoundedRule, Figures, Rows, where_sql


@dataclass(frozen=True)
class RowCount(BoundedRule):
    """The number of rows lies within bounds."""

    kind: ClassVar[str] = "row_count"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of rows."""
        return f"the number of rows of {table}"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Every row counts."""
        found = rows.of("count(*)")
        return Figures((("rows_found", found),), self.bounds.held(found), found)


@dataclass(frozen=True)
class NullShare(BoundedRule):
    """The share of the rows in which a column is NULL lies within bounds, as an exact fraction. Of no rows
    it is any.
    """

    kind: ClassVar[str] = "null_share"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The share of NULLs."""
        return f"the share of rows of {table} whose {columns[0]} is NULL"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """NULLs times the denominator against rows times the numerator: no quotient is ever made."""
        nulls = rows.of("count(*)", f"{quote(columns[0])} IS NULL")
        found = rows.of("count(*)")
        return Figures((("nulls", nulls), ("rows_found", found)), self.bounds.held(nulls, found), found)


@dataclass(frozen=True)
class DistinctCount(BoundedRule):
    """How many different values (or combinations of values) occur. A row with a NULL among them has none."""

    kind: ClassVar[str] = "distinct_count"
    rides: ClassVar[bool] = False

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of values."""
        return f"the number of distinct {', '.join(columns)} in {table}"

    def source(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """One row for each combination: grouped, because the planner says what grouping costs, of DISTINCT
        it does not.
        """
        names = ", ".join(quote(c) for c in dict.fromkeys((*self.segment_by, *columns)))
        counted = quote(self._counted(columns))
        rows = source_sql(table, matched=(*self.segment_by, *columns)) + where_sql(table, self.where)
        return f"(\nSELECT {names}, count(*) AS {counted}\nFROM {rows}\nGROUP BY {names}\n) AS d"

    def _counted(self, columns: tuple[str, ...]) -> str:
        return free_name("rows_found", (*self.segment_by, *columns))

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Counts the groups."""
        whole = " AND ".join(f"{quote(c)} IS NOT NULL" for c in columns)
        # A group with a NULL is no value, and its rows are not judged.
        found, judged = rows.of("count(*)", whole), rows.of(f"sum({quote(self._counted(columns))})", whole)
        return Figures((("values_found", found),), self.bounds.held(found), f"coalesce({judged}, 0)::bigint")


@dataclass(frozen=True)
class RowCountAgainst(AggregateRule):
    """The number of rows stands in a relation to that of another table, times an exact factor."""

    other: str = ""
    relation: str = "="
    factor: Fraction = Fraction(1)
    other_where: str = ""
    kind: ClassVar[str] = "row_count_against"
    rides: ClassVar[bool] = False

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of rows."""
        return f"the number of rows of {table}"

    def wanted(self) -> str:
        """Its relation to the other."""
        times = "" if self.factor == 1 else f"{exact_text(self.factor)} times "
        return f"{self.relation} {times}that of {self.other}{when(self.other_where)}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        # Without segments only the other table is needed, whatever its columns.
        return (*super().needs(table, columns), *((self.other, c) for c in self.segment_by or ("",)))

    def judges(self, table: str) -> tuple[str, ...]:
        """The rows of both are counted."""
        return (table, self.other)

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return tuple(text for text in (self.where, self.other_where) if text)

    def source(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """The rows of both, each saying whose it is."""
        other = catalogue.find(self.other)
        if other is None:
            raise DatabaseError(f"table {self.other} does not exist")
        names, own = "".join(f"{quote(c)}, " for c in self.segment_by), quote(self._own())
        return (
            f"(\nSELECT {names}true AS {own}\nFROM "
            f"{source_sql(table, matched=())}{where_sql(table, self.where)}\nUNION ALL\n"
            # UNION ALL, so that both counts come out of one statement and one snapshot.
            f"SELECT {names}false\nFROM "
            f"{source_sql(other, matched=())}{where_sql(other, self.other_where)}\n) AS both_tables"
        )

    def _own(self) -> str:
        return free_name("own", self.segment_by)

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Rows times the denominator against the other's rows times the numerator."""
        own = quote(self._own())
        found, other = rows.of("count(*)", own), rows.of("count(*)", f"NOT {own}")
        shown = (("rows_found", found), ("other_rows", other))
        return Figures(shown, compared(found, self.relation, self.factor, other), rows.of("count(*)"))
