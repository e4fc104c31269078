"""SQL as PostgreSQL's tokens, as far as :mod:`~kisaan_validate.sql.qualify` needs them."""

from __future__ import annotations

import re
from typing import NamedTuple

from kisaan_validate.errors import KisaanError

# NUL cannot occur in SQL text, so it marks without being mistaken.
MARK = "\x00"
"""Stands around author-written SQL."""


class NotUnderstood(KisaanError):
    """A statement has a construct whose operator or function cannot be named with its schema."""


def unmarked(sql: str) -> str:
    """The same text without the marks of author-written SQL, to be compared or shown as it was written."""
    return sql.replace(MARK, "")


_LEXEME = re.compile(
    r"""(?P<space>(?:\s|--[^\n]*|/\*.*?\*/)+)
      | (?P<author>\x00[^\x00]*\x00)
      | (?P<parameter>%\(\w+\)s)
      | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | [bBxXnN]?'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)?)
      | (?P<cast>::)
      | (?P<operator>[-+*/<>=~!@\#%^&|`?]+)
      | (?P<sign>[()\[\],;.:])""",
    re.S | re.X,
)


class SqlToken(NamedTuple):
    """One token: what stands before it (blanks, remarks), its kind, its text, and the word it is if it is
    a bare one.
    """

    space: str
    kind: str
    text: str
    word: str = ""


def tokens_of(sql: str) -> list[SqlToken]:
    """The tokens of a text, an empty one last. Raises NotUnderstood."""
    found: list[SqlToken] = []
    at, space = 0, ""
    while at < len(sql):
        match = _LEXEME.match(sql, at)
        if match is None:
            raise NotUnderstood(f"cannot be parsed: {sql[at : at + 20]!r}")
        text, kind = match[0], str(match.lastgroup)
        # The lexeme takes the whole run; PostgreSQL may read less of it as one operator.
        if kind == "operator":
            text = _operator(text)
        at += len(text)
        if kind == "space":
            space += text
            continue
        found.append(SqlToken(space, kind, text, text.lower() if kind == "word" else ""))
        space = ""
    # An empty token at the end, so that looking ahead needs no test for it.
    found.append(SqlToken(space, "", ""))
    return found


def _operator(run: str) -> str:
    """The first operator in a run of operator characters: a remark ends it, and + or - only ends one with
    certain others.
    """
    for remark in ("--", "/*"):
        # ``or run``: a run that begins with a remark is an operator up to it, not an empty text.
        run = run.split(remark)[0] or run
    # PostgreSQL's rule: + or - ends an operator only if one of these signs is in it.
    while len(run) > 1 and run[-1] in "+-" and not set(run) & set("~!@#%^&|`?"):
        run = run[:-1]
    return run
