"""Rules over a row and the row it refers to, over duplicates, and over sums between tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.facts.catalogue import Catalogue, Constraint, Table
from kisaan_validate.rules.base import Join, JoinRule, QueryRule, Riding, Violations, free_name, later, when
from kisaan_validate.rules.intervals import refuse_no_value
from kisaan_validate.rules.nan import nan_of_any, nan_sql, or_nan, refusing_nan
from kisaan_validate.sql.expressions import (
    View,
    condition_sql,
    distinct_sql,
    kept_sql,
    literal,
    quote,
    raw,
    source_sql,
    table_sql,
    text_literal,
    to_sql,
)
from kisaan_validate.sql.nan import settled_for_nan
from kisaan_validate.sql.qualify import authored

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement


@dataclass(frozen=True)
class References(JoinRule):
    """Every reference that is not NULL finds its row."""

    by_index: ClassVar[bool] = True
    where: str = ""
    kind: ClassVar[str] = "references"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        own, other = ", ".join(self.join.columns), ", ".join(self.join.parent_columns)
        return f"every {own} is an existing {other} of {self.join.parent}{when(self.where)}"

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return _said(self.where)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """A reference without NULL."""
        return _guarded(self.where, *(child.column(c).is_not(None) for c in self.join.columns))

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """It finds nothing, or an index found another row than it should: the values themselves say which.
        A NaN refers to nothing.
        """
        pairs = zip(self.join.columns, self.join.parent_columns, strict=True)
        signs = [(a, child.table.columns[a].sign("=", parent.table.columns[b]), b) for a, b in pairs]
        found = " AND ".join(
            f"{to_sql(child.column(a))} {sign} {to_sql(parent.column(b))}" for a, sign, b in signs
        )
        return or_nan(sa.literal_column(f"({found}) IS NOT TRUE"), *self.referring(child))

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        parent = catalogue.find(self.join.parent)
        if parent is None or table.unbound or any(table.columns[c].has_nan for c in self.join.columns):
            return ""
        pairs = set(zip(self.join.columns, self.join.parent_columns, strict=True))
        for c in table.constraints:
            if c.kind == "f" and c.validated and c.enforced and c.target == parent.key and _pairs(c) == pairs:
                return c.name
        return ""


def _pairs(constraint: Constraint) -> set[tuple[str, str]]:
    return set(zip(constraint.columns, constraint.target_columns, strict=True))


def _said(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _guarded(where: str, *parts: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.and_(*([raw(where)] if where else []), *parts)


def _found(parent: View, join: Join) -> ColumnElement[bool]:
    """The row that was referred to exists: what it was joined by is NULL only where it does not."""
    return parent.column(join.parent_columns[0]).is_not(None)


@dataclass(frozen=True)
class Agrees(JoinRule):
    """A column repeats a column of the row it refers to. Rows without that row are not judged here."""

    parent_column: str = ""
    nulls: str = "distinct"
    where: str = ""
    kind: ClassVar[str] = "agrees"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        loose = ", where both have a value" if self.nulls == "pass" else ""
        via = ", ".join(self.join.columns)
        return (
            f"{columns[0]} equals {self.join.parent}.{self.parent_column} (by {via}){loose}{when(self.where)}"
        )

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return (*super().needs(table, columns), (self.join.parent, self.parent_column))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return _said(self.where)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The row that it refers to exists, and where NULL passes, both have a value."""
        compared = (
            (child.column(columns[0]), parent.column(self.parent_column)) if self.nulls == "pass" else ()
        )
        return _guarded(self.where, _found(parent, self.join), *(side.is_not(None) for side in compared))

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The values differ, or one of them is a NaN, which agrees with nothing."""
        mine, theirs = child.value(columns[0]), parent.value(self.parent_column)
        sign = child.table.columns[columns[0]].sign("<>", parent.table.columns[self.parent_column])
        differ: ColumnElement[bool] = mine.op(sign, is_comparison=True)(theirs)
        if self.nulls != "pass":
            differ = sa.literal_column(distinct_sql(to_sql(mine), sign, to_sql(theirs)))
        return or_nan(differ, *self.referring(child), (child, columns[0]), (parent, self.parent_column))


@dataclass(frozen=True)
class HoldsWith(JoinRule):
    """A SQL expression over ``child`` and ``parent`` that must not be false where the parent row exists.

    None of the columns that it reads may be NaN, as in ``rows.Holds``.
    """

    expression: str = ""
    parent_reads: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "holds_with"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{' '.join(self.expression.split())} (child {table}, parent {self.join.parent})"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return super().needs(table, columns) + tuple((self.join.parent, c) for c in self.parent_reads)

    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The row that it refers to exists."""
        return _found(parent, self.join)

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """The expression is false, or a column that it reads is NaN."""
        held = raw(self.expression)
        if not self.allow_nan:
            settled = settled_for_nan(self.expression)
            held = refusing_nan(held, child, (c for c in columns if ("child", c) not in settled))
            held = refusing_nan(held, parent, (c for c in self.parent_reads if ("parent", c) not in settled))
        return or_nan(
            sa.literal_column(f"NOT ({to_sql(held)})"), *(() if self.allow_nan else self.referring(child))
        )

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.expression,)

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile


@dataclass(frozen=True)
class Unique(QueryRule):
    """No two rows have the same values. ``counts`` says what a violation is: a surplus row, or a group."""

    nulls_equal: bool = True
    counts: str = "surplus"
    where: str = ""
    kind: ClassVar[str] = "unique"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        nulls = "NULL equals NULL" if self.nulls_equal else "NULLs differ"
        return f"({', '.join(columns)}) is unique, {nulls}; counts {self.counts}{when(self.where)}"

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return _said(self.where)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        names = ", ".join(quote(c) for c in columns)
        count, surplus = free_name("rows_found", columns), free_name("surplus", columns)
        where = self._where(table, columns)
        groups = (
            f"FROM {source_sql(table, matched=columns if len(columns) > 1 else ())}{where}\nGROUP BY {names}"
        )
        sql = (
            f"SELECT {names}, count(*) AS {quote(count)}, count(*) - 1 AS "
            f"{quote(surplus)}\n{groups}\nHAVING count(*) > 1"
        )
        violations = (
            "coalesce(sum(v.n - 1), 0)::bigint"
            if self.counts == "surplus"
            else "count(*) FILTER (WHERE v.n > 1)"
        )
        # Where every row is judged, the table's own count says how many; groups of one need not be summed for
        # that.
        counting = (
            f"SELECT {violations} AS violations, coalesce(sum(v.n), 0)::bigint AS examined\n"
            f"FROM (\nSELECT count(*) AS n\n{groups}\n) AS v"
        )
        weight = surplus if self.counts == "surplus" else ""
        return Violations(
            sql, columns, weight, shown=(count,), safe=frozenset({count}), counting=counting if where else ""
        )

    def _where(self, table: Table, columns: tuple[str, ...]) -> str:
        """The clause that leaves the rows that are judged; "" where all are."""
        filled = [] if self.nulls_equal else [f"{quote(c)} IS NOT NULL" for c in columns]
        kept = kept_sql(table, *self.conditions(), *filled)
        return f"\nWHERE {kept}" if kept else ""

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        if self.nulls_equal:
            return table.unique_with_nulls_equal(frozenset(columns))
        index = table.unique_over(frozenset(columns))
        return index.name if index is not None else ""


_SUM_OPERATORS = ("=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Reconciles(QueryRule):
    """The sum of the details of a row stands in a relation to the row's own value. Exact numeric sums.

    ``missing`` says what a row without details means: "zero" compares it with 0, "skip" leaves it out.
    """

    details: str = ""
    detail_column: str = ""
    via: str = ""
    on: str = "id"
    relation: str = "="
    missing: str = "zero"
    where: str = ""
    detail_where: str = ""
    kind: ClassVar[str] = "reconciles"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        total = f"the sum of {self.details}.{self.detail_column} (by {self.via}){when(self.detail_where)}"
        return f"{total} {self.relation} {columns[0]}{when(self.where)}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        own = ((table, columns[0]), (table, self.on))
        return (*own, (self.details, self.detail_column), (self.details, self.via))

    def judges(self, table: str) -> tuple[str, ...]:
        """The rows that have a total, and the details that are added up."""
        return (table, self.details)

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return _said(self.where, self.detail_where)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        source = self._source(table, catalogue)
        value = f"parent.{quote(columns[0])}"
        broken = self._broken(table, columns[0], catalogue)
        where = kept_sql(table, self.where)
        also, only = (f" AND {where}", f"\nWHERE {where}") if where else ("", "")
        keys = table.primary_key or (self.on,)
        shown = ", ".join(f"parent.{quote(k)}" for k in keys)
        sql = (
            f"SELECT {shown}, {value} AS recorded, coalesce(d.total, 0) AS computed\n"
            f"FROM {source}\nWHERE {broken}{also}"
        )
        counting = (
            f"SELECT count(*) FILTER (WHERE {broken}) AS violations, count(*) AS examined\nFROM "
            f"{source}{only}"
        )
        made_of = {"recorded": columns, "computed": (self.detail_column,)}
        return Violations(sql, keys, shown=("recorded", "computed"), made_of=made_of, counting=counting)

    def _broken(self, table: Table, column: str, catalogue: Catalogue) -> str:
        """SQL that is true where the sum does not stand in the relation: of a NaN, on whichever side, none
        does.
        """
        value, details = f"parent.{quote(column)}", catalogue.find(self.details)
        sides = [(table.columns[c], f"parent.{quote(c)}") for c in dict.fromkeys((column, self.on))]
        if details is not None:
            sides.append((details.columns[self.detail_column], "d.total"))
        unequal = f"NOT (coalesce(d.total, 0) {self.relation} {value})"
        nan = nan_of_any(sides)
        return f"({unequal} OR {nan})" if nan else unequal

    def _source(self, table: Table, catalogue: Catalogue) -> str:
        """The rows with their sums; of a row without details there is one with NULL, or with "skip" none."""
        details = catalogue.find(self.details)
        if details is None:
            raise DatabaseError(f"table {self.details} does not exist")
        summed = details.columns[self.detail_column]
        if summed.base in {"float4", "float8"}:
            hint = "sums are exact over integers and numeric only: store such amounts as numeric"
            raise DatabaseError(
                f"{details.title}.{summed.name} is {summed.type}, which has no exact sum", hint
            )
        via = quote(self.via)
        sign = details.columns[self.via].sign("=", table.columns[self.on])
        filters = f"\n  WHERE {kept_sql(details, self.detail_where)}" if self.detail_where else ""
        join = "JOIN" if self.missing == "skip" else "LEFT JOIN"
        return (
            f"{source_sql(table, 'parent', (self.on,))}\n{join} (\n"
            f"  SELECT {via} AS detail_key, sum({quote(self.detail_column)}) AS total\n"
            f"  FROM {source_sql(details, matched=())}{filters}\n  GROUP BY {via}\n"
            f") AS d ON d.detail_key {sign} parent.{quote(self.on)}"
        )


@dataclass(frozen=True)
class ValuesPresent(QueryRule):
    """The set of values of a column equals a declared set: nothing else occurs, and each occurs."""

    values: frozenset[Any] = frozenset()
    kind: ClassVar[str] = "unique_values_eq"

    def __post_init__(self) -> None:
        for value in self.values:
            refuse_no_value(value, "one of the values", "write the values that must occur, each as itself")

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"the values of {columns[0]} are exactly {', '.join(sorted(str(v) for v in self.values))}"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        view = View(table)
        column = to_sql(view.value(columns[0]))
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
            f"{table.columns[columns[0]].sign('=')} w.value\n"
            f"WHERE (f.value IS NULL) <> (w.value IS NULL)"
        )
        return Violations(
            sql, ("value",), shown=("problem",), made_of={"value": columns}, safe=frozenset({"problem"})
        )


@dataclass(frozen=True)
class SequenceAhead(QueryRule):
    """The sequence that fills a column will not hand out a value that is already taken."""

    kind: ClassVar[str] = "sequence"

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
                "declare the sequence only where the column has one (serial, identity, or DEFAULT "
                "nextval(...))",
            )
        extreme, behind = ("max", "<") if sequence.ascending else ("min", ">")
        name = f"{quote(sequence.schema)}.{quote(sequence.name)}"
        nan = nan_sql(table.columns[column], quote(column))  # a number that no sequence is ahead of
        sql = (
            f"SELECT m.extreme AS {extreme}_{_word(column)}, s.last_value, s.is_called\n"
            f"FROM {name} AS s,\n"
            f"  (SELECT {extreme}({quote(column)}) AS extreme{nan and f', bool_or({nan}) AS nan'} FROM "
            f"{table_sql(table)}) AS m\n"
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
    held = f"coalesce({last} {ahead} {extreme} OR ({last} = {extreme} AND {called}), true)"
    return Riding(f"{held} AND bool_or({nan}) IS NOT TRUE" if nan else held, "count(*)")


def _word(name: str) -> str:
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
                f"a minimum of {self.minimum} rows can never fail", "write 1 or more, or leave it out"
            )

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{table} has at least {self.minimum} rows"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        sql = (
            f"SELECT count(*) AS rows_found\nFROM {source_sql(table, matched=())}\nHAVING count(*) < "
            f"{self.minimum}"
        )
        kept = f"count(*) FILTER (WHERE {condition_sql(table.only)})" if table.only else "count(*)"
        riding = Riding(f"{kept} >= {self.minimum}", kept)
        return Violations(sql, ("rows_found",), safe=frozenset({"rows_found"}), riding=riding)


@dataclass(frozen=True)
class Assertion(QueryRule):
    """One SELECT by the suite's author that returns the violating rows."""

    sql: str = ""
    keys: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    title: str = ""
    kind: ClassVar[str] = "sql"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return self.title or "the query returns no row"

    def judges(self, table: str) -> tuple[str, ...]:
        """None that a filter may leave out: the SQL says itself which rows it reads."""
        return ()

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, "") for name in dict.fromkeys((*([table] if table else []), *self.reads)))

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        from kisaan_validate.sql.assertion import output_columns, resolve_names

        sql = resolve_names(self.sql, self.reads, catalogue)
        return Violations(authored(sql), self.keys, shown=self.shows, made_of=output_columns(self.sql))

    def functions_sql(self) -> str:
        return self.sql

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile
