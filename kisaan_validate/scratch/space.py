"""Whether there is room for what is about to be restored."""

from __future__ import annotations

import os
from pathlib import Path

from kisaan_validate.errors import DatabaseError, UsageError

BASE = 96 << 20
"""Bytes that an empty server takes: its own databases and the first WAL."""


WAL = 2 << 30
"""Bytes of WAL that may lie there between two checkpoints, beside what they wrote."""


SEGMENT = 16 << 20
"""Bytes of one file of WAL, which the server makes at once."""


def need_room(folder: Path, need_bytes: int, *, unknown_space: bool = False) -> None:
    """Refuse with figures unless ``need_bytes``, their WAL and an empty server fit in. Raises UsageError.

    ``unknown_space``: go ahead where nobody can tell how much is free.
    """
    needed = need_bytes + min(need_bytes, WAL) + BASE
    try:
        there = os.statvfs(folder)
        free = there.f_bavail * there.f_frsize
    except OSError as error:
        if unknown_space:
            return
        raise UsageError(
            f"nobody can tell how much room is free in {folder}: {error.strerror}",
            "name a folder on a local disk with --scratch-dir or KISAAN_SCRATCH_DIR",
        ) from None
    # As root more blocks are available, but the server is not root.
    if free < needed:
        raise UsageError(
            f"the scratch server needs {size(needed)}, and {size(free)} are free in {folder}",
            "make room, or name a folder on another disk with --scratch-dir or KISAAN_SCRATCH_DIR",
        )


def little_room(folder: Path) -> str:
    """What to say where a server there may have failed for want of room; "" where there is some."""
    try:
        there = os.statvfs(folder)
    except OSError:
        return ""
    free = there.f_bavail * there.f_frsize
    return f"{size(free)} are free in {folder.parent}" if free < SEGMENT else ""


def server_failure(during: str, words: str, sqlstate: str, full: str, what: str) -> DatabaseError:
    """The error of a scratch server that failed ``during`` some work, which says nothing of ``what`` it was
    done with. ``full`` is what :func:`little_room` says.
    """
    room = f"; {full}" if full else ""
    return DatabaseError(
        f"the scratch server failed while {during}: {words}{room}",
        f"this says nothing of the {what}: make room, or name another folder with --scratch-dir",
        sqlstate,
    )


def size(count: int) -> str:
    """Bytes in words: "1.5 GB"."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TB"


def age(seconds: float) -> str:
    """A length of time in words, in its largest unit: "3 h"."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:,.0f} {unit}"
    return f"{seconds:.0f} s"
