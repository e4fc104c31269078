"""A command in a process of its own, whose end is seen.

A suite's sources are Python. ``os._exit(0)``, another program in the place of this one, or a thread that
exits later would end the command with 0 and look like a pass. So the exit code is what the command says
over a pipe when it is done; an end without that word does not count. The watching process is forked off
before anything heavy is imported: a few milliseconds.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import Any

from kisaan_validate.cli import signals
from kisaan_validate.dataclass import dataclass
from kisaan_validate.process import watched

COMMANDS = frozenset(
    {
        *("run", "baseline", "diff", "list", "explain", "show", "doctor", "init", "import", "schedule"),
        *("demo", "verify", "accept", "scan", "backup", "rehearse", "preflight"),
    }
)
"""The commands that execute the sources of a suite or wait for servers."""

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 0.3
"""So many seconds a signal may take to reach the command by itself, as one to the whole group does, before
it is passed on.
"""

END_SECONDS = 4.5
"""So long after a signal the command may take until it begins to write what it knows. Then it hangs, and
is killed.
"""

AT_ONCE_SECONDS = 0.5
"""So long after a second signal it may take to end by itself."""


def wanted(arguments: list[str]) -> bool:
    """Whether a command line executes a suite, on a system where that can be watched."""
    asks = {"--help", "-h", "--version"}.isdisjoint(arguments)
    return (
        asks
        and hasattr(os, "fork")
        and any(word in COMMANDS for word in arguments[:1])
        # A fork copies only the calling thread: a lock that another one holds would never be released.
        and threading.active_count() == 1
    )


def supervised(work: Callable[[], int], usage: int, inconclusive: int) -> int:
    """Do ``work`` in a forked process; returns what it returned. What ended without returning is said on
    standard error: ``usage`` where a source of the suite was being executed, else ``inconclusive``."""
    # Three pipes: what the command says, whether this process lives, and which signals the command got.
    said, told = os.pipe()
    alive, life = os.pipe()
    heard, wake = os.pipe()
    # set_wakeup_fd needs it: a full pipe must not block a handler.
    for handle in (wake, heard):
        os.set_blocking(handle, False)
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, _PASSED_ON
    )  # until both processes know what to do about them
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        # A pipe ends only when its last writer closes it: the child must not hold its parent's ends.
        for handle in (said, life, heard):
            os.close(handle)
        _command(work, told, alive, wake)
    for handle in (told, alive, wake):
        os.close(handle)
    seen = _SaidSoFar()
    status = _listen(child, said, heard, seen, before)
    os.close(life)
    if seen.code is not None:
        return seen.code
    return _ended(os.waitstatus_to_exitcode(status), seen, usage, inconclusive)


def _command(work: Callable[[], int], told: int, alive: int, wake: int) -> None:
    """What the forked process does: never returns."""
    # Written by Python's C handler, so a signal is seen even while the command is busy in C.
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()
    watched.watch(lambda source: _say(told, b"L" + source.encode(errors="replace")))
    watched.listen(lambda word: _say(told, word))
    code = work()
    _say(told, watched.ENDED + b"%d" % code)
    if signals.heard():  # the watching process need not wait until the interpreter has tidied up
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _say(told: int, word: bytes) -> None:
    with suppress(BrokenPipeError):  # the watching process was killed
        # NUL ends a word, so none may stand in one.
        os.write(told, word.replace(b"\0", b"") + b"\0")


def _end_with_parent(alive: int) -> None:
    """Nobody waits any more where the watching process was killed: end as if asked to."""
    # Returns when the other end is closed, which the kernel does whatever kills the parent.
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class _SaidSoFar:
    """What the command said so far."""

    code: int | None = None
    source: str = ""
    rest: bytes = b""
    got: list[int] = field(default_factory=list)
    """The signals that reached it by themselves."""
    passed: list[int] = field(default_factory=list)
    """Those that were passed on to it, and that it has not confirmed yet."""
    signals: list[float] = field(default_factory=list)
    """When a signal was heard that asks it to end."""
    asking: float | None = 0.0
    """Since when it may be waiting for somebody; None while it writes what it knows."""
    killed: bool = False

    def take(self, data: bytes) -> None:
        """Words of the command, each ended by a NUL."""
        *words, self.rest = (self.rest + data).split(b"\0")
        for word in words:
            if word[:1] == b"E":
                self.code = int(word[1:])
            elif word[:1] == b"L":
                self.source = word[1:].decode(errors="replace")
            elif word in {watched.ASKING, watched.WRITING}:
                self.asking = time.monotonic() if word == watched.ASKING else None

    def hear(self, numbers: bytes) -> None:
        """Signals that it got, from any sender."""
        for number in numbers:
            if number in self.passed:
                self.passed.remove(number)
            else:
                self.got.append(number)

    def overdue(self, now: float) -> bool:
        """Whether it should have ended: soon after a signal, at once after a second one."""
        if len(self.signals) > 1:
            return now > self.signals[1] + _PATIENCE + AT_ONCE_SECONDS
        return (
            bool(self.signals)
            and self.asking is not None
            and now > max(self.signals[0], self.asking) + END_SECONDS
        )


def _listen(child: int, said: int, heard: int, seen: _SaidSoFar, mask: set[Any]) -> int:
    """Hear the command until it has ended, and pass on the signals that reach this process alone. Returns
    its wait status.
    """
    woken, waker = os.pipe()
    for handle in (woken, waker, said):
        os.set_blocking(handle, False)
    # What was ignored when this began (nohup, a job in the background) stays so.
    mine = [
        number for number in (*_PASSED_ON, signal.SIGCHLD) if signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in mine:
        # Any handler, so that the number is written to the pipe; SIG_DFL would end this process instead.
        signal.signal(number, lambda *_: None)
    old = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    # Only now: a signal that came before waits until both sides can hear it.
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    waiting: list[tuple[int, float]] = []
    try:
        while True:
            # First whether it ended, then what it said: a word that was said before its end is in the pipe by
            # now.
            ended, status = os.waitpid(child, os.WNOHANG)
            seen.take(_bytes(said))
            if ended:
                return status
            seen.hear(_bytes(heard))
            now = time.monotonic()
            new = [number for number in _bytes(woken) if number in _PASSED_ON]
            seen.signals += [now] * len(new)
            waiting = _passed_on(child, waiting + [(number, now + _PATIENCE) for number in new], seen)
            if seen.overdue(now) and not seen.killed:
                seen.killed = True
                os.kill(child, signal.SIGKILL)
            # Its pipe may be held open by others that it started, so its end is what SIGCHLD says.
            select.select([woken], [], [], _PATIENCE / 3 if seen.signals else 1.0)
    finally:
        signals.deafen()
        signal.set_wakeup_fd(old)
        for handle in (woken, waker, heard, said):
            os.close(handle)


def _passed_on(child: int, waiting: list[tuple[int, float]], seen: _SaidSoFar) -> list[tuple[int, float]]:
    """Signals that still wait. One that the command got by itself is done; one that it did not get in time
    is sent to it.
    """
    left = []
    for number, until in waiting:
        # The terminal sends a signal to the whole group: sent again, it would count as the second one.
        if number in seen.got:
            seen.got.remove(number)
        elif time.monotonic() < until:
            left.append((number, until))
        else:
            os.kill(child, number)
            seen.passed.append(number)
    return left


def _bytes(handle: int) -> bytes:
    """All that can be read just now."""
    data = b""
    while True:
        try:
            more = os.read(handle, 65_536)
        except BlockingIOError:
            return data
        if not more:
            return data
        data += more


def _ended(code: int, seen: _SaidSoFar, usage: int, inconclusive: int) -> int:
    if seen.signals:
        how = "did not end in time after a signal and was killed" if seen.killed else "was ended by a signal"
        # Before the source is named: it did not end by itself.
        print(f"error: the command {how}; this says nothing about the data", file=sys.stderr)
        return inconclusive
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
    if seen.source:
        print(
            f"error: {seen.source}: this source ended the interpreter {how} while it was being loaded",
            file=sys.stderr,
        )
        print(
            "HINT: a suite's source declares checks; it must not end or replace the process",
            file=sys.stderr,
        )
        return usage
    print(
        f"error: the command was ended {how} before it was done; this says nothing about the data",
        file=sys.stderr,
    )
    return inconclusive
