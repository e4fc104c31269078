"""A stop that somebody asked for: what is known is kept, and every wait ends soon.

Law: a stop is answered by cancelling at once what the server is doing for us, and ``GRACE_SECONDS`` later
by ending every wait for a server (see postgres.watchdog). So a silent server cannot keep a run from ending.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum, auto

GRACE_SECONDS = 1.5
"""How long after a stop a server may still be waited for: a cancelled statement needs a moment to end."""


class Cause(Enum):
    """Why a run was asked to stop."""

    ASKED = auto()
    """Somebody asked, as by a signal."""
    HELD_TOO_LONG = auto()
    """The snapshot was held as long as the limits allow."""
    FAILED_FAST = auto()
    """A blocking check failed, and it was asked for that nothing more is done then."""
    STANDBY_TOO_OLD = auto()
    """A standby is further behind than the limits allow."""
    OUT_OF_TIME = auto()
    """The time ended that it was given."""
    GAVE_UP = auto()
    """The guard that watched the server gave up."""


EARLY = frozenset({Cause.FAILED_FAST, Cause.OUT_OF_TIME})
"""Causes by which a run ends early by its own rule: nobody interrupted it."""


class Stop:
    """Set from another thread: the run ends soon, keeping what it has."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self.reason = ""
        self.cause = Cause.ASKED
        self.at: float | None = None
        """When a stop was requested, by ``time.monotonic()``. None: nobody did, or nothing more is asked
        by our own choice.
        """

    def request(self, reason: str, cause: Cause = Cause.ASKED) -> None:
        """Ask to stop; the first reason stands. Returns at once."""
        self._say(reason, cause)
        # The first request counts: a second signal must not extend the grace.
        self.at = time.monotonic() if self.at is None else self.at
        self._event.set()
        # Each in a thread, because this runs in a signal handler, which must return at once.
        for callback in self._callbacks:
            threading.Thread(target=callback, daemon=True).start()

    def forgo(self, reason: str, cause: Cause = Cause.ASKED) -> None:
        """Ask for nothing more, while nothing is running that would have to be cancelled."""
        self._say(reason, cause)
        # Without ``at`` the watchdog cancels nothing and cuts no line.
        self._event.set()

    def _say(self, reason: str, cause: Cause) -> None:
        # The first reason stands: later ones follow from it.
        if not self.reason:
            self.reason, self.cause = reason, cause

    def on_request(self, callback: Callable[[], None]) -> None:
        """Also do this when a stop is requested."""
        self._callbacks.append(callback)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until someone asks to stop; whether someone did."""
        return self._event.wait(max(0.0, seconds))

    @property
    def requested(self) -> bool:
        """Whether someone asked to stop."""
        return self._event.is_set()

    @property
    def deadline(self) -> float:
        """Until when a server may be waited for, by ``time.monotonic()``; infinite while nobody asked to
        stop.
        """
        return float("inf") if self.at is None else self.at + GRACE_SECONDS
