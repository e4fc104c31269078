"""``kisaan-validate``: finds the command, turns expected failures into two lines on stderr and an exit
code.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from kisaan_validate.cli.examples import HELP_OPTIONS, with_examples
from kisaan_validate.cli.exits import (
    MEANINGS,
    NEVER_ENDED,
    command_exit_code,
    exit_code_of,
    written_exit_code,
)
from kisaan_validate.errors import KisaanError
from kisaan_validate.version import VERSION

PROGRAM = "kisaan-validate"
"""However it was started: completion and documentation rest on the name."""

_LINES = "\n\t"

COMMANDS = (
    "run",
    "scan",
    "init",
    "import",
    "baseline",
    "backup",
    "accept",
    "rehearse",
    "preflight",
    "migrations",
    "wait",
    "fix-kit",
    "probe",
    "rollout",
    "diff",
    "list",
    "explain",
    "show",
    "doctor",
    "report",
    "index",
    "history",
    "last",
    "metrics",
    "notify",
    "sign",
    "attest",
    "stamp",
    "bundle",
    "verify",
    "schedule",
    "scratch",
    "demo",
)


class _Commands(click.Group):
    """Loads a command's module only when it is asked for: ``--help`` must answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        # Only known names are imported: the word comes from the command line.
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"kisaan_validate.cli.{name.replace('-', '_')}_command")
        command: click.Command = module.command
        return with_examples(command, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; of a name that is not known it says which one is near."""
        try:
            return super().resolve_command(ctx, args)
        # Too many or wrong options of a known command raise the same error; then nothing is near but itself.
        except click.UsageError as error:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], COMMANDS, 1):
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise


_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in MEANINGS.items())


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": HELP_OPTIONS})
@click.version_option(VERSION, prog_name=PROGRAM)
def cli() -> None:
    """Prove what must hold in a live PostgreSQL, compare before with after, write reports.

    It only reads. The database is taken from --dsn, else KISAAN_DSN, else DATABASE_URL, else libpq's own
    PGHOST, PGDATABASE, service file and .pgpass.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a sign that the terminal cannot show must not end a run
    # Not standalone: click would decide exit codes itself, and its 1 would read as a finding.
    try:
        words = None if arguments is None else list(arguments)
        result: Any = cli.main(args=words, prog_name=PROGRAM, standalone_mode=False)
    # SystemExit is click's, in a pipe that was closed, or a suite's.
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        return _ended_by(error)
    return command_exit_code(result)


def _ended_by(error: BaseException) -> int:
    """Say on standard error what ended the command; its exit code."""
    from kisaan_validate.cli.signals import behind

    # First: an interruption that was wrapped on its way up looks like any other error.
    if isinstance(error, (click.Abort, KeyboardInterrupt)) or behind(error):
        print("interrupted", file=sys.stderr)
        return exit_code_of(KeyboardInterrupt())
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, KisaanError):
        from kisaan_validate.report.text import plain

        # A server's words, and names, may hold commands to the terminal.
        print(f"error: {plain(str(error), keep=_LINES)}", file=sys.stderr)
    # Before OSError, whose subclass it is: a reader that went away is no fault.
    elif isinstance(error, BrokenPipeError):
        _unread()
    elif isinstance(error, SystemExit):
        # Its 1 would be a finding in the data.
        if exit_code_of(error) != error.code:
            _unread()
    elif isinstance(error, OSError):
        print(f"error: {error.strerror or error}: {error.filename or 'the output'}", file=sys.stderr)
    else:
        _bug(error)
    return exit_code_of(error)


def _bug(error: BaseException) -> None:
    """A fault of ours must not look like a verdict on the data."""
    import traceback

    traceback.print_exception(error)
    print("error: this is a bug in kisaan-validate; it says nothing about the data", file=sys.stderr)


def _unread() -> None:
    """Whoever read the output went away, as `| head` does."""
    from kisaan_validate.cli.output import silence

    silence(sys.stdout)


def entry() -> None:
    """The console script. A command that executes a suite is watched from another process, so that its end
    is seen.
    """
    from kisaan_validate.cli.signals import deafen, listen

    # Nearly all that a command makes at first, modules and checks, lives until it ends: looking through it
    # for garbage each 700 objects takes a tenth of a short run, and finds none.
    gc.set_threshold(200_000, 10, 10)
    # First of all: a signal that comes during the imports is heard too.
    listen()
    open_streams()
    code = _watched(sys.argv[1:])
    deafen()
    sys.exit(code)


def _watched(words: list[str]) -> int:
    # A supervised process costs a fork; help and version need none.
    if not words or words[0].startswith("-") or not {"--help", "-h"}.isdisjoint(words):
        return _whole()  # which executes nothing, and must answer at once
    from kisaan_validate.cli.supervise import supervised, wanted

    return supervised(_whole, *NEVER_ENDED) if wanted(words) else _whole()


def open_streams() -> None:
    """Give a standard stream that was closed (``>&-``) somewhere to go: else the next file or connection
    takes its number.
    """
    # In this order, since open() takes the lowest number that is free.
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(number, True)
    # Python sets a stream to None if its file was closed when it started.
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _whole() -> int:
    """The command and the last of its output. What cannot be written at the last moment is an error too,
    and no fault of the data.
    """
    from kisaan_validate.cli.signals import ended

    code, lost, closed = main(), False, False
    # Before the flush: a signal that comes now must not turn a complete output into an interruption.
    ended()
    try:
        sys.stdout.flush()
    except ValueError:  # a source of the suite closed it, which was said
        _lost()
        closed = True
    except OSError as error:
        _lost()
        lost = True
        if not isinstance(error, BrokenPipeError):
            print(f"error: the output could not be written: {error.strerror}", file=sys.stderr)
    # At its end the interpreter would look through all that was made, only to forget it: a fifth of a run.
    gc.freeze()
    return written_exit_code(code, lost=lost, closed=closed or _refused())


def _refused() -> bool:
    """Whether a line was lost on the way (``cli.output.lost``)."""
    output = sys.modules.get(
        "kisaan_validate.cli.output"
    )  # a command that did not load it printed no such line
    return output is not None and output.output_was_lost()


def _lost() -> None:
    """Standard output leads nowhere from here: Python would fail once more to write what waits, and change
    the exit code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    # A source of the suite closed the object, not only its file.
    if sys.stdout.closed:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
