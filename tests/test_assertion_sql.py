"""SQL written by a suite's author: one SELECT and nothing else, and no volatile function that was not
allowed by name.

Two lines of defence are shown. What is not one plain SELECT is refused while the suite is loaded, with
file and line. What may call a volatile function is not run: its result is an ERROR that names the
function. No test may see the text of ``evil()``'s own exception: that would mean it ran.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import Server
from helpers import assertion, folder_results, refusal, result, results, settings, write_suite

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.sql.assertion import calls_of, parse_select
from kisaan_validate.sql.reading import tables_read

EVIL = """
CREATE FUNCTION evil(integer DEFAULT 1) RETURNS integer LANGUAGE plpgsql VOLATILE AS
  $$ BEGIN RAISE EXCEPTION 'evil ran' USING ERRCODE = 'KV001'; END $$;
"""

SCHEMA = f"""
CREATE TABLE t (id integer PRIMARY KEY, a integer, s text, j jsonb, at timestamptz);
INSERT INTO t VALUES (1, 1, 'x', '{{}}', now()), (2, NULL, NULL, NULL, NULL);
CREATE TABLE kid (id integer PRIMARY KEY, t_id integer, n integer);
INSERT INTO kid VALUES (1, 1, 1);
CREATE SEQUENCE numbers;
{EVIL}
CREATE FUNCTION "Évil Name"(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE FUNCTION shrewd(a integer, b integer DEFAULT evil(2)) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1';
CREATE FUNCTION {"e" * 63}(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE FUNCTION row_evil(t) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE FUNCTION any_evil(anyelement, integer DEFAULT 0) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE AGGREGATE evil_sum(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE OPERATOR <+> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = step);
CREATE OPERATOR #> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = step);
CREATE TYPE coin AS (n integer);
CREATE FUNCTION melt(coin) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE CAST (coin AS integer) WITH FUNCTION melt(coin);
CREATE FUNCTION mint(integer) RETURNS coin LANGUAGE sql VOLATILE AS 'SELECT ROW(evil(1))::coin';
CREATE CAST (integer AS coin) WITH FUNCTION mint(integer);
CREATE DOMAIN guarded AS integer CHECK (evil(VALUE) > 0);
CREATE TYPE purse AS (inside guarded);
CREATE VIEW peep AS SELECT id, evil(a) AS a FROM t;
CREATE VIEW peep_again AS SELECT * FROM peep;
CREATE VIEW fine AS SELECT id, upper(s) AS s FROM t WHERE at < now();
CREATE VIEW "Odd.View" AS SELECT id, evil(a) AS a FROM t;
"""


@pytest.fixture(scope="module")
def traps(server: Server) -> Iterator[str]:
    """A database full of ways to reach a volatile function."""
    name = server.create(SCHEMA)
    yield name
    server.drop(name)


def asked(server: Server, database: str, folder: Path, sql: str, **header: str) -> Result:
    """The result of one assertion file."""
    write_suite(folder, {"sql/a.sql": assertion(sql, **header)})
    return folder_results(server, database, folder)["t.assertion"]


NOT_ONE_SELECT = {
    "two statements": "SELECT id FROM t; SELECT id FROM t",
    "out of the parentheses and back": "SELECT 1) AS v; DROP TABLE t; SELECT * FROM (SELECT 1 AS id",
    "out of the parentheses without a semicolon": "SELECT 1 AS id) AS v, evil(1) AS w, (SELECT 1",
    "delete": "DELETE FROM t",
    "update": "UPDATE t SET a = 1",
    "insert": "INSERT INTO t (id) VALUES (9) RETURNING id",
    "merge": "MERGE INTO t USING kid ON t.id = kid.id WHEN MATCHED THEN DELETE",
    "truncate": "TRUNCATE t",
    "delete in WITH": "WITH d AS (DELETE FROM t RETURNING id) SELECT id FROM d",
    "update in WITH": "WITH d AS (UPDATE t SET a = 2 RETURNING id) SELECT id FROM d",
    "insert in WITH": "WITH d AS (INSERT INTO t (id) VALUES (9) RETURNING id) SELECT id FROM d",
    "delete in a nested WITH": "SELECT id FROM (WITH d AS (DELETE FROM t RETURNING id) SELECT id FROM d) AS q",
    "copy to a program": "COPY (SELECT 1) TO PROGRAM 'touch x'",
    "copy from": "COPY t FROM '/etc/passwd'",
    "do": "DO 'BEGIN END'",
    "call": "CALL anything()",
    "select into": "SELECT id INTO stolen FROM t",
    "select into temp": "SELECT id INTO TEMP stolen FROM t",
    "create table as": "CREATE TABLE stolen AS SELECT id FROM t",
    "for update": "SELECT id FROM t FOR UPDATE",
    "for no key update": "SELECT id FROM t FOR NO KEY UPDATE",
    "for share, with a comment between": "SELECT id FROM t FOR /* x */ SHARE",
    "for key share in a subquery": "SELECT id FROM (SELECT id FROM t FOR KEY SHARE) AS q",
    "values": "VALUES (1)",
    "table": "TABLE t",
    "table in a union": "SELECT id, a FROM t UNION TABLE peep",
    "explain": "EXPLAIN ANALYZE SELECT evil(1)",
    "set": "SET search_path = public",
    "show": "SHOW data_directory",
    "begin": "BEGIN",
    "execute": "EXECUTE prepared",
    "prepare": "PREPARE p AS SELECT 1",
    "listen": "LISTEN x",
    "lock": "LOCK TABLE t",
    "nothing but a comment": "/* SELECT 1 AS id */",
    "an unclosed comment": "SELECT 1 AS id /* and so on",
    "an unclosed string": "SELECT 1 AS id WHERE 'x",
    "dollar quotes": "SELECT $$x$$ AS id",
    "dollar quotes with a tag": "SELECT $tag$ ' $tag$, evil(1), $tag$ ' $tag$",
    "a dollar in a name": "SELECT 1 AS a$x$, evil(1) AS id$x$",
    "a dollar quote behind a no-break space": "SELECT 1 AS\u00a0$x$, evil(1) AS id --$x$",
    "an escape string": "SELECT E'\\'', evil(1) AS id, '",
    "an escape string, continued": "SELECT E'a'\n'\\'', evil(1) AS id, '",
    "unicode escapes in a name": 'SELECT U&"\\0065vil"(1) AS id',
    "unicode escapes with another escape": "SELECT U&\"!0065vil\" UESCAPE '!' AS id",
    "unicode escapes in a string": "SELECT U&'\\0027' AS id",
    "a bare name of other letters": "SELECT évil(1) AS id",
    "a bare name of signs": "SELECT 😀(1) AS id",
    "a form feed": "SELECT\fevil(1) AS id",
    "a vertical tab": "SELECT evil\v(1) AS id",
    "a backslash": "SELECT 1 AS id \\! touch x",
    "a parameter": "SELECT $1 AS id",
    "a named parameter": "SELECT :x AS id",
    "a template": "SELECT 1 {# , evil(1) #} AS id",
    "an unknown operator": "SELECT 1 <+> 2 AS id",
}


@pytest.mark.parametrize("sql", NOT_ONE_SELECT.values(), ids=NOT_ONE_SELECT.keys())
def test_only_one_select_is_loaded(sql: str, tmp_path: Path) -> None:
    """Anything but one SELECT is refused while the suite is loaded, with the file and the line where it
    begins.
    """
    error = refusal(tmp_path, {"sql/a.sql": assertion(sql)})
    assert error.origin == "sql/a.sql:3"
    assert error.fact.startswith("sql/a.sql:3: ")


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    """A NUL, at which the server's reading would end, is refused even inside a string."""
    assert "NUL" in refusal(tmp_path, {"sql/a.sql": assertion("SELECT 'a\x00b' AS id")}).fact


PLAIN = {
    "now": "SELECT id FROM t WHERE at > now()",
    "statement_timestamp": "SELECT id FROM t WHERE at > statement_timestamp()",
    "current_timestamp": "SELECT id FROM t WHERE at > CURRENT_TIMESTAMP",
    "join": "SELECT k.id FROM kid AS k JOIN t ON t.id = k.t_id WHERE k.n > t.a",
    "with": "WITH x AS (SELECT id FROM t WHERE a > 5) SELECT id FROM x",
    "with recursive": "WITH RECURSIVE x AS (SELECT 9 AS id UNION ALL SELECT id + 1 FROM x WHERE id < 9) "
    "SELECT id FROM x "
    "WHERE id < 0",
    "window": "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY a ORDER BY id) AS n FROM t) AS "
    "q WHERE n > 1",
    "exists": "SELECT id FROM t WHERE a = 7 AND NOT EXISTS (SELECT FROM kid WHERE kid.t_id = t.id)",
    "values in FROM": "SELECT v.id FROM (VALUES (1), (2)) AS v (id) WHERE v.id > 5",
    "union": "SELECT id FROM t WHERE id > 5 UNION ALL SELECT id FROM kid WHERE id > 5",
    "lateral": "SELECT t.id FROM t, LATERAL (SELECT n FROM kid WHERE kid.t_id = t.id) AS l WHERE l.n > 5",
    "jsonb": "SELECT id FROM t WHERE j ? 'x' OR j @> '{\"a\": 1}' OR j ->> 'b' = 'c'",
    "casts": "SELECT id FROM t WHERE a::numeric(10,2) > 5 OR CAST(s AS varchar(3)) = 'zzz'",
    "filter": "SELECT a AS id FROM t GROUP BY a HAVING count(*) FILTER (WHERE s IS NULL) > 5",
    "distinct on": "SELECT DISTINCT ON (a) id FROM t WHERE id > 5 ORDER BY a, id",
    "fetch first": "SELECT id FROM t WHERE id > 5 ORDER BY id FETCH FIRST 3 ROWS ONLY",
    "a semicolon in a string": "SELECT id FROM t WHERE s = ';'",
    "a dollar in a string": "SELECT id FROM t WHERE s ~ '^\\d+$'",
    "a percent sign": "SELECT id FROM t WHERE s LIKE '100%s%%'",
    "comment signs in a string": "SELECT id FROM t WHERE s = '-- /*'",
    "words in a string": "SELECT id FROM t WHERE s IN ('delete', 'for update', 'pg_sleep(1)', 'evil(1)')",
    "words as quoted names": 'SELECT id, 1 AS "delete" FROM t WHERE id > 5',
    "other letters in strings and quoted names": "SELECT id, 1 AS \"прибыль\" FROM t WHERE s = '₹'",
    "a comment with a volatile call": "SELECT id /* evil(1) /* nested */ pg_sleep(9) */ FROM t WHERE id "
    "> 5 -- evil(2)",
    "a trailing comment": "SELECT id FROM t WHERE id > 5 -- the end",
    "a view that calls nothing volatile": "SELECT id FROM fine WHERE s = 'Y'",
    "a quoted quote": "SELECT id FROM t WHERE s = 'it''s' OR s = ''''",
    "a backslash before the closing quote": "SELECT id FROM t WHERE s = '\\' OR s = 'evil(1)'",
}


@pytest.mark.parametrize("name", PLAIN)
def test_ordinary_selects_run(name: str, together: dict[str, Result]) -> None:
    """An ordinary SELECT runs as it is written: the defences cost no honest author anything."""
    found = together[name]
    assert (found.status, found.violations) == (Status.PASS, 0), found


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
    """The results of all ordinary and all disguised assertions, from one run of one suite."""
    every = PLAIN | {name: sql for name, (sql, _) in DISGUISES.items()}
    files = {f"sql/{n}.sql": assertion(sql, id=f"t.n{n}") for n, sql in enumerate(every.values())}
    found = folder_results(server, traps, write_suite(tmp_path_factory.mktemp("together"), files))
    return {name: found[f"t.n{n}"] for n, name in enumerate(every)}


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


def test_names_of_tables() -> None:
    """A WITH query hides a table only where it can be seen; names fold as PostgreSQL's do."""

    def read(sql: str) -> tuple[str, ...]:
        return tables_read(parse_select(sql, "here"))

    assert read('SELECT 1 FROM A, b.C, "D", b."E e"') == ("a", "b.c", "D", "b.E e")
    assert read("WITH x AS (SELECT 1) SELECT 1 FROM x, y") == ("y",)
    assert read("WITH x AS (SELECT 1 FROM x) SELECT 1 FROM x") == ("x",)
    assert read("WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 1 FROM x) SELECT 1 FROM x") == ()
    assert read("WITH x AS (SELECT 1), y AS (SELECT 1 FROM x) SELECT 1 FROM y, public.x") == ("public.x",)
    assert read("WITH y AS (SELECT 1 FROM x), x AS (SELECT 1) SELECT 1 FROM y, x") == ("x",)
    assert read("SELECT 1 FROM x, (WITH x AS (SELECT 1) SELECT 1 FROM x) AS q") == ("x",)
    assert (
        read("WITH x AS (SELECT 1) SELECT 1 FROM (SELECT 1 FROM x WHERE EXISTS (SELECT FROM x)) AS q") == ()
    )
    assert read('WITH "X" AS (SELECT 1) SELECT 1 FROM x, "X"') == ("x",)
    assert read("SELECT 1 FROM generate_series(1, 2), unnest(ARRAY[1])") == ()


def test_an_alias_of_the_suite_is_replaced_by_the_table_that_exists(
    server: Server, database: str, tmp_path: Path
) -> None:
    """Aliases are resolved wherever the table is meant, not where a WITH query or a column has that name."""
    server.sql(
        "CREATE TABLE old_orders (id integer PRIMARY KEY, orders integer); INSERT INTO old_orders VALUES "
        "(1, 2)",
        database,
    )
    toml = '[aliases]\norders = ["new_orders", "old_orders"]\n'
    for sql in (
        "SELECT id FROM orders",
        "SELECT orders.id FROM orders WHERE orders.orders = 2",
        "SELECT o.id FROM Orders AS o",
        "SELECT id FROM (SELECT * FROM orders) AS q",
        "WITH orders AS (SELECT id + 41 AS id FROM orders) SELECT id - 41 AS id FROM orders",
        "SELECT id FROM orders WHERE orders::text <> 'orders' -- orders",
    ):
        write_suite(tmp_path, {"suite.toml": toml, "sql/a.sql": assertion(sql)})
        found = folder_results(server, database, tmp_path)["t.assertion"]
        assert (found.status, found.violations) == (Status.FAIL, 1), (sql, found)
        assert found.sample == ((("id", "1"),),)


def test_a_missing_table_skips_and_a_condition_excuses(server: Server, traps: str, tmp_path: Path) -> None:
    """A table that is missing makes the check inconclusive, unless ``applies`` says that this may be so."""
    missing = asked(server, traps, tmp_path, "SELECT id FROM nowhere")
    assert (missing.status, missing.message) == (Status.SKIP, "skipped, because table nowhere does not exist")
    excused = asked(server, traps, tmp_path, "SELECT id FROM nowhere", applies="table nowhere")
    assert excused.status is Status.NOT_APPLICABLE
    wrong = asked(server, traps, tmp_path, "SELECT no_such_column AS id FROM t")
    assert (wrong.status, wrong.sqlstate) == (Status.ERROR, "42703")


def test_masked_whatever_the_alias(server: Server, traps: str, tmp_path: Path) -> None:
    """A personal column is masked under another name, out of a subquery, and in a computed output."""
    for sql in (
        "SELECT s AS shown, id FROM t WHERE id = 1",
        "SELECT q.word AS shown, q.id FROM (SELECT s AS word, id FROM t) AS q WHERE id = 1",
        "SELECT upper(s) || '!' AS shown, id FROM t WHERE id = 1",
    ):
        files = {"suite.toml": 'personal = ["t.s"]\n', "sql/a.sql": assertion(sql, shows="shown")}
        found = folder_results(server, traps, write_suite(tmp_path, files))["t.assertion"]
        # What comes out of a subquery cannot be traced: there the key is masked too.
        assert found.sample == ((("id", "•••" if "FROM (" in sql else "1"), ("shown", "•••")),), sql


ESCAPES = {
    "closing the parenthesis": "a > 0) OR (true",
    "a second statement": "a > 0); DROP TABLE t; SELECT (1",
    "a comment that swallows the rest": "a > 0) -- ",
    "another clause": "a > 0) GROUP BY a HAVING (count(*) > 0",
    "a union": "a > 0) UNION SELECT 1 WHERE (a > 0",
    "a subquery": "a IN (SELECT n FROM kid)",
    "an aggregate": "sum(a) > 0",
    "a window": "row_number() OVER () > 0",
    "nothing": "",
    "a dollar quote": "a > 0 AND $$x$$ = s",
    "an unclosed string": "s = '",
}


TEMPLATES = {
    "holds": "declare.holds('t', {text!r})",
    "unique": "declare.unique('t', 'a', where={text!r})",
    "references": "declare.references('kid', 't_id', 't', where={child!r})",
    "agrees": "declare.agrees('kid', 'n', with_='t.a', via='t_id', where={child!r})",
    "holds_with": "declare.holds_with('kid', {child!r}, parent='t', via='t_id')",
    "reconciles": "declare.reconciles('t', 'a', details='kid', detail_column='n', via='t_id', "
    "where={child!r})",
    "details": "declare.reconciles('t', 'a', details='kid', detail_column='n', via='t_id', "
    "detail_where={text!r})",
}
# No condition at all is what the default of ``where`` says: it is wrong only as an expression that must hold.
ATTEMPTS = [(t, e) for t in TEMPLATES for e in ESCAPES if ESCAPES[e] or "where" not in TEMPLATES[t]]


@pytest.mark.parametrize(("template", "escape"), ATTEMPTS)
def test_no_expression_reaches_beyond_itself(template: str, escape: str, tmp_path: Path) -> None:
    """SQL that an author gives to a declaration is one expression over a row: all else is refused at its
    line.
    """
    text = child = ESCAPES[escape]
    for bare in ("a >", "(a)", "a IN", "s ="):
        child = child.replace(bare, bare.replace("a", "child.n").replace("s", "child.n"))
    call = TEMPLATES[template].format(text=text, child=child)
    error = refusal(tmp_path, {"a.py": f"from kisaan_validate import declare\n\n{call}\n"})
    assert error.origin == "a.py:3", error


CALLS: dict[str, tuple[Any, tuple[str, ...], dict[str, str]]] = {
    "holds": (declare.holds, ("t", "a > evil(1)"), {}),
    "unique": (declare.unique, ("t", "a"), {"where": "a > evil(1)"}),
    "references": (declare.references, ("kid", "t_id", "t"), {"where": "child.n > evil(1)"}),
    "agrees": (declare.agrees, ("kid", "n"), {"with_": "t.a", "via": "t_id", "where": "child.n > evil(1)"}),
    "holds_with": (declare.holds_with, ("kid", "child.n > evil(1)"), {"parent": "t", "via": "t_id"}),
    "reconciles": (
        declare.reconciles,
        ("t", "a"),
        {"details": "kid", "detail_column": "n", "via": "t_id", "where": "parent.a > evil(1)"},
    ),
    "reconciles details": (
        declare.reconciles,
        ("t", "a"),
        {"details": "kid", "detail_column": "n", "via": "t_id", "detail_where": "n > evil(1)"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_volatile_functions_in_declarations(name: str, server: Server, traps: str) -> None:
    """Every SQL text of a declaration has its functions looked up, its ``where`` too."""
    function, positional, named = CALLS[name]
    made: Declaration = function(*positional, **named)
    found = result(server, traps, made)
    assert (found.status, found.message) == (Status.ERROR, "calls the volatile evil")


def test_one_refusal_does_not_touch_its_neighbours(server: Server, traps: str) -> None:
    """A refused expression leaves the checks that would have shared its statement alone."""
    found = results(
        server,
        traps,
        declare.holds("t", "a > 0", id="good"),
        declare.holds("t", "evil(a) > 0", id="bad"),
        declare.holds("t", "a > 0 -- a comment", id="comment"),
        settings=settings(),
    )
    assert {id: r.status for id, r in found.items()} == {
        "good": Status.PASS,
        "bad": Status.ERROR,
        "comment": Status.PASS,
    }
