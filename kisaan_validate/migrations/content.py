"""Reads one file of a folder: its digest always, its text where it is text and not too large."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.migrations import FileRemark, Oddity
from kisaan_validate.text.authored import MARK, exact_text
from kisaan_validate.text.numbers import counted

MOST_LOOKED_INTO = 4 * 1024**2
"""Files up to this many bytes are examined: no person wrote a longer one."""

_CHUNK = 1024**2


@dataclass(frozen=True)
class FileContent:
    """What was read: ``text`` is None where it is no text, too large, or was not read at all."""

    sha256: str
    size: int
    text: str | None = None
    remarks: tuple[FileRemark, ...] = ()


def shown_name(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_content(path: Path, base: Path) -> FileContent:
    """The content of ``path``, a file in the folder ``base``, which a link must not leave."""
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(base.resolve()):
            fact = "is a link that leads out of the folder: it was not read"
            return FileContent("", 0, remarks=(FileRemark(Oddity.OUTSIDE_FOLDER, fact),))
        return _read(path)
    # RuntimeError: links that lead in a circle, before Python 3.13.
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "its links lead in a circle"
        return FileContent("", 0, remarks=(FileRemark(Oddity.NOT_READ, f"cannot be read: {why}"),))


def _read(path: Path) -> FileContent:
    # Without waiting: a named pipe would never be opened.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return FileContent("", 0, remarks=(FileRemark(Oddity.NOT_READ, "is not a regular file"),))
        digest, size, kept = hashlib.sha256(), 0, bytearray()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size <= MOST_LOOKED_INTO:
                kept += chunk
    if size > MOST_LOOKED_INTO:
        fact = f"is {counted(size, 'byte')} long: what it does was not looked at"
        return FileContent(digest.hexdigest(), size, remarks=(FileRemark(Oddity.NOT_READ, fact),))
    return _text_of(bytes(kept), digest.hexdigest())


def _text_of(data: bytes, digest: str) -> FileContent:
    try:
        text = exact_text(data)
    except ValueError as error:
        fact = f"cannot be read as text: {error}"
        return FileContent(digest, len(data), remarks=(FileRemark(Oddity.NOT_TEXT, fact),))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        remark = FileRemark(Oddity.NOT_TEXT, f"line {line} contains a NUL character", line)
        return FileContent(digest, len(data), remarks=(remark,))
    return FileContent(digest, len(data), text.removeprefix(MARK))
