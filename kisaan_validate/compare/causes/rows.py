"""Rows that came, went or changed, and what follows from that for the figures of their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from kisaan_validate.compare.causes.base import GroupCause, Proof, rows_in_words
from kisaan_validate.compare.patterns.base import EXACT, number_of, time_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import DIGEST, FIGURES, ROWS, VALUES, Change
from kisaan_validate.facts.kept import RowsCompared
from kisaan_validate.facts.table import Family, Profile, TableFacts


@dataclass(frozen=True)
class RowsDiffer(GroupCause):
    """Rows were compared one by one, so it is known how many came, went and changed.

    Whatever the digests of rows cover follows from these rows: all others are byte for byte the same.
    ``covered`` are those columns.
    """

    kind: ClassVar[str] = "rows differ"
    table: str
    added: int
    removed: int
    changed: int
    covered: frozenset[str]

    def reproduces(self, change: Change) -> bool:
        """The numbers of rows, and the figures and digests of covered columns."""
        if change.table != self.table:
            return False
        if change.kind == VALUES:
            return change.name in self.covered and bool(self.added or self.removed or self.changed)
        return change.kind == ROWS and self._counts(change)

    def _counts(self, change: Change) -> bool:
        numbers = {"added": self.added, "removed": self.removed, "changed": self.changed}
        if change.aspect == "count":
            return change.delta == self.added - self.removed
        # Another set of keys can only come from rows that came or went.
        if change.aspect == DIGEST:
            return bool(self.added or self.removed)
        return bool(change.delta) and numbers.get(change.aspect) == change.delta

    def words(self, changes: Sequence[Change]) -> str:
        """How many rows came, went and changed."""
        return rows_in_words(self.added, self.removed, self.changed)

    def states(self, change: Change) -> bool:
        """The numbers of rows of each kind."""
        return change.kind == ROWS and change.aspect != DIGEST


def rows_differ(compared: RowsCompared, before: TableFacts, after: TableFacts) -> RowsDiffer | None:
    """The cause that rows compared one by one make known; None where they were not compared, or agree.

    A table without a key knows no changed rows: each is one that went and one that came.
    """
    if compared.message or compared.added is None or compared.removed is None:
        return None
    changed = compared.changed or 0
    if not (compared.added or compared.removed or changed):
        return None
    return RowsDiffer(
        before.title, compared.added, compared.removed, changed, _covered(before) & _covered(after)
    )


def _covered(table: TableFacts) -> frozenset[str]:
    """The columns that the digest of a row covers: all but personal ones and those that it left out."""
    left_out = table.digests.left_out if table.digests is not None else {}
    return frozenset(
        c.name
        for c in table.columns
        if c.name not in left_out and c.profile is not None and not c.profile.personal
    )


@dataclass(frozen=True)
class CountMoved(GroupCause):
    """Only the number of rows is known: so many more, or fewer, than before.

    What it allows is arithmetic. Of k rows that went, so many held NULL as the NULLs fell by; the rest took
    from the sum between k times the smallest and k times the largest value; an end cannot have widened.
    Rows that came are the same with the sides exchanged. Figures that no k rows could have made are no
    part of it.
    """

    kind: ClassVar[str] = "count"
    proof: ClassVar[Proof] = Proof.POSSIBLE
    table: str
    delta: int
    more: Mapping[str, Profile]
    less: Mapping[str, Profile]

    def reproduces(self, change: Change) -> bool:
        """The count itself, and figures that so many rows can have made differ."""
        if change.table != self.table:
            return False
        if change.kind == ROWS:
            return change.aspect == "count" and change.delta == self.delta
        if change.kind != VALUES or change.name not in self.more or change.name not in self.less:
            return False
        return self._allows(change.aspect, self.more[change.name], self.less[change.name])

    def _allows(self, figure: str, more: Profile, less: Profile) -> bool:
        rows = abs(self.delta)
        # A row that went took its value out of every digest of the column.
        if figure == DIGEST:
            return True
        # Rows that are on both sides and hold another value did not come or go.
        if figure not in FIGURES:
            return False
        if more.nulls is None or less.nulls is None or not 0 <= more.nulls - less.nulls <= rows:
            return False
        values = rows - (more.nulls - less.nulls)
        if figure == "nulls":
            return True
        if not values:
            return False
        return _sum_allows(more, less, values) if figure == "total" else _ends_allow(figure, more, less)

    def words(self, changes: Sequence[Change]) -> str:
        """How many rows more or fewer."""
        number = f"{abs(self.delta):,} {'more' if self.delta > 0 else 'fewer'}"
        return f"{number} {'row' if abs(self.delta) == 1 else 'rows'}"

    def states(self, change: Change) -> bool:
        """The count."""
        return change.kind == ROWS


def _sum_allows(more: Profile, less: Profile, values: int) -> bool:
    """Whether ``values`` values between the ends can make the difference of both sums."""
    low, high, total = (number_of(text) for text in (more.minimum, more.maximum, more.total))
    # No value is left where the sum is: then all went.
    left = Decimal(0) if less.total is None and less.minimum is None else number_of(less.total)
    if low is None or high is None or total is None or left is None:
        return False
    gone = EXACT.subtract(total, left)
    return EXACT.multiply(low, Decimal(values)) <= gone <= EXACT.multiply(high, Decimal(values))


def _ends_allow(figure: str, more: Profile, less: Profile) -> bool:
    """Whether an end only drew in, or there is no value left that could be one."""
    wide, narrow = (_comparable(p.family, getattr(p, figure)) for p in (more, less))
    if getattr(less, figure) is None:
        return wide is not None
    if wide is None or narrow is None:
        return False
    return _at_least(narrow, wide) if figure == "minimum" else _at_least(wide, narrow)


def _at_least(one: Decimal | datetime | str, other: Decimal | datetime | str) -> bool:
    """``one >= other``; False where both are not of one kind."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one >= other
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one >= other
    return isinstance(one, str) and isinstance(other, str) and one >= other


def _comparable(family: Family, text: str | None) -> Decimal | datetime | str | None:
    """An end as what its order is defined over; None where that is not known here."""
    if family in {Family.NUMBER, Family.FLOAT}:
        return number_of(text)
    # Texts have their ends by code point, which is how Python compares them.
    return text if family is Family.TEXT else time_of(text)


def count_moved(change: Change, before: TableFacts, after: TableFacts) -> CountMoved:
    """The cause that a different number of rows is, beside the figures of both sides."""
    delta = change.delta or 0
    old, new = (
        {c.name: c.profile for c in table.columns if c.profile is not None} for table in (before, after)
    )
    more, less = (old, new) if delta < 0 else (new, old)
    return CountMoved(change.table, delta, more, less)
