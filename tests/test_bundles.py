"""Scans of small tables share a statement: the same answers as one by one, in fewer round trips, and one
that fails costs its neighbours nothing.
"""

from __future__ import annotations

import pytest
from conftest import Server
from every_kind import TABLES as EVERY_TABLE
from every_kind import suite as every_kind
from helpers import prove

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.guard.rules import GuardRules
from kisaan_validate.plan import bundles
from kisaan_validate.postgres.session import Limits
from kisaan_validate.suite.load import Suite, suite_of

MANY = 120


def _tables() -> str:
    made = (
        f"CREATE TABLE t{n} (id int PRIMARY KEY, v int, n numeric, s text);"
        f"INSERT INTO t{n} SELECT i, i - 1, i * {n}, 's' || i FROM generate_series(0, {n % 7}) AS i;"
        for n in range(MANY)
    )
    return "".join(made)


def _suite(*more: d.Declaration) -> Suite:
    checks = [d.holds(f"t{n}", "v >= 0", id=f"c{n}") for n in range(MANY)]
    return suite_of(*checks, *(d.minimum_rows(f"t{n}", 1, id=f"rows{n}") for n in range(MANY)), *more)


def _facts(run: Run) -> list[tuple[object, ...]]:
    return [
        (r.check_id, r.status, r.violations, r.examined, r.sample, r.key_digest, r.message, r.evidence)
        for r in run.results
        # What they found depends on the time of day.
        if "fresh" not in r.check_id
    ]


def _counting(run: Run) -> int:
    return sum(not s.purpose.startswith("keys") for s in run.statements)


def test_many_small_tables_share_statements(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same results, rows and figures; 120 tables in 3 statements instead of 120."""
    database = server.create(_tables())
    together = prove(server, database, _suite(), count_all=True)
    monkeypatch.setattr(bundles, "MOST_BLOCKS", -1)
    alone = prove(server, database, _suite(), count_all=True)
    assert (_counting(together), _counting(alone)) == (3, MANY)
    assert _facts(together) == _facts(alone)
    assert together.tables == alone.tables
    assert all(c.profile for table in together.tables for c in table.columns)
    server.drop(database)


def test_a_guard_lets_small_tables_share(server: Server) -> None:
    """What is short need not be cut, nor cancelled."""
    database = server.create(_tables())
    assert _counting(prove(server, database, _suite(), guard=GuardRules(bounds={}))) == 3
    server.drop(database)


def test_joins_and_uniqueness_share_statements_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 joins, some of filtered rows, and 120 checks of uniqueness: a few statements, the same results."""
    database = server.create(_tables())
    suite = _suite(
        *(d.references(f"t{n}", "v", f"t{n + 1}", "id", id=f"join{n}") for n in range(40)),
        *(d.references(f"t{n}", "v", f"t{n + 1}", "id", filter="id > 1", id=f"some{n}") for n in range(20)),
        *(d.unique(f"t{n}", "v", id=f"unique{n}") for n in range(MANY)),
        d.unique("t6", "n", filter="id < 3", id="unique some"),
    )
    together = prove(server, database, suite)
    monkeypatch.setattr(bundles, "MOST_BLOCKS", -1)
    alone = prove(server, database, suite)
    assert _counting(together) <= 7
    assert _counting(alone) == MANY + 60 + MANY + 1
    assert _facts(together) == _facts(alone)
    server.drop(database)


def test_every_kind_and_type_is_the_same(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of check, and the figures of columns of every type."""
    database = server.create(EVERY_TABLE)
    monkeypatch.setattr(bundles, "MOST_OUTPUTS", 10_000)
    monkeypatch.setattr(bundles, "FEWEST", 2)
    together = prove(server, database, every_kind(), count_all=True)
    assert any(s.purpose.endswith("small tables") for s in together.statements)
    monkeypatch.setattr(bundles, "MOST_BLOCKS", -1)
    alone = prove(server, database, every_kind(), count_all=True)
    assert _facts(together) == _facts(alone)
    assert together.tables == alone.tables
    server.drop(database)


@pytest.mark.parametrize("broken", ["1 / v > 0", "s::int > 0", "nowhere.f(v)"])
def test_one_that_fails_costs_no_other(server: Server, broken: str) -> None:
    """An expression that fails at running or at planning: its check has no answer, all others have theirs."""
    database = server.create(_tables())
    run = prove(server, database, _suite(d.holds("t5", broken, id="broken")), count_all=True)
    assert [r.check_id for r in run.results if r.status is Status.ERROR] == ["broken"]
    assert sum(r.status is Status.FAIL for r in run.results) == MANY
    assert all(table.rows is not None for table in run.tables)
    server.drop(database)


def test_a_timeout_costs_no_other(server: Server) -> None:
    """Only the table whose statement takes too long has no answer."""
    made = "CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
    database = server.create(f"{_tables()} {made} $$BEGIN PERFORM pg_sleep(9); RETURN n; END$$")
    suite = _suite(d.holds("t5", "public.slow(v) < 9", id="slow"))
    run = prove(server, database, suite, limits=Limits(statement_timeout=700))
    assert {r.check_id for r in run.results if r.status is Status.ERROR} == {"c5", "rows5", "slow"}
    assert sum(r.status is Status.FAIL for r in run.results) == MANY - 1
    server.drop(database)


def test_what_is_large_or_of_unknown_size_is_alone() -> None:
    """Neither a table beyond the bound, nor one whose size was not read, nor a few are bundled."""
    from kisaan_validate.facts.catalogue import Table
    from kisaan_validate.plan.passes import row_pass

    tables = [Table(n, "public", f"t{n}", "r", {}) for n in range(121)]
    passes = [row_pass(table, ()) for table in tables]

    def bundled(sizes: dict[int, int]) -> list[list[str]]:
        made = bundles.bundles_of(passes, bundles.small_tables(tables, sizes))
        return [[name for one in bundle.members for _, name in one.tables] for bundle in made]

    sizes = dict.fromkeys(range(25), bundles.MOST_BLOCKS) | {1: bundles.MOST_BLOCKS + 1}
    assert bundled(sizes) == [[f"t{n}" for n in (0, *range(2, 25))]]
    assert not bundled(dict.fromkeys(range(bundles.FEWEST - 1), 1))
    assert [len(part) for part in bundled(dict.fromkeys(range(121), 1))] == [50, 50, 21]
