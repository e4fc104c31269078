"""Names of relations and columns as text: how they are written, and how they are read back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


TableKey = tuple[str, str]
"""(schema, name), exactly as in the catalogue."""

_LISTED = re.compile(r'("(?:[^"]|"")*")(?:, |$)', re.S)
_QUOTED_LAST = re.compile(r'(?P<title>.*)\.(?P<column>"(?:[^"]|"")*")', re.S)
_ON_QUOTED = re.compile(r'(?P<who>.*) on column (?P<column>"(?:[^"]|"")*")', re.S)
_LAST = re.compile(r'(?P<table>.*)\.(?P<column>"(?:[^"]|"")*"|[^."]*)', re.S)


def split_name(name: str) -> TableKey:
    """Split a declared ``table`` or ``schema.table`` into (schema or "", table).

    Names are taken as written, without folding to lower case. A part that contains a dot is quoted as in SQL:
    ``"odd.schema"."odd.table"``.
    """
    parts: list[str] = []
    rest = name
    while rest:
        if rest.startswith('"'):
            end = 1
            # A doubled quote stands for one quote inside the name.
            while (end := rest.find('"', end)) != -1 and rest[end + 1 : end + 2] == '"':
                end += 2
            # An unfinished quote is taken as written: somebody's name may begin with one.
            if end == -1:
                parts.append(rest)
                break
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].removeprefix(".")
        else:
            part, _, rest = rest.partition(".")
            parts.append(part)
    # A table's own name may hold dots, so everything behind the schema is one name.
    if len(parts) > 1:
        return parts[0], ".".join(parts[1:])
    return "", parts[0] if parts else ""


def split_column(text: str) -> tuple[str, str]:
    """``table.column`` or ``schema.table.column`` as (table as written, column's own name); ("", name)
    without a table.
    """
    match = _LAST.fullmatch(text)
    table, column = (match["table"], match["column"]) if match else ("", text)
    return table, _plain(column)


# --- names within one text: quoted as in SQL where they begin with a quote, or hold what parts them ---------


def within(name: str, sign: str) -> str:
    """A name as it stands in a text beside others, from which ``sign`` parts it."""
    # Only where needed, because titles are shown to people and kept in records.
    if sign in name or name.startswith('"'):
        return '"' + name.replace('"', '""') + '"'
    return name


def split_titles(text: str) -> list[str]:
    """The titles of a list such as that of a table's parents; what an older record did not quote is taken
    as it is.
    """
    titles, rest = [], text
    while rest:
        if match := _LISTED.match(rest):
            # A list of before names were quoted has none of them quoted.
            titles.append(_plain(match[1]))
            rest = rest[match.end() :]
        else:
            title, _, rest = rest.partition(", ")
            titles.append(title)
    return titles


def joined_titles(titles: Iterable[str]) -> str:
    """Titles as one list."""
    return ", ".join(within(title, ", ") for title in titles)


def column_place(title: str, column: str) -> str:
    """A column as one text."""
    return f"{title}.{within(column, '.')}"


def split_place(text: str) -> tuple[str, str]:
    """What ``column_place`` made of a title and a column."""
    # A quoted column may hold a dot, so it is looked for first.
    if match := _QUOTED_LAST.fullmatch(text):
        return match["title"], _plain(match["column"])
    title, _, column = text.rpartition(".")
    return title, column


def split_grant(name: str) -> tuple[str, str]:
    """The name of a grant on a column, as (who, column); ("", name) for one on a whole table."""
    if match := _ON_QUOTED.fullmatch(name):
        return match["who"], _plain(match["column"])
    # The last " on column ": a role's name may hold these words.
    who, on, column = name.rpartition(" on column ")
    return (who, column) if on else ("", name)


def _plain(name: str) -> str:
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        return name[1:-1].replace('""', '"')
    return name
