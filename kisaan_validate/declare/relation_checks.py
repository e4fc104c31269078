"""Declarations between two tables."""

from __future__ import annotations

from typing import Any, Unpack

from kisaan_validate.declare.arguments import choice, join_of, yes_or_no
from kisaan_validate.declare.making import Declaration, MetaArguments, caller, columns_of, declared
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_column
from kisaan_validate.rules import sets
from kisaan_validate.rules.reconciles import SUM_OPERATORS, Reconciles
from kisaan_validate.rules.relations import Agrees, HoldsWith, References


def values_in(
    table: str,
    columns: str | list[str],
    reference: str,
    on: str | list[str],
    *,
    where: str = "",
    reference_where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Every value but NULL occurs in ``on`` of ``reference``, unique or not.

    ``where`` is SQL over a row of ``table``, ``reference_where`` over a row of ``reference``.
    """
    join = join_of(columns, reference, on)
    rule = sets.ValuesIn(reference, join.parent_columns, where, reference_where)
    listed = f"{reference}.{', '.join(join.parent_columns)}"
    meta.setdefault("hint", f"fix the value in {table}, or add it to {listed}")
    return declared("values_in", table, join.columns, rule, meta)


def references(
    table: str,
    columns: str | list[str],
    to: str,
    on: str | list[str] = "id",
    *,
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Every reference that is not NULL finds its row.

    ``where`` is SQL over ``child``; it restricts the rows that are judged (of those that fail there is no
    ``parent``).
    """
    if where:
        from kisaan_validate.sql.reading import qualified_columns

        qualified_columns(where, ("child",), caller())
    return declared("references", table, (), References(join_of(columns, to, on), where), meta)


def agrees(
    table: str,
    column: str,
    *,
    with_: str,
    via: str | list[str],
    on: str | list[str] = "id",
    nulls: str = "distinct",
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A column repeats ``with_`` ("other.column") of the row it refers to; NULLs are "distinct" or
    "pass".

    The row is found by ``via`` = ``on``. ``nulls``: "distinct" makes NULL against a value a violation,
    "pass" judges only where both have a value. ``where`` is SQL over ``child`` and ``parent``.
    """
    choice("nulls", nulls, ("distinct", "pass"))
    other, other_column = split_column(with_)
    if not other or not other_column:
        raise SuiteError(f"with_={with_!r} is not 'table.column'", origin=caller())
    rule = Agrees(join_of(via, other, on), other_column, nulls, where)
    return declared("agrees", table, (column,), rule, meta)


def holds_with(
    table: str,
    expression: str,
    *,
    parent: str,
    via: str | list[str],
    on: str | list[str] = "id",
    volatile: Any = (),
    allow_nan: bool = False,
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A SQL expression over ``child`` and the ``parent`` it refers to is not false.

    A NaN violates it as it violates :func:`holds`.
    """
    from kisaan_validate.sql.reading import qualified_columns

    origin = caller()
    read = qualified_columns(expression, ("child", "parent"), origin)
    rule = HoldsWith(
        join_of(via, parent, on),
        expression,
        tuple(read["parent"]),
        frozenset(columns_of(volatile)),
        yes_or_no(allow_nan),
    )
    return declared("holds_with", table, tuple(read["child"]), rule, meta)


def reconciles(
    table: str,
    column: str,
    *,
    details: str,
    detail_column: str,
    via: str,
    on: str = "id",
    relation: str = "=",
    missing: str = "zero",
    where: str = "",
    detail_where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """The sum of a row's details is ``relation`` (= <= >= < >) its column; without any it is "zero", or the
    row is left out ("skip").

    The details are the rows whose ``via`` equals ``on``. ``missing``: a row without details counts as
    "zero", or is left out ("skip"). ``where`` is SQL over ``parent`` (a row of ``table``);
    ``detail_where`` over a row of ``details``.
    """
    choice("relation", relation, SUM_OPERATORS)
    choice("missing", missing, ("zero", "skip"))
    rule = Reconciles(details, detail_column, via, on, relation, missing, where, detail_where)
    return declared("reconciles", table, (column,), rule, meta)
