"""The one door: all SQL of a dump passes here on its way to psql.

Why one door, and not pg_restore with a list of entries (``-L``) and several jobs: the SQL of an archive's
entry is as free as that of a plain dump, a list only chooses entries and cannot look into them, and two ways
would have to be kept equally tight. So archives are turned into SQL by ``pg_restore -f``, which runs nothing,
and that SQL passes here. The price is one session instead of several; indexes are still built by parallel
workers. Rows of COPY pass as pieces of a megabyte, so that the door costs far less than the server behind it.

Line ends are kept, so that the line numbers of psql's messages are those of the dump.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from kisaan_validate.dumps.events import BrokenOff, Command, RowPiece, Sentence, Smuggled
from kisaan_validate.dumps.lexer import Lexer
from kisaan_validate.dumps.plain import BOM
from kisaan_validate.dumps.ruling import RulingAction
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.dumps.titles import title_of
from kisaan_validate.dumps.unpacking import Cut
from kisaan_validate.errors import Interrupted, RecordError, UsageError
from kisaan_validate.facts.dump import LeftOut
from kisaan_validate.process.stopping import Stop

_READY = 1 << 18


class Door:
    """A file for psql's input, made of a dump's SQL. ``preamble`` and ``ending`` are ours."""

    def __init__(
        self,
        pieces: Iterable[bytes],
        rulings: Rulings,
        *,
        preamble: str,
        ending: str,
        stop: Stop | None = None,
        passed: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.rulings = rulings
        self.rows = 0
        self._lexer = Lexer(_without_mark(pieces))
        self._stop, self._passed = stop, passed
        self._offset = preamble.count("\n")
        self._line = 1
        self._places: list[int] = []
        self._titles: list[str] = []
        self._tokens: tuple[bytes, ...] = ()
        self._drops = False
        self._ready: list[bytes] = [preamble.encode()]
        self._size = len(preamble)
        self._ending = ending.encode()
        self._parts = self._made()

    def read(self, count: int = -1) -> bytes:
        """The next bytes for psql, b"" at the end. Raises UsageError for what is refused, RecordError for a
        dump that ends early, Interrupted.
        """
        if self._stop is not None and self._stop.requested:
            raise Interrupted(self._stop.reason or "the restore was stopped")
        try:
            return next(self._parts, b"")
        except Smuggled as error:
            raise refused(
                LeftOut("text", error.what, "pg_dump does not write it", True, error.line)
            ) from None
        except BrokenOff as error:
            raise RecordError(
                f"the dump ends within {error.args[0]}", "take it again, or take an older one"
            ) from None
        except Cut as error:
            raise RecordError(f"the dump: {error.args[0]}", "take it again, or take an older one") from None

    def title_at(self, line: int) -> tuple[int, str]:
        """The line in the dump, and what was being done there, for a line in psql's messages."""
        line = max(1, line - self._offset)
        place = bisect_right(self._places, line) - 1
        return line, self._titles[place] if place >= 0 else ""

    def _made(self) -> Iterator[bytes]:
        """Pieces of a good size, so that many short statements are one write."""
        for event in self._lexer.events():
            if isinstance(event, RowPiece):
                self._row_piece(event)
            elif isinstance(event, Sentence):
                self._sentence(event)
                self._lexer.strings = self.rulings.strings
            elif isinstance(event, Command):
                self._ruled_command(event)
            if self._size >= _READY:
                yield self._given()
        self._put(b"\n" + self._ending)
        yield self._given()

    def _given(self) -> bytes:
        whole = b"".join(self._ready)
        self._ready, self._size = [], 0
        self._passed(self.rows)
        return whole

    def _put(self, data: bytes) -> None:
        self._ready.append(data)
        self._size += len(data)

    def _sentence(self, sentence: Sentence) -> None:
        ruling = self.rulings.rule(sentence)
        if ruling.action is RulingAction.STOP and ruling.left is not None:
            raise refused(ruling.left)
        self._drops = ruling.action is not RulingAction.PASS
        if self._drops:
            return
        self.rows += sentence.rows
        # All rows of one table are one place.
        if not sentence.rows or sentence.tokens != self._tokens:
            self._places.append(sentence.line)
            self._titles.append(" ".join(part for part in title_of(sentence.tokens) if part))
            self._tokens = sentence.tokens
        self._put(b"\n" * (sentence.line - self._line) + sentence.text)
        self._line = sentence.line + sentence.lines

    def _row_piece(self, piece: RowPiece) -> None:
        if self._drops:
            return
        self.rows += piece.lines
        self._line += piece.lines
        self._put(piece.data)

    def _ruled_command(self, command: Command) -> None:
        ruling = self.rulings.command(command)
        if ruling.action is RulingAction.STOP and ruling.left is not None:
            raise refused(ruling.left)


def _without_mark(pieces: Iterable[bytes]) -> Iterator[bytes]:
    first = True
    for piece in pieces:
        yield piece.removeprefix(BOM) if first else piece
        first = False


def refused(left: LeftOut) -> UsageError:
    """The refusal of a dump because of one thing in it."""
    where = f" (line {left.line})" if left.line else ""
    # Names come from the dump: no control character of it reaches a terminal.
    name = re.sub(r"[^\x20-\x7e\xa0-\U0010ffff]", "�", left.name)[:120]
    what = " ".join(part for part in (left.kind, name) if part)
    return UsageError(
        f"the dump is not restored: {what}{where}: {left.why}",
        "if pg_dump wrote it, dump again with a current pg_dump; if somebody edited it, ask who and why",
    )
