"""One migration that can be run on any copy: the usual runner with a folder of files, or a team's command."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.rehearsal import MigrationDone
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.command import CommandRunner
from kisaan_validate.rehearse.exposure import filled
from kisaan_validate.rehearse.migrate import FolderRunner, MigrationLedger, MigrationSource

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

TIMEOUT = 3_600.0
"""Seconds until a migration that does not end is given up, unless said otherwise."""


@dataclass(frozen=True)
class Migrating:
    """What is run: ``sources`` by the usual runner, or ``command`` in ``folder`` (the current one if None).

    ``environment`` are variables that tell the command of the copy (see
    :func:`~kisaan_validate.rehearse.exposure.filled`). ``timeout`` is for each run, in seconds.
    """

    scratch: Scratch
    sources: tuple[MigrationSource, ...] = ()
    command: str = ""
    folder: Path | None = None
    ledger: MigrationLedger = field(default_factory=MigrationLedger)
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = TIMEOUT
    stop: Stop = field(default_factory=Stop)

    @property
    def files(self) -> Mapping[str, str]:
        """The texts of its files by name, in which statements of the tape are looked for."""
        return {source.name: source.text for source in self.sources}

    def run(self, database: str) -> MigrationDone:
        """Run it on a copy. What fails is in the answer; raises DatabaseError where the server is gone."""
        import psycopg2

        with _limited(self.stop, self.timeout) as stop:
            if self.command:
                copy = self.scratch.environment(database)
                environment = {**copy, **filled(self.environment, copy)}
                runner = CommandRunner(self.command, environment, folder=self.folder, stop=stop)
                return runner.run()
            dsn = self.scratch.dsn(database)
            try:
                return FolderRunner(dsn, self.sources, self.ledger, stop).run()
            except psycopg2.Error as error:
                # A ledger that a killed session left is none of the server's failures; its absence is.
                self.scratch.execute("SELECT 1")
                words = " ".join(str(error).split()) or "the session was lost"
                raise DatabaseError(
                    f"the migration could not be run: {words}", "", error.pgcode or ""
                ) from None


@contextmanager
def _limited(stop: Stop, seconds: float) -> Iterator[Stop]:
    """A stop of its own for one run: requested with the given one, or when the time is over."""
    own = Stop()
    timer = threading.Timer(seconds, own.request, (f"it did not end within {seconds:,.0f} s",))
    timer.daemon = True
    # Looked at now and then: the callbacks of a Stop cannot be taken back.
    done = threading.Event()

    def follow() -> None:
        while not done.wait(0.1):
            if stop.requested:
                own.request(stop.reason)
                return

    follower = threading.Thread(target=follow, daemon=True)
    timer.start()
    follower.start()
    try:
        yield own
    finally:
        timer.cancel()
        done.set()


def migration_error(done: MigrationDone) -> str:
    """Why a migration did not succeed, in words without values."""
    for file in done.files:
        if file.error:
            return f"{file.name}: {' '.join((file.sqlstate, file.error)).strip()}"
    if done.stopped:
        return done.stopped
    if done.exit_code is not None:
        last = done.tail.strip().splitlines()[-1:] or [""]
        return f"exit code {done.exit_code}{': ' if last[0] else ''}{last[0][:200]}"
    return "; ".join(done.notes) or "no reason is known"
