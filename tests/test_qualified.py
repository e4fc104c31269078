"""What the engine itself writes is answered by PostgreSQL's own functions, operators and casts, whatever a
schema holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import every_kind
import pandera.pandas as pa
import psycopg2
import pytest
from conftest import Server
from gates import answers
from helpers import examples, measuring
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.result import Evidence, Status
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.prove.run import run
from kisaan_validate.rules.base import CatalogRule, Rule
from kisaan_validate.sql.qualify import NotUnderstood, authored, qualified
from kisaan_validate.suite.load import Suite, suite_of

Sent = list[tuple[str, Any]]
"""Statements with their parameters, in the order in which they were sent."""


def recorded(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Sent:
    """What ``work`` sends to servers; each statement once."""
    sent: dict[tuple[str, str], Any] = {}
    execute, copy_out = Session.execute, Session.copy_out

    def executing(self: Session, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
        sent.setdefault((sql, repr(parameters)), parameters)
        return execute(self, sql, parameters)

    def copying(self: Session, sql: str, write: Callable[[bytes], object]) -> None:
        sent.setdefault((sql, "None"), None)
        copy_out(self, sql, write)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "execute", executing)
        patched.setattr(Session, "copy_out", copying)
        work()
    return [(sql, parameters) for (sql, _), parameters in sent.items()]


CLONES = """
SET allow_system_table_mods = on;
CREATE SCHEMA lies;
DO $$
DECLARE columns text; lies oid := 'lies'::regnamespace; own oid := 'pg_catalog'::regnamespace;
BEGIN
    SELECT string_agg(CASE attname WHEN 'oid' THEN 'oid::int8::int4 + 1000000' WHEN 'pronamespace' THEN lies::text
                      WHEN 'proacl' THEN '''{postgres=X/postgres}''' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
        INTO columns FROM pg_attribute WHERE attrelid = 'pg_proc'::regclass AND attnum > 0;
    EXECUTE format('INSERT INTO pg_proc SELECT %s FROM pg_proc WHERE pronamespace = %s', columns, own);
    SELECT string_agg(CASE attname WHEN 'aggfnoid' THEN 'aggfnoid::oid::int8::int4 + 1000000' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
        INTO columns FROM pg_attribute WHERE attrelid = 'pg_aggregate'::regclass AND attnum > 0;
    EXECUTE format('INSERT INTO pg_aggregate SELECT %s FROM pg_aggregate WHERE aggfnoid::oid < 16384', columns);
    SELECT string_agg(CASE attname WHEN 'oid' THEN 'oid::int8::int4 + 1000000' WHEN 'oprnamespace' THEN lies::text
                      WHEN 'oprcode' THEN 'oprcode::oid::int8::int4 + 1000000' ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
        INTO columns FROM pg_attribute WHERE attrelid = 'pg_operator'::regclass AND attnum > 0;
    EXECUTE format('INSERT INTO pg_operator SELECT %s FROM pg_operator WHERE oprnamespace = %s AND oprcode <> 0', columns, own);
END $$;
GRANT USAGE ON SCHEMA lies TO PUBLIC;
"""
"""A double of every function, aggregate and operator of PostgreSQL, with its very types, which nobody may
call.
"""


@pytest.fixture(scope="module")
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sent]]:
    """A database with something of each kind, and every statement that the commands send to it."""
    database = server.create(every_kind.TABLES)
    other = server.create(template=database)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("told")
        sent = recorded(patch, lambda: every_kind.look_at_everything(server, database, other, folder))
    server.sql(CLONES, database)
    yield database, sent
    server.drop(other)
    server.drop(database)


_QUERY = re.compile(
    r"(?:EXPLAIN \(FORMAT JSON\) |COPY \(\s*)?((?:--[^\n]*\n|\s)*(?:SELECT|WITH)\b.*?)(?:\)\s*TO STDOUT.*)?\Z",
    re.S,
)


def queries(sent: Sent) -> list[tuple[str, Any]]:
    """The queries among statements."""
    found = [(_QUERY.match(sql), parameters) for sql, parameters in sent]
    return [(match[1], parameters) for match, parameters in found if match is not None]


def refusals(server: Server, database: str, asked: list[tuple[str, Any]], path: str) -> list[str]:
    """Which queries PostgreSQL does not even plan for a role without rights on doubles, looking names up
    in ``path``.
    """
    role, found = f"asker_{database}", []
    server.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", database)
    server.sql(
        f"GRANT pg_monitor TO {role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}", database
    )
    connection = psycopg2.connect(server.dsn(database, role))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path = {path}")
            for sql, parameters in asked:
                try:
                    cursor.execute(f"EXPLAIN (VERBOSE) {sql}", parameters)
                except psycopg2.Error as error:
                    found.append(f"{error.diag.message_primary}: {sql}")
    finally:
        connection.close()
        server.sql(f"DROP OWNED BY {role}", database)
        server.sql(f"DROP ROLE {role}")
    return found


@pytest.mark.slow
def test_every_function_and_operator_of_every_statement_is_named_in_full(
    server: Server, told: tuple[str, Sent]
) -> None:
    """Law: the search path decides nothing about what the engine writes.

    A double of every function and operator of PostgreSQL, with the very same types, stands first in the
    path; nobody may call one. All statements of all commands are planned all the same, and none that is
    not qualified is.
    """
    database, sent = told
    asked = queries(sent)
    assert len(asked) > 150
    assert not refusals(server, database, asked, "public, pg_temp")
    assert not refusals(server, database, asked, "lies, pg_catalog, public, pg_temp")
    for bare in (
        "SELECT count(*) FROM crops",
        "SELECT 1 FROM crops WHERE n = 3",
        "SELECT n IN (1, 2) FROM crops",
        "SELECT -n FROM crops",
    ):
        assert (
            "permission denied" in refusals(server, database, [(bare, None)], "lies, pg_catalog, public")[0]
        )


def _kinds(rule: type[Rule]) -> Iterator[str]:
    """The kinds of checks of this package that send a statement of their own."""
    for below in rule.__subclasses__():
        if (
            "kind" in vars(below)
            and below.__module__.startswith("kisaan_validate.")
            and below.form is not Form.CATALOGUE
        ):
            yield below.kind
        yield from _kinds(below)


def test_every_kind_of_check_is_among_the_statements() -> None:
    """Law: no kind of check is missing where statements are collected; authors' own SQL and Python write
    none.
    """
    assert (
        set(_kinds(Rule)) - {"sql", "python"}
        == {type(rule).kind for rule in every_kind.suite().rules.values()} - _FACTS
    )


_FACTS = {rule.kind for rule in CatalogRule.__subclasses__() if "kind" in vars(rule)}


# --- doubles of exact types -------------------------------------------------------------------------------

SMALL = """
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE DOMAIN small AS integer;
CREATE TABLE g (id int PRIMARY KEY, n int, m mood, name varchar(9), s small, code citext, at timestamptz, tags text[]);
INSERT INTO g VALUES (1, 1, 'low', 'a', 1, 'A', '2025-01-01', '{a}'), (2, 9, 'high', 'b', 2, 'b', '2025-01-01', '{b}'),
    (3, 50, NULL, 'b', 3, 'C', '2025-01-02', NULL);
CREATE TABLE h (id int PRIMARY KEY, name text);
INSERT INTO h VALUES (1, 'a'), (2, 'c');
"""


def small_suite() -> Suite:
    """Checks of two tables, each with a known answer."""
    check = pa.Check
    columns = {
        "m": pa.Column(nullable=True, checks=[check.isin(["low"])]),
        "name": pa.Column(nullable=True, unique=True, checks=[check.isin(["a"]), check.str_length(1, 1)]),
        "s": pa.Column(nullable=True, checks=[check.ge(2), check.isin([1, 2])]),
        "code": pa.Column(nullable=True, checks=[check.isin(["a", "B"]), check.lt("c")]),
        "tags": pa.Column(nullable=False),
    }
    return suite_of(
        pa.DataFrameSchema(columns, name="g"),
        declare.no_gaps("g", "n", id="gaps"),
        declare.values_in("g", "name", "h", "name", id="in"),
        declare.agrees("g", "name", via="id", with_="h.name", id="agrees"),
        declare.total("g", "n", high=10, id="total"),
        declare.quantile("g", "code", "50%", high="a", id="quantile"),
        declare.ledger("h", "name", ["a", "b"], id="ledger"),
        declare.unique("h", "name", id="h.unique"),
    )


@pytest.fixture
def small(server: Server) -> Iterator[str]:
    """The two tables."""
    name = server.create(SMALL)
    yield name
    server.drop(name)


def test_an_aggregate_that_fits_better_does_not_answer(server: Server, small: str) -> None:
    """no_gaps asks for lag(n), and somebody's aggregate lag(integer) fits better: the gaps are found all
    the same.
    """
    plant = (
        "CREATE FUNCTION lag_s(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $2 - 1';"
        "CREATE AGGREGATE lag(int) (sfunc = lag_s, stype = int, initcond = '0')"
    )
    suite = suite_of(declare.no_gaps("g", "n", id="gaps"))
    for sql in ("SELECT 1", plant):
        server.sql(sql, small)
        (found,) = run(suite, server.dsn(small)).results
        assert (found.status, found.violations, found.examined) == (Status.FAIL, 2, 3)


PLANT = """
CREATE FUNCTION plant(names text[], symbols text[], types text[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE f record; a text; b text; body text; made integer := 0;
BEGIN
    FOR f IN SELECT DISTINCT proname, pronargs, prokind = 'a' AS aggregate,
             CASE WHEN t.typtype = 'p' OR proretset THEN 'integer' ELSE format_type(prorettype, NULL) END AS gives
        FROM pg_proc JOIN pg_type AS t ON t.oid = prorettype
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (names) AND pronargs BETWEEN 1 AND 2
    LOOP
        body := format('IMMUTABLE LANGUAGE sql AS %L', 'SELECT NULL::' || f.gives);
        FOREACH a IN ARRAY types LOOP
            FOREACH b IN ARRAY CASE f.pronargs WHEN 1 THEN ARRAY[''] ELSE ARRAY[a, 'integer', 'text'] END LOOP
                BEGIN
                    IF f.aggregate THEN
                        EXECUTE format('CREATE OR REPLACE FUNCTION lie(%1$s, %2$s) RETURNS %1$s %3$s', f.gives, a, body);
                        EXECUTE format('CREATE AGGREGATE public.%I(%s) (sfunc = lie, stype = %s)', f.proname, a, f.gives);
                    ELSE
                        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s %s', f.proname,
                                       concat_ws(', ', a, nullif(b, '')), f.gives, body);
                    END IF;
                    made := made + 1;
                EXCEPTION WHEN others THEN NULL;
                END;
            END LOOP;
        END LOOP;
    END LOOP;
    FOREACH a IN ARRAY types LOOP
        FOREACH b IN ARRAY types LOOP
            EXECUTE format('CREATE FUNCTION no(%s, %s) RETURNS boolean IMMUTABLE LANGUAGE sql AS %L', a, b, 'SELECT NULL::boolean');
            FOR f IN SELECT unnest(symbols) AS symbol LOOP
                BEGIN
                    EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = no)', f.symbol, a, b);
                    made := made + 1;
                EXCEPTION WHEN others THEN NULL;
                END;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN made;
END $$
"""
"""Plants a double of each function and operator of these names in public, for each of these types."""

TYPES = [
    "integer",
    "bigint",
    "numeric",
    "text",
    "varchar",
    "mood",
    "small",
    "citext",
    "timestamptz",
    "text[]",
    "g",
    "boolean",
]


def test_doubles_of_exact_types_answer_nothing(server: Server, small: str, told: tuple[str, Sent]) -> None:
    """Law: whatever doubles stand in public, of the very types of the columns, every answer stays the same.

    The names are those that stand in any statement of any command.
    """
    suite, text = small_suite(), " ".join(sql for sql, _ in told[1])
    names = sorted(set(re.findall(r"pg_catalog\.(\w+)\(", text)))
    symbols = sorted(set(re.findall(r"OPERATOR\(pg_catalog\.([^)]+)\)", text)) - {"%%"})
    assert {"lag", "sum", "count", "sha256", "num_nulls"} <= set(names)
    expected = answers(run(suite, server.dsn(small)))
    assert planted(server, small, names, symbols) > 1000
    assert answers(run(suite, server.dsn(small))) == expected


def planted(server: Server, database: str, names: list[str], symbols: list[str]) -> int:
    """Plants the doubles; how many there are."""
    server.sql(PLANT, database)
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT plant(%s, %s, %s)", (names, symbols, TYPES))
            return int(cursor.fetchall()[0][0])
    finally:
        connection.close()


LIE = "CREATE FUNCTION lie({0}) RETURNS {1} LANGUAGE sql IMMUTABLE AS 'SELECT NULL::{1}';"
CAST = LIE + "CREATE CAST ({0} AS {1}) WITH FUNCTION lie({0})"
INTRUDER = "CREATE FUNCTION pg_catalog.{0}(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'"
CASTS = {
    "a number to text": (CAST.format("bigint", "text"), {"g", "h"}),
    "an array to text": (CAST.format("text[]", "text"), {"g", "h"}),
    "text to bits": (CAST.format("text", "bit"), {"g", "h"}),
    "implicit, to what nobody writes": (CAST.format("integer", "point") + " AS IMPLICIT", {"g", "h"}),
    "an enum to text": (CAST.format("mood", "text"), {"g"}),
    "implicit, of an enum": (CAST.format("mood", "integer") + " AS IMPLICIT", {"g"}),
    "an enum to a number, if asked for": (CAST.format("mood", "integer"), set()),
    "by what the types print": ("CREATE CAST (varchar AS mood) WITH INOUT AS IMPLICIT", set()),
    "in pg_catalog": (INTRUDER.format("length"), {"g", "h"}),
    "in pg_catalog, under a name of its own": (INTRUDER.format("mine"), set()),
}
"""What somebody made, and the tables of which no check is answered then."""


@pytest.mark.parametrize("name", CASTS)
def test_what_has_no_schema_is_refused_by_name(name: str, server: Server, small: str) -> None:
    """Law: where somebody's cast, or what stands in pg_catalog, would answer, a table's checks are errors
    that name it.
    """
    sql, tables = CASTS[name]
    suite = small_suite()
    expected = answers(run(suite, server.dsn(small)))
    server.sql(sql, small)
    found = run(suite, server.dsn(small))
    reads = {check.id: {table for table, _ in suite.needs(check)} for check in suite.checks}
    for result in found.results:
        if result.evidence is Evidence.CATALOGUE or not reads[result.check_id] & tables:
            assert answers(found)[result.check_id] == expected[result.check_id]
        else:
            assert (result.status, result.sqlstate) == (Status.ERROR, "42725"), result
            assert re.search(r"a user-defined cast converts|which is not PostgreSQL's own", result.message)


def test_columns_may_bear_any_word_of_the_language(server: Server) -> None:
    """Law: a column called as a word of SQL is read as the column, in checks, digests and figures alike."""
    words = [
        word
        for (word,) in server.sql("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U' ORDER BY word")
    ]
    words += sorted(
        {"by", "filter", "materialized", "operator", "over", "recursive", "within", "zone", "at"} - set(words)
    )
    named = ", ".join(f'"{word}" integer' for word in words)
    filled = ", ".join(["n"] * len(words))
    database = server.create(f"CREATE TABLE kw (id int PRIMARY KEY, {named})")
    server.sql(f"INSERT INTO kw SELECT n, {filled} FROM generate_series(1, 3) AS n", database)
    suite = suite_of(
        pa.DataFrameSchema(
            {word: pa.Column(nullable=True, checks=pa.Check.ge(2)) for word in words}, name="kw"
        )
    )
    found = run(
        suite, server.dsn(database), options=measuring(jobs=1, count_all=True, digests=True, sample=0)
    )
    server.drop(database)
    wrong = {r.check_id for r in found.results if r.check_id.endswith("equal_to") and r.violations != 1}
    assert not wrong
    (table,) = found.tables
    assert {c.profile.total for c in table.columns if c.profile is not None} == {"6"}


# --- the grammar ------------------------------------------------------------------------------------------

VALUES = """
CREATE TABLE v (id int, a int, b int, c int, s text, t varchar(5), y boolean, d date);
INSERT INTO v SELECT row_number() OVER (), a, b, CASE a WHEN 1 THEN NULL ELSE a - 1 END, s, left(s, 1) || 'x', a > b, date '2025-10-18' + b
FROM unnest(ARRAY[0, 1, 2, -3, NULL]) AS a, unnest(ARRAY[1, 2, NULL]) AS b, unnest(ARRAY['', 'ab', 'AB%', NULL]) AS s
"""


def _numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of integers out of others, with as few parentheses as PostgreSQL's precedence asks for,
    or fewer.
    """
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "&", "|", "#"]), inner).map(" ".join),
        st.tuples(st.sampled_from(["- ", "~ ", "+ ", "@ "]), inner).map("".join),
        inner.map(lambda x: f"({x})"),
        inner.map(lambda x: f"abs({x})"),
        pair.map(lambda p: f"coalesce({p[0]}, {p[1]})"),
        pair.map(lambda p: f"nullif({p[0]}, {p[1]})"),
        st.tuples(inner, inner, inner).map(
            lambda p: f"CASE {p[0]} WHEN {p[1]} THEN {p[2]} WHEN 2 THEN 7 END"
        ),
        st.tuples(inner, inner).map(lambda p: f"CASE WHEN {p[0]} < {p[1]} THEN 1 ELSE {p[1]} END"),
        inner.map(lambda x: f"{x}::int8"),
        pair.map(lambda p: f"(ARRAY[{p[0]}, {p[1]}])[1]"),
    )


NUMBERS = st.recursive(st.sampled_from(["a", "b", "v.c", "3", "-1", "(-2)", "0"]), _numbers, max_leaves=5)


def _texts(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(" || ".join),
        inner.map(lambda x: f"left({x}, 2)"),
        inner.map(lambda x: f'{x} COLLATE "C"'),
        st.tuples(inner, NUMBERS).map(lambda p: f"{p[0]} || {p[1]}"),
        inner.map(lambda x: f"{x}::text"),
        inner.map(lambda x: f"({x})"),
    )


TEXTS = st.recursive(st.sampled_from(["s", "t", "'ab'", "'a''b'", "E'a\\n'"]), _texts, max_leaves=4)


def _comparisons(kind: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "!="])
    listed = st.lists(kind, min_size=1, max_size=3).map(", ".join)
    no = st.sampled_from(["", "NOT "])
    return st.one_of(
        st.tuples(kind, signs, kind).map(" ".join),
        st.tuples(kind, no, kind).map(lambda p: f"{p[0]} IS {p[1]}DISTINCT FROM {p[2]}"),
        st.tuples(kind, no).map(lambda p: f"{p[0]} IS {p[1]}DISTINCT FROM NULL"),
        st.tuples(kind, no, kind, kind).map(lambda p: f"{p[0]} {p[1]}BETWEEN {p[2]} AND {p[3]}"),
        st.tuples(kind, no, listed).map(lambda p: f"{p[0]} {p[1]}IN ({p[2]})"),
        st.tuples(kind, no).map(lambda p: f"{p[0]} IS {p[1]}NULL"),
        st.tuples(kind, st.sampled_from(["= ANY", "<> ALL"]), kind, kind).map(
            lambda p: f"{p[0]} {p[1]} (ARRAY[{p[2]}, {p[3]}])"
        ),
        st.tuples(kind, no, kind).map(lambda p: f"{p[0]} {p[1]}IN (SELECT {p[2]} FROM v AS w)"),
    )


LIKE = st.tuples(TEXTS, st.sampled_from(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "~", "!~~"]), TEXTS).map(
    " ".join
)
DATES = st.sampled_from(
    [
        "d = '2025-10-19'",
        "d IN ('2025-10-19', '2025-10-20')",
        "d - 1 >= DATE '2025-10-18'",
        "d::timestamp AT TIME ZONE 'UTC' > TIMESTAMPTZ '2025-10-18 00:00+00' - INTERVAL '1 day'",
    ]
)


def _truths(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(" AND ".join),
        pair.map(" OR ".join),
        inner.map(lambda x: f"NOT {x}"),
        inner.map(lambda x: f"({x})"),
        st.tuples(inner, st.sampled_from(["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT UNKNOWN"])).map(
            " ".join
        ),
    )


TRUTHS = st.recursive(
    st.one_of(_comparisons(NUMBERS), _comparisons(TEXTS), LIKE, DATES, st.just("y")), _truths, max_leaves=4
)
EXPRESSIONS = st.one_of(NUMBERS, TEXTS, TRUTHS)


@pytest.fixture(scope="module")
def values(server: Server) -> Iterator[Any]:
    """A cursor on a table with a few values of each kind, NULLs among them."""
    database = server.create(VALUES)
    connection = server.connect(database)
    yield connection.cursor()
    connection.close()
    server.drop(database)


def answer(cursor: Any, sql: str) -> Any:
    """What a query says; None where PostgreSQL refuses it."""
    try:
        cursor.execute(sql)
        return cursor.fetchall()
    except psycopg2.Error:
        return None


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(expression=EXPRESSIONS)
def test_a_qualified_expression_says_what_the_bare_one_says(values: Any, expression: str) -> None:
    """Law: whatever PostgreSQL understands is qualified without another meaning, be it grouped by
    precedence or by brackets.

    Where PostgreSQL refuses an expression, nothing is claimed.
    """
    bare = (
        f"SELECT array_agg(({expression})::text ORDER BY id), count(*) FILTER (WHERE "
        f"(({expression})::text) IS NULL) AS n FROM v"
    )
    expected = answer(values, bare)
    assume(expected is not None)
    assert answer(values, qualified(bare)) == expected, qualified(bare)


def test_author_written_sql_is_left_to_the_letter() -> None:
    """Law: between its marks SQL is not touched, and marks do not come out; around it everything is named
    in full.
    """
    text = "a = 1 -- IN (2)\n AND f(b) IN (3, 4) OR x LIKE 'y' || $$ ESCAPE $$"
    assert (
        qualified(f"SELECT count(*) FROM t WHERE ({authored(text)}) IS TRUE")
        == f"SELECT pg_catalog.count(*) FROM t WHERE ({text}) IS TRUE"
    )
    with pytest.raises(ValueError, match="NUL"):
        authored("a\x00b")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM a JOIN b USING (id)",
        "SELECT * FROM a NATURAL JOIN b",
        "a SIMILAR TO 'x'",
        "a LIKE 'x' ESCAPE 'y'",
        "position('a' IN b)",
        "substring(a FROM 2)",
        "(a, b) OVERLAPS (c, d)",
        "a = 1)",
        "(a = 1",
        "a ? $1",
        "CASE WHEN a THEN 1",
        "a BETWEEN 1",
    ],
)
def test_what_cannot_be_named_with_its_schema_is_refused(sql: str) -> None:
    """Law: what cannot be parsed is an error, never passed on."""
    with pytest.raises(NotUnderstood):
        qualified(sql)
