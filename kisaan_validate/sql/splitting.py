"""A file of SQL cut into its statements, each with its place in the file.

The words are PostgreSQL's lexer's, with ``standard_conforming_strings`` on. Client meta-commands such as
``\\i`` are not SQL: they stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class SqlPiece:
    """One statement without its semicolon. ``offset`` counts characters, ``line`` from 1."""

    text: str
    offset: int
    line: int

    @property
    def first_words(self) -> tuple[str, ...]:
        """Its first words in upper case, at most eight, without comments."""
        words = [word for kind, word, _ in lexemes(self.text) if kind in {"word", "other"}]
        return tuple(word.upper() for word in words[:8])


_LEXEME = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>--[^\r\n]*)
      | (?P<block>/\*)
      | (?P<string>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z))
      | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
      | (?P<name>"(?:[^"]|"")*(?:"|\Z))
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>\d[\w.]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_BLOCK_MARK = re.compile(r"/\*|\*/")


def lexemes(sql: str) -> Iterator[tuple[str, str, int]]:
    """The kind, text and offset of each word, string or sign of SQL; spaces and comments are left out."""
    at = 0
    while at < len(sql):
        found = _LEXEME.match(sql, at)
        assert found is not None  # "other" matches anything
        kind = found.lastgroup or "other"
        start, at = at, _block_end(sql, found.end()) if kind == "block" else found.end()
        if kind not in {"space", "comment", "block"}:
            yield kind, sql[start:at], start


def _block_end(sql: str, at: int) -> int:
    """Where a comment ends that was opened before ``at``: comments nest."""
    depth = 1
    while depth:
        found = _BLOCK_MARK.search(sql, at)
        if found is None:
            return len(sql)
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
    return at


def split_statements(sql: str) -> tuple[SqlPiece, ...]:
    """The statements of SQL, in order. A statement without a semicolon at the end counts; empty ones do
    not.
    """
    pieces: list[SqlPiece] = []
    depth = _Depth()
    start, end = -1, -1
    for kind, text, at in lexemes(sql):
        if kind == "other" and text == ";" and depth.outside:
            if start >= 0:
                pieces.append(_piece(sql, start, end, pieces))
            start, depth = -1, _Depth()
            continue
        start, end = at if start < 0 else start, at + len(text)
        depth.see(kind, text.lower())
    if start >= 0:
        pieces.append(_piece(sql, start, end, pieces))
    return tuple(pieces)


def _piece(sql: str, start: int, end: int, before: list[SqlPiece]) -> SqlPiece:
    # Counted on from the last statement: a file of many would be counted through for each.
    offset, line = (before[-1].offset, before[-1].line) if before else (0, 1)
    return SqlPiece(sql[start:end], start, line + sql.count("\n", offset, start))


class _Depth:
    """Whether a semicolon ends the statement: not in parentheses, nor in the body of a function that is
    written in SQL (BEGIN ATOMIC … END).
    """

    def __init__(self) -> None:
        self._brackets = 0
        self._bodies = 0
        self._words: list[str] = []

    @property
    def outside(self) -> bool:
        return self._brackets <= 0 and self._bodies <= 0

    def see(self, kind: str, text: str) -> None:
        if kind == "other":
            self._brackets += {"(": 1, ")": -1}.get(text, 0)
        elif kind == "word":
            self._see_word(text)

    def _see_word(self, word: str) -> None:
        if len(self._words) < 4:
            self._words.append(word)
        routine = {"function", "procedure"} & set(self._words)
        if self._words[0] != "create" or not routine or self._brackets > 0:
            return
        if word == "begin" or (word == "case" and self._bodies):
            self._bodies += 1
        elif word == "end" and self._bodies:
            self._bodies -= 1


def squeezed(sql: str) -> str:
    """SQL whose spaces and comments do not matter: equal for texts that differ in nothing else."""
    return " ".join(text for _, text, _ in lexemes(sql)).rstrip("; ")
