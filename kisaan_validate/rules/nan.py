"""What a NaN means to a rule: it lies outside of every bound, and it equals nothing, not even another NaN.

To PostgreSQL a NaN is greater than every number and equals itself, so that it would pass each lower bound,
each ``<>``, and each comparison with another NaN. Every rule that compares values therefore asks for it
beside what it says itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kisaan_validate.facts.catalogue import NUMBERS_WITH_NAN, SHAPES
from kisaan_validate.sql.expressions import quote, to_sql

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Column, TypeFacts
    from kisaan_validate.sql.expressions import View


def nan_sql(column: Column, value: str) -> str:
    """SQL that is true where ``value``, of this column's type, is a NaN or holds one; "" where the type
    has none.
    """
    if column.may_be_nan:
        return f"{value} = {nan_literal(column.base)}"
    if column.made is not None and column.has_nan:
        # Inside a value the comparison may be NULL, where there are no elements.
        return f"coalesce({_inside(column.made, value)}, false)"
    return ""


def nan_literal(base: str) -> str:
    """SQL for the NaN of a number's type ("numeric", "float4", "float8")."""
    return f"'NaN'::{base}"


def _inside(made: TypeFacts, value: str) -> str:
    """SQL that is true where one of the numbers inside a value is NaN, and may be NULL where none is."""
    if made.name in NUMBERS_WITH_NAN and made.builtin:
        return f"{value} = {nan_literal(made.name)}"
    if made.name in SHAPES and made.builtin:
        # Shapes have no operator that finds a NaN, but print one by its name.
        return f"strpos(({value})::text, 'NaN') > 0"
    fields = [(name, part) for name, part in made.fields if part.has_nan]
    if fields:
        return f"({' OR '.join(_inside(part, f'({value}).{quote(name)}') for name, part in fields)})"
    part = made.element
    assert part is not None  # else it would have no NaN
    if made.kind == "r":
        return f"({_inside(part, f'lower({value})')} OR {_inside(part, f'upper({value})')})"
    # The elements of an array of any depth, or the ranges of a multirange: a row of its own each.
    return f"(SELECT bool_or({_inside(part, 'e.v')}) FROM (SELECT unnest({value}) AS v) AS e)"


def refusing_nan(held: ColumnElement[Any], view: View, names: Iterable[str]) -> ColumnElement[bool]:
    """What holds, and beside it that none of these columns is NaN. Where one is NULL it is unknown, as SQL
    has it.
    """
    guards: list[ColumnElement[Any]] = []
    for name in names:
        column = view.table.columns.get(name)
        if column is not None and column.may_be_nan:
            # "less than NaN" is true for every number and false
            # for a NaN, and NULL for NULL, as the rule wants.
            guards.append(view.column(name) < sa.literal_column(nan_literal(column.base)))
        elif column is not None and column.has_nan:
            guards.append(sa.literal_column(f"NOT {nan_sql(column, to_sql(view.column(name)))}"))
    return sa.and_(held, *guards) if guards else held


def or_nan(wrong: ColumnElement[bool], *sides: tuple[View, str]) -> ColumnElement[bool]:
    """What is wrong, or a NaN in one of these columns (each with the table that it is of)."""
    found = [nan_sql(view.table.columns[name], to_sql(view.column(name))) for view, name in sides]
    return sa.or_(wrong, *(sa.literal_column(sql) for sql in found if sql))


def nan_of_any(columns: Iterable[tuple[Column, str]]) -> str:
    """SQL that is true where one of these values (each with its column) is a NaN; "" where no type has
    one.
    """
    return " OR ".join(sql for sql in (nan_sql(column, value) for column, value in columns) if sql)
