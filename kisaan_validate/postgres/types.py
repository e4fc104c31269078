"""Reads what types are made of, below their domains: ``sql/types.sql`` into facts for digests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import TypeFacts
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.qualify import qualified

MULTIRANGES_SINCE = 140000
"""The first server version that has multiranges, and knows which range one is made of."""

DEEPEST = 32
"""Types within types that are looked at; what lies deeper is not distinguished."""


@dataclass(frozen=True)
class _Type:
    """One line of the query: a type, by the numbers of what it is made of."""

    name: str
    kind: str
    builtin: bool
    base: int | None
    array: bool
    element: int | None
    extension: str | None
    names: list[str] | None
    types: list[int] | None


def read_types(session: Session, oids: Iterable[int]) -> dict[int, TypeFacts]:
    """What these types are made of, by their number. Raises DatabaseError."""
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    sql = resources.files(__package__).joinpath("sql", "types.sql").read_text(encoding="utf-8")
    # These columns do not exist before PostgreSQL 14, so the text of the query is changed.
    if session.version < MULTIRANGES_SINCE:
        sql = sql.replace("g.rngmultitypid", "NULL::oid").replace("m.rngmultitypid", "NULL::oid")
    known = {oid: _Type(*line) for oid, *line in session.execute(qualified(sql), {"oids": wanted})}
    return {oid: _made(oid, known, DEEPEST) for oid in wanted if oid in known}


def _made(oid: int, known: Mapping[int, _Type], depth: int) -> TypeFacts:
    found = known[oid]
    # Through all domains: a domain is its base type, also below an array.
    while found.base is not None:
        found = known[found.base]
    # A type may contain itself through an array of a composite;
    # what is too deep is no built-in, so has no form.
    if not depth:
        return TypeFacts(found.name, "p", builtin=False)
    element = None if found.element is None else _made(found.element, known, depth - 1)
    pairs = zip(found.names or (), found.types or (), strict=True)
    fields = tuple((name, _made(type_, known, depth - 1)) for name, type_ in pairs)
    return TypeFacts(
        found.name, found.kind, found.builtin, element, found.extension or "", found.array, fields
    )


def read_type(session: Session, name: str) -> TypeFacts | None:
    """The type that a name means on this server, without its modifier; None if there is none. Raises
    DatabaseError.
    """
    ((oid,),) = session.execute(qualified("SELECT to_regtype(%(name)s)::oid::bigint"), {"name": name})
    return read_types(session, [oid]).get(oid) if oid is not None else None
