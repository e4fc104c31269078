"""When a table was last proved."""

from __future__ import annotations

from datetime import datetime

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class TableProved:
    """The last run in which all checks of a table that this run asks had an answer, whatever it was: its id
    and the time of its snapshot. None and "" where there is none among the runs that are kept.
    """

    table: str
    at: datetime | None = None
    run: str = ""
