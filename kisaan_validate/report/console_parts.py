"""What all console output is made of: the console, its styles, its tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Status
from kisaan_validate.report.shown import Shown

STYLES = {
    Status.PASS: "green",
    Status.TOLERATED: "cyan",
    Status.FAIL: "bold red",
    Status.ERROR: "bold yellow",
    Status.SKIP: "yellow",
    Status.NOT_APPLICABLE: "dim",
}
SEVERITIES = [Severity.BLOCKING, Severity.WARNING, Severity.INFO]
MOST_LISTED = 10
"""So many differences that no contract judges are listed unless --verbose asks for all."""
MOST_CHECKS = 20
"""So many checks, of two lines each, are listed unless --verbose asks for all; the report has them all."""
MOST_ROWS = 40
"""So many lines of another kind are listed unless --verbose asks for all."""


def cell(text: str | None) -> str:
    """A value in a cell: one line, cut, with nothing hidden in it."""
    # split() without arguments also takes out line breaks and tabs, which would break the table.
    short = " ".join((text or "–").split())
    return short if len(short) <= 60 else short[:59] + "…"


class PipeConsole(Console):
    """A console whose reader may go away: rich would end the process with 1, which means that data failed."""

    def on_broken_pipe(self) -> None:
        """Let the code that decides exit codes know. Called where BrokenPipeError is being handled."""
        raise BrokenPipeError


def new_console() -> Console:
    """Standard output, as the terminal or pipe can show it."""
    console = PipeConsole(highlight=False)
    # Without a terminal there is no width to respect: lines are for grep and mail.
    # A file or pipe has no width; rich would fold at 80 columns.
    return console if console.is_terminal else PipeConsole(highlight=False, width=160)


def print_line(console: Console, line: Text, verbose: bool) -> None:
    """One line, cut to the width of a terminal, unless ``verbose``. Whole in a pipe: lines there are for
    grep and mail.
    """
    if console.is_terminal and not verbose:
        console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    else:
        console.print(line, soft_wrap=True)


def rows_shown(rows: int | None) -> str:
    """A number of rows, or that it is not known."""
    return "–" if rows is None else f"{rows:,}"


def new_table(*headings: str) -> Table:
    """An empty table with these headings."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for heading in headings:
        # A folded status or number would no longer be found by grep; long texts fold instead of losing their
        # end.
        table.add_column(heading, overflow="fold", no_wrap=heading in {"status", "severity", "violations"})
    return table


def print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of plain cells. Rich takes seconds to lay out thousands of rows; it need not where all fit."""
    table = new_table(*headings)
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    # Two blanks between columns. What is folded, or not printed as it is, is left to rich.
    fits = sum(widths) + 2 * (len(widths) - 1) <= console.width
    if not fits or not all(text.isprintable() for row in rows for text in row):
        for row in rows:
            table.add_row(*map(Shown, row))
        console.print(table)
        return
    for column, width in zip(table.columns, widths, strict=True):
        column.min_width = width
    console.print(table)
    for row in rows:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        console.file.write("  ".join(padded) + "\n")
