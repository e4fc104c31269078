"""The page of a rollout: the whole night for everybody, inert whatever people typed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from rollouts import PLAN, Events, chain, plan_of
from test_report_page import HOSTILE

from kisaan_validate.facts.rollout import (
    PlanAccepted,
    RolloutEvent,
    RolloutOpened,
    StepRecord,
    TurnedBack,
    WorkTakenOver,
)
from kisaan_validate.facts.rollout_state import RolloutNight
from kisaan_validate.report.rollout_page import render_rollout
from kisaan_validate.rollout.judge import criteria_of_plan, judge_rollout
from kisaan_validate.rollout.machine import what_next

SAID = Events(plan_of())
RECORD = StepRecord("out/done.txt", 12_345, "ab" * 32)


def night(*events: RolloutEvent, notes: tuple[str, ...] = (), plan: str = PLAN) -> RolloutNight:
    """A night of these events."""
    made, entries = plan_of(plan), chain(events)
    position = what_next(made, entries)
    criteria = criteria_of_plan(made, position, entries)
    verdict, reasons = judge_rollout(made, position, criteria, entries)
    at = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
    return RolloutNight(made, entries, "cd" * 32, position, criteria, verdict, reasons, notes, at)


def everything() -> RolloutNight:
    """A night in which all of it happened."""
    return night(
        RolloutOpened("orders", "ef" * 32, "0.4.0"),
        replace(SAID.attested("told"), file=StepRecord("evidence/0002-told.txt", 9, "12" * 32)),
        SAID.started("look"),
        SAID.ended("look", "unknown"),
        SAID.overridden("look"),
        WorkTakenOver("binod on desk", "Asha"),
        SAID.started("migrate"),
        replace(SAID.ended("migrate"), records=(RECORD,)),
        PlanAccepted("1" * 64, "2" * 64, "Asha", "a slip in a title"),
        notes=("The clock went back by 60 s between entries 1 and 2 (desk, desk).",),
    )


def said(page: str) -> str:
    """The text of a page, its blanks run together."""
    body = page[page.index("<body>") :]
    return re.sub(
        r"\s+", " ", html.unescape(re.sub(r"<wbr>|</?(?:bdi|span|b|code|a|time)\b[^>]*>", "", body))
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def test_every_fact_is_there() -> None:
    """Times, decisions, criteria with their proof, what is odd, digests."""
    text = said(render_rollout(everything()))
    for fact in (
        "Done, not proved",
        "look was overridden, by Binod: it is known.",
        "The plan was changed, accepted by Asha: a slip in a title.",
        "It is migrated",
        "proved</td> migrate passed",
        "look overridden by Binod on 2026-11-30 22:05:00 UTC: it is known (before: no-go)",
        "changed plan accepted by Asha",
        f"out/done.txt 12,345 bytes, SHA-256 {'ab' * 32}",
        f"evidence/0002-told.txt 9 bytes, SHA-256 {'12' * 32}",
        "The clock went back by 60 s",
        "Asha took over from binod on desk",
        "look: cannot tell, exit 3, 1.5 s: it came to unknown",
        "told: done, attested by Asha: seen",
        "cd" * 32,
        "Overridden by name",
        "8 min 0 s",
    ):
        assert fact in re.sub(r"</td> ?<td[^>]*>", "</td> ", text), fact


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([], "Under way"),
        ([SAID.attested("told")], "Under way"),
        ([SAID.attested("told", "failed")], "No-go"),
        ([SAID.attested("told"), SAID.ended("look"), SAID.ended("migrate")], "Done and proved"),
        ([SAID.attested("told"), SAID.overridden("look"), SAID.ended("migrate")], "Done, not proved"),
        ([TurnedBack("back", "", "Asha", "")], "Turning back"),
        ([TurnedBack("back", "", "Asha", ""), SAID.attested("restore")], "Rolled back"),
    ],
)
def test_the_verdict_stands_first(events: list[RolloutEvent], word: str) -> None:
    """In words; the same facts make the same bytes."""
    page = render_rollout(night(*events))
    assert re.search(r"<h1>.*?</svg>(.*?)</h1>", page)[1] == word  # type: ignore[index]
    assert page == render_rollout(night(*events))


def test_an_overridden_step_is_never_green() -> None:
    """Law: neither it nor a criterion that rests on it."""
    text = render_rollout(night(SAID.attested("told"), SAID.ended("look"), SAID.overridden("migrate")))
    rows = re.findall(r"<tr role=\"row\">.*?</tr>", text)
    mine = [row for row in rows if "Migrate" in row or "It is migrated" in row]
    assert len(mine) == 2
    assert all("overridden" in row and "green" not in row for row in mine)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_typed_is_text(hostile: str) -> None:
    """Law: names, reasons and outputs are shown, never obeyed."""
    events = [
        replace(SAID.attested("told"), by=hostile, text=hostile),
        replace(SAID.ended("look", "fail"), words=hostile),
        replace(SAID.overridden("look"), by=hostile, reason=hostile, was=hostile),
        TurnedBack("back", "look", hostile, hostile),
    ]
    page = render_rollout(night(*events, notes=(hostile,)))
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\u2028]", page)


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (320, False), (360, True), (768, True)])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """No barrier, nothing requested, nothing beyond the window."""
    path = tmp_path / "rollout.html"
    path.write_text(render_rollout(everything()), encoding="utf-8")
    browser.open(path, width=width, dark=dark)
    assert axe.findings(browser) == []
