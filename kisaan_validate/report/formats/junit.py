"""``--format junit``: JUnit XML, as CI servers read it. One test case a check, a promise, and a difference
that is unexplained, judged by no contract, or explained with a remark.

JUnit knows four outcomes. A failure that fails the run is ``failure``; what has no answer is ``error``;
what fails and was accepted (waived, of lower severity, old under ``--fail-on new``), what no contract
judges and what does not apply is ``skipped`` with the reason, so that it is seen and is not green. Test
cases have no time: checks that share a scan have none of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from xml.etree import ElementTree as ET

from kisaan_validate.report.findings import (
    ReportFinding,
    difference_findings,
    promise_findings,
    run_findings,
    where,
)
from kisaan_validate.report.formats.place import place_of
from kisaan_validate.report.standing import ResultLine, ResultStanding, details, lines_of
from kisaan_validate.report.summary import verdict_sentence
from kisaan_validate.report.text import flat, plain, shortened
from kisaan_validate.verdict.judgement import Judgement

KEYS = 20
"""So many violating rows are listed in a failure."""

MOST = 20_000
"""So many characters of one message or body are written; the number left out is said."""

_TAGS = {
    ResultStanding.FAILED: "failure",
    ResultStanding.UNANSWERED: "error",
    ResultStanding.LESSER: "skipped",
    ResultStanding.WAIVED: "skipped",
    ResultStanding.OLD: "skipped",
    ResultStanding.INAPPLICABLE: "skipped",
    ResultStanding.LISTED: "skipped",
    ResultStanding.NOTED: "skipped",
}


def render(judged: Judgement) -> str:
    """The document. It has a failure or an error if and only if the verdict is not PASS."""
    name = flat(judged.run.suite.name)
    first = _suite(judged, f"{name} run", _findings(run_findings(judged), f"{name}.run"))
    # JUnit's schema wants properties before test cases.
    first.insert(0, _properties(judged))
    suites = [first, _suite(judged, f"{name} checks", [_check(line, judged) for line in lines_of(judged)])]
    if judged.contract is not None:
        suites.append(
            _suite(judged, f"{name} promises", _findings(promise_findings(judged), f"{name}.promises"))
        )
    if judged.diff is not None:
        suites.append(
            _suite(
                judged, f"{name} differences", _findings(difference_findings(judged), f"{name}.differences")
            )
        )
    root = ET.Element(
        # Recounted over all suites: some readers look only at the totals of the root.
        "testsuites",
        {"name": name, **_totals(case for suite in suites for case in suite.iter("testcase"))},
    )
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(judged: Judgement, name: str, cases: list[ET.Element]) -> ET.Element:
    run = judged.run
    # A clock that was set back during the run must not give a negative time, which the schema refuses.
    seconds = max((run.finished_at - run.started_at).total_seconds(), 0)
    about = {
        # The schema's type is a date-time without a zone.
        "timestamp": f"{run.started_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "hostname": flat(run.place.host),
        "time": f"{seconds:.3f}",
    }
    suite = ET.Element("testsuite", {"name": name, **_totals(cases), **about})
    suite.extend(cases)
    return suite


def _properties(judged: Judgement) -> ET.Element:
    run, made = judged.run, ET.Element("properties")
    about = {
        "verdict": judged.verdict.value,
        "sentence": verdict_sentence(judged),
        "run": run.id,
        "where": where(judged),
        "snapshot": run.place.snapshot,
        "suite.sha256": run.suite.digest,
    }
    for key, value in about.items():
        ET.SubElement(made, "property", {"name": key, "value": flat(value)})
    return made


def _totals(cases: Iterable[ET.Element]) -> dict[str, str]:
    listed = list(cases)
    counts = {
        # find() is None without a child; an element without children is false: compare with None.
        tag: sum(case.find(tag) is not None for case in listed)
        for tag in ("failure", "error", "skipped")
    }
    return {
        "tests": str(len(listed)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
    }


def _check(line: ResultLine, judged: Judgement) -> ET.Element:
    check = line.check
    case = ET.Element(
        "testcase",
        {"classname": flat(f"{judged.run.suite.name}.{check.table or 'database'}"), "name": plain(check.id)},
    )
    file, number = place_of(check.origin, judged.sources)
    if file:
        case.set("file", plain(file))
    if number:
        case.set("line", str(number))
    body = (
        details(line, KEYS)
        if line.standing not in {ResultStanding.HOLDS, ResultStanding.INAPPLICABLE}
        else []
    )
    return _filled(case, line.standing, line.said, body)


def _findings(found: Iterable[ReportFinding], classname: str) -> list[ET.Element]:
    return [
        _filled(ET.Element("testcase", {"classname": classname, "name": f.name}), f.standing, f.said, [])
        for f in found
    ]


def _filled(case: ET.Element, standing: ResultStanding, said: str, body: list[str]) -> ET.Element:
    text = shortened("\n".join(body), MOST)
    tag = _TAGS.get(standing)
    if tag is None:
        ET.SubElement(case, "system-out").text = shortened("\n".join([said, *body]), MOST)
        return case
    outcome = ET.SubElement(case, tag, {"message": shortened(said, MOST)})
    if tag != "skipped":
        outcome.set("type", standing.value)
        outcome.text = text
    elif text:
        ET.SubElement(case, "system-out").text = text  # the schemas let nothing stand in a skipped element
    return case
