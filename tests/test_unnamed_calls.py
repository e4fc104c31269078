"""What is called without being named: casts that functions look up while they run, and the CHECKs of
domains.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from conftest import Server
from helpers import assertion, folder_results, results, write_suite

from kisaan_validate import declare
from kisaan_validate.facts.result import Status
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.postgres.volatility import volatile_names
from kisaan_validate.sql.assertion import calls_of

RAISES = "LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'evil ran' USING ERRCODE = 'KV001'; END $$"
TRAPS = f"""
CREATE TYPE en AS ENUM ('a', 'b');
CREATE FUNCTION en_json(en) RETURNS json {RAISES};
CREATE CAST (en AS json) WITH FUNCTION en_json(en);
CREATE FUNCTION evil(text) RETURNS boolean {RAISES};
CREATE FUNCTION evil(text, text) RETURNS boolean {RAISES};
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = evil);
CREATE DOMAIN guarded AS text CHECK (evil(VALUE));
CREATE DOMAIN by_operator AS text CHECK (VALUE === 'x');
CREATE DOMAIN by_cast AS en CHECK (to_json(VALUE) IS NOT NULL);
CREATE TYPE holder AS (g guarded);
CREATE FUNCTION takes(guarded) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION gives() RETURNS guarded LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 'x'; END $$;
CREATE FUNCTION same(by_operator, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR <=> (LEFTARG = by_operator, RIGHTARG = text, FUNCTION = same);
CREATE TABLE t (id integer PRIMARY KEY, c en, v text);
INSERT INTO t (id, c, v) VALUES (1, 'a', 'x'), (2, 'b', 'y');
CREATE VIEW v_json AS SELECT id, to_json(c)::text AS j FROM t;
"""


@pytest.fixture(scope="module")
def traps(server: Server) -> Iterator[str]:
    """A database in which much ends in a volatile function that raises."""
    name = server.create(TRAPS)
    yield name
    server.drop(name)


def runs_evil(cursor: Any, sql: str) -> bool:
    """Whether the server itself runs the trap for a query."""
    try:
        cursor.execute(sql)
    except psycopg2.Error as error:
        return bool(error.pgcode == "KV001")
    return False


GIVEN = {
    "any": "c",
    "anyelement": "c",
    "anynonarray": "c",
    "anycompatible": "c",
    "anycompatiblenonarray": "c",
    "anyenum": "c",
    "anyarray": "ARRAY[c]",
    "anycompatiblearray": "ARRAY[c]",
    "record": "ROW(c)",
    "text": "'guarded'",
    "cstring": "'x'::cstring",
    "oid": "'guarded'::regtype",
    "int4": "-1",
    "json": """'{"g": "x"}'::json""",
    "jsonb": """'{"g": "x"}'::jsonb""",
    "bool": "true",
    "name": "'guarded'",
    "regtype": "'guarded'::regtype",
    "regclass": "'t'::regclass",
}


def builtin_calls(cursor: Any) -> Iterator[tuple[str, str]]:
    """A query with each built-in function that takes values of any type, or texts and types; with a row of
    a type too.
    """
    cursor.execute(
        "SELECT p.proname, array(SELECT format_type(a, NULL) FROM unnest(p.proargtypes::oid[]) AS a), "
        "array(SELECT y.typname::text FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (oid, n) "
        "JOIN pg_type AS y ON y.oid = a.oid ORDER BY a.n) FROM pg_proc AS p "
        "WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile <> 'v' AND p.prokind IN "
        "('f', 'a') "
        "AND p.pronargs BETWEEN 1 AND 4"
    )
    for name, _, types in cursor.fetchall():
        if all(type_ in GIVEN for type_ in types):
            yield name, f"SELECT {name}({', '.join(GIVEN[type_] for type_ in types)}) IS NULL FROM t"
            if "anyelement" in types:
                given = (GIVEN[t] if t != "anyelement" else "NULL::holder" for t in types)
                yield name, f"SELECT {name}({', '.join(given)}) FROM t"


FORMS = [
    "SELECT JSON_ARRAY(c) FROM t",
    "SELECT JSON_OBJECT('a': c) FROM t",
    "SELECT JSON_ARRAYAGG(c) FROM t",
    "SELECT JSON_OBJECTAGG('a': c) FROM t",
    "SELECT JSON_SCALAR(c) FROM t",
    "SELECT JSON_SERIALIZE(JSON_SCALAR(c)) FROM t",
    "SELECT row_to_json(t) FROM t",
    "SELECT (t).row_to_json FROM t",
    "SELECT (c).to_json FROM t",
    "SELECT 'x'::by_operator FROM t",
    "SELECT c::by_cast FROM t",
    "SELECT takes('x') FROM t",
    "SELECT gives() FROM t",
    "SELECT v <=> 'x' FROM t WHERE v <=> 'y'",
    "SELECT JSON_VALUE('{\"a\": \"x\"}'::jsonb, '$.a' RETURNING guarded) FROM t",
    "SELECT '(x)'::holder FROM t",
    'SELECT * FROM json_to_record(\'{"g": "x"}\') AS r (g guarded)',
    "SELECT 'x'::text::guarded",
    "SELECT guarded(v) FROM t",
    "SELECT ARRAY['x']::guarded[] FROM t",
    'SELECT * FROM json_populate_record(NULL::holder, \'{"g": "x"}\')',
]
"""What no catalogue lists: forms of SQL itself, and what user-made objects hide."""


@pytest.mark.parametrize("which", ["server", "server15"])
def test_what_the_server_calls_for_a_query_is_foreseen(which: str, request: pytest.FixtureRequest) -> None:
    """Law: a query for which the server itself runs a volatile function is known to call something volatile.

    Each built-in function that takes a value of any type, a text or the number of a type is tried, and
    each form of SQL.
    """
    server: Server = request.getfixturevalue(which)
    database = server.create(TRAPS)
    connection = server.connect(database)
    session = Session(find_target(server.dsn(database)), Limits(), ("public",))
    session.begin()
    ran, missed = set(), []
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '2s'")
        for name, sql in [*builtin_calls(cursor), *((sql, sql) for sql in FORMS)]:
            if runs_evil(cursor, sql):
                ran.add(name)
                missed += [] if volatile_names(session, calls_of(sql, "here"), ()) else [sql]
    connection.close()
    session.close()
    server.drop(database)
    assert not missed
    assert {
        "to_json",
        "to_jsonb",
        "row_to_json",
        "json_build_array",
        "jsonb_build_array",
        "json_agg",
        "jsonb_agg",
    } <= ran
    assert len(ran) > 20


def test_it_is_refused_unless_it_is_allowed_by_name(server: Server, traps: str, tmp_path: Any) -> None:
    """Law: a check, or a view that a check reads, is refused where a cast or a domain would call; by its
    name it is allowed.
    """
    found = results(
        server,
        traps,
        declare.holds("t", "to_json(c)::text <> 'z'", id="cast"),
        declare.holds("t", "pg_input_is_valid(v, 'guarded')", id="domain"),
        declare.holds("v_json", "j <> 'z'", id="view"),
        declare.holds("t", "to_json(c)::text <> 'z'", volatile="json", id="allowed"),
        declare.holds("t", "to_json(id)::text <> v", volatile="json", id="harmless"),
    )
    said = {id: (r.status, r.message) for id, r in found.items()}
    assert said["cast"] == (Status.ERROR, "calls the volatile json")
    assert said["view"] == (Status.ERROR, "calls the volatile json")
    assert said["domain"] == (Status.ERROR, "calls the volatile pg_input_is_valid")
    assert said["allowed"] == (Status.ERROR, "evil ran")
    assert found["harmless"].status is Status.PASS
    sql = {"sql/a.sql": assertion("SELECT id FROM t WHERE JSON_ARRAY(c) IS NULL", id="a")}
    (one,) = folder_results(server, traps, write_suite(tmp_path, sql)).values()
    assert (one.status, one.message) == (Status.ERROR, "calls the volatile json")
