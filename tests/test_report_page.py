"""The page, in a real Chromium: self-contained, complete without script, exact, safe against its own data."""

from __future__ import annotations

import html
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import Browser, chromium
from conftest import ROOT, needs

from kisaan_validate.cli.report_command import judged_again
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.check import Check, Form, Severity, Tolerance
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, SchemaObject, TableFacts
from kisaan_validate.report.html import render_html
from kisaan_validate.report.summary import verdict_sentence
from kisaan_validate.report.svg import row_bar
from kisaan_validate.verdict.judgement import judge

AT = datetime(2025, 10, 18, 20, 30, tzinfo=UTC)
PLACE = Place(
    "db.internal",
    "5432",
    "shop",
    "reader",
    "--dsn",
    "18.6",
    180006,
    "7711518145521835979",
    "UTC",
    False,
    "s-1",
    "0/1AF",
    AT,
    "UTF8",
    "C",
)


def _check(id: str, **more: object) -> Check:
    return replace(
        Check(id, "orders", ("total",), Form.ROW, "compare", f"claim of {id}", digest="d" * 64), **more
    )  # type: ignore[arg-type]


def make_run(
    checks: list[Check], results: list[Result], tables: tuple[TableFacts, ...] = (), **more: object
) -> Run:
    """A run of these results."""
    suite = SuiteFacts("shop suite", "ab" * 32, ("orders.py",), len(checks), ("public",))
    run = Run(
        "20251018T203000Z-abc123",
        AT,
        AT,
        "0.1.0",
        suite,
        PLACE,
        Selection(),
        {"jobs": "2"},
        tables,
        tuple(checks),
        tuple(results),
    )
    return replace(run, **more)  # type: ignore[arg-type]


def every_status() -> Run:
    """One check of each status, with numbers that a rounded percentage would hide."""
    checks = [
        _check("orders.fails", severity=Severity.BLOCKING, why="it costs money", hint="fix it"),
        _check("orders.tolerated", tolerance=Tolerance(rows=5)),
        _check("orders.passes"),
        _check("orders.errs"),
        _check("orders.skipped"),
        _check("orders.inapplicable"),
        _check("orders.empty"),
    ]
    sample = ((("id", "7"), ("note", None)), (("id", "8"), ("note", "")))
    results = [
        Result(
            "orders.fails",
            Status.FAIL,
            99_999,
            100_000,
            Evidence.SCANNED,
            sample=sample,
            key=("id",),
            key_digest="e" * 64,
            sql="SELECT id FROM orders",
        ),
        Result("orders.tolerated", Status.TOLERATED, 5, 100_000, Evidence.SCANNED, sql="SELECT 1"),
        Result("orders.passes", Status.PASS, 0, 100_000, Evidence.SCANNED, "orders_check", sql="SELECT 2"),
        Result("orders.errs", Status.ERROR, message="division by zero", sqlstate="22012", sql="SELECT 3"),
        Result("orders.skipped", Status.SKIP, message="skipped, because column orders.x does not exist"),
        Result(
            "orders.inapplicable",
            Status.NOT_APPLICABLE,
            message="not applicable, because table x does not exist here",
        ),
        Result("orders.empty", Status.PASS, 0, 0, Evidence.SCANNED, sql="SELECT 4"),
    ]
    total = Profile(Family.NUMBER, 3, "-1.00", "99.50", "123456.70")
    columns = (
        ColumnFacts("id", "bigint", Profile(Family.NUMBER, 0, "1", "9", "45")),
        ColumnFacts("total", "numeric(18,2)", total),
    )
    tables = (
        TableFacts("public", "orders", "table", 100_000, columns=columns),
        TableFacts("public", "locked", "table", None, "canceling statement due to lock timeout"),
    )
    objects = (
        SchemaObject("column", "orders", "id", {"type": "bigint"}),
        SchemaObject("column", "orders", "total", {"type": "numeric(18,2)"}),
    )
    notices = (Notice("writable", "the role reader could write to orders"),)
    return make_run(checks, results, tables, notices=notices, objects=objects)


def earlier(run: Run) -> Baseline:
    """A baseline with one table that had 41 more rows, and a narrower column."""
    before = [replace(t, rows=t.rows + 41 if t.rows else t.rows) for t in run.tables]
    before[0] = replace(
        before[0], columns=(before[0].columns[0], replace(before[0].columns[1], type="numeric(12,2)"))
    )
    objects = (
        (*run.objects[:1], replace(run.objects[1], facts={"type": "numeric(12,2)"})) if run.objects else ()
    )
    return replace(baseline_of(run), tables=tuple(before), objects=objects)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def _page(tmp_path: Path, run: Run, baseline: Baseline | None = None) -> Path:
    path = tmp_path / "report.html"
    path.write_text(run.to_html(baseline), encoding="utf-8")
    return path


def _facts_shown(browser: Browser) -> str:
    """All text of the page, folded parts included."""
    return str(browser.ask("document.body.textContent"))


@pytest.mark.parametrize("script", [True, False])
def test_the_page_asks_nobody_for_anything_and_complains_about_nothing(
    browser: Browser, tmp_path: Path, script: bool
) -> None:
    """No request leaves the page, no error and no policy violation reaches the console."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), script=script)
    assert browser.requests() == []
    assert browser.complaints() == []
    policy = browser.ask("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_all_facts_are_there_without_script(browser: Browser, tmp_path: Path) -> None:
    """Verdict, every id, claim, count, key, message, SQL, table and place are in the page when JavaScript
    is off.
    """
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), script=False)
    shown = _facts_shown(browser)
    wanted = [
        "FAIL",
        "shop",
        "reader",
        "db.internal",
        "PostgreSQL 18.6",
        "99,999",
        "100,000",
        "22012",
        "division by zero",
    ]
    wanted += [
        "100,041",
        "−41",
        "numeric(12,2)",
        "lock timeout",
        "could write to orders",
        "it costs money",
        "fix it",
    ]
    for check in run.checks:
        wanted += [check.id, check.claim]
    wanted += [r.sql for r in run.results if r.sql]
    missing = [fact for fact in wanted if fact not in shown]
    assert not missing


def test_the_verdict_comes_first_and_says_both_what_failed_and_what_is_unknown(
    browser: Browser, tmp_path: Path
) -> None:
    """A known failure outranks an unanswered check, and both are said on the first screen."""
    browser.open(_page(tmp_path, every_status()))
    first = str(browser.ask("document.body.innerText"))[:600]
    assert first.index("FAIL") < 200
    assert re.search("1 blocking check of [0-9]+ failed", first)
    assert re.search(r"2 checks .*(no|without an|not) answer", first)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status.ERROR, "INCONCLUSIVE"),
        (Status.SKIP, "INCONCLUSIVE"),
        (Status.PASS, "PASS"),
        (Status.FAIL, "FAIL"),
    ],
)
def test_what_is_not_proved_never_looks_passed(
    browser: Browser, tmp_path: Path, status: Status, verdict: str
) -> None:
    """Each status has its own class, word and sign; only PASS has those of a pass."""
    check = _check("only.one")
    violations = {Status.PASS: 0, Status.FAIL: 1}.get(status)
    browser.open(_page(tmp_path, make_run([check], [Result("only.one", status, violations, 9)])))
    classes = browser.ask("document.querySelector('.ck, .gp').className").split()
    assert f"s-{status.value}" in classes
    assert ("s-pass" in classes) is (status is Status.PASS)
    assert verdict in str(browser.ask("document.querySelector('h1').innerText"))


def test_no_rounded_percentage_hides_a_failure(tmp_path: Path) -> None:
    """Counts are exact: 99,999 of 100,000, and no percentage anywhere in the text."""
    page = every_status().to_html()
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", page, flags=re.S)
    text = html.unescape(re.sub(r"<[^>]+>", " ", body))
    assert "99,999" in text
    assert not re.search(r"\d\s?%", text)


HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=document.title='owned'>",
    "{{ 7 * 7 }}{% raw %}",
    "right‮to‬left",
    '=HYPERLINK("http://evil.invalid")',
    "a\tb\nc",
    "x" * 10_000,
    "😀 ünïcödé",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path, text: str) -> None:
    """Whatever stands in data, names, prose and messages is shown as text: nothing runs, nothing is asked
    for.
    """
    check = Check(
        text, text, (text,), Form.ROW, text, text, why=text, hint=text, owner=text, tags=(text,), origin=text
    )
    result = Result(
        text,
        Status.FAIL,
        1,
        2,
        Evidence.SCANNED,
        text,
        (((text, text), ("k", None)),),
        (text,),
        True,
        text,
        text,
        text,
        "22012",
        text,
    )
    place = replace(PLACE, host=text, database=text, role=text)
    tables = (TableFacts(text, text, "table", 1, columns=(ColumnFacts(text, text),)),)
    run = make_run(
        [check], [result], tables, place=place, notices=(Notice(text, text, text),), interrupted=text
    )
    browser.open(_page(tmp_path, run, baseline_of(run)))
    assert browser.ask("document.title") != "owned"
    assert browser.ask("document.querySelectorAll('img, script:not(:last-of-type), svg[onload]').length") == 0
    assert browser.requests() == []
    assert browser.complaints() == []
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")


def test_bidirectional_controls_cannot_rearrange_a_line(tmp_path: Path) -> None:
    """An override mark is shown as what it is, and does not act."""
    check = _check("a.b", claim="pay ‮001‬ rupees")
    assert "‮" not in make_run([check], [Result("a.b", Status.PASS, 0, 1)]).to_html()


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("which", ["made", "sample"])
def test_nothing_runs_off_the_side(browser: Browser, tmp_path: Path, width: int, which: str) -> None:
    """On a telephone, a tablet and a desk the page itself never scrolls sideways."""
    run = every_status()
    page = (
        _page(tmp_path, run, earlier(run)) if which == "made" else ROOT / "reports" / "sample" / "report.html"
    )
    browser.open(page, width=width)
    assert browser.ask("document.documentElement.scrollWidth") <= width


CONTRAST = """
(() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = ([r, g, b]) => {
    const f = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (n) => {
    for (; n; n = n.parentElement) {
      const c = parse(getComputedStyle(n).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const bad = [];
  for (const n of document.querySelectorAll("main *, header *, footer *")) {
    if (![...n.childNodes].some((k) => k.nodeType === 3 && k.data.trim()) || !n.getClientRects().length) continue;
    const s = getComputedStyle(n), a = lum(parse(s.color)), b = lum(ground(n));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(s.fontSize) >= 24 || (parseFloat(s.fontSize) >= 18.66 && parseInt(s.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${n.tagName}.${n.className} ${s.color} ${ratio.toFixed(2)} ${n.textContent.slice(0, 30)}`);
  }
  return bad;
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_enough_contrast(browser: Browser, tmp_path: Path, dark: bool) -> None:
    """WCAG 2.2 AA (1.4.3): 4.5 to 1, large text 3 to 1, in the light and in the dark; every visible text
    is measured.
    """
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), dark=dark)
    assert browser.ask("document.querySelectorAll('main *').length") > 50
    assert browser.ask(CONTRAST) == []


def test_print_shows_every_failure_and_a_place_to_sign(browser: Browser, tmp_path: Path) -> None:
    """On paper, with the appendix: failures unfolded, the run's id on each sheet, lines for a signature."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)))
    browser.visit((tmp_path / "report.html").as_uri() + "#with-appendix")
    (tmp_path / "page.pdf").write_bytes(browser.pdf())
    reader = shutil.which("pdftotext")
    if reader is None:
        needs("pdftotext")
    text = subprocess.run(
        [str(reader), "-layout", str(tmp_path / "page.pdf"), "-"], capture_output=True, text=True
    ).stdout
    for fact in ("FAIL", "orders.fails", "99,999", "SELECT id FROM orders", "it costs money", "Signature"):
        assert fact in text, fact
    sheets = [sheet for sheet in text.split("\f") if sheet.strip()]
    assert all(run.id in sheet for sheet in sheets), "the run's id is on every sheet"


@pytest.mark.parametrize("sheet", [210, 215.9], ids=["A4", "Letter"])
def test_nothing_is_wider_than_the_sheet(browser: Browser, sheet: float) -> None:
    """Whatever is too wide for its sheet makes the browser shrink the text of all of them."""
    width = int((sheet - 2 * 13) / 25.4 * 96)  # millimetres without both margins, as CSS pixels
    browser.open(ROOT / "reports" / "sample" / "report.html", width=width, paper=True)
    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_filters_hide_checks_and_live_in_the_address(browser: Browser, tmp_path: Path) -> None:
    """Choosing a severity or typing a text hides the others; the address holds the state and brings it
    back.
    """
    page = _page(tmp_path, every_status())
    browser.open(page)
    visible = (
        "[...document.querySelectorAll('.ck, .gp li')].filter(n => n.checkVisibility()).map(n => "
        "(n.querySelector('summary code') ?? n.querySelector('b')).textContent)"
    )
    assert len(browser.ask(visible)) == 5, "the two that hold are folded"
    browser.ask("document.querySelector('.hold').open = true")
    assert len(browser.ask(visible)) == 7
    browser.ask(
        "const q = document.querySelector('#filter input[type=search]'); q.value = 'tolerated'; "
        "q.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert browser.ask(visible) == ["orders.tolerated"]
    address = browser.ask("location.href")
    assert "tolerated" in address
    browser.visit(address)
    assert browser.ask(visible) == ["orders.tolerated"]


def test_the_outline_is_one_that_a_screen_reader_can_walk(browser: Browser, tmp_path: Path) -> None:
    """A language, a title, one h1, no skipped heading level, a caption and column headings for every
    table, named links.
    """
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)))
    assert browser.ask("document.documentElement.lang") == "en"
    assert "FAIL" in browser.ask("document.title")
    levels = browser.ask("[...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert browser.ask(
        "[...document.querySelectorAll('table')].every(t => t.caption && t.querySelector('th[scope=col]'))"
    )
    assert browser.ask("[...document.querySelectorAll('a')].every(a => a.textContent.trim())")
    assert browser.ask(
        "new Set([...document.querySelectorAll('[id]')].map(n => n.id)).size === "
        "document.querySelectorAll('[id]').length"
    )


def test_the_same_run_gives_the_same_bytes_and_the_sample_is_current() -> None:
    """The page is a pure function of a run's folder; the committed sample is what the code makes of it."""
    folder = ROOT / "reports" / "sample"
    page = render_html(judged_again(folder / "run.json"))
    assert page == render_html(judged_again(folder / "run.json"))
    assert page == (folder / "report.html").read_text(), "run: make sample"


@pytest.mark.slow
def test_three_thousand_checks_stay_a_page(browser: Browser, tmp_path: Path) -> None:
    """3,000 checks of which 50 fail with 20 keys each: at most 3 MB, and it opens."""
    checks = [
        _check(f"orders.check_{n:04}", why="a reason of ordinary length that says what a violation costs")
        for n in range(3000)
    ]
    keys = tuple((("id", str(k)), ("total", "-1.00")) for k in range(20))
    sql = "SELECT id, total\nFROM public.orders\nWHERE NOT (total >= 0)"
    results = [
        Result(c.id, Status.FAIL, 20, 100, Evidence.SCANNED, sample=keys, sql=sql)
        if n < 50
        else Result(c.id, Status.PASS, 0, 100, Evidence.SCANNED, sql=sql)
        for n, c in enumerate(checks)
    ]
    page = _page(tmp_path, make_run(checks, results))
    browser.open(page)
    assert browser.ask("document.querySelectorAll('details.ck').length") == 50
    assert browser.ask("document.querySelectorAll('.gp li').length") == 2950
    assert page.stat().st_size <= 2_000_000, page.stat().st_size


def test_golden_page(tmp_path: Path) -> None:
    """The whole page of a small run, byte for byte; regenerate with KISAAN_GOLDEN=1 after looking at it."""
    import os

    golden = ROOT / "tests" / "golden" / "report" / "every_status.html"
    run = every_status()
    page = run.to_html(earlier(run))
    if os.environ.get("KISAAN_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8"), (
        "look at the page, then: KISAAN_GOLDEN=1 pytest -k golden"
    )


def _awkward(status: Status = Status.FAIL, sql: str = "SELECT 1") -> Run:
    """One check whose keys are NULL, empty, the word NULL, and text with blanks and invisible characters."""
    cells = (None, "", "NULL", " a  b ", "a\tb\u202ec\u00a0d\u200b")
    keys = tuple((("id", str(n)), ("note", cell)) for n, cell in enumerate(cells))
    violations = None if status in {Status.ERROR, Status.SKIP, Status.NOT_APPLICABLE} else 41_233
    result = Result(
        "orders.note",
        status,
        violations,
        300_000 if violations else None,
        Evidence.SCANNED,
        sample=keys,
        sql=sql,
    )
    return make_run([_check("orders.note")], [result])


def test_null_empty_and_blanks_are_told_apart(browser: Browser, tmp_path: Path) -> None:
    """NULL, '' and 'NULL' look different; blanks at an end, tabs, no-break spaces and marks are drawn; the
    caption counts exactly.
    """
    browser.open(_page(tmp_path, _awkward()), script=False)
    cells = browser.ask("[...document.querySelectorAll('.ck .keys td:nth-child(2)')].map(td => td.innerHTML)")
    assert len(set(cells)) == 5
    assert 'class="nul">NULL' in cells[0]
    assert 'class="nul">empty' in cells[1]
    assert "nul" not in cells[2]
    assert browser.ask("document.querySelectorAll('.ck .keys td')[7].textContent") == "·a··b·"
    for shown in ("⇥", "U+202E", "⍽", "U+200B"):
        assert shown in cells[4]
    assert (
        browser.ask("document.querySelector('.ck .keys caption').textContent")
        == "Showing 5 of 41,233 violating rows"
    )


def test_sql_can_be_copied_exactly(browser: Browser, tmp_path: Path) -> None:
    """The text of the SQL block is the SQL to the last character, though marks in it are fenced in and
    named.
    """
    sql = (
        "SELECT id\n\tFROM \"orders\u202e\u00a0<b>\"  WHERE x <> 'a\u200d&amp;'\nAND y = '\u0915\u094d\u0937'"
    )
    browser.open(_page(tmp_path, _awkward(sql=sql)), script=False)
    assert browser.ask("document.querySelector('.bd pre').textContent") == sql
    assert browser.ask("document.querySelectorAll('.bd pre bdi[data-u]').length") == 3


@pytest.mark.parametrize("script", [True, False])
def test_partial_interrupted_and_another_baseline_are_said_at_the_top(
    browser: Browser, tmp_path: Path, script: bool
) -> None:
    """What limits a run stands before everything else: part of the suite, an interruption, a baseline that
    is not its own.
    """
    run = replace(
        every_status(),
        selection=Selection(("orders.*",), (), True),
        interrupted="stopped by SIGTERM",
        baseline_digest="f" * 64,
    )
    run = replace(run, suite=replace(run.suite, total_checks=212))
    browser.open(_page(tmp_path, run, earlier(run)), script=script)
    top = str(browser.ask("document.querySelector('header').innerText"))
    for fact in (
        "Partial run. 7 of 212 checks",
        "orders.*",
        "stopped by SIGTERM",
        "Not the baseline of this run",
        "f" * 64,
    ):
        assert fact in top
    browser.open(_page(tmp_path, run), script=script)
    assert "Baseline missing" in str(browser.ask("document.querySelector('header').innerText"))


def test_a_count_that_could_not_be_taken_is_never_zero(browser: Browser, tmp_path: Path) -> None:
    """With and without a baseline: "not counted" and the reason, no difference, no 0."""
    run = every_status()
    for baseline in (None, earlier(run)):
        browser.open(_page(tmp_path, run, baseline))
        row = str(
            browser.ask(
                "[...document.querySelectorAll('#tables tr')].find(r => "
                "r.textContent.includes('locked')).textContent"
            )
        )
        assert "not counted" in row
        assert "lock timeout" in row
        assert not re.search(r"(?<!\d)0(?!\d)", row)
        assert "not known" in row or baseline is None


def test_what_holds_only_for_want_of_rows_says_so(browser: Browser, tmp_path: Path) -> None:
    """A check over an empty table is said to hold vacuously: in its card, among the unproved, on the first
    screen, in the verdict.
    """
    run = make_run(
        [_check("orders.empty")],
        [Result("orders.empty", Status.PASS, 0, 0, Evidence.SCANNED, sql="SELECT 4")],
    )
    browser.open(_page(tmp_path, run), script=False)
    for place in (".ck", "#unproved", ".findings", "h1"):
        assert re.search(
            "vacuously|no row", str(browser.ask(f"document.querySelector('{place}').textContent"))
        ), place


def test_what_nothing_enforces_is_listed(browser: Browser, tmp_path: Path) -> None:
    """A scanned check that holds without a constraint is counted with its table and says so; one with a
    constraint, or failing, is not.
    """
    checks = [_check("orders.free"), _check("orders.guarded"), _check("orders.fails")]
    results = [
        Result("orders.free", Status.PASS, 0, 9, Evidence.SCANNED),
        Result("orders.guarded", Status.PASS, 0, 9, Evidence.SCANNED, "orders_check"),
        Result("orders.fails", Status.FAIL, 1, 9, Evidence.SCANNED),
    ]
    browser.open(_page(tmp_path, make_run(checks, results)), script=False)
    assert "orders 1." in browser.ask("document.querySelector('#unenforced').textContent")
    assert browser.ask(
        "[...document.querySelectorAll('.gp')].filter(g => g.firstElementChild.textContent.includes("
        "'enforced by nothing')).flatMap(g => [...g.querySelectorAll('li > b')].map(b => b.textContent))"
    ) == ["orders.free"]


def test_a_link_to_a_check_unfolds_it_even_if_it_was_filtered_away(browser: Browser, tmp_path: Path) -> None:
    """Following a link from the first screen or from a mail ends at the check, unfolded and visible."""
    page = _page(tmp_path, every_status())
    browser.open(page)
    browser.visit(page.as_uri() + "#?status=fail")
    node = "document.getElementById('c-orders.passes')"
    assert not browser.ask(f"{node}.checkVisibility()")
    browser.driver.execute_script(
        "location.hash = '#c-orders.passes'; return new Promise(done => setTimeout(done, 100))"
    )
    assert browser.ask(f"{node}.checkVisibility()")
    assert browser.ask(f"{node}.querySelector('.cp') !== null"), "what can be done with it is at hand"
    node = "document.getElementById('c-orders.errs')"
    browser.visit(page.as_uri() + "#c-orders.errs")
    assert browser.ask(f"{node}.checkVisibility() && {node}.open")


def test_links_within_the_page_have_a_target(browser: Browser, tmp_path: Path) -> None:
    """Every link points at something on the page, whatever the ids of the checks are."""
    checks = [_check(id) for id in ("a.b", "a b", "a~20~b", "ü/<&>\"'#%")]
    run = make_run(checks, [Result(c.id, Status.PASS, 0, 3, Evidence.SCANNED) for c in checks])
    browser.open(_page(tmp_path, run), script=False)
    dead = (
        "[...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(h => "
        "!document.getElementById(h.slice(1)))"
    )
    assert browser.ask(dead) == []


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [(300_000, 299_999, "loss"), (1, 300_000, "gain"), (0, 5, "gain"), (5, 0, "loss")],
)
def test_one_row_of_many_is_visible_in_the_picture(before: int, after: int, kind: str) -> None:
    """However small a difference is, it is drawn; equal counts have no difference drawn."""
    drawn = str(row_bar(before, after))
    assert int(re.search(rf'class="{kind}" x="\d+" y="1" width="(\d+)"', drawn)[1]) >= 3  # type: ignore[index]
    assert "loss" not in str(row_bar(7, 7))
    assert "gain" not in str(row_bar(7, 7))


def test_the_verdict_sentence_is_plain_and_complete() -> None:
    """The sentence says failures before unanswered checks, what is new since the baseline, and nothing
    that is not so.
    """
    run = every_status()
    assert verdict_sentence(judge(run, earlier(run))) == (
        "1 blocking check of 6 failed. None new since the baseline, 1 failed before. "
        "2 differences from the baseline were found; no contract judges them. "
        "2 checks have no answer (1 error, 1 skipped): nothing is known about them. 1 comparison with "
        "the baseline was not possible."
    )
    assert "there is nothing to sign off" in verdict_sentence(judge(make_run([], [])))


def test_before_now_and_difference_fit_on_a_telephone(browser: Browser, tmp_path: Path) -> None:
    """At 360 px the row counts need no scrolling sideways: a loss must not hide beyond the edge."""
    run = every_status()
    tables = (replace(run.tables[0], name="kisaan_transaction_ledger", rows=7_702_637), run.tables[1])
    browser.open(
        _page(tmp_path, replace(run, tables=tables), earlier(replace(run, tables=tables))), width=360
    )
    sizes = (
        "[...document.querySelectorAll('.rows')].map(t => [t.parentElement.scrollWidth, "
        "t.parentElement.clientWidth])"
    )
    measured = browser.ask(sizes)
    assert measured
    assert all(needed <= there for needed, there in measured), measured
