"""Texts that a server prints from its own trees (views, checks, defaults, indexes, …), compared by what
they mean.

Two prints of one query can differ. From 16 on PostgreSQL leaves out the name of the only relation of a
query; a dump that is restored casts each element of an array where the original cast the array, and joins
nested ORs. :func:`canonical` undoes exactly that, on tokens; what it does is justified at each step by
what ``ruleutils.c`` prints and the parser reads, never by a guess. Texts that are still not alike say
different things if one version printed both. If two versions did, either that, or there is another way to
print: see :func:`likeness`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

Tokens = tuple[str, ...]


class TextLikeness(StrEnum):
    """What two printed texts are to each other."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "could not be compared"


def likeness(before: str, after: str, *, one_version: bool) -> TextLikeness:
    """Whether two texts were printed from equal trees.

    ``one_version``: servers of one major version printed both, so a difference of the text is one of the
    tree. Of several versions it is one if a constant or a name stands in one text only, which no way of
    printing changes; else nobody knows.
    """
    old, new = canonical(before), canonical(after)
    if old == new:
        return TextLikeness.SAME
    # They differ only by the casts of an array of arrays, which both ways of printing may mean.
    if _canonical(before, of_arrays=True) == _canonical(after, of_arrays=True):
        return TextLikeness.UNCLEAR
    # A constant or name of one side alone is a difference in any version.
    if one_version or _constants(old) != _constants(new) or _foreign(old, new) or _foreign(new, old):
        return TextLikeness.DIFFERENT
    return TextLikeness.UNCLEAR


def canonical(text: str) -> Tokens:
    """The tokens of a printed text, such that both ways to print a tree give the same. Blanks and line
    ends do not count.
    """
    return _canonical(text, of_arrays=False)


def _canonical(text: str, *, of_arrays: bool) -> Tokens:
    # From the inside out: a cast of elements may stand in a chain, and a chain in a query.
    return _unqualified(_flattened(_elementwise(_tokens(text), of_arrays)))


# --- tokens -----------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""
    (?:[EeBbXx]|[Uu]&)?'(?:[^']|'')*'        # a constant; ruleutils doubles both quotes and backslashes
    | (?:[Uu]&)?"(?:[^"]|"")*"               # a quoted name
    | \d+(?:\.\d+)?(?:[eE][-+]?\d+)?
    | [^\W\d][\w$]*
    | [-+*/<>=~!@\#%^&|`?]+                  # an operator
    | :: | :=
    | \S
    """,
    re.VERBOSE,
)
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")


def _tokens(text: str) -> Tokens:
    return tuple(_TOKEN.findall(text))


def _is_name(token: str) -> bool:
    """Whether a token is a name. What ``ruleutils`` prints in capitals is a keyword: it quotes every name
    that has one.
    """
    return token.startswith('"') or (
        (token[:1].isalpha() or token[:1] == "_") and token == token.lower() and "'" not in token
    )


def _is_constant(token: str) -> bool:
    return token.endswith("'") or token[:1].isdigit()


def _end(tokens: Sequence[str], start: int) -> int:
    """Where the bracket that opens at ``start`` closes; the end of the text if it never does."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place] in _OPENING) - (tokens[place] in _CLOSING)
        if depth == 0:
            # An unbalanced text ends the last part; it comes back unchanged.
            return place
    return len(tokens)


def _parts(tokens: Tokens, mark: str = ",") -> Iterator[Tokens]:
    """What commas (or another mark) outside of brackets separate."""
    start = place = 0
    while place < len(tokens):
        if tokens[place] in _OPENING:
            place = _end(tokens, place)
        elif tokens[place] == mark:
            yield tokens[start:place]
            start = place + 1
        place += 1
    yield tokens[start:]


# --- a cast of an array is a cast of its elements ---------------------------------------------------------


def _elementwise(tokens: Tokens, of_arrays: bool) -> Tokens:
    """``(ARRAY[a, b])::text[]`` as ``ARRAY[(a)::text, (b)::text]``: what the parser makes of the former
    (transformArrayExpr).

    ``of_arrays``: as if the elements were arrays, each of which is then cast to ``text[]``. The text does
    not tell.
    """
    made: list[str] = []
    place = 0
    while place < len(tokens):
        if tokens[place : place + 3] == ("(", "ARRAY", "["):
            closing = _end(tokens, place + 2)
            # Without a cast behind it the brackets mean something else, and stay.
            type_, after = _element_type(tokens, closing + 1)
            inner = _elementwise(tokens[place + 3 : closing], of_arrays)
            if type_:
                made += _cast(("ARRAY", "[", *inner, "]"), (*type_, "[", "]") if of_arrays else type_)
                place = after
                continue
        made.append(tokens[place])
        place += 1
    return tuple(made)


def _element_type(tokens: Tokens, place: int) -> tuple[Tokens, int]:
    """The element type of the array type to which ``)::type[]`` at ``place`` casts, and where it ends; ()
    if there is none.
    """
    if tokens[place : place + 2] != (")", "::"):
        return (), place
    start = place = place + 2
    # A type may have a schema, and a length in brackets.
    while place < len(tokens) and (_is_name(tokens[place]) or tokens[place] in {".", "("}):
        place = _end(tokens, place) + 1 if tokens[place] == "(" else place + 1
    if tokens[place : place + 2] != ("[", "]"):
        return (), place
    return tokens[start:place], place + 2


def _cast(array: Tokens, type_: Tokens) -> Tokens:
    """An array constructor, with each of its elements cast; of arrays of arrays, each of theirs."""
    made: list[str] = []
    for part in _parts(array[2:-1]) if len(array) > 3 else ():
        # Of arrays of arrays the elements are cast, not the arrays between.
        nested = part[:2] == ("ARRAY", "[") and _end(part, 1) == len(part) - 1
        made += [",", *(_cast(part, type_) if nested else ("(", *part, ")", "::", *type_))]
    return ("ARRAY", "[", *made[1:], "]")


# --- a chain of ANDs or ORs needs no brackets -------------------------------------------------------------


def _flattened(tokens: Tokens) -> Tokens:
    """``((a OR b) OR c)`` as ``(a OR b OR c)``: the parser makes one chain (makeOrExpr), and both
    are the same.
    """
    made: list[str] = []
    place = 0
    while place < len(tokens):
        if tokens[place] not in _OPENING:
            made.append(tokens[place])
            place += 1
            continue
        closing = _end(tokens, place)
        inner = _flattened(tokens[place + 1 : closing])
        made += [tokens[place], *_chain(inner), *tokens[closing : closing + 1]]
        place = closing + 1
    return tuple(made)


def _chain(inner: Tokens) -> Tokens:
    """The inside of brackets, without the brackets of links that are chains of the same word."""
    for word in ("OR", "AND"):
        links = list(_parts(inner, word))
        # One chain of the same word; brackets between different words decide which binds first.
        if len(links) > 1:
            made = [
                piece for link in links for piece in (word, *(link[1:-1] if _is_chain(link, word) else link))
            ]
            return tuple(made[1:])
    return inner


def _is_chain(link: Tokens, word: str) -> bool:
    """Whether a link is in brackets as a whole, and holds a chain of this word and nothing else."""
    if link[:1] != ("(",) or _end(link, 0) != len(link) - 1:
        return False
    top = {link[place] for place, depth in _depths(link) if depth == 1}
    # CASE and queries have ANDs and ORs of their own.
    return word in top and not top & ({"AND", "OR", "CASE", *_QUERY} - {word})


# --- the only relation of a query needs no name -----------------------------------------------------------

_AFTER_FROM = frozenset({"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR"})
_SEVERAL = frozenset({"UNION", "INTERSECT", "EXCEPT", "JOIN", ","})
_QUERY = frozenset({"SELECT", "WITH", "VALUES"})
_NO_COLUMN_AFTER = frozenset({"::", ".", "COLLATE"})


def _unqualified(tokens: Tokens) -> Tokens:
    """A query over one relation, without that relation's name before its columns.

    Before 16 every column had it; from 16 on only where the relation is not the only one, or in a nested
    query (which is left alone here). A name without one can then mean nothing else, so no two queries
    become alike.
    """
    found = _only_relation(tokens)
    if found is None:
        return tokens
    name, start, end = found
    made: list[str] = []
    place = 0
    while place < len(tokens):
        # Nested queries keep their names: with more than one relation in sight they mean something.
        if start <= place < end or (
            tokens[place] == "(" and tokens[place + 1 : place + 2] and tokens[place + 1] in _QUERY
        ):
            stop = end if start <= place < end else _end(tokens, place) + 1
            made += tokens[place:stop]
            place = stop
            continue
        if not _qualifies(tokens, place, name):
            made.append(tokens[place])
            place += 1
            continue
        place += 2
    return tuple(made)


def _qualifies(tokens: Tokens, place: int, name: str) -> bool:
    """Whether ``name .`` stands here before a column's name, and not before that of a type, an operator or
    a function.
    """
    if tokens[place] != name or tokens[place + 1 : place + 2] != (".",):
        return False
    before, column, after = (
        tokens[p] if 0 <= p < len(tokens) else "" for p in (place - 1, place + 2, place + 3)
    )
    # OPERATOR(schema.=) is no column of a relation called "schema".
    of_operator = tokens[max(place - 2, 0) : place] == ("OPERATOR", "(")
    return _is_name(column) and after != "(" and before not in _NO_COLUMN_AFTER and not of_operator


def _only_relation(tokens: Tokens) -> tuple[str, int, int] | None:
    """The name of the only relation of a query, and where it is said (start, end); None if there are
    several, or no query.
    """
    top = [place for place, depth in _depths(tokens) if depth == 0]
    words = [tokens[place] for place in top]
    begins = [
        at for at, word in enumerate(words) if word == "FROM" and words[at - 1] != "ROWS"
    ]  # FROM ROWS FROM(…)
    # FROM inside a function's brackets (extract, trim) is not at the top level, so it is not counted.
    if words[:1] not in (["SELECT"], ["WITH"]) or words.count("SELECT") != 1 or len(begins) != 1:
        return None
    (begin,) = begins
    stop = next((at for at in range(begin, len(words)) if words[at] in _AFTER_FROM), len(words))
    if (
        _SEVERAL & set(words[begin:stop])
        # IS DISTINCT FROM compares, and begins no list of relations.
        or words[begin - 1] == "DISTINCT"
        or {"UNION", "INTERSECT", "EXCEPT"} & set(words)
    ):
        return None
    start, end = top[begin] + 1, top[stop] if stop < len(top) else len(tokens)
    name = _name_in(tokens[start:end])
    return (name, start, end) if name else None


def _name_in(item: Tokens) -> str:
    """By which name a query calls the one item of its FROM: the last outside of brackets; "" for joins in
    brackets.
    """
    sampled = item.index("TABLESAMPLE") if "TABLESAMPLE" in item else len(item)
    # The alias stands last; without one the name does.
    names = [item[place] for place, depth in _depths(item[:sampled]) if depth == 0 and _is_name(item[place])]
    return names[-1] if names else ""


def _depths(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(place, in how many brackets it stands) of each token; a bracket stands outside of itself."""
    depth = 0
    for place, token in enumerate(tokens):
        depth -= token in _CLOSING
        yield place, depth
        depth += token in _OPENING


# --- what no way of printing changes ----------------------------------------------------------------------


def _constants(tokens: Iterable[str]) -> set[str]:
    return {token for token in tokens if _is_constant(token)}


def _names(tokens: Iterable[str]) -> set[str]:
    return {token.strip('"') for token in tokens if _is_name(token)}


def _foreign(tokens: Iterable[str], others: Iterable[str]) -> set[str]:
    """Names that only the first text has. Not those that a server makes up to tell two relations apart
    (``t_1`` beside ``t``).
    """
    known = _names(others)
    # PostgreSQL numbers a repeated name, so "t_1" is no name of anybody's.
    return {name for name in _names(tokens) - known if re.sub(r"(_\d+)+$", "", name) not in known}
