"""Runs one command of a step: its lines are shown as they come, and kept without secrets, up to a bound.

Whatever it started ends with it, and with us, by SIGKILL too (``process.leash``).
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.process.leash import leashed
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rollout.masking import masked, secrets_in, secrets_of

LOG_BYTES = 1 << 20
"""Bytes of an output that are kept."""
LONGEST_LINE = 4_096
"""Bytes after which an unfinished line is taken as a line."""
GRACE = 8.0
"""Seconds that a command gets to end by itself after it was told to stop."""
_AFTER = 1.0
"""Seconds to wait for output after a command's end: a service that it left may hold the pipe."""


@dataclass(frozen=True)
class StepProgram:
    """What is run: words, environment, folder (None: the current one), seconds."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: float
    directory: Path | None = None


@dataclass(frozen=True)
class ProgramEnd:
    """How it ended. ``code`` is None where it was ended by us, ``stopped`` says why; ``last`` is its last
    line, or its last error.
    """

    code: int | None
    seconds: float
    last: str
    stopped: str = ""


def our_argv(words: Sequence[str]) -> tuple[str, ...]:
    """A command of this program as it is started: never from a package in the current folder."""
    return (sys.executable, "-P", "-m", "kisaan_validate", *words)


def run_program(program: StepProgram, log: Path, show: Callable[[str], None], stop: Stop) -> ProgramEnd:
    """Run it to its end, or until its time is over or somebody asks to stop. ``show`` gets each line. Raises
    UsageError where it cannot be started.
    """
    start = time.monotonic()
    report, told = os.pipe()
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        process = _started(program, told)
    except OSError as error:
        raise UsageError(f"cannot run in {program.directory}: {error.strerror}", "check directory") from None
    finally:
        os.close(told)
    with open(log, "wb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW, 0o600)) as file:
        known = (*secrets_of(os.environ | dict(program.environment)), *secrets_in(program.argv))
        kept = _StepOutput(file.write, show, known)
        stopped = _listen(process, report, kept, start + program.timeout, stop)
        kept.end()
    code = _code(report)
    os.close(report)
    if stopped:
        code = None
    return ProgramEnd(code, time.monotonic() - start, kept.last, stopped)


def _started(program: StepProgram, told: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        leashed(told, program.argv, GRACE),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(program.environment),
        cwd=program.directory,
        # A terminal's signals reach us, and we decide how the command ends.
        start_new_session=True,
        pass_fds=(told,),
    )


def _listen(
    process: subprocess.Popen[bytes], report: int, kept: _StepOutput, until: float, stop: Stop
) -> str:
    """Hear the command until it has ended; why it was ended by us, "" if it ended by itself."""
    assert process.stdout is not None
    assert process.stdin is not None
    output, stopped = process.stdout.fileno(), ""
    while not stopped and not select.select([report], [], [], 0)[0]:
        if select.select([output, report], [], [], 0.1)[0] and not _take(output, kept):
            time.sleep(0.02)
        stopped = _why(until, stop)
    # The end of its input is what the leash waits for.
    process.stdin.close()
    end = time.monotonic() + (GRACE + 2 if stopped else _AFTER)
    while time.monotonic() < end and not (process.poll() is not None and not _ready(output)):
        if _ready(output) and not _take(output, kept):
            break
        time.sleep(0.01)
    process.stdout.close()
    process.wait()
    return stopped


def _why(until: float, stop: Stop) -> str:
    if stop.requested:
        return stop.reason
    return "it did not end within its time" if time.monotonic() > until else ""


def _ready(output: int) -> bool:
    return bool(select.select([output], [], [], 0)[0])


def _take(output: int, kept: _StepOutput) -> bool:
    """Read what is there; whether there was something."""
    if not _ready(output):
        return True
    data = os.read(output, 65_536)
    kept.take(data)
    return bool(data)


def _code(report: int) -> int | None:
    os.set_blocking(report, False)
    try:
        line = os.read(report, 64)
    except BlockingIOError:
        return None
    # Without a message its leash was killed: what the command does is not known.
    return int(line) if line.strip() else None


@dataclass
class _StepOutput:
    """Lines on their way to the log and to the screen."""

    write: Callable[[bytes], object]
    show: Callable[[str], None]
    secrets: tuple[str, ...]
    last: str = ""
    _rest: bytes = b""
    _written: int = 0
    _left: int = 0
    _error: bool = False

    def take(self, data: bytes) -> None:
        """More of the output."""
        parts = (self._rest + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = parts.pop()
        for part in parts:
            self._line(part)
        # Cut at a blank, so that no secret is cut in two and shown in halves.
        while len(self._rest) > LONGEST_LINE:
            at = self._rest.rfind(b" ", 0, LONGEST_LINE) + 1 or len(self._rest)
            self._line(self._rest[:at])
            self._rest = self._rest[at:]

    def end(self) -> None:
        """The output has ended."""
        if self._rest:
            self._line(self._rest)
        if self._left:
            self.write(f"({self._left:,} more bytes were not kept)\n".encode())

    def _line(self, data: bytes) -> None:
        line = masked(data.decode("utf-8", "replace"), self.secrets)
        # An error says more than the hint or closing line after it.
        error = line.lstrip().lower().startswith("error")
        if error or (line.strip() and not self._error):
            self.last, self._error = line.strip()[:300], error
        whole = line.encode("utf-8", "replace") + b"\n"
        if self._written + len(whole) <= LOG_BYTES:
            self.write(whole)
            self._written += len(whole)
        else:
            self._left += len(whole)
        self.show(line)
