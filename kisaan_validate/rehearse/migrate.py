"""Runs the migration on the copy: a folder of SQL files as the usual runner does, with its ledger."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rehearsal import FileState, MigratedFile, MigrationDone, SessionSetting
from kisaan_validate.personal.masking import told_of_rows
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.splitting import lexemes

TELLING_SETTINGS = (
    "server_version",
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "search_path",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "default_transaction_isolation",
    "client_encoding",
    "standard_conforming_strings",
    "session_replication_role",
    "row_security",
)
"""Settings on which the result of a migration, or its harm, may depend."""


@dataclass(frozen=True)
class MigrationSource:
    """A file of a migration: its name, its text and the digest of its bytes."""

    name: str
    text: str
    sha256: str


@dataclass(frozen=True)
class MigrationLedger:
    """The table in which the runner notes what it applied. ``create``: made where it is not there."""

    table: str = "_migrations"
    name_column: str = "name"
    time_column: str = "executed_at"
    create: bool = True

    @property
    def quoted(self) -> str:
        """The table's name as SQL; a dot parts schema and name."""
        return ".".join(quote(part) for part in self.table.split("."))


def read_sources(folder: Path) -> tuple[MigrationSource, ...]:
    """The ``*.sql`` files of a folder, by name. Raises UsageError if there are none, or one is no UTF-8."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "name the folder that holds the migrations")
    made = []
    for path in sorted(p for p in folder.iterdir() if p.suffix == ".sql" and p.is_file()):
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{path.name} is not UTF-8", "save it as UTF-8") from None
        made.append(MigrationSource(path.name, text, hashlib.sha256(content).hexdigest()))
    if not made:
        raise UsageError(f"{folder} has no *.sql file", "name the folder that holds the migrations")
    return tuple(made)


def give_settings(cursor: Any, role: str, database: str, settings: Mapping[str, str]) -> None:
    """Let sessions of a role in a database begin with these settings, whatever client opens them. Raises
    UsageError for one that the server refuses. ``cursor`` is a superuser's.
    """
    import psycopg2

    for name, value in settings.items():
        try:
            cursor.execute(
                f"ALTER ROLE {quote(role)} IN DATABASE {quote(database)} SET {quote(name)} = %s", (value,)
            )
        except psycopg2.Error as error:
            raise UsageError(
                f"the setting {name} = {value} is refused: {error.diag.message_primary}",
                "name settings as production has them",
            ) from None


def read_settings(cursor: Any) -> tuple[SessionSetting, ...]:
    """The telling settings of a session of the migrating role."""
    cursor.execute(
        "SELECT name, setting || coalesce(unit, ''), source FROM pg_catalog.pg_settings"
        " WHERE lower(name) = ANY (%s) ORDER BY name",
        ([name.lower() for name in TELLING_SETTINGS],),
    )
    return tuple(SessionSetting(*row) for row in cursor.fetchall())


class FolderRunner:
    """Applies files in order, each as one message, notes each in the ledger, stops at the first failure.

    ``dsn`` is the migrating role's. The files run in one session, as a runner's pool of one does.
    """

    def __init__(
        self, dsn: str, sources: Sequence[MigrationSource], ledger: MigrationLedger, stop: Stop | None = None
    ) -> None:
        self._dsn = dsn
        self._sources = sources
        self._ledger = ledger
        self._stop = stop or Stop()
        self._notes: list[str] = []

    def run(self) -> MigrationDone:
        """Run them. What fails is in the answer; a server that cannot be reached raises psycopg2.Error."""
        import psycopg2

        start = time.monotonic()
        connection = psycopg2.connect(self._dsn)
        connection.autocommit = True
        self._stop.on_request(connection.cancel)
        try:
            done, failure = self._applied_before(connection.cursor())
            files = [] if failure else self._run(connection, done)
        finally:
            connection.close()
        stopped = self._stop.reason if self._stop.requested else ""
        good = bool(files) and all(f.state in {FileState.APPLIED, FileState.SKIPPED} for f in files)
        notes = (*self._notes, *([failure] if failure else []))
        return MigrationDone(
            good and not stopped, time.monotonic() - start, tuple(files), stopped=stopped, notes=notes
        )

    def _applied_before(self, cursor: Any) -> tuple[set[str], str]:
        """The names in the ledger, which is made where it is missing; a failure in words."""
        import psycopg2

        ledger = self._ledger
        name, at = quote(ledger.name_column), quote(ledger.time_column)
        try:
            cursor.execute("SELECT pg_catalog.to_regclass(%s) IS NULL", (ledger.quoted,))
            if cursor.fetchone()[0]:
                if not ledger.create:
                    return set(), f"the ledger {ledger.table} is not there"
                cursor.execute(
                    f"CREATE TABLE {ledger.quoted} ({name} text PRIMARY KEY, {at} timestamptz DEFAULT now())"
                )
                self._notes.append(f"the ledger {ledger.table} was not there and was created")
            cursor.execute(f"SELECT {name}::text FROM {ledger.quoted}")
            return {row[0] for row in cursor.fetchall()}, ""
        except psycopg2.Error as error:
            return set(), f"the ledger {ledger.table} cannot be used: SQLSTATE {error.pgcode}"

    def _run(self, connection: Any, done: set[str]) -> list[MigratedFile]:
        files: list[MigratedFile] = []
        for source in self._sources:
            over = self._stop.requested or any(f.state is FileState.FAILED for f in files)
            if over:
                files.append(MigratedFile(source.name, source.sha256, FileState.NOT_REACHED))
            elif source.name in done:
                files.append(MigratedFile(source.name, source.sha256, FileState.SKIPPED))
            else:
                files.append(self._apply(connection, source))
        return files

    def _apply(self, connection: Any, source: MigrationSource) -> MigratedFile:
        import psycopg2
        from psycopg2.extensions import TRANSACTION_STATUS_IDLE

        start, ledger = time.monotonic(), self._ledger
        state, sqlstate, said, line = FileState.APPLIED, "", "", None
        try:
            with connection.cursor() as cursor:
                # A file of comments is no statement, and is applied all the same.
                if any(True for _ in lexemes(source.text)):
                    cursor.execute(source.text)
                if connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
                    self._notes.append(f"{source.name} leaves a transaction open")
                cursor.execute(
                    f"INSERT INTO {ledger.quoted} ({quote(ledger.name_column)}) VALUES (%s)", (source.name,)
                )
        except psycopg2.Error as error:
            state, sqlstate = FileState.FAILED, error.pgcode or "08006"
            said, line = _said(error, source.text), _line(error, source.text)
        seconds = time.monotonic() - start
        return MigratedFile(source.name, source.sha256, state, seconds, sqlstate, said, line)


def _said(error: Any, text: str) -> str:
    """The server's message without values: names that the file has are kept."""
    if not error.pgcode:
        return "the connection was lost, or the client refused the statement"
    names = {word.strip('"') for kind, word, _ in lexemes(text) if kind in {"word", "name"}}
    composed = error.diag.source_function == "exec_stmt_raise"
    return told_of_rows(error.diag.message_primary or "", error.pgcode, names, composed=composed)


def _line(error: Any, text: str) -> int | None:
    """The line of the file at which the server found fault, where it says so."""
    position = error.diag.statement_position if error.pgcode else None
    return text.count("\n", 0, int(position) - 1) + 1 if position else None
