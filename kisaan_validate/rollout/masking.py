"""What may be shown and kept of other programs' output: no secret of a connection or the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from kisaan_validate.facts.result import MASKED

# No pattern begins with a repetition: lines may be long, and there may be many.
_IN_URL = re.compile(r"(://[^\s:/@]*:)\S+@")
_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|pwd|secret|token|api_?key|passphrase|credentials?)"
    r"[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]+"
)
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9+/._~=-]{8,}")
_OPTION = re.compile(r"(?i)^--?[\w-]*(password|passwd|secret|token|api-?key|passphrase)$")
_SECRET_NAME = re.compile(
    r"(?i)(PASS|SECRET|TOKEN|KEY|CREDENTIAL|PASSPHRASE|AUTH|DSN|DATABASE_URL|COOKIE|SESSION|WEBHOOK)"
)
_OURS = re.compile(r"^(PG[A-Z]+|KISAAN_\w+)$")
_SHORTEST = 6
"""A shorter value is not masked: it would be found in any text."""


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """A text without these secrets and without what looks like one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASKED)
    text = _IN_URL.sub(rf"\1{MASKED}@", text)
    return _BEARER.sub(rf"\1{MASKED}", _ASSIGNED.sub(rf"\1{MASKED}", text))


def masked_argv(argv: Sequence[str], secrets: Iterable[str] = ()) -> tuple[str, ...]:
    """Words of a command as they may be shown; the word after ``--password`` too."""
    known = tuple(secrets)
    before = ("", *argv)
    return tuple(
        MASKED if _OPTION.match(last) else masked(word, known)
        for last, word in zip(before, argv, strict=False)
    )


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values in an environment that must not be shown: whole, and the passwords within their URLs."""
    found = set[str]()
    for name, value in environment.items():
        if _secret(name, value) and len(value) >= _SHORTEST:
            found.add(value)
        found |= {part for part in re.findall(r"://[^\s:/@]*:(\S+)@", value) if part}
    return tuple(found)


def secrets_in(argv: Sequence[str]) -> tuple[str, ...]:
    """What must not be shown of the words of a command: the word after ``--password``, passwords in URLs."""
    after = [word for last, word in pairwise(argv) if _OPTION.match(last)]
    return (*after, *(part for word in argv for part in re.findall(r"://[^\s:/@]*:(\S+)@", word)))


def others_environment(named: Collection[str]) -> dict[str, str]:
    """The environment for others' commands: without our variables and possible secrets, unless named."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in named or not (_OURS.match(name) or _secret(name, value))
    }


def _secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name)) or bool(_IN_URL.search(value))
