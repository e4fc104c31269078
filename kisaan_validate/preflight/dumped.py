"""The dump that a certificate is about, as a file or a folder: its size and its digest."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.dumps.opening import names_in_folder, sha256_of
from kisaan_validate.errors import UsageError


def dump_size(path: Path) -> int | None:
    """Bytes of a file, or of all files of a folder; None where that is not there or cannot be read."""
    try:
        if path.is_dir():
            return sum((path / name).lstat().st_size for name in names_in_folder(path))
        return path.stat().st_size if path.is_file() else None
    except (OSError, UsageError):
        return None


def dump_sha256(path: Path) -> str | None:
    """The digest as a certificate has it; None where it cannot be read."""
    try:
        return sha256_of(path)
    except (OSError, UsageError):
        return None
