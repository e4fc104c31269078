"""What became of a failure from night to night. Pure.

A failure is a check with its meaning: if the meaning changes, a new line begins. A night without an answer
neither ends a line nor begins one: nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    before: CheckNight | None = None


@dataclass
class _Past:
    """What is remembered of a check while its nights are followed."""

    answered: CheckNight | None = None
    since: datetime | None = None
    nights: int = 0
    silent: bool = False
    failed: tuple[bool, ...] = ()

    def take(self, night: Night, outcome: CheckNight) -> LineNight:
        before = self.answered
        if outcome.status is Status.NOT_APPLICABLE:
            return LineNight(night, outcome, LineState.NOT_APPLICABLE, self.since, self.nights, before)
        if outcome.status not in _HOLDS | {Status.FAIL}:
            state = LineState.NO_ANSWER_AGAIN if self.silent else LineState.NO_ANSWER
            self.silent = True
            return LineNight(night, outcome, state, self.since, self.nights, before)
        self.silent, self.answered = False, outcome
        fails = outcome.status is Status.FAIL
        self.failed = (*self.failed, fails)[-FLAP_NIGHTS:]
        since, nights = self.since, self.nights
        if fails:
            since, nights = since or night.at, nights + 1
        self.since, self.nights = (since, nights) if fails else (None, 0)
        state = self._state(before, outcome)
        # Of what was fixed the reader wants to know how long it was open.
        return LineNight(night, outcome, state, since, nights, before)

    def _state(self, before: CheckNight | None, outcome: CheckNight) -> LineState:
        changes = sum(one != other for one, other in zip(self.failed, self.failed[1:], strict=False))
        changed = len(self.failed) > 1 and self.failed[-1] != self.failed[-2]
        if changes >= FLAPS and (changed or outcome.status is Status.FAIL):
            return LineState.FLAPPING
        failed = before is not None and before.status is Status.FAIL
        if outcome.status is not Status.FAIL:
            return LineState.FIXED if failed else LineState.HOLDS
        return _compared(before, outcome) if before is not None and failed else LineState.NEW


def _compared(before: CheckNight, now: CheckNight) -> LineState:
    """How a failure differs from the one before it. Without a count or a digest there is nothing to tell."""
    if before.violations is not None and now.violations is not None and before.violations != now.violations:
        return LineState.GROWN if now.violations > before.violations else LineState.SHRUNK
    other = bool(before.rows and now.rows) and before.rows != now.rows
    return LineState.OTHER_ROWS if other else LineState.KNOWN


Identity = tuple[str, str]
"""A check's id, as it is called now, and the digest of its meaning."""


def follow(nights: Sequence[Night], renamed: Mapping[str, str] = {}) -> dict[Identity, list[LineNight]]:
    """The line of each check through these nights, which are of one suite and database, the oldest first.

    ``renamed`` maps old ids to the ids that they have now: a renamed check keeps its line.
    """
    lines: dict[Identity, list[LineNight]] = {}
    pasts: dict[Identity, _Past] = {}
    for night in nights:
        for outcome in night.outcomes:
            identity = (now_called(outcome.check, renamed), outcome.meaning)
            line = pasts.setdefault(identity, _Past()).take(night, outcome)
            lines.setdefault(identity, []).append(line)
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
