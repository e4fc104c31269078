"""Statements that list violating rows: a sample of keys and the digest of all, for checks that are known
to fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.plan.marks import MOST_SHARE, Marks, union
from kisaan_validate.plan.statements import Pass, Query, Slot, free_name
from kisaan_validate.sql.expressions import (
    APART,
    condition_sql,
    decided_by_rows,
    kept_sql,
    key_columns,
    quote,
    table_sql,
)
from kisaan_validate.sql.qualify import qualified

RARE = 100_000
"""Up to so many violating rows in all, the keys of several checks are collected in one shared pass over
their table.
"""

VALUE_LIMIT = 200
"""A sampled value is cut after so many characters."""


@dataclass(frozen=True)
class Failing:
    """One failing slot of a pass, with its violating rows, and where they lie if that is known."""

    statement: Pass
    slot: Slot
    count: int
    marks: Marks | None = None


def table_sample(
    failing: Sequence[Failing], limit: int, masked: frozenset[str], *, looked: bool = False
) -> str:
    """One statement for all failing checks over the rows of one table, also those that look at another row.

    For each: up to ``limit`` rows in key order, and the digest of all its keys, as rows (position, values
    as text[] or NULL, high sum, low sum, number of all keys). Rare failures share one pass over the
    table, or over its marked blocks, joined with whatever they need; as soon as that would collect more
    than RARE rows, a check reads its keys from its own source instead. ``looked``: the rows that the shared
    ones refer to are looked up one by one.
    """
    table = failing[0].statement.table
    shared = _rare([f.count for f in failing])
    parts, arms = [], []
    if shared:
        rare = [(n, f) for n, f in enumerate(failing) if n in shared]
        shown = list(dict.fromkeys(c for _, f in rare for c in _beside_key(f.slot, table)))
        parts.append(_collected(table, rare, shown, masked, looked))
        keys = [f"k{i}" for i in range(len(key_columns(table)))]
        for n, f in rare:
            values = [shown_value(k, c, masked) for k, c in zip(keys, key_columns(table), strict=True)]
            values += [f"s{shown.index(c)}" for c in _beside_key(f.slot, table)]
            arms += _arms(n, values, keys, "v", f"v{n}", limit)
    for n, f in enumerate(failing):
        if n not in shared:
            arms += _own_arms(n, f, limit, masked)
    return qualified("\n".join([*parts, "\nUNION ALL\n".join(arms)]))


def _own_arms(n: int, failing: Failing, limit: int, masked: frozenset[str]) -> list[str]:
    statement = failing.statement
    prefix = f"{quote(statement.alias)}." if statement.alias else ""
    names = statement.sample_columns(failing.slot)
    values = [shown_value(prefix + quote(c), c, masked) for c in names]
    keys = [prefix + quote(k) for k in key_columns(statement.table)]
    return _arms(n, values, keys, statement.source, decided_by_rows(failing.slot.condition), limit)


def _collected(
    table: Table,
    rare: Sequence[tuple[int, Failing]],
    shown: Sequence[str],
    masked: frozenset[str],
    looked: bool,
) -> str:
    """The rows that violate any of these checks, with a flag for each check: one pass over the table."""
    # A column of the table may have the name of a flag, and ``*`` would then be ambiguous.
    flags = {n: free_name(f"violates_{n}", table) for n, _ in rare}
    here = [f"({f.slot.condition}) AS {flags[n]}" for n, f in rare if not f.statement.joined]
    # ``*`` does not include ctid.
    placed = key_columns(table) == ("ctid",)
    if (marks := marks_of([f for _, f in rare])) is None:
        # A scan of its rows may be of some of them only.
        scanned = (f.statement.source for _, f in rare if not f.statement.joined)
        rows, place = next(scanned, table_sql(table)), ["ctid"] if placed else []
    else:
        rows, place = marks.source(table, placed=placed), []
    # A join with a filter only sees the rows that it leaves: all are here, so each says whether it is one of
    # them.
    filters = dict.fromkeys(
        f.statement.table.only for _, f in rare if f.statement.joined and f.statement.table.only
    )
    kept = {only: free_name(f"kept_{n}", table) for n, only in enumerate(filters)}
    here += [f"{condition_sql(only)} AS {name}" for only, name in kept.items()]
    # Such a join is listed by itself, so all rows of the statement are its own.
    referring = {f.statement.referring for _, f in rare}
    if len(referring) == 1 and any(referring):
        rows = f"{rows}\n  WHERE {kept_sql(table, *referring)}"
    others = {f.statement.joined: f.statement.looked for _, f in rare if f.statement.joined}
    # Set apart, so that the joins above cannot be answered from unique indexes of this table.
    source = f"SELECT {', '.join(['*', *place, *here])}\n  FROM {rows}{APART if others else ''}"
    for joined in others:
        there = [
            f"({_kept(f, kept)}({f.slot.condition})) AS {flags[n]}"
            for n, f in rare
            if f.statement.joined == joined
        ]
        how = others[joined] if looked else joined
        source = f"SELECT child.*, {', '.join(there)}\n  FROM (\n  {source}\n  ) AS child\n  {how}"
    columns = [f"{quote(k)} AS k{i}" for i, k in enumerate(key_columns(table))]
    columns += [f"{flags[n]} AS v{n}" for n, _ in rare]
    columns += [f"{shown_value(quote(c), c, masked)} AS s{i}" for i, c in enumerate(shown)]
    # MATERIALIZED below: the arms read the rows several times, the table once.
    anywhere = " OR ".join(flags[n] for n, _ in rare)
    return (
        f"WITH v AS MATERIALIZED (\n  SELECT {', '.join(columns)}\n  FROM (\n  {source}\n  ) AS q\n  "
        f"WHERE {decided_by_rows(anywhere)}\n)"
    )


def marks_of(failing: Sequence[Failing]) -> Marks | None:
    """The blocks in which the rows of these checks lie; None where the whole table is read for them."""
    marks = union(f.marks for f in failing)
    return marks if marks is not None and marks.share <= MOST_SHARE else None


MOST_LOOKED_UP = Fraction(1, 20)
"""The share of its rows up to which those that a table refers to are looked up one by one: a scan of the
other table costs about as much as so many lookups.
"""


def are_few(failing: Sequence[Failing]) -> bool:
    """Whether the rows of these checks are few, and known by their blocks: then the checks of each join are
    listed by themselves, so that a row is joined only with what its own checks need.
    """
    marks = marks_of(failing)
    return marks is not None and marks.share <= MOST_LOOKED_UP and sum(f.count for f in failing) <= RARE


def may_be_looked_up(failing: Sequence[Failing]) -> bool:
    """Whether the rows of these checks are few, and some refer to others."""
    # Without a key nothing is counted again that could be compared with the count.
    keyed = bool(key_columns(failing[0].statement.table))
    return are_few(failing) and keyed and any(f.statement.looked for f in failing)


def _kept(failing: Failing, kept: Mapping[str, str]) -> str:
    only = failing.statement.table.only
    return f"child.{kept[only]} AND " if only else ""


def query_sample(query: Query, limit: int, masked: frozenset[str]) -> str:
    """Up to ``limit`` violating rows of a query check in key order, and the digest of all keys; rows as of
    table_sample.
    """
    keys = [quote(k) for k in query.violations.keys]
    values = [shown_value(quote(c), c, masked) for c in query.sample_columns()]
    # Inside FROM, so that PostgreSQL itself refuses a data-modifying WITH.
    head = f"WITH v AS MATERIALIZED (\n  SELECT * FROM (\n{query.violations.sql}\n) AS q\n)\n"
    return qualified(head + "\nUNION ALL\n".join(_arms(0, values, keys, "v", "true", limit)))


def figure_sample(query: Query) -> str:
    """SQL over aggregates of a table that says as text[] what :func:`query_sample` would list of a figure:
    the digest of its key, then the values; "" where only that statement can. It masks nothing.
    """
    riding, keys = query.violations.riding, query.violations.keys
    if riding is None or not riding.shown:
        return ""
    values = [shown_value(f"({sql})", "", frozenset()) for sql in riding.shown]
    digest = key_digest([f"({sql})::text" for sql in riding.shown[: len(keys)]])
    return f"ARRAY[{', '.join([digest, *values])}]::text[]"


def figure_rows(shown: Sequence[str]) -> list[tuple[object, ...]]:
    """The rows of :func:`query_sample` that say the same as a :func:`figure_sample`."""
    digest, *values = shown
    high, low = (int.from_bytes(bytes.fromhex(digest[i : i + 16]), signed=True) for i in (0, 16))
    return [(0, values, None, None, None), (0, None, high, low, 1)]


COUNTED = -1
"""The position of the row that says how many rows violate, and how many were judged."""


def query_listing(query: Query, limit: int, masked: frozenset[str]) -> str:
    """One statement that counts the violating rows of a query check and lists them: the rows of
    :func:`query_sample`, and (COUNTED, [violations, judged rows if it says so], NULL, NULL, NULL).

    Only of a query that counts nothing by a statement of its own.
    """
    counts = ", ".join(f"({count})::text" for count in query.counts())
    counted = f"SELECT {COUNTED}, ARRAY[{counts}], NULL, NULL, NULL\nFROM v"
    return f"{query_sample(query, limit, masked)}\nUNION ALL\n{qualified(counted)}"


def _rare(counts: Sequence[int]) -> set[int]:
    """The positions of the smallest counts that together are at most RARE."""
    found, total = set(), 0
    # The smallest first, so that one check with many violations does not push the others out.
    for n in sorted(range(len(counts)), key=lambda n: counts[n]):
        total += counts[n]
        if total > RARE:
            break
        found.add(n)
    return found


def _beside_key(slot: Slot, table: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for c in slot.columns if c not in key_columns(table)))


def shown_value(expression: str, column: str, masked: frozenset[str]) -> str:
    """SQL for the text of a value as it may appear in a sample."""
    if column in masked:
        # NULL stays NULL: whether there is a value is no personal value, and often the whole failure.
        return f"CASE WHEN {expression} IS NOT NULL THEN '•••' END"
    # One character more than is shown, so that the client knows whether it was cut.
    return f"left({expression}::text, {VALUE_LIMIT + 1})"


def _arms(n: int, values: list[str], keys: list[str], source: str, condition: str, limit: int) -> list[str]:
    listed = ", ".join(values)
    # In key order, so that two runs over the same rows show the same sample.
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    sample = (
        f"(SELECT {n} AS slot, ARRAY[{listed}]::text[] AS key, NULL::numeric AS high, NULL::numeric AS low, "
        f"NULL::bigint AS found\n"
        f" FROM {source}\n WHERE {condition}{order} LIMIT {limit})"
    )
    # Without a key nothing names a row, so there is nothing to digest.
    if not keys:
        return [sample]
    high, low = digest_sums([f"{k}::text" for k in keys])
    # Parentheses around each arm: ORDER BY and LIMIT would otherwise belong to the whole UNION.
    return [sample, f"(SELECT {n}, NULL, {high}, {low}, count(*)\n FROM {source}\n WHERE {condition})"]


def digest_sums(values: Iterable[str]) -> tuple[str, str]:
    """SQL for the two order-independent sums over the SHA-256 of each row's key.

    The key is the text of an array, whose quoting keeps ('a', 'bc') apart from ('ab', 'c') and NULL from ''.
    Sums, not XOR: two equal keys must not cancel.
    """
    digest = key_digest(values)
    # ``bit(64)::bigint`` is signed, which a sum does not mind; numeric, because sums of bigint overflow.
    halves = [f"sum(('x' || substr({digest}, {start}, 16))::bit(64)::bigint::numeric)" for start in (1, 17)]
    return halves[0], halves[1]


def key_digest(values: Iterable[str]) -> str:
    """SQL for the SHA-256, in hex, of a key of these texts (docs/design.md, "Keys and digests")."""
    # ``convert_to(…, 'UTF8')``: the digest must not depend on the database's encoding.
    return f"encode(sha256(convert_to(ARRAY[{', '.join(values)}]::text, 'UTF8')), 'hex')"
