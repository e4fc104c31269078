"""What a run remembers of the runs before it, made of the last one alone: its results, and what it remembered
itself. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.compare.moves import moves
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import CheckFacts, baseline_of
from kisaan_validate.facts.differences import CheckMove, Origin
from kisaan_validate.facts.ledger import Ledger
from kisaan_validate.facts.past import NIGHTS_KEPT, PastLine, PastMark, PastNight, Remembered, SinceLast
from kisaan_validate.facts.result import UNANSWERED, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.history.ledger import ledger_moves
from kisaan_validate.history.lines import Identity, LineStep, follow, now_called, stepped
from kisaan_validate.history.night import CheckNight, Night, night_of, outcomes_of
from kisaan_validate.verdict.judgement import Judgement

TABLES_KEPT = 6
"""So many of the largest tables of a night keep their row counts."""

MARKS_KEPT = 20
"""So many of the newest marks are kept."""

_QUIET = frozenset({Status.PASS, Status.NOT_APPLICABLE, Status.TOLERATED})
_KNOWN = {Origin.BEFORE: True, Origin.SINCE: False, Origin.UNKNOWN: None}


def past_of(
    run: Run,
    last: Judgement,
    digest: str,
    *,
    marks: Iterable[PastMark] = (),
    renamed: Mapping[str, str] = {},
    every_seconds: int = 0,
) -> Remembered:
    """What ``run`` remembers, ``last`` being the run of the same suite and database before it, and
    ``digest`` the SHA-256 of its run.json.
    """
    before, night = last.run.past, night_of(last, "", digest)
    lines = _lines(before, night, renamed)
    nights = (*(before.nights if before is not None else ()), _night(night))[-NIGHTS_KEPT:]
    troubled = {(now_called(o.check, renamed), o.meaning) for o in outcomes_of(run) if o.status not in _QUIET}
    kept = (line for identity, line in lines.items() if identity in troubled or _tells(line))
    ledger = _last_ledger(last.run)
    between = [mark for mark in marks if nights[0].at <= mark.at <= run.place.at]
    return Remembered(
        run=last.run.id,
        digest=digest,
        begins=before.begins if before is not None else night.at,
        nights=nights,
        lines=tuple(sorted(kept, key=lambda line: (line.check, line.meaning))),
        failures=tuple(_failures(run, last.run, lines, renamed)),
        marks=tuple(sorted(between, key=lambda mark: mark.at)[-MARKS_KEPT:]),
        every_seconds=every_seconds,
        ledger_moves=ledger_moves(ledger, run.ledger_rows),
        # Only while it cannot be read: else the run has its own.
        ledger_before=ledger if run.ledger_rows is not None and run.ledger_rows.message else None,
    )


def _last_ledger(last: Run) -> Ledger | None:
    """The last ledger that was read: that of the last run, or what it remembered where it could read none."""
    if last.ledger_rows is None or not last.ledger_rows.message:
        return last.ledger_rows
    return last.past.ledger_before if last.past is not None else None


def _lines(before: Remembered | None, night: Night, renamed: Mapping[str, str]) -> dict[Identity, PastLine]:
    """What each line remembers after the last night, those that were never told of included."""
    told = before.lines if before is not None else ()
    pasts = {
        (id, line.meaning): replace(line, check=id)
        for line in told
        for id in [now_called(line.check, renamed)]
    }
    follow([night], renamed, pasts)
    asked = {(now_called(o.check, renamed), o.meaning) for o in night.outcomes}
    # A check that was not asked has no count of that night, and every count keeps its place.
    return {
        identity: line if identity in asked else replace(line, counts=(*line.counts, None)[-NIGHTS_KEPT:])
        for identity, line in pasts.items()
    }


def _tells(line: PastLine) -> bool:
    """Whether there is more to say of a line than that its check held."""
    return line.since is not None or line.silent or any(line.failed)


def _night(night: Night) -> PastNight:
    failing = sum(o.status is Status.FAIL for o in night.outcomes)
    unanswered = sum(o.status in UNANSWERED for o in night.outcomes)
    largest = sorted(night.rows, key=lambda row: (-row[1], row[0]))[:TABLES_KEPT]
    about = (night.milliseconds, failing, unanswered, night.suite_digest, tuple(largest))
    return PastNight(night.run, night.at, night.verdict, night.whole, *about, night.ledger_moves)


def _failures(
    run: Run, last: Run, lines: Mapping[Identity, PastLine], renamed: Mapping[str, str]
) -> Iterator[SinceLast]:
    """Of each check that fails, whether the rows were known: by their keys where the last run answered, else
    by what the line remembers.
    """
    checks = run.by_id
    by_keys = {move.check_id: move for move in _moves(run, last, renamed)}
    for result in run.failures:
        move = by_keys.get(result.check_id)
        if move is not None and move.origin is not None:
            yield SinceLast(result.check_id, _KNOWN[move.origin], move.reason)
        else:
            identity = (now_called(result.check_id, renamed), checks[result.check_id].digest)
            yield _by_line(result, lines.get(identity))


def _moves(run: Run, last: Run, renamed: Mapping[str, str]) -> Iterator[CheckMove]:
    """How the checks moved that the last run answered, and that mean what they meant."""
    now = baseline_of(run)
    wanted = {(now_called(facts.id, renamed), facts.digest): facts for facts in now.checks}
    old: list[CheckFacts] = []
    new: list[CheckFacts] = []
    for facts in baseline_of(last).checks:
        there = wanted.get((now_called(facts.id, renamed), facts.digest))
        if there is not None and facts.status not in UNANSWERED | {Status.NOT_APPLICABLE}:
            old.append(replace(facts, id=there.id))
            new.append(there)
    yield from moves(replace(now, checks=tuple(old)), replace(now, checks=tuple(new)))


def _by_line(result: Result, line: PastLine | None) -> SinceLast:
    answered = line.answered if line is not None else None
    if answered is None:
        return SinceLast(result.check_id, False, "no earlier run answered it")
    if answered.status is not Status.FAIL:
        return SinceLast(result.check_id, False)
    if answered.violations is None or result.violations is None:
        return SinceLast(result.check_id, None, "its violations were not counted in both runs")
    if result.violations > answered.violations:
        more = result.violations - answered.violations
        return SinceLast(result.check_id, False, f"at least {more:,} more than before")
    same = (answered.violations, answered.rows) == (result.violations, result.key_digest)
    if same and answered.rows:
        return SinceLast(result.check_id, True)
    return SinceLast(result.check_id, None, "whether these are the same rows is unknown")


@dataclass(frozen=True)
class Tonight:
    """What a run says of a check, by what it remembers of it; ``before`` is what it remembered."""

    outcome: CheckNight
    before: PastLine
    step: LineStep


def tonight(run: Run) -> list[Tonight]:
    """What a run says of each of its checks, in the order of the suite. Without a past: nothing."""
    if run.past is None:
        return []
    lines = {(line.check, line.meaning): line for line in run.past.lines}
    found = []
    for outcome in outcomes_of(run):
        before = lines.get((outcome.check, outcome.meaning), PastLine(outcome.check, outcome.meaning))
        found.append(Tonight(outcome, before, stepped(before, run.place.at, outcome)))
    return found


def shown_counts(line: PastLine, nights: Sequence[PastNight]) -> list[int | None]:
    """The violations of a line on each of these nights, None where they are not known."""
    return [*[None] * (len(nights) - len(line.counts)), *line.counts][-len(nights) :]


def night_now(run: Run) -> PastNight:
    """A run as later ones remember it, but for its verdict, which is that of its checks alone."""
    statuses = Counter(result.status for result in run.results)
    answered = sum(n for status, n in statuses.items() if status not in UNANSWERED)
    rows = sorted(((t.title, t.rows) for t in run.tables if t.rows is not None), key=lambda r: (-r[1], r[0]))
    whole = not (run.selection.partial or run.halted or run.interrupted)
    took = round((run.finished_at - run.started_at).total_seconds() * 1_000)
    about = (took, statuses[Status.FAIL], len(run.checks) - answered, run.suite.digest, tuple(rows))
    moves = run.past.ledger_moves if run.past is not None else None
    return PastNight(run.id, run.place.at, run.verdict, whole, *about, moves)
