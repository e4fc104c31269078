"""Reads what the types of columns are made of, below their domains: ``sql/types.sql`` into facts for digests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kisaan_validate.database.catalogue import query
from kisaan_validate.database.session import Session
from kisaan_validate.digest.forms import TypeFacts


def read_types(session: Session, oids: Iterable[int]) -> dict[int, dict[str, TypeFacts]]:
    """The type of every column of these relations, by relation and column. Raises DatabaseError."""
    found: dict[int, dict[str, TypeFacts]] = defaultdict(dict)
    for row in session.execute(query("types"), {"oids": list(oids)}):
        relation, column, _, name, kind, builtin, array, inner, inner_name, inner_kind, inner_builtin, brought, inner_brought, fields, inner_fields = row
        element = TypeFacts(inner_name, inner_kind, inner_builtin, extension=inner_brought or "", fields=inner_fields or "") if inner is not None else None
        found[relation][column] = TypeFacts(name, kind, builtin, element, brought or "", array, fields or "")
    return dict(found)


def read_type(session: Session, name: str) -> TypeFacts | None:
    """The type that a name means on this server, without its modifier; None if there is none. Raises DatabaseError."""
    rows = session.execute(
        "SELECT t.typname::text, t.typtype::text, n.nspname = 'pg_catalog' FROM pg_type AS t "
        "JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.oid = to_regtype(%(name)s)::oid",
        {"name": name},
    )
    return TypeFacts(*rows[0]) if rows else None
