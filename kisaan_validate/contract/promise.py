"""What a promise is, and its possible outcomes. Pure: two sides in, an outcome out.

A promise is KEPT, BROKEN (something else happened), NOT_DONE (nothing happened), UNKNOWN, or
what it speaks of is on neither side. It explains the changes that it promised, and no others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.titles import split_column
from kisaan_validate.text import numbers

if TYPE_CHECKING:
    from kisaan_validate.contract.both import Both
    from kisaan_validate.contract.needs import Need
    from kisaan_validate.facts.differences import ChangeKey


class State(StrEnum):
    """The outcome of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_DONE = "promised but not done"
    UNKNOWN = "cannot tell"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Outcome:
    """What happened to one promise, in words, and the changes that it explains; ``contradicts`` are those
    that break it.
    """

    state: State
    message: str = ""
    explains: frozenset[ChangeKey] = frozenset()
    before: str = ""
    after: str = ""
    contradicts: frozenset[ChangeKey] = frozenset()


@dataclass(frozen=True)
class Promise(ABC):
    """One promise. ``id`` is unique in its contract; ``why`` is for people. ``optional``: its object may be
    missing from both sides; if it is missing and not optional, the promise is open, because its name may be
    misspelled."""

    id: str
    why: str = ""
    severity: Severity = Severity.BLOCKING
    optional: bool = False
    kind: ClassVar[str] = ""

    @abstractmethod
    def claim(self) -> str:
        """What is promised, in words."""

    @abstractmethod
    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell."""

    def needs(self) -> tuple[Need, ...]:
        """What must be measured for it, on the side before, after, or both."""
        return ()

    def expressions(self) -> tuple[str, ...]:
        """The SQL expressions over one row that the author wrote."""
        return ()

    def rewrites(self) -> tuple[str, str] | None:
        """The column, as (table as written, name), of whose values it speaks."""
        return None

    @property
    def says_values(self) -> bool:
        """Whether it says what every value of its column becomes."""
        return self.rewrites() is not None

    @property
    def may_be_missing(self) -> bool:
        """Whether it leaves nothing open where what it speaks of is on neither side."""
        return self.optional

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of what this kind of promise says beyond its id, reason and severity."""
        common = {f.name for f in fields(Promise)}
        return tuple(f.name for f in fields(self) if f.name not in common)


@dataclass(frozen=True)
class OfTable(Promise):
    """A promise about the rows of one table, which must be there on both sides."""

    table: str = ""
    may_be_new: ClassVar[bool] = False

    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell."""
        title = both.table(self.table)
        exists = [side.has_table(title) for side in both.sides]
        # A table that is new has rows that came; it has none that went or changed.
        if exists != [True, True] and not (self.may_be_new and exists[1]):
            return missing(f"table {self.table}", self.optional, exists)
        return self.of_rows(both, title)

    @abstractmethod
    def of_rows(self, both: Both, table: str) -> Outcome:
        """Its outcome if the table is there. Raises CannotTell."""


@dataclass(frozen=True)
class OfColumn(Promise):
    """A promise about one column, ``table.column``, which must be there on both sides."""

    column: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """(table as written, column)."""
        return split_column(self.column)

    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell."""
        written, name = self.place
        title = both.table(written)
        name = both.column(title, name)
        exists = [side.has_column(title, name) for side in both.sides]
        if exists != [True, True]:
            return missing(f"column {self.column}", self.optional, exists)
        return self.of_values(both, title, name)

    @abstractmethod
    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        """Its outcome if the column is there. Raises CannotTell."""


def missing(what: str, optional: bool, exists: list[bool]) -> Outcome:
    """The outcome where something is not there before, or after, or both."""
    # On neither side: more likely a misspelled name than a migration.
    if not any(exists):
        hint = "" if optional else "; if it may be missing, set optional = true"
        return Outcome(State.NOT_APPLICABLE, f"{what} exists on neither side{hint}")
    return Outcome(State.BROKEN, f"{what} no longer exists" if exists[0] else f"{what} did not exist before")


def counted(rows: int) -> str:
    """A number of rows in words."""
    return numbers.counted(rows, "row")


def are(number: int) -> str:
    """The verb for so many."""
    return numbers.agreeing(number, "is", "are")


def in_line(sql: str) -> str:
    """SQL as people read it within a sentence: on one line."""
    return " ".join(sql.split())
