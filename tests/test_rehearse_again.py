"""A migration that is killed before each of its changes and run again, and one that is started twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from conftest import SYSTEM_BIN, missing

from kisaan_validate.facts.rehearsed import AgainState
from kisaan_validate.rehearse.interrupted import AgainGround, chosen, interrupted, twice_at_once
from kisaan_validate.rehearse.killswitch import kill_switch
from kisaan_validate.rehearse.migrate import MigrationSource
from kisaan_validate.rehearse.migrating import Migrating
from kisaan_validate.rehearse.sameness import Comparer
from kisaan_validate.scratch.installation import choose
from kisaan_validate.scratch.server import Scratch, scratch_server

SETUP = """
CREATE TABLE orders (id int PRIMARY KEY, note text, made timestamp NOT NULL DEFAULT '2026-01-01');
INSERT INTO orders SELECT g, 'n' || g FROM generate_series(1, 50) g;
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());
"""
_names = count(1)


@pytest.fixture(scope="module", params=["18", "15"])
def scratch(request: Any) -> Iterator[Scratch]:
    """A scratch server of each version."""
    if request.param == "15" and not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    installation = choose(named=SYSTEM_BIN) if request.param == "15" else choose()
    with scratch_server(installation) as running:
        yield running


def ground(scratch: Scratch, *files: str, setup: str = SETUP, **more: Any) -> AgainGround:
    """A source database, and one on which these files were run undisturbed."""
    source, number = f"source{next(_names)}", next(_names)
    scratch.create(source)
    connection = scratch.connect(source, scratch.owner)
    connection.cursor().execute(setup)
    connection.close()
    sources = tuple(
        MigrationSource(f"{n:02}.sql", text, hashlib.sha256(text.encode()).hexdigest())
        for n, text in enumerate(files, 1)
    )
    migrating = Migrating(scratch, sources, **more)
    result, other = f"result{number}", f"other{number}"
    comparer = Comparer(scratch)
    for name in (result, other):
        scratch.clone(source, name)
        done = migrating.run(name)
        assert done.succeeded or more.get("command"), done
    comparer = replace(comparer, unsteady=comparer.unsteady_between(result, other))
    return AgainGround(migrating, comparer, source, result, lambda words: None)


def states(found: Any) -> list[tuple[int, str, AgainState]]:
    """What happened to each point."""
    return [(p.at, p.text, p.state) for p in found.points]


@pytest.mark.slow
def test_a_file_that_is_done_again_wedges(scratch: Scratch) -> None:
    """Killed between the file's commit and its row in the ledger, ADD COLUMN runs a second time; before
    that, all is rolled back and heals. Times of now() are left out by name.
    """
    here = ground(scratch, "ALTER TABLE orders ADD COLUMN paid boolean; UPDATE orders SET paid = false")
    assert here.comparer.unsteady.words == ("the values of _migrations.executed_at",)
    found = interrupted(here)
    assert (found.reason, found.changes) == ("", 3)
    assert states(found) == [
        (1, "ALTER TABLE", AgainState.HEALED),
        (2, "UPDATE on orders", AgainState.HEALED),
        (3, "INSERT on _migrations", AgainState.WEDGED),
    ]
    assert found.points[2].error == '01.sql: 42701 column "paid" of relation "orders" already exists'


@pytest.mark.slow
def test_a_file_that_counts_twice_ends_differently(scratch: Scratch) -> None:
    """An UPDATE that is not idempotent is done twice: no error, other values."""
    found = interrupted(ground(scratch, "UPDATE orders SET note = note || '!'"))
    assert [p.state for p in found.points] == [AgainState.HEALED, AgainState.DIFFERS]
    assert found.points[1].error == "orders: 50 rows changed (note)"


@pytest.mark.slow
def test_a_file_that_can_be_repeated_heals_everywhere(scratch: Scratch) -> None:
    """Also on a table that the migration itself makes."""
    found = interrupted(
        ground(
            scratch,
            "CREATE TABLE IF NOT EXISTS tags (id int PRIMARY KEY); "
            "INSERT INTO tags VALUES (1) ON CONFLICT DO NOTHING",
            "ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean",
        )
    )
    assert {p.state for p in found.points} == {AgainState.HEALED}
    assert [p.text for p in found.points] == [
        "CREATE TABLE",
        "INSERT on tags",
        "INSERT on _migrations",
        "ALTER TABLE",
        "INSERT on _migrations",
    ]


@pytest.mark.slow
def test_a_migration_that_fails_by_itself_is_not_interrupted(scratch: Scratch) -> None:
    """That is said, and no state is claimed."""
    here = ground(scratch, "SELECT 1")
    broken = replace(here.migrating, sources=(replace(here.migrating.sources[0], text="SELECT 1/0"),))
    found = interrupted(replace(here, migrating=broken))
    assert found.points == ()
    assert "the migration fails while its changes are counted: 01.sql: 22012" in found.reason


@pytest.mark.slow
def test_two_at_once(scratch: Scratch) -> None:
    """Of two runners one finds the column there, or both wait for the ledger's row: never two rows, and
    what differs is told. Whoever fails is named.
    """
    here = ground(scratch, "ALTER TABLE orders ADD COLUMN paid boolean; SELECT pg_sleep(0.3)")
    found = twice_at_once(here)
    assert found.reason == ""
    assert sorted(end.succeeded for end in found.ends) == [False, True]
    assert found.duplicates == ()
    assert found.same is not None
    assert found.same.equal is True


@pytest.mark.slow
def test_a_ledger_without_a_key_has_names_twice(scratch: Scratch) -> None:
    """Both runners note the file, and the database differs from that of one."""
    setup = SETUP.replace("name text PRIMARY KEY", "name text")
    here = ground(scratch, "SELECT pg_sleep(0.5)", setup=setup)
    found = twice_at_once(here)
    assert [end.succeeded for end in found.ends] == [True, True]
    assert found.duplicates == ("01.sql (_migrations)",)


@pytest.mark.slow
def test_nothing_of_the_switch_stays(scratch: Scratch) -> None:
    """No schema, trigger or event trigger, whether it was reached or not; and what it counts is right."""
    here = ground(scratch, "SELECT 1")
    name = f"left{next(_names)}"
    scratch.clone(here.source, name)
    with kill_switch(scratch, name, 0) as switch:
        connection = scratch.connect(name, scratch.owner)
        connection.cursor().execute(
            "CREATE TABLE more (id int); INSERT INTO more VALUES (1); TRUNCATE more; SELECT 1; "
            "DELETE FROM orders WHERE id = 1; DROP TABLE more"
        )
        connection.close()
    assert [what for _, what in switch.changes] == [
        "CREATE TABLE",
        "INSERT on more",
        "TRUNCATE on more",
        "DELETE on orders",
        "DROP TABLE",
    ]
    assert scratch.execute("SELECT count(*) FROM pg_event_trigger", name) == [(0,)]
    assert scratch.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal", name) == [(0,)]
    assert scratch.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'kisaan%'", name) == [(0,)]
    same = here.comparer.same(here.source, name)
    assert (same.equal, same.differing) == (False, ("orders: 1 row gone",))


def test_points_are_spread_evenly() -> None:
    """First and last among them, never more than asked for."""
    assert chosen(3, 12) == (1, 2, 3)
    assert chosen(100, 4) == (1, 34, 67, 100)
    assert chosen(5, 1) == (5,)
    assert chosen(0, 12) == ()
    assert all(len(chosen(n, 7)) == min(n, 7) for n in range(40))


@pytest.mark.slow
def test_a_command_is_interrupted_as_well(scratch: Scratch, tmp_path: Path) -> None:
    """Whatever client it is: here psql, one statement at a time, each committed."""
    psql = choose(named=SYSTEM_BIN).program("psql")
    script = tmp_path / "up.sql"
    script.write_text("ALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ADD COLUMN b int;\n")
    found = interrupted(ground(scratch, command=f"{psql} -X -v ON_ERROR_STOP=1 -f {script}"))
    assert [p.state for p in found.points] == [AgainState.HEALED, AgainState.WEDGED]
    assert "exit code 3" in found.points[1].error
