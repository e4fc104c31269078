"""No wait for a server is longer than the limits say, whatever happened to the server or the network.

libpq waits without an end for a server, a proxy or a network that does not answer, and cannot be
stopped. So one thread of this process, which libpq cannot hold up, looks at every connection ten times a
second. One that waits too long is cut: its socket is shut down, and libpq, in whatever thread it waits,
comes back with an error.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from kisaan_validate.postgres.cancelling import Canceller
from kisaan_validate.process.stopping import Stop

TICK_SECONDS = 0.1
"""How often the connections are looked at."""


class WatchedConnection:
    """The connection of one session, as the watchdog sees it. ``why`` says why it was cut, "" if it was
    not.
    """

    def __init__(self, connection: Any, stop: Stop) -> None:
        self._connection, self._stop = connection, stop
        self._canceller = Canceller(connection)
        self._lock = threading.Lock()
        self._begun: float | None = None
        self._limit, self._cancelled = 0.0, False
        self.why = ""
        self.heard = False
        """Set by the reader of a stream, for each row: the server is not silent."""
        _watchdog.add(self)

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Within, the server may be silent for so long, and not beyond the grace of a stop. Then the line
        is cut.
        """
        with self._lock:
            self._begun, self._limit = time.monotonic(), seconds
        try:
            # The stop may have passed its grace before this wait began; nobody would look in time.
            if time.monotonic() > self._stop.deadline:
                self.cut(f"not run: {self._stop.reason}")
            yield
        finally:
            with self._lock:
                self._begun = None

    def look(self, now: float) -> None:
        """What the watchdog does ten times a second."""
        with self._lock:
            # Nobody waits, or it was cut already: an idle line may be silent for as long as it likes.
            if self._begun is None or self.why:
                return
            if now > self._stop.deadline:
                self._shut(f"no answer, and the command was {self._stop.reason}")
            elif self._stop.at is not None:
                self._cancel_once(self._stop.at)
            elif self._silent(now):
                self._shut(f"no answer within {self._limit:,.0f} s")

    def _silent(self, now: float) -> bool:
        """Whether the server has said nothing for too long. What waits to be read is no silence: then our
        side is busy.
        """
        assert self._begun is not None
        # Asked only when time is up, because a poll for each tick and line would cost more than it tells.
        if self.heard or (now > self._begun + self._limit and self._has_data()):
            self.heard, self._begun = False, now
        return now > self._begun + self._limit

    def cancel(self) -> None:
        """Ask the server to cancel the running statement. Returns at once; safe from any thread."""
        self._canceller.send()

    def cut(self, why: str) -> None:
        """Shut the socket down: a thread that waits for the server gets an error. Safe from any thread."""
        with self._lock:
            self._shut(why)

    def close(self) -> None:
        """Watch it no longer."""
        _watchdog.discard(self)
        self._canceller.close()

    def _cancel_once(self, stopped: float) -> None:
        """What runs is cancelled; what is asked after a stop is short, and belongs to keeping what is
        known.
        """
        # What began after the stop is asked on purpose: it saves what is known.
        if self._begun is not None and self._begun <= stopped and not self._cancelled:
            self._cancelled = True
            self._canceller.send()

    def _shut(self, why: str) -> None:
        self.why = self.why or why
        try:
            # A copy of the descriptor: closing the socket object must not close libpq's own.
            with socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                # Shut down, not closed: libpq in another thread
                # gets an end of file instead of a stale number.
                line.shutdown(socket.SHUT_RDWR)
        except (psycopg2.Error, OSError):
            return  # already gone

    def _has_data(self) -> bool:
        try:
            # poll, not select: a process may have more than 1,024 descriptors.
            poll = select.poll()
            poll.register(self._connection.fileno(), select.POLLIN)
            return bool(poll.poll(0))
        except (psycopg2.Error, OSError):
            return False


class _Watchdog:
    """The thread. It lives while there is a connection to look at."""

    def __init__(self) -> None:
        self._lines: weakref.WeakSet[WatchedConnection] = (
            weakref.WeakSet()
        )  # what nobody uses any more need not be closed to be forgotten
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, line: WatchedConnection) -> None:
        with self._lock:
            self._lines.add(line)
            if self._thread is None or not self._thread.is_alive():  # also in a process that was forked off
                self._thread = threading.Thread(target=self._watch, name="kisaan-watchdog", daemon=True)
                self._thread.start()

    def discard(self, line: WatchedConnection) -> None:
        with self._lock:
            self._lines.discard(line)

    def _watch(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            with self._lock:
                lines = list(self._lines)
                # The thread ends with the last connection, so that an idle program has no thread of ours.
                if not lines:
                    self._thread = None
                    return
            now = time.monotonic()
            for line in lines:
                line.look(now)


_watchdog = _Watchdog()


def within(seconds: float, stop: Stop, work: Callable[[], Any], forget: Callable[[Any], None]) -> Any:
    """``work`` in a thread of its own, for at most so long, and not beyond the grace of a stop. Raises
    what it raises, or TimeoutError.

    For what cannot be cut, as looking up a name and connecting. A result that comes too late is handed to
    ``forget``.
    """
    lock, done, box = threading.Lock(), threading.Event(), _CallBox()

    def go() -> None:
        try:
            box.value = work()
        except BaseException as error:
            box.error = error
        # Under the lock, so that "late" and "given up" cannot both miss each other.
        with lock:
            done.set()
            late = box.given_up and box.error is None
        if late:
            # A connection that comes too late is closed, or it would hold a place on the server.
            forget(box.value)

    begun = time.monotonic()
    threading.Thread(target=go, daemon=True).start()
    while not done.wait(TICK_SECONDS):
        if time.monotonic() > min(begun + seconds, stop.deadline):
            with lock:
                # Looked at again: the work may have ended between the wait and the lock.
                if not done.is_set():
                    box.given_up = True
                    raise TimeoutError
    if box.error is not None:
        raise box.error
    return box.value


class _CallBox:
    value: Any = None
    error: BaseException | None = None
    given_up = False
