"""Reads what is made of what: the facts by which a personal column is followed (see ``lineage``).
Catalogue only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.personal.lineage import Asked, Attribute, Followed, Lineage, calls_of, follow, touched
from kisaan_validate.personal.nodetree import outputs_of
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Discretion, Session

AT_ONCE = 200
"""So many trees of views are read by one statement: those of large views take megabytes."""


def read_lineage(session: Session) -> Lineage:
    """What is made of what in the whole database, except the trees of views. Raises DatabaseError."""
    names, columns, views = {}, [], set()
    for oid, schema, name, kind, number, column, whole, key, row_of in session.execute(
        query("lineage_columns")
    ):
        names[oid] = (schema, name)
        columns.append(Attribute(oid, number, column, whole, key, row_of))
        if kind in {"v", "m"}:
            views.add(oid)
    edges = defaultdict(list)
    for kind, relation, number, other, part in session.execute(query("lineage_edges")):
        edges[kind].append(((relation, number), (other, part)))
    functions = session.execute(query("lineage_functions"))
    return Lineage(
        names,
        tuple(columns),
        # The rule of a view depends on the view itself, which says nothing.
        tuple((a[0], b[0]) for a, b in (*edges["view"], *edges["policy"]) if a[0] != b[0]),
        frozenset(views),
        {},
        tuple((a[0], b[0]) for a, b in edges["child"]),
        # Without an attribute number the generated column is made of no column that could be followed.
        tuple((a, b) for a, b in edges["generated"] if b[1]),
        tuple(edges["foreign"]),
        frozenset(place for place, _ in edges["calls"]),
        frozenset(oid for oid, _ in functions),
        frozenset(name for _, name in functions),
    )


def read_followed(session: Session, asked: Asked, aliases: Mapping[str, tuple[str, ...]]) -> Followed:
    """What is personal of all that is there, by what is called so. Raises DatabaseError."""
    return followed_in(session, read_lineage(session), asked, aliases)


def followed_in(
    session: Session, lineage: Lineage, asked: Asked, aliases: Mapping[str, tuple[str, ...]]
) -> Followed:
    """The same, of a lineage that was read: the trees are read of those views alone of which they may
    matter.
    """
    calls = calls_of(lineage, asked, aliases)
    views, outputs = sorted(touched(lineage, calls)), {}
    # In portions, because one answer with all trees would be held in memory at once.
    for start in range(0, len(views), AT_ONCE):
        for view, tree in session.execute(query("lineage_trees"), {"views": views[start : start + AT_ONCE]}):
            outputs[view] = outputs_of(tree)
    # A view whose tree did not come is personal as a whole: None says that its outputs are unknown.
    missing = dict.fromkeys(set(views) - set(outputs))
    return follow(replace(lineage, outputs={**missing, **outputs}), calls, aliases)


def discretion_of(followed: Followed, *catalogues: Catalogue) -> Discretion | None:
    """What keeps the server's messages from quoting what is personal; None where nothing is."""
    if not followed.relations:
        return None
    tables = [table for catalogue in catalogues for table in catalogue.tables.values()]
    return Discretion(
        # Names may be quoted in a message; everything else between quotes is taken for a value.
        frozenset({name for t in tables for name in (t.schema, t.name, *t.columns)}),
        followed.quoted_by,
    )
