"""What a pattern is, and one changed value as patterns see it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

_T = TypeVar("_T")

Parameter = tuple[str, ...]
"""What a pattern found out about one value, as texts: ("+05:30",)."""

# The default of 28 digits would round, and a pattern must be exact to be claimed.
EXACT = Context(prec=200_000, Emax=999_999, Emin=-999_999)
"""Wide enough for every numeric of PostgreSQL, so that no arithmetic here rounds unasked."""

LONGEST = 100_000
"""Texts beyond this length are not searched for patterns that take them apart."""


class Sort(StrEnum):
    """What a column holds, as far as patterns care."""

    NUMBER = "number"
    TIME = "time"
    TEXT = "text"
    TRUTH = "truth"
    DOCUMENT = "document"
    OTHER = "other"


_SORTS = {
    "smallint": Sort.NUMBER,
    "integer": Sort.NUMBER,
    "bigint": Sort.NUMBER,
    "numeric": Sort.NUMBER,
    "real": Sort.NUMBER,
    "double precision": Sort.NUMBER,
    "date": Sort.TIME,
    "timestamp": Sort.TIME,
    "text": Sort.TEXT,
    "citext": Sort.TEXT,
    "character": Sort.TEXT,
    "character varying": Sort.TEXT,
    "name": Sort.TEXT,
    "boolean": Sort.TRUTH,
    "json": Sort.DOCUMENT,
    "jsonb": Sort.DOCUMENT,
}


_FORMS = {
    "integer": Sort.NUMBER,
    "numeric": Sort.NUMBER,
    "float": Sort.NUMBER,
    "timestamp": Sort.TIME,
    "timestamptz": Sort.TIME,
    "date": Sort.TIME,
    "text": Sort.TEXT,
    "boolean": Sort.TRUTH,
    "json": Sort.DOCUMENT,
}


def sort_of_form(form: str, type: str) -> Sort:
    """The sort of a column by the canonical class under which it is compared, which knows what a domain is
    made of; by its type where the class says nothing."""
    return _FORMS.get(form) or sort_of(type)


def sort_of(type: str) -> Sort:
    """The sort of a column by its type as ``format_type`` writes it: ``numeric(12,2)``, ``timestamp(0)
    with time zone``.
    """
    # An array prints like a text, and patterns would take it for one.
    if type.endswith("[]"):
        return Sort.OTHER
    base = type.split("(")[0].strip()
    base = base.removesuffix(" with time zone").removesuffix(" without time zone")
    return _SORTS.get(base, Sort.OTHER)


_UNREAD: Any = object()


class Pair:
    """One changed value: texts of the server, None for NULL, and what they mean where they mean a number
    or a time.

    What they mean is worked out when first asked for: there may be millions of pairs, so it is kept by hand.
    """

    # Millions of pairs are made: without slots each would carry a dict.
    __slots__ = ("_numbers", "_times", "after", "before")

    def __init__(self, before: str | None, after: str | None) -> None:
        self.before = before
        self.after = after
        self._numbers: tuple[Decimal, Decimal] | None = _UNREAD
        self._times: tuple[datetime, datetime] | None = _UNREAD

    @property
    def numbers(self) -> tuple[Decimal, Decimal] | None:
        """Both as finite numbers; None if one is not."""
        if self._numbers is _UNREAD:
            self._numbers = _both(number_of(self.before), number_of(self.after))
        return self._numbers

    @property
    def times(self) -> tuple[datetime, datetime] | None:
        """Both as points in time, UTC; None if one is not, or lies outside the years 1 to 9999."""
        if self._times is _UNREAD:
            self._times = _both(time_of(self.before), time_of(self.after))
        return self._times

    @property
    def texts(self) -> tuple[str, str] | None:
        """Both as texts; None if one is NULL or too long to be searched."""
        if self.before is None or self.after is None or max(len(self.before), len(self.after)) > LONGEST:
            return None
        return self.before, self.after


def _both(one: _T | None, other: _T | None) -> tuple[_T, _T] | None:
    return None if one is None or other is None else (one, other)


def number_of(text: str | None) -> Decimal | None:
    """A finite number, exactly; None if the text is something else."""
    # Longer than any text that is meant as a number; Decimal would take its time over it.
    if text is None or not text or len(text) > 2_000:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # NaN and Infinity have no digits to compare.
    return value if value.is_finite() else None


def time_of(text: str | None) -> datetime | None:
    """A point in time out of PostgreSQL's ISO text (without an offset: taken as UTC); None if it is not,
    or so near the ends of what a datetime holds that an offset would leave it."""
    # Before fromisoformat, which also takes other forms and is asked for every changed text.
    if text is None or len(text) < 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        value = datetime.fromisoformat(text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value if _FIRST <= value <= _LAST else None


# 14 hours from either end: the widest offsets of zones must not leave what a datetime holds.
_FIRST, _LAST = datetime(1, 1, 1, 14, tzinfo=UTC), datetime(9999, 12, 31, 9, tzinfo=UTC)


class Pattern(ABC):
    """One way in which a value becomes another.

    ``group``: 0 what does not happen by accident, 1 the rest, 2 what says little. Where several patterns
    make the same new value, the lower group is preferred, then the one that fits more rows, then the order
    of the list.
    """

    name: ClassVar[str]
    group: ClassVar[int] = 1
    sorts: ClassVar[frozenset[Sort]] = frozenset(Sort)
    """A column takes part if either side is of one of these sorts."""

    def fits(self, pair: Pair) -> Iterator[Parameter]:
        """The parameters with which the pattern makes ``after`` of ``before``, exactly. Without one it does
        not fit; nor does a pattern that is found in whole rows (``patterns.rows``).
        """
        return iter(())

    def free(self, parameter: Parameter) -> bool:
        """Whether the parameter is one of endlessly many, so that some parameter fits nearly every change."""
        return False

    def least(self, parameter: Parameter) -> int:
        """How many rows it takes before the pattern is worth a name. One fixed pattern is; one free one is
        not.
        """
        return 3 if self.free(parameter) else 1

    def needs_variety(self, parameter: Parameter) -> bool:
        """Whether it takes different old values to tell the pattern from one value that became another."""
        return self.free(parameter)

    def variety(self, pair: Pair) -> object:
        """What of a value must differ between rows where ``needs_variety``."""
        return pair.before

    def order(self, parameter: Parameter) -> tuple[object, ...]:
        """What decides between two parameters that fit equally many rows: the lower is preferred."""
        return parameter

    @abstractmethod
    def says(self, parameter: Parameter) -> str:
        """The pattern in words, to be followed by "in 3 of 4 changed rows"."""

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """What the pattern found, for programs."""
        return {}

    def quotes(self, parameter: Parameter) -> bool:
        """Whether the parameter holds values of the table, which may be somebody's."""
        return False


def shown(text: str) -> str:
    """A value as words quote it: on one line, cut where it is long."""
    flat = text.replace("\n", "⏎")
    return repr(flat if len(flat) <= 60 else flat[:57] + "…")


class Off(Pattern):
    """What stands in the place of a pattern that cannot fit a column."""

    name = "off"

    def says(self, parameter: Parameter) -> str:
        """Nothing: it never fits."""
        return ""
