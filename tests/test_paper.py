"""What goes to paper: a summary by itself, everything by choice; in a real Chromium, on A4 and Letter."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from conftest import ROOT, needs
from shop import Shop
from test_report_page import _check, every_status, make_run

from kisaan_validate.cli.report_command import judged_again
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.report.finding_cards import ON_PAPER
from kisaan_validate.report.html import PrintedPart, render_html
from kisaan_validate.verdict.findings import findings_of
from kisaan_validate.verdict.judgement import judge

SAMPLE = ROOT / "reports" / "sample"
SHEETS = {"A4": (8.27, 11.69), "Letter": (8.5, 11.0)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file."""
    with chromium() as running:
        yield running


def printed(browser: Browser, page: Path, size: str, fragment: str = "") -> list[str]:
    """The text of each sheet."""
    browser.open(page)
    if fragment:
        browser.visit(f"{page.as_uri()}#{fragment}")
    width, height = SHEETS[size]
    sheet = {"paperWidth": width, "paperHeight": height, "printBackground": False}
    made = browser.driver.execute_cdp_cmd("Page.printToPDF", sheet)["data"]
    reader = shutil.which("pdftotext") or needs("pdftotext")
    text = subprocess.run(
        [reader, "-layout", "-", "-"], input=base64.b64decode(made), capture_output=True, check=True
    ).stdout.decode()
    return [sheet for sheet in text.split("\f") if sheet.strip()]


def flat(text: str) -> str:
    """Without blanks: columns of a sheet break lines anywhere."""
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the committed sample run, as the code makes it now."""
    page = tmp_path_factory.mktemp("sample") / "report.html"
    page.write_text(render_html(judged_again(SAMPLE / "run.json")), encoding="utf-8")
    return page


@pytest.mark.parametrize("size", SHEETS)
def test_the_sample_prints_on_three_sheets(browser: Browser, sample: Path, size: str) -> None:
    """Verdict, what was validated, findings, row counts, criteria, places to sign; verdict, database, run
    and digest on each sheet; and no check of its own.
    """
    judged = judged_again(SAMPLE / "run.json")
    sheets = printed(browser, sample, size)
    assert 1 <= len(sheets) <= 3
    digest = re.search("SHA-256 of run.json ([0-9a-f]{64})", sample.read_text())
    assert digest
    for number, sheet in enumerate(sheets, 1):
        assert all(fact in sheet for fact in ("FAIL", "demo", judged.run.id, digest[1]))
        assert re.search(rf"\b{number} ?/ ?{len(sheets)}\b", sheet)
    text = "\n".join(sheets)
    for fact in ("What was validated", "Rows since the baseline", "Success criteria", "Signature", "−40"):
        assert fact in text, fact
    assert "All checks" not in text
    assert "Circumstances of the run" not in text


def test_findings_beyond_the_ninth_are_titles_and_the_head_says_so(browser: Browser, sample: Path) -> None:
    """Each finding's title is on paper, and the next step of the first nine; how many are titles only is
    said before the first.
    """
    found = findings_of(judged_again(SAMPLE / "run.json"))
    assert len(found) > ON_PAPER
    browser.open(sample, paper=True)
    text = str(browser.ask("document.querySelector('.findings').innerText"))
    said = f"{len(found) - ON_PAPER} findings are listed by title only"
    assert text.strip().startswith(said)
    steps = browser.ask(
        "[...document.querySelectorAll('.fs > li')].map(n => n.querySelector('.bd').checkVisibility() && "
        "n.querySelector('.bd').getBoundingClientRect().height > 0)"
    )
    assert steps == [place <= ON_PAPER for place in range(1, len(found) + 1)]
    paper = flat("\n".join(printed(browser, sample, "A4")))
    shown = [finding for finding in found if flat(finding.title)[:20] in paper]
    assert len(shown) == len(found)


def _small(folder: Path, choice: PrintedPart) -> Path:
    page = folder / f"{choice.value}.html"
    page.write_text(render_html(judge(every_status()), printed=choice), encoding="utf-8")
    return page


@pytest.mark.parametrize("how", ["fragment", "option"])
def test_all_of_it_is_printed_by_choice(browser: Browser, tmp_path: Path, how: str) -> None:
    """With #with-appendix in the address, or made with --print full: every check with its SQL, folded or
    not, and every section; without, none of them.
    """
    page = _small(tmp_path, PrintedPart.FULL if how == "option" else PrintedPart.SUMMARY)
    everything = "\n".join(printed(browser, page, "A4", "with-appendix" if how == "fragment" else ""))
    run = every_status()
    facts = [check.id for check in run.checks] + [r.sql for r in run.results if r.sql]
    facts += ["Circumstances of the run", "Check it yourself", "What was not proved", "it costs money"]
    for fact in facts:
        assert flat(fact) in flat(everything), fact
    assert "listed by title only" not in everything
    summary = "\n".join(printed(browser, _small(tmp_path, PrintedPart.SUMMARY), "A4"))
    assert "SELECT 2" not in summary
    assert "Circumstances of the run" not in summary


def test_the_links_choose_without_script(browser: Browser, tmp_path: Path) -> None:
    """Following the page's own links, with scripts off, shows and hides the appendix for paper."""
    page = _small(tmp_path, PrintedPart.SUMMARY)
    browser.open(page, script=False, paper=True)
    shown = "document.querySelector('#circumstances').checkVisibility()"
    assert not browser.ask(shown)
    address = browser.ask("document.querySelector('#with-appendix a').href")
    back = browser.ask("document.querySelector('#with-appendix a:last-of-type').href")
    browser.visit(address)
    assert browser.ask(shown)
    browser.visit(back)
    assert not browser.ask(shown)


def test_sixty_findings_are_all_on_paper(browser: Browser, tmp_path: Path) -> None:
    """Sixty findings: nine in full, the others as titles; nothing is lost between sheets."""
    checks = [_check(f"orders.fails_{n:02}") for n in range(60)]
    results = [
        Result(c.id, Status.FAIL, n + 1, 100, Evidence.SCANNED, sample=((("id", str(n)),),), key=("id",))
        for n, c in enumerate(checks)
    ]
    judged = judge(make_run(checks, results))
    page = tmp_path / "report.html"
    page.write_text(render_html(judged), encoding="utf-8")
    text = flat("\n".join(printed(browser, page, "A4")))
    titles = [flat(finding.title) for finding in findings_of(judged)]
    assert [title for title in titles if title not in text] == []
    assert f"{len(titles) - ON_PAPER}findingsarelistedbytitleonly" in text


@pytest.mark.parametrize("choice", PrintedPart)
def test_axe_finds_nothing_on_paper(browser: Browser, tmp_path: Path, choice: PrintedPart) -> None:
    """Both forms, as they are printed."""
    browser.open(_small(tmp_path, choice), width=794, paper=True)
    assert axe.findings(browser) == []


@pytest.mark.slow
def test_the_command_writes_a_page_that_prints_all(shop: Shop) -> None:
    """``report --print full`` leaves report.html, which verify compares, as it is; summary is the default."""
    shop.cli("run")
    page = shop.run_folder / "report.html"
    before = page.read_bytes()
    done = shop.cli("report", str(shop.run_folder), "--print", "full")
    assert done.returncode == 0, done.stderr
    assert page.read_bytes() == before
    full = (shop.run_folder / "report-full.html").read_text(encoding="utf-8")
    assert '<body class="full">' in full
    shop.cli("report", str(shop.run_folder), "--print", "summary")
    assert page.read_bytes() == before
    verified = shop.cli("verify", str(shop.run_folder))
    assert "report.html: it differs" not in verified.stdout + verified.stderr
    assert "report-full.html" in verified.stdout + verified.stderr
    wrong = shop.cli("report", str(shop.run_folder), "--print", "half")
    assert wrong.returncode == 2
