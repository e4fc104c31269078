"""A suite that is read once in a process of its own, before one is trusted with it that must not be ended."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from kisaan_validate.errors import SuiteError
from kisaan_validate.process import watched
from kisaan_validate.suite.load import load_suite


def refuse_ending(folder: str | Path) -> None:
    """Raises SuiteError, naming the source, for a suite that ends or replaces the process that reads it.

    For callers that read a suite in a process of somebody else's, as pytest's. What else is wrong with it,
    reading it tells.
    """
    # Without fork (Windows) the suite is simply read: there is no cheap process to try it in.
    if not hasattr(os, "fork"):
        return
    with contextlib.suppress(ImportError):
        import pandera.pandas  # noqa: F401 - once, here, and not again in the process that is forked off
    said, told = os.pipe()
    child = os.fork()
    if child == 0:
        _read(folder, told)
    # Ours is closed, or the read below would never end.
    os.close(told)
    with os.fdopen(said, "rb") as pipe:
        # Read to the end before waiting: a full pipe would block the child for ever.
        words = pipe.read().split(b"\0")
    # Reaped, or it would stay as a zombie until the caller ends.
    os.waitpid(child, 0)
    if b"closed" in words:
        hint = "a source of a suite declares checks; it must leave standard output and standard error open"
        raise SuiteError(
            "standard output or standard error was closed by this source", hint, _last(words, folder)
        )
    # Whatever ended the process early, the last word is missing.
    if b"done" not in words:
        source = _last(words, folder)
        hint = "a source of a suite declares checks; it must not end or replace the process"
        raise SuiteError("this source ended the interpreter while it was being loaded", hint, source)


def _last(words: list[bytes], folder: str | Path) -> str:
    """The source that was being read when the process said its last word."""
    sources = [word.decode(errors="replace") for word in words if word not in {b"", b"closed", b"done"}]
    return sources[-1] if sources else str(folder)


def _read(folder: str | Path, told: int) -> None:
    """What the forked process does: never returns."""
    # A suite may print or read; the terminal belongs to the caller.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)

    def tell(source: str) -> None:
        # Written at once and unbuffered: the next line of the suite may end the process.
        os.write(told, source.encode(errors="replace") + b"\0")

    watched.watch(tell)
    # BaseException, because sys.exit is one of the things that are looked for.
    with contextlib.suppress(BaseException):
        load_suite(folder)
    streams = (sys.stdout, sys.stderr)
    os.write(told, b"closed\0" if any(s is not None and s.closed for s in streams) else b"done\0")
    # Not sys.exit: handlers and buffers are the parent's, and would run twice.
    os._exit(0)
