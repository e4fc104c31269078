"""Runs a team's own migration command, with the copy's connection in its environment."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from kisaan_validate.facts.rehearsal import MigrationDone
from kisaan_validate.facts.result import MASKED
from kisaan_validate.process.stopping import Stop

TAIL_LINES = 60
"""Lines of the command's output that are kept."""
TAIL_WIDTH = 500
"""Characters of each."""
GRACE_SECONDS = 5.0
"""How long a command may go on after it was told to end."""

_OURS = re.compile(r"PG[A-Z]+|DATABASE_URL|KISAAN_\w+")
_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@]*@")
_ASSIGNED = re.compile(r"(?i)((?:password|passwd|secret|token|api_?key)\s*[=:]\s*)\S+")


class CommandRunner:
    """A shell command in a folder. ``environment`` names the copy (PGHOST and so on, DATABASE_URL); of the
    user's own environment everything stays but what names a database or a setting of ours.
    """

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        timeout: float | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._command = command
        self._given = environment
        self._folder = folder
        self._timeout = timeout
        self._stop = stop or Stop()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    def run(self) -> MigrationDone:
        """Run it to its end, or until the time is over or somebody asks to stop."""
        start = time.monotonic()
        kept = {name: value for name, value in os.environ.items() if not _OURS.fullmatch(name)}
        process = subprocess.Popen(
            ["/bin/sh", "-c", self._command],
            env={**kept, **self._given},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own, so that what it starts ends with it.
            start_new_session=True,
        )
        assert process.stdout is not None
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        stopped = self._wait(process, start)
        _end_group(process)
        reader.join(GRACE_SECONDS)
        code = None if stopped else process.returncode
        return MigrationDone(
            succeeded=code == 0,
            seconds=time.monotonic() - start,
            command=self.hidden(self._command),
            exit_code=code,
            tail="\n".join(self.hidden(line) for line in self._lines),
            stopped=stopped,
        )

    def hidden(self, text: str) -> str:
        """Text without the copy's password, and without what looks like a secret."""
        for name in ("PGPASSWORD", "DATABASE_URL"):
            if self._given.get(name):
                text = text.replace(self._given[name], MASKED)
        return _ASSIGNED.sub(rf"\1{MASKED}", _IN_URL.sub(rf"\1{MASKED}@", text))

    def _read(self, output: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in iter(lambda: output.readline(65_536), b""):
                self._lines.append(line.decode("utf-8", "replace").rstrip()[:TAIL_WIDTH])

    def _wait(self, process: subprocess.Popen[bytes], start: float) -> str:
        """Why it was ended by us; "" if it ended by itself."""
        while process.poll() is None:
            if self._stop.requested:
                return self._stop.reason
            if self._timeout is not None and time.monotonic() - start > self._timeout:
                return f"it did not end within {self._timeout:,.0f} s"
            time.sleep(0.01)
        return ""


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started and left behind."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
            # The leader ended; others of its group may need the second signal.
            time.sleep(0.05)
    process.wait()
