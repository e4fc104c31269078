"""The guard, a lagging standby, and what replay cancels: asked again with a bound, never green by chance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from conftest import SYSTEM_BIN, Server, missing, system_server, wait_until
from gates import GATE_TABLE, PATIENT, Background, by_id, gate_in
from standbys import standby_of

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.guard.readings import Reader
from kisaan_validate.guard.rules import Action, Bound, GuardRules
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, suite_of

TABLES = (
    GATE_TABLE
    + """
    CREATE TABLE items (id serial PRIMARY KEY, amount int NOT NULL, parent int);
    INSERT INTO items (amount, parent) SELECT g, g % 120 + 20 FROM generate_series(1, 100) AS g;
    CREATE TABLE churned (id int, n int); INSERT INTO churned SELECT g, 0 FROM generate_series(1, 100) AS g;
"""
)
LAG = {"replication_lag": Bound(1)}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary with its standby."""
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        missing("PostgreSQL 15 is missing: apt-get install postgresql-15")
    with system_server(6418) as primary, standby_of(primary) as standby:
        yield primary, standby


def caught_up(primary: Server, standby: Server) -> None:
    """Wait until the standby has replayed all that the primary has said so far."""
    ((lsn,),) = primary.sql("SELECT pg_current_wal_insert_lsn()")
    wait_until(lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn") == [(True,)], 20)


def new_database(pair: tuple[Server, Server]) -> str:
    """A database on both."""
    name = pair[0].create(TABLES)
    caught_up(*pair)
    return name


@contextmanager
def paused(standby: Server) -> Iterator[None]:
    """Replay stands still meanwhile."""
    standby.sql("SELECT pg_wal_replay_pause()")
    wait_until(lambda: standby.sql("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    try:
        yield
    finally:
        standby.sql("SELECT pg_wal_replay_resume()")


def lag(server: Server) -> float | None:
    """What the guard reads as replication lag."""
    with closing(Reader(find_target(server.dsn()), GuardRules(bounds=LAG), lambda: ())) as reader:
        value = reader.read()["replication_lag"].value
        return None if value is None else float(value)


def suite(*more: object) -> Suite:
    """A check of every form; ``more`` come first."""
    return suite_of(
        *more,
        d.holds("items", "amount <= 90", id="row"),
        d.references("items", "parent", "items", id="join"),
        d.unique("items", "amount", id="query"),
        d.holds("churned", "id > 0", id="churned"),
        d.control_total("items", "amount", by=["parent"]),
        d.sequence("items", id="sequence"),
    )


def write(primary: Server) -> None:
    """Something that a standby must replay."""
    primary.sql("CREATE TABLE IF NOT EXISTS noise (x int); INSERT INTO noise VALUES (1)")


@pytest.mark.slow
def test_a_lagging_standby_is_seen_from_both_sides(pair: tuple[Server, Server]) -> None:
    """By its own age, and by what its primary hears of it; when it has caught up, both see that."""
    primary, standby = pair
    new_database(pair)
    with paused(standby):
        for _ in range(3):
            write(primary)
        wait_until(lambda: (lag(standby) or 0) > 1, 20)
        wait_until(lambda: (lag(primary) or 0) > 1, 30)
        late = lag(standby)
        assert late is not None
        assert (lag(standby) or 0) > late, "it grows for as long as nothing is replayed"
    caught_up(*pair)
    # A primary says the lag of what was replayed last: so there must be something to replay.
    write(primary)
    caught_up(*pair)
    wait_until(lambda: lag(primary) is not None and (lag(primary) or 0) < 1, 20)
    assert (lag(standby) or 0) < 1, "what it last heard of the primary is young"


def test_a_role_without_rights_cannot_tell_the_lag_of_a_primary(pair: tuple[Server, Server]) -> None:
    """It sees that a standby follows, and nothing of it: that is no lag of 0."""
    primary, _ = pair
    primary.sql("CREATE ROLE plain LOGIN")
    with closing(
        Reader(find_target(primary.dsn(role="plain")), GuardRules(bounds=LAG), lambda: ())
    ) as reader:
        found = reader.read()["replication_lag"]
    assert found.value is None
    assert "pg_monitor" in found.why
    primary.sql("DROP ROLE plain")


def test_a_run_waits_for_a_standby_that_lags(pair: tuple[Server, Server]) -> None:
    """Before it takes its snapshot; the rows are then those of after."""
    primary, standby = pair
    database = new_database(pair)
    said: list[str] = []
    with paused(standby):
        primary.sql("UPDATE items SET amount = 1000 WHERE id = 1", database)
        wait_until(lambda: (lag(standby) or 0) > 1.5, 20)
        options = Options(guard=GuardRules(bounds=LAG, every=0.1))
        observe = lambda e: said.append(getattr(e, "phase", ""))  # noqa: E731
        running = Background(lambda: run(suite(), standby.dsn(database), options=options, observer=observe))
        wait_until(lambda: any("waiting" in s for s in said))
    write(primary)
    result = running.result()
    assert by_id(result)["row"].violations == 11
    assert [p.snapshot for p in result.pauses] == [False]
    assert "replication lag of" in result.pauses[0].reason


CONFLICT = ("DELETE FROM items WHERE id > 50", "VACUUM items")


def conflict(pair: tuple[Server, Server], database: str, *statements: str) -> None:
    """Take away what a snapshot on the standby still sees."""
    connection = pair[0].connect(database)
    for statement in statements:
        connection.cursor().execute(statement)
    connection.close()
    caught_up(*pair)


def running(standby: Server, database: str, of: Suite, **rules: Any) -> Background[Run]:
    """A run with a guard, of which one session reads."""
    options = Options(jobs=1, limits=PATIENT, guard=GuardRules(every=0.2, **rules))
    return Background(lambda: run(of, standby.dsn(database), options=options))


def test_what_replay_cancelled_is_asked_again_in_a_later_snapshot(pair: tuple[Server, Server]) -> None:
    """Each check has the answer of one snapshot, and says which; the record contradicts nothing."""
    database = new_database(pair)
    with gate_in(pair[1], database) as gate:
        first = d.holds("items", "amount > 0", id="first")
        job = running(pair[1], database, suite(first, gate.check()), conflict_retries=2)
        gate.reached()
        conflict(pair, database, *CONFLICT)
        gate.open()
        result = job.result()
    found = by_id(result)
    assert not [r for r in found.values() if r.status is Status.ERROR], found
    assert "of a later snapshot" in found["gate"].message
    assert result.verdict is Verdict.FAIL
    for id, (early, late) in {"row": (10, 0), "join": (20, 70), "query": (0, 0)}.items():
        again = "of a later snapshot" in found[id].message
        # 50 rows are left of 100; their parents are 21 to 70.
        assert found[id].violations == (20 if id == "join" and again else late if again else early)
    assert run_from_json(run_to_json(result)).results == result.results
    (notice,) = [n for n in result.notices if n.code == "conflict"]
    assert "replay on the standby cancelled" in notice.message
    assert "in 1 later snapshot" in notice.message


def test_without_retries_what_replay_cancelled_has_no_answer(pair: tuple[Server, Server]) -> None:
    """As before there was a guard."""
    database = new_database(pair)
    with gate_in(pair[1], database) as gate:
        job = running(pair[1], database, suite(gate.check()), conflict_retries=0)
        gate.reached()
        conflict(pair, database, *CONFLICT)
        gate.open()
        result = job.result()
    assert by_id(result)["gate"].sqlstate == "40001"
    assert not [n for n in result.notices if n.code == "conflict"]


@pytest.mark.slow
def test_what_replay_cancels_again_and_again_has_no_answer_in_the_end(pair: tuple[Server, Server]) -> None:
    """The bound holds; what lies in other parts is answered, and the run is inconclusive."""
    primary, standby = pair
    database = new_database(pair)
    over = threading.Event()

    def churn() -> None:
        connection = primary.connect(database)
        while not over.wait(3):
            connection.cursor().execute("UPDATE churned SET n = n + 1")
            connection.cursor().execute("VACUUM churned")
        connection.close()

    thread = threading.Thread(target=churn)
    with gate_in(standby, database) as gate:
        thread.start()
        try:
            result = running(standby, database, suite(gate.check()), conflict_retries=3).result(60)
        finally:
            over.set()
            thread.join()
    found = by_id(result)
    assert found["gate"].status is Status.ERROR
    assert found["gate"].sqlstate in {"40001", "22023", "08000"}
    assert result.verdict in {Verdict.INCONCLUSIVE, Verdict.FAIL}
    assert found["row"].violations == 10
    run_from_json(run_to_json(result))


def test_a_comparison_is_not_mixed_of_several_snapshots(pair: tuple[Server, Server]) -> None:
    """Its tables, rows and measures speak of one moment: nothing is asked again."""
    from kisaan_validate.prove.options import Comparing

    database = new_database(pair)
    with gate_in(pair[1], database) as gate:
        rules = GuardRules(conflict_retries=3)
        options = Options(jobs=1, limits=PATIENT, guard=rules, compare=Comparing())
        job = Background(lambda: run(suite(gate.check()), pair[1].dsn(database), options=options))
        gate.reached()
        conflict(pair, database, *CONFLICT)
        gate.open()
        result = job.result()
    assert by_id(result)["gate"].status is Status.ERROR


def test_a_standby_that_is_promoted_is_left_alone_by_a_guarded_run(pair: tuple[Server, Server]) -> None:
    """It is production now. What was answered before stays; what would have been asked after has no answer."""
    # One of its own: once promoted, it follows nobody.
    with ExitStack() as left:
        standby = left.enter_context(standby_of(pair[0]))
        database = new_database((pair[0], standby))
        gate = left.enter_context(gate_in(standby, database))
        job = running(
            standby, database, suite(gate.check()), bounds={"active_sessions": Bound(1000, Action.STOP)}
        )
        gate.reached()
        assert standby.sql("SELECT pg_promote()") == [(True,)]
        result = job.result()
        gate.open()
    assert result.guard is not None
    assert result.guard.given_up == "the standby was promoted while it was read"
    assert by_id(result)["row"].message == "not run: given up: the standby was promoted while it was read"
    assert result.verdict is Verdict.INCONCLUSIVE
    assert run_from_json(run_to_json(replace(result, pauses=())))
