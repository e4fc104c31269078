"""What the tests of control share: a network that freezes, a command in a process of its own, and the time
until it ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import Server, slack, wait_until

PROGRAM = [sys.executable, "-m", "kisaan_validate"]
BOUND = 5.0
"""So many seconds after a signal a command has ended."""


class Proxy:
    """A TCP proxy in front of a server's socket. While it is frozen it takes what it is sent, and passes
    nothing on.
    """

    def __init__(self, server: Server) -> None:
        self._target = f"{server.host}/.s.PGSQL.{server.port}"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(self._target)
                self._ends += [client, upstream]
                for pair in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._open.wait()
                sink.sendall(data)
            self._open.wait()
            sink.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """From now on nothing passes."""
        self._open.clear()

    def thaw(self) -> None:
        """What waits passes."""
        self._open.set()

    def dsn(self, database: str) -> str:
        """A connection string through the proxy."""
        return f"host=127.0.0.1 port={self.port} dbname={database} user=postgres sslmode=disable"

    def close(self) -> None:
        """Let go of everything."""
        self.thaw()
        for one in (self._listener, *self._ends):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def proxy_before(server: Server) -> Iterator[Proxy]:
    """A proxy, closed at the end whatever happens."""
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.close()


@dataclass
class Command:
    """A command that runs in a process of its own, in a session of its own."""

    process: subprocess.Popen[str]
    folder: Path
    out: str = ""
    err: str = ""
    begun: float = field(default_factory=time.monotonic)

    def runs_until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so while it runs."""
        wait_until(lambda: self.process.poll() is not None or condition())
        assert self.process.poll() is None, self.process.communicate()

    def listens(self) -> None:
        """Wait until it hears signals: the interpreter itself needs a moment for that."""
        wait_until(lambda: self.process.poll() is not None or _catches(self.process.pid, signal.SIGTERM))

    def signal(self, number: int) -> float:
        """Send it a signal. Returns when."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        return time.monotonic()

    def ended(self, since: float, within: float = BOUND) -> int:
        """Its exit code, after it ended in time."""
        within += slack()
        try:
            self.out, self.err = self.process.communicate(timeout=within + 20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.out, self.err = self.process.communicate()
            raise AssertionError(f"it did not end: {self.out}\n{self.err}") from None
        took = time.monotonic() - since
        assert took <= within, f"{took:.1f} s: {self.out}\n{self.err}"
        return self.process.returncode

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records that it wrote."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("reports/*/run.json"))]


def _catches(pid: int, number: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    mask = next((line.split()[1] for line in text.splitlines() if line.startswith("SigCgt")), "0")
    return bool(int(mask, 16) >> (number - 1) & 1)


def _heard() -> None:
    """Whoever runs the tests in the background of a shell hands a SIGINT down that is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(words: Sequence[str], folder: Path, dsn: str) -> Command:
    """Start a command."""
    env = {**os.environ, "KISAAN_DSN": dsn}
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
        preexec_fn=_heard,
    )
    return Command(process, folder)


@contextmanager
def started(words: Sequence[str], folder: Path, dsn: str) -> Iterator[Command]:
    """A command that does not outlive the block."""
    command = start(words, folder, dsn)
    try:
        yield command
    finally:
        with suppress(ProcessLookupError):
            os.killpg(command.process.pid, signal.SIGKILL)
        command.process.wait()


def sessions(server: Server, database: str) -> list[tuple[int, str]]:
    """(server process, statement) of everybody in a database."""
    sql = (
        "SELECT pid, query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> "
        "pg_backend_pid()"
    )
    return [(int(pid), str(query)) for pid, query in server.sql(f"{sql} AND datname = '{database}'")]


def asleep(server: Server, database: str) -> list[int]:
    """The server processes that sleep in a statement of ours."""
    sql = (
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND wait_event = 'PgSleep' AND "
        f"state = 'active'"
    )
    return [int(pid) for (pid,) in server.sql(sql)]
