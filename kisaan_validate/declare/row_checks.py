"""Declarations over the rows of one table."""

from __future__ import annotations

from typing import Any, Unpack

from kisaan_validate.declare.arguments import check_value_bounds, choice, yes_or_no
from kisaan_validate.declare.making import Declaration, MetaArguments, caller, checked, columns_of, declared
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import bounds, documents, rows, series
from kisaan_validate.rules.decimals import Decimals
from kisaan_validate.rules.present import MinimumRows
from kisaan_validate.rules.unique import Unique


def json_path(
    table: str, column: str, path: str, *, nulls: str = "present", **meta: Unpack[MetaArguments]
) -> Declaration:
    """A SQL/JSON path ("$.customer.id") finds something in each document; JSON null is "present" or "absent".

    ``nulls``: a JSON null that it finds counts if "present", and does not if "absent". A column (json or
    jsonb) that is NULL passes.
    """
    choice("nulls", nulls, ("present", "absent"))
    checked(documents.check_path, path)
    return declared("json_path", table, (column,), documents.JsonPath(path=path, nulls=nulls), meta)


def no_gaps(
    table: str,
    column: str,
    *,
    by: str | list[str] | tuple[str, ...] = (),
    order_by: str = "",
    step: Any = 1,
    start: Any = None,
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Each value is one ``step`` after the previous, per series of ``by``.

    None is missing, none occurs twice. In the order of the values, or of ``order_by``; ``by`` are columns
    for each of whose values there is a series of its own; ``start`` is what each begins with. For
    integers, numeric and dates (steps of days). NULL has no place in it.
    """
    exact = checked(bounds.read_exact, step, "step")
    if exact <= 0:
        raise SuiteError(f"step={step!r} is not above 0", "write a number above 0", caller())
    if column in columns_of(by) or order_by in columns_of(by) or order_by == column:
        raise SuiteError("column, by and order_by must be different columns", origin=caller())
    checked(check_value_bounds, 0 if start is None else start, None)
    rule = series.NoGaps(columns_of(by), order_by, exact, start, where)
    return declared("no_gaps", table, (column,), rule, meta)


def holds(
    table: str, expression: str, *, volatile: Any = (), allow_nan: bool = False, **meta: Unpack[MetaArguments]
) -> Declaration:
    """A SQL expression over one row is not false; NULL passes.

    A row violates it too where a column that it reads is NaN, which PostgreSQL takes for greater than
    every number and equal to itself; not where the expression speaks of NaN itself (``amount > 0 OR amount
    = 'NaN'``), or ``allow_nan``.
    """
    from kisaan_validate.sql.reading import expression_columns

    read = expression_columns(expression, caller())
    rule = rows.Holds(
        expression=expression, volatile=frozenset(columns_of(volatile)), allow_nan=yes_or_no(allow_nan)
    )
    return declared("holds", table, read, rule, meta)


def decimals(
    table: str, column: str, places: int = 2, *, allow_nan: bool = False, **meta: Unpack[MetaArguments]
) -> Declaration:
    """No value has more decimal places; a float's shortest text counts, a NaN violates."""
    rule = checked(lambda: Decimals(places=places, allow_nan=yes_or_no(allow_nan)))
    return declared("decimals", table, (column,), rule, meta)


def unique(
    table: str,
    columns: str | list[str],
    *,
    nulls_equal: bool = True,
    counts: str = "surplus",
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """No two rows agree; violations are "surplus" rows, or values that repeat ("groups").

    ``nulls_equal``: NULL equals NULL (else a row with a NULL is never a duplicate). ``counts``: "surplus"
    counts the rows to be removed, "groups" the values that occur more than once. ``where`` restricts the
    rows.
    """
    choice("counts", counts, ("surplus", "groups"))
    if not columns_of(columns):
        raise SuiteError("unique() needs columns", origin=caller())
    return declared("unique", table, columns_of(columns), Unique(nulls_equal, counts, where), meta)


def minimum_rows(table: str, minimum: int = 1, **meta: Unpack[MetaArguments]) -> Declaration:
    """At least so many rows."""
    return declared("minimum_rows", table, (), checked(MinimumRows, minimum), meta)
