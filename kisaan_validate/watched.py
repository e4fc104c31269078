"""Which source of a suite is being executed just now, for whoever watches this process from outside.

A source is Python: it can end the interpreter, and then nobody here is left to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_tell: list[Callable[[str], None]] = []


def watch(tell: Callable[[str], None]) -> None:
    """From now on ``tell`` is called with the name of each source before it is executed, and with "" after it."""
    _tell[:] = [tell]


@contextmanager
def executing(source: str) -> Iterator[None]:
    """Within, ``source`` is being executed."""
    for tell in _tell:
        tell(source)
    yield
    for tell in _tell:  # not where it ended otherwise: then the last word is the source's name
        tell("")
