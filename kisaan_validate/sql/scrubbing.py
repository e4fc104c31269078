"""Author-written SQL before it is parsed: strings, comments and signs that could hide something."""

from __future__ import annotations

import re

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from kisaan_validate.errors import SuiteError

TEXTS = frozenset(
    {
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.BIT_STRING,
        TokenType.HEX_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.UNICODE_STRING,
        TokenType.NUMBER,
    }
)


# PostgreSQL's lexical structure, as far as it decides what is code: strings, quoted names, comments, all the
# rest.
# Nested block comments are PostgreSQL's; a regular expression cannot count them: see ``_comment_end``.
_LEXEME = re.compile(
    r"""(?P<string>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")|--[^\r\n]*|(?P<block>/\*)|(?P<code>.)""", re.S
)
# $ begins a dollar quote, a backslash an escape; other letters fold differently in two lexers.
_PLAIN = frozenset("\t\n\r" + "".join(chr(c) for c in range(32, 127) if chr(c) not in "$\\`{}'\""))
OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?]+")


def scrubbed(sql: str, origin: str) -> str:
    """``sql`` with comments blanked and the insides of strings made harmless; every position stays where
    it was.

    Two lexers can disagree about dollar quotes, escapes, and what is a space or a letter: whatever could
    make them disagree is refused outside of strings and quoted names, so that nothing hides from the looks
    that follow.
    """
    # libpq ends a text at NUL, and would run only what stands before it.
    if "\x00" in sql:
        raise SuiteError("the SQL contains a NUL character", "", origin)
    parts: list[str] = []
    at = 0
    while match := _LEXEME.match(sql, at):
        text, kind = match[0], match.lastgroup
        if kind == "block":
            # Comments nest in PostgreSQL, unlike in most lexers.
            text = sql[at : _comment_end(sql, at, origin)]
        if kind == "code" and text not in _PLAIN:
            hint = "write strings in '', names with non-ASCII letters in \"\", and no dollar quotes"
            raise SuiteError(f"{text!r} is not allowed outside a string or a quoted name", hint, origin)
        at += len(text)
        if kind == "string":
            # Same length, so that positions hold; letters and digits stay, which some checks look at.
            text = "'" + re.sub(r"[^0-9A-Za-z ]", "x", text[1:-1]) + "'"
        # Line ends stay, so that a parser's line numbers are true.
        parts.append(text if kind in {"string", "name", "code"} else re.sub(r"[^\r\n]", " ", text))
    plain = "".join(parts)
    # U& decodes escapes that no other lexer knows.
    if re.search(r"(?i)(?<!\w)U&['\"]", plain):
        raise SuiteError("U& strings and names are not allowed", "write the characters themselves", origin)
    # A backslash in E'' may end the string earlier or later than it seems.
    if re.search(r"(?i)(?<!\w)E'", plain) and "\\" in sql:
        raise SuiteError("E'' strings with backslashes are not allowed", "write a plain '' string", origin)
    return plain


def _comment_end(sql: str, start: int, origin: str) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    raise SuiteError("a comment is never closed", "", origin)


def tokens_of(sql: str, origin: str) -> list[Token]:
    """The tokens of author-written SQL. Raises SuiteError for what cannot be read."""
    try:
        return list(sqlglot.tokenize(scrubbed(sql, origin), dialect="postgres"))
    # The parser colours its messages for a terminal.
    except SqlglotError as error:
        raise SuiteError(f"not understood as SQL: {first_line(error)}", "", origin) from None


def first_line(error: Exception) -> str:
    """What a parser says, without its own class names: these mean that an operand is missing."""
    if "Required keyword" in str(error):
        return "it is incomplete: a value or a keyword is missing"
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]
