"""Scratch servers for rehearsals, one of each version for a test module, and migrations run on copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import ROOT, SYSTEM_BIN, missing

from kisaan_validate.facts.rehearsal import RehearsedRun
from kisaan_validate.facts.tape import Tape
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.run import REHEARSAL_SETTINGS, RehearsalPlace, rehearsed_run
from kisaan_validate.rehearse.tape import TapeRecorder
from kisaan_validate.scratch.installation import choose
from kisaan_validate.scratch.server import Scratch, scratch_server
from kisaan_validate.sql.splitting import split_statements

CASES = ROOT / "tests" / "rehearsals"
VERSIONS = [pytest.param(18, id="server18"), pytest.param(15, id="server15")]
"""What a fixture of a stage is made for; dealing.py knows the names."""
_numbers = count(1)


@dataclass
class Stage:
    """A scratch server and a database on it, which is recreated for each test."""

    scratch: Scratch
    version: int
    made: list[str] = field(default_factory=list)

    def database(self, setup: str = "") -> str:
        """An empty database of the migrating role's, after it ran ``setup``."""
        name = f"r{next(_numbers)}"
        self.scratch.create(name)
        self.made.append(name)
        if setup:
            self.run(name, setup)
        return name

    def run(self, database: str, sql: str, role: str = Scratch.owner) -> None:
        """Run SQL in one message."""
        connection = self.scratch.connect(database, role)
        try:
            connection.cursor().execute(sql)
        finally:
            connection.close()

    def place(self, database: str, files: Mapping[str, str]) -> RehearsalPlace:
        """The way into a database for a rehearsal."""
        return RehearsalPlace(
            lambda: self.scratch.connect(database), self.scratch.dsn(database, "postgres"), files
        )

    def tape(
        self, database: str, files: Mapping[str, str], migrate: Callable[[Any], None], **more: Any
    ) -> Tape:
        """The tape of what ``migrate`` does with a cursor of the migrating role's."""
        ours = OurSessions(lambda: self.scratch.connect(database))
        with TapeRecorder(ours, files, **more) as recorder:
            connection = self.scratch.connect(database, self.scratch.owner)
            try:
                migrate(connection.cursor())
            finally:
                connection.close()
        assert recorder.tape is not None
        return recorder.tape

    def rehearsed(self, database: str, files: Mapping[str, str], migrate: Any, **more: Any) -> RehearsedRun:
        """A whole run with canaries."""
        return rehearsed_run(self.place(database, files), migrate, **more)


@contextmanager
def staged(version: int) -> Iterator[Stage]:
    """A stage on PostgreSQL 18 (embedded) or the system's 15."""
    if version == 15 and not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    installation = choose(None if version == 18 else version, None if version == 18 else SYSTEM_BIN)
    # What the server does by itself would be another writer now and then.
    settings = {**REHEARSAL_SETTINGS, "autovacuum": "off"}
    with scratch_server(installation, settings=settings, notice=lambda line: None) as scratch:
        assert scratch.installation is not None
        assert scratch.installation.major == version
        yield Stage(scratch, version)


def as_psql(sql: str) -> Callable[[Any], None]:
    """Sends each statement of a file by itself, as ``psql -f`` does, and stops at the first that fails."""

    def migrate(cursor: Any) -> None:
        for piece in split_statements(sql):
            try:
                cursor.execute(piece.text)
            except psycopg2.Error:
                return

    return migrate


def at_once(sql: str) -> Callable[[Any], None]:
    """Sends a file as one message, as the runner of the field does."""

    def migrate(cursor: Any) -> None:
        try:
            cursor.execute(sql)
        except psycopg2.Error:
            return

    return migrate


def case(rule: str, name: str) -> str:
    """The text of a documented migration."""
    return Path(CASES / rule / f"{name}.sql").read_text(encoding="utf-8")
