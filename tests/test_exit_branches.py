"""Each branch that decides an exit code or a verdict, on facts alone: what outranks what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_report_page import _check, make_run

from kisaan_validate.cli import exits
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import Change, Unknown
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Evidence, Result, Status, Verdict
from kisaan_validate.facts.row_differences import RowDiff, TableDiff
from kisaan_validate.facts.run import Run, incomplete
from kisaan_validate.facts.table import Measured, TableFacts
from kisaan_validate.facts.totals import ControlTotal, GroupPart
from kisaan_validate.signoff.findings import Mark, Verified

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def a_run(*statuses: Status, severity: Severity = Severity.BLOCKING, **more: object) -> Run:
    """A run of checks with these outcomes."""
    checks = [_check(f"orders.c{n}", severity=severity) for n in range(len(statuses))]
    results = [
        Result(check.id, status, int(status is Status.FAIL), 9, Evidence.SCANNED)
        for check, status in zip(checks, statuses, strict=True)
    ]
    return make_run(checks, results, **more)  # type: ignore[arg-type]


GOOD = a_run(Status.PASS)
TOTAL = ControlTotal("orders", "total", (GroupPart("shop"),), message="canceled")


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (GOOD, PASS),
        (a_run(Status.TOLERATED), PASS),
        (a_run(Status.PASS, Status.NOT_APPLICABLE), PASS),
        (a_run(Status.PASS, Status.FAIL), FAIL),
        (a_run(Status.ERROR, Status.FAIL), FAIL),
        (replace(a_run(Status.FAIL), interrupted="SIGTERM"), FAIL),
        (a_run(Status.FAIL, severity=Severity.WARNING), PASS),
        (a_run(Status.FAIL, severity=Severity.INFO), PASS),
        (a_run(Status.PASS, Status.ERROR), INCONCLUSIVE),
        (a_run(Status.PASS, Status.SKIP), INCONCLUSIVE),
        (a_run(Status.ERROR, severity=Severity.INFO), INCONCLUSIVE),
        (replace(GOOD, checks=(*GOOD.checks, _check("lost"))), INCONCLUSIVE),
        (replace(GOOD, interrupted="SIGTERM"), INCONCLUSIVE),
        (replace(GOOD, halted="a blocking check failed"), INCONCLUSIVE),
        (replace(GOOD, totals=(TOTAL,)), INCONCLUSIVE),
        (replace(GOOD, totals=(replace(TOTAL, message=""),)), PASS),
        (a_run(Status.NOT_APPLICABLE), INCONCLUSIVE),
        (make_run([], []), INCONCLUSIVE),
    ],
)
def test_a_run_passes_only_if_all_was_answered_and_no_blocking_check_failed(
    run: Run, verdict: Verdict
) -> None:
    """A known failure outranks what has no answer; nothing examined proves nothing."""
    assert run.verdict is verdict
    if verdict is not FAIL:
        assert incomplete(run) is (verdict is INCONCLUSIVE)


def test_only_totals_that_were_not_measured_have_no_answer() -> None:
    """One that was is not among them."""
    told = replace(TOTAL, message="")
    assert replace(GOOD, totals=(told, TOTAL)).unanswered_totals == (TOTAL,)
    assert GOOD.unanswered_totals == ()


STOPPED = replace(a_run(Status.FAIL), interrupted="SIGTERM")
NOTHING = a_run(Status.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("run", "verdict", "recorded", "code"),
    [
        (GOOD, PASS, True, exits.PASSED),
        (GOOD, PASS, False, exits.INCONCLUSIVE),
        (GOOD, INCONCLUSIVE, True, exits.INCONCLUSIVE),
        (GOOD, FAIL, True, exits.FAILED),
        (GOOD, FAIL, False, exits.FAILED),
        (STOPPED, FAIL, True, exits.INCONCLUSIVE),
        (replace(GOOD, interrupted="SIGTERM"), PASS, True, exits.INCONCLUSIVE),
        (NOTHING, INCONCLUSIVE, True, exits.NOTHING),
        (NOTHING, PASS, True, exits.NOTHING),
        (NOTHING, FAIL, True, exits.FAILED),
        (replace(NOTHING, interrupted="SIGTERM"), INCONCLUSIVE, True, exits.INCONCLUSIVE),
    ],
)
def test_the_exit_code_of_a_run(run: Run, verdict: Verdict, recorded: bool, code: int) -> None:
    """An interruption outranks a failure, a failure outranks that nothing applied, and nothing unread or
    unproved is green.
    """
    assert exits.exit_code(run, verdict, recorded=recorded) == code


COUNTED = make_run([], [], (TableFacts("public", "t", "table", 1),))


def test_the_exit_code_of_a_baseline() -> None:
    """Green only if nothing of it is missing: what is not measured now cannot be measured later."""
    assert exits.baseline_exit_code(COUNTED, lost=False) == exits.PASSED
    missing = (
        replace(COUNTED, tables=(TableFacts("public", "t", "table", None, "locked"),)),
        replace(COUNTED, measured=(Measured("count:x:t", "t", message="division by zero"),)),
        replace(COUNTED, unread={"policy": "permission denied"}),
        replace(COUNTED, notices=(Notice("rows", "t", "no key"),)),
    )
    for run in missing:
        assert exits.baseline_exit_code(run, lost=False) == exits.INCONCLUSIVE, run
    assert exits.baseline_exit_code(COUNTED, lost=True) == exits.INCONCLUSIVE


def test_a_table_that_a_suite_leaves_out_and_that_was_not_counted_is_missing_too() -> None:
    """Nobody else would say it: it takes no part in a comparison."""
    run = replace(COUNTED, tables=(TableFacts("public", "tmp_x", "table", None, "locked"),))
    left_out = replace(run, suite=replace(run.suite, excluded_tables=("tmp_*",)))
    assert exits.baseline_exit_code(left_out, lost=False) == exits.INCONCLUSIVE


def test_what_is_left_over_is_not_green() -> None:
    """Of an import, an accepted contract, an index, a demonstration, a doctor, and formats."""
    numbers = (exits.import_exit_code, exits.accept_exit_code, exits.index_exit_code)
    assert [code(0) for code in numbers] == [exits.PASSED] * 3
    assert [code(1) for code in numbers] == [exits.INCONCLUSIVE] * 3
    assert [exits.demo_exit_code(wrong) for wrong in (False, True)] == [exits.PASSED, exits.FAILED]
    assert [exits.doctor_exit_code(number) for number in (0, 1)] == [exits.PASSED, exits.USAGE]
    assert [exits.formats_exit_code(whole) for whole in (True, False)] == [exits.PASSED, exits.USAGE]
    assert [exits.command_exit_code(given) for given in (None, 3, 0)] == [exits.PASSED, 3, exits.PASSED]


def verified(*marks: Mark) -> Verified:
    """A verification that found these."""
    made = Verified("run")
    for mark in marks:
        made.add(mark, "it", "is so")
    return made


def test_the_exit_code_of_a_verification() -> None:
    """What is wrong outranks what is not proved, in whichever run."""
    proved, open_, wrong = verified(Mark.PROVED, Mark.NOTE), verified(Mark.OPEN), verified(Mark.WRONG)
    assert exits.verify_exit_code([proved]) == exits.PASSED
    assert exits.verify_exit_code([proved, open_]) == exits.INCONCLUSIVE
    assert exits.verify_exit_code([open_, wrong, proved]) == exits.FAILED
    assert exits.verify_exit_code([verified(Mark.WRONG, Mark.OPEN)]) == exits.FAILED


SAME = TableDiff("t", ("id",), 1, 1, 0, 0, 0)
OPEN = replace(SAME, changed=None)
OTHER = replace(SAME, changed=1)


@pytest.mark.parametrize(
    ("found", "recorded", "code"),
    [
        (RowDiff("a", "b", (SAME,)), True, exits.PASSED),
        (RowDiff("a", "b", (SAME,)), False, exits.INCONCLUSIVE),
        (RowDiff("a", "b", (SAME, OPEN)), True, exits.INCONCLUSIVE),
        (RowDiff("a", "b", (SAME,), unknown=(Unknown("u", "locked"),)), True, exits.INCONCLUSIVE),
        (RowDiff("a", "b", (OTHER, OPEN)), True, exits.FAILED),
        (RowDiff("a", "b", (OTHER,)), False, exits.FAILED),
        (RowDiff("a", "b", (SAME,), (Change("index", "t", "i", "added", None, "i"),)), True, exits.FAILED),
        (RowDiff("a", "b"), True, exits.NOTHING),
        (RowDiff("a", "b"), False, exits.INCONCLUSIVE),
    ],
)
def test_the_exit_code_of_a_comparison(found: RowDiff, recorded: bool, code: int) -> None:
    """What is known to differ outranks what is unknown; an interruption outranks both."""
    assert exits.diff_exit_code(found, recorded=recorded) == code
    assert exits.diff_exit_code(found, recorded=recorded, interrupted=True) == exits.INCONCLUSIVE
