"""Somebody else's command as a process group of its own, all of which is killed at its end."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kisaan_validate.errors import UsageError

_GRACE = 3.0
"""Seconds between asking a command to end and killing it."""

_OURS = ("PG", "DATABASE_URL", "KISAAN")
"""How the names of variables begin that could lead a command to a real database."""

_DRAIN = 0.02


class ForeignCommand:
    """A running command; its output goes to a file, so that it can never block on us."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    @property
    def ended(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.process.poll()

    def words(self, most: int = 64_000) -> str:
        """The end of what it printed."""
        with self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - most))
            return file.read().decode("utf-8", "replace")


def foreign_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what could name a real database, and with what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **given}


@contextmanager
def foreign_command(command: str, environment: Mapping[str, str], output: Path) -> Iterator[ForeignCommand]:
    """The command, run by a shell in the current folder; at the end its whole process group is killed.

    Raises UsageError where it cannot be started.
    """
    if not command.strip():
        raise UsageError("the command is empty", "name one")
    with output.open("wb", opener=_private) as sink:
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=foreign_environment(environment),
                # A session of its own: a signal to its group reaches all that it started, and not us.
                start_new_session=True,
            )
        except OSError as error:
            said = error.strerror or str(error)
            raise UsageError(f"{shlex.split(command)[0]} cannot be started: {said}", "check it") from None
    try:
        yield ForeignCommand(process, output)
    finally:
        _end(process)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the group, also where its first process has ended and left others behind."""
    _signal(process.pid, signal.SIGTERM)
    until = time.monotonic() + _GRACE
    while _alive(process) and time.monotonic() < until:
        time.sleep(_DRAIN)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
