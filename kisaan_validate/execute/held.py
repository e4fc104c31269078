"""How long a snapshot has been held. While it is, VACUUM removes no row of the database that died since."""

from __future__ import annotations

import math
import threading
import time

from kisaan_validate.process.stopping import Cause, Stop


class HoldLimit:
    """Counts from now on; past ``limit`` seconds the work is asked to stop, as by a signal. ``end`` when
    it is let go.
    """

    def __init__(self, limit: float | None, stop: Stop) -> None:
        self._since = time.monotonic()
        self._timer: threading.Timer | None = None
        if limit is not None:
            reason = f"the snapshot was held for {limit:,.0f} s, as long as [limits] snapshot allows"
            self._timer = threading.Timer(limit, stop.request, [reason, Cause.HELD_TOO_LONG])
            # A daemon: a timer of an hour must not keep a finished program alive.
            self._timer.daemon = True
            self._timer.start()

    @property
    def seconds(self) -> int:
        """Whole seconds, the last one begun."""
        # Rounded up, because the figure is shown as how long VACUUM was held back.
        return math.ceil(time.monotonic() - self._since)

    def end(self) -> None:
        """Nobody is asked to stop any more."""
        if self._timer is not None:
            self._timer.cancel()

    def __enter__(self) -> HoldLimit:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
