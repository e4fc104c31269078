"""The page of a run of probes: all that is known, for everybody, inert whatever a file or a server says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from test_certificate_page import said
from test_report_page import HOSTILE

from kisaan_validate.facts.probe import ProbeCreated, Probed, ProbeRemoval, ProbeState, ProbeStep
from kisaan_validate.report.probe_page import render_probes

NOW = datetime(2026, 10, 18, 2, 30, tzinfo=UTC)
STEPS = (
    ProbeStep("health", "GET", "/api/health", ProbeState.PASS, "HTTP 200 in 12 ms", "", 200, 0.012, 3),
    ProbeStep(
        "an order", "POST", "/api/orders", ProbeState.FAIL, "HTTP 500, expected 2xx", "", 500, 0.1, 1, True
    ),
    ProbeStep(
        "read it",
        "GET",
        "/api/orders/${order}",
        ProbeState.UNKNOWN,
        "not sent: it needs ${order}",
        "look there",
    ),
)
FOUND = Probed(
    1, "shop", "ab" * 32, "https://shop.example.org:443", True, True, "kv12", NOW, NOW, "", STEPS,
    (
        ProbeCreated("an order", "", certain=False, note="its id is not known; look for the prefix"),
        ProbeCreated("a user", "DELETE /api/users/7", removal=ProbeRemoval.NOT_REMOVED, note="HTTP 409"),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def written(folder: Path, found: Probed) -> Path:
    """The page in a file."""
    path = folder / "probe.html"
    path.write_text(render_probes(found), encoding="utf-8")
    return path


def test_every_fact_is_there() -> None:
    """The verdict with its reason first, each step, what was created, what is not proved; one of a run that
    was cut off says so.
    """
    text = said(render_probes(FOUND))
    for fact in (
        "Probes failed",
        "an order: HTTP 500, expected 2xx.",
        "Steps that write were allowed; the target counts as production.",
        "Go: HTTP 200 in 12 ms",
        "Cannot tell: not sent: it needs ${order}; look there",
        "No request removes it: of an order, if it is there: left there (its id is not known; look for the prefix)",
        "DELETE /api/users/7: of a user: its removal was refused (HTTP 409)",
        "Whatever contains kv12 was created by this run.",
        "may answer although migrations failed",
    ):
        assert fact in text, fact
    cut = said(render_probes(replace(FOUND, steps=STEPS[:1], created=(), ended=None)))
    assert "Cannot tell" in cut
    assert "This is the record of a run that did not end." in cut
    good = said(render_probes(replace(FOUND, steps=STEPS[:1], created=(), writes_allowed=False)))
    assert "Probes passed" in good
    assert "Steps that write were not sent" in good


@pytest.mark.parametrize(("width", "dark"), [(360, False), pytest.param(1280, True, marks=pytest.mark.slow)])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """Law: whatever the width and the colours, everybody can read it, and nothing is cut off."""
    browser.open(written(tmp_path, FOUND), width=width, dark=dark)
    assert axe.findings(browser) == []
    assert browser.complaints() == []
    assert browser.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "text", [HOSTILE[0], *(pytest.param(t, marks=pytest.mark.slow) for t in HOSTILE[1:])]
)
def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path, text: str) -> None:
    """Law: names, paths and notes run nothing and load nothing."""
    step = replace(STEPS[1], name=text, path=f"/{text}", fact=text, todo=text)
    made = replace(FOUND.created[1], step=text, request=text, note=text)
    hostile = replace(FOUND, steps=(step,), created=(made,), target=text, prefix=text, interrupted=text)
    browser.open(written(tmp_path, hostile), width=360)
    assert browser.driver.title != "owned"
    assert browser.complaints() == []
    assert browser.ask("document.scripts.length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360
