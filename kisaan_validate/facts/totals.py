"""Control totals, declared and measured: exact sums and row counts of a table by group."""

from __future__ import annotations

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class GroupPart:
    """What rows are grouped by: a column, or with a ``unit`` (month, day) the part of a time that it lies in.

    ``zone`` is the time zone of that part for columns with a time zone; others are taken as they are stored.
    """

    column: str
    unit: str = ""
    zone: str = ""

    @property
    def words(self) -> str:
        """It in words: ``shop_id``, ``month of paid_at (UTC)``."""
        return f"{self.unit} of {self.column} ({self.zone})" if self.unit else self.column


@dataclass(frozen=True)
class TotalSpec:
    """A control total as a suite declares it. ``table`` may be an alias; more than ``most`` groups are no
    answer.
    """

    table: str
    column: str
    by: tuple[GroupPart, ...]
    most: int
    origin: str = ""


@dataclass(frozen=True)
class GroupTotal:
    """One group: its values as the server's texts (None for NULL), its rows, and its exact sum (None where no
    row has a value).
    """

    values: tuple[str | None, ...]
    rows: int
    total: str | None


@dataclass(frozen=True)
class ControlTotal:
    """A control total as it was measured, its groups in order of their values. ``message`` says why there is
    no answer; then there is no group.
    """

    table: str
    column: str
    by: tuple[GroupPart, ...]
    groups: tuple[GroupTotal, ...] = ()
    sql: str = ""
    message: str = ""
    sqlstate: str = ""

    @property
    def name(self) -> str:
        """It in words: ``amount by shop_id, month of paid_at (UTC)``."""
        return f"{self.column} by {', '.join(part.words for part in self.by)}"

    @property
    def key(self) -> tuple[str, str, tuple[GroupPart, ...]]:
        """By what it is found again on the other side."""
        return (self.table, self.column, self.by)
