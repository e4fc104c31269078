"""The page of a certificate: all facts of it, for everybody, inert whatever the dump holds."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from backup_cases import against, dump, everything, good, restored, taken
from browser import Browser, chromium
from test_report_page import HOSTILE

from kisaan_validate.backup.verifying import certified
from kisaan_validate.facts.certificate import BackupEvidence, Certificate, NewestValue
from kisaan_validate.facts.dump import LeftOut
from kisaan_validate.record.certificate import certificate_from_json, certificate_to_json
from kisaan_validate.report.certificate_page import render_certificate
from kisaan_validate.report.certificate_parts import size_words

NAME = "shop.dump.certificate.json"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


def page_of(evidence: BackupEvidence) -> str:
    """The page of a certificate of this evidence."""
    return render_certificate(certified(evidence, 12.5), NAME, "ef" * 32)


def written(folder: Path, evidence: BackupEvidence) -> Path:
    """The same in a file."""
    path = folder / "certificate.html"
    path.write_text(page_of(evidence), encoding="utf-8")
    return path


def said(page: str) -> str:
    """The text of a page, its blanks run together."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<wbr>|</?(?:bdi|span|b|code)\b[^>]*>", "", body)))


def test_every_fact_is_there() -> None:
    """What is wrong, what cannot be told, what was done, and what is not proved."""
    text = said(page_of(everything()))
    for fact in (
        "Not a good backup",
        "orders has 1 row fewer than the 7 of the baseline.",
        "Wrong: pg_dump reported 1 error: query failed.",
        "Cannot tell: The unique orders_when of orders was not checked against the rows: it is temporal.",
        "1 of 2",
        "not valid",
        "newest row: orders.at 2026-11-29 21:59:58+00",
        "by asha, snapshot 00000003-0000001B-1",
        "0.62 times the 20,000 bytes of old.dump",
        "foreign key orders_late of orders: 2 rows break it; declared NOT VALID",
        "Left out: event trigger audit: only a superuser may create it",
        "The role app was created.",
        "Other databases of the server.",
        "SHA-256 " + "ab" * 32,
        "ef" * 32,
    ):
        assert fact in text, fact


def test_a_good_one_says_until_when() -> None:
    """Seven days after it was made; none of the words of failure."""
    text = said(page_of(good(taken=taken())))
    assert "Good backup" in text
    assert "It restored, and 2 tables with 9 rows hold what the baseline holds." in text
    assert "2026-12-07 02:00:00 UTC" in text
    assert "Wrong:" not in text
    assert "Cannot tell:" not in text


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        (good(dump=None, unread="shop.dump is empty", restored=None, diff=None), "Not a good backup"),
        (good(against=None, diff=None, counts=()), "Not proved"),
        (good(against=against(same_snapshot=False, how="the newest there is")), "Good backup"),
        (good(restored=None, not_restored="no room", diff=None, integrity=None, counts=()), "Not proved"),
        (good(newest=(NewestValue("orders", "at", None, "it is personal"),)), "Good backup"),
        (good(dump=dump(complete=None, damage="no mark", taken_at=None, database="")), "Not proved"),
    ],
)
def test_the_verdict_stands_first(evidence: BackupEvidence, word: str) -> None:
    """In words, whatever was reached; a page can be made of all of it."""
    page = page_of(evidence)
    assert re.search(r"<h1>.*?</svg>(.*?)</h1>", page)[1] == word  # type: ignore[index]


@pytest.mark.parametrize("evidence", [good(), everything(), good(dump=None, unread="empty")])
def test_a_certificate_reads_back(evidence: BackupEvidence) -> None:
    """Writing and reading loses nothing."""
    made: Certificate = certified(evidence, 12.5)
    assert certificate_from_json(certificate_to_json(made)) == made


def test_sizes() -> None:
    """In the unit that people use, and exactly."""
    assert size_words(1) == "1 byte"
    assert size_words(1_572_864) == "1.5 MB (1,572,864 bytes)"


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (320, False), (360, True), (768, True)])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """No barrier, nothing requested, nothing beyond the window."""
    for evidence in (everything(), good()):
        browser.open(written(tmp_path, evidence), width=width, dark=dark)
        assert axe.findings(browser) == []
        assert browser.complaints() == []
        assert browser.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "text", [*HOSTILE[:3], *(pytest.param(t, marks=pytest.mark.slow) for t in HOSTILE[3:])]
)
def test_hostile_text_is_only_text(browser: Browser, tmp_path: Path, text: str) -> None:
    """Names, errors and notes of a dump: no script runs, and nothing is fetched."""
    left = LeftOut(text, text, text)
    evidence = replace(
        everything(),
        dump=dump(name=text, database=text, damage=text, server_version=text, encoding=text),
        restored=restored(left_out=(left,), notes=(text,), errors=(text,)),
        against=against(name=text, host=text, database=text),
        complaints=(text,),
    )
    browser.open(written(tmp_path, evidence), width=360)
    assert browser.driver.title != "owned"
    assert browser.complaints() == []
    assert browser.ask("document.scripts.length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360


def test_paper(browser: Browser, tmp_path: Path) -> None:
    """The lines to sign are on paper alone."""
    browser.open(written(tmp_path, everything()))
    shown = "getComputedStyle(document.querySelector('.paper')).display"
    assert browser.ask(shown) == "none"
    browser.open(written(tmp_path, everything()), paper=True)
    assert browser.ask(shown) == "block"
