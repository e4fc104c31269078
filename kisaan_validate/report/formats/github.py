"""``--format github``: workflow commands, which GitHub Actions shows as annotations of the lines that
declare the checks.

The verdict comes first, for GitHub shows at most ten errors, ten warnings and ten notices of a step. Every
line is one command and holds no line break or ``::`` that data could have brought in, so no data is ever
taken for a command. Source of the escapes: actions/toolkit, packages/core/src/command.ts, escapeData and
escapeProperty.
"""

from __future__ import annotations

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report.findings import (
    ReportFinding,
    group_findings,
    promise_findings,
    run_findings,
    where,
)
from kisaan_validate.report.formats.place import place_of
from kisaan_validate.report.standing import ResultLine, ResultStanding, keys_told, lines_in_order
from kisaan_validate.report.summary import verdict_sentence
from kisaan_validate.report.text import flat, plain, shortened
from kisaan_validate.verdict.judgement import Judgement

KEYS = 3
"""So many violating rows are named in an annotation."""

MOST = 4_000
"""So many characters of a message or a title are sent; the number left out is said."""

_BY_SEVERITY = {Severity.BLOCKING: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_BY_STANDING = {
    ResultStanding.UNANSWERED: "error",
    ResultStanding.FAILED: "error",
    ResultStanding.WAIVED: "notice",
    ResultStanding.OLD: "warning",
    ResultStanding.LISTED: "notice",
    ResultStanding.NOTED: "notice",
}
_GREEN = {ResultStanding.HOLDS, ResultStanding.INAPPLICABLE}
_LEVELS = ("error", "warning", "notice")


def render(judged: Judgement) -> str:
    """The commands, the gravest first: the verdict, then whatever failed, has no answer, or is accepted
    though it fails.
    """
    found = [
        _check(line, judged)
        for line in lines_in_order(judged)
        if line.standing in {*_BY_STANDING, ResultStanding.LESSER}
    ]
    beside = [*run_findings(judged), *promise_findings(judged), *group_findings(judged)]
    found += [
        (_level(f), _command(_level(f), f.said, title=f.name)) for f in beside if f.standing not in _GREEN
    ]
    # A stable sort: within a level the order is that of severity and suite.
    ordered = sorted(found, key=lambda command: _LEVELS.index(command[0]))
    return "\n".join([_verdict(judged), *(text for _, text in ordered)]) + "\n"


def _verdict(judged: Judgement) -> str:
    title = f"kisaan-validate: {judged.verdict.value}"
    level = "notice" if judged.verdict is Verdict.PASS else "error"
    return _command(level, f"{flat(verdict_sentence(judged))}\n{where(judged)}", title=title)


# A standing without a level of its own (failed below blocking) shows as its severity.
def _level(thing: ResultLine | ReportFinding) -> str:
    severity = thing.check.severity if isinstance(thing, ResultLine) else thing.severity
    return _BY_STANDING.get(thing.standing) or _BY_SEVERITY[severity]


def _check(line: ResultLine, judged: Judgement) -> tuple[str, str]:
    check = line.check
    file, number = place_of(check.origin, judged.sources)
    lines = [line.said, *keys_told(line.result, KEYS)]
    lines += [f"why: {flat(check.why)}"] if check.why else []
    lines += [f"hint: {flat(line.result.hint or check.hint)}"] if line.result.hint or check.hint else []
    level = _level(line)
    return level, _command(level, "\n".join(lines), file=file, line=str(number or ""), title=check.id)


def _command(name: str, message: str, **properties: str) -> str:
    given = ",".join(
        f"{key}={_property(shortened(plain(value), MOST))}" for key, value in properties.items() if value
    )
    # Line breaks are kept: escapeData writes them as %0A, and GitHub shows the message in lines.
    return f"::{name} {given}::{_data(shortened(plain(message, keep=chr(10)), MOST))}"


def _data(text: str) -> str:
    # % first: it would otherwise escape the escapes.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
