"""Runs PostgreSQL's own clients against a scratch server, as an account without rights, in an environment of
ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kisaan_validate.dataclass import dataclass
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.account import Account

_TAIL = 65_536
_PIECE = 1 << 18
_LOOK = 0.05
_GRACE = 5.0


@dataclass(frozen=True)
class Finished:
    """How a program ended. ``code`` is negative if a signal ended it; ``cut`` says why we ended it, ""
    if it ended by itself: then its exit code is its own. The tails are the last 64 kB of what it wrote.
    """

    code: int
    out_tail: str
    err_tail: str
    seconds: float
    cut: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with exit code 0. That alone proves nothing of what it did."""
        return self.code == 0 and not self.cut


class _Tail:
    """Reads a pipe to its end, keeping the last bytes."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._kept = b""
        self._pipe = pipe
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while piece := os.read(self._pipe.fileno(), _PIECE):
            self._kept = (self._kept + piece)[-_TAIL:]

    def text(self) -> str:
        """What was kept, when the pipe has ended; a grandchild that holds it open is not waited for."""
        self._thread.join(_GRACE)
        if not self._thread.is_alive():
            self._pipe.close()
        return self._kept.decode("utf-8", "replace")


class _Feed:
    """Writes a stream into a program's input. If the stream fails, the program must not take what came so
    far for all: it is killed before its input is closed.
    """

    def __init__(self, source: IO[bytes], process: subprocess.Popen[bytes]) -> None:
        self.error: BaseException | None = None
        self._source, self._process = source, process
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self) -> None:
        sink = self._process.stdin
        assert sink is not None
        try:
            while piece := self._source.read(_PIECE):
                sink.write(piece)
        except BrokenPipeError:
            pass  # it went away, and its exit code says why
        except BaseException as error:
            self.error = error
            _end(self._process, signal.SIGKILL)
        with suppress(OSError):
            sink.close()


def run_client(
    program: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    account: Account,
    *,
    folder: Path,
    stdin: IO[bytes] | Path | None,
    output: Path | None,
    stop: Stop | None,
    timeout: float | None,
) -> Finished:
    """Run it to its end. ``output``: a new file for what it writes; ``timeout`` in seconds.

    Raises what reading ``stdin`` raised, and FileExistsError if ``output`` is there.
    """
    began = time.monotonic()
    process = _started([str(program), *words], environment, account, folder, stdin, output)
    feed = _Feed(stdin, process) if stdin is not None and not isinstance(stdin, Path) else None
    try:
        tails = [None if pipe is None else _Tail(pipe) for pipe in (process.stdout, process.stderr)]
        cut = _waited(process, stop, None if timeout is None else began + timeout)
    finally:
        # Also when we are interrupted: nothing of it goes on.
        _end(process, signal.SIGKILL)
        process.wait()
    if feed is not None:
        feed.thread.join(_GRACE)
        if feed.error is not None:
            raise feed.error
    out, err = ("" if tail is None else tail.text() for tail in tails)
    return Finished(process.returncode, out, err, time.monotonic() - began, cut)


def _started(
    command: Sequence[str],
    environment: Mapping[str, str],
    account: Account,
    folder: Path,
    stdin: IO[bytes] | Path | None,
    output: Path | None,
) -> subprocess.Popen[bytes]:
    opened: list[IO[bytes]] = []
    try:
        source = _opened(stdin, opened)
        sink: IO[bytes] | int = subprocess.PIPE
        if output is not None:
            sink = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            opened.append(sink)
        return subprocess.Popen(
            command,
            stdin=source,
            stdout=sink,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            umask=0o077,
            **account.popen,
        )
    finally:
        for file in opened:
            file.close()


def _opened(stdin: IO[bytes] | Path | None, opened: list[IO[bytes]]) -> IO[bytes] | int:
    if stdin is None:
        return subprocess.DEVNULL
    if isinstance(stdin, Path):
        # Opened by us, who may read it; the program may not.
        file: IO[bytes] = stdin.open("rb")
        opened.append(file)
        return file
    return subprocess.PIPE


def _waited(process: subprocess.Popen[bytes], stop: Stop | None, deadline: float | None) -> str:
    """Wait for its end; why it was ended before."""
    reasons: tuple[tuple[Callable[[], bool], Callable[[], str]], ...] = (
        (lambda: stop is not None and stop.requested, lambda: stop.reason if stop else ""),
        (lambda: deadline is not None and time.monotonic() > deadline, lambda: "it took too long"),
    )
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK)
            return ""
        for holds, reason in reasons:
            if holds():
                _end(process, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE)
                return reason() or "it was stopped"


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal it and what it started: it leads a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
