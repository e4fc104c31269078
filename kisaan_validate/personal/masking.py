"""Keeps what a server says of somebody's data from being quoted. Standard library and nouns only."""

from __future__ import annotations

import re
from collections.abc import Collection

from kisaan_validate.facts.result import MASKED

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


# 55P03 alone of class 55: others of it speak of objects, and may quote.
OPERATIONAL = ("08", "25", "40", "53", "55P03", "57")
"""What SQLSTATEs begin with that are about servers, sessions and locks: their messages are about no row.
Of limits (54) and files (58) some are: characters and files are named by values."""

COMPOSED = frozenset({"P0", "38", "39"})
"""Classes of what functions raise: whoever wrote the function wrote the message, in whatever form."""


def told_of_rows(text: str, sqlstate: str, names: Collection[str], *, composed: bool = False) -> str:
    """What may be shown of a message about rows with personal values. ``composed``: a function of
    somebody's made it up.
    """
    if sqlstate.startswith(OPERATIONAL):
        return text
    if composed or sqlstate[:2] in COMPOSED:
        # Whoever wrote the function may have put a value anywhere, so nothing of its words is kept.
        return f"a function refused a row {MASKED}"
    return mask_values(text, names)
