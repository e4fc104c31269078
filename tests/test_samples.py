"""Listing violating rows: one statement a table, the same keys as one by one, whatever the planner
believes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Server
from helpers import keys, prove, settings

from kisaan_validate import declare as d
from kisaan_validate.facts.catalogue import Column, Index, Table
from kisaan_validate.facts.result import MASKED
from kisaan_validate.facts.run import Run
from kisaan_validate.plan import joins
from kisaan_validate.plan.joins import MERGED, JoinedCheck, join_pass
from kisaan_validate.plan.statements import Slot
from kisaan_validate.postgres.session import Limits
from kisaan_validate.rules.base import Join
from kisaan_validate.suite.load import suite_of

TABLES = """
CREATE TABLE farms (id int PRIMARY KEY, size int, violates_0 int);
INSERT INTO farms SELECT n, n % 7, n FROM generate_series(1, 50) AS n;
CREATE TABLE "Odd ""Crops" (id int, "the id" text, farm int{null}, other int{null}, violates_0 int, area numeric, phone text{key});
INSERT INTO "Odd ""Crops"
SELECT n, 'k' || n, CASE WHEN n % 11 = 0 THEN 1000 + n ELSE n % 50 + 1 END, n % 60, n % 5, CASE WHEN n % 13 = 0 THEN -n END, '98' || n
FROM generate_series(1, 200) AS n;
"""
KEYS = {"primary key": ", PRIMARY KEY (id)", "composite key": ', PRIMARY KEY ("the id", id)', "no key": ""}
NAME = '"Odd ""Crops"'


def _checks() -> list[d.Declaration]:
    return [
        d.holds(NAME, "violates_0 > 0", id="row 1"),
        d.holds(NAME, "area > 0", id="row 2"),
        d.references(NAME, "farm", "farms", id="join 1"),
        d.references(NAME, "other", "farms", id="join 2"),
        d.holds_with(NAME, "child.violates_0 < parent.size", parent="farms", via="farm", id="join 3"),
        d.holds(NAME, "length(phone) < 5", id="personal"),
    ]


def _evidence(run: Run) -> dict[str, tuple[object, ...]]:
    return {r.check_id: (r.violations, r.sample, r.key, r.key_digest, r.sample_complete) for r in run.results}


@pytest.mark.parametrize(("null", "statements"), [(" NOT NULL", 1), ("", 3)], ids=["always", "perhaps"])
@pytest.mark.parametrize("key", KEYS)
def test_one_statement_lists_what_single_ones_would(
    server: Server, key: str, null: str, statements: int
) -> None:
    """Row checks and three joins of one table: the same keys and digests as each check alone, and one
    statement for all, or one more for each column that may refer to nothing.
    """
    database = server.create(TABLES.format(key=KEYS[key], null=null))
    suite = suite_of(*_checks(), settings=settings(personal=("*.phone",)))
    together = prove(server, database, suite)
    alone = {check.id: prove(server, database, suite, select=[check.id]) for check in suite.checks}
    assert len([s for s in together.statements if s.purpose.startswith("keys")]) == statements
    assert _evidence(together) == {id: _evidence(run)[id] for id, run in alone.items()}
    assert all(r.violations and r.sample for r in together.results)
    shown = [value for r in together.results for row in r.sample for name, value in row if name == "phone"]
    assert set(shown) == {MASKED}
    server.drop(database)


def test_keys_are_read_whatever_the_planner_expects(server: Server) -> None:
    """The number of violating rows is known: a guess of the planner above the ceiling keeps no key from
    being read.
    """
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int); INSERT INTO t SELECT n, n, n FROM "
        "generate_series(1, 20000) AS n;"
        "UPDATE t SET a = b + 1 WHERE id IN (3, 17); ANALYZE t"
    )
    run = prove(server, database, suite_of(d.holds("t", "a <= b", id="rare")), limits=Limits(temp_bytes=0))
    (result,) = run.results
    assert keys(result, "id") == [("3",), ("17",)]
    server.drop(database)


@pytest.mark.slow
def test_more_failing_checks_than_a_statement_has_columns(server: Server) -> None:
    """1,700 failing checks of one table: none loses its keys."""
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0), (2, 5)"
    )
    suite = suite_of(*(d.holds("t", f"a > {n}", id=f"c{n}") for n in range(1_700)))
    run = prove(server, database, suite)
    assert all(r.sample for r in run.results)
    assert {keys(r, "id")[0] for r in run.results} == {("1",)}
    server.drop(database)


def test_common_failures_read_their_own_source(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check with more violations than are collected together gives the same keys as if it were
    collected.
    """
    from kisaan_validate.plan import samples

    database = server.create(TABLES.format(key=KEYS["primary key"], null=""))
    collected = _evidence(prove(server, database, suite_of(*_checks())))
    monkeypatch.setattr(samples, "RARE", 20)
    assert _evidence(prove(server, database, suite_of(*_checks()))) == collected
    server.drop(database)


def _table(name: str, column: str, correlation: float | None, rows: int, **index: object) -> Table:
    made = Index("i", True, True, (column,), ordered=True)
    columns = {column: Column(column, "bigint", "int8", True, correlation=correlation)}
    return Table(
        1,
        "public",
        name,
        "r",
        columns,
        indexes=(made,) if index.get("indexed", True) else (),
        estimated_rows=rows,
    )


@pytest.mark.parametrize("believed", [False, True])
@pytest.mark.parametrize(
    ("child", "parent", "merged"),
    [
        ((0.99, 5_000_000, True), (1.0, 5_000_000, True), True),
        ((-0.99, 5_000_000, True), (1.0, 5_000_000, True), True),
        ((0.2, 5_000_000, True), (1.0, 5_000_000, True), False),
        ((0.99, 5_000_000, True), (0.2, 5_000_000, True), False),
        ((None, 5_000_000, True), (1.0, 5_000_000, True), False),
        ((0.99, 5_000_000, False), (1.0, 5_000_000, True), False),
        ((0.99, 5_000_000, True), (1.0, 1_000, True), False),
    ],
)
def test_a_join_is_merged_only_where_both_sides_lie_in_its_order(
    believed: bool,
    child: tuple[float | None, int, bool],
    parent: tuple[float | None, int, bool],
    merged: bool,
) -> None:
    """Both large, both physically in the order of an index that is believed and leads with the column;
    else the planner decides.
    """
    left = replace(_table("c", "p_id", child[0], child[1], indexed=child[2]), believed=believed)
    right = _table("p", "id", parent[0], parent[1], indexed=parent[2])
    made = join_pass(left, right, Join(("p_id",), "p", ("id",)), [JoinedCheck(Slot("x", "true"))])
    assert (made.planner == MERGED) is (merged and believed)


def test_the_planner_s_settings_change_no_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same results with merged joins as without; and the setting is gone afterwards."""
    database = server.create(
        TABLES.format(key=KEYS["primary key"], null="")
        + 'CREATE INDEX ON "Odd ""Crops" (farm); CREATE INDEX ON "Odd ""Crops" (other); ANALYZE'
    )
    believing = {"trust_indexes": True}
    plain = _evidence(prove(server, database, suite_of(*_checks()), **believing))
    monkeypatch.setattr(joins, "LARGE", 0)
    monkeypatch.setattr(joins, "ORDERED", 0.0)
    assert _evidence(prove(server, database, suite_of(*_checks()), **believing)) == plain
    server.drop(database)
