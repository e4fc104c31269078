"""References to small tables ride in the scan of the rows of a large one: the same answers as by a join each, and
what fails or is slow costs no other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import Server
from helpers import measuring, prove
from sqlalchemy.sql.elements import ColumnElement

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Evidence, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.guard.rules import GuardRules
from kisaan_validate.plan import joins, marks, shared
from kisaan_validate.postgres.session import Limits
from kisaan_validate.process.deadline import Deadline
from kisaan_validate.prove.run import run as run_suite
from kisaan_validate.rules.relations import References
from kisaan_validate.sql.expressions import View
from kisaan_validate.suite.load import Suite, suite_of

ROWS = 3_000
KEYS = {
    "i": "int",
    "b": "bigint",
    "s": "smallint",
    "v": "varchar(9)",
    "c": "char(6)",
    "u": "uuid",
    "a": "int[]",
    "r": "date",
    "o": "oid",
    "x": "citext",
}
"""Columns that refer, by their names; to a table of the same name, mostly by the same type."""

COLLATED = KEYS | {"w": "text COLLATE german"}
"""With one whose collation takes more for equal, where the server was built with ICU."""

OTHERS = {"b": "int", "s": "numeric", "v": "text"}
"""Those that refer to a column of another type."""

VALUES = {
    "u": "md5(n::text)::uuid",
    "a": "ARRAY[n, n % 7]",
    "r": "date '2025-01-01' + n",
    "o": "n::oid",
    "v": "'K' || n",
    "c": "'k' || n",
    "w": "CASE WHEN n % 2 = 0 THEN 'K' ELSE 'k' END || n",
    "x": "CASE WHEN n % 2 = 0 THEN 'K' ELSE 'k' END || n",
}
SAME = {"w": "'k' || n", "x": "'k' || n"}
"""Keys that differ in case, and are equal to their collation or type."""


def _tables(keys: Mapping[str, str] = KEYS) -> str:
    """A large table that refers to small ones: some rows to nothing, some by NULL; one key of each is NULL."""
    columns = ", ".join(f"{name} {kind}" for name, kind in keys.items())
    values = ", ".join(f"CASE WHEN n % 13 > 0 THEN {VALUES.get(name, 'n')} END" for name in keys)
    rows = f"SELECT m, m % 103 AS n FROM generate_series(1, {ROWS}) AS m"
    made = f"CREATE TABLE large (id int PRIMARY KEY, amount numeric, {columns});"
    made += f"INSERT INTO large SELECT m, m, {values} FROM ({rows}) AS q;"
    for name, kind in keys.items():
        value = SAME.get(name, VALUES.get(name, "n"))
        made += f"CREATE TABLE to_{name} (k {OTHERS.get(name, kind)} UNIQUE);"
        made += f"INSERT INTO to_{name} SELECT {value} FROM generate_series(0, 99) AS n;"
        made += f"INSERT INTO to_{name} VALUES (NULL);"
    collation = "CREATE COLLATION german (provider = icu, locale = 'de-u-ks-level2', deterministic = false);"
    return f"CREATE EXTENSION citext; {collation if 'w' in keys else ''} {made} ANALYZE"


def _suite(*more: d.Declaration, names: Iterable[str] = KEYS) -> Suite:
    found = (d.references("large", name, f"to_{name}", "k", id=f"to {name}") for name in names)
    return suite_of(d.holds("large", "amount < 2990", id="amount"), *found, *more)


@pytest.fixture
def sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of a thousand rows is large."""
    monkeypatch.setattr(joins, "LARGE", 1_000)
    monkeypatch.setattr(marks, "FEWEST_BLOCKS", 1)


def _facts(run: Run) -> list[tuple[object, ...]]:
    return [
        (r.check_id, r.status, r.violations, r.examined, r.sample, r.key_digest, r.message, r.evidence, r.sql)
        for r in run.results
    ]


def _shared(run: Run) -> list[str]:
    return [s.purpose for s in run.statements if ", references to " in s.purpose]


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize(("named", "keys"), [("server", KEYS), ("server15", COLLATED)], ids=["18", "15"])
@pytest.mark.parametrize("sample", [0, 20])
def test_the_same_as_by_a_join_each(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    keys: Mapping[str, str],
    sample: int,
) -> None:
    """Columns of every kind of key, NULL on both sides, types and collations that take more for equal, with
    marks and without: one scan instead of a statement each, and the same results.
    """
    server: Server = request.getfixturevalue(named)
    database = server.create(_tables(keys))
    together = prove(server, database, _suite(names=keys), sample=sample)
    monkeypatch.setattr(shared, "MOST_KEYS", 0)
    alone = prove(server, database, _suite(names=keys), sample=sample)
    assert _shared(together) == [f"rows of large, references to {', '.join(f'to_{name}' for name in keys)}"]
    assert not _shared(alone)
    assert not [s for s in together.statements if s.sqlstate]
    assert _facts(together) == _facts(alone)
    found = {r.check_id: r for r in together.results}
    # Of 103 values 3 are no keys, and each thirteenth is NULL.
    assert all((r.status, r.violations) == (Status.FAIL, 87) for id, r in found.items() if id != "amount")
    assert {r.evidence for r in found.values()} == {Evidence.SCANNED}
    assert found["to i"].examined == ROWS - sum(n % 103 % 13 == 0 for n in range(1, ROWS + 1))
    server.drop(database)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("sample", [0, 20])
def test_references_alone_share_a_scan(server: Server, sample: int) -> None:
    """No other check of the table is needed, and a join beside them gets only rows that refer to another."""
    database = server.create(_tables())
    found = [d.references("large", name, f"to_{name}", "k", id=name) for name in "is"]
    found.append(d.references("large", "b", "to_b", "k", where="child.id > 0", id="b"))
    run = prove(server, database, suite_of(*found), sample=sample)
    assert _shared(run) == ["rows of large, references to to_i, to_s"]
    assert not [s for s in run.statements if s.sqlstate]
    assert {(r.status, r.violations) for r in run.results} == {(Status.FAIL, 87)}
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_what_cannot_be_listed_is_joined(server: Server) -> None:
    """Under a filter or a condition, by two columns, by what may be NaN, beside ``agrees``, of a view, to a large
    table, to one of unknown size.
    """
    database = server.create(
        _tables() + ";CREATE TABLE pairs (a int, b int, UNIQUE (a, b)); INSERT INTO pairs SELECT n, n FROM"
        " generate_series(0, 99) AS n; CREATE TABLE unknown (k int UNIQUE) WITH (autovacuum_enabled = off);"
        "CREATE TABLE many (k int UNIQUE); INSERT INTO many SELECT n FROM generate_series(0, 400) AS n;"
        "CREATE TABLE float (k float8 UNIQUE); INSERT INTO float SELECT k FROM to_i WHERE k > 0;"
        "ALTER TABLE large ADD f float8; UPDATE large SET f = CASE WHEN id % 2 = 0 THEN 'NaN'::float8 ELSE 1 END;"
        "CREATE VIEW seen AS SELECT * FROM large; ANALYZE large, pairs, many, float"
    )
    joined = (
        d.references("large", "i", "to_i", "k", filter="id > 5", id="filter"),
        d.references("large", "i", "to_i", "k", where="child.amount > 5", id="where"),
        d.references("large", ("i", "s"), "pairs", ("a", "b"), id="pairs"),
        d.references("large", "i", "unknown", "k", id="unknown"),
        d.references("large", "i", "many", "k", id="many"),
        d.references("large", "f", "float", "k", id="float"),
        d.references("seen", "i", "to_i", "k", id="view"),
        d.agrees("large", "i", with_="to_b.k", via="b", on="k", id="agrees"),
    )
    run = prove(server, database, _suite(*joined, names="bv"))
    # Beside ``agrees`` both checks of a join have one statement.
    assert _shared(run) == ["rows of large, references to to_v"]
    assert len([s for s in run.statements if " with " in s.purpose and "keys" not in s.purpose]) == 8
    assert not [r for r in run.results if r.status is Status.ERROR]
    server.drop(database)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("material", ["on", "off"])
def test_a_list_that_does_not_fit_in_memory_is_joined(server: Server, material: str) -> None:
    """It would be read again for each row, so no such statement is sent, however the planner is set."""
    tables = (
        _tables() + ";CREATE TABLE wide (k text UNIQUE); INSERT INTO wide SELECT repeat('w', 900) || n FROM"
    )
    database = server.create(
        tables + " generate_series(0, 299) AS n; ANALYZE wide; ALTER TABLE large ADD wide text"
    )
    server.sql(f"ALTER DATABASE {database} SET work_mem = '64kB'")
    server.sql(f"ALTER DATABASE {database} SET enable_material = {material}")
    run = prove(server, database, _suite(d.references("large", "wide", "wide", "k", id="wide"), names="i"))
    assert not _shared(run)
    assert [(r.check_id, r.violations) for r in run.results] == [("amount", 11), ("to i", 87), ("wide", 0)]
    server.drop(database)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize("broken", ["1 / (id - 7) > 0", "v::int > 0", "nowhere.f(v)"])
def test_one_that_fails_costs_no_other(server: Server, broken: str) -> None:
    """An expression that fails at running or at planning: its check has no answer, all others have theirs."""
    database = server.create(_tables())
    run = prove(server, database, _suite(d.holds("large", broken, id="broken")))
    assert [r.check_id for r in run.results if r.status is Status.ERROR] == ["broken"]
    assert sum(r.status is Status.FAIL for r in run.results) == 1 + len(KEYS)
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_a_list_is_as_long_as_its_table_is_large(server: Server) -> None:
    """A table that had ten rows when it was looked at, in as many blocks as it has now: it is joined."""
    database = server.create(
        "CREATE TABLE queue (k int) WITH (autovacuum_enabled = off);"
        "INSERT INTO queue SELECT n FROM generate_series(1, 250000) AS n; CREATE UNIQUE INDEX ON queue (k);"
        "CREATE TABLE large (id int PRIMARY KEY, k int); INSERT INTO large SELECT n, n FROM"
        " generate_series(1, 3000) AS n; DELETE FROM queue WHERE k % 25000 > 0"
    )
    server.sql("VACUUM ANALYZE", database)
    server.sql(
        "INSERT INTO queue SELECT n FROM generate_series(1, 250000) AS n WHERE n % 25000 > 0", database
    )
    run = prove(server, database, suite_of(d.references("large", "k", "queue", "k", id="to queue")))
    assert ([r.violations for r in run.results], _shared(run)) == ([0], [])
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_the_same_reference_again_is_another_list(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without marks each of them would be held in memory."""
    database = server.create(_tables())
    again = (d.references("large", "i", "to_i", "k", id=f"again {n}") for n in range(9))
    monkeypatch.setattr(shared, "MOST_KEYS", 500)
    run = prove(server, database, _suite(*again, names="iv"), sample=0)
    assert _shared(run) == ["rows of large, references to to_v"]
    server.drop(database)


SLOW = """CREATE FUNCTION slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
$$BEGIN IF n % 10 = 0 THEN PERFORM pg_sleep(0.01); END IF; RETURN n; END$$;"""


@pytest.mark.usefixtures("sharing")
def test_a_timeout_costs_what_is_slow(server: Server) -> None:
    """What is too slow together is asked by itself; the failed try stands in the log."""
    database = server.create(_tables() + ";" + SLOW)
    suite = _suite(d.holds("large", "public.slow(id) > 0", id="slow"), names="iv")
    run = prove(server, database, suite, limits=Limits(statement_timeout=1_500))
    answered = {r.check_id: r.status for r in run.results}
    assert answered == dict.fromkeys(("amount", "slow"), Status.ERROR) | dict.fromkeys(
        ("to i", "to v"), Status.FAIL
    )
    assert [s.sqlstate for s in run.statements if s.purpose in _shared(run)] == ["57014"]
    assert next(r.hint for r in run.results if r.check_id == "slow").startswith("raise statement_timeout")
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_a_timeout_of_planning_costs_what_is_slow(server: Server) -> None:
    """A function of constants is called by the planner, before the statement is sent."""
    database = server.create(_tables() + ";" + SLOW.replace("0.01", "3"))
    suite = _suite(d.holds("large", "id >= public.slow(10) - 10", id="slow"), names="iv")
    run = prove(server, database, suite, limits=Limits(statement_timeout=1_000))
    answered = {r.check_id: r.status for r in run.results}
    assert answered == dict.fromkeys(("amount", "slow"), Status.ERROR) | dict.fromkeys(
        ("to i", "to v"), Status.FAIL
    )
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_what_is_cancelled_is_not_asked_again(server: Server) -> None:
    """Whoever cancels it does not want its parts instead."""
    database = server.create(_tables() + ";" + SLOW)
    suite = _suite(d.holds("large", "public.slow(id) > 0", id="slow"), names="iv")
    ended = threading.Event()

    def cancel() -> None:
        find = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'SELECT%rows_read%marked_of_2%'"
        while (
            not ended.is_set()
            and not server.sql(f"{find} AND state = 'active' AND datname = '{database}'")[0][0]
        ):
            time.sleep(0.05)

    thread = threading.Thread(target=cancel)
    thread.start()
    run = prove(server, database, suite)
    ended.set()
    thread.join()
    assert {(r.status, r.hint) for r in run.results} == {
        (Status.ERROR, "it was cancelled, not timed out: run again")
    }
    assert len(_shared(run)) == 1
    assert not [s for s in run.statements if " with to_" in s.purpose]
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_a_missing_right_costs_what_needs_it(server: Server) -> None:
    """A role that may not read what is referred to, or not run a function: only these have no answer."""
    database = server.create(
        _tables() + "; CREATE FUNCTION one(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n;"
        "REVOKE EXECUTE ON FUNCTION one FROM PUBLIC"
    )
    server.sql(f"CREATE ROLE {database} LOGIN; GRANT SELECT ON large, to_i TO {database}", database)
    suite = _suite(d.holds("large", "public.one(id) > 0", id="one"), names="iv")
    run = run_suite(suite, server.dsn(database, database), options=measuring(jobs=1))
    assert [r.check_id for r in run.results if r.status in {Status.ERROR, Status.SKIP}] == ["to v", "one"]
    server.drop(database)
    server.sql(f"DROP ROLE {database}")


@pytest.mark.usefixtures("sharing")
def test_each_has_its_own_map(server: Server) -> None:
    """A check that every row violates does not make the few rows of a reference cost another scan."""
    database = server.create(_tables())
    server.sql(
        "INSERT INTO to_i VALUES (100), (101), (102); UPDATE large SET i = 999 WHERE id = 7; ANALYZE",
        database,
    )
    suite = suite_of(
        d.holds("large", "amount < 0", id="all"), d.references("large", "i", "to_i", "k", id="few")
    )
    run = prove(server, database, suite)
    assert len(_shared(run)) == 1
    assert [r.violations for r in run.results] == [ROWS, 1]
    keys = {s.purpose: s.sql for s in run.statements if s.purpose.startswith("keys")}
    assert {purpose: "generate_series" in sql for purpose, sql in keys.items()} == {
        "keys: large": False,
        "keys: large with to_i by i": True,
    }
    server.drop(database)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize(("bound", "found"), [("MOST_KEYS", 202), ("MOST_BLOCKS", 2), ("MOST_OUTPUTS", 5)])
def test_a_scan_lists_only_so_much(
    server: Server, monkeypatch: pytest.MonkeyPatch, bound: str, found: int
) -> None:
    """Of three references with 101 keys each, in a block, two ride; one output too many, and none does."""
    database = server.create(_tables())
    monkeypatch.setattr(shared, bound, found)
    run = prove(server, database, _suite(names="ibv"), sample=0)
    assert _shared(run) == (["rows of large, references to to_i, to_b"] if bound != "MOST_OUTPUTS" else [])
    assert {r.violations for r in run.results} == {11, 87}
    server.drop(database)


@pytest.mark.usefixtures("sharing")
@pytest.mark.parametrize(
    "option",
    [
        {"fail_fast": True},
        {"guard": GuardRules(bounds={})},
        {"until": Deadline(time.monotonic() + 3_600, "night is over")},
    ],
)
def test_what_may_have_to_stop_is_asked_in_parts(server: Server, option: dict[str, Any]) -> None:
    """With --fail-fast what comes first is waited for alone; a guard may cancel or cut a statement; the end of
    a night cancels what is too long.
    """
    database = server.create(_tables())
    run = prove(server, database, _suite(names="iv"), sample=0, **option)
    assert not _shared(run)
    assert {11, 87} & {r.violations for r in run.results}
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_what_small_tables_share_is_not_asked_twice(server: Server) -> None:
    """A table that the planner takes for large, and that has few blocks, among many small ones."""
    small = "".join(f"CREATE TABLE t{n} (v int);" for n in range(30))
    database = server.create(f"{small} {_tables()}")
    more = (d.holds(f"t{n}", "v > 0", id=f"c{n}") for n in range(30))
    run = prove(server, database, _suite(*more, names="iv"), sample=0)
    asked = [id for statement in run.statements for id in statement.check_ids]
    assert sorted(asked) == sorted(r.check_id for r in run.results)
    server.drop(database)


class Nothing(References):
    """Of another package: no reference is wrong."""

    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """It never is."""
        return sa.false()


@pytest.mark.usefixtures("sharing")
def test_a_kind_of_another_package_is_joined(server: Server) -> None:
    """What it says of a row is what counts."""
    database = server.create(_tables())
    declared = d.references("large", "i", "to_i", "k", id="nothing")
    run = prove(server, database, suite_of(replace(declared, rule=Nothing(declared.rule.join))))
    assert [(r.check_id, r.violations) for r in run.results] == [("nothing", 0)]
    assert not _shared(run)
    server.drop(database)


@pytest.mark.usefixtures("sharing")
def test_what_reads_the_most_rows_begins_first(server: Server) -> None:
    """So that the longest statement is not the last to begin, whatever the suite's order."""
    database = server.create(
        _tables() + ";CREATE TABLE more (k int UNIQUE); INSERT INTO more SELECT id FROM large"
    )
    server.sql("ANALYZE more", database)
    suite = suite_of(
        d.holds("to_i", "k >= 0", id="small"),
        d.references("large", "b", "to_b", "k", id="shared"),
        d.references("large", "i", "more", "k", id="joined"),
    )
    run = prove(server, database, suite, sample=0)
    assert [s.purpose.split(",")[0] for s in run.statements] == [
        "large with more by i",
        "rows of large",
        "rows of to_i",
    ]
    server.drop(database)
