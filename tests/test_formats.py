"""Output formats: pure functions of a judged run. Nothing unproved is green in them, and no data acts in
them.
"""

from __future__ import annotations

import csv as csv_reader
import hashlib
import html
import io
import itertools
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from conftest import ROOT
from judged_cases import contracted, everything, hostile, one
from markdown_it import MarkdownIt
from referencing import Registry, Resource
from test_report_page import HOSTILE, earlier, every_status, make_run

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.result import MASKED, Evidence, FailOn, Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import digest_of, run_to_json, schema_of
from kisaan_validate.record.judged import judged_schema
from kisaan_validate.record.typed import adapter
from kisaan_validate.report.findings import difference_findings
from kisaan_validate.report.formats import BUILT_IN, GROUP, find_format, format_names
from kisaan_validate.report.formats.place import place_of
from kisaan_validate.report.standing import ResultStanding, lines_of
from kisaan_validate.report.text import flat, plain
from kisaan_validate.verdict.judgement import Judgement, judge

GOLDEN = ROOT / "tests" / "golden" / "formats"
ENDINGS = {"json": "json", "junit": "xml", "github": "txt", "markdown": "md", "csv": "csv"}
WORSE = [
    *HOSTILE,
    "::error::owned",
    "\n::set-output name=x::y",
    "##[error]owned",
    "%0A::error::owned",
    "a,line=1::b",
    "| a | b |\n|---|---|",
    (
        "```\n@channel #12 <b>*x*</b> _y_ ~~z~~ [l](http://evil.invalid) ![i](http://evil.invalid) "
        "www.evil.invalid $x$ :smile:"
    ),
    "]]>\x00\x01\x08\ufffe\uffff",
    "-1",
    "+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "a;=1+1",
    ";@x",
    "＝1",
    "&#42;&amp;<!-- -->",
    "\ud800",
    "",
]


def _render(name: str, judged: Judgement) -> str:
    return find_format(name).render(judged)


def _verdicts() -> dict[str, Judgement]:
    """Runs that pass, fail and prove nothing, for every reason there is."""
    run = every_status()
    before = earlier(run)
    promise = '[[promise]]\nid = "p"\nkind = "rows_unchanged"\ntable = "orders"\n'
    same = one(Status.PASS).run
    cases = {
        f"one {status.value} {severity.value}": one(status, severity)
        for status in Status
        for severity in Severity
    }
    return cases | {
        "everything": everything(),
        "no check": judge(make_run([], [])),
        "a lost result": judge(make_run([same.checks[0]], [])),
        "interrupted": one(Status.PASS, interrupted="by SIGTERM"),
        "a broken promise": judge(run, before, contracted(promise)),
        "a broken promise of no weight": judge(run, before, contracted(promise + 'severity = "info"')),
        "unexplained": judge(run, before, contracted("")),
        "differences without a contract": judge(run, before),
        "only new failures count": judge(replace(run, fail_on=FailOn.NEW), before),
        "a baseline without its contract": judge(same, baseline_of(same), contracted("")),
    }


@pytest.mark.parametrize("name", BUILT_IN)
def test_golden(name: str) -> None:
    """Each format of a run in which everything occurs, byte for byte; look at it, then KISAAN_GOLDEN=1
    writes it again.
    """
    golden, made = GOLDEN / f"everything.{ENDINGS[name]}", _render(name, everything())
    if os.environ.get("KISAAN_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(made, encoding="utf-8", newline="")
    assert made.encode() == golden.read_bytes()
    assert _render(name, everything()) == made


def test_every_built_in_format_is_one_file_with_one_golden() -> None:
    """What is named is there, what is there is named."""
    folder = ROOT / "kisaan_validate" / "report" / "formats"
    assert {p.stem for p in folder.glob("*.py")} - {"__init__", "place"} == set(BUILT_IN) == set(ENDINGS)
    assert {p.suffix[1:] for p in GOLDEN.iterdir()} == set(ENDINGS.values())


def test_everything_really_has_everything() -> None:
    """The golden run has a check of every standing but the one that needs --fail-on new, and those of
    differences.
    """
    assert {line.standing for line in lines_of(everything())} == set(ResultStanding) - {
        ResultStanding.OLD,
        ResultStanding.LISTED,
        ResultStanding.NOTED,
    }


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("text", WORSE, ids=range(len(WORSE)))
def test_hostile_text_comes_out_as_text(name: str, text: str) -> None:
    """Whatever data holds, each format can be made, written as UTF-8, and has no character that hides or
    reorders.
    """
    made = _render(name, hostile(text))
    made.encode("utf-8")
    if name != "json":
        assert not set(made) & {
            chr(n) for n in [*range(9), *range(11, 13), *range(14, 32), 0x202E, 0xFEFF, 0xFFFE, 0xFFFF]
        }


# --- junit ------------------------------------------------------------------------------------------------

_SHAPE: dict[str, tuple[set[str], set[str], dict[str, str]]] = {
    "testsuites": (
        {"name", "time", "tests", "failures", "errors", "skipped", "disabled"},
        {"testsuite"},
        {"tests": r"\d+"},
    ),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
        {
            "tests": r"\d+",
            "failures": r"\d+",
            "errors": r"\d+",
            "skipped": r"\d+",
            "time": r"\d+\.\d{3}",
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
        },
    ),
    "properties": (set(), {"property"}, {}),
    "property": ({"name", "value"}, set(), {}),
    "testcase": (
        {"name", "classname", "time", "file", "line"},
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"line": r"[1-9]\d*"},
    ),
    "failure": ({"message", "type"}, set(), {}),
    "error": ({"message", "type"}, set(), {}),
    "skipped": ({"message"}, set(), {}),
    "system-out": (set(), set(), {}),
    "system-err": (set(), set(), {}),
}
"""Element -> (attributes, children, form of attributes): what Jenkins' junit-10.xsd, GitLab and GitHub's
readers agree on.
"""


def _shaped(node: ET.Element) -> None:
    attributes, children, forms = _SHAPE[node.tag]
    assert set(node.attrib) <= attributes, (node.tag, node.attrib)
    assert all(re.fullmatch(form, node.attrib[key]) for key, form in forms.items() if key in node.attrib)
    assert {child.tag for child in node} <= children
    if node.tag in {"testcase", "testsuite", "property"}:
        assert node.get("name") is not None
    if node.tag == "testcase":
        assert sum(child.tag in {"skipped", "error", "failure"} for child in node) <= 1
    if node.tag == "testsuite":
        cases = node.findall("testcase")
        assert node.get("tests") == str(len(cases))
        for tag, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert node.get(key) == str(sum(case.find(tag) is not None for case in cases))
    for child in node:
        _shaped(child)


@pytest.mark.parametrize("text", [None, *WORSE], ids=range(len(WORSE) + 1))
def test_junit_has_the_shape_that_ci_servers_read(text: str | None) -> None:
    """Well-formed, known elements and attributes only, sums that fit, whatever the data holds."""
    root = ET.fromstring(_render("junit", everything() if text is None else hostile(text)))
    _shaped(root)
    assert root.get("tests") == str(len(root.findall(".//testcase")))


def _outcomes(judged: Judgement) -> Counter[str]:
    root = ET.fromstring(_render("junit", judged))
    kinds = ("failure", "error", "skipped")
    return Counter(
        next((k for k in kinds if case.find(k) is not None), "passed") for case in root.iter("testcase")
    )


@pytest.mark.parametrize("case", _verdicts())
def test_junit_is_green_only_if_the_verdict_is_pass(case: str) -> None:
    """A failure for FAIL, an error for INCONCLUSIVE, neither for PASS: no CI server calls a run green that
    is not.
    """
    judged = _verdicts()[case]
    found = _outcomes(judged)
    assert bool(found["failure"] + found["error"]) is (judged.verdict is not Verdict.PASS), (
        judged.verdict,
        found,
    )
    assert bool(found["failure"]) is (judged.verdict is Verdict.FAIL)


@pytest.mark.parametrize(
    ("status", "severity", "outcome"),
    [
        (Status.PASS, Severity.BLOCKING, "passed"),
        (Status.TOLERATED, Severity.BLOCKING, "passed"),
        (Status.FAIL, Severity.BLOCKING, "failure"),
        (Status.FAIL, Severity.WARNING, "skipped"),
        (Status.FAIL, Severity.INFO, "skipped"),
        (Status.ERROR, Severity.BLOCKING, "error"),
        (Status.ERROR, Severity.INFO, "error"),
        (Status.SKIP, Severity.WARNING, "error"),
        (Status.NOT_APPLICABLE, Severity.BLOCKING, "skipped"),
    ],
)
def test_junit_s_outcome_of_each_status(status: Status, severity: Severity, outcome: str) -> None:
    """A skipped check is an error, not a skip; a warning is skipped with its count, not passed."""
    root = ET.fromstring(_render("junit", one(status, severity)))
    (case,) = [c for c in root.iter("testcase") if c.get("name") == "orders.total"]
    tags = {child.tag for child in case} & {"failure", "error", "skipped"}
    assert (tags or {"passed"}) == {outcome}
    said = "".join(case.itertext()) + "".join(child.get("message", "") for child in case)
    if status in {Status.TOLERATED, Status.FAIL}:
        assert "1 of 9 rows" in said
    assert status is not Status.TOLERATED or "tolerated" in said


def test_junit_shows_what_was_waived_and_names_file_and_line() -> None:
    """A waived failure is seen with reason and owner, and fails nothing."""
    root = ET.fromstring(_render("junit", everything()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    waived = cases["orders.waived"]
    assert "two accounts, in dispute" in str(waived.find("skipped").get("message"))  # type: ignore[union-attr]
    assert (waived.get("file"), waived.get("line")) == ("checks/orders.py", "12")
    assert [
        cases[id].find(tag) is not None
        for id, tag in (("no_rows_go", "failure"), ("repaired", "skipped"), ("answered", "error"))
    ] == [True] * 3
    assert cases["orders: rows"].find("failure") is not None


def test_an_old_failure_is_seen_and_fails_nothing_where_only_new_ones_count() -> None:
    """--fail-on new: what is proved to have failed before is skipped in JUnit and a warning on GitHub,
    never green.
    """
    judged = _verdicts()["only new failures count"]
    (line,) = [line for line in lines_of(judged) if line.check.id == "orders.fails"]
    assert line.standing is ResultStanding.OLD
    (case,) = [
        c for c in ET.fromstring(_render("junit", judged)).iter("testcase") if c.get("name") == "orders.fails"
    ]
    assert "99,999 of 100,000 rows" in str(case.find("skipped").get("message"))  # type: ignore[union-attr]
    assert [
        level for level, given, _ in _commands(_render("github", judged)) if given["title"] == "orders.fails"
    ] == ["warning"]


# --- github -----------------------------------------------------------------------------------------------

_COMMAND = re.compile(r"::(?P<level>error|warning|notice) (?P<given>[^\r\n]*?)::(?P<message>[^\r\n]*)")


def _decoded(text: str, *, value: bool = False) -> str:
    for code, character in ([("%3A", ":"), ("%2C", ",")] if value else []) + [
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%25", "%"),
    ]:
        text = text.replace(code, character)
    return text


def _commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner reads them (actions/runner, ActionCommand.TryParseV2)."""
    found = []
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        match = _COMMAND.fullmatch(line)
        assert match, line
        given = dict(part.split("=", 1) for part in match["given"].split(",") if match["given"])
        found.append(
            (
                match["level"],
                {k: _decoded(v, value=True) for k, v in given.items()},
                _decoded(match["message"]),
            )
        )
    return found


@pytest.mark.parametrize("text", WORSE, ids=range(len(WORSE)))
@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_github_reads_nothing_but_our_commands(text: str, status: Status) -> None:
    """Each line is one command with properties of ours; no data begins a line, ends a property or a
    message.
    """
    for _, given, message in _commands(_render("github", hostile(text, status))):
        assert set(given) <= {"file", "line", "title"}
        assert "line" not in given or given["line"].isdigit()
        assert len(message) < 5_000


@pytest.mark.parametrize("text", [text for text in WORSE if text], ids=range(len(WORSE) - 1))
def test_github_shows_the_exact_text_it_was_given(text: str) -> None:
    """What the runner decodes is the id and the message, with hidden characters by name; long ones say
    what was left out.
    """
    command = next(
        c for c in _commands(_render("github", hostile(text, Status.ERROR))) if c[2].startswith("no answer")
    )
    visible = plain(text).encode("utf-8", "backslashreplace").decode()
    assert command[1]["title"].startswith(visible[:4_000])
    assert flat(text).encode("utf-8", "backslashreplace").decode()[:3_000] in command[2]
    assert len(text) < 4_000 or "more characters" in command[1]["title"]


def test_github_puts_severity_file_and_line_where_they_belong() -> None:
    """The verdict first; blocking failures and what has no answer are errors, warnings warnings, waived
    and info notices.
    """
    commands = _commands(_render("github", everything()))
    assert commands[0][:2] == ("error", {"title": "kisaan-validate: FAIL"})
    levels = {given["title"]: (level, given.get("file"), given.get("line")) for level, given, _ in commands}
    assert levels["orders.fails"] == ("error", "checks/orders.py", "3")
    assert levels["orders.warns"] == ("warning", "checks/sql/paid, in full.sql", "7")
    assert levels["orders.waived"] == ("notice", "checks/orders.py", "12")
    assert [levels[id][0] for id in ("orders.informs", "orders.errs", "orders.skipped", "orders.lost")] == [
        "notice",
        *["error"] * 3,
    ]
    assert [levels[id][0] for id in ("no_rows_go", "repaired", "answered", "orders")] == [
        "error",
        "warning",
        "error",
        "error",
    ]
    assert [level for level, _, _ in commands] == sorted(
        (level for level, _, _ in commands), key=["error", "warning", "notice"].index
    )
    message = next(message for _, given, message in commands if given["title"] == "orders.fails")
    assert "99,999 of 100,000 rows" in message
    assert "… and 99,997 more" in message


@pytest.mark.parametrize("case", _verdicts())
def test_github_has_an_error_only_if_the_verdict_is_not_pass(case: str) -> None:
    """An annotation of level error if and only if the run does not pass; the verdict is always said."""
    judged = _verdicts()[case]
    levels = [level for level, _, _ in _commands(_render("github", judged))]
    assert ("error" in levels) is (judged.verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("orders.py:3", ("checks/orders.py", 3)),
        ("sql/a.sql", ("checks/sql/a.sql", None)),
        ("<Orders>", ("", None)),
        ("", ("", None)),
        ("<Orders>:3", ("", None)),
        ("/abs/a.py:1", ("/abs/a.py", 1)),
        ("a:b.py:10", ("checks/a:b.py", 10)),
        ("a.py:0", ("checks/a.py:0", None)),
    ],
)
def test_the_place_of_an_origin(origin: str, place: tuple[str, int | None]) -> None:
    """file:line below the suite's folder; a suite without files has no place."""
    assert place_of(origin, "checks") == place


# --- markdown ---------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[Any]:
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [inner for token in parsed for inner in (token, *(token.children or []))]


@pytest.mark.parametrize("text", WORSE, ids=range(len(WORSE)))
@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_markdown_lets_no_text_act(text: str, status: Status) -> None:
    """No link, image, code block or markup but ours, nobody mentioned, every table row as wide as its
    heading.
    """
    made = _render("markdown", hostile(text, status))
    tokens = _tokens(made)
    kinds = {token.type for token in tokens}
    assert not kinds & {
        "link_open",
        "image",
        "code_inline",
        "fence",
        "code_block",
        "em_open",
        "s_open",
        "html_block",
        "hr",
    }
    ours = {"<code>", "</code>", "<br>", "<sub>", "</sub>", "<!-- -->"}
    assert {token.content for token in tokens if token.type == "html_inline"} <= ours
    shown = html.unescape(
        "".join(t.content if t.type == "text" else "<!-- -->" * (t.content == "<!-- -->") for t in tokens)
    )
    assert not re.search(r"[@#](?!<!-- -->)\w", shown), shown
    columns: list[int] = []
    for token in tokens:
        if token.type in {"tr_open"}:
            columns.append(0)
        if token.type in {"td_open", "th_open"}:
            columns[-1] += 1
    assert set(columns) <= {1, 4}


def test_markdown_shows_the_exact_text_it_was_given() -> None:
    """Escaping loses nothing: what a reader sees is the id, character by character."""
    id = "a|b`c`*d*_e_<f>&amp;[g](h)\\|~i~!j#k@l$m:n"
    judged = judge(make_run([Check(id, "t", (), Form.ROW, "x", "y")], [Result(id, Status.FAIL, 1, 2)]))
    shown = "".join(t.content for t in _tokens(_render("markdown", judged)) if t.type == "text")
    assert id in shown


def _many(number: int, text: str) -> Judgement:
    checks = [Check(f"{text}{n}", "orders", (), Form.ROW, "k", text, why=text) for n in range(number)]
    return judge(make_run(checks, [Result(c.id, Status.FAIL, 1, 2, Evidence.SCANNED) for c in checks]))


@pytest.mark.parametrize("text", ["orders.check_", "@" * 10_000], ids=["plain", "long"])
def test_markdown_fits_a_comment_and_says_what_it_left_out(text: str) -> None:
    """3,000 failing checks: below GitHub's 65,536 characters, with the exact number of those not shown."""
    made = _render("markdown", _many(3_000, text))
    assert len(made) < 65_536
    left = [int(number.replace(",", "")) for number in re.findall(r"… and ([\d,]+) more; report.html", made)]
    for start, number in zip(("| Failed |", "| failed |"), left, strict=True):
        shown = sum(line.startswith(start) for line in made.splitlines())
        assert shown + number == 3_000
        assert shown >= 1


# --- csv --------------------------------------------------------------------------------------------------


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv_reader.DictReader(io.StringIO(text, newline="")))


def test_csv_is_a_line_a_check_with_exact_counts() -> None:
    """RFC 4180: CRLF, every record as long as the heading; empty where nothing is known, never 0. Promises
    and differences follow.
    """
    text = _render("csv", everything())
    judged = everything()
    beside = len(judged.promises) + len(difference_findings(judged))
    assert text.count("\r\n") == text.count("\n") == len(judged.run.checks) + beside + 1
    assert not text.startswith("\ufeff")
    records = list(csv_reader.reader(io.StringIO(text, newline="")))
    assert {len(record) for record in records} == {len(records[0])}
    rows = {row["check"]: row for row in _rows(text)}
    assert (rows["orders.fails"]["violations"], rows["orders.fails"]["examined"]) == ("99999", "100000")
    assert (rows["orders.errs"]["violations"], rows["orders.errs"]["standing"]) == ("", "no answer")
    assert rows["orders.empty"]["violations"] == "0"
    assert rows["orders.waived"]["waiver"].startswith("waived: until 2026-03-31")


@pytest.mark.parametrize("text", WORSE, ids=range(len(WORSE)))
def test_csv_holds_no_formula(text: str) -> None:
    """No cell begins one, in a spreadsheet that parts at commas, semicolons or tabs; a check is one line
    whatever it is called.
    """
    judged = hostile(text)
    made = _render("csv", judged)
    assert made.count("\r\n") == made.count("\n") == 2 + len(difference_findings(judged))
    for delimiter in (",", ";", "\t"):
        for record in csv_reader.reader(io.StringIO(made, newline=""), delimiter=delimiter):
            for cell in record:
                assert (
                    cell.lstrip(" '\"")[:1] not in set("=+-@＝＋－＠")
                    or "'" in cell[: len(cell) - len(cell.lstrip(" '\""))]
                ), cell
                assert not cell.startswith(("\t", "\r", "\n"))


def test_csv_escapes_so_that_it_can_be_undone() -> None:
    """Two different texts never become one cell, and an ordinary text stays as it is."""
    texts = ["=1", "'=1", "''=1", "-1", "a=b", "a-b", "total >= 0", "x - 1", "a;b", "a; =1", "a; '=1"]
    cells = [_rows(_render("csv", hostile(text)))[0]["owner"] for text in texts]
    assert len(set(cells)) == len(texts)
    assert [cells[texts.index(t)] for t in ("a=b", "a-b", "total >= 0", "x - 1", "a;b")] == [
        "a=b",
        "a-b",
        "total >= 0",
        "x - 1",
        "a;b",
    ]
    assert cells[0] == "'=1"


# --- json -------------------------------------------------------------------------------------------------


def test_json_is_the_run_as_recorded_and_what_was_judged() -> None:
    """The run in it is run.json to the last value, known by its digest; the whole fits the published
    schema.
    """
    judged = everything()
    document = json.loads(_render("json", judged))
    recorded = run_to_json(judged.run)
    assert (
        adapter(Run).validate_python({k: v for k, v in document["run"].items() if k != "kind"}) == judged.run
    )
    assert document["run_sha256"] == digest_of(recorded) == hashlib.sha256(recorded.encode()).hexdigest()
    said = document["judgement"]
    assert (said["verdict"], said["failing"], list(said["waived"])) == (
        "FAIL",
        ["orders.fails"],
        ["orders.waived"],
    )
    assert [(p["id"], p["state"]) for p in said["promises"]] == [
        ("wide", "kept"),
        ("no_rows_go", "broken"),
        ("repaired", "promised but not done"),
        ("answered", "cannot tell"),
    ]
    assert [(c["kind"], c["before"], c["after"], c["delta"]) for c in said["unexplained"]] == [
        ("rows", "100041", "100000", -41),
        ("values", None, "2 of 3", 2),
    ]


@pytest.mark.parametrize("case", _verdicts())
def test_json_fits_its_schema(case: str) -> None:
    """docs/schemas/judged.schema.json, which refers to the run's own."""
    path = ROOT / "docs" / "schemas" / "judged.schema.json"
    assert json.loads(path.read_text()) == judged_schema(), "run: python tests/make_schemas.py"
    registry: Registry[Any] = Registry().with_resource(
        "run.schema.json", Resource.from_contents(schema_of(Run))
    )
    jsonschema.Draft202012Validator(judged_schema(), registry=registry).validate(
        json.loads(_render("json", _verdicts()[case]))
    )


# --- all of them ------------------------------------------------------------------------------------------


def test_no_format_rounds_or_unmasks() -> None:
    """Counts are whole numbers as they are, no percentage anywhere; a masked value stays masked."""
    check = Check("a.b", "a", ("phone",), Form.ROW, "k", "phone is set")
    result = Result(
        "a.b", Status.FAIL, 99_999, 100_000, Evidence.SCANNED, sample=((("id", "1"), ("phone", MASKED)),)
    )
    judged = judge(make_run([check], [result]))
    for name in BUILT_IN:
        made = _render(name, judged)
        assert re.search("99,?999", made), name
        assert not re.search(r"\d\s?%(?![0-9A-F]{2})", made), name
    assert MASKED in _render("junit", judged)


# --- the registry -----------------------------------------------------------------------------------------

Installed = Callable[..., None]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Puts a package with entry points on the path, as pip would."""
    numbers = itertools.count(1)

    def install(points: str, source: str = "") -> None:
        number = next(numbers)
        site = tmp_path / f"site{number}"
        info = site / f"foreign{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: foreign{number}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n")
        (site / f"foreign_format{number}.py").write_text(source)
        monkeypatch.delitem(sys.modules, f"foreign_format{number}", raising=False)
        monkeypatch.syspath_prepend(str(site))

    return install


def test_an_installed_package_brings_a_format(installed: Installed) -> None:
    """One entry point that loads a function of a judgement is enough."""
    installed(
        "words = foreign_format1:words", "def words(judged):\n    return judged.verdict.value + '\\n'\n"
    )
    assert format_names() == [*BUILT_IN, "words"]
    assert find_format("words").render(everything()) == "FAIL\n"
    assert "foreign1 1.0" in find_format("words").origin


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("jnuit", "did you mean 'junit'?"),
        ("Json", "did you mean 'json'?"),
        ("wrds", "did you mean 'words'?"),
        ("zzz", "known: json"),
        ("", "known: json"),
    ],
)
def test_an_unknown_format_is_refused_with_the_nearest(installed: Installed, name: str, hint: str) -> None:
    """Built-in and installed names are known; the file names of our own are not a way in."""
    installed("words = foreign_format1:words", "words = str\n")
    with pytest.raises(UsageError) as caught:
        find_format(name)
    assert hint in caught.value.hint
    for inner in ("place", "__init__", "json.loads", "../json"):
        with pytest.raises(UsageError):
            find_format(inner)


@pytest.mark.parametrize(
    ("value", "source", "said"),
    [
        ("nowhere:f", "", "ModuleNotFoundError"),
        ("foreign_format1:g", "", "AttributeError"),
        ("foreign_format1:f", "f = 1", "is not a function"),
        ("foreign_format1:f", "1/0", "ZeroDivisionError"),
        ("foreign_format1:f", "raise SystemExit(0)", "SystemExit"),
        ("foreign_format1:f", "def f(", "SyntaxError"),
    ],
)
def test_a_broken_package_is_named(installed: Installed, value: str, source: str, said: str) -> None:
    """What cannot be loaded is a UsageError that names package and entry point, before anything is
    measured.
    """
    installed(f"f = {value}", source)
    with pytest.raises(UsageError) as caught:
        find_format("f")
    assert said in caught.value.fact
    assert "foreign1 1.0" in caught.value.fact
    assert find_format("json").render(everything()), "the others still work"


@pytest.mark.parametrize("body", ["1/0", "raise SystemExit(0)", "return None", "return b''"])
def test_a_format_that_fails_is_named(installed: Installed, body: str) -> None:
    """A format that raises, ends the process or makes no text is an error of its own, never a verdict."""
    installed("f = foreign_format1:f", f"def f(judged):\n    {body}\n")
    with pytest.raises(UsageError, match=r"foreign1 1\.0"):
        find_format("f").render(everything())


def test_a_name_that_two_packages_claim_is_refused(installed: Installed) -> None:
    """Nobody replaces a format quietly, ours least of all."""
    installed("json = foreign_format1:f\ntwice = foreign_format1:f", "f = str\n")
    installed("twice = foreign_format2:f", "f = str\n")
    for name, homes in (
        ("json", ("kisaan-validate", "foreign1 1.0")),
        ("twice", ("foreign1 1.0", "foreign2 1.0")),
    ):
        with pytest.raises(UsageError) as caught:
            find_format(name)
        assert all(home in caught.value.fact for home in homes)
