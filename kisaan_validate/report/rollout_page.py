"""The night of a rollout as one self-contained page: no script, no request, printable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.rollout import (
    PlanAccepted,
    RolloutPhase,
    StepAttested,
    StepEnded,
    StepEvent,
    StepOverridden,
    StepRecord,
    TurnedBack,
)
from kisaan_validate.facts.rollout_state import (
    GREEN,
    GREEN_CRITERIA,
    CriterionState,
    RolloutAsk,
    RolloutNight,
    RolloutStepState,
    StepStanding,
)
from kisaan_validate.report import text
from kisaan_validate.report.page import PageFigure, PageKind, printed_foot
from kisaan_validate.report.rollout_words import entry_words
from kisaan_validate.report.shell import VERDICT_ICONS

PAGE = PageKind(
    "rollout.html.j2",
    ("diff.css", "certificate.css", "rollout.css"),
    {"linked": lambda path: quote(str(path))},
)


@dataclass(frozen=True)
class RolloutLine:
    """One step: how it stands, when it was done, how long it took, what shows it."""

    state: RolloutStepState
    green: bool
    began: datetime | None
    seconds: float
    attempts: int
    records: tuple[StepRecord, ...]
    log: bool


@dataclass(frozen=True)
class RolloutDecision:
    """What a person decided."""

    at: datetime
    what: str
    by: str
    reason: str
    was: str


def render_rollout(night: RolloutNight) -> str:
    """The page of a rollout. The same input gives the same bytes."""
    word = word_of(night)
    return PAGE.render(
        VERDICT_ICONS[night.verdict],
        _foot(night, word),
        word=word,
        night=night,
        figures=_figures(night),
        criteria=[(one, one.state in GREEN_CRITERIA) for one in night.criteria],
        decisions=list(_decisions(night)),
        left=[state for state in _states(night) if state.standing in _LEFT],
        phases=[(phase, _steps(night, phase)) for phase in night.phases],
        lines=[(entry, entry_words(entry)) for entry in night.entries],
    )


_LEFT = set(StepStanding) - GREEN - {StepStanding.OVERRIDDEN, StepStanding.LET_THROUGH}
"""The states of steps for which nothing was proved."""


def word_of(night: RolloutNight) -> str:
    """The verdict in a few words."""
    ask = night.position.ask
    if ask is RolloutAsk.ROLLED_BACK:
        return "Rolled back"
    if night.position.back:
        return "Turning back"
    if ask is RolloutAsk.COMPLETE:
        return {Verdict.PASS: "Done and proved", Verdict.FAIL: "Done, and failed"}.get(
            night.verdict, "Done, not proved"
        )
    return "No-go" if night.verdict is Verdict.FAIL else "Under way"


def _states(night: RolloutNight) -> tuple[RolloutStepState, ...]:
    return (*night.position.before_back, *night.position.states)


def _figures(night: RolloutNight) -> tuple[PageFigure, ...]:
    states, criteria = night.position.states, night.criteria
    met = sum(one.state in GREEN_CRITERIA for one in criteria)
    attested = sum(one.state is CriterionState.ATTESTED for one in criteria)
    overrides = sum(isinstance(e.event, (StepOverridden, PlanAccepted)) for e in night.entries)
    first, last = (night.entries[0].at, night.entries[-1].at) if night.entries else (None, None)
    took = (last - first).total_seconds() * 1_000 if first and last and last >= first else None
    return (
        PageFigure(
            "Success criteria",
            f"{met:,} of {len(criteria):,}" if criteria else "none declared",
            f"{met - attested:,} proved, {attested:,} attested",
            bool(criteria),
        ),
        PageFigure(
            "Steps settled",
            f"{night.position.done:,} of {len(states):,}",
            f"{sum(state.standing in GREEN for state in states):,} passed or attested",
        ),
        PageFigure(
            "Overridden by name",
            f"{overrides:,}",
            "never green" if overrides else "nothing",
            bool(overrides),
        ),
        PageFigure(
            "From start to end",
            text.duration(took) if took is not None else "not known",
            text.utc(first) if first else "not begun",
            took is not None,
        ),
    )


def _decisions(night: RolloutNight) -> Iterator[RolloutDecision]:
    for entry in night.entries:
        event = entry.event
        if isinstance(event, StepOverridden):
            yield RolloutDecision(entry.at, f"{event.step} overridden", event.by, event.reason, event.was)
        elif isinstance(event, PlanAccepted):
            yield RolloutDecision(
                entry.at, "changed plan accepted", event.by, event.reason, event.before[:16]
            )
        elif isinstance(event, TurnedBack):
            because = f"at {event.because}" if event.because else ""
            yield RolloutDecision(entry.at, f"turned back: {event.phase}", event.by, event.reason, because)


def _steps(night: RolloutNight, phase: RolloutPhase) -> list[RolloutLine]:
    states = {state.step.id: state for state in _states(night)}
    return [_step(night, states[step.id]) for step in phase.steps if step.id in states]


def _step(night: RolloutNight, state: RolloutStepState) -> RolloutLine:
    events = [
        (entry, event)
        for entry in night.entries
        if isinstance(event := entry.event, StepEvent) and event.step == state.step.id
    ]
    ended = [event for _, event in events if isinstance(event, StepEnded)]
    return RolloutLine(
        state,
        state.standing in GREEN,
        events[0][0].at if events else None,
        sum(one.seconds for one in ended),
        sum(isinstance(event, (StepEnded, StepAttested)) for _, event in events),
        next((event.evidence for entry, event in events if entry.number == state.evidence), ()),
        bool(ended),
    )


def _foot(night: RolloutNight, word: str) -> str:
    words = f"{word}; {night.plan.name}; as of {text.utc(night.made_at)}"
    return printed_foot(words)
