"""A plain dump read to its end: what it says, what it holds, and whether it ends as pg_dump ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import UTC, datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.events import BrokenOff, Command, DumpComment, RowPiece, Sentence, Smuggled
from kisaan_validate.dumps.gathering import Gathering
from kisaan_validate.dumps.lexer import Lexer
from kisaan_validate.dumps.names import name_at
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.dumps.unpacking import Cut
from kisaan_validate.facts.dump import LeftOut

BOM = b"\xef\xbb\xbf"
DUMP, CLUSTER = b"-- PostgreSQL database dump", b"-- PostgreSQL database cluster dump"

_SERVER = re.compile(rb"-- Dumped from database version (.+)")
_CLIENT = re.compile(rb"-- Dumped by pg_(?:dump|dumpall) version (.+)")
_SECTION = re.compile(rb"-- Data for Name: (.+); Type: TABLE DATA; Schema: (.+); Owner: .*")
_STARTED = re.compile(rb"-- Started on (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\w+))?")


@dataclass
class PlainFacts:
    """What reading a plain dump finds; ``damage`` "" if it is whole, ``complete`` as in DumpFacts."""

    server: str = ""
    client: str = ""
    taken_at: datetime | None = None
    database: str = ""
    cluster: bool = False
    known: bool = False
    complete: bool | None = None
    damage: str = ""
    notes: list[str] = field(default_factory=list)


class _Watched:
    """Gives pieces on, and remembers how the text begins and ends."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.head = b""
        self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        first = True
        for piece in self._pieces:
            text = piece.removeprefix(BOM) if first else piece
            first = False
            if len(self.head) < 4096:
                self.head = (self.head + piece)[:4096]
            self.tail = (self.tail + text)[-256:]
            yield text


class PlainReader:
    """Reads one plain dump into a gathering, ruling on each statement."""

    def __init__(self, gathering: Gathering, rulings: Rulings) -> None:
        self.facts = PlainFacts()
        self._gathering, self._rulings = gathering, rulings
        self._marker = False
        self._restricted = b""
        self._released = b""
        self._table = ""
        self._section: tuple[str, str] | None = None
        self._lines = 0

    def read(self, pieces: Iterable[bytes]) -> PlainFacts:
        """All of it. Raises what unpacking raises, except Cut, which is damage."""
        watched = _Watched(pieces)
        lexer = Lexer(watched)
        try:
            for event in lexer.events():
                self._take(event)
                lexer.strings = self._rulings.strings
            self._judge(watched)
        except BrokenOff as error:
            self.facts.complete, self.facts.damage = False, f"it ends within {error.args[0]}"
        except Cut as error:
            self.facts.complete, self.facts.damage = False, str(error.args[0])
        except Smuggled as error:
            self.facts.damage = f"it was read up to line {error.line}: {error.what}"
            self._rulings.left.append(
                LeftOut("text", error.what, "pg_dump does not write it", True, error.line)
            )
        if watched.head.startswith(BOM):
            self.facts.notes.append("it begins with a byte order mark, which is left out")
        return self.facts

    def _take(self, event: DumpComment | Command | Sentence | RowPiece) -> None:
        if isinstance(event, RowPiece):
            self._lines += event.lines
            if event.last:
                self._gathering.rows(self._table, self._lines - 2)
        elif isinstance(event, Sentence):
            self._marker = False
            if event.tokens[:1] not in ((b"COPY",), (b"INSERT",)):
                self._close_section()
            self._section = None
            self._gathering.statement(event)
            self._rulings.rule(event)
            self._table, self._lines = name_at(event.tokens, 1)[0], 0
        elif isinstance(event, DumpComment):
            self._comment(event.text)
        else:
            self._command(event)

    def _close_section(self) -> None:
        """A section without an INSERT is that of an empty table."""
        if self._section is not None:
            self._gathering.section(*self._section)
        self._section = None

    def _comment(self, text: bytes) -> None:
        facts = self.facts
        if text != b"--" and not text.startswith(b"-- load via"):
            self._close_section()
        if found := _SECTION.fullmatch(text):
            name, schema = (part.decode("utf-8", "replace") for part in found.groups())
            self._section = (schema, name)
        facts.known |= text in (DUMP, CLUSTER)
        facts.cluster |= text == CLUSTER
        if text in (DUMP + b" complete", CLUSTER + b" complete"):
            self._marker = text.startswith(CLUSTER) or not facts.cluster
        if found := _SERVER.fullmatch(text):
            facts.server = facts.server or found[1].decode("utf-8", "replace").strip()
        if found := _CLIENT.fullmatch(text):
            facts.client = facts.client or found[1].decode("utf-8", "replace").strip()
        if (found := _STARTED.match(text)) and facts.taken_at is None:
            zone = UTC if found[2] in (b"UTC", b"GMT") else None
            facts.taken_at = datetime.fromisoformat(found[1].decode()).replace(tzinfo=zone)

    def _command(self, command: Command) -> None:
        word, _, rest = command.text.partition(b" ")
        if word == b"\\restrict":
            self._restricted, self._released = rest, b""
        elif word == b"\\unrestrict":
            self._released = rest
        self._rulings.command(command)

    def _judge(self, watched: _Watched) -> None:
        """Whether it ended as pg_dump ends."""
        facts = self.facts
        facts.database = self._gathering.database
        if not facts.known:
            facts.damage = "it does not say that pg_dump wrote it, so nobody knows how it should end"
            return
        kind = "cluster dump" if facts.cluster else "dump"
        if not self._marker:
            facts.complete, facts.damage = False, f"its end is missing: “PostgreSQL database {kind} complete”"
        elif self._restricted and self._released != self._restricted:
            facts.complete, facts.damage = False, "its last line is missing: \\unrestrict"
        elif b"\r\n" in watched.head:
            facts.damage = "its line ends are CRLF, as pg_dump does not write them: it was converted"
        elif not watched.tail.endswith(_ending(self._restricted, facts.cluster)):
            facts.damage = (
                "its last lines were changed or cut: it does not end with the blank line of pg_dump"
            )
        else:
            facts.complete = True


def _ending(key: bytes, cluster: bool) -> bytes:
    return b"\n\\unrestrict " + key + b"\n\n" if key and not cluster else b" complete\n--\n\n"
