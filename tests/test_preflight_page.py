"""The page and the console of a preflight: the reason first, everything there, inert whatever names hold."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from preflight_cases import item, record
from test_report_page import HOSTILE

from kisaan_validate.facts.preflight import PreflightRecord, PreflightTopic
from kisaan_validate.facts.states import StandingState
from kisaan_validate.record.preflight import preflight_to_json
from kisaan_validate.report.preflight_console import SHOWN, preflight_lines
from kisaan_validate.report.preflight_page import FEW, NOT_PROVED, ROWS, render_preflight
from kisaan_validate.report.shell import css_text

PASS, FAIL, UNKNOWN, WORK = (
    StandingState.PASS,
    StandingState.FAIL,
    StandingState.UNKNOWN,
    StandingState.WORK,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def everything() -> PreflightRecord:
    """One of each, with objects behind them."""
    rows = tuple((("pid", str(n)), ("user", f"user{n}")) for n in range(FEW + 2))
    return record(
        item(PASS, "no transaction is prepared"),
        item(WORK, "137 rows to fix", topic=PreflightTopic.WORK, todo=""),
        item(UNKNOWN, "no baseline was named", topic=PreflightTopic.BASELINE, todo="name it"),
        item(FAIL, "pid 4711 sits idle", rows=rows),
    )


def page_of(found: PreflightRecord) -> str:
    """The page of a record."""
    return render_preflight(found, preflight_to_json(found))


def said(page: str) -> str:
    """The text of a page, its blanks run together."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", body)))


def test_every_fact_is_there() -> None:
    """What is a no-go, what cannot be told, what was left out, what is not proved, and the files."""
    found = everything()
    text = said(page_of(found))
    for one in found.items:
        assert one.fact in text
        assert one.todo in text
    for fact in (
        "No-go",
        "user9",
        "disk: left out by --without",
        "ab" * 32,
        "db.example",
        "sums are off.",
        *NOT_PROVED,
    ):
        assert fact in text
    assert text.index("sits idle") < text.index("no baseline") < text.index("137 rows")


def test_a_go_says_that_something_was_left_out() -> None:
    """In its first words, on the screen and on each printed sheet; the names come before the answers."""
    go = record(item(PASS, "no transaction is prepared"))
    page = page_of(go)
    assert go.left_out
    assert "Go, 1 left out" in said(page)
    assert f'content:"{css_text("Go, 1 left out; ")}' in page
    assert said(page).index("disk: left out by --without") < said(page).index("no transaction is prepared")
    whole = page_of(replace(go, left_out=()))
    assert "left out" not in said(whole).lower()


@pytest.mark.parametrize(
    ("states", "word"),
    [((PASS, WORK), "Go"), ((PASS, UNKNOWN), "Cannot tell"), ((UNKNOWN, FAIL), "No-go"), ((), "Cannot tell")],
)
def test_the_verdict_stands_first(states: tuple[StandingState, ...], word: str) -> None:
    """In words, and on the console as in the record."""
    found = record(*(item(state) for state in states))
    left_out = ", 1 left out" if word == "Go" else ""
    assert f"</svg>{word}{left_out}</h1>" in page_of(found)
    *_, last = preflight_lines(found, quiet=True)
    assert last.startswith(f"verdict      {found.verdict.value} ({word.lower()})")
    assert "without disk" in last


def test_the_console_says_the_reason_first() -> None:
    """No-go, cannot tell, work, go; all of it with --verbose, the verdict alone with --quiet."""
    lines = list(preflight_lines(everything(), quiet=False))
    heads = [line[:12].strip() for line in lines if line[:12].strip()]
    assert heads == ["target", "no-go", "cannot tell", "work to do", "go", "left out", "verdict"]
    assert "no transaction is prepared" not in "\n".join(lines)
    assert "no transaction is prepared" in "\n".join(preflight_lines(everything(), quiet=False, verbose=True))
    assert len(list(preflight_lines(everything(), quiet=True))) == 1
    many = record(*(item(FAIL, f"fact {n}") for n in range(SHOWN + 3)))
    assert "and 3 more" in "\n".join(preflight_lines(many, quiet=False))


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (360, True)])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """No barrier, nothing requested, nothing beyond the window."""
    page = tmp_path / "preflight.html"
    for found in (everything(), record(item(PASS))):
        page.write_text(page_of(found), encoding="utf-8")
        browser.open(page, width=width, dark=dark)
        assert axe.findings(browser) == []
        assert browser.complaints() == []
        assert browser.ask("document.documentElement.scrollWidth") <= width


def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path) -> None:
    """Names of applications, users and files: no script runs, nothing is fetched, no line is begun."""
    items = [
        item(state, text, todo=text, rows=(((text, text), ("pid", text)),))
        for text in HOSTILE
        for state in (FAIL, UNKNOWN, PASS)
    ]
    found = record(*items)
    place = replace(found.place, database=HOSTILE[0], role=HOSTILE[4], host=HOSTILE[6])
    found = replace(found, place=place)
    page = tmp_path / "preflight.html"
    page.write_text(page_of(found), encoding="utf-8")
    browser.open(page, width=360)
    assert browser.driver.title != "owned"
    assert browser.complaints() == []
    assert browser.ask("document.scripts.length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    lines = list(preflight_lines(found, quiet=False, verbose=True))
    assert all(line.isprintable() and len(line) < 400 for line in lines)


def test_paper(browser: Browser, tmp_path: Path) -> None:
    """The lines to sign are on paper alone, and what is folded on a screen is not folded there."""
    page = tmp_path / "preflight.html"
    page.write_text(page_of(everything()), encoding="utf-8")
    shown = "getComputedStyle(document.querySelector('.paper')).display"
    browser.open(page)
    assert browser.ask(shown) == "none"
    browser.open(page, paper=True)
    assert browser.ask(shown) == "block"
    assert browser.ask("document.querySelector('details .objects').getBoundingClientRect().height") > 50


def test_very_many_objects_are_cut_and_counted() -> None:
    """A page stays a page: the rest stands in the record."""
    rows = tuple((("pid", f"n{number}"),) for number in range(ROWS + 7))
    page = page_of(record(item(FAIL, rows=rows)))
    assert f"n{ROWS - 1}<" in page
    assert f"n{ROWS}<" not in page
    assert "7 more are in preflight.json" in said(page)
