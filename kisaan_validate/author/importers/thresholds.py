"""Thresholds as SodaCL and dbt write them: ``= 0``, ``< 5 %``, ``between 1 and 10``, ``not between (0 and
1)``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark
from kisaan_validate.dataclass import dataclass

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_SIMPLE = re.compile(rf"(=|==|!=|<>|<=|>=|<|>)\s*{_NUMBER}\s*(%?)")
_BETWEEN = re.compile(rf"(not\s+)?between\s*(\(|\[)?\s*{_NUMBER}\s*%?\s+and\s+{_NUMBER}\s*%?\s*(\)|\])?")


@dataclass(frozen=True)
class Threshold:
    """What a figure may be: within bounds (each included or not), or with ``outside``, just not that."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_included: bool = True
    high_included: bool = True
    outside: bool = False

    def admits(self, value: int | Fraction) -> bool:
        """Whether a figure is within it."""
        inside = (self.low is None or value > self.low or (self.low_included and value == self.low)) and (
            self.high is None or value < self.high or (self.high_included and value == self.high)
        )
        return inside is not self.outside

    def admits_all(self, most: int | None = None) -> bool:
        """Whether it admits every whole number from 0 on, or with ``most``, everything from 0 up to that."""
        if not self.outside:
            least = self.low is None or self.low < 0 or (self.low == 0 and self.low_included)
            return least and (
                self.high is None or (most is not None and self.high >= most and self.admits(most))
            )
        # What is left out lies below 0, or above all that can be.
        below = self.high is not None and (self.high < 0 or (self.high == 0 and not self.high_included))
        return below or (
            most is not None
            and self.low is not None
            and (self.low > most or (self.low == most and not self.low_included))
        )

    @property
    def inverse(self) -> Threshold:
        """What it does not admit."""
        return Threshold(self.low, self.high, self.low_included, self.high_included, not self.outside)

    def sql(self, figure: str, under: str = "") -> str:
        """The condition on a figure; with ``under``, on ``figure / under``, compared without dividing."""
        parts = [
            self._side(figure, under, self.low, ">=" if self.low_included else ">"),
            self._side(figure, under, self.high, "<=" if self.high_included else "<"),
        ]
        said = " AND ".join(part for part in parts if part)
        # NOT over both sides: what is outside is not two conditions joined by AND.
        return f"NOT ({said})" if self.outside else said

    def _side(self, figure: str, under: str, bound: Fraction | None, sign: str) -> str:
        if bound is None:
            return ""
        # In parentheses, as "-" behind an operator could be read as part of it.
        top = str(bound.numerator) if bound.numerator >= 0 else f"({bound.numerator})"
        left = figure if bound.denominator == 1 else f"{figure} * {bound.denominator}"
        return f"{left} {sign} {f'{top} * {under}' if under else top}"

    @property
    def most_rows(self) -> int | None:
        """If it admits just the whole numbers from 0 up to one, that one; else None."""
        if self.outside:
            # "not more than 5", written as the inverse of "> 5".
            if self.high is not None or self.low is None or self.low < 0:
                return None
            # A whole bound that is itself left out ends one below.
            top = (
                self.low if not self.low_included else self.low - 1 if self.low.denominator == 1 else self.low
            )
            return top.numerator // top.denominator if top >= 0 else None
        if self.high is None or (self.low is not None and not self.admits(0)) or self.high < 0:
            return None
        if self.high.denominator == 1 and not self.high_included:
            return self.high.numerator - 1 if self.high > 0 else None
        return self.high.numerator // self.high.denominator


def read_threshold(text: str) -> tuple[Threshold, bool]:
    """A threshold, and whether it is in per cent. Raises NoCounterpart for anything else."""
    plain = " ".join(text.split())
    if match := _SIMPLE.fullmatch(plain):
        sign, number, percent = match.groups()
        value = Fraction(Decimal(number))
        made = {
            "=": Threshold(value, value),
            "==": Threshold(value, value),
            "!=": Threshold(value, value, outside=True),
            "<>": Threshold(value, value, outside=True),
            "<": Threshold(None, value, True, False),
            "<=": Threshold(None, value),
            ">": Threshold(value, None, False),
            ">=": Threshold(value, None),
        }
        return made[sign], bool(percent)
    if match := _BETWEEN.fullmatch(plain):
        negated, left, low, high, right = match.groups()
        bounds = Fraction(Decimal(low)), Fraction(Decimal(high))
        # An empty range admits nothing, and its opposite everything.
        if bounds[0] > bounds[1] or (bounds[0] == bounds[1] and (left == "(" or right == ")")):
            raise NoCounterpart(
                f"nothing is between {low} and {high}" + (": it can never fail" if negated else "")
            )
        return Threshold(*bounds, left != "(", right != ")", bool(negated)), "%" in plain
    raise NoCounterpart(f"the threshold {remark(text)} cannot be parsed")
