"""Whether what a run says of second looks, and of when tables were proved, agrees with its other facts."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import UNANSWERED, Result, Settled
from kisaan_validate.facts.run import Run


def settling_contradictions(check: Check, result: Result) -> Iterator[str]:
    """What cannot be, in words, of a result that has an answer."""
    settled = result.settled
    if settled is None:
        return
    if not check.settling:
        yield f"{check.id}: it was asked again, but has no settling time"
    counts = (settled.first, settled.second or 0, settled.healed or 0, settled.fresh or 0, settled.seconds)
    if settled.first < 1 or min(counts) < 0:
        yield f"{check.id}: it was asked again after {settled.first:,} violations"
    elif settled.healed is None:
        yield from _unsettled(check, result, settled)
    else:
        yield from _both(check, result, settled, settled.healed)


def _unsettled(check: Check, result: Result, settled: Settled) -> Iterator[str]:
    """Without a comparison of both looks, all of the first stand."""
    if not settled.why or settled.fresh is not None or result.violations != settled.first:
        yield f"{check.id}: {result.violations} violations of {settled.first:,}, and no second look to say so"


def _both(check: Check, result: Result, settled: Settled, healed: int) -> Iterator[str]:
    left = result.violations or 0
    if settled.why or settled.second is None or settled.fresh is None:
        yield f"{check.id}: {healed:,} violations healed in a second look that is not known"
    elif settled.first != left + healed or settled.second != left + settled.fresh:
        yield (
            f"{check.id}: {settled.first:,} violations, then {settled.second:,}, are not "
            f"{left:,} in both looks, {healed:,} healed and {settled.fresh:,} fresh"
        )
    if settled.seconds < check.settling:
        yield f"{check.id}: it was asked again after {settled.seconds} s of {check.settling}"


def proved_contradictions(run: Run) -> Iterator[str]:
    """What cannot be, in words, of when the tables were proved."""
    open_ = {result.check_id for result in run.results if result.status in UNANSWERED}
    unproved = {check.table for check in run.checks if check.id in open_}
    unproved |= {state.table for state in run.resumed if not state.ended}
    tables = {check.table for check in run.checks}
    for one in run.proved:
        if (one.at is None) is bool(one.run):
            yield f"{one.table}: it was proved in a run without a time, or the reverse"
        if one.table not in tables:
            yield f"{one.table}: proved, but no check of this run is about it"
        elif (one.run == run.id) is (one.table in unproved):
            yield f"{one.table}: what is said of when it was proved contradicts its checks"
