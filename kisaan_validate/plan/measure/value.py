"""The values that promises foresee, as SQL over the old row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kisaan_validate.contract.needs import Lookup, Need, Replacement
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Column, Table, TypeFacts
from kisaan_validate.facts.measure_key import FigureKey, replaced, same_as
from kisaan_validate.facts.table import Family
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.figures import Figure, base_of, figure_of
from kisaan_validate.plan.fingerprints import Digested, facts_of, part_of
from kisaan_validate.plan.measure.side import TableSide, Unknowable, those
from kisaan_validate.sql.expressions import quote, raw, table_sql, to_sql
from kisaan_validate.sql.reading import columns_named

Kind = tuple[str, bool, TypeFacts | None]
"""A type: its ``typname`` below any domain, whether it is an enum, and what it is made of."""


@dataclass(frozen=True)
class Value:
    """What a promise says that the values of a column become: SQL over the old row, and its type.

    ``old`` is the column to compare it with where it can be, as SQL ("" where not). ``found`` are the
    tables of which an index may find the row that the value comes from.
    """

    rule: str
    column: str
    sql: str
    base: str
    enum: bool = False
    personal: bool = False
    old: str = ""
    facts: TypeFacts | None = None
    found: tuple[TableKey, ...] = ()

    @property
    def figure_key(self) -> FigureKey:
        """The key of its figures."""
        return replaced(self.column, self.rule)

    def figure(self, expression: str, kept: str) -> Figure:
        """Its figures over the rows where ``kept`` is true."""
        return figure_of(
            self.figure_key.text, expression, self.base, enum=self.enum, personal=self.personal, where=kept
        )

    def same_rows(self, differs: str, kept: str) -> Figure:
        """How many rows have it already: read as if the rows that differ were those that have a value."""
        # ``Profile.nulls`` is rows minus values, so counting
        # the rows that differ makes "nulls" those that do not.
        condition = f"{differs} AND {kept}" if kept else differs
        outputs = (f"count(*) FILTER (WHERE {condition})",)
        return Figure(same_as(self.column, self.rule).text, Family.OTHER, outputs, False, False)

    @property
    def digested(self) -> Digested | None:
        """Its digest; None if it is personal or of a type without canonical form."""
        facts = self.facts or facts_of(self.base, enum=self.enum)
        part = part_of(self.sql, facts) if not self.personal else None
        return Digested(self.figure_key, part) if part is not None else None


def promised(side: TableSide, needs: Sequence[Need]) -> tuple[list[Value], dict[FigureKey, str]]:
    """The promised values, and of those that cannot be said in SQL, by the key of their figures, why not."""
    values: list[Value] = []
    unknown: dict[FigureKey, str] = {}
    wanted: list[Replacement | Lookup] = [*those(needs, Replacement), *those(needs, Lookup)]
    for need in wanted:
        if isinstance(need, Replacement) and need.optional and need.column not in side.table.columns:
            continue
        try:
            values.append(
                _replacement(side, need) if isinstance(need, Replacement) else looked_up(side, need)
            )
        except Unknowable as reason:
            unknown[replaced(need.column, need.rule)] = str(reason)
    return values, unknown


def _replacement(side: TableSide, need: Replacement) -> Value:
    """The promised value, as an assignment to the column would store it. Raises Unknowable."""
    kind = _kind(side, need)
    if kind is None:
        raise Unknowable(f"values of type {need.type} are not known before the type exists")
    # ``{column}`` stands for the column as it is called on this side.
    written = need.expression.replace("{column}", quote(need.column))
    text = to_sql(raw(written))
    column = side.table.columns.get(need.column)
    type = need.type or (column.type if column is not None else "")
    # A value that is made of a personal column is personal, whatever its own name.
    personal = bool({need.column, *columns_named(f"SELECT ({written}\n)")} & side.personal)
    base, enum, facts = kind
    made = Value(
        # With the cast of an assignment: the column would round or cut the value, and so must the promise.
        need.rule,
        need.column,
        f"{text}::{type}" if type else text,
        base,
        enum,
        personal,
        facts=facts,
    )
    # It can be compared with the old value where that is of the same type, which has an order.
    # A value of another type would need a cast that the migration may define itself.
    same = column is not None and need.type in ("", column.type)
    comparable = same and made.figure("", "").family is not Family.OTHER
    return replace(made, old=quote(need.column)) if comparable else made


def _kind(side: TableSide, need: Replacement) -> Kind | None:
    """The type of the promised value; None if it is not known."""
    column = side.table.columns.get(need.column)
    if not need.type:
        if column is not None:
            return (column.base, column.is_enum, column.made)
        return ("", False, None)
    if base := base_of(need.type):
        return base, False, None
    # A type of the user's own is known where some column has it already.
    every = (c for t in side.catalogue.tables.values() for c in t.columns.values())
    return next(((c.base, c.is_enum, c.made) for c in every if c.type == need.type), None)


def looked_up(side: TableSide, need: Lookup) -> Value:
    """The value of the one row of another table that belongs to a row. Raises Unknowable."""
    source = side.catalogue.find(need.source)
    if source is None:
        raise Unknowable(f"table {need.source} does not exist")
    # The operator between the two columns' own types: a lookup may join integer with bigint.
    pairs = _joined_by(side.table, source, need)
    on = " AND ".join(
        f"looked.{quote(k)} {source.columns[k].sign('=', side.table.columns[b])} "
        f"{table_sql(side.table)}.{quote(b)}"
        for k, b in pairs
    )
    meant = _meant(side.table, source, need)
    columns = columns_named(f"SELECT ({need.value}\n)")
    personal = need.column in side.personal or any(side.is_personal(source.name, c) for c in columns)
    value = to_sql(raw(need.value))
    # The values themselves say once more which row it is: an index may lead to another one.
    chosen = f"CASE WHEN {on} THEN {value} END::{meant.type}"
    # PostgreSQL raises an error if a second row matches, so a damaged unique index cannot pick one silently.
    sql = f"(SELECT {chosen} FROM {table_sql(source)} AS looked WHERE {on})"
    return Value(
        need.rule,
        need.column,
        sql,
        meant.base,
        meant.is_enum,
        personal,
        facts=meant.made,
        found=(source.key,),
    )


def _joined_by(table: Table, source: Table, need: Lookup) -> list[tuple[str, str]]:
    """The (column of the other table, column of this one) that name one row there. Raises Unknowable."""
    key = need.key or source.primary_key
    missing = [c for c in key if c not in source.columns] + [c for c in need.by if c not in table.columns]
    if missing:
        raise Unknowable(f"column {', '.join(missing)} does not exist")
    if len(key) != len(need.by):
        what = f"{len(need.by)} columns do not identify one row of {need.source}"
        raise Unknowable(f"{what}, whose key is {', '.join(key) or 'missing'}")
    # A lookup of two rows would have two answers.
    if source.unique_over(frozenset(key)) is None:
        raise Unknowable(f"{', '.join(key)} is not unique in {need.source}, so which row is meant is unknown")
    return list(zip(key, need.by, strict=True))


def _meant(table: Table, source: Table, need: Lookup) -> Column:
    """The column whose type the value has. Raises Unknowable."""
    value = need.value.strip()
    own = table.columns.get(need.column)
    found = own or next((c for c in source.columns.values() if value in (c.name, quote(c.name))), None)
    if found is None:
        raise Unknowable(f"the type of {need.value} is not known before {need.column} exists")
    return found
