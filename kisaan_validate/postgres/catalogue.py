"""Reads the system catalogue into plain facts. The queries are the ``sql/*.sql`` files beside this one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from kisaan_validate.errors import CatalogueWithheld, DatabaseError
from kisaan_validate.facts.catalogue import (
    Catalogue,
    CataloguePart,
    Column,
    Constraint,
    Index,
    Table,
    Trigger,
    TypeFacts,
)
from kisaan_validate.facts.catalogue import Sequence as SequenceFacts
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.postgres.standby import read_standby
from kisaan_validate.postgres.types import read_types
from kisaan_validate.sql.qualify import qualified


@cache
def query(name: str, over: str = "") -> str:
    """The text of one catalogue query, as it is sent: whatever a schema holds, PostgreSQL's own functions
    answer it. ``over`` names the file of the WITH clause that it reads from, where it has one.
    """
    folder = resources.files(__package__).joinpath("sql")
    texts = (folder.joinpath(f"{n}.sql").read_text(encoding="utf-8") for n in (over, name) if n)
    # Qualified as a whole, so that a function of the same name in a schema of the user's answers nothing.
    return qualified("".join(texts))


def read_catalogue(
    session: Session, schemas: Sequence[str], aliases: Mapping[str, tuple[str, ...]]
) -> Catalogue:
    """All relations of the schemas, as the session's snapshot sees them. Raises DatabaseError."""
    # Printing an expression takes a lock on its table: not where somebody else holds, or waits for, an
    # exclusive one. Such a table cannot be read either; its checks become errors, not the whole run.
    where = {"schemas": list(schemas), "blocked": blocked_relations(session)}
    columns, constraints = _columns(session, where), _constraints(session, where)
    indexes = _indexes(session, where)
    triggers, no_triggers = _allowed(session, where, _triggers)
    sequences, no_sequences = _allowed(session, where, _sequences)
    withheld = {CataloguePart.TRIGGERS: no_triggers, CataloguePart.SEQUENCES: no_sequences}
    tables: dict[tuple[str, str], Table] = {}
    for (
        oid,
        schema,
        name,
        kind,
        selectable,
        writable,
        secured,
        owner,
        partition,
        estimate,
        children,
        foreign,
    ) in session.execute(query("tables"), where):
        tables[schema, name] = Table(
            oid,
            schema,
            name,
            kind,
            columns.get(oid, {}),
            tuple(constraints[oid]),
            tuple(indexes[oid]),
            tuple(triggers.get(oid, ())),
            sequences.get(oid, {}),
            selectable,
            writable,
            secured,
            owner,
            partition,
            estimate,
            children=children,
            foreign=foreign,
        )
    # The server's clock, because ages are compared with what the server stored.
    ((at,),) = session.execute(qualified("SELECT (statement_timestamp() AT TIME ZONE 'UTC')::text || '+00'"))
    lacking = {part: why for part, why in withheld.items() if why}
    return Catalogue(tuple(schemas), tables, session.version, aliases, at, withheld=lacking)


Read = TypeVar("Read")


def _allowed(
    session: Session, where: dict[str, Any], read: Callable[[Session, dict[str, Any]], dict[int, Read]]
) -> tuple[dict[int, Read], str]:
    """What a reader finds, or nothing and why, where rights withhold it. Raises DatabaseError."""
    session.execute("SAVEPOINT allowed")
    try:
        found = read(session, where)
        session.execute("RELEASE SAVEPOINT allowed")
        return found, ""
    except DatabaseError as error:
        if error.lost or error.sqlstate != WITHHELD:
            raise
        session.execute("ROLLBACK TO SAVEPOINT allowed; RELEASE SAVEPOINT allowed")
        return {}, error.fact


@contextmanager
def reading_catalogue() -> Iterator[None]:
    """Within, what rights withhold is a CatalogueWithheld. Raises DatabaseError for all else."""
    try:
        yield
    except DatabaseError as error:
        if error.lost or error.sqlstate != WITHHELD:
            raise
        said = f"the role may not read the catalogue: {error.fact}"
        raise CatalogueWithheld(said, CATALOGUE_HINT, WITHHELD) from None


WITHHELD = "42501"
"""insufficient_privilege."""

CATALOGUE_HINT = "grant this role SELECT on it: GRANT SELECT ON pg_catalog.… TO …"


_BLOCKED = qualified(
    # A lock that is awaited counts too: a session that queues behind it waits as long as its holder works.
    "SELECT DISTINCT relation::bigint FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND locktype = "
    "'relation' "
    "AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = "
    "current_database())"
)


def blocked_relations(session: Session) -> list[int]:
    """The oids of the relations on which another session holds, or waits for, an exclusive lock. Raises
    DatabaseError.
    """
    return [oid for (oid,) in session.execute(_BLOCKED)]


def _columns(session: Session, where: dict[str, Any]) -> dict[int, dict[str, Column]]:
    found: dict[int, dict[str, Column]] = defaultdict(dict)
    rows = session.execute(query("columns"), where)
    # For the planning of joins alone, so that nothing is lost where they are withheld.
    lying, _ = _allowed(session, where, _correlations)
    made = read_types(session, (number for *_, number, plain in rows if not plain))
    for (
        oid,
        name,
        type_,
        base,
        not_null,
        default,
        generated,
        identity,
        labels,
        typmod,
        signs,
        number,
        _,
    ) in rows:
        found[oid][name] = Column(
            name,
            type_,
            base,
            not_null,
            default,
            generated,
            identity,
            tuple(labels or ()),
            typmod,
            lying.get(oid, {}).get(name),
            made.get(number, TypeFacts(base)),
            _signs(signs or ()),
        )
    return found


def _correlations(session: Session, where: dict[str, Any]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for oid, column, correlation in session.execute(query("correlations"), where):
        found[oid][column] = correlation
    return found


def _signs(operators: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of a symbol and what stands for it; of two for one symbol the first."""
    pairs = [text.partition(" ")[::2] for text in operators]
    # Reversed, because the last of equal keys stays in a dict.
    return tuple(dict(reversed(pairs)).items())


def _constraints(session: Session, where: dict[str, Any]) -> dict[int, list[Constraint]]:
    found: dict[int, list[Constraint]] = defaultdict(list)
    for (
        oid,
        name,
        kind,
        columns,
        definition,
        validated,
        enforced,
        schema,
        target,
        target_columns,
        foreign,
    ) in session.execute(query("constraints"), where):
        to = (schema, target) if target else None
        own, other = tuple(columns or ()), tuple(target_columns or ())
        found[oid].append(Constraint(name, kind, own, definition, validated, enforced, to, other, foreign))
    return found


def _indexes(session: Session, where: dict[str, Any]) -> dict[int, list[Index]]:
    found: dict[int, list[Index]] = defaultdict(list)
    for oid, name, unique, valid, columns, predicate, nulls_not_distinct, ordered in session.execute(
        query("indexes"), where
    ):
        found[oid].append(
            Index(name, unique, valid, tuple(columns or ()), predicate, nulls_not_distinct, ordered)
        )
    return found


def _triggers(session: Session, where: dict[str, Any]) -> dict[int, list[Trigger]]:
    found: dict[int, list[Trigger]] = defaultdict(list)
    for oid, name, enabled in session.execute(query("triggers"), where):
        found[oid].append(Trigger(name, enabled))
    return found


def _sequences(session: Session, where: dict[str, Any]) -> dict[int, dict[str, SequenceFacts]]:
    found: dict[int, dict[str, SequenceFacts]] = defaultdict(dict)
    for oid, column, schema, name, ascending in session.execute(query("sequences"), where):
        found[oid][column] = SequenceFacts(schema, name, ascending)
    return found


def read_place(session: Session, source: str, snapshot: str) -> tuple[Place, list[Notice]]:
    """Where the session is, and what its role's rights mean for a guest. Raises DatabaseError."""
    (
        (
            database,
            role,
            login,
            version,
            number,
            recovery,
            lsn,
            at,
            host,
            port,
            encoding,
            collation,
            _,
            zone,
            superuser,
        ),
    ) = _place_rows(session)
    asked_host, asked_port = session.address
    place = Place(
        # What was asked for first: behind a forwarded port the server knows only its own address.
        host=asked_host or host or "local socket",
        port=asked_port or port,
        database=database,
        role=role,
        source=source,
        server_version=version,
        server_version_num=number,
        system_identifier=_system_identifier(session),
        time_zone=zone,
        in_recovery=recovery,
        snapshot=snapshot,
        lsn=lsn or "",
        at=at.astimezone(UTC),
        encoding=encoding,
        collation=collation,
        address=host,
        # A primary has no age that could be told.
        standby=read_standby(session, query("standby")) if recovery else None,
    )
    notices = []
    if place.standby is not None:
        hint = "later changes are not seen; set the maximum age with [limits] standby in kisaan.toml"
        notices.append(Notice("standby", f"{place.standby.words}: the rows are that old", hint))
    if login != role:
        notices.append(Notice("role_switched", f"the login {login} acts as {role} (ALTER ROLE … SET role)"))
    if superuser:
        notices.append(
            Notice(
                "superuser", f"the role {role} is a superuser", "validate with a role that has only SELECT"
            )
        )
    return place, notices + _dangerous_settings(session)


def _place_rows(session: Session) -> Rows:
    """Where the session is, as far as rights let it be known."""
    session.execute("SAVEPOINT place")
    try:
        found = session.execute(query("place"))
    except DatabaseError as error:
        if error.lost or error.sqlstate != WITHHELD:
            raise
        session.execute("ROLLBACK TO SAVEPOINT place")
        found = session.execute(query("place_alone"))
    session.execute("RELEASE SAVEPOINT place")
    return found


def _system_identifier(session: Session) -> str:
    # pg_control_system may be revoked, and a failed query must not end the snapshot's transaction.
    session.execute("SAVEPOINT identifier")
    try:
        ((identifier,),) = session.execute(
            qualified("SELECT system_identifier::text FROM pg_control_system()")
        )
        session.execute("RELEASE SAVEPOINT identifier")
        return str(identifier)
    except DatabaseError as error:
        if error.lost:
            raise
        session.execute("ROLLBACK TO SAVEPOINT identifier; RELEASE SAVEPOINT identifier")
        return ""


def _dangerous_settings(session: Session) -> list[Notice]:
    # Under these a damaged page reads as empty, or an index of the catalogue is not used.
    names = ["zero_damaged_pages", "ignore_checksum_failure", "ignore_system_indexes"]
    rows = session.execute(
        qualified("SELECT name, current_setting(name, true) FROM unnest(%(names)s::text[]) AS name"),
        {"names": names},
    )
    notices = []
    for name, setting in rows:
        if setting == "on":
            message = f"{name} is on: damaged data may be read as missing or intact"
            notices.append(Notice("unsafe_setting", message, f"set {name} = off and run again"))
    return notices


def read_fence(session: Session, oids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The physical files of tables (with their partitions and children), by table oid."""
    rows = session.execute(query("fence"), {"oids": list(oids)})
    return {oid: tuple(files) for oid, files in rows}


def read_fence_unheld(session: Session, oids: Iterable[int]) -> dict[int, tuple[int | str, ...]]:
    """The same for tables that no lock holds in place, and what the table is: its name, columns and, of a
    view, query.
    """
    # The shape too: without locks a column may be renamed or a view replaced under the snapshot.
    rows = session.execute(query("unheld", "tree"), {"oids": list(oids)})
    return {oid: (*files, shape) for oid, files, shape in rows}


def count_scope(catalogue: Catalogue, excluded: Iterable[str] = ()) -> list[Table]:
    """The tables whose rows a baseline counts: ordinary and partitioned, each partition within its parent."""
    left_out = set(excluded)
    return [
        t for t in catalogue.tables.values() if t.countable and not t.partition and t.name not in left_out
    ]


def read_blocks(session: Session, tables: Iterable[Table]) -> dict[int, int]:
    """The blocks of the tables that can be read by ranges of blocks, by oid. Raises DatabaseError."""
    if session.version < 140000:  # before, a range of ctid is no reason not to read the whole table
        return {}
    rows = session.execute(query("blocks"), {"oids": [t.oid for t in tables if t.kind in {"r", "p", "m"}]})
    return {oid: blocks for oid, blocks in rows if blocks is not None}
