"""The file of row digests beside a baseline: written as rows stream in, read back only as it was written.

After the magic line come the tables. Each begins with ``T``, the length of a JSON header (4 bytes) and the
header: title, key, encoding. Each row is ``R``, three signed 64-bit numbers (the place by which rows are
ordered, then the two lanes of the row's digest), the length of its key's text (4 bytes) and that text in
UTF-8. After the last row come ``E``, a JSON index (title -> offset of the table's first row) and its
length (4 bytes). Numbers are big-endian. The baseline names the file's size and its SHA-256; whatever is
truncated or edited is refused before a row is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from kisaan_validate.compare.digests import BUCKETS
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.kept import RowFile
from kisaan_validate.record.files import sync_folder
from kisaan_validate.record.opened import OpenedFile, opened

MAGIC = b"kisaan-validate rows 1\n"
"""The first line: what it is, and the version of its form."""

_ROW = struct.Struct(">cqqqI")
_HEADER = struct.Struct(">cI")


@dataclass(frozen=True)
class KeptRow:
    """One row: its place in the order, the two lanes of its digest, and its key as text ("" without a
    key).
    """

    place: int
    high: int
    low: int
    key: str


@dataclass(frozen=True)
class Section:
    """One table of the file: how its rows are digested, and where they begin."""

    title: str
    key: tuple[str, ...]
    forms: dict[str, str]
    offset: int


_CHUNK = 1 << 20


class RowWriter:
    """Writes a file of row digests under a temporary name; :meth:`finish` puts it in its place,
    :meth:`drop` removes it.

    Raises RecordError where it cannot be written.
    """

    magic = MAGIC

    def __init__(self, path: Path) -> None:
        self.path = path
        # With the process id, so that two baselines at once do not write into one file.
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._index: dict[str, int] = {}
        self._begun: tuple[int, Any, str] | None = None
        self.size = 0
        try:
            handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            # A buffer of a megabyte: rows come by the million.
            self._file: BinaryIO = os.fdopen(handle, "wb", buffering=1 << 20)
        except OSError as error:
            raise RecordError(
                f"cannot write {path}: {error.strerror}", "free some space or choose another folder"
            ) from None
        self._write(self.magic)

    def begin(self, title: str, key: tuple[str, ...], forms: dict[str, str]) -> None:
        """A table begins; ``forms`` maps its digested columns to their canonical forms, the key's first."""
        self._header(title, {"table": title, "key": key, "forms": forms})

    def _header(self, title: str, given: dict[str, object]) -> None:
        header = json.dumps(given, ensure_ascii=False).encode()
        # Flushed first: undo() cuts the file at this size, and restores the digest of this moment.
        self._flush()
        self._begun = (self.size, self._hash.copy(), title)
        self._write(_HEADER.pack(b"T", len(header)) + header)
        self._index[title] = self.size - len(header) - _HEADER.size

    def row(self, place: int, high: int, low: int, key: bytes) -> None:
        """One row; rows come in the order of their place."""
        self._write(_ROW.pack(b"R", place, high, low, len(key)) + key)

    def undo(self) -> None:
        """The table that was begun last could not be read to its end: the file is as if it had not begun."""
        if self._begun is None:
            return
        # What was not written yet belongs to the table that is undone.
        self._waiting.clear()
        size, digest, title = self._begun
        try:
            self._file.flush()
            self._file.seek(size)
            self._file.truncate()
        except OSError as error:
            self.drop()
            raise RecordError(
                f"cannot write {self.path}: {error.strerror}", "free some space or choose another folder"
            ) from None
        self.size, self._hash, self._begun = size, digest, None
        del self._index[title]

    def finish(self) -> str:
        """End the file, sync it, and put it in its place. Returns its SHA-256."""
        index = json.dumps(self._index, ensure_ascii=False).encode()
        self._write(b"E" + index + len(index).to_bytes(4, "big"))
        self._flush()
        try:
            self._file.flush()
            # Before the rename, so that the name never stands for half a file.
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            self.drop()
            raise RecordError(
                f"cannot write {self.path}: {error.strerror}", "free some space or choose another folder"
            ) from None
        return self._hash.hexdigest()

    def drop(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # closing writes what is buffered, which fails again where the disk is full
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._waiting += data
        self.size += len(data)
        if len(self._waiting) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        try:
            self._file.write(self._waiting)
        except OSError as error:
            self.drop()
            raise RecordError(
                f"cannot write {self.path}: {error.strerror}", "free some space or choose another folder"
            ) from None
        # Hashed as it is written: the file need not be read again.
        self._hash.update(self._waiting)
        self._waiting.clear()


@dataclass(frozen=True)
class KeptRows:
    """An opened file of row digests, known to be as it was written."""

    file: OpenedFile
    sections: Mapping[str, Section]

    def rows(self, title: str, buckets: Collection[int]) -> Iterator[tuple[int, int, int, str, bool]]:
        """The rows of one table that fall into these buckets, in the order of their place. Raises OSError."""
        for row in rows_of(self.file, self.sections[title]):
            # BUCKETS is a power of two, so the lowest bits are the bucket.
            if row.place & (BUCKETS - 1) in buckets:
                yield row.place, row.high, row.low, row.key, True


def kept_rows(folder: Path, file: RowFile) -> KeptRows:
    """The file that a baseline names, in the baseline's folder. Raises RecordError unless it is byte for
    byte the file that was written.
    """
    # The name alone: a baseline from elsewhere must not lead out of its folder.
    path = folder / Path(file.name).name
    found, tables = headers(path, file, MAGIC, "--rows")
    sections = {
        title: Section(title, tuple(given["key"]), given["forms"], offset)
        for title, (given, offset) in tables.items()
    }
    return KeptRows(found, sections)


def headers(
    path: Path, known: RowFile, magic: bytes, option: str
) -> tuple[OpenedFile, dict[str, tuple[dict[str, Any], int]]]:
    """A file that begins with ``magic``, and by title the header of each of its tables and where its rows
    begin.

    ``option`` is that with which such a file is taken. Raises RecordError unless it is byte for byte what
    was written.
    """
    file = opened(path, known.size, known.sha256, option)
    with file.reader() as read:
        return file, _headers(read, path, magic)


def _headers(file: BinaryIO, path: Path, magic: bytes) -> dict[str, tuple[dict[str, Any], int]]:
    if file.read(len(magic)) != magic:
        raise RecordError(
            f"{path} is not a file of this kind that this version reads", "take the baseline again"
        )
    # From the end: the index is written last, when all offsets are known.
    file.seek(-4, os.SEEK_END)
    length = int.from_bytes(file.read(4), "big")
    file.seek(-4 - length, os.SEEK_END)
    made: dict[str, tuple[dict[str, Any], int]] = {}
    for title, offset in json.loads(file.read(length)).items():
        file.seek(offset)
        _, size = _HEADER.unpack(file.read(_HEADER.size))
        given = json.loads(file.read(size))
        made[title] = (given, file.tell())
    return made


def rows_of(file: OpenedFile, section: Section) -> Iterator[KeptRow]:
    """The rows of one table, in the order in which they were written. Raises OSError."""
    file.unchanged()
    with file.reader(section.offset) as read:
        # "E" or the next table's "T" ends it.
        while (head := read.read(_ROW.size))[:1] == b"R":
            _, place, high, low, length = _ROW.unpack(head)
            # Keys of a database without an encoding are bytes.
            yield KeptRow(place, high, low, read.read(length).decode("utf-8", "surrogateescape"))
    file.unchanged()
