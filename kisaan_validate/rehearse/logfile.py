"""The server's log as lines, read through the server itself, so that no file of its own must be readable.

CSV, because every version from 13 writes it with the same columns, and in it each session counts its lines:
a line that is missing is noticed.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, UsageError

LOG_SETTINGS = {
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "log_timezone": "UTC",
}
"""What a server needs at its start so that a tape can be read from its log."""

NEEDED = ("logging_collector", "log_destination")
"""Those without which there is no tape; the others spare us a second file."""

PIECE = 16 << 20
"""Bytes of the log that are read at once."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log. ``at`` is in seconds since 1970 by the log's own clock, in milliseconds.

    ``shown`` is what the process called itself, as ``ALTER TABLE``; ``transaction`` the virtual id.
    """

    at: float
    database: str
    pid: int
    session: str
    number: int
    shown: str
    transaction: str
    severity: str
    sqlstate: str
    message: str
    context: str
    backend: str
    leader: int | None


@dataclass(frozen=True)
class LogPlace:
    """Where the log ended: a file of the log's folder, and the bytes that it had."""

    name: str
    size: int
    folder: str


def log_place(cursor: Any) -> LogPlace:
    """Where the log stands now. Raises UsageError where the server writes none that can be read."""
    cursor.execute("SELECT pg_catalog.pg_current_logfile('csvlog'), current_setting('log_directory')")
    ((path, folder),) = cursor.fetchall()
    if path is None:
        needed = ", ".join(f"{name} = {LOG_SETTINGS[name]}" for name in NEEDED)
        raise UsageError("the scratch server writes no log as CSV", f"start it with {needed}")
    cursor.execute("SELECT size FROM pg_catalog.pg_stat_file(%s)", (path,))
    return LogPlace(path.rsplit("/", 1)[-1], cursor.fetchone()[0], folder)


def require_log(connect: Callable[[], Any]) -> None:
    """Ask, by a superuser's session, whether a tape can be made here at all. Raises UsageError and
    DatabaseError.
    """
    import psycopg2

    connection = connect()
    try:
        with connection.cursor() as cursor:
            read_log(cursor, log_place(cursor))
    except psycopg2.Error as error:
        said = " ".join(str(error).split())
        raise DatabaseError(
            f"the log of the scratch server cannot be read: {said}", "", error.pgcode or ""
        ) from None
    finally:
        connection.close()


def read_log(cursor: Any, since: LogPlace) -> list[LogLine]:
    """The lines that were written since, in their order, as far as the file has them whole."""
    cursor.execute("SELECT name FROM pg_catalog.pg_ls_logdir() WHERE name LIKE '%.csv' ORDER BY modification")
    names = [name for (name,) in cursor.fetchall()]
    later = names[names.index(since.name) :] if since.name in names else names
    lines: list[LogLine] = []
    for name in later:
        text = _read(cursor, f"{since.folder}/{name}", since.size if name == since.name else 0)
        lines += parsed(text)
    return lines


def _read(cursor: Any, path: str, offset: int) -> str:
    parts: list[bytes] = []
    while True:
        cursor.execute("SELECT pg_catalog.pg_read_binary_file(%s, %s, %s)", (path, offset, PIECE))
        part = bytes(cursor.fetchone()[0])
        parts.append(part)
        offset += len(part)
        if len(part) < PIECE:
            return b"".join(parts).decode("utf-8", "replace")


def parsed(text: str) -> list[LogLine]:
    """The lines of a text that begins with a whole line. A line that is not yet whole at the end is left
    out.
    """
    # NUL cannot occur in text of the server; csv refuses it in older interpreters.
    whole = text[: text.rfind("\n") + 1].replace("\x00", "")
    csv.field_size_limit(1 << 30)
    rows = csv.reader(io.StringIO(whole, newline=""))
    return [_line(row) for row in rows if len(row) >= 23]


def _line(row: list[str]) -> LogLine:
    # Naive on purpose: what the zone is, the tape's own first line tells.
    at = datetime.fromisoformat(row[0][:23] + "+00:00").timestamp()
    backend = row[23] if len(row) > 23 else ""
    leader = int(row[24]) if len(row) > 24 and row[24] else None
    return LogLine(
        at=at,
        database=row[2],
        pid=int(row[3] or 0),
        session=row[5],
        number=int(row[6]),
        shown=row[7],
        transaction=row[9],
        severity=row[11],
        sqlstate=row[12],
        message=row[13],
        context=row[18],
        backend=backend,
        leader=leader,
    )


def missing_lines(lines: Iterable[LogLine]) -> int:
    """How many lines of sessions are missing between their first and their last one here."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        numbers[line.session].append(line.number)
    return sum(max(seen) - min(seen) + 1 - len(set(seen)) for seen in numbers.values())
