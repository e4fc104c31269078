r"""Splits a stream of SQL into statements and rows of COPY exactly where psql would.

What psql takes for a statement's end decides what it runs, so each rule here is one of ``psqlscan.l``:
quotes, nested comments, dollar quotes, ``;`` inside brackets and inside the BEGIN … END of a function. Where
versions of psql differ, or psql and the server might, the text is refused; pg_dump writes none of it: U&
escapes, a constant continued on the next line, a number that runs into a name, psql's variables, control
characters. A backslash outside of quotes is a command of psql. Only ``\restrict``, ``\unrestrict`` and
``\connect`` are given on, as :class:`Command`; any other is refused.

Rows of COPY pass as large pieces, never line by line.

What is left: a function that the restore runs (a CHECK, an index) may change
``standard_conforming_strings`` or ``client_encoding`` for its session, and psql would then split differently
than we do. That can hide SQL from the list of what was left out. It gains nothing else: commands of psql
stay forbidden by our own ``\restrict``, and the role is no superuser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kisaan_validate.dumps.events import (
    BrokenOff,
    Command,
    DumpComment,
    Event,
    RowPiece,
    Sentence,
    Smuggled,
)
from kisaan_validate.dumps.patterns import (
    BLANK,
    BLANKS,
    CONTINUED,
    EITHER_END,
    EOL,
    GLUED,
    INSERT_HEAD,
    INSERT_ONE,
    INSERT_ROW,
    NAMES,
    TOKEN,
    VARIABLE,
)
from kisaan_validate.dumps.shape import Shape, ends

LONGEST = 1 << 30
"""PostgreSQL takes no longer statement, so a dump that loads has none."""


class Lexer:
    """Gives the events of a stream of pieces of bytes; see the module for what it raises.

    ``strings`` is standard_conforming_strings; the reader of the events sets it when a SET of it passes.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""
        self._place = 0
        self._ended = False
        self._fresh = True
        self._name = b""
        self._name_tokens: tuple[bytes, ...] = ()
        self.line = 1
        self.strings = True

    # --- the buffer -------------------------------------------------------------------------------------

    def _fill(self, keep: int) -> int:
        """Read more, forgetting what is before ``keep``. Returns how far everything moved."""
        wanted = max(1, len(self._buffer) - keep)
        parts, got = [self._buffer[keep:]], 0
        if wanted > LONGEST:
            raise Smuggled("a statement is longer than PostgreSQL accepts (1 GiB)", self.line)
        # As much again as there is: so a long constant is copied few times.
        while got < wanted:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            parts.append(piece)
            got += len(piece)
        self._buffer = b"".join(parts)
        self._place -= keep
        return keep

    # --- between statements -----------------------------------------------------------------------------

    def events(self) -> Iterator[Event]:
        """The events in their order."""
        while self._between_statements():
            first = self._buffer[self._place : self._place + 2]
            fresh, self._fresh = self._fresh, False
            if first == b"--":
                yield self._comment()
            elif first[:1] == b"\\":
                yield self._command(fresh)
            else:
                sentence = self._sentence()
                if sentence is None:
                    continue
                yield sentence
                last = tuple(token.upper() for token in sentence.tokens[-3:])
                # Any other COPY is refused, so whether rows follow it does not matter.
                if sentence.tokens[:1] == (b"COPY",) and last == (b"FROM", b"STDIN", b";"):
                    yield from self._rows()

    def _between_statements(self) -> bool:
        """Go over blanks to what comes next; whether anything does."""
        while True:
            buffer = self._buffer
            start = self._place
            blank = BLANK.match(buffer, start)
            place = start if blank is None else blank.end()
            self.line += buffer.count(b"\n", start, place)
            self._fresh = self._fresh or EITHER_END.search(buffer, start, place) is not None
            self._place = place
            if place + 2 <= len(buffer) or (self._ended and place < len(buffer)):
                return True
            if self._ended:
                return False
            self._fill(place)

    def _line_end(self) -> int:
        at = 0
        while True:
            match = EITHER_END.search(self._buffer, self._place + at)
            if match is not None:
                return match.start()
            if self._ended:
                return len(self._buffer)
            at = len(self._buffer) - self._place
            self._fill(self._place)

    def _comment(self) -> DumpComment:
        end = self._line_end()
        text = self._buffer[self._place : end]
        self._place = end
        if b"\0" in text:
            raise Smuggled("a comment holds a zero byte", self.line)
        return DumpComment(text, self.line)

    def _command(self, alone: bool) -> Command:
        end = self._line_end()
        text = self._buffer[self._place : end]
        if not alone or not re.fullmatch(
            rb"\\(?:restrict|unrestrict) [A-Za-z0-9]+|\\connect [^\\`\0]+", text
        ):
            word = text[1:].split()[0][:20] if text[1:].split() else b""
            raise Smuggled(f"the command \\{_shown(word)} of psql", self.line)
        self._place = end
        return Command(text, self.line)

    # --- one statement ----------------------------------------------------------------------------------

    def _sentence(self) -> Sentence | None:
        quick = self._quick_insert() if self.strings else None
        if quick is not None:
            return quick
        shape = Shape(self._place, self.line)
        while True:
            kind, text = self._token(shape)
            if kind == "space":
                self.line += text.count(b"\n")
                continue
            if kind in ("comment", "blank"):
                self.line += text.count(b"\n")
                if not shape.tokens and kind == "blank":
                    # A block comment between statements.
                    return None
                continue
            if ends(shape, kind, text, self.line):
                break
            self.line += text.count(b"\n")
        whole = self._buffer[shape.start : self._place]
        lines = whole.count(b"\n")
        if b"\0" in whole:
            raise Smuggled("a statement holds a zero byte", shape.line)
        return Sentence(
            whole, tuple(shape.tokens), shape.line, lines, shape.rows, plain_values=shape.plain_values
        )

    def _quick_insert(self) -> Sentence | None:
        """An INSERT of constants; None if it is anything else, or is not read to its end."""
        if len(self._buffer) - self._place < 1 << 16 and not self._ended:
            self._fill(self._place)
        rows, match = 1, INSERT_ONE.match(self._buffer, self._place)
        head = match
        if match is None:
            head = INSERT_HEAD.match(self._buffer, self._place)
            rows, match = self._many_rows(head)
        if match is None or head is None:
            return None
        if head[1] != self._name:
            self._name, self._name_tokens = head[1], (b"INSERT", b"INTO", *NAMES.findall(head[1]))
        start, line, end = self._place, self.line, match.end()
        text = self._buffer[start:end]
        if b"\0" in text:
            raise Smuggled("a statement holds a zero byte", line)
        lines = text.count(b"\n")
        self.line += lines
        self._place = end
        return Sentence(text, self._name_tokens, line, lines, rows)

    def _many_rows(self, head: re.Match[bytes] | None) -> tuple[int, re.Match[bytes] | None]:
        """The rows of an INSERT, and the match of its last one."""
        match, rows = head, 0
        while match is not None:
            match, rows = INSERT_ROW.match(self._buffer, match.end()), rows + 1
            if match is not None and match[1][-1:] == b";":
                break
        return rows, match

    def _token(self, shape: Shape) -> tuple[str, bytes]:
        """The next token. The buffer may move; ``shape.start`` follows."""
        while True:
            match = TOKEN[self.strings].match(self._buffer, self._place)
            # A token at the end of what was read may go on behind it; four more bytes decide all of them.
            if match is None or (match.end() + 4 > len(self._buffer) and not self._ended):
                if self._ended:
                    raise BrokenOff("a statement")
                self._more(shape)
                continue
            kind, text = str(match.lastgroup), match[0]
            if kind == "open":
                if self._ended:
                    raise BrokenOff("a quoted text")
                self._more(shape)
                continue
            if kind in ("dollar", "block"):
                return self._long(shape, kind, text)
            if kind == "escaped" and self._may_go_on(match.end()):
                self._more(shape)
                continue
            self._place += len(text)
            self._check(kind, text)
            return kind, text

    def _more(self, shape: Shape) -> None:
        shape.start -= self._fill(shape.start)

    def _may_go_on(self, end: int) -> bool:
        """Refuse E'…' that goes on behind a line end, where versions of psql differ. True: more must be read
        to see whether it does.
        """
        if CONTINUED.match(self._buffer, end):
            raise Smuggled("an E'…' constant that is continued on the next line", self.line)
        return not self._ended and BLANKS.fullmatch(self._buffer, end) is not None

    def _check(self, kind: str, text: bytes) -> None:
        follows = self._buffer[self._place : self._place + 1]
        if kind == "unicode":
            raise Smuggled("a U& escape, which pg_dump does not write", self.line)
        if kind == "number" and GLUED.match(follows):
            raise Smuggled("a number that runs into a name or a quote", self.line)
        if kind == "variable" and VARIABLE.match(text + follows):
            raise Smuggled("a variable of psql", self.line)
        if kind == "backslash":
            while len(self._buffer) - self._place < 20 and not self._ended:
                self._fill(self._place)
            word = re.match(rb"[!-~]{0,20}", self._buffer[self._place : self._place + 20])
            raise Smuggled(f"the command \\{_shown(word[0] if word else b'')} of psql", self.line)
        if kind == "other":
            raise Smuggled(f"the character {text!r} outside of quotes", self.line)

    def _long(self, shape: Shape, kind: str, opening: bytes) -> tuple[str, bytes]:
        """A dollar quote or a block comment, to its end."""
        looked = len(opening)
        depth = 1
        while True:
            if kind == "dollar":
                found = self._buffer.find(opening, self._place + looked)
                if found >= 0:
                    end = found + len(opening)
                    break
                looked = max(looked, len(self._buffer) - self._place - len(opening))
            else:
                match = re.compile(rb"/\*|\*/").search(self._buffer, self._place + looked)
                if match is not None:
                    looked = match.end() - self._place
                    depth += 1 if match[0] == b"/*" else -1
                    if depth == 0:
                        end = match.end()
                        break
                    continue
                looked = max(looked, len(self._buffer) - self._place - 1)
            if self._ended:
                raise BrokenOff("a text between dollar signs" if kind == "dollar" else "a comment")
            self._more(shape)
        text = self._buffer[self._place : end]
        self._place = end
        return ("dollar", text) if kind == "dollar" else ("blank", text)

    # --- rows of COPY -----------------------------------------------------------------------------------

    def _rows(self) -> Iterator[RowPiece]:
        """The rows behind a COPY … FROM stdin, from the next line on to ``\\.``."""
        while not re.compile(rb"[ \t]*\r?\n").match(self._buffer, self._place):
            if self._ended or len(self._buffer) - self._place > 80:
                raise Smuggled("something behind COPY … FROM stdin; on its line", self.line)
            self._fill(self._place)
        self._place = self._buffer.index(b"\n", self._place)
        # Stand on the line end before the rows, so that the end of no rows at all is found as any other.
        while True:
            match = EOL.search(self._buffer, self._place)
            end = match.end() if match else len(self._buffer) - 4
            data = self._buffer[self._place : max(end, self._place)]
            lines = data.count(b"\n")
            if b"\0" in data:
                raise Smuggled("rows hold a zero byte", self.line)
            if match or lines:
                self._place += len(data)
                self.line += lines
                yield RowPiece(data, lines, last=match is not None)
            if match:
                return
            if self._ended:
                raise BrokenOff("the rows of a COPY")
            self._fill(self._place)


def _shown(text: bytes) -> str:
    return "".join(c if c.isprintable() else "�" for c in text.decode("utf-8", "replace"))
