"""The page of a rehearsal: all facts, for a manager and a DBA, inert, legible at any width and on paper."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from hypothesis import given
from hypothesis import strategies as st
from rehearsal_cases import READ, WRITE, _outage, clean, everything, hostile, quiet_run

from kisaan_validate.facts.rehearsal import SecondsRange
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.report.rehearsal_console import rehearsal_lines
from kisaan_validate.report.rehearsal_felt import felt_sentences
from kisaan_validate.report.rehearsal_page import NOT_PROVED, render_rehearsal
from kisaan_validate.report.rehearsal_words import clock, clock_exact, range_words, seconds_words
from kisaan_validate.report.timeline import LANE, timeline


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def page_of(found: Rehearsed) -> str:
    """The page of a rehearsal."""
    return render_rehearsal(found, judge_rehearsal(found))


def said(page: str) -> str:
    """The text of a page, its blanks run together."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<wbr>|<[^>]*>", "", body)))


def test_every_fact_is_there() -> None:
    """What people felt in their own words, the statements, rollbacks, interruptions, the application."""
    text = said(page_of(everything()))
    for fact in (
        "Payments could not be read or written for 30.0 to 30.1 s, 02:03:04 after the start, beside a reader",
        "The migration failed: 20251018_06.sql: could not create unique index",
        "A rollback by the dump into the migrated database does not restore the state before.",
        "Whether a rollback by a new database from the dump restores everything is not known.",
        "350 to 400 ms, and not over yet",
        "The reader had read 3 tables and stayed open for 30.0 s (30.0 s asked for; ended by time)",
        "02:03:04.000",
        "20251018_05_timestamp_consistency.sql, line 2",
        "payments: no reads, no writes (AccessExclusiveLock) for 7.0 s",
        "sales: no writes (ShareRowExclusiveLock) for about 10.0 s, its end is not known",
        "rewrites kisaan_payments (619.9 MB): a column's type was altered",
        "reads all of kisaan_payments: rewriting; building payments_pkey, payments_status",
        "WAL: 86.8 MB",
        "failed: 23505 could not create unique index",
        "Waived: agreed with the owner until 2026-12-31",
        "FAIL: 113 checks run; 7 of 9 promises kept",
        "payments.instants: 5,000,000 values moved by 5 h 30 min",
        "1 query: no longer plans",
        'no longer plans: column "note" does not exist',
        "kisaan_payments.created_at has no statistics until then",
        "Does not work with the migrated database: /api/health answered 503; the command ended with exit code 1",
        "Exit code 0, 12 errors, 41.5 s.",
        "Killed before 4 of 40 changes",
        'wedges: column "x" already exists',
        "More than once in the ledger: 20251018_05.sql",
        "left out of the copy: event trigger audit",
        "the tape: 12 lines of the log are missing",
        "Times are of this machine: counting kisaan_payments (5,000,000 rows) took 410 ms here.",
        "the dump does not say",
        "Asia/Kolkata",
        *NOT_PROVED,
    ):
        assert fact in text, fact


def test_a_clean_rehearsal_says_so() -> None:
    """And still what it does not prove; nothing is in red."""
    page = page_of(clean())
    text = said(page)
    assert "The migration kept its contract, and nothing was left out." in text
    assert "Nobody would have waited longer than 20 ms for a table." in text
    assert "so production takes about 3.0 times as long by the row" in text
    assert all(words in text for words in NOT_PROVED)
    assert 'class="v-fail"' not in page
    assert 'id="why"' not in page


def test_what_was_not_tried_is_not_called_quiet() -> None:
    """Without canaries nobody knows what people would have felt."""
    found = clean()
    run = quiet_run()
    blind = replace(run, canaries=replace(run.canaries, read=(), written=()))
    text = said(
        page_of(
            replace(
                found,
                rehearsal=replace(
                    found.rehearsal, alone=blind, beside_reader=None, reader_reason="no reader was asked for"
                ),
            )
        )
    )
    assert "What people would have felt is not known: no table was tried." in text
    assert "Not run beside an open reader: no reader was asked for" in text
    assert "Nobody would have waited" not in text


def test_it_is_inert() -> None:
    """Whatever names, texts and outputs hold: no script, no address, one style by its hash."""
    page = page_of(hostile())
    assert "<script" not in page
    assert "{{ 7*7 }}" in said(page)
    assert re.findall(r'(?:src|href)="(?!#|data:image/svg)([^"]*)"', page) == ["run-20261130/report.html"]
    # In SQL that people copy it is kept, fenced in and named beside itself.
    assert "\u202e" not in page.replace('<bdi class="cc" data-u="U+202E">\u202e</bdi>', "")


def test_the_same_facts_give_the_same_bytes() -> None:
    """No clock and no order of a set is in it."""
    assert page_of(everything()) == page_of(everything())


@pytest.mark.parametrize(
    ("width", "dark", "paper"),
    [(1280, False, False), (360, True, False), (720, False, True)],
)
def test_people_can_read_it(browser: Browser, tmp_path: Path, width: int, dark: bool, paper: bool) -> None:
    """Wide, at 360 pixels, dark, on paper, without script: nothing lies beyond the edge, axe finds nothing."""
    path = tmp_path / "rehearsal.html"
    path.write_text(page_of(everything()), encoding="utf-8")
    browser.open(path, width=width, dark=dark, paper=paper, script=False)
    assert browser.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"] <= width
    # axe waits by timers, which a page without script has none of.
    browser.open(path, width=width, dark=dark, paper=paper)
    assert axe.findings(browser, paper=paper) == []


def test_the_timeline_draws_each_lock_and_wait() -> None:
    """Each statement, lock and wait is a shape within its lane; what matters fills the picture, and the part
    that is drawn is named.
    """
    found = everything()
    drawn = timeline("Alone", found.rehearsal.alone, dict(found.nouns))
    assert [lane.name for lane in drawn.lanes] == ["statements", "payments", "sales"]
    assert drawn.part == "02:03:03 to 02:03:20 of 02:03:20"
    shapes = [
        re.findall(r'class="([\w-]+)" x="(\d+)" y="\d+" width="(\d+)"', lane.drawing) for lane in drawn.lanes
    ]
    assert [kind for kind, _, _ in shapes[0]] == ["t-even", "t-failed"]
    assert [kind for kind, _, _ in shapes[1]] == ["t-reads", "t-nowrite", "t-noread"]
    assert [kind for kind, _, _ in shapes[2]] == ["t-writes", "t-noread"]
    assert all(int(x) >= 0 and int(x) + int(w) <= LANE for lane in shapes for _, x, w in lane)
    assert drawn.lanes[1].words[-1] == "locked against reads and writes for 7.0 s"


@given(st.floats(0, 1e7), st.floats(0, 1e4))
def test_a_range_never_says_less_than_it_is(least: float, more: float) -> None:
    """The most is rounded up, the least down."""
    assert _seconds(seconds_words(least)) <= least + 1e-6
    assert _seconds(seconds_words(least + more, up=True)) >= least + more - 1e-6


def _seconds(words: str) -> float:
    found = re.fullmatch(r"(?:([\d,]+) min )?([\d.]+) (s|ms)", words)
    assert found is not None, words
    return float((found[1] or "0").replace(",", "")) * 60 + float(found[2]) / (
        1_000 if found[3] == "ms" else 1
    )


def test_who_could_neither_read_nor_write_is_said_once() -> None:
    """Two canaries begin to wait some milliseconds apart; another second is another wait."""
    run = quiet_run()
    for apart, said_once in ((0.003, True), (1.5, False)):
        outages = (_outage("t", READ, 2.2, 4.2), _outage("t", WRITE, 2.2 + apart, 4.2 + apart))
        felt = replace(run, canaries=replace(run.canaries, outages=outages))
        lines = felt_sentences(replace(clean().rehearsal, alone=felt, beside_reader=None), {})
        assert (len(lines) == 1, "read or written" in lines[0]) == (said_once, said_once), lines


def test_ranges_in_words() -> None:
    """One number where both ends are the same, one unit where they share it."""
    assert range_words(SecondsRange(6.04, 6.06)) == "6.0 to 6.1 s"
    assert range_words(SecondsRange(6.1, 6.1)) == "6.1 s"
    assert range_words(SecondsRange(0.0, 0.02)) == "up to 20 ms"
    assert range_words(SecondsRange(0.95, 1.2)) == "950 ms to 1.2 s"
    assert range_words(SecondsRange(59.9, 61)) == "59.9 s to 1 min 1 s"
    assert (clock(7384.9), clock_exact(7384.9)) == ("02:03:04", "02:03:04.900")
    assert (clock(0.42), clock(59.9), clock(60), clock_exact(0.42)) == (
        "420 ms",
        "59.9 s",
        "00:01:00",
        "00:00:00.420",
    )


def test_a_terminal_hears_the_same() -> None:
    """The verdict last; with --quiet nothing else."""
    found = everything()
    judged = judge_rehearsal(found)
    lines = list(rehearsal_lines(found, judged, quiet=False))
    assert lines[-1] == "verdict  FAIL"
    assert lines[0].startswith("felt     payments could not be read or written for 30.0 to 30.1 s")
    assert any("and 2 more: see the page" in line or "open" in line[:5] for line in lines)
    assert list(rehearsal_lines(found, judged, quiet=True)) == ["verdict  FAIL"]
    evil = list(rehearsal_lines(hostile(), judge_rehearsal(hostile()), quiet=False))
    assert not any("\u202e" in line or "\x1b" in line for line in evil)
