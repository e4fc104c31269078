"""Looks for passwords in what is about to be handed out. It is the last of several checks: no password is
written anywhere on purpose.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

_URL = re.compile(rb"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"<>]*:([^\s/@'\"<>]+)@", re.IGNORECASE)
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_WORD = re.compile(r"\bpassword\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")
_PLACEHOLDERS = (b"...", b"***", b"secret", b"password", b"pass", b"pw")
_SHORTEST = 6


def secrets_in(files: Mapping[str, bytes], environment: Mapping[str, str] | None = None) -> list[str]:
    """What looks like a secret, one sentence each, without quoting it: passwords in addresses, private
    keys, and the password of this environment's own database."""
    known = _known(os.environ if environment is None else environment)
    found = []
    for name, data in files.items():
        if any(
            # Manuals and suites show addresses with placeholders.
            match[1].lower() not in _PLACEHOLDERS
            and not match[1].startswith((b"{", b"$", b"<", b"\xe2\x80\xa6"))
            for match in _URL.finditer(data)
        ):
            found.append(f"{name} contains a URL with a password")
        if _KEY.search(data):
            found.append(f"{name} contains a private key")
        if any(word in data for word in known):
            found.append(f"{name} contains the database password")
    return found


def _known(environment: Mapping[str, str]) -> list[bytes]:
    words = [environment.get("PGPASSWORD", "")]
    for name in ("KISAAN_DSN", "DATABASE_URL"):
        text = environment.get(name, "")
        words += [unquote(match[1].decode("utf-8", "replace")) for match in _URL.finditer(text.encode())]
        words += [match[1].strip("'") for match in _WORD.finditer(text)]
    # A short password would be found in any file.
    return [word.encode() for word in words if len(word) >= _SHORTEST]
