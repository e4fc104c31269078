"""A process of its own beside us: it runs the server, and puts it away when we end, however we end.

It is started as a file, without the package: it must import nothing but the standard library. Its input is
a pipe whose other end only we hold. At the pipe's end, which also SIGKILL brings, it stops the server and
erases the folder.

It reads lines: the plan (JSON), then ``start COMMAND``, ``stop``, ``keep``. It writes lines: ``started PID``,
``stopped``, ``ended CODE`` (the server ended by itself), ``failed WHY``, ``erased``.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

_FAST, _AT_ONCE = 60.0, 10.0
_ERASE = 30.0


class Keeper:
    """What it keeps: ``plan`` names the folders, the server's account and environment."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.server: subprocess.Popen[bytes] | None = None
        self.asked = threading.Event()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        # Opened once: what lies under this name later may be the server's doing.
        self.log = os.open(plan["log"], flags, 0o600)
        if plan["uid"] is not None:
            os.fchown(self.log, plan["uid"], plan["gid"])

    def start(self, command: list[str]) -> None:
        """Start the server; tells its process number."""
        who: dict[str, Any] = {}
        if self.plan["uid"] is not None:
            who = {"user": self.plan["uid"], "group": self.plan["gid"], "extra_groups": []}
        self.asked.clear()
        try:
            self.server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                cwd=self.plan["folder"],
                env=self.plan["environment"],
                umask=0o077,
                start_new_session=True,
                **who,
            )
        except OSError as error:
            say(f"failed {error.strerror}: {error.filename}")
            return
        say(f"started {self.server.pid}")
        threading.Thread(target=self.watch, args=[self.server], daemon=True).start()

    def watch(self, server: subprocess.Popen[bytes]) -> None:
        """Tell it if the server ends unasked."""
        code = server.wait()
        if not self.asked.is_set():
            say(f"ended {code}")

    def stop(self, first: signal.Signals, patience: float) -> None:
        """End the server, in order or at once, and wait for its end."""
        self.asked.set()
        if self.server is None:
            return
        for number, seconds in ((first, patience), (signal.SIGQUIT, _AT_ONCE), (signal.SIGKILL, _AT_ONCE)):
            if self.server.poll() is not None:
                break
            self.server.send_signal(number)
            try:
                self.server.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self.server = None

    def erase(self) -> None:
        """The folders, and the marker last: while anything is left, it is found again."""
        if not erased(self.plan["erase"]):
            os.unlink(self.plan["marker"])
            say("erased")


def erased(folders: Mapping[str, Sequence[int]], seconds: float = _ERASE) -> list[str]:
    """Erase these folders, each with its device and inode; returns those that are still there.

    What lies under such a name without being that folder is somebody else's, and stays.
    """
    deadline = time.monotonic() + seconds
    left = [path for path, made in folders.items() if _is(path, made)]
    while left:
        for path in left:
            # rmtree follows no links, whatever the server put into its folder.
            shutil.rmtree(path, ignore_errors=True)
        left = [path for path in left if _is(path, folders[path])]
        if not left or time.monotonic() > deadline:
            break
        # A program that was just ended may still write: so once more.
        time.sleep(0.1)
    return left


def _is(path: str, made: Sequence[int]) -> bool:
    try:
        there = os.lstat(path)
    except OSError:
        return False
    # A folder: the inode of one that went may be a link's by now.
    return stat.S_ISDIR(there.st_mode) and [there.st_dev, there.st_ino] == list(made)


def say(line: str) -> None:
    """Tell our parent; it may be gone."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())


def heard(parent: int) -> Iterator[str]:
    """The lines of our input, to its end, or to the end of our parent: a process that it forked may hold
    the pipe open for longer.
    """
    rest = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], 0.5)[0]:
            continue
        piece = os.read(0, 65_536)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode()


def main() -> None:
    """Keep one server until the input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A function, not SIG_IGN, which the server would inherit.
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    lines = heard(os.getppid())
    keeper = Keeper(json.loads(next(lines, "null")) or sys.exit(0))
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "start":
            keeper.start(json.loads(rest))
        elif word == "stop":
            keeper.stop(signal.SIGINT, _FAST)
            say("stopped")
        elif word == "keep":
            return
    # At once, not in order: nothing of it is wanted any more.
    keeper.stop(signal.SIGQUIT, _AT_ONCE)
    keeper.erase()


if __name__ == "__main__":
    main()
