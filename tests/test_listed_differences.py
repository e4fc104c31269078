"""A comparison without a contract: every difference is listed wherever a run is shown, and what cannot be
told is not green.
"""

from __future__ import annotations

import csv as csv_reader
import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from conftest import Server
from helpers import examples, measuring, settings
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shop import Shop
from sides import contracts, moved, runs

from kisaan_validate import declare
from kisaan_validate.cli.exits import exit_code
from kisaan_validate.contract.load import Contract
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run, incomplete
from kisaan_validate.prove.run import run
from kisaan_validate.record.index import entry_of
from kisaan_validate.report.changed import answer_words
from kisaan_validate.report.console import print_run
from kisaan_validate.report.console_parts import MOST_LISTED
from kisaan_validate.report.findings import difference_findings
from kisaan_validate.report.formats import find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.report.index import _compared
from kisaan_validate.report.standing import ResultStanding
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import Judgement, answer_of, judge

LAW = hypothesis_settings(
    max_examples=examples(25),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def beside(draw: st.DrawFn, contract: bool = False) -> Judgement:
    """A random run, judged beside a random baseline; with a contract or (the default) without."""
    first: Run = draw(runs())
    second: Run = draw(moved(first) if draw(st.integers(0, 2)) else runs())
    promised: Contract | None = draw(contracts()) if contract else None
    before = replace(baseline_of(first), contract_digest=promised.digest if promised is not None else "")
    return judge(second, before, promised)


def said(judged: Judgement, *, verbose: bool) -> str:
    """What the console shows, each line as it is."""
    with redirect_stdout(io.StringIO()) as out:
        print_run(judged, None, quiet=False, verbose=verbose)
    return out.getvalue()


@given(beside())
@LAW
def test_differences_fail_nothing_and_what_cannot_be_told_passes_nothing(judged: Judgement) -> None:
    """Without a contract the verdict is FAIL only for failing checks, and PASS only if everything could be
    compared.
    """
    assert judged.diff is not None
    lost = [m for m in judged.diff.moves if m.reason.startswith("it was not run after")]
    event(judged.verdict.value)
    assert (judged.verdict is Verdict.FAIL) == bool(judged.failing)
    if judged.verdict is Verdict.PASS:
        assert not judged.diff.unknown
        assert not lost
        assert not incomplete(judged.run)
    elif judged.verdict is Verdict.INCONCLUSIVE:
        assert judged.diff.unknown or lost or incomplete(judged.run)


@given(beside(), beside(contract=True))
@LAW
def test_pass_never_stands_beside_something_that_cannot_be_told(
    alone: Judgement, promised: Judgement
) -> None:
    """The third answer of a run that passes is that there is nothing; the sentence says why a run is
    inconclusive.
    """
    for judged in (alone, promised):
        last = answer_words(judged)[-1]
        assert last.word == "cannot tell"
        if judged.verdict is Verdict.PASS:
            assert not last.some
            assert last.text.startswith("nothing")
        answer = answer_of(judged)
        assert answer is not None
        if answer.untold:
            assert judged.verdict is not Verdict.PASS
            assert last.some


@given(beside())
@LAW
def test_every_difference_is_listed_wherever_the_run_is_shown(judged: Judgement) -> None:
    """Console with -v, JSON, JUnit, CSV and page name each difference, table by table; GitHub and Markdown
    each cause; the console alone names ten causes, and counts the others exactly."""
    listed, found = judged.listed, difference_findings(judged)
    names = [f.name for f in found if f.standing is ResultStanding.LISTED]
    event(f"{min(len(listed), 20)} differences")
    assert len(names) == len(listed)
    facts = json.loads(find_format("json").render(judged))["judgement"]
    assert {(c["kind"], c["table"], c["name"], c["aspect"]) for c in facts["changes"]} == {
        c.key for c in listed
    }
    assert [c["table"] for c in facts["changes"]] == sorted(c["table"] for c in facts["changes"])
    assert all(c["explained_by"] is None for c in facts["changes"])
    cases = {case.get("name") for case in ET.fromstring(find_format("junit").render(judged)).iter("testcase")}
    rows = list(csv_reader.DictReader(io.StringIO(find_format("csv").render(judged), newline="")))
    assert set(names) <= cases
    assert [row["kind"] for row in rows].count("difference") == len(found)
    # People read these two: a line for each cause, not for each difference.
    assert find_format("github").render(judged).count("::notice title=") >= len(judged.groups)
    page = render_html(judged)
    lines = '<tr role="row"><th role="rowheader" scope="row">'
    assert page.count(lines, page.find('<section id="checks"'), page.find('<section id="coverage"')) == len(
        listed
    )
    markdown = find_format("markdown").render(judged)
    assert markdown.count(f"| {ResultStanding.LISTED.value} |") + left_out(markdown) >= len(judged.groups)


def left_out(markdown: str) -> int:
    """How many rows a capped table says it left out."""
    return sum(int(number.replace(",", "")) for number in re.findall(r"… and ([\d,]+) more", markdown))


@given(beside())
@LAW
def test_the_console_lists_ten_and_counts_the_rest(judged: Judgement) -> None:
    """Groups of differences shown and left out add up to all; -v names every difference."""
    groups = judged.open_groups
    for verbose in (False, True):
        lines = said(judged, verbose=verbose).splitlines()
        shown = [line for line in lines if line.startswith("differs ")]
        left = (
            re.search(r"… and ([\d,]+) more in", "\n".join(lines[lines.index(shown[-1]) :]))
            if shown
            else None
        )
        assert len(shown) == (len(groups) if verbose else min(len(groups), MOST_LISTED))
        assert (int(left[1]) if left else 0) == len(groups) - len(shown)
        single = sum(len(group.changes) == 1 for group in groups)
        below = sum(line.startswith("      ") and "·" not in line for line in lines)
        assert not verbose or below >= len(judged.listed) - single


def test_a_run_beside_a_baseline_names_what_differs(shop: Shop) -> None:
    """Twelve columns and a value come: exit 0; all differences stand on the console with -v, in JSON, and
    in the list of runs.
    """
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    shop.sql(
        "".join(f"ALTER TABLE other ADD c{n} int;" for n in range(10, 22))
        + "UPDATE orders SET total = 11 WHERE id = 1"
    )
    shown = shop.cli("run", "--baseline", "pre.json", "-v", "--format", "json=run.json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "since the baseline: 14 differences, judged by no contract" in shown.stdout
    for column in range(10, 22):
        assert re.search(rf"^      column c{column} added: integer$", shown.stdout, re.M), shown.stdout
    assert re.search(r"^      sum of total: 60\.00 → 61\.00 \(\+1\.00\)$", shown.stdout, re.M), shown.stdout
    facts = json.loads((shop.folder / "run.json").read_text())["judgement"]
    assert (facts["differences"], len(facts["changes"]), facts["answer"]["listed"]) == (14, 14, 14)
    assert "14 differences, judged by no contract" in (shop.folder / "reports" / "index.html").read_text()


T = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1), (2, 2); CREATE TABLE u (x int)"
CHECKED = (declare.holds("t", "id > 0", id="positive"), declare.holds("t", "n >= 0", id="n"))


def compared(server: Server, database: str, suite: Suite, baseline: Baseline) -> Judgement:
    """The database as it is, beside the baseline, without a contract."""
    return judge(
        run(suite, server.dsn(database), options=measuring(jobs=1, count_all=True, baseline=baseline)),
        baseline,
    )


@pytest.mark.parametrize(
    "way",
    ["digests of another version", "a table that the suite leaves out", "a check that is gone", "rows came"],
)
def test_what_cannot_be_told_is_inconclusive_without_a_contract(server: Server, way: str) -> None:
    """A baseline that no longer tells what it should makes no PASS: exit 3, with the reason by name, on
    the console and in JUnit.
    """
    database, suite = server.create(T), suite_of(*CHECKED)
    measured = run(suite, server.dsn(database), options=measuring(jobs=1, count_all=True, digests=True))
    baseline = baseline_of(measured)
    assert compared(server, database, suite, baseline).verdict is Verdict.PASS
    if way == "digests of another version":
        tables = tuple(
            replace(t, digests=replace(t.digests, check=("older", "0" * 64))) if t.digests else t
            for t in baseline.tables
        )
        baseline = replace(baseline, tables=tables)
    elif way == "a table that the suite leaves out":
        suite = suite_of(*CHECKED, settings=settings(exclude_tables=("u",)))
    elif way == "a check that is gone":
        suite = suite_of(CHECKED[0])
    else:
        server.sql("INSERT INTO u VALUES (1)", database)
    judged = compared(server, database, suite, baseline)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert exit_code(judged.run, judged.verdict) == 3
    shown = said(judged, verbose=False)
    assert re.search(r"^cannot tell: \d comparisons? not possible", shown, re.M), shown
    assert re.search(
        r"^cannot tell  (which rows of|which values of u|the rows of u|the check n)", shown, re.M
    ), shown
    assert re.search(r"^INCONCLUSIVE ", shown, re.M)
    made = find_format("junit").render(judged)
    assert re.search("with the baseline (was|were) not possible", made)
    assert ET.fromstring(made).get("errors") != "0"
    assert "could not be compared" in _compared(entry_of(judged, "f", "m", "d", page=False))
    server.drop(database)


def test_a_rewritten_check_has_an_answer_of_its_own(server: Server) -> None:
    """It is named, beside PASS: nothing of what is judged is open."""
    database = server.create(T)
    baseline = baseline_of(
        run(suite_of(*CHECKED), server.dsn(database), options=measuring(jobs=1, count_all=True))
    )
    judged = compared(server, database, suite_of(CHECKED[0], declare.holds("t", "n >= -1", id="n")), baseline)
    shown = said(judged, verbose=False)
    assert judged.verdict is Verdict.PASS
    assert "cannot tell: nothing that affects the verdict; earlier results of 1 check" in shown
    assert "rewritten  check n changed since the baseline; judged as now written" in shown
    server.drop(database)


def test_as_many_rows_are_not_called_unchanged(server: Server) -> None:
    """What was compared is said: counts and figures, or digests of every row; a value that no figure shows
    is found by those.
    """
    database, suite = server.create(T), suite_of(*CHECKED)
    for digests, words in (
        (False, "2 only by NULL counts, extremes and exact sums"),
        (True, "2 by a digest of every row"),
    ):
        baseline = baseline_of(
            run(suite, server.dsn(database), options=measuring(jobs=1, count_all=True, digests=digests))
        )
        server.sql("UPDATE t SET n = 3 - n", database)
        judged = compared(server, database, suite, baseline)
        shown = said(judged, verbose=False)
        assert bool(judged.listed) is digests
        assert f"values of 2 tables: {words}" in shown
        assert "2 tables with the same number of rows" in shown
        assert "unchanged" not in shown
        assert words in render_html(judged)
    server.drop(database)
