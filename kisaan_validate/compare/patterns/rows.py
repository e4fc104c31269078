"""What happens to whole rows: two columns exchanged, one column's value put into another, rows that come
twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

from kisaan_validate.compare.patterns.base import EXACT, Parameter, Pattern, Sort, number_of
from kisaan_validate.facts.row_differences import RowChange

Values = Mapping[str, str | None]


class Swapped(Pattern):
    """Two columns of a row exchanged their values. Found by ``swaps_of``, since it takes the row."""

    name = "columns swapped"
    group = 0

    def says(self, parameter: Parameter) -> str:
        """The columns are said beside it."""
        return "swapped with each other"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``with``."""
        return {"with": parameter[0]}


class Copied(Pattern):
    """A column holds what another column of the row holds, which did not change."""

    name = "copied from a column"

    def free(self, parameter: Parameter) -> bool:
        """Small values are equal by accident."""
        return True

    def says(self, parameter: Parameter) -> str:
        """From which column."""
        return f"replaced by the value of {parameter[0]}"

    def facts(self, parameter: Parameter) -> Mapping[str, str]:
        """``from``."""
        return {"from": parameter[0]}


def plain(value: str | None, sort: Sort) -> str | None:
    """A value so that equal ones are equal texts: 5.00 is 5."""
    if sort is Sort.NUMBER and (number := number_of(value)) is not None:
        # An f format, as normalize() writes 1E+2 for 100.
        return f"{EXACT.normalize(number):f}" if number else "0"
    return value


def swaps_of(columns: Sequence[str], before: Values, after: Values) -> Iterator[tuple[str, str]]:
    """Pairs of changed columns, in order, whose (plain) values changed places."""
    for n, one in enumerate(columns):
        for other in columns[n + 1 :]:
            if before[one] == after[other] and before[other] == after[one]:
                yield one, other


def copies_of(column: str, others: Iterable[str], after: Values) -> Iterator[str]:
    """The columns, among those that did not change, whose (plain) value the column took."""
    value = after[column]
    # NULL is equal to nothing.
    if value is not None:
        yield from (other for other in others if after[other] == value)


def digest(values: Sequence[str | None]) -> int:
    """128 bits of some values; NULL is not the empty text, and no two lists run together."""
    framed = b"".join(
        # Length before content, so that ("ab", "c") and ("a", "bc") differ.
        b"-" if v is None else b"%d:%s" % (len(raw := v.encode("utf-8", "surrogatepass")), raw)
        for v in values
    )
    return int.from_bytes(blake2b(framed, digest_size=16).digest(), "big")


class Contents:
    """Rows that came or went, by what they hold beside their key. Exact up to ``limit`` different rows,
    then not said.
    """

    def __init__(self, limit: int = 30_000) -> None:
        self._came = _Pile(limit)
        self._went = _Pile(limit)
        self._balance = 0

    def see(self, change: RowChange, values: Sequence[str | None], came: bool) -> None:
        """One row that was added or removed, by its values without the key's."""
        content = digest(values)
        (self._came if came else self._went).add(content, change)
        # A sum modulo 2^128 needs no memory: 0 at the end means that the same rows came as went.
        self._balance = (self._balance + (content if came else -content) * change.copies) % (1 << 128)

    @property
    def added(self) -> int:
        """Rows that came."""
        return self._came.rows

    @property
    def removed(self) -> int:
        """Rows that went."""
        return self._went.rows

    @property
    def renumbered(self) -> int | None:
        """Rows that went under one key and came under another; None if there were too many to tell."""
        # Proved by the balance even where there were too many rows to keep.
        if self.added == self.removed and not self._balance:
            return self.added
        if self._came.counts is None or self._went.counts is None:
            return None
        return (self._came.counts & self._went.counts).total()

    @property
    def repeated(self) -> int | None:
        """Added rows that equal another added row but for the key, the first of each left out; None as
        above.
        """
        counts = self._came.counts
        return None if counts is None else counts.total() - len(counts)

    def keys(self) -> Iterator[tuple[Sequence[str | None], Sequence[str | None]]]:
        """The old and the new key of rows that came back, where it is plain which is which: only one such
        row on either side.
        """
        for content, old in self._went.keys.items():
            new = self._came.keys.get(content)
            if old is not None and new is not None:
                yield old, new


class _Pile:
    """How many rows hold what, and the key of each content that only one row holds; both only while they
    are few.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.rows = 0
        self.counts: Counter[int] | None = Counter()
        self.keys: dict[int, tuple[str | None, ...] | None] = {}

    def add(self, content: int, change: RowChange) -> None:
        """One row."""
        self.rows += change.copies
        if self.counts is None:
            return
        self.counts[content] += change.copies
        # With a second row of the same content it is unknown which came from which.
        self.keys[content] = change.key if self.counts[content] == 1 else None
        if len(self.counts) > self._limit:
            # Above the limit a part would be a wrong number, so nothing is kept.
            self.counts, self.keys = None, {}
