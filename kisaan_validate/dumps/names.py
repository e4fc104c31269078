"""Names of objects and roles in the tokens of a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Tokens = Sequence[bytes]


def upper(tokens: Tokens, start: int = 0, count: int = 6) -> tuple[str, ...]:
    """Up to ``count`` tokens in capitals, for comparing keywords; quoted names keep their quotes."""
    return tuple(t.decode("utf-8", "replace").upper() for t in tokens[start : start + count])


def is_name(token: bytes) -> bool:
    """Whether a token is a word or a quoted name."""
    return token[:1] == b'"' or token[:1].isalpha() or token[:1] == b"_" or token[:1] >= b"\x80"


def name_at(tokens: Tokens, place: int) -> tuple[str, int]:
    """The name that begins at ``place``, as written with its schema, and where it ends; "" if none does."""
    parts: list[bytes] = []
    while place < len(tokens) and is_name(tokens[place]):
        parts.append(tokens[place])
        place += 1
        # A quoted name with quotes in it comes in pieces.
        while place < len(tokens) and tokens[place][:1] == b'"' and parts[-1][-1:] == b'"':
            parts[-1] += tokens[place]
            place += 1
        if tokens[place : place + 1] != (b".",):
            break
        parts.append(b".")
        place += 1
    return b"".join(parts).decode("utf-8", "replace"), place


def names_in(tokens: Tokens) -> Iterator[str]:
    """All names with a schema."""
    place = 0
    while place < len(tokens):
        if not is_name(tokens[place]):
            place += 1
            continue
        name, place = name_at(tokens, place)
        if "." in name:
            yield name


def unquoted(name: str) -> str:
    """The name that an identifier means."""
    if name[:1] == '"' and name[-1:] == '"':
        return name[1:-1].replace('""', '"')
    return name.lower()


def quoted(name: str) -> str:
    """A name as an identifier, always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def identifier(name: str) -> str:
    """A name as pg_dump writes it, unless it is a keyword: quoted only if it must be."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else quoted(name)


def constant(token: bytes) -> str | None:
    """The text of a constant in plain quotes, None if it is another token. A quote within comes as two
    tokens, so it is cut there.
    """
    if token[:1] == b"'" and token[-1:] == b"'":
        return token[1:-1].decode("utf-8", "replace")
    return None


def find_word(tokens: Tokens, *words: str, start: int = 0) -> int:
    """Where these words stand in a row outside of brackets, -1 if they do not."""
    depth = 0
    wanted = tuple(word.encode() for word in words)
    for place in range(start, len(tokens)):
        depth += (tokens[place] == b"(") - (tokens[place] == b")")
        found = tuple(t.upper() for t in tokens[place : place + len(wanted)])
        if depth == 0 and found == wanted:
            return place
    return -1


def roles_after(tokens: Tokens, place: int) -> list[str]:
    """The roles in the list that begins at ``place``: names and commas. PUBLIC is not a role."""
    roles: list[str] = []
    while place < len(tokens):
        place += upper(tokens, place, 1) == ("GROUP",)
        name, place = name_at(tokens, place)
        if not name:
            break
        roles += [unquoted(name)] if name.upper() != "PUBLIC" else []
        if tokens[place : place + 1] != (b",",):
            break
        place += 1
    return roles
