"""What may be shown of a server's or a program's words: no values of rows, no passwords, one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kisaan_validate.facts.result import MASKED

if TYPE_CHECKING:
    import psycopg2

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
_URL = re.compile(r"(postgres(?:ql)?(?:\+\w+)?://[^\s:@/]+):[^\s@]+@")
_ASSIGNED = re.compile(r"(?i)\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)\S+")

TAIL = 2_000
"""So many characters are kept of the end of a program's output."""


def server_words(error: psycopg2.Error) -> str:
    """The server's message in one line. Where it may quote a value (classes 22, 23 and P0), what it quotes is
    masked; its DETAIL, which repeats rows, is left out.
    """
    said = error.diag.message_primary or str(error).strip().split("\n")[0] or "the connection was lost"
    return masked_words(said, error.pgcode or "")


def masked_words(said: str, sqlstate: str) -> str:
    """A server's message without the values that it may quote."""
    flat = " ".join(said.split())
    return _QUOTED.sub(f'"{MASKED}"', flat) if sqlstate[:2] in {"22", "P0"} else flat


def masked_literals(sql: str) -> str:
    """A query whose strings are masked: people write real addresses into queries that they try."""
    return _LITERAL.sub(f"'{MASKED}'", sql)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The end of a program's output, without these secrets and what looks like one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASKED)
    text = _URL.sub(rf"\1:{MASKED}@", text)
    return _ASSIGNED.sub(rf"\1\2{MASKED}", text)[-TAIL:].strip()
