"""What the database is made of, read twice, compares as sets: what changed differs, in that attribute and
nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from conftest import Server
from schema_cases import CASES
from schema_cases.parts import RICH, Case, Change, came, mirror, relation_came

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.table import SchemaObject, SequenceValue
from kisaan_validate.postgres.schema import KINDS, read_objects, read_sequences
from kisaan_validate.postgres.session import Limits, Rows, Session
from kisaan_validate.postgres.target import find_target

SCHEMAS = ("public", "shop")
Objects = tuple[SchemaObject, ...]
BLOCKED = (
    "SELECT DISTINCT relation::bigint FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND "
    "locktype = 'relation'"
)
ROLES = "".join(
    f"DO $$BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$;"
    for role in ("schema_reader", "schema_owner", "schema_super")
)


@pytest.fixture(params=["server", "server15"], scope="module")
def either(request: pytest.FixtureRequest) -> Server:
    """Each of the servers, with the roles that the cases speak of."""
    server: Server = request.getfixturevalue(request.param)
    server.sql(ROLES)
    return server


class Counting(Session):
    """A session that counts its round trips."""

    trips = 0

    def execute(self, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
        """Run one statement."""
        self.trips += 1
        return super().execute(sql, parameters)


@contextmanager
def reading(
    server: Server, database: str, role: str = "postgres", lock_timeout: int = 2_000
) -> Iterator[Counting]:
    """A session in a transaction, as a run has one."""
    target = find_target(server.dsn(database, role))
    session = Counting(target, Limits(lock_timeout=lock_timeout), SCHEMAS)
    try:
        session.begin()
        yield session
    finally:
        session.close()


def objects(
    server: Server, database: str, role: str = "postgres", schemas: tuple[str, ...] = SCHEMAS
) -> Objects:
    """All objects; none may be unread."""
    with reading(server, database, role) as session:
        found, unread = read_objects(session, schemas, [])
    assert unread == {}
    return found


def difference(before: Objects, after: Objects) -> frozenset[Change]:
    """The set algebra that readings are made for. A position counts where other columns neither came nor
    went.
    """
    old, new = ({o.key: dict(o.facts) for o in side} for side in (before, after))
    sets = [
        {(k[1], frozenset(c[2] for c in side if c[:2] == k[:2])) for k in side if k[0] == "column"}
        for side in (old, new)
    ]
    kept = {table for table, _ in sets[0] & sets[1]}
    for side in (old, new):
        for key, facts in side.items():
            if key[0] == "column" and key[1] not in kept:
                facts.pop("position", None)
    changes: set[Change] = {("+", *key) for key in new.keys() - old.keys()} | {
        ("-", *key) for key in old.keys() - new.keys()
    }
    for key in old.keys() & new.keys():
        changes |= {("~", *key, attribute) for attribute, _ in old[key].items() ^ new[key].items()}
    return frozenset(changes)


RESET = (
    "DROP SCHEMA IF EXISTS public, shop, aside CASCADE; DROP FOREIGN DATA WRAPPER IF EXISTS nothing CASCADE;"
    "DROP EXTENSION IF EXISTS hstore; COMMENT ON EXTENSION plpgsql IS NULL; RESET ALL; CREATE SCHEMA public;"
)


@dataclass
class Playground:
    """One database and two connections for all cases: to empty it takes less time than to make another."""

    connection: Any
    session: Session

    def sql(self, sql: str) -> None:
        """Run SQL as the superuser."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def objects(self) -> Objects:
        """All objects, in a transaction of its own; none may be unread."""
        self.session.begin()
        found, unread = read_objects(self.session, SCHEMAS, [])
        self.session.execute("ROLLBACK")
        assert unread == {}
        return found


@pytest.fixture(scope="module")
def playground(either: Server) -> Iterator[Playground]:
    """A playground on each of the servers."""
    database = either.create()
    connection = either.connect(database)
    with reading(either, database) as session:
        session.execute("ROLLBACK")
        yield Playground(connection, session)
    connection.close()
    either.drop(database)


@pytest.mark.parametrize("name", CASES)
def test_exactly_what_changed_differs(name: str, playground: Playground) -> None:
    """After the DDL the expected keys and attributes differ and no other; undone, everything is as it was."""
    wanted: Case = CASES[name]
    if playground.session.version < wanted.since * 10_000:
        pytest.skip(f"came with PostgreSQL {wanted.since}")
    playground.sql(RESET + wanted.setup)
    before = playground.objects()
    playground.sql(wanted.ddl)
    after = playground.objects()
    assert difference(before, after) == wanted.expected
    assert difference(after, before) == mirror(wanted.expected)
    playground.sql(wanted.undo)
    assert playground.objects() == before


def test_every_kind_and_attribute_has_a_case(either: Server) -> None:
    """The cases together see every kind come, go or change, and every attribute that the rich schema has."""
    kinds = {change[1] for case in CASES.values() for change in case.expected}
    assert kinds == set(KINDS)
    attributes = {(c[1], c[4]) for case in CASES.values() for c in case.expected if c[0] == "~"}
    database = either.create(RICH)
    seen = {(o.kind, attribute) for o in objects(either, database) for attribute in o.facts}
    never_alone = {
        ("function", "kind"),
        ("function", "state type"),
        ("table", "server"),
        ("extension", "owner"),
        ("event trigger", "event"),
        ("event trigger", "tags"),
        ("event trigger", "function"),
        ("statistics", "definition"),
    }
    assert seen - attributes - never_alone == set()
    either.drop(database)


def test_an_unchanged_database_reads_the_same(either: Server) -> None:
    """Neither the session, nor the role, nor the database's name and oids, nor the order of creation show."""
    database = either.create(RICH)
    first = objects(either, database)
    assert [o.key for o in first] == sorted({o.key for o in first})
    assert {o.kind for o in first} == set(KINDS)
    assert all(isinstance(text, str) and text for o in first for text in o.facts.values())
    assert objects(either, database) == first
    assert objects(either, database, "schema_reader") == first  # may not even use schema shop
    copy = either.create(template=database)
    assert objects(either, copy) == first
    other_oids = either.create(
        "CREATE TABLE x (a int); DROP TABLE x; CREATE SEQUENCE y; DROP SEQUENCE y;" + RICH
    )
    assert objects(either, other_oids) == first
    for name in (database, copy, other_oids):
        either.drop(name)


def test_other_names_in_the_search_path_do_not_show(either: Server) -> None:
    """A table that hides another of its name changes no printed definition."""
    database = either.create(
        "CREATE SCHEMA shop; CREATE TABLE shop.t (a int); CREATE VIEW v AS SELECT a FROM shop.t"
    )
    before = objects(either, database)
    either.sql("CREATE TABLE t (a int)", database)
    assert difference(before, objects(either, database)) == relation_came("table", "t", "a")
    either.drop(database)


def test_two_versions_of_the_server_read_the_same(server: Server, server15: Server) -> None:
    """What both versions can say, both say alike, down to NOT NULL and MAINTAIN; only views are printed
    differently.
    """
    found = []
    for each in (server, server15):
        each.sql(ROLES)
        database = each.create(RICH)
        found.append(objects(each, database))
        each.drop(database)
    assert {(change[1], change[-1]) for change in difference(*found)} <= {
        ("view", "definition"),
        ("materialized view", "definition"),
        ("extension", "version"),
    }


def test_what_is_not_set_is_not_there(either: Server) -> None:
    """Facts have no entry for what is not set; booleans say yes; grants say who, what and whether to hand
    on.
    """
    database = either.create(RICH)
    facts = {o.key: dict(o.facts) for o in objects(either, database)}
    assert facts["column", "t", "p"] == {"type": "integer", "position": "8"}
    assert facts["column", "t", "d"] == {"type": "integer", "generated": "(a * 2) stored", "position": "7"}
    assert facts["column", "t", "m"] == {
        "type": "public.mood",
        "default": "'ok'::public.mood",
        "position": "5",
    }
    assert facts["column", "t", "b"] == {
        "type": "text",
        "collation": '"C"',
        "not null": "yes",
        "position": "4",
    }
    assert facts["constraint", "t", "t_a"] == {
        "definition": "CHECK ((a > 0))",
        "validated": "yes",
        "enforced": "yes",
    }
    assert facts["table", "part1", "part1"] == {
        "kind": "table",
        "persistence": "permanent",
        "owner": "postgres",
        "partition of": "part",
        "bound": "FOR VALUES FROM (0) TO (10)",
    }
    assert facts["grant", "t", "schema_owner on column a"] == {
        "privileges": "UPDATE",
        "with grant option": "UPDATE",
    }
    assert facts["grant", "t", "postgres"] == {"privileges": "ALL"}
    assert facts["grant", "s", "postgres"] == {"privileges": "SELECT, UPDATE, USAGE"}
    assert ("grant", "", "PUBLIC on function f(integer)") not in facts
    assert facts["enum", "", "mood"] == {"labels": "'sad', 'ok'", "owner": "postgres"}
    assert facts["trigger", "t", "tr"]["enabled"] == "origin"
    assert facts["sequence", "t_n_seq", "t_n_seq"]["owned by"] == "t.n"
    assert not [key for key in facts if key[0] == "trigger" and "RI_" in key[2]]
    either.drop(database)


def test_a_failed_concurrent_build_is_seen(either: Server) -> None:
    """The index that it leaves behind is there, and not valid."""
    database = either.create("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
    before = objects(either, database)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        either.sql("CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)", database)
    after = objects(either, database)
    assert difference(before, after) == {came("index", "t", "u")}
    (left,) = [o for o in after if o.kind == "index"]
    assert "valid" not in left.facts
    either.drop(database)


def test_what_went_away_meanwhile_is_not_half_read(either: Server) -> None:
    """What the snapshot still shows but nobody can print any more is unread: by its table, or where that
    fails, by kind.
    """
    database = either.create(RICH)
    with reading(either, database) as session:
        before, _ = read_objects(session, SCHEMAS, [])
        either.sql("DROP INDEX t_some; DROP VIEW shop.v", database)
        found, unread = read_objects(session, SCHEMAS, [])
    assert set(unread) == {"t", "view"}
    assert unread["t"] == "index t_some was changed while it was read"
    assert unread["view"].startswith("could not open relation")
    assert found == tuple(o for o in before if o.table != "t" and o.kind != "view")
    either.drop(database)


HELD = """
CREATE TABLE held (a int DEFAULT 1 CHECK (a > 0), g int GENERATED ALWAYS AS (a + 1) STORED);
CREATE INDEX held_a ON held (a) WHERE a > 5;
CREATE TABLE free (a int DEFAULT 2 CHECK (a > 0)); CREATE VIEW over AS SELECT a FROM held WHERE a > 3;
CREATE TABLE guarded (a int); CREATE POLICY p ON guarded USING (a IN (SELECT a FROM held));
CREATE TABLE ruled (a int); CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO held VALUES (NEW.a);
CREATE VIEW aside AS SELECT a FROM over; CREATE FUNCTION plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE s;
"""
ATOMIC = "CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM held; END;"


@contextmanager
def locked(server: Server, database: str, table: str) -> Iterator[list[int]]:
    """Somebody holds the table exclusively. Gives the oids that are so."""
    blocker = server.connect(database)
    try:
        with blocker.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield [oid for (oid,) in server.sql(BLOCKED, database)]
    finally:
        blocker.close()


def test_an_exclusive_lock_costs_only_what_reads_the_table(either: Server) -> None:
    """The table, the view, the policy and the rule that read it are said to be unread; all else is read,
    at once.
    """
    database = either.create(HELD)
    before = objects(either, database)
    with locked(either, database, "held") as oids, reading(either, database, lock_timeout=60_000) as session:
        start = time.monotonic()
        found, unread = read_objects(session, SCHEMAS, oids)
        assert time.monotonic() - start < 20
        assert session.execute("SHOW search_path") == [("public, shop, pg_temp",)]
    assert set(unread) == {"held", "over", "guarded", "ruled"}
    assert "an exclusive lock on it" in unread["held"]
    assert "it reads held, on which another session holds" in unread["over"]
    assert found == tuple(o for o in before if o.table not in unread)
    assert {o.table for o in found} == {"", "free", "aside", "s"}
    either.drop(database)


def test_an_exclusive_lock_and_a_function_that_reads_the_table(either: Server) -> None:
    """A body that is kept as a tree cannot be printed then: functions are not all read, and that is said."""
    if either.sql("SELECT current_setting('server_version_num')::int < 140000") == [(True,)]:
        pytest.skip("came with PostgreSQL 14")
    database = either.create(HELD + ATOMIC)
    before = objects(either, database)
    with locked(either, database, "held") as oids, reading(either, database) as session:
        found, unread = read_objects(session, SCHEMAS, oids)
    assert unread["function"].startswith("reads(): it reads a relation, on which another session holds")
    assert found == tuple(o for o in before if o.table not in unread and o.kind != "function")
    either.drop(database)


def test_a_lock_nobody_told_of_costs_the_kinds_that_print(either: Server) -> None:
    """A lock that came after the look: those kinds say why, in as many lock timeouts; the others are read."""
    database = either.create(HELD)
    before = objects(either, database)
    with locked(either, database, "held"), reading(either, database, lock_timeout=100) as session:
        found, unread = read_objects(session, SCHEMAS, [])
    assert (
        {"column", "constraint", "index", "view"}
        <= set(unread)
        <= set(KINDS) - {"table", "grant", "function"}
    )
    assert all("lock timeout" in reason for reason in unread.values())
    assert found == tuple(o for o in before if o.kind not in unread)
    either.drop(database)


def test_a_kind_that_may_not_be_read_is_not_absent(either: Server) -> None:
    """A hardened catalogue: the kind says why, the others are read."""
    database = either.create(RICH + "REVOKE SELECT ON pg_policy, pg_sequence FROM PUBLIC")
    before = objects(either, database)
    with reading(either, database, "schema_reader") as session:
        found, unread = read_objects(session, SCHEMAS, [])
        assert session.execute("SELECT 1") == [(1,)]
        assert read_sequences(session, SCHEMAS) == (
            (),
            {"sequence": "permission denied for table pg_sequence"},
        )
    assert set(unread) == set(KINDS)  # which relations can be printed at all hangs on the policies
    assert found == ()
    either.sql("GRANT SELECT ON pg_policy TO PUBLIC", database)
    with reading(either, database, "schema_reader") as session:
        found, unread = read_objects(session, SCHEMAS, [])
    assert unread == {"sequence": "permission denied for table pg_sequence"}
    assert found == tuple(o for o in before if o.kind != "sequence")
    either.drop(database)


def test_a_lost_connection_is_raised(either: Server) -> None:
    """Nothing more can be asked: that is not the fault of one kind."""
    database = either.create(RICH)
    for read in (lambda s: read_objects(s, SCHEMAS, []), lambda s: read_sequences(s, SCHEMAS)):
        with reading(either, database) as session:
            either.sql(f"SELECT pg_terminate_backend({session.backend_pid})")
            with pytest.raises(DatabaseError) as caught:
                read(session)
            assert caught.value.lost
    either.drop(database)


HOSTILE = (
    "a\"b'c",
    "100%",
    "%s %(x)s",
    "two  words",
    "dotted.name",
    "MiXed",
    "naïve ☃ 数",
    "semi;colon--",
    "{brace}\\",
)


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_names(bad: str, either: Server) -> None:
    """Quotes, dots, per cent signs and all the world's letters in every name."""
    q, text = '"' + bad.replace('"', '""') + '"', "'" + bad.replace("'", "''") + "'"
    connection = either.connect(database := either.create())
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA shop")
        for schema in ("public", "shop"):
            cursor.execute(
                f'SET search_path = {schema}; CREATE SEQUENCE {q}; ALTER SEQUENCE {q} RENAME TO {q[:-1]}_s";'
                f'CREATE TYPE {q[:-1]}_e" AS ENUM ({text}); CREATE TYPE {q[:-1]}_c" AS ({q} int);'
                f"CREATE TABLE {q} ({q} text DEFAULT {text} CONSTRAINT {q} CHECK ({q} <> {text}), e "
                f'{q[:-1]}_e");'
                f'CREATE INDEX {q[:-1]}_i" ON {q} ({q}) WHERE {q} = {text}; CREATE VIEW {q[:-1]}_v" AS '
                f"TABLE {q};"
                f"CREATE FUNCTION {q}(e {q[:-1]}_e\") RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE "
                f"POLICY {q} ON {q};"
                f"GRANT SELECT ({q}) ON {q} TO schema_reader; COMMENT ON TABLE {q} IS {text};"
                f'CREATE DOMAIN {q[:-1]}_d" AS text CONSTRAINT {q} CHECK (VALUE <> {text})'
            )
    connection.close()
    found = {o.key: o.facts for o in objects(either, database)}
    for title in (bad, f"shop.{bad}"):
        assert found["table", title, title]["comment"] == bad
        assert {("column", title, bad), ("constraint", title, bad), ("policy", title, bad)} <= found.keys()
        assert {
            ("grant", title, f"schema_reader on column {bad}"),
            ("domain", "", f"{title}_d"),
        } <= found.keys()
        assert found["enum", "", f"{title}_e"]["labels"].lstrip(" E") == text.replace("\\", "\\\\")
    with reading(either, database) as session:
        values, unread = read_sequences(session, SCHEMAS)
    assert [v.name for v in values] == sorted([f"{bad}_s", f"shop.{bad}_s"])
    assert unread == {}
    either.drop(database)


def test_two_of_one_title_are_both_unknown(either: Server) -> None:
    """Table "shop.t" of public and table t of shop are told apart by nobody: neither is compared with the
    other.
    """
    database = either.create(
        'CREATE SCHEMA shop; CREATE TABLE "shop.t" (a int); CREATE TABLE shop.t (b int); CREATE TABLE '
        "other (c int);"
        'CREATE TYPE "shop.e" AS ENUM (); CREATE TYPE shop.e AS ENUM (); CREATE TYPE e AS ENUM ();'
        'CREATE SEQUENCE "shop.s"; CREATE SEQUENCE shop.s'
    )
    with reading(either, database) as session:
        found, unread = read_objects(session, SCHEMAS, [])
        values, silent = read_sequences(session, SCHEMAS)
    assert {o.table for o in found} == {"", "other"}
    assert not [o for o in found if o.kind == "enum"]
    assert unread == {
        "shop.t": "2 relations have this name",
        "shop.s": "2 relations have this name",
        "enum": "2 objects of kind enum are named shop.e",
        "grant": "2 objects of kind grant are named postgres on type shop.e",
    }
    assert (values, silent) == ((), {"shop.s": "2 sequences have this name"})
    either.drop(database)


def test_where_sequences_stand(either: Server) -> None:
    """Values by title; what the role may not read, or somebody has locked, is said to be unread."""
    database = either.create(
        "CREATE SCHEMA shop; CREATE SEQUENCE b; CREATE SEQUENCE a INCREMENT -1; CREATE SEQUENCE shop.c "
        "MAXVALUE 9 CYCLE;"
        "SELECT nextval('b'); SELECT setval('shop.c', 7, false); GRANT SELECT ON SEQUENCE b TO schema_reader"
    )
    with reading(either, database) as session:
        assert read_sequences(session, SCHEMAS) == (
            (
                SequenceValue("a", -1, False, False),
                SequenceValue("b", 1, True),
                SequenceValue("shop.c", 7, False),
            ),
            {},
        )
        assert read_sequences(session, ("public",))[0][-1].name == "b"
    refused = "this role may not read it"
    with reading(either, database, "schema_reader") as session:
        assert read_sequences(session, SCHEMAS) == (
            (SequenceValue("b", 1, True),),
            {"a": refused, "shop.c": "this role may not use schema shop"},
        )
    blocker = either.connect(database)
    with blocker.cursor() as cursor, reading(either, database) as session:
        cursor.execute("BEGIN; DROP SEQUENCE a")
        values, unread = read_sequences(session, SCHEMAS)
        assert ([v.name for v in values], set(unread)) == (["b", "shop.c"], {"a"})
    blocker.close()
    either.drop(database)


def test_the_number_of_statements_does_not_grow(either: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """300 tables of 10 columns take as many round trips as three."""
    table = (
        "CREATE TABLE t{} (id serial PRIMARY KEY, "
        + ", ".join(f"c{n} int DEFAULT {n}" for n in range(9))
        + "); "
    )
    trips = []
    for number in (3, 300):
        database = either.create("".join(table.format(n) for n in range(number)))
        with reading(either, database) as session:
            begun, start = session.trips, time.perf_counter()
            found, _ = read_objects(session, SCHEMAS, [])
            middle = time.perf_counter()
            values, _ = read_sequences(session, SCHEMAS)
            trips.append(session.trips - begun)
            with capsys.disabled():
                took, more = (middle - start) * 1000, (time.perf_counter() - middle) * 1000
                print(
                    f"\n{number} tables: {len(found)} objects in {took:.0f} ms, {len(values)} sequences "
                    f"in {more:.0f} ms"
                )
        assert len(values) == number
        either.drop(database)
    assert trips[0] == trips[1] == len(KINDS) + 7
