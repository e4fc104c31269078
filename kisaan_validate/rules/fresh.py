"""How old the newest row may be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.sql.expressions import (
    literal,
    quote,
    text_literal,
    to_sql,
)

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column


from kisaan_validate.rules.aggregates import AggregateRule, Figures, Rows


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
        # Values later than the snapshot are counted apart: a
        # row dated 2099 would keep a table fresh for ever.
        newest = rows.of(f"max({value})", f"{value} <= {now}")
        shown = (
            ("newest", newest),
            ("later", rows.of("count(*)", f"{value} > {now}")),
            # Shown as the server saw it, because the client's clock decides nothing.
            ("now", f"({now})::text"),
        )
        judged = rows.of(f"count({quote(column.name)})")
        return Figures(shown, f"{newest} >= {oldest}", judged, {"newest": columns})

    def _clock(self, column: Column, at: str) -> tuple[str, str, str]:
        """SQL for a row's time, for now, and for the oldest time that is fresh: all instants, or all days."""
        name, now = quote(column.name), f"TIMESTAMPTZ '{at}'"
        if column.base not in {"timestamptz", "timestamp", "date"}:
            raise DatabaseError(
                f"{column.name} is {column.type}, which is not a time", "name a column of dates or times"
            )
        # A clock without zone could be off by a day, which is all that freshness is about.
        if column.base != "timestamptz" and not self.zone:
            hint = 'name it: zone="Asia/Kolkata" (or "UTC")'
            raise DatabaseError(f"{column.name} is {column.type}, whose time zone is unknown", hint)
        zone = to_sql(text_literal(self.zone))
        if column.base == "date":
            if self.within % timedelta(days=1):
                raise DatabaseError(
                    f"{column.name} is a date, whose age is not measured in {span(self.within)}",
                    "write whole days",
                )
            today = f"({now} AT TIME ZONE {zone})::date"
            # Days of the calendar in the zone, since a date has no hour.
            return name, today, f"{today} - {self.within.days}"
        value = name if column.base == "timestamptz" else f"({name} AT TIME ZONE {zone})"
        return value, now, f"{now} - {to_sql(literal(self.within))}"


def span(length: timedelta) -> str:
    """A length of time in the largest unit that needs no fraction."""
    # Integers, because a float of microseconds loses digits after 285 years.
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
