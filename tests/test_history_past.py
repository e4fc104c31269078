"""What a run remembers of the nights before it: the same that the history counts from all of them; and how a
page shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from hypothesis import given, settings
from hypothesis import strategies as st
from night_cases import START, night, record_night

from kisaan_validate.cli.runs_index import update_index
from kisaan_validate.facts.past import NIGHTS_KEPT, Remembered
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.history.lines import follow
from kisaan_validate.history.marks import HistoryMark, add_mark
from kisaan_validate.history.missed import missed
from kisaan_validate.history.night import night_of
from kisaan_validate.history.past import past_of, shown_counts, tonight
from kisaan_validate.history.store import opened
from kisaan_validate.record.codec import run_digest, run_from_json, run_to_json
from kisaan_validate.report.html import render_html
from kisaan_validate.report.past import nights_view
from kisaan_validate.verdict.judgement import Judgement, judge

SAID = st.sampled_from(["ok", "ok", "1a", "2a", "2b", "?", "-"])


def said_night(number: int, said: tuple[str, ...]) -> Run:
    """A night on which each check says ``2b`` (fails with two rows), ``ok``, ``?`` or ``-``."""
    run = night(number)
    made = [_said(r, one) for r, one in zip(run.results, said, strict=False)]
    checks = tuple(replace(check, applies=("there is a table",)) for check in run.checks)
    return replace(run, checks=checks, results=(*made, *run.results[len(said) :]))


def _said(result: Result, said: str) -> Result:
    if said == "?":
        return Result(result.check_id, Status.ERROR, message="timeout", sqlstate="57014")
    if said == "-":
        return Result(result.check_id, Status.NOT_APPLICABLE, message="not applicable: x")
    if said == "ok":
        return result
    return replace(result, status=Status.FAIL, violations=int(said[0]), key_digest=said[1] * 64)


@pytest.mark.parametrize(
    ("said", "known", "why"),
    [
        ("2a", True, ""),
        ("2b", None, "whether these are the same rows is unknown"),
        ("3b", False, "at least 1 more than before"),
        ("1a", None, "whether these are the same rows is unknown"),
    ],
)
def test_after_a_night_without_an_answer_a_failure_is_held_against_the_one_before(
    said: str, known: bool | None, why: str
) -> None:
    """One row more is news, and so is what nothing tells; only the same rows are known."""
    last = None
    for n, one in enumerate(("2a", "?", said)):
        run = said_night(n, (one,))
        run = replace(run, past=past_of(run, last, run_digest(last.run))) if last is not None else run
        last = judge(run)
    assert last is not None
    assert last.run.past is not None
    (found,) = (f for f in last.run.past.failures if f.check == last.run.results[0].check_id)
    assert (found.known, found.reason) == (known, why)


@settings(max_examples=12)
@given(st.lists(st.tuples(SAID, SAID), min_size=2, max_size=36))
def test_a_run_remembers_what_the_history_counts(said: list[tuple[str, str]]) -> None:
    """Made of the last run alone, night after night, and written and read in between: state, since when and
    on how many nights are those that all nights together give.
    """
    judged: list[Judgement] = []
    for n, one in enumerate(said):
        run = said_night(n, one)
        if judged:
            last = judged[-1]
            run = replace(run, past=past_of(run, last, run_digest(last.run)))
        judged.append(judge(run_from_json(run_to_json(run))))
    nights = [night_of(one, one.run.id, run_digest(one.run)) for one in judged]
    lines = follow(nights)
    for n, one in enumerate(judged[1:], 1):
        past = one.run.past
        assert past is not None
        assert [k.run for k in past.nights] == [k.run for k in nights[max(0, n - NIGHTS_KEPT) : n]]
        for told in tonight(one.run):
            line = lines[told.outcome.check, told.outcome.meaning][n]
            assert (told.step.state, told.step.since, told.step.nights) == (
                line.state,
                line.since,
                line.nights,
            )
            counts = shown_counts(told.before, past.nights)
            there = [k.outcome.violations for k in lines[told.outcome.check, told.outcome.meaning][:n]][
                -NIGHTS_KEPT:
            ]
            # What began later than the first night that is remembered is not known before.
            assert all(count in {None, true} for count, true in zip(counts, there, strict=True))
            if told.before.since is not None:
                assert counts[-1] == there[-1]
    size = len(run_to_json(judged[-1].run)) - len(run_to_json(replace(judged[-1].run, past=None)))
    assert size < 25_000


ORDERS = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=14)


@settings(max_examples=15)
@given(st.lists(st.tuples(SAID, SAID), min_size=10, max_size=10), ORDERS, st.booleans())
def test_counting_one_more_is_counting_all(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[str, str]],
    order: list[tuple[int, bool]],
    renamed: bool,
) -> None:
    """Runs come in any order, again, and go; names change: the index says what one says that is made of what
    is there at once.
    """
    folder = tmp_path_factory.mktemp("index")
    runs = [judge(said_night(n, one)) for n, one in enumerate(said)]
    nights = [night_of(one, one.run.id, run_digest(one.run)) for one in runs]
    names = {"orders.rule_0000": "orders.rule_new"} if renamed else {}
    there: set[int] = set()
    for n, comes in order:
        with opened(folder / "grown") as history:
            if comes:
                history.add([nights[n]])
                there.add(n)
            else:
                history.forget([nights[n].run])
                there.discard(n)
    with opened(folder / "grown", names) as history:
        history.settle()
        grown = history.nights()
    with opened(folder / "whole", names) as history:
        history.add([nights[n] for n in there])
        assert history.nights() == grown


def times(*hours: float) -> list[datetime]:
    """Moments so many hours after the first night."""
    return [START + timedelta(hours=hour) for hour in hours]


@pytest.mark.parametrize(
    ("hours", "every", "gaps"),
    [
        ((0, 24, 48), 24, [0, 0, 0]),
        # A night of 23 or 25 hours, one that is late, one that is early.
        ((0, 23, 48, 82, 96), 24, [0, 0, 0, 0, 0]),
        ((0, 48, 72, 144), 24, [0, 1, 0, 2]),
        # Run twice in one night; the clock stepped back.
        ((0, 24, 24.1, 48, 47), 24, [0, 0, 0, 0, 0]),
        # Nobody said how often: seven gaps tell, six do not, and minutes are no rhythm.
        ((0, 24, 48, 72, 96, 120, 144, 192), 0, [0, 0, 0, 0, 0, 0, 0, 1]),
        ((0, 24, 48, 72, 96, 120, 168), 0, [0] * 7),
        ((0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 9), 0, [0] * 9),
        ((), 24, []),
        ((0,), 24, [0]),
    ],
)
def test_missed_nights(hours: tuple[float, ...], every: int, gaps: list[int]) -> None:
    """One number for each run: how many are missing before it."""
    assert missed(times(*hours), every * 3600) == gaps


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nights of three weeks: two failures that stay, a missed week-end, a mark, a changed suite."""
    reports = tmp_path_factory.mktemp("nights")
    for n in (*range(8), *range(10, 16)):
        suite = night(n).suite
        if n >= 12:
            suite = replace(suite, digest="cd" * 32)
        record_night(reports, night(n, failing=2 * (n >= 5), suite=suite), every=86_400)
        if n == 4:
            add_mark(reports, HistoryMark(START + timedelta(days=4, hours=5), "release <1.4> deployed"))
    return reports


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the newest run there."""
    newest = max(folder.glob("*/run.json"))
    made = tmp_path_factory.mktemp("page") / "report.html"
    made.write_text(render_html(judge(run_from_json(newest.read_text()))), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def test_the_page_tells_the_nights(page: Path) -> None:
    """Verdicts, what was missed, since when each check fails, what happened between, all of it in words
    beside the pictures; the same record gives the same bytes.
    """
    text = page.read_text(encoding="utf-8")
    section = text[text.index('<section id="nights">') :].partition("</section>")[0]
    assert "16 nights since 2026-01-05 02:00:00 UTC: 5 passed, 9 failed, 2 missed." in section
    assert section.count('class="m-missed"') == 2
    assert "known: failing since 2026-01-10 02:00:00 UTC, on 9 nights" in section
    assert "latest 7; lowest 0, highest 7" in section
    rows = re.findall(r'class="beside".*?datetime="(\S+?)T.*?<td[^>]*>(.*?)</td>', section)
    assert rows == [
        ("2026-01-17", "the suite changed"), ("2026-01-15", "missed: 2 runs"),
        ("2026-01-09", "release &lt;1.4&gt; deployed"),
    ]  # fmt: skip
    pictures = re.findall(r"<svg[^>]*>(.*?)</svg>", section)
    assert len(pictures) == 1 + 2 + 2 + 2
    assert all(picture.startswith("<title>") for picture in pictures)
    assert "since the last run" in text.lower()
    assert "<script" not in section


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(browser: Browser, page: Path, scheme: str) -> None:
    """axe finds nothing, nothing is wider than a telephone, in both schemes and on paper."""
    browser.open(page, width=360)
    wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    browser.ask("document.querySelectorAll('#nights details').forEach(fold => { fold.open = true })")
    assert axe.findings(browser) == []
    assert browser.ask("document.documentElement.scrollWidth") <= 360


def test_the_page_over_all_runs_names_what_was_missed(browser: Browser, folder: Path) -> None:
    """A night without a run is a cross and a sentence, not a gap that reads as fine."""
    update_index(folder)
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert text.count('class="m-missed"') == 2
    assert "Missed: 2 runs between 2026-01-12 02:00:00 UTC and 2026-01-15 02:00:00 UTC." in text
    assert "9 FAIL" in text
    assert "2 missed" in text
    browser.open(folder / "index.html", width=360)
    assert axe.findings(browser) == []


def test_without_a_past_nothing_is_drawn(tmp_path: Path) -> None:
    """The first run has no section of nights; its record has no field for them."""
    first = record_night(tmp_path, night(0))
    assert nights_view(first) is None
    assert 'id="nights"' not in render_html(first)
    assert '"past"' not in run_to_json(first.run)


def test_what_began_before_is_at_least_so_old(tmp_path: Path) -> None:
    """Of a failure that the first remembered night had already, nobody knows when it began."""
    for n in range(3):
        judged = record_night(tmp_path, night(n, failing=1))
    assert "failing at least since 2026-01-05" in render_html(judged)
    past = judged.run.past
    assert isinstance(past, Remembered)
    assert past.begins == START
