"""Somebody else's command on a leash: at its end, and at ours, all that it started is killed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kisaan_validate.errors import UsageError
from kisaan_validate.process.leash import leashed
from kisaan_validate.rehearse.exposure import foreign_environment


class ForeignCommand:
    """A running command; its output goes to a file, so that it can never block on us."""

    def __init__(self, process: subprocess.Popen[bytes], report: int, output: Path) -> None:
        self._process, self._report, self._output = process, report, output
        self._code: int | None = None

    @property
    def ended(self) -> int | None:
        """Its exit code, negative if a signal ended it; None while it runs."""
        if self._code is None:
            try:
                line = os.read(self._report, 64)
            except BlockingIOError:
                return None
            # Without a word its leash was killed: whatever it does, we do not know.
            self._code = int(line) if line.strip() else -9
        return self._code

    def words(self, most: int = 64_000) -> str:
        """The end of what it printed."""
        with self._output.open("rb") as file:
            file.seek(max(0, self._output.stat().st_size - most))
            return file.read().decode("utf-8", "replace")


@contextmanager
def foreign_command(
    command: str, environment: Mapping[str, str], output: Path, folder: Path | None = None
) -> Iterator[ForeignCommand]:
    """The command, run by a shell in ``folder`` (None: the current one); at the end its whole process group
    is killed.

    ``output`` is created again, for its owner alone. Raises UsageError where there is no command.
    """
    if not command.strip():
        raise UsageError("the command is empty", "name one")
    report, told = os.pipe()
    os.set_blocking(report, False)
    try:
        with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as sink:
            process = _leashed(command, environment, sink.fileno(), told, folder)
    finally:
        os.close(told)
    try:
        yield ForeignCommand(process, report, output)
    finally:
        # The end of its input is what it waits for.
        process.communicate()
        os.close(report)


def _leashed(
    command: str, environment: Mapping[str, str], sink: int, told: int, folder: Path | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        leashed(told, ["/bin/sh", "-c", command]),
        stdin=subprocess.PIPE,
        stdout=sink,
        stderr=sink,
        env=foreign_environment(environment),
        cwd=folder,
        # A terminal's signals reach us, and we decide how the command ends.
        start_new_session=True,
        pass_fds=(told,),
    )
