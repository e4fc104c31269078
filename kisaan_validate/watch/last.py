"""Whether the newest whole run of each suite and database is young enough, for whoever looks from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.history.night import Night, same_database

SKEW = timedelta(minutes=5)
"""So far the clocks of two hosts may differ."""


@dataclass(frozen=True)
class WatchedSeries:
    """The nights of one suite on one database, the newest first; at least one. Of those of one ``scan`` a
    night is whole that asked all that the profile names.
    """

    nights: tuple[Night, ...]
    scan: str = ""

    @property
    def newest(self) -> Night:
        """The newest night, whole or not."""
        return self.nights[0]

    @property
    def last_run(self) -> Night | None:
        """The newest that asked all and came to its end."""
        return next((n for n in self.nights if n.whole), None)

    @property
    def last_success(self) -> Night | None:
        """The newest whole run that passed."""
        return next((n for n in self.nights if n.whole and n.verdict is Verdict.PASS), None)

    @property
    def unproved(self) -> int:
        """How many of the newest runs proved nothing: inconclusive, partial, cut short."""
        proved = (
            number
            for number, n in enumerate(self.nights)
            if n.whole and n.verdict is not Verdict.INCONCLUSIVE
        )
        return next(proved, len(self.nights))


def series_of(nights: Iterable[Night]) -> list[WatchedSeries]:
    """The nights by suite and database, the series of the newest night first."""
    left = sorted(nights, key=lambda n: (n.at, n.run), reverse=True)
    found = []
    while left:
        series = same_database(left, left[0])
        found.append(WatchedSeries(tuple(reversed(series))))
        done = {n.run for n in series}
        left = [n for n in left if n.run not in done]
    return found


def of_scan(nights: Iterable[Night], scan: str) -> list[WatchedSeries]:
    """The nights of one profile, by suite and database: what it asks may be a part of the suite."""
    own = [replace(n, whole=n.whole or n.ended) for n in nights if n.scan == scan]
    return [replace(series, scan=scan) for series in series_of(own)]


def part_scans(nights: Iterable[Night]) -> list[str]:
    """The profiles that ask a part of a suite, by name: each counts for itself alone."""
    return sorted({n.scan for n in nights if _is_part(n)})


def of_suites(nights: Sequence[Night]) -> list[WatchedSeries]:
    """The nights by suite and database, without those of profiles that asked their part to its end: these
    prove nothing of the suite, and are no failure to. Where there are no others they count as what they are.
    """
    found = []
    for series in series_of(nights):
        others = tuple(n for n in series.nights if not _is_part(n))
        found.append(replace(series, nights=others or series.nights))
    return found


def _is_part(night: Night) -> bool:
    return bool(night.scan) and night.ended and not night.whole


@dataclass(frozen=True)
class RunAge:
    """What is known of the last run of one series: ``ran`` in time, and in words."""

    ran: bool
    said: str


def age_of(series: WatchedSeries, now: datetime, within: timedelta) -> RunAge:
    """Whether the last whole run is at most ``within`` old at ``now``.

    A run that is dated later than ``now`` proves nothing: one of two clocks is wrong, and the run may be of
    any age.
    """
    last, name = series.last_run, _name(series.newest) + (f", scan {series.scan}" if series.scan else "")
    if last is None:
        return RunAge(False, f"{name}: no run came to its end{_cut(series)}")
    age, told = now - last.at, f"last run {_when(last.at)}, {last.verdict.value}{_success(series)}"
    if age < -SKEW:
        ahead = f"{_span(-age)} ahead of the clock of this host ({_when(now)})"
        return RunAge(False, f"{name}: {told}; that is {ahead}: set the clocks right")
    if age > within:
        return RunAge(
            False, f"{name}: no run in the last {_span(within)}: {told}, {_span(age)} ago{_cut(series)}"
        )
    return RunAge(True, f"{name}: {told}, {_span(max(age, timedelta()))} ago")


def _name(night: Night) -> str:
    return f"{night.suite} on {night.database}"


def _success(series: WatchedSeries) -> str:
    last, success = series.last_run, series.last_success
    if success is None:
        return ", no success on record"
    return "" if success == last else f", last success {_when(success.at)}"


def _cut(series: WatchedSeries) -> str:
    """That a newer run was partial or interrupted, if one was."""
    newest = series.newest
    return "" if newest.whole else f"; the run of {_when(newest.at)} was partial or interrupted"


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _span(length: timedelta) -> str:
    """In hours and minutes, or days and hours, rounded down."""
    minutes = length // timedelta(minutes=1)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1_440} days {minutes % 1_440 // 60} h"


def all_ran(ages: Sequence[RunAge]) -> bool:
    """Whether there is a series, and each ran in time."""
    return bool(ages) and all(age.ran for age in ages)
