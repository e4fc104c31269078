"""One operator at a time: a kernel lock on this host, a note for other hosts that share the folder.

The kernel's lock ends with its process. Another host may not see it, so the holder also writes who is at
work into ``rollout.work`` and renews it. Another host believes such a note while it is renewed; when
it is not, a person decides: ``--take-over``.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import AlreadyRunning, RecordError
from kisaan_validate.facts.rollout import RolloutOperator
from kisaan_validate.record.filelock import file_lock
from kisaan_validate.record.files import write_file

LOCK, WORD = "rollout.lock", "rollout.work"
BEAT_SECONDS = 5.0
"""Seconds between two renewals of the note."""
STALE_SECONDS = 60.0
"""Seconds without renewal, by this host's clock, after which its writer may be gone."""


@dataclass(frozen=True)
class AtWork:
    """Who is at work, since when, and when that was last said. ``boot`` tells a host's lives apart."""

    user: str
    host: str
    boot: str
    pid: int
    doing: str
    since: str
    beat: str
    token: str

    @property
    def words(self) -> str:
        """Who that is, for people."""
        return f"{self.user} on {self.host}, process {self.pid}, since {self.since}"

    @property
    def here(self) -> bool:
        """Whether it was written on this host since the host was started."""
        return (self.host, self.boot) == (socket.gethostname(), _boot())

    def silent_seconds(self) -> float:
        """How long ago it was renewed, by this host's clock; endless where that cannot be read."""
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(self.beat)).total_seconds()
        except (ValueError, TypeError):
            return float("inf")


class Holding:
    """Our note that we are at work in a folder."""

    def __init__(self, folder: Path, taken_from: str, lost: Callable[[str], None]) -> None:
        self.taken_from = taken_from
        """Whose lock was taken over, "" if nobody's."""
        self._path, self._lost = folder / WORD, lost
        now = _now()
        me = operator()
        self._word = AtWork(me.user, me.host, _boot(), me.pid, "", now, now, secrets.token_hex(8))
        self._end = threading.Event()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._beating, daemon=True)

    def __enter__(self) -> Holding:
        self._write("")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        # An unreadable note belongs to somebody; the message says what to do.
        with suppress(OSError, RecordError):
            if self._mine():
                self._path.unlink()

    def doing(self, what: str) -> None:
        """Say what is being done."""
        self.require()
        self._write(what)

    def require(self) -> None:
        """Raises AlreadyRunning where somebody took over meanwhile: then nothing more may be recorded."""
        if not self._mine():
            raise AlreadyRunning(
                f"{_holder(self._path)} took over this rollout", "nothing more was recorded here; ask them"
            )

    def _mine(self) -> bool:
        found = at_work(self._path.parent)
        return found is not None and found.token == self._word.token

    def _write(self, what: str | None = None) -> None:
        with self._guard:
            said = asdict(self._word) | {"beat": _now()}
            self._word = AtWork(**(said if what is None else said | {"doing": what}))
            write_file(self._path, json.dumps(asdict(self._word), indent=1) + "\n")

    def _beating(self) -> None:
        while not self._end.wait(BEAT_SECONDS):
            # A full disk, or a half-written note, shows when something is recorded, not here; this must
            # not end, or we would seem to be gone.
            with suppress(RecordError):
                if not self._mine():
                    self._lost(f"{_holder(self._path)} took over this rollout")
                    return
                self._write()


@contextmanager
def at_the_helm(
    folder: Path, lost: Callable[[str], None] = lambda _: None, *, take_over: bool = False
) -> Iterator[Holding]:
    """Within, nobody else works in ``folder``. ``lost`` is called with the reason, in a thread, if somebody
    takes over all the same. Raises AlreadyRunning, naming who is at work, and RecordError.
    """
    found = _readable(folder)
    with (
        file_lock(folder / LOCK, _what(folder, found)),
        _holding(folder, lost, take_over) as holding,
    ):
        yield holding


def _readable(folder: Path) -> AtWork | None:
    """What the note says, for the message that the lock is held; a damaged one is refused later."""
    try:
        return at_work(folder)
    except RecordError:
        return None


def _what(folder: Path, found: AtWork | None) -> str:
    doing = f" at {found.doing}" if found is not None and found.doing else ""
    who = f" by {found.user}" if found is not None else ""
    return f"the rollout in {folder}{doing}{who}"


def _holding(folder: Path, lost: Callable[[str], None], take_over: bool) -> Holding:
    found = at_work(folder)
    # On this host the kernel's lock is the better witness, and we hold it: that process is gone.
    if found is None or found.here:
        return Holding(folder, "", lost)
    silent = found.silent_seconds()
    if 0 <= silent < STALE_SECONDS:
        raise AlreadyRunning(f"the rollout in {folder} is being worked on by {found.words}", "ask them")
    if not take_over:
        raise AlreadyRunning(
            f"the rollout in {folder} was being worked on by {found.words}, last heard {found.beat}",
            "ask them; if they are gone, add --take-over --by NAME",
        )
    # Clocks of two hosts differ: whoever still renews the note is there, whatever its time.
    time.sleep(BEAT_SECONDS * 1.5)
    if at_work(folder) != found:
        raise AlreadyRunning(f"{found.words}, is still at work in {folder}", "ask them")
    return Holding(folder, found.words, lost)


def at_work(folder: Path) -> AtWork | None:
    """What the note in a folder says; None where there is none. Raises RecordError for one that cannot be
    read: somebody may be at work.
    """
    path = folder / WORD
    try:
        given = json.loads(path.read_bytes()[:10_000])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        raise RecordError(
            f"{path} cannot be read: somebody may be at work", "ask who was; then remove the file"
        ) from None
    fields = {*AtWork.__annotations__}
    right = isinstance(given, dict) and given.keys() == fields
    if not right or not all(isinstance(given[name], int if name == "pid" else str) for name in fields):
        raise RecordError(f"{path} is damaged: somebody may be at work", "ask who was; then remove the file")
    said: dict[str, Any] = {
        n: _line(value) if isinstance(value, str) else value for n, value in given.items()
    }
    return AtWork(**said)


def busy(folder: Path) -> AtWork | None:
    """Who is at work in a folder just now, for those who only look; None if nobody is. Raises RecordError."""
    found = at_work(folder)
    if found is None or not found.here:
        return found
    try:
        with open(folder / LOCK, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    # Held by somebody; or it cannot be asked, and then the note counts.
    except OSError:
        return found
    return None


def operator() -> RolloutOperator:
    """Who runs this, as the system says."""
    try:
        user = getuser()
    # A user without an entry, as in a container.
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return RolloutOperator(_line(user), socket.gethostname(), os.getpid())


def _holder(path: Path) -> str:
    try:
        found = at_work(path.parent)
    except RecordError:
        found = None
    return found.words if found is not None else "somebody"


def _line(value: str) -> str:
    """A short text without characters that could move a cursor."""
    return "".join(c for c in value if c.isprintable())[:200]


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S+00:00}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().decode("ascii", "replace").strip()
    except OSError:
        return ""
