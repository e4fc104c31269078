"""The console of a run: golden texts, a terminal's width, and what -q must name."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from judged_cases import everything
from rich.console import Console
from rich.text import Text
from sides import contracts
from test_comparison_laws import LAW, judged, pairs
from test_headlines import counting, graded
from test_headlines import made as judgement
from test_report_page import make_run
from test_ties import HERE, alone, failing, told, wide

from kisaan_validate.compare.moves import CHANGED
from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.promise import Outcome, State
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.differences import Change, CheckMove, Origin, Transition
from kisaan_validate.facts.proved import TableProved
from kisaan_validate.facts.result import UNANSWERED, Evidence, FailOn, Result, Settled, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection
from kisaan_validate.facts.totals import ControlTotal, GroupPart
from kisaan_validate.report.console import print_run
from kisaan_validate.report.console_checks import KEYS, keys_in_line, print_checks_in_need, print_names
from kisaan_validate.report.console_parts import new_console, print_line
from kisaan_validate.report.standing import keys_told
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.verdict.judgement import JUDGED, Judgement, judge
from kisaan_validate.verdict.waivers import Use, Waived, Waiver

GOLDEN = ROOT / "tests" / "golden" / "console"
MODES = {"usual": (False, False), "verbose": (False, True), "quiet": (True, False)}


def printed(made: object, *, quiet: bool = False, verbose: bool = False) -> str:
    """What a pipe gets."""
    out = io.StringIO()
    with redirect_stdout(out):
        print_run(made, None, quiet=quiet, verbose=verbose)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("mode", MODES)
def test_golden_console(mode: str) -> None:
    """Every kind of line, as a person reads it."""
    quiet, verbose = MODES[mode]
    text, golden = printed(everything(), quiet=quiet, verbose=verbose), GOLDEN / f"{mode}.txt"
    if os.environ.get("KISAAN_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), "read it, then: KISAAN_GOLDEN=1 pytest -k golden"


@given(pairs(), contracts())
@LAW
def test_quiet_names_all_that_keeps_a_run_from_passing(sides: tuple[Run, Run], contract: Contract) -> None:
    """Each failing or unanswered check, each promise not kept or open, each group without a promise, each
    comparison that could not be made.
    """
    made = judged(*sides, contract)
    lines = printed(made, quiet=True).splitlines()
    for _, result in pairs_of(made.run):
        if result.status in {Status.FAIL, *UNANSWERED}:
            assert f"{result.status.value:<6}{result.check_id}" in lines
    for promise, outcome in (*made.in_state(*JUDGED), *made.open_promises):
        assert f"promise {outcome.state.value}: {promise.id}" in lines
    assert sum(line.startswith("promise ") for line in lines) == len(
        [*made.in_state(*JUDGED), *made.open_promises]
    )
    assert sum(line.startswith("cannot tell  ") for line in lines) == len(made.untold)
    assert sum(line.startswith("unexplained  ") for line in lines) == len(made.open_groups)
    assert any(line.startswith(made.verdict.value) for line in lines)


def named(made: Judgement) -> list[str]:
    """What -q prints before the verdict."""
    out = io.StringIO()
    with redirect_stdout(out):
        print_names(Console(file=out, width=160), made)
    return out.getvalue().splitlines()


def test_quiet_names_the_gravest_first_and_nothing_that_fails_no_run() -> None:
    """A waiver that holds excuses a failure, one that does not excuses nothing; differences that no contract
    judges, and promises that may be missing, keep no run from passing.
    """
    checks = [failing("t.a.x"), told("t.b.y"), counting(failing("t.c.z"), None)]
    checks[2] = checks[2][0], replace(checks[2][1], status=Status.ERROR)
    checks[1] = graded(checks[1], Severity.WARNING)
    waiver = Waiver("t.a.x", "known", "finance", date(2026, 1, 1), rows=2)
    for use in Use:
        made = judgement(*reversed(checks), waived={"t.a.x": Waived(waiver, use, "")})
        wanted = ["fail  t.a.x", "fail  t.b.y", "error t.c.z"]
        assert named(made) == (wanted[1:] if use is Use.HOLDS else wanted)
    assert named(judgement(groups=alone(HERE), contract=None)) == []
    absent, optional = wide("p", "t.a"), replace(wide("q", "t.a"), optional=True)
    promises = [(promise, Outcome(State.NOT_APPLICABLE)) for promise in (absent, optional)]
    assert named(judgement(promises=promises)) == ["promise not applicable: p"]


def test_a_check_whose_result_was_lost_is_named() -> None:
    """Nothing is known about it: it counts as an error, in every mode."""
    for quiet, verbose in MODES.values():
        text = printed(everything(), quiet=quiet, verbose=verbose)
        assert "orders.lost" in text
        assert "2 error, 1 skip" in text
        assert "3 checks without an answer" in text


def test_a_name_of_two_lines_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is named so could print the verdict that it likes."""
    name = "t\nPASS          12 pass"
    check = Check(f"{name}.k", name, (), Form.ROW, "k", "a claim", origin="checks/t.py:1")
    result = Result(check.id, Status.FAIL, 5, 9, Evidence.SCANNED, settled=Settled(6, 5, 1, 0))
    run = replace(make_run([check], [result]), proved=(TableProved(name, None),))
    for quiet, verbose in MODES.values():
        print_run(judge(run), None, quiet=quiet, verbose=verbose)
        lines = capsys.readouterr().out.splitlines()
        assert not [line for line in lines if line.startswith("PASS")]
        assert [line for line in lines if line.startswith("FAIL")]


@pytest.mark.parametrize("width", [40, 80, 132])
def test_a_terminal_s_width_is_kept(width: int) -> None:
    """No line of a check is wrapped: what does not fit is cut at its end, and a pipe gets it whole."""
    long = Check("t" * 70 + ".long", "t", (), Form.ROW, "k", "a claim " * 30, origin="checks/t.py:1")
    result = Result(long.id, Status.FAIL, 5, 9, Evidence.SCANNED, key=("id",), sample=((("id", "7"),),))
    made = judge(make_run([long], [result]))
    out = io.StringIO()
    print_checks_in_need(
        Console(file=out, width=width, force_terminal=True, no_color=True), made, verbose=False
    )
    lines = [line for line in out.getvalue().splitlines() if line]
    assert len(lines) == 2
    plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines]
    assert max(map(len, plain)) <= width
    assert "5 of 9" in printed(made)
    assert "a claim " * 29 in printed(made)


@given(st.lists(st.text(max_size=60) | st.none(), min_size=1, max_size=8, unique=True))
@LAW
def test_two_keys_never_look_alike(values: list[str | None]) -> None:
    """The first keys are named, as many as are shown, and what is left is counted exactly."""
    rows = tuple((("id", value),) for value in values)
    result = Result("c", Status.FAIL, len(values), 100, sample=rows, key=("id",))
    shown = {keys_in_line(replace(result, sample=(row,), violations=1)) for row in rows}
    assert len(shown) == len(values)
    left = len(values) - KEYS
    assert keys_in_line(result).endswith(f"and {left} more") == (left > 0) or left <= 0


def keyed(*rows: tuple[tuple[str, str | None], ...], of: int = 2, **more: object) -> str:
    """The keys of these violating rows in a line."""
    key = tuple(name for name, _ in rows[0])
    result = Result("c", Status.FAIL, of, 100, sample=rows, key=key)
    return keys_in_line(replace(result, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "NULL"),
        ("NULL", "'NULL'"),
        ("null", "'null'"),
        ("", "''"),
        ("7", "7"),
        ("2025-10-18T02:00:00+05:30", "2025-10-18T02:00:00+05:30"),
        ("a b", "'a b'"),
        ("a, id b", "'a, id b'"),
        ("é", "é"),
        ("a\u200bb", "'a[U+200B]b'"),
        ("a[U+200B]b", "'a[U+200B]b'"),
    ],
)
def test_a_key_is_bare_only_where_nothing_in_it_could_be_the_line_s(value: str | None, said: str) -> None:
    """NULL is no text, and the empty text is no NULL."""
    assert keyed((("id", value),), of=1) == f"id {said}"


def test_three_keys_are_named_and_the_rest_is_counted() -> None:
    """A key of one column is named once, a key of several in each row; what is no key is left out."""
    rows = tuple((("id", str(n)),) for n in range(5))
    assert keyed(*rows, of=1_234) == "id 0, 1, 2 and 1,231 more"
    assert keyed(*rows[:3], of=3) == "id 0, 1, 2"
    assert keyed((("a", "1"), ("b", None)), (("a", "2"), ("b", ""))) == "(a 1, b NULL), (a 2, b '')"
    assert keyed((("id", "1"), ("note", "x")), key=("id",), of=1) == "id 1"
    assert keyed(rows[0], of=1, status=Status.TOLERATED) == "id 0"
    for silent in ({"status": Status.PASS}, {"key": ()}, {"sample": ()}):
        assert keyed(rows[0], **silent) == ""


def test_a_key_that_stands_for_several_rows_is_one_key() -> None:
    """Three keys for six rows: if all were recorded there are no more; if not, they were not counted."""
    rows = tuple((("a", str(n)), ("rows_found", "3")) for n in range(3))
    result = Result("c", Status.FAIL, 6, 100, sample=rows, key=("a",))
    assert keys_in_line(replace(result, sample_complete=True)) == "a 0, 1, 2"
    assert keys_in_line(result) == "a 0, 1, 2 and more"
    assert keys_told(result, 2)[-1] == "… and more"
    assert keys_told(replace(result, sample_complete=True), 2)[-1] == "… and 1 more"
    assert len(keys_told(replace(result, sample_complete=True), 3)) == 3
    one = replace(result, sample=tuple((("a", str(n)), ("rows_found", "1")) for n in range(3)))
    assert keys_in_line(one) == "a 0, 1, 2 and 3 more"
    column = replace(result, key=("rows_found",))
    assert keys_in_line(column) == "rows_found 3, 3, 3 and 3 more"


def lines_of(*checks: tuple[Check, Result], verbose: bool = False, **more: object) -> list[str]:
    """The lines of checks, in a pipe."""
    out = io.StringIO()
    made = judgement(*checks, **more)
    print_checks_in_need(Console(file=out, width=160), made, verbose=verbose)
    return [line for line in out.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("transition", "before", "after", "said"),
    [
        (Transition.NEWLY_FAILING, 0, 2, "new"),
        (Transition.STILL_FAILING, 2, 2, "known"),
        (Transition.STILL_FAILING, 1_234, 2, "known (was 1,234)"),
        (Transition.STILL_FAILING, None, 2, "known"),
        (Transition.UNKNOWN, 1, 2, "not comparable"),
    ],
)
def test_since_when_a_check_fails_stands_behind_its_count(
    transition: Transition, before: int | None, after: int, said: str
) -> None:
    """New, known, or not comparable, with the earlier number where it is another."""
    move = CheckMove("t.a.x", transition, before, after)
    head = lines_of(failing("t.a.x"), moves={"t.a.x": move})[0]
    assert head == f"fail  blocking  t.a.x  2 of 9  {said}"


def test_what_was_fixed_is_said_and_what_still_holds_is_not() -> None:
    """With --verbose, which lists the checks that hold."""
    check = failing("t.a.x")
    passing = check[0], replace(check[1], status=Status.PASS, violations=0)
    for transition, said in ((Transition.FIXED, "  fixed (was 2)"), (Transition.STILL_PASSING, "")):
        move = CheckMove("t.a.x", transition, 2, 0)
        assert lines_of(passing, verbose=True, moves={"t.a.x": move})[0] == (
            f"pass  blocking  t.a.x  0 of 9{said}"
        )
    assert lines_of(passing) == []


def test_checks_come_by_gravity_new_before_old_rows_before_the_catalogue() -> None:
    """And what is not counted in rows does not say so."""
    checks = [
        told("t.d.x"),
        failing("t.c.x"),
        failing("t.b.x", form=Form.QUERY),
        graded(failing("t.e.x"), Severity.WARNING),
        failing("t.a.x"),
    ]
    moves = {"t.a.x": CheckMove("t.a.x", Transition.NEWLY_FAILING, 0, 2, origin=Origin.SINCE)}
    heads = [line.split() for line in lines_of(*checks, moves=moves) if line.startswith("fail")]
    assert [words[2] for words in heads] == ["t.a.x", "t.c.x", "t.b.x", "t.d.x", "t.e.x"]
    assert [" ".join(words[3:6]) for words in heads[:4]] == ["2 of 9", "2 of 9", "2 in 9", "–"]


def test_a_long_list_is_cut_and_says_by_how_many() -> None:
    """Twenty checks; all with --verbose."""
    checks = [failing(f"t.c{n:02}.x") for n in range(23)]
    shown = lines_of(*checks)
    assert sum(line.startswith("fail") for line in shown) == 20
    assert shown[-1].strip() == "… and 3 more; see the report, or pass --verbose"
    assert sum(line.startswith("fail") for line in lines_of(*checks, verbose=True)) == 23


def test_psql_repeats_failing_checks_only() -> None:
    """With --verbose."""
    check = failing("t.a.x", sql="SELECT 1")
    passing = failing("t.b.x", sql="SELECT 2", status=Status.PASS, violations=0)
    shown = "\n".join(lines_of(check, passing, verbose=True))
    assert "psql -X -v ON_ERROR_STOP=1 -c 'SELECT 1'" in shown
    assert "SELECT 2" not in shown
    assert "SELECT 1" not in "\n".join(lines_of(check))


def test_a_check_that_holds_says_what_was_believed() -> None:
    """And nothing else: its line says enough."""
    passing = failing("t.b.x", "a claim", status=Status.PASS, violations=0)
    assert len(lines_of(passing, verbose=True)) == 1
    trusted = passing[0], replace(passing[1], trusted="index i")
    assert "by index i" in lines_of(trusted, verbose=True)[1]


def test_a_pipe_gets_whole_lines_and_a_terminal_cut_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless --verbose asks for all."""
    line = Text("x" * 300)
    for verbose in (False, True):
        print_line(new_console(), line, verbose)
        assert capsys.readouterr().out == "x" * 300 + "\n"
        out = io.StringIO()
        print_line(Console(file=out, width=80, force_terminal=True, no_color=True), line, verbose)
        assert (out.getvalue() == "x" * 300 + "\n") is verbose
        assert verbose or max(map(len, out.getvalue().splitlines())) == 80


def usual(made: Judgement, **mode: bool) -> list[str]:
    """The lines of a whole run."""
    return printed(made, **mode).splitlines()


def test_what_a_run_leans_on_is_said_in_every_mode() -> None:
    """Part of the suite, new failures only, an interruption, belief, totals without an answer."""
    checks = failing("t.a.x", trusted="index i"), failing("t.b.y")
    made = judgement(*checks)
    total = ControlTotal("t", "amount", (GroupPart("shop"),), message="canceled")
    run = replace(
        made.run,
        selection=Selection(("money",), partial=True),
        suite=replace(made.run.suite, total_checks=9),
        fail_on=FailOn.NEW,
        interrupted="interrupted by SIGTERM",
        totals=(total, replace(total, message="")),
    )
    for quiet, verbose in MODES.values():
        text = printed(replace(made, run=run), quiet=quiet, verbose=verbose)
        assert "only new failures count (--fail-on new)" in text
        assert "PARTIAL: 2 of 9 checks" in text
        assert "        1 check relies on an index or constraint: not all rows were read" in text
        assert text.count("no answer to the control total") == 1
        assert "        interrupted by SIGTERM; what was measured before is kept" in text
        for said in ("--fail-on new", "PARTIAL", "relies", "control total", "interrupted"):
            assert said not in printed(judgement(failing("t.b.y")), quiet=quiet, verbose=verbose)


def test_what_to_do_is_said_once_with_the_checks_that_it_helps() -> None:
    """Of checks without an answer; three by name."""
    lost = [failing(f"t.c{n}.x", status=Status.SKIP, hint="grant SELECT") for n in range(5)]
    lines = usual(judgement(*lost, failing("t.d.x", hint="fix it")))
    assert [line for line in lines if line.startswith("to do")] == [
        "to do   grant SELECT (t.c0.x, t.c1.x, t.c2.x and 2 more)"
    ]


def test_checks_that_mean_something_else_by_now_are_named() -> None:
    """They are judged as now written."""
    move = CheckMove("t.a.x", Transition.UNKNOWN, 1, 2, reason=CHANGED)
    lines = usual(judgement(failing("t.a.x"), moves={"t.a.x": move}))
    assert "rewritten  check t.a.x changed since the baseline; judged as now written" in lines


def test_what_went_is_named_with_its_remark() -> None:
    """A table, and a column."""
    remarks = {
        ("column", "t", "a", "removed"): "is it b?",
        ("table", "t", "t", "removed"): "is it u?",
    }
    lines = usual(judgement(remarks=remarks))
    assert "removed t.a: is it b?" in lines
    assert "removed t: is it u?" in lines


def test_promises_declared_as_one_are_one_line() -> None:
    """With how many they are, three of them, and how many more; all with --verbose, which shows kept ones too."""
    promises = [(wide(f"wide/t.c{n}", f"t.c{n}"), Outcome(State.NOT_DONE, "still int")) for n in range(5)]
    promises.append((wide("long", "t.z"), Outcome(State.KEPT, "done")))
    made = judgement(promises=promises)
    line = "promised but not done  wide  5 × t.c0: still int; t.c1: still int; t.c2: still int"
    assert f"{line}; … and 2 more" in usual(made)
    assert f"{line}; t.c3: still int; t.c4: still int" in usual(made, verbose=True)
    assert "kept  long  done" in usual(made, verbose=True)
    assert "kept  long  done" not in usual(made)
    assert "promises of c: 1 kept, 5 promised but not done" in usual(made)


def test_differences_are_cut_with_exact_numbers() -> None:
    """Ten groups; of the others how many there are, in how many tables."""
    changes = [Change("column", f"t{n % 4}", f"c{n:02}", "type", "a", "b") for n in range(13)]
    made = judgement(groups=alone(*changes))
    lines = usual(made)
    assert sum(line.startswith("unexplained  ") for line in lines) == 10
    assert "        … and 3 more in 3 tables; see the report, or pass --verbose" in lines
    assert sum(line.startswith("unexplained  ") for line in usual(made, verbose=True)) == 13
    assert sum(line.startswith("differs  ") for line in usual(replace(made, contract=None))) == 10
