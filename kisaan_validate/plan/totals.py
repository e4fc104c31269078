"""The statements of control totals: one for each, or why it is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import KIND_WORDS, Catalogue, Column, Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.facts.totals import ControlTotal, GroupPart, TotalSpec
from kisaan_validate.sql.expressions import quote, table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified

_EXACT = frozenset({"int2", "int4", "int8", "numeric"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})
_PLAIN = frozenset({"int2", "int4", "int8", "text", "varchar", "bpchar", "citext", "uuid", "bool", "date"})
"""Types whose text is the same for equal values, so that one group stays one group."""


@dataclass(frozen=True)
class TotalQuery:
    """One statement: a row for each group, one more than ``most`` if there are more. Without ``total.sql`` it
    is not asked. ``private``: the server's messages may quote personal values; ``known`` are names in them.
    """

    total: ControlTotal
    most: int = 0
    private: bool = False
    known: frozenset[str] = frozenset()


def total_queries(
    specs: Iterable[TotalSpec],
    catalogue: Catalogue,
    is_personal: Callable[[str, str], bool],
    withheld: Mapping[TableKey, str],
) -> list[TotalQuery]:
    """A statement for each control total. ``withheld`` maps tables that may not be read to why."""
    return [_query(spec, catalogue, is_personal, withheld) for spec in specs]


def _query(
    spec: TotalSpec,
    catalogue: Catalogue,
    is_personal: Callable[[str, str], bool],
    withheld: Mapping[TableKey, str],
) -> TotalQuery:
    table = catalogue.find(spec.table)
    if table is None:
        why = f"table {spec.table} does not exist"
        return TotalQuery(ControlTotal(spec.table, spec.column, spec.by, message=why))
    personal = frozenset(name for name in table.columns if is_personal(table.name, name))
    if why := withheld.get(table.key, "") or _refused(spec, table, personal):
        return TotalQuery(ControlTotal(table.title, spec.column, spec.by, message=why))
    total = ControlTotal(table.title, spec.column, spec.by, sql=qualified(_sql(spec, table)))
    return TotalQuery(total, spec.most, bool(personal), frozenset({table.name, *table.columns}))


def _refused(spec: TotalSpec, table: Table, personal: frozenset[str]) -> str:
    """Why it is not asked; ""."""
    if not table.countable:
        return f"{table.title} is a {KIND_WORDS[table.kind]}: only the rows of tables are measured"
    for name in (spec.column, *(part.column for part in spec.by)):
        if name not in table.columns:
            return f"column {table.title}.{name} does not exist"
        if name in personal:
            return f"{table.title}.{name} is personal: its groups and sums are not shown"
    if table.columns[spec.column].base not in _EXACT:
        return f"{table.title}.{spec.column} is {table.columns[spec.column].type}: it has no exact sum"
    reasons = (_ungroupable(table.columns[part.column], part) for part in spec.by)
    return next(filter(None, reasons), "")


def _ungroupable(column: Column, part: GroupPart) -> str:
    if part.unit:
        fits = column.base in _TIMES
        return "" if fits else f"{column.name} is {column.type}: it has no {part.unit}"
    fits = column.base in _PLAIN or column.is_enum
    return "" if fits else f"{column.name} is {column.type}: equal values may print differently"


def _sql(spec: TotalSpec, table: Table) -> str:
    # As texts in the order of their code points: groups and their order depend on no collation.
    groups = [f'({_value(table.columns[part.column], part)})::text COLLATE "C"' for part in spec.by]
    places = ", ".join(str(place) for place in range(1, len(groups) + 1))
    return (
        f"SELECT {', '.join(groups)}, count(*), (sum({quote(spec.column)}))::text\n"
        f"FROM {table_sql(table)}\nGROUP BY {places}\nORDER BY {places}\nLIMIT {spec.most + 1}"
    )


def _value(column: Column, part: GroupPart) -> str:
    name = quote(column.name)
    if not part.unit:
        return name
    # A date as date_trunc would read it: without it the session's zone would decide.
    local = f"timezone({to_sql(text_literal(part.zone))}, {name})" if column.base == "timestamptz" else name
    # Back to a date: to_char would make NULL of infinity.
    return f"date_trunc('{part.unit}', ({local})::timestamp)::date"
