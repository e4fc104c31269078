"""Expectations about several columns of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_expected import Expected
from kisaan_validate.author.importers.gx_values import unique_over
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark, sql_name


def _ignored(e: Expected, columns: list[str], default: str) -> str:
    """The rows that are left alone, as SQL for "missing"."""
    rule = e.kwargs.get("ignore_row_if") or default
    any_null = " OR ".join(f"{sql_name(c)} IS NULL" for c in columns)
    known = {
        "both_values_are_missing": sql.all_null(columns),
        "all_values_are_missing": sql.all_null(columns),
        "neither": "",
        "never": "",
        "either_value_is_missing": any_null,
        "any_value_is_missing": any_null,
    }
    if rule not in known:
        raise NoCounterpart(f"ignore_row_if {remark(str(rule))} is not known")
    return known[rule]


def pair_of(operator: str) -> Callable[[Expected], list[str]]:
    """Two columns of a row compare as ``operator`` says."""

    def make(e: Expected) -> list[str]:
        a, b = e.column("column_A"), e.column("column_B")
        sign = ">=" if operator == ">" and e.kwargs.get("or_equal") is True else operator
        # false admits every row, so that no condition is written.
        missing = _ignored(e, [a, b], "both_values_are_missing") or "false"
        said = f"{sql_name(a)} {sign} {sql_name(b)}"
        if (
            sign == "="
        ):  # there, one NULL is not equal, and two are not either unless such rows are left alone
            said += f" AND {sql_name(a)} IS NOT NULL AND {sql_name(b)} IS NOT NULL"
        return _several(e, said, "pair", [a, b], missing)

    return make


def _several(e: Expected, expression: str, kind: str, columns: list[str], missing: str) -> list[str]:
    """An expression over several columns, in the rows that are not left alone."""
    where = sql.both(e.where, "" if missing == "false" else f"NOT ({missing})")
    said = replace(e.said, tolerance=sql.tolerance_of(1 - e.mostly))
    return [
        e.maker.row(e.table, expression, e.id("_".join(columns), kind), said, where=where, columns=columns)
    ]


def pair_in_set(e: Expected) -> list[str]:
    """The values of two columns are one of the listed pairs."""
    a, b = e.column("column_A"), e.column("column_B")
    pairs = sql.as_list(e.kwargs.get("value_pairs_set"), "pairs of values")
    said = []
    for pair in pairs:
        left, right = (
            sql.as_list(pair, "a pair") if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        if left is None or right is None:
            raise NoCounterpart("pairs of two values are expected, none of them null")
        said.append(f"({sql_name(a)} = {sql.value_sql(left)} AND {sql_name(b)} = {sql.value_sql(right)})")
    if not said:
        raise NoCounterpart("an empty set of pairs")
    return _several(
        e, " OR ".join(said), "pair_in_set", [a, b], _ignored(e, [a, b], "both_values_are_missing") or "false"
    )


def compound(e: Expected) -> list[str]:
    """No two rows have the same values in several columns."""
    columns = e.columns()
    rule = e.kwargs.get("ignore_row_if") or "all_values_are_missing"
    if rule == "any_value_is_missing":
        return unique_over(e, columns, nulls_equal=False)
    missing = _ignored(e, columns, "all_values_are_missing")
    return unique_over(e, columns, nulls_equal=True, where=f"NOT ({missing})" if missing else "")


def unique_in_record(e: Expected) -> list[str]:
    """Several columns of a row have values of their own."""
    columns = e.columns()
    names = [sql_name(c) for c in columns]
    # One NULL is unlike any value, two are alike.
    pairs = [
        f"({a} <> {b} AND NOT ({a} IS NULL AND {b} IS NULL))"
        for n, a in enumerate(names)
        for b in names[n + 1 :]
    ]
    if not pairs:
        raise NoCounterpart("a single column cannot repeat itself within a row")
    return _several(
        e,
        " AND ".join(pairs),
        "unique_in_record",
        columns,
        _ignored(e, columns, "all_values_are_missing") or "false",
    )


def columns_equal(e: Expected) -> list[str]:
    """Two columns of a row are equal."""
    columns = e.columns()
    first, *others = [sql_name(c) for c in columns]
    if not others:
        raise NoCounterpart("a single column always equals itself")
    # Two NULLs are equal there.
    said = " AND ".join(f"{first} IS NOT DISTINCT FROM {other}" for other in others)
    return _several(e, said, "equal", columns, _ignored(e, columns, "all_values_are_missing") or "false")


def sum_equal(e: Expected) -> list[str]:
    """The sum of several columns of a row is a fixed total."""
    columns, wanted = e.columns(), e.number("sum_total")
    if wanted is None:
        raise NoCounterpart("sum_total is missing")
    total = " + ".join(sql_name(c) for c in columns)
    said = f"{total} = {sql.value_sql(e.kwargs['sum_total'])}"
    return _several(e, said, "sum", columns, _ignored(e, columns, "all_values_are_missing") or "false")


# --- figures over all rows --------------------------------------------------------------------------------
