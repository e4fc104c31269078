"""What a check of a figure found, in a line: the evidence of such a check is the figure itself beside what was wanted."""

from __future__ import annotations

from kisaan_validate.model import Result, Status
from kisaan_validate.report.text import flat, number, shortened

NAMED = 3
"""So many segments are named in a line; the evidence has more."""


def found_words(result: Result) -> str:
    """``found total 598``, or of segments ``found group g0, rows_found 66; …``; "" if it is no figure, or none that is wrong."""
    rows = result.sample
    if result.status not in {Status.FAIL, Status.TOLERATED} or not all(_is_figure(row) for row in rows) or not rows:
        return ""
    said = [", ".join(_pair(name, value) for name, value in row[:-1] if not _no_nan(name, value)) for row in rows[:NAMED]]
    more = (result.violations or len(rows)) - len(said)
    return f"found {'; '.join(said)}" + (f"; and {number(more)} more" if more > 0 else "")


def _is_figure(row: tuple[tuple[str, str | None], ...]) -> bool:
    return len(row) > 1 and row[-1][0].rstrip("_") == "wanted"


def _no_nan(name: str, value: str | None) -> bool:
    """Whether it says that there was no NaN: of a figure that failed for its value, that is no news."""
    return name.rstrip("_") == "nan_found" and value == "0"


def _pair(name: str, value: str | None) -> str:
    return f"{flat(name)} {'NULL' if value is None else shortened(flat(value), 60)}"
