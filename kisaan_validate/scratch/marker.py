"""The file beside a scratch server's folder that says whose it is, so that what was left can be erased.

It is ours alone (0600) and lies outside of the folder, which belongs to the server's account. Its owner and
the keeper hold a lock on it: who can take the lock knows that both have ended, whatever process numbers say,
also from another container. The folders stand in it with their inodes, so that nothing else is erased.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, field, replace
from pathlib import Path

from kisaan_validate.dataclass import dataclass

PREFIX, SUFFIX = "kisaan-scratch-", ".json"

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST = 65_536
_ROOM = 4_096


@dataclass(frozen=True)
class Marker:
    """``folders`` maps each path to its device and inode. ``made``: seconds since 1970. ``boot`` and
    ``started`` say, with ``pid``, which process it was.
    """

    pid: int
    boot: str
    started: str
    made: float
    label: str
    folders: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    kept: bool = False


def new_marker(label: str) -> Marker:
    """A marker of this process, with no folders yet."""
    return Marker(os.getpid(), boot_id(), started_at(os.getpid()), time.time(), label)


class HeldMarker:
    """A marker file that this process wrote and holds. ``fd`` is open for the keeper to inherit."""

    def __init__(self, path: Path, marker: Marker) -> None:
        self.path, self.marker = path, marker
        self.fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        try:
            self._write()
        except OSError:
            path.unlink()
            self.close()
            raise

    def add(self, folder: Path) -> None:
        """Also this folder, which must exist."""
        there = os.lstat(folder)
        self.marker = replace(
            self.marker, folders={**self.marker.folders, str(folder): (there.st_dev, there.st_ino)}
        )
        self._write()

    def keep(self) -> None:
        """It stays when this process has ended, until somebody cleans."""
        self.marker = replace(self.marker, kept=True)
        self._write()

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self.fd)

    def _write(self) -> None:
        # In place: the lock is the file's, and a file of the same name would be another one. Never shorter: a
        # marker that is written again on a full disk needs no new block.
        text = json.dumps(asdict(self.marker)).encode().ljust(_ROOM)
        if os.pwrite(self.fd, text, 0) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True)
class FoundMarker:
    """A marker file that lies there. ``marker`` is None if it cannot be read; ``live``: its owner is at
    work.
    """

    path: Path
    marker: Marker | None
    live: bool


def markers(parents: Iterator[Path] | tuple[Path, ...]) -> tuple[FoundMarker, ...]:
    """Our marker files in these folders. Files of other users are none of ours: they are passed over."""
    found = []
    for parent in parents:
        for path in sorted(parent.glob(f"{PREFIX}*{SUFFIX}")):
            with _opened(path) as (marker, free):
                if free is not None:
                    found.append(FoundMarker(path, marker, live=not free))
    return tuple(found)


@contextmanager
def dead(path: Path) -> Iterator[Marker | None]:
    """The marker of an owner that has ended, locked for as long as it is being erased; None if it is live,
    gone, or no marker.
    """
    with _opened(path) as (marker, free):
        yield marker if free else None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Marker | None, bool | None]]:
    """What the file says, and whether its lock was free, and is ours now; (None, None): it is not ours."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        yield None, None
        return
    try:
        there = os.fstat(fd)
        ours = stat.S_ISREG(there.st_mode) and there.st_uid == os.geteuid() and not there.st_mode & 0o077
        if not ours:
            yield None, None
            return
        free = _lock(fd)
        yield _read(os.pread(fd, _LARGEST, 0)), free
    finally:
        os.close(fd)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(text: bytes) -> Marker | None:
    try:
        said = json.loads(text)
        folders = {str(path): (int(dev), int(ino)) for path, (dev, ino) in said["folders"].items()}
        return Marker(**{**said, "folders": folders})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def boot_id() -> str:
    """Which start of the machine this is; "" where it does not say."""
    return _text(Path("/proc/sys/kernel/random/boot_id")).strip()


def started_at(pid: int) -> str:
    """When a process began, in the kernel's ticks since the start of the machine; "" if it has ended, or
    the machine does not say.
    """
    # The name in brackets may hold anything, so what follows the last bracket is read.
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
