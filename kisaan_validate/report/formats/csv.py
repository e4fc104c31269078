"""``--format csv``: a line a check, by RFC 4180, in UTF-8 without a byte order mark, in the order of the suite.

Spreadsheets take a cell that begins with ``= + - @`` for a formula: such a text gets a leading apostrophe, also behind a
``;``, where another language's spreadsheet would begin a new cell. Counts are digits only and never negative; texts that
are negative numbers get the apostrophe too, for nothing but a count is a number here. Hidden characters, line breaks among
them, are written by name: a line is a check. Empty means that there is no value; a count that is not known is empty, never 0.
"""

from __future__ import annotations

import csv
import io
import re

from kisaan_validate.judgement import Judgement
from kisaan_validate.report.columns import COLUMNS
from kisaan_validate.report.standing import Line, lines_of
from kisaan_validate.report.text import plain

_FORMULA = re.compile(r"((?:^|;)[\s'\"]*)(?=[=+\-@＝＋－＠])")


def render(judged: Judgement) -> str:
    """The table, with its heading."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow([*(column.name for column in COLUMNS), "standing", "waiver", "since_baseline", "run"])
    for line in lines_of(judged):
        values = [column.value(line.check, line.result) for column in COLUMNS]
        writer.writerow([_cell(value) for value in [*values, *_judged(line), judged.run.id]])
    return made.getvalue()


def _judged(line: Line) -> list[str]:
    waiver = f"{line.waiver.use.value}: {line.waiver.remark}" if line.waiver is not None else ""
    return [line.standing.value, waiver, line.move.transition.value if line.move is not None else ""]


def _cell(value: str | int | None) -> str:
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    return _FORMULA.sub(r"\1'", plain(value))
