"""A file beside a baseline that is opened once: what is read later are the bytes that were checked."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import weakref
from pathlib import Path

from kisaan_validate.errors import RecordError

_BUFFER = 1 << 20


class OpenedFile:
    """An open file, whatever happens to its name. Several may read it at once, each from a place of its
    own.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        # Not ``close``: it is read until nobody knows it any more.
        weakref.finalize(self, os.close, handle)
        self._found = self._facts()

    def reader(self, offset: int = 0) -> io.BufferedReader:
        """The bytes from ``offset`` on."""
        return io.BufferedReader(_Reader(self, self._handle, offset), _BUFFER)

    def unchanged(self) -> None:
        """Raises OSError if the file was written to since it was opened."""
        if self._facts() != self._found:
            raise OSError(errno.ESTALE, "it was changed while it was used")

    def _facts(self) -> tuple[int, int]:
        facts = os.fstat(self._handle)
        return facts.st_size, facts.st_mtime_ns


class _Reader(io.RawIOBase):
    """Reads at a place of its own, so that readers of one descriptor do not move each other."""

    def __init__(self, file: OpenedFile, handle: int, at: int) -> None:
        super().__init__()
        # The file is kept, because its end would close the descriptor.
        self._file, self._handle, self._at = file, handle, at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._handle).st_size}
        self._at = base[whence] + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = os.pread(self._handle, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def opened(path: Path, size: int, digest: str, option: str) -> OpenedFile:
    """The file, open for reading. ``option`` is that with which such a file is taken. Raises RecordError
    unless it is byte for byte what was written.
    """
    try:
        # Not blocking: a pipe would keep us waiting.
        file = OpenedFile(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        _refuse_other(path, file, size, digest)
        return file
    except OSError as error:
        raise RecordError(
            f"cannot read {path}: {error.strerror}",
            f"it belongs next to the baseline that was taken with {option}",
        ) from None


def _refuse_other(path: Path, file: OpenedFile, size: int, digest: str) -> None:
    facts = os.fstat(file._handle)
    if not stat.S_ISREG(facts.st_mode):
        raise RecordError(f"{path} is not a regular file", "take the baseline again")
    # Size first: it is free, and most damage is truncation.
    if facts.st_size != size:
        raise RecordError(
            f"{path} has {facts.st_size:,} bytes, but the baseline's file had {size:,}",
            "it was truncated or edited; take the baseline again",
        )
    # Before anything is parsed: what follows trusts lengths in the file.
    with file.reader() as read:
        found = hashlib.file_digest(read, "sha256").hexdigest()
    if found != digest:
        raise RecordError(
            f"{path} was changed: its SHA-256 differs",
            "it was edited or damaged; take the baseline again",
        )
