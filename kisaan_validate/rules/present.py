"""What must be there: values, names, rows, a sequence ahead of its column."""

from __future__ import annotations

from typing import Any, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.facts.catalogue import Catalogue, CataloguePart, Table
from kisaan_validate.rules.base import QueryRule, Riding, Violations
from kisaan_validate.rules.intervals import refuse_no_value
from kisaan_validate.rules.nan import nan_sql
from kisaan_validate.sql.expressions import (
    View,
    condition_sql,
    literal,
    quote,
    source_sql,
    table_sql,
    text_literal,
    to_sql,
)


@dataclass(frozen=True)
class ValuesPresent(QueryRule):
    """The set of values of a column equals a declared set: nothing else occurs, and each occurs."""

    values: frozenset[Any] = frozenset()
    kind: ClassVar[str] = "unique_values_eq"

    def __post_init__(self) -> None:
        for value in self.values:
            refuse_no_value(value, "one of the values", "write the values that must occur")

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"the values of {columns[0]} are exactly {', '.join(sorted(str(v) for v in self.values))}"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        view = View(table)
        column = to_sql(view.value(columns[0]))
        # Sorted, because the order of a set changes with each process, and the SQL is part of the evidence.
        ordered = sorted(self.values, key=lambda v: (str(type(v)), str(v)))
        found = f"SELECT DISTINCT {column} AS value FROM {source_sql(table, matched=())}"
        # VALUES would give text; the column's own type comes from an always empty first arm.
        wanted = "\n  UNION ALL ".join(
            [f"SELECT {column} AS value FROM {source_sql(table, matched=())} WHERE false"]
            + [f"SELECT {to_sql(literal(v))}" for v in ordered]
        )
        sql = (
            f"SELECT coalesce(f.value, w.value)::text AS value,\n"
            f"  CASE WHEN w.value IS NULL THEN 'not expected' ELSE 'missing' END AS problem\n"
            f"FROM ({found}) AS f\nFULL JOIN (\n  {wanted}\n) AS w ON f.value "
            # The operator of the column's own type: one of an extension has its schema.
            f"{table.columns[columns[0]].sign('=')} w.value\n"
            # NULL on both sides means neither missing nor unexpected.
            f"WHERE (f.value IS NULL) <> (w.value IS NULL)"
        )
        return Violations(
            sql, ("value",), shown=("problem",), made_of={"value": columns}, safe=frozenset({"problem"})
        )


@dataclass(frozen=True)
class SequenceAhead(QueryRule):
    """The sequence that fills a column will not hand out a value that is already taken."""

    kind: ClassVar[str] = "sequence"
    looks_at = frozenset({CataloguePart.SEQUENCES})

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"the sequence of {columns[0]} is not behind max({columns[0]})"

    def judges(self, table: str) -> tuple[str, ...]:
        """None that a filter may leave out: the number of a deleted row is taken too."""
        return ()

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        column = columns[0]
        sequence = table.sequences.get(column)
        if sequence is None:
            raise DatabaseError(
                f"no sequence fills {table.name}.{column}",
                "declare this only for a column with a sequence (serial, identity or DEFAULT nextval(...))",
            )
        # A descending sequence counts down, so the least value is the one to stay ahead of.
        extreme, behind = ("max", "<") if sequence.ascending else ("min", ">")
        name = f"{quote(sequence.schema)}.{quote(sequence.name)}"
        nan = nan_sql(table.columns[column], quote(column))  # a number that no sequence is ahead of
        sql = (
            f"SELECT m.extreme AS {extreme}_{_word(column)}, s.last_value, s.is_called\n"
            f"FROM {name} AS s,\n"
            f"  (SELECT {extreme}({quote(column)}) AS extreme{nan and f', bool_or({nan}) AS nan'} FROM "
            f"{table_sql(table)}) AS m\n"
            # A sequence that was not called yet hands out ``last_value`` itself.
            f"WHERE s.last_value {behind} m.extreme OR (s.last_value = m.extreme AND NOT "
            f"s.is_called){nan and ' OR m.nan'}"
        )
        output = f"{extreme}_{_word(column)}"
        return Violations(
            sql,
            (output,),
            shown=("last_value", "is_called"),
            made_of={output: columns},
            safe=frozenset({"last_value", "is_called"}),
            riding=_not_behind(name, f"{extreme}({quote(column)})", ">" if sequence.ascending else "<", nan),
        )


def _not_behind(sequence: str, extreme: str, ahead: str, nan: str) -> Riding:
    """That a sequence is ahead of the extreme value of a table's rows, read in the scan that the table's
    checks share.

    ``nan`` is SQL for a value that no sequence is ahead of; "" where there is none.
    """
    last, called = (f"(SELECT s.{name} FROM {sequence} AS s)" for name in ("last_value", "is_called"))
    # No rows, no value to be ahead of: NULL counts as true.
    held = f"coalesce({last} {ahead} {extreme} OR ({last} = {extreme} AND {called}), true)"
    held = f"{held} AND bool_or({nan}) IS NOT TRUE" if nan else held
    return Riding(held, "count(*)", shown=(extreme, last, called))


def _word(name: str) -> str:
    # An output's name, which must need no quotes.
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name.lower())


MISSING = "missing_name"
"""The output under which ``NamesPresent`` returns a name that is not there."""


@dataclass(frozen=True)
class NamesPresent(QueryRule):
    """A ledger table names each of these, for instance every migration that must have been applied."""

    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "names_present"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        if len(self.names) > 3:  # which of them are missing is what a reader looks for
            return (
                f"{columns[0]} of {table} contains all {len(self.names):,} names from {self.names[0]} "
                f"to {self.names[-1]}"
            )
        return f"{columns[0]} of {table} contains {', '.join(self.names)}"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        arms = "\n  UNION ALL ".join(
            f"SELECT {to_sql(text_literal(n))}::text AS {MISSING}" for n in self.names
        )
        sql = (
            f"SELECT wanted.{MISSING}\nFROM (\n  {arms}\n) AS wanted\n"
            # NOT EXISTS instead of NOT IN: a NULL in the ledger would make NOT IN unknown for every name.
            f"WHERE NOT EXISTS (\n  SELECT FROM {source_sql(table, 'l', columns)}\n"
            f"  WHERE l.{quote(columns[0])}::text = wanted.{MISSING}\n)"
        )
        return Violations(sql, (MISSING,), safe=frozenset({MISSING}))


@dataclass(frozen=True)
class MinimumRows(QueryRule):
    """The table has at least so many rows: emptiness is a finding, not a vacuous truth."""

    minimum: int = 1
    kind: ClassVar[str] = "minimum_rows"

    def __post_init__(self) -> None:
        if type(self.minimum) is not int:
            raise SuiteError(f"{self.minimum!r} is not a number of rows", "write a whole number")
        if self.minimum < 1:
            raise SuiteError(
                f"a minimum of {self.minimum} rows can never fail", "write 1 or more, or omit it"
            )

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{table} has at least {self.minimum} rows"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        sql = (
            f"SELECT count(*) AS rows_found\nFROM {source_sql(table, matched=())}\nHAVING count(*) < "
            f"{self.minimum}"
        )
        # With a filter the scan counts other rows besides, so FILTER leaves out what is not judged.
        kept = f"count(*) FILTER (WHERE {condition_sql(table.only)})" if table.only else "count(*)"
        riding = Riding(f"{kept} >= {self.minimum}", kept, shown=(kept,))
        return Violations(sql, ("rows_found",), safe=frozenset({"rows_found"}), riding=riding)
