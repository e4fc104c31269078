"""Tells a dump from a baseline by its first bytes, without loading what reads either."""

from __future__ import annotations

import tarfile
from pathlib import Path

_MAGIC = (b"PGDMP", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How archives of pg_dump, gzip and zstd begin."""

_PLAIN = b"PostgreSQL database"
_HEAD = 4096


def is_dump(path: Path) -> bool:
    """Whether a file is a dump and no baseline, by its first bytes; a folder can only be one."""
    if path.is_dir():
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False  # whoever reads it says why it cannot be read
    # A baseline is JSON, and may hold any words.
    if head.lstrip().startswith(b"{"):
        return False
    return head.startswith(_MAGIC) or _PLAIN in head or (len(head) > 262 and tarfile.is_tarfile(path))
