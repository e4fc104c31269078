"""What the guard decides about readings: pure laws, and the rules as they are written in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate.errors import UsageError
from kisaan_validate.guard.rules import GAUGES, Action, Bound, GuardReading, GuardRules, decide, shown
from kisaan_validate.ops.config import load_config
from kisaan_validate.ops.config_model import ConfigFile
from kisaan_validate.toml.reader import read

LEAST = ("free_connections", "free_locks")
CONDITIONS = ("pause_file", "needs_file", "forbids_file", "query")

actions = st.sampled_from([Action.SLOW, Action.WAIT, Action.STOP])
numbers = st.integers(0, 10_000)
known = st.builds(GuardReading, st.integers(0, 10_000).map(float))
truths = st.builds(GuardReading, st.booleans())
hidden = st.just(GuardReading(None, "withheld"))


@st.composite
def scenes(draw: st.DrawFn, *, all_known: bool = False) -> tuple[GuardRules, dict[str, GuardReading]]:
    """Rules, and a reading for each of them."""
    bounds = draw(st.dictionaries(st.sampled_from(list(GAUGES)), st.builds(Bound, numbers, actions)))
    named = draw(st.sets(st.sampled_from(CONDITIONS)))
    then = {name: draw(actions) for name in named}
    rules = GuardRules(
        bounds=bounds, actions=then, go_on=draw(st.booleans()), **{n: n.upper() for n in named}
    )
    values, answers = (known, truths) if all_known else (known | hidden, truths | hidden)
    readings = {n: draw(values) for n in bounds} | {n: draw(answers) for n in named}
    return rules, readings


def broken(rules: GuardRules, readings: dict[str, GuardReading]) -> list[Action]:
    """The actions of all broken rules, by an independent telling of them."""
    found = []
    for name, reading in readings.items():
        if reading.value is None:
            found += [] if rules.go_on else [Action.STOP]
        elif name in CONDITIONS:
            found += [] if reading.value else [rules.actions[name]]
        else:
            bound = rules.bounds[name]
            wrong = reading.value < bound.limit if name in LEAST else reading.value > bound.limit
            found += [bound.action] if wrong else []
    return found


@given(scenes())
def test_the_strictest_broken_rule_decides(scene: tuple[GuardRules, dict[str, GuardReading]]) -> None:
    """And nothing else does: no broken rule means to go on, without a reason."""
    rules, readings = scene
    decision = decide(readings, rules)
    assert decision.action == max(broken(rules, readings), default=Action.GO)
    assert bool(decision.reason) is (decision.action is not Action.GO)


@given(scenes(all_known=True), st.data())
def test_a_worse_reading_never_makes_a_milder_decision(
    scene: tuple[GuardRules, dict[str, GuardReading]], data: st.DataObject
) -> None:
    """More lag, fewer connections, a query that turns false: the action stays or grows stricter."""
    rules, readings = scene
    if not readings:
        return
    name = data.draw(st.sampled_from(sorted(readings)))
    value = readings[name].value
    assert value is not None
    worse = False if name in CONDITIONS else value + (-50.0 if name in LEAST else 50.0)
    assert decide({**readings, name: GuardReading(worse)}, rules).action >= decide(readings, rules).action


@given(scenes())
def test_what_is_not_known_is_either_no_rule_or_the_end(
    scene: tuple[GuardRules, dict[str, GuardReading]],
) -> None:
    """Never something in between: with unknown = go_on as if the rule were not there, else a stop."""
    rules, readings = scene
    unknown = [name for name, reading in readings.items() if reading.value is None]
    decision = decide(readings, rules)
    if rules.go_on:
        rest = GuardRules(
            bounds={n: b for n, b in rules.bounds.items() if n not in unknown},
            actions=rules.actions,
            **{n: n.upper() for n in CONDITIONS if getattr(rules, n) and n not in unknown},
        )
        assert decision == decide(readings, rest)
    elif unknown:
        assert decision.action is Action.STOP


def test_a_reading_that_is_missing_is_not_known() -> None:
    """A rule for which nothing was read is not kept by silence."""
    rules = GuardRules(bounds={"active_sessions": Bound(1)}, query="SELECT true", go_on=False)
    assert decide({}, rules).action is Action.STOP
    assert decide({}, GuardRules(bounds={"active_sessions": Bound(1)})).action is Action.GO


def test_the_first_reason_is_that_of_the_first_rule_of_the_strictest_action() -> None:
    """Files before the server, then in the order of the rules; milder rules give no reason."""
    rules = GuardRules(
        bounds={
            "active_sessions": Bound(5, Action.WAIT),
            "replication_lag": Bound(30, Action.WAIT),
            "free_locks": Bound(10, Action.SLOW),
        }
    )
    readings = {
        "active_sessions": GuardReading(1_041),
        "replication_lag": GuardReading(44.2),
        "free_locks": GuardReading(1),
    }
    assert decide(readings, rules).reason == "replication lag of 45 s is over 30 s"
    assert (
        decide({**readings, "replication_lag": GuardReading(30)}, rules).reason
        == "1,041 active sessions are over 5"
    )
    readings = {"free_locks": GuardReading(1)}
    assert decide(readings, rules).reason == "1 free slots of the lock table are under 10"


def test_a_limit_is_kept_by_its_own_value_and_never_shown_rounded_to_it() -> None:
    """30 s are not over 30 s; 30.01 s are, and read as 31 s."""
    rules = GuardRules(bounds={"replication_lag": Bound(30), "free_connections": Bound(5)})
    fine = {"replication_lag": GuardReading(30.0), "free_connections": GuardReading(5.0)}
    assert decide(fine, rules).action is Action.GO
    assert decide({**fine, "replication_lag": GuardReading(30.01)}, rules).reason.startswith(
        "replication lag of 31 s"
    )
    assert (
        decide({**fine, "free_connections": GuardReading(4)}, rules).reason
        == "4 free connections are under 5"
    )


def test_readings_in_words() -> None:
    """What is not known says so, and why; it never reads as a number."""
    said = shown(
        {
            "replication_lag": GuardReading(0.2),
            "blocking": GuardReading(None, "no right"),
            "query": GuardReading(True),
        }
    )
    assert said == {"replication_lag": "1 s", "blocking": "cannot tell: no right", "query": "as it must be"}


WRITTEN = """
[guard]
replication_lag = "30 s"
active_sessions = 40
free_connections = 10
query = "SELECT count(*) < 5 FROM jobs"
pause_file = "pause"
give_up_after = "1 h"
unknown = "stop"
cancel_running = true
piece = "5 s"
then = { replication_lag = "slow", blocking = "wait" }
"""


def test_the_rules_as_they_are_written() -> None:
    """Units, actions and paths; what is not written is no rule."""
    table = read(WRITTEN, "kisaan.toml", ConfigFile).guard
    rules = table.rules(Path("/etc/shop"))
    assert rules.bounds == {
        "replication_lag": Bound(30, Action.SLOW),
        "active_sessions": Bound(40, Action.WAIT),
        "free_connections": Bound(10, Action.WAIT),
    }
    assert (rules.pause_file, rules.needs_file, rules.go_on) == ("/etc/shop/pause", "", False)
    assert (rules.give_up_after, rules.cancel_after, rules.piece_seconds) == (3600, 30, 5)
    assert rules.words == (
        "wait if the pause file /etc/shop/pause is there",
        "wait if the query SELECT count(*) < 5 FROM jobs is not true",
        "slow if replication lag over 30 s",
        "wait if active sessions over 40",
        "wait if free connections under 10",
        "give up after waiting for 3,600 s",
        "stop if a reading is missing",
    )


def test_a_file_without_rules_has_no_guard(tmp_path: Path) -> None:
    """And an empty table is one that watches for nothing but the server's change."""
    (tmp_path / "kisaan.toml").write_text("")
    assert load_config(tmp_path / "kisaan.toml").guard is None
    (tmp_path / "kisaan.toml").write_text("[guard]\n")
    assert load_config(tmp_path / "kisaan.toml").guard == GuardRules(
        actions=dict.fromkeys(CONDITIONS, Action.WAIT), conflict_retries=3
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("replication_lags = '30 s'", "replication_lag"),
        ("replication_lag = 30", "must be a duration"),
        ("every = '0 s'", "longer than 0 s"),
        ("unknown = 'perhaps'", '[guard].unknown: must be "go_on" or "stop"'),
        ("query = 'DELETE FROM orders'", "only SELECT"),
        ("query = 'SELECT 1; SELECT 2'", "semicolon"),
        ("then = { active_sessions = 'panic' }", '[guard.then].active_sessions: must be "slow", "wait"'),
        ("free_connections = -1", "free_connections"),
        ("conflict_retries = 11", "conflict_retries"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, line: str, said: str) -> None:
    """With its place, as everywhere."""
    (tmp_path / "kisaan.toml").write_text(f"[guard]\n{line}\n")
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path / "kisaan.toml")
    assert said in str(caught.value)
