"""How a failure develops from night to night. Pure.

A failure is a check with its meaning: if the meaning changes, a new line begins. A night without an answer
neither ends a line nor begins one: nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.past import NIGHTS_KEPT, PastAnswer, PastLine
from kisaan_validate.facts.result import Status
from kisaan_validate.history.night import CheckNight, Night

FLAPS = 3
"""From so many changes between pass and fail within FLAP_NIGHTS answered nights on a check flaps."""

FLAP_NIGHTS = 10

_HOLDS = frozenset({Status.PASS, Status.TOLERATED})


class LineState(StrEnum):
    """What a night says of one check, by what the nights before it said."""

    NEW = "new"
    GROWN = "grown"
    OTHER_ROWS = "other rows"
    SHRUNK = "shrunk"
    KNOWN = "known"
    FLAPPING = "flapping"
    FIXED = "fixed"
    HOLDS = "holds"
    NO_ANSWER = "no answer"
    NO_ANSWER_AGAIN = "no answer again"
    NOT_APPLICABLE = "not applicable"


FAILING = frozenset({LineState.NEW, LineState.GROWN, LineState.OTHER_ROWS, LineState.SHRUNK, LineState.KNOWN})
"""States in which the check fails; it may fail where it is flapping, too."""


@dataclass(frozen=True)
class LineNight:
    """One check on one night. ``since`` is the first night of the failure that is open, None without one;
    ``nights`` are those on which it failed since then. ``before`` is the last outcome that was an answer.
    """

    night: Night
    outcome: CheckNight
    state: LineState
    since: datetime | None = None
    nights: int = 0
    before: PastAnswer | None = None


@dataclass(frozen=True)
class LineStep:
    """What one more night made of a line: what is remembered from now on, and what that night says."""

    past: PastLine
    state: LineState
    since: datetime | None
    nights: int


def stepped(past: PastLine, at: datetime, outcome: CheckNight) -> LineStep:
    """A line after one more night, at ``at``, on which its check said ``outcome``."""
    counts = (*past.counts, outcome.violations)[-NIGHTS_KEPT:]
    past = replace(past, counts=counts)
    if outcome.status is Status.NOT_APPLICABLE:
        return LineStep(past, LineState.NOT_APPLICABLE, past.since, past.nights)
    if outcome.status not in _HOLDS | {Status.FAIL}:
        state = LineState.NO_ANSWER_AGAIN if past.silent else LineState.NO_ANSWER
        return LineStep(replace(past, silent=True), state, past.since, past.nights)
    fails = outcome.status is Status.FAIL
    failed = (*past.failed, fails)[-FLAP_NIGHTS:]
    # Of what was fixed the reader wants to know how long it was open.
    since, nights = past.since, past.nights
    if fails:
        since, nights = since or at, nights + 1
    state = _state(past.answered, failed, outcome)
    left = (since, nights) if fails else (None, 0)
    answer = PastAnswer(outcome.status, outcome.violations, outcome.rows)
    now = replace(past, answered=answer, since=left[0], nights=left[1], silent=False, failed=failed)
    return LineStep(now, state, since, nights)


def _state(before: PastAnswer | None, failed: Sequence[bool], outcome: CheckNight) -> LineState:
    changes = sum(one != other for one, other in pairwise(failed))
    changed = len(failed) > 1 and failed[-1] != failed[-2]
    if changes >= FLAPS and (changed or outcome.status is Status.FAIL):
        return LineState.FLAPPING
    was = before is not None and before.status is Status.FAIL
    if outcome.status is not Status.FAIL:
        return LineState.FIXED if was else LineState.HOLDS
    return _compared(before, outcome) if before is not None and was else LineState.NEW


def _compared(before: PastAnswer, now: CheckNight) -> LineState:
    """How a failure differs from the one before it. Without a count or a digest there is nothing to tell."""
    if before.violations is not None and now.violations is not None and before.violations != now.violations:
        return LineState.GROWN if now.violations > before.violations else LineState.SHRUNK
    other = bool(before.rows and now.rows) and before.rows != now.rows
    return LineState.OTHER_ROWS if other else LineState.KNOWN


Identity = tuple[str, str]
"""A check's id, as it is called now, and the digest of its meaning."""


def follow(
    nights: Sequence[Night], renamed: Mapping[str, str] = {}, pasts: dict[Identity, PastLine] | None = None
) -> dict[Identity, list[LineNight]]:
    """The line of each check through these nights, which are of one suite and database, the oldest first.

    ``renamed`` maps old ids to the ids that they have now: a renamed check keeps its line. ``pasts`` is what
    is remembered of the nights before these, and holds afterwards what is to be remembered of all.
    """
    lines: dict[Identity, list[LineNight]] = {}
    pasts = {} if pasts is None else pasts
    for night in nights:
        for outcome in night.outcomes:
            identity = (now_called(outcome.check, renamed), outcome.meaning)
            before = pasts.get(identity) or PastLine(*identity)
            step = stepped(before, night.at, outcome)
            pasts[identity] = step.past
            said = LineNight(night, outcome, step.state, step.since, step.nights, before.answered)
            lines.setdefault(identity, []).append(said)
    return lines


def now_called(id: str, renamed: Mapping[str, str]) -> str:
    """The id that a check has now, through any number of renamings."""
    seen = {id}
    # A circle would never end; then the last name before it counts.
    while (id_now := renamed.get(id, id)) not in seen:
        seen.add(id_now)
        id = id_now
    return id


def last_states(lines: Iterable[list[LineNight]], night: Night) -> list[LineNight]:
    """What the last of the nights says of each check, and of no check that was not part of it."""
    return [line[-1] for line in lines if line[-1].night.run == night.run]
