"""What a run remembers of the nights before it, as words and pictures for its page and the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.past import PastNight, Remembered
from kisaan_validate.facts.result import UNANSWERED, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.history.ledger import ledger_words
from kisaan_validate.history.lines import LineState
from kisaan_validate.history.missed import missed
from kisaan_validate.history.past import Tonight, night_now, shown_counts, tonight
from kisaan_validate.report import text
from kisaan_validate.report.between import before_failing, listed, since_last_words
from kisaan_validate.report.trends import TrendLine, line_of, verdict_strip
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement

CHARTED = 20
"""So many checks are drawn; of others the words stand in the list of checks."""

TABLES = 4
"""So many tables are drawn, the largest."""


@dataclass(frozen=True)
class CheckLine:
    """A check over the nights: what tonight says of it, and its violations as a picture."""

    check: str
    words: str
    line: TrendLine


@dataclass(frozen=True)
class NightRow:
    """One row of the table of nights: a run, or what lies between two. ``beside`` is then its words."""

    at: datetime
    verdict: str = ""
    took: str = ""
    failing: int = 0
    unanswered: int = 0
    rows: str = ""
    beside: str = ""


@dataclass(frozen=True)
class NightsView:
    """The nights of a run's page, tonight included; ``rows`` are the newest first."""

    sentence: str
    strip: Markup
    lines: tuple[TrendLine, ...]
    checks: tuple[CheckLine, ...]
    more: int
    rows: tuple[NightRow, ...]
    tables: tuple[str, ...]


def nights_view(judged: Judgement) -> NightsView | None:
    """The nights before a run, and the run; None where it remembers none."""
    past = judged.run.past
    if past is None or not past.nights:
        return None
    nights = [*past.nights, replace(night_now(judged.run), verdict=judged.verdict)]
    gaps = missed([night.at for night in nights], past.every_seconds)
    told = [one for one in tonight(judged.run) if _worth_telling(one)]
    tables = [title for title, _ in nights[-1].rows[:TABLES]]
    return NightsView(
        _sentence(nights, gaps),
        verdict_strip(_with_gaps(nights, gaps), _sentence(nights, gaps)),
        tuple(_lines(nights, tables)),
        tuple(_check_line(one, past, nights) for one in told[:CHARTED]),
        len(told[CHARTED:]),
        tuple(_rows(nights, gaps, past, tables)),
        tuple(tables),
    )


def past_words(run: Run) -> dict[str, str]:
    """Of each check that fails, has no answer or was fixed, what the nights before say, by its id."""
    if run.past is None:
        return {}
    nights = [*run.past.nights, night_now(run)]
    return {one.outcome.check: _words(one, run.past, nights) for one in tonight(run) if _worth_telling(one)}


def past_sentence(run: Run) -> str:
    """How many checks are new, known, fixed since the last run; "" where there is nothing to tell."""
    if run.past is None or not run.past.nights:
        return ""
    states = Counter(one.step.state for one in tonight(run) if _worth_telling(one))
    said = [f"{number:,} {state.value}" for state in LineState if (number := states[state])]
    happened = listed(since_last_words(run))
    said += [f"in between: {happened}"] if said and happened else []
    return f"since the last run, {text.utc(run.past.nights[-1].at)}: {', '.join(said)}" if said else ""


def _worth_telling(one: Tonight) -> bool:
    return one.outcome.status in UNANSWERED | {Status.FAIL} or one.step.state is LineState.FIXED


def _words(one: Tonight, past: Remembered, nights: Sequence[PastNight]) -> str:
    happened = before_failing(nights, past.marks, one.before) if one.outcome.status is Status.FAIL else ""
    between = f"; between the last good night and the first failing one: {happened}" if happened else ""
    return _state_words(one, past) + between


def _state_words(one: Tonight, past: Remembered) -> str:
    step, state = one.step, one.step.state
    if step.since is None:
        return state.value
    # Of what began with the first night that is remembered, nobody knows when it began.
    least = "at least " if step.since <= past.begins else ""
    since = f"{least}since {text.utc(step.since)}, on {counted(step.nights, 'night')}"
    if state is LineState.NEW:
        return "new: it did not fail in the last run that answered"
    return f"fixed; it failed {since}" if state is LineState.FIXED else f"{state.value}: failing {since}"


def _check_line(one: Tonight, past: Remembered, nights: Sequence[PastNight]) -> CheckLine:
    counts = [*shown_counts(one.before, past.nights), one.outcome.violations]
    # Nights before the first that is known would only be an empty half of the picture.
    first = next((n for n, count in enumerate(counts) if count is not None), len(counts) - 1)
    line = line_of("Violations", counts[first:], "", from_zero=True)
    return CheckLine(one.outcome.check, _words(one, past, nights), line)


def _with_gaps(nights: Sequence[PastNight], gaps: Sequence[int]) -> list[Verdict | None]:
    marks: list[Verdict | None] = []
    for night, gap in zip(nights, gaps, strict=True):
        # A month without runs is not drawn night by night; the words have the number.
        marks += [*[None] * min(gap, 10), night.verdict]
    return marks


def _sentence(nights: Sequence[PastNight], gaps: Sequence[int]) -> str:
    found = Counter(night.verdict for night in nights)
    names = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "without an answer"}
    said = [f"{found[verdict]:,} {word}" for verdict, word in names.items() if found[verdict]]
    said += [f"{sum(gaps):,} missed"] if sum(gaps) else []
    nights_in_all = counted(len(nights) + sum(gaps), "night")
    return f"{nights_in_all} since {text.utc(nights[0].at)}: {', '.join(said)}."


def _lines(nights: Sequence[PastNight], tables: Sequence[str]) -> Iterator[TrendLine]:
    yield line_of("Failing checks", [night.failing for night in nights], "", from_zero=True)
    yield line_of("Time", [night.milliseconds for night in nights], "ms", from_zero=True)
    for title in tables:
        rows = [dict(night.rows).get(title) for night in nights]
        yield line_of(f"Rows of {title}", rows, "", from_zero=False)


def _rows(
    nights: Sequence[PastNight], gaps: Sequence[int], past: Remembered, tables: Sequence[str]
) -> Iterator[NightRow]:
    found: list[NightRow] = []
    marks = list(past.marks)
    for n, (night, gap) in enumerate(zip(nights, gaps, strict=True)):
        while marks and marks[0].at <= night.at:
            mark = marks.pop(0)
            found.append(NightRow(mark.at, beside=mark.text))
        if gap:
            found.append(NightRow(night.at, beside=f"missed: {counted(gap, 'run')}"))
        if n and night.suite_digest != nights[n - 1].suite_digest:
            found.append(NightRow(night.at, beside="the suite changed"))
        found += [NightRow(night.at, beside=said) for said in ledger_words(night.ledger_moves)]
        found.append(_row(night, tables))
    yield from reversed(found)


def _row(night: PastNight, tables: Sequence[str]) -> NightRow:
    rows = dict(night.rows)
    said = "; ".join(f"{title} {text.number(rows[title])}" for title in tables if title in rows)
    verdict = night.verdict.value + ("" if night.whole else ", not all was asked")
    took = text.duration(night.milliseconds)
    return NightRow(night.at, verdict, took, night.failing, night.unanswered, said)
