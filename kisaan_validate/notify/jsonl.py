"""Files of one JSON line each, only ever appended: a line that was cut off costs no other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kisaan_validate.errors import RecordError
from kisaan_validate.record.files import cannot_write


def append_line(path: Path, content: Mapping[str, Any]) -> None:
    """Append one line, and sync it; mode 0600. Raises RecordError."""
    line = json.dumps(content, ensure_ascii=True).encode("ascii") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # A process that was stopped within a line left it without an end.
            size = os.fstat(handle).st_size
            broken = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write_whole(handle, (b"\n" if broken else b"") + line)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise cannot_write(path, error) from None


def _write_whole(handle: int, data: bytes) -> None:
    # A full disk takes a part of it and fails at the rest.
    while data:
        data = data[os.write(handle, data) :]


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The objects of a file, the oldest first, and how many lines hold none. Raises RecordError."""
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "make it readable") from None
    found = [_read(line) for line in lines if line.strip()]
    good = [one for one in found if one is not None]
    return good, len(found) - len(good)


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
