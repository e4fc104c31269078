"""The console of a run: golden texts, a terminal's width, and what -q must name."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from dataclasses import replace

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from judged_cases import everything
from rich.console import Console
from sides import contracts
from test_comparison_laws import LAW, judged, pairs
from test_report_page import make_run

from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.promise import State
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.result import UNANSWERED, Evidence, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.report.console import print_run
from kisaan_validate.report.console_checks import KEYS, keys_in_line, print_checks_in_need
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.verdict.judgement import JUDGED, judge

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
    """Each failing or unanswered check, each promise not kept or unknown, each group without a promise."""
    made = judged(*sides, contract)
    lines = printed(made, quiet=True).splitlines()
    for _, result in pairs_of(made.run):
        if result.status in {Status.FAIL, *UNANSWERED}:
            assert f"{result.status.value:<6}{result.check_id}" in lines
    for promise, outcome in made.in_state(*JUDGED, State.UNKNOWN):
        assert f"promise {outcome.state.value}: {promise.id}" in lines
    assert sum(line.startswith("unexplained  ") for line in lines) == len(made.open_groups)
    assert any(line.startswith(made.verdict.value) for line in lines)


def test_a_check_whose_result_was_lost_is_named() -> None:
    """Nothing is known about it: it counts as an error, in every mode."""
    for quiet, verbose in MODES.values():
        text = printed(everything(), quiet=quiet, verbose=verbose)
        assert "orders.lost" in text
        assert "2 error, 1 skip" in text
        assert "3 checks without an answer" in text


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
