"""What psql keeps of a statement to find its end, and what is seen of it to know its kind."""

from __future__ import annotations

from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.events import Smuggled


@dataclass
class Shape:
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


def ends(shape: Shape, kind: str, text: bytes, line: int) -> bool:
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


def _note_word(shape: Shape, word: bytes) -> None:
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


def _note_value(shape: Shape, kind: str, text: bytes) -> None:
    word = text.upper()
    allowed = (
        {b"NULL", b"TRUE", b"FALSE", b"DEFAULT"} if shape.depth else {b"ON", b"CONFLICT", b"DO", b"NOTHING"}
    )
    shape.plain_values &= kind == "word" and word in allowed


def _inner_end(shape: Shape, line: int) -> None:
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
