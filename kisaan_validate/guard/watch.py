"""The guard at work: a thread that looks at the server every few seconds, and holds the gate of a run.

Law: whatever the guard does, a check that was not asked has no answer. Giving up is a stop like any other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.guarding import Guarded, Pause
from kisaan_validate.guard.readings import Reader
from kisaan_validate.guard.rules import Action, GuardDecision, GuardReading, GuardRules, decide, shown
from kisaan_validate.guard.turnstile import Turnstile
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Cause, Stop

_WIDTHS = {Action.GO: None, Action.SLOW: 1, Action.WAIT: 0, Action.STOP: 0}

_SAID = {
    Action.GO: "going on",
    Action.SLOW: "one statement at a time",
    Action.WAIT: "waiting",
    Action.STOP: "giving up",
}

_BARRIER_SECONDS = 10.0
"""How long the end of a run waits for the guard's last look."""


class Source(Protocol):
    """Where readings come from."""

    place: tuple[str, bool] | None

    def read(self) -> dict[str, GuardReading]:
        """A reading for each rule."""

    def close(self) -> None:
        """Nothing more is read."""


@dataclass
class _Spell:
    """A time of one action for which there is a reason: when it began, and the first reason."""

    action: Action
    reason: str
    since: float
    snapshot: bool
    cancelled: bool = False


@dataclass
class Guard:
    """Watches for a run. ``tell`` gets each new state in words.

    :meth:`await_start` looks before the run begins; as a context manager it looks while it is at work.
    """

    target: Target
    rules: GuardRules
    stop: Stop
    tell: Callable[[str], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    source: Source | None = None
    gate: Turnstile = field(default_factory=Turnstile)

    def __post_init__(self) -> None:
        # The stop ends its waits too, so that a silent server cannot keep the guard from ending.
        own = Reader(self.target, self.rules, lambda: self.gate.pids, self.stop)
        self._reader: Source = self.source or own
        self._first: dict[str, GuardReading] = {}
        self._pauses: list[Pause] = []
        self._spell: _Spell | None = None
        self._given_up = ""
        self._began = (datetime.now(UTC), self.clock())
        self._home: tuple[str, bool] | None = None
        self._holding = False
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # --- what it found -------------------------------------------------------------------------------------

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """All pauses so far; one that lasts is as long as it is now."""
        with self._lock:
            open_ = (self._ended(self._spell),) if self._spell is not None else ()
            return (*self._pauses, *open_)

    @property
    def facts(self) -> Guarded:
        """The rules in words, the first readings, and why it gave up."""
        return Guarded(self.rules.words, shown(self._first), self._given_up)

    # --- before, and while ---------------------------------------------------------------------------------

    def await_start(self) -> None:
        """Look, and wait while a rule says so: without a snapshot, and without a connection of the run's.

        Returns when the run may begin, when the guard gave up, or when somebody asked to stop.
        """
        while not self.stop.requested and self._look().action >= Action.WAIT:
            self._pause()

    def holds(self, session: Session, place: tuple[str, bool]) -> None:
        """From now on ``session`` holds a snapshot, on this server (see readings.place_of)."""
        self.gate.knows(session)
        self._home, self._holding = place, True

    def __enter__(self) -> Guard:
        # A daemon: a server that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._watch, name="kisaan-guard", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Look no more; whoever waits goes on."""
        self._done.set()
        if self._thread is not None:
            self._thread.join(_BARRIER_SECONDS)
        with self._lock:
            self._close_spell()
        self.gate.widen(None)
        self._reader.close()

    def _watch(self) -> None:
        while not self._done.is_set() and not self.stop.requested:
            self._look()
            self._done.wait(self._next())

    def _pause(self) -> None:
        until = self.clock() + self._next()
        while not self.stop.requested and self.clock() < until:
            self._done.wait(0.1)

    def _next(self) -> float:
        """Seconds until the next look: not beyond the moment at which it would give up."""
        spell = self._spell
        left = float("inf")
        if spell is not None and spell.action is Action.WAIT:
            left = spell.since + self.rules.give_up_after - self.clock()
        return max(0.05, min(self.rules.every, left))

    # --- one look ------------------------------------------------------------------------------------------

    def _look(self) -> GuardDecision:
        """Read, decide and do it."""
        try:
            readings = self._reader.read()
            decision = self._moved() or decide(readings, self.rules)
        # A fault of the guard's own must not leave a run unguarded without a word.
        except Exception as error:
            readings, decision = {}, GuardDecision(Action.STOP, f"the guard failed: {type(error).__name__}")
        # Already at an end: the readings may be of a server that is being let go.
        if self._done.is_set():
            return decision
        # A rule that went blind on the way did not watch from there on.
        blind = {name: reading for name, reading in readings.items() if not reading.known}
        self._first = {**readings, **self._first, **blind}
        with self._lock:
            self._enact(decision)
        return decision

    def _moved(self) -> GuardDecision | None:
        """Whether the server is another one than the run's, or has become a primary."""
        home, now = self._home, self._reader.place
        if home is None or now is None or now == home:
            return None
        if now[0] == home[0] and home[1]:
            return GuardDecision(Action.STOP, "the standby was promoted while it was read")
        return GuardDecision(
            Action.STOP, "the server was restarted, or the guard reached a different one than the run"
        )

    def _enact(self, decision: GuardDecision) -> None:
        now = self.clock()
        current = self._spell.action if self._spell is not None else Action.GO
        if decision.action is not current:
            self._close_spell()
            if decision.action in {Action.SLOW, Action.WAIT}:
                self._spell = _Spell(decision.action, decision.reason, now, self._holding)
            if decision.action is not Action.STOP:
                self._say(decision)
            self.gate.widen(_WIDTHS[decision.action])
        if decision.action is Action.STOP:
            self._give_up(decision.reason)
        elif (spell := self._spell) is not None and spell.action is Action.WAIT:
            self._waited(spell, decision.reason, now - spell.since)

    def _say(self, decision: GuardDecision) -> None:
        self.tell(": ".join(filter(None, ("guard", _SAID[decision.action], decision.reason))))

    def _waited(self, spell: _Spell, reason: str, seconds: float) -> None:
        """A wait that goes on: it may be time to cancel what runs, or to give up."""
        after = self.rules.cancel_after
        if after is not None and seconds >= after and not spell.cancelled:
            spell.cancelled = True
            self.gate.cancel()
        if seconds >= self.rules.give_up_after:
            self._give_up(f"{reason}, and the run waited for {seconds:,.0f} s")

    def _give_up(self, reason: str) -> None:
        if self._given_up:
            return
        self._given_up = reason
        self._say(GuardDecision(Action.STOP, reason))
        said = f"given up: {reason}"
        # Nothing of ours is running before the start, so nothing has to be cancelled: the record can be made.
        if self._holding:
            self.stop.request(said, Cause.GAVE_UP)
        else:
            self.stop.forgo(said, Cause.GAVE_UP)

    def _close_spell(self) -> None:
        if self._spell is not None:
            self._pauses.append(self._ended(self._spell))
            self._spell = None

    def _ended(self, spell: _Spell) -> Pause:
        began, at = self._began
        started = began + timedelta(seconds=spell.since - at)
        seconds = max(0.0, self.clock() - spell.since)
        return Pause(started, seconds, spell.reason, spell.action is Action.SLOW, spell.snapshot)
