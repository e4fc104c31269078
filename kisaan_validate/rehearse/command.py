"""Runs a team's own migration command, with the copy's connection in its environment."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from kisaan_validate.facts.rehearsal import MigrationDone
from kisaan_validate.facts.result import MASKED
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.foreign import ForeignCommand, foreign_command

TAIL_LINES = 60
"""Lines of the command's output that are kept."""
TAIL_WIDTH = 500
"""Characters of each."""

_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@]*@")
_ASSIGNED = re.compile(r"(?i)((?:password|passwd|secret|token|api_?key)\s*[=:]\s*)\S+")


class CommandRunner:
    """A shell command in a folder. ``environment`` names the copy (PGHOST and so on, DATABASE_URL); of the
    user's own environment everything stays but what may name another database.
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

    def run(self) -> MigrationDone:
        """Run it to its end, or until the time is over or somebody asks to stop. What it started ends with
        it, and with us, by SIGKILL too.
        """
        start = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="kisaan-command-") as place,
            foreign_command(self._command, self._given, Path(place) / "output", self._folder) as running,
        ):
            stopped = self._wait(running, start)
            code = None if stopped else running.ended
            seconds = time.monotonic() - start
            words = running.words()
        return MigrationDone(
            succeeded=code == 0,
            seconds=seconds,
            command=self.hidden(self._command),
            exit_code=code,
            tail="\n".join(self.hidden(line[:TAIL_WIDTH]) for line in _last_lines(words)),
            stopped=stopped,
        )

    def hidden(self, text: str) -> str:
        """Text without the copy's password, and without what looks like a secret."""
        for name in ("PGPASSWORD", "DATABASE_URL"):
            if self._given.get(name):
                text = text.replace(self._given[name], MASKED)
        return _ASSIGNED.sub(rf"\1{MASKED}", _IN_URL.sub(rf"\1{MASKED}@", text))

    def _wait(self, running: ForeignCommand, start: float) -> str:
        """Why it was ended by us; "" if it ended by itself."""
        while running.ended is None:
            if self._stop.requested:
                return self._stop.reason
            if self._timeout is not None and time.monotonic() - start > self._timeout:
                return f"it did not end within {self._timeout:,.0f} s"
            time.sleep(0.01)
        return ""


def _last_lines(words: str) -> list[str]:
    return [line.rstrip() for line in words.splitlines()][-TAIL_LINES:]
