"""Which runs a rule of retention removes, and why the others stay. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.history.night import Night


@dataclass(frozen=True)
class Retention:
    """How long runs are kept: those of ``days`` days, the newest ``runs`` of each suite and database, and one
    a week for ``weeks`` weeks; what any of these keeps is kept. None does not count; without any, runs are
    kept for ever. After ``forget_seconds`` no run is kept whose files hold keys or values of rows.
    """

    days: int | None = None
    runs: int | None = None
    weeks: int | None = None
    forget_seconds: int | None = None

    @property
    def by_age(self) -> bool:
        """Whether runs are removed that hold no keys."""
        # A week's run alone is no rule: it would remove what was recorded an hour ago.
        return self.days is not None or self.runs is not None

    @property
    def words(self) -> str:
        """The rule, as a tombstone tells it: "keep 90 days, the newest 200 runs, one a week for 52 weeks"."""
        said = [
            counted(self.days, "day") if self.days is not None else "",
            f"the newest {counted(self.runs, 'run')}" if self.runs is not None else "",
            f"one a week for {counted(self.weeks, 'week')}" if self.weeks is not None else "",
        ]
        return f"keep {', '.join(filter(None, said))}"

    @property
    def forget_words(self) -> str:
        """The rule for keys of rows: "forget keys after 90 days"."""
        hours = (self.forget_seconds or 0) // 3600
        return f"forget keys after {counted(hours // 24, 'day') if hours >= 24 else counted(hours, 'hour')}"


@dataclass(frozen=True)
class RunFate:
    """Whether a run ``goes``: the rule that says so, or the reason why it stays."""

    night: Night
    goes: bool
    why: str


def fates(series: Sequence[Night], rule: Retention, now: datetime, held: Mapping[str, str]) -> list[RunFate]:
    """Which nights of one suite and database go, the oldest first. ``held`` maps ids of runs that
    nothing removes to the reason.

    Ages are counted from the newest run, or from ``now`` if that is earlier: a clock that is ahead, or a
    suite that no longer runs, removes nothing. Only keys are forgotten by the clock alone.
    """
    if not series:
        return []
    until = min(now, series[-1].at)
    kept = _kept(series, rule, until)
    last = {series[-1].run: "the newest run"}
    last |= {n.run: "the newest whole run" for n in _last(n for n in series if n.whole)}
    return [_fate(night, rule, now, kept, {**last, **held}) for night in series]


def _fate(
    night: Night, rule: Retention, now: datetime, kept: Mapping[str, str], held: Mapping[str, str]
) -> RunFate:
    limit = rule.forget_seconds
    forgets = limit is not None and night.keys and now - night.at > timedelta(seconds=limit)
    goes_by_age = rule.by_age and night.run not in kept
    if not (forgets or goes_by_age):
        return RunFate(night, False, kept.get(night.run, "no rule removes it"))
    if night.run in held:
        keys = ", though it holds keys of rows" if forgets else ""
        return RunFate(night, False, f"{held[night.run]}{keys}")
    return RunFate(night, True, rule.words if goes_by_age else rule.forget_words)


def _kept(series: Sequence[Night], rule: Retention, until: datetime) -> dict[str, str]:
    """The runs that the rule keeps by their age, and which part of it does."""
    kept: dict[str, str] = {}
    if rule.weeks is not None:
        weekly = (n for n in series if until - n.at <= timedelta(weeks=rule.weeks))
        kept |= {n.run: "the week's last run" for n in _weekly(weekly)}
    if rule.runs is not None:
        kept |= {n.run: f"of the newest {counted(rule.runs, 'run')}" for n in series[-rule.runs :]}
    if rule.days is not None:
        young = (n for n in series if until - n.at <= timedelta(days=rule.days))
        kept |= {n.run: f"younger than {counted(rule.days, 'day')}" for n in young}
    return kept


def _weekly(nights: Iterable[Night]) -> Iterator[Night]:
    """The last whole run of each week of UTC, by ISO 8601; the last one if none was whole."""
    for _, week in groupby(nights, key=lambda night: night.at.astimezone(UTC).isocalendar()[:2]):
        found = list(week)
        yield max(found, key=lambda night: (night.whole, night.at, night.run))


def _last(nights: Iterable[Night]) -> list[Night]:
    return list(nights)[-1:]
