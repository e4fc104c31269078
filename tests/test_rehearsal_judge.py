"""The verdict of a rehearsal, enumerated: each fact that can go wrong or be missing, alone, on a clean one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rehearsal_cases import clean, everything

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import DIGEST, ROWS, VALUES, Change
from kisaan_validate.facts.rehearsal import CanaryAccess, FileState, MigratedFile, NotTried, RuleFinding
from kisaan_validate.facts.rehearsed import (
    AgainState,
    InterruptedPoint,
    InterruptedReview,
    OldAppAnswer,
    QueryReview,
    QueryState,
    ReasonKind,
    RehearsalStep,
    Rehearsed,
    RollbackWay,
    Sameness,
    StepState,
    TwiceReview,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.sameness import change_words

FINDING = RuleFinding("rewrite", "A table is rewritten", (1,), ("orders",), "orders is", "do not")

WARNING = replace(FINDING, severity=Severity.WARNING)


def rehearsal(found: Rehearsed, **more: Any) -> Rehearsed:
    """With another part of what was measured."""
    return replace(found, rehearsal=replace(found.rehearsal, **more))


def alone(found: Rehearsed, **more: Any) -> Rehearsed:
    """With another run alone."""
    return rehearsal(found, alone=replace(found.rehearsal.alone, **more))


def rolled(found: Rehearsed, way: RollbackWay, **more: Any) -> Rehearsed:
    """With one rollback changed."""
    return replace(found, rollback=tuple(replace(r, **more) if r.way is way else r for r in found.rollback))


def query(found: Rehearsed, state: QueryState) -> Rehearsed:
    """With one query in this state."""
    assert found.queries is not None
    (plan,) = found.queries.plans
    return replace(found, queries=replace(found.queries, plans=(replace(plan, state=state, error="gone"),)))


def point(found: Rehearsed, state: AgainState, **more: Any) -> Rehearsed:
    """With one interruption that came to this."""
    return replace(found, interrupted=InterruptedReview((InterruptedPoint(1, "x", state, "why", **more),), 1))


FAILED_FILE = (MigratedFile("1.sql", "", FileState.FAILED, 1.0, "42P01", "relation does not exist"),)
GAVE_UP = (MigratedFile("1.sql", "", FileState.FAILED, 1.0, "55P03", "canceling statement"),)


def beside(found: Rehearsed, files: Any) -> Rehearsed:
    """With a migration that failed beside the reader."""
    run = found.rehearsal.beside_reader
    assert run is not None
    return rehearsal(
        found, beside_reader=replace(run, migration=replace(run.migration, succeeded=False, files=files))
    )


FAIL: dict[str, tuple[Callable[[Rehearsed], Rehearsed], ReasonKind]] = {
    "the migration failed": (
        lambda f: alone(
            f, migration=replace(f.rehearsal.alone.migration, succeeded=False, files=FAILED_FILE)
        ),
        ReasonKind.MIGRATION,
    ),
    "it failed beside a reader": (lambda f: beside(f, FAILED_FILE), ReasonKind.MIGRATION),
    "a promise was broken": (
        lambda f: replace(f, contract=replace(f.contract, verdict=Verdict.FAIL, broken=("p",))),
        ReasonKind.CONTRACT,
    ),
    "a failure without a reason": (
        lambda f: replace(f, contract=replace(f.contract, verdict=Verdict.FAIL)),
        ReasonKind.CONTRACT,
    ),
    "it wedges": (lambda f: point(f, AgainState.WEDGED), ReasonKind.INTERRUPTED),
    "it ends differently": (lambda f: point(f, AgainState.DIFFERS), ReasonKind.INTERRUPTED),
    "a rule is broken": (lambda f: rehearsal(f, findings=(FINDING,)), ReasonKind.RULE),
    "a query no longer plans": (lambda f: query(f, QueryState.BROKEN), ReasonKind.QUERY),
    "the proper rollback does not restore": (
        lambda f: rolled(f, RollbackWay.PROPER, same=Sameness(False, ("orders",))),
        ReasonKind.ROLLBACK,
    ),
}

OPEN: dict[str, tuple[Callable[[Rehearsed], Rehearsed], ReasonKind]] = {
    "stopped": (lambda f: replace(f, interrupted_by="SIGINT"), ReasonKind.REHEARSAL),
    "a step failed": (
        lambda f: replace(f, steps=(RehearsalStep("x", StepState.FAILED, 0, "y"),)),
        ReasonKind.REHEARSAL,
    ),
    "a step was left out": (
        lambda f: replace(f, steps=(RehearsalStep("x", StepState.SKIPPED),)),
        ReasonKind.REHEARSAL,
    ),
    "no suite": (
        lambda f: replace(f, contract=replace(f.contract, verdict=None, reason="none")),
        ReasonKind.CONTRACT,
    ),
    "no contract": (lambda f: replace(f, contract=replace(f.contract, contract="")), ReasonKind.CONTRACT),
    "a check without an answer": (
        lambda f: replace(f, contract=replace(f.contract, open=("x",))),
        ReasonKind.CONTRACT,
    ),
    "an inconclusive run": (
        lambda f: replace(f, contract=replace(f.contract, verdict=Verdict.INCONCLUSIVE)),
        ReasonKind.CONTRACT,
    ),
    "a gap in the tape": (
        lambda f: alone(f, tape=replace(f.rehearsal.alone.tape, gaps=("x",))),
        ReasonKind.TAPE,
    ),
    "a gap of the canaries": (
        lambda f: alone(f, canaries=replace(f.rehearsal.alone.canaries, gaps=("x",))),
        ReasonKind.CANARIES,
    ),
    "a table that was not tried": (
        lambda f: alone(
            f,
            canaries=replace(
                f.rehearsal.alone.canaries, not_tried=(NotTried("x", CanaryAccess.WRITE, "no row"),)
            ),
        ),
        ReasonKind.CANARIES,
    ),
    "no open reader": (
        lambda f: rehearsal(f, beside_reader=None, reader_reason="not asked"),
        ReasonKind.OUTAGE,
    ),
    "something not proved": (lambda f: rehearsal(f, not_proved=("x",)), ReasonKind.REHEARSAL),
    "left out of the copy": (
        lambda f: replace(f, dump=replace(f.dump, left_out=("event trigger x",))),
        ReasonKind.REHEARSAL,
    ),
    "no queries were named": (lambda f: replace(f, queries=None), ReasonKind.QUERY),
    "queries were not planned": (
        lambda f: replace(f, queries=QueryReview("x", reason="15")),
        ReasonKind.QUERY,
    ),
    "there was no query": (lambda f: replace(f, queries=QueryReview("x")), ReasonKind.QUERY),
    "a query of which nothing is known": (lambda f: query(f, QueryState.UNKNOWN), ReasonKind.QUERY),
    "no rollback": (lambda f: replace(f, rollback=()), ReasonKind.ROLLBACK),
    "a rollback that was not compared": (
        lambda f: rolled(f, RollbackWay.LITERAL, same=Sameness(None, unknown=("x",))),
        ReasonKind.ROLLBACK,
    ),
    "a rollback that could not be done": (
        lambda f: rolled(f, RollbackWay.PROPER, same=None, reason="x"),
        ReasonKind.ROLLBACK,
    ),
    "not interrupted": (
        lambda f: replace(f, interrupted=InterruptedReview(reason="x")),
        ReasonKind.INTERRUPTED,
    ),
    "no change to interrupt": (
        lambda f: replace(f, interrupted=InterruptedReview()),
        ReasonKind.INTERRUPTED,
    ),
    "an interruption that tells nothing": (lambda f: point(f, AgainState.UNKNOWN), ReasonKind.INTERRUPTED),
    "not twice": (lambda f: replace(f, twice=TwiceReview(reason="x")), ReasonKind.TWICE),
    "twice, not compared": (
        lambda f: replace(f, twice=replace(f.twice, same=None)),
        ReasonKind.TWICE,
    ),
    "twice, not known": (
        lambda f: replace(f, twice=replace(f.twice, same=Sameness(None, unknown=("x",)))),
        ReasonKind.TWICE,
    ),
    "a previous build that was not tried": (
        lambda f: replace(f, old_app=OldAppAnswer("x", "/", None, reason="y")),
        ReasonKind.OLD_APP,
    ),
}

WARN: dict[str, tuple[Callable[[Rehearsed], Rehearsed], ReasonKind]] = {
    "the runbook's rollback does not restore": (
        lambda f: rolled(f, RollbackWay.LITERAL, same=Sameness(False, ("orders",))),
        ReasonKind.ROLLBACK,
    ),
    "a rule that only warns": (lambda f: rehearsal(f, findings=(WARNING,)), ReasonKind.RULE),
    "a wedge that was waived": (
        lambda f: point(f, AgainState.WEDGED, waived="agreed"),
        ReasonKind.INTERRUPTED,
    ),
    "another result that only warns": (
        lambda f: point(f, AgainState.DIFFERS, severity=Severity.WARNING),
        ReasonKind.INTERRUPTED,
    ),
    "the previous build does not work": (
        lambda f: replace(f, old_app=OldAppAnswer("x", "/", False)),
        ReasonKind.OLD_APP,
    ),
    "a query is dearer": (lambda f: query(f, QueryState.DEARER), ReasonKind.QUERY),
    "a query needs ANALYZE": (lambda f: query(f, QueryState.NEEDS_ANALYZE), ReasonKind.QUERY),
    "twice leaves something else": (
        lambda f: replace(f, twice=replace(f.twice, same=Sameness(False, ("x",)))),
        ReasonKind.TWICE,
    ),
    "twice notes it twice": (
        lambda f: replace(f, twice=replace(f.twice, duplicates=("1.sql",))),
        ReasonKind.TWICE,
    ),
    "it gives up beside a reader by its lock_timeout": (lambda f: beside(f, GAVE_UP), ReasonKind.OUTAGE),
    "two runs differ": (lambda f: replace(f, unsteady=("x",)), ReasonKind.REHEARSAL),
}


def test_a_clean_rehearsal_passes() -> None:
    """With nothing to fail, nothing open and nothing to warn of."""
    judged = judge_rehearsal(clean())
    assert (judged.verdict, judged.failures, judged.open, judged.warnings) == (Verdict.PASS, (), (), ())


@pytest.mark.parametrize("case", FAIL)
def test_it_fails(case: str) -> None:
    """By this alone, and the reason says so."""
    change, kind = FAIL[case]
    judged = judge_rehearsal(change(clean()))
    assert judged.verdict is Verdict.FAIL
    assert [reason.kind for reason in judged.failures] == [kind]


@pytest.mark.parametrize("case", OPEN)
def test_it_is_inconclusive(case: str) -> None:
    """What was not done or is not known keeps it from passing, by name; beside a failure it still is said."""
    change, kind = OPEN[case]
    judged = judge_rehearsal(change(clean()))
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert kind in {reason.kind for reason in judged.open}
    assert all(reason.words for reason in judged.open)
    both = judge_rehearsal(rehearsal(change(clean()), findings=(FINDING,)))
    assert both.verdict is Verdict.FAIL
    assert kind in {reason.kind for reason in both.open}


@pytest.mark.parametrize("case", WARN)
def test_it_warns(case: str) -> None:
    """And passes: people must know it, but it is no fault of the migration's result."""
    change, kind = WARN[case]
    judged = judge_rehearsal(change(clean()))
    assert judged.verdict is Verdict.PASS
    assert kind in {reason.kind for reason in judged.warnings}


def test_a_waived_finding_does_not_fail() -> None:
    """It is a known one; another beside it still fails."""
    waived = replace(FINDING, waived="agreed")
    assert judge_rehearsal(rehearsal(clean(), findings=(waived,))).verdict is Verdict.PASS
    assert judge_rehearsal(rehearsal(clean(), findings=(waived, FINDING))).verdict is Verdict.FAIL


def test_what_nobody_can_read_is_not_green() -> None:
    """A page and a receipt that could not be written keep a clean rehearsal from passing, and no bad one from
    failing.
    """
    assert judge_rehearsal(clean(), kept=False).verdict is Verdict.INCONCLUSIVE
    assert judge_rehearsal(rehearsal(clean(), findings=(FINDING,)), kept=False).verdict is Verdict.FAIL


def test_alone_a_lock_timeout_is_a_failure() -> None:
    """Only beside a reader it is what a migration should do."""
    found = clean()
    done = replace(found.rehearsal.alone.migration, succeeded=False, files=GAVE_UP)
    assert judge_rehearsal(alone(found, migration=done)).verdict is Verdict.FAIL


def test_all_at_once() -> None:
    """Every failure stands among the reasons, none hides another."""
    judged = judge_rehearsal(everything())
    assert judged.verdict is Verdict.FAIL
    assert [reason.kind.value for reason in judged.failures] == [
        "migration",
        "migration",
        "contract",
        "contract",
        "contract",
        "rule",
        "interrupted",
        "interrupted",
        "query",
    ]


def test_other_values_are_said_without_their_digest() -> None:
    """A digest says nothing to people; every other aspect is named."""
    said = [
        change_words(Change(*what, "1", "2"))
        for what in (
            (VALUES, "orders", "total", DIGEST),
            (ROWS, "orders", "", DIGEST),
            ("column", "orders", "total", "type"),
        )
    ]
    assert said == ["values of orders.total differ", "rows of orders differ", "column orders.total: type"]
