"""What is declared of rows never stands for them: an answer that is called "scanned" was read out of the
heap.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import Server
from helpers import assertion, examples, prove, result, results, settings, write_suite
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as tuned
from lies import WORLDS, World, honest, lying, made_ready

from kisaan_validate import declare as d
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.report.console import print_run
from kisaan_validate.report.formats import find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.rules.base import QueryRule, Violations
from kisaan_validate.sql.apart import filters_plainly
from kisaan_validate.suite.load import Suite, load_suite, suite_of
from kisaan_validate.verdict.judgement import judge

CHECKS = """
from fractions import Fraction
from kisaan_validate import declare as d
import pandera.pandas as pa

schema = pa.DataFrameSchema({"a": pa.Column(nullable=False), "id": pa.Column(nullable=False)}, name="t")
d.holds("t", "ok(b)", id="row")
d.row_count("t", low=1, high=3, where="a IS NULL", id="rc.null")
d.row_count("t", low=1, high=3, where="NOT ok(b)", id="rc.ok")
d.null_share("t", "b", high=0, where="a IS NOT NULL", id="share")
d.distinct_count("t", ["id", "a"], high=2, id="distinct")
d.distinct_count("t", "id", high=2, where="NOT ok(b)", id="distinct.where")
d.quantile("t", "a", Fraction(1, 2), high=2, where="id >= 5", id="quantile")
d.total("t", "a", high=3, segment_by="id", segments=100, where="a IS NOT NULL AND id < 5", id="segments")
d.unique("t", "id", id="u")
d.unique("t", ["id", "a"], id="u2")
d.unique("t", ["id", "b"], where="a IS NULL", nulls_equal=False, id="u.null")
d.unique("t", "a", where="NOT ok(b)", id="u.ok")
d.values_in("t", "a", "p", on="b", where="NOT ok(b)", id="listed")
d.values_in("t", ["id", "b"], "p", on=["id", "b"], id="listed2")
d.no_gaps("t", "id", where="b IS NOT NULL", id="gaps")
d.reconciles("t", "a", details="d", detail_column="x", via="t", where="a IS NOT NULL", id="sums")
d.row_count_against("t", "p", where="NOT ok(b)", other_where="b IS NULL", id="against")
d.ledger("p", "id", ["1", "2", "5"], id="ledger")
d.minimum_rows("p", 4, id="least")
d.references("t", "r", "p", id="ref")
d.references("t", "r", "p", where="NOT ok(child.b)", id="ref.ok")
d.agrees("t", "b", with_="p.b", via="r", id="agrees")
d.holds_with("t", "child.b <= parent.b", parent="p", via="r", id="with")
d.holds("joined", "pb IS NOT NULL", id="view.row")
d.unique("joined", ["id", "pb"], id="view.u2")
d.row_count("kept", low=0, high=0, id="view.kept")
d.unique("grouped", ["id", "a"], id="view.grouped")
d.holds("grouped", "n = 1", id="view.n")
"""

WRITTEN = {
    "null": "SELECT id FROM t WHERE a IS NULL",
    "not null": "SELECT id FROM t WHERE a IS NOT NULL AND b > 2",
    "equal to itself": "SELECT id FROM t WHERE a = a AND b > 2",
    "either": "SELECT id FROM t WHERE a IS NULL OR b IS NULL",
    "of a CHECK": "SELECT id FROM t WHERE NOT ok(b)",
    "of a bound": "SELECT id FROM t WHERE id >= 5 AND b IS NOT NULL",
    "the highest": "SELECT id FROM t WHERE id = (SELECT max(id) FROM t)",
    "one": "SELECT id FROM t WHERE id IN (SELECT id FROM p WHERE b > 1)",
    "duplicates by a join": "SELECT t.id FROM t LEFT JOIN p ON p.id = t.r GROUP BY t.id, t.a, t.b, t.r "
    "HAVING count(*) > 1",
    "groups": "SELECT id FROM t GROUP BY id, a HAVING count(*) > 1",
    "joined": "SELECT t.id FROM t JOIN p ON p.id = t.r WHERE p.b <> t.b",
    "joined to itself": "SELECT x.id FROM t AS x JOIN t AS y ON x.id = y.id WHERE x.b > y.a",
    "without": "SELECT t.id FROM t WHERE NOT EXISTS (SELECT FROM p WHERE p.id = t.r)",
    "looked up": "SELECT t.id FROM t WHERE (SELECT max(p.b) FROM p WHERE p.id = t.r) > t.b",
    "arms": "SELECT id FROM t WHERE a IS NULL UNION ALL SELECT id FROM t WHERE b > 2",
    "a view": "SELECT id FROM joined WHERE pb IS NULL AND b IS NOT NULL",
    "a view of NULLs": "SELECT id FROM kept",
    "named apart": "SELECT x.i AS id FROM t AS x (i, v) WHERE x.v IS NULL",
    "where it lies": "SELECT id FROM t WHERE a IS NULL AND ctid IS NOT NULL",
    "as a row": "SELECT id FROM t WHERE to_jsonb(t) ->> 'a' IS NULL AND t.b > 1",
}

MAY_FAIL = {"agrees", "with", "ref", "ref.ok"}
"""Checks that have no answer where a row matches several rows of p, which its unique index denies."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Every kind of check that reads rows, over tables of which too much is declared."""
    files = {"suite.toml": 'name = "lies"\nschemas = ["public"]\n', "checks.py": CHECKS}
    for n, (name, sql) in enumerate(WRITTEN.items()):
        files[f"sql/a{n}.sql"] = assertion(
            sql, id=f"sql.{name.replace(' ', '_')}", table="t", why="a law", title=name
        )
    return load_suite(write_suite(tmp_path_factory.mktemp("lies"), files))


def answers(server: Server, database: str, suite: Suite, world: World) -> dict[str, Result]:
    """The results under the settings by which the world seduces the planner."""
    dsn = (
        server.dsn(database, options=f"'{' '.join(world.settings)}'")
        if world.settings
        else server.dsn(database)
    )
    return {r.check_id: r for r in run(suite, dsn, options=Options(jobs=1, sample=1000)).results}


def unlike(found: dict[str, Result], true: dict[str, Result]) -> dict[str, tuple[Any, ...]]:
    """The answers that are called scanned and are not those of the twin."""
    wrong = {}
    for id, one in found.items():
        twin = true[id]
        numbers = (one.status, one.violations, one.examined)
        if one.evidence is Evidence.CATALOGUE:
            continue
        if one.status in {Status.ERROR, Status.SKIP}:
            if not may_fail(id, one):
                wrong[id] = (numbers, one.message)
        elif one.evidence is not Evidence.SCANNED:
            wrong[id] = (one.evidence, one.trusted)
        elif twin.violations is not None and numbers != (twin.status, twin.violations, twin.examined):
            wrong[id] = (numbers, (twin.status, twin.violations, twin.examined))
        elif one.violations and "found again" in one.message:
            wrong[id] = (numbers, one.message)
    return wrong


def may_fail(id: str, one: Result) -> bool:
    """Whether no answer is one, too: where a lie was found out that could not be kept from the planner."""
    if id in MAY_FAIL:
        return "is not unique in p" in one.message
    shown_bare = id.startswith("view.") or id.removeprefix("sql.") in {
        "a_view",
        "a_view_of_NULLs",
        "where_it_lies",
        "as_a_row",
    }
    return shown_bare and "PostgreSQL would rely on" in one.message


def tried(count: int) -> Any:
    """How a law is tried."""
    shrinks = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
    return tuned(
        max_examples=count,
        deadline=None,
        phases=shrinks,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def changed_by_lies(server: Server, suite: Suite, databases: tuple[str, str], world: World) -> Any:
    """The answers of one world that are not those of its honest twin."""
    lying(server, databases[0], world)
    honest(server, databases[1], world)
    return unlike(
        answers(server, databases[0], suite, world),
        answers(server, databases[1], suite, World(**{**vars(world), "settings": ()})),
    )


@pytest.fixture(scope="module")
def databases(server: Server) -> Any:
    """Two databases: for lies, and for the truth."""
    names = server.create(), server.create()
    yield names
    for name in names:
        server.drop(name)


@pytest.mark.slow
@tried(examples(3))
@given(world=WORLDS)
def test_declarations_that_lie_change_no_answer(
    server: Server, databases: tuple[str, str], suite: Suite, world: World
) -> None:
    """A replaced CHECK, a NOT NULL that does not hold, bounds that rows do not keep, indexes that lack
    rows or lead to others: every answer that is called "scanned" is that of a twin with the same rows, of
    which nothing is declared."""
    assert not changed_by_lies(server, suite, databases, world)


@pytest.mark.slow
@pytest.mark.parametrize("version", [18, 15])
def test_no_lie_of_many_changes_an_answer(version: int, suite: Suite, request: pytest.FixtureRequest) -> None:
    """The same law, many times, on both servers."""
    server = server_of(version, request)
    names = server.create(), server.create()

    @tried(examples(60))
    @given(world=WORLDS)
    def law(world: World) -> None:
        assert not changed_by_lies(server, suite, names, world)

    law()


def server_of(version: int, request: pytest.FixtureRequest) -> Server:
    """The running server of this major version."""
    found: Server = request.getfixturevalue({18: "server", 15: "server15"}[version])
    return found


BOTH = pytest.mark.parametrize("version", [18, 15])

REPLACED = """
CREATE FUNCTION ok(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE TABLE tgt (id int PRIMARY KEY);
CREATE TABLE acct (id int NOT NULL, v int, amount int) PARTITION BY RANGE (id);
CREATE TABLE acct_1 PARTITION OF acct FOR VALUES FROM (0) TO (100000);
ALTER TABLE acct_1 ADD CHECK (ok(amount));
INSERT INTO acct SELECT g, 1, g FROM generate_series(1, 1000) AS g;
CREATE OR REPLACE FUNCTION ok(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 < 500; END';
"""


@BOTH
def test_a_check_whose_function_was_replaced_hides_no_row(
    version: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """501 wrong rows stay 501 for every form of check, and their keys are found."""
    server = server_of(version, request)
    database = server.create(REPLACED)
    files = {
        "suite.toml": 'name = "FG"\nschemas = ["public"]\n',
        "a.py": """
            from kisaan_validate import declare
            declare.holds("acct", "ok(amount)", id="acct.ok")
            declare.row_count("acct", high=0, low=0, where="NOT ok(amount)", id="acct.rc")
            declare.unique("acct", ["v"], where="NOT ok(amount)", id="acct.unique")
            declare.values_in("acct", "v", "tgt", on="id", where="NOT ok(amount)", id="acct.listed")
        """,
        "sql/ok.sql": assertion(
            "SELECT id FROM acct WHERE NOT ok(amount)", id="acct.assert", table="acct", why="x", title="y"
        ),
    }
    dsn = server.dsn(database, options="'-c constraint_exclusion=on'")
    found = {
        r.check_id: r
        for r in run(
            load_suite(write_suite(tmp_path, files)), dsn, options=Options(jobs=1, sample=600)
        ).results
    }
    numbers = {"acct.ok": 501, "acct.rc": 1, "acct.unique": 500, "acct.listed": 501, "acct.assert": 501}
    assert {id: (r.violations, r.evidence, r.sample_complete) for id, r in found.items()} == {
        id: (n, Evidence.SCANNED, True) for id, n in numbers.items()
    }
    assert dict(found["acct.rc"].sample[0])["rows_found"] == "501"


def damaged(server: Server) -> str:
    """A database whose table t has 200 rows that its unique index does not know: 100 of them duplicates,
    100 negative.
    """
    database = server.create(
        "CREATE TABLE t (id int, pad text, ref int); CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p "
        "VALUES (7)"
    )
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 't_id'::regclass"
    rows = "INSERT INTO t SELECT g, repeat('x', 200), 7 FROM generate_series({}, {}) AS g"
    server.sql(
        f"{rows.format(1, 20000)}; CREATE UNIQUE INDEX t_id ON t (id); {ready.format('false')}", database
    )
    server.sql(f"{rows.format(19901, 20000)}; {rows.format(-100, -1)}", database)
    server.sql(ready.format("true"), database)
    server.sql("VACUUM ANALYZE t", database)
    return database


@BOTH
def test_rows_that_an_index_does_not_know_are_read(version: int, request: pytest.FixtureRequest) -> None:
    """20,200 rows, 100 duplicates, 100 negative ones; to believe the index must be asked for, and is then
    said.
    """
    server = server_of(version, request)
    database = damaged(server)
    declared = [
        d.unique("t", ["id"], id="u"),
        d.holds("t", "id > 0", id="pos"),
        d.row_count("t", high=20000, low=1, id="rows"),
        d.no_gaps("t", "id", id="gaps"),
        d.distinct_count("t", "id", low=1, high=20100, id="values"),
        d.references("t", "ref", "p", id="ref"),
    ]
    plain, trusting = (
        results(server, database, *declared),
        results(server, database, *declared, trust_indexes=True),
    )
    read = {
        "u": (100, 20200),
        "pos": (100, 20200),
        "rows": (1, 20200),
        "gaps": (101, 20200),
        "values": (0, 20200),
        "ref": (0, 20200),
    }
    assert {id: (r.violations, r.examined) for id, r in plain.items()} == read
    assert {r.evidence for r in plain.values()} == {Evidence.SCANNED}
    assert {id: trusting[id].violations for id in ("pos", "rows")} == {"pos": 100, "rows": 1}, (
        "rows are counted in the heap in any case"
    )
    believed = trusting["gaps"]
    assert (believed.violations, believed.evidence, believed.trusted) == (0, Evidence.BY_INDEX, "index t_id")


@BOTH
def test_a_partition_is_left_out_only_if_its_bounds_are_believed(
    version: int, request: pytest.FixtureRequest
) -> None:
    """A partition that was attached with a CHECK that does not hold keeps its rows; with
    --trust-constraints they are left out, and the result says by what."""
    server = server_of(version, request)
    database = server.create(BOUNDS)
    listed = d.unique("t", "a", where="id >= 10", id="u")
    plain, trusting = (
        result(server, database, listed),
        result(server, database, listed, trust_constraints=True),
    )
    assert (plain.examined, plain.evidence) == (1, Evidence.SCANNED)
    assert (trusting.examined, trusting.evidence) == (0, Evidence.BY_CONSTRAINT)
    assert "the bounds of partitions, which exclude low of t" in trusting.trusted


BOUNDS = """
CREATE TABLE low (id int, a int); INSERT INTO low VALUES (3, 1), (12, 1);
ALTER TABLE low ADD CONSTRAINT low CHECK (id IS NOT NULL AND id >= 0 AND id < 10) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE conname = 'low';
CREATE TABLE t (id int, a int) PARTITION BY RANGE (id);
ALTER TABLE t ATTACH PARTITION low FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);
"""

TWICE = """
CREATE TABLE p (id int, b int); INSERT INTO p VALUES (1, 1), (2, 2); CREATE UNIQUE INDEX p_id ON p (id);
CREATE TABLE t (id int PRIMARY KEY, r int, b int, n int NOT NULL DEFAULT 1);
INSERT INTO t SELECT g, 1, 1 FROM generate_series(1, 5) AS g; INSERT INTO t SELECT generate_series(6, 10);
UPDATE pg_index SET indisready = false WHERE indexrelid = 'p_id'::regclass;
"""
"""It has as many rows without a reference as pairs too many."""


@BOTH
def test_a_row_that_matches_twice_has_no_answer(version: int, request: pytest.FixtureRequest) -> None:
    """A unique index that lacks a row hides no partner: the checks of the join are errors that name the
    table, with a filter too.
    """
    server = server_of(version, request)
    database = server.create(TWICE)
    server.sql(
        "INSERT INTO p VALUES (1, 9); UPDATE pg_index SET indisready = true WHERE indexrelid = "
        "'p_id'::regclass",
        database,
    )
    for via, more in itertools.product("rn", ({}, {"filters": {"t": "id > 1"}})):
        found = result(server, database, d.agrees("t", "b", with_="p.b", via=via), settings=settings(**more))
        assert (found.status, found.violations) == (Status.ERROR, None)
        assert "the key they refer to is not unique in p" in found.message


VIEW = "CREATE VIEW v AS SELECT t.id, p.b FROM t LEFT JOIN p ON p.id = t.r WHERE t.b IS NOT NULL"


@BOTH
@pytest.mark.parametrize("lies", [False, True])
def test_what_a_view_makes_of_declarations_is_proved(
    lies: bool, version: int, request: pytest.FixtureRequest
) -> None:
    """Inside a view nothing is hidden from the planner: what it goes by is counted first, and a lie is an
    error that names it.
    """
    server = server_of(version, request)
    database = server.create(f"{TWICE}; {VIEW}")
    more = "INSERT INTO p VALUES (1, 9); " if lies else ""
    server.sql(f"{more}UPDATE pg_index SET indisready = true WHERE indexrelid = 'p_id'::regclass", database)
    ran = prove(
        server,
        database,
        suite_of(
            d.holds("v", "b < 5", id="row"), d.row_count("v", low=5, high=5, id="rows"), settings=settings()
        ),
    )
    found = {r.check_id: r for r in ran.results}
    proofs = [s.purpose for s in ran.statements if s.purpose.startswith("proof")]
    assert "proof: the unique index p_id of p" in proofs
    for r in found.values():
        if lies:
            assert r.status is Status.ERROR
            assert (
                "PostgreSQL would rely on the unique index p_id of p, and 2 rows contradict it" in r.message
            )
        else:
            assert (r.status, r.violations, r.evidence) == (Status.PASS, 0, Evidence.SCANNED)


@BOTH
def test_sql_that_needs_a_key_stands_on_its_proof(
    version: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """GROUP BY a key that decides what else is shown is accepted as before, once the key is proved."""
    server = server_of(version, request)
    database = server.create(TWICE)
    sql = "SELECT t.id, t.b FROM t JOIN p ON p.id = t.r GROUP BY t.id HAVING count(*) > 1"
    files = {
        "suite.toml": 'name = "g"\nschemas = ["public"]\n',
        "sql/g.sql": assertion(sql, id="g", table="t", why="x", title="y"),
    }
    loaded = load_suite(write_suite(tmp_path, files))
    ran = prove(server, database, loaded)
    assert (ran.results[0].status, ran.results[0].evidence) == (Status.PASS, Evidence.SCANNED)
    # Of a key that may be NULL no PostgreSQL from 18 on drops the other columns of a GROUP BY.
    never_null = ["proof: NOT NULL of t"] if version >= 17 else []
    proofs = [s.purpose for s in ran.statements if s.purpose.startswith("proof")]
    assert proofs == [*never_null, "proof: the unique index t_pkey of t"]
    server.sql("UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass", database)
    server.sql("INSERT INTO t VALUES (1, 2, 2)", database)
    server.sql("UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass", database)
    (found,) = prove(server, database, loaded).results
    assert found.status is Status.ERROR
    assert "the unique index t_pkey of t, and 2 rows contradict it" in found.message


ITSELF = {
    "without blanks": "SELECT id FROM t WHERE a=a AND ctid > '(0,0)'",
    "with its table": "SELECT id FROM t WHERE t.a=t.a AND ctid > '(0,0)'",
    "with many blanks": "SELECT id FROM t WHERE a  =\n a AND ctid > '(0,0)'",
    "in parentheses": "SELECT id FROM t WHERE a = (a) AND ctid > '(0,0)'",
    "beside a comment": "SELECT id FROM t WHERE a /* = b */ = --\n a AND ctid > '(0,0)'",
    "with and without its table": "SELECT id FROM t WHERE t.a = a AND ctid > '(0,0)'",
    "of rows": "SELECT id FROM t WHERE (id, a) = (id, a) AND ctid > '(0,0)'",
    "in a list": "SELECT id FROM t WHERE a IN (a) AND ctid > '(0,0)'",
    "denied": "SELECT id FROM t WHERE NOT a <> a AND ctid > '(0,0)'",
    "by the operator's full name": "SELECT id FROM t WHERE a OPERATOR(pg_catalog.=) a AND ctid > '(0,0)'",
    "in other letters": "SELECT id FROM t WHERE A = \"a\" AND ctid > '(0,0)'",
    "by other names": "SELECT id FROM (SELECT id, a AS x, a AS y, ctid AS c FROM t) AS s WHERE x = y AND c > '(0,0)'",
    "of a view": "SELECT id FROM twice WHERE x = y",
    "in a function": "SELECT id FROM t WHERE is_there(a) AND ctid > '(0,0)'",
    "joined with itself": "SELECT x.id FROM t AS x JOIN t AS y ON x.id = y.id AND x.a = y.a WHERE x.ctid > '(0,0)'",
}
"""Tests for NULL that PostgreSQL makes of a text that does not say the word."""

NULLS = """
CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, NULL), (2, NULL);
CREATE VIEW twice AS SELECT id, a AS x, a AS y FROM t;
CREATE FUNCTION is_there(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $1';
UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 't'::regclass AND attname = 'a';
"""


@pytest.mark.parametrize("name", ITSELF)
def test_no_test_for_null_is_answered_by_a_declaration(name: str, server: Server, tmp_path: Path) -> None:
    """However a SELECT asks whether a value is there, of a table that cannot be read apart: NOT NULL that no
    row keeps is found out first, and the check has no answer.
    """
    database = server.create(NULLS)
    files = {
        "suite.toml": 'name = "g"\nschemas = ["public"]\n',
        "sql/g.sql": assertion(ITSELF[name], id="g", table="t", why="x", title="y"),
    }
    (found,) = prove(server, database, load_suite(write_suite(tmp_path, files))).results
    assert found.status is Status.ERROR
    assert "PostgreSQL would rely on NOT NULL of t, and 2 rows contradict it" in found.message


@pytest.mark.parametrize(
    ("definition", "plain"),
    [
        ("SELECT t.id,\n    t.a\n   FROM public.t\n  WHERE ((t.b > 5) AND (t.s = 'paid'::text));", True),
        ("SELECT t.a AS x,\n    t.a AS y\n   FROM t; SELECT b FROM u WHERE NOT a = ANY (ARRAY[1, 2])", True),
        ("SELECT * FROM twice WHERE x = y", False),
        ("SELECT * FROM twice WHERE (x, 1) = (y, 1)", False),
        ("SELECT a FROM t WHERE is_there(a)", False),
        ("SELECT a FROM t WHERE a IS NULL", False),
        ("SELECT t.a FROM t JOIN u USING (id)", False),
        ("SELECT a FROM t UNION ALL SELECT a FROM u", False),
        ("SELECT a FROM t WHERE a = $1", False),
    ],
)
def test_a_view_is_plain_only_if_no_test_for_null_can_come_of_it(definition: str, plain: bool) -> None:
    """Of anything that is not known to be plain the declarations are proved."""
    assert filters_plainly(definition) is plain


def test_a_role_that_may_not_read_below_a_view_is_told(server: Server, database: str) -> None:
    """What cannot be proved is not believed: an error that names the table and the right."""
    server.sql(
        f"{TWICE}; {VIEW}; CREATE ROLE below LOGIN; GRANT SELECT ON v TO below; GRANT USAGE ON SCHEMA "
        f"public TO below",
        database,
    )
    try:
        dsn = server.dsn(database, role="below")
        (found,) = run(
            suite_of(d.holds("v", "b < 5"), settings=settings()), dsn, options=Options(jobs=1)
        ).results
        trusted = run(
            suite_of(d.holds("v", "b < 5"), settings=settings()),
            dsn,
            options=Options(jobs=1, trust_indexes=True, trust_constraints=True),
        )
    finally:
        server.sql("DROP OWNED BY below; DROP ROLE below", database)
    assert found.status is Status.ERROR
    assert "that cannot be proved: permission denied for table" in found.message
    assert trusted.results[0].evidence is Evidence.BY_INDEX


@BOTH
def test_diff_is_not_misled_by_an_index(version: int, request: pytest.FixtureRequest) -> None:
    """Rows of buckets that differ may be found by an index of the key only as far as their digests are
    those of the heap.
    """
    server = server_of(version, request)
    database = server.create("CREATE SCHEMA a; CREATE SCHEMA b")
    for schema in ("a", "b"):
        server.sql(
            f"CREATE TABLE {schema}.t (id int PRIMARY KEY, v int); INSERT INTO {schema}.t SELECT g, g "
            f"FROM generate_series(1, 20000) AS g",
            database,
        )
    off, on = made_ready("b.t_pkey", "b.t")
    server.sql(off, database)
    server.sql("DELETE FROM b.t WHERE id BETWEEN 100 AND 104", database)
    server.sql("VACUUM b.t", database)
    # Where rows lay that its index still leads to, others lie now; and rows that it does not know.
    server.sql(
        "INSERT INTO b.t SELECT g, -g FROM generate_series(200, 204) AS g; UPDATE b.t SET v = -v WHERE "
        "id = 300",
        database,
    )
    server.sql("DELETE FROM b.t WHERE id BETWEEN 200 AND 204 AND v > 0", database)
    server.sql(on, database)
    server.sql("ANALYZE a.t; ANALYZE b.t", database)
    options = DiffOptions(before_schemas=("a",), after_schemas=("b",))
    target = find_target(server.dsn(database))
    (table,) = diff_rows(target, target, options).tables
    assert (table.added, table.removed, table.changed, table.unknown) == (0, 5, 6, ())


@pytest.mark.parametrize("setting", ["zero_damaged_pages", "ignore_checksum_failure"])
def test_a_scan_that_passes_over_damage_proves_nothing(setting: str, server: Server, database: str) -> None:
    """A role whose scans leave out damaged pages without a word gets no answer about rows."""
    server.sql("CREATE TABLE t (id int PRIMARY KEY)", database)
    declared = suite_of(d.holds("t", "id > 0"), settings=settings())
    (found,) = run(
        declared, server.dsn(database, options=f"'-c {setting}=on'"), options=Options(jobs=1)
    ).results
    assert found.status is Status.ERROR
    assert f"{setting} is on for this role" in found.message


def test_a_partition_may_be_named_beside_its_parent(server: Server, database: str, tmp_path: Path) -> None:
    """That one partition occurs more often than others in a plan does not mean that these were left out."""
    server.sql(BOUNDS, database)
    files = {
        "suite.toml": 'name = "p"\nschemas = ["public"]\n',
        "sql/p.sql": assertion(
            "SELECT t.id FROM t JOIN low ON low.id = t.id", id="p", table="t", why="x", title="y"
        ),
        "sql/q.sql": assertion("SELECT id FROM low", id="q", table="t", why="x", title="y"),
    }
    for found in prove(server, database, load_suite(write_suite(tmp_path, files))).results:
        assert (found.status, found.violations, found.evidence) == (Status.FAIL, 2, Evidence.SCANNED), found


def test_a_kind_of_another_package_hides_nothing(server: Server, database: str) -> None:
    """How a plugin writes its conditions is not known: what the planner could go by there is proved, like
    inside a view.
    """
    if server.sql("SHOW server_version_num")[0][0] < "170000":
        pytest.skip("before 17 no test for NULL is answered by NOT NULL")
    server.sql("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, NULL)", database)
    server.sql(
        "UPDATE pg_attribute SET attnotnull = true WHERE attname = 'a' AND attrelid = 't'::regclass", database
    )
    found = result(server, database, d.declaration("absent", "t", ("a",), Absent(), {"id": "absent"}))
    assert found.status is Status.ERROR
    assert "PostgreSQL would rely on NOT NULL of t, and 1 rows contradict it" in found.message


@dataclass(frozen=True)
class Absent(QueryRule):
    """A rule that writes its own WHERE."""

    kind: ClassVar[str] = "absent"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return "no value is absent"

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        return Violations(f"SELECT id FROM t WHERE {columns[0]} IS NULL", ("id",))


@BOTH
def test_an_index_that_leads_to_another_row_finds_no_partner(
    version: int, request: pytest.FixtureRequest
) -> None:
    """Rows that are only looked up may be found by an index; that it leads to some row does not make a
    reference good.
    """
    server = server_of(version, request)
    database = server.create(
        "CREATE TABLE p (id int PRIMARY KEY, pad text); INSERT INTO p SELECT g, repeat('x', 50) FROM "
        "generate_series(1, 10000) AS g; "
        "CREATE TABLE t (id int PRIMARY KEY, r int); INSERT INTO t VALUES (3, NULL), (4, 77)"
    )
    off, on = made_ready("p_pkey", "p")
    server.sql(f"{off}; DELETE FROM p WHERE id BETWEEN 4500 AND 5500", database)
    server.sql("VACUUM p", database)
    server.sql(
        "INSERT INTO p SELECT g, repeat('x', 50) FROM generate_series(20000, 21000) AS g", database
    )  # where those lay
    server.sql(on, database)
    server.sql("VACUUM ANALYZE p", database)
    by_index = "; ".join(
        f"SET enable_{way} = off"
        for way in ("seqscan", "bitmapscan", "indexonlyscan", "hashjoin", "mergejoin")
    )
    looked_up = "SELECT k FROM generate_series(4500, 5500) AS k JOIN p ON p.id = k WHERE p.id + 0 <> k"
    (first,), (second,), *_ = server.sql(f"{by_index}; {looked_up}", database)
    server.sql(f"INSERT INTO t VALUES (1, {first}), (2, {second})", database)
    server.sql("ANALYZE t", database)
    ran = prove(server, database, suite_of(d.references("t", "r", "p", id="ref"), settings=settings()))
    (found,) = ran.results
    assert (found.status, found.violations, found.examined, found.evidence) == (
        Status.FAIL,
        2,
        3,
        Evidence.SCANNED,
    )
    assert [dict(row)["id"] for row in found.sample] == ["1", "2"]


def test_what_was_believed_is_said_everywhere(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Console, page, CSV and JSON name the index that an answer rests on; console, page and Markdown say
    how many do.
    """
    database = damaged(server)
    declared = suite_of(
        d.no_gaps("t", "id", id="gaps"), d.holds("t", "pad <> ''", id="pad"), settings=settings()
    )
    judged = judge(prove(server, database, declared, trust_indexes=True))
    print_run(judged, None, quiet=False, verbose=True)
    console = " ".join(capsys.readouterr().out.split())
    assert "id rises by 1 from row to row; by index t_id" in console
    assert "1 check relies on an index or constraint: not all rows were read" in console
    page = " ".join(render_html(judged).split())
    assert "0 violations in 20,000 rows, by index t_id" in page
    assert "by index t_id" in page
    assert "1 of them relies on an index or constraint" in page
    assert "1 of them relies on an index or constraint" in find_format("markdown").render(judged)
    for name in ("csv", "json"):
        assert "index t_id" in find_format(name).render(judged), name


SAME_NAME = """
CREATE SCHEMA other;
CREATE TABLE t (id int, a int) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);
CREATE TABLE other.low (id int); INSERT INTO other.low VALUES (1); INSERT INTO t VALUES (3, 1), (12, 1);
"""


@BOTH
def test_a_table_of_the_same_name_stands_for_no_partition(
    version: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A partition that was not read is missed, though a table of its name in another schema was."""
    server = server_of(version, request)
    database = server.create(SAME_NAME)
    sql = "SELECT t.id FROM t WHERE t.id >= 10 AND EXISTS (SELECT FROM other.low AS o WHERE o.id > 5)"
    files = {
        "suite.toml": 'name = "g"\nschemas = ["public", "other"]\n',
        "sql/g.sql": assertion(sql, id="g", table="t", why="x", title="y"),
    }
    loaded = load_suite(write_suite(tmp_path, files))
    (found,) = prove(server, database, loaded, trust_constraints=True).results
    assert (found.status, found.evidence) == (Status.PASS, Evidence.BY_CONSTRAINT), found
    assert "the bounds of partitions, which exclude low of t" in found.trusted
    (plain,) = prove(server, database, loaded).results
    assert (plain.status, plain.evidence) == (Status.PASS, Evidence.SCANNED), plain
