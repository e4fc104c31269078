"""Restores a dump into an empty database of a scratch server, and counts what is there.

What remains, however careful this is: functions that the dump defines run where its tables use them (a CHECK,
an index on an expression, a materialized view), with the rights of the restoring role: nothing but this
database, on a server that holds nothing else.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.clients import choose_clients
from kisaan_validate.dumps.counting import count_restored
from kisaan_validate.dumps.door import Door, refused
from kisaan_validate.dumps.ground import make_roles, read_ground
from kisaan_validate.dumps.messages import ClientSaid, said, server_failed
from kisaan_validate.dumps.opening import sha256_of
from kisaan_validate.dumps.source import archive_sql, plain_sql
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.errors import Interrupted, RecordError, UsageError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat, LeftOut, Restored
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.client import Finished
from kisaan_validate.scratch.installation import Installation
from kisaan_validate.scratch.server import Scratch
from kisaan_validate.scratch.space import server_failure


@dataclass(frozen=True)
class RestoreProgress:
    """How far a restore is: bytes of the dump (of an archive estimated by its rows), and seconds."""

    done: int
    size: int
    seconds: float


Observer = Callable[[RestoreProgress], None]


def restore(
    dump: Path,
    facts: DumpFacts,
    scratch: Scratch,
    database: str,
    *,
    observer: Observer | None = None,
    stop: Stop | None = None,
    jobs: int = 1,
    log_folder: Path | None = None,
) -> Restored:
    """Restore ``dump``, read before as ``facts``, into the empty ``database``. ``jobs``: workers that build
    an index. The log of a failure is kept in ``log_folder``, else in the scratch server's folder.

    Errors of the restore are in what is returned, and a restore without any is one whose tables were counted.
    Raises UsageError for what is refused, RecordError for a dump that is not whole or has changed,
    Interrupted. The database is then half full: drop it.
    """
    began = time.monotonic()
    _refuse(facts)
    _refuse_older(facts, int(scratch.execute("SHOW server_version_num")[0][0]) // 10_000)
    client = choose_clients(facts, scratch)
    if sha256_of(dump) != facts.sha256:
        raise RecordError(f"{dump} has changed since it was read", "read it again")
    roles = make_roles(scratch, facts.contents)
    way = _Way(dump, facts, scratch, database, client, stop)
    finished, door = way.go(jobs, _Told(facts, observer, began))
    if finished.cut:
        raise Interrupted(finished.cut)
    _require_server(finished, scratch)
    errors, left = _errors(finished, door), _each_once(door.rulings.left)
    counted, wrong = count_restored(scratch, database, facts.contents, {one.name for one in left})
    outcome = Restored(
        time.monotonic() - began,
        client.label,
        scratch.execute("SHOW server_version")[0][0],
        left,
        # What is missing after an error follows from it, and is no news.
        errors or wrong,
        _notes(facts, door.rulings.skipped, roles),
        counted,
        finished.code,
    )
    return outcome if outcome.whole else _logged(outcome, facts, log_folder or scratch.folder)


def _refuse(facts: DumpFacts) -> None:
    stopping = next((one for one in facts.refused if one.stops), None)
    if stopping is not None:
        raise refused(stopping)
    if facts.complete is False:
        raise RecordError(
            f"{facts.name} is not whole: {facts.damage}", "take it again, or restore an older one"
        )


def _refuse_older(facts: DumpFacts, major: int) -> None:
    need = facts.server_major or 0
    if need > major:
        raise UsageError(
            f"the dump is of PostgreSQL {need}, the scratch server is {major}:"
            " an older server does not restore it",
            f"name an installation of PostgreSQL {need} or newer",
        )


class _Told:
    """Tells the observer how far it is."""

    def __init__(self, facts: DumpFacts, observer: Observer | None, began: float) -> None:
        self._facts, self._observer, self._began = facts, observer, began
        self._plain = facts.format is DumpFormat.PLAIN

    def read(self, done: int) -> None:
        """So many bytes of the file were read."""
        if self._observer is not None:
            self._observer(RestoreProgress(done, self._facts.size, time.monotonic() - self._began))

    def passed(self, rows: int) -> None:
        """So many rows were given to psql; of an archive that is all that is known."""
        total = self._facts.contents.rows
        if not self._plain and total:
            self.read(min(self._facts.size, self._facts.size * rows // total))


_WORDS = (
    "-q",
    "-A",
    "-t",
    "-v",
    "ON_ERROR_STOP=1",
    "-v",
    "VERBOSITY=verbose",
    "-v",
    "SHOW_CONTEXT=errors",
    "-f",
    "-",
)


@dataclass(frozen=True)
class _Way:
    """From a dump into a database."""

    dump: Path
    facts: DumpFacts
    scratch: Scratch
    database: str
    client: Installation
    stop: Stop | None

    def go(self, jobs: int, told: _Told) -> tuple[Finished, Door]:
        """All of the dump through the door and psql. How psql ended, and the door, which knows what was
        where.
        """
        key, end = secrets.token_hex(24), secrets.token_hex(24)
        # No command of psql works from here to the end, but one that knows this key.
        preamble = f"\\restrict {key}\nSET max_parallel_maintenance_workers = {max(0, jobs)};\n"
        ending = f"SELECT '{end}';\n\\unrestrict {key}\n"
        rulings = Rulings(read_ground(self.scratch, self.database))
        pieces = self._pieces(told)
        door = Door(pieces, rulings, preamble=preamble, ending=ending, stop=self.stop, passed=told.passed)
        try:
            finished = self.scratch.client(
                "psql",
                _WORDS,
                database=self.database,
                stdin=cast("IO[bytes]", door),
                stop=self.stop,
                options=self.client,
            )
        finally:
            # Where psql went away while the thread that feeds it waits for pg_restore, that thread ends it.
            with suppress(ValueError):
                pieces.close()
        if finished.ok and not finished.out_tail.rstrip("\n").endswith(end):
            # It ended without an error, and before the end: what it ran is not what was given to it.
            said_so = "psql:error: the end of the dump was not reached"
            finished = Finished(-1, "", said_so, finished.seconds)
        return finished, door

    def _pieces(self, told: _Told) -> Generator[bytes]:
        if self.facts.format is DumpFormat.PLAIN:
            yield from plain_sql(self.dump, told.read)
        else:
            yield from archive_sql(self.dump, self.facts, self.scratch, self.client, self.stop)


def _require_server(finished: Finished, scratch: Scratch) -> None:
    """Raises DatabaseError where it was the server that failed, as on a full disk: what the dump did
    then is not its own fault.
    """
    failed = None if finished.ok else server_failed(said(finished.err_tail))
    if failed is None:
        return
    state = f" (SQLSTATE {failed.sqlstate})" if failed.sqlstate else ""
    words = f"{failed.text}{state}"
    raise server_failure("the dump was restored", words, failed.sqlstate, scratch.full, "dump")


def _errors(finished: Finished, door: Door) -> tuple[str, ...]:
    """What went wrong, each with its line and what was being done there."""
    if finished.ok:
        return ()
    found = [one for one in said(finished.err_tail) if one.severity != "WARNING"]
    errors = tuple(_words(one, door) for one in found)
    return errors or (f"psql ended with exit code {finished.code} and said nothing",)


def _words(one: ClientSaid, door: Door) -> str:
    line, title = door.title_at(one.line) if one.line else (0, "")
    where = f"line {line}" + (f" ({title})" if title else "") + ": " if line else ""
    return f"{where}{one.text}" + (f" (SQLSTATE {one.sqlstate})" if one.sqlstate else "")


_SKIPPED = {
    "owner": "owners are not kept: everything belongs to the restoring role",
    "DROP": "statements that drop what is there were left out: the database is empty",
    "database": "the database itself, its settings and rights were left out: this one has another name",
    "setting": "settings that this server does not know were left out",
    "statistics": "statistics of the planner were left out: this server cannot take them",
    "triggers": "triggers stay enabled while rows are loaded: only a superuser may disable them",
    "public": "the schema public is there already",
    "present": "extensions that every database has were left out",
}


def _notes(facts: DumpFacts, skipped: Counter[str], roles: Iterable[str]) -> tuple[str, ...]:
    notes = [*facts.notes]
    if facts.complete is None:
        notes.append(f"whether the dump is whole cannot be told: {facts.damage}")
    notes += [words for kind, words in _SKIPPED.items() if skipped[kind]]
    made = ", ".join(roles)
    notes += [f"roles that the dump names were made, without login or rights: {made}"] if made else []
    return tuple(notes)


def _each_once(left: list[LeftOut]) -> tuple[LeftOut, ...]:
    found: dict[tuple[str, str], LeftOut] = {}
    for one in left:
        found.setdefault((one.kind, one.name), one)
    return tuple(found.values())


def _logged(restored: Restored, facts: DumpFacts, folder: Path) -> Restored:
    """Write what is known of a failure into a file that only its owner reads."""
    lines = [
        f"dump {facts.name} sha256 {facts.sha256} ({facts.size:,} bytes, {facts.format})",
        f"client {restored.client}, server {restored.server}",
        f"{restored.seconds:.1f} s, exit code {restored.exit_code}",
        *(f"error: {error}" for error in restored.errors),
        *(f"left out: {one.kind} {one.name}: {one.why}" for one in restored.left_out),
        *(f"note: {note}" for note in restored.notes),
    ]
    path = folder / f"restore-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}.log"
    text = "".join(line.replace("\n", "\\n") + "\n" for line in lines)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        # Half a log says less than none.
        with suppress(OSError):
            path.unlink()
        return replace(restored, notes=(*restored.notes, f"its log was not kept: {error.strerror}"))
    return replace(restored, log=str(path))
