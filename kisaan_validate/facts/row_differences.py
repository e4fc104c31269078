"""The nouns of a row-by-row comparison of two sides. Standard library only; ``live`` makes them,
reports show them.

Values are the server's own text under pinned settings (times in UTC, ISO dates, hex bytea), None for NULL.
Whether two values are equal was decided on the server under the canonical form of ``digest``, never by
these texts: ``500`` and ``500.00`` are one number. A change names the columns that differ; only those may
be read as changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Protocol

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import Change, NotCompared, Unknown
from kisaan_validate.facts.place import Place


class Kind(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class RowChange:
    """One row that differs.

    ``key`` are the texts of the key's columns, () for a table without a key, where ``copies`` equal rows
    came or went. ``before`` and ``after`` hold the compared columns of the row, {} where the row is not
    there. ``columns`` are the columns whose values differ, in the table's order; () for rows that were
    added or removed. ``late``: the row arrived after the before-state, by what was declared.
    """

    table: str
    key: tuple[str | None, ...]
    kind: Kind
    before: Mapping[str, str | None] = field(default_factory=dict)
    after: Mapping[str, str | None] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    copies: int = 1
    late: bool = False


@dataclass(frozen=True)
class ColumnPair:
    """One column that is on both sides. ``form`` is the canonical class under which its values are compared.

    Types are PostgreSQL's texts (``format_type``), as they are on each side. Values of a ``personal``
    column must never be shown, not even as a fact of a pattern. ``before_name`` is the column's name
    before, where that is another one.
    """

    name: str
    before_type: str
    after_type: str
    form: str
    personal: bool = False
    before_name: str = ""


@dataclass(frozen=True)
class PatternFound:
    """A pattern that reproduces the new values of exactly ``rows`` changed values of these columns (see
    ``patterns``).

    ``name`` is a fixed word for programs; ``words`` say it to people; ``facts`` hold what the pattern
    found (``shift``).
    """

    columns: tuple[str, ...]
    name: str
    rows: int
    words: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Observer(Protocol):
    """Who is shown every row that differs, not only samples. Memory must not grow with the number of rows."""

    def begin(self, table: str, columns: Sequence[ColumnPair], key: Sequence[str]) -> None:
        """A table's comparison begins, ``key`` being the key's columns; what was seen of an earlier
        attempt at it is void.
        """

    def see(self, change: RowChange) -> None:
        """One row that differs. Called in order of the key within a table, from one thread at a time for
        one table.
        """

    def end(self, table: str) -> tuple[PatternFound, ...]:
        """All rows of the table that differ were seen: the patterns among them."""
        ...


class ChangeSink(Protocol):
    """Where every row that differs is kept, table after table, with personal values masked before it comes
    here. Raises nothing: what cannot be kept is said at its end. Memory must not grow with the number of
    rows.
    """

    def begin(self, table: str, columns: Sequence[ColumnPair], key: Sequence[str]) -> None:
        """A table's rows follow; the result of an earlier attempt at it is void."""

    def see(self, change: RowChange) -> None:
        """One row that differs."""

    def miss(self, table: str, reason: str) -> None:
        """Rows or values of the table that cannot be given, though they are counted, and why."""

    def settle(self, made: TableDiff) -> None:
        """A table is compared. The rows found in it are void unless they add up to its counts, all of
        which are known.
        """


@dataclass(frozen=True)
class TableDiff:
    """What differs in one table. A figure that could not be measured is None, never 0; ``unknown`` says why.

    ``keyed_by`` are the key's columns, () if the table was compared as a multiset. ``late`` rows arrived
    after the before-state, as far as that was declared; they are not among ``added``. ``columns`` gives,
    for each column that changed, the exact number of rows in which it did; their sum may exceed
    ``changed``. ``compared`` are the columns that took part; ``schema`` are columns that exist on one side
    only or whose type differs. ``how`` says by which encoding and key it was judged.
    """

    table: str
    keyed_by: tuple[str, ...]
    rows_before: int | None
    rows_after: int | None
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    late: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[RowChange, ...] = ()
    patterns: tuple[PatternFound, ...] = ()
    compared: tuple[ColumnPair, ...] = ()
    schema: tuple[Change, ...] = ()
    how: str = ""
    unknown: tuple[Unknown, ...] = ()
    masked: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether every row and every column of both sides was compared."""
        # None anywhere means that something was not compared, and so that nothing is certain.
        return not self.unknown and None not in (self.added, self.removed, self.changed)

    @property
    def differs(self) -> bool:
        """Whether a row is known to differ. Rows that arrived late do not count: they were declared."""
        counts = any((self.added, self.removed, self.changed))
        # Counts that differ show a difference even where the rows themselves have no answer.
        return counts or (
            not self.known
            and None not in (self.rows_before, self.rows_after)
            and self.rows_before != self.rows_after
        )

    @property
    def same(self) -> bool:
        """Whether all rows were compared and none differs."""
        return self.known and not self.differs


@dataclass(frozen=True)
class RowDiff:
    """Two sides, table by table. ``encoding`` is the digest's; ``notes`` say what fell back and why;
    ``not_compared`` what else there is, of which nothing is claimed but its number. ``places`` are the
    snapshots before and after, () where they are not known."""

    before: str
    after: str
    tables: tuple[TableDiff, ...] = ()
    schema: tuple[Change, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    encoding: str = ""
    notes: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def known(self) -> bool:
        """Whether everything that was asked for was compared."""
        return not self.unknown and all(t.known for t in self.tables)

    @property
    def differs(self) -> bool:
        """Whether anything is known to differ: rows, the schema as far as it was to be compared, or the
        number of something else.
        """
        return (
            bool(self.schema)
            or any(t.differs for t in self.tables)
            # Something else may differ in number alone, as publications do.
            or any(item.judged for item in self.not_compared)
        )
