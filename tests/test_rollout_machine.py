"""Where a rollout stands is a pure function of plan and record: no sequence of events makes a step green
that was not proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rollouts import PLAN, Events, chain, plan_of

from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.rollout import (
    AttestOutcome,
    CriterionSeen,
    RolloutEntry,
    RolloutEvent,
    RolloutPlan,
    StepAttested,
    StepEnded,
    StepEvent,
    StepOverridden,
    StepStarted,
    StepVerdict,
    TurnedBack,
)
from kisaan_validate.facts.rollout_state import (
    GREEN,
    SETTLED,
    CriterionState,
    RolloutAsk,
    RolloutPosition,
    RolloutStepState,
    StepStanding,
)
from kisaan_validate.record.rollout import rollout_from_json, rollout_to_json
from kisaan_validate.rollout.judge import criteria_of_plan, judge_rollout
from kisaan_validate.rollout.machine import what_next

WIDE = """
format = 1
name = "every kind of step"
[[phase]]
id = "one"
title = "One"
[[phase.step]]
id = "person"
title = "P"
kind = "person"
optional = true
[[phase.step]]
id = "ours"
title = "O"
kind = "ours"
argv = ["list"]
needs = ["person"]
gate = ["pass", "fail"]
[[phase.step]]
id = "fix"
title = "F"
kind = "ours"
argv = ["list"]
only_if = { step = "ours", verdict = ["fail"] }
[[phase.step]]
id = "shown"
title = "S"
kind = "shown"
show = ["ls"]
needs = ["ours"]
[[phase.step]]
id = "run"
title = "R"
kind = "command"
argv = ["ls"]
run = true
needs = ["shown"]
[[phase]]
id = "back"
title = "Back"
rollback = true
[[phase.step]]
id = "restore"
title = "B"
kind = "person"
[[criteria]]
id = "c"
text = "C"
steps = ["run", "shown"]
[[criteria]]
id = "d"
text = "D"
steps = ["ours"]
"""
WIDER = plan_of(WIDE)
MADE = Events(WIDER)
STEPS = st.sampled_from(sorted(WIDER.every))


def _foreign(event: StepEvent) -> StepEvent:
    """The same of another text of the step."""
    return replace(event, definition="0" * 64)


EVENTS: st.SearchStrategy[RolloutEvent] = st.one_of(
    st.builds(MADE.started, STEPS, st.integers(1, 3)),
    st.builds(MADE.ended, STEPS, st.sampled_from(["pass", "pass", "fail", "unknown"]), st.integers(1, 3)),
    st.builds(MADE.attested, STEPS, st.sampled_from([outcome.value for outcome in AttestOutcome])),
    st.builds(MADE.overridden, STEPS),
    st.builds(_foreign, st.builds(MADE.ended, STEPS)),
    st.builds(_foreign, st.builds(MADE.attested, STEPS)),
    st.builds(TurnedBack, st.just("back"), st.just("run"), st.just("Asha"), st.just("")),
)


def _events_of(state: RolloutStepState, entries: Sequence[RolloutEntry]) -> list[RolloutEntry]:
    """What was recorded of a step as it is written now."""
    return [
        e
        for e in entries
        if isinstance(e.event, StepEvent)
        and e.event.step == state.step.id
        and e.event.definition == state.step.definition
    ]


def _justified(state: RolloutStepState, entries: Sequence[RolloutEntry], damaged: set[str]) -> bool:
    """Whether a green step has evidence of its own kind that passes and is the newest of it, by a look of its
    own."""
    mine = _events_of(state, entries)
    if not mine or state.step.id in damaged:
        return False
    kinds = (StepStarted, StepEnded) if state.step.runs else (StepAttested,)
    own = [e for e in mine if isinstance(e.event, (*kinds, StepOverridden))]
    event = own[-1].event if own else None
    if isinstance(event, StepEnded):
        return state.standing is StepStanding.PASSED and event.verdict is StepVerdict.PASS
    done = isinstance(event, StepAttested) and event.outcome is AttestOutcome.DONE
    return state.standing is StepStanding.ATTESTED and done


def _check(plan: RolloutPlan, events: Sequence[RolloutEvent], damaged: set[str]) -> RolloutPosition:
    entries = chain(events)
    position = what_next(plan, entries, damaged)
    turned = [e.number for e in entries if isinstance(e.event, TurnedBack)]
    seen = entries[turned[-1] :] if turned else entries
    for state in position.states:
        if state.standing in GREEN:
            assert _justified(state, seen, damaged), state
        if state.standing is StepStanding.OVERRIDDEN:
            last = _events_of(state, seen)[-1].event
            if not isinstance(last, StepOverridden):
                # Only what cannot tell of such a step may stand after it.
                assert isinstance(last, StepAttested) is state.step.runs, state
        if state.standing is StepStanding.NOT_DONE:
            assert state.step.optional
    unsettled = [state for state in position.states if state.standing not in SETTLED]
    assert position.now == (unsettled[0] if unsettled else None)
    assert (position.ask in {RolloutAsk.COMPLETE, RolloutAsk.ROLLED_BACK}) == (not unsettled)
    assert (position.ask is RolloutAsk.ROLLED_BACK) <= bool(turned)
    return position


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(EVENTS, max_size=14), st.sets(STEPS, max_size=2))
def test_no_sequence_makes_a_step_green_without_evidence(
    events: list[RolloutEvent], damaged: set[str]
) -> None:
    """Law: green only by passing evidence of the step's own kind, for its text as it is now, that is there.
    Each needed step's evidence is older. And a PASS of the whole needs all of it."""
    position = _check(WIDER, events, damaged)
    entries = chain(events)
    numbers = {state.step.id: state for state in position.states}
    for state in position.states:
        if state.standing in GREEN:
            for need in state.step.needs:
                assert numbers[need].evidence < state.evidence
    criteria = criteria_of_plan(WIDER, position, entries)
    verdict, reasons = judge_rollout(WIDER, position, criteria, entries)
    assert reasons
    if verdict is Verdict.PASS:
        assert position.ask is RolloutAsk.COMPLETE
        assert not {s.standing for s in position.states} & {StepStanding.OVERRIDDEN, StepStanding.NOT_DONE}
        assert {one.state for one in criteria} <= {CriterionState.PROVED, CriterionState.ATTESTED}
    if position.back:
        assert verdict is Verdict.FAIL


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=8))
def test_a_record_that_is_read_again_stands_where_it_stood(events: list[RolloutEvent]) -> None:
    """Law: writing and reading loses nothing, so that another machine goes on at the same place."""
    entries = chain(events)
    read = rollout_from_json(rollout_to_json(entries)).entries
    assert read == entries
    assert what_next(WIDER, read) == what_next(WIDER, entries)


SIMPLE = plan_of()
SAID = Events(SIMPLE)


def test_every_short_sequence_of_one_step() -> None:
    """All sequences of up to four events of one step that is run: where they lead is known."""
    kinds = {
        "s": SAID.started("look"),
        "p": SAID.ended("look"),
        "f": SAID.ended("look", "fail"),
        "u": SAID.ended("look", "unknown"),
        "o": SAID.overridden("look"),
        "a": SAID.attested("look"),
    }
    leads = {
        "": StepStanding.OPEN,
        "s": StepStanding.INTERRUPTED,
        "p": StepStanding.PASSED,
        "f": StepStanding.FAILED,
        "u": StepStanding.UNKNOWN,
        "o": StepStanding.OVERRIDDEN,
    }
    for length in range(5):
        for word in product(kinds, repeat=length):
            position = what_next(SIMPLE, chain([kinds[letter] for letter in word]))
            # A person's word changes nothing of a step that is run.
            last = "".join(word).replace("a", "")[-1:]
            assert position.states[1].standing is leads[last], word


@pytest.mark.parametrize(
    ("events", "ask", "step", "standing"),
    [
        ([], "attest", "told", "open"),
        ([SAID.attested("told")], "run", "look", "open"),
        ([SAID.attested("told", "failed")], "stopped", "told", "no-go"),
        ([SAID.attested("told", "not done")], "stopped", "told", "cannot tell"),
        ([SAID.overridden("told")], "run", "look", "open"),
        ([SAID.attested("told"), SAID.started("look")], "run", "look", "interrupted"),
        ([SAID.attested("told"), SAID.ended("look", "unknown")], "stopped", "look", "cannot tell"),
        (
            [SAID.attested("told"), SAID.ended("look"), SAID.started("migrate")],
            "stopped",
            "migrate",
            "interrupted",
        ),
        # The look was done again after the migration: that must be done again too.
        (
            [SAID.attested("told"), SAID.ended("look"), SAID.ended("migrate"), SAID.ended("look", "pass", 2)],
            "run",
            "migrate",
            "open",
        ),
    ],
)
def test_what_is_to_be_done_now(events: list[RolloutEvent], ask: str, step: str, standing: str) -> None:
    """The first step that is not settled; what others' command did before it was cut off, a person looks at."""
    position = what_next(SIMPLE, chain(events))
    assert position.now is not None
    assert (position.ask, position.now.step.id, position.now.standing) == (ask, step, standing)


def _wide(*events: RolloutEvent, damaged: Sequence[str] = ()) -> dict[str, str]:
    position = what_next(WIDER, chain(events), damaged)
    return {state.step.id: state.standing.value for state in position.states}


def test_conditions_gates_and_needs() -> None:
    """Let through is not green; what is left out blocks what needs it; unknown conditions need the step."""
    person, passed, failed = MADE.attested("person"), MADE.ended("ours"), MADE.ended("ours", "fail")
    assert _wide(person, passed)["fix"] == "not needed"
    assert _wide(person, failed)["ours"] == "let through"
    assert _wide(person, failed)["fix"] == "open"
    assert _wide(person, MADE.ended("ours", "unknown"), MADE.overridden("ours"))["fix"] == "open"
    assert _wide(person, MADE.overridden("ours"))["fix"] == "open"
    assert _wide(MADE.attested("person", "not done"))["ours"] == "blocked"
    assert _wide(person, passed, damaged=["ours"])["ours"] == "evidence lost"
    assert _wide(person, failed, damaged=["ours"])["ours"] == "evidence lost"
    assert _wide(person, MADE.ended("ours", "unknown"), damaged=["ours"])["ours"] == "cannot tell"


def test_on_the_way_back_nothing_of_the_way_forward_counts() -> None:
    """What was attested of the way back before it was taken is not done now, and the end is no success."""
    back = TurnedBack("back", "run", "Asha", "it does not start")
    position = what_next(WIDER, chain([MADE.attested("restore"), back]))
    assert position.now is not None
    assert (position.now.step.id, position.now.standing) == ("restore", "open")
    entries = chain([MADE.attested("person"), back, MADE.attested("restore")])
    position = what_next(WIDER, entries)
    assert position.ask is RolloutAsk.ROLLED_BACK
    assert (
        judge_rollout(WIDER, position, criteria_of_plan(WIDER, position, entries), entries)[0] is Verdict.FAIL
    )


# --- the end ------------------------------------------------------------------------------------------------

IN_RUNS = plan_of(
    PLAN.replace('steps = ["migrate"]', 'proved_in = ["look"]').replace(
        'argv = ["list"]', 'argv = ["list"]\nrecords = ["a/run.json"]'
    )
)


def _judged(plan: RolloutPlan, *events: RolloutEvent, damaged: Sequence[str] = ()) -> tuple[str, str]:
    entries = chain(events)
    position = what_next(plan, entries, damaged)
    criteria = criteria_of_plan(plan, position, entries)
    return judge_rollout(plan, position, criteria, entries)[0].value, criteria[0].state.value


def test_what_the_end_needs() -> None:
    """A pass needs everything; an override, an open step or a failed criterion each keep it from it."""
    told, look, done = SAID.attested("told"), SAID.ended("look"), SAID.ended("migrate")
    assert _judged(SIMPLE, told, look, done) == ("PASS", "proved")
    assert _judged(SIMPLE, told, look, SAID.overridden("migrate")) == ("INCONCLUSIVE", "overridden")
    assert _judged(SIMPLE, SAID.overridden("told"), look, done) == ("INCONCLUSIVE", "proved")
    assert _judged(SIMPLE, told, look) == ("INCONCLUSIVE", "not proved")
    assert _judged(SIMPLE, told, look, SAID.ended("migrate", "fail")) == ("FAIL", "not met")
    assert _judged(SIMPLE, told, look, SAID.ended("migrate", "unknown")) == ("INCONCLUSIVE", "not proved")
    # Overridden once, and passed afterwards: the evidence counts.
    assert _judged(SIMPLE, told, SAID.overridden("look"), SAID.ended("look"), done) == ("PASS", "proved")


@pytest.mark.parametrize(
    ("standing", "state", "verdict"),
    [
        ("proved", "proved", "PASS"),
        ("not met", "not met", "FAIL"),
        ("denied", "not met", "FAIL"),
        ("not proved", "not proved", "INCONCLUSIVE"),
        ("to be attested", "not proved", "INCONCLUSIVE"),
        ("a word of a later version", "not proved", "INCONCLUSIVE"),
    ],
)
def test_a_criterion_by_the_newest_run(standing: str, state: str, verdict: str) -> None:
    """Only the words that say so prove it; only while the record that said them counts."""
    said = Events(IN_RUNS)
    look = replace(said.ended("look"), criteria=(CriterionSeen("migrated", standing, "by 1 check"),))
    events = [said.attested("told"), look, said.ended("migrate")]
    assert _judged(IN_RUNS, *events) == (verdict, state)
    assert _judged(IN_RUNS, *events, damaged=["look"])[1] == "not proved"
    assert _judged(IN_RUNS, *events, said.started("look", 2))[1] == "not proved"
    assert _judged(IN_RUNS, *[_foreign(e) for e in events])[1] == "not proved"
    other = replace(look, criteria=(CriterionSeen("another", "proved", ""),))
    assert _judged(IN_RUNS, said.attested("told"), other, said.ended("migrate"))[1] == "not proved"
