"""What a statement is about: its kind, its name, the names and languages in it."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.dumps.kinds import kind_after
from kisaan_validate.dumps.names import (
    Tokens,
    constant,
    identifier,
    is_name,
    name_at,
    names_in,
    unquoted,
    upper,
)


def named_in(tokens: Tokens) -> Iterator[str]:
    """The names with a schema in a statement; of planner statistics, those that stand in its constants."""
    yield from names_in(tokens)
    if upper(tokens, 1, 2) == ("*", "FROM"):
        said = {
            constant(tokens[p - 2]): constant(tokens[p])
            for p in range(2, len(tokens))
            if tokens[p - 1] == b","
        }
        schema, relation = said.get("schemaname"), said.get("relname")
        yield f"{identifier(schema or '')}.{identifier(relation or '')}"


def _depth(tokens: Tokens, place: int) -> int:
    return sum((t == b"(") - (t == b")") for t in tokens[:place])


def constants_alone(arguments: Tokens) -> bool:
    """Whether the rest of a call is constants, casts of them and its end."""
    if upper(arguments, len(arguments) - 2, 2) != (")", ";"):
        return False
    for place, token in enumerate(arguments[:-2]):
        cast = place > 0 and (arguments[place - 1] == b"::" or is_name(arguments[place - 1]))
        plain = token[:1] in b"'0123456789.-+,[]" or token == b"::" or token[:2].lower() == b"e'"
        if not plain and not (is_name(token) and (cast or token.upper() in (b"TRUE", b"FALSE", b"NULL"))):
            return False
    return True


def languages_of(tokens: Tokens) -> list[str]:
    """The languages that a CREATE FUNCTION names."""
    found: list[str] = []
    for place in range(3, len(tokens) - 1):
        before, after = tokens[place - 1], tokens[place + 1]
        if tokens[place].upper() != b"LANGUAGE" or before == b"." or after == b"(":
            continue
        if _depth(tokens, place) == 0:
            found.append((constant(after) or unquoted(after.decode("utf-8", "replace"))).lower())
    return found


def title_of(tokens: Tokens) -> tuple[str, str]:
    """The kind and the name of what a statement is about, as far as its first words say."""
    first = upper(tokens, 0, 1)[0] if tokens else ""
    if first in ("GRANT", "REVOKE"):
        return first, next(iter(names_in(tokens)), "")
    if first in ("COPY", "INSERT"):
        return "rows", name_at(tokens, 1 if first == "COPY" else 2)[0]
    if first == "SELECT":
        start = 3 if upper(tokens, 1, 2) == ("*", "FROM") else 1
        return "call of", name_at(tokens, start)[0]
    start = 2 if first in ("COMMENT", "SECURITY") else 1
    kind = kind_after(tokens, start)
    place = start
    while place < len(tokens) and upper(tokens, place, 1)[0] in {
        "OR",
        "REPLACE",
        "UNIQUE",
        "CONSTRAINT",
        "DEFAULT",
    }:
        place += 1
    place += len(kind.split())
    while place < len(tokens) and upper(tokens, place, 1)[0] in {
        "IF",
        "NOT",
        "EXISTS",
        "ONLY",
        "FOR",
        "UNLOGGED",
    }:
        place += 1
    name = name_at(tokens, place)[0] or "".join(
        t.decode("utf-8", "replace") for t in tokens[place : place + 1]
    )
    said = kind.lower() or first.lower()
    return (f"comment on {said}" if first == "COMMENT" else said), name
