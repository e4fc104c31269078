"""The queries of an application, planned before and after a migration on a real server, and never executed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Server

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rehearsed import QueryReview, QueryState
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.queries import (
    QueryCost,
    QueryLook,
    cannot_plan,
    is_much_dearer,
    look_at_queries,
    review_queries,
)
from kisaan_validate.rehearse.query_texts import (
    HIDDEN,
    QueryText,
    is_query,
    queries_of,
    read_queries,
    read_statements,
)
from kisaan_validate.scratch.server import Scratch, scratch_server

SETUP = """
CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric, shop int NOT NULL);
INSERT INTO orders SELECT g, 'n', g, g % 5000 FROM generate_series(1, 60000) g;
CREATE INDEX by_shop ON orders (shop);
"""
TEXTS = (
    "SELECT note FROM orders WHERE id = $1",
    "UPDATE orders SET total = total + $1 WHERE id = $2",
    "SELECT total FROM orders WHERE shop = $1",
    "SELECT count(*) FROM orders /* all */ -- of them",
    "INSERT INTO orders VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    "SELECT interval $1",
)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Scratch]:
    """A scratch server of 18."""
    with scratch_server() as running:
        yield running


def made(scratch: Scratch, name: str) -> str:
    """A database of the owner's with orders, analysed."""
    scratch.create(name)
    connection = scratch.connect(name, scratch.owner)
    connection.cursor().execute(SETUP)
    connection.close()
    scratch.execute("ANALYZE", name)
    return name


def reviewed(scratch: Scratch, name: str, migration: str, texts: tuple[str, ...] = TEXTS) -> QueryReview:
    """What a migration does to the queries."""
    asked = queries_of("a file", [QueryText(text) for text in texts])
    made(scratch, name)
    before = look_at_queries(scratch, name, asked)
    scratch.execute(migration, name)
    fresh = look_at_queries(scratch, name, asked)
    scratch.execute("ANALYZE", name)
    return review_queries(asked, before, fresh, look_at_queries(scratch, name, asked))


def states(review: QueryReview) -> dict[str, QueryState]:
    """By text."""
    return {plan.text: plan.state for plan in review.plans}


def test_a_dropped_column_names_the_queries_that_break(scratch: Scratch) -> None:
    """With the server's error, the worst first; what never planned proves nothing."""
    found = reviewed(scratch, "dropped", "ALTER TABLE orders DROP COLUMN note")
    broken = found.of(QueryState.BROKEN)
    assert {plan.text for plan in broken} == {TEXTS[0], TEXTS[4]}
    assert [plan.state for plan in found.plans[:2]] == [QueryState.BROKEN] * 2
    (first,) = (plan for plan in broken if plan.text == TEXTS[0])
    assert (first.sqlstate, first.error) == ("42703", 'column "note" does not exist')
    assert (first.after, first.before is not None) == (None, True)
    assert states(found)["SELECT interval $1"] is QueryState.UNKNOWN
    assert states(found)[TEXTS[1]] is QueryState.SAME


def test_a_dropped_index_makes_a_query_dearer(scratch: Scratch) -> None:
    """Ten times and more above the floor; the others stay."""
    found = reviewed(scratch, "index_gone", "DROP INDEX by_shop")
    assert [plan.text for plan in found.of(QueryState.DEARER)] == [TEXTS[2]]
    (plan,) = found.of(QueryState.DEARER)
    assert plan.before is not None
    assert plan.after is not None
    assert plan.after > 10 * plan.before
    assert not found.of(QueryState.BROKEN)


def test_lost_statistics_are_named(scratch: Scratch) -> None:
    """A retyped column has none until ANALYZE."""
    found = reviewed(scratch, "retyped", "ALTER TABLE orders ALTER COLUMN shop TYPE bigint")
    assert found.lost_statistics == ("orders.shop",)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; DROP TABLE orders",
        "SELECT 1; COMMIT; DROP TABLE orders",
        "SELECT 1); DROP TABLE orders; SELECT (1",
        "SELECT 1 FROM orders; SELECT set_config('kisaan.plan', '[]', false)",
        "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone",
        "SELECT pg_sleep(100)",
    ],
)
def test_nothing_is_executed(scratch: Scratch, text: str) -> None:
    """Whatever a text holds: the table has all its rows afterwards, and it takes no time."""
    if not scratch.execute("SELECT 1 FROM pg_database WHERE datname = 'safe'"):
        made(scratch, "safe")
    asked = queries_of("a file", [QueryText(text)])
    look = look_at_queries(scratch, "safe", asked)
    assert scratch.execute("SELECT count(*) FROM orders", "safe") == [(60000,)]
    if ";" in text:
        assert look.costs[text].cost is None


def test_what_is_a_query() -> None:
    """Behind comments and parentheses; not what EXPLAIN does not take."""
    yes = (
        "select 1",
        " /* a */ -- b\n WITH x AS (SELECT 1) SELECT",
        "((SELECT 1))",
        "merge into x",
        "values (1)",
    )
    no = (
        "SET x = 1",
        "EXPLAIN ANALYZE DELETE FROM x",
        "COPY x TO stdout",
        "",
        "-- SELECT",
        "selection",
        "BEGIN",
    )
    assert all(is_query(text) for text in yes)
    assert not any(is_query(text) for text in no)


def test_a_file_of_queries(tmp_path: Path) -> None:
    """Each ended by ; at the end of a line; each once; comments alone are none; an empty file is refused."""
    path = tmp_path / "queries.sql"
    path.write_text("-- mine\nSELECT ';'\n  FROM a;\nSELECT 2;  \nSET x = 1;\nSELECT 2;\n-- end\n")
    found = read_queries(path)
    assert [one.text for one in found.texts] == ["-- mine\nSELECT ';'\n  FROM a", "SELECT 2"]
    assert (found.source, found.no_queries) == ("queries.sql", 1)
    path.write_text("-- nothing\n")
    with pytest.raises(UsageError, match="has no query"):
        read_queries(path)


def test_values_in_queries_are_not_shown() -> None:
    """People try with real addresses."""
    asked = queries_of("f", [QueryText("SELECT 1 FROM a WHERE mail = 'a@example.org'")])
    look = QueryLook({asked.texts[0].text: QueryCost(Decimal(1))})
    assert review_queries(asked, look, look, look).plans[0].text == "SELECT 1 FROM a WHERE mail = '•••'"


def test_a_text_that_is_hidden_is_unknown() -> None:
    """pg_stat_statements shows the texts of others only to some roles."""
    asked = queries_of("f", [QueryText(HIDDEN, 7)])
    found = review_queries(asked, *[QueryLook({})] * 3)
    assert [(plan.state, plan.calls, plan.text) for plan in found.plans] == [(QueryState.UNKNOWN, 7, "")]


def test_dearer_is_ten_times_above_a_floor() -> None:
    """Both: a plan of cost 9 for 0.01 is nothing."""
    assert is_much_dearer(Decimal(100), Decimal(1_000))
    assert not is_much_dearer(Decimal(101), Decimal(1_000))
    assert not is_much_dearer(Decimal("0.01"), Decimal(999))


def test_older_servers_cannot_plan_them() -> None:
    """Which is said, and with which version it could be."""
    assert cannot_plan(160000) == ""
    assert cannot_plan(150018).startswith("PostgreSQL 15 has no EXPLAIN (GENERIC_PLAN), which came with 16")


def test_production_is_only_read(server: Server, database: str) -> None:
    """Without the extension that is the reason; nothing was written."""
    session = Session(find_target(server.dsn(database)), Limits(), ("public",), Stop())
    session.begin()
    try:
        found = read_statements(session)
    finally:
        session.close()
    assert found.texts == ()
    assert found.reason == "production has no extension pg_stat_statements in this database"


@pytest.mark.slow
def test_the_statements_that_production_runs(scratch: Scratch) -> None:
    """By its extension, masked by the server, most often run first; utility statements are counted apart."""
    scratch.restart(shared_preload_libraries="pg_stat_statements")
    name = made(scratch, "production")
    scratch.execute("CREATE EXTENSION pg_stat_statements", name)
    for _ in range(3):
        scratch.execute("SELECT note FROM orders WHERE id = 5", name)
    scratch.execute("SELECT total FROM orders WHERE note = 'a@example.org'", name)
    scratch.execute("SET work_mem = '5MB'", name)
    session = Session(scratch.target(name, "postgres"), Limits(), ("public",), Stop())
    session.begin()
    try:
        found = read_statements(session)
    finally:
        session.close()
    texts = {one.text: one.calls for one in found.texts}
    assert texts["SELECT note FROM orders WHERE id = $1"] == 3
    assert texts["SELECT total FROM orders WHERE note = $1"] == 1
    assert not any("example.org" in text for text in texts)
    assert found.no_queries > 0
