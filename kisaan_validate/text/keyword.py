"""Expressions over names, as ``pytest -k`` takes them: substrings with and, or, not and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

from kisaan_validate.dataclass import dataclass

Test = Callable[[str], bool]
"""Whether a name is meant."""

DEEPEST = 50
"""So many parentheses and nots may stand within each other."""

_TOKEN = re.compile(r"""\s*(?:(?P<sign>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_OPERATORS = frozenset({"and", "or", "not"})


class KeywordError(ValueError):
    """An expression that means nothing. ``args[0]`` says why and where."""


@dataclass(frozen=True)
class _Word:
    """A sign, an operator, or (``name``) a text that names may contain. ``at`` counts from 1."""

    text: str
    at: int
    name: bool = False


def keyword_test(expression: str) -> Test:
    """The test that an expression stands for. Case does not matter; quotes hold blanks and signs together.

    Raises KeywordError.
    """
    parser = _Parser(_tokens(expression), len(expression) + 1)
    test = parser.either(0)
    if parser.next is not None:
        raise parser.wrong("the end, and, or or")
    return test


def _tokens(text: str) -> list[_Word]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            where = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise KeywordError(f"the quote at column {where} is not closed")
        kind = str(match.lastgroup)
        name = kind in {"double", "single"} or (kind == "word" and match["word"] not in _OPERATORS)
        found.append(_Word(match[kind], match.start(kind) + 1, name))
        at = match.end()
    return found


class _Parser:
    """Reads tokens from left to right: or binds weakest, then and, then not."""

    def __init__(self, tokens: list[_Word], end: int) -> None:
        self._tokens, self._end = tokens, end

    @property
    def next(self) -> _Word | None:
        """The token that comes next; None at the end."""
        return self._tokens[0] if self._tokens else None

    def wrong(self, expected: str) -> KeywordError:
        """The error for what comes next."""
        if self.next is None:
            return KeywordError(f"it ends at column {self._end}, where {expected} is expected")
        return KeywordError(
            f"at column {self.next.at} {self.next.text!r} stands where {expected} is expected"
        )

    def _takes(self, sign: str) -> bool:
        if self.next is None or self.next.name or self.next.text != sign:
            return False
        self._tokens.pop(0)
        return True

    def either(self, depth: int) -> Test:
        """What stands between ors."""
        tests = [self._both(depth)]
        while self._takes("or"):
            tests.append(self._both(depth))
        return lambda name: any(test(name) for test in tests)

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._takes("and"):
            tests.append(self._one(depth))
        return lambda name: all(test(name) for test in tests)

    def _one(self, depth: int) -> Test:
        if depth > DEEPEST:
            raise KeywordError(f"more than {DEEPEST} parentheses and nots stand within each other")
        if self._takes("not"):
            inner = self._one(depth + 1)
            return lambda name: not inner(name)
        if self._takes("("):
            inner = self.either(depth + 1)
            if not self._takes(")"):
                raise self.wrong("a closing parenthesis")
            return inner
        if self.next is None or not self.next.name:
            raise self.wrong("a name or part of one")
        text = self._tokens.pop(0).text.lower()
        return lambda name: text in name.lower()
