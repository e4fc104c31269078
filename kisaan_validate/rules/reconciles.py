"""A total equals the sum of its details."""

from __future__ import annotations

from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.rules.base import QueryRule, Violations, when
from kisaan_validate.rules.nan import nan_of_any
from kisaan_validate.rules.relations import said
from kisaan_validate.sql.expressions import (
    kept_sql,
    quote,
    source_sql,
)

SUM_OPERATORS = ("=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Reconciles(QueryRule):
    """The sum of the details of a row stands in a relation to the row's own value. Exact numeric sums.

    ``missing`` says what a row without details means: "zero" compares it with 0, "skip" leaves it out.
    """

    details: str = ""
    detail_column: str = ""
    via: str = ""
    on: str = "id"
    relation: str = "="
    missing: str = "zero"
    where: str = ""
    detail_where: str = ""
    kind: ClassVar[str] = "reconciles"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        total = f"the sum of {self.details}.{self.detail_column} (by {self.via}){when(self.detail_where)}"
        return f"{total} {self.relation} {columns[0]}{when(self.where)}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        own = ((table, columns[0]), (table, self.on))
        return (*own, (self.details, self.detail_column), (self.details, self.via))

    def judges(self, table: str) -> tuple[str, ...]:
        """The rows that have a total, and the details that are added up."""
        return (table, self.details)

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return said(self.where, self.detail_where)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        source = self._source(table, catalogue)
        value = f"parent.{quote(columns[0])}"
        broken = self._broken(table, columns[0], catalogue)
        where = kept_sql(table, self.where)
        also, only = (f" AND {where}", f"\nWHERE {where}") if where else ("", "")
        # Without a primary key the joined column names the row.
        keys = table.primary_key or (self.on,)
        shown = ", ".join(f"parent.{quote(k)}" for k in keys)
        sql = (
            # Of no details the sum is 0, as the check counts it.
            f"SELECT {shown}, {value} AS recorded, coalesce(d.total, 0) AS computed\n"
            f"FROM {source}\nWHERE {broken}{also}"
        )
        counting = (
            f"SELECT count(*) FILTER (WHERE {broken}) AS violations, count(*) AS examined\nFROM "
            f"{source}{only}"
        )
        made_of = {"recorded": columns, "computed": (self.detail_column,)}
        return Violations(sql, keys, shown=("recorded", "computed"), made_of=made_of, counting=counting)

    def _broken(self, table: Table, column: str, catalogue: Catalogue) -> str:
        """SQL that is true where the sum does not stand in the relation: of a NaN, on whichever side, none
        does.
        """
        value, details = f"parent.{quote(column)}", catalogue.find(self.details)
        sides = [(table.columns[c], f"parent.{quote(c)}") for c in dict.fromkeys((column, self.on))]
        if details is not None:
            # numeric has a NaN, and the sum of details with one is NaN.
            sides.append((details.columns[self.detail_column], "d.total"))
        unequal = f"NOT (coalesce(d.total, 0) {self.relation} {value})"
        nan = nan_of_any(sides)
        return f"({unequal} OR {nan})" if nan else unequal

    def _source(self, table: Table, catalogue: Catalogue) -> str:
        """The rows with their sums; of a row without details there is one with NULL, or with "skip" none."""
        details = catalogue.find(self.details)
        if details is None:
            raise DatabaseError(f"table {self.details} does not exist")
        summed = details.columns[self.detail_column]
        # A sum of floats depends on the order of addition, so two runs may differ.
        if summed.base in {"float4", "float8"}:
            hint = "only integer and numeric columns have exact sums: store such amounts as numeric"
            raise DatabaseError(
                f"{details.title}.{summed.name} is {summed.type}, which has no exact sum", hint
            )
        via = quote(self.via)
        sign = details.columns[self.via].sign("=", table.columns[self.on])
        filters = f"\n  WHERE {kept_sql(details, self.detail_where)}" if self.detail_where else ""
        join = "JOIN" if self.missing == "skip" else "LEFT JOIN"
        return (
            # Read apart where a unique index covers ``on``: a duplicate parent must be judged twice.
            f"{source_sql(table, 'parent', (self.on,))}\n{join} (\n"
            # Summed before the join, so that no row of the parent is repeated.
            f"  SELECT {via} AS detail_key, sum({quote(self.detail_column)}) AS total\n"
            f"  FROM {source_sql(details, matched=())}{filters}\n  GROUP BY {via}\n"
            f") AS d ON d.detail_key {sign} parent.{quote(self.on)}"
        )
