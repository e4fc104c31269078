"""Reading a table over several nights, by ranges of a key: which checks that can prove, and its statements.

Pure. The proof is in docs/nightly.md. In short: a row version never changes, and keeps the transaction that
made it (xmin). One that is seen tonight, whose transaction is older than all that ran when a night's snapshot
was taken, was seen that night, and its key, which is part of it, lay in the same range. So after the last
range only versions of younger transactions have to be read again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.resumed import RangeRead, TableResumed
from kisaan_validate.plan.pieces import piece_of
from kisaan_validate.plan.statements import Pass, Reads, Slot, free_name
from kisaan_validate.sql.assertion import calls_of
from kisaan_validate.sql.expressions import APART, quote, table_sql
from kisaan_validate.sql.qualify import qualified, unmarked

WRAP = 2**32
"""Transaction ids in rows are the low 32 bits of those that count on."""

_WHOLE = frozenset({"int2", "int4", "int8"})
_BOUND = {"uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")} | dict.fromkeys(
    _WHOLE, re.compile(r"-?(0|[1-9][0-9]{0,18})")
)
"""The types of keys, with how a value of them is written. Their order is that of the values alone: no
collation decides it, which may change between two nights."""

# What the clock, the session or the state of the server decide: another night may answer differently.
_PASSING_WORDS = frozenset(
    (
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_user",
        "current_role",
        "user",
        "session_user",
        "current_catalog",
        "current_schema",
    )
)
_PASSING_CALLS = frozenset(
    (
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "clock_timestamp",
        "timeofday",
        "age",
        "version",
        "nextval",
        "currval",
        "lastval",
        "setval",
        "random",
        "random_normal",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
    )
)
_PASSING = re.compile(r"(pg|has|txid|inet|current|lo|col|obj|shobj)_|to_reg|row_security")
_MOMENT = re.compile(r"'\s*(now|today|tomorrow|yesterday)(\s[^']*)?'", re.IGNORECASE)


def key_refused(table: Table, key: str) -> str:
    """Why a table cannot be read by ranges of a key, as what follows "because"; "" if it can."""
    column = table.columns.get(key)
    if column is None:
        return f"it has no column {key}"
    if table.kind != "r" or table.unbound or table.names:
        return "it is no plain table: it has partitions, children or renamed columns, or is a view"
    if column.base not in _BOUND or (column.made is not None and not column.made.builtin):
        return f"{key} is of type {column.type}: a key is a whole number or a uuid"
    if not column.not_null:
        return f"{key} may be NULL, and a NULL lies in no range"
    if not table.primary_key:
        return "it has no primary key"
    leading = (i for i in table.indexes if i.valid and i.ordered and not i.predicate)
    if not any(index.columns[:1] == (key,) for index in leading):
        return f"no valid btree index leads through all rows by {key}"
    return ""


def passing(sql: str) -> str:
    """Why a condition may have another answer for the same row on another night, or by other rows; "" if
    nothing shows that. ``sql`` is not qualified yet.
    """
    text = unmarked(sql)
    try:
        calls = calls_of(text, "check")
    except SuiteError as error:
        return f"its SQL is not understood: {error.fact}"
    if "select" in calls.words:
        return "it reads other rows"
    named = {name for name in calls.called | calls.dotted if _PASSING.match(name) or name in _PASSING_CALLS}
    if found := sorted(named | (calls.words & _PASSING_WORDS)):
        return f"it calls {', '.join(found)}, which another night may answer differently"
    if moment := _MOMENT.search(text):
        return f"it names a moment that moves ({moment.group(1)})"
    return ""


def called_by(slots: Iterable[Slot]) -> frozenset[str]:
    """The names in the conditions of slots that may be functions."""
    found: set[str] = set()
    for slot in slots:
        calls = calls_of(unmarked(f"{slot.condition}, {slot.judged or 'true'}"), "check")
        found |= calls.called | calls.dotted
    return frozenset(found)


def meaning_of(slot: Slot, digest: str, functions: str) -> str:
    """The digest of what is asked of each row: the check's, the SQL that it became, and the ``functions`` of
    the database's own that it may call.
    """
    parts = (digest, slot.condition, slot.judged, functions)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def readable(state: TableResumed, table: Table) -> bool:
    """Whether the ranges of a record can be resumed: bounds that are values of the key, without
    a gap.
    """
    column = table.columns.get(state.key)
    if column is None or column.base not in _BOUND or not state.ranges:
        return False
    bounds = [bound for one in state.ranges for bound in (one.first, one.following)]
    # They become part of a statement, and a file can be edited.
    written = all(b is None or _BOUND[column.base].fullmatch(b) for b in bounds)
    joined = all(
        a.following is not None and a.following == b.first
        for a, b in zip(state.ranges, state.ranges[1:], strict=False)
    )
    return written and joined and state.ranges[0].first is None


# --- statements -------------------------------------------------------------------------------------------


def _literal(table: Table, key: str, value: str) -> str:
    if table.columns[key].base == "uuid":
        return f"'{value}'::uuid"
    return f"({value})" if value.startswith("-") else value


def inside(table: Table, key: str, first: str | None, following: str | None) -> str:
    """The condition that a row's key lies in a range."""
    name = quote(key)
    parts = [f"{name} >= {_literal(table, key, first)}"] if first is not None else []
    parts += [f"{name} < {_literal(table, key, following)}"] if following is not None else []
    return " AND ".join(parts) or "true"


def by_index(table: Table) -> Reads:
    """How ranges of a key are read: an index finds them, as the profile says that it may."""
    return Reads((table.key,), believed=True)


def bound_sql(table: Table, key: str, first: str | None, rows: int) -> str:
    """The statement that finds the key before which about so many rows lie, from ``first`` on; it returns no
    row where there are no more than these.
    """
    where = inside(table, key, first, None)
    # With the table's name: the bare one would mean the output, and the order of texts.
    name = f"{quote(table.name)}.{quote(key)}"
    # Any value will do for a bound: that no row is left out rests on the ranges, not on this answer.
    return qualified(
        f"SELECT {name}::text FROM {table_sql(table)}\nWHERE {where}\nORDER BY {name} OFFSET {rows} LIMIT 1"
    )


def range_of(statement: Pass, key: str, first: str | None, following: str | None) -> Pass:
    """The same scan of the rows of one range."""
    table = statement.table
    where = inside(table, key, first, following)
    source = f"(SELECT * FROM {table_sql(table)} WHERE {where}) AS {quote(table.name)}"
    return replace(statement, source=source, reads=by_index(table), marking=None, figures=())


CHANGED = "rows that changed since they were read"


@dataclass(frozen=True)
class LastLook:
    """The scan of the whole table that follows the last range: ``statement``, and what its slots that are no
    check count: rows that changed, and by the number of its range the rows that did not. ``mark`` is the SQL
    that tells them, of which each row has its own value under the name ``called``.
    """

    statement: Pass
    changed: str
    stayed: Mapping[int, str]
    mark: str
    called: str

    @property
    def own(self) -> frozenset[str]:
        """The ids of slots that are no check."""
        return frozenset({self.changed, *self.stayed.values()})

    def cut(self, statement: Pass, first: int = 0, following: int | None = None) -> Pass:
        """The same scan, or a part of its slots, of the blocks from ``first`` up to before ``following``."""
        table = statement.table
        plain = replace(statement, source=table_sql(table))
        rows = plain if first == 0 and following is None else piece_of(plain, first, following)
        # Set apart, so that the mark is made once for each row and not for each of the slots.
        head, _, where = rows.source.partition("\nWHERE")
        inner = f"SELECT *, {self.mark} AS {self.called}\nFROM {head}" + (f"\nWHERE{where}" if where else "")
        return replace(statement, source=f"(\n{inner}{APART}\n) AS {quote(table.name)}")


def last_look(statement: Pass, state: TableResumed, upper: int) -> LastLook:
    """The scan that counts all rows, reads those again that changed since their range was read, and answers
    all checks as one scan in the present snapshot would. ``upper`` is the first transaction that this
    snapshot does not see.

    A check that no row violated when it was read is asked of the changed rows alone. One that failed, or had
    no answer somewhere, is asked of all.
    """
    table = statement.table
    called = free_name("mark", table)
    stayed = {n: f"{CHANGED}: range {n}" for n in range(len(state.ranges))}
    slots = [Slot(CHANGED, f"{called} = {_CHANGED}")]
    slots += [Slot(id, f"{called} = {n}") for n, id in stayed.items()]
    for slot in statement.slots:
        count = state.counted(slot.check_id)
        held = count is not None and not count.violations
        # CASE, so that the condition is not evaluated for rows that were read already.
        cond = f"CASE WHEN {called} = {_CHANGED} THEN ({slot.condition}) ELSE false END"
        slots.append(replace(slot, condition=cond) if held else slot)
    scan = replace(statement, slots=tuple(slots), marking=None, figures=())
    look = LastLook(scan, CHANGED, stayed, _mark(table, state, upper), called)
    return replace(look, statement=look.cut(scan))


_CHANGED, _NOWHERE = -1, -2
"""What rows are marked with that changed, or lie in no range; all others with the number of their range."""


def _mark(table: Table, state: TableResumed, upper: int) -> str:
    """SQL for the mark of a row: the number of the range in which it was read as it is now."""
    arms = []
    for n, one in enumerate(state.ranges):
        # The last range names its start: what is NULL lies in none, and must not be taken for read.
        last = n == len(state.ranges) - 1
        within = inside(table, state.key, one.first if last else None, one.following)
        known = f"{quote(state.key)} = {quote(state.key)}" if within == "true" else within
        arms.append(f"WHEN {known} THEN CASE WHEN {younger(one, upper)} THEN {_CHANGED} ELSE {n} END")
    return f"(CASE {' '.join(arms)} ELSE {_NOWHERE} END)"


def younger(one: RangeRead, upper: int) -> str:
    """The condition that a row version may be of a transaction from ``horizon`` of its range on.

    A version keeps the low 32 bits of its transaction's id (frozen ones too, since PostgreSQL 9.4), and is
    of one before ``upper``. Of all ids with these bits the youngest before ``upper`` is supposed: an older
    version is then read once too often, a younger one is never taken for older.
    """
    since = upper - one.horizon
    if since <= 0:
        return "false"
    if since >= WRAP:
        return "true"
    return f"((({upper - 1} - xmin::text::bigint) & {WRAP - 1}) < {since})"


def missed(
    state: TableResumed, rows: int, changed: int, stayed: Mapping[int, int], upper: int
) -> DatabaseError | None:
    """Why ranges have no answer: some of the ``rows`` that the table has lie in none, or more were there when
    a range was read than were read, so that the index did not lead to all. ``stayed`` are those that have not
    ``changed`` since, by the number of their range.
    """
    if rows != changed + sum(stayed.values()):
        return DatabaseError(
            f"{rows:,} rows were counted, of which {rows - changed - sum(stayed.values()):,} lie in no "
            f"range of {state.key}",
            "NOT NULL of it does not hold: see which rows have no value there",
        )
    for n, one in enumerate(state.ranges):
        # In a range that this very snapshot saw, nothing can have gone either.
        exact = one.horizon >= upper
        if stayed[n] > one.rows or (exact and stayed[n] != one.rows):
            return DatabaseError(
                f"the index on {state.key} led to {one.rows:,} rows of a range in which the table has "
                f"{stayed[n]:,}",
                f"REINDEX it, then check it: pg_amcheck --heapallindexed --table {state.table}",
            )
    return None


def slots_that_last(table: Table, slots: Sequence[Slot]) -> dict[str, str]:
    """Of each slot that cannot be answered over several nights: why, by check id."""
    found: dict[str, str] = {}
    # Read from a subquery, a row as a whole would be another one; a column of that name comes first.
    whole = re.compile(rf'(?<![\w$.]){re.escape(table.name)}(?![\w$])(?!"?\s*\.)', re.IGNORECASE)
    for slot in slots:
        text = f"{slot.condition}, {slot.judged or 'true'}"
        if slot.query is not None or slot.found:
            found[slot.check_id] = "it judges a figure of all rows"
        elif table.name not in table.columns and whole.search(text):
            found[slot.check_id] = "it reads the row as a whole"
        elif why := passing(text):
            found[slot.check_id] = why
    return found
