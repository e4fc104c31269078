"""A constraint that rows break enforces nothing: it was bypassed, and that is what is said of it."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import results

from kisaan_validate import declare
from kisaan_validate.facts.result import Status
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.report.console import print_run
from kisaan_validate.report.formats import BUILT_IN, find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import suite_of
from kisaan_validate.verdict.judgement import judge

GUARD = "CREATE FUNCTION ok(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0';"
WAYS = {
    "a CHECK whose function was replaced": (
        (
            f"{GUARD} CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT guard CHECK (ok(a)));"
            "INSERT INTO t VALUES (1, 5); CREATE OR REPLACE FUNCTION ok(int) RETURNS boolean IMMUTABLE "
            "LANGUAGE sql AS 'SELECT true';"
            "INSERT INTO t VALUES (2, -5); CREATE OR REPLACE FUNCTION ok(int) RETURNS boolean IMMUTABLE "
            "LANGUAGE sql AS 'SELECT $1 > 0'"
        ),
        declare.holds("t", "ok(a)", id="c"),
        "guard",
    ),
    "a foreign key whose triggers did not fire": (
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT "
            "belongs REFERENCES p (id));"
            "SET session_replication_role = replica; INSERT INTO t VALUES (1, 9)"
        ),
        declare.references("t", "a", "p", id="c"),
        "belongs",
    ),
    "a unique index that does not know a row": (
        (
            "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CONSTRAINT once UNIQUE); INSERT INTO t "
            "VALUES (1, 7);"
            "UPDATE pg_index SET indisready = false WHERE indexrelid = 'once'::regclass; INSERT INTO t "
            "VALUES (2, 7);"
            "UPDATE pg_index SET indisready = true WHERE indexrelid = 'once'::regclass"
        ),
        declare.unique("t", "a", id="c"),
        "once",
    ),
    "a NOT NULL set by hand": (
        (
            "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, NULL);"
            "UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 't'::regclass AND attname = 'a'"
        ),
        pa.DataFrameSchema({"a": pa.Column("int32")}, name="t"),
        "NOT NULL",
    ),
}


@pytest.mark.parametrize("which", ["server", "server15"])
@pytest.mark.parametrize("way", WAYS)
def test_what_rows_break_is_said_to_be_bypassed(way: str, which: str, request: pytest.FixtureRequest) -> None:
    """Whatever stands in the catalogue: a failing check names no enforcer, on no output; it says which was
    bypassed.
    """
    server: Server = request.getfixturevalue(which)
    ddl, declared, name = WAYS[way]
    database = server.create(ddl)
    suite = suite_of(declared)
    judged = judge(run(suite, server.dsn(database), options=Options(jobs=1)))
    (found,) = [r for r in judged.run.results if r.violations]
    assert (found.status, found.violations, found.enforced_by) == (Status.FAIL, 1, "")
    assert found.message == f"{name} is declared and was bypassed"
    with redirect_stdout(io.StringIO()) as out:
        print_run(judged, None, quiet=False, verbose=True)
    check = next(c for c in judged.run.checks if c.id == found.check_id)
    shown = " ".join(out.getvalue().split())
    assert check.claim in shown
    assert f"{name} is declared and was bypassed" in shown
    page = render_html(judged)
    assert f"{name} is declared and was bypassed" in page
    assert f"<dt>Enforced by</dt><dd>{name}" not in page
    assert f"Enforced by: {name}" not in page
    for format in BUILT_IN:
        assert "was bypassed" in find_format(format).render(judged), format
    server.drop(database)


def test_a_constraint_that_holds_is_still_named(server: Server) -> None:
    """The same constraint, unbroken, is what keeps the rule true."""
    database = server.create(
        f"{GUARD} CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT guard CHECK (ok(a))); INSERT INTO "
        f"t VALUES (1, 5)"
    )
    (found,) = results(server, database, declare.holds("t", "ok(a)", id="c")).values()
    assert (found.status, found.enforced_by, found.message) == (Status.PASS, "guard", "")
    server.drop(database)
