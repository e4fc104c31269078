"""One scan of each table, in one read-only snapshot: what its data is, as far as that is cheap to see.

Of a small table of which a set of codes might be drafted, these are counted by a second statement, to see
that none of them is rare. Of a large one a column is sorted by a statement of its own: beside others, the
sort would take all that they read, and no server reads in parallel for it.

Only hints decide what is asked (names, types, ANALYZE's estimates); what is said afterwards was counted
over every row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kisaan_validate.author.draft.codes import FREQUENT, KINDS, RARE, why_withheld
from kisaan_validate.author.draft.facts import NOT_READ, Observed, is_personal
from kisaan_validate.author.source import sql_name
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.one_pass import is_one_expressions_fault
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.catalogue import Column, Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.statistics import Estimate, EstimateWanted
from kisaan_validate.sql.expressions import table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified

SMALL_TABLE = 32 * 1024**2
"""Up to so many bytes, every value of a column may be collected or sorted to see how many different ones
there are.
"""

FEW_VALUES = 20
"""A set of more values is not worth being written down."""

LONGEST_VALUE = 60
"""Longer texts are prose, not values of a set. Characters."""

ENOUGH_ROWS = 20
"""Of fewer rows nothing is worth saying: it would be true by chance."""

ENOUGH_FOR_UNIQUE = 100
"""Of fewer values it says little that they all differ."""

_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
_WHOLE = frozenset({"int2", "int4", "int8"})
_PROSE = (
    "name",
    "title",
    "note",
    "comment",
    "remark",
    "descr",
    "message",
    "subject",
    "body",
    "text",
    "reason_text",
    "label",
)
_MONEY = (
    "amount",
    "price",
    "cost",
    "fee",
    "total",
    "balance",
    "paid",
    "payment",
    "payable",
    "due",
    "tax",
    "credit",
    "debit",
    "earning",
    "charge",
    "discount",
    "refund",
    "revenue",
    "budget",
    "invoice",
    "salary",
    "money",
    "sum",
)


@dataclass(frozen=True)
class Probe:
    """One output of a table's scan: what it is about (``kind``), and for "set", the values that may occur.

    "withheld" asks nothing: ``values`` has the reason why the values of a column are not written down.
    ``large``: it sorts a table that is too large to be sorted again for the proof of the draft."""

    kind: str
    column: str
    sql: str
    values: tuple[str, ...] = ()
    large: bool = False


def candidates(tables: Iterable[Table], personal: tuple[str, ...]) -> list[EstimateWanted]:
    """The columns for which ANALYZE's estimate would decide whether something is asked."""
    found = []
    for table in tables:
        for column in table.columns.values():
            few, unique = _may_be_set(table, column, personal), _may_be_unique(table, column)
            if few or unique:
                found.append(EstimateWanted(table.key, column.name, few))
    return found


def probes(
    table: Table,
    size: int,
    estimates: dict[tuple[TableKey, str], Estimate],
    personal: tuple[str, ...],
    temp_bytes: int,
) -> list[Probe]:
    """What is asked of a table of ``size`` bytes; no more than ``temp_bytes`` may be written while it is
    answered.
    """
    # Half of the limit, since a sort writes what it reads and merges it again.
    small = size <= min(SMALL_TABLE, temp_bytes // 2)
    made: list[Probe] = []
    sorting = 0
    for column in table.columns.values():
        if column.generated == "v":
            # computed while it is read: its expression may fail, and what it gives is no stored fact
            continue
        name, estimate = sql_name(column.name), estimates.get((table.key, column.name))
        # count(column) leaves out NULL.
        made.append(Probe("nulls", column.name, f"count(*) - count({name})"))
        if _may_be_money(column):
            # numeric compares by value: 1.50 and 1.5 are equal, so trailing zeros are no places.
            made.append(Probe("decimals", column.name, f"count(*) FILTER (WHERE {name} <> round({name}, 2))"))
        if _may_be_set(table, column, personal) and (probe := _set_probe(column, estimate, small)):
            made.append(probe)
        # -1 is ANALYZE's estimate that all values differ; anything else makes the sort a waste.
        if _may_be_unique(table, column) and (small or (estimate is not None and estimate.distinct == -1)):
            # What one sort may write: a value of every row with what is kept beside it.
            sorting += size if estimate is None else table.estimated_rows * (estimate.width + 24)
            if small or sorting <= temp_bytes:
                sql = f"count({name}) - count(DISTINCT {name})"
                made.append(Probe("unique", column.name, sql, large=not small))
    return made


def _may_be_money(column: Column) -> bool:
    wide = column.base == "numeric" and (column.scale is None or column.scale > 2)
    return wide and any(word in column.name.lower() for word in _MONEY)


def _may_be_set(table: Table, column: Column, personal: tuple[str, ...]) -> bool:
    # The catalogue already says more, or nothing may be written down.
    if is_personal(personal, table.name, column.name) or column.is_enum or _checked_alone(table, column.name):
        return False
    name, referring = (
        column.name.lower(),
        any(c.kind == "f" and column.name in c.columns for c in table.constraints),
    )
    if column.base in _TEXTS:
        # A reference is another table's set of values.
        return not referring and not any(word in name for word in _PROSE)
    return column.base in _WHOLE and not referring and any(word in name for word in KINDS)


def _checked_alone(table: Table, column: str) -> bool:
    """Whether the catalogue has a CHECK of this column alone: then it knows more of its values than a
    scan.
    """
    return any(c.kind == "c" and c.columns == (column,) for c in table.constraints)


def _may_be_unique(table: Table, column: Column) -> bool:
    keyed = table.unique_over(frozenset({column.name})) is not None
    return not keyed and not column.generated and column.base in _TEXTS | _WHOLE | {"uuid"}


def _set_probe(column: Column, estimate: Estimate | None, small: bool) -> Probe | None:
    name = sql_name(column.name)
    if small:
        # Both are asked in the one scan, so that a large set is never sent.
        few = f"count(DISTINCT {name}) <= {FEW_VALUES} AND max(length({name}::text)) <= {LONGEST_VALUE}"
        listed = f"array_agg(DISTINCT {name}::text) FILTER (WHERE {name} IS NOT NULL)"
        return Probe("values", column.name, f"CASE WHEN {few} THEN {listed} END")
    if (
        estimate is None
        or not 0 < estimate.distinct <= FEW_VALUES
        or not 0 < len(estimate.common) <= FEW_VALUES
    ):
        return None
    if any(len(value) > LONGEST_VALUE for value in estimate.common):
        return None
    if why := why_withheld(column.name, estimate.common):
        return Probe("withheld", column.name, "NULL", (why,))  # not even in a statement
    # No sort, whatever the size: the rows of each value that ANALYZE met, and those of any value.
    counts = [_rows_of(column.name, value) for value in estimate.common]
    return Probe("set", column.name, f"ARRAY[{', '.join([*counts, f'count({name})'])}]", estimate.common)


def _rows_of(column: str, value: str) -> str:
    return f"count(*) FILTER (WHERE {sql_name(column)}::text = {to_sql(text_literal(value))})"


def scan_sql(table: Table, asked: Sequence[Probe]) -> str:
    """The one statement that answers all probes; the rows come first."""
    outputs = ",\n  ".join(["count(*) AS rows_read", *(probe.sql for probe in asked)])
    # Qualified as a whole, like every statement: a table's owner may have made a function called count.
    return qualified(f"SELECT {outputs}\nFROM {table_sql(table)}")


def read_scan(asked: Sequence[Probe], row: Sequence[Any]) -> Observed:
    """What the row that :func:`scan_sql` returned says."""
    rows, *answers = row
    nulls, unique, decimals = {}, set(), set()
    values: dict[str, tuple[str, ...]] = {}
    withheld: dict[str, str] = {}
    rare = set()
    for probe, answer in zip(asked, answers, strict=True):
        if probe.kind == "nulls":
            nulls[probe.column] = int(answer)
        elif probe.kind == "unique" and answer == 0:
            unique.add(probe.column)
        elif probe.kind == "decimals" and answer == 0:
            decimals.add(probe.column)
        elif probe.kind == "withheld":
            withheld[probe.column] = probe.values[0]
        elif probe.kind == "values" and answer:
            if why := why_withheld(probe.column, answer):
                withheld[probe.column] = why
            else:
                values[probe.column] = tuple(sorted(answer))
        elif probe.kind == "set" and (met := _met(probe, answer)):
            values[probe.column] = tuple(sorted(met))
            if min(met.values()) < FREQUENT:
                rare.add(probe.column)
    # What is true of few rows is true by chance.
    present = {column: int(rows) - count for column, count in nulls.items()}
    seen = Observed(
        int(rows),
        "",
        nulls,
        frozenset(c for c in unique if present[c] >= ENOUGH_FOR_UNIQUE),
        frozenset(c for c in decimals if present[c] >= ENOUGH_ROWS),
        {c: v for c, v in values.items() if present[c] >= max(ENOUGH_ROWS, 5 * len(v))},
        {c: why for c, why in withheld.items() if present[c] >= ENOUGH_ROWS},
    )
    return _without_rare(seen, rare & set(seen.values))


def _met(probe: Probe, answer: Sequence[int]) -> dict[str, int]:
    """How many rows each value of a column has that has any; nothing if a row held one beyond those that
    ANALYZE met.
    """
    *counts, present = answer
    found = {value: rows for value, rows in zip(probe.values, counts, strict=True) if rows}
    return found if sum(counts) == present else {}


def with_unique(seen: Observed, column: str) -> Observed:
    """The same, of a large table in which no two rows have the same value in this column."""
    if seen.rows is None or seen.rows - seen.nulls.get(column, seen.rows) < ENOUGH_FOR_UNIQUE:
        return seen
    return replace(seen, unique=seen.unique | {column}, sorted_once=seen.sorted_once | {column})


def scanner(table: Table, asked: Sequence[Probe]) -> Callable[[Session], Observed]:
    """The work of one table, for a pool: it raises nothing, what cannot be read is not observed, and says
    why.
    """

    def scan(session: Session) -> Observed:
        try:
            return _scan(session, table, asked)
        except DatabaseError as error:
            recover(session)
            # A lost session answers nothing more; another error is not the fault of one expression.
            if session.lost or not is_one_expressions_fault(error):
                return unread(table, error)
        try:  # some expression fails on some value: what is left needs none
            return _scan(session, table, [probe for probe in asked if probe.kind == "nulls"])
        except DatabaseError as error:
            recover(session)
            return unread(table, error)

    return scan


def sorter(table: Table, probe: Probe) -> Callable[[Session], Observed]:
    """The work that finds out whether a column of a large table holds no value twice, and observes nothing
    else. It raises nothing: what cannot be read is not observed.
    """
    sql = scan_sql(table, [probe])

    def sort(session: Session) -> Observed:
        try:
            if refusal(session, sql) is not None:
                return NOT_READ
            ((_, repeated),) = session.execute(sql)
        except DatabaseError:
            recover(session)
            return NOT_READ
        return NOT_READ if repeated else Observed(sorted_once=frozenset({probe.column}))

    return sort


def _scan(session: Session, table: Table, asked: Sequence[Probe]) -> Observed:
    sql = scan_sql(table, asked)
    # EXPLAIN first, as for every statement: it must read rows, not an index.
    if why := refusal(session, sql):
        raise why
    (row,) = session.execute(sql)
    return _frequent(session, table, read_scan(asked, row), asked)


def _frequent(session: Session, table: Table, seen: Observed, asked: Sequence[Probe]) -> Observed:
    """The same without sets that hold a rare value. Only asked for values that do not look personal."""
    collected = {probe.column for probe in asked if probe.kind == "values"}
    counted = [(column, v) for column, values in seen.values.items() if column in collected for v in values]
    if not counted:
        return seen
    counts = ",\n  ".join(_rows_of(column, value) for column, value in counted)
    (found,) = session.execute(qualified(f"SELECT {counts}\nFROM {table_sql(table)}"))
    return _without_rare(
        seen, {column for (column, _), rows in zip(counted, found, strict=True) if rows < FREQUENT}
    )


def _without_rare(seen: Observed, rare: Collection[str]) -> Observed:
    """The same without the sets of these columns: a rare code may be about one person, whatever it looks
    like.
    """
    return replace(
        seen,
        values={c: v for c, v in seen.values.items() if c not in rare},
        withheld={**seen.withheld, **dict.fromkeys(rare, RARE)},
    )


def unread(table: Table, error: DatabaseError) -> Observed:
    """Why nothing was observed, without any value that the server's message may quote."""
    known = {table.name, table.schema, *table.columns}
    return Observed(
        # The server quotes values in its messages; only names of this table are left in.
        reason=f"{mask_values(error.fact, known)}{f' ({error.sqlstate})' if error.sqlstate else ''}"
    )
