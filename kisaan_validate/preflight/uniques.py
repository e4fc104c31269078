"""Unique indexes on which the migration relies, compared with their rows by heap scans: ``--deep``.

A table that is rewritten builds its indexes again, and fails at the first duplicate that a damaged one hid.
"""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.contract.rules import Recorded, RowsUnchanged, SequencesAdvance, SumPreserved
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import HEAP, refusal
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.postgres.damage import damage_unseen
from kisaan_validate.postgres.session import Session
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted

SAY = Answers(PreflightTopic.INDEXES)

_UNTOUCHED = (RowsUnchanged, SumPreserved, SequencesAdvance, Recorded)
"""Promises about tables or values that stay untouched."""

_INDEXES = qualified("""
SELECT x.relname::text,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
             FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k),
       coalesce(pg_get_expr(i.indpred, i.indrelid, true), ''),
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), i.indisexclusion
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE i.indrelid = %(oid)s AND (i.indisunique OR i.indisprimary) ORDER BY x.relname""")


def uniques_hold(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """An item for each unique index of a table that the migration touches."""
    if not inquiry.asked.deep:
        return
    tables = _touched(inquiry)
    if not tables:
        yield SAY.unknown("unique", "which tables the migration touches is not known", "name a --contract")
        return
    options = inquiry.asked.options
    limits = options.limits if options is not None else inquiry.session.limits
    session = Session(inquiry.asked.target, limits, inquiry.session.schemas, inquiry.stop)
    try:
        yield from _held(session, tables)
    finally:
        session.close()


def _touched(inquiry: Inquiry) -> tuple[Table, ...]:
    """The tables of the contract's promises, and those that the rehearsal rewrote."""
    contract, catalogue = inquiry.asked.contract, inquiry.catalogue
    if catalogue is None:
        return ()
    every = contract.promises if contract is not None else ()
    promises = [promise for promise in every if not isinstance(promise, _UNTOUCHED)]
    named = [place[0] for p in promises if (place := getattr(p, "place", None)) and isinstance(place, tuple)]
    named += [title for p in promises if isinstance(title := getattr(p, "table", ""), str) and title]
    found = (catalogue.find(name) for name in (*named, *inquiry.rewritten))
    tables = {table.key: table for table in found if table is not None and table.countable}
    return tuple(tables[key] for key in sorted(tables))


def _held(session: Session, tables: tuple[Table, ...]) -> Iterator[PreflightItem]:
    session.begin(isolation="READ COMMITTED")
    if why := damage_unseen(session):
        yield SAY.unknown("unique", f"scans prove nothing: {why}", "change the setting, then ask again")
        return
    session.tune(HEAP)
    good = 0
    for table in tables:
        for item in _of(session, table):
            if item is None:
                good += 1
            else:
                yield item
    if good:
        of = f"{counted(good, 'unique index', 'unique indexes')} of {counted(len(tables), 'table')}"
        yield SAY.go("unique", f"{of} match their rows")


def _of(session: Session, table: Table) -> Iterator[PreflightItem | None]:
    """None for an index whose rows are unique."""
    try:
        rows = session.execute_within(_INDEXES, {"oid": table.oid})
    except DatabaseError as error:
        if error.lost:
            raise
        yield SAY.unknown("unique", f"indexes of {table.title}: {error.fact}", error.hint)
        return
    for name, keys, where, nulls_equal, exclusion in rows:
        title = f"{name} on {table.title}"
        if exclusion:
            yield SAY.unknown("unique", f"{title} is temporal, which is not checked", "look at it by hand")
            continue
        yield _one(session, table, title, _surplus(table, keys, where, nulls_equal))


def _one(session: Session, table: Table, title: str, sql: str) -> PreflightItem | None:
    try:
        if (refused := refusal(session, sql)) is not None:
            return SAY.unknown("unique", f"{title}: {refused.fact}", refused.hint)
        ((surplus,),) = session.execute_within(sql)
    except DatabaseError as error:
        if error.lost:
            raise
        # The server's words may quote a row.
        fact = f"{title} could not be checked (SQLSTATE {error.sqlstate})"
        return SAY.unknown("unique", fact, error.hint or "ask again when the table is free")
    if surplus:
        fact = f"{title} is unique by its index, and {counted(int(surplus), 'row')} too many by its rows"
        return SAY.no_go("unique", fact, "the index is damaged: remove the duplicates, then REINDEX it")
    return None


def _surplus(table: Table, keys: list[str], where: str, nulls_equal: bool) -> str:
    """How many surplus rows there are. A parent's own rows alone: what inherits has indexes of its own."""
    conditions = [f"({where})"] if where else []
    if not nulls_equal:
        conditions += [f"({key}) IS NOT NULL" for key in keys]
    only = "" if table.kind == "p" else "ONLY "
    rows = f"SELECT count(*) AS many FROM {only}{quote(table.schema)}.{quote(table.name)}"
    rows += f" WHERE {' AND '.join(conditions)}" if conditions else ""
    listed = ", ".join(f"({key})" for key in keys)
    return qualified(
        f"SELECT coalesce(sum(many - 1), 0) FROM ({rows} GROUP BY {listed} HAVING count(*) > 1) AS k"
    )
