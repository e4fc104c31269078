"""What SIGINT, SIGTERM and SIGHUP do to a command.

The first one ends it in order: while servers are asked, what is known is kept (see stopping); while files
are written, they are finished; else nothing is lost, and it ends like one that was interrupted at a
terminal. A second one ends it at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kisaan_validate.process import watched

HEARD = (
    (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if hasattr(signal, "SIGHUP")
    else (signal.SIGINT, signal.SIGTERM)
)

ENDED_AT_ONCE = 3
"""The exit code after a second signal: nothing is said about the data."""


def _interrupt(reason: str) -> None:
    raise KeyboardInterrupt(reason)


def _finish(_: str) -> None:
    """What is being written is finished."""


class _Heard:
    """What was heard so far, and what the first signal does just now."""

    reasons: tuple[str, ...] = ()
    act: Callable[[str], None] = staticmethod(_interrupt)
    installed = False


def listen() -> None:
    """From now on, until the process ends, signals are heard. What was ignored when it began (nohup) stays
    ignored.
    """
    _install()
    _Heard.installed = True
    sys.unraisablehook = _unraisable


@contextmanager
def first(act: Callable[[str], None]) -> Iterator[None]:
    """Within, the first signal calls ``act`` with the reason; at once, if it came before. Afterwards it
    interrupts nothing.

    Where nobody listens, as in a program that uses the package, signals are as before afterwards. Does
    nothing outside of the main thread, which alone can hear signals.
    """
    # Python lets only the main thread set handlers, and runs them only there.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # The console script listens already; a program that calls main() gets its handlers back.
    before = {} if _Heard.installed else _install()
    if not _Heard.installed:
        _Heard.reasons = ()
    _Heard.act = act
    watched.say(watched.ASKING)
    try:
        # A signal may have come between listen() and here.
        if _Heard.reasons:
            act(_Heard.reasons[0])
        yield
    finally:
        # Before the old handlers: a signal from now on must not tear what is being written.
        _Heard.act = _finish
        watched.say(watched.WRITING)
        for number, handler in before.items():
            signal.signal(number, handler)


def heard() -> bool:
    """Whether a signal has come."""
    return bool(_Heard.reasons)


def behind(error: BaseException | None) -> bool:
    """Whether a signal that was heard is what led to ``error``.

    A handler raises wherever the interpreter stands, and there the exception may be wrapped: up to Python
    3.11 ``type.__new__`` turns whatever ``__set_name__`` raises into a RuntimeError, and a library may do
    the same.
    """
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return heard() and any(isinstance(one, KeyboardInterrupt) for one in chain)


def ended() -> None:
    """The command is done: from now on the first signal changes nothing of what it says."""
    _Heard.act = _finish


def deafen() -> None:
    """The exit code is known: no signal changes it while the interpreter tidies up, when it would put the
    default back in the place of every handler.
    """
    for number in HEARD:
        signal.signal(number, signal.SIG_IGN)


def _install() -> dict[int, Any]:
    # nohup ignores SIGHUP on purpose: what is ignored stays ignored.
    mine = [number for number in HEARD if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, _hear) for number in mine}


def _unraisable(lost: sys.UnraisableHookArgs) -> None:
    """Say what cannot be raised, but not an interruption: raised within ``__del__`` it is lost, and a
    traceback would read as a fault of ours. The next step that can be interrupted sees that it was heard.
    """
    if not behind(lost.exc_value):
        sys.__unraisablehook__(lost)


def _hear(number: int, _: object) -> None:
    _Heard.reasons = (*_Heard.reasons, f"interrupted by {signal.Signals(number).name}")
    if len(_Heard.reasons) > 1:
        _end_at_once()
    _Heard.act(_Heard.reasons[0])


def _end_at_once() -> None:
    # os.write, since a handler may interrupt print, whose buffer is then locked.
    with suppress(OSError):
        os.write(2, b"error: ended at once, by a second signal; nothing is said about the data\n")
    watched.say(watched.ENDED + b"%d" % ENDED_AT_ONCE)
    # Without tidying up: a second signal means that tidying up takes too long.
    os._exit(ENDED_AT_ONCE)
