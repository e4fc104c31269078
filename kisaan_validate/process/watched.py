"""What this process is doing just now, for the process that watches it.

A source of a suite is Python: it can end the interpreter, and then nothing here can say so. And the
watching process must know whether this one is ending or hangs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_tell: list[Callable[[str], None]] = []
_listeners: list[Callable[[bytes], None]] = []

WRITING, ASKING, ENDED = b"W", b"A", b"E"
"""What else is said: that what is known is being written, that servers are being asked again, that it ends
(with its code).
"""


def watch(tell: Callable[[str], None]) -> None:
    """From now on ``tell`` is called with the name of each source before it is executed, and with "" after
    it.
    """
    _tell[:] = [tell]


def listen(say: Callable[[bytes], None]) -> None:
    """From now on ``say`` is called with each of the other words."""
    _listeners[:] = [say]


def say(word: bytes) -> None:
    """Tell the watching process."""
    for listener in _listeners:
        listener(word)


@contextmanager
def executing(source: str) -> Iterator[None]:
    """Within, ``source`` is being executed."""
    for tell in _tell:
        tell(source)
    yield
    for tell in _tell:  # not where it ended in another way: then the last word is the source's name
        tell("")
