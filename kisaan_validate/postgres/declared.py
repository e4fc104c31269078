"""Reads what the planner goes by when it leaves rows unread: of which tables others are made, and what is
declared of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from kisaan_validate.facts.catalogue import Declared, Table, UniqueIndex
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Session

Parts = Mapping[TableKey, tuple[TableKey, ...]]
"""The tables with rows of their own that a partitioned table, or one with children, is made of."""


def read_parts(session: Session, tables: Iterable[Table]) -> Parts:
    """What those of these tables are made of that are made of others. Raises DatabaseError."""
    # An ordinary table without children is made of itself, and is left out.
    wanted = {t.oid: t.key for t in tables if t.kind == "p" or t.children}
    found: dict[TableKey, list[TableKey]] = {key: [] for key in wanted.values()}
    rows = session.execute(query("parts"), {"oids": list(wanted)}) if wanted else []
    for top, schema, name in rows:
        found[wanted[top]].append((schema, name))
    return {key: tuple(parts) for key, parts in found.items()}


def read_declared(
    session: Session, tables: Iterable[Table]
) -> tuple[dict[TableKey, tuple[Declared, ...]], str]:
    """What is declared of the rows that are read with these tables and views, and the definitions of the
    views among them.

    Raises DatabaseError.
    """
    wanted = {t.oid: t.key for t in tables}
    if not wanted:
        return {}, ""
    found: dict[TableKey, list[Declared]] = defaultdict(list)
    where = {"oids": list(wanted)}
    for top, schema, name, kind, not_null, unique in session.execute(query("declared"), where):
        indexes = tuple(
            UniqueIndex(i["name"], tuple(i["keys"]), i["where"], i["nulls"]) for i in unique or ()
        )
        found[wanted[top]].append(Declared(schema, name, kind == "p", tuple(not_null or ()), indexes))
    # A view's text shows what the planner may conclude inside.
    definitions = "\n".join(str(text) for _, text in session.execute(query("views"), where))
    return {key: tuple(found[key]) for key in wanted.values()}, definitions
