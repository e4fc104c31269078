"""Keeps what a server says of somebody's data from being quoted. Standard library and nouns only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.facts.result import MASKED

if TYPE_CHECKING:
    from kisaan_validate.facts.row_differences import RowChange

# Servers in French, German or Japanese quote in their own way.
_MARKS = '"\u00ab\u00bb\u201c\u201d\u201e\u2018\u2019\u300c\u300d'
_QUOTED = re.compile(rf"[{_MARKS}]\s?([^{_MARKS}]*?)\s?[{_MARKS}]")
"""A name between any language's quotation marks: servers speak the language of their lc_messages."""


def mask_values(text: str, names: Collection[str]) -> str:
    """The beginning of a server's message, up to where it may begin to quote a person's data.

    That is the first sign that is neither a letter, a blank, a comma, a hyphen nor a slash, unless it is a
    quotation mark that encloses one of ``names``; the rest is masked as a whole.
    """
    position = 0
    # A digit or a sign may begin a value; words and blanks cannot hold one yet.
    while match := re.compile(r"[^\w\s,/-]|[\d_]").search(text, position):
        quoted = _QUOTED.match(text, match.start())
        # Only names that are known: a value may stand in the same quotation marks.
        if quoted is None or quoted[1] not in names:
            return f"{text[: match.start()].rstrip()} {MASKED}"
        position = quoted.end()
    return text


# 55P03 alone of class 55: the others name objects, and may quote.
OPERATIONAL = ("08", "25", "40", "53", "55P03", "57")
"""What SQLSTATEs begin with that are about servers, sessions and locks: their messages are about no row.
Of limits (54) and files (58) some are: characters and files are named by values."""

COMPOSED = frozenset({"P0", "38", "39"})
"""Classes of what functions raise: the function's author wrote the message, in any form."""


def told_of_rows(text: str, sqlstate: str, names: Collection[str], *, composed: bool = False) -> str:
    """What may be shown of a message about rows with personal values. ``composed``: a function of
    somebody's made it up.
    """
    if sqlstate.startswith(OPERATIONAL):
        return text
    if composed or sqlstate[:2] in COMPOSED:
        # The function may have put a value anywhere, so nothing of its words is kept.
        return f"a function refused a row {MASKED}"
    return mask_values(text, names)


def masked_change(change: RowChange, key: Sequence[str], personal: Collection[str]) -> RowChange:
    """A row that differs, without the values of ``personal`` columns; ``key`` are the key's columns.

    That a value is NULL is not hidden, but in a key.
    """
    shown = tuple(MASKED if name in personal else value for name, value in zip(key, change.key, strict=True))
    before, after = (_masked_row(row, personal) for row in (change.before, change.after))
    return replace(change, key=shown, before=before, after=after)


def _masked_row(row: Mapping[str, str | None], personal: Collection[str]) -> dict[str, str | None]:
    return {name: MASKED if name in personal and value is not None else value for name, value in row.items()}
