"""Whether what a run says of tables that are read over several nights agrees with itself and its results."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.result import Status
from kisaan_validate.facts.resumed import RangeRead, TableResumed
from kisaan_validate.facts.run import Run


def resumed_contradictions(run: Run) -> Iterator[str]:
    """Contradictions in how far tables were read, in words."""
    passed = {r.check_id for r in run.results if r.status in {Status.PASS, Status.TOLERATED}}
    for state in run.resumed:
        yield from _state(state)
        # Whatever the ranges say: nothing passes unless every row was seen.
        if not state.ended and (early := sorted(passed & {id for id, _ in state.meanings})):
            yield f"{state.table}: {early[0]} passed, but not all rows of the table were read"


def _state(state: TableResumed) -> Iterator[str]:
    """Contradictions about one table."""
    if not state.ranges:
        yield f"{state.table}: it was read by ranges of {state.key}, but there is no range"
        return
    if state.ended and (not state.whole or state.void):
        yield f"{state.table}: changed rows were read again before all rows were read"
    if (state.changed or 0) < 0:
        yield f"{state.table}: {state.changed:,} rows changed"
    if state.ranges[0].first is not None:
        yield f"{state.table}: no range begins at its first row"
    for one, following in zip(state.ranges, state.ranges[1:], strict=False):
        if one.following is None or one.following != following.first:
            yield f"{state.table}: the range from {following.first} does not follow the one before it"
    for one in state.ranges:
        yield from _range(state, one)


def _range(state: TableResumed, one: RangeRead) -> Iterator[str]:
    if one.rows < 0 or one.horizon < 1 or not one.run:
        yield f"{state.table}: a range of {one.rows:,} rows, of run {one.run!r}, at transaction {one.horizon}"
    known = {id for id, _ in state.meanings}
    names = [count.check for count in one.counts]
    if len(set(names)) < len(names) or not set(names) <= known:
        yield f"{state.table}: a range counts for checks that are not asked of it, or twice for one"
    for count in one.counts:
        if not 0 <= count.violations <= count.examined <= one.rows:
            yield (
                f"{state.table}: {count.check} has {count.violations:,} violations of {count.examined:,} "
                f"rows in a range of {one.rows:,}"
            )
