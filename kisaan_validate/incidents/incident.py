"""An incident: what is told of one cause."""

from __future__ import annotations

from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.notify.told import News, ToldSubject

PROBLEMS = (
    News.NEW,
    News.WORSE,
    News.WAIVER_ENDED,
    News.FLAPPING,
    News.NO_ANSWER,
    News.STILL,
    News.GONE,
    News.FIXED,
)
"""What is said, the most urgent first."""


@dataclass(frozen=True)
class Incident:
    """What is told of one cause. It holds counts, ids and names, never a value or a key of a row.

    ``title`` is in the words of the suite; ``checks`` are ids, the most telling first. ``rows`` are the
    violations of the first, ``rows_before`` those of the last answer before; None where nothing was
    counted. ``nights`` are those on which it failed since ``since``. ``between`` is what happened since the
    night before.
    """

    news: News
    title: str
    severity: Severity
    checks: tuple[str, ...]
    told: tuple[ToldSubject, ...]
    rows: int | None = None
    rows_before: int | None = None
    since: datetime | None = None
    nights: int = 0
    between: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    next_step: str = ""
    owners: tuple[str, ...] = ()
