"""What one canary feels: the times in which it could not do its work."""

from __future__ import annotations

from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import CanaryOutage, OutageInterval, SecondsRange
from kisaan_validate.rehearse.perches import Perch

FELT_SECONDS = 0.1
"""A wait that is shorter is no outage: people do not notice it, and a busy machine makes it too."""


@dataclass
class Canary:
    """One table in one way. Times are in seconds since 1970 by the server's clock, but ``due`` and ``sent``,
    which are this process's. ``started`` is the tape's start.
    """

    perch: Perch
    started: float
    due: float = 0.0
    sent: float = 0.0
    good: float | None = None
    """When it last could do its work."""
    failing: str = ""
    """Why it was refused last, other than by a lock."""
    refused: tuple[float, float] | None = None
    """When it was refused first, and last, without coming through between."""
    tries: int = 0
    felt: list[OutageInterval] = field(default_factory=list)

    def came_through(self, sent: float, done: float) -> float:
        """It did its work; the time since it last could, if that was no outage."""
        self.tries += 1
        good = self.good if self.good is not None else sent
        self.good, quiet = done, 0.0
        if self.refused is not None:
            self._feel_refusals(good, done)
            self.failing, self.refused = "", None
        elif done - sent >= FELT_SECONDS:
            self._feel(good, done, done - sent)
        else:
            quiet = done - good
        return quiet

    def was_refused(self, sent: float, at: float, failing: str) -> None:
        """It could not do its work. ``failing`` is "" where it was a row's lock: a wait in short pieces."""
        self.tries += 1
        self.failing = failing or self.failing
        first, _ = self.refused or (sent, 0.0)
        self.refused = (first, at)

    def ended(self, now: float, waiting_since: float | None) -> None:
        """It is not tried any more, and perhaps still waits."""
        if self.refused is not None:
            self._feel_refusals(self.good if self.good is not None else self.refused[0], now, left=True)
        elif waiting_since is not None and now - waiting_since >= FELT_SECONDS:
            good = self.good if self.good is not None else waiting_since
            self._feel(good, now, now - waiting_since, left=True)

    def outage(self) -> CanaryOutage:
        """All that it felt, which must be something."""
        least, most = sum(i.least for i in self.felt), sum(i.end - i.start for i in self.felt)
        longest = max(self.felt, key=lambda i: i.end - i.start)
        return CanaryOutage(
            self.perch.relation,
            self.perch.access,
            tuple(self.felt),
            SecondsRange(round(least, 6), round(most, 6)),
            SecondsRange(round(longest.least, 6), round(longest.end - longest.start, 6)),
        )

    def _feel_refusals(self, good: float, end: float, *, left: bool = False) -> None:
        assert self.refused is not None
        first, last = self.refused
        if self.failing or end - first >= FELT_SECONDS:
            self._feel(good, end, last - first, left=left)

    def _feel(self, start: float, end: float, least: float, *, left: bool = False) -> None:
        start, end = max(0.0, start - self.started), end - self.started
        made = OutageInterval(
            start=round(start, 6),
            end=round(end, 6),
            least=round(min(max(0.0, least), end - start), 6),
            failed=self.failing,
            open=left,
        )
        self.felt.append(made)
