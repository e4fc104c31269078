"""What is a no-go for a migration, judged without a server: verdicts, blockers, ages, clocks, counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from preflight_cases import AT, item, record, seen, session

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.preflight import PreflightItem, PreparedSeen, RelationLock, SessionSeen
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.preflight.ages import age_judged, age_words
from kisaan_validate.preflight.blockers import judged_blockers
from kisaan_validate.preflight.clocks import clock_judged
from kisaan_validate.preflight.judge import judge_preflight
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.preflight.scene import Scene
from kisaan_validate.record.preflight import preflight_from_json, preflight_to_json

PASS, FAIL, UNKNOWN, WORK = (
    StandingState.PASS,
    StandingState.FAIL,
    StandingState.UNKNOWN,
    StandingState.WORK,
)
NAMES = {20_000: "orders", 20_001: "shops"}


@pytest.mark.parametrize("states", list(product((None, *StandingState), repeat=3)))
def test_the_verdict_of_every_mixture(states: tuple[StandingState | None, ...]) -> None:
    """Any no-go fails; else anything unknown, or nothing asked, is inconclusive; work decides nothing."""
    there = [state for state in states if state is not None]
    verdict = judge_preflight(item(state) for state in there)
    if FAIL in there:
        assert verdict is Verdict.FAIL
    elif UNKNOWN in there or not there:
        assert verdict is Verdict.INCONCLUSIVE
    else:
        assert verdict is Verdict.PASS


def answers(*sessions: SessionSeen, **more: Any) -> dict[str, PreflightItem]:
    """What is said of these sessions, by question; each question has one answer."""
    found = list(judged_blockers(Scene(seen(*sessions, **more), PreflightRules(), NAMES)))
    by_name = {one.question: one for one in found}
    assert len(by_name) == len(found)
    return by_name


QUESTIONS = {"transactions", "idle in transaction", "maintenance", "wraparound", "prepared", "waits", "locks"}


def test_nobody_in_the_way() -> None:
    """Every question is answered with go, and nothing is asked that is not."""
    found = answers(session())
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(QUESTIONS, PASS)


BLOCKING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "long": (
        "transactions",
        {"state": "active", "open_seconds": 60.1},
        {"state": "active", "open_seconds": 60.0},
    ),
    "idle": (
        "idle in transaction",
        {"state": "idle in transaction", "open_seconds": 11.0, "still_seconds": 10.1},
        {"state": "idle in transaction", "open_seconds": 11.0, "still_seconds": 10.0},
    ),
    "aborted": (
        "idle in transaction",
        {"state": "idle in transaction (aborted)", "still_seconds": 10.1},
        {"state": "idle in transaction (aborted)", "still_seconds": 9.0},
    ),
    "building": (
        "maintenance",
        {"state": "active", "command": "CREATE INDEX CONCURRENTLY", "relation": 20_000},
        {"kind": "autovacuum worker", "command": "VACUUM", "relation": 20_000},
    ),
    "freezing": (
        "wraparound",
        {"kind": "autovacuum worker", "command": "VACUUM", "wraparound": True, "open_seconds": 1.0},
        {"kind": "autovacuum worker", "command": "VACUUM", "open_seconds": 9_999.0},
    ),
}


@pytest.mark.parametrize(("question", "wrong", "right"), BLOCKING.values(), ids=BLOCKING)
def test_a_blocker_is_named_just_beyond_its_bound(
    question: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    """Who it is stands in the sentence and in the row; at the bound itself nothing is said."""
    found = answers(session(**wrong))
    assert found[question].state is FAIL
    assert {name for name, one in found.items() if one.state is FAIL} == {question}
    for word in ("4711", "app", "shopd", "10.0.0.3"):
        assert word in found[question].fact
        assert word in dict(found[question].rows[0]).values() or word == "app"
    assert found[question].todo
    assert answers(session(**right))[question].state is PASS


def test_an_old_idle_transaction_is_named_once() -> None:
    """However short its last rest was, a transaction that is open for long is in the way."""
    found = answers(session(state="idle in transaction", open_seconds=99.0, still_seconds=0.1))
    assert found["transactions"].state is FAIL
    found = answers(session(state="idle in transaction", open_seconds=99.0, still_seconds=50.0))
    assert found["idle in transaction"].state is FAIL
    assert found["transactions"].state is PASS


def test_a_hidden_session_leaves_no_question_about_sessions_green() -> None:
    """What it does is not known, so nobody may say that none does this; what is seen is still named."""
    hidden = session(pid=1, state="", hidden="this role may not see it")
    found = answers(hidden, session(state="active", open_seconds=999.0))
    assert found["sessions"].state is UNKNOWN
    assert "1 session of 2" in found["sessions"].fact
    assert found["transactions"].state is FAIL
    assert {"idle in transaction", "maintenance", "wraparound"}.isdisjoint(found)
    assert found["locks"].state is PASS  # locks are hidden from nobody


def test_a_query_is_shown_only_if_asked_for() -> None:
    """It may hold anybody's values."""
    one = session(state="active", open_seconds=999.0, query="SELECT 4242")
    for queries in (False, True):
        found = list(judged_blockers(Scene(seen(one), PreflightRules(), NAMES, queries)))
        assert ("4242" in str(found)) is queries


def test_what_could_not_be_read_is_not_absent() -> None:
    """Each part by itself: the others are judged all the same."""
    prepared = PreparedSeen("gid", "app", "2026-11-30", 5.0)
    found = answers(
        sessions=None, prepared=(prepared,), locks=None, reasons=(("sessions", "too slow"), ("locks", "lost"))
    )
    assert {name: one.state for name, one in found.items()} == {
        "sessions": UNKNOWN,
        "prepared": FAIL,
        "locks": UNKNOWN,
    }
    assert "too slow" in found["sessions"].fact
    assert "lost" in found["locks"].fact
    assert "gid" in found["prepared"].fact
    assert answers(prepared=None)["prepared"].state is UNKNOWN


def lock(**changed: Any) -> RelationLock:
    """A lock of the session of the cases."""
    return RelationLock(
        **{"pid": 4711, "relation": 20_000, "mode": "AccessShareLock", "granted": True, **changed}
    )


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (lock(), PASS),
        (lock(mode="RowExclusiveLock"), PASS),
        (lock(mode="ShareUpdateExclusiveLock"), PASS),
        (lock(mode="ShareLock"), FAIL),
        (lock(mode="ShareRowExclusiveLock"), FAIL),
        (lock(mode="ExclusiveLock"), FAIL),
        (lock(mode="AccessExclusiveLock"), FAIL),
        (lock(mode="AccessExclusiveLock", pid=None), FAIL),
        (lock(mode="AccessExclusiveLock", relation=1_249), FAIL),  # a table of the catalogue
        (lock(mode="AccessExclusiveLock", relation=30_000), PASS),  # somebody's temporary table
    ],
)
def test_locks_under_which_nobody_writes(given: RelationLock, state: StandingState) -> None:
    """On tables of the suite's schemas, and on the catalogue."""
    assert answers(session(), locks=(given,))["locks"].state is state


def test_an_autovacuum_gives_way() -> None:
    """It is cancelled by whoever waits for it, also in the moment in which it locks the table."""
    worker = session(kind="autovacuum worker")
    assert answers(worker, locks=(lock(mode="AccessExclusiveLock"),))["locks"].state is PASS


@pytest.mark.parametrize(("waited", "state"), [(1.0, PASS), (1.1, FAIL), (None, FAIL)])
def test_a_queue_is_there_already(waited: float | None, state: StandingState) -> None:
    """A wait whose length is not known is one, too."""
    waits = lock(granted=False, waited=waited, blocked_by=(12, 13))
    found = answers(session(), locks=(waits,))["waits"]
    assert found.state is state
    assert state is PASS or ("orders" in found.fact and "12, 13" in found.fact)


def test_ages_are_never_rounded_down() -> None:
    """Nothing reads as younger than it is, and what lies ahead of the clock is not young."""
    assert age_words(0) == "0 s"
    assert age_words(59.1) == "1 min"
    assert age_words(3_600 * 25 + 1) == "1 d 1 h"
    assert age_judged(AT - timedelta(seconds=60), AT, 60)[0] is PASS
    assert age_judged(AT - timedelta(seconds=61), AT, 60)[0] is FAIL
    assert age_judged(AT + timedelta(seconds=5), AT, 60)[0] is PASS
    assert age_judged(AT + timedelta(seconds=6), AT, 60)[0] is UNKNOWN


@pytest.mark.parametrize(
    ("least", "most", "state"),
    [
        (-0.1, 0.1, PASS),
        (-5.0, 5.0, PASS),
        (5.1, 5.2, FAIL),
        (-5.2, -5.1, FAIL),
        (4.0, 6.0, UNKNOWN),
        (-9.0, 9.0, UNKNOWN),
    ],
)
def test_clocks_that_may_agree_are_not_said_to(least: float, most: float, state: StandingState) -> None:
    """The truth lies between the two; only if both ends agree, all do."""
    assert clock_judged(least, most, 5).state is state


def mixtures() -> Iterator[Any]:
    """Records of every verdict."""
    yield record(item(PASS))
    yield record(item(FAIL, "line\nbreak \x1b[31m", rows=((("pid", "1"), ("user", "\u202e")),)), item(WORK))
    yield record()


@pytest.mark.parametrize("made", [*mixtures()])
def test_a_record_reads_back_and_cannot_be_edited(made: Any) -> None:
    """Writing loses nothing; another byte is refused."""
    text = preflight_to_json(made)
    assert preflight_from_json(text) == made
    changed = text.replace('"shop"', '"shoq"', 1).replace('"items": [', '"items":  [', 1)
    with pytest.raises(RecordError):
        preflight_from_json(changed)
