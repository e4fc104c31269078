"""Files that appear whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from kisaan_validate.errors import RecordError
from kisaan_validate.text import authored


def write_file(path: Path, text: str) -> None:
    """Write ``text`` to a temporary name beside ``path``, sync it, and rename it into place; mode 0600.

    A device or a pipe is written to as it is: renaming would put a file in its place. Raises RecordError
    if it cannot be written; then no half of it is left behind.
    """
    write_bytes(path, _encoded(path, text))


def write_public(path: Path, text: str) -> None:
    """As :func:`write_file`, readable by all (mode 0644): another user's service collects it."""
    write_bytes(path, text.encode("utf-8", "replace"), mode=0o644)


def write_bytes(path: Path, data: bytes, mode: int = 0o600) -> None:
    """As :func:`write_file`, of bytes. Raises RecordError."""
    _all_or_none([(path, data)], mode)


def write_files(files: Sequence[tuple[Path, str]], first: Callable[[], None] = lambda: None) -> None:
    """Write these files, all of them or none: each whole beside its place, and only then each under its name,
    in this order. ``first`` is done when all are whole. Raises RecordError, and what ``first`` raises.
    """
    _all_or_none([(path, _encoded(path, text)) for path, text in files], 0o600, first)


def _encoded(path: Path, text: str) -> bytes:
    try:
        # Encoded here, as line ends must be the same on every platform: the digest is over bytes.
        return text.encode("utf-8", "strict")
    # Half a surrogate pair is no text in UTF-8.
    except UnicodeEncodeError as error:
        raise RecordError(
            f"cannot write {path}: it is not text: {error.reason}", "free some space or choose another folder"
        ) from None


def _all_or_none(
    files: Sequence[tuple[Path, bytes]], mode: int, first: Callable[[], None] = lambda: None
) -> None:
    whole: list[tuple[Path, bytes, str]] = []
    path = files[0][0]
    try:
        for path, data in files:
            # /dev/stdout and named pipes: a rename would replace them.
            special = path.exists() and not path.is_file() and not path.is_dir()
            name = "" if special else _temporary(path)
            whole.append((path, data, name))
            if name:
                _fill(name, data, mode)
        first()
        for path, data, name in whole:
            if name:
                os.replace(name, path)
                sync_folder(path.parent)
            else:
                path.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        # Those that have their own name by now are gone from here.
        for _, _, name in whole:
            with suppress(OSError):
                os.unlink(name)


def _temporary(path: Path) -> str:
    """An empty file, in the same folder, as a rename between file systems is a copy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    return name


def _fill(name: str, data: bytes, mode: int) -> None:
    with open(name, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        # Before the rename: after a power cut the new name must not stand for an empty file.
        os.fsync(file.fileno())


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


def says_it_is(path: Path, kind: str) -> bool:
    """Whether a file says, by its first bytes, that it is a record of this kind. Raises RecordError."""
    # With and without a blank: formats differ in that.
    return begins_with(path, [f'"kind": "{kind}"', f'"kind":"{kind}"'])


def read_file(path: Path) -> str:
    """The text of a file, byte for byte: its digest is the file's. Raises RecordError."""
    try:
        # Exactly: no line end is translated, or the digest would be another.
        return authored.read_exact(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"cannot read {path}: {authored.reason_of(error)}", "check the path") from None
