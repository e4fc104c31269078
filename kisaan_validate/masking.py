"""Keeps what a server says of somebody's data from being quoted. Standard library and nouns only."""

from __future__ import annotations

import re
from collections.abc import Collection

from kisaan_validate.model import MASKED


def mask_values(text: str, names: Collection[str]) -> str:
    """The beginning of a server's message, up to where it may begin to quote a person's data.

    That is the first colon, digit, or double quote that does not enclose one of ``names``; the rest is masked as a whole.
    """
    position = 0
    while match := re.compile(r'[:0-9"]').search(text, position):
        quoted = re.compile(r'"([^"]*)"').match(text, match.start())
        if quoted is None or quoted[1] not in names:
            return f"{text[: match.start()].rstrip()} {MASKED}"
        position = quoted.end()
    return text
