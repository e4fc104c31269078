"""How far databases and tables are from transaction ID wraparound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.server import (
    MULTIXACTS,
    TRANSACTIONS,
    Counters,
    FrozenAge,
    FrozenAges,
    ServerFacts,
)
from kisaan_validate.rules.base import CatalogueAnswer
from kisaan_validate.rules.server.base import ServerRule, Wrong, answer, known
from kisaan_validate.rules.server.rates import Rate, rate_of

LIMIT = 2**31 - 1 - 3_000_000
"""At this age the server assigns no more transactions or multixacts (PostgreSQL source, SetTransactionIdLimit
in varsup.c and SetMultiXactIdLimit in multixact.c; before version 14 it goes on for up to 3 million)."""


@dataclass(frozen=True)
class WraparoundAge(ServerRule):
    """No database and no table is too old: older than ``share`` of what the server can count, so old that it
    stops within ``days``, or ``overdue`` times as old as autovacuum lets a table become.
    """

    share: Fraction = Fraction(1, 2)
    overdue: int = 2
    days: int = 30
    kind: ClassVar[str] = "wraparound"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"no database or table is older than {self.share} of the way to transaction ID wraparound, "
            f"{self.overdue} times as old as autovacuum allows, or within {self.days} days of the end"
        )

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those that are too old, by either counter."""
        ages = known(server.ages)
        rates = {unit: _rate(server, unit) for unit in (TRANSACTIONS, MULTIXACTS)}
        wrong = [found for age in ages.ages if (found := self._wrong(age, ages, rates))]
        oldest = max(ages.ages, key=lambda a: max(a.xids, a.multixacts))
        unit, age = _older(oldest)
        return answer(
            len(ages.ages),
            # The oldest first: it is what stops the server.
            sorted(wrong, key=lambda w: -int(w.row["age"])),
            f"the oldest is {oldest.kind} {oldest.name}: {_said(unit, age, rates[unit])}",
        )

    def _wrong(self, age: FrozenAge, ages: FrozenAges, rates: dict[str, Rate | None]) -> Wrong | None:
        """What is wrong with one, by the older of its two ages that is too old."""
        settings = {TRANSACTIONS: ages.freeze_max, MULTIXACTS: ages.multixact_freeze_max}
        units = sorted(_units(age), key=lambda pair: -pair[1])
        for unit, old in units:
            if old >= self.share * LIMIT or old >= self.overdue * settings[unit]:
                return _found(age, unit, old, settings[unit], rates[unit])
            rate = rates[unit]
            # Of a database only: it is as old as its oldest table, and would be said twice.
            if age.kind == "database" and rate is not None and rate.days(max(0, LIMIT - old)) < self.days:
                return _found(age, unit, old, settings[unit], rate)
        return None


def _units(age: FrozenAge) -> Iterator[tuple[str, int]]:
    yield TRANSACTIONS, age.xids
    yield MULTIXACTS, age.multixacts


def _older(age: FrozenAge) -> tuple[str, int]:
    return max(_units(age), key=lambda pair: pair[1])


def _rate(server: ServerFacts, unit: str) -> Rate | None:
    if not isinstance(server.counters, Counters) or unit not in server.counters.values:
        return None
    modulo = 2**32 if unit == MULTIXACTS else 0
    return rate_of(server, unit, server.counters.values[unit], modulo=modulo)


def _said(unit: str, age: int, rate: Rate | None) -> str:
    left = max(0, LIMIT - age)
    lasts = f", {rate.words(left)}" if rate is not None else ""
    return f"{age:,} {unit} old, {left:,} left{lasts}"


def _found(age: FrozenAge, unit: str, old: int, setting: int, rate: Rate | None) -> Wrong:
    row = {
        "kind": age.kind,
        "name": age.name,
        "counted": unit,
        "age": str(old),
        "left": str(max(0, LIMIT - old)),
        "autovacuum_freezes_at": str(setting),
        "days_left": str(rate.days(max(0, LIMIT - old))) if rate is not None else "unknown",
    }
    return Wrong(f"{age.kind} {age.name} is {_said(unit, old, rate)}", row)
