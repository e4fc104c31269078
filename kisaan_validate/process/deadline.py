"""When a run that has a limited time begins nothing more."""

from __future__ import annotations

import threading
import time

from kisaan_validate.dataclass import dataclass
from kisaan_validate.process.stopping import Cause, Stop


@dataclass(frozen=True)
class Deadline:
    """``at``, by ``time.monotonic()``, nothing more is begun; what runs then may go on for ``grace``
    seconds. ``reason`` says in words what ended.
    """

    at: float
    reason: str
    grace: float = 60.0

    @property
    def over(self) -> bool:
        """Whether nothing more may be begun."""
        return time.monotonic() >= self.at


class DeadlineTimer:
    """Within, what still runs after the grace is cancelled. Without a deadline nothing happens."""

    def __init__(self, deadline: Deadline | None, stop: Stop) -> None:
        self._timer: threading.Timer | None = None
        if deadline is not None:
            left = max(0.0, deadline.at + deadline.grace - time.monotonic())
            self._timer = threading.Timer(left, stop.request, [deadline.reason, Cause.OUT_OF_TIME])
            # A daemon: a timer of hours must not keep a finished program alive.
            self._timer.daemon = True

    def __enter__(self) -> DeadlineTimer:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
