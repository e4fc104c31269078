r"""Splits a stream of SQL into statements and rows of COPY exactly where psql would.

What psql takes for a statement's end decides what it runs, so each rule here is one of ``psqlscan.l``: quotes,
nested comments, dollar quotes, ``;`` inside brackets and inside the BEGIN … END of a function. Where versions
of psql differ, or psql and the server might, the text is refused; pg_dump writes none of it: U& escapes, a
constant continued on the next line, a number that runs into a name, psql's variables, control characters.
A backslash outside of quotes is a command of psql. Only ``\restrict``, ``\unrestrict`` and ``\connect`` are
given on, as :class:`Command`; any other is refused.

Rows of COPY pass as large pieces, never line by line.

What is left: a function that the restore runs (a CHECK, an index) may change
``standard_conforming_strings`` or ``client_encoding`` for its session, and psql would then split otherwise
than we do. That can hide SQL from the list of what was left out. It gains nothing else: commands of psql
stay forbidden by our own ``\restrict``, and the role is no superuser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LONGEST = 1 << 30
"""PostgreSQL takes no longer statement, so a dump that loads has none."""


class BrokenOff(Exception):
    """The text ends within a statement, a quote or rows. ``args[0]`` says within what, in words."""


class Smuggled(Exception):
    """Text that pg_dump does not write and that might be read in two ways, or a command of psql."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line}: {what}")
        self.what, self.line = what, line


@dataclass(frozen=True)
class DumpComment:
    """A comment between statements, without its line end."""

    text: bytes
    line: int


@dataclass(frozen=True)
class Command:
    """A backslash command on a line of its own, between statements."""

    text: bytes
    line: int


@dataclass(frozen=True)
class Sentence:
    """One statement with its semicolon. ``tokens``: words, quoted names, constants and marks, in order, without
    comments; of an INSERT only those before its values. ``rows``: how many rows an INSERT has.
    """

    text: bytes
    tokens: tuple[bytes, ...]
    line: int
    lines: int
    rows: int = 0
    plain_values: bool = True
    """Of an INSERT: whether its values are constants alone."""


@dataclass(frozen=True)
class RowPiece:
    """A piece of the rows of COPY, with the number of line ends in it. The last piece ends with ``\\.``."""

    data: bytes
    lines: int
    last: bool = False


Event = DumpComment | Command | Sentence | RowPiece

_NAME = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*"
_PLAIN = rb"'[^']*+'"
_ESCAPED = rb"'(?:[^'\\]++|\\.|'')*+'"
_REST = (
    rb"""
  (?P<space>[ \t\n\r\f]++)
| (?P<comment>--[^\n\r]*+)
| (?P<block>/\*)
| (?P<escaped>[eE]"""
    + _ESCAPED
    + rb""")
| (?P<string>%s)
| (?P<bits>[bBxX]'[^']*+')
| (?P<quoted>"[^"]*+")
| (?P<open>[eEbBxX]?'|"|\$[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+\Z)
| (?P<unicode>[uU]&['"])
| (?P<word>"""
    + _NAME
    + rb""")
| (?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?\$)
| (?P<number>(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|\$\d++)
| (?P<cast>::|:=)
| (?P<variable>:(?=[A-Za-z0-9_\x80-\xff'"{]))
| (?P<mark>[-+*/<>=~!@\#%%^&|`?.,\[\]():;])
| (?P<backslash>\\)
| (?P<other>.)
"""
)
_TOKEN = {
    True: re.compile(_REST % _PLAIN, re.VERBOSE | re.DOTALL),
    False: re.compile(_REST % _ESCAPED, re.VERBOSE | re.DOTALL),
}
_GLUED = re.compile(rb"[A-Za-z0-9_$'\"\x80-\xff]")
_CONTINUED = re.compile(rb"(?:[ \t\f]|--[^\n\r]*+)*+[\n\r](?:[ \t\n\r\f]|--[^\n\r]*+[\n\r])*+'")
_BLANKS = re.compile(rb"(?:[ \t\n\r\f]|--[^\n\r]*+)*+-?")

# INSERTs of constants, as --inserts writes them: a match or two instead of a token at a time. Only while
# standard_conforming_strings is on: then a constant ends at its next single quote.
_VALUE = rb"(?:(?:'[^']*+')++|-?[0-9][0-9.]*+(?:[eE][-+]?[0-9]++)?|NULL|true|false|DEFAULT|B'[01]*+')"
_ID = rb'(?:(?:"[^"]*+")++|[a-z_][a-z0-9_]*+)'
_HEAD = (
    rb"INSERT INTO (" + _ID + rb"(?:\." + _ID + rb")?) (?:\(" + _ID + rb"(?:, " + _ID + rb")*+\) )?"
    rb"(?:OVERRIDING SYSTEM VALUE )?VALUES[ \n]\t?"
)
_ROW = rb"\(" + _VALUE + rb"(?:, " + _VALUE + rb")*+\)"
_TAIL = rb"(?: ON CONFLICT DO NOTHING)?;"
_INSERT_ONE = re.compile(_HEAD + _ROW + _TAIL)
_INSERT_HEAD = re.compile(_HEAD)
_INSERT_ROW = re.compile(_ROW + rb"(,\n\t|" + _TAIL + rb")")
_NAMES = re.compile(rb'"[^"]*+"|\.|[^".]++')
_BLANK = re.compile(rb"[ \t\n\r\f]++")
_EITHER_END = re.compile(rb"[\n\r]")
_EOL = re.compile(rb"\n\\\.\r?\n")
_VARIABLE = re.compile(rb":[A-Z_'\"{]")


@dataclass
class _Shape:
    """What psql keeps of a statement while it looks for the end, and what is seen of it for its kind."""

    start: int
    line: int
    tokens: list[bytes] = field(default_factory=list)
    depth: int = 0
    blocks: list[bytes] = field(default_factory=list)
    words: list[bytes] = field(default_factory=list)
    begun: bool = False
    atomic: bool = False
    values: bool = False
    rows: int = 0
    plain_values: bool = True

    @property
    def insert(self) -> bool:
        """Whether it is an INSERT."""
        return self.tokens[:1] == [b"INSERT"]

    @property
    def makes_function(self) -> bool:
        """Whether it begins as psql's rule for CREATE [OR REPLACE] FUNCTION or PROCEDURE wants it."""
        made = self.words[:4]
        if made[:3] == [b"create", b"or", b"replace"]:
            made = [b"create", *made[3:]]
        return made[:1] == [b"create"] and made[1:2] in ([b"function"], [b"procedure"])


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
                if sentence.tokens[:1] == (b"COPY",):
                    # Refused kinds of COPY end the reader's work before this.
                    yield from self._rows()

    def _between_statements(self) -> bool:
        """Go over blanks to what comes next; whether anything does."""
        while True:
            buffer = self._buffer
            start = self._place
            blank = _BLANK.match(buffer, start)
            place = start if blank is None else blank.end()
            self.line += buffer.count(b"\n", start, place)
            self._fresh = self._fresh or _EITHER_END.search(buffer, start, place) is not None
            self._place = place
            if place + 2 <= len(buffer) or (self._ended and place < len(buffer)):
                return True
            if self._ended:
                return False
            self._fill(place)

    def _line_end(self) -> int:
        at = 0
        while True:
            match = _EITHER_END.search(self._buffer, self._place + at)
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
        shape = _Shape(self._place, self.line)
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
            if _ends(shape, kind, text, self.line):
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
        rows, match = 1, _INSERT_ONE.match(self._buffer, self._place)
        if match is None:
            rows, match = self._many_rows()
        if match is None:
            return None
        start, line, end = self._place, self.line, match.end()
        text = self._buffer[start:end]
        if b"\0" in text:
            raise Smuggled("a statement holds a zero byte", line)
        lines = text.count(b"\n")
        self.line += lines
        self._place = end
        return Sentence(text, _insert_tokens(_INSERT_HEAD.match(text)), line, lines, rows)

    def _many_rows(self) -> tuple[int, re.Match[bytes] | None]:
        """The rows of an INSERT, and the match of its last one."""
        match, rows = _INSERT_HEAD.match(self._buffer, self._place), 0
        while match is not None:
            match, rows = _INSERT_ROW.match(self._buffer, match.end()), rows + 1
            if match is not None and match[1][-1:] == b";":
                break
        return rows, match

    def _token(self, shape: _Shape) -> tuple[str, bytes]:
        """The next token. The buffer may move; ``shape.start`` follows."""
        while True:
            match = _TOKEN[self.strings].match(self._buffer, self._place)
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

    def _more(self, shape: _Shape) -> None:
        shape.start -= self._fill(shape.start)

    def _may_go_on(self, end: int) -> bool:
        """Refuse E'…' that goes on behind a line end, where versions of psql differ. True: more must be read to
        see whether it does.
        """
        if _CONTINUED.match(self._buffer, end):
            raise Smuggled("an E'…' constant that is continued on the next line", self.line)
        return not self._ended and _BLANKS.fullmatch(self._buffer, end) is not None

    def _check(self, kind: str, text: bytes) -> None:
        follows = self._buffer[self._place : self._place + 1]
        if kind == "unicode":
            raise Smuggled("a U& escape, which pg_dump does not write", self.line)
        if kind == "number" and _GLUED.match(follows):
            raise Smuggled("a number that runs into a name or a quote", self.line)
        if kind == "variable" and _VARIABLE.match(self._buffer, self._place - 1):
            raise Smuggled("a variable of psql", self.line)
        if kind == "backslash":
            word = re.match(rb"[!-~]{0,20}", self._buffer[self._place : self._place + 20])
            raise Smuggled(f"the command \\{_shown(word[0] if word else b'')} of psql", self.line)
        if kind == "other":
            raise Smuggled(f"the character {text!r} outside of quotes", self.line)

    def _long(self, shape: _Shape, kind: str, opening: bytes) -> tuple[str, bytes]:
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
            match = _EOL.search(self._buffer, self._place)
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


def _insert_tokens(head: re.Match[bytes] | None) -> tuple[bytes, ...]:
    """INSERT INTO and the name, as the tokens that they are."""
    return (b"INSERT", b"INTO", *_NAMES.findall(head[1] if head else b""))


def _ends(shape: _Shape, kind: str, text: bytes, line: int) -> bool:
    """Take note of a token; whether the statement ends with it. psql's own rules."""
    if shape.begun:
        shape.begun, shape.atomic = False, text.lower() == b"atomic"
    if kind == "word":
        _note_word(shape, text.lower())
    if not shape.values:
        shape.tokens.append(text.upper() if kind == "word" and not shape.tokens else text)
        if kind == "word" and shape.insert and text.upper() == b"VALUES" and shape.depth == 0:
            shape.values = True
    elif kind not in ("string", "escaped", "bits", "number", "mark"):
        _note_value(shape, kind, text)
    elif text == b"(":
        shape.rows += shape.depth == 0
        shape.plain_values &= shape.depth == 0
    if text == b"(":
        shape.depth += 1
    elif text == b")":
        shape.depth = max(0, shape.depth - 1)
    elif text == b";":
        if shape.depth == 0 and not shape.blocks:
            return True
        _inner_end(shape, line)
    return False


def _note_word(shape: _Shape, word: bytes) -> None:
    # psql keeps the first four words by which it knows a function.
    if len(shape.words) < 4:
        shape.words.append(word)
    if shape.depth or not shape.makes_function:
        return
    if word == b"begin" and not shape.blocks:
        shape.begun = True
    if word == b"begin" or (word == b"case" and shape.blocks):
        shape.blocks.append(word)
    elif word == b"end" and shape.blocks:
        shape.blocks.pop()


def _note_value(shape: _Shape, kind: str, text: bytes) -> None:
    word = text.upper()
    allowed = (
        {b"NULL", b"TRUE", b"FALSE", b"DEFAULT"} if shape.depth else {b"ON", b"CONFLICT", b"DO", b"NOTHING"}
    )
    shape.plain_values &= kind == "word" and word in allowed


def _inner_end(shape: _Shape, line: int) -> None:
    """A ``;`` that does not end the statement for psql: only where it does not for the server either.

    The server splits what psql sends. It takes the same whole for one statement if the ``;`` stands in the
    brackets of a rule's actions, or in the body of a function: BEGIN ATOMIC, outside of any CASE.
    """
    rule = shape.words[:2] == [b"create", b"rule"] or shape.words[:4] == [
        b"create",
        b"or",
        b"replace",
        b"rule",
    ]
    if shape.depth and rule:
        return
    if shape.depth == 0 and shape.blocks == [b"begin"] and shape.atomic:
        return
    raise Smuggled("a statement within another one", line)


def _shown(text: bytes) -> str:
    return "".join(c if c.isprintable() else "�" for c in text.decode("utf-8", "replace"))
