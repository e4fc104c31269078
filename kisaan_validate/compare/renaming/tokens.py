"""The tokens of SQL that a server printed. Pure.

What the server prints is regular: keywords stand in capitals, and a name stands in quotes unless it is
lower-case, has no odd character and is no keyword (PostgreSQL, ``quote_identifier``). So a word in lower
case is a name.
"""

from __future__ import annotations

import re

from kisaan_validate.dataclass import dataclass

# Strings and quotes before words, so that nothing within them is taken for a name.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>(?:[Ee]'(?:[^'\\]|''|\\.)*'|(?:[BbXxNn]|[Uu]&)?'(?:[^']|'')*'))
      | (?P<dollar>(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag))
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[^\W\d][\w$]*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
      | (?P<cast>::)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One token as it was printed. ``name`` is what it names, "" if it is no name; a keyword is none.
    ``start`` and ``end``: where it stands."""

    text: str
    name: str = ""
    start: int = 0
    end: int = 0

    @property
    def keyword(self) -> str:
        """The word in capitals that it is, or ""."""
        # Keywords are printed in capitals; a name in capitals stands in quotes.
        if not self.name and self.text.isidentifier() and self.text.isupper():
            return self.text
        return ""


def tokens_of(sql: str) -> tuple[Token, ...]:
    """The tokens, without what is between them."""
    return tuple(_token(match) for match in _TOKEN.finditer(sql) if match.lastgroup != "space")


def _token(match: re.Match[str]) -> Token:
    text = match[0]
    name = ""
    if match.lastgroup == "quoted":
        name = text[1:-1].replace('""', '"')
    # A word in capitals is a keyword.
    elif match.lastgroup == "word" and not text.isupper():
        name = text
    return Token(text, name, *match.span())


def quoted(name: str) -> str:
    """A name as the server prints it, unless it is a keyword: those are equal to it as names, not as
    texts.
    """
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) is not None
    return name if plain else '"' + name.replace('"', '""') + '"'
