"""Rows that a declared filter leaves out are not judged, by any kind of check; and nothing is left out in
silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import assertion, folder_results, keys, prove, refusal, result, results, settings, write_suite

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.facts.result import Evidence, Result, Status, vacuous
from kisaan_validate.prove.run import explain
from kisaan_validate.suite.load import load_suite, suite_of

LIVE = "gone_at IS NULL"
SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, name text, gone_at timestamptz);
CREATE TABLE orders (
  id int PRIMARY KEY, number int, customer int, name text, total numeric, doc jsonb, at timestamptz, gone_at timestamptz
);
CREATE TABLE lines (order_id int, amount numeric, gone_at timestamptz);
CREATE TABLE copies (id int, gone_at timestamptz);
INSERT INTO customers VALUES (1, 'a', now());
INSERT INTO orders SELECT g, g, 1, 'a', 10, '{"a": 1}', now(), NULL FROM generate_series(1, 4) AS g;
INSERT INTO orders VALUES (5, 4, 1, 'b', -1.5, '{}', '2001-01-01', now()), (6, 9, 9, NULL, NULL, '{}', '2001-01-01', now());
INSERT INTO lines SELECT g, 10, NULL FROM generate_series(1, 4) AS g;
INSERT INTO lines VALUES (1, 99, now());
INSERT INTO copies SELECT g, NULL FROM generate_series(1, 4) AS g;
"""
# Of the six orders two are marked as deleted; only they, and the deleted line, break any of these rules. That
# the only customer is marked too breaks none: a row that is referred to is found.

KINDS: dict[str, Declaration] = {
    "holds": declare.holds("orders", "total > 0"),
    "decimals": declare.decimals("orders", "total", 0),
    "json_path": declare.json_path("orders", "doc", "$.a"),
    "unique": declare.unique("orders", "number"),
    "unique where": declare.unique("orders", "number", where="id > 0", counts="groups"),
    "references": declare.references("orders", "customer", "customers"),
    "agrees": declare.agrees("orders", "name", with_="customers.name", via="customer"),
    "holds_with": declare.holds_with("orders", "child.total > 0", parent="customers", via="customer"),
    "reconciles": declare.reconciles(
        "orders", "total", details="lines", detail_column="amount", via="order_id"
    ),
    "row_count": declare.row_count("orders", low=4, high=4),
    "row_count by": declare.row_count("orders", high=4, segment_by="customer"),
    "row_count_against": declare.row_count_against("orders", "copies"),
    "null_share": declare.null_share("orders", "total", high=0),
    "total": declare.total("orders", "total", low=40, high=40),
    "distinct_count": declare.distinct_count("orders", "total", high=1),
    "quantile": declare.quantile("orders", "total", "10%", low=10),
    "values_in": declare.values_in("orders", "customer", "customers", "id"),
    "no_gaps": declare.no_gaps("orders", "number"),
}
MODEL = pa.DataFrameSchema(
    {
        "total": pa.Column(object, pa.Check.gt(0)),
        "number": pa.Column(int, pa.Check.unique_values_eq([1, 2, 3, 4])),
    },
    unique=["number"],
    name="orders",
)
OF_MODEL = (
    "orders.total.not_null",
    "orders.total.greater_than",
    "orders.number.unique_values_eq",
    "orders.number.unique",
)


@pytest.fixture(scope="module", params=["server", "server15"])
def shop(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """Orders, of which some are marked as deleted, on both servers."""
    server: Server = request.getfixturevalue(request.param)
    name = server.create(SHOP)
    yield server, name
    server.drop(name)


def filtered(**more: str) -> Any:
    """Settings with a filter for orders and lines."""
    return settings(filters={"orders": LIVE, "lines": LIVE, **more})


def by(declared: Declaration, **more: Any) -> Declaration:
    """The same declaration with other metadata."""
    from dataclasses import replace

    return replace(declared, meta=replace(declared.meta, **more))


def answers(found: dict[str, Result]) -> dict[str, tuple[int | None, int | None]]:
    """(violations, examined) of every result."""
    return {id: (r.violations, r.examined) for id, r in found.items()}


def test_every_kind_judges_what_the_filter_leaves(shop: tuple[Server, str]) -> None:
    """With the filter each kind holds, of the four rows that are left; without it, or not with it, each
    fails.
    """
    server, database = shop
    made = [by(d, id=name) for name, d in KINDS.items()]
    kept = results(server, database, *made, MODEL, settings=filtered())
    checked = {*KINDS, *OF_MODEL}
    assert {id: (r.status, r.message) for id, r in kept.items() if id in checked} == dict.fromkeys(
        checked, (Status.PASS, "")
    )
    assert {id: kept[id].examined for id in checked} == {
        id: 8 if id == "row_count_against" else 4 for id in checked
    }
    plain = results(server, database, *made, MODEL)
    assert {id: plain[id].status for id in checked} == dict.fromkeys(checked, Status.FAIL)
    without = results(server, database, *(by(d, filter="") for d in made), settings=filtered())
    assert answers(without) == {id: answer for id, answer in answers(plain).items() if id in KINDS}


def test_the_catalogue_and_sequences_know_no_filter(server: Server, database: str, tmp_path: Path) -> None:
    """What judges facts, or all numbers ever given, or an author's own SQL is the same with a filter; the
    scan counts all.
    """
    server.sql(
        "CREATE TABLE t (id serial PRIMARY KEY, gone boolean); INSERT INTO t VALUES (7, true)", database
    )
    files = {
        "suite.toml": "[filters]\nt = 'NOT gone'\n",
        "a.py": "from kisaan_validate import declare\n\ndeclare.sequence('t')\ndeclare.column('t', 'id')\n"
        "declare.holds('t', 'id < 5', id='live')\ndeclare.minimum_rows('t', id='some')\n",
        "sql/a.sql": assertion("SELECT id FROM t WHERE id > 5", table="t"),
    }
    suite = load_suite(write_suite(tmp_path, files))
    done = prove(server, database, suite, count_all=True)
    found = {r.check_id: (r.status, r.violations, r.examined) for r in done.results}
    assert found == {
        "t.id.sequence": (Status.FAIL, 1, 1),
        "t.id.present": (Status.PASS, 0, 1),
        "live": (Status.PASS, 0, 0),
        "some": (Status.FAIL, 1, 0),
        "t.assertion": (Status.FAIL, 1, 1),
    }
    assert [t.rows for t in done.tables] == [1]
    assert {c.id for c in suite.checks if "filter" in c.claim} == {"live", "some"}
    (live,) = [r for r in done.results if r.check_id == "live"]
    assert vacuous(live)


def test_a_filter_is_part_of_the_meaning(shop: tuple[Server, str]) -> None:
    """It is in the claim, in the digest and in the SQL; without a filter these are what they were."""
    server, database = shop
    made = by(KINDS["reconciles"], id="sum")
    (plain,), (kept,) = (suite_of(made, settings=s).checks for s in (settings(), filtered()))
    assert kept.claim == f"{plain.claim} (filter: {LIVE}) (filter of lines: {LIVE})"
    digests = [plain.digest, kept.digest]
    for other in (filtered(lines="gone_at  IS NULL"), settings(filters={"lines": LIVE})):
        digests += [c.digest for c in suite_of(made, settings=other).checks]
    assert len(set(digests)) == 4
    assert suite_of(by(made, filter=""), settings=filtered()).checks[0] == plain
    (own,) = suite_of(by(made, filter="id < 3"), settings=filtered()).checks
    assert own.claim == f"{plain.claim} (filter: id < 3) (filter of lines: {LIVE})"
    shown = results(server, database, *(by(d, id=name) for name, d in KINDS.items()), settings=filtered())
    assert {id for id, r in shown.items() if LIVE in r.sql} == set(KINDS)


def test_what_fails_is_shown_by_its_key(server: Server, database: str) -> None:
    """Below a filter a failing row is listed as ever, by primary key or by place, in the scan, in a join
    and in a query.
    """
    server.sql(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int, gone boolean NOT NULL); INSERT "
        "INTO p VALUES (2);"
        "INSERT INTO t VALUES (1, true), (1, false), (3, false), (3, false)",
        database,
    )
    made = [
        declare.holds("t", "id > 1", id="row"),
        declare.references("t", "id", "p", id="join"),
        declare.unique("t", "id", id="query"),
        declare.values_in("t", "id", "p", "id", id="set"),
    ]
    found = results(server, database, *made, settings=settings(filters={"t": "NOT gone"}))
    assert answers(found) == {"row": (1, 3), "join": (3, 3), "query": (1, 3), "set": (3, 3)}
    places = [("(0,2)",), ("(0,3)",), ("(0,4)",)]
    assert [keys(found[id], "ctid") for id in ("row", "join", "set")] == [places[:1], places, places]
    assert keys(found["query"], "id", "rows_found") == [("3", "2")]
    assert all(r.key_digest for r in found.values())


def test_a_table_that_refers_to_itself(server: Server, database: str) -> None:
    """Only the rows that are judged are filtered: what they refer to may be marked as deleted, in the same
    table too.
    """
    server.sql("CREATE TABLE t (id int PRIMARY KEY, boss int, gone boolean NOT NULL)", database)
    server.sql("INSERT INTO t VALUES (1, NULL, true), (2, 1, false), (3, 9, true), (4, 8, false)", database)
    made = [
        declare.references("t", "boss", "t", id="join"),
        declare.values_in("t", "boss", "t", "id", id="set"),
    ]
    found = results(server, database, *made, settings=settings(filters={"t": "NOT gone"}))
    assert answers(found) == {"join": (1, 2), "set": (1, 2)}
    assert [keys(r, "id") for r in found.values()] == [[("4",)], [("4",)]]


def test_rows_of_which_the_filter_is_unknown_are_left_out(server: Server, database: str) -> None:
    """As in a WHERE: a row for which the condition is NULL is not judged, in every form of check."""
    server.sql("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int, live boolean)", database)
    server.sql("INSERT INTO t VALUES (1, true), (2, false), (3, NULL), (3, NULL)", database)
    made = [
        declare.holds("t", "id > 5", id="row"),
        declare.references("t", "id", "p", id="join"),
        declare.unique("t", "id", id="query"),
        declare.row_count("t", low=9, id="figure"),
    ]
    found = results(server, database, *made, settings=settings(filters={"t": "live"}))
    assert answers(found) == {"row": (1, 1), "join": (1, 1), "query": (0, 1), "figure": (1, 1)}


def test_a_filter_knows_its_table_by_every_name(server: Server, database: str) -> None:
    """Through an alias or with its schema, the same table has the same filter."""
    server.sql(
        "CREATE TABLE t (id int, live boolean); INSERT INTO t VALUES (-1, false), (-1, true)", database
    )
    made = [declare.holds(name, "id > 0", id=name) for name in ("t", "public.t", "logical")]
    for name in ("t", "public.t", "logical"):
        found = results(
            server,
            database,
            *made,
            settings=settings(filters={name: "live"}, aliases={"logical": ("old", "t")}),
        )
        assert {r.examined for r in found.values()} == {1}, name


def test_a_filter_that_cannot_be_asked_is_no_answer(server: Server, database: str) -> None:
    """A missing column skips the checks that it concerns, a failing or volatile condition is their error:
    never green.
    """
    server.sql(
        "CREATE TABLE t (id int); CREATE TABLE u (id int); INSERT INTO t VALUES (0); INSERT INTO u VALUES (0)",
        database,
    )
    made = [declare.holds("t", "id = 0", id="t"), declare.holds("u", "id = 0", id="u")]
    for sql, status, word in (
        ("gone IS NULL", Status.SKIP, "column t.gone does not exist"),
        ("1 / id > 0", Status.ERROR, "division by zero"),
        ("random() < id", Status.ERROR, "volatile random"),
    ):
        found = results(server, database, *made, settings=settings(filters={"t": sql}))
        assert (found["t"].status, word in found["t"].message) == (status, True), found["t"]
        assert found["u"].status is Status.PASS


def test_a_kind_that_does_not_heed_the_filter_is_no_answer(server: Server, database: str) -> None:
    """A rule that reads the whole table where a filter is declared is an error, and not silently about all
    rows.
    """
    from dataclasses import dataclass, replace
    from typing import ClassVar

    from kisaan_validate.rules.base import QueryRule, Violations

    @dataclass(frozen=True)
    class Careless(QueryRule):
        kind: ClassVar[str] = "careless"

        def claim(self, table: str, columns: tuple[str, ...]) -> str:
            return "nothing"

        def violations(self, table: Any, columns: tuple[str, ...], catalogue: Any) -> Violations:
            return Violations("SELECT id FROM t WHERE id < 0", ("id",))

    server.sql("CREATE TABLE t (id int, live boolean)", database)
    made = replace(declare.minimum_rows("t", id="x"), rule=Careless())
    found = result(server, database, made, settings=settings(filters={"t": "live"}))
    assert (found.status, "does not support" in found.message) == (Status.ERROR, True)
    assert result(server, database, made).status is Status.PASS


def test_trusted_constraints_hold_for_the_rest_too(server: Server, database: str) -> None:
    """What a constraint proves of all rows needs no scan of those that a filter leaves."""
    server.sql("CREATE TABLE t (id int PRIMARY KEY, live boolean)", database)
    found = result(
        server,
        database,
        declare.unique("t", "id"),
        settings=settings(filters={"t": "live"}),
        trust_constraints=True,
    )
    assert (found.status, found.evidence) == (Status.PASS, Evidence.PROVED)


REFUSED: dict[str, tuple[str, str, str, str]] = {
    # name: (suite.toml, a.py after its import, where, word)
    "no condition": ("[filters]\nt = ''", "declare.holds('t', 'a > 0')", "suite.toml", "SQL condition"),
    "no text": ("[filters]\nt = true", "declare.holds('t', 'a > 0')", "suite.toml", "SQL condition"),
    "no table of filters": ("filters = ['x']", "declare.holds('t', 'a > 0')", "suite.toml", "filters"),
    "a constant": (
        "name = 'x'\n[filters]\nt = '1 = 1'",
        "declare.holds('t', 'a > 0')",
        "suite.toml:3",
        "no column",
    ),
    "a subquery": (
        "[filters]\nt = 'a IN (SELECT 1)'",
        "declare.holds('t', 'a > 0')",
        "suite.toml:2",
        "subquery",
    ),
    "another table": ("[filters]\nt = 'u.a = 1'", "declare.holds('t', 'a > 0')", "suite.toml:2", "u.a"),
    "two expressions": (
        "[filters]\nt = 'a) OR (b'",
        "declare.holds('t', 'a > 0')",
        "suite.toml:2",
        "one expression",
    ),
    "an unknown table": (
        "[filters]\n\nordres = 'a > 0'",
        "declare.holds('orders', 'a > 0')",
        "suite.toml:3",
        "no check",
    ),
    "a table of facts": ("[filters]\nt = 'a > 0'", "declare.column('t', 'a')", "suite.toml:2", "no check"),
    "two for one table": (
        "[filters]\nt = 'a > 0'\n'public.t' = 'a > 1'",
        "declare.holds('t', 'a > 0')",
        "a.py:3",
        "several filters",
    ),
    "none to leave out": (
        "name = 'x'",
        "declare.holds('t', 'a > 0', filter=False)",
        "a.py:3",
        "no filter is declared",
    ),
    "filter=True": (
        "[filters]\nt = 'a > 0'",
        "declare.holds('t', 'a > 0', filter=True)",
        "a.py:3",
        "neither False",
    ),
    "an own constant": ("name = 'x'", "declare.holds('t', 'a > 0', filter='true')", "a.py:3", "no column"),
    "a fact": ("name = 'x'", "declare.column('t', 'a', filter='a > 0')", "a.py:3", "does not judge rows"),
    "a sequence": ("name = 'x'", "declare.sequence('t', filter='a > 0')", "a.py:3", "does not judge rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_filter_that_cannot_be_meant_is_refused(name: str, tmp_path: Path) -> None:
    """With the file and line where it is written; above all one that no check would ever see."""
    toml, call, where, word = REFUSED[name]
    error = refusal(
        tmp_path, {"suite.toml": toml + "\n", "a.py": f"from kisaan_validate import declare\n\n{call}\n"}
    )
    assert (error.origin, word in error.fact) == (where, True), error


def test_a_near_name_is_suggested(tmp_path: Path) -> None:
    """A slip of the pen in a filter's table names the table that was meant."""
    files = {
        "suite.toml": "[filters]\nordres = 'a > 0'",
        "a.py": "from kisaan_validate import declare\ndeclare.holds('orders', 'a > 0')",
    }
    assert refusal(tmp_path, files).hint == "did you mean 'orders'?"


def test_an_assertion_takes_no_filter(tmp_path: Path) -> None:
    """Its SQL says which rows it reads: a filter in the header is refused."""
    error = refusal(tmp_path, {"sql/a.sql": assertion("SELECT id FROM t", filter="a > 0")})
    assert (error.origin, "no filter" in error.fact) == ("sql/a.sql:1", True)


def test_a_model_says_it_too(server: Server, database: str) -> None:
    """``filter`` in a model's, column's or check's metadata, each winning over the one before; facts are
    not touched.
    """
    server.sql(
        "CREATE TABLE t (a bigint, b bigint, live boolean); INSERT INTO t VALUES (-1, -1, false), (-1, "
        "-1, true)",
        database,
    )
    column = {
        "a": pa.Column(
            int,
            [pa.Check.gt(0), pa.Check.lt(9)],
            metadata={"filter": "a < 0", "checks": {"less_than": {"filter": False}}},
        )
    }
    schema = pa.DataFrameSchema(
        {**column, "b": pa.Column(int, pa.Check.gt(0))}, name="t", metadata={"filter": "b > 5"}
    )
    found = results(server, database, schema, settings=settings(filters={"t": "live"}))
    examined = {
        id: found[id].examined
        for id in ("t.a.greater_than", "t.a.less_than", "t.b.greater_than", "t.b.not_null")
    }
    assert examined == {"t.a.greater_than": 2, "t.a.less_than": 2, "t.b.greater_than": 0, "t.b.not_null": 0}
    assert {found[id].status for id in ("t.present", "t.a.type")} == {Status.PASS}


def test_what_is_explained_is_what_is_filtered(server: Server, database: str, tmp_path: Path) -> None:
    """The SQL that explain shows has the filter in it; checks with and without share the scan."""
    server.sql("CREATE TABLE t (id int, live boolean)", database)
    files = {
        "suite.toml": "[filters]\nt = 'live'\n",
        "a.py": "from kisaan_validate import declare\ndeclare.holds('t', 'id > 0', "
        "id='a')\ndeclare.holds('t', 'id > 0', id='b', filter=False)\n"
        "declare.row_count('t', high=5, id='c')",
    }
    folder = write_suite(tmp_path, files)
    (statement,) = explain(load_suite(folder), server.dsn(database)).counting
    assert statement.check_ids == ("a", "b", "c")
    assert statement.sql().count("(live)") == 4
    assert {r.status for r in folder_results(server, database, folder).values()} == {Status.PASS}
