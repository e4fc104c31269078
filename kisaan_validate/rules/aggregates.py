"""Rules about one figure of a table, or of each of its segments: how many, how fresh, which share, which sum.

A figure that the table's own scan can give rides on it. A figure beyond its bounds is one violation,
whatever it is made of; with ``segment_by`` it is one for each segment.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.rules.base import QueryRule, Riding, Violations, free_name, when
from kisaan_validate.rules.bounds import Bounds
from kisaan_validate.sql.expressions import (
    View,
    condition_sql,
    kept_sql,
    quote,
    source_sql,
    text_literal,
    to_sql,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Table
    from kisaan_validate.facts.check import Tolerance


@dataclass(frozen=True)
class Rows:
    """Rows of a table as aggregates see them: those for which ``kept`` (SQL, "" for all) is true."""

    view: View
    kept: str = ""

    def of(self, aggregate: str, where: str = "") -> str:
        """SQL for an aggregate over these rows, or over those of them for which ``where`` is true."""
        conditions = [part for part in (self.kept, f"({where})" if where else "") if part]
        # FILTER instead of WHERE, so that figures under different conditions share one scan.
        if conditions:
            return f"{aggregate} FILTER (WHERE {' AND '.join(conditions)})"
        return aggregate


@dataclass(frozen=True)
class Figures:
    """What a rule measures of some rows, all as SQL over aggregates.

    ``shown`` are (name, SQL) of what was found; ``held`` is true where that is as declared (and NULL is
    not); ``judged`` is the number of rows that it is made of. ``made_of`` names the columns whose values a
    figure shows; one that is not in it is a count, or a word of the rule's own.
    """

    shown: tuple[tuple[str, str], ...]
    held: str
    judged: str
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class AggregateRule(QueryRule):
    """A figure of the rows that ``where`` leaves must be as declared, in all of them, or in each segment
    of them.
    """

    where: str = ""
    segment_by: tuple[str, ...] = ()
    segments: int = 100
    rides: ClassVar[bool] = True

    @abstractmethod
    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """What is measured, in words."""

    @abstractmethod
    def wanted(self) -> str:
        """What it may be, in words."""

    @abstractmethod
    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """The figures of these rows. Raises DatabaseError for a column whose type has no such figure."""

    def source(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """The FROM and WHERE that leave the rows that are measured."""
        return source_sql(table, matched=self.segment_by) + where_sql(table, self.where)

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        each = f", for each {', '.join(self.segment_by)}" if self.segment_by else ""
        return f"{self.figure(table, columns)} is {self.wanted()}{when(self.where)}{each}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return (*super().needs(table, columns), *((table, column) for column in self.segment_by))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.where,) if self.where else ()

    def intolerable(self, tolerance: Tolerance) -> str:
        """A figure is as declared or it is not; of segments, some may fail."""
        if not self.segment_by:
            return "a figure cannot be tolerated: widen its bounds instead"
        if tolerance.rows is None:
            return "tolerate a number of segments, not a share of the rows"
        return ""

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        figures = self.measure(Rows(View(table)), columns, catalogue)
        # A segment's column may be called as a figure is.
        names = {name: free_name(name, self.segment_by) for name, _ in (*figures.shown, ("wanted", ""))}
        found = tuple(names[name] for name, _ in figures.shown)
        made_of = {names[name]: origins for name, origins in figures.made_of.items()}
        return Violations(
            self.listing(table, columns, catalogue, figures, names),
            # What is found says which failure it is: another figure is another failure. Of a segment its name
            # does.
            self.segment_by or found[:1],
            shown=(*(found if self.segment_by else found[1:]), names["wanted"]),
            made_of=made_of,
            # What shows no value of a column needs no mask.
            safe=frozenset(names.values()) - set(made_of),
            counting=self._counting(table, columns, catalogue, figures),
            riding=self._riding(table, columns, catalogue),
            most=self.segments if self.segment_by else 0,
        )

    def listing(
        self,
        table: Table,
        columns: tuple[str, ...],
        catalogue: Catalogue,
        figures: Figures,
        names: Mapping[str, str],
    ) -> str:
        """The SELECT that returns each figure that is not as declared, under these names, beside what is
        wanted.
        """
        outputs = [quote(c) for c in self.segment_by]
        outputs += [f"{sql} AS {quote(names[name])}" for name, sql in figures.shown]
        outputs.append(f"{said(self.wanted())} AS {quote(names['wanted'])}")
        groups, level = self._groups()
        # IS NOT TRUE: a figure that is NULL is not as declared.
        beyond = f"({figures.held}) IS NOT TRUE"
        # The row of all rows is kept only where there is no segment: an empty table is judged as a whole.
        having = f"({level} = 0 OR count(*) = 0) AND {beyond}" if level else beyond
        return (
            f"SELECT {', '.join(outputs)}\nFROM "
            f"{self.source(table, columns, catalogue)}{groups}\nHAVING {having}"
        )

    def _groups(self) -> tuple[str, str]:
        """GROUP BY the segments, and all rows beside them; and SQL that is 0 for a segment.

        All rows only count where there is none: then the empty table is judged as a whole.
        """
        if not self.segment_by:
            return "", ""
        listed = ", ".join(quote(c) for c in self.segment_by)
        # GROUPING SETS with () gives a row even of an empty table.
        return f"\nGROUP BY GROUPING SETS (({listed}), ())", f"GROUPING({listed})"

    def _counting(
        self, table: Table, columns: tuple[str, ...], catalogue: Catalogue, figures: Figures
    ) -> str:
        source = self.source(table, columns, catalogue)
        if not self.segment_by:
            return (
                f"SELECT CASE WHEN {figures.held} THEN 0 ELSE 1 END AS violations, "
                f"({figures.judged})::bigint AS examined\nFROM {source}"
            )
        groups, level = self._groups()
        return (
            # Counted outside, because HAVING of a listing would not leave the segments that are as declared.
            "SELECT count(*) FILTER (WHERE s.held IS NOT TRUE) AS violations, coalesce(sum(s.judged), "
            "0)::bigint AS "
            "examined, count(*) FILTER (WHERE NOT s.whole) AS segments\nFROM (\n"
            f"SELECT {figures.held} AS held, {figures.judged} AS judged, {level} > 0 AS whole\n"
            f"FROM {source}{groups}\nHAVING {level} = 0 OR count(*) = 0\n) AS s"
        )

    def _riding(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Riding | None:
        # A figure of segments needs its own GROUP BY, which the table's scan has not.
        if not self.rides or self.segment_by:
            return None
        figures = self.measure(Rows(View(table), condition_sql(table.only, self.where)), columns, catalogue)
        shown = (*(sql for _, sql in figures.shown), said(self.wanted()))
        return Riding(figures.held, figures.judged, shown=shown if all(shown) else ())


def where_sql(table: Table, *conditions: str) -> str:
    """The WHERE clause of these conditions on rows of a table, on a line of its own; "" without any."""
    text = kept_sql(table, *conditions)
    return f"\nWHERE {text}" if text else ""


def said(words: str) -> str:
    """Words as a SQL text."""
    return f"{to_sql(text_literal(words))}::text"


@dataclass(frozen=True)
class BoundedRule(AggregateRule):
    """A number that lies within bounds."""

    bounds: Bounds = field(default_factory=Bounds)

    def wanted(self) -> str:
        """The bounds."""
        return str(self.bounds)
