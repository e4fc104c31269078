"""No volatile function that was not allowed by name is called by SQL of a suite's author.

What may call one is not run: its result is an ERROR that names the function. No test may see the text of
``evil()``'s own exception: that would mean it ran.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from assertion_traps import EVIL, asked, asked_together, trapped
from conftest import Server

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.sql.assertion import calls_of, parse_select


@pytest.fixture(scope="module")
def traps(server: Server) -> Iterator[str]:
    """A database full of ways to reach a volatile function."""
    yield from trapped(server)


DISGUISES = {
    "plain": ("SELECT evil(1) AS id", "evil"),
    "upper case": ("SELECT EVIL(1) AS id", "evil"),
    "quoted": ('SELECT "evil"(1) AS id', "evil"),
    "schema": ("SELECT public.evil(1) AS id", "evil"),
    "quoted schema": ('SELECT "public" . "evil" (1) AS id', "evil"),
    "a comment before the parenthesis": ("SELECT evil/* */(1) AS id", "evil"),
    "a line before the parenthesis": ("SELECT evil -- x\n(1) AS id", "evil"),
    "behind a comment that a carriage return ends": ("SELECT 1 -- x\r, evil(1) AS id", "evil"),
    "behind a closed nested comment": ("SELECT 1 /* /* */ */, evil(1) AS id", "evil"),
    "between strings with backslashes": ("SELECT '\\', evil(1) AS id, '\\'", "evil"),
    "between names with backslashes": ('SELECT 1 AS "a\\", evil(1) AS id, 1 AS "b\\"', "evil"),
    "other letters": ('SELECT "Évil Name"(1) AS id', "Évil Name"),
    "a name longer than the server keeps": (f"SELECT {'e' * 70}(1) AS id", "e" * 63),
    "in FROM": ("SELECT id FROM evil(1) AS id", "evil"),
    "in ROWS FROM": ("SELECT id FROM ROWS FROM (evil(1)) AS f (id)", "evil"),
    "LATERAL": ("SELECT t.id FROM t, LATERAL evil(t.a) AS e", "evil"),
    "in ORDER BY": ("SELECT id FROM t ORDER BY evil(a)", "evil"),
    "in LIMIT": ("SELECT id FROM t LIMIT evil(1)", "evil"),
    "in a filter": ("SELECT count(*) FILTER (WHERE evil(a) = 1) AS id FROM t", "evil"),
    "in VALUES": ("SELECT id FROM (VALUES (evil(1))) AS v (id)", "evil"),
    "in WITH": ("WITH x AS MATERIALIZED (SELECT evil(1) AS id) SELECT id FROM x", "evil"),
    "in an EXISTS": ("SELECT id FROM t WHERE EXISTS (SELECT evil(1))", "evil"),
    "attribute of a row": ("SELECT t.row_evil AS id FROM t", "row_evil"),
    "attribute of a row in parentheses": ("SELECT (t).row_evil AS id FROM t", "row_evil"),
    "attribute of a number": ("SELECT (1).evil AS id", "evil"),
    "attribute with a default argument": ("SELECT (t.*).any_evil AS id FROM t", "any_evil"),
    "quoted attribute": ('SELECT (t)."row_evil" AS id FROM t', "row_evil"),
    "built-in by attribute": ("SELECT 1 AS id WHERE (0).pg_sleep IS NULL", "pg_sleep"),
    "an aggregate's parts": ("SELECT evil_sum(a) AS id FROM t", "evil_sum"),
    "a default argument": ("SELECT shrewd(1) AS id", "shrewd"),
    "an operator": ("SELECT 1 OPERATOR(public.<+>) 2 AS id", "<+>"),
    "an operator that looks built in": ("SELECT 1 #> 2 AS id", "#>"),
    "a cast": ("SELECT ROW(1)::coin::int AS id", "coin"),
    "a cast in words": ("SELECT CAST(5 AS coin) AS id", "coin"),
    "a cast as a function": ("SELECT coin(5) AS id", "coin"),
    "a cast to a type of two names": ("SELECT CAST(CAST(NULL AS purse) AS integer) AS id", "int4"),
    "a domain's check": ("SELECT 1::guarded AS id", "guarded"),
    "a domain inside a row": (
        "SELECT (jsonb_populate_record(NULL::purse, '{\"inside\": 1}')).inside AS id",
        "purse",
    ),
    "a view": ("SELECT id, a FROM peep", "evil"),
    "a view of a view": ("SELECT id, a FROM peep_again", "evil"),
    "a view by schema and quotes": ('SELECT id, a FROM public."peep"', "evil"),
    "a view with an odd name": ('SELECT id, a FROM "Odd.View"', "evil"),
    "a view with ONLY": ("SELECT id, a FROM ONLY peep", "evil"),
    "a view behind its own name in WITH": (
        "WITH peep AS (SELECT id, a FROM peep) SELECT id, a FROM peep",
        "evil",
    ),
    "a view beside a WITH of its name": (
        "SELECT p.id, p.a FROM peep AS p, (WITH peep AS (SELECT 1 AS one) SELECT one FROM peep) AS q",
        "evil",
    ),
    "a view before the WITH of its name": (
        "WITH x AS (SELECT id, a FROM peep), peep AS (SELECT 1) SELECT id, a FROM x",
        "evil",
    ),
    "a view by a built-in that reads tables": (
        "SELECT table_to_xml('peep'::regclass, true, false, '')::text AS id",
        "table_to_xml",
    ),
    "a whole schema": ("SELECT schema_to_xml('public', true, false, '')::text AS id", "schema_to_xml"),
    "SQL in a string": ("SELECT query_to_xml('SELECT evil(1)', true, false, '')::text AS id", "query_to_xml"),
    "SQL in a string for ts_stat": (
        "SELECT word AS id FROM ts_stat('SELECT evil(1)::text::tsvector')",
        "ts_stat",
    ),
    "lo_export": ("SELECT lo_export(1, '/tmp/x') AS id", "lo_export"),
    "lo_import": ("SELECT lo_import('/etc/passwd') AS id", "lo_import"),
    "pg_terminate_backend": ("SELECT pg_terminate_backend(0) AS id", "pg_terminate_backend"),
    "pg_terminate_backend in disguise": (
        'SELECT "pg_catalog"."pg_terminate_backend"(0) AS id',
        "pg_terminate_backend",
    ),
    "pg_cancel_backend": ("SELECT PG_CATALOG.PG_CANCEL_BACKEND(0) AS id", "pg_cancel_backend"),
    "pg_sleep": ("SELECT 1 AS id WHERE pg_sleep(0) IS NULL", "pg_sleep"),
    "pg_sleep_for": ("SELECT 1 AS id WHERE pg_sleep_for('0 s') IS NULL", "pg_sleep_for"),
    "set_config": ("SELECT set_config('row_security', 'on', true) AS id", "set_config"),
    "nextval": ("SELECT nextval('numbers') AS id", "nextval"),
    "setval": ("SELECT setval('numbers', 5) AS id", "setval"),
    "pg_read_file": ("SELECT pg_read_file('PG_VERSION') AS id", "pg_read_file"),
    "pg_ls_dir": ("SELECT id FROM pg_ls_dir('.') AS id", "pg_ls_dir"),
    "pg_advisory_lock": ("SELECT pg_advisory_lock(1)::text AS id", "pg_advisory_lock"),
    "pg_notify": ("SELECT pg_notify('x', 'y')::text AS id", "pg_notify"),
    "random": ("SELECT id FROM t WHERE random() < 0.5", "random"),
    "clock_timestamp": ("SELECT id FROM t WHERE at > clock_timestamp()", "clock_timestamp"),
    "gen_random_uuid": ("SELECT gen_random_uuid() AS id", "gen_random_uuid"),
    "txid_current": ("SELECT txid_current() AS id", "txid_current"),
}


@pytest.fixture(scope="module")
def together(server: Server, traps: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """The results of all disguised assertions, from one run of one suite."""
    disguised = {name: sql for name, (sql, _) in DISGUISES.items()}
    return asked_together(server, traps, tmp_path_factory.mktemp("together"), disguised)


@pytest.mark.parametrize("name", DISGUISES)
def test_a_volatile_function_is_named_and_not_run(name: str, together: dict[str, Result]) -> None:
    """Whatever could call a volatile function is an ERROR that names it; the function never runs."""
    found, named = together[name], DISGUISES[name][1]
    assert found.status is Status.ERROR
    assert found.message.startswith("calls the volatile "), found.message
    assert named in found.message
    assert "evil ran" not in found.message
    assert named in found.hint


def test_what_every_disguise_would_have_done(server: Server, traps: str) -> None:
    """The traps are armed: without the look-up, the server itself runs ``evil()`` for each disguise of it."""
    connection = server.connect(traps)
    ran = []
    with connection.cursor() as cursor:
        for name, (sql, named) in DISGUISES.items():
            if "evil" not in named.lower() and named not in {
                "shrewd",
                "<+>",
                "#>",
                "coin",
                "guarded",
                "purse",
            }:
                continue
            try:
                cursor.execute(f"SELECT count(*), max(v::text) FROM (\n{sql}\n) AS v")
            except psycopg2.Error as error:
                if error.pgcode == "KV001":
                    ran.append(name)
    connection.close()
    assert len(ran) >= 35, ran


def test_dblink_is_refused(server: Server, tmp_path: Path) -> None:
    """A function of an extension is looked up like any other."""
    database = server.create("CREATE EXTENSION dblink; CREATE EXTENSION tablefunc")
    found = asked(server, database, tmp_path, "SELECT id FROM dblink('', 'SELECT 1') AS d (id integer)")
    assert (found.status, found.message) == (Status.ERROR, "calls the volatile dblink")
    found = asked(server, database, tmp_path, "SELECT id FROM crosstab('SELECT pg_sleep(9)') AS d (id text)")
    assert (found.status, found.message) == (Status.ERROR, "calls the volatile crosstab")
    server.drop(database)


COIN = """
CREATE TYPE coin AS (n integer);
CREATE TABLE t (id integer PRIMARY KEY, c coin);
INSERT INTO t VALUES (1, ROW(1));
CREATE FUNCTION melt(coin) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE FUNCTION same(coin, coin) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT evil(1) = 1';
"""


WITHOUT_A_NAME = {
    "an implicit cast": (
        "CREATE CAST (coin AS integer) WITH FUNCTION melt(coin) AS IMPLICIT",
        "SELECT id FROM t WHERE abs(c) = 1",
        (
            "a user-defined cast converts coin to integer by melt(coin) and would be used in place of "
            "PostgreSQL's: drop the cast"
        ),
    ),
    "equality behind IN": (
        "CREATE OPERATOR = (LEFTARG = coin, RIGHTARG = coin, FUNCTION = same)",
        "SELECT id FROM t WHERE c IN (ROW(1)::coin)",
        "calls the volatile =",
    ),
    "LIKE": (
        "CREATE OPERATOR ~~ (LEFTARG = coin, RIGHTARG = coin, FUNCTION = same)",
        "SELECT id FROM t WHERE c LIKE ROW(1)::coin",
        "calls the volatile ~~",
    ),
}


@pytest.mark.parametrize(("schema", "sql", "named"), WITHOUT_A_NAME.values(), ids=WITHOUT_A_NAME.keys())
def test_what_is_called_without_being_named(
    schema: str, sql: str, named: str, server: Server, database: str, tmp_path: Path
) -> None:
    """An implicit cast and the operator behind a word are found too, though no text names them."""
    server.sql(EVIL + COIN + schema, database)
    with pytest.raises(psycopg2.Error, match="evil ran"):
        server.sql(sql, database)
    found = asked(server, database, tmp_path, sql)
    assert (found.status, found.message) == (Status.ERROR, named)


ALLOWED = {
    "clock_timestamp": "SELECT id FROM t WHERE at > clock_timestamp()",
    "random": "SELECT id FROM t WHERE random() > 2",
    "pg_sleep": "SELECT id FROM t WHERE id > 5 AND pg_sleep(0) IS NULL",
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_volatile_function_allowed_by_name_runs(
    name: str, server: Server, traps: str, tmp_path: Path
) -> None:
    """``-- volatile: name`` allows that function, and no other."""
    found = asked(server, traps, tmp_path, ALLOWED[name], volatile=name)
    assert (found.status, found.violations) == (Status.PASS, 0)
    other = asked(server, traps, tmp_path, ALLOWED[name], volatile="timeofday")
    assert other.status is Status.ERROR


def test_an_allowed_function_is_really_called(server: Server, traps: str, tmp_path: Path) -> None:
    """What the author allows by name runs: the refusal was the look-up's, not an inability."""
    found = asked(server, traps, tmp_path, "SELECT evil(1) AS id", volatile="evil")
    assert (found.status, found.sqlstate, found.message) == (Status.ERROR, "KV001", "evil ran")


def test_a_write_fails_even_if_allowed(server: Server, traps: str, tmp_path: Path) -> None:
    """Behind the look-up stands the read-only transaction: even an allowed function writes nothing."""
    found = asked(server, traps, tmp_path, "SELECT nextval('numbers') AS id", volatile="nextval")
    assert (found.status, found.sqlstate) == (Status.ERROR, "25006")
    assert server.sql("SELECT is_called FROM numbers", traps) == [(False,)]


def test_hiding_places(server: Server, traps: str) -> None:
    """For every text that the server would run ``evil()`` for: it is refused, or the call is seen.

    All pairs of an opening and a closing that could make two lexers disagree about where strings, names and
    comments end. The server is the judge of what is code.
    """
    openings = [
        "",
        "'",
        "''",
        "'\\'",
        '"',
        '""',
        '"\\"',
        "$$",
        "$x$",
        "$é$",
        "x$x$",
        "1$x$",
        "\u00a0$x$",
        "--",
        "--\r",
        "--\n",
        "--\u2028",
        "/*",
        "/**/",
        "/*/",
        "/* /* */",
        "/*\r*/",
        "E'",
        "e'\\'",
        "xE'\\'",
        "é'",
        "B'",
        "b'\\",
        "X'",
        "N'\\'",
        "n'",
        "U&'",
        "U&'\\",
        'U&"',
        "{#",
        "#",
        "#>",
        "--+",
        "/*+",
        "`",
        "\\",
        "[",
        "r'\\'",
        "'x' 'y",
        "''''",
        "'\n'",
        "Q'",
        "😀$😀$",
        "'$$'",
        "'--'",
    ]
    closings = [
        "",
        "'",
        "''",
        "\\'",
        '"',
        '""',
        "$$",
        "$x$",
        "$é$",
        "x$x$",
        "\u00a0$x$",
        "*/",
        "*/ */",
        "/* */ */",
        "\n",
        "\r",
        "\n'",
        "'''",
        "-- '",
        "--'\n",
        "#}",
        "`",
        "]",
        "\\''",
        "'--",
        "'/*",
        "*/'",
        "$😀$",
        "E'",
        "/*/ */",
        "-- $x$",
        '-- "',
        'AS "x"',
        "::text",
        "|| 'a'",
        "+ 1",
    ]
    connection = server.connect(traps)
    ran = seen = 0
    with connection.cursor() as cursor:
        for opening, closing in itertools.product(openings, closings):
            sql = f"SELECT 1 {opening}, evil(1) {closing}"
            try:
                cursor.execute(f"SELECT count(*), max(v::text) FROM (\n{sql}\n) AS v")
                continue
            except psycopg2.Error as error:
                if error.pgcode != "KV001":
                    continue
            ran += 1
            try:
                parse_select(sql, "here")
                assert "evil" in calls_of(sql, "here").called, sql
                seen += 1
            except SuiteError:
                continue
    connection.close()
    assert ran > 50
    assert seen > 5
