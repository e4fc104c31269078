"""The parts of the page, one for each table: every fact of a table once, what is wrong open, the rest folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from conftest import ROOT
from judged_cases import everything, signed_page
from test_report_page import _check, earlier, every_status, make_run

from kisaan_validate.cli.report_command import judged_again
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.differences import VALUES, Change
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.table import Family
from kisaan_validate.report.deltas import between_numbers, between_times, difference
from kisaan_validate.report.html import render_html
from kisaan_validate.report.sqlframe import SqlFrame, common_frame
from kisaan_validate.report.text import named
from kisaan_validate.verdict.judgement import Judgement, judge


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed sample as the code renders it now."""
    judged = judged_again(ROOT / "reports" / "sample" / "run.json")
    return _written(tmp_path_factory.mktemp("sample"), judged)


def _written(folder: Path, judged: Judgement) -> Path:
    page = folder / "report.html"
    page.write_text(render_html(judged), encoding="utf-8")
    return page


def _orders_and_more() -> Judgement:
    """Two tables and the database as a whole, of which one table is in order; owners and tags differ."""
    checks = [
        _check("orders.fails", owner="finance", tags=("money",), why="it costs money"),
        _check("orders.holds", owner="finance", tags=("money",), why="it costs money"),
        replace(_check("people.named"), table="people", owner="staff", tags=("names",), why="post is sent"),
        replace(_check("people.known"), table="people", owner="staff", tags=("names",), why="post is sent"),
        replace(_check("whole"), table="", severity=Severity.INFO),
    ]
    results = [
        Result("orders.fails", Status.FAIL, 2, 9, Evidence.SCANNED, sql="SELECT 1"),
        Result("orders.holds", Status.PASS, 0, 9, Evidence.SCANNED, sql="SELECT 2"),
        Result("people.named", Status.PASS, 0, 7, Evidence.SCANNED, sql="SELECT 3", milliseconds=2.5),
        Result("people.known", Status.PASS, 0, 7, Evidence.SCANNED, sql="SELECT 4", milliseconds=2.5),
        Result("whole", Status.PASS, 0, 1, Evidence.CATALOGUE),
    ]
    return judge(make_run(checks, results, every_status().tables))


def test_what_is_wrong_is_open_and_first_and_the_rest_is_folded(browser: Browser, tmp_path: Path) -> None:
    """The part of a table with a failure is open and stands first; parts in order and checks that hold are
    folded, and are there.
    """
    browser.open(_written(tmp_path, _orders_and_more()), script=False)
    parts = browser.ask(
        "[...document.querySelectorAll('.tb')].map(n => [n.querySelector('h3').textContent, n.open])"
    )
    assert parts[0] == ["orders", True]
    assert sorted(parts[1:]) == [["locked", False], ["people", False], ["whole database", False]]
    assert browser.ask("document.getElementById('c-orders.fails').checkVisibility()")
    assert not browser.ask("document.getElementById('c-orders.holds').checkVisibility()")
    assert "claim of people.known" in browser.ask("document.getElementById('t-people').textContent")


def test_every_table_is_reached_from_the_overview(browser: Browser, sample: Path) -> None:
    """Each part has one link in the overview, which opens it; no part is without, and no table twice."""
    browser.open(sample)
    parts = browser.ask("[...document.querySelectorAll('.tb')].map(n => '#' + n.id)")
    links = browser.ask("[...document.querySelectorAll('#tables a')].map(a => a.getAttribute('href'))")
    assert sorted(links) == sorted(parts)
    folded = browser.ask("document.querySelector('.tb:not([open])').id")
    browser.visit(browser.ask("location.href.split('#')[0]") + f"#{folded}")
    assert browser.ask(f"document.getElementById({folded!r}).open")


def test_no_check_and_no_difference_stands_twice() -> None:
    """Each check has one place, each difference one line, and each reason that several checks share too."""
    judged, signatures = signed_page()
    page = render_html(judged, signatures)
    for check in judged.run.checks:
        assert len(re.findall(rf'id="?c-{re.escape(check.id)}[">]', page)) == 1, check.id
    assert judged.diff is not None
    parts = page[page.index('id="checks"') :]
    assert parts.count('<th role="rowheader" scope="row">') == len(judged.diff.changes)
    assert render_html(_orders_and_more()).count("post is sent") == 1


def test_a_part_says_all_of_a_check_that_holds() -> None:
    """Severity, owner, tags, evidence, enforcement, time, origin, reason and SQL of a check that holds are
    in its line, above it, or under the number of its declaration.
    """
    page = html.unescape(render_html(_orders_and_more()))
    part = page[page.index('id="t-people"') :]
    part = part[: part.index('id="declarations"')]
    for fact in ("0 of 7 rows", "rows read", "enforced by nothing", "2.5 ms", "SELECT 3", "SELECT 4"):
        assert fact in part, fact
    assert part.count("<a href=#d1>declaration 1</a>") == 2
    declared = page[page.index("<li id=d1>") :]
    for fact in ("blocking", "staff", "names", "post is sent"):
        assert fact in declared[:200], fact
    alone = page[page.index("<li id=c-whole>") :][:200]
    assert "<em>info</em>" in alone, "what no other check shares stands with the check"


def test_changes_stand_by_cause_with_their_difference(browser: Browser, tmp_path: Path) -> None:
    """Rows that went are one cause with its figures; each line has before, after and the difference."""
    run = every_status()
    browser.open(_written(tmp_path, judge(run, earlier(run))))
    lines = browser.ask(
        "[...document.querySelectorAll('#t-orders .changes tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    )
    assert ["rows", "100041", "100000", "−41"] in lines
    assert any(line[:3] == ["column total: type", "numeric(12,2)", "numeric(18,2)"] for line in lines)


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_before_and_after_hide_beyond_no_edge(browser: Browser, sample: Path, width: int) -> None:
    """No table of changes is wider than its place, and no name is broken within a word, at any width."""
    browser.open(sample, width=width)
    browser.ask("for (const d of document.querySelectorAll('details')) d.open = true")
    wide = browser.ask(
        "[...document.querySelectorAll('.changes')].filter(t => t.parentElement.scrollWidth > t.parentElement.clientWidth).length"
    )
    assert wide == 0
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_long_names_break_only_where_a_word_ends() -> None:
    """After . and /, after _ too if a part is long; short names and hostile ones are left as they are."""
    assert named("kisaan_payments.product_id.references_it") == (
        "kisaan_payments.<wbr>product_id.<wbr>references_it"
    )
    assert "expense_<wbr>" in named("a_table_with_a_name_beyond_all_reason_of_expense_settlements.x")
    assert named("orders.total") == "orders.total"
    assert "<wbr>" not in named("<b>" * 20)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("10", "-20", "−30"),
        ("1.50", "501.5", "+500.00"),
        ("0.1", "0.10", "±0.00"),
        ("12345678901234567890123456789.01", "12345678901234567890123456789.02", "+0.01"),
        ("NaN", "1", ""),
        ("1e9", "1", ""),
    ],
)
def test_numbers_show_their_exact_difference(before: str, after: str, said: str) -> None:
    """With all digits and a sign; nothing for what is no plain number."""
    assert between_numbers(before, after) == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("2025-10-13 13:51:46.15", "2025-10-13 08:21:46.15", "−5:30:00"),
        ("2025-10-13 13:51:46.15", "2025-10-13 08:21:46.15+00", "−5:30:00"),
        ("2025-10-13", "2025-10-15", "+2 days"),
        ("2025-10-13 00:00:00", "2025-10-14 00:00:01", "+1 day 0:00:01"),
        ("infinity", "2025-10-13", ""),
        ("0044-03-15 BC", "2025-10-13", ""),
    ],
)
def test_moments_show_the_time_between_them(before: str, after: str, said: str) -> None:
    """In days and hours, with a sign; nothing for what is no moment."""
    assert between_times(before, after) == said


def test_texts_that_look_like_numbers_have_no_difference() -> None:
    """The smallest text of a column is not subtracted; a number of NULLs always is."""
    ends = Change(VALUES, "t", "c", "minimum", "10", "12")
    assert difference(ends, Family.TEXT) == ""
    assert difference(ends, Family.NUMBER) == "+2"
    assert difference(replace(ends, aspect="nulls"), Family.TEXT) == "+2"


def test_a_frame_gives_back_each_statement_to_the_letter() -> None:
    """Before, first part, between, second part, after: exactly the SQL, or no parts at all."""
    base = "SELECT id, {}\nFROM public.orders\nWHERE ({}) IS TRUE"
    statements = [base.format(column, f"{column} IS NULL\nOR {column} < 0") for column in ("a", "b", "c")]
    others = [
        "SELECT 1",
        statements[0].replace("orders", "others"),
        statements[0] + " ",
        base.format("①", "x"),
    ]
    frame = common_frame([*statements, *others])
    assert frame == SqlFrame("SELECT id, ", "\nFROM public.orders\nWHERE (", ") IS TRUE")
    for sql in (*statements, *others):
        parts = frame.parts_of(sql)
        assert parts is None or f"{frame.before}{parts[0]}{frame.between}{parts[1]}{frame.after}" == sql
    assert all(map(frame.parts_of, statements))
    assert not any(map(frame.parts_of, others[:3]))
    assert common_frame(statements[:2]) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "features"),
    [
        (1280, {"name": "prefers-color-scheme", "value": "dark"}),
        (1280, {"name": "forced-colors", "value": "active"}),
        (360, {"name": "prefers-color-scheme", "value": "light"}),
    ],
)
def test_axe_finds_nothing_in_unfolded_parts(
    browser: Browser, sample: Path, width: int, features: dict[str, str]
) -> None:
    """Parts of the sample with all their folds open: changes by cause, lines of checks, columns, a line with
    its buttons, declarations; also filtered by owner.
    """
    browser.open(sample, width=width)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [features]})
    browser.ask(
        "for (const d of document.querySelectorAll('#t-kisaan_payments details, #declarations')) d.open = true"
    )
    browser.ask("document.querySelector('#t-kisaan_payments .gp li').click()")
    assert axe.findings(browser) == []
    browser.visit(browser.ask("location.href.split('#')[0]") + "#?owner=finance&table=kisaan_payments")
    assert axe.findings(browser) == []


def test_no_label_stands_twice(browser: Browser, tmp_path: Path) -> None:
    """A check that is unfolded offers one link to itself, not one and a button beside it."""
    browser.open(_written(tmp_path, everything()))
    browser.ask("for (const d of document.querySelectorAll('details')) d.open = true")
    twice = (
        "[...document.querySelectorAll('.ck')].filter(n => n.textContent.includes('Copy link')"
        " || n.textContent.split('Link to this check').length !== 2).length"
    )
    assert browser.ask(twice) == 0


def test_a_page_of_failures_opens_a_few_of_them() -> None:
    """New failures are unfolded, twelve at most; what failed before has its line, and is folded."""
    checks: list[Check] = [_check(f"orders.c{n:02}") for n in range(40)]
    results = [Result(c.id, Status.FAIL, 1, 9, Evidence.SCANNED, sql="SELECT 1") for c in checks]
    run = make_run(checks, results)
    assert len(re.findall('<details class="ck s-fail"[^>]* open>', run.to_html())) == 12
    assert not re.findall('<details class="ck s-fail"[^>]* open>', run.to_html(baseline_of(run)))
    assert run.to_html(baseline_of(run)).count("still failing: 1 → 1") == 40


def test_the_sample_is_a_third_of_what_it_was() -> None:
    """The demonstration's page, 1.4 MB when each table's facts stood in four sections, stays below 1 MB."""
    page = render_html(judged_again(ROOT / "reports" / "sample" / "run.json"))
    assert len(page.encode()) < 1_000_000
