"""The gate that a guard holds: open, narrow, or closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.gate import Passage
from kisaan_validate.facts.sqlstate import CANCELLED
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import Stop

_TICK_SECONDS = 0.1
"""How often somebody who waits looks whether a stop was requested, which wakes nobody."""


class Turnstile:
    """A gate (see execute.gate). Lets at most ``width`` tasks through at once: None for any number, 0 for
    none.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._width: int | None = None
        self._inside: set[Passage] = set()
        self._ours: dict[int, Session] = {}

    @property
    def pids(self) -> list[int]:
        """The server processes of our sessions."""
        return [pid for pid, session in list(self._ours.items()) if not session.lost]

    def knows(self, session: Session) -> None:
        """A session is one of ours."""
        self._ours[session.backend_pid] = session

    def widen(self, width: int | None) -> None:
        """From now on at most so many at once; those inside stay."""
        with self._changed:
            self._width = width
            self._changed.notify_all()

    @contextmanager
    def enter(self, session: Session | None, stop: Stop) -> Iterator[Passage]:
        """Wait until there is room, or a stop is requested; the block takes one place."""
        passage = Passage(session)
        self._await(passage, stop)
        try:
            yield passage
        finally:
            self._leave(passage)

    def between(self, session: Session, stop: Stop) -> None:
        """Give the place up and wait for one again. Raises DatabaseError where a stop is requested."""
        inside = next((p for p in list(self._inside) if p.session is session), None)
        # A session that did not enter holds no place, as the one that holds the snapshot.
        passage = inside or Passage(session)
        self._leave(passage)
        self._await(passage, stop)
        if inside is None:
            self._leave(passage)
        # What waited for so long must not begin now, only to be cut.
        if stop.requested:
            raise DatabaseError(f"not run: {stop.reason}", "run again", CANCELLED)

    def cancel(self) -> None:
        """Cancel what runs inside. Those who hold a place learn of it by their passage."""
        with self._changed:
            for passage in self._inside:
                if passage.session is not None:
                    passage.cancelled = True
                    passage.session.cancel()

    def _await(self, passage: Passage, stop: Stop) -> None:
        with self._changed:
            while not stop.requested and self._width is not None and len(self._inside) >= self._width:
                self._changed.wait(_TICK_SECONDS)
            self._inside.add(passage)

    def _leave(self, passage: Passage) -> None:
        with self._changed:
            self._inside.discard(passage)
            self._changed.notify_all()
