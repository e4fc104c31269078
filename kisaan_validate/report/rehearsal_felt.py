"""What people would have felt while a migration runs: which tables they could not read or write, how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import (
    CanaryAccess,
    CanaryOutage,
    CanaryWatch,
    Rehearsal,
    RehearsedRun,
    SecondsRange,
)
from kisaan_validate.report.rehearsal_words import DONE_TO, called, clock, range_words, seconds_words
from kisaan_validate.text.numbers import agreeing, counted


@dataclass(frozen=True)
class FeltLine:
    """One table that could not be read or written: what it is called, and what was felt in each run.

    ``alone`` and ``beside`` are in words; ``since`` is when it began, ``worst`` the longest wait in seconds.
    """

    name: str
    relation: str
    done_to: str
    alone: str
    beside: str
    since: str
    worst: float
    statements: tuple[int, ...]


def felt_lines(found: Rehearsal, nouns: Mapping[str, str]) -> tuple[FeltLine, ...]:
    """Each table with an outage in either run, the longest wait first."""
    alone = _outages(found.alone)
    beside = _outages(found.beside_reader) if found.beside_reader is not None else {}
    lines = [_line(place, alone.get(place), beside.get(place), found, nouns) for place in {**alone, **beside}]
    return tuple(sorted(lines, key=lambda line: (-line.worst, line.relation, line.done_to)))


def _outages(run: RehearsedRun) -> dict[tuple[str, CanaryAccess], CanaryOutage]:
    return {(outage.relation, outage.access): outage for outage in run.canaries.outages}


def _line(
    place: tuple[str, CanaryAccess],
    alone: CanaryOutage | None,
    beside: CanaryOutage | None,
    found: Rehearsal,
    nouns: Mapping[str, str],
) -> FeltLine:
    relation, access = place
    there = [outage for outage in (alone, beside) if outage is not None]
    first = there[0].intervals
    statements = {n for outage in there for interval in outage.intervals for n in interval.statements}
    return FeltLine(
        called(relation, nouns),
        relation.removeprefix("public."),
        DONE_TO[access],
        _words(alone, place, found.alone.canaries),
        _words(beside, place, found.beside_reader.canaries) if found.beside_reader else "not run",
        clock(first[0].start) if first else "",
        max(outage.longest.most for outage in there),
        tuple(sorted(statements)),
    )


def _words(outage: CanaryOutage | None, place: tuple[str, CanaryAccess], watch: CanaryWatch) -> str:
    if outage is None:
        relation, access = place
        tried = watch.read if access is CanaryAccess.READ else watch.written
        return f"nothing above {seconds_words(watch.every, up=True)}" if relation in tried else "not known"
    said = range_words(outage.total)
    if len(outage.intervals) > 1:
        said += f" in {len(outage.intervals):,} waits, the longest {range_words(outage.longest)}"
    open_ = any(interval.open for interval in outage.intervals)
    return f"{said}, and not over yet" if open_ else said


def felt_sentences(found: Rehearsal, nouns: Mapping[str, str], most: int = 3) -> tuple[str, ...]:
    """The longest waits, one phrase each: "payments could not be written for 6.1 s, …"."""
    felt = [(span, words) for span, words in _phrases(found.alone, nouns, "")]
    if found.beside_reader is not None:
        felt += _phrases(found.beside_reader, nouns, ", beside a reader that was left open")
    felt.sort(key=lambda pair: -pair[0])
    return tuple(words for _, words in felt[:most])


def _phrases(run: RehearsedRun, nouns: Mapping[str, str], where: str) -> Iterator[tuple[float, str]]:
    """One a table and time; what could neither be read nor written then is said once."""
    told: dict[tuple[str, str, int], tuple[float, str, list[str]]] = {}
    for outage in sorted(run.canaries.outages, key=lambda o: (o.relation, o.access)):
        longest = max(outage.intervals, key=lambda i: i.end - i.start, default=None)
        if longest is None:
            continue
        least = min(longest.least, longest.end - longest.start)
        span = range_words(SecondsRange(least, longest.end - longest.start))
        name = called(outage.relation, nouns)
        words = f" for {span}, {clock(longest.start)} after the start{where}"
        # Two canaries begin to wait some milliseconds apart.
        one = told.setdefault((name, span, int(longest.start)), (outage.longest.most, words, []))
        one[2].append(DONE_TO[outage.access])
    for (name, *_), (most, words, done) in told.items():
        yield most, f"{name} could not be {' or '.join(done)}{words}"


def quiet_words(run: RehearsedRun) -> str:
    """How many tables were tried, and that the others felt nothing."""
    watch = run.canaries
    tried = {*watch.read, *watch.written}
    hit = {outage.relation for outage in watch.outages}
    if not tried:
        return "No table was tried."
    rest = len(tried - hit)
    every = seconds_words(watch.every, up=True)
    felt = f"{counted(rest, 'table')} of {len(tried):,} felt no wait"
    tried_words = f"{agreeing(rest, 'it was', 'each was')} tried at least every {every}"
    return f"{felt}; {tried_words}, so a shorter wait may be missing."
