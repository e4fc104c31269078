"""The page for everybody: axe-core on every state of it, the keyboard, without script, on paper, against
hostile data.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe
import pytest
from browser import Browser, chromium
from conftest import ROOT, Server, needs, slack
from judged_cases import everything, hostile, signed_page
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from test_report_page import HOSTILE, _check, earlier, every_status, make_run

from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.report import marks
from kisaan_validate.report.html import MOST_SQL, PrintedPart, render_html
from kisaan_validate.report.psql import around, environment
from kisaan_validate.report.text import anchor
from kisaan_validate.verdict.findings import Heading, findings_of
from kisaan_validate.verdict.judgement import judge

sys.path.insert(0, str(ROOT / "benchmarks"))
from report import PAINTED, large, wide

SAMPLE = ROOT / "reports" / "sample" / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page on which everything occurs that a page can show."""
    path = tmp_path_factory.mktemp("rich") / "report.html"
    path.write_text(render_html(*signed_page()), encoding="utf-8")
    return path


def _media(browser: Browser, media: str = "", **features: str) -> None:
    named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": named})


UNFOLD = "for (const d of document.querySelectorAll('details')) d.open = true"
HELP = "dispatchEvent(new KeyboardEvent('keydown', {key: '?'}))"
NOTHING = (
    "{ const q = document.querySelector('#filter input[type=search]'); q.value = 'nosuchword'; "
    "q.dispatchEvent(new Event('input', {bubbles: true})) }"
)


@pytest.mark.parametrize(
    ("state", "act", "width", "features"),
    [
        ("light", "", 1280, {}),
        ("dark", "", 1280, {"prefers_color_scheme": "dark"}),
        ("unfolded", UNFOLD, 1280, {}),
        ("unfolded and dark", UNFOLD, 1280, {"prefers_color_scheme": "dark"}),
        ("filtered to nothing", NOTHING, 1280, {}),
        ("help open", HELP, 1280, {}),
        ("help open and dark", HELP, 1280, {"prefers_color_scheme": "dark"}),
        ("narrow", UNFOLD, 360, {}),
        ("forced colours", UNFOLD, 1280, {"forced_colors": "active"}),
        ("printing", UNFOLD, 794, {"media": "print"}),
    ],
)
def test_axe_finds_nothing(
    browser: Browser, rich: Path, state: str, act: str, width: int, features: dict[str, str]
) -> None:
    """WCAG 2.2 A and AA and axe's best practices, in every state of the page."""
    browser.open(rich, width=width)
    _media(browser, **features)
    if act:
        browser.ask(act)
    assert axe.findings(browser, paper=features.get("media") == "print") == [], state
    assert browser.requests() == []
    assert browser.complaints() == []


def test_axe_finds_nothing_without_script(browser: Browser, rich: Path) -> None:
    """The page where scripts are off."""
    browser.open(rich, script=False)
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.ask("document.querySelector('#filter').hidden")
    assert axe.findings(browser) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_sample(browser: Browser, scheme: str) -> None:
    """The committed sample as it opens."""
    browser.open(SAMPLE)
    _media(browser, prefers_color_scheme=scheme)
    assert axe.findings(browser) == []


def test_axe_would_find_something(browser: Browser, tmp_path: Path) -> None:
    """A page with a nameless button and grey on grey is not passed: the instrument works."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><html lang=en><title>t</title><main><h1>x</h1><button></button><p "
        'style="color:#aaa">grey</p></main>'
    )
    browser.open(bad)
    found = " ".join(axe.findings(browser))
    assert "button-name" in found
    assert "color-contrast" in found


def _press(browser: Browser, *keys: str) -> None:
    for key in keys:
        ActionChains(browser.driver).send_keys(key).perform()


HERE = "document.activeElement.closest('.ck, .gp li')?.id ?? document.activeElement.tagName"
SHOWN = "[...document.querySelectorAll('.ck, .gp li')].filter(n => !n.closest('[hidden]')).map(n => n.id)"
SEEN = "[...document.querySelectorAll('.ck, .gp li')].filter(n => n.checkVisibility()).map(n => n.id)"
"""What no filter hides, and what no fold hides either."""


def test_everything_can_be_done_with_the_keyboard(browser: Browser, rich: Path) -> None:
    """j, k, n, p walk the checks, o folds, / searches, Esc leaves, c clears, ? helps, and single keys can
    be switched off.
    """
    browser.open(rich)
    every = browser.ask(SHOWN)
    _press(browser, "j")
    assert browser.ask(HERE) == every[0]
    _press(browser, "j", "j", "k")
    assert browser.ask(HERE) == every[1]
    for id in every[2:]:
        _press(browser, "j")
        assert browser.ask(HERE) == id
        assert browser.ask(f"document.getElementById({id!r}).checkVisibility()"), "its folds are open"
    browser.ask(f"document.getElementById({every[0]!r}).firstElementChild.focus()")
    failing = browser.ask(
        "[...document.querySelectorAll('details.ck')].filter(n => "
        "/s-(fail|error|skip)/.test(n.className)).map(n => n.id)"
    )
    for id in failing[1:]:
        _press(browser, "n")
        assert browser.ask(HERE) == id
    _press(browser, "n")
    assert browser.ask(HERE) == failing[-1], "after the last there is none"
    _press(browser, "p")
    assert browser.ask(HERE) == failing[-2]
    was = browser.ask(f"document.getElementById({failing[-2]!r}).open")
    _press(browser, "o")
    assert browser.ask(f"document.getElementById({failing[-2]!r}).open") is not was
    _press(browser, "/")
    assert browser.ask("document.activeElement.type") == "search"
    _press(browser, "j", "-")
    assert browser.ask("document.activeElement.value") == "j-", "letters are typed in a field, not obeyed"
    _press(browser, Keys.ESCAPE)
    assert browser.ask("document.activeElement.tagName") == "BODY"
    _press(browser, "c")
    assert browser.ask(SHOWN) == every
    _press(browser, "?")
    assert browser.ask("document.querySelector('#help').open")
    browser.ask("document.querySelector('#help input').click()")
    _press(browser, Keys.ESCAPE)
    assert not browser.ask("document.querySelector('#help').open")
    browser.ask("document.activeElement.blur()")
    _press(browser, "j")
    assert browser.ask("location.hash") == "#?keys=off"
    assert browser.ask("document.activeElement.closest('details.ck')") is None


def test_tab_reaches_every_control_and_focus_is_seen(browser: Browser, rich: Path) -> None:
    """By Tab alone, in the order of the page: the skip link first, each control once; what has focus has
    an outline.
    """
    browser.open(rich)
    wanted = browser.ask(
        "[...document.querySelectorAll('a[href], summary, button, input, select, "
        '[tabindex="0"]\')].filter(n => n.checkVisibility()).length'
    )
    seen, outlines = 0, set()
    for _ in range(wanted + 5):
        _press(browser, Keys.TAB)
        if browser.ask("document.activeElement === document.body"):
            break
        seen += 1
        if seen == 1:
            assert browser.ask("document.activeElement.className") == "skip-link"
        outlines.add(browser.ask("getComputedStyle(document.activeElement).outlineStyle"))
    assert seen == wanted
    assert "none" not in outlines


def _type(text: str) -> str:
    return (
        f"{{ const q = document.querySelector('#filter input[type=search]'); q.value = {text!r}; "
        f"q.dispatchEvent(new Event('input', {{bubbles: true}})) }}"
    )


def _choose(label: str, value: str) -> str:
    return (
        f"{{ const s = [...document.querySelectorAll('#filter label')].find(l => "
        f"l.textContent.startsWith({label!r})).querySelector('select');"
        f" s.value = {value!r}; s.dispatchEvent(new Event('input', {{bubbles: true}})) }}"
    )


def test_filters_combine_exclude_and_come_back_by_the_address(browser: Browser, tmp_path: Path) -> None:
    """Words and phrases, -words, severity, table, tag, new or known: each narrows, the address holds all
    of them.
    """
    judged = everything()
    tagged = tuple(
        replace(
            c,
            tags=("money", "time") if c.id in {"orders.fails", "orders.passes"} else ("time",),
            owner="finance" if c.id in {"orders.errs", "orders.passes"} else "",
        )
        for c in judged.run.checks
    )
    judged = judge(replace(judged.run, checks=tagged), judged.baseline, judged.contract, judged.waivers)
    page = tmp_path / "report.html"
    page.write_text(render_html(judged), encoding="utf-8")
    browser.open(page)
    every = browser.ask(SHOWN)
    cases = {
        _type("tolerated"): lambda ids: ids == ["c-orders.tolerated"],
        _type("-tolerated"): lambda ids: len(ids) == len(every) - 1 and "c-orders.tolerated" not in ids,
        _type('"claim of orders.passes"'): lambda ids: ids == ["c-orders.passes"],
        _type("division -zero"): lambda ids: ids == [],
        _choose("Tag", "money"): lambda ids: set(ids) == {"c-orders.fails", "c-orders.passes"},
        _choose("Owner", "finance"): lambda ids: set(ids) == {"c-orders.errs", "c-orders.passes"},
        _choose("Severity", "info"): lambda ids: ids == ["c-orders.informs"],
        _choose("Since", "known"): lambda ids: "c-orders.fails" in ids and "c-orders.passes" not in ids,
        _choose("Since", "waived"): lambda ids: ids == ["c-orders.waived"],
        _choose("Table", "orders"): lambda ids: ids == every,
    }
    for act, holds in cases.items():
        browser.ask("dispatchEvent(new KeyboardEvent('keydown', {key: 'c'}))")
        browser.ask(act)
        shown = browser.ask(SHOWN)
        assert holds(shown), (act, shown)
        assert shown == every or browser.ask(SEEN) == shown, "what a filter finds is not left in a fold"
        said = browser.ask("document.querySelector('#shown').textContent")
        assert said == (
            ""
            if shown == every
            else f"{len(shown)} of {len(every)} checks shown; the others are hidden by the filter"
        )
        address = browser.ask("location.href")
        browser.visit(address)
        assert browser.ask(SHOWN) == shown, address


def test_one_filter_after_the_other_opens_its_own_folds(browser: Browser, rich: Path) -> None:
    """What the second filter finds is seen, though the first one found nothing in its fold."""
    browser.open(rich)
    for word in ("orders.errs", "orders.passes"):
        browser.ask(_type(word))
        assert f"c-{word}" in browser.ask(SEEN)


FACTS = (
    r"[...document.querySelectorAll('main :not(script)')].flatMap(n => [...n.childNodes]).filter(n "
    r"=> n.nodeType === 3).map(n => n.data.trim()).filter(Boolean)"
)


def test_without_script_the_page_says_the_same(browser: Browser, rich: Path) -> None:
    """Every text that stands on the page with script stands on it without, but for the labels of the
    script's own controls.
    """
    browser.open(rich, script=False)
    still = browser.ask(FACTS)
    browser.open(rich)
    browser.ask("for (const n of document.querySelectorAll('#filter, #shown, .cp')) n.remove()")
    assert browser.ask(FACTS) == still
    assert len(still) > 300


@pytest.mark.parametrize("text", [*HOSTILE, "nul\x00nul", "\u2066isolate\u2029"], ids=range(len(HOSTILE) + 2))
def test_hostile_text_is_text_everywhere(browser: Browser, tmp_path: Path, text: str) -> None:
    """In names, data, promises, waivers, criteria and sign-offs: nothing runs, nothing is asked for,
    nothing runs off the side.
    """
    judged, signatures = hostile(text), signed_page()[1]
    spoilt = replace(
        signatures,
        sentence=text,
        signed=tuple(
            replace(s, signer=text, reason=text, problem=text, file=text, key=text) for s in signatures.signed
        ),
        attested=tuple(
            replace(a, criterion=text, signer=text, remark=text, problem=text) for a in signatures.attested
        ),
    )
    page = tmp_path / "report.html"
    page.write_text(render_html(judged, spoilt), encoding="utf-8")
    browser.open(page, width=768)
    assert browser.ask("document.title") != "owned"
    assert browser.ask("document.querySelectorAll('img, script:not(:last-of-type), svg[onload]').length") == 0
    assert (browser.requests(), browser.complaints()) == ([], [])
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
    outside = re.sub("<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.S)
    assert not re.search("[\x00-\x08\u202e\u2029]", outside), (
        "what hides or reorders is named, but for SQL, where it is fenced in"
    )


def _pdf(browser: Browser, folder: Path, **sheet: object) -> tuple[list[str], Path]:
    """The text of each printed sheet, and the file."""
    import base64

    options = {
        "printBackground": False,
        "preferCSSPageSize": False,
        "paperWidth": 8.27,
        "paperHeight": 11.69,
        **sheet,
    }
    path = folder / "page.pdf"
    path.write_bytes(base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", options)["data"]))
    reader = shutil.which("pdftotext") or needs("pdftotext")
    text = subprocess.run(
        [reader, "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    return [page for page in text.split("\f") if page.strip()], path


@pytest.mark.parametrize(("width", "height"), [(8.27, 11.69), (8.5, 11.0)], ids=["A4", "Letter"])
def test_paper(browser: Browser, tmp_path: Path, width: float, height: float) -> None:
    """In full, each sheet names run, digest and its number of how many; headings repeat; what failed is there
    though filtered and folded on the screen; no row is torn, nothing is cut at the side; there is a place
    to sign."""
    run, before = every_status(), earlier(every_status())
    keys = tuple((("id", str(n)), ("note", "x" * 150)) for n in range(120))
    run = replace(
        run, results=(replace(run.results[0], sample=keys), *run.results[1:]), settings={"sample": "200"}
    )
    page = tmp_path / "report.html"
    page.write_text(render_html(judge(run, before), printed=PrintedPart.FULL), encoding="utf-8")
    browser.open(page)
    browser.ask(_type("nosuchword"))
    browser.ask("for (const n of document.querySelectorAll('details')) n.open = false")
    sheets, path = _pdf(browser, tmp_path, paperWidth=width, paperHeight=height)
    digest = re.search("SHA-256 of run.json ([0-9a-f]{64})", page.read_text())
    assert digest
    for number, sheet in enumerate(sheets, 1):
        assert run.id in sheet
        assert digest[1] in sheet
        assert re.search(rf"\b{number} ?/ ?{len(sheets)}\b", sheet)
    text = "\n".join(sheets)
    assert len(sheets) >= 4
    for id in range(120):
        assert re.search(rf"^\s*{id}\s+x", text, re.M), id
    bearing = [sheet for sheet in sheets if re.search(r"^\s*\d+\s+x{20,}", sheet, re.M)]
    assert len(bearing) >= 2
    assert all(re.search(r"^\s*id\s+note\s*$", sheet, re.M) for sheet in bearing), "the headings repeat"
    for fact in (
        "orders.errs",
        "division by zero",
        "SELECT id FROM orders",
        "it costs money",
        "Signature",
        "orders.passes",
    ):
        assert fact in text, fact
    words = subprocess.run(
        ["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    edges = [float(m[1]) for m in re.finditer(r'xMax="([\d.]+)"', words)]
    assert max(edges) <= width * 72 - 20, "nothing is cut at the side"
    torn = [sheet for sheet in bearing if re.search(r"^\s*x{10,}\s*$", sheet.strip().splitlines()[1], re.M)]
    assert not torn, "no row goes on on the next sheet"


def test_grey_paper_tells_statuses_apart(browser: Browser, rich: Path) -> None:
    """Without any colour each status has its own word and its own sign."""
    browser.open(rich)
    _media(browser, media="print")
    seen = browser.ask(
        "[...new Map([...document.querySelectorAll('.ck > summary > .st, .gp > p > .st')].map(n => "
        "[n.textContent, getComputedStyle(n, '::before').backgroundImage]))]"
    )
    assert len(seen) == 6
    assert len({sign for _, sign in seen}) == 6


def test_the_copied_command_does_it_again(browser: Browser, server: Server, tmp_path: Path) -> None:
    """The lines of the page, in a shell with nothing but psql, bring back exactly the rows that the check
    counted; and they can write nothing.
    """
    sql = "SELECT id, note\nFROM public.orders\nWHERE NOT (note <> 'SQL\nSQL\n$HOME `date` \\q')"
    database = server.create(
        "CREATE TABLE orders (id int, note text); INSERT INTO orders SELECT g, E'SQL\\nSQL\\n$HOME "
        "`date` \\\\q' FROM generate_series(1, 7) g"
    )
    check = _check("orders.note")
    run = make_run([check], [Result("orders.note", Status.FAIL, 7, 7, Evidence.SCANNED, sql=sql)])
    run = replace(
        run, place=replace(run.place, host=server.host, port=server.port, database=database, role="postgres")
    )
    page = tmp_path / "report.html"
    page.write_text(run.to_html(), encoding="utf-8")
    browser.open(page)
    shown = browser.ask("[...document.querySelector('.sq').children].map(n => n.textContent).join('\\n')")
    first, last = around(sql)
    assert shown == f"{first}\n{sql}\n{last}"
    browser.ask(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )
    browser.ask(
        "[...document.querySelectorAll('.cp button')].find(b => b.textContent.includes('psql')).click()"
    )
    copied = str(browser.ask("window.copied"))
    assert copied == f"{environment(run)}\n{shown}\n"
    psql = shutil.which("psql") or needs("psql")
    done = _shell(copied.replace("psql -X", f"{psql} -X -At -R'|'"))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().split("|")) == 14
    wrote = _shell(f"{environment(run)}\n{psql} -X -c 'INSERT INTO orders VALUES (8)'")
    assert "read-only transaction" in wrote.stderr


@pytest.mark.parametrize(
    "text", [*HOSTILE, "'; exit 7; '", "a\\b c", "$(exit 7)`exit 7`"], ids=range(len(HOSTILE) + 3)
)
def test_hostile_names_stay_names_in_the_shell(text: str) -> None:
    """Whatever a database or a role is called, the lines for the shell set it to the letter and do nothing
    else.
    """
    run = make_run([], [])
    run = replace(
        run,
        place=replace(run.place, database=text, role=text),
        suite=replace(run.suite, schemas=("a b", text)),
    )
    done = _shell(f'{environment(run)}\nprintf "%s|%s|%s" "$PGDATABASE" "$PGUSER" "$PGOPTIONS"')
    assert (done.returncode, done.stderr) == (0, "")
    database, role, options = done.stdout.replace(text, "\0", 2).split("|", 2)
    assert (database, role) == ("\0", "\0")
    unescaped = re.sub(r"\\(.)", r"\1", options, flags=re.S)
    assert unescaped.endswith('-c search_path="a b", "{}", "pg_temp"'.format(text.replace('"', '""')))


def _shell(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", text], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, timeout=60
    )


@pytest.mark.parametrize("flipped", ["", "run.json", "baseline.json", "contract.toml"])
def test_the_lines_that_verify_the_files_do(tmp_path: Path, flipped: str) -> None:
    """The page's own lines, in a shell, pass the run's folder; one byte that is another in any of its
    files, and they do not.
    """
    folder = tmp_path / "run"
    shutil.copytree(SAMPLE.parent, folder)
    if flipped:
        data = bytearray((folder / flipped).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / flipped).write_bytes(bytes(data))
    shown = re.search(
        '<pre id="sums">(.*?)</pre>', (folder / "report.html").read_text(encoding="utf-8"), re.S
    )
    assert shown
    done = subprocess.run(["sh", "-c", html.unescape(shown[1])], cwd=folder, capture_output=True, text=True)
    assert (done.returncode == 0) is (not flipped), done.stdout + done.stderr
    assert done.stdout.count(": OK") == (2 if flipped else 3)


@pytest.mark.parametrize(
    ("before", "after", "left", "right"),
    [
        ("numeric(12,2)", "numeric(18,2)", "numeric(1<del>2</del>,2)", "numeric(1<ins>8</ins>,2)"),
        ("a  b", "a b", "a·<del>·</del>b", "a b"),
        ("same", "same", "same", "same"),
        ("abcdef", "uvwxyz", "<del>abcdef</del>", "<ins>uvwxyz</ins>"),
        ("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500, "<del>a</del>", "<ins>b</ins>"),
        ("", "new", "empty", "<ins>new</ins>"),
        (None, "new", "none", "new"),
    ],
)
def test_what_differs_is_marked_to_the_character(
    before: str | None, after: str | None, left: str, right: str
) -> None:
    """Only what one side alone has is marked; texts that have little in common are marked as a whole;
    blanks are seen.
    """
    drawn = [re.sub(r"</?(bdi|span|i|b)\b[^>]*>", "", str(side)) for side in marks.marked(before, after)]
    assert left in drawn[0]
    assert right in drawn[1]


def test_what_the_books_say_and_what_the_details_add_up_to_are_marked() -> None:
    """Two sides of one comparison in a key table: only the digits that differ are marked; NULL and
    personal values are left alone.
    """
    rows = (
        (("id", "1"), ("recorded", "-61429.73"), ("computed", "-61929.73")),
        (("id", "2"), ("recorded", None), ("computed", "1")),
        (("id", "3"), ("recorded", "•••"), ("computed", "12")),
    )
    run = make_run([_check("a")], [Result("a", Status.FAIL, 3, 3, Evidence.SCANNED, sample=rows)])
    page = run.to_html()
    assert "-61<del>4</del>29.73" in page
    assert "-61<ins>9</ins>29.73" in page
    # Once with the finding, once with its check.
    assert page.count("<del>") == page.count("<ins>") == 2


@pytest.mark.parametrize("pair", [("a" * 30, "a" * 29), ("0.10", "0.1"), ("", "x"), ("ab" * 300, "ba" * 300)])
def test_the_parts_are_the_whole(pair: tuple[str, str]) -> None:
    """Marking loses and adds no character."""
    assert tuple("".join(text for text, _ in side) for side in marks.pieces(*pair)) == pair


def test_the_figures_of_a_contract_fit_on_a_telephone(browser: Browser, tmp_path: Path) -> None:
    """Before, expected, now and difference of millions of rows need no scrolling sideways at 360 px."""
    judged = everything()
    assert judged.baseline is not None
    sides = [
        replace(
            side,
            tables=(replace(side.tables[0], name="kisaan_transaction_ledger", rows=rows), *side.tables[1:]),
        )
        for side, rows in ((judged.run, 7_702_637), (judged.baseline, 7_702_697))
    ]
    page = tmp_path / "report.html"
    page.write_text(render_html(judge(sides[0], sides[1], judged.contract)), encoding="utf-8")
    browser.open(page, width=360)
    measured = browser.ask(
        "[...document.querySelectorAll('.rows')].map(t => [t.parentElement.scrollWidth, "
        "t.parentElement.clientWidth])"
    )
    assert len(measured) == 2
    assert all(needed <= there for needed, there in measured), measured


def test_findings_come_first_each_with_its_rows_and_what_shows_it() -> None:
    """The first screen has every finding, numbered, and names each check and promise behind it."""
    judged, signatures = signed_page()
    page = render_html(judged, signatures)
    first = page[page.index('class="findings"') : page.index('class="side"')]
    findings = findings_of(judged)
    assert first.count('<li id="f-') == len(findings) > 3
    for finding in findings:
        assert finding.title in html.unescape(first.replace("<wbr>", ""))
        assert all(html.escape(id) in first for id in finding.checks)
    assert first.index(Heading.NEW.value) < first.index(Heading.FAILED.value)


def test_what_no_check_looked_at_is_said_first_and_in_full() -> None:
    """The first screen counts the columns that no check touched; the section names whole tables, and leads
    to the part of each other table, which names the columns.
    """
    page = render_html(*signed_page())
    assert "3 columns that <b>no check read</b>" in page
    section = re.sub(
        "<[^>]+>", "", page[page.index('<section id="coverage"') : page.index('<section id="unproved"')]
    )
    for fact in (
        "values of 1 of 5 columns in 2 tables",
        "of 1 more",
        "nothing of 3",
        "lonely",
        "by table: orders",
    ):
        assert fact in section, fact
    part = page[page.index('id="t-orders"') :]
    part = part[part.index("<table class=co>") :]
    columns = re.sub("<[^>]+>", " ", part[: part.index("</table>")])
    assert re.search(r"total\s.*values\s", columns)
    assert re.search(r"note\s.*nothing\s", columns)
    bare = every_status().to_html()
    assert "which columns the checks read is not known" in bare
    assert "no check read</b>" not in bare


def test_long_statements_stay_in_the_record() -> None:
    """Beyond a limit the page says where the statements' SQL stands, instead of growing without end."""
    from kisaan_validate.facts.run import StatementFacts

    run = replace(
        every_status(),
        statements=tuple(StatementFacts(f"s{n}", "x" * 1000, (), 1.0) for n in range(MOST_SQL // 1000 + 1)),
    )
    page = run.to_html()
    assert "x" * 1000 not in page
    assert "statements[].sql" in page
    assert "x" * 1000 in replace(run, statements=run.statements[:3]).to_html()


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["prose of its own", "prose of the suite"])
def test_three_thousand_checks_of_a_real_suite_stay_a_page(shared: bool) -> None:
    """3,000 checks with the KisaanCenter suite's claims, reasons and SQL, 50 failing with 20 keys each, a
    contract beside: 3 MB, and half of it where prose is shared.
    """
    page = render_html(large(shared=shared))
    assert len(page.encode()) <= (1_600_000 if shared else 3_000_000)
    assert page.count('<details class="ck s-fail"') == 50
    assert page.count("Showing 20 of 41,233 violating rows") == 50


@pytest.mark.slow
def test_three_thousand_checks_are_painted_within_a_second(browser: Browser, tmp_path: Path) -> None:
    """First contentful paint, the median of five loads."""
    page = tmp_path / "report.html"
    page.write_text(render_html(large()), encoding="utf-8")
    painted = []
    for _ in range(5):
        browser.open(page)
        painted.append(float(browser.ask(PAINTED)))
    assert sorted(painted)[2] < 1_000, painted
    browser.ask(_choose("Severity", "warning"))
    assert 0 < len(browser.ask(SHOWN)) < 3000


@pytest.mark.slow
def test_eleven_thousand_checks_of_four_hundred_tables_keep_every_fact(
    browser: Browser, tmp_path: Path
) -> None:
    """At most 4 MB, painted within a second; each check has its link, claim, severity, owner and tags, and
    its SQL, whole or in two parts of a frame, is copied to the letter.
    """
    judged = wide()
    page = tmp_path / "report.html"
    page.write_text(render_html(judged), encoding="utf-8")
    assert page.stat().st_size <= 4_000_000
    browser.open(page)
    assert browser.ask(PAINTED) < 1_000 * slack()
    assert len(judged.run.checks) == browser.ask("document.querySelectorAll('.ck, .gp li').length") == 11_500
    assert browser.ask("document.querySelectorAll('.tb').length") >= 400
    results = {result.check_id: result for result in judged.run.results}
    held = [c for c in judged.run.checks if results[c.id].status is Status.PASS and results[c.id].sql]
    browser.ask(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )
    for check in held[:: len(held) // 40]:
        line = f"document.getElementById({anchor('c', check.id)!r})"
        browser.ask(f"{line}.click(); {line}.querySelector('.cp button').click()")
        assert browser.ask("window.copied") == results[check.id].sql
        said = str(browser.ask(f"{line}.textContent"))
        for fact in (check.claim, check.severity.value, check.owner, *check.tags, check.why, check.origin):
            assert " ".join(fact.split()) in said, (check.id, fact)
