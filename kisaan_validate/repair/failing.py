"""The failing rows of a check as SQL: the rows and keys that a run counts and digests."""

from __future__ import annotations

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.statements import Pass, Query, Slot
from kisaan_validate.sql.expressions import decided_by_rows, key_columns, quote
from kisaan_validate.sql.qualify import qualified

CTID = "ctid"


@dataclass(frozen=True)
class FailingSql:
    """A SELECT of the ``keys`` of all failing rows, and as its last output, ``weight``, how many violations
    each stands for. ``tables`` are all that it reads.
    """

    sql: str
    keys: tuple[str, ...]
    weight: str
    tables: tuple[TableKey, ...]


def failing_sql_of(plan: Plan, check: str) -> FailingSql:
    """The failing rows of one check of a plan. Raises UsageError where they have no keys."""
    for statement in plan.passes:
        for slot in statement.slots:
            if slot.check_id == check:
                return _of_slot(statement, slot)
    for query in plan.queries:
        if query.check_id == check:
            return _of_query(query)
    settled = plan.settled.get(check)
    why = settled.message if settled is not None else ""
    raise UsageError(
        f"{check} does not judge rows of this database{f': {why}' if why else ''}",
        "run the suite again, and write the kit from that run",
    )


def _of_slot(statement: Pass, slot: Slot) -> FailingSql:
    if slot.query is not None:
        raise _no_rows(slot.check_id)
    prefix = f"{quote(statement.alias)}." if statement.alias else ""
    keys = _named(slot.check_id, key_columns(statement.table))
    weight = _free("violations", keys)
    listed = ", ".join(f"{prefix}{quote(key)} AS {quote(key)}" for key in keys)
    sql = f"SELECT {listed}, 1::bigint AS {quote(weight)}\nFROM {statement.source}\n"
    return FailingSql(
        qualified(sql + f"WHERE {decided_by_rows(slot.condition)}"), keys, weight, statement.tables
    )


def _of_query(query: Query) -> FailingSql:
    found = query.violations
    if found.riding is not None:
        raise _no_rows(query.check_id)
    keys = _named(query.check_id, found.keys)
    weight = _free("violations", keys)
    listed = ", ".join(f"v.{quote(key)} AS {quote(key)}" for key in keys)
    stands = f"(v.{quote(found.weight)})::bigint" if found.weight else "1::bigint"
    sql = f"SELECT {listed}, {stands} AS {quote(weight)}\nFROM (\n{found.sql}\n) AS v"
    return FailingSql(qualified(sql), keys, weight, query.tables)


def _named(check: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a check. Raises UsageError where nothing names a row for longer than a moment."""
    if not keys or CTID in keys:
        raise UsageError(f"the failing rows of {check} have no key", "give the table a primary key")
    return keys


def _no_rows(check: str) -> UsageError:
    return UsageError(f"what {check} judges is a figure of a whole table", "repair it by hand")


def _free(wanted: str, taken: tuple[str, ...]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
