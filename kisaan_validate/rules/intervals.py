"""An interval of values as a check declares it: what is refused because no value lies in it, or because
every value does.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import inf, nan
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Column

_NAN = re.compile(r"\s*[-+]?nan(\(\w*\))?\s*", re.IGNORECASE | re.ASCII)
"""The texts that PostgreSQL's numeric types read as NaN (the C library's strtod, which float8in calls, has
more than one).
"""

_ENDLESS = re.compile(r"\s*(?P<sign>[-+]?)inf(inity)?\s*", re.IGNORECASE | re.ASCII)

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})

_WITH_INFINITY = frozenset({"numeric", "float4", "float8", "date", "timestamp", "timestamptz", "interval"})
"""Types that read such a text as the end of their line (``interval`` from PostgreSQL 17, numeric from 14
on).
"""


def is_no_value(value: Any) -> bool:
    """Whether a Python value is a NaN, NaT or NA of any library: it does not even equal itself."""
    try:
        # A NaN is the one value that differs from itself.
        return bool(value != value)
    except Exception:  # Decimal("sNaN") and pandas.NA refuse to be compared at all
        return True


def refuse_no_value(value: Any, what: str, hint: str = "leave it out") -> None:
    """Raises SuiteError for a NaN, NaT or NA where a value is meant."""
    if is_no_value(value):
        raise SuiteError(f"{what} is {value!r}, which compares with nothing", hint)


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``, each end included or not; None where there is no such end."""

    low: Any = None
    high: Any = None
    include_low: bool = True
    include_high: bool = True

    def refuse_void(self) -> None:
        """Raises SuiteError for a NaN as an end, and for ends between which no value lies."""
        for what, end in (("the lower bound", self.low), ("the upper bound", self.high)):
            refuse_no_value(end, what)
        if self._void():
            # An empty interval can only fail, which no author means.
            raise SuiteError(f"nothing is {self}", "write the smaller bound first")

    def idle(self, column: Column, allow_nan: bool = False) -> str:
        """Why it says nothing of a column of this type, "" if it does: an end is NaN, no value lies in it,
        or every value.
        """
        # The column's type decides what a text is; only there does "NaN" or "infinity" show.
        read = Interval(
            _as_read(self.low, column), _as_read(self.high, column), self.include_low, self.include_high
        )
        for given, end in ((self.low, read.low), (self.high, read.high)):
            if is_no_value(end):
                return f"the bound {given!r} is NaN, which compares with nothing"
        if read._void():
            return f"nothing is {self}: it can only fail"
        # A NaN fails every bound, so an interval of all numbers can still fail where a NaN can be stored.
        if read._endless(column) and (allow_nan or not column.may_be_nan):
            return f"every {column.type} is {self}: it can never fail"
        return ""

    def _endless(self, column: Column) -> bool:
        """Whether every value but a NaN lies in it."""
        # -inf as a lower end admits everything, as no end does.
        below, above = self.low in (None, -inf), self.high in (None, inf)
        # An end that is left out, as in "greater than -infinity", fails for infinity itself.
        low_fails, high_fails = (
            self.low is not None and not self.include_low,
            self.high is not None and not self.include_high,
        )
        return below and above and not ((low_fails or high_fails) and column.base in _WITH_INFINITY)

    def _void(self) -> bool:
        # Above infinity, or below minus infinity, there is no value.
        if (self.low == inf and not self.include_low) or (self.high == -inf and not self.include_high):
            return True
        # Only the column's collation knows which of two texts is smaller.
        if self.low is None or self.high is None or isinstance(self.low, str):
            return False  # texts: which is the smaller one decides the column's type, and its collation
        try:
            return bool(self.low > self.high) or (
                self.low == self.high and not (self.include_low and self.include_high)
            )
        except TypeError:
            raise SuiteError(f"{self.low!r} and {self.high!r} cannot be compared") from None

    def __str__(self) -> str:
        low, high = "at least" if self.include_low else "above", "at most" if self.include_high else "below"
        return " and ".join(
            f"{word} {end}" for word, end in ((low, self.low), (high, self.high)) if end is not None
        )


def _as_read(end: Any, column: Column) -> Any:
    """An end as the server reads it: a text beside a number is a number, beside a time perhaps infinity."""
    if not isinstance(end, str):
        return end
    # In a text column "inf" is just a word.
    if match := _ENDLESS.fullmatch(end) if column.base in _WITH_INFINITY else None:
        return -inf if match["sign"] == "-" else inf
    if column.may_be_nan and _NAN.fullmatch(end):
        return nan
    try:
        return Decimal(end.strip()) if column.base in _NUMBERS else end
    except ArithmeticError:
        return end  # no number: the server will say so
