"""Whether a check's night is news, by what its line says and what was told of it last. Pure.

Told are: a failure when it begins, when it grows or hits other rows, when its waiver ends, a check that
begins to flap (once, until it rests), one without an answer twice in a row, and the end of each of these.
What stays as it is comes again after the nudge. Nothing stays open untold: a failure that nobody is
known to have been told of, as after the file of tellings was lost, is told as one that still fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Status
from kisaan_validate.history.lines import FLAP_NIGHTS, FLAPS, LineNight, LineState
from kisaan_validate.notify.told import OVER, News
from kisaan_validate.verdict.waivers import Use, Waived

SLACK = timedelta(hours=2)
"""So much earlier a nudge may come: a run of half past two does not read its data at the same second, and a
clock change moves it by an hour.
"""

_HOLDS = frozenset({Status.PASS, Status.TOLERATED})
_WORSE = frozenset({LineState.GROWN, LineState.OTHER_ROWS})

MISSING = frozenset({"42P01", "42703", "3F000"})
"""SQLSTATEs of a check whose table, column or schema is not there: no second night will answer it."""


@dataclass(frozen=True)
class LastTold:
    """What was told of a subject last, for which night, and in which incident."""

    news: News
    at: datetime
    incident: str = ""

    @property
    def open(self) -> bool:
        """Whether the reader believes that it is wrong."""
        return self.news not in OVER


@dataclass(frozen=True)
class Standing:
    """A check on the judged night. ``line`` are its nights, the judged one last; ``missing``: what it is
    about is not there.
    """

    line: Sequence[LineNight]
    last: LastTold | None = None
    waived: Waived | None = None
    missing: bool = False

    @property
    def now(self) -> LineNight:
        """The judged night."""
        return self.line[-1]


def news_of(standing: Standing, nudge: timedelta) -> News | None:
    """What is to be told of a check, None if nothing is."""
    status = standing.now.outcome.status
    if status is Status.FAIL:
        return _failing(standing, nudge)
    if status in _HOLDS:
        return _holding(standing)
    if status is Status.NOT_APPLICABLE:
        return News.GONE if standing.last is not None and standing.last.open else None
    return _unanswered(standing, nudge)


def _failing(standing: Standing, nudge: timedelta) -> News | None:
    waived, last, state = standing.waived, standing.last, standing.now.state
    if waived is not None and waived.use is Use.HOLDS:
        return None
    if state is LineState.FLAPPING:
        begins = last is None or last.news is not News.FLAPPING
        return News.FLAPPING if begins or _is_due(standing, nudge) else None
    if state is LineState.NEW:
        return News.NEW
    if waived is not None and waived.use is Use.EXPIRED and _held_when_told(waived, last):
        return News.WAIVER_ENDED
    if state in _WORSE:
        return News.WORSE
    untold = last is None or not last.open or last.news is News.NO_ANSWER
    return News.STILL if untold or _is_due(standing, nudge) else None


def _held_when_told(waived: Waived, last: LastTold | None) -> bool:
    """Whether the waiver still held when the check was told last, so that its end is news."""
    return last is None or last.at.astimezone(UTC).date() <= waived.waiver.expires


def _holding(standing: Standing) -> News | None:
    last, state = standing.last, standing.now.state
    if flaps(standing.line):
        # One that rests for a night is told when it begins to flap, and not again.
        begins = state is LineState.FLAPPING and (last is None or last.news is not News.FLAPPING)
        return News.FLAPPING if begins and standing.waived is None else _ended_answerless(last)
    if last is not None:
        return News.FIXED if last.open else None
    # A waived failure that nobody was told of needs no end.
    return News.FIXED if state is LineState.FIXED and standing.waived is None else None


def _ended_answerless(last: LastTold | None) -> News | None:
    return News.FIXED if last is not None and last.news is News.NO_ANSWER else None


def _unanswered(standing: Standing, nudge: timedelta) -> News | None:
    if standing.last is not None and standing.last.news is News.NO_ANSWER:
        return News.NO_ANSWER if _is_due(standing, nudge) else None
    again = standing.now.state is LineState.NO_ANSWER_AGAIN
    return News.NO_ANSWER if again or standing.missing else None


def _is_due(standing: Standing, nudge: timedelta) -> bool:
    return standing.last is None or is_due(standing.last, standing.now.night.at, nudge)


def is_due(last: LastTold, at: datetime, nudge: timedelta) -> bool:
    """Whether what was told last is to be told again at ``at``."""
    return at - last.at >= nudge - SLACK


def flaps(line: Sequence[LineNight]) -> bool:
    """Whether a check changed so often within its last answered nights that it flaps."""
    answered = [one.outcome.status for one in line if one.outcome.status in {*_HOLDS, Status.FAIL}]
    failed = [status is Status.FAIL for status in answered[-FLAP_NIGHTS:]]
    return sum(one != other for one, other in pairwise(failed)) >= FLAPS
