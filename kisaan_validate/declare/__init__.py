"""Invariants that a DataFrame schema cannot say: relations, sums, uniqueness, catalogue state.

Each function returns a :class:`Declaration` (:func:`control_total` a TotalSpec, :func:`month` and
:func:`day` a part of its ``by``) and, while a suite is being loaded, adds it to that suite, so a file in
``checks/`` just calls them. All take the same closing keyword arguments: ``id``, ``severity``
("blocking", "warning", "info"), ``why``, ``hint``, ``owner``, ``tags``, ``tolerance``, ``applies``
(conditions such as ``"column orders.total"``, ``"not table old_orders"``), ``filter`` (False: the table's
filter from ``suite.toml`` does not apply; or a SQL condition that takes its place), ``settling`` ("5 min":
rows of a check over several tables that fail are asked again so much later, and only those that still
fail are violations). Table names may be
aliases from ``suite.toml``.

Every function raises SuiteError, with file and line, for arguments that cannot be meant.

Kinds of other packages (see ``plugins``) are found here too, by the names of their entry points;
:func:`declaration` is what their functions call.
"""

from __future__ import annotations

from typing import Any

from kisaan_validate.declare.control_totals import control_total, day, month
from kisaan_validate.declare.figure_checks import (
    distinct_count,
    fresh,
    null_share,
    quantile,
    row_count,
    row_count_against,
    total,
    volume,
)
from kisaan_validate.declare.making import Declaration, declaration
from kisaan_validate.declare.making import FigureArguments as FigureArguments
from kisaan_validate.declare.making import MetaArguments as MetaArguments
from kisaan_validate.declare.making import collector as collector
from kisaan_validate.declare.making import source as source
from kisaan_validate.declare.relation_checks import agrees, holds_with, reconciles, references, values_in
from kisaan_validate.declare.row_checks import decimals, holds, json_path, minimum_rows, no_gaps, unique
from kisaan_validate.declare.schema_checks import (
    column,
    constraint,
    index,
    ledger,
    no_column_of_type,
    sequence,
    server_health,
    table,
    triggers,
)
from kisaan_validate.rules import plugins
from kisaan_validate.text.nearest import did_you_mean

__all__ = [
    "Declaration",
    "agrees",
    "column",
    "constraint",
    "control_total",
    "day",
    "decimals",
    "declaration",
    "distinct_count",
    "fresh",
    "holds",
    "holds_with",
    "index",
    "json_path",
    "ledger",
    "minimum_rows",
    "month",
    "no_column_of_type",
    "no_gaps",
    "null_share",
    "quantile",
    "reconciles",
    "references",
    "row_count",
    "row_count_against",
    "sequence",
    "server_health",
    "table",
    "total",
    "triggers",
    "unique",
    "values_in",
    "volume",
]


def __getattr__(name: str) -> Any:
    """The functions of other packages' kinds."""
    found = {} if name.startswith("_") else plugins.kinds()
    if name not in found:
        hint = did_you_mean(name, [*__all__, *found])
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}" + (f"; {hint}" if hint.startswith("did") else "")
        )
    return found[name]
