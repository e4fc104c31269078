"""A process between us and somebody's command: it kills the command's group when we end, however we end.

It is started as a file, and imports nothing but the standard library. Its input is a pipe whose other end
only we hold, so that it ends with us, by SIGKILL too. Its arguments are the command, whose output goes where
its own does, and the file descriptor on which it writes the exit code, as one line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

GRACE = 3.0
"""Seconds between asking the command to end and killing it."""


def main() -> None:
    """Run one command until it is to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A function, not SIG_IGN, which the command would inherit: its end comes with our input's.
        signal.signal(number, lambda *_: None)
    command = ["/bin/sh", "-c", sys.argv[1]]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_tell, args=[process, int(sys.argv[2])], daemon=True).start()
    while os.read(0, 1):
        pass
    end(process)


def _tell(process: subprocess.Popen[bytes], report: int) -> None:
    code = process.wait()
    with suppress(OSError):
        os.write(report, f"{code}\n".encode())


def end(process: subprocess.Popen[bytes]) -> None:
    """End the group, also where its first process has ended and left others behind."""
    _signal(process.pid, signal.SIGTERM)
    until = time.monotonic() + GRACE
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
