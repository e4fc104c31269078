"""The page of ``diff``: all facts of a comparison, for everybody, inert whatever the databases hold."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from conftest import ROOT, Server
from diff_cases import changed, everything, hostile, nothing, same
from helpers import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_diff_rows_file import cells, diff, room_for
from test_diff_rows_file import sides as sides  # the fixture
from test_report_page import HOSTILE

from kisaan_validate.facts.differences import NotCompared
from kisaan_validate.facts.row_differences import RowDiff, TableDiff
from kisaan_validate.record.changelines import value_of
from kisaan_validate.report.deltas import delta
from kisaan_validate.report.diff_page import render_diff
from kisaan_validate.report.row_differences import print_row_differences

GOLDEN = ROOT / "tests" / "golden" / "diff" / "everything.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def written(folder: Path, found: RowDiff) -> Path:
    """A page in a file."""
    path = folder / "diff.html"
    path.write_text(render_diff(found), encoding="utf-8")
    return path


def said(page: str) -> str:
    """The text of a page, its blanks run together."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<wbr>|</?(?:bdi|span|b|del|ins|i)\b[^>]*>", "", body)))


def test_golden() -> None:
    """The page of a comparison in which everything occurs, byte for byte; look at it, then KISAAN_GOLDEN=1."""
    page = render_diff(everything())
    if os.environ.get("KISAAN_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8"), (
        "look at the page, then: KISAAN_GOLDEN=1 pytest -k golden"
    )


def test_every_fact_is_there() -> None:
    """Counts of each table, columns, patterns, samples, schema, both sides and their snapshots, and in one
    place all that was not compared.
    """
    page = render_diff(everything())
    text = said(page)
    for fact in (
        "Rows differ in 2 of 6 tables.",
        "The schema has 4 differences.",
        "2 tables could not be compared completely.",
        "2 tables are the same row by row, 123 rows in all.",
        "Different: publications (1 before, 2 after).",
        "Snapshot ",
        "2025-10-18 02:05:09 UTC",
        "2025-10-18 07:35:11 Asia/Kolkata (UTC+05:30)",
        "on restore.internal, port 5432, PostgreSQL 18.1, as reader",
        "2 removed, 1,212 changed, 1 added, 4 came later. Rows: 300,000 before, 299,999 after (−1). Key: id.",
        "shifted by -05:30 (the offset of Asia/Kolkata) in 1,204 of 1,204 changed rows",
        "1 of 1 added rows repeat another added row except for the key",
        "40 equal rows: ledger_entry_identifier 7",
        "the first 12 of 1,212",
        "−5:30:00",
        "+0.50",
        "(880 characters alike)",
        "Which rows differ is not known.",
    ):
        assert fact in text, fact
    aside = text[text.index("What this page does not show") :]
    for fact in (
        "catalogue entries of policies: before: the role may not read them",
        "the rows of kisaan_users: before: permission denied",
        "the values of kisaan_credits.xml: not compared: no form in common",
        "Not compared: materialized views, their rows (2)",
        "Values of 1 personal column: compared, and shown as •••",
        "declared: sales is renamed to kisaan_payments",
        "--rows-to changes.csv",
    ):
        assert fact in aside, fact


def test_the_worst_comes_first_and_the_clean_is_a_line() -> None:
    """Tables that lost most rows, then those that changed, then those that are not known; the same ones
    have no part of their own.
    """
    page = render_diff(everything())
    parts = re.findall(r'<section class="table" id="t-([^"]*)"', page)
    assert parts == ["kisaan_transaction_ledger", "kisaan_payments", "kisaan_credits", "kisaan_users"]
    assert "2 tables are the same" in said(page)
    assert [h for h in re.findall(r"<h2>(.*?)</h2>", page) if "shops" in h] == []


@pytest.mark.parametrize(
    ("found", "word", "facts"),
    [
        (same(), "The same", ("1 table is the same row by row, 120 rows in all.", "Nothing was left out.")),
        (
            replace(same(), not_compared=(NotCompared("publications", "1", "1"),)),
            "The same in what was compared",
            ("Not compared: publications (1)",),
        ),
        (nothing(), "Could not be compared", ("not known", "1 comparison not possible", "it was lost")),
        (RowDiff("a", "b"), "Could not be compared", ("No table was compared.",)),
        (everything(), "Different", ()),
    ],
)
def test_the_verdict_is_that_of_the_comparison(found: RowDiff, word: str, facts: tuple[str, ...]) -> None:
    """In a word on the first line; a figure that is not known is never 0."""
    page = render_diff(found)
    assert re.search(r"<h1>.*?</svg>(.*?)</h1>", page)[1] == word  # type: ignore[index]
    for fact in facts:
        assert fact in said(page)
    if found == nothing():
        assert ">0<" not in page


WORDS = st.text(st.sampled_from("aA \n\t\u00a0\u200b·↵[]U+0A'é…NUL\u202e\udcff"), max_size=8)
VALUES = st.one_of(
    st.none(), WORDS, st.tuples(WORDS, st.integers(0, 300), WORDS).map(lambda t: t[0] + "x" * t[1] + t[2])
)


@given(before=VALUES, after=VALUES)
@example("x" * 300 + "a", "x" * 300 + "b")
@example(None, "NULL")
@example(" a", "·a")
@example("\n", "↵")
@settings(max_examples=examples(100), deadline=None)
def test_two_values_never_print_as_one(before: str | None, after: str | None) -> None:
    """Law: what the page prints for two different values differs in its text, also beyond the cut; the page
    can be written to a file.
    """
    if before == after:
        return
    table = TableDiff("t", ("id",), 1, 1, added=0, removed=0, changed=1, columns={"v": 1})
    table = replace(table, samples=(changed("t", "1", v=(before, after)),))
    page = render_diff(RowDiff("a", "b", (table,)))
    page.encode("utf-8")
    for row in re.findall(r'<tr role="row">.*?</tr>', page, re.S):
        found = re.findall(r'<td role="cell" class="v"><span class="lb".*?</span>(.*?)</td>', row, re.S)
        if found:
            one, other = (html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in found)
            assert one != other


@pytest.mark.parametrize(
    ("before", "after", "form", "apart"),
    [
        ("100.00", "100.50", "numeric", "+0.50"),
        ("9" * 60, "1" + "0" * 60, "integer", "+1"),
        ("-5", "-1234567.8", "numeric", "−1,234,562.8"),
        ("NaN", "1", "numeric", ""),
        (None, "1", "numeric", ""),
        ("1", "2", "text", ""),
        ("2025-10-13 13:51:46.15", "2025-10-13 08:21:46.15", "timestamp", "−5:30:00"),
        ("2025-10-13 00:00:00+00", "2025-10-15 01:00:00.000001+00", "timestamptz", "+2 days 1:00:00.000001"),
        ("infinity", "2025-10-13 00:00:00", "timestamp", ""),
        ("2025-10-13 00:00:00", "2025-10-13 00:00:00+00", "timestamptz", ""),
        ("0044-03-15 00:00:00 BC", "2025-10-13 00:00:00", "timestamp", ""),
    ],
)
def test_how_far_two_values_are_apart(before: str | None, after: str, form: str, apart: str) -> None:
    """Exact, with a sign; nothing where there is no such thing."""
    assert delta(before, after, form) == apart


def test_values_that_are_printed_alike_are_said_to_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Two values may differ though the server prints one text for both: on the page and on the console; of
    masked ones that is not said.
    """
    for value, times in (("{1}", 1), ("•••", 0)):
        table = TableDiff("t", ("id",), 1, 1, added=0, removed=0, changed=1)
        found = RowDiff("a", "b", (replace(table, samples=(changed("t", "1", v=(value, value)),)),))
        print_row_differences(found, quiet=False)
        assert capsys.readouterr().out.count("printed alike, but not equal") == times
        assert said(render_diff(found)).count("printed alike, but not equal") == times


def test_each_changed_column_has_an_example(
    server: Server, sides: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Also where the first rows changed in other columns only; without samples there is none."""
    page = tmp_path / "d.html"
    assert diff(server, sides, "--html", page, "--samples", "1") == 1
    text = said(page.read_text(encoding="utf-8"))
    assert "no sample" not in text
    assert "'=1+1" not in text
    assert "=1+1" in text
    assert capsys.readouterr().out.count("changed payments") == 2
    assert diff(server, sides, "--html", page, "--samples", "0") == 1
    assert said(page.read_text(encoding="utf-8")).count("no sample") == 8


def media(browser: Browser, media: str = "", **features: str) -> None:
    """What the page is shown on."""
    named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": named})


UNFOLD = "for (const d of document.querySelectorAll('details')) d.open = true"


@pytest.mark.parametrize(
    ("state", "width", "features"),
    [
        ("light", 1440, {}),
        ("dark", 1440, {"prefers_color_scheme": "dark"}),
        ("forced colours", 1440, {"forced_colors": "active"}),
        ("printing", 794, {"media": "print"}),
        ("a tablet", 768, {}),
        ("narrow", 360, {}),
        ("narrow and dark", 360, {"prefers_color_scheme": "dark"}),
    ],
)
def test_axe_finds_nothing(
    browser: Browser, tmp_path: Path, state: str, width: int, features: dict[str, str]
) -> None:
    """WCAG 2.2 A and AA and axe's best practices, folded and unfolded; no request, no complaint."""
    browser.open(written(tmp_path, everything()), width=width)
    media(browser, **features)
    assert axe.findings(browser) == [], state
    browser.ask(UNFOLD)
    assert axe.findings(browser) == [], state
    assert browser.requests() == []
    assert browser.complaints() == []


BEYOND = """[...document.querySelectorAll('body *')].filter(n => n.checkVisibility()
  && !n.closest('.hide, .skip, thead, svg') && n.getBoundingClientRect().width
  && (n.getBoundingClientRect().right > innerWidth + 1 || n.scrollWidth > n.clientWidth + 1
      && getComputedStyle(n).display !== 'inline')).map(n => n.outerHTML.slice(0, 120))"""

BROKEN = """[...document.querySelectorAll('h1, h2, h3, thead th, .known, .top b, .over a, .cn, dt, .lb')].flatMap(n => {
  const found = [], walk = document.createTreeWalker(n, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) for (const word of walk.currentNode.data.matchAll(/[^\\s._]+/g)) {
    const range = document.createRange()
    range.setStart(walk.currentNode, word.index); range.setEnd(walk.currentNode, word.index + word[0].length)
    if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) found.push(word[0])
  }
  return found })"""


@pytest.mark.parametrize("width", [320, 360, 480, 700, 701, 768, 1024, 1440])
def test_nothing_is_clipped_and_no_word_is_broken(browser: Browser, tmp_path: Path, width: int) -> None:
    """Nothing scrolls sideways, and no name or heading is broken within a word."""
    browser.open(written(tmp_path, everything()), width=width)
    browser.ask(UNFOLD)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask(BEYOND) == []
    assert browser.ask(BROKEN) == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path, text: str) -> None:
    """Whatever names, values and messages hold is shown as text: nothing runs, nothing is asked for, nothing
    is beyond the edge of a telephone.
    """
    page = written(tmp_path, hostile(text))
    browser.open(page, width=360)
    browser.ask(UNFOLD)
    assert "owned" not in browser.ask("document.title").replace("document.title='owned'", "")
    assert browser.ask("document.querySelectorAll('script, img, [onload], [onerror]').length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    assert browser.requests() == []
    assert browser.complaints() == []
    assert "\u202e" not in page.read_text(encoding="utf-8")


def test_paper_shows_what_is_folded(browser: Browser, tmp_path: Path) -> None:
    """All samples are on it, in three sheets."""
    browser.open(written(tmp_path, everything()))
    sheets = len(re.findall(rb"/Type\s*/Page\b", browser.pdf()))
    assert sheets == 3
    style = str(browser.ask("document.querySelector('style').textContent"))
    for words in ("Different", "shop_before.public", "2025-10-18 02\\3a 05\\3a 09 UTC", "shop.public"):
        assert words in style[style.rindex("@page") :]
    media(browser, "print")
    assert (
        browser.ask("[...document.querySelectorAll('.ch th')].filter(n => n.checkVisibility()).length") > 12
    )


def test_a_page_of_two_live_sides(
    server: Server,
    sides: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    browser: Browser,
) -> None:
    """Beside the lines and both files: the same counts, personal values masked, mode 0600; a second time it
    replaces itself, and never somebody's page.
    """
    page, rows, data = (tmp_path / name for name in ("d.html", "d.csv", "d.json"))
    words = ("--html", page, "--rows-to", rows, "--format", "json", "-o", data)
    assert diff(server, sides, *words) == 1
    out = capsys.readouterr().out
    assert f"page    {page}" in out
    text = said(page.read_text(encoding="utf-8"))
    assert "2 removed, 102 changed, 2 added. Rows: 300 before, 300 after (±0). Key: id." in text
    assert "sign flipped in 100 of 100 changed rows" in text
    assert not re.search(r"\b9[678]\d\d?\b", text.replace("901", "").replace("902", ""))
    assert "the table exists only before" in text
    assert "not compared left out" in text
    assert page.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.csv", "d.html", "d.json"]
    browser.open(page, width=360)
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    assert browser.complaints() == []
    assert diff(server, sides, *words) == 1
    page.write_text("<p>my own page</p>")
    assert diff(server, sides, *words) == 2
    assert "was not written by diff --html" in capsys.readouterr().err
    assert page.read_text() == "<p>my own page</p>"
    assert diff(server, sides, *words, "--force") == 1


def test_a_full_disk_costs_the_page_and_not_the_answer(
    server: Server,
    sides: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All outputs at once: each that cannot be written is said, the lines are there, the exit code stands."""
    page, rows, data = (tmp_path / name for name in ("d.html", "d.jsonl", "d.json"))
    with room_for(0):
        words = ("--html", page, "--rows-to", rows, "--format", "json", "-o", data)
        assert diff(server, sides, *words) == 1
    captured = capsys.readouterr()
    for path in (page, rows, data):
        assert f"cannot write {path}: File too large\nHINT: free some space" in captured.err
    assert "DIFFERENT" in captured.out
    assert not list(tmp_path.iterdir())


EVIL = "=A1\x1b[31m\u202e\n\"';--<script>document.title='owned'</script>"


def test_evil_names_and_values_of_a_database_do_nothing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], browser: Browser
) -> None:
    """Names of a table and a column, a key and values: inert on the terminal, on the page, and in the file,
    from which they come back as they are.
    """
    value, name = EVIL.replace("'", "''"), '"' + EVIL.replace('"', '""') + '"'
    make = f"CREATE TABLE {name} (k text PRIMARY KEY, {name} text); INSERT INTO {name} VALUES ('{value}', '{value}"
    both = server.create(f"{make}0')"), server.create(f"{make}1')")
    page, rows = tmp_path / "d.html", tmp_path / "d.csv"
    assert diff(server, both, "--html", page, "--rows-to", rows) == 1
    captured = capsys.readouterr()
    for trick in ("\x1b", "\u202e"):
        assert trick not in captured.out + captured.err + page.read_text(encoding="utf-8")
    assert "[U+001B]" in captured.out
    changed, end = cells(rows)
    assert end["note"] == "complete"
    assert [value_of(changed[name]) for name in ("table", "key", "column")] == [EVIL] * 3
    assert (value_of(changed["before"]), value_of(changed["after"])) == (f"{EVIL}0", f"{EVIL}1")
    assert rows.read_text(encoding="utf-8").count("'=A1") == 5
    browser.open(page, width=360)
    assert "owned" not in browser.ask("document.title").replace("document.title='owned'", "")
    assert browser.ask("document.querySelectorAll('script').length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    assert browser.complaints() == []
    for database in both:
        server.drop(database)
