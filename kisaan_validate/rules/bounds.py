"""Exact bounds of a figure, and how a figure is compared with them in SQL."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError


@dataclass(frozen=True)
class Bounds:
    """What a figure may be: from ``low`` to ``high``, both included; None where there is no such end."""

    low: Fraction | None = None
    high: Fraction | None = None

    def __str__(self) -> str:
        if self.low is not None and self.low == self.high:
            return f"exactly {exact_text(self.low)}"
        ends = [("at least", self.low), ("at most", self.high)]
        return " and ".join(f"{word} {exact_text(end)}" for word, end in ends if end is not None)

    def held(self, figure: str, of: str = "") -> str:
        """SQL that is true where ``figure`` (or the ratio of ``figure`` to ``of``) lies within the bounds.

        Nothing is divided: both sides are multiplied out, so the answer is exact. A ratio of nothing to
        nothing is within any bounds.
        """
        ends = [(">=", self.low), ("<=", self.high)]
        return " AND ".join(compared(figure, sign, end, of) for sign, end in ends if end is not None)


def compared(figure: str, sign: str, number: Fraction, of: str = "") -> str:
    """SQL for ``figure SIGN number × of``, multiplied out so that whole numbers are compared. ``of`` is 1
    if "".
    """
    # numeric, because count × denominator may be beyond bigint.
    left = figure if number.denominator == 1 else f"{figure}::numeric * {number.denominator}"
    right = f"{of}::numeric * {_whole(number.numerator)}" if of else _whole(number.numerator)
    return f"{left} {sign} {right}"


def _whole(number: int) -> str:
    # In parentheses: ``a - -1`` would begin a comment.
    return str(number) if number >= 0 else f"({number})"


def exact_text(number: Fraction) -> str:
    """The number as decimal text if it has one that ends, else as a fraction."""
    twos, fives, rest = _powers(number.denominator)
    # A fraction without an end in decimals is said as it is, not rounded.
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    places = max(twos, fives)
    # As many places as the larger of both powers: 1/8 needs three.
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if number < 0 else text


def _powers(number: int) -> tuple[int, int, int]:
    """How often 2 and 5 divide a number, and what is left of it."""
    counts = []
    for prime in (2, 5):
        count = 0
        while number % prime == 0:
            number, count = number // prime, count + 1
        counts.append(count)
    return counts[0], counts[1], number


def read_exact(value: Any, what: str) -> Fraction:
    """A number without any doubt about its digits. Raises SuiteError for a float, a bool, NaN or infinity."""
    # bool is an int to Python. A float is refused, because 0.1 is not one tenth.
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, Fraction)):
        raise SuiteError(
            f"{what}={value!r} is not an exact number", 'write 5, Decimal("0.1") or Fraction(1, 3)'
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise SuiteError(f"{what}={value!r} is not a bound", "omit it")
    return Fraction(value)


def read_bounds(low: Any, high: Any) -> Bounds:
    """Bounds of a figure that may be any number. Raises SuiteError if they are not exact, or leave nothing
    or all.
    """
    found = Bounds(
        None if low is None else read_exact(low, "low"), None if high is None else read_exact(high, "high")
    )
    if found.low is None and found.high is None:
        raise SuiteError("without low and high it can never fail", "write low=…, high=…, or both")
    if found.low is not None and found.high is not None and found.low > found.high:
        raise SuiteError(f"nothing is {found}", "write the smaller number as low")
    return found


def read_count_bounds(low: Any, high: Any) -> Bounds:
    """Bounds of a count. Raises SuiteError as :func:`read_bounds`, and for what no number of rows can be."""
    found = read_bounds(low, high)
    for name, end in (("low", found.low), ("high", found.high)):
        # A bound of 2.5 rows means 2 or 3, and nobody said which.
        if end is not None and (end.denominator != 1 or end < 0):
            raise SuiteError(
                f"{name}={exact_text(end)} is not a number of rows", "write a whole number, 0 or more"
            )
    if found.high is None and found.low == 0:
        raise SuiteError("at least 0 can never fail", "write 1 or more, or omit it")
    return found


def check_share_bounds(found: Bounds) -> Bounds:
    """Bounds of a share of rows, from 0 to 1. Raises SuiteError for others, and for those that admit every
    share.
    """
    for end in (found.low, found.high):
        if end is not None and not 0 <= end <= 1:
            raise SuiteError(
                f"{exact_text(end)} is not a share", 'write "5%", "1/20", or a number from 0 to 1'
            )
    if (found.low or 0) == 0 and (found.high is None or found.high == 1):
        raise SuiteError(f"a share is always {found}: it can never fail", "write narrower bounds")
    return found
