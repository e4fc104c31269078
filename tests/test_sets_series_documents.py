"""Values that another table lists, numbers without gaps, paths in documents: against an oracle that is not
SQL.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from conftest import Server
from helpers import examples, insert, keys, prove, result, results, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.facts.result import Status
from kisaan_validate.suite.load import suite_of

LAW = hypothesis_settings(
    max_examples=examples(20),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

TABLES = """
CREATE TABLE listed (code text, n numeric, valid boolean);
CREATE TABLE uses (id integer PRIMARY KEY, code text, n numeric);
CREATE TABLE series (id integer PRIMARY KEY, shop text, n numeric, at integer);
"""


@pytest.fixture(scope="module", params=["server", "server15"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """The tables, on the embedded PostgreSQL 18 and on the system's 15."""
    server: Server = request.getfixturevalue(request.param)
    name = server.create(TABLES)
    yield server, name
    server.drop(name)


# --- sets -------------------------------------------------------------------------------------------------

codes = st.sampled_from([None, "", "a", "b", "A"])
numbers = st.sampled_from([None, Decimal(1), Decimal("1.0"), Decimal(2), Decimal("NaN")])
lists = st.lists(st.tuples(codes, numbers, st.sampled_from([True, False, None])), max_size=5)
users = st.lists(st.tuples(codes, numbers), max_size=8).map(
    lambda rows: [(n, *row) for n, row in enumerate(rows, 1)]
)


def same(value: Decimal) -> Any:
    """A numeric as PostgreSQL holds it equal to others: 1 and 1.0 are one value."""
    return "NaN" if value.is_nan() else Fraction(value)


@pytest.mark.slow
@LAW
@given(lists, users)
def test_values_are_those_that_are_listed(
    place: tuple[Server, str], listed: list[Any], uses: list[Any]
) -> None:
    """Exactly the rows whose value no row lists, however often; NULL is not judged, and a listed NULL
    lists nothing.

    A NaN is listed nowhere.
    """
    server, database = place
    server.sql("TRUNCATE listed, uses", database)
    insert(server, database, "listed", listed)
    insert(server, database, "uses", uses)
    made = [
        declare.values_in("uses", "code", "listed", "code", id="one"),
        declare.values_in("uses", "n", "listed", "n", id="number"),
        declare.values_in("uses", ["code", "n"], "listed", ["code", "n"], id="pair"),
        declare.values_in(
            "uses", "code", "listed", "code", where="n > 1", reference_where="valid", id="where"
        ),
    ]
    found = results(server, database, *made)
    large = [r for r in uses if r[2] is not None and (r[2].is_nan() or r[2] > 1)]
    wanted: dict[str, tuple[list[Any], set[Any]]] = {
        "one": ([(id, code) for id, code, _ in uses if code is not None], {code for code, *_ in listed}),
        "number": (
            [(id, same(n)) for id, _, n in uses if n is not None],
            {same(n) for _, n, _ in listed if n is not None and not n.is_nan()},
        ),
        "pair": (
            [(id, (code, same(n))) for id, code, n in uses if code is not None and n is not None],
            {(code, same(n)) for code, n, _ in listed if n is not None and not n.is_nan()},
        ),
        "where": (
            [(id, code) for id, code, _ in large if code is not None],
            {code for code, _, valid in listed if valid},
        ),
    }
    for id, (judged, known) in wanted.items():
        wrong = [str(key) for key, value in judged if value not in known]
        assert (found[id].examined, found[id].violations) == (len(judged), len(wrong)), id
        assert [key for (key,) in keys(found[id], "id")] == wrong


def test_a_set_in_one_statement(server: Server, database: str) -> None:
    """What is judged and what is wrong are counted at once, with one look at each table; the hint says
    what to do.
    """
    server.sql(TABLES + "INSERT INTO uses VALUES (1, 'x', 1)", database)
    done = prove(server, database, suite_of(declare.values_in("uses", "code", "listed", "code", id="x")))
    (counting,) = [s.sql for s in done.statements if s.purpose == "check x"]
    assert (counting.count("public.uses"), counting.count("public.listed")) == (1, 1)
    assert done.results[0].hint == "fix the value in uses, or add it to listed.code"
    own = declare.values_in("uses", "code", "listed", "code", hint="ask the office")
    assert result(server, database, own).hint == "ask the office"


def test_labels_are_compared_with_texts(server: Server, database: str) -> None:
    """An enum may be listed as texts, and a text as an enum; a column of another type is an error, not an
    answer.
    """
    server.sql(
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE l (t text, v e, n int); CREATE TABLE u (t text, "
        "v e, n int)",
        database,
    )
    server.sql(
        "INSERT INTO l VALUES ('a', 'b', 1); INSERT INTO u VALUES ('b', 'a', 1), ('a', 'b', 2)", database
    )
    made = [
        declare.values_in("u", "v", "l", "t", id="label"),
        declare.values_in("u", "t", "l", "v", id="text"),
        declare.values_in("u", "n", "l", "t", id="other"),
        declare.values_in("u", "n", "gone", "t", id="missing"),
    ]
    found = results(server, database, *made)
    assert {id: (r.status, r.violations) for id, r in found.items()} == {
        "label": (Status.FAIL, 1),
        "text": (Status.FAIL, 1),
        "other": (Status.ERROR, None),
        "missing": (Status.SKIP, None),
    }


def test_a_set_without_a_key(server: Server, database: str) -> None:
    """Rows without a primary key are named by their place, those of a partitioned table or a view by the
    value.
    """
    server.sql(
        "CREATE TABLE l (c text); CREATE TABLE t (c text); CREATE VIEW v AS SELECT c FROM t;"
        "CREATE TABLE p (c text) PARTITION BY LIST (c); CREATE TABLE p1 PARTITION OF p DEFAULT;"
        "INSERT INTO t VALUES (NULL), ('x'); INSERT INTO p VALUES ('x')",
        database,
    )
    found = results(server, database, *(declare.values_in(t, "c", "l", "c", id=t) for t in ("t", "v", "p")))
    assert {id: (r.violations, r.sample) for id, r in found.items()} == {
        "t": (1, ((("ctid", "(0,2)"), ("c", "x")),)),
        "v": (1, ((("c", "x"),),)),
        "p": (1, ((("c", "x"),),)),
    }


# --- series -----------------------------------------------------------------------------------------------

counted = st.sampled_from([None, 1, 2, 3, 4, 5, 6, 9])
runs = st.lists(
    st.tuples(st.sampled_from([None, "a", "b"]), counted, st.sampled_from([None, 1, 2, 3])), max_size=9
).map(lambda rows: [(n, *row) for n, row in enumerate(rows, 1)])

Place = tuple[str | None, Fraction]


def broken(
    rows: list[Any], step: Fraction, start: int | None, *, by: bool, ordered: bool
) -> tuple[int, dict[Any, int]]:
    """How many rows are judged, and the (shop, value, problem) of each that does not follow, counted."""
    parts: dict[Any, list[Any]] = defaultdict(list)
    for id, shop, n, at in rows:
        if n is not None and (not ordered or at is not None):
            parts[shop if by else None].append(((at if ordered else 0), n, id, shop))
    found: dict[Any, int] = defaultdict(int)
    for part in parts.values():
        before: Fraction | None = None
        for _, n, _, shop in sorted(part, key=lambda row: row[:3]):
            value = Fraction(n)
            problem = ""
            if before is None:
                problem = "another beginning" if start is not None and value != start else ""
            elif value - before != step:
                problem = (
                    "duplicate"
                    if value == before
                    else "step back"
                    if value < before
                    else "gap"
                    if value - before > step
                    else "short step"
                )
            if problem:
                found[shop if by else "", value, problem] += 1
            before = value
    return sum(map(len, parts.values())), dict(found)


@pytest.mark.slow
@LAW
@given(runs)
def test_series_are_what_python_says(place: tuple[Server, str], rows: list[Any]) -> None:
    """Each place where a value does not follow from the one before it, and what is wrong there; NULL has
    no place.
    """
    server, database = place
    server.sql("TRUNCATE series", database)
    insert(server, database, "series", rows)
    cases: dict[str, dict[str, Any]] = {
        "plain": {},
        "by": {"by": "shop"},
        "ordered": {"order_by": "at"},
        "both": {"by": ["shop"], "order_by": "at", "start": 1},
        "steps": {"step": 2, "start": 2, "by": "shop"},
        "halves": {"step": Decimal("0.5")},
    }
    made = [declare.no_gaps("series", "n", id=id, **more) for id, more in cases.items()]
    for id, answer in results(server, database, *made).items():
        more = cases[id]
        by = "by" in more
        judged, wrong = broken(
            rows, Fraction(more.get("step", 1)), more.get("start"), by=by, ordered="order_by" in more
        )
        assert (answer.examined, answer.violations) == (judged, sum(wrong.values())), (
            id,
            wrong,
            answer.sample,
        )
        seen: dict[Any, int] = defaultdict(int)
        for row in map(dict, answer.sample):
            seen[row["shop"] if by else "", Fraction(str(row["n"])), row["problem"]] += 1
        assert dict(seen) == wrong, id


def test_a_place_is_shown(server: Server, database: str) -> None:
    """The series, the value, the one before it, what is wrong, and the row's key; a duplicate names the
    later row.
    """
    server.sql(
        TABLES + "INSERT INTO series VALUES (1, 'a', 1), (2, 'a', 1), (3, 'a', 4), (4, 'b', 7), (5, 'b', 8)",
        database,
    )
    found = result(server, database, declare.no_gaps("series", "n", by="shop", start=1))
    assert [tuple(dict(row).values()) for row in found.sample] == [
        ("a", "1", "1", "duplicate", "2"),
        ("a", "4", "1", "gap", "3"),
        ("b", "7", None, "another beginning", "4"),
    ]
    assert found.key == ("shop", "n")


def test_series_of_other_types(server: Server, database: str) -> None:
    """Days follow day by day, the largest bigints without overflow; what has no steps, or an infinite day,
    is an error.
    """
    server.sql(
        "CREATE TABLE t (d date, n bigint, s text, i date, f numeric); INSERT INTO t VALUES "
        "('2024-02-28', 9223372036854775807, 'a', '2024-01-01', 'NaN'), ('2024-02-29', "
        "-9223372036854775808, 'b', 'infinity', 'NaN'),"
        "('2024-03-02', 9223372036854775806, 'c', '2024-01-02', 1)",
        database,
    )
    made = [
        declare.no_gaps("t", "d", start=date(2024, 2, 28), id="days"),
        declare.no_gaps("t", "n", id="bigints"),
        declare.no_gaps("t", "s", id="texts"),
        declare.no_gaps("t", "i", id="infinite"),
        declare.no_gaps("t", "f", id="nan"),
    ]
    found = results(server, database, *made)
    assert {id: (r.status, r.violations) for id, r in found.items()} == {
        "days": (Status.FAIL, 1),
        "bigints": (Status.FAIL, 1),
        "texts": (Status.ERROR, None),
        "infinite": (Status.ERROR, None),
        "nan": (Status.FAIL, 2),
    }
    assert keys(found["days"], "d", "previous", "problem") == [("2024-03-02", "2024-02-29", "gap")]
    assert "no steps" in found["texts"].message


def test_columns_that_are_called_like_our_own(server: Server, database: str) -> None:
    """A series may have columns called previous, problem and is_first."""
    server.sql("CREATE TABLE t (previous int, problem int, is_first int, w int)", database)
    server.sql("INSERT INTO t VALUES (1, 1, 1, 1), (3, 1, 1, 2)", database)
    found = result(
        server, database, declare.no_gaps("t", "previous", by=["problem", "is_first"], order_by="w")
    )
    assert (found.violations, found.examined, found.key) == (1, 2, ("problem", "is_first", "previous"))


# --- documents --------------------------------------------------------------------------------------------

DOCUMENTS: list[Any] = [
    {"a": 1},
    {"a": None},
    {},
    {"a": []},
    {"a": [None]},
    {"a": [{"b": None}, {"b": 2}]},
    [],
    5,
    [{"a": 1}],
    None,
    "a",
]
# path: (which of the documents lack it, which lack something other than null there)
PATHS: dict[str, tuple[set[int], set[int]]] = {
    "$.a": ({2, 6, 7, 9, 10}, {1, 2, 6, 7, 9, 10}),
    "lax $.a": ({2, 6, 7, 9, 10}, {1, 2, 6, 7, 9, 10}),
    "strict $.a": ({2, 6, 7, 8, 9, 10}, {1, 2, 6, 7, 8, 9, 10}),
    "$.a[*]": ({2, 3, 6, 7, 9, 10}, {1, 2, 3, 4, 6, 7, 9, 10}),
    "$.a[*].b": ({0, 1, 2, 3, 4, 6, 7, 8, 9, 10}, {0, 1, 2, 3, 4, 6, 7, 8, 9, 10}),
    "strict $.a[*].b": ({0, 1, 2, 4, 6, 7, 8, 9, 10, 3}, {0, 1, 2, 3, 4, 6, 7, 8, 9, 10}),
    "$.a ? (@ == 1)": ({1, 2, 3, 4, 5, 6, 7, 9, 10}, {1, 2, 3, 4, 5, 6, 7, 9, 10}),
    '$."a"': ({2, 6, 7, 9, 10}, {1, 2, 6, 7, 9, 10}),
    "$.a.size()": ({2, 6, 7, 9, 10}, {2, 6, 7, 9, 10}),
}


@pytest.mark.parametrize("version", ["server", "server15"])
@pytest.mark.parametrize("path", PATHS)
def test_what_is_found_at_a_path(path: str, version: str, request: pytest.FixtureRequest) -> None:
    """A document without the path violates it, strict and lax, and with nulls="absent" one with nothing
    but null there.
    """
    server: Server = request.getfixturevalue(version)
    name = server.create("CREATE TABLE t (id int PRIMARY KEY, b jsonb, j json)")
    rows = [(n, json.dumps(document), json.dumps(document)) for n, document in enumerate(DOCUMENTS)]
    insert(server, name, "t", [*rows, (99, None, None)])
    lacking, empty = PATHS[path]
    for column in ("b", "j"):
        made = [
            declare.json_path("t", column, path, nulls=nulls, id=nulls) for nulls in ("present", "absent")
        ]
        found = results(server, name, *made)
        for id, wanted in (("present", lacking), ("absent", empty)):
            answer = found[id]
            assert {int(str(key)) for (key,) in keys(answer, "id")} == wanted, (column, id)
            assert (answer.violations, answer.examined) == (len(wanted), len(DOCUMENTS) + 1)
    server.drop(name)


def test_paths_that_cannot_be_asked(server: Server, database: str) -> None:
    """A path that the server does not understand, or a column that holds no JSON, is an error of its own
    check.
    """
    server.sql(
        "CREATE TABLE t (b jsonb, s text, j json); INSERT INTO t VALUES ('{}', '{}', '{\"a\": \"\\u0000\"}')",
        database,
    )
    made = [
        declare.json_path("t", "b", "$.a.nothing()", id="syntax"),
        declare.json_path("t", "s", "$.a", id="text"),
        declare.json_path("t", "j", "$.a", id="nul"),
        declare.json_path("t", "b", "$.a", id="fine"),
    ]
    found = results(server, database, *made)
    assert {id: r.status for id, r in found.items()} == {
        "syntax": Status.ERROR,
        "text": Status.ERROR,
        "nul": Status.ERROR,
        "fine": Status.FAIL,
    }
    assert "is text, not JSON" in found["text"].message


def test_documents_share_the_scan_and_show_no_personal_value(server: Server, database: str) -> None:
    """A path is one more count in its table's scan; a personal document stays unseen."""
    server.sql(
        'CREATE TABLE t (id int PRIMARY KEY, doc jsonb); INSERT INTO t VALUES (1, \'{"phone": '
        '"9100000042"}\')',
        database,
    )
    made = [declare.json_path("t", "doc", "$.name", id="path"), declare.holds("t", "id > 0", id="row")]
    done = prove(server, database, suite_of(*made, settings=settings(personal=("*.doc",))))
    assert [s.check_ids for s in done.statements if s.purpose == "rows of t"] == [("path", "row")]
    assert done.results[0].violations == 1
    assert "9100000042" not in done.to_json() + done.to_html()
