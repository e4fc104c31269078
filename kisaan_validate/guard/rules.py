"""The rules of the guard, and what they decide about readings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from math import ceil

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.guarding import CANNOT_TELL


class Action(IntEnum):
    """What a run does, from the mildest to the strictest."""

    GO = 0
    SLOW = 1
    """One statement at a time."""
    WAIT = 2
    """No new statement."""
    STOP = 3
    """Give up: what was not asked has no answer."""


@dataclass(frozen=True)
class GuardReading:
    """What the guard read: a number, a truth, or None with the reason why it cannot tell."""

    value: float | bool | None
    why: str = ""

    @property
    def known(self) -> bool:
        """Whether there is an answer."""
        return self.value is not None


@dataclass(frozen=True)
class Gauge:
    """Something that is read, and how a breach of its rule is said. ``least``: the limit is a lower one.

    A gauge without a ``unit`` of its own counts.
    """

    breach: str
    rule: str
    unit: str = ""
    least: bool = False

    def breached(self, value: float, limit: float) -> bool:
        """Whether a value breaks the rule."""
        return value < limit if self.least else value > limit

    def said(self, value: float, limit: float) -> str:
        """The breach in words. A time is rounded up, so that it never reads as less than its limit."""
        return self.breach.format(value=f"{ceil(value):,}{self.unit}", limit=f"{limit:,}{self.unit}")

    def shown(self, value: float) -> str:
        """A value in words."""
        return f"{ceil(value):,}{self.unit}"


GAUGES: Mapping[str, Gauge] = {
    "replication_lag": Gauge("replication lag of {value} is over {limit}", "replication lag over", " s"),
    "blocking": Gauge(
        "a session has waited {value} for a lock of this run, over {limit}",
        "a session waits for a lock of this run for over",
        " s",
    ),
    "active_sessions": Gauge("{value} active sessions are over {limit}", "active sessions over"),
    "longest_snapshot": Gauge(
        "the oldest snapshot is {value} old, over {limit}", "a snapshot older than", " s"
    ),
    "free_connections": Gauge(
        "{value} free connections are under {limit}", "free connections under", least=True
    ),
    "free_locks": Gauge(
        "{value} free slots of the lock table are under {limit}",
        "free slots of the lock table under",
        least=True,
    ),
}
"""What is read of the server, in the order in which reasons are given."""


@dataclass(frozen=True)
class Bound:
    """The limit of a gauge, and what to do beyond it."""

    limit: int
    action: Action = Action.WAIT


@dataclass(frozen=True)
class GuardCondition:
    """Something that must be true: a query, or a file that is (not) there. ``breach`` says what is wrong if
    it is not.
    """

    breach: str
    action: Action = Action.WAIT


@dataclass(frozen=True)
class GuardRules:
    """When a run waits, goes slower or gives up.

    ``bounds`` are by the name of their gauge (see GAUGES). ``query`` is SQL that must return true.
    ``pause_file`` makes the run wait while it is there, ``needs_file`` while it is not, ``forbids_file``
    while it is; ``actions`` say by name what else than to wait. ``every`` is how many seconds lie between
    two looks, ``give_up_after`` how many seconds a run waits at a stretch. ``go_on``: a reading that cannot
    be had breaks no rule; else it ends the run. ``cancel_after``: a statement that still runs so many
    seconds after a pause began is cancelled and asked again once; None: it is left to end.
    ``conflict_retries``: how often checks that replay on a standby cancelled are asked again.
    ``piece_seconds``: how long a piece of a large table should take; None: it is read as a whole.
    """

    bounds: Mapping[str, Bound] = field(default_factory=dict)
    query: str = ""
    pause_file: str = ""
    needs_file: str = ""
    forbids_file: str = ""
    actions: Mapping[str, Action] = field(default_factory=dict)
    every: float = 5.0
    give_up_after: float = 600.0
    go_on: bool = True
    cancel_after: float | None = None
    conflict_retries: int = 0
    piece_seconds: float | None = None

    @property
    def conditions(self) -> dict[str, GuardCondition]:
        """What must be true, by name."""
        said = {
            "pause_file": f"the pause file {self.pause_file} is there",
            "needs_file": f"the file {self.needs_file} is missing",
            "forbids_file": f"the file {self.forbids_file} is there",
            "query": "the guard's query did not return true",
        }
        return {
            n: GuardCondition(s, self.actions.get(n, Action.WAIT))
            for n, s in said.items()
            if getattr(self, n)
        }

    @property
    def words(self) -> tuple[str, ...]:
        """The rules for people, one line each."""
        return tuple(self._words())

    def _words(self) -> Iterator[str]:
        for name, condition in self.conditions.items():
            shown = (
                f"the query {' '.join(self.query.split())} is not true"
                if name == "query"
                else condition.breach
            )
            yield f"{condition.action.name.lower()} if {shown}"
        for name, gauge in GAUGES.items():
            if name in self.bounds:
                bound = self.bounds[name]
                yield f"{bound.action.name.lower()} if {gauge.rule} {bound.limit:,}{gauge.unit}"
        yield f"give up after waiting for {self.give_up_after:,g} s"
        yield "go on if a reading is missing" if self.go_on else "stop if a reading is missing"


@dataclass(frozen=True)
class GuardDecision:
    """What the run does now, and the first reason, "" where it simply goes on."""

    action: Action = Action.GO
    reason: str = ""


def decide(readings: Mapping[str, GuardReading], rules: GuardRules) -> GuardDecision:
    """The strictest action of all rules that are broken, and the first rule that asks for it.

    A rule whose reading is missing or not known is broken only where the rules say so.
    """
    # max keeps the first of equals: the first reason.
    return max(_broken(readings, rules), key=lambda d: d.action, default=GuardDecision())


NOT_READ = GuardReading(None, "it was not read")


def _broken(readings: Mapping[str, GuardReading], rules: GuardRules) -> Iterator[GuardDecision]:
    for name, condition in rules.conditions.items():
        reading = readings.get(name, NOT_READ)
        if not reading.known:
            yield from _unknown(name, reading, rules)
        elif not reading.value:
            yield GuardDecision(condition.action, condition.breach)
    for name, gauge in GAUGES.items():
        bound = rules.bounds.get(name)
        if bound is None:
            continue
        value = (reading := readings.get(name, NOT_READ)).value
        if value is None:
            yield from _unknown(name, reading, rules)
        elif gauge.breached(value, bound.limit):
            yield GuardDecision(bound.action, gauge.said(value, bound.limit))


def _unknown(name: str, reading: GuardReading, rules: GuardRules) -> Iterator[GuardDecision]:
    if not rules.go_on:
        yield GuardDecision(Action.STOP, f"cannot tell {name.replace('_', ' ')}: {reading.why}")


def shown(readings: Mapping[str, GuardReading]) -> dict[str, str]:
    """Readings in words, by name."""
    return {name: _shown(name, reading) for name, reading in readings.items()}


def _shown(name: str, reading: GuardReading) -> str:
    if reading.value is None:
        return f"{CANNOT_TELL}{reading.why}"
    gauge = GAUGES.get(name)
    if gauge is not None:
        return gauge.shown(reading.value)
    return "as it must be" if reading.value else "not as it must be"
