"""The header and the table of contents of pg_dump's archives, read without pg_restore.

pg_restore lists the contents of half an archive with exit code 0, so it cannot tell whether one is whole. The
format is that of ``pg_backup_archiver.c``, versions 1.10 (PostgreSQL 8.4) to 1.16 (18): a magic word, sizes
of integers and offsets, then integers (a sign and bytes, the lowest first) and texts (a length, -1 for none).
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from kisaan_validate.dataclass import dataclass

MAGIC = b"PGDMP"
CUSTOM, TAR, DIRECTORY = 1, 3, 5
OLDEST, NEWEST = (1, 10), (1, 16)
METHODS = ("none", "gzip", "lz4", "zstd")

_LONGEST_TEXT = 1 << 30
_MOST_ENTRIES = 50_000_000


class Unreadable(Exception):
    """An archive ends early or is damaged. ``args[0]`` says where, in words."""


@dataclass(frozen=True)
class ArchiveEntry:
    """One entry of the table of contents. ``dumper``: it has data of its own. ``offset`` is where its data
    begins in a custom archive, None if unknown; ``file`` is its member in a tar or directory; ``no_data``:
    the archive says that there is none.
    """

    number: int
    dumper: bool
    tag: str
    kind: str
    definition: str
    drop: str
    copy: str
    schema: str
    tablespace: str
    owner: str
    offset: int | None = None
    no_data: bool = False
    file: str = ""


@dataclass(frozen=True)
class Archive:
    """An archive's header and entries. ``end`` is where the table of contents ends."""

    version: tuple[int, int, int]
    form: int
    compression: str
    taken_at: datetime | None
    database: str
    server: str
    client: str
    entries: tuple[ArchiveEntry, ...]
    end: int
    int_size: int
    offset_size: int


class ArchiveSource(Protocol):
    """What bytes are read from."""

    def read(self, count: int, /) -> bytes:
        """The next bytes, fewer only at the end."""


class ArchiveReading:
    """Reads integers and texts; ``limit`` is how many bytes there can be at all."""

    def __init__(self, file: ArchiveSource, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.int_size = 4
        self.offset_size = 8
        self.at = 0

    def take(self, count: int, what: str = "its table of contents") -> bytes:
        """Exactly so many bytes. Raises Unreadable."""
        if count > self._limit - self.at:
            raise Unreadable(f"it ends within {what}")
        data = self._file.read(count)
        self.at += len(data)
        if len(data) != count:
            raise Unreadable(f"it ends within {what}")
        return data

    def byte(self, what: str = "its table of contents") -> int:
        """One byte. Raises Unreadable."""
        return self.take(1, what)[0]

    def integer(self, what: str = "its table of contents") -> int:
        """A number with its sign. Raises Unreadable."""
        data = self.take(1 + self.int_size, what)
        if data[0] > 1:
            raise Unreadable(f"a number within {what} is damaged")
        value = int.from_bytes(data[1:], "little")
        return -value if data[0] else value

    def text(self) -> str:
        """A text, "" for none. Raises Unreadable."""
        length = self.integer()
        if length < 0:
            return ""
        return self._of_length(length)

    def maybe_text(self) -> str | None:
        """A text, None for none. Raises Unreadable."""
        length = self.integer()
        return None if length < 0 else self._of_length(length)

    def _of_length(self, length: int) -> str:
        if length > _LONGEST_TEXT:
            raise Unreadable("a text in its table of contents is damaged")
        return self.take(length).decode("utf-8", "replace")

    def offset(self) -> tuple[int | None, bool]:
        """Where data begins (None: not known), and whether there is none. Raises Unreadable."""
        flag = self.byte()
        value = int.from_bytes(self.take(self.offset_size), "little")
        if flag not in (1, 2, 3):
            raise Unreadable("an offset in its table of contents is damaged")
        return (value if flag == 2 else None), flag == 3


def read_archive(reading: ArchiveReading) -> Archive:
    """The header and all entries. Raises Unreadable."""
    if reading.take(5, "its first bytes") != MAGIC:
        raise Unreadable("it does not begin as pg_dump's archives do")
    major, minor, revision, reading.int_size, reading.offset_size, form = reading.take(6, "its header")
    if not OLDEST <= (major, minor) <= NEWEST:
        raise Unreadable(f"its format is {major}.{minor}; known are 1.10 to 1.16")
    if reading.int_size not in (4, 8) or reading.offset_size not in (4, 8):
        raise Unreadable("the sizes of numbers in its header are damaged")
    compression = _compression(reading, minor)
    taken = _time([reading.integer("its header") for _ in range(7)])
    database, server, client = reading.text(), reading.text(), reading.text()
    count = reading.integer()
    if not 0 <= count <= _MOST_ENTRIES:
        raise Unreadable("the number of its entries is damaged")
    entries = tuple(_entry(reading, minor, form) for _ in range(count))
    version = (major, minor, revision)
    return Archive(
        version, form, compression, taken, database, server, client, entries, reading.at, *_sizes(reading)
    )


def _sizes(reading: ArchiveReading) -> tuple[int, int]:
    return reading.int_size, reading.offset_size


def _compression(reading: ArchiveReading, minor: int) -> str:
    if minor >= 15:
        method = reading.byte("its header")
        if method >= len(METHODS):
            raise Unreadable("its compression is not known")
        return METHODS[method]
    return "none" if reading.integer("its header") == 0 else "gzip"


def _time(fields: list[int]) -> datetime | None:
    second, minute, hour, day, month, year, _ = fields
    try:
        return datetime(year + 1900, month + 1, day, hour, minute, min(second, 59))
    except (ValueError, OverflowError):
        raise Unreadable("the time in its header is damaged") from None


def _entry(reading: ArchiveReading, minor: int, form: int) -> ArchiveEntry:
    number = reading.integer()
    dumper = reading.integer() != 0
    reading.text(), reading.text()  # the table's and the object's oid
    tag, kind = reading.text(), reading.text()
    if minor >= 11:
        reading.integer()  # its section
    definition, drop, copy = reading.text(), reading.text(), reading.text()
    schema, tablespace = reading.text(), reading.text()
    if minor >= 14:
        reading.text()  # its access method
    if minor >= 16:
        reading.integer()  # the kind of its relation
    owner = reading.text()
    reading.text()  # WITH OIDS
    while reading.maybe_text() is not None:
        pass  # what it depends on
    offset, no_data, file = None, False, ""
    if form == CUSTOM:
        offset, no_data = reading.offset()
    else:
        file = reading.text()
        no_data = not file
    if number <= 0:
        raise Unreadable("a number of an entry is damaged")
    return ArchiveEntry(
        number, dumper, tag, kind, definition, drop, copy, schema, tablespace, owner, offset, no_data, file
    )
