"""What stands beside a comparison: what was not compared, in two lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.facts.differences import NotCompared
from kisaan_validate.report.text import plain


def not_compared_lines(items: Sequence[NotCompared]) -> list[str]:
    """What was not compared, in one line; before it a line with what is known to differ anyway."""
    # Judged items go first: something differs there for certain, and only where it differs is unknown.
    differs = ", ".join(plain(item.words) for item in items if item.judged)
    rest = ", ".join(plain(item.words) for item in items if not item.judged)
    lines = (
        [f"differs       {differs}: compared only by number, or only for the database as a whole"]
        if differs
        else []
    )
    return lines + ([f"not compared  {rest}"] if rest else [])
