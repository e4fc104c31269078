"""Texts that servers print from trees are compared by what they mean: unchanged is never called changed,
changed never same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from conftest import Server
from dumps import restored
from helpers import examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from printed_cases import CHANGES, EVERYTHING, GRANTS, TABLES, VIEWS
from test_schema_objects import ROLES, SCHEMAS, objects, reading

from kisaan_validate.compare.schema import Reading, SchemaDiff, compare_schemas
from kisaan_validate.postgres.schema import read_objects
from kisaan_validate.text.printed import TextLikeness, canonical, likeness


@pytest.fixture(scope="module")
def both(server: Server, server15: Server) -> tuple[Server, Server]:
    """PostgreSQL 15 and 18, with the roles that the cases speak of."""
    for each in (server15, server):
        each.sql(ROLES)
    return server15, server


def read(server: Server, database: str) -> Reading:
    """A database's schema, with the server's version."""
    with reading(server, database) as session:
        found, unread = read_objects(session, SCHEMAS, [])
        return Reading(found, unread, session.version)


def compared(before: tuple[Server, str], after: tuple[Server, str]) -> SchemaDiff:
    """Two databases' schemas."""
    return compare_schemas(read(*before), read(*after))


def test_what_a_dump_restores_is_the_same_across_versions(both: tuple[Server, Server]) -> None:
    """One of every way to write a view, rule, policy, check, default, index, function, …: dumped by 15,
    restored by 15 and by 18, and dumped again by 18, it is neither changed nor unclear. The raw texts
    differ, so the law is not an empty one."""
    old, new = both
    first = old.create(EVERYTHING)
    on_old, on_new = restored(old, first, old), restored(old, first, new)
    again = restored(new, on_new, new)
    for other in ((old, on_old), (new, on_new), (new, again)):
        found = compared((old, first), other)
        assert found.changes == ()
        assert found.unclear == ()
    raw = [{o.key: o.facts for o in objects(*side)} for side in ((old, first), (new, on_new))]
    texts = {(k[0], name) for k in raw[0] for name in raw[0][k] if raw[0][k][name] != raw[1][k].get(name)}
    assert {
        ("view", "definition"),
        ("constraint", "definition"),
        ("policy", "using"),
        ("domain", "checks"),
    } <= texts
    for side, name in ((old, first), (old, on_old), (new, on_new), (new, again)):
        side.drop(name)


def test_the_same_ddl_on_two_versions_is_the_same(both: tuple[Server, Server]) -> None:
    """So is what both versions made of one script."""
    old, new = both
    sides = [(each, each.create(EVERYTHING)) for each in (old, new)]
    found = compared(*sides)
    assert found.changes == ()
    # Every view of 15 knew a row NEW: beside it, a table of that name got another alias.
    of_new = {f"v{number}" for number, query in enumerate(VIEWS) if "FROM new" in query}
    assert {c.name for c in found.unclear} == of_new
    for each, name in sides:
        each.drop(name)


def test_what_really_changed_is_never_the_same(both: tuple[Server, Server]) -> None:
    """After a dump of 15 was restored by 18 and altered there, exactly the object is said to be changed,
    or not comparable.
    """
    old, new = both
    first = old.create(EVERYTHING)
    copy = restored(old, first, new)
    before = read(old, first)
    for ddl, key in CHANGES.items():
        altered = new.create(template=copy)
        new.sql(ddl, altered)
        found = compare_schemas(before, read(new, altered))
        assert {c.key[:3] for c in (*found.changes, *found.unclear)} == {key}, ddl
        new.drop(altered)
    old.drop(first)
    new.drop(copy)


# --- random queries and conditions ------------------------------------------------------------------------

_COLUMNS = ("id", "name", "status", "amount", "flag", "c", "m")
_CONDITIONS = (
    "{q}status IN ('a', '{s}')",
    "{q}status NOT IN ('{s}', 'b', 'c')",
    "{q}id > {n}",
    "{q}id >= {n}",
    "{q}name = '{s}'",
    "{q}name LIKE '{s}%%'",
    "{q}amount BETWEEN {n} AND {n} + 5",
    "{q}flag",
    "NOT {q}flag",
    "{q}c IN ('{s}', 'y')",
    "{q}m = 'ok'",
    "{q}status = ANY (ARRAY['{s}', {q}name])",
    "{q}name IS DISTINCT FROM {q}status",
    "{q}id IN ({n}, 2)",
    "{q}status = '{s}'",
    "{q}tags @> ARRAY['{s}', {q}name]",
    "coalesce({q}name, '{s}') <> ''",
    "{q}amount::int = {n}",
    "{q}at > now()",
    "CASE WHEN {q}flag THEN {q}status IN ('{s}', 'z') ELSE {q}id = {n} END",
    "({q}id, {q}name) > ({n}, '{s}')",
)
_SUBQUERIES = (
    "EXISTS (SELECT FROM shop.u WHERE u.t_id = {q}id)",
    "{q}id IN (SELECT t_id FROM shop.u WHERE v > {n})",
    "{q}amount > (SELECT avg(amount) FROM t {b} WHERE {b}.status = {q}status)",
    "NOT EXISTS (SELECT FROM w WHERE w.k IN ('{s}', 'b'))",
)


@st.composite
def conditions(draw: Any, qualifier: str, *, subqueries: bool = True) -> str:
    """A random condition over a row of t."""
    forms = _CONDITIONS + (_SUBQUERIES if subqueries and qualifier else ())
    parts = draw(st.lists(st.sampled_from(forms), min_size=1, max_size=3))
    made = [
        form.format(
            q=qualifier,
            n=draw(st.integers(0, 3)),
            s=draw(st.sampled_from("xyz")),
            b=draw(st.sampled_from(["t1", "b"])),
        )
        for form in parts
    ]
    return (
        draw(st.sampled_from([" AND ", " OR ", " AND NOT "]))
        .join(f"({part})" for part in made)
        .replace("%%", "%")
    )


_FROM = {
    "t": "t.",
    "t q": "q.",
    "t shop": "shop.",
    't "Q 1"': '"Q 1".',
    "ONLY t": "t.",
    "(SELECT * FROM t WHERE flag) s": "s.",
    "t t_1": "t_1.",
    "t JOIN w ON w.id = t.id": "t.",
    "t, shop.u": "t.",
    "t a LEFT JOIN t b ON a.id = b.id": "b.",
}


@st.composite
def queries(draw: Any) -> str:
    """A random query whose columns are columns of t."""
    source = draw(st.sampled_from(sorted(_FROM)))
    q = _FROM[source]
    columns = draw(st.lists(st.sampled_from(_COLUMNS), min_size=1, max_size=3, unique=True))
    listed = [f"{q}{c}{draw(st.sampled_from(['', '', ' AS id', ' AS name', ' AS status']))}" for c in columns]
    assume(len({text.rpartition(" AS ")[2].rpartition(".")[2] for text in listed}) == len(listed))
    order = draw(
        st.sampled_from(
            ["", f" ORDER BY {q}id", f" ORDER BY {q}name DESC, {q}id", f" ORDER BY {q}status NULLS FIRST"]
        )
    )
    grouped = f" GROUP BY {', '.join(q + c for c in columns)}" if draw(st.booleans()) else ""
    tail = (
        ""
        if grouped
        else order + draw(st.sampled_from(["", " LIMIT 3", " OFFSET 1", f" FOR UPDATE OF {q[:-1]}"]))
    )
    if source.startswith("(") and "FOR" in tail:
        tail = order
    count = ", count(*) AS n" if grouped else ""
    query = f"SELECT {', '.join(listed)}{count} FROM {source} WHERE {draw(conditions(q))}{grouped}{tail}"
    return draw(
        st.sampled_from(["{}", "{}", "WITH x AS ({}) SELECT * FROM x", "({}) UNION ALL ({})"])
    ).replace("{}", query)


@contextmanager
def undone(connection: Any) -> Iterator[Any]:
    """A cursor whose work is undone; names are printed in full, as they are read."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SET LOCAL search_path = public")
        try:
            yield cursor
        finally:
            cursor.execute("ROLLBACK")


def print_view(connection: Any, query: str) -> str:
    """How a server prints the view of a query."""
    with undone(connection) as cursor:
        cursor.execute(f"CREATE VIEW v AS {query}")
        cursor.execute(
            "SET LOCAL search_path = pg_catalog; SELECT btrim(pg_get_viewdef('public.v'::regclass), E' \\n;')"
        )
        return str(cursor.fetchone()[0])


def print_check(connection: Any, condition: str) -> str:
    """How a server prints a table's check of a condition."""
    with undone(connection) as cursor:
        cursor.execute(
            f"ALTER TABLE t ADD CONSTRAINT k "
            f"{condition if condition.startswith('CHECK') else f'CHECK ({condition})'}"
        )
        cursor.execute(
            "SET LOCAL search_path = pg_catalog; SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conname = 'k'"
        )
        return str(cursor.fetchone()[0])


@pytest.fixture(scope="module")
def printers(both: tuple[Server, Server]) -> Iterator[tuple[Any, Any]]:
    """A connection to each server, to a database with the tables of the cases."""
    names = [each.create(TABLES) for each in both]
    connections = [each.connect(name) for each, name in zip(both, names, strict=True)]
    yield connections[0], connections[1]
    for each, connection, name in zip(both, connections, names, strict=True):
        connection.close()
        each.drop(name)


QUIET = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much], "deadline": None}


def broken(printers: tuple[Any, Any], print_: Any, one: str, another: str) -> list[str]:
    """What breaks the law: restored, a text is the same on either version; that of another tree is never
    the same.
    """
    old, new = printers
    first = print_(old, one)
    try:
        second = print_(old, another)
    except psycopg2.Error:  # one word changed makes it no query
        second = first
    restored_old, restored_new = print_(old, first), print_(new, first)
    same, other = TextLikeness.SAME, restored_old != print_(old, second)
    wanted = {
        "restored on its own version": likeness(first, restored_old, one_version=True) is same,
        "restored on the other": likeness(first, restored_new, one_version=False) is same,
        "restored twice": likeness(restored_new, print_(new, restored_new), one_version=True) is same,
        "another tree differs": not other
        or likeness(first, second, one_version=True) is TextLikeness.DIFFERENT,
        "another tree is not the same on the other version": not other
        or likeness(first, print_(new, second), one_version=False) is not same,
    }
    return [name for name, holds in wanted.items() if not holds]


@given(st.data())
@settings(max_examples=examples(60), **QUIET)
def test_views_keep_their_meaning(printers: tuple[Any, Any], data: Any) -> None:
    """For random queries: what 18 makes of the text of 15 is the same; what it makes of another view's
    text is not.
    """
    one = data.draw(queries())
    other = data.draw(queries() | st.sampled_from(_near(one)))
    try:
        print_view(printers[0], one)
    except psycopg2.Error:
        assume(False)
    assert broken(printers, print_view, one, other) == []


@given(st.data())
@settings(max_examples=examples(40), **QUIET)
def test_checks_keep_their_meaning(printers: tuple[Any, Any], data: Any) -> None:
    """The same of random conditions of a row."""
    one = data.draw(conditions("", subqueries=False).filter(lambda text: "now()" not in text))
    other = data.draw(
        conditions("", subqueries=False).filter(lambda text: "now()" not in text)
        | st.sampled_from(_near(one))
    )
    assert broken(printers, print_check, one, other) == []


def _near(text: str) -> list[str]:
    """The text with one word changed: what a small mistake, or a small edit, looks like."""
    words = {
        " AND ": " OR ",
        " OR ": " AND ",
        "NOT ": "",
        " > ": " >= ",
        "'x'": "'y'",
        "'a'": "'b'",
        "status": "name",
        "id": "amount",
        "count(*)": "count(id)",
        "LIMIT 3": "LIMIT 30",
        "DESC": "ASC",
        "u.t_id": "u.id",
        "= ANY": "<> ANY",
        "t_1.": "t.",
    }
    return [text, *(text.replace(old, new, 1) for old, new in words.items() if old in text)]


def test_no_part_of_a_text_is_lost() -> None:
    """Texts that differ in anything but blanks and what is proved to mean nothing stay different."""
    same = [
        ("SELECT t.a FROM t", "SELECT a\n   FROM t"),
        ("SELECT q.a FROM s.t q WHERE (q.b = 1)", "SELECT a FROM s.t q WHERE (b = 1)"),
        (
            "(x = ANY ((ARRAY['a'::character varying])::text[]))",
            "(x = ANY (ARRAY[('a'::character varying)::text]))",
        ),
        (
            "((ARRAY[ARRAY['a'::s.m], ARRAY[b]])::text[])",
            "(ARRAY[ARRAY[('a'::s.m)::text], ARRAY[(b)::text]])",
        ),
    ]
    for one, other in same:
        assert canonical(one) == canonical(other)
    different = [
        ("SELECT t.a FROM t, u", "SELECT a FROM t, u"),
        ("SELECT t.a FROM t", "SELECT u.a FROM u"),
        ("SELECT t.f(1) FROM x t", "SELECT f(1) FROM x t"),
        ("SELECT (a)::t.b FROM x t", "SELECT (a)::b FROM x t"),
        ("SELECT (a OPERATOR(t.=) b) FROM x t", "SELECT (a OPERATOR(=) b) FROM x t"),
        ("SELECT t.a FROM (x JOIN t ON (true))", "SELECT a FROM (x JOIN t ON (true))"),
        ("SELECT a FROM t UNION SELECT t.a FROM t", "SELECT a FROM t UNION SELECT a FROM t"),
        ("SELECT ( SELECT t.a FROM u) FROM t", "SELECT ( SELECT a FROM u) FROM t"),
        ("SELECT t.* FROM t", "SELECT * FROM t"),
        ('SELECT "T".a FROM "T"', "SELECT t.a FROM t"),
        ("(ARRAY['a'])::text[]", "(ARRAY['a'])::varchar[]"),
        ("'a b'", "'a  b'"),
        ("'a'", "'A'"),
        ("a - b", "a + b"),
        ("((a OR b) AND c)", "(a OR (b AND c))"),
        ("E'\\\\n'", "'n'"),
        ('"a"', '"A"'),
        ("x.y", "x y"),
    ]
    for one, other in different:
        assert canonical(one) != canonical(other), one


# --- grants -----------------------------------------------------------------------------------------------


def test_all_privileges_are_all_on_either_version(both: tuple[Server, Server]) -> None:
    """MAINTAIN, which came with 17, is no difference where all was granted; a privilege that went, and an
    owner's right, is.
    """
    _, new = both
    sides = [(each, each.create(TABLES + GRANTS)) for each in both]
    assert compared(*sides).changes == ()
    cases = {
        "REVOKE TRIGGER ON t FROM schema_reader": ("grant", "t", "schema_reader", "privileges"),
        "REVOKE MAINTAIN ON t FROM postgres": ("grant", "t", "postgres", "privileges"),
        "GRANT MAINTAIN ON w TO PUBLIC": ("grant", "w", "PUBLIC", "privileges"),
        "ALTER DEFAULT PRIVILEGES REVOKE UPDATE ON TABLES FROM schema_reader": (
            "default privileges",
            "",
            "tables of postgres",
            "grants",
        ),
    }
    for ddl, key in cases.items():
        database = new.create(template=sides[1][1])
        new.sql(ddl, database)
        assert [c.key for c in compared(sides[0], (new, database)).changes] == [key]
        new.drop(database)
    database = new.create(template=sides[1][1])
    new.sql(
        "REVOKE MAINTAIN ON t FROM schema_reader", database
    )  # all that could be granted on 15 is still granted
    assert compared(sides[0], (new, database)).changes == ()
    for each, name in (*sides, (new, database)):
        each.drop(name)
