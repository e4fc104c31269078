"""Reads what the database is made of into keyed facts, so that two readings compare as sets.

The queries are ``sql/schema/*.sql``, one for each kind; each gives (title of the relation, name, facts).
What could not be read is said to be unread, by kind or by title: what a role may not see, or a lock hides,
must not look absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from kisaan_validate.compare.renaming.bodies import Printed
from kisaan_validate.compare.schema import printed_body
from kisaan_validate.compare.scope import COUNTED, DATABASE, NOT_READ, WHAT_ELSE
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.table import SchemaObject, SequenceValue
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.sql.expressions import quote

KINDS = (
    "schema",
    "extension",
    "table",
    "column",
    "constraint",
    "index",
    "trigger",
    "rule",
    "policy",
    "statistics",
    "sequence",
    "view",
    "materialized view",
    "function",
    "enum",
    "domain",
    "composite type",
    "range type",
    "grant",
    "default privileges",
    "event trigger",
)
"""Every kind of object that is reported."""

# ``pg_get_viewdef`` and similar functions read the catalogue as it is now, outside of the snapshot.
_DEFINED = frozenset({"constraint", "index", "trigger", "rule", "statistics", "view", "materialized view"})
"""Kinds that always have a definition. It is printed as of now, not as of the snapshot: who was dropped
has none.
"""

_HELD = "another session holds or awaits an exclusive lock on it"
_SEQUENCES_AT_ONCE = 500


def read_objects(
    session: Session, schemas: Sequence[str], blocked: Sequence[int]
) -> tuple[tuple[SchemaObject, ...], dict[str, str]]:
    """All objects of the schemas, sorted by key, and what could not be read: kind or title of a relation
    -> reason.

    ``blocked`` are the oids of relations under another session's exclusive lock: they, and what reads
    them, are left out. The session must be in a transaction; its settings stay as they were. Raises
    DatabaseError only if it is lost.
    """
    # Names are printed in full: what is printed then depends on no other object's name and on no right of the
    # role.
    session.execute(
        # Two savepoints: a failed query returns to the inner one, and the outer one takes the settings back.
        "SAVEPOINT schema_reading; SET LOCAL search_path = pg_catalog, pg_temp; SAVEPOINT schema_query"
    )
    found: list[SchemaObject] = []
    where, unread = _scope(session, schemas, blocked)
    for kind in KINDS if where else ():
        rows, reason = _ask(session, query(f"schema/{kind.replace(' ', '_')}"), where)
        if reason:
            unread[kind] = reason
        for title, name, facts in rows:
            # NULL instead of facts: something under an exclusive lock would have been printed.
            if facts is None:
                unread[title or kind] = f"{name}: {_reads('a relation')}"
            elif kind in _DEFINED and "definition" not in facts:
                unread[title or kind] = f"{kind} {name} was changed while it was read"
            else:
                found.append(SchemaObject(kind, title, name, _without_body(facts)))
    # Rolled back, not only released: SET LOCAL would otherwise hold until the transaction's end.
    session.execute("ROLLBACK TO SAVEPOINT schema_reading; RELEASE SAVEPOINT schema_reading")
    return _known(found, unread), unread


def read_beside(session: Session, schemas: Sequence[str]) -> tuple[tuple[SchemaObject, ...], dict[str, str]]:
    """What no comparison reads, counted, and what the database as a whole is like (see ``compared``); and
    why it is not known.

    The session must be in a transaction. Raises DatabaseError only if the session is lost.
    """
    session.execute(
        "SAVEPOINT schema_reading; SET LOCAL search_path = pg_catalog, pg_temp; SAVEPOINT schema_query"
    )
    rows, reason = _ask(session, query("schema/beside"), {"schemas": list(schemas)})
    session.execute("ROLLBACK TO SAVEPOINT schema_reading; RELEASE SAVEPOINT schema_reading")
    if reason:
        return (), {WHAT_ELSE: reason}
    counted = {
        name: {"is": str(number), **({"which": which} if which else {})}
        for name, number, which in rows
        if number is not None
    }
    found = [SchemaObject(COUNTED, "", kind.name, counted.get(kind.name, {"is": "0"})) for kind in NOT_READ]
    found += [SchemaObject(DATABASE, "", name, {"is": text}) for name, number, text in rows if number is None]
    return tuple(sorted(found, key=lambda item: item.key)), {}


def read_bodies(session: Session, schemas: Sequence[str], names: Collection[str]) -> Printed:
    """The printed bodies of these functions of the schemas, by the name that they have as objects; none
    where they cannot be read.

    The session must be in a transaction; its settings stay as they were. Raises DatabaseError only if it
    is lost.
    """
    if not names:
        return Printed()
    session.execute(
        "SAVEPOINT schema_reading; SET LOCAL search_path = pg_catalog, pg_temp; SAVEPOINT schema_query"
    )
    rows, _ = _ask(session, query("bodies"), {"schemas": list(schemas), "names": list(names)})
    session.execute("ROLLBACK TO SAVEPOINT schema_reading; RELEASE SAVEPOINT schema_reading")
    return Printed(
        {name: body for name, body, _ in rows if body is not None},
        frozenset(w for *_, words in rows for w in words),
    )


def _without_body(facts: dict[str, str]) -> dict[str, str]:
    """The facts with a digest in place of a function's printed body, the same for both ways to print one
    tree.
    """
    printed, body = facts.get("body", "").partition("printed ")[1:]
    if not printed:
        return facts
    return facts | {"body": printed_body(body)}


def _scope(
    session: Session, schemas: Sequence[str], blocked: Sequence[int]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The parameters of the queries (none if nothing at all can be read), and which relations are left
    out, and why.
    """
    where: dict[str, Any] = {"schemas": list(schemas), "blocked": list(blocked)}
    rows, reason = _ask(session, query("schema/relations"), where)
    if reason:
        return {}, dict.fromkeys(KINDS, reason)
    bearers = Counter(title for _, title, _, _ in rows)
    unread: dict[str, str] = {}
    oids, titles = [], []
    for oid, title, held, reads in rows:
        # The title does not say which of two relations is meant, so none of their objects is kept.
        if bearers[title] > 1:
            unread[title] = f"{bearers[title]} relations have this name"
        elif held:
            unread[title] = _HELD
        elif reads:
            unread[title] = _reads(reads)
        else:
            oids.append(oid)
            titles.append(title)
    return {**where, "oids": oids, "titles": titles}, unread


def _reads(title: str) -> str:
    return f"it reads {title}, on which another session holds or awaits an exclusive lock"


def _ask(session: Session, sql: str, where: dict[str, Any] | None) -> tuple[Rows, str]:
    """The rows, or why there are none; the transaction is as before. Raises DatabaseError if the session
    is lost.
    """
    try:
        return session.execute(sql, where), ""
    except DatabaseError as error:
        if error.lost:
            raise
        # The transaction goes on with the next kind, so one query that fails costs its own kind alone.
        session.execute("ROLLBACK TO SAVEPOINT schema_query")
        return [], error.fact


def _known(found: Iterable[SchemaObject], unread: dict[str, str]) -> tuple[SchemaObject, ...]:
    """Sorted, without what is unread. Objects that share a key become unread as well."""
    objects = list(found)
    bearers = Counter(o.key for o in objects)
    for (kind, table, name), number in bearers.items():
        if number > 1:
            unread[table or kind] = f"{number} objects of kind {kind} are named {name}"
    # Both are left out: keeping either would make the other one look dropped.
    kept = (o for o in objects if bearers[o.key] == 1 and (o.table or o.kind) not in unread)
    return tuple(sorted(kept, key=lambda o: o.key))


def read_sequences(
    session: Session, schemas: Sequence[str]
) -> tuple[tuple[SequenceValue, ...], dict[str, str]]:
    """Where the sequences of the schemas stand, sorted by title, and those that could not be read: title
    -> reason.

    The session must be in a transaction. Raises DatabaseError only if the session is lost.
    """
    session.execute("SAVEPOINT schema_reading; SAVEPOINT schema_query")
    rows, reason = _ask(
        session, query("schema/sequence_values", over="unread_sequences"), {"schemas": list(schemas)}
    )
    unread = {"sequence": reason} if reason else {}
    bearers = Counter(title for _, _, title, _, _ in rows)
    readable = []
    for schema, name, title, ascending, refusal in rows:
        if refusal or bearers[title] > 1:
            unread[title] = refusal or f"{bearers[title]} sequences have this name"
        else:
            readable.append((schema, name, title, ascending))
    values: list[SequenceValue] = []
    for start in range(0, len(readable), _SEQUENCES_AT_ONCE):
        values += _values(session, readable[start : start + _SEQUENCES_AT_ONCE], unread)
    session.execute("ROLLBACK TO SAVEPOINT schema_reading; RELEASE SAVEPOINT schema_reading")
    return tuple(sorted(values, key=lambda v: v.name)), unread


def _values(session: Session, sequences: Rows, unread: dict[str, str]) -> list[SequenceValue]:
    """The values of these (schema, name, title, ascending); if one cannot be read, all are added to
    ``unread``.
    """
    # One statement for many: asking each would take as many round trips as there are sequences.
    sql = "\nUNION ALL ".join(
        f"SELECT {number}, last_value, is_called FROM {quote(schema)}.{quote(name)}"
        for number, (schema, name, _, _) in enumerate(sequences)
    )
    rows, reason = _ask(session, sql, None)
    if reason:
        unread.update((title, reason) for _, _, title, _ in sequences)
    return [SequenceValue(sequences[n][2], last, called, sequences[n][3]) for n, last, called in rows]
