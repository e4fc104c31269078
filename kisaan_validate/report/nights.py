"""The history of all runs, and of one check, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kisaan_validate.history.index_rows import NightLine
from kisaan_validate.history.ledger import ledger_words
from kisaan_validate.history.lines import FAILING, LineNight, LineState
from kisaan_validate.history.marks import HistoryMark
from kisaan_validate.history.night import Night
from kisaan_validate.history.retention import RunFate
from kisaan_validate.report.text import flat, number, utc
from kisaan_validate.text.numbers import counted

_NAMED = (
    LineState.NEW,
    LineState.GROWN,
    LineState.OTHER_ROWS,
    LineState.FLAPPING,
    LineState.SHRUNK,
    LineState.KNOWN,
    LineState.FIXED,
)
"""The states that describe a night, the most urgent first."""


def night_lines(nights: Sequence[NightLine], marks: Sequence[HistoryMark]) -> Iterator[str]:
    """A line for each night, the newest first, and what happened between them."""
    several = len({(n.night.suite, n.night.host, n.night.port, n.night.database) for n in nights}) > 1
    left = list(reversed(marks))
    for line in nights:
        while left and left[0].at >= line.night.at:
            yield _mark(left.pop(0))
        where = f"  {_where(line.night)}" if several else ""
        where += f"  ({line.night.pruned.partition(' by ')[0]})" if line.night.pruned else ""
        yield f"{utc(line.night.at)}  {line.night.verdict.value:<12}  {_counts(line.counts)}{where}"
        yield from _ledger(line.night)
    # Older ones lie before everything that is listed, and are not part of it.


def _where(night: Night) -> str:
    return flat(f"{night.suite}: {night.database} on {night.host}:{night.port}")


def _counts(counts: Mapping[LineState, int]) -> str:
    said = [f"{number(counts[state])} {state.value}" for state in _NAMED if counts.get(state)]
    open_ = sum(counts.get(state, 0) for state in (LineState.NO_ANSWER, LineState.NO_ANSWER_AGAIN))
    if open_:
        said.append(f"{number(open_)} without an answer")
    if not any(counts.get(state) for state in (*FAILING, LineState.FLAPPING)) and counts.get(LineState.HOLDS):
        said.insert(0, f"{number(counts[LineState.HOLDS])} hold")
    return ", ".join(said) or "nothing was asked"


def check_history(line: Sequence[LineNight], marks: Sequence[HistoryMark]) -> Iterator[str]:
    """One check through its nights: what it is now, then each night, the newest first."""
    last = line[-1]
    yield f"{flat(last.outcome.check)}: {_now(last)}"
    left = list(reversed(marks))
    for one in reversed(line):
        while left and left[0].at >= one.night.at:
            yield f"  {_mark(left.pop(0))}"
        yield f"  {utc(one.night.at)}  {one.state.value:<15}  {_found(one)}".rstrip()
        yield from (f"  {said}" for said in _ledger(one.night))


def _now(last: LineNight) -> str:
    if last.since is None:
        return last.state.value
    nights = counted(last.nights, "night")
    if last.state is LineState.FIXED:
        return f"fixed, after it failed since {utc(last.since)}, on {nights}"
    return f"{last.state.value}, failing since {utc(last.since)}, on {nights}"


def _found(one: LineNight) -> str:
    violations, before = one.outcome.violations, one.before.violations if one.before is not None else None
    if violations is None:
        return ""
    text = counted(violations, "violation")
    if before is None or before == violations:
        return text
    return f"{text} ({'+' if violations > before else '−'}{number(abs(violations - before))})"


def _ledger(night: Night) -> list[str]:
    """What moved in the ledger between a night and the one before it, which is listed below it."""
    return [f"{utc(night.at)}  -- {flat(said)}" for said in ledger_words(night.ledger_moves)]


def _mark(mark: HistoryMark) -> str:
    return f"{utc(mark.at)}  -- {flat(mark.text)}"


def prune_lines(fates: Sequence[RunFate], *, removed: bool) -> Iterator[str]:
    """What a rule removes, run by run, and how many stay for which reason."""
    gone = [fate for fate in fates if fate.goes]
    for fate in gone:
        word = "removed" if removed else "remove"
        yield f"{word:<8}{utc(fate.night.at)}  {fate.night.run}  {fate.night.verdict.value:<12}  {fate.why}"
    reasons = Counter(fate.why for fate in fates if not fate.goes)
    for why, times in reasons.most_common():
        yield f"keep    {counted(times, 'run')}: {flat(why)}"
    if not removed and gone:
        yield f"Nothing was removed. Remove {counted(len(gone), 'run')} with --yes."


def none_listed(some: bool) -> str:
    """What is said where no night is listed; ``some``: there are others."""
    return "no run fits" if some else "no run is recorded yet"
