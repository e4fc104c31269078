"""A migration as a picture: a lane for its statements, and one a table for locks and for what people felt.

The labels are text of the page beside each lane, so that they stay legible at any width; the same facts
stand in the tables below. Kinds differ in pattern and place, not in colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import CanaryAccess, CanaryOutage, RehearsedRun
from kisaan_validate.facts.tape import StatementOutcome, TapeLock, TapeStatement
from kisaan_validate.report.rehearsal_words import (
    DONE_TO,
    called,
    clock,
    clock_exact,
    range_words,
    seconds_words,
)

LANE = 1_000
"""A lane's width in its own units; the page scales it."""

SLIVER = 4
"""Nothing is drawn thinner: a lock of 5 ms in an hour must be seen."""

MOST = 24
"""So many tables get a lane; the table below the picture has all."""

_UPPER, _LOWER, _HALF = 1, 13, 10


@dataclass(frozen=True)
class TimeLane:
    """One lane: its label, the drawing, and the same in words."""

    name: str
    relation: str
    drawing: Markup
    words: tuple[str, ...]


@dataclass(frozen=True)
class Timeline:
    """A run's lanes and the times below them. ``left`` tables have no lane for want of room; ``part`` says
    which part of the run is drawn, "" if all of it.
    """

    title: str
    lanes: tuple[TimeLane, ...]
    ticks: tuple[str, ...]
    left: int
    part: str


@dataclass(frozen=True)
class _Span:
    """The part of a run that is drawn, in seconds since its start."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def place(self, at: float) -> int:
        """Where a moment lies in a lane."""
        return max(0, min(LANE, round((at - self.start) / self.length * LANE)))


@dataclass(frozen=True)
class _HeldBar:
    start: float
    end: float
    reads: bool
    sampled: bool


def timeline(title: str, run: RehearsedRun, nouns: Mapping[str, str]) -> Timeline:
    """The picture of one run."""
    whole = _length(run)
    outages = _by_table(run)
    held = _locks(run, whole)
    span = _span(outages, held, whole)
    relations = sorted({*outages, *held}, key=lambda name: (_weight(name, outages, held), name))
    lanes = [_statements(run, span)]
    lanes += [_lane(n, called(n, nouns), held.get(n, ()), outages.get(n, ()), span) for n in relations[:MOST]]
    ticks = tuple(_tick(span.start + span.length * part / 4, span) for part in range(5))
    part = "" if span.length >= whole else f"{clock(span.start)} to {clock(span.end)} of {clock(whole)}"
    return Timeline(title, tuple(lanes), ticks, max(0, len(relations) - MOST), part)


def _length(run: RehearsedRun) -> float:
    """The seconds that the picture spans: the tape, and what lasted longer."""
    ends = [interval.end for outage in run.canaries.outages for interval in outage.intervals]
    return max([run.tape.seconds, *ends, 0.001])


def _span(
    outages: Mapping[str, tuple[CanaryOutage, ...]], held: Mapping[str, tuple[_HeldBar, ...]], whole: float
) -> _Span:
    """All of the run; where everything that matters is in less than half of it, that part, with a margin."""
    times = [(h.start, h.end) for locks in held.values() for h in locks]
    times += [(i.start, i.end) for many in outages.values() for outage in many for i in outage.intervals]
    if not times:
        return _Span(0.0, whole)
    first, last = min(start for start, _ in times), max(end for _, end in times)
    margin = max(0.05 * (last - first), 0.001)
    if last - first + 2 * margin >= whole / 2:
        return _Span(0.0, whole)
    return _Span(max(0.0, first - margin), min(whole, last + margin))


def _tick(at: float, span: _Span) -> str:
    if span.length >= 20:
        return clock(at)
    return clock_exact(at) if span.start else seconds_words(at)


def _by_table(run: RehearsedRun) -> dict[str, tuple[CanaryOutage, ...]]:
    found: dict[str, tuple[CanaryOutage, ...]] = {}
    for outage in run.canaries.outages:
        found[outage.relation] = (*found.get(outage.relation, ()), outage)
    return found


def _locks(run: RehearsedRun, whole: float) -> dict[str, tuple[_HeldBar, ...]]:
    """By table, the times in which a lock kept others out; overlapping ones of a kind as one."""
    found: dict[str, list[_HeldBar]] = {}
    for lock in (lock for statement in run.tape.statements for lock in statement.locks):
        if lock.blocks_writes:
            found.setdefault(lock.table or lock.relation, []).append(_held(lock, whole))
    return {table: tuple(_merged(held)) for table, held in found.items()}


def _held(lock: TapeLock, whole: float) -> _HeldBar:
    return _HeldBar(lock.since, whole if lock.until is None else lock.until, lock.blocks_reads, lock.sampled)


def _merged(held: list[_HeldBar]) -> Iterator[_HeldBar]:
    for reads in (True, False):
        last: _HeldBar | None = None
        for one in sorted((h for h in held if h.reads is reads), key=lambda h: h.start):
            if last is not None and one.start <= last.end:
                sampled = last.sampled or one.sampled
                last = _HeldBar(last.start, max(last.end, one.end), reads, sampled)
                continue
            if last is not None:
                yield last
            last = one
        if last is not None:
            yield last


def _weight(
    name: str, outages: Mapping[str, tuple[CanaryOutage, ...]], held: Mapping[str, tuple[_HeldBar, ...]]
) -> tuple[float, float]:
    felt = max((outage.longest.most for outage in outages.get(name, ())), default=0.0)
    return -felt, -sum(h.end - h.start for h in held.get(name, ()))


def _statements(run: RehearsedRun, span: _Span) -> TimeLane:
    """The first lane: what the client sent, the failed ones hatched."""
    drawn, sent = Markup(""), [s for s in run.tape.statements if not s.within]
    for turn, statement in enumerate(sent):
        end = span.end if statement.end is None else statement.end
        drawn += _rect(_kind(statement, turn), statement.start, end, span, (2, 20))
    failed = sum(s.outcome is StatementOutcome.FAILED for s in sent)
    words = [f"{len(sent):,} statements in {seconds_words(run.tape.seconds, up=True)}"]
    words += [f"{failed:,} failed"] if failed else []
    return TimeLane("statements", "", _drawn("; ".join(words), drawn), tuple(words))


def _kind(statement: TapeStatement, turn: int) -> str:
    if statement.outcome is StatementOutcome.FAILED:
        return "t-failed"
    # Every other one darker: short statements one after the other would look like a long one.
    return "t-even" if turn % 2 == 0 else "t-odd"


def _lane(
    relation: str,
    name: str,
    held: tuple[_HeldBar, ...],
    outages: tuple[CanaryOutage, ...],
    span: _Span,
) -> TimeLane:
    """The upper half has the migration's locks, the lower half what canaries waited for."""
    drawn = Markup("")
    for one in held:
        kind = "t-reads" if one.reads else "t-writes"
        drawn += _rect(kind, one.start, one.end, span, (_UPPER, _HALF))
    for outage in outages:
        kind = "t-noread" if outage.access is CanaryAccess.READ else "t-nowrite"
        for interval in outage.intervals:
            drawn += _rect(kind, interval.start, interval.end, span, (_LOWER, _HALF))
    words = tuple(_words(held, outages))
    return TimeLane(name, relation, _drawn("; ".join(words), drawn), words)


def _words(held: tuple[_HeldBar, ...], outages: tuple[CanaryOutage, ...]) -> Iterator[str]:
    for outage in outages:
        yield f"not {DONE_TO[outage.access]} for {range_words(outage.total)}"
    for reads, what in ((True, "locked against reads and writes"), (False, "locked against writes")):
        of_kind = [h for h in held if h.reads is reads]
        if of_kind:
            total = sum(h.end - h.start for h in of_kind)
            about = "about " if any(h.sampled for h in of_kind) else ""
            yield f"{what} for {about}{seconds_words(total, up=True)}"


def _rect(kind: str, start: float, end: float, span: _Span, rows: tuple[int, int]) -> Markup:
    # What lies outside of the part that is drawn.
    if end < span.start or start > span.end:
        return Markup("")
    left = span.place(start)
    width = max(SLIVER, span.place(end) - left)
    shape = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return shape.format(kind, min(left, LANE - width), rows[0], width, rows[1])


def _drawn(title: str, parts: Markup) -> Markup:
    head = Markup(
        '<svg class="lane" role="img" viewBox="0 0 {} 24" preserveAspectRatio="none"><title>{}</title>'
    )
    return head.format(LANE, title) + parts + Markup("</svg>")
