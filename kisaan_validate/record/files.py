"""Files that appear whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kisaan_validate.errors import RecordError
from kisaan_validate.text import authored


def write_file(path: Path, text: str) -> None:
    """Write ``text`` to a temporary name beside ``path``, sync it, and rename it into place; mode 0600.

    A device or a pipe is written to as it is: renaming would put a file in its place. Raises RecordError
    if it cannot be written; then no half of it is left behind.
    """
    try:
        # Encoded here, as line ends must be the same on every platform: the digest is over bytes.
        data = text.encode("utf-8", "strict")
    # Half a surrogate pair is no text in UTF-8.
    except UnicodeEncodeError as error:
        raise RecordError(
            f"cannot write {path}: it is not text: {error.reason}", "free some space or choose another folder"
        ) from None
    write_bytes(path, data)


def write_public(path: Path, text: str) -> None:
    """As :func:`write_file`, readable by all (mode 0644): another user's service collects it."""
    write_bytes(path, text.encode("utf-8", "replace"), mode=0o644)


def write_bytes(path: Path, data: bytes, mode: int = 0o600) -> None:
    """As :func:`write_file`, of bytes. Raises RecordError."""
    temporary = ""
    try:
        # /dev/stdout and named pipes: a rename would replace them.
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, as a rename between file systems is a copy; mkstemp makes it 0600.
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            # Before the rename: after a power cut the new name must not stand for an empty file.
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        raise RecordError(
            f"cannot write {path}: {error.strerror}", "free some space or choose another folder"
        ) from None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last: without it a power cut may bring the old one back."""
    # The file is there already; not every file system syncs a folder.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def cannot_write(path: Path, error: OSError) -> RecordError:
    """What is said of a file that cannot be written."""
    return RecordError(f"cannot write {path}: {error.strerror}", "free some space or choose another folder")


def check_place(path: Path) -> None:
    """Make sure that a file can be written there later, its folder being made now. Raises RecordError."""
    if path.is_dir():
        raise RecordError(f"cannot write {path}: it is a folder", "name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        os.unlink(temporary)
    except OSError as error:
        raise cannot_write(path, error) from None


def begins_with(path: Path, marks: Iterable[str]) -> bool:
    """Whether one of ``marks`` stands within the first 4,096 bytes of a file. Raises RecordError."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise cannot_write(path, error) from None
    return any(mark.encode() in head for mark in marks)


def read_file(path: Path) -> str:
    """The text of a file, byte for byte: its digest is the file's. Raises RecordError."""
    try:
        # Exactly: no line end is translated, or the digest would be another.
        return authored.read_exact(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"cannot read {path}: {authored.reason_of(error)}", "check the path") from None
