"""Archives in one file, in a folder and in a tar, read block by block to the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from kisaan_validate.dumps.archive import (
    CUSTOM,
    Archive,
    ArchiveEntry,
    ArchiveReading,
    Unreadable,
    read_archive,
)
from kisaan_validate.dumps.blocks import BLOBS, Blocks
from kisaan_validate.dumps.opening import member, names_in_folder
from kisaan_validate.dumps.unpacking import PIECE, pieces_of

Begin = Callable[[Archive], Blocks]
"""Makes the blocks of an archive whose table of contents was read."""

TOC = "toc.dat"
_SUFFIXES = {"": "none", ".gz": "gzip", ".lz4": "lz4", ".zst": "zstd"}
_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]*")
_DATA, _LARGE = 1, 3
_BLOCK = 512


# --- one file -------------------------------------------------------------------------------------------


def read_custom(file: IO[bytes], size: int, begin: Begin) -> None:
    """A custom archive: its blocks one after the other, up to the last byte. Raises Unreadable."""
    reading = ArchiveReading(file, size)
    archive = read_archive(reading)
    if archive.form != CUSTOM:
        raise Unreadable(
            f"it is the table of contents of a dump in a folder or tar: name that, not its {TOC}"
        )
    blocks = begin(archive)
    while reading.at < size:
        place = reading.at
        kind, number = reading.byte("a block of data"), reading.integer("a block of data")
        entry = blocks.entry(number)
        if entry.offset not in (None, place):
            raise Unreadable(f"the data of {entry.tag} is not where its table of contents says")
        if kind == _LARGE and entry.kind == BLOBS:
            while reading.integer("large objects") != 0:
                blocks.large_object(archive.compression, _chunks(reading), may_be_empty=True)
        elif kind == _DATA:
            blocks.rows(entry, archive.compression, _chunks(reading))
        else:
            raise Unreadable("the kind of a block of data is damaged")
    blocks.finish()


def _chunks(reading: ArchiveReading) -> Iterator[bytes]:
    """The pieces of a block, up to the one of no length."""
    while (left := reading.integer("a block of data")) != 0:
        if left < 0:
            raise Unreadable("the length of a piece of data is damaged")
        while left:
            piece = reading.take(min(left, PIECE), "a block of data")
            left -= len(piece)
            yield piece


# --- a folder -------------------------------------------------------------------------------------------


def read_folder(folder: Path, begin: Begin) -> tuple[tuple[str, ...], bool]:
    """An archive in a folder. Returns files that do not belong to it, and whether large objects are stored as
    they are: then nothing in the folder tells how long they should be. Raises Unreadable, UsageError.
    """
    with member(folder, TOC)[0] as file:
        size = file.seek(0, 2)
        file.seek(0)
        reading = ArchiveReading(file, size)
        archive = read_archive(reading)
    if reading.at != size:
        raise Unreadable("something stands behind its table of contents")
    blocks = begin(archive)
    there, used = set(names_in_folder(folder)), {TOC}
    for entry in blocks.waiting:
        blocks.entry(entry.number)
        used |= (
            _large_objects(folder, entry, blocks, there)
            if entry.kind == BLOBS
            else _rows(folder, entry, blocks, there)
        )
    blocks.finish()
    bare = any(re.fullmatch(r"blob_\d+\.dat", name) for name in used)
    return tuple(sorted(there - used)), bare


def _rows(folder: Path, entry: ArchiveEntry, blocks: Blocks, there: set[str]) -> set[str]:
    name, method = _stored(entry.file, there, entry.tag)
    with _opened(folder, name) as file:
        blocks.rows(entry, method, pieces_of(file))
    return {name}


def _large_objects(folder: Path, entry: ArchiveEntry, blocks: Blocks, there: set[str]) -> set[str]:
    list_name, _ = _stored(entry.file, there, entry.tag)
    used = {list_name}
    with _opened(folder, list_name) as file:
        text = file.read()
    for wanted in _listed(text):
        name, method = _stored(wanted, there, "a large object")
        used.add(name)
        with _opened(folder, name) as file:
            blocks.large_object(method, pieces_of(file))
    return used


def _listed(text: bytes) -> list[str]:
    """The files in a list of large objects. Raises Unreadable."""
    lines = text.decode("ascii", "replace").split("\n")
    if lines.pop() != "" or not all(re.fullmatch(r"\d+ blob_\d+\.dat", line) for line in lines):
        raise Unreadable("its list of large objects ends early or is damaged")
    return [line.split()[1] for line in lines]


def _stored(name: str, there: set[str], tag: str) -> tuple[str, str]:
    """The file that holds a member, and how it is packed, by its suffix as pg_restore has it."""
    if not _MEMBER.fullmatch(name):
        raise Unreadable(f"the name of the file with the data of {tag} is damaged")
    for suffix, method in _SUFFIXES.items():
        if name + suffix in there:
            return name + suffix, method
    raise Unreadable(f"the file {name} with the data of {tag} is not there")


def _opened(folder: Path, name: str) -> IO[bytes]:
    try:
        return member(folder, name)[0]
    except FileNotFoundError:
        raise Unreadable(f"the file {name} is not there") from None


# --- a tar ----------------------------------------------------------------------------------------------


def is_tar(head: bytes) -> bool:
    """Whether a file begins with the header of a tar's member."""
    return len(head) >= _BLOCK and head[257:262] == b"ustar"


def first_member(head: bytes) -> str:
    """The name of the first member of a tar."""
    return head[:100].rstrip(b"\0").decode("utf-8", "replace")


def read_tar(file: IO[bytes], size: int, begin: Begin) -> None:
    """An archive in a tar: each member to its end, and the blocks of zeros that end it. Raises Unreadable."""
    reading = ArchiveReading(file, size)
    name, length = _header(reading.take(_BLOCK, "a header"))
    if name != TOC:
        raise Unreadable(f"its first member is not {TOC}")
    inner = ArchiveReading(_Window(reading, length), length)
    archive = read_archive(inner)
    reading.take(length - inner.at + -length % _BLOCK, "its table of contents")
    blocks, large, listed = begin(archive), 0, 0
    while True:
        head = reading.take(_BLOCK, "the header of a member, so more of them may be missing")
        if head.count(0) == _BLOCK:
            break
        name, length = _header(head)
        if re.fullmatch(r"blob_\d+\.dat", name):
            blocks.large_object("none", _taken(reading, length, name))
            large += 1
        elif found := re.fullmatch(r"blobs(?:_(\d+))?\.toc", name):
            # Its entry names a member that is not there.
            numbers = [e.number for e in blocks.waiting if e.kind == BLOBS]
            blocks.entry(int(found[1]) if found[1] else next(iter(numbers), 0))
            listed += len(_listed(b"".join(_taken(reading, length, name))))
        elif (entry := blocks.named(name)) is None:
            for _ in _taken(reading, length, name):
                pass
        else:
            blocks.rows(entry, "none", _taken(reading, length, name))
        reading.take(-length % _BLOCK, f"the member {name}")
    if reading.take(_BLOCK, "the zeros that end it").count(0) != _BLOCK or large != listed:
        raise Unreadable("its end is damaged, or large objects are missing")
    blocks.finish()


class _Window:
    """The next bytes of a reading, as a file."""

    def __init__(self, reading: ArchiveReading, length: int) -> None:
        self._reading, self._left = reading, length

    def read(self, count: int) -> bytes:
        """The next bytes, within the window."""
        taken = self._reading.take(min(count, self._left))
        self._left -= len(taken)
        return taken


def _taken(reading: ArchiveReading, length: int, name: str) -> Iterator[bytes]:
    while length:
        piece = reading.take(min(length, PIECE), f"the member {name}")
        length -= len(piece)
        yield piece


def _header(head: bytes) -> tuple[str, int]:
    """The name and length of a tar's member. Raises Unreadable."""
    name = head[:100].rstrip(b"\0").decode("utf-8", "replace")
    said = head[148:156].strip(b" \0")
    total = sum(head[:148]) + 8 * 32 + sum(head[156:])
    if not re.fullmatch(rb"[0-7]+", said) or int(said, 8) != total:
        raise Unreadable("the header of a member is damaged")
    digits = head[124:136]
    # Above 8 GB the length is a binary number.
    if digits[:1] == b"\x80":
        return name, int.from_bytes(digits[1:], "big")
    octal = digits.strip(b" \0")
    if not re.fullmatch(rb"[0-7]+", octal):
        raise Unreadable("the length of a member is damaged")
    return name, int(octal, 8)
