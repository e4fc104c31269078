"""A process between us and somebody's command: it kills the command's group when we end, however we end.

It is started as a file, and imports nothing but the standard library. Its input is a pipe whose other end
only we hold, so that it ends with us, by SIGKILL too. Its arguments are a file descriptor, the seconds
between asking the command to end and killing it, and the command, whose output goes where its own does. The
exit code is written to the descriptor, as one line, and the leash stays until its input ends; or, if the
descriptor is ``-``, it ends with that exit code itself (128 and its number, where a signal ended it).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

GRACE = 3.0
"""Seconds between asking a command to end and killing it, where nobody says otherwise."""

NOT_STARTED = 127
"""What is said of a command that could not be started, as by a shell."""


def leashed(report: int | None, command: Sequence[str], grace: float = GRACE) -> list[str]:
    """The words by which a command is started on a leash. ``report`` is the descriptor for its exit code;
    None: the leash ends with it.
    """
    to = "-" if report is None else str(report)
    return [sys.executable, "-I", "-S", __file__, to, str(grace), *command]


def main() -> None:
    """Run one command until it is to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A function, not SIG_IGN, which the command would inherit: its end comes with our input's.
        signal.signal(number, lambda *_: None)
    report, grace, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        _say(report, NOT_STARTED)
        return
    threading.Thread(target=_tell, args=[process, report], daemon=True).start()
    while os.read(0, 1):
        pass
    end(process, grace)


def _tell(process: subprocess.Popen[bytes], report: str) -> None:
    code = process.wait()
    if report == "-":
        # What it started and left behind ends with it.
        _signal(process.pid, signal.SIGKILL)
    _say(report, code)


def _say(report: str, code: int) -> None:
    if report == "-":
        os._exit(code if code >= 0 else 128 - code)
    with suppress(OSError):
        os.write(int(report), f"{code}\n".encode())


def end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """End the group, also where its first process has ended and left others behind."""
    _signal(process.pid, signal.SIGTERM)
    until = time.monotonic() + grace
    while _alive(process.pid) and time.monotonic() < until:
        time.sleep(0.02)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _signal(group: int, number: int) -> None:
    with suppress(OSError):
        os.killpg(group, number)


if __name__ == "__main__":
    main()
