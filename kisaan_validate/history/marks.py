"""What happened between runs, as people wrote it down: one line of JSON each, only ever appended."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError

MARKS_FILE = "history-marks.jsonl"

LONGEST = 500
"""Characters; a longer text is no mark but a report."""


@dataclass(frozen=True)
class HistoryMark:
    """What happened at a time."""

    at: datetime
    text: str


def add_mark(folder: Path, mark: HistoryMark) -> None:
    """Append a mark to the file of a folder of reports. Raises RecordError."""
    line = json.dumps({"at": mark.at.astimezone(UTC).isoformat(), "text": mark.text[:LONGEST]}) + "\n"
    path = folder / MARKS_FILE
    try:
        # One write of one line: two processes that append at once do not mix their lines.
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # A process that was stopped within a line left it without an end.
            whole = not path.stat().st_size or path.read_bytes().endswith(b"\n")
            os.write(handle, ("" if whole else "\n").encode() + line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}", "free some space") from None


def read_marks(folder: Path) -> tuple[list[HistoryMark], int]:
    """The marks of a folder of reports, the oldest first, and how many lines could not be read. Raises
    RecordError.
    """
    path = folder / MARKS_FILE
    try:
        lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "make it readable") from None
    found = [mark for line in lines if line.strip() and (mark := _read(line)) is not None]
    unread = sum(bool(line.strip()) for line in lines) - len(found)
    return sorted(found, key=lambda mark: mark.at), unread


def _read(line: str) -> HistoryMark | None:
    try:
        given = json.loads(line)
        at = datetime.fromisoformat(given["at"])
        return HistoryMark(at, str(given["text"])[:LONGEST]) if at.tzinfo is not None else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
