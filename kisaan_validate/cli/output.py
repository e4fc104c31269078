"""Where a judged run goes in the formats that were asked for, and where the lines for people go meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.report.formats import Format
    from kisaan_validate.verdict.judgement import Judgement


def format_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--format, --output."""
    function = click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        help="The file for a --format without one.",
    )(function)
    return click.option(
        "--format",
        "formats",
        multiple=True,
        metavar="NAME[=FILE]",
        shell_complete=_complete,
        help="json, junit, github, markdown, csv, or a format of an installed package. Repeatable.",
    )(function)


def amount_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--quiet, --verbose: how much of a run is printed."""
    function = click.option("--verbose", "-v", is_flag=True, help="Print every check and promise.")(function)
    return click.option(
        "--quiet", "-q", is_flag=True, help="Print only problems, the verdict and the report's path."
    )(function)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from kisaan_validate.report.formats import format_names

    return [name for name in format_names() if name.startswith(incomplete)]


@dataclass(frozen=True)
class OutputWanted:
    """One format and its file; None for standard output."""

    format: Format
    path: Path | None


def wanted_formats(asked: Sequence[str], output: Path | None) -> tuple[OutputWanted, ...]:
    """What ``--format`` and ``--output`` ask for, loaded, before anything is measured. Raises UsageError."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.report.formats import find_format

    if output is not None and [text for text in asked if "=" not in text] == []:
        raise UsageError(
            "--output is given, but no --format that needs it", "name one: --format junit --output junit.xml"
        )
    wanted = []
    # Loaded here, so that a format that cannot be found ends the command before a run of hours.
    for text in asked:
        name, parted, file = text.partition("=")
        if parted and not file:
            raise UsageError(
                f"--format {text} has no file name after =", f"write --format {name}=FILE, or --format {name}"
            )
        path = Path(file) if parted else output
        wanted.append(OutputWanted(find_format(name), None if path is None or str(path) == "-" else path))
    # Two documents in one file would be none.
    places = [str(w.path) for w in wanted]
    if twice := [place for place in places if places.count(place) > 1]:
        where = "standard output" if twice[0] == "None" else twice[0]
        raise UsageError(
            f"two formats would be written to {where}",
            "give each its own file: --format junit=junit.xml --format markdown=summary.md",
        )
    # A folder in the place of a file is found now, not after the measuring.
    for path in (w.path for w in wanted):
        if path is not None and path.is_dir():
            raise UsageError(f"{path} is a folder, not a file", "name a file")
    return tuple(wanted)


@contextmanager
def lines_for_people(wanted: Sequence[OutputWanted]) -> Iterator[TextIO]:
    """Yields standard output. Within, whatever is printed goes to standard error if a format wants
    standard output alone.
    """
    out = sys.stdout
    if not any(w.path is None for w in wanted):
        yield out
        return
    with redirect_stdout(sys.stderr):  # also what a suite's own files print
        yield out


def deliver(judged: Judgement, wanted: Sequence[OutputWanted], out: TextIO) -> bool:
    """Write every format where it was wanted. Says what went wrong on stderr; returns whether all are
    there.
    """
    from kisaan_validate.errors import UsageError

    good = True
    # One that fails does not keep the others from being written.
    for w in wanted:
        try:
            _put(w.format.render(judged), w.path, out)
        except UsageError as error:
            print(f"error: {error}", file=sys.stderr)
            good = False
        except OSError as error:
            refused(out, error)  # also where its reader went away: a document was asked for
            good = False
    return good


def _put(text: str, path: Path | None, out: TextIO) -> None:
    from kisaan_validate.record.files import write_file

    if path is not None:
        write_file(path, text)
        return
    binary = getattr(out, "buffer", None)  # formats are UTF-8 whatever the locale is
    if binary is None:
        out.write(text)
    else:
        binary.write(text.encode())
    # Flushed here, so that a full disk or a closed pipe is this format's error.
    out.flush()


def say(line: str) -> None:
    """One line for people, at once. Where it cannot be written, work goes on: what is measured does not
    depend on a listener.
    """
    try:
        print(line, flush=True)
    except OSError as error:
        lost(sys.stdout, error)


def kept(write: Callable[[], None]) -> bool:
    """Whether what was measured could be written down. Where it could not, standard error says why, and the
    answer is still to be shown: it must not be lost with its file.
    """
    from kisaan_validate.errors import RecordError

    try:
        write()
    except RecordError as error:
        click.echo(f"error: {error}", err=True)
        return False
    return True


def lost(stream: TextIO, error: OSError) -> None:
    """Say once that a stream cannot take lines; a reader that went away is no fault."""
    if isinstance(error, BrokenPipeError):
        silence(stream)
    else:
        refused(stream, error)


def refused(stream: TextIO, error: OSError) -> None:
    """Say once what a stream does not take, and remember it for the exit code."""
    silence(stream)
    print(f"error: cannot write to standard output: {error.strerror}", file=sys.stderr)
    _LOST.append(error)


_LOST: list[OSError] = []


def output_was_lost() -> bool:
    """Whether standard output refused a line of this process."""
    return bool(_LOST)


def silence(stream: TextIO) -> None:
    """Send what is still buffered nowhere: Python would fail once more to write it, and change the exit
    code, at its end.
    """
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    # A notebook's or a test's stream.
    except (OSError, ValueError):
        return  # no file behind it
