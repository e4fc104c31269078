"""How long something lasts at the present rate. Exact: fractions of a day, shown rounded down."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.server import Counters, ServerFacts

SHORTEST = timedelta(hours=6)
"""Over a shorter time a burst would pass for the usual."""


@dataclass(frozen=True)
class Rate:
    """So much of a counter was used in ``seconds``, since ``since`` (the server's clock)."""

    used: int
    seconds: Fraction
    since: datetime

    def days(self, left: int) -> int:
        """How many whole days ``left`` lasts."""
        return int(Fraction(left, self.used) * self.seconds / 86_400)

    def words(self, left: int) -> str:
        """The same in words."""
        days = self.days(left)
        return f"{days:,} day{'' if days == 1 else 's'} at the rate since {self.since:%Y-%m-%d %H:%M}"


def rate_of(server: ServerFacts, name: str, now: int, *, step: int = 1, modulo: int = 0) -> Rate | None:
    """How fast a counter moved from the newest earlier look that is long enough ago; None if none is, or it
    did not move forward.

    ``step`` is what one use adds; a counter with ``modulo`` starts again from 0 there.
    """
    if not isinstance(server.counters, Counters):
        return None
    at = server.counters.at
    # A clock that was set back makes an earlier look a later one: that gives no rate.
    fit = [e for e in server.earlier if name in e.values and at - e.at >= SHORTEST]
    if not fit:
        return None
    before = max(fit, key=lambda e: e.at)
    moved = now - before.values[name]
    used = moved % modulo if modulo else moved // step
    if used <= 0:
        return None
    return Rate(used, _seconds(at - before.at), before.at)


def _seconds(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 1_000_000)
