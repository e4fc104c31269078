"""A large table in pieces: the counts of the whole table, or no answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Server
from gates import PATIENT, Background, answers, by_id, gate_in
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate import declare as d
from kisaan_validate.execute import pieces
from kisaan_validate.execute.pieces import MOST_STEP, next_width
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.guard.rules import GuardRules
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import Progress
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, suite_of

# A row fills a block, so that a table of 6,000 rows is large.
TABLES = """
CREATE TABLE wide (id int, amount int, pad text);
ALTER TABLE wide ALTER pad SET STORAGE PLAIN;
INSERT INTO wide SELECT g, g % 100, repeat('x', 6000) FROM generate_series(1, 6000) AS g;
DELETE FROM wide WHERE id % 7 = 0;
UPDATE wide SET amount = -1 WHERE id % 500 = 1;
CREATE TABLE gate (id int); INSERT INTO gate VALUES (1);
"""


@pytest.fixture(scope="module")
def wide(server: Server) -> Iterator[str]:
    """A database with a table of many blocks."""
    name = server.create(TABLES)
    yield name
    server.drop(name)


def suite(*more: object) -> Suite:
    """Checks of rows, with and without violations, and of a part of the rows."""
    return suite_of(
        *more,
        d.holds("wide", "amount >= 0", id="amount"),
        d.holds("wide", "id > 0", id="id"),
        d.holds("wide", "amount < 50", id="half"),
    )


def asked(server: Server, database: str, of: Suite, seconds: float | None, **more: Any) -> Run:
    """A run that cuts large tables, or without ``seconds`` one that does not."""
    rules = GuardRules(piece_seconds=seconds, every=0.1, **more.pop("rules", {}))
    options = Options(jobs=1, limits=PATIENT, guard=rules)
    return run(of, server.dsn(database), options=options, **more)


def scans(run: Run) -> list[str]:
    """What the scans of the large table were for."""
    return [s.purpose for s in run.statements if s.purpose.startswith("rows of wide")]


@pytest.mark.parametrize("size", [1, 700, 1024, 5000])
def test_pieces_give_what_the_whole_gives(
    wide: str, server: Server, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Every count, key and digest, whatever the size of a piece; the statement says how many there were."""
    monkeypatch.setattr(pieces, "FIRST_BLOCKS", size)
    whole, cut = asked(server, wide, suite(), None), asked(server, wide, suite(), 5)
    assert answers(cut) == answers(whole)
    assert by_id(cut)["amount"].violations == 10
    assert [t.rows for t in cut.tables] == [t.rows for t in whole.tables]
    assert scans(whole) == ["rows of wide"]
    (said,) = scans(cut)
    assert "pieces; this is the first" in said
    assert run_from_json(run_to_json(cut)).results == cut.results


REFERRING = """
CREATE TABLE kinds (id int); INSERT INTO kinds SELECT generate_series(0, 9); CREATE UNIQUE INDEX kinds_id ON kinds (id);
ALTER TABLE wide ADD kind int; UPDATE wide SET kind = id % 11 WHERE id % 3 > 0;
"""
DAMAGED = (
    "UPDATE pg_index SET indisready = false WHERE indexrelid = 'kinds_id'::regclass",
    "INSERT INTO kinds VALUES (4)",
    "UPDATE pg_index SET indisready = true WHERE indexrelid = 'kinds_id'::regclass",
)


def test_pieces_count_the_rows_that_a_join_is_given(server: Server) -> None:
    """Those that refer to another, added up: a join of these rows answers, and one that multiplies them is found."""
    database = server.create(TABLES + REFERRING)
    checks = suite(d.agrees("wide", "amount", with_="kinds.id", via="kind", id="kind"))
    whole, cut = asked(server, database, checks, None), asked(server, database, checks, 0.01)
    assert "pieces; this is the first" in scans(cut)[0]
    assert answers(cut) == answers(whole)
    assert by_id(cut)["kind"].status is Status.FAIL
    for change in DAMAGED:
        server.sql(change, database)
    found = by_id(asked(server, database, checks, 0.01))["kind"]
    assert found.status is Status.ERROR
    assert "the key they refer to is not unique in kinds" in found.message
    server.drop(database)


def test_a_row_that_moves_while_it_is_read_is_counted_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are updated from the end to the front and back meanwhile: the snapshot sees each where it was."""
    monkeypatch.setattr(pieces, "FIRST_BLOCKS", 100)
    database = server.create(TABLES)
    whole = answers(asked(server, database, suite(), None))
    over = threading.Event()

    def move() -> None:
        connection = server.connect(database)
        while not over.is_set():
            connection.cursor().execute("UPDATE wide SET amount = amount + 1 WHERE id % 50 = 3")
        connection.close()

    thread = threading.Thread(target=move)
    with gate_in(server, database) as gate:
        # The snapshot is taken before anything moves.
        checks = suite(gate.check())
        running = Background(lambda: asked(server, database, checks, 0.05))
        gate.reached()
        thread.start()
        gate.open()
        try:
            result = running.result(60)
        finally:
            over.set()
            thread.join()
    found = answers(result)
    assert {id: found[id][:3] for id in whole} == {id: whole[id][:3] for id in whole}
    server.drop(database)


def test_an_expression_that_fails_in_one_piece_costs_its_own_check(
    wide: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its count of the other pieces is no answer; the other checks have theirs."""
    monkeypatch.setattr(pieces, "FIRST_BLOCKS", 1000)
    broken = d.holds("wide", "1 / (id - 3001) < 5", id="broken")
    result = asked(server, wide, suite(broken), 5)
    found = by_id(result)
    assert (found["broken"].status, found["broken"].sqlstate) == (Status.ERROR, "22012")
    assert found["broken"].violations is None
    assert found["amount"].violations == 10
    assert found["amount"].examined == next(t.rows for t in result.tables if t.name == "wide")
    assert result.verdict is not Verdict.PASS


def test_giving_up_between_two_pieces_leaves_no_answer(
    wide: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The table was seen only in part: no count of a part passes for one of all."""
    monkeypatch.setattr(pieces, "FIRST_BLOCKS", 50)
    file = tmp_path / "pause"

    def observe(event: object) -> None:
        if isinstance(event, Progress) and event.phase == "reading wide" and event.done > 500:
            file.touch()

    rules = {"pause_file": str(file), "give_up_after": 0.0}
    sleepy = d.holds("wide", "pg_sleep(id * 0 + 0.0005)::text = ''", volatile="pg_sleep", id="sleepy")
    result = asked(server, wide, suite(sleepy), 0.05, rules=rules, observer=observe)
    found = by_id(result)["id"]
    assert found.status is Status.ERROR
    assert "read only in part, blocks from" in found.message
    assert "given up: the pause file" in found.message or found.sqlstate == "57014"
    assert [t.rows for t in result.tables if t.name == "wide"] == [None]
    assert result.verdict is Verdict.INCONCLUSIVE
    run_from_json(run_to_json(result))


def test_progress_is_told_by_blocks(wide: str, server: Server) -> None:
    """From none to all, never backwards."""
    told: list[Progress] = []
    asked(
        server,
        wide,
        suite(),
        5,
        observer=lambda e: told.append(e) if isinstance(e, Progress) and e.phase == "reading wide" else None,
    )
    done = [event.done for event in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, told[0].total)
    assert len(done) > 2


def test_what_cannot_be_added_is_read_at_once(wide: str, server: Server) -> None:
    """The figures of a column are no sums."""
    figures = suite_of(d.total("wide", "amount", low=0), d.holds("wide", "id > 0", id="id"))
    assert scans(asked(server, wide, figures, 5)) == ["rows of wide"]
    assert asked(server, wide, suite_of(d.unique("wide", "id", id="u")), 5).verdict is Verdict.PASS


@given(st.integers(1, 10**6), st.floats(0, 1e4), st.floats(0.001, 1e3))
def test_the_next_piece_comes_nearer_to_its_time(width: int, took: float, wanted: float) -> None:
    """Larger where it was too fast, smaller where it was too slow, in bounded steps, and never nothing."""
    found = next_width(width, took, wanted)
    assert found >= 1
    assert width // MOST_STEP <= found <= width * MOST_STEP or found == 1
    if took < wanted:
        assert found >= width
    elif took > wanted:
        assert found <= width
