"""Keys of few failing rows are listed by looking up the rows that they refer to: the same keys, digests and
counts as from a scan of both tables, also where the index that leads to them is damaged or of no use.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import Server
from helpers import examples, prove

from kisaan_validate import declare as d
from kisaan_validate.execute.lookup import looked_up
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.plan import marks
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.recovery import heaps_only
from kisaan_validate.suite.load import Suite, suite_of

ROWS = 3_000
# Four rows a block, so that few of many blocks are marked.
TABLES = """
CREATE TABLE farms (id {type} PRIMARY KEY, code text NOT NULL UNIQUE, size int, zone int, plot int, UNIQUE (zone, plot));
CREATE TABLE crops (id int PRIMARY KEY, farm int, code text, zone int, plot int, area int, pad text);
ALTER TABLE crops ALTER pad SET STORAGE PLAIN;
INSERT INTO farms SELECT n, 'farm ' || n, n % 7, n % 40, n / 40 FROM generate_series(1, 400) AS n;
INSERT INTO crops SELECT n, f, 'farm ' || f, f % 40, f / 40, f % 7, repeat('x', 1900)
FROM (SELECT n, n % 400 + 1 AS f FROM generate_series(1, 3000) AS n) AS made;
ANALYZE;
"""


def _suite() -> Suite:
    return suite_of(
        d.references("crops", "farm", "farms", id="referring"),
        d.holds_with("crops", "child.area = parent.size", parent="farms", via="farm", id="by number"),
        d.holds_with(
            "crops", "child.area = parent.size", parent="farms", via="code", on="code", id="by text"
        ),
        d.agrees("crops", "area", with_="farms.size", via=("zone", "plot"), on=("zone", "plot"), id="by two"),
        d.agrees("crops", "area", with_="farms.size", via="farm", filter="id > 40", id="some"),
        d.holds("crops", "area >= 0", id="row"),
    )


def _facts(run: Run) -> dict[str, tuple[object, ...]]:
    return {
        r.check_id: (r.status, r.violations, r.examined, r.sample, r.key_digest, r.sample_complete, r.message)
        for r in run.results
    }


def _looked_up(run: Run, by: str = "") -> bool:
    """Whether keys (of the join by this column) were read by lookups: only then the pairs are compared once
    more.
    """
    listings = _listings(run).items()
    lines = [line for purpose, sql in listings if purpose.endswith(by) for line in sql.splitlines()]
    return any("LEFT JOIN" in line and line.endswith(") IS TRUE") for line in lines)


def _listings(run: Run) -> dict[str, str]:
    """The statements that list keys of the rows, by what they are for."""
    found = {s.purpose: s.sql for s in run.statements if s.purpose.startswith("keys: crops")}
    assert found
    return found


@contextmanager
def _never(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr("kisaan_validate.prove.evidence.may_be_looked_up", lambda failing: False)
        yield


def _both(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Run]:
    """A run that may look rows up, and one that may not."""
    found = prove(server, database, _suite())
    with _never(monkeypatch):
        return found, prove(server, database, _suite())


@pytest.fixture(autouse=True)
def _as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "FEWEST_BLOCKS", 0)


def test_lookups_find_the_same_keys(server: Server) -> None:
    """Whatever rows fail, and however: a wrong value, a NULL, a reference to nothing."""
    database = server.create(TABLES.format(type="int"))
    chance = random.Random(7)
    wrongs = (
        "area = area + 1",
        "area = NULL",
        "farm = farm + 1000",
        "farm = NULL",
        "zone = NULL",
        "code = 'x'",
    )
    used = 0
    for _ in range(examples(5)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(marks, "FEWEST_BLOCKS", 0)
            for wrong in wrongs:
                ids = ", ".join(map(str, chance.sample(range(1, ROWS + 1), 2)))
                server.sql(f"UPDATE crops SET {wrong} WHERE id IN ({ids})", database)
            found, plain = _both(server, database, patch)
            used += _looked_up(found)
            assert not _looked_up(plain)
            assert _facts(found) == _facts(plain)
    assert used
    assert {r.status for r in found.results if r.check_id != "row"} == {Status.FAIL}
    server.drop(database)


def test_each_join_is_listed_by_itself(server: Server) -> None:
    """Where rows are few, those of one join are not joined with what checks of another need."""
    database = server.create(TABLES.format(type="int"))
    server.sql("UPDATE crops SET area = area + 1 WHERE id IN (3, 2000)", database)
    server.sql("UPDATE crops SET area = -1 WHERE id = 70", database)
    listed = _listings(prove(server, database, _suite()))
    assert set(listed) == {
        "keys: crops",
        *(f"keys: crops with farms by {c}" for c in ("farm", "code", "zone, plot")),
    }
    assert [sql.count("JOIN") for sql in listed.values()].count(0) == 1
    assert max(sql.count("JOIN") for sql in listed.values()) == 1
    server.drop(database)


def test_an_index_without_the_row_is_not_gone_by(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that an index does not know is found in the heap, with its key and digest."""
    database = server.create(TABLES.format(type="int"))
    # The index of the server is told to keep out of it while the row comes.
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'farms_pkey'::regclass"
    lost = "INSERT INTO farms VALUES (999, 'farm 999', 5, 99, 99)"
    for statement in (ready.format("false"), lost, ready.format("true")):
        server.sql(f"SET allow_system_table_mods = on; {statement}", database)
    server.sql("UPDATE crops SET farm = 999, area = 6 WHERE id = 7", database)
    found, plain = _both(server, database, monkeypatch)
    assert _facts(found) == _facts(plain)
    number = next(r for r in found.results if r.check_id == "by number")
    assert (number.violations, number.sample_complete, bool(number.key_digest)) == (1, True, True)
    assert not _looked_up(found, " by farm")
    server.drop(database)


def test_without_an_index_of_use_the_table_is_scanned(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of another type cannot be looked up by the index: no row is compared with all others."""
    database = server.create(TABLES.format(type="numeric"))
    server.sql("ALTER TABLE crops ALTER farm TYPE float8", database)
    server.sql("UPDATE crops SET area = area + 1 WHERE id IN (3, 2000)", database)
    found, plain = _both(server, database, monkeypatch)
    assert not _looked_up(found, " by farm")
    assert _facts(found) == _facts(plain)
    server.drop(database)


def test_many_rows_are_not_looked_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a twentieth of the blocks, the other table is scanned."""
    database = server.create(TABLES.format(type="int"))
    server.sql("UPDATE crops SET area = area + 1 WHERE id % 8 = 0", database)
    found, plain = _both(server, database, monkeypatch)
    assert not _looked_up(found)
    assert _facts(found) == _facts(plain)
    server.drop(database)


def test_afterwards_the_planner_may_do_as_before(server: Server) -> None:
    """Also where a role has settings of its own, which are not what a run goes by."""
    database = server.create(TABLES.format(type="int"))
    server.sql(f"ALTER DATABASE {database} SET enable_seqscan = off", database)
    session = Session(find_target(server.dsn(database)), Limits(), ("public",))
    try:
        session.begin()
        heaps_only(session)
        ways = "SELECT name, setting FROM pg_settings WHERE name LIKE 'enable%' ORDER BY 1"
        before = session.execute(ways)
        sql = (
            "SELECT count(*) FROM (SELECT farm FROM crops WHERE ctid < '(2,0)' OFFSET '0') AS child "
            "LEFT JOIN farms AS parent ON child.farm = parent.id"
        )
        assert looked_up(session, sql) is not None
        assert session.execute(ways) == before
    finally:
        session.close()
    server.drop(database)
