"""Rules about one figure of a table, or of each of its segments: how many, how fresh, which share, which sum.

A figure that the table's own scan can give rides on it. A figure beyond its bounds is one violation,
whatever it is made of; with ``segment_by`` it is one for each segment.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.base import QueryRule, Riding, Violations, free_name, when
from kisaan_validate.rules.bounds import Bounds, compared, exact_text
from kisaan_validate.rules.intervals import Interval
from kisaan_validate.rules.nan import nan_literal, nan_sql
from kisaan_validate.sql.expressions import (
    View,
    condition_sql,
    kept_sql,
    literal,
    quote,
    source_sql,
    text_literal,
    to_sql,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column, Table
    from kisaan_validate.facts.check import Tolerance


@dataclass(frozen=True)
class Rows:
    """Rows of a table as aggregates see them: those for which ``kept`` (SQL, "" for all) is true."""

    view: View
    kept: str = ""

    def of(self, aggregate: str, where: str = "") -> str:
        """SQL for an aggregate over these rows, or over those of them for which ``where`` is true."""
        conditions = [part for part in (self.kept, f"({where})" if where else "") if part]
        return f"{aggregate} FILTER (WHERE {' AND '.join(conditions)})" if conditions else aggregate


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
            return "a figure is within its bounds or it is not: widen the bounds instead"
        return "of segments a number is tolerated, not a share of the rows" if tolerance.rows is None else ""

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        figures = self.measure(Rows(View(table)), columns, catalogue)
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
        beyond = f"({figures.held}) IS NOT TRUE"
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
            "SELECT count(*) FILTER (WHERE s.held IS NOT TRUE) AS violations, coalesce(sum(s.judged), "
            "0)::bigint AS "
            "examined, count(*) FILTER (WHERE NOT s.whole) AS segments\nFROM (\n"
            f"SELECT {figures.held} AS held, {figures.judged} AS judged, {level} > 0 AS whole\n"
            f"FROM {source}{groups}\nHAVING {level} = 0 OR count(*) = 0\n) AS s"
        )

    def _riding(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Riding | None:
        if not self.rides or self.segment_by:
            return None
        figures = self.measure(Rows(View(table), condition_sql(table.only, self.where)), columns, catalogue)
        return Riding(figures.held, figures.judged)


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


@dataclass(frozen=True)
class RowCount(BoundedRule):
    """The number of rows lies within bounds."""

    kind: ClassVar[str] = "row_count"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of rows."""
        return f"the number of rows of {table}"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Every row counts."""
        found = rows.of("count(*)")
        return Figures((("rows_found", found),), self.bounds.held(found), found)


@dataclass(frozen=True)
class NullShare(BoundedRule):
    """The share of the rows in which a column is NULL lies within bounds, as an exact fraction. Of no rows
    it is any.
    """

    kind: ClassVar[str] = "null_share"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The share of NULLs."""
        return f"the share of rows of {table} whose {columns[0]} is NULL"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """NULLs times the denominator against rows times the numerator: no quotient is ever made."""
        nulls = rows.of("count(*)", f"{quote(columns[0])} IS NULL")
        found = rows.of("count(*)")
        return Figures((("nulls", nulls), ("rows_found", found)), self.bounds.held(nulls, found), found)


_SUMMED = frozenset({"int2", "int4", "int8", "numeric"})


@dataclass(frozen=True)
class Total(BoundedRule):
    """The exact sum of a column lies within bounds. Of no values it is 0; a NaN among them is outside of
    any bounds.
    """

    kind: ClassVar[str] = "total"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The sum."""
        return f"the sum of {columns[0]} of {table}"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """NULLs are left out. Raises DatabaseError where a sum would depend on the order of addition."""
        column = rows.view.table.columns[columns[0]]
        if column.base not in _SUMMED:
            hint = (
                "sums are exact over integers and numeric only; compare such a column with declare.quantile"
            )
            raise DatabaseError(f"{column.name} is {column.type}, which has no exact sum", hint)
        found = f"coalesce({rows.of(f'sum({quote(column.name)})')}, 0)::numeric"
        # PostgreSQL's NaN is greater than every number: a lower bound alone would admit it.
        held = self.bounds.held(found)
        if column.may_be_nan:
            held = f"{held} AND {found} <> {nan_literal('numeric')}"
        judged = rows.of(f"count({quote(column.name)})")
        return Figures((("total", found),), held, judged, {"total": columns})


@dataclass(frozen=True)
class DistinctCount(BoundedRule):
    """How many different values (or combinations of values) occur. A row with a NULL among them has none."""

    kind: ClassVar[str] = "distinct_count"
    rides: ClassVar[bool] = False

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of values."""
        return f"the number of different {', '.join(columns)} in {table}"

    def source(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """One row for each combination: grouped, because the planner says what grouping costs, of DISTINCT
        it does not.
        """
        names = ", ".join(quote(c) for c in dict.fromkeys((*self.segment_by, *columns)))
        counted = quote(self._counted(columns))
        rows = source_sql(table, matched=(*self.segment_by, *columns)) + where_sql(table, self.where)
        return f"(\nSELECT {names}, count(*) AS {counted}\nFROM {rows}\nGROUP BY {names}\n) AS d"

    def _counted(self, columns: tuple[str, ...]) -> str:
        return free_name("rows_found", (*self.segment_by, *columns))

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Counts the groups."""
        whole = " AND ".join(f"{quote(c)} IS NOT NULL" for c in columns)
        found, judged = rows.of("count(*)", whole), rows.of(f"sum({quote(self._counted(columns))})", whole)
        return Figures((("values_found", found),), self.bounds.held(found), f"coalesce({judged}, 0)::bigint")


@dataclass(frozen=True)
class Quantile(AggregateRule):
    """The least value that at least ``share`` of the values do not exceed (percentile_disc) lies within
    bounds.

    It is one of the values, never a mean of two, and it is judged by counting: the quantile is at most b
    exactly if the values up to b are at least the share of all. So nothing is sorted, and no fraction is
    rounded. Of values that a NaN is among there is no quantile within any bounds, wherever it stands.
    """

    share: Fraction = Fraction(1, 2)
    low: Any = None
    high: Any = None
    kind: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        Interval(self.low, self.high).refuse_void()

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        return Interval(self.low, self.high).idle(table.columns[columns[0]])

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The quantile."""
        return f"the {exact_text(self.share)}-quantile of {columns[0]} of {table}"

    def wanted(self) -> str:
        """The bounds."""
        ends = [("at least", self.low), ("at most", self.high)]
        return " and ".join(f"{word} {end}" for word, end in ends if end is not None)

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Counts the values below the lower bound, and up to the upper one."""
        value = to_sql(rows.view.value(columns[0]))
        column, found = rows.view.table.columns[columns[0]], rows.of(f"count({quote(columns[0])})")
        parts = []
        if self.low is not None:
            below = rows.of("count(*)", f"{value} {column.sign('<')} {_bound(column, self.low)}")
            parts.append(compared(below, "<", self.share, found))
        if self.high is not None:
            up_to = rows.of("count(*)", f"{value} {column.sign('<=')} {_bound(column, self.high)}")
            parts.append(compared(up_to, ">=", self.share, found))
        shown = [("quantile", ""), ("values_found", found)]
        if nan := nan_sql(column, quote(columns[0])):
            shown.append(("nan_found", rows.of("count(*)", nan)))
            parts.append(f"{shown[-1][1]} = 0")
        return Figures(tuple(shown), f"{found} = 0 OR ({' AND '.join(parts)})", found, {"quantile": columns})

    def listing(
        self,
        table: Table,
        columns: tuple[str, ...],
        catalogue: Catalogue,
        figures: Figures,
        names: Mapping[str, str],
    ) -> str:
        """The quantile itself: of n values that in the place n·share, rounded up."""
        column, value = table.columns[columns[0]], to_sql(View(table).value(columns[0]))
        segments = ", ".join(quote(c) for c in self.segment_by)
        each = f"PARTITION BY {segments} " if segments else ""
        lead = f"{segments}, " if segments else ""
        inner = {name: quote(free_name(name, self.segment_by)) for name in ("v", "place", "n", "nan")}
        where = where_sql(table, self.where, f"{quote(columns[0])} IS NOT NULL")
        source = f"{source_sql(table, matched=())}{where}"
        outputs = [
            f"{inner['v']} AS {quote(names['quantile'])}",
            f"{inner['n']} AS {quote(names['values_found'])}",
        ]
        within = [
            f"{inner['v']} {column.sign(sign)} {_bound(column, end)}"
            for sign, end in ((">=", self.low), ("<=", self.high))
            if end is not None
        ]
        ranked = (
            f"row_number() OVER ({each}ORDER BY {value}) AS {inner['place']}, count(*) OVER "
            f"({each.rstrip()}) AS {inner['n']}"
        )
        if nan := nan_sql(column, quote(columns[0])):
            ranked += f", count(*) FILTER (WHERE {nan}) OVER ({each.rstrip()}) AS {inner['nan']}"
            outputs.append(f"{inner['nan']} AS {quote(names['nan_found'])}")
            within.append(f"{inner['nan']} = 0")
        p, q = self.share.numerator, self.share.denominator
        return (
            f"SELECT {lead}{', '.join(outputs)}, {said(self.wanted())} AS {quote(names['wanted'])}\nFROM (\n"
            f"SELECT {lead}{value} AS {inner['v']}, {ranked}\nFROM {source}\n) AS q\n"
            f"WHERE {inner['place']} = div({inner['n']}::numeric * {p} + {q - 1}, {q}) AND NOT "
            f"({' AND '.join(within)})"
        )


def _bound(column: Column, value: Any) -> str:
    """A bound as the column's values compare with it: ``real`` in its own precision, so that 0.1 equals
    0.1.
    """
    text = to_sql(literal(value))
    return f"CAST({text} AS REAL)" if column.base == "float4" else text


@dataclass(frozen=True)
class Fresh(AggregateRule):
    """The newest value of a column is not older than ``within`` at the time of the snapshot.

    A value later than that says nothing about freshness and does not count. Where no value is left (an
    empty table, NULLs only) the table is not fresh. ``zone`` is the time zone of values that have none.
    """

    within: timedelta = timedelta()
    zone: str = ""
    kind: ClassVar[str] = "fresh"

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The age."""
        return f"the newest {columns[0]} of {table} up to now"

    def wanted(self) -> str:
        """The age that it may have."""
        return f"at most {span(self.within)} old"

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Compares instants, or days of the calendar for dates. Raises DatabaseError where the zone must
        be known.
        """
        column = rows.view.table.columns[columns[0]]
        value, now, oldest = self._clock(column, catalogue.at)
        newest = rows.of(f"max({value})", f"{value} <= {now}")
        shown = (
            ("newest", newest),
            ("later", rows.of("count(*)", f"{value} > {now}")),
            ("now", f"({now})::text"),
        )
        judged = rows.of(f"count({quote(column.name)})")
        return Figures(shown, f"{newest} >= {oldest}", judged, {"newest": columns})

    def _clock(self, column: Column, at: str) -> tuple[str, str, str]:
        """SQL for a row's time, for now, and for the oldest time that is fresh: all instants, or all days."""
        name, now = quote(column.name), f"TIMESTAMPTZ '{at}'"
        if column.base not in {"timestamptz", "timestamp", "date"}:
            raise DatabaseError(
                f"{column.name} is {column.type}, which is no time", "name the column that says when"
            )
        if column.base != "timestamptz" and not self.zone:
            hint = 'say which: zone="Asia/Kolkata" (or "UTC")'
            raise DatabaseError(f"{column.name} is {column.type}: in which time zone is not known", hint)
        zone = to_sql(text_literal(self.zone))
        if column.base == "date":
            if self.within % timedelta(days=1):
                raise DatabaseError(
                    f"{column.name} is a date, which is not {span(self.within)} old", "write whole days"
                )
            today = f"({now} AT TIME ZONE {zone})::date"
            return name, today, f"{today} - {self.within.days}"
        value = name if column.base == "timestamptz" else f"({name} AT TIME ZONE {zone})"
        return value, now, f"{now} - {to_sql(literal(self.within))}"


def span(length: timedelta) -> str:
    """A length of time in the largest unit that needs no fraction."""
    micros = (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds
    for unit, size in (
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
    ):
        if micros % size == 0:
            count = micros // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{micros} microseconds"


@dataclass(frozen=True)
class RowCountAgainst(AggregateRule):
    """The number of rows stands in a relation to that of another table, times an exact factor."""

    other: str = ""
    relation: str = "="
    factor: Fraction = Fraction(1)
    other_where: str = ""
    kind: ClassVar[str] = "row_count_against"
    rides: ClassVar[bool] = False

    def figure(self, table: str, columns: tuple[str, ...]) -> str:
        """The number of rows."""
        return f"the number of rows of {table}"

    def wanted(self) -> str:
        """Its relation to the other."""
        times = "" if self.factor == 1 else f"{exact_text(self.factor)} times "
        return f"{self.relation} {times}that of {self.other}{when(self.other_where)}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return (*super().needs(table, columns), *((self.other, c) for c in self.segment_by or ("",)))

    def judges(self, table: str) -> tuple[str, ...]:
        """The rows of both are counted."""
        return (table, self.other)

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return tuple(text for text in (self.where, self.other_where) if text)

    def source(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """The rows of both, each saying whose it is."""
        other = catalogue.find(self.other)
        if other is None:
            raise DatabaseError(f"table {self.other} does not exist")
        names, own = "".join(f"{quote(c)}, " for c in self.segment_by), quote(self._own())
        return (
            f"(\nSELECT {names}true AS {own}\nFROM "
            f"{source_sql(table, matched=())}{where_sql(table, self.where)}\nUNION ALL\n"
            f"SELECT {names}false\nFROM "
            f"{source_sql(other, matched=())}{where_sql(other, self.other_where)}\n) AS both_tables"
        )

    def _own(self) -> str:
        return free_name("own", self.segment_by)

    def measure(self, rows: Rows, columns: tuple[str, ...], catalogue: Catalogue) -> Figures:
        """Rows times the denominator against the other's rows times the numerator."""
        own = quote(self._own())
        found, other = rows.of("count(*)", own), rows.of("count(*)", f"NOT {own}")
        shown = (("rows_found", found), ("other_rows", other))
        return Figures(shown, compared(found, self.relation, self.factor, other), rows.of("count(*)"))
