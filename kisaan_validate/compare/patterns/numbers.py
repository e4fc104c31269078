"""What happens to numbers: signs, powers of ten, lost decimals, binary fractions. All arithmetic is exact."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from kisaan_validate.compare.patterns.base import EXACT, Pair, Parameter, Pattern, Sort

NUMBERS = frozenset({Sort.NUMBER})


def decimals(value: Decimal) -> int:
    """Decimal places that say something: 2 for 12.50 is 1, for 1200 it is -2, and 0 for zero."""
    exponent = EXACT.normalize(value).as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


class SignFlipped(Pattern):
    """500 became -500."""

    name = "sign flipped"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Both differ in nothing but the sign; a zero has one too."""
        # A zero flips too: -0.0 and 0.0 are equal as numbers, and differ in their sign.
        if pair.numbers and pair.numbers[0] == -pair.numbers[1]:
            signs = {number.is_signed() for number in pair.numbers}
            if len(signs) == 2:
                yield ()

    def says(self, parameter: Parameter) -> str:
        """No parameter."""
        return "sign flipped"


class PowerOfTen(Pattern):
    """12.34 became 1234: multiplied or divided by ten, a hundred, a thousand, up to 10^12."""

    name = "power of ten"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The same digits, another exponent."""
        # Zero is any power of ten of itself.
        if pair.numbers and pair.numbers[0]:
            before, after = (EXACT.normalize(n).as_tuple() for n in pair.numbers)
            power = after.exponent - before.exponent  # type: ignore[operator]  # finite numbers have a whole exponent
            if before.digits == after.digits and before.sign == after.sign and 0 < abs(power) <= 12:
                yield (str(power),)

    def says(self, parameter: Parameter) -> str:
        """×100 or ÷100."""
        power = int(parameter[0])
        return f"{'multiplied' if power > 0 else 'divided'} by {10 ** abs(power):,}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``factor`` as a decimal number."""
        return {"factor": f"{Decimal(1).scaleb(int(parameter[0])):f}"}


_HALF = Decimal("0.5")
_ROUNDINGS = {"rounded": ROUND_HALF_UP, "rounded half to even": ROUND_HALF_EVEN, "cut off": ROUND_DOWN}


class ScaleLost(Pattern):
    """12.345 became 12.35 (as PostgreSQL's numeric rounds, half away from zero), 12.34 (cut off), or
    rounded half to even.
    """

    name = "scale lost"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Every number of places, from -3 (thousands), at which it is so."""
        if not pair.numbers:
            return
        before, after = pair.numbers
        # Rounding to thousands moves a number by less than that.
        if abs(EXACT.subtract(before, after)) >= 1_000:
            return
        # From the places that are left, as fewer could not give this result, to those that were there.
        for places in range(max(-3, min(decimals(after), 40)), min(decimals(before), 40)):
            if places < 0 and not after:
                continue  # everything small rounds to no thousands
            step = Decimal(1).scaleb(-places)
            for way, rounding in _ROUNDINGS.items():
                if before.quantize(step, rounding, EXACT) == after:
                    yield way, str(places)

    def least(self, parameter: Parameter) -> int:
        """629 becomes 630 in many ways."""
        return 3 if int(parameter[1]) < 0 else 1

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """As PostgreSQL rounds, before what is rarer; fewer places before more."""
        return list(_ROUNDINGS).index(parameter[0]), int(parameter[1])

    def says(self, parameter: Parameter) -> str:
        """How, and to how many places."""
        way, places = parameter
        return f"{way} {'after' if way == 'cut off' else 'to'} {_places(int(places))}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``rounding`` and ``decimals``."""
        return {"rounding": parameter[0], "decimals": parameter[1]}


def _places(places: int) -> str:
    if places > 0:
        return f"{places} decimal{'s' if places > 1 else ''}"
    return {0: "whole numbers", -1: "tens", -2: "hundreds", -3: "thousands"}[places]


class PowerOfTenRounded(Pattern):
    """12.34 became 0.12: divided by a power of ten, and what no longer fitted the column was rounded away."""

    name = "power of ten, rounded"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """Division by 10, 100 or 1,000, rounded to 0 to 4 places."""
        if not pair.numbers or not pair.numbers[0]:
            return
        before, after = pair.numbers
        for power in (-1, -2, -3):
            exact = before.scaleb(power, EXACT)
            # Rounding to whole numbers moves it by a half at most; this test spares five roundings.
            if abs(EXACT.subtract(exact, after)) > _HALF:
                continue
            for places in range(max(0, decimals(after)), 5):
                if exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT) == after:
                    yield str(power), str(places)

    def least(self, parameter: Parameter) -> int:
        """Small numbers come out so by accident."""
        return 3

    def needs_variety(self, parameter: Parameter) -> bool:
        """So do zeros."""
        return True

    def variety(self, pair: Pair) -> object:
        """The results must differ."""
        return pair.numbers and pair.numbers[1]

    def says(self, parameter: Parameter) -> str:
        """By what, and to how many places."""
        return f"divided by {10 ** -int(parameter[0]):,} and rounded to {_places(int(parameter[1]))}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``factor`` and ``decimals``."""
        return {"factor": f"{Decimal(1).scaleb(int(parameter[0])):f}", "decimals": parameter[1]}


class BinaryFraction(Pattern):
    """0.1 became 0.100000001490116: the number went through a four-byte or an eight-byte float."""

    name = "binary fraction"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The new value is one of the texts that PostgreSQL has for the old one as a float, or rounds back
        to it.
        """
        if not pair.numbers:
            return
        before, after = pair.numbers
        as_float = float(before)
        # A cheap test first: a single keeps about seven digits.
        if abs(float(after) - as_float) > 1e-5 * abs(as_float):
            return
        if after in _texts_of_single(as_float):
            yield ("4",)
        # PostgreSQL before 12 printed 15 digits; since then the shortest text that reads back.
        elif after == Decimal(f"{as_float:.15g}") or after == Decimal(repr(as_float)):
            yield ("8",)
        # 14 digits, as 15 may already hold the noise.
        elif len(after.as_tuple().digits) >= 15 and Decimal(f"{float(after):.14g}") == before:
            yield ("noise",)

    def says(self, parameter: Parameter) -> str:
        """Which float, or that the noise rounds away."""
        if parameter[0] == "noise":
            return "binary noise added (rounded to 14 digits it is the old value)"
        return f"passed through a {'four' if parameter[0] == '4' else 'eight'}-byte float"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``bytes`` of the float, or ``noise``."""
        return {"float": parameter[0]}


def _texts_of_single(value: float) -> set[Decimal]:
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    # Larger than any single.
    except OverflowError:
        return set()
    shortest = next(
        text
        # PostgreSQL prints the fewest digits that give the same four bytes.
        for digits in range(6, 18)
        if struct.pack("<f", float(text := f"{single:.{digits}g}")) == struct.pack("<f", value)
    )
    return {Decimal(shortest), Decimal(f"{single:.6g}"), Decimal(f"{single:.15g}"), Decimal(repr(single))}


class Wrapped(Pattern):
    """2147483648 became -2147483648: only the lower 16 or 32 bits are left."""

    name = "bits lost"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """A whole number outside the range became what its lower bits mean, with or without a sign."""
        # Beyond 64 bits nothing was an integer of the server.
        if not pair.numbers or any(n != n.to_integral_value() or abs(n) > 2**64 for n in pair.numbers):
            return
        before, after = (int(n) for n in pair.numbers)
        for bits in (16, 32):
            low = before % (1 << bits)
            # Both readings of the lower bits, with a sign and without.
            if before not in range(-(1 << bits - 1), 1 << bits) and after in {low, low - (1 << bits)}:
                yield (str(bits),)

    def says(self, parameter: Parameter) -> str:
        """How many bits are left."""
        return f"cut to its lower {parameter[0]} bits"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``bits`` that are left."""
        return {"bits": parameter[0]}


class ConstantDifference(Pattern):
    """Every number changed by the same amount."""

    name = "constant difference"
    sorts = NUMBERS

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The difference is the parameter."""
        if pair.numbers:
            difference = EXACT.subtract(pair.numbers[1], pair.numbers[0])
            if difference:
                yield (f"{EXACT.normalize(difference):+f}",)

    def free(self, parameter: Parameter) -> bool:
        """Any two numbers differ by something."""
        return True

    def says(self, parameter: Parameter) -> str:
        """By how much."""
        return f"changed by {parameter[0]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``difference``."""
        return {"difference": parameter[0]}


PATTERNS: tuple[Pattern, ...] = (
    SignFlipped(),
    PowerOfTen(),
    ScaleLost(),
    BinaryFraction(),
    Wrapped(),
    PowerOfTenRounded(),
    ConstantDifference(),
)
