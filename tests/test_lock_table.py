"""Half of the server's lock table stays free of everybody's locks, and nobody beside a run finds it full."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import SYSTEM_BIN, Server, embedded_server, missing, system_server, wait_until
from gates import GATE_TABLE, PATIENT, Background
from helpers import measuring
from shop import Shop
from small_server import Beside, busy, restarted

from kisaan_validate import declare as d
from kisaan_validate.author.draft.look import Ask, look
from kisaan_validate.execute.locking import HOLDER, READER, choose_locking
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.catalogue import read_catalogue, read_fence_unheld
from kisaan_validate.postgres.locktable import Cost, Room, overfull, read_costs, read_room
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.run import run
from kisaan_validate.record.rowfile import RowWriter
from kisaan_validate.suite.load import Suite, suite_of

MANY = 450
"""Tables: more than half of the small server's lock table has places for."""


def filled(server: Server, number: int) -> str:
    """A database with so many tables, made in steps for which the lock table has room."""
    name = server.create()
    for first in range(0, number, 100):
        listed = (
            f"CREATE TABLE t{n} (id int PRIMARY KEY, v int); INSERT INTO t{n} VALUES (1, 1), (2, 2)"
            for n in range(first, min(number, first + 100))
        )
        server.sql("; ".join(listed), name)
    return name


def suite_over(number: int) -> Suite:
    """A check a table."""
    return suite_of(*(d.holds(f"t{n}", "v > 0", id=f"c{n}") for n in range(number)))


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server whose lock table has 1,280 places by its settings."""
    with embedded_server() as server:
        restarted(server, max_connections=20, max_locks_per_transaction=64)
        yield server


@pytest.fixture(scope="module")
def crowded(small: Server) -> str:
    """A database of the small server with many tables."""
    return filled(small, MANY)


# The choice


@pytest.mark.slow
def test_what_is_chosen_leaves_half_of_the_table_free() -> None:
    """Whatever the server and the tables: all that a run may hold at once fits into what others leave of
    one half.
    """
    chance = random.Random(7)
    for _ in range(1_000):
        room = Room(
            chance.choice([640, 1_280, 6_400, 64_000]), chance.randrange(0, 900), chance.choice([0, 2, 4])
        )
        keys: list[TableKey] = [("public", f"t{n}") for n in range(chance.choice([0, 1, 5, 40, 400, 4_000]))]
        costs = {k: Cost(r := chance.choice([1, 1, 1, 3, 300]), r * chance.randrange(0, 4)) for k in keys}
        readers, share = chance.choice([0, 1, 2, 4, 8]), chance.choice([1, 2])
        together = [chance.sample(keys, min(len(keys), 3)) for _ in range(5)]
        found = choose_locking(room, costs, together, readers, share)
        if found.impossible:
            continue
        assert set(found.refused) <= set(costs)
        free = max(0, room.size // 2 - room.used) // share
        held = sum(c.relations for c in costs.values()) if found.held else 0
        each = sum(c.read for c in costs.values()) if found.kept else found.need
        assert HOLDER + held + min(readers, found.readers) * (READER + each) <= free
        for group in together:
            if not set(group) & set(found.refused):
                assert sum(costs[key].read for key in set(group)) <= found.need


def test_an_ordinary_server_holds_all_of_400_tables() -> None:
    """100 connections of 64 locks: as before, every session keeps its locks, and nothing is said."""
    costs = {("public", f"t{n}"): Cost(1, 1) for n in range(400)}
    found = choose_locking(Room(6_400, 20, 2), costs, (), 2)
    assert (found.held, found.kept, found.readers, found.why, found.refused) == (True, True, 2, "", {})


# On a small server, with somebody who writes beside


def whole_run(server: Server, database: str, folder: Path) -> None:
    done = run(suite_over(MANY), server.dsn(database))
    assert done.verdict is Verdict.PASS
    assert [n.code for n in done.notices if n.code == "locks"] == ["locks"]


def baseline_with_rows(server: Server, database: str, folder: Path) -> None:
    options = measuring(count_all=True, digests=True, row_writer=RowWriter(folder / "rows"))
    done = run(suite_over(5), server.dsn(database), options=options)
    assert not [t for t in done.tables if t.rows is None]
    assert not [n for n in done.notices if n.code == "rows"]


def both_sides(server: Server, database: str, folder: Path) -> None:
    copied = server.create(template=database)
    server.sql("UPDATE t7 SET v = 9 WHERE id = 2", copied)
    found = diff_rows(
        find_target(server.dsn(database)), find_target(server.dsn(copied)), DiffOptions(schema=False)
    )
    server.drop(copied)
    assert not [u.reason for table in found.tables for u in table.unknown]
    assert [table.table for table in found.tables if table.differs] == ["t7"]


def first_look(server: Server, database: str, folder: Path) -> None:
    facts = look(Ask(find_target(server.dsn(database))), lambda _: None, Stop())
    assert not [seen.reason for seen in facts.observed.values() if seen.reason]


@pytest.mark.slow
@pytest.mark.parametrize("work", [whole_run, baseline_with_rows, both_sides, first_look])
def test_nobody_beside_it_finds_the_lock_table_full(
    small: Server, crowded: str, tmp_path: Path, work: Callable[[Server, str, Path], None]
) -> None:
    """More tables than half of the lock table has places: every command answers, and no statement of a
    writer fails.
    """
    # A database that somebody writes to cannot be copied, and two sides of which one is written to differ.
    database, written = (
        (crowded, [f"t{n}" for n in range(MANY)]) if work is not both_sides else ("postgres", ["beside"])
    )
    small.sql("CREATE TABLE IF NOT EXISTS beside (id int PRIMARY KEY, v int)")
    with busy(small, database, written) as seen:
        work(small, crowded, tmp_path)
        wait_until(lambda: seen.written > 0)
    assert_harmless(seen)


def assert_harmless(seen: Beside) -> None:
    """Nothing failed beside the run, and its own locks left half of the table free."""
    assert seen.failures == []
    assert seen.written > 0
    assert 0 < seen.ours <= seen.size // 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", [15, 18])
def test_the_writer_of_the_field(version: int) -> None:
    """6,000 tables with a check each on a server of 20 connections: no statement of the writer fails."""
    if version == 15 and not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    with embedded_server() if version == 18 else system_server(6416) as server:
        restarted(server, max_connections=20, max_locks_per_transaction=64)
        database = filled(server, 6_000)
        with busy(server, database, [f"t{n}" for n in range(6_000)]) as seen:
            assert run(suite_over(6_000), server.dsn(database)).verdict is Verdict.PASS
        assert_harmless(seen)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_server_of_ordinary_size_holds_what_it_has_room_for() -> None:
    """400 tables are held by all sessions, 2,000 by the first one alone, 6,000 by none: each run has all
    its answers.
    """
    with embedded_server() as server:
        restarted(server, max_connections=100, max_locks_per_transaction=64)
        database = filled(server, 6_000)
        for number, held in (
            (400, ""),
            (2_000, "readers lock a table only"),
            (6_000, "tables are locked only"),
        ):
            with busy(server, database, [f"t{n}" for n in range(6_000)]) as seen:
                done = run(suite_over(number), server.dsn(database))
            assert done.verdict is Verdict.PASS
            assert [n.message for n in done.notices if n.code == "locks" and held in n.message] or not held
            assert_harmless(seen)


# When there is no room


def test_a_full_table_is_said_before_anything_is_locked(small: Server, crowded: str) -> None:
    """Others hold more than half of it: nothing is locked, and the reason is told."""
    holder = small.connect(crowded)
    with holder.cursor() as cursor:
        cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(g) FROM generate_series(1, 640) AS g")
        done = run(suite_over(3), small.dsn(crowded))
        cursor.execute("ROLLBACK")
    assert {r.status for r in done.results} == {Status.ERROR}
    full = re.compile(r"not run: 6[45]\d of 1,280 slots of the server's lock table are in use")
    assert all(full.match(r.message) for r in done.results), done.results
    assert done.verdict is Verdict.INCONCLUSIVE
    holder.close()
    assert run(suite_over(3), small.dsn(crowded)).verdict is Verdict.PASS


def test_a_table_of_too_many_parts_is_not_read(small: Server) -> None:
    """Reading it would lock all its partitions and their indexes: its check is an error that says so,
    others are answered.
    """
    database = small.create(
        "CREATE TABLE wide (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE plain AS SELECT 1 AS v"
    )
    for first in range(0, 300, 100):
        made = (
            f"CREATE TABLE wide_{n} PARTITION OF wide FOR VALUES FROM ({n}) TO ({n + 1})"
            for n in range(first, first + 100)
        )
        small.sql("; ".join(made), database)
    done = run(
        suite_of(d.holds("wide", "id > 0", id="wide"), d.holds("plain", "v > 0", id="plain")),
        small.dsn(database),
    )
    found = {r.check_id: r for r in done.results}
    assert (found["wide"].status, found["plain"].status) == (Status.ERROR, Status.PASS)
    assert "locks" in found["wide"].message
    assert done.verdict is Verdict.INCONCLUSIVE
    small.drop(database)


def test_what_a_table_costs_is_what_the_server_locks(server: Server) -> None:
    """For tables, partitions, children and views: as many relations as LOCK TABLE locks, and indexes as
    reading locks.
    """
    database = server.create(
        """CREATE TABLE plain (id int PRIMARY KEY, v int UNIQUE); CREATE TABLE bare (v int);
           CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
           CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9); CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
           CREATE TABLE mother (id int); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (mother);
           CREATE VIEW seen AS SELECT p.id FROM plain AS p JOIN parts USING (id); CREATE VIEW twice AS SELECT * FROM seen, bare"""
    )
    session, beside = (
        Session(find_target(server.dsn(database)), Limits(), ("public",)),
        server.connect(database),
    )
    with beside.cursor() as cursor:
        for name in ("plain", "bare", "parts", "mother", "seen", "twice"):
            session.begin()
            ((oid,),) = session.execute(f"SELECT '{name}'::regclass::oid::bigint")
            cost = read_costs(session, [oid])[oid]
            session.execute("ROLLBACK")
            taken = []
            for statement in (f"LOCK TABLE {name} IN ACCESS SHARE MODE", f"EXPLAIN SELECT * FROM {name}"):
                cursor.execute(f"BEGIN; {statement}")
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = "
                    "'relation' AND relation >= 16384"
                )
                taken.append(cursor.fetchone()[0])
                cursor.execute("ROLLBACK")
            assert (name, cost.relations) == (name, taken[0])
            assert taken[1] <= cost.read  # a view that is read locks no more than it shows
    session.close()
    server.drop(database)


def test_the_room_counts_others_and_not_the_fast_path(server: Server, database: str) -> None:
    """Locks of the fast path are in no table that is shared; advisory locks of others are."""
    target = find_target(server.dsn(database))
    session, beside = Session(target, Limits(), ("public",)), server.connect(database)
    session.begin()
    before = read_room(session)
    with beside.cursor() as cursor:
        cursor.execute("BEGIN; SELECT pg_advisory_xact_lock_shared(g) FROM generate_series(1, 500) AS g")
        now = read_room(session)
    assert now.size == before.size == 64 * 100
    assert 490 <= now.used - before.used <= 510
    assert overfull(session, now.size // 2)
    assert not overfull(session)
    beside.close()
    session.close()


# What is not held is found out

CHANGED = {
    "TRUNCATE items": {"items", "shown"},
    "DROP TABLE items CASCADE": {"items", "shown"},
    "DROP VIEW shown; CREATE VIEW shown AS SELECT 1 AS id, 2 AS v": {"shown"},
    "CREATE OR REPLACE VIEW shown AS SELECT id, 1 AS v FROM items": {"shown"},
    "ALTER TABLE items RENAME TO old; ALTER TABLE others RENAME TO items": {"items", "others", "shown"},
    "ALTER TABLE others DROP COLUMN v; ALTER TABLE others ADD COLUMN v int DEFAULT 7": {"others"},
    "ALTER TABLE others RENAME COLUMN v TO w; ALTER TABLE others RENAME COLUMN id TO v": {"others"},
    "ALTER TABLE others ALTER COLUMN v TYPE bigint": {"others"},
    "ALTER SCHEMA public RENAME TO gone": {"items", "others", "shown", "parts"},
    "ALTER TABLE parts DETACH PARTITION parts_1": {"parts"},
    "TRUNCATE parts_1": {"parts"},
    "UPDATE items SET v = 0; VACUUM items; ANALYZE": set(),
    "CREATE INDEX ON items (v)": set(),
    "DELETE FROM others; GRANT SELECT ON others TO public": set(),
}


@pytest.mark.parametrize("change", CHANGED)
def test_whatever_a_lock_would_have_kept_off_is_found_out(server: Server, change: str) -> None:
    """Tables that nothing holds: another file, name, column, partition or query is noticed; what only
    writes rows is not.
    """
    database = server.create(
        """CREATE TABLE items (id int PRIMARY KEY, v int); CREATE TABLE others (id int, v int); INSERT INTO items VALUES (1, 1);
           CREATE VIEW shown AS SELECT id, v FROM items; CREATE TABLE parts (id int) PARTITION BY RANGE (id);
           CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9)"""
    )
    session = Session(find_target(server.dsn(database)), Limits(), ("public",))
    session.begin(isolation="READ COMMITTED")
    tables = {
        t.oid: t.name for t in read_catalogue(session, ("public",), {}).tables.values() if t.name != "parts_1"
    }
    before = read_fence_unheld(session, tables)
    session.execute("ROLLBACK")
    other = server.connect(database)
    for statement in change.split("; "):
        other.cursor().execute(statement)
    other.close()
    session.begin(isolation="READ COMMITTED")
    now = read_fence_unheld(session, tables)
    assert {name for oid, name in tables.items() if now.get(oid) != before[oid]} == CHANGED[change]
    session.close()
    server.drop(database)


def test_a_table_that_was_emptied_under_an_unheld_snapshot_is_no_pass(small: Server, crowded: str) -> None:
    """Truncated after the snapshot it looks empty: its check is an error, whether it was read before or
    after.
    """
    many = (
        "INSERT INTO gate SELECT generate_series(2, 1000); ANALYZE gate;"  # the largest table is read first
    )
    small.sql(f"{GATE_TABLE} {many} CREATE TABLE emptied AS SELECT 1 AS v", crowded)
    gate = small.connect(crowded)
    gate.cursor().execute("BEGIN; LOCK TABLE gate IN ACCESS EXCLUSIVE MODE")
    suite = suite_of(d.holds("gate", "id > 0", id="gate"), d.holds("emptied", "v > 1", id="emptied"))
    options = measuring(limits=PATIENT, jobs=1, count_all=True)  # every table is read, so none is held
    running: Background[Run] = Background(lambda: run(suite, small.dsn(crowded), options=options))
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'gate'::regclass"
    wait_until(lambda: not running.running or bool(small.sql(waiting, crowded)))
    assert running.running, running.result()
    small.sql("TRUNCATE emptied", crowded)
    gate.cursor().execute("ROLLBACK")
    gate.close()
    found = {r.check_id: r for r in running.result(200).results}
    assert found["emptied"].status is Status.ERROR
    assert "rewritten" in found["emptied"].message
    assert found["gate"].status is Status.PASS
    small.sql("DROP TABLE gate, emptied", crowded)


def test_doctor_says_how_a_run_would_lock(small: Server, crowded: str, tmp_path: Path) -> None:
    """The size of the table, what is used of it, and what that means for a run."""
    (tmp_path / "checks").mkdir()
    lines = "\n".join(f'declare.holds("t{n}", "v > 0")' for n in range(MANY))
    (tmp_path / "checks" / "all.py").write_text(f"from kisaan_validate import declare\n{lines}\n")
    small.sql("CREATE ROLE reader_doctor LOGIN; GRANT pg_read_all_data TO reader_doctor")
    shop = Shop(small, tmp_path, crowded)
    shop.role = "reader_doctor"
    said = shop.cli("doctor").stdout
    assert "1,280 slots" in said
    assert "tables are locked only while they are read" in said
