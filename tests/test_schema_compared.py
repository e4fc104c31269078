"""What ``diff`` and ``run --baseline`` say of two schemas, in words that claim no more than was compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server
from dumps import restored
from helpers import prove, settings
from test_report_page import earlier, every_status

from kisaan_validate.cli.main import main
from kisaan_validate.compare.scope import (
    ASIDE,
    BY_EARLIER_VERSIONS,
    COLUMNS,
    COUNTED,
    DATABASE,
    NOT_READ,
    OF_DATABASE,
    READ,
)
from kisaan_validate.declare import unique
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.table import ColumnFacts
from kisaan_validate.postgres.schema import KINDS as OBJECT_KINDS
from kisaan_validate.record.judged import judged_to_json
from kisaan_validate.report.console import print_run
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import suite_of
from kisaan_validate.verdict.judgement import judge

Sides = tuple[tuple[Server, str], tuple[Server, str]]


@contextmanager
def made(server: Server, before: str, after: str) -> Iterator[Sides]:
    """Two databases of one server."""
    names = server.create(before), server.create(after)
    yield (server, names[0]), (server, names[1])
    for name in names:
        server.drop(name)


def diff(sides: Sides, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """The exit code of ``diff`` and what it printed."""
    (first, before), (second, after) = sides
    code = main(["diff", "--before", first.dsn(before), "--after", second.dsn(after), *more])
    return code, capsys.readouterr().out


def document(sides: Sides, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """What ``diff --format json`` prints."""
    found: dict[str, Any] = json.loads(diff(sides, capsys, "--format", "json", *more)[1])
    return found


def schema_of(found: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """(kind, table, name, aspect) of every difference of the schema."""
    return {(c["kind"], c["table"], c["name"], c["aspect"]) for c in found["schema"]}


PARTITIONED = """
CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);
INSERT INTO p SELECT generate_series(1, 5);
"""


def test_a_detached_partition_was_there_before(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """It is called neither added nor, seen the other way, removed: its rows left the parent, and nothing
    else is claimed.
    """
    with made(server, PARTITIONED, PARTITIONED + "ALTER TABLE p DETACH PARTITION p1") as sides:
        for pair, number in ((sides, 0), ((sides[1], sides[0]), 1)):
            found = document(pair, capsys)
            assert schema_of(found) == {("table", "p1", "p1", "partition of"), ("table", "p1", "p1", "bound")}
            tables = {t["table"]: t for t in found["tables"]}
            assert (tables["p"]["removed"], tables["p"]["added"]) == ((5, 0) if number == 0 else (0, 5))
            assert (tables["p1"]["rows_before"], tables["p1"]["added"], tables["p1"]["known"]) == (
                None,
                None,
                False,
            )
            assert "it is a partition, compared as part of its parent" in tables["p1"]["unknown"][0]["reason"]
        assert schema_of(document(sides, capsys, "--select", "p1")) == {
            ("table", "p1", "p1", "partition of"),
            ("table", "p1", "p1", "bound"),
        }
        assert diff(sides, capsys, "--rows-only", "--select", "p1")[0] == 3


def test_an_added_column_is_not_retyped() -> None:
    """The page calls a column retyped only if both sides have it; what came is added, what went is
    removed.
    """
    run = every_status()
    before = earlier(run)
    (table,) = [t for t in run.tables if t.name == "orders"]
    more = replace(table, columns=(*table.columns, ColumnFacts("note", "text"), ColumnFacts("at", "date")))
    after = replace(run, tables=tuple(more if t is table else t for t in run.tables))
    page = render_html(judge(after, before))
    assert "4, 2 added, 1 retyped" in page
    back = render_html(judge(replace(run, tables=before.tables), replace(before, tables=after.tables)))
    assert "4, 2 removed, 1 retyped" in back


VIEW = (
    "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT name, count(*) FROM t "
    "GROUP BY name;"
)


def test_a_view_dumped_by_15_and_restored_by_18_is_the_same(
    server: Server, server15: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """``diff`` says so, and of one that was altered since it does not."""
    before = server15.create(VIEW)
    sides = ((server15, before), (server, restored(server15, before, server)))
    found = document(sides, capsys)
    assert (found["schema"], found["unknown"]) == ([], [])
    server.sql(
        "CREATE OR REPLACE VIEW v AS SELECT name, count(*) FROM t WHERE id > 3 GROUP BY name", sides[1][1]
    )
    assert schema_of(document(sides, capsys)) == {("view", "v", "v", "definition")}
    server.sql("CREATE OR REPLACE VIEW v AS SELECT name, count(t) AS count FROM t GROUP BY name", sides[1][1])
    code, said = diff(sides, capsys)
    assert code == 3
    assert (
        "cannot tell  the definition of view v: PostgreSQL 15 and 18 print it differently: it could not "
        "be compared" in said
    )
    for each, name in sides:
        each.drop(name)


# --- what was not compared is named -----------------------------------------------------------------------

NOTHING = "CREATE TABLE t (id int PRIMARY KEY, lo oid, c text); INSERT INTO t VALUES (1, 770002, 'x');"
KINDS = """
SELECT lo_from_bytea(770002, '\\x61');
CREATE PUBLICATION p FOR TABLE t;
CREATE TEXT SEARCH CONFIGURATION ts (COPY = simple); CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = simple);
CREATE CAST (json AS varchar) WITHOUT FUNCTION AS IMPLICIT;
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR PUBLIC SERVER s;
CREATE COLLATION co (locale = 'C');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE OPERATOR FAMILY f USING btree;
CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
CREATE TYPE shell; CREATE LANGUAGE lang HANDLER plpgsql_call_handler; CREATE ACCESS METHOD am TYPE TABLE HANDLER heap_tableam_handler;
CREATE TEXT SEARCH PARSER tp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE tt (LEXIZE = dsimple_lexize);
CREATE TYPE pair AS (x int); COMMENT ON COLUMN pair.x IS 'a comment';
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int, int);
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
"""
CONTAINER = """
CREATE SCHEMA audit; CREATE TABLE audit.a (); CREATE TABLE audit.b ();
CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Kolkata''', current_database()); END $$;
DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''x''', current_database()); END $$;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO PUBLIC', current_database()); END $$;
"""


@pytest.fixture(params=["server", "server15"])
def either(request: pytest.FixtureRequest) -> Server:
    """Each of the servers."""
    each: Server = request.getfixturevalue(request.param)
    return each


def test_what_is_not_compared_is_named(either: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind that no comparison reads is counted on both sides and named; where its number differs, the
    sides do.
    """
    with made(either, NOTHING + KINDS, NOTHING + "CREATE TYPE pair AS (x int)") as sides:
        found = document(sides, capsys)
        named = {n["what"]: (n["before"], n["after"]) for n in found["not_compared"]}
        content = {kind.name for kind in NOT_READ if kind.content} - {"security labels"}
        assert content - named.keys() == set()
        assert all(int(before) > 0 == int(after) for before, after in (named[name] for name in content))
        assert (found["verdict"], found["schema"]) == ("different", [])
        code, said = diff(sides, capsys)
        assert code == 1
        assert "publications (1 before, 0 after)" in said
        either.sql("DROP SUBSCRIPTION sub", sides[0][1])  # else the database cannot be dropped


def test_what_may_not_be_counted_is_not_absent(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A role that may not read a catalogue learns that it cannot tell, and the answer is no "same"."""
    hard = NOTHING + "REVOKE SELECT ON pg_conversion FROM PUBLIC; GRANT SELECT ON t TO PUBLIC;"
    server.sql("DO $$BEGIN CREATE ROLE schema_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
    with made(server, hard, hard) as ((_, before), (_, after)):
        dsns = [server.dsn(name, "schema_reader") for name in (before, after)]
        assert main(["diff", "--before", dsns[0], "--after", dsns[1]]) == 3
        assert (
            "cannot tell  catalogue entries of what else there is: permission denied"
            in capsys.readouterr().out
        )


@pytest.mark.slow
def test_same_is_said_of_what_was_compared(either: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing else is there the word is SAME; where something is, it is qualified, and what it is
    stands beside it.
    """
    with made(either, NOTHING, NOTHING) as sides:
        code, said = diff(sides, capsys)
        assert (code, "SAME  1 table compared" in said) == (0, True)
    with made(
        either, NOTHING + KINDS.split("CREATE CAST")[0] + CONTAINER, NOTHING + KINDS.split("CREATE CAST")[0]
    ) as sides:
        either.sql("CREATE MATERIALIZED VIEW mv AS SELECT id FROM t", sides[1][1])
        found = document(sides, capsys)
        assert (found["verdict"], found["schema"]) == ("same in what was compared", [])
        code, said = diff(sides, capsys)
        assert code == 0
        assert "SAME IN WHAT WAS COMPARED  1 table" in said
        for part in (
            "publications (1)",
            "large objects (1)",
            "materialized views, their rows (1)",
            "audit (2 tables) before, 0 after",
            "settings by ALTER DATABASE or ALTER ROLE (1 before, 0 after)",
            "comments on the database (1 before, 0 after)",
            "grants on the database (1 before, 0 after)",
        ):
            assert part in said
        assert "SAME IN WHAT WAS COMPARED" in diff(sides, capsys, "--rows-only")[1]
        assert "the schema (left out with --rows-only)" in diff(sides, capsys, "--rows-only")[1]
        assert "columns left out with --ignore (t.c)" in diff(sides, capsys, "--ignore", "t.c")[1]
        either.sql("CREATE TABLE u ()", sides[0][1])
        assert "tables that were not selected (1 before, 0 after)" in diff(sides, capsys, "--select", "t")[1]


FACTS = """
CREATE TYPE e AS ENUM ('a');
CREATE TABLE t (id int PRIMARY KEY, c text, d e);
ALTER TABLE t ALTER c SET STORAGE EXTERNAL; ALTER TABLE t ALTER c SET COMPRESSION pglz; ALTER TABLE t ALTER c SET STATISTICS 900;
ALTER TABLE t ALTER c SET (n_distinct = 5); ALTER TABLE t SET (toast.autovacuum_enabled = false);
REVOKE USAGE ON TYPE e FROM PUBLIC;
"""


def test_every_fact_of_a_column_a_table_and_a_type_is_compared(
    either: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Storage, compression, statistics, options and order of columns, TOAST options and grants on types
    differ; and a dump keeps them all, so a restored database is not called different."""
    with made(
        either, FACTS, "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (d e, c text, id int PRIMARY KEY);"
    ) as sides:
        assert schema_of(document(sides, capsys)) == {
            ("column", "t", "c", "storage"),
            ("column", "t", "c", "compression"),
            ("column", "t", "c", "statistics"),
            ("column", "t", "c", "planner options"),
            ("table", "t", "t", "toast options"),
            ("column", "t", "id", "position"),
            ("column", "t", "d", "position"),
            ("grant", "", "PUBLIC on type e", "added"),
        }
        copy = restored(either, sides[0][1], either)
        found = document((sides[0], (either, copy)), capsys)
        assert (found["verdict"], found["schema"]) == ("same", [])
        either.sql("ALTER TABLE t ADD x int; ALTER TABLE t DROP d", copy)
        assert {c[2:] for c in schema_of(document((sides[0], (either, copy)), capsys))} == {
            ("x", "added"),
            ("d", "removed"),
        }
        either.drop(copy)


def test_the_locale_of_the_database_is_named(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Another provider, locale or encoding makes the same query answer differently: the databases are
    different.
    """
    name = f"{server.create()}_c"
    server.sql(
        f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' "
        f"LOCALE 'C'"
    )
    server.sql(NOTHING, name)
    with made(server, NOTHING, NOTHING) as sides:
        code, said = diff(((server, name), sides[1]), capsys)
        assert code == 1
        assert "locale provider of the database (builtin before, libc after)" in said
    server.drop(name)


def test_every_catalogue_and_column_has_its_place(either: Server) -> None:
    """Each catalogue of the server is compared, counted, or left aside for a reason; each column of one
    that is compared is read, printed by a function of the server, or left aside for a reason. What a new
    version adds has no place, and is found here."""
    rows = either.sql(
        "SELECT c.relname::text, array_agg(a.attname::text) FROM pg_class c JOIN pg_attribute a ON "
        "a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped "
        "GROUP BY 1"
    )
    counted = {catalogue for kind in NOT_READ for catalogue in kind.catalogues}
    assert {name for name, _ in rows} - COLUMNS.keys() - counted - ASIDE.keys() == set()
    known = {name: " ".join(groups.values()).split() for name, groups in COLUMNS.items()}
    assert all(len(columns) == len(set(columns)) for columns in known.values())
    assert {
        f"{name}.{c}" for name, columns in rows if name in COLUMNS for c in columns if c not in known[name]
    } == set()
    texts = "\n".join(p.read_text() for p in (ROOT / "kisaan_validate/postgres/sql/schema").glob("*.sql"))
    for groups in COLUMNS.values():
        for how, columns in groups.items():
            words = columns.split() if how == READ else re.findall(r"pg_get_\w+|\w+_description", how)
            assert [w for w in words if not re.search(rf"\b{w}\b", texts)] == []


def test_every_class_that_the_server_can_name_has_its_place(either: Server) -> None:
    """Whatever can stand in pg_depend or pg_shdepend as an object has a catalogue with an oid: all of them
    are placed.
    """
    rows = either.sql(
        "SELECT DISTINCT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND "
        "a.attname = 'oid' "
        "WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'"
    )
    counted = {catalogue for kind in NOT_READ for catalogue in kind.catalogues}
    homes = [COLUMNS.keys(), counted, ASIDE.keys()]
    assert {name: sum(name in home for home in homes) for (name,) in rows} == {name: 1 for (name,) in rows}


def test_the_documentation_lists_what_is_compared() -> None:
    """docs/diff.md says of each kind whether it is compared or only counted: the table of the code, no
    more and no less.
    """
    text = (ROOT / "docs" / "diff.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (compared|compared, of the database|counted|counted, not judged) \| (.+) \|$", text, re.M
    )
    listed = [(kind, how) for how, kinds in rows for kind in kinds.split("; ")]
    wanted = [(kind, "compared") for kind in OBJECT_KINDS] + [
        (name, "compared, of the database") for name in OF_DATABASE
    ]
    wanted += [(kind.name, "counted" if kind.content else "counted, not judged") for kind in NOT_READ]
    assert listed == wanted


def test_a_run_beside_a_baseline_names_what_was_not_compared(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On console, page and JSON; where a number differs, nobody can tell what changed; a baseline of an
    earlier version is said to lack what that version did not read, and makes nothing seem changed."""
    database = server.create(
        NOTHING + KINDS.split("CREATE CAST")[0] + "CREATE SCHEMA audit; CREATE TABLE audit.a ()"
    )
    suite = suite_of(unique("t", ("id",), id="t.id.unique"), settings=settings())
    first = prove(server, database, suite, count_all=True)
    baseline = baseline_of(first)
    same = judge(prove(server, database, suite, count_all=True, baseline=baseline), baseline)
    assert same.diff is not None
    assert {"publications", "large objects", "other schemas"} <= {n.what for n in same.diff.not_compared}
    assert (same.diff.changes, same.untold) == ((), ())
    print_run(same, None, quiet=False, verbose=False)
    assert "not compared  publications (1), large objects (1)" in capsys.readouterr().out
    assert "publications (1)" in render_html(same)
    assert '"what": "publications"' in judged_to_json(same)
    server.sql("DROP PUBLICATION p; SELECT lo_from_bytea(0, 'x')", database)
    gone = judge(prove(server, database, suite, count_all=True, baseline=baseline), baseline)
    assert [(u.what, u.reason) for u in gone.untold] == [
        ("publications", "1 before, 0 after; only their number is compared")
    ]
    kept = [
        replace(
            o,
            facts={
                k: v
                for k, v in o.facts.items()
                if (o.kind, k) not in BY_EARLIER_VERSIONS | {("column", "position")}
            },
        )
        for o in baseline.objects
        if o.kind not in (COUNTED, DATABASE) and " on type " not in o.name
    ]
    old = judge(first, replace(baseline, objects=tuple(kept)))
    assert old.diff is not None
    assert old.diff.changes == ()
    assert ["an earlier version" in n.before for n in old.diff.not_compared] == [True]
    server.drop(database)
