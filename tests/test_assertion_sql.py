"""SQL written by a suite's author: one SELECT and nothing else.

What is not one plain SELECT is refused while the suite is loaded, with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from assertion_traps import asked, asked_together, trapped
from conftest import Server
from helpers import assertion, folder_results, refusal, write_suite

from kisaan_validate.facts.result import Result, Status
from kisaan_validate.sql.assertion import parse_select
from kisaan_validate.sql.reading import tables_read


@pytest.fixture(scope="module")
def traps(server: Server) -> Iterator[str]:
    """A database full of ways to reach a volatile function."""
    yield from trapped(server)


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


@pytest.fixture(scope="module")
def together(server: Server, traps: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """The results of all ordinary assertions, from one run of one suite."""
    return asked_together(server, traps, tmp_path_factory.mktemp("together"), PLAIN)


@pytest.mark.parametrize("name", PLAIN)
def test_ordinary_selects_run(name: str, together: dict[str, Result]) -> None:
    """An ordinary SELECT runs as it is written: the defences cost no honest author anything."""
    found = together[name]
    assert (found.status, found.violations) == (Status.PASS, 0), found


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
