"""Who reads a piece: a process, or where the functions do not work in another process, a thread of this
one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from multiprocessing.connection import Pipe
from typing import Protocol

from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.plan.streams import Piece
from kisaan_validate.process.stopping import Stop
from kisaan_validate.stream.tally import Streamed, Trouble
from kisaan_validate.stream.work import StreamJob, Work, open_session
from kisaan_validate.suite.load import Suite

GRACE_SECONDS = 1.0
"""How long a process may take to end when it is asked to; then it is killed."""

SPARE_SECONDS = 10.0
"""How much longer than ``statement_timeout`` a piece may take: by then the server would have ended the
statement, so the time is spent in a function."""


class Lost(Exception):
    """A reader ended without an answer. ``at`` is the check whose function was running, "" if none was.

    ``final`` tells that it is of no use to ask another one.
    """

    def __init__(self, fact: str, at: str = "", final: bool = False) -> None:
        super().__init__(fact)
        self.fact, self.at, self.final = fact, at, final


def _late(seconds: float, at: str) -> str:
    return f"no answer within {seconds:.0f} s" + (f", in the function of {at}" if at else "")


class NotStarted(Exception):
    """A reader could not be started; ``trouble`` says why, and ``lost`` that it was gone before it could
    say so itself.
    """

    def __init__(self, trouble: Trouble, lost: bool = False) -> None:
        super().__init__(trouble.fact)
        self.trouble, self.lost = trouble, lost


class Helper(Protocol):
    """Reads pieces, one after the other."""

    @property
    def alive(self) -> bool:
        """Whether it can read another piece."""

    def read(self, piece: Piece, left_out: Collection[str]) -> Streamed:
        """One piece. Raises Lost."""

    def close(self) -> None:
        """End it and give its session back."""


class Process:
    """A process of its own: functions that crash, hang or take all memory cost their answers, and not the
    run.

    It is started by the interpreter's command line, not by ``multiprocessing``, whose children run the
    caller's main script again. The connection string goes over a pipe: an argument could be read by every
    user of the machine. Raises NotStarted.
    """

    def __init__(self, job: StreamJob, stop: Stop) -> None:
        self._stop, self._late_after = stop, job.limits.statement_timeout / 1000 + SPARE_SECONDS
        self._connection, inherited = Pipe()
        # -P keeps the working directory out of the path, where a file could be named as a module.
        words = [sys.executable, "-P", "-m", "kisaan_validate.stream.child", str(inherited.fileno())]
        # Absolute, because the working directory may be changed meanwhile.
        paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
        # A function that prints must not write into the report.
        quiet = subprocess.DEVNULL
        environment, passed = {**os.environ, "PYTHONPATH": paths}, [inherited.fileno()]
        try:
            self._process = subprocess.Popen(
                # Only this descriptor is inherited: an open session in a second process would confuse both.
                words,
                stdin=subprocess.PIPE,
                stdout=quiet,
                stderr=quiet,
                pass_fds=passed,
                env=environment,
            )
        except OSError as error:
            raise NotStarted(Trouble(f"a process for Python checks did not start: {error}")) from None
        finally:
            # The child has its own copy; ours must be closed, or its end would go unnoticed.
            inherited.close()
        self._alive, self._at = True, ""
        try:
            self._connection.send(job)
            # No limit: reading the suite and pandas may take long on a cold machine; a stop ends the wait.
            answer = self._receive(float("inf"))
        except (Lost, OSError) as error:
            self.close()
            trouble = Trouble(f"a process for Python checks did not start: {error}", "run again")
            raise NotStarted(trouble, lost=not stop.requested) from None
        if isinstance(answer, Trouble):
            self.close()
            raise NotStarted(answer)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can read another piece."""
        return self._alive

    def read(self, piece: Piece, left_out: Collection[str]) -> Streamed:
        """One piece. Raises Lost if the process ends, is too late, or the run is stopped."""
        deadline = time.monotonic() + self._late_after
        try:
            self._connection.send((piece, tuple(left_out)))
            # A text says which function is running, so that a loss has a name.
            while isinstance(answer := self._receive(deadline), str):
                self._at = answer
        except (OSError, Lost) as error:
            self.close()
            raise error if isinstance(error, Lost) else Lost(self._end(), self._at) from None
        assert isinstance(answer, tuple)
        # The answer also says whether the child's session is still of use.
        streamed, self._alive = answer
        assert isinstance(streamed, Streamed)
        return streamed

    def _receive(self, deadline: float) -> object:
        # Polled, so that a stop is noticed while a function runs.
        while not self._connection.poll(0.1):
            if self._stop.requested:
                raise Lost(f"not run: {self._stop.reason}", final=True)
            if time.monotonic() > deadline:
                # Final: a second attempt would be as late.
                raise Lost(_late(self._late_after, self._at), final=True)
        try:
            return self._connection.recv()
        except EOFError:
            raise Lost(self._end(), self._at) from None

    def _end(self) -> str:
        """How the process ended, in words."""
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return "the process closed its connection"
        if code < 0:
            return f"the process was killed by {signal.Signals(-code).name}"
        return f"the process ended (exit code {code})"

    def close(self) -> None:
        """Close its standard input, by which it cancels its statement and ends; kill it if it does not."""
        self._alive = False
        self._connection.close()
        if self._process.stdin is not None:
            # The end of its input is the sign to cancel its statement and go.
            self._process.stdin.close()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            # It may be inside native code that no signal interrupts.
            self._process.kill()
            self._process.wait()


class ThreadHelper:
    """The thread that calls it: for suites that are no folder, whose functions another process could not
    find. Raises NotStarted.
    """

    def __init__(self, job: StreamJob, suite: Suite, stop: Stop) -> None:
        self.at = ""
        try:
            self._session = open_session(job, stop)
        except KisaanError as error:
            sqlstate = error.sqlstate if isinstance(error, DatabaseError) else ""
            raise NotStarted(Trouble(error.fact, error.hint, sqlstate)) from None
        self._work = Work(job, self._session, suite, self._now_at)

    @property
    def alive(self) -> bool:
        """Whether it can read another piece."""
        return not self._session.lost

    def read(self, piece: Piece, left_out: Collection[str]) -> Streamed:
        """One piece."""
        return self._work.read(piece, left_out)

    def _now_at(self, id: str) -> None:
        self.at = id

    def abandon(self) -> None:
        """Cut the line of a session whose thread does not come back."""
        self._session.abandon()

    def close(self) -> None:
        """Give the session back."""
        self._session.close()
