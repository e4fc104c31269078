"""Whether migrations ran within the planned window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from kisaan_validate.facts.migrations import (
    LedgerEntry,
    MigrationFile,
    MigrationFinding,
    MigrationWindow,
    Oddity,
)
from kisaan_validate.facts.states import StandingState

_FARTHEST = timedelta(hours=14)
"""How far a clock without a zone may be from UTC."""


def window_findings(
    files: Sequence[MigrationFile], rows: Mapping[str, LedgerEntry], window: MigrationWindow
) -> Iterator[MigrationFinding]:
    """Rows outside of the window, those that cannot be decided, and names of the window that fit nothing.

    Where the window names its migrations, each of them must have run within; else none may have run after
    its end: rows before its beginning are of earlier days.
    """
    known = {*rows, *(file.name for file in files)}
    for pattern in window.names:
        if not any(fnmatchcase(name, pattern) for name in known):
            fact = "should have run in the window, but fits no file and no row"
            yield _odd(StandingState.UNKNOWN, pattern, fact)
    for name, row in rows.items():
        if not window.names:
            judged = MigrationWindow(until=window.until)
        elif any(fnmatchcase(name, pattern) for pattern in window.names):
            judged = window
        else:
            continue
        if (found := _judged(name, row, judged)) is not None:
            yield found


def _judged(name: str, row: LedgerEntry, window: MigrationWindow) -> MigrationFinding | None:
    first, last = _between(row)
    if first is None or last is None:
        why = f"the ledger's time is {row.at}" if row.at else "the ledger has no time of it"
        return _odd(StandingState.UNKNOWN, name, f"{why}: whether it ran in the window is not known")
    if window.since is not None and last < window.since:
        return _odd(StandingState.FAIL, name, f"ran at {row.at}, before the window")
    if window.until is not None and first > window.until:
        return _odd(StandingState.FAIL, name, f"ran at {row.at}, after the window")
    inside = (window.since is None or first >= window.since) and (
        window.until is None or last <= window.until
    )
    if inside:
        return None
    fact = f"ran at {row.at}, which has no zone: whether that was in the window is not known"
    return _odd(StandingState.UNKNOWN, name, fact)


def _between(row: LedgerEntry) -> tuple[datetime | None, datetime | None]:
    """The earliest and the latest instant that a row's time may mean."""
    if row.instant is not None:
        return row.instant, row.instant
    try:
        plain = datetime.fromisoformat(row.at)
    except ValueError:
        return None, None
    if plain.tzinfo is not None:
        return None, None
    try:
        return plain.replace(tzinfo=UTC) - _FARTHEST, plain.replace(tzinfo=UTC) + _FARTHEST
    except OverflowError:
        return None, None


def _odd(state: StandingState, name: str, fact: str) -> MigrationFinding:
    todo = "find out who ran it, and why then" if state is StandingState.FAIL else ""
    return MigrationFinding(Oddity.OUTSIDE_WINDOW, state, name, fact, todo)
