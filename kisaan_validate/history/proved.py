"""Which checks and tables had their answers when: what a scan asks first, and what it says of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.proved import TableProved
from kisaan_validate.facts.result import UNANSWERED, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.history.night import Night, same_database
from kisaan_validate.history.store import History


@dataclass(frozen=True)
class LastProved:
    """When each check had its last answer, by id, and each table the answers of all its checks: only those
    that had one.
    """

    checks: Mapping[str, datetime] = field(default_factory=dict)
    tables: Mapping[str, TableProved] = field(default_factory=dict)

    @property
    def turns(self) -> dict[str, int]:
        """The turn of each check: 0 for what never had an answer (it is left out), then the longest ago."""
        order = {at: turn for turn, at in enumerate(sorted(set(self.checks.values())), 1)}
        return {id: order[at] for id, at in self.checks.items()}


def last_proved(history: History, series: Sequence[Night], checks: Sequence[Check]) -> LastProved:
    """When these checks, with their present meanings, were answered in the nights of ``series``."""
    finder = _NightFinder(history, series)
    answered: dict[str, datetime] = {}
    for check in checks:
        night = finder.last([check])
        if night is not None:
            answered[check.id] = night.at
    tables: dict[str, TableProved] = {}
    for table, members in _by_table(checks).items():
        # No night can have all of them where one was never answered.
        known = all(check.id in answered for check in members)
        night = finder.last(members) if known else None
        if night is not None:
            tables[table] = TableProved(table, night.at, night.run)
    return LastProved(answered, tables)


RECENT = 14
"""So many of the newest nights are looked at together; nearly all checks had an answer in one of them."""


class _NightFinder:
    """Finds the newest night in which checks had an answer."""

    def __init__(self, history: History, series: Sequence[Night]) -> None:
        self._history, self._series = history, series
        self._recent = series[: -RECENT - 1 : -1]
        self._answered = history.answered_in(self._recent)

    def last(self, checks: Sequence[Check]) -> Night | None:
        """The newest night in which all of these had one."""
        wanted = {(check.id, check.digest) for check in checks}
        recent = (night for night in self._recent if wanted <= self._answered[night.run])
        return next(recent, None) or self._history.last_answered(self._series, wanted)


def proved_now(run: Run, before: LastProved) -> tuple[TableProved, ...]:
    """When each table that checks of a run are about was last proved, this run included, by name."""
    answered = {result.check_id for result in run.results if result.status not in UNANSWERED}
    partly = {state.table for state in run.resumed if not state.ended}
    found = []
    for table, members in sorted(_by_table(run.checks).items()):
        earlier = before.tables.get(table, TableProved(table))
        # A violation that was met is an answer to its check; the table was not wholly seen.
        now = {check.id for check in members} <= answered and table not in partly
        found.append(TableProved(table, run.place.at, run.id) if now else earlier)
    return tuple(found)


def series_at(nights: Iterable[Night], suite: str, place: Place) -> list[Night]:
    """The nights of a suite on the database of a place, the oldest first."""
    here = Night(
        run="",
        digest="",
        folder="",
        at=place.at,
        suite=suite,
        suite_digest="",
        host=place.host,
        port=place.port,
        database=place.database,
        server=place.system_identifier,
        verdict=Verdict.INCONCLUSIVE,
        whole=False,
        milliseconds=0,
        rows=(),
        outcomes=(),
    )
    return [night for night in same_database([*nights, here], here) if night.run]


def _by_table(checks: Iterable[Check]) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        if check.table:
            found[check.table].append(check)
    return dict(found)
