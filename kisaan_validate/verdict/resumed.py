"""What is said of a table that is read over several nights. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from kisaan_validate.facts.resumed import RangeRead, TableResumed
from kisaan_validate.facts.run import Run
from kisaan_validate.text.numbers import counted


def nights_of(ranges: Iterable[RangeRead]) -> str:
    """The nights in which ranges were read: one, or the first and the last."""
    days = sorted({f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for one in ranges})
    return f"on {days[0]}" if len(days) == 1 else f"on {len(days)} nights, {days[0]} to {days[-1]}"


def extent(state: TableResumed) -> str:
    """How far a table was read, and when."""
    if not state.ranges:
        return "no row was read"
    end = state.ranges[-1].following
    rows = f"{counted(state.rows, 'row')} of {state.table}" + (
        "" if end is None else f", {state.key} below {end},"
    )
    return f"{rows} {'were' if state.rows != 1 else 'was'} read {nights_of(state.ranges)}"


def no_answer(state: TableResumed, why: str) -> str:
    """Why a check has no answer that no violation was met for."""
    if state.whole:
        return f"{extent(state)}, by ranges; rows that changed since then are not proved: {why}"
    return f"read in part: {extent(state)}; the rest was not: {why}"


def read_so_far(run: Run) -> Iterator[str]:
    """How far the tables are that this run did not bring to an end."""
    for state in run.resumed:
        if not state.ended:
            rest = "rows that changed since then are" if state.whole else "the rest is"
            yield f"{extent(state)}; {rest} not proved yet"


def as_read(state: TableResumed, check: str) -> str:
    """When the violations of a check were met."""
    failed = state.failed_in(check)
    runs = ", ".join(dict.fromkeys(one.run for one in failed if one.run))
    earlier = f" (run {runs} has their keys)" if runs else ""
    return f"as read {nights_of(failed)}{earlier}"


def whole_words(state: TableResumed) -> str:
    """What is behind an answer over all rows."""
    changed = state.changed or 0
    if not changed:
        return f"{extent(state)}; none of the rows that are there now changed since it was read"
    verb = "were" if changed != 1 else "was"
    return f"{extent(state)}; {counted(changed, 'row')} that changed since {verb} read again in this run"
