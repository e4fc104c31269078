"""What ``diff`` writes beside its lines for people: JSON, a page, and the file of all rows that differ."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.facts.row_differences import RowDiff
    from kisaan_validate.record.changefile import ChangeFile


@dataclass(frozen=True)
class DiffOutputs:
    """The files that were asked for. ``json``: the JSON is wanted, on standard output without a file."""

    json: bool
    json_path: Path | None
    page: Path | None
    rows: Path | None


def wanted_outputs(given: dict[str, Any]) -> DiffOutputs:
    """What the options ask for; that it can be written is found out before anything is compared.

    Raises UsageError.
    """
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import check_place

    output = given["output"]
    if output is not None and given["format"] is None:
        raise UsageError("--output is given without --format", "add --format json")
    path = None if output is None or str(output) == "-" else output
    wanted = DiffOutputs(given["format"] is not None, path, given["html"], given["rows_to"])
    files = {"--output": path, "--html": wanted.page, "--rows-to": wanted.rows}
    places = [file.absolute() for file in files.values() if file is not None]
    if len(set(places)) < len(places):
        raise UsageError("two outputs would be written to one file", "give each its own file")
    for option in ("--html", "--rows-to"):
        if (file := files[option]) is not None:
            _require_own(option, file, _marks(option, file), force=given["force"])
            check_place(file)
    return wanted


def _marks(option: str, path: Path) -> list[str]:
    """How a file that this option wrote earlier is known. Raises UsageError for a name without a form."""
    if option == "--html":
        from kisaan_validate.report.diff_page import GENERATOR

        return [GENERATOR]
    from kisaan_validate.record.changelines import COLUMNS, FORMAT

    _lines_of(path)
    return [FORMAT, ",".join(COLUMNS)]


def _require_own(option: str, path: Path, marks: list[str], *, force: bool) -> None:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import begins_with

    if str(path) == "-":
        raise UsageError(f"{option} - names no file", "name a file; only --output - is standard output")
    if not path.exists() or path.is_dir():
        return
    if not path.is_file():
        raise UsageError(f"{option} {path} is not a regular file", "name a file that can be replaced")
    if not force and path.stat().st_size and not begins_with(path, marks):
        raise UsageError(
            f"{option} {path} exists, and was not written by diff {option}",
            "name another file, or pass --force to replace it",
        )


def _lines_of(path: Path) -> Any:
    """The form of the rows that the name of their file asks for. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.changelines import CsvLines, JsonLines

    forms: dict[str, Callable[[], Any]] = {".csv": CsvLines, ".jsonl": JsonLines}
    form = forms.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"--rows-to {path} names no form: the name ends neither with .csv nor with .jsonl",
            "write --rows-to changes.csv or --rows-to changes.jsonl",
        )
    return form()


@contextmanager
def rows_file(path: Path | None) -> Iterator[ChangeFile | None]:
    """The file of all rows that differ, if one was asked for; nothing of it stays that was not finished.

    Raises RecordError.
    """
    if path is None:
        yield None
        return
    from kisaan_validate.record.changefile import ChangeFile

    file = ChangeFile(path, _lines_of(path))
    try:
        yield file
    except BaseException:
        if path.exists() and not file.finished:
            print(
                f"note    {_shown(path)} is of an earlier comparison: this one did not write it",
                file=sys.stderr,
            )
        raise
    finally:
        file.drop()


def deliver_diff(found: RowDiff, wanted: DiffOutputs, rows: ChangeFile | None, *, quiet: bool) -> bool:
    """Write every file, then the lines for people. Says on stderr what could not be written; returns
    whether all is there.
    """
    from kisaan_validate.report.row_differences import print_row_differences, row_differences_to_json

    said: list[str] = []
    good = [_rows_written(found, rows, said), _page_written(found, wanted.page, said)]
    if not wanted.json:
        print_row_differences(found, quiet=quiet)
    elif wanted.json_path is not None:
        good.append(_file_written(wanted.json_path, row_differences_to_json(found)))
        print_row_differences(found, quiet=quiet)
    else:
        with redirect_stdout(sys.stderr):
            print_row_differences(found, quiet=True)
    stream = sys.stderr if wanted.json and wanted.json_path is None else sys.stdout
    for line in [] if quiet else said:
        print(line, file=stream)
    if wanted.json and wanted.json_path is None:
        click.echo(row_differences_to_json(found), nl=False)
    return all(good)


def _rows_written(found: RowDiff, rows: ChangeFile | None, said: list[str]) -> bool:
    if rows is None:
        return True
    from kisaan_validate.report.row_differences import verdict_of
    from kisaan_validate.text.numbers import counted

    listed = rows.rows
    written = _tried(lambda: rows.finish(found, verdict_of(found)))
    if written:
        missed = f"; not complete for {counted(rows.missed, 'table')}" if rows.missed else ""
        said.append(f"rows    {_shown(rows.path)} ({counted(listed, 'row')}{missed})")
    return written


def _page_written(found: RowDiff, page: Path | None, said: list[str]) -> bool:
    if page is None:
        return True
    from kisaan_validate.report.diff_page import render_diff

    written = _file_written(page, render_diff(found))
    if written:
        said.append(f"page    {_shown(page)}")
    return written


def _file_written(path: Path, text: str) -> bool:
    from kisaan_validate.record.files import write_file

    return _tried(lambda: write_file(path, text))


def _tried(write: Callable[[], None]) -> bool:
    from kisaan_validate.errors import RecordError

    try:
        write()
    except RecordError as error:
        print(f"error: {_shown(error)}", file=sys.stderr)
        return False
    return True


def _shown(said: object) -> str:
    """Words for a terminal, to which no name of a file can be a command."""
    from kisaan_validate.report.text import plain

    return plain(str(said), keep="\n\t")
