"""One run at a time on this host: a lock on a file in the folder of reports.

The lock is the kernel's (flock) and ends with the process that holds it, whatever ends that: a file that
was left behind blocks nobody. The file itself stays, for removing it would let two processes hold a lock
of one name.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.errors import AlreadyRunning, RecordError


@contextmanager
def file_lock(path: Path, what: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock on ``path``, after at most ``wait`` seconds; ``what`` is named in messages.

    Raises AlreadyRunning, saying who holds it, and RecordError.
    """
    handle = _open(path)
    try:
        try:
            _take(handle, wait)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{what} is already running: {_who(handle)}", "wait until it is done"
            ) from None
        except OSError as error:
            raise _refused(path, error) from None
        try:
            # Emptied only when the lock is held: before, it names the holder.
            os.ftruncate(handle, 0)
            os.pwrite(handle, _holder().encode(), 0)
        except OSError as error:
            raise _refused(path, error) from None
        yield
    finally:
        # Closing ends the lock: no explicit unlock can be forgotten.
        os.close(handle)


def _take(handle: int, wait: float) -> None:
    """Take the lock. Raises BlockingIOError if it is not free in time."""
    end = time.monotonic() + wait
    while True:
        try:
            # Not blocking: flock itself knows no time limit.
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise
        time.sleep(0.02)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_NOFOLLOW: a link in a shared folder could make us empty a file elsewhere. O_CLOEXEC: children must
        # not keep the lock.
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> RecordError:
    if not path.parent.is_dir():
        return RecordError(f"{path.parent} is not a folder", "choose another folder of reports, or make it")
    owner = f"make the user who runs this the owner of {path.parent}"
    hint = owner if isinstance(error, PermissionError) else "free some space, or choose another folder"
    return RecordError(f"cannot lock {path}: {error.strerror}", hint)


def _holder() -> str:
    return (
        f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
    )


def _who(handle: int) -> str:
    said = os.pread(handle, 300, 0).decode("utf-8", "replace")
    # Another user may have written the file: nothing hidden in it reaches the terminal.
    return "".join(c for c in said if c.isprintable()).strip() or "unknown process"
