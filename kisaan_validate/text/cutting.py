"""Values that were cut on the server, because they are too long to read. Standard library only.

A long value travels as its beginning, its size in bytes and the SHA-256 of the whole, which still
distinguish it from any other. ``digest.cut`` writes the SQL.
"""

from __future__ import annotations

import hashlib
import re

LONGEST = 4_000
"""Characters (of binary data: half as many bytes) up to which a value travels whole."""

KEPT = 500
"""Characters of its beginning that a longer one keeps."""

_MARK = re.compile(r" \.\.\. \(cut: (\d+) bytes, SHA-256 ([0-9a-f]{64})\)\Z")
_DIGEST = re.compile(r"SHA-256 ([0-9a-f]{64})\Z")


def is_cut(text: str | None) -> bool:
    """Whether a text is the beginning of a longer value."""
    # A cheap look first: nearly all values end differently.
    return text is not None and text.endswith(")") and _MARK.search(text) is not None


def parts(text: str) -> tuple[str, str]:
    """A text as people see it; if it was cut, also its size and digest, else ""."""
    found = _MARK.search(text) if text.endswith(")") else None
    if found is None:
        return text, ""
    return text[: found.start()], f"({int(found[1]):,} bytes, SHA-256 {found[2][:16]})"


def same(one: str | None, other: str | None) -> bool:
    """Whether two values are the same, either of which may be cut, or a digest that stands for a whole
    text.
    """
    if one == other or one is None or other is None:
        return one == other
    marks = [_mark(text) for text in (one, other)]
    if marks == [None, None]:
        return False
    if None not in marks:
        return marks[0] == marks[1]
    whole, mark = (one, marks[1]) if marks[0] is None else (other, marks[0])
    # A whole text beside a cut one: its own digest decides.
    return mark in _marks_of(whole)


def _mark(text: str) -> str | None:
    """The digest that a cut text, or a digest, stands for."""
    found = _MARK.search(text) if text.endswith(")") else _DIGEST.fullmatch(text)
    return found[found.re.groups] if found else None


def _marks_of(text: str) -> set[str]:
    """The digests that the whole of a text may have: of its own bytes, or of those that it writes as hex."""
    # As bytes of the database, which need not be UTF-8.
    found = {hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()}
    # bytea prints as hex, and its digest is that of the bytes.
    if text.startswith("\\x"):
        try:
            found.add(hashlib.sha256(bytes.fromhex(text[2:])).hexdigest())
        except ValueError:
            return found
    return found
