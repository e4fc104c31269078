"""What of a profile could not be measured, in lines for people: a reason once, with how many columns."""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.facts.table import TableFacts
from kisaan_validate.text.numbers import counted

NAMED = 3
"""So many columns are named with a reason."""


def profile_gaps(tables: Iterable[TableFacts]) -> list[str]:
    """One line for each thing that is missing and each reason; none where nobody asked for a profile."""
    found: dict[tuple[str, str], list[str]] = {}
    for table in tables:
        for column in table.columns:
            told = column.distribution
            if told is None:
                continue
            missing = {"": told.message} if told.message else told.unmeasured
            for figure, why in missing.items():
                found.setdefault((figure, why), []).append(f"{table.title}.{column.name}")
    return [_line(figure, why, columns) for (figure, why), columns in found.items()]


def _line(figure: str, why: str, columns: list[str]) -> str:
    what = f"without {figure}" if figure else "not profiled"
    more = f" and {len(columns) - NAMED:,} more" if len(columns) > NAMED else ""
    return f"{counted(len(columns), 'column')} {what}: {why} ({', '.join(columns[:NAMED])}{more})"
