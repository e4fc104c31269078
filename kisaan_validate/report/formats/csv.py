"""``--format csv``: a line per check, by RFC 4180, in UTF-8 without a byte order mark, in the order of the
suite; with a baseline then a line per promise and per difference, which the last column, ``kind``,
tells from checks.

Spreadsheets take a cell that begins with ``= + - @`` for a formula: such a text gets a leading apostrophe,
also behind a ``;``, where another language's spreadsheet would begin a new cell. Counts are digits only
and never negative; texts that are negative numbers get the apostrophe too, for nothing but a count is a
number here. Hidden characters, line breaks among them, are written by name: a line is a check. Empty means
that there is no value; a count that is not known is empty, never 0.
"""

from __future__ import annotations

import csv
import io
import re

from kisaan_validate.report.columns import COLUMNS
from kisaan_validate.report.findings import ReportFinding, difference_findings, promise_findings
from kisaan_validate.report.standing import ResultLine, lines_of
from kisaan_validate.report.text import plain
from kisaan_validate.verdict.judgement import Judgement

# Full-width signs too: spreadsheets of East Asian locales read them as the ASCII ones.
_FORMULA = re.compile(r"((?:^|;)[\s'\"]*)(?=[=+\-@＝＋－＠])")


def render(judged: Judgement) -> str:
    """The table, with its heading."""
    # StringIO keeps the line ends that the writer wrote; a text file would translate them on Windows.
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(
        [*(column.name for column in COLUMNS), "standing", "waiver", "since_baseline", "run", "kind"]
    )
    for line in lines_of(judged):
        values = [column.value(line.check, line.result) for column in COLUMNS]
        # The standing is written beside the status: a waived FAIL is FAIL in one and waived in the other.
        writer.writerow([_cell(value) for value in [*values, *_judged(line), judged.run.id, "check"]])
    for kind, findings in (
        ("promise", promise_findings(judged)),
        ("difference", difference_findings(judged)),
    ):
        for finding in findings:
            writer.writerow([_cell(value) for value in [*_beside(finding), judged.run.id, kind]])
    return made.getvalue()


def _beside(finding: ReportFinding) -> list[str]:
    """The cells of a promise or a difference, up to the run: its name, severity, what is said of it, and
    its standing.
    """
    known = {"check": finding.name, "severity": finding.severity.value, "message": finding.said}
    return [*(known.get(column.name, "") for column in COLUMNS), finding.standing.value, "", ""]


def _judged(line: ResultLine) -> list[str]:
    waiver = f"{line.waiver.use.value}: {line.waiver.remark}" if line.waiver is not None else ""
    return [line.standing.value, waiver, line.move.transition.value if line.move is not None else ""]


def _cell(value: str | int | None) -> str:
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    return _FORMULA.sub(r"\1'", plain(value))
