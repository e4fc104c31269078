"""Whether what a run remembers of the runs before it agrees with itself and with its results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kisaan_validate.facts.past import NIGHTS_KEPT, PastLine, Remembered
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run

_HEX = re.compile(r"[0-9a-f]{64}")


def past_contradictions(run: Run) -> Iterator[str]:
    """What in the past of a run cannot be, in words."""
    past = run.past
    if past is None:
        return
    if not _HEX.fullmatch(past.digest):
        yield "its digest of the last run is not a SHA-256"
    if not past.nights or past.nights[-1].run != past.run:
        yield "the last night that it remembers is not that of the last run"
    if len(past.nights) > NIGHTS_KEPT:
        yield f"it remembers more than {NIGHTS_KEPT} nights"
    if past.every_seconds < 0:
        yield "it is to run each negative time"
    for line in past.lines:
        if wrong := _line(line, past):
            yield f"what it remembers of {line.check}: {wrong}"
    yield from _ledger(run, past)
    yield from _failures(run, past)


def _ledger(run: Run, past: Remembered) -> Iterator[str]:
    """What is said to have come must be there."""
    moves, there = past.ledger_moves, run.ledger_rows
    if moves is None:
        return
    if there is None or there.table != moves.table:
        yield f"rows came into {moves.table}, which is not the ledger that was read"
        return
    for row in moves.came:
        if row not in there.rows:
            yield f"{row.name} came into {moves.table} and is not there"
    if moves.all_came < len(moves.came) or moves.all_went < len(moves.went):
        yield f"more rows of {moves.table} are named than moved"


def _line(line: PastLine, past: Remembered) -> str:
    fails = line.answered is not None and line.answered.status is Status.FAIL
    if fails is not (line.since is not None) or fails is not (line.nights > 0):
        return "it failed last, and since no night; or the reverse"
    if any(count is not None and count < 0 for count in line.counts):
        return "fewer than 0 violations"
    return "more counts than nights" if len(line.counts) > len(past.nights) else ""


def _failures(run: Run, past: Remembered) -> Iterator[str]:
    """A failure that is called known excuses itself, so that must be possible by what stands beside it."""
    results, checks = {result.check_id: result for result in run.failures}, run.by_id
    told = [failure.check for failure in past.failures]
    if len(set(told)) < len(told) or set(told) != set(results):
        yield "it says of other checks than those that fail whether they were known"
        return
    for failure in past.failures:
        count, meaning = results[failure.check].violations or 0, checks[failure.check].digest
        # By meaning alone: a check may have had another name.
        before = (line.answered for line in past.lines if line.meaning == meaning)
        knew = any(a and a.status is Status.FAIL and (a.violations or 0) >= count for a in before)
        if failure.known and not knew:
            yield f"{failure.check} is said to be known, and the last run did not know it"
