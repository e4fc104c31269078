"""The pages over all runs of a folder: kept up by each run, made of the runs alone, hindered by nothing
that lies beside them.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe import findings
from browser import Browser, chromium
from conftest import ROOT, needs, wait_until
from index_cases import place_at, run_number
from shop import Shop

from kisaan_validate.cli import report_command
from kisaan_validate.cli.main import main
from kisaan_validate.cli.runs_index import INDEX_FILE, add_to_index, update_index
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection
from kisaan_validate.record.codec import digest_of, run_to_json
from kisaan_validate.record.filelock import file_lock
from kisaan_validate.report import index as pages
from kisaan_validate.report.trends import trend

START = datetime(2025, 6, 1, tzinfo=UTC)
HOSTILE = "</script><img src=x onerror=alert(1)>\u202egnp.exe\x01'\"&amp;😀"


def put(reports: Path, run: Run, folder: str = "") -> Path:
    """Record a run as it lies in a folder of reports."""
    place = reports / (folder or run.id)
    place.mkdir(parents=True)
    (place / "run.json").write_text(run_to_json(run), encoding="utf-8")
    (place / "report.html").write_text("<!doctype html>", encoding="utf-8")
    return place


def several(reports: Path, count: int, *, hours: int = 24, start: int = 0) -> list[Path]:
    """So many runs, one each so many hours."""
    return [
        put(reports, run_number(n, START + timedelta(hours=hours * n))) for n in range(start, start + count)
    ]


def pages_of(reports: Path) -> dict[str, str]:
    """The texts of all pages that were written."""
    return {page.name: page.read_text(encoding="utf-8") for page in reports.glob("*.html")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


# Kept up by each run


def test_each_run_adds_itself(shop: Shop) -> None:
    """After two runs the page lists both with their verdicts and links to pages that are there; nobody
    else can read it.
    """
    assert shop.cli("run", "-q").returncode == 0
    shop.sql("ALTER TABLE orders DROP CONSTRAINT orders_pkey; UPDATE orders SET total = -1 WHERE id = 1")
    failed = shop.cli("run", "-q")
    assert failed.returncode == 1
    assert "note" not in failed.stderr
    page = shop.folder / "reports" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert (
        stat.S_IMODE(page.stat().st_mode) == stat.S_IMODE((page.parent / INDEX_FILE).stat().st_mode) == 0o600
    )
    links = re.findall(r'href="([^"#]+report\.html)"', text)
    assert len(set(links)) == 2
    assert all((page.parent / link).is_file() for link in links)
    assert "1 FAIL, 0 INCONCLUSIVE, 1 PASS" in text
    assert f"FAIL: {shop.database}" in text
    again = shop.cli("index", dsn=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert "2 runs" in again.stdout
    assert page.read_text(encoding="utf-8") == text


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three hundred runs and one more, the one is read; pages of months that did not change are not
    written again.
    """
    several(tmp_path, 300)
    update_index(tmp_path)
    before = {page.name: page.stat().st_mtime_ns for page in tmp_path.glob("*.html")}
    assert {"index-2025-06.html", "index.html"} <= before.keys()
    read, real = [], report_command.judged_again
    monkeypatch.setattr(
        report_command, "judged_again", lambda source: (read.append(source.parent.name), real(source))[1]
    )
    (added,) = several(tmp_path, 1, start=300)
    update_index(tmp_path)
    assert read == [added.name]
    after = {page.name: page.stat().st_mtime_ns for page in tmp_path.glob("*.html")}
    assert {name for name, at in after.items() if before.get(name) != at} == {"index.html"}
    assert added.name in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_every_run_is_in_a_list(tmp_path: Path) -> None:
    """The newest stand on index.html, and the pages of the months have all others, so that none is left
    out.
    """
    placed = several(tmp_path, 260, hours=17)
    update_index(tmp_path)
    texts = pages_of(tmp_path)
    assert texts["index.html"].count('class="run ') == pages.NEWEST
    for place in placed:
        assert any(f'href="{place.name}/report.html"' in text for text in texts.values()), place.name
    for place in placed[: 260 - pages.NEWEST]:
        assert f'href="{place.name}/report.html"' in texts[f"index-{place.name[:4]}-{place.name[4:6]}.html"]
    linked = set(re.findall(r'href="(index-[0-9-]+\.html)"', texts["index.html"]))
    assert linked == texts.keys() - {"index.html"}


def test_the_page_follows_the_runs(tmp_path: Path) -> None:
    """A run that was removed, replaced or edited: the lists say what is there now, and pages of empty
    months go.
    """
    placed = several(tmp_path, 230)
    update_index(tmp_path)
    assert (tmp_path / "index-2025-06.html").exists()
    for place in placed[:60]:
        (place / "run.json").unlink()
        (place / "report.html").unlink()
        place.rmdir()
    changed = run_number(229, START + timedelta(days=229), failing=4)
    (placed[-1] / "run.json").write_text(run_to_json(changed), encoding="utf-8")
    (placed[-2] / "report.html").unlink()
    index = update_index(tmp_path)
    assert len(index.entries) == 170
    assert index.entries[0].failing == 4
    assert not (tmp_path / "index-2025-06.html").exists()
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"{placed[-2].name}/run.json" in text, "where there is no page, the facts are linked"
    assert placed[0].name not in text


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-40],
        lambda text: "[" * 100_000,
        lambda text: text.replace('"PASS"', '"FAIL"'),
        lambda text: text.replace('"format_version":1', '"format_version":2'),
        lambda text: "null",
        lambda text: "\ud800",
    ],
    ids=["empty", "cut", "deep", "edited", "newer", "null", "not text"],
)
def test_an_index_that_is_not_as_it_was_written_is_made_again(tmp_path: Path, damage: object) -> None:
    """Whatever happened to the file that spares reading, the pages come out the same."""
    several(tmp_path, 9)
    update_index(tmp_path)
    good = pages_of(tmp_path)
    file = tmp_path / INDEX_FILE
    file.write_bytes(damage(file.read_text()).encode("utf-8", "surrogatepass"))  # type: ignore[operator]
    update_index(tmp_path)
    assert pages_of(tmp_path) == good


def test_a_forged_index_does_not_survive_anew(tmp_path: Path) -> None:
    """Anyone who can write there can seal again; --all believes the runs alone."""
    put(tmp_path, run_number(0, START, failing=2))
    update_index(tmp_path)
    file = tmp_path / INDEX_FILE
    head, body = file.read_text()[: -len("}\n")].split(',"body":', 1)
    forged = body.replace('"verdict":"FAIL"', '"verdict":"PASS"')
    file.write_text(head.replace(digest_of(body), digest_of(forged)) + ',"body":' + forged + "}\n")
    assert main(["index", str(tmp_path), "--all"]) == 0
    assert "1 FAIL, 0 INCONCLUSIVE, 0 PASS" in (tmp_path / "index.html").read_text(encoding="utf-8")


# What is no run


def _litter(reports: Path) -> dict[str, str]:
    """Folders that are no runs, and what must be said of each."""
    good = run_to_json(run_number(0, START))
    said = {}
    for name, text, reason in (
        ("truncated", good[:-200], "run.json is not complete JSON"),
        ("empty", "", "not complete JSON"),
        ("future", good.replace('"format_version":', '"format_version":9'), "this version reads up to"),
        ("foreign", '{"kind": "something"}', "not a run file"),
        ("list", "[]", "not a run file"),
        ("edited", good.replace('"violations":0', '"violations":"none"', 1), "is not valid"),
        (
            "no baseline",
            good.replace('"settings":', f'"baseline_digest":"{"a" * 64}","settings":'),
            "cannot read baseline.json",
        ),
        (HOSTILE.replace("/", "∕").replace("\x01", "\n"), "{", "not complete JSON"),
    ):
        (reports / name).mkdir()
        (reports / name / "run.json").write_text(text, encoding="utf-8")
        said[name] = reason
    (reports / "nothing").mkdir()
    (reports / "folder" / "run.json").mkdir(parents=True)
    (reports / "pipe").mkdir()
    os.mkfifo(reports / "pipe" / "run.json")
    (reports / "linked").mkdir()
    (reports / "linked" / "run.json").symlink_to("/etc/passwd")
    (reports / "away").symlink_to("/etc")
    (reports / "loop").symlink_to("loop")
    os.mkdir(os.fsencode(reports) + b"/caf\xe9")
    (reports / ".git").mkdir()
    (reports / "notes.txt").write_text("hello")
    return said | {
        "nothing": "it has no run.json",
        "folder": "not a regular file",
        "pipe": "not a regular file",
        "linked": "not a regular file",
        "away": "symbolic link",
        "loop": "symbolic link",
        "caf\\xe9": "it has no run.json",
    }


def test_what_is_no_run_is_named_and_hinders_nothing(
    tmp_path: Path, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damaged, foreign, hostile and unreadable folders are named with the reason, the good runs are
    listed; damage is exit 3.
    """
    several(tmp_path, 3)
    said = _litter(tmp_path)
    assert main(["index", str(tmp_path)]) == 3
    shown = capsys.readouterr()
    assert "3 runs" in shown.out
    assert shown.err.count("note    ") == len(said)
    assert str(tmp_path) not in shown.err
    browser.open(tmp_path / "index.html", script=False)
    assert (browser.requests(), browser.complaints()) == ([], [])
    lines = browser.ask("[...document.querySelectorAll('section.warn li')].map(li => li.textContent)")
    assert len(lines) == len(said)
    for name, reason in said.items():
        start = name.split("\u202e")[0]
        assert any(line.startswith(start) and reason in line for line in lines), (name, reason, lines)
    assert browser.ask("document.querySelectorAll('img, script:not(:last-of-type)').length") == 0
    assert ".git" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    for folder in (
        "truncated",
        "empty",
        "future",
        "foreign",
        "list",
        "edited",
        "no baseline",
        HOSTILE.replace("/", "∕").replace("\x01", "\n"),
    ):
        (tmp_path / folder / "run.json").unlink()
    assert main(["index", str(tmp_path)]) == 0, "what never was a run is no damage"


def test_hostile_names_inside_runs_are_text(tmp_path: Path, browser: Browser) -> None:
    """Names of databases, hosts, suites and tables, of 10,000 characters or markup: text, cut where long,
    and no request.
    """
    base = run_number(1, START, failing=1)
    long = HOSTILE + "x" * 10_000
    run = replace(
        base,
        id=f"run {HOSTILE}",
        suite=replace(base.suite, name=long),
        place=place_at(START, HOSTILE, host=long),
        tables=(replace(base.tables[0], name=HOSTILE), replace(base.tables[1], name=long)),
    )
    put(tmp_path, run, "%2e%2e?#javascript:alert(1)")
    put(tmp_path, base, "e\u0301 \u202e name")
    update_index(tmp_path)
    page = tmp_path / "index.html"
    browser.open(page, width=360)
    assert (browser.requests(), browser.complaints()) == ([], [])
    assert browser.ask("document.querySelectorAll('img, script:not(:last-of-type)').length") == 0
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    shown = browser.ask("document.body.textContent")
    assert "</script><img src=x onerror=alert(1)>" in shown
    assert "more characters)" in shown
    assert page.stat().st_size < 60_000
    links = browser.ask("[...document.querySelectorAll('tr.run a')].map(a => decodeURIComponent(a.href))")
    assert {Path(link.removeprefix("file://")).is_file() for link in links} == {True}


def test_a_copied_run_is_said_to_stand_there_twice(tmp_path: Path) -> None:
    """One id in two folders is a copy: both are listed, and it is said."""
    run = run_number(0, START)
    put(tmp_path, run)
    put(tmp_path, run, "copy")
    (found,) = update_index(tmp_path).unread
    assert "holds run" in found.reason


# Its surroundings


@pytest.mark.slow
def test_many_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four processes record and index at the same time: each ends well, and the index has every run."""
    program = textwrap.dedent(
        """
        import sys
        from datetime import timedelta
        from pathlib import Path
        sys.path.insert(0, "tests")
        from index_cases import run_number
        from test_runs_index import START, put
        from kisaan_validate.cli.runs_index import update_index
        for n in range(4):
            number = 100 * int(sys.argv[2]) + n
            put(Path(sys.argv[1]), run_number(number, START + timedelta(hours=number)))
            update_index(Path(sys.argv[1]), seconds=5)
        """
    )
    working = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), str(n)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for n in range(4)
    ]
    assert [process.wait(120) for process in working] == [0] * 4
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.count('class="run ') == 16
    assert 'class="warn"' not in text


def test_what_hinders_the_index_is_said_and_changes_no_verdict(shop: Shop) -> None:
    """A page of somebody else's, a folder in its place: the run passes, the note says what to do, nothing
    is overwritten.
    """
    reports = shop.folder / "reports"
    reports.mkdir()
    (reports / "index.html").write_text("<h1>my own page</h1>")
    shown = shop.cli("run", "-q")
    assert shown.returncode == 0
    assert "note    index.html does not show this run" in shown.stderr
    assert "was not written by kisaan-validate" in shown.stderr
    assert (reports / "index.html").read_text() == "<h1>my own page</h1>"
    assert shop.cli("index", dsn=False).returncode == 2
    (reports / "index.html").unlink()
    (reports / "index.html").mkdir()
    shown = shop.cli("run", "-q")
    assert shown.returncode == 0
    assert "note    index.html does not show this run" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_lock_that_is_not_let_go_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another process at work for longer than one waits: a note, and no half-made page."""
    monkeypatch.setattr("kisaan_validate.cli.runs_index.LOCK_WAIT", 0.2)
    several(tmp_path, 1)
    with file_lock(tmp_path / ".lock-index", "a test"):
        add_to_index(tmp_path)
    assert f"is already running: process {os.getpid()}" in capsys.readouterr().err
    assert not (tmp_path / "index.html").exists()


def test_a_full_disk_keeps_the_old_page(tmp_path: Path) -> None:
    """What cannot be written in full is said; the page and the file that were there stay as they were."""
    several(tmp_path, 12)
    update_index(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("index.html", INDEX_FILE)}
    several(tmp_path, 1, start=12)
    program = (
        "import resource, signal, sys; from pathlib import Path; from kisaan_validate.cli.runs_index "
        "import add_to_index;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); add_to_index(Path(sys.argv[1]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "note    index.html does not show this run: cannot write" in shown.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert not list(tmp_path.glob(".index.html.*"))
    update_index(tmp_path)
    assert (tmp_path / "index.html").read_bytes() != before["index.html"]


def test_a_run_does_not_wait_for_a_thousand_others(tmp_path: Path) -> None:
    """With no time to read them, runs that the index does not know are named, and `index` reads them."""
    several(tmp_path, 5)
    index = update_index(tmp_path, seconds=0)
    assert not index.entries
    assert [found.reason for found in index.unread] == [
        "not read yet; run `kisaan-validate index` to read it"
    ] * 5
    assert len(update_index(tmp_path).entries) == 5


def test_no_folder_and_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No folder is exit 2; an empty one gives a page that says so."""
    assert main(["index", str(tmp_path / "no")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert main(["index", str(tmp_path)]) == 0
    assert "No runs in this folder yet." in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert main(["index", str(tmp_path / "index.html")]) == 2, "a file is no folder"


# What it shows


def test_lines_are_of_whole_runs_of_one_database(tmp_path: Path, browser: Browser) -> None:
    """Two databases, a partial and an interrupted run: what is drawn, its numbers, and what is said of the
    rest.
    """
    for number in range(6):
        at = START + timedelta(days=number)
        put(tmp_path, run_number(number, at, failing=number % 2, errors=0, place=place_at(at)))
    at = START + timedelta(days=7)
    put(
        tmp_path,
        run_number(7, at, failing=3, place=place_at(at), selection=Selection(select=("a",), partial=True)),
    )
    put(
        tmp_path,
        run_number(
            8,
            at,
            errors=1,
            failing=0,
            place=place_at(at, system_identifier="1"),
            interrupted="interrupted by SIGTERM",
        ),
    )
    put(tmp_path, run_number(9, at, failing=0, errors=0, place=place_at(at, "ledger")))
    update_index(tmp_path)
    browser.open(tmp_path / "index.html", script=False)
    cards = browser.ask("[...document.querySelectorAll('.targets > li')].map(li => li.innerText)")
    assert len(cards) == 2
    shop = next(card for card in cards if card.startswith("shop"))
    assert "latest 1; lowest 0, highest 1" in shop, (
        "the three failures of the partial run are not part of the line"
    )
    assert "2 partial or interrupted runs are not drawn." in shop
    assert "A different server" in shop
    assert "Last passed on 2025-06-05 00:00:00 UTC." in shop
    assert re.search(r"Rows of orders\s+latest 1,006,170; lowest 1,000,000, highest 1,006,170", shop)
    assert re.search(r"Rows of payments\s+latest 700,000; unchanged", shop)
    assert re.search(r"Rows of locked\s+not counted", shop)
    titles = browser.ask("[...document.querySelectorAll('svg.strip title')].map(t => t.textContent)")
    assert "6 complete runs, oldest first: 3 FAIL, 3 PASS, 1 missed" in titles


def test_a_line_is_broken_where_nothing_is_known() -> None:
    """An unknown count is a gap, never a zero; one point alone is a dot; no point is an empty picture."""
    assert trend([1, 2, None, 3, 4], "t", from_zero=True).count("<polyline") == 2
    assert trend([1, None, 3, 4], "t", from_zero=True).count('class="dot"') == 1
    nothing = trend([None, None], "t", from_zero=True)
    assert "polyline" not in nothing
    assert "circle" not in nothing
    assert "<title>&lt;b&gt;</title>" in trend([1], "<b>", from_zero=False)


def test_the_page_works_everywhere(tmp_path: Path, browser: Browser) -> None:
    """No request and no complaint; nothing wider than the screen; the filter by keyboard alone; printed,
    all runs and no filter.
    """
    several(tmp_path, 40, hours=30)
    update_index(tmp_path)
    page = tmp_path / "index.html"
    for width in (360, 768, 1440):
        for dark in (False, True):
            browser.open(page, width=width, dark=dark, script=False)
            assert browser.ask("document.documentElement.scrollWidth") <= width
            assert (browser.requests(), browser.complaints()) == ([], [])
    policy = browser.ask("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search("script-src 'sha256-[^']+';", policy), "only the page's own"
    browser.open(page)
    visible = "[...document.querySelectorAll('tr.run')].filter(tr => tr.offsetHeight).map(tr => tr.className)"
    assert len(browser.ask(visible)) == 40
    browser.ask("document.getElementById('only-all').focus()")
    for key, code in (("ArrowDown", 40),):
        for kind in ("keyDown", "keyUp"):
            browser.driver.execute_cdp_cmd(
                "Input.dispatchKeyEvent",
                {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code},
            )
    assert set(browser.ask(visible)) == {"run v-fail"}


@pytest.mark.slow
def test_axe_finds_nothing(tmp_path: Path, browser: Browser) -> None:
    """Light, dark, narrow, filtered, on paper, with unreadable folders, without any run: no violation that
    axe-core knows.
    """
    several(tmp_path / "many", 230, hours=30)
    (tmp_path / "many" / "other").mkdir()
    (tmp_path / "none").mkdir()
    update_index(tmp_path / "many")
    update_index(tmp_path / "none")
    for page in ("many/index.html", "many/index-2025-06.html", "none/index.html"):
        for dark in (False, True):
            browser.open(tmp_path / page, width=360 if dark else 1280, dark=dark)
            assert findings(browser) == [], (page, dark)
    browser.open(tmp_path / "many" / "index.html")
    browser.ask("document.getElementById('only-fail').checked = true")
    assert findings(browser) == []
    browser.visit((tmp_path / "many" / "index.html").as_uri() + "#?database=nosuch&text=nosuchword")
    assert findings(browser) == [], "filtered to nothing"
    for feature in ({"name": "forced-colors", "value": "active"}, {"name": "forced-colors", "value": "none"}):
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
        assert findings(browser) == []
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert findings(browser) == []


ROWS = "[...document.querySelectorAll('tr.run')].filter(tr => tr.offsetHeight)"


def test_runs_are_filtered_by_suite_database_verdict_and_text(tmp_path: Path, browser: Browser) -> None:
    """Each filter narrows, all combine, the number shown is said, and the address brings them back; without
    script every run is listed and no control that would do nothing.
    """
    base = [run_number(n, START + timedelta(hours=n), failing=n % 3) for n in range(12)]
    for n, run in enumerate(base):
        place = place_at(run.place.at, "ledger" if n % 2 else "shop")
        suite = replace(run.suite, name="money" if n < 4 else "all")
        put(tmp_path, replace(run, place=place, suite=suite))
    update_index(tmp_path)
    page = tmp_path / "index.html"
    browser.open(page, script=False)
    assert browser.ask(f"{ROWS}.length") == 12
    assert browser.ask("document.querySelectorAll('.pick select, .pick input[type=search]').length") == 0
    browser.open(page)
    for state, count in {
        "suite=money": 4,
        "verdict=pass": 4,
        "text=ledger": 6,
        "suite=money&verdict=fail&text=ledger": 1,
        "text=nosuchword": 0,
        "suite=nosuch": 12,
    }.items():
        browser.visit(f"{page.as_uri()}#?{state}")
        assert browser.ask(f"{ROWS}.length") == count, state
        said = browser.ask("document.getElementById('shown').textContent")
        assert said == ("" if count == 12 else f"{count} of the 12 runs of this page shown")
    browser.open(page)
    browser.ask(
        "{ const s = [...document.querySelectorAll('.pick label')].find(l => l.textContent.startsWith('Database'))"
        ".querySelector('select'); s.value = s.options[1].value; "
        "s.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    assert browser.ask(f"{ROWS}.length") == 6
    assert "database=ledger" in browser.ask("location.hash")
    browser.ask("document.getElementById('only-fail').click()")
    browser.ask(
        "{ const t = document.querySelector('.pick input[type=search]'); t.value = 'LEDGER'; t.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    held = browser.ask("location.hash")
    assert set(held.removeprefix("#?").split("&")) == {
        "database=ledger+on+db.internal%3A5432",
        "verdict=fail",
        "text=LEDGER",
    }
    left = browser.ask(f"{ROWS}.length")
    assert left == 4
    browser.ask("location.hash = '#?text=nosuchword'")
    wait_until(lambda: browser.ask(f"{ROWS}.length") == 0, 10)
    months = "[...document.querySelectorAll('#runs tbody')].filter(b => b.offsetHeight).length"
    assert browser.ask(months) == 0, "no heading of a month without a run"
    browser.ask(f"location.hash = '{held}'")
    wait_until(lambda: browser.ask(f"{ROWS}.length") == left, 10)
    browser.visit(f"{page.as_uri()}#?database=nosuch")
    assert browser.ask("document.querySelector('.pick select').selectedIndex") == 0, "any"
    assert (browser.requests(), browser.complaints()) == ([], [])


def test_one_value_is_no_choice(tmp_path: Path, browser: Browser) -> None:
    """Runs of one database and one suite: only the verdict and a text can be chosen."""
    for number in range(3):
        at = START + timedelta(hours=number)
        put(tmp_path, run_number(number, at, place=place_at(at)))
    update_index(tmp_path)
    browser.open(tmp_path / "index.html")
    assert browser.ask("document.querySelectorAll('.pick select').length") == 0
    assert browser.ask("document.querySelectorAll('.pick input[type=search]').length") == 1


def test_nothing_of_a_run_hides_beyond_the_edge_of_a_telephone(tmp_path: Path, browser: Browser) -> None:
    """At 360 px the list of runs needs no scrolling sideways."""
    several(tmp_path, 9)
    update_index(tmp_path)
    browser.open(tmp_path / "index.html", width=360)
    assert browser.ask("(t => t.scrollWidth <= t.clientWidth)(document.querySelector('#runs .scroll'))")


def test_many_failures_look_unlike_few(tmp_path: Path, browser: Browser) -> None:
    """The bar of a run is as long as its failures are of its checks, one of thousands is seen, the number
    stands beside it, and the first finding is named.
    """
    for n, failing in enumerate((0, 1, 500, 1000)):
        run = run_number(n, START + timedelta(hours=n), checks=1000, failing=failing, errors=0)
        put(tmp_path, run)
    update_index(tmp_path)
    browser.open(tmp_path / "index.html")
    drawn = browser.ask(
        "[...document.querySelectorAll('tr.run')].map(tr => "
        "[tr.querySelector('.sh-fail')?.getAttribute('width') ?? '0', tr.querySelector('.what').textContent])"
    )
    assert [width for width, _ in drawn] == ["100", "50", "2", "0"]
    for (_, said), failing in zip(drawn, ("1,000", "500", "1", "0"), strict=True):
        assert said.strip().startswith(f"{failing} of 1,000 checks")
    assert browser.ask("document.querySelectorAll('tr.run .first').length") == 3


def test_paper_has_every_run_and_heading(tmp_path: Path, browser: Browser) -> None:
    """Printed with a filter set, sheets repeat the heading and have what the screen shows; no filter is
    printed.
    """
    several(tmp_path, 90, hours=30)
    update_index(tmp_path)
    browser.open(tmp_path / "index.html")
    (tmp_path / "index.pdf").write_bytes(browser.pdf())
    sheets = subprocess.run(
        [needs("pdftotext"), "-layout", str(tmp_path / "index.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    pages_ = [page for page in sheets.stdout.split("\f") if page.strip()]
    runs = [page for page in pages_ if re.search(r"\d{8}T\d{6}Z-", page)]
    assert len(re.findall(r"\d{8}T\d{6}Z-[0-9a-f]{6}", sheets.stdout)) == 90
    assert len(runs) > 2
    assert all("Verdict" in page and "Sign-off" in page for page in runs)
    assert "FAIL only" not in sheets.stdout
    assert all(re.search(rf"\b{number}\s*/\s*{len(pages_)}\b", page) for number, page in enumerate(pages_, 1))


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """Pages depend on the runs alone: not on when or in which order they were read."""
    for name, order in (("a", range(8)), ("b", reversed(range(8)))):
        for number in order:
            put(tmp_path / name, run_number(number, START + timedelta(days=number)))
            if name == "b":
                update_index(tmp_path / name)
        update_index(tmp_path / name)
    assert pages_of(tmp_path / "a") == pages_of(tmp_path / "b")
    document = json.loads((tmp_path / "a" / INDEX_FILE).read_text())
    assert (document["kind"], document["format_version"]) == ("index", 5)
