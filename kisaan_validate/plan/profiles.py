"""The statements of a profile: the values of several columns, each with its number of rows, in one scan.

``GROUP BY GROUPING SETS ((a), (b))`` reads a table once for all its columns. Of the groups, which are few
where values repeat, everything else is counted; a column of many values has a statement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Column, Table, TypeFacts
from kisaan_validate.facts.distribution import Distribution, Frequent, Histogram, QuantileValue
from kisaan_validate.facts.table import Family
from kisaan_validate.plan.figures import TEXT_LIMIT, column_figure
from kisaan_validate.plan.histogram import AXES, ODD
from kisaan_validate.sql.expressions import quote, table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified

SHARES = (("0.25", 1, 4), ("0.5", 1, 2), ("0.75", 3, 4))
"""The quantiles: the share as it is recorded, and as a fraction."""

FREQUENT = 5
"""So many of the most frequent values are listed."""

MOST_ORDERED = 1_000_000
"""Of a column with more distinct values no quantiles are measured: all of them would have to be sorted."""

TOGETHER = 10_000
"""Columns share a scan while they are expected to have no more distinct values than these together: so many
groups are hashed in memory, and more would have PostgreSQL sort the whole table once for each such column.
"""

MOST_COLUMNS = 30
"""And no more than so many: GROUPING takes 31 arguments."""

INT8 = 2**63 - 1
"""The greatest bigint: with edges up to it integers are compared as integers, several times faster."""

TRIMS_SINCE = 130_000
"""The first server version with ``trim_scale``."""

_EQUAL = frozenset({"bool", "bytea", "bit", "varbit", "money", "oid", "macaddr", "macaddr8", "pg_lsn"})
_ORDERED = frozenset({"date", "time", "timetz", "interval", "inet", "cidr"})
_VARYING = frozenset({"jsonb", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"})
"""Types whose equal values may be written in different ways: of these the least text is shown."""

_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})
_TIMES = frozenset({"timestamp", "timestamptz"})
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "uuid"})
_COMPARED = _EQUAL | _ORDERED | _VARYING | _NUMBERS | _TIMES | _TEXTS


@dataclass(frozen=True)
class Valued:
    """One column of a statement. ``value`` is the SQL that its rows are grouped by.

    ``text`` is the SQL of the shown text where that of the group would not do. ``edges`` are those of its
    histogram (none: it has none), of type ``axis``. ``whole``: it is of an integer type. ``odd``: some of
    its values may lie on no axis. A personal column is ``counted`` only.
    """

    name: str
    value: str
    ordered: bool = False
    counted: bool = False
    text: str = ""
    axis: str = ""
    edges: tuple[str, ...] = ()
    whole: bool = False
    odd: bool = False
    unmeasured: Mapping[str, str] = field(default_factory=dict)


def valued(column: Column, *, personal: bool, version: int) -> Valued | str:
    """How a column is profiled, without edges yet; or why its values cannot be compared."""
    if why := _incomparable(column):
        return why
    value = _value(column, version)
    if personal:
        return Valued(column.name, value, counted=True)
    varying = column.base in _VARYING or column.base.startswith("_")
    return Valued(
        column.name,
        value,
        ordered=_is_ordered(column),
        text=f"({quote(column.name)})::text" if varying else "",
        axis="" if column.is_enum else AXES.get(column.base, ""),
        whole=column.base in {"int2", "int4", "int8"},
    )


def _incomparable(column: Column) -> str:
    made = column.made or TypeFacts(column.base)
    if column.is_enum or made.extension == "citext":
        return ""
    kind = made.element if made.array and made.element is not None else made
    # What somebody's own operator takes for equal is not known, and it may do anything.
    if not kind.builtin:
        return f"type {column.type} is not PostgreSQL's own"
    return "" if kind.name in _COMPARED else f"type {column.type} has no equality to count by"


def _value(column: Column, version: int) -> str:
    name = quote(column.name)
    if column_figure(column, personal=True).family is Family.TEXT:
        # The collation must decide nothing: some take different texts for equal.
        return f'({name})::text COLLATE "C"'
    if column.base in {"float4", "float8"}:
        return f"{name} + 0::{column.base}"  # -0 equals 0, and must not be shown as either by chance
    if column.base == "interval":
        return f"justify_interval({name})"
    if column.base == "numeric" and column.scale is None and version >= TRIMS_SINCE:
        return f"trim_scale({name})"  # 1.0 equals 1.00
    return name


def _is_ordered(column: Column) -> bool:
    return not column.is_enum and column.base in _NUMBERS | _TIMES | _ORDERED | _TEXTS | {"citext"}


# --- one statement ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProfileStatement:
    """The statement that profiles some columns of one table; its one row has :meth:`read` for it."""

    table: Table
    columns: tuple[Valued, ...]

    @property
    def purpose(self) -> str:
        """What it is for, in the log of statements."""
        names = ", ".join(column.name for column in self.columns)
        return f"profile of {self.table.name}: {names}"

    def alone(self) -> Iterator[ProfileStatement]:
        """One statement a column, for when all of them together could not be asked."""
        for column in self.columns:
            yield replace(self, columns=(column,))

    def sql(self) -> str:
        """The statement: groups with their rows, counted per column."""
        names = [f"c{n}" for n in range(len(self.columns))]
        values = ", ".join(f"{c.value} AS {name}" for c, name in zip(self.columns, names, strict=True))
        texts = [c.text for c in self.columns if c.text]
        assert not texts or len(names) == 1  # a text would be that of the rows of another column's value
        values += f", {texts[0]} AS written" if texts else ""
        shown = ', min(written COLLATE "C") AS written' if texts else ""
        sets = ", ".join(f"({name})" for name in names)
        outputs = ",\n".join(
            output
            for n, (column, name) in enumerate(zip(self.columns, names, strict=True))
            for output in _outputs(column, name, _mark(n, len(names)))
        )
        listed = ", ".join(names)
        return qualified(
            f"WITH g AS (SELECT grouping({listed}) AS s, {listed}{shown}, count(*) AS n\n"
            f"FROM (SELECT {values} FROM {table_sql(self.table)}) AS r\n"
            f"GROUP BY GROUPING SETS ({sets}))\nSELECT {outputs}"
        )

    def read(self, row: Sequence[object]) -> dict[str, Distribution]:
        """By column what the one row says."""
        parts, found = iter(row), {}
        for column in self.columns:
            counts = [int(str(value)) for value in _list(next(parts))]
            quantiles = _list(next(parts)) if column.ordered else []
            frequent = [] if column.counted else _list(next(parts))
            found[column.name] = _distribution(column, counts, quantiles, frequent)
        return found


def _mark(number: int, columns: int) -> int:
    """What GROUPING says of the groups of one column: a bit for each argument that does not group."""
    return (1 << columns) - 1 - (1 << columns - 1 - number)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _outputs(column: Valued, name: str, mark: int) -> Iterator[str]:
    groups = f"FROM g WHERE s = {mark}"
    counts = [_rows(f"{name} IS NULL"), f"count({name})", *_buckets(column, name)]
    yield f"(SELECT ARRAY[{', '.join(counts)}]::text[] {groups})"
    filled = f"{groups} AND {name} IS NOT NULL"
    if column.ordered:
        total = f"(SELECT sum(n) {filled})"
        picked = ", ".join(
            f"left((min({name}) FILTER (WHERE upto * {below} >= {total} * {above}))::text, {TEXT_LIMIT})"
            for _, above, below in SHARES
        )
        few = f"(SELECT count({name}) {groups}) <= {MOST_ORDERED}"
        ranked = f"SELECT {name}, sum(n) OVER (ORDER BY {name}) AS upto {filled}"
        yield f"(SELECT ARRAY[{picked}] FROM ({ranked} AND {few}) AS o)"
    if not column.counted:
        text = "written" if column.text else f'({name})::text COLLATE "C"'
        most = f"SELECT {text} AS t, n {filled} ORDER BY n DESC, t LIMIT {FREQUENT}"
        line = f"ARRAY[left(t, {TEXT_LIMIT}), length(t)::text, n::text]"
        yield f"(SELECT array_agg({line} ORDER BY n DESC, t) FROM ({most}) AS f)"


def _rows(condition: str) -> str:
    return f"coalesce(sum(n) FILTER (WHERE {condition}), 0)"


def _buckets(column: Valued, name: str) -> Iterator[str]:
    """Rows below all edges, in each bucket, above all, and of values that lie on no axis."""
    if not column.edges:
        return
    axis = "int8" if column.whole and all(map(_fits_int8, column.edges)) else column.axis
    edges = [f"{to_sql(text_literal(edge))}::{axis}" for edge in column.edges]
    odd = odd_sql(name) if column.odd else "false"
    yield _rows(f"{name} < {edges[0]} AND NOT {odd}")
    for low, high in pairwise(edges):
        # Neither NaN nor an infinity lies between two edges.
        yield _rows(f"{name} >= {low} AND {name} < {high}")
    yield _rows(f"{name} >= {edges[-1]} AND NOT {odd}")
    yield _rows(odd)


def _fits_int8(edge: str) -> bool:
    # Edges of a baseline may have decimals, where the column was numeric.
    return edge.lstrip("-").isdigit() and abs(int(edge)) <= INT8


def odd_sql(value: str) -> str:
    """SQL that is true for values that lie on no axis: NaN and the infinities."""
    return "(" + " OR ".join(f"({value})::text = '{text}'" for text in ODD) + ")"


def _distribution(
    column: Valued, counts: Sequence[int], quantiles: Sequence[object], frequent: Sequence[object]
) -> Distribution:
    nulls, distinct, *buckets = counts
    unmeasured = dict(column.unmeasured)
    if column.ordered and distinct > MOST_ORDERED:
        many = f"{distinct:,} distinct values, and at most {MOST_ORDERED:,} are put in order"
        unmeasured["quantiles"] = many
    listed = [Frequent(str(f[0]), int(f[2]), int(f[1])) for f in frequent if isinstance(f, list)]
    pairs = zip(SHARES, quantiles, strict=False)
    return Distribution(
        nulls,
        distinct,
        tuple(QuantileValue(share, str(value)) for (share, *_), value in pairs if value is not None),
        tuple(listed),
        Histogram(column.edges, tuple(buckets[1:-2]), buckets[0], *buckets[-2:]) if buckets else None,
        unmeasured,
    )


# --- which columns share a scan ---------------------------------------------------------------------------


def profile_statements(
    table: Table, columns: Iterable[Valued], expected: Mapping[str, int]
) -> list[ProfileStatement]:
    """As few statements as these columns can be asked with. ``expected`` are their distinct values, as far
    as the planner's statistics tell: they decide how it is asked, and nothing of the answer.
    """
    alone: list[tuple[Valued, ...]] = []
    shared: list[tuple[Valued, ...]] = [()]
    filled = 0
    for column in columns:
        many = expected.get(column.name, 0)
        if column.text or many > TOGETHER:
            alone.append((column,))
            continue
        if filled + many > TOGETHER or len(shared[-1]) == MOST_COLUMNS:
            shared.append(())
            filled = 0
        shared[-1] += (column,)
        filled += many
    return [ProfileStatement(table, part) for part in (*shared, *alone) if part]


def ends_sql(table: Table, columns: Sequence[Valued]) -> str:
    """The statement for the finite ends of columns that also hold NaN or infinities: two texts a column."""
    outputs = [
        f"({end}({c.value}) FILTER (WHERE NOT {odd_sql(c.value)}))::text"
        for c in columns
        for end in ("min", "max")
    ]
    return qualified(f"SELECT {', '.join(outputs)}\nFROM {table_sql(table)}")
