"""The lines of a file of rows that differ: CSV for spreadsheets, JSON for programs.

**JSONL**: the first line names the format, each row is a line, and the last line says whether that is all.
Values are texts, as the server wrote them, or null. Hidden characters are written as JSON's escapes.

**CSV** (RFC 4180, UTF-8 without a byte order mark): each changed value is a line, and so is each value of a
row that was added or removed; lines of one row have its number. The last line has the kind ``end``; lines
before it name what is not complete. A copy that lacks it is known to be cut off, which no file beside it
could say. A cell is read back by :func:`value_of`:

- ``NULL`` is NULL, the empty cell the empty text; the text NULL has an apostrophe before it.
- A text that a spreadsheet would run has an apostrophe before its first sign, also behind a ``;``, where
  another language's spreadsheet begins a new cell. A number is left alone.
- Hidden characters, line breaks among them, are written by name, ``[U+000A]``; so is a bracket before ``U+``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.row_differences import Kind, RowChange, RowDiff, TableDiff
from kisaan_validate.text.cutting import is_cut
from kisaan_validate.text.pairs import is_hidden
from kisaan_validate.version import VERSION

FORMAT, FORMAT_VERSION = "kisaan-validate/changes", 1
"""1: the first."""

LATE = "late"
"""The kind of a row that was added after the before-state, by what was declared."""


@dataclass(frozen=True)
class FileEnd:
    """What the last line says. ``lines`` counts the lines of rows, ``rows`` the rows (equal ones of a table
    without a key share a line), ``cut`` the values of which only the beginning is given; ``missed`` tells by
    table what is missing and why.
    """

    diff: RowDiff
    verdict: str
    lines: int
    rows: int
    cut: int
    missed: Mapping[str, Sequence[str]]

    @property
    def complete(self) -> bool:
        """Whether every row that differs is in the file, with every column."""
        return not self.missed and bool(self.diff.tables)


class ChangeLines(Protocol):
    """One form of the file. ``head`` is what it begins with, by which it is known."""

    head: str

    def row(self, number: int, change: RowChange, key: Sequence[str]) -> str:
        """The lines of one row, each with its end; ``key`` are the key's columns."""
        ...

    def end(self, end: FileEnd) -> str:
        """The last lines."""
        ...


def kind_of(change: RowChange) -> str:
    """What happened to a row, in a word."""
    return LATE if change.late else change.kind.value


def cut_columns(change: RowChange) -> list[str]:
    """The columns whose values were cut."""
    named = change.columns or (change.before or change.after)
    sides = (change.before, change.after)
    return [name for name in named if any(is_cut(side.get(name)) for side in sides)]


class JsonLines:
    """A line a row, and one JSON document a line."""

    head = json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, "tool_version": VERSION}) + "\n"

    def row(self, number: int, change: RowChange, key: Sequence[str]) -> str:
        """One line."""
        shown: dict[str, Any] = {"table": change.table, "kind": kind_of(change)}
        shown["key"] = dict(zip(key, change.key, strict=True))
        if change.kind is Kind.CHANGED:
            shown["columns"] = {
                name: {"before": change.before[name], "after": change.after[name]} for name in change.columns
            }
        else:
            shown |= {"copies": change.copies, "row": dict(change.before or change.after)}
        if cut := cut_columns(change):
            shown["cut"] = cut
        return _json(shown)

    def end(self, end: FileEnd) -> str:
        """One line."""
        diff = end.diff
        return _json(
            {
                "complete": end.complete,
                "verdict": end.verdict,
                "before": diff.before,
                "after": diff.after,
                "lines": end.lines,
                "rows": end.rows,
                "cut_values": end.cut,
                "tables": [_counts(table, end.missed.get(table.table, ())) for table in diff.tables],
                "unknown": [{"what": u.what, "reason": u.reason} for u in diff.unknown],
                "not_compared": [item.words for item in diff.not_compared],
            }
        )


def _counts(table: TableDiff, missed: Sequence[str]) -> dict[str, Any]:
    return {
        "table": table.table,
        "complete": not missed,
        "added": table.added,
        "removed": table.removed,
        "changed": table.changed,
        "late": table.late,
        "not_complete": list(missed),
    }


def _json(document: Mapping[str, Any]) -> str:
    """One line. What cannot be seen is escaped: no reader takes a part of a value for the end of a line."""
    line = json.dumps(document, ensure_ascii=False)
    return f"{line if line.isprintable() else json.dumps(document)}\n"


COLUMNS = ("row", "table", "kind", "key_columns", "key", "column", "before", "after", "copies", "note")


class CsvLines:
    """A line a value."""

    head = ",".join(COLUMNS) + "\r\n"

    def row(self, number: int, change: RowChange, key: Sequence[str]) -> str:
        """A line for each value that changed, or for each that came or went with its row."""
        cut = cut_columns(change)
        first = [str(number), _cell(change.table), kind_of(change), _several(key), _several(change.key)]
        lines = (
            [*first, _cell(name), before, after, str(change.copies), "cut" if name in cut else ""]
            for name, before, after in _values(change)
        )
        return "".join(map(_line, lines))

    def end(self, end: FileEnd) -> str:
        """A line for each reason why something is missing, and the last."""
        lines = [
            ["", _cell(table), "not complete", *[""] * 6, _cell(reason)]
            for table, reasons in end.missed.items()
            for reason in reasons
        ]
        said = "complete" if end.complete else "not complete"
        if end.cut:
            said += f"; {end.cut} values are cut"
        last = [str(end.lines), "", "end", *[""] * 5, str(end.rows), said]
        return "".join(map(_line, [*lines, last]))


def _values(change: RowChange) -> Iterator[tuple[str, str, str]]:
    """(column, cell before, cell after); the cell of a side on which the row is not is empty."""
    if change.kind is Kind.CHANGED:
        for name in change.columns:
            yield name, _cell(change.before[name]), _cell(change.after[name])
    elif not (change.before or change.after):
        yield "", "", ""
    for name, value in change.before.items() if change.kind is Kind.REMOVED else ():
        yield name, _cell(value), ""
    for name, value in change.after.items() if change.kind is Kind.ADDED else ():
        yield name, "", _cell(value)


def _several(texts: Sequence[str | None]) -> str:
    """One text as a cell; several as a JSON array in one."""
    if len(texts) == 1:
        return _cell(texts[0])
    return _cell(json.dumps(list(texts), ensure_ascii=False)) if texts else ""


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)
_START = r"((?:^|;)[\s'\"]*)"
_SIGN = "(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA, _DISARMED = re.compile(_START + _SIGN), re.compile(f"{_START}'{_SIGN}")
_NULL = re.compile("'*NULL")
_SIMPLE = re.compile(r"[0-9A-MO-Za-z_][\w .:/-]*", re.ASCII)
"""What stands for itself, as most values do; only for speed."""


def _cell(value: str | None) -> str:
    """A value as a cell, before the quotes of CSV."""
    if value is None:
        return "NULL"
    if _SIMPLE.fullmatch(value):
        return value
    named = value if value.isprintable() and "[U+" not in value else _named(value)
    if _NUMBER.fullmatch(named):
        return named
    if _NULL.fullmatch(named):
        return f"'{named}"
    return _FORMULA.sub(r"\1'", named)


def _named(text: str) -> str:
    """A text without hidden characters; a bracket that could begin such a name is written by name too."""
    text = text.replace("[U+", "[U+005B]U+")
    return "".join(f"[U+{ord(c):04X}]" if is_hidden(c) else c for c in text)


def value_of(cell: str) -> str | None:
    """The value that a cell of ``before`` or ``after`` stands for, on a side on which the row is."""
    if cell == "NULL":
        return None
    if not _NUMBER.fullmatch(cell):
        cell = cell[1:] if _NULL.fullmatch(cell) else _DISARMED.sub(r"\1", cell)
    return re.sub(r"\[U\+([0-9A-F]{4,6})\]", lambda match: chr(int(match[1], 16)), cell)


def _line(cells: Iterable[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str) -> str:
    if "," in cell or '"' in cell:
        doubled = cell.replace('"', '""')
        return f'"{doubled}"'
    return cell
