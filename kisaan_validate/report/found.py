"""What a check of a figure found, in a line: the evidence of such a check is the figure itself beside what
was wanted.
"""

from __future__ import annotations

from kisaan_validate.facts.result import Result, Status
from kisaan_validate.report.text import flat, number, shortened

NAMED = 3
"""So many segments are named in a line; the evidence has more."""


def more_keys(result: Result, shown: int) -> str:
    """What follows the first ``shown`` keys: ``1,231 more``; "" where these are all. No number where a key
    stands for several violations and not all keys were recorded: they were not counted.
    """
    if result.sample_complete:
        left = len(result.sample) - shown
    elif any(_is_several(result, *pair) for row in result.sample for pair in row):
        return "more"
    else:
        left = (result.violations or 0) - shown
    return f"{number(left)} more" if left > 0 else ""


def _is_several(result: Result, name: str, value: str | None) -> bool:
    """Whether it says of how many rows the key is. Renamed with an underscore beside such a column."""
    return name.rstrip("_") == "rows_found" and name not in result.key and value not in {None, "1"}


def found_words(result: Result, claim: str) -> str:
    """``the sum of …: found total 598, must be at least 600``, or of segments ``…: found group g0,
    rows_found 66; …, must be …``.

    ``claim`` is what the check claims, which is not true of a figure that is wrong. "" for a check of no
    figure, or one that holds.
    """
    rows = result.sample
    if (
        result.status not in {Status.FAIL, Status.TOLERATED}
        or not all(_is_figure(row) for row in rows)
        or not rows
    ):
        return ""
    said = [
        ", ".join(_pair(name, value) for name, value in row[:-1] if not _no_nan(name, value))
        for row in rows[:NAMED]
    ]
    more = (result.violations or len(rows)) - len(said)
    wanted = flat(rows[0][-1][1] or "")
    # The claim repeats the bound ("is at least 600"), which "must be" says again.
    subject = flat(claim).replace(f" is {wanted}", "", 1)
    return (
        f"{subject}: found {'; '.join(said)}"
        + (f"; and {number(more)} more" if more > 0 else "")
        + f", must be {wanted}"
    )


def _is_figure(row: tuple[tuple[str, str | None], ...]) -> bool:
    # Renamed with an underscore where a segment's column has that name already.
    return len(row) > 1 and row[-1][0].rstrip("_") == "wanted"


def _no_nan(name: str, value: str | None) -> bool:
    """Whether it says that there was no NaN, which is no news about a figure that failed for its value."""
    return name.rstrip("_") == "nan_found" and value == "0"


def _pair(name: str, value: str | None) -> str:
    return f"{flat(name)} {'NULL' if value is None else shortened(flat(value), 60)}"
