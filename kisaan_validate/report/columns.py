"""A check and its result as one row of a table: what CSV and data frames have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Result

Value = str | int | None


@dataclass(frozen=True)
class Column:
    """One column. ``count`` tells that its values are exact whole numbers, None where not known; others
    are texts.
    """

    name: str
    value: Callable[[Check, Result], Value]
    count: bool = False


COLUMNS = (
    Column("check", lambda c, r: c.id),
    Column("table", lambda c, r: c.table),
    Column("columns", lambda c, r: ", ".join(c.columns)),
    Column("severity", lambda c, r: c.severity.value),
    Column("status", lambda c, r: r.status.value),
    Column("violations", lambda c, r: r.violations, count=True),
    Column("examined", lambda c, r: r.examined, count=True),
    Column("tolerance", lambda c, r: str(c.tolerance) if c.tolerance is not None else ""),
    Column("claim", lambda c, r: c.claim),
    Column("message", lambda c, r: r.message),
    Column("sqlstate", lambda c, r: r.sqlstate),
    Column("evidence", lambda c, r: r.evidence.value),
    Column("trusted", lambda c, r: r.trusted),
    Column("enforced_by", lambda c, r: r.enforced_by),
    Column("why", lambda c, r: c.why),
    Column("hint", lambda c, r: r.hint or c.hint),
    Column("owner", lambda c, r: c.owner),
    Column("tags", lambda c, r: ", ".join(c.tags)),
    Column("origin", lambda c, r: c.origin),
    Column("key_digest", lambda c, r: r.key_digest),
)
"""In the order in which they are read."""
