"""A figure that is judged by the nights before: what is measured, as SQL in the table's scan."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.aggregates import where_sql
from kisaan_validate.rules.base import QueryRule, Riding, Violations, free_name, meaning_digest, when
from kisaan_validate.sql.expressions import (
    condition_sql,
    decided_by_rows,
    quote,
    source_sql,
    text_literal,
    to_sql,
)
from kisaan_validate.volumes.model import VolumeMeasure, VolumeRule
from kisaan_validate.volumes.words import measure_words, rule_words

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column, Table
    from kisaan_validate.facts.check import Tolerance

_SUMMED = frozenset({"int2", "int4", "int8", "numeric"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})


@dataclass(frozen=True)
class Volume(QueryRule):
    """A figure of a table, or of its rows of one day, is as the nights before it and the rule let expect.

    The first column is what is measured, if the measure needs one; the last is when rows came, if only those
    of a day count. The server gives the figure and its day; the judgement comes after.
    """

    rule: VolumeRule = field(default_factory=VolumeRule)
    where: str = ""
    kind: ClassVar[str] = "volume"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        figure = measure_words(self.rule, table, columns)
        return f"{figure}{when(self.where)} is {rule_words(self.rule)}"

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.where,) if self.where else ()

    def intolerable(self, tolerance: Tolerance) -> str:
        """A figure is as expected or it is not."""
        return "a figure cannot be tolerated: widen its rule instead"

    def measured(self, table: str, columns: tuple[str, ...], *more: object) -> str:
        """The digest of what is measured, without how it is judged: by it a figure finds its past."""
        rule = self.rule
        what = (
            rule.measure.value,
            rule.arrives,
            rule.days_back if rule.arrives else 0,
            rule.zone,
            self.where,
        )
        return meaning_digest(Volume(), table, columns, *map(str, what), *more)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        day = self._day(catalogue.at)
        arrived = f"({self._arrived(table, columns, day)})" if self.rule.arrives else ""
        shown = self._source(table, columns, arrived)
        value, judged = self._figure(table, columns, catalogue.at, "")
        riding = None
        if self.rule.measure is not VolumeMeasure.DISTINCT:
            # The day as FILTER, so that figures under other conditions share one scan.
            kept = " AND ".join(part for part in (condition_sql(table.only, self.where), arrived) if part)
            inside, rows = self._figure(table, columns, catalogue.at, kept)
            riding = Riding("true", rows, _dated(day, inside))
        return Violations(
            f"SELECT {day} AS day, {value} AS figure\nFROM {shown}",
            ("day",),
            shown=("figure",),
            safe=frozenset({"day", "figure"}),
            counting=(
                f"SELECT 0 AS violations, ({judged})::bigint AS examined, {_dated(day, value)} AS found"
                f"\nFROM {shown}"
            ),
            riding=riding,
            found=True,
        )

    def _source(self, table: Table, columns: tuple[str, ...], arrived: str) -> str:
        distinct = self.rule.measure is VolumeMeasure.DISTINCT
        rows = source_sql(table, matched=columns[:1] if distinct else ()) + where_sql(table, self.where)
        if arrived:
            # IS TRUE: no index may find the rows of the day.
            word = "AND" if condition_sql(self.where) else "WHERE"
            rows += f"\n{word} {decided_by_rows(arrived)}"
        if not distinct:
            return rows
        # Grouped, because the planner says what grouping costs, of DISTINCT it does not.
        name, counted = quote(columns[0]), quote(free_name("rows_found", columns))
        return f"(\nSELECT {name}, count(*) AS {counted}\nFROM {rows}\nGROUP BY {name}\n) AS d"

    def _day(self, at: str) -> str:
        """The day that is judged: that of the snapshot, or so many before it, by the calendar of the zone."""
        today = f"(TIMESTAMPTZ '{at}' AT TIME ZONE {self._zone})::date"
        return f"({today} - {self.rule.days_back})" if self.rule.arrives else f"({today})"

    @property
    def _zone(self) -> str:
        return to_sql(text_literal(self.rule.zone))

    def _arrived(self, table: Table, columns: tuple[str, ...], day: str) -> str:
        """SQL that is true for the rows of the day, from its midnight to the next: 23 to 25 hours."""
        column = _time(table.columns[columns[-1]])
        name = quote(column.name)
        if column.base == "date":
            return f"{name} = {day}"
        ends = (f"{day}::timestamp", f"({day} + 1)::timestamp")
        if column.base == "timestamptz":
            ends = (f"({ends[0]} AT TIME ZONE {self._zone})", f"({ends[1]} AT TIME ZONE {self._zone})")
        return f"{name} >= {ends[0]} AND {name} < {ends[1]}"

    def _figure(self, table: Table, columns: tuple[str, ...], at: str, kept: str) -> tuple[str, str]:
        """SQL for the figure as a text, "" where there is none, and for the number of rows it is made of."""
        of = f" FILTER (WHERE {kept})" if kept else ""
        rows, measure = f"count(*){of}", self.rule.measure
        if measure is VolumeMeasure.ROWS:
            return f"({rows})::text", rows
        column = table.columns[columns[0]]
        name = quote(column.name)
        if measure is VolumeMeasure.NULLS:
            nulls = f"({rows} - count({name}){of})::text"
            return f"({nulls} || '/' || ({rows})::text)", rows
        if measure is VolumeMeasure.DISTINCT:
            counted = quote(free_name("rows_found", columns))
            judged = f"coalesce(sum({counted}) FILTER (WHERE {name} IS NOT NULL), 0)"
            return f"(count({name}))::text", judged
        if measure is VolumeMeasure.SUM:
            if column.base not in _SUMMED:
                raise DatabaseError(
                    f"{column.name} is {column.type}, which has no exact sum",
                    "only integer and numeric columns have exact sums",
                )
            return f"(coalesce(sum({name}){of}, 0))::text", f"count({name}){of}"
        return self._age(_time(column), at, kept), f"count({name}){of}"

    def _age(self, column: Column, at: str, kept: str) -> str:
        """The age of the newest value; later ones say nothing of freshness."""
        name, now = quote(column.name), f"TIMESTAMPTZ '{at}'"
        if column.base == "timestamp":
            name = f"({name} AT TIME ZONE {self._zone})"
        if column.base == "date":
            now = f"({now} AT TIME ZONE {self._zone})::date"
        conditions = " AND ".join(part for part in (kept, f"{name} <= {now}") if part)
        newest = f"max({name}) FILTER (WHERE {conditions})"
        # Of dates the difference is days, and so is the age.
        age = f"({now} - {newest}) * 86400"
        if column.base != "date":
            age = f"floor(EXTRACT(epoch FROM ({now} - {newest})))::bigint"
        return f"coalesce(({age})::text, '')"


def _dated(day: str, value: str) -> str:
    """SQL for the day and the figure as one text."""
    return f"({day}::text || ' ' || {value})"


def _time(column: Column) -> Column:
    if column.base not in _TIMES:
        raise DatabaseError(
            f"{column.name} is {column.type}, which is not a time", "name a column of dates or times"
        )
    return column
