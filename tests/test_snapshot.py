"""One run sees one instant: whatever others write, truncate or rewrite meanwhile, no statement sees
another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg2
import pytest
from conftest import Server, wait_until
from gates import GATE_TABLE, PATIENT, Background, activity, answers, by_id, gate_in
from helpers import measuring

from kisaan_validate import declare as d
from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.rows import RowsRemoved
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import heap_only
from kisaan_validate.execute.snapshot import Snapshot, join_snapshot, rewritten, take_snapshot
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.postgres.catalogue import read_catalogue, read_fence
from kisaan_validate.postgres.connecting import APPLICATION_NAME
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of

ITEMS = """
    CREATE TABLE items (id int PRIMARY KEY, amount int NOT NULL);
    INSERT INTO items SELECT g, g FROM generate_series(1, 100) AS g;
"""
LOCKSTEP = """
    CREATE TABLE left_side (id int PRIMARY KEY, n int NOT NULL);
    CREATE TABLE right_side (id int PRIMARY KEY, n int NOT NULL);
    INSERT INTO left_side SELECT g, 0 FROM generate_series(1, 50) AS g;
    INSERT INTO right_side SELECT g, 0 FROM generate_series(1, 50) AS g;
"""


@contextmanager
def writing(server: Server, database: str, *statements: str) -> Iterator[Callable[[], int]]:
    """Somebody who commits these statements together, again and again; yields how often that has happened."""
    stop, commits = threading.Event(), [0]

    def write() -> None:
        connection = psycopg2.connect(server.dsn(database))
        try:
            while not stop.is_set():
                with connection.cursor() as cursor:
                    for statement in statements:
                        cursor.execute(statement)
                connection.commit()
                commits[0] += 1
        finally:
            connection.close()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield lambda: commits[0]
    finally:
        stop.set()
        thread.join()


def waits_for_a_lock(server: Server, database: str, text: str) -> bool:
    """Whether a session that runs a statement beginning with ``text`` waits for a lock."""
    sql = f"""SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'
              AND query LIKE '{text}%' AND application_name <> '{APPLICATION_NAME}'"""
    return bool(server.sql(sql))


# Writers


def test_statements_of_all_workers_see_the_same_instant(server: Server, database: str) -> None:
    """Two tables that a writer keeps in lockstep agree in every statement of a run, whichever worker asks."""
    server.sql(LOCKSTEP, database)
    suite = suite_of(
        d.agrees("left_side", "n", with_="right_side.n", via="id", id="join"),
        d.reconciles("left_side", "n", details="right_side", detail_column="n", via="id", id="sums"),
        *(d.holds(table, "n >= 0", id=f"row {table}") for table in ("left_side", "right_side")),
        *(
            d.unique(table, "n", counts="groups", id=f"groups {table}")
            for table in ("left_side", "right_side")
        ),
        *(d.unique(table, "n", id=f"surplus {table}") for table in ("left_side", "right_side")),
    )
    updates = [f"UPDATE {table} SET n = n + 1" for table in ("left_side", "right_side")]
    moves = [f"UPDATE {table} SET n = n + id % 7 WHERE id % 3 = 0" for table in ("left_side", "right_side")]
    with writing(server, database, *updates, *moves) as commits:
        seen = set()
        for _ in range(12):
            before = commits()
            wait_until(lambda before=before: commits() > before)
            found = by_id(run(suite, server.dsn(database), options=Options(jobs=4, sample=100)))
            assert [found[id].violations for id in ("join", "sums")] == [0, 0]
            for kind in ("groups", "surplus"):
                assert answer_of(found[f"{kind} left_side"]) == answer_of(found[f"{kind} right_side"])
            seen.add(str(found["surplus left_side"].sample))
        assert len(seen) > 1, "the writer changed nothing: the test proves nothing"


def answer_of(result: object) -> tuple[object, ...]:
    """What a result says of the rows."""
    return tuple(
        getattr(result, name) for name in ("status", "violations", "examined", "sample", "key_digest")
    )


def test_evidence_is_of_the_same_instant_as_the_counts(server: Server, database: str) -> None:
    """The keys of the failures are read later than the failures are counted; the snapshot is the same."""
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        suite = suite_of(d.holds("items", "amount <= 90", id="items"), gate.check())
        running = Background(lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT)))
        gate.reached()
        wait_until(
            lambda: sum(state == "idle in transaction" for _, state, _ in activity(server, database)) == 2
        )
        server.sql("DELETE FROM items WHERE amount > 50; INSERT INTO items VALUES (1000, 1000)", database)
        gate.open()
        found = by_id(running.result())["items"]
    assert (found.violations, found.examined) == (10, 100)
    assert [dict(row)["id"] for row in found.sample] == [str(n) for n in range(91, 101)]


# Those who would take a table away under the run


@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE items",
        "ALTER TABLE items ALTER COLUMN amount TYPE bigint",
        "ALTER TABLE items DROP COLUMN amount",
        "VACUUM FULL items",
        "CLUSTER items USING items_pkey",
        "DROP TABLE items",
    ],
)
def test_who_would_rewrite_a_table_waits_for_the_run(server: Server, database: str, change: str) -> None:
    """What would empty, rewrite or drop a table waits until the run is over; the run's answers stay true."""
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        checks = d.holds("items", "amount <= 90", id="row"), d.unique("items", "amount", id="query")
        suite = suite_of(gate.check(), *checks)
        options = Options(jobs=1, limits=PATIENT)
        running = Background(lambda: run(suite, server.dsn(database), options=options))
        gate.reached()
        other = Background(lambda: server.sql(change, database))
        wait_until(lambda: waits_for_a_lock(server, database, change))
        gate.open()
        result = running.result()
        other.result()
    assert [by_id(result)[id].violations for id in ("row", "query")] == [10, 0]
    assert by_id(result)["row"].examined == 100
    assert len(by_id(result)["row"].sample) == 10


def test_a_partition_attached_during_the_run_is_found_out(server: Server, database: str) -> None:
    """ATTACH PARTITION needs no lock that a reader could refuse; its rows may not slip into later answers."""
    server.sql(
        GATE_TABLE
        + """CREATE TABLE parts (id int, amount int NOT NULL) PARTITION BY RANGE (id);
             CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
             CREATE SCHEMA aside; CREATE TABLE aside.parts_2 (LIKE parts); INSERT INTO aside.parts_2 SELECT g, -1 FROM generate_series(100, 199) AS g;
             INSERT INTO parts SELECT g, 1 FROM generate_series(1, 99) AS g;""",
        database,
    )
    with gate_in(server, database) as gate:
        suite = suite_of(
            gate.check(), d.holds("parts", "amount > 0", id="parts"), d.holds("gate", "id = 1", id="beside")
        )
        goes = RowsRemoved("goes", table="parts", where="amount < 0")
        options = measuring(jobs=1, limits=PATIENT, count_all=True, contract=Contract("c", (goes,), "", ""))
        running = Background(lambda: run(suite, server.dsn(database), options=options))
        gate.reached()
        server.sql(
            "ALTER TABLE parts ATTACH PARTITION aside.parts_2 FOR VALUES FROM (100) TO (200)", database
        )
        gate.open()
        result = running.result()
    assert by_id(result)["parts"].status is Status.ERROR
    assert "rewritten" in by_id(result)["parts"].message
    assert by_id(result)["beside"].status is Status.PASS
    assert result.verdict is Verdict.INCONCLUSIVE
    assert [t.rows for t in result.tables if t.name == "parts"] == [None]
    of_parts = [m for m in result.measured if m.table == "parts"]
    assert [(m.rows, "rewritten" in m.message) for m in of_parts] == [(None, True)] * len(of_parts)
    assert of_parts


def test_a_materialized_view_refreshed_during_the_run_is_found_out(server: Server, database: str) -> None:
    """A refresh writes rows that even older snapshots see, and a reader cannot lock it out: ERROR, not a
    mixture.
    """
    server.sql(GATE_TABLE + ITEMS + "CREATE MATERIALIZED VIEW stored AS SELECT * FROM items", database)
    with gate_in(server, database) as gate:
        suite = suite_of(gate.check(), d.holds("stored", "amount > 0", id="stored"))
        options = Options(jobs=1, limits=PATIENT)
        running = Background(lambda: run(suite, server.dsn(database), options=options))
        gate.reached()
        server.sql("UPDATE items SET amount = 0 WHERE id > 50; REFRESH MATERIALIZED VIEW stored", database)
        gate.open()
        result = running.result()
    assert by_id(result)["stored"].status is Status.ERROR
    assert "rewritten" in by_id(result)["stored"].message


# The fence itself

FENCED = {
    "TRUNCATE items": {"items"},
    "ALTER TABLE items ALTER COLUMN amount TYPE bigint": {"items"},
    "VACUUM FULL items": {"items"},
    "DROP TABLE items": {"items"},
    "DROP TABLE items; " + ITEMS: {"items"},
    "TRUNCATE parts_2": {"parts", "parts_2"},
    "ALTER TABLE parts DETACH PARTITION parts_2": {"parts"},
    "CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (201) TO (300)": {"parts"},
    "TRUNCATE child": {"mother", "child"},
    "REFRESH MATERIALIZED VIEW stored": {"stored"},
    "REFRESH MATERIALIZED VIEW CONCURRENTLY stored": set(),
    "DELETE FROM items": set(),
    "UPDATE items SET amount = 0; VACUUM items": set(),
    "ALTER TABLE items ADD COLUMN note text DEFAULT 'none'": set(),
    "CREATE INDEX ON items (amount); ANALYZE": set(),
}


@pytest.fixture(scope="module")
def template(server: Server) -> Iterator[str]:
    """A database with a table of every kind that the fence watches."""
    name = server.create(
        ITEMS
        + """CREATE TABLE parts (id int, amount int) PARTITION BY RANGE (id);
             CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
             CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
             CREATE TABLE mother (id int); CREATE TABLE child () INHERITS (mother);
             CREATE TABLE source AS SELECT 1 AS id;
             CREATE MATERIALIZED VIEW stored AS SELECT * FROM source; CREATE UNIQUE INDEX ON stored (id);"""
    )
    yield name
    server.drop(name)


def snapshot_of(server: Server, database: str) -> tuple[Snapshot, Session]:
    """A snapshot whose locks are gone already, and a session that joined it while it was held."""
    target = find_target(server.dsn(database))
    holder, watcher = (Session(target, Limits(), ("public",)) for _ in range(2))
    try:
        holder.begin()
        tables = read_catalogue(holder, ("public",), {}).tables
        holder.execute("ROLLBACK")
        snapshot = take_snapshot(holder, [tables[key] for key in sorted(tables)], ("public",), {}, "a test")
        join_snapshot(watcher, snapshot.shared)
        watcher.execute("ROLLBACK")
        return snapshot, watcher
    finally:
        holder.close()


@pytest.mark.parametrize("change", FENCED)
def test_the_fence_knows_whose_files_changed(server: Server, template: str, change: str) -> None:
    """After the locks are gone, a rewritten table is named; one that was only written, extended or indexed
    is not.
    """
    database = server.create(template=template)
    try:
        snapshot, watcher = snapshot_of(server, database)
        connection = server.connect(database)
        for statement in change.split("; "):
            connection.cursor().execute(statement)
        connection.close()
        assert {name for _, name in rewritten(watcher, snapshot)} == FENCED[change]
        watcher.close()
    finally:
        server.drop(database)


def test_a_table_made_anew_before_the_lock_is_fenced_by_its_new_self(server: Server, database: str) -> None:
    """The first look names a table by name; what is locked and watched is the table that has the name now."""
    server.sql(ITEMS, database)
    holder = Session(find_target(server.dsn(database)), Limits(), ("public",))
    holder.begin()
    first_look = read_catalogue(holder, ("public",), {})
    holder.execute("ROLLBACK")
    server.sql("DROP TABLE items; " + ITEMS, database)
    snapshot = take_snapshot(holder, first_look.tables.values(), ("public",), {}, "a test")
    watcher = Session(find_target(server.dsn(database)), Limits(), ("public",))
    join_snapshot(watcher, snapshot.shared)
    watcher.execute("ROLLBACK")
    holder.close()
    server.sql("TRUNCATE items", database)
    assert rewritten(watcher, snapshot) == {("public", "items")}
    watcher.close()


def test_a_fence_that_nobody_can_look_at_again_trusts_nothing(server: Server, template: str) -> None:
    """Files the snapshot never saw count as changed, and a session that is gone raises instead of
    answering.
    """
    snapshot, watcher = snapshot_of(server, template)
    assert len(rewritten(watcher, replace(snapshot, files={}))) == len(snapshot.fenced) == 8
    watcher.close()
    with pytest.raises(DatabaseError):
        rewritten(watcher, snapshot)


# What the run itself holds


def test_a_run_holds_access_share_locks_and_nothing_else(server: Server, database: str) -> None:
    """On the tables and everything else: AccessShareLock only, so that everybody else goes on; no
    transaction id.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        checks = (
            d.unique("items", "amount"),
            d.references("items", "amount", "items"),
            d.holds("items", "amount > 50"),
        )
        suite = suite_of(gate.check(), *checks)
        running = Background(lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT)))
        gate.reached()
        wait_until(
            lambda: sum(state == "idle in transaction" for _, state, _ in activity(server, database)) == 2
        )
        held = server.sql(
            f"""SELECT DISTINCT l.locktype, l.mode, a.backend_xid::text
                FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
                WHERE a.datname = '{database}' AND a.application_name = '{APPLICATION_NAME}'"""
        )
        named = server.sql(
            f"""SELECT a.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
                WHERE a.application_name = '{APPLICATION_NAME}' AND l.mode = 'AccessShareLock'
                  AND l.relation = 'items'::regclass AND a.datname = '{database}'""",
            database,
        )
        server.sql(
            "SET lock_timeout = 1000; INSERT INTO items VALUES (500, 500); CREATE INDEX ON items "
            "(amount); DELETE FROM items",
            database,
        )
        gate.open()
        result = running.result()
    expected = {("relation", "AccessShareLock"), ("virtualxid", "ExclusiveLock"), ("advisory", "ShareLock")}
    assert {(kind, mode) for kind, mode, _ in held} == expected
    assert {xid for _, _, xid in held} == {None}
    assert len(named) == 3, "the holder and both workers hold the table"
    assert by_id(result)["gate"].status is Status.PASS


def test_nothing_is_left_open_when_a_run_is_over(server: Server, database: str) -> None:
    """No session, no lock, no snapshot remains: the next VACUUM may clean up."""
    server.sql(ITEMS, database)
    for _ in range(3):
        run(suite_of(d.holds("items", "amount > 50"), d.unique("items", "amount")), server.dsn(database))
    wait_until(lambda: not activity(server, database), 2)
    sql = "SELECT count(*) FROM pg_locks WHERE relation = 'items'::regclass"
    assert server.sql(sql, database) == [(0,)]


def test_the_same_data_gives_the_same_answers(server: Server, database: str) -> None:
    """Two runs over unchanged data agree to the letter, with one job or with four."""
    server.sql(ITEMS, database)
    suite = suite_of(
        d.holds("items", "amount <= 90", id="row"),
        d.unique("items", "amount", id="query"),
        d.references("items", "amount", "items", id="join"),
        d.minimum_rows("items", 1000, id="minimum"),
    )
    first = run(suite, server.dsn(database), options=Options(jobs=1))
    second = run(suite, server.dsn(database), options=Options(jobs=4))
    assert answers(first) == answers(second)
    assert first.place.lsn <= second.place.lsn
    assert first.place.snapshot


def test_the_fence_reads_files_of_partitions_too(server: Server, template: str) -> None:
    """A partitioned table's files are its own and those of all its partitions, in a fixed order."""
    watcher = Session(find_target(server.dsn(template)), Limits(), ("public",))
    watcher.begin()
    tables = read_catalogue(watcher, ("public",), {}).tables
    files = read_fence(watcher, [tables["public", "parts"].oid])
    assert len(files[tables["public", "parts"].oid]) == 3
    watcher.close()


def test_what_only_heaps_were_read_for_leaves_no_setting_behind(server: Server, database: str) -> None:
    """After the block every setting is as it was before it, those that the session pins among them."""
    with closing(Session(find_target(server.dsn(database)), Limits(), ("public",))) as session:
        session.begin()
        settings = "SELECT name, setting FROM pg_settings WHERE name LIKE 'enable%' ORDER BY 1"
        before = session.execute(settings)
        with heap_only(session):
            assert session.execute(settings) != before
        assert session.execute(settings) == before
        assert ("enable_indexonlyscan", "off") in before
