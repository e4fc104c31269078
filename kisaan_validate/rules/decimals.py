"""The rule on how many decimal places a number has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.base import later
from kisaan_validate.rules.nan import refusing_nan
from kisaan_validate.rules.rows import PredicateRule
from kisaan_validate.sql.expressions import View

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table


_MOST_PLACES = 16_383
"""No numeric has more digits after the point (docs of PostgreSQL, "Numeric Types")."""


@dataclass(frozen=True)
class Decimals(PredicateRule):
    """A numeric value has at most so many decimal places. Infinities have none; a NaN has no places, and
    violates it.
    """

    places: int = 2
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "decimals"

    def __post_init__(self) -> None:
        if type(self.places) is not int or self.places < 0:
            raise SuiteError(
                f"{self.places!r} is not a number of decimal places", "write a whole number, 0 or more"
            )
        if self.places >= _MOST_PLACES:
            raise SuiteError(
                f"at most {self.places} decimal places can never fail", "a numeric has at most 16383"
            )

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} has at most {self.places} decimal places"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        column: ColumnElement[Any] = view.column(columns[0])
        held: ColumnElement[bool] = column == sa.func.round(column, self.places)
        if view.table.columns[columns[0]].base in {"float4", "float8"}:
            held = _float_decimals(column, self.places)
        return held if self.allow_nan else refusing_nan(held, view, columns)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue) or super().enforced_by(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        # numeric(p, s) rounds what it stores to s places, and stores a NaN all the same.
        column = table.columns[columns[0]]
        rounded = column.scale is not None and column.scale <= self.places
        return f"type {column.type}" if rounded and self.allow_nan else ""


def _float_decimals(column: ColumnElement[Any], places: int) -> ColumnElement[bool]:
    """The same of a float: its shortest decimal text is what people read and typed. An infinity has no
    decimal places.
    """
    # Through text: 0.1::numeric of a float gives the digits that people typed.
    written = sa.cast(sa.cast(column, sa.Text), sa.Numeric)
    infinite = column.in_([sa.literal_column("'Infinity'"), sa.literal_column("'-Infinity'")])
    # PostgreSQL 13 cannot turn an infinity into numeric; it has no decimal places in any case.
    held: ColumnElement[bool] = sa.case(
        (infinite, sa.true()), else_=written == sa.func.round(written, places)
    )
    return held
