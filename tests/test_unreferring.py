"""Rows that refer to nothing are never joined: hashed, they would all lie in one bucket, which PostgreSQL
cannot split, and for which it takes ever more memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from conftest import Server
from helpers import catalogue_of, prove

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.plan import marks
from kisaan_validate.plan.joins import JoinedCheck, join_pass
from kisaan_validate.plan.statements import Slot
from kisaan_validate.rules.base import Join
from kisaan_validate.suite.load import Suite, suite_of

# Of each reference some rows have NULL, of the composite one also in one column alone.
TABLES = """
CREATE TABLE farms (id int PRIMARY KEY, code text NOT NULL UNIQUE, size int, zone int, plot int, UNIQUE (zone, plot));
CREATE TABLE crops (id int PRIMARY KEY, farm int, code text, zone int, plot int, area int, owned int NOT NULL);
INSERT INTO farms SELECT n, 'farm ' || n, n % 7, n % 40, n / 40 FROM generate_series(1, 400) AS n;
INSERT INTO crops
SELECT n, CASE WHEN n % 3 > 0 THEN f END, CASE WHEN n % 4 > 0 THEN 'farm ' || f END,
       CASE WHEN n % 5 > 0 THEN f % 40 END, CASE WHEN n % 7 > 0 THEN f / 40 END, f % 7 + (n % 500 = 1)::int, f
FROM (SELECT n, n % 400 + 1 AS f FROM generate_series(1, 3000) AS n) AS made;
UPDATE crops SET farm = farm + 9000 WHERE id % 300 = 1;
UPDATE crops SET zone = zone + 9000 WHERE id % 299 = 1;
ANALYZE;
"""
# Which rows each reference may join.
REFERRING = {
    "farm": "farm IS NOT NULL",
    "code": "code IS NOT NULL",
    "zone, plot": "num_nulls(zone, plot) = 0",
    "owned": "true",
}


def _suite() -> Suite:
    return suite_of(
        d.references("crops", "farm", "farms", id="farm"),
        d.agrees("crops", "area", with_="farms.size", via="farm", id="area by farm"),
        d.holds_with("crops", "child.area = parent.size", parent="farms", via="code", on="code", id="code"),
        d.references("crops", ["zone", "plot"], "farms", on=["zone", "plot"], id="zone"),
        d.agrees("crops", "area", with_="farms.size", via=["zone", "plot"], on=["zone", "plot"], id="two"),
        d.agrees("crops", "area", with_="farms.size", via="owned", id="owned"),
        d.agrees("crops", "area", with_="farms.size", via="farm", filter="id > 40", id="some"),
        d.holds("crops", "area > 0", id="row"),
    )


def _nodes(plan: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield plan
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    for one in below:
        yield from _nodes(one)


def _joined(server: Server, database: str, sql: str) -> list[int]:
    """How many rows of crops each join of a statement was given."""
    # In one process, because parallel plans give the rows of each as an average.
    setting = "SET max_parallel_workers_per_gather = 0; SET enable_mergejoin = off; SET enable_nestloop = off"
    ((told,),) = server.sql(f"{setting}; EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", database)
    (found,) = told if isinstance(told, list) else json.loads(told)
    joins = [node for node in _nodes(found["Plan"]) if str(node["Node Type"]).endswith("Join")]
    assert joins, sql
    return [
        round(float(str(scan["Actual Rows"])))
        for join in joins
        for scan in _nodes(join)
        if scan.get("Relation Name") == "crops"
    ]


def _expected(server: Server, database: str, purpose: str, only: str) -> int:
    condition = REFERRING[purpose.partition(" by ")[2]]
    return int(server.sql(f"SELECT count(*) FROM crops WHERE {condition} AND {only}", database)[0][0])


def _only(sql: str) -> str:
    return "id > 40" if "id > 40" in sql else "true"


def _run(server: Server, database: str) -> Run:
    found = prove(server, database, _suite())
    assert {r.status for r in found.results} == {Status.FAIL}, found.results
    return found


@pytest.mark.parametrize("mark", [True, False])
def test_what_refers_to_nothing_is_not_joined(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, mark: bool
) -> None:
    """Neither where rows are counted nor where keys are listed: every join is given only rows that refer."""
    if mark:
        monkeypatch.setattr(marks, "FEWEST_BLOCKS", 0)
    database = server.create(TABLES)
    run = _run(server, database)
    joins = [s for s in run.statements if "crops with farms by" in s.purpose]
    assert {s.purpose.rpartition(" by ")[2] for s in joins} == set(REFERRING)
    assert sum(s.purpose.startswith("keys") for s in joins) >= 3
    for one in joins:
        keys = one.purpose.startswith("keys")
        # Keys of checks with and without a filter are listed together, and of marked blocks only.
        expected = _expected(server, database, one.purpose, "true" if keys else _only(one.sql))
        joined = _joined(server, database, one.sql)
        assert joined, one.purpose
        assert max(joined) <= expected, one.purpose
        assert keys or expected in joined
    server.drop(database)


def test_exactly_what_refers_is_judged(server: Server) -> None:
    """References are examined where no column is NULL, and these rows are counted apart from their join too."""
    database = server.create(TABLES)
    run = _run(server, database)
    examined = {r.check_id: r.examined for r in run.results}
    for check, columns in (("farm", "farm"), ("zone", "zone, plot")):
        assert examined[check] == _expected(server, database, f" by {columns}", "true")
    counting = [s for s in run.statements if s.purpose.startswith("crops with farms by")]
    assert len(counting) == 5
    (scan,) = [s.sql for s in run.statements if s.purpose == "rows of crops"]
    rows, *given = server.sql(scan, database)[0]
    assert rows == 3000
    # One of them refers by a column that is never NULL, one has a filter and counts by itself.
    wanted = (f"crops with farms by {name}" for name in ("farm", "code", "zone, plot"))
    assert given[:3] == [_expected(server, database, purpose, "true") for purpose in wanted]
    for one in counting:
        joined, judged, *_ = server.sql(one.sql, database)[0]
        assert joined == _expected(server, database, one.purpose, _only(one.sql))
        assert ("rows_judged" not in one.sql) or joined == judged
    server.drop(database)


def test_another_packages_kind_judges_rows_that_refer_to_nothing(server: Server) -> None:
    """A kind that is not the engine's own may judge them, so they are joined for it."""
    database = server.create(TABLES)
    tables = catalogue_of(server, database)
    crops, farms = tables.find("crops"), tables.find("farms")
    assert crops is not None
    assert farms is not None
    join, slot = Join(("farm",), "farms", ("id",)), Slot("own", "child.farm IS NULL", ("farm",))
    own = join_pass(crops, farms, join, [JoinedCheck(slot, ours=False)])
    assert server.sql(own.sql(), database)[0][1] == 1000
    server.drop(database)
