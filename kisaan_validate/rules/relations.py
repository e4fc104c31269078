"""Rules over a row and the row it refers to, over duplicates, and over sums between tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue, Constraint, Table
from kisaan_validate.rules.base import Join, JoinRule, later, when
from kisaan_validate.rules.nan import or_nan, refusing_nan
from kisaan_validate.sql.expressions import (
    View,
    distinct_sql,
    quote,
    raw,
    source_sql,
    to_sql,
)
from kisaan_validate.sql.nan import settled_for_nan

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement


@dataclass(frozen=True)
class References(JoinRule):
    """Every reference that is not NULL finds its row."""

    by_index: ClassVar[bool] = True
    where: str = ""
    kind: ClassVar[str] = "references"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        own, other = ", ".join(self.join.columns), ", ".join(self.join.parent_columns)
        return f"every {own} exists as {other} in {self.join.parent}{when(self.where)}"

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return said(self.where)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """A reference without NULL."""
        # MATCH SIMPLE, as a foreign key has it: a reference with a NULL refers to nothing.
        return _guarded(self.where, *(child.column(c).is_not(None) for c in self.join.columns))

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """It finds nothing, or an index found another row than it should: the values themselves say which.
        A NaN refers to nothing.
        """
        pairs = zip(self.join.columns, self.join.parent_columns, strict=True)
        signs = [(a, child.table.columns[a].sign("=", parent.table.columns[b]), b) for a, b in pairs]
        found = " AND ".join(
            f"{to_sql(child.column(a))} {sign} {to_sql(parent.column(b))}" for a, sign, b in signs
        )
        # An index may lead to another row than it should, so the values are compared once more.
        return or_nan(sa.literal_column(f"({found}) IS NOT TRUE"), *self.referring(child))

    def listed(self, child: View, parent: View) -> ColumnElement[bool] | None:
        """The value is not among the keys. None for several columns, a condition, or a type that has NaN."""
        column = child.table.columns[self.join.columns[0]]
        if self.where or len(self.join.columns) > 1 or column.has_nan:
            return None
        (key,) = self.join.parent_columns
        sign = column.sign("=", parent.table.columns[key])
        # A name of its own, so that the key can be no column of the child.
        keys = f"SELECT listed.{quote(key)} FROM {source_sql(parent.table, 'listed', ())}"
        value = to_sql(child.column(self.join.columns[0]))
        return sa.literal_column(f"({value} {sign} ANY ({keys})) IS NOT TRUE")

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        parent = catalogue.find(self.join.parent)
        # A foreign key is satisfied by NaN = NaN; here a NaN refers to nothing.
        if parent is None or table.unbound or any(table.columns[c].has_nan for c in self.join.columns):
            return ""
        pairs = set(zip(self.join.columns, self.join.parent_columns, strict=True))
        for c in table.constraints:
            # As pairs, because a foreign key may list its columns in another order.
            if c.kind == "f" and c.validated and c.enforced and c.target == parent.key and _pairs(c) == pairs:
                return c.name
        return ""


def _pairs(constraint: Constraint) -> set[tuple[str, str]]:
    return set(zip(constraint.columns, constraint.target_columns, strict=True))


def said(*texts: str) -> tuple[str, ...]:
    """Those of the texts that are not empty."""
    return tuple(text for text in texts if text)


def _guarded(where: str, *parts: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.and_(*([raw(where)] if where else []), *parts)


def _found(parent: View, join: Join) -> ColumnElement[bool]:
    """The row that was referred to exists: what it was joined by is NULL only where it does not."""
    # The joined column is NULL only where there is no such row: NULL equals nothing.
    return parent.column(join.parent_columns[0]).is_not(None)


@dataclass(frozen=True)
class Agrees(JoinRule):
    """A column repeats a column of the row it refers to. Rows without that row are not judged here."""

    parent_column: str = ""
    nulls: str = "distinct"
    where: str = ""
    kind: ClassVar[str] = "agrees"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        loose = ", if both have a value" if self.nulls == "pass" else ""
        via = ", ".join(self.join.columns)
        return (
            f"{columns[0]} equals {self.join.parent}.{self.parent_column} (by {via}){loose}{when(self.where)}"
        )

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return (*super().needs(table, columns), (self.join.parent, self.parent_column))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return said(self.where)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The row that it refers to exists, and where NULL passes, both have a value."""
        compared = (
            (child.column(columns[0]), parent.column(self.parent_column)) if self.nulls == "pass" else ()
        )
        return _guarded(self.where, _found(parent, self.join), *(side.is_not(None) for side in compared))

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The values differ, or one of them is a NaN, which agrees with nothing."""
        mine, theirs = child.value(columns[0]), parent.value(self.parent_column)
        sign = child.table.columns[columns[0]].sign("<>", parent.table.columns[self.parent_column])
        # A plain comparison is NULL where a value is missing, and so passes under nulls="pass".
        differ: ColumnElement[bool] = mine.op(sign, is_comparison=True)(theirs)
        if self.nulls != "pass":
            differ = sa.literal_column(distinct_sql(to_sql(mine), sign, to_sql(theirs)))
        return or_nan(differ, *self.referring(child), (child, columns[0]), (parent, self.parent_column))


@dataclass(frozen=True)
class HoldsWith(JoinRule):
    """A SQL expression over ``child`` and ``parent`` that must not be false where the parent row exists.

    None of the columns that it reads may be NaN, as in ``rows.Holds``.
    """

    expression: str = ""
    parent_reads: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "holds_with"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{' '.join(self.expression.split())} (child {table}, parent {self.join.parent})"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return super().needs(table, columns) + tuple((self.join.parent, c) for c in self.parent_reads)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The row that it refers to exists."""
        return _found(parent, self.join)

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The expression is false, or a column that it reads is NaN."""
        held = raw(self.expression)
        if not self.allow_nan:
            # Where the expression itself says what a NaN of a column means, that holds.
            settled = settled_for_nan(self.expression)
            held = refusing_nan(held, child, (c for c in columns if ("child", c) not in settled))
            held = refusing_nan(held, parent, (c for c in self.parent_reads if ("parent", c) not in settled))
        return or_nan(
            sa.literal_column(f"NOT ({to_sql(held)})"), *(() if self.allow_nan else self.referring(child))
        )

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.expression,)

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile
