"""A check and its result as one row of a table: what CSV and data frames have in common."""

from __future__ import annotations

from collections.abc import Callable

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Result, message_of

Value = str | int | None


@dataclass(frozen=True)
class FrameColumn:
    """One column. ``count`` tells that its values are exact whole numbers, None where not known; others
    are texts.
    """

    name: str
    value: Callable[[Check, Result], Value]
    count: bool = False


COLUMNS = (
    FrameColumn("check", lambda c, r: c.id),
    FrameColumn("table", lambda c, r: c.table),
    FrameColumn("columns", lambda c, r: ", ".join(c.columns)),
    FrameColumn("severity", lambda c, r: c.severity.value),
    FrameColumn("status", lambda c, r: r.status.value),
    FrameColumn("violations", lambda c, r: r.violations, count=True),
    FrameColumn("examined", lambda c, r: r.examined, count=True),
    FrameColumn("tolerance", lambda c, r: str(c.tolerance) if c.tolerance is not None else ""),
    FrameColumn("claim", lambda c, r: c.claim),
    FrameColumn("message", lambda c, r: message_of(r)),
    FrameColumn("sqlstate", lambda c, r: r.sqlstate),
    FrameColumn("evidence", lambda c, r: r.evidence.value),
    FrameColumn("trusted", lambda c, r: r.trusted),
    FrameColumn("enforced_by", lambda c, r: r.enforced_by),
    FrameColumn("why", lambda c, r: c.why),
    FrameColumn("hint", lambda c, r: r.hint or c.hint),
    FrameColumn("owner", lambda c, r: c.owner),
    FrameColumn("tags", lambda c, r: ", ".join(c.tags)),
    FrameColumn("origin", lambda c, r: c.origin),
    FrameColumn("key_digest", lambda c, r: r.key_digest),
)
"""In the order in which they are read."""
