"""A failure between tables is asked again after its settling time, in a second snapshot: what a writer was
still completing is in flight, and no violation.

Law: only rows that failed in both looks are violations. Where the looks cannot be compared row by row, or
there was no second one, all rows of the first are. No snapshot is held while rows settle.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.result import Result, Settled, Status
from kisaan_validate.facts.run import Run, StatementFacts
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.evidence import cut_value
from kisaan_validate.prove.failing import FailingRow, FailingRows
from kisaan_validate.prove.guarding import with_pauses
from kisaan_validate.prove.options import Keeping
from kisaan_validate.prove.outcome import joined, tolerated
from kisaan_validate.prove.request import Connected, Progress, RunRequest
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.numbers import counted

SECOND = "second look: "
"""What the purposes of its statements begin with."""


@dataclass(frozen=True)
class Look:
    """What one snapshot told: the run, and the failing rows of checks with a settling time, by check id.
    ``seen`` is when the snapshot was taken, by ``time.monotonic()``.
    """

    run: Run
    failing: Mapping[str, FailingRows]
    seen: float


def settled(request: RunRequest, first: Look, again: Callable[[RunRequest], Look]) -> Run:
    """The run after second looks at what failed and may settle. ``again`` makes a run of a part of the
    suite. Raises nothing that the first look did not.
    """
    made, changed = first.run, dict[str, Result]()
    for seconds, checks in _failed(made):
        more: Sequence[StatementFacts] = ()
        if why := _waited(request, first.seen + seconds):
            second: Look | str = why
        else:
            second = _second(request, checks, again)
        for check in checks:
            result = next(r for r in made.results if r.check_id == check.id)
            changed[check.id] = _after(request, check, result, first, second)
        if isinstance(second, Look):
            more = [replace(s, purpose=SECOND + s.purpose) for s in second.run.statements]
            made = replace(made, held_seconds=max(made.held_seconds, second.run.held_seconds))
        made = replace(made, statements=(*made.statements, *more))
    results = tuple(changed.get(result.check_id, result) for result in made.results)
    ended = replace(made, results=results, interrupted=request.interrupted, halted=request.halted)
    return replace(with_pauses(ended, request), finished_at=request.now()) if changed else made


def _failed(run: Run) -> Iterator[tuple[int, list[Check]]]:
    """The failing checks with a settling time, the shortest first."""
    failing = {result.check_id for result in run.failures}
    found = [check for check in run.checks if check.settling and check.id in failing]
    for seconds in sorted({check.settling for check in found}):
        yield seconds, [check for check in found if check.settling == seconds]


def _waited(request: RunRequest, until: float) -> str:
    """Wait for the second look; why there is none, or ""."""
    end, stop = request.options.until, request.stop
    if request.options.while_held is not None:
        return "a baseline is of one moment"
    if stop.requested:
        return stop.reason
    if end is not None and max(until, time.monotonic()) >= end.at:
        return f"{end.reason} before it could be asked again"
    request.say("waiting for rows in flight")
    return stop.reason if stop.wait(until - time.monotonic()) else ""


def _second(request: RunRequest, checks: Sequence[Check], again: Callable[[RunRequest], Look]) -> Look | str:
    """The second look at these checks, or why there is none."""
    wanted = {check.id for check in checks}
    part = replace(request.suite, checks=tuple(c for c in request.suite.checks if c.id in wanted), totals=())
    options = replace(
        request.options,
        sample=0,
        waivers=None,
        fail_fast=False,
        compare=None,
        keep=Keeping(),
        profile=False,
        first={},
    )
    # Of its own: what ends the second look alone, as a standby that fell behind, is no end of the run.
    stop = _under(request.stop)
    try:
        return again(replace(request, suite=part, options=options, observer=_quiet(request), stop=stop))
    except KisaanError as error:
        return stop.reason or error.fact


def _under(stop: Stop) -> Stop:
    """A stop that is also requested when ``stop`` is."""
    made = Stop()
    stop.on_request(lambda: made.request(stop.reason, stop.cause))
    if stop.requested:
        made.request(stop.reason, stop.cause)
    return made


def _quiet(request: RunRequest) -> Callable[[Progress | Connected], None]:
    """The observer of a run, who knows already where it is connected."""
    return lambda event: None if isinstance(event, Connected) else request.observer(event)


# --- both looks -------------------------------------------------------------------------------------------


def _after(request: RunRequest, check: Check, result: Result, first: Look, second: Look | str) -> Result:
    """The result of a check after both looks; ``result`` is that of the first."""
    count = result.violations or 0
    if isinstance(second, str):
        return _unsettled(result, Settled(count, why=second))
    seconds = int(second.seen - first.seen)
    found = next(r for r in second.run.results if r.check_id == check.id)
    known = Settled(count, found.violations, seconds=seconds)
    if found.violations is None:
        return _unsettled(result, replace(known, why=f"the second look has no answer: {found.message}"))
    if why := earlier(first.run.place, second.run.place):
        return _unsettled(result, replace(known, why=why))
    rows, later = first.failing.get(check.id, _UNKNOWN), second.failing.get(check.id, _UNKNOWN)
    # Nothing fails in both where nothing failed in the second.
    if not found.violations:
        return _held(request, check, result, replace(known, healed=count, fresh=0), rows, ())
    if why := rows.why or later.why:
        return _unsettled(result, replace(known, why=why))
    both = in_both(rows.rows, later.rows)
    settled = replace(known, healed=count - len(both), fresh=found.violations - len(both))
    return _held(request, check, result, settled, rows, both)


def earlier(first: Place, second: Place) -> str:
    """Why a second look may show what was before the first one, or is of another database; "" if neither.

    A standby that lags more has not seen yet what failed: its rows would seem to have healed.
    """
    of = [
        (p.system_identifier, p.host, p.port, p.address, p.database, p.in_recovery) for p in (first, second)
    ]
    if of[0] != of[1]:
        return "the second look met another server"
    before, after = _position(first.lsn), _position(second.lsn)
    if before is None or after is None:
        return "the position of the server in its log is not known"
    return "the second look is older than the first" if after < before else ""


def _position(lsn: str) -> int | None:
    """A position in the write-ahead log as a number: "16/B374D848" is 0x16B374D848 with a low half of 32 bits
    (PostgreSQL documentation, pg_lsn).
    """
    high, slash, low = lsn.partition("/")
    try:
        return (int(high, 16) << 32) + int(low, 16) if slash else None
    except ValueError:
        return None


_UNKNOWN = FailingRows(why="its failing rows were not listed")


def in_both(first: Sequence[FailingRow], second: Sequence[FailingRow]) -> list[FailingRow]:
    """The rows of the first look that failed in the second too. Of rows with one key as many as both had."""
    left = Counter(row.digest for row in second)
    found = []
    for row in first:
        if left[row.digest]:
            left[row.digest] -= 1
            found.append(row)
    return found


def _unsettled(result: Result, settled: Settled) -> Result:
    """All violations of the first look stand."""
    said = f"{settled.second:,} failed at a second look; " if settled.second is not None else ""
    note = f"{said}not compared with a second look: {settled.why}"
    return replace(result, settled=settled, message=joined(result.message, note))


def _held(
    request: RunRequest,
    check: Check,
    result: Result,
    settled: Settled,
    rows: FailingRows,
    both: Sequence[FailingRow],
) -> Result:
    """The result, with the rows that failed in both looks."""
    message = joined(_bypassed(result.message), flight_words(settled, len(both)))
    made = replace(
        result,
        settled=settled,
        violations=len(both),
        sample=(),
        key=(),
        sample_complete=False,
        key_digest="",
        message=message,
    )
    if not both:
        return replace(made, status=Status.PASS, hint="", message=flight_words(settled, 0))
    sample = _sample(rows, both, request.options.failing_keys)
    if sample:
        complete = len(sample) == len(both)
        made = replace(made, sample=sample, key=rows.key, sample_complete=complete)
        made = replace(made, key_digest=rows.digest_of(both))
    return tolerated(made, check)


def _sample(
    rows: FailingRows, both: Sequence[FailingRow], limit: int
) -> tuple[tuple[tuple[str, str | None], ...], ...]:
    return tuple(tuple(zip(rows.names, map(cut_value, row.values), strict=True)) for row in both[:limit])


def _bypassed(message: str) -> str:
    """What was said of a failure that stays true of fewer rows."""
    return "; ".join(part for part in message.split("; ") if part.endswith("is declared and was bypassed"))


def flight_words(settled: Settled, left: int) -> str:
    """What both looks found, in a sentence."""
    healed, fresh = settled.healed or 0, settled.fresh or 0
    parts = [f"{left:,} of them still failed"] if left else []
    parts += [f"{healed:,} of them held"] if healed else []
    parts += [f"{counted(fresh, 'other')} failed in the second look alone"] if fresh else []
    flying = f"{healed + fresh:,} in flight: " if healed + fresh else ""
    return f"{flying}{settled.first:,} failed; {duration_words(settled.seconds)} later {', '.join(parts)}"
