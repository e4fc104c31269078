"""Reads what the server already knows of its data: comments, sizes, and what ANALYZE found out. All of it
hints, no proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Session


@dataclass(frozen=True)
class Comments:
    """What COMMENT ON says, by (relation, column), column "" for the relation itself; and by (relation,
    constraint).
    """

    columns: dict[tuple[TableKey, str], str]
    constraints: dict[tuple[TableKey, str], str]


@dataclass(frozen=True)
class Estimate:
    """What ANALYZE found out about a column. ``distinct`` is negative for a share of the rows, 0 if
    unknown.
    """

    distinct: float
    width: int
    common: tuple[str, ...] = ()


@dataclass(frozen=True)
class EstimateWanted:
    """A column whose estimate is wanted; ``shown`` tells whether its most common values may leave the
    server.
    """

    table: TableKey
    column: str
    shown: bool


def read_comments(session: Session, schemas: Sequence[str]) -> Comments:
    """Every comment on relations, columns and constraints of the schemas. Raises DatabaseError."""
    columns: dict[tuple[TableKey, str], str] = {}
    constraints: dict[tuple[TableKey, str], str] = {}
    for schema, table, column, constraint, text in session.execute(
        query("comments"), {"schemas": list(schemas)}
    ):
        if constraint:
            constraints[(schema, table), constraint] = text
        else:
            columns[(schema, table), column] = text
    return Comments(columns, constraints)


def read_sizes(session: Session, oids: Iterable[int]) -> dict[int, int]:
    """Bytes of tables with their partitions and children, by oid. The session must hold a lock on each.
    Raises DatabaseError.
    """
    return dict(session.execute(query("sizes"), {"oids": list(oids)}))


def read_statistics(
    session: Session, wanted: Sequence[EstimateWanted]
) -> dict[tuple[TableKey, str], Estimate]:
    """The estimates of columns, as far as the role may see them and ANALYZE has run. Raises DatabaseError."""
    where = {
        "schemas": [w.table[0] for w in wanted],
        "tables": [w.table[1] for w in wanted],
        "columns": [w.column for w in wanted],
        "shown": [w.shown for w in wanted],
    }
    rows = session.execute(query("statistics"), where) if wanted else []
    return {
        ((schema, table), column): Estimate(float(distinct), int(width), tuple(common or ()))
        for schema, table, column, distinct, width, common in rows
    }
