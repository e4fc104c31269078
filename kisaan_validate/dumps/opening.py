"""What a path leads to, by its content: opened without trust, refused in words if it is no dump.

Only regular files and folders are opened. A link is followed to its file, but never within a folder: a dump
in a folder must not name files elsewhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import IO

from kisaan_validate.dumps.archive import MAGIC
from kisaan_validate.dumps.unpacking import pieces_of
from kisaan_validate.errors import RecordError, UsageError

HEAD = 4096
"""Bytes by which a file is known."""

_FOREIGN: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), what, hint)
    for pattern, what, hint in (
        (rb"\s*(<!doctype html|<html)", "a web page, not a dump", "look at it: a download or a login failed"),
        (
            rb"\s*<\?xml",
            "an XML document, not a dump",
            "look at it: it may be an error of the place it came from",
        ),
        (
            rb"\s*[{\[]\s*\"",
            "a JSON document, not a dump",
            "look at it: it may be an error of the place it came from",
        ),
        (rb".{0,400}(-- mysql dump|-- mariadb dump)", "a dump of MySQL or MariaDB", "name one of pg_dump"),
        (rb"/\*!?\d*", "no dump of PostgreSQL", "name one of pg_dump"),
        (rb"sqlite format 3\0", "an SQLite database", "name a dump of pg_dump"),
        (rb"pk\x03\x04", "a ZIP file", "unpack it, and name what is in it"),
        (rb"rar!|7z\xbc\xaf", "a packed file that is not read here", "unpack it, and name what is in it"),
        (rb"-----begin pgp|salted__|age-encryption", "encrypted", "decrypt it first"),
        (rb"pg_dump: |pg_dumpall: ", "an error message of pg_dump", "take the dump again"),
        (
            rb"[^\n]{0,200}(permission denied|no such file|connection refused)",
            "an error message",
            "take the dump again",
        ),
    )
)


def regular(path: Path) -> tuple[IO[bytes], int]:
    """A regular file opened for reading, and its size. Raises UsageError."""
    try:
        # Without waiting: opening a pipe would.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error) from None
    state = os.fstat(number)
    if not stat.S_ISREG(state.st_mode):
        os.close(number)
        raise UsageError(f"{path} is {_what(state.st_mode)}, not a file", "name the file or folder of a dump")
    return os.fdopen(number, "rb"), state.st_size


def member(folder: Path, name: str) -> tuple[IO[bytes], int]:
    """A file in a folder; links are not followed. Raises UsageError, FileNotFoundError."""
    path = folder / name
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise UsageError(
                f"{path} is a link, which pg_dump does not write", "name the dump itself"
            ) from None
        raise _refused(path, error) from None
    state = os.fstat(number)
    if not stat.S_ISREG(state.st_mode):
        os.close(number)
        raise UsageError(f"{path} is {_what(state.st_mode)}, not a file", "name the folder of a whole dump")
    return os.fdopen(number, "rb"), state.st_size


def _refused(path: Path, error: OSError) -> UsageError:
    if isinstance(error, PermissionError):
        return UsageError(f"{path} may not be read", "give this user the right to read it")
    if error.errno == errno.ELOOP:
        return UsageError(f"{path} is a link that leads to itself", "name the dump itself")
    if isinstance(error, FileNotFoundError):
        link = path.is_symlink()
        what = "is a link to a file that is not there" if link else "is not there"
        return UsageError(f"{path} {what}", "name the file or folder of a dump")
    if error.errno in (errno.ENXIO, errno.EISDIR):
        return UsageError(f"{path} is not a file", "name the file or folder of a dump")
    return UsageError(f"{path} cannot be read: {(error.strerror or 'unknown reason').lower()}")


def _what(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    return next((word for test, word in kinds if test(mode)), "something else")


def refuse_foreign(path: Path, head: bytes) -> None:
    """Refuse what is known to be something else than a dump, by its first bytes. Raises RecordError."""
    if not head.strip(b"\0"):
        what = "holds zeros only" if head else "is empty"
        raise RecordError(f"{path} {what}", "take the dump again, and look at pg_dump's exit code")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[1:2] == b"\0" or head[:1] == b"\0":
        raise RecordError(
            f"{path} is UTF-16 text or binary, which pg_dump does not write",
            "a shell converted it, as PowerShell's > does: dump again with pg_dump -f FILE",
        )
    for pattern, what, hint in _FOREIGN:
        if pattern.match(head):
            raise RecordError(f"{path} is {what}", hint)
    if b"\0" in head and not head.startswith(MAGIC):
        raise RecordError(f"{path} is a binary file that is no dump", "name a file or folder of pg_dump")


def sha256_of(path: Path) -> str:
    """SHA-256 in hex: of a file; of a folder that of the lines that ``sha256sum`` prints for its files in the
    order of their names. Raises UsageError.
    """
    if not path.is_dir():
        file, _ = regular(path)
        return _digest(file)
    total = hashlib.sha256()
    for name in names_in_folder(path):
        file, _ = member(path, name)
        total.update(f"{_digest(file)}  {name}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def names_in_folder(path: Path) -> list[str]:
    """The files of a folder in the order of their bytes. Raises UsageError."""
    try:
        return sorted(os.listdir(path), key=os.fsencode)
    except OSError as error:
        raise _refused(path, error) from None


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with file:
        for piece in pieces_of(file):
            digest.update(piece)
    return digest.hexdigest()
