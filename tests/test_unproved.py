"""What was not proved, in one place: nothing that lacks an answer, or leans on less than the rows, is
missing from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from judged_cases import everything, signed_page
from test_report_page import _check, earlier, every_status, make_run

from kisaan_validate.contract.load import read_contract
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import NotCompared
from kisaan_validate.facts.result import UNANSWERED, Evidence, Result, Status
from kisaan_validate.facts.run import TableCoverage
from kisaan_validate.facts.suite import Selection
from kisaan_validate.facts.table import ColumnFacts, Family, KeyedDigest, Profile, TableDigests, TableFacts
from kisaan_validate.facts.totals import ControlTotal, GroupPart, GroupTotal
from kisaan_validate.report.html import render_html
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.reconciliation import reconciliations
from kisaan_validate.verdict.unproved import UnprovedPart, unproved_of


def parts_of(judged: Judgement) -> Mapping[str, UnprovedPart]:
    """What was not proved, by the name of its part."""
    return {part.name: part for part in unproved_of(judged, reconciliations(judged))}


def checks_in(part: UnprovedPart | None) -> set[str]:
    """The checks of a part."""
    return {id for item in part.items for id in item.checks} if part is not None else set()


def names_in(part: UnprovedPart) -> set[str]:
    """The things of a part."""
    return {name for item in part.items for name in item.names}


def test_every_check_without_an_answer_is_in_one_part() -> None:
    """Errors, what ran out of time, skips, and a check that has no result at all; and no other check."""
    late = _check("orders.late")
    run = everything().run
    run = replace(
        run,
        checks=(*run.checks, late),
        results=(*run.results, Result("orders.late", Status.ERROR, message="canceled", sqlstate="57014")),
    )
    parts = parts_of(judge(run))
    without = [checks_in(parts.get(name)) for name in ("Errors", "Out of time", "Skipped")]
    assert without == [{"orders.errs", "orders.lost"}, {"orders.late"}, {"orders.skipped"}]
    answered = {result.check_id for result in run.results if result.status not in UNANSWERED}
    assert set.union(*without) == {check.id for check in run.checks} - answered
    reasons = {item.reason for item in parts["Errors"].items}
    assert reasons == {"division by zero (SQLSTATE 22012)", "no result was recorded for this check"}


def test_what_leans_on_less_than_the_rows_is_named() -> None:
    """Tolerated, waived, believed, proved by a constraint, vacuous, not applicable."""
    names = ("tolerated", "believed", "constraint", "empty", "absent")
    results = [
        Result("tolerated", Status.TOLERATED, 5, 100, Evidence.SCANNED),
        Result("believed", Status.PASS, 0, 100, Evidence.BY_INDEX, trusted="index orders_pkey"),
        Result("constraint", Status.PASS, 0, 100, Evidence.PROVED, "orders_check"),
        Result("empty", Status.PASS, 0, 0, Evidence.SCANNED),
        Result("absent", Status.NOT_APPLICABLE, message="no column x"),
    ]
    parts = parts_of(judge(make_run([_check(name) for name in names], results)))
    assert checks_in(parts["Tolerated"]) == {"tolerated"}
    assert parts["Believed"].items[0].reason == "told to believe index orders_pkey"
    assert parts["Rows not read"].items[0].reason == "proved by orders_check"
    assert checks_in(parts["Held only because there were no rows"]) == {"empty"}
    assert parts["Not applicable"].size == 1
    assert checks_in(parts_of(everything())["Waived"]) == {"orders.waived"}


def test_limits_of_the_run_are_named() -> None:
    """A part of the suite, an interruption, a table that was not counted, a catalogue not read, no baseline,
    tables that no check reads.
    """
    run = every_status()
    suite = replace(run.suite, total_checks=10, excluded_tables=("tmp_*",))
    cut = replace(
        run,
        suite=suite,
        selection=Selection(("money",), ("slow",), partial=True),
        interrupted="SIGINT",
        unread={"policy": "permission denied"},
        coverage=signed_page()[0].run.coverage,
    )
    parts = parts_of(judge(cut))
    assert (parts["Not selected"].size, parts["Not selected"].items[0].names) == (3, ("3 checks",))
    assert "selected: money, not slow" in parts["Not selected"].items[0].reason
    assert parts["Interrupted"].items[0].reason == "SIGINT"
    assert names_in(parts["Tables not counted"]) == {"locked"}
    assert names_in(parts["Catalogue not read"]) == {"policy"}
    assert names_in(parts["Not compared"]) == {"before and after"}
    assert names_in(parts["Tables that no check reads"]) == {"lonely"}
    assert names_in(parts["Left out"]) == {"tmp_*"}


def test_personal_columns_are_named_unless_their_digests_were_compared() -> None:
    """One compared under the baseline's key is proved; one that could not be, and one without, are not."""
    hidden = Profile(Family.TEXT, 0, personal=True)
    columns = tuple(ColumnFacts(name, "text", hidden) for name in ("phone", "email", "name"))
    run = make_run([], [], (TableFacts("public", "users", "table", 1, columns=columns),))
    keyed = (
        KeyedDigest("users", "phone", outcome="same"),
        KeyedDigest("users", "email", message="its type is another"),
    )
    parts = parts_of(judge(replace(run, keyed=keyed), baseline_of(run)))
    said = {item.names: item.reason for item in parts["Personal columns not compared"].items}
    assert said == {
        ("users.email",): "its type is another",
        ("users.name",): "only the number of NULLs was compared",
    }


def test_what_is_announced_is_not_called_proved() -> None:
    """The weakest promise keeps a run green, and stands here."""
    contract = read_contract(
        'format = 1\n[[promise]]\nid = "v"\nkind = "revised"\ncolumn = "orders.total"\n', "contract.toml"
    )
    run = every_status()
    before = replace(baseline_of(run), contract_digest=contract.digest)
    parts = parts_of(judge(run, before, contract))
    assert names_in(parts["Announced, not proved"]) == {
        "values of orders.total change (announced, not proved)"
    }


def test_each_open_promise_and_comparison_is_named() -> None:
    """As many as the judgement has, each with its reason."""
    judged = everything()
    parts = parts_of(judged)
    assert parts["Promises without an answer"].size == len(judged.open_promises)
    assert parts["Comparisons not possible"].size == len(judged.untold)
    assert all(item.reason for part in parts.values() for item in part.items)


def test_nothing_is_listed_where_all_was_proved() -> None:
    """Read rows, equal digests, no limit: no part."""
    parts = parts_of(judge(make_run([_check("a")], [Result("a", Status.PASS, 0, 9, Evidence.SCANNED)])))
    assert set(parts) == {"Not compared"}


def test_each_thing_is_counted_and_named_under_its_reason() -> None:
    """Those of one reason are one item with all their names; a part counts things, not reasons."""
    names = ("a", "b", "c")
    results = [
        Result("a", Status.ERROR, message="x", hint="wait"),
        Result("b", Status.ERROR, message="x", hint="wait"),
        Result("c", Status.ERROR, message="x", hint="ask"),
    ]
    tables = tuple(TableFacts("public", name, "table", None, "locked") for name in names)
    coverage = (
        TableCoverage("lonely", 0, (), (), ("a",)),
        TableCoverage("told", 0, (), ("a",), ()),
        TableCoverage("tmp", 0, (), (), ("a",), excluded=True),
        TableCoverage("read", 0, ("a",), (), ()),
        TableCoverage("counted", 1, (), (), ("a",)),
    )
    run = make_run([_check(name) for name in names], results, tables, coverage=coverage)
    parts = parts_of(judge(run))
    errors = parts["Errors"]
    assert [(i.checks, i.hint, i.size) for i in errors.items] == [(("a", "b"), "wait", 2), (("c",), "ask", 1)]
    assert errors.size == 3
    (locked,) = parts["Tables not counted"].items
    assert (locked.names, parts["Tables not counted"].size) == (names, 3)
    never = parts["Tables that no check reads"]
    assert {i.names: i.reason for i in never.items} == {
        ("lonely",): "no check reads it",
        ("tmp",): "left out by the suite",
    }
    believed = [Result(name, Status.PASS, 0, 1, Evidence.BY_INDEX, trusted="index i") for name in names]
    part = parts_of(judge(replace(run, results=tuple(believed))))["Believed"]
    assert (part.items[0].checks, part.size) == (names, 3)


def test_a_control_total_without_an_answer_is_named() -> None:
    """With and without a baseline; one that was measured is not."""
    told = ControlTotal("orders", "total", (GroupPart("shop"),), (GroupTotal((None,), 9, "1.50"),))
    lost = replace(told, by=(GroupPart("phone"),), groups=(), message="personal")
    run = replace(every_status(), totals=(told, lost))
    for judged in (judge(run), judge(run, earlier(run))):
        (item,) = parts_of(judged)["Control totals without an answer"].items
        assert (item.names, item.reason) == (("orders: total by phone",), "personal")


def test_a_column_is_personal_if_it_is_on_either_side_and_compared_if_it_is_on_both() -> None:
    """One that came is no comparison that was not made."""
    plain, hidden = Profile(Family.TEXT, 0), Profile(Family.TEXT, 0, personal=True)

    def named(old: Profile | None, new: Profile) -> bool:
        def tables(profile: Profile | None) -> tuple[TableFacts, ...]:
            columns = (ColumnFacts("c", "text", profile),) if profile is not None else ()
            return (TableFacts("public", "t", "table", 1, columns=columns),)

        run = make_run([], [], tables(new))
        before = replace(baseline_of(run), tables=tables(old))
        return "Personal columns not compared" in parts_of(judge(run, before))

    sides = ((plain, hidden), (hidden, plain), (hidden, hidden), (plain, plain), (None, hidden))
    assert [named(*pair) for pair in sides] == [True, True, True, False, False]


def test_what_only_figures_or_numbers_compare_is_named() -> None:
    """Tables without a digest of every row; things of which only the number was compared, and whether it
    tells that the sides differ.
    """
    table = TableFacts("public", "t", "table", 1)
    digests = TableDigests(("id",), ("c",), "x")
    run = make_run([], [], (table, replace(table, name="u", digests=digests)))
    judged = judge(run, baseline_of(run))
    assert names_in(parts_of(judged)["Values not compared row by row"]) == {"t"}
    assert judged.diff is not None
    beside = (NotCompared("casts", "2", "0", judged=True), NotCompared("publications", "1", "1"))
    parts = parts_of(replace(judged, diff=replace(judged.diff, not_compared=beside)))
    assert {i.names: i.reason for i in parts["Not compared"].items} == {
        ("casts (2 before, 0 after)",): "only their number was compared: it differs",
        ("publications (1)",): "only their number was compared",
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file."""
    with chromium() as running:
        yield running


@pytest.mark.parametrize(
    ("width", "features"), [(1440, ""), (360, ""), (1280, "dark"), (1280, "forced")], ids=str
)
def test_the_page_has_all_of_it_behind_one_link(
    browser: Browser, tmp_path: Path, width: int, features: str
) -> None:
    """The first screen names each part and how many; the link leads to the section, where each thing stands
    with its reason. axe finds nothing, and nothing runs off the side.
    """
    run = replace(every_status(), selection=Selection(("money",), partial=True))
    told = ControlTotal("orders", "total", (GroupPart("shop"),), (GroupTotal((None,), 9, "1.50"),))
    silent = replace(
        told, by=(GroupPart("paid", "month", "UTC"),), groups=(), message=" ".join(["canceled"] * 20)
    )
    moved = replace(told, groups=(GroupTotal((None,), 9, "-1.50"), GroupTotal(("NULL",), 1, None)))
    run = replace(run, totals=(told, silent))
    judged = judge(run, replace(earlier(run), totals=(moved, silent)))
    page = tmp_path / "report.html"
    page.write_text(render_html(judged), encoding="utf-8")
    browser.open(page, width=width, dark=features == "dark")
    if features == "forced":
        browser.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]}
        )
    first = str(browser.ask("document.querySelector('.findings .also').textContent")).lower()
    section = str(browser.ask("document.querySelector('#unproved').textContent"))
    assert browser.ask("!!document.querySelector('.findings .also a[href=\"#unproved\"]')")
    for part in parts_of(judged).values():
        assert f"{part.name.lower()}: {part.size:,}" in first
        for item in part.items:
            assert all(text in section for text in (item.reason, *item.names, *item.checks))
    totals = str(browser.ask("document.querySelector('#totals').textContent"))
    assert "2 groups differ, of 2" in totals
    assert "−1.50" in totals
    assert axe.findings(browser) == []
    assert browser.ask("document.documentElement.scrollWidth") <= width
