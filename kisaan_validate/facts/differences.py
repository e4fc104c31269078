"""The nouns of a comparison: what differs between before and after, and how each check moved. Standard
library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity

ChangeKey = tuple[str, str, str, str]
"""(kind, table, name, aspect): no two changes of one comparison share it."""

ROWS, VALUES, SEQUENCE = "rows", "values", "sequence value"
"""Kinds of a change that is no change of the schema."""

TOTALS = "control total"
"""The kind of a change of one group of a control total; ``name`` is the total, ``aspect`` says the group."""

ADDED, REMOVED = "added", "removed"
"""The aspects of a change that is the coming or going of a whole object."""

NAME = "name"
"""The aspect of a change of an object that is renamed, as a promise says."""

FIGURES = ("nulls", "minimum", "maximum", "total")
"""The aspects of a change of kind VALUES, as they are called in a Profile."""


DIGEST = "digest"
"""The aspect of a change that only digests show: some row has another value, or another row is there."""


CHANGED_ROWS = "changed rows"
"""The aspect of a change of kind VALUES that kept values show: in so many rows the value is another."""

VALUES_GONE = "it is not there any more"
"""Why kept values are not compared with a column that went: the schema's own difference says it, and is
judged.
"""


def no_key(columns: Iterable[str], shared: int) -> str:
    """What is said where the columns taken for the key do not identify a row."""
    values = "1 of its values is" if shared == 1 else f"{shared:,} of its values are"
    return f"({', '.join(columns)}) is not a key: {values} repeated, so it does not identify rows"


class Transition(StrEnum):
    """How a check's outcome moved between a baseline and a run."""

    FIXED = "fixed"
    STILL_FAILING = "still failing"
    NEWLY_FAILING = "newly failing"
    STILL_PASSING = "still passing"
    UNKNOWN = "cannot tell"


class Origin(StrEnum):
    """Whether a failure came after the baseline was taken. The answer to the first question of the night."""

    SINCE = "came after the baseline"
    BEFORE = "already there before"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Change:
    """One difference between before and after.

    ``kind`` is ROWS, VALUES, SEQUENCE, TOTALS, or the kind of a schema object; ``name`` a column, a sequence
    or an object of ``table``; ``aspect`` what of it differs: an attribute, a figure, ADDED or REMOVED.
    ``before`` and ``after`` are texts, None where there is none; ``delta`` is given for counts.
    """

    kind: str
    table: str
    name: str
    aspect: str
    before: str | None
    after: str | None
    delta: int | None = None

    @property
    def key(self) -> ChangeKey:
        """What identifies the change within its comparison."""
        return (self.kind, self.table, self.name, self.aspect)


NO_TABLE = "no such table, or it was not looked at"
"""The reason of a RowCount where a side has no such table."""


@dataclass(frozen=True)
class TableRowCounts:
    """One table's rows on both sides, changed or not; None where there is no count, with the reason."""

    table: str
    before: int | None
    after: int | None
    before_reason: str = ""
    after_reason: str = ""

    @property
    def delta(self) -> int | None:
        """The difference; None where a count is missing, which is never taken for zero."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


Key = tuple[tuple[str, str | None], ...]
"""One violating row as (column, value) pairs."""


@dataclass(frozen=True)
class CheckMove:
    """How one check moved, with both violating counts and, where they cannot be compared, the reason.

    ``origin`` is given for failures. ``new_keys`` are violating rows that are known not to have violated
    before, as far as both sides collected their keys.
    """

    check_id: str
    transition: Transition
    before: int | None
    after: int | None
    severity: Severity = Severity.BLOCKING
    reason: str = ""
    origin: Origin | None = None
    new_keys: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Unknown:
    """Something that could not be compared."""

    what: str
    reason: str


# --- what is unknown: where one place says it and another looks for it, both take the name from here --


def rows_of(table: str) -> str:
    """The name of the rows of a table."""
    return f"the rows of {table}"


def which_rows_of(table: str) -> str:
    """The name for changed rows of a table."""
    return f"which rows of {table} changed"


def staying_values_of(table: str) -> str:
    """The name of what is unknown of a table of which rows came or went: digests of whole columns say nothing
    of those that stayed.
    """
    return f"which values of {table} changed in the remaining rows"


def catalogue_of(what: str) -> str:
    """The name of what the catalogue says of an object or a kind of objects."""
    return f"catalogue entries of {what}"


@dataclass(frozen=True)
class NotCompared:
    """Something that is there on a side and was not compared: how many of it, or what is said of it, on
    both sides.

    ``judged``: what is said of it already tells that the two sides differ.
    """

    what: str
    before: str
    after: str
    judged: bool = False

    @property
    def words(self) -> str:
        """It in one phrase: ``publications (1)``, ``casts (2 before, 0 after)``."""
        said = (
            self.before
            if self.before == self.after or not self.after
            else f"{self.before} before, {self.after} after"
        )
        return f"{self.what} ({said})"


@dataclass(frozen=True)
class Diff:
    """All that differs between two sides. ``diff(a, a)`` has no change, and every check's outcome on it is
    the same.
    """

    changes: tuple[Change, ...] = ()
    moves: tuple[CheckMove, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)

    @property
    def schema(self) -> tuple[Change, ...]:
        """The changes of schema objects."""
        # Whatever is not rows, values or sequences came out of the catalogue.
        return tuple(change for change in self.changes if change.kind not in {ROWS, VALUES, SEQUENCE, TOTALS})
