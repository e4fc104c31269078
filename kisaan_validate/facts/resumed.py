"""A table that is read over several nights, by ranges of a key: what was read when, and what that proves."""

from __future__ import annotations

from datetime import datetime

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class RangeCount:
    """What a check came to in the rows of one range: how many violate it, of how many that it judged."""

    check: str
    violations: int
    examined: int


@dataclass(frozen=True)
class RangeRead:
    """The rows that one night read: those whose key is ``first`` or more and less than ``following``, as
    texts, None for no bound.

    All transactions below ``horizon`` had ended when that night's snapshot was taken, so a row version that
    an older one made, and that is there now, was seen then. A check without a count had no answer there.
    ``run`` and ``at`` are that run's id and the time of its snapshot.
    """

    first: str | None
    following: str | None
    rows: int
    horizon: int
    counts: tuple[RangeCount, ...]
    run: str
    at: datetime

    def count(self, check: str) -> RangeCount | None:
        """What a check came to in it; None if it had no answer."""
        return next((one for one in self.counts if one.check == check), None)


@dataclass(frozen=True)
class TableResumed:
    """How far a table has been read, in this night and those before it.

    ``key`` is the column by whose ranges, ``ranges`` are in its order, without a gap from the first row on.
    ``server`` and ``shape`` are digests of what must stay as it was: the server since its start; the table,
    its file and columns. ``meanings`` are the checks with the digests of their conditions. ``rests`` says
    what the ranges were found by. ``void`` says why it cannot be resumed, "" where it can.
    ``changed`` is how many rows changed after they were read; these were read again in this run, in the
    snapshot that counted all rows, so that each row is judged as it is now. None: not looked for.
    """

    table: str
    key: str
    server: str
    shape: str
    meanings: tuple[tuple[str, str], ...]
    ranges: tuple[RangeRead, ...]
    rests: tuple[str, ...] = ()
    void: str = ""
    changed: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the ranges leave out no row."""
        return bool(self.ranges) and self.ranges[-1].following is None

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to go on with: it was read to the end, changed rows included."""
        return self.changed is not None

    @property
    def rows(self) -> int:
        """How many rows were read by ranges."""
        return sum(one.rows for one in self.ranges)

    def counted(self, check: str) -> RangeCount | None:
        """What a check came to in all rows as they were read; None if a range has no answer to it."""
        if not self.ranges or any(one.count(check) is None for one in self.ranges):
            return None
        return self.met(check)

    def met(self, check: str) -> RangeCount:
        """What a check came to in the rows of all ranges that have an answer to it."""
        counts = [count for one in self.ranges if (count := one.count(check)) is not None]
        return RangeCount(check, sum(c.violations for c in counts), sum(c.examined for c in counts))

    def failed_in(self, check: str) -> tuple[RangeRead, ...]:
        """The ranges in which rows violated a check as they were read."""
        return tuple(one for one in self.ranges if (count := one.count(check)) and count.violations)


@dataclass(frozen=True)
class ResumeFrom:
    """How a table is to be read: by ranges of ``key``, going on from ``state`` if that still holds."""

    key: str
    state: TableResumed | None = None
