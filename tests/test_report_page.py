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

from kisaan_validate.baseline import baseline_of
from kisaan_validate.model import (
    Baseline,
    Check,
    ColumnFacts,
    Evidence,
    Form,
    Notice,
    Place,
    Result,
    Run,
    Selection,
    Severity,
    Status,
    SuiteFacts,
    TableFacts,
    Tolerance,
)
from kisaan_validate.record.codec import baseline_from_json, run_from_json

AT = datetime(2025, 10, 18, 20, 30, tzinfo=UTC)
PLACE = Place(
    "db.internal", "5432", "shop", "reader", "--dsn", "18.6", 180006, "7711518145521835979", "UTC", False, "s-1", "0/1AF",
    AT, "UTF8", "C",
)  # fmt: skip


def _check(id: str, **more: object) -> Check:
    return replace(Check(id, "orders", ("total",), Form.ROW, "compare", f"claim of {id}", digest="d" * 64), **more)  # type: ignore[arg-type]


def make_run(checks: list[Check], results: list[Result], tables: tuple[TableFacts, ...] = (), **more: object) -> Run:
    """A run of these results."""
    suite = SuiteFacts("shop suite", "ab" * 32, ("orders.py",), len(checks), ("public",))
    run = Run(
        "20251018T203000Z-abc123", AT, AT, "0.1.0", suite, PLACE, Selection(), {"jobs": "2"}, tables, tuple(checks), tuple(results)
    )
    return replace(run, **more)  # type: ignore[arg-type]


def every_status() -> Run:
    """One check of each status, with numbers that a rounded percentage would hide."""
    checks = [
        _check("orders.fails", severity=Severity.BLOCKING, why="it costs money", hint="mend it"),
        _check("orders.tolerated", tolerance=Tolerance(rows=5)),
        _check("orders.passes"),
        _check("orders.errs"),
        _check("orders.skipped"),
        _check("orders.inapplicable"),
        _check("orders.empty"),
    ]
    sample = ((("id", "7"), ("note", None)), (("id", "8"), ("note", "")))
    results = [
        Result("orders.fails", Status.FAIL, 99_999, 100_000, Evidence.SCANNED, sample=sample, sql="SELECT id FROM orders"),
        Result("orders.tolerated", Status.TOLERATED, 5, 100_000, Evidence.SCANNED, sql="SELECT 1"),
        Result("orders.passes", Status.PASS, 0, 100_000, Evidence.SCANNED, "orders_check", sql="SELECT 2"),
        Result("orders.errs", Status.ERROR, message="division by zero", sqlstate="22012", sql="SELECT 3"),
        Result("orders.skipped", Status.SKIP, message="skipped, because column orders.x does not exist"),
        Result("orders.inapplicable", Status.NOT_APPLICABLE, message="not applicable, because table x does not exist here"),
        Result("orders.empty", Status.PASS, 0, 0, Evidence.SCANNED, sql="SELECT 4"),
    ]
    columns = (ColumnFacts("id", "bigint", True), ColumnFacts("total", "numeric(18,2)", True))
    tables = (
        TableFacts("public", "orders", "table", 100_000, columns=columns),
        TableFacts("public", "locked", "table", None, "canceling statement due to lock timeout"),
    )
    return make_run(checks, results, tables, notices=(Notice("writable", "the role reader could write to orders"),))


def earlier(run: Run) -> Baseline:
    """A baseline with one table that had 41 more rows, and a narrower column."""
    before = [replace(t, rows=t.rows + 41 if t.rows else t.rows) for t in run.tables]
    before[0] = replace(before[0], columns=(before[0].columns[0], replace(before[0].columns[1], type="numeric(12,2)")))
    return replace(baseline_of(run), tables=tuple(before))


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
def test_the_page_asks_nobody_for_anything_and_complains_about_nothing(browser: Browser, tmp_path: Path, script: bool) -> None:
    """No request leaves the page, no error and no policy violation reaches the console."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), script=script)
    assert browser.requests() == []
    assert browser.complaints() == []
    policy = browser.ask("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_all_facts_are_there_without_script(browser: Browser, tmp_path: Path) -> None:
    """Verdict, every id, claim, count, key, message, SQL, table and place are in the page when JavaScript is off."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), script=False)
    shown = _facts_shown(browser)
    wanted = ["FAIL", "shop", "reader", "db.internal", "PostgreSQL 18.6", "99,999", "100,000", "22012", "division by zero"]
    wanted += ["100,041", "−41", "numeric(12,2)", "lock timeout", "could write to orders", "it costs money", "mend it"]
    for check in run.checks:
        wanted += [check.id, check.claim]
    wanted += [r.sql for r in run.results if r.sql]
    missing = [fact for fact in wanted if fact not in shown]
    assert not missing


def test_the_verdict_comes_first_and_says_both_what_failed_and_what_is_unknown(browser: Browser, tmp_path: Path) -> None:
    """A known failure outranks an unanswered check, and both are said on the first screen."""
    browser.open(_page(tmp_path, every_status()))
    first = str(browser.ask("document.body.innerText"))[:600]
    assert first.index("FAIL") < 200
    assert "1 blocking check failed" in first
    assert re.search(r"2 checks .*(no|without an|not) answer", first)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(Status.ERROR, "INCONCLUSIVE"), (Status.SKIP, "INCONCLUSIVE"), (Status.PASS, "PASS"), (Status.FAIL, "FAIL")],
)
def test_what_is_not_proved_never_looks_passed(browser: Browser, tmp_path: Path, status: Status, verdict: str) -> None:
    """Each status has its own class, word and sign; only PASS bears those of a pass."""
    check = _check("only.one")
    violations = {Status.PASS: 0, Status.FAIL: 1}.get(status)
    browser.open(_page(tmp_path, make_run([check], [Result("only.one", status, violations, 9)])))
    classes = browser.ask("document.querySelector('details.ck').className").split()
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
    "=HYPERLINK(\"http://evil.invalid\")",
    "a\tb\nc",
    "x" * 10_000,
    "😀 ünïcödé",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path, text: str) -> None:
    """Whatever stands in data, names, prose and messages is shown as text: nothing runs, nothing is asked for."""
    check = Check(text, text, (text,), Form.ROW, text, text, why=text, hint=text, owner=text, tags=(text,), origin=text)
    result = Result(
        text, Status.FAIL, 1, 2, Evidence.SCANNED, text, (((text, text), ("k", None)),), text, text, text, "22012", text
    )
    place = replace(PLACE, host=text, database=text, role=text)
    tables = (TableFacts(text, text, "table", 1, columns=(ColumnFacts(text, text, True, text),)),)
    run = make_run([check], [result], tables, place=place, notices=(Notice(text, text, text),), interrupted=text)
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
    page = _page(tmp_path, run, earlier(run)) if which == "made" else ROOT / "reports" / "sample" / "report.html"
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
    """WCAG 2.2 AA (1.4.3): 4.5 to 1, large text 3 to 1, in the light and in the dark; every visible text is measured."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)), dark=dark)
    assert browser.ask("document.querySelectorAll('main *').length") > 50
    assert browser.ask(CONTRAST) == []


def test_print_shows_every_failure_and_a_place_to_sign(browser: Browser, tmp_path: Path) -> None:
    """On paper: failures unfolded, the run's id on each sheet, lines for a signature."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)))
    (tmp_path / "page.pdf").write_bytes(browser.pdf())
    reader = shutil.which("pdftotext")
    if reader is None:
        needs("pdftotext")
    text = subprocess.run([str(reader), "-layout", str(tmp_path / "page.pdf"), "-"], capture_output=True, text=True).stdout
    for fact in ("FAIL", "orders.fails", "99,999", "SELECT id FROM orders", "it costs money", "Signature"):
        assert fact in text, fact
    sheets = [sheet for sheet in text.split("\f") if sheet.strip()]
    assert all(run.id in sheet for sheet in sheets), "the run's id is on every sheet"


def test_filters_hide_checks_and_live_in_the_address(browser: Browser, tmp_path: Path) -> None:
    """Choosing a severity or typing a text hides the others; the address holds the state and brings it back."""
    page = _page(tmp_path, every_status())
    browser.open(page)
    visible = "[...document.querySelectorAll('details.ck')].filter(n => n.checkVisibility()).map(n => n.querySelector('.id').textContent)"
    assert len(browser.ask(visible)) == 7
    browser.ask("const q = document.querySelector('#filter input[type=search]'); q.value = 'tolerated'; q.dispatchEvent(new Event('input', {bubbles: true}))")
    assert browser.ask(visible) == ["orders.tolerated"]
    address = browser.ask("location.href")
    assert "tolerated" in address
    browser.driver.get("about:blank")
    browser.driver.get(address)
    assert browser.ask(visible) == ["orders.tolerated"]


def test_the_outline_is_one_that_a_screen_reader_can_walk(browser: Browser, tmp_path: Path) -> None:
    """A language, a title, one h1, no skipped heading level, a caption and column headings for every table, named links."""
    run = every_status()
    browser.open(_page(tmp_path, run, earlier(run)))
    assert browser.ask("document.documentElement.lang") == "en"
    assert "FAIL" in browser.ask("document.title")
    levels = browser.ask("[...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert browser.ask("[...document.querySelectorAll('table')].every(t => t.caption && t.querySelector('th[scope=col]'))")
    assert browser.ask("[...document.querySelectorAll('a')].every(a => a.textContent.trim())")
    assert browser.ask("new Set([...document.querySelectorAll('[id]')].map(n => n.id)).size === document.querySelectorAll('[id]').length")


def test_the_same_run_gives_the_same_bytes_and_the_sample_is_current() -> None:
    """The page is a pure function of run.json and baseline.json; the committed sample is what the code makes of them."""
    folder = ROOT / "reports" / "sample"
    run = run_from_json((folder / "run.json").read_text())
    baseline = baseline_from_json((folder / "baseline.json").read_text())
    page = run.to_html(baseline)
    assert page == run.to_html(baseline)
    assert page == (folder / "report.html").read_text(), "run: make sample"


def test_three_thousand_checks_stay_a_page(browser: Browser, tmp_path: Path) -> None:
    """3,000 checks of which 50 fail with 20 keys each: at most 3 MB, and it opens."""
    checks = [_check(f"orders.check_{n:04}", why="a reason of ordinary length that says what a violation costs") for n in range(3000)]
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
    assert browser.ask("document.querySelectorAll('details.ck').length") == 3000
    assert page.stat().st_size <= 3_000_000, page.stat().st_size


def test_golden_page(tmp_path: Path) -> None:
    """The whole page of a small run, byte for byte; regenerate with KISAAN_GOLDEN=1 after looking at it."""
    import os

    golden = ROOT / "tests" / "golden" / "report" / "every_status.html"
    run = every_status()
    page = run.to_html(earlier(run))
    if os.environ.get("KISAAN_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8"), "look at the page, then: KISAAN_GOLDEN=1 pytest -k golden"
