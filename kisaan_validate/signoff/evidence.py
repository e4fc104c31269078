"""The files of one run, wherever they are: in its folder, or in a bundle. Read into memory, never
unpacked.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError

LARGEST = 1 << 30
"""Bytes of one run's files that are read at most: a gibibyte."""


@dataclass(frozen=True)
class Files:
    """A run's files by their path in its folder. ``odd`` are what a folder holds that is not a regular file,
    with what it is.
    """

    source: str
    files: Mapping[str, bytes]
    odd: Mapping[str, str] = field(default_factory=dict)
    bundle: bytes | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def __getitem__(self, name: str) -> bytes:
        return self.files[name]

    def get(self, name: str) -> bytes | None:
        """The bytes of a file, None if it is not there."""
        return self.files.get(name)

    def text(self, name: str) -> str:
        """The text of a file. Raises RecordError."""
        if name not in self.files:
            raise RecordError(f"{self.source} has no {name}", "check the path")
        try:
            return self.files[name].decode()
        except UnicodeDecodeError:
            raise RecordError(f"{name} of {self.source} is not UTF-8 text", "it may be damaged") from None


def read_folder(folder: Path) -> Files:
    """The files of a run's folder; symbolic links and devices are not followed, but named. Raises
    RecordError.
    """
    found: dict[str, bytes] = {}
    odd: dict[str, str] = {}
    total = 0
    # os.walk does not enter links to folders, and would not list them among the files either.
    for place, folders, names in os.walk(folder, onerror=_refuse):
        for name in sorted([*names, *(f for f in folders if os.path.islink(os.path.join(place, f)))]):
            path = Path(place) / name
            shown = path.relative_to(folder).as_posix()
            if name.startswith("."):  # what is being written just now
                continue
            if any(
                "\udc80" <= character <= "\udcff" for character in shown
            ):  # how Python keeps bytes that are no UTF-8
                odd[os.fsencode(shown).decode("utf-8", "backslashreplace")] = "not named in UTF-8"
                continue
            # lstat: what a link leads to is not evidence of this run.
            if not stat.S_ISREG(path.lstat().st_mode):
                odd[shown] = "a symbolic link" if path.is_symlink() else "not a regular file"
                continue
            total += path.lstat().st_size
            if total > LARGEST:
                raise RecordError(f"{folder} holds more than {LARGEST:,} bytes", "name the folder of one run")
            found[shown] = _read(path)
    return Files(str(folder), dict(sorted(found.items())), odd)


def _read(path: Path) -> bytes:
    try:
        # O_NOFOLLOW: the file may have become a link since lstat.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return file.read()
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "check the path") from None


def _refuse(error: OSError) -> None:
    raise RecordError(f"cannot read {error.filename}: {error.strerror}", "check the path")
