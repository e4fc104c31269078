"""The data blocks of an archive: each read to its end, its rows counted, and none missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kisaan_validate.dumps.archive import Archive, ArchiveEntry, Unreadable
from kisaan_validate.dumps.events import BrokenOff, RowPiece, Sentence, Smuggled
from kisaan_validate.dumps.gathering import Gathering
from kisaan_validate.dumps.lexer import Lexer
from kisaan_validate.dumps.names import name_at
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.dumps.unpacking import Cut, unpacked
from kisaan_validate.facts.dump import LeftOut

BLOBS = "BLOBS"
_NO_SQL = frozenset({"BLOB METADATA", BLOBS})
_END = b"\\.\n\n\n"


class Blocks:
    """Takes an archive's table of contents, then its blocks in any order; :meth:`finish` says what is
    missing.
    """

    def __init__(self, archive: Archive, gathering: Gathering, rulings: Rulings) -> None:
        self._archive, self._gathering, self._rulings = archive, gathering, rulings
        self._waiting = {e.number: e for e in archive.entries if e.dumper}
        if len(self._waiting) != sum(e.dumper for e in archive.entries):
            raise Unreadable("two entries of its table of contents have one number")
        self._objects = 0
        self._expected = 0
        for entry in archive.entries:
            self._defined(entry)

    def _defined(self, entry: ArchiveEntry) -> None:
        """Take note of what an entry's SQL defines, and rule on it as a restore would."""
        if entry.owner:
            self._gathering.owner(entry.owner)
        if entry.tablespace:
            self._gathering.tablespace(entry.tablespace)
        if entry.kind == "BLOB METADATA":
            self._expected += len(re.findall(r"\d+", entry.definition))
        elif entry.kind == "BLOB":
            self._expected += 1
        if entry.kind not in _NO_SQL:
            for _ in self._sentences([f"{entry.definition}\n".encode("utf-8", "surrogateescape")], entry):
                pass
        if entry.dumper and entry.copy:
            self._copy(entry)

    def _copy(self, entry: ArchiveEntry) -> None:
        """The COPY of an entry, as pg_restore would write it before the rows."""
        for event in self._sentences([f"{entry.copy.rstrip()}\n\\.\n".encode()], entry):
            if event.tokens[:1] != (b"COPY",):
                raise Unreadable(f"what loads {entry.tag} is no COPY")

    def _sentences(self, pieces: Iterable[bytes], entry: ArchiveEntry) -> Iterator[Sentence]:
        """The statements of a text, ruled on and gathered. What cannot be split stops a restore, by name."""
        lexer = Lexer(pieces)
        try:
            for event in lexer.events():
                if isinstance(event, Sentence):
                    self._rulings.rule(replace(event, line=0))
                    self._gathering.statement(event)
                    lexer.strings = self._rulings.strings
                    yield event
                elif not isinstance(event, RowPiece) and event.text[:1] == b"\\":
                    raise Smuggled("a command of psql", 0)
        except (Smuggled, BrokenOff) as error:
            what = error.what if isinstance(error, Smuggled) else f"it ends within {error.args[0]}"
            self._rulings.left.append(LeftOut(entry.kind.lower(), entry.tag, what, stops=True))

    # --- data -------------------------------------------------------------------------------------------

    def entry(self, number: int) -> ArchiveEntry:
        """The entry whose block begins; each comes once. Raises Unreadable."""
        entry = self._waiting.pop(number, None)
        if entry is None:
            raise Unreadable("a block of data belongs to no entry, or comes twice")
        return entry

    def named(self, file: str) -> ArchiveEntry | None:
        """The entry with this member, as its block begins; None if it is no entry's."""
        found = [e.number for e in self._waiting.values() if e.file == file]
        return self.entry(found[0]) if found else None

    @property
    def waiting(self) -> tuple[ArchiveEntry, ...]:
        """Entries whose blocks have not come."""
        return tuple(self._waiting.values())

    def rows(self, entry: ArchiveEntry, method: str, pieces: Iterable[bytes]) -> None:
        """Read a table's block to its end. Raises Unreadable."""
        try:
            whole = unpacked(method, pieces, may_be_empty=not entry.copy)
            if entry.copy:
                self._gathering.rows(_table(entry), _counted(whole, entry.tag))
            else:
                self._gathering.section(entry.schema, entry.tag)
                for _ in self._sentences(whole, entry):
                    pass
                for _ in whole:
                    pass  # what comes after something that could not be split
        except Cut as error:
            raise Unreadable(f"the data of {entry.tag}: {error.args[0]}") from None

    def large_object(self, method: str, pieces: Iterable[bytes], *, may_be_empty: bool = False) -> None:
        """Read a large object to its end. Raises Unreadable."""
        try:
            for _ in unpacked(method, pieces, may_be_empty=may_be_empty):
                pass
        except Cut as error:
            raise Unreadable(f"a large object: {error.args[0]}") from None
        self._objects += 1

    def finish(self) -> None:
        """All blocks have come. Raises Unreadable if they have not."""
        self._gathering.large_objects(self._objects)
        missing = next(iter(self._waiting.values()), None)
        if missing is not None:
            more = f" (and of {len(self._waiting) - 1} more)" if len(self._waiting) > 1 else ""
            raise Unreadable(f"the data of {missing.tag}{more} is not there")
        with_data = any(e.kind == BLOBS for e in self._archive.entries)
        if with_data and self._objects != self._expected:
            raise Unreadable(f"it has the data of {self._objects} large objects, not of {self._expected}")


def _table(entry: ArchiveEntry) -> str:
    lexer = Lexer([f"{entry.copy.rstrip()}\n\\.\n".encode()])
    try:
        first = next(iter(lexer.events()), None)
    except (Smuggled, BrokenOff):
        first = None
    return name_at(first.tokens, 1)[0] if isinstance(first, Sentence) else entry.tag


def _counted(pieces: Iterable[bytes], tag: str) -> int:
    """The rows of a block of COPY, which ends as pg_dump ends it. Raises Unreadable."""
    lines, tail = 0, b"\n"
    for piece in pieces:
        lines += piece.count(b"\n")
        tail = (tail + piece)[-16:]
    if not tail.endswith(b"\n" + _END):
        raise Unreadable(f"the data of {tag} ends early")
    return lines - 3
