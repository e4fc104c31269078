"""How often an application failed before a change and after it: two counts each, of equal periods."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from kisaan_validate.dataclass import dataclass

ERRORS_FORMAT = 1
"""Version of ``errors.json``. 1: first form."""


@dataclass(frozen=True)
class ErrorWindow:
    """Requests from ``begins`` up to, not including, ``ends``, and how many of them failed."""

    begins: datetime
    ends: datetime
    requests: int
    errors: int

    @property
    def share(self) -> Fraction:
        """The exact share of requests that failed; there must be one."""
        return Fraction(self.errors, self.requests)


@dataclass(frozen=True)
class ErrorRates:
    """What a log or a Prometheus server says. ``source`` is "log" or "prometheus", ``estimated``: the counts
    were extrapolated by it and rounded. ``gaps`` say why the counts may not be whole: () if they are.

    ``chance`` is how improbable an increase must be by chance alone to be one, ``tolerance`` how much of the
    share an increase may have without being noticed.
    """

    format_version: int
    source: str
    taken: datetime
    before: ErrorWindow
    after: ErrorWindow
    chance: Decimal
    tolerance: Decimal
    gaps: tuple[str, ...] = ()
    estimated: bool = False
