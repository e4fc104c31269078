"""Rules on single rows. NULL passes unless the rule is about NULL; a NaN violates whatever compares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.rules.base import RowRule, later
from kisaan_validate.rules.enforcement import implied_by_constraints
from kisaan_validate.rules.nan import refusing_nan
from kisaan_validate.sql.expressions import View, raw, to_sql
from kisaan_validate.sql.nan import settled_for_nan

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table


def in_words(value: object) -> str:
    """A value as a claim says it: a text in quotes."""
    return f"'{value}'" if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class PredicateRule(RowRule):
    """A rule that says what holds; a row violates it where that is false, and with ``null_fails`` where it
    is NULL.
    """

    null_fails: bool = False

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The predicate that must hold."""
        raise TypeError("a predicate rule states its predicate")  # pragma: no cover - abstract

    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        held = self.holds(view, columns)
        if self.null_fails:
            # IS NOT TRUE also counts NULL, which "NOT (…)" leaves out.
            return sa.literal_column(f"({to_sql(held)}) IS NOT TRUE")
        return sa.literal_column(f"NOT ({to_sql(held)})")

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        # A CHECK admits NULL, so it cannot enforce a rule that refuses it.
        if self.null_fails:
            return ""
        return implied_by_constraints(
            to_sql(self.holds(View(table), columns)), table, authored=bool(self.conditions())
        )


@dataclass(frozen=True)
class NotNull(RowRule):
    """The column has a value in every row."""

    kind: ClassVar[str] = "not_null"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} is never NULL"

    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        return view.column(columns[0]).is_(None)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return "NOT NULL" if table.proves_not_null(columns[0]) else ""


@dataclass(frozen=True)
class Holds(PredicateRule):
    """A SQL expression over one row's columns that must not be false, and none of these columns is NaN.

    If the expression says what a NaN of a column means, that holds; with ``allow_nan`` for all columns.
    """

    expression: str = ""
    volatile: frozenset[str] = frozenset()
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "holds"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return " ".join(self.expression.split())

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        if self.allow_nan:
            return raw(self.expression)
        settled = settled_for_nan(self.expression)
        return refusing_nan(raw(self.expression), view, (c for c in columns if ("", c) not in settled))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.expression,)

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile
