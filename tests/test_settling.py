"""Failures between tables that are asked again: on a real server, with a writer between both looks."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from gates import by_id
from helpers import assertion, keys, measuring, prove, refusal, settings, write_suite
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate import declare as d
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.result import Result, Settled, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.process.deadline import Deadline
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.failing import FailingRow
from kisaan_validate.prove.request import Progress
from kisaan_validate.prove.run import run
from kisaan_validate.prove.settling import earlier, in_both
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.record.consistency import run_contradictions
from kisaan_validate.suite.load import load_suite, suite_of

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL, name text NOT NULL DEFAULT '');
CREATE TABLE lines (id int PRIMARY KEY, order_id int, amount int NOT NULL);
CREATE TABLE loose (order_id int);
"""


def _looked(
    server: Server, database: str, *sources: Any, between: Callable[[], object] = lambda: None, **options: Any
) -> Run:
    """A run; ``between`` is called while it waits for its second look."""
    stop, more = options.pop("stop", None), options.pop("settings", None)

    def observe(event: object) -> None:
        if isinstance(event, Progress) and event.phase == "waiting for rows in flight":
            between()

    made = run(
        suite_of(*sources, settings=more or settings()),
        server.dsn(database),
        options=measuring(**{"jobs": 1, **options}),
        observer=observe,
        stop=stop,
    )
    # Every record of these tests is one that its readers take, and read as it was.
    assert list(run_contradictions(made)) == []
    assert run_from_json(run_to_json(made)).results == made.results
    return made


def _refers(table: str = "lines", **more: Any) -> d.Declaration:
    return d.references(table, "order_id", "orders", id="refers", settling="1 s", **more)


def _adds_up(**more: Any) -> d.Declaration:
    return d.reconciles(
        "orders", "total", details="lines", detail_column="amount", via="order_id", id="adds", **more
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_only_rows_that_fail_in_both_looks_are_violations(server: Server, database: str, seed: int) -> None:
    """Of rows in every combination of states: healed, gone, still wrong, wrong only later, always right. Their
    keys, their digest and both counts are exact, and no row is shown that is in flight.
    """
    chance = random.Random(seed)
    states = {n: (chance.random() < 0.4, chance.choice(["right", "wrong", "gone"])) for n in range(1, 200)}
    server.sql(TABLES + "INSERT INTO orders SELECT n, 0 FROM generate_series(1, 1000) n", database)
    rows = ", ".join(f"({n}, {n + 5000 if bad else n}, 0)" for n, (bad, _) in states.items())
    server.sql(f"INSERT INTO lines VALUES {rows}", database)

    def write() -> None:
        said = {"right": "order_id = id", "wrong": "order_id = id + 5000"}
        for state, change in said.items():
            ids = ", ".join(str(n) for n, (_, then) in states.items() if then == state)
            server.sql(f"UPDATE lines SET {change} WHERE id IN ({ids})", database)
        gone = ", ".join(str(n) for n, (_, then) in states.items() if then == "gone")
        server.sql(f"DELETE FROM lines WHERE id IN ({gone})", database)

    made = by_id(_looked(server, database, _refers(), between=write, sample=1_000))["refers"]
    first = {n for n, (bad, _) in states.items() if bad}
    second = {n for n, (_, then) in states.items() if then == "wrong"}
    assert keys(made, "id") == [(str(n),) for n in sorted(first & second)]
    assert (made.status, made.violations) == (Status.FAIL, len(first & second))
    settled = made.settled
    assert settled is not None
    assert (settled.first, settled.second) == (len(first), len(second))
    assert (settled.healed, settled.fresh) == (len(first - second), len(second - first))
    assert settled.seconds >= 1
    # The digest is the one that the server makes of these keys alone.
    others = ", ".join(str(n) for n in second - first) or "0"
    server.sql(f"DELETE FROM lines WHERE id IN ({others})", database)
    alone = by_id(prove(server, database, suite_of(replace_settling(_refers()), settings=settings())))
    assert alone["refers"].key_digest == made.key_digest


def replace_settling(declared: d.Declaration) -> d.Declaration:
    """The same check, which is not asked again."""
    return replace(declared, meta=replace(declared.meta, settling=None))


def test_what_a_writer_completes_is_in_flight(server: Server, database: str) -> None:
    """All rows healed: the check holds, the first count stays recorded and is said; no snapshot is held while
    the run waits.
    """
    server.sql(
        TABLES + "INSERT INTO orders VALUES (1, 10), (2, 20); INSERT INTO lines VALUES (1, 2, 20)", database
    )
    held: list[Any] = []

    def write() -> None:
        asked = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name LIKE 'kisaan%'"
        held.extend(server.sql(asked))
        server.sql("INSERT INTO lines VALUES (2, 1, 10)", database)

    made = _looked(server, database, _adds_up(settling="1 s"), between=write)
    result = by_id(made)["adds"]
    assert held == [(0,)]
    assert (result.status, result.violations, result.examined) == (Status.PASS, 0, 2)
    assert result.settled == Settled(1, 0, 1, 0, result.settled.seconds if result.settled else 0)
    assert re.fullmatch(r"1 in flight: 1 failed; \d+ s later 1 of them held", result.message)
    assert not result.sample
    assert not result.key_digest
    assert any(s.purpose.startswith("second look: ") for s in made.statements)


def test_a_failure_that_stays_is_a_failure(server: Server, database: str) -> None:
    """Nothing changed: the same rows, the same count; checks without a settling time are not asked again."""
    server.sql(TABLES + "INSERT INTO lines VALUES (1, 1, 1), (2, 2, 2)", database)
    plain = d.holds("lines", "amount > 9", id="plain")
    made = _looked(server, database, _refers(), plain)
    found = by_id(made)
    assert (found["refers"].status, found["refers"].violations) == (Status.FAIL, 2)
    assert re.search(r"2 failed; \d+ s later 2 of them still failed$", found["refers"].message)
    assert found["plain"].settled is None
    second = [s for s in made.statements if s.purpose.startswith("second look")]
    assert {id for s in second for id in s.check_ids} == {"refers"}


def test_rows_that_nothing_names_stay_violations(server: Server, database: str) -> None:
    """Without a key two looks cannot be compared: all of the first stand, unless none fails later."""
    server.sql(TABLES + "INSERT INTO loose VALUES (1), (2)", database)
    some = lambda: server.sql("INSERT INTO orders VALUES (1, 0)", database)  # noqa: E731
    result = by_id(_looked(server, database, _refers("loose"), between=some))["refers"]
    assert (result.status, result.violations) == (Status.FAIL, 2)
    assert (
        "1 failed at a second look; not compared with a second look: its rows have no key" in result.message
    )
    server.sql("INSERT INTO loose VALUES (3)", database)
    rest = lambda: server.sql("INSERT INTO orders VALUES (2, 0), (3, 0)", database)  # noqa: E731
    result = by_id(_looked(server, database, _refers("loose"), between=rest))["refers"]
    assert (result.status, result.violations) == (Status.PASS, 0)


def test_without_a_second_look_it_is_a_failure(server: Server, database: str) -> None:
    """Time ends, somebody stops, the table is gone or locked: the failure stands and says why."""
    server.sql(TABLES + "INSERT INTO lines VALUES (1, 1, 1)", database)
    heal = lambda: server.sql("INSERT INTO orders VALUES (1, 0)", database)  # noqa: E731

    def said(between: Callable[[], object] = lambda: None, **options: Any) -> tuple[Run, Result]:
        made = _looked(server, database, _refers(), between=between, **options)
        result = by_id(made)["refers"]
        assert (result.status, result.violations) == (Status.FAIL, 1)
        return made, result

    soon = Deadline(time.monotonic() + 900, "the budget of 15 min ended")
    stop = Stop()

    def over() -> None:
        object.__setattr__(soon, "at", time.monotonic())

    made, result = said(over, until=soon)
    assert "the second look has no answer: not reached: the budget of 15 min ended" in result.message
    assert made.halted == ""
    long = replace(_refers(), meta=replace(_refers().meta, settling=3_600))
    made = _looked(server, database, long, until=replace(soon, at=time.monotonic() + 900))
    assert "the budget of 15 min ended before it could be asked again" in by_id(made)["refers"].message
    late = replace(soon, at=time.monotonic())
    made = _looked(server, database, _refers(), until=late)
    assert by_id(made)["refers"].status is Status.ERROR
    made, result = said(lambda: stop.request("stopped by SIGTERM"), stop=stop)
    assert result.message.endswith("not compared with a second look: stopped by SIGTERM")
    assert made.interrupted == "stopped by SIGTERM"
    made, result = said(lambda: server.sql("ALTER TABLE orders RENAME TO orders_old", database))
    assert "the second look has no answer" in result.message
    server.sql("ALTER TABLE orders_old RENAME TO orders", database)
    made, result = said(heal, while_held=lambda *_: None)
    assert "a baseline is of one moment" in result.message


def test_tolerance_is_of_what_failed_both_times(server: Server, database: str) -> None:
    """Two of three rows heal: the one that is left is within a tolerance of one row."""
    server.sql(TABLES + "INSERT INTO lines VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)", database)
    heal = lambda: server.sql("INSERT INTO orders VALUES (1, 0), (2, 0)", database)  # noqa: E731
    result = by_id(_looked(server, database, _refers(tolerance=1), between=heal))["refers"]
    assert (result.status, result.violations) == (Status.TOLERATED, 1)
    assert "more than" not in result.message


def test_personal_keys_are_compared_and_not_told(server: Server, database: str) -> None:
    """Neither value nor digest of a personal key is in the record, though its rows are told apart."""
    sql = "CREATE TABLE people (email text PRIMARY KEY, order_id int); INSERT INTO people VALUES ('eve@x', 1), ('bob@x', 2)"
    server.sql(TABLES + sql, database)
    heal = lambda: server.sql("INSERT INTO orders VALUES (1, 0)", database)  # noqa: E731
    hidden = settings(personal=("people.email",))
    made = _looked(server, database, _refers("people"), between=heal, settings=hidden)
    result = by_id(made)["refers"]
    assert (result.status, result.violations, result.key_digest) == (Status.FAIL, 1, "")
    assert keys(result, "email") == [("•••",)]
    assert "@x" not in run_to_json(made)


def test_an_assertion_may_settle(server: Server, database: str, tmp_path: Path) -> None:
    """By a line in its header; suite.toml says it for every check over several tables, and for no other."""
    server.sql(TABLES + "INSERT INTO lines VALUES (1, 1, 1)", database)
    sql = "SELECT l.id FROM lines AS l WHERE NOT EXISTS (SELECT FROM orders AS o WHERE o.id = l.order_id)"
    files = {
        "sql/orphans.sql": assertion(sql, settling="2 s"),
        "suite.toml": 'settling = "1 s"\n',
        "a.py": "from kisaan_validate import declare\n"
        "declare.references('lines', 'order_id', 'orders', id='refers')\n"
        "declare.references('lines', 'order_id', 'orders', id='at_once', where='child.amount > 0', settling='0 s')\n"
        "declare.holds('lines', 'amount > 0', id='row')\n",
    }
    suite = load_suite(write_suite(tmp_path, files))
    (sql_id,) = (c.id for c in suite.checks if c.kind == "sql")
    assert {c.id: c.settling for c in suite.checks} == {sql_id: 2, "refers": 1, "at_once": 0, "row": 0}
    found = by_id(prove(server, database, suite))
    asked = {id: r.settled.seconds if r.settled is not None else None for id, r in found.items()}
    assert (asked.pop(sql_id) or 0) >= 2
    assert (asked.pop("refers") or 0) >= 1
    assert asked == {"at_once": None, "row": None}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("declare.holds('lines', 'amount > 0', settling='5 min')", "it looks at one row"),
        ("declare.unique('lines', 'amount', settling='5 min')", "it reads one table"),
        ("declare.references('lines', 'order_id', 'orders', settling=300)", "settling=300"),
        ("declare.references('lines', 'order_id', 'orders', settling='2 d')", "at most"),
        ("declare.references('lines', 'order_id', 'orders', settling='5')", "settling='5'"),
    ],
)
def test_a_settling_time_that_means_nothing_is_refused(tmp_path: Path, line: str, said: str) -> None:
    """At load, with file and line."""
    error: SuiteError = refusal(tmp_path, {"a.py": f"from kisaan_validate import declare\n{line}\n"})
    assert said in f"{error.fact} {error.hint}"
    assert "a.py:2" in str(error)


ROWS = st.lists(st.sampled_from("abcd")).map(lambda names: [FailingRow(name, ()) for name in names])


@given(ROWS, ROWS)
def test_rows_are_counted_with_their_repetitions(first: list[FailingRow], second: list[FailingRow]) -> None:
    """Of each key as many as both looks had, in the order of the first, whichever rows share a key."""
    found = [row.digest for row in in_both(first, second)]
    for name in "abcd":
        both = (sum(row.digest == name for row in rows) for rows in (first, second))
        assert found.count(name) == min(both)
    rest = iter(row.digest for row in first)
    assert all(name in rest for name in found)


def test_a_look_into_the_past_compares_nothing(server: Server, database: str) -> None:
    """Another server, one that lags, one whose position is not known."""
    server.sql(TABLES, database)
    here: Place = _looked(server, database, _refers()).place
    ahead = replace(here, lsn="16/B374D848")
    assert earlier(here, here) == ""
    assert earlier(replace(ahead, lsn="16/B374D847"), ahead) == ""
    assert earlier(ahead, replace(ahead, lsn="15/FFFFFFFF")) == "the second look is older than the first"
    assert earlier(ahead, replace(ahead, lsn="")) == "the position of the server in its log is not known"
    assert earlier(here, replace(here, host="other")) == "the second look met another server"
    assert earlier(here, replace(here, in_recovery=True)) == "the second look met another server"


def test_a_record_that_contradicts_its_second_look_is_refused(server: Server, database: str) -> None:
    """Each count is compared with the others, and with the settling time."""
    server.sql(TABLES + "INSERT INTO lines VALUES (1, 1, 1), (2, 2, 2)", database)
    heal = lambda: server.sql("INSERT INTO orders VALUES (1, 0)", database)  # noqa: E731
    made = _looked(server, database, _refers(), between=heal)
    (result,) = made.results
    assert result.settled is not None
    for change in ({"first": 3}, {"second": 5}, {"healed": 0}, {"fresh": 1}, {"seconds": 0}, {"healed": None},
                   {"second": None}, {"first": -1}, {"why": "no"}):  # fmt: skip
        bad = replace(result, settled=replace(result.settled, **change))
        assert list(run_contradictions(replace(made, results=(bad,)))), change
    unsettled = replace(made.checks[0], settling=0)
    assert list(run_contradictions(replace(made, checks=(unsettled,))))
