"""The guard on real servers: it waits, goes slower or gives up, and what was not asked is never green."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SYSTEM_BIN, Server, missing, slack, wait_until
from gates import GATE_TABLE, PATIENT, Background, activity, by_id, gate_in, kill
from shop import Shop

from kisaan_validate import declare as d
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.guard.readings import Reader
from kisaan_validate.guard.rules import GAUGES, Action, Bound, GuardReading, GuardRules
from kisaan_validate.guard.turnstile import Turnstile
from kisaan_validate.guard.watch import Guard
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.again import SEVERAL, SnapshotAnswers
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import GuardSaid, Progress
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.report.console import print_run
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import judge

TABLES = (
    GATE_TABLE
    + "CREATE TABLE items (id int PRIMARY KEY, amount int); INSERT INTO items SELECT g, g FROM generate_series(1, 9) g;"
)
EVERY = {name: Bound(10**6 if "free" not in name else 0) for name in GAUGES}


def suite(*more: object) -> Suite:
    """``more``, then two checks that hold, each with a statement of its own."""
    return suite_of(
        *more, d.holds("items", "amount > 0", id="positive"), d.unique("items", "amount", id="unique")
    )


def guarded(
    server: Server, database: str, rules: GuardRules, of: Suite, **more: Any
) -> tuple[Run, list[str]]:
    """A run with a guard, and what the guard said meanwhile."""
    said: list[str] = []
    options = Options(jobs=more.pop("jobs", 1), limits=more.pop("limits", PATIENT), guard=rules)
    observe = lambda e: said.append(e.phase) if isinstance(e, GuardSaid) else None  # noqa: E731
    return run(of, server.dsn(database), options=options, observer=observe, **more), said


def read(server: Server, database: str, rules: GuardRules, role: str = "postgres") -> dict[str, GuardReading]:
    """One look."""
    with closing(Reader(find_target(server.dsn(database, role)), rules, lambda: ())) as reader:
        return reader.read()


@pytest.fixture
def items(server: Server) -> Iterator[str]:
    """A database with a few rows."""
    name = server.create(TABLES)
    yield name
    server.drop(name)


@contextmanager
def busy(server: Server, database: str, sql: str, role: str = "postgres") -> Iterator[Any]:
    """A session of somebody's in which ``sql`` was just begun."""
    connection = server.connect(database, role)
    thread = threading.Thread(target=_ask, args=(connection, sql), daemon=True)
    thread.start()
    try:
        yield connection
    finally:
        connection.cancel()
        thread.join(10)
        connection.close()


def _ask(connection: Any, sql: str) -> None:
    try:
        connection.cursor().execute(sql)
    except Exception:  # it is cancelled at the end
        return


# --- readings ---------------------------------------------------------------------------------------------


def test_every_gauge_reads_a_number(items: str, server: Server) -> None:
    """As the superuser, on a server where little happens."""
    found = read(server, items, GuardRules(bounds=EVERY))
    assert found.keys() == GAUGES.keys()
    assert all(r.value is not None for r in found.values()), found
    assert found["blocking"].value == 0
    free = int(server.sql("SHOW max_connections")[0][0])
    assert 0 < (found["free_connections"].value or 0) < free


def test_every_gauge_reads_a_number_on_postgresql_15(server15: Server) -> None:
    """There is no reserved_connections yet."""
    found = read(server15, "postgres", GuardRules(bounds=EVERY))
    assert all(r.value is not None for r in found.values()), found


def test_sessions_and_snapshots_of_others_are_counted_and_our_own_are_not(items: str, server: Server) -> None:
    """By application_name: a second run of this program is no load that a run must wait for."""
    rules = GuardRules(bounds={n: EVERY[n] for n in ("active_sessions", "longest_snapshot")})
    idle = read(server, items, rules)
    with busy(server, items, "SELECT pg_sleep(30)"), busy(server, items, "SELECT pg_sleep(30)") as second:
        second_pid = second.info.backend_pid
        wait_until(lambda: (read(server, items, rules)["longest_snapshot"].value or 0) > 0.3)
        found = read(server, items, rules)
        assert (found["active_sessions"].value or 0) - (idle["active_sessions"].value or 0) == 2
        with closing(Reader(find_target(server.dsn(items)), rules, lambda: [second_pid])) as reader:
            assert (found["active_sessions"].value or 0) - (reader.read()["active_sessions"].value or 0) == 1


def test_what_rights_withhold_cannot_be_told(items: str, server: Server) -> None:
    """A role without pg_monitor sees no state of others: that is not "nobody is active". pg_monitor sees it."""
    role = f"plain_{items}"
    server.sql(f"CREATE ROLE {role} LOGIN; ")
    try:
        with busy(server, items, "SELECT pg_sleep(30)"):
            found = read(server, items, GuardRules(bounds=EVERY), role)
            unknown = {name for name, reading in found.items() if reading.value is None}
            assert unknown == {"active_sessions", "longest_snapshot"}
            assert "pg_monitor" in found["active_sessions"].why
            server.sql(f"GRANT pg_monitor TO {role}")
            found = read(server, items, GuardRules(bounds=EVERY), role)
            assert (found["active_sessions"].value or 0) >= 1
    finally:
        server.sql(f"DROP ROLE {role}")


def test_a_right_that_is_missing_for_one_gauge_hides_no_other(items: str, server: Server) -> None:
    """The function that tells who blocks whom may be revoked."""
    role = f"less_{items}"
    server.sql(f"CREATE ROLE {role} LOGIN; REVOKE SELECT ON pg_locks FROM PUBLIC", items)
    try:
        found = read(server, items, GuardRules(bounds=EVERY), role)
        assert found["free_locks"].value is None
        assert "permission denied" in found["free_locks"].why
        assert found["free_connections"].value is not None
    finally:
        server.sql(f"DROP ROLE {role}", items)


@pytest.mark.parametrize(
    ("query", "value", "why"),
    [
        ("SELECT true", True, ""),
        ("SELECT count(*) > 10 FROM items", False, ""),
        ("SELECT NULL::bool", None, "one boolean"),
        ("SELECT 1", None, "one boolean"),
        ("SELECT true FROM items", None, "one row"),
        ("SELECT true WHERE false", None, "one row"),
        ("SELECT no_such_column FROM items -- %s", None, "does not exist"),
        ("SELECT pg_sleep(20) IS NULL", None, "statement timeout"),
        ("SELECT nextval('counter') > 0", None, "read-only"),
    ],
)
def test_the_teams_query(items: str, server: Server, query: str, value: bool | None, why: str) -> None:
    """One row of one boolean that is not NULL; everything else, also an error, cannot tell. Nothing is written."""
    server.sql("CREATE SEQUENCE counter", items)
    found = read(server, items, GuardRules(query=query, bounds={"free_locks": Bound(0)}))
    assert found["query"].value is value
    assert why in found["query"].why
    assert found["free_locks"].value is not None
    assert server.sql("SELECT is_called FROM counter", items) == [(False,)]


def test_a_value_that_the_server_quotes_is_not_passed_on(items: str, server: Server) -> None:
    """The team's query may read personal columns; the reason goes into the record."""
    server.sql("CREATE TABLE people (phone text); INSERT INTO people VALUES ('98765-43210')", items)
    found = read(server, items, GuardRules(query="SELECT bool_and(phone::int > 0) FROM people"))
    assert found["query"].value is None
    assert "the query failed" in found["query"].why
    assert "98765" not in found["query"].why


def test_files(tmp_path: Path) -> None:
    """A file that must be there, and those that must not. A folder that may not be read cannot tell."""
    here, gone = str(tmp_path), str(tmp_path / "gone")
    nobody = find_target("host=/nonexistent")
    with closing(
        Reader(nobody, GuardRules(pause_file=here, needs_file=gone, forbids_file=gone), lambda: ())
    ) as reader:
        found = reader.read()
    assert {n: r.value for n, r in found.items()} == {
        "pause_file": False,
        "needs_file": False,
        "forbids_file": True,
    }
    with closing(Reader(nobody, GuardRules(pause_file="/" + "x" * 5000), lambda: ())) as reader:
        assert reader.read()["pause_file"].value is None


def test_a_server_that_cannot_be_reached_cannot_tell() -> None:
    """Nobody answers: every reading is unknown, and says why."""
    target = find_target("host=127.0.0.1 port=1 dbname=x")
    with closing(Reader(target, GuardRules(bounds=EVERY, query="SELECT true"), lambda: ())) as reader:
        found = reader.read()
    assert found.keys() == {*GAUGES, "query"}
    assert all(r.value is None and "cannot connect" in r.why for r in found.values())


def test_a_guard_whose_session_is_killed_connects_again(items: str, server: Server) -> None:
    """The same look has an answer, from a new session."""
    with closing(Reader(find_target(server.dsn(items)), GuardRules(bounds=EVERY), lambda: ())) as reader:
        reader.read()
        ((first, *_),) = activity(server, items)
        kill(server, first)
        assert all(r.value is not None for r in reader.read().values())
        ((second, *_),) = activity(server, items)
        assert second != first


def test_a_server_without_a_free_connection_says_how_many_are_free(items: str, server: Server) -> None:
    """None: a refusal is an answer to this one question. All else cannot be told."""
    role = f"last_{items}"
    server.sql(f"CREATE ROLE {role} LOGIN; ALTER DATABASE {items} CONNECTION LIMIT 1")
    # The session that made the tables ends a moment after it was closed.
    there = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{items}'"
    wait_until(lambda: server.sql(there) == [(0,)])
    with closing(server.connect(items, role)):
        found = read(server, items, GuardRules(bounds=EVERY), role)
    assert found.pop("free_connections").value == 0
    assert all(r.value is None and "too many connections" in r.why for r in found.values())
    server.sql(f"DROP ROLE {role}")


# --- before the start -------------------------------------------------------------------------------------


def test_the_run_waits_for_the_pause_file_without_a_session(
    items: str, server: Server, tmp_path: Path
) -> None:
    """Neither a snapshot nor a connection is held before the start; the pause stands in the record."""
    file = tmp_path / "pause"
    file.touch()
    rules = GuardRules(pause_file=str(file), every=0.1)
    running = Background(lambda: guarded(server, items, rules, suite()))
    time.sleep(0.5)
    assert activity(server, items) == []
    file.unlink()
    result, said = running.result()
    assert result.verdict is Verdict.PASS
    assert said == [f"guard: waiting: the pause file {file} is there", "guard: going on"]
    (pause,) = result.pauses
    assert (pause.reason, pause.snapshot, pause.slowed) == (f"the pause file {file} is there", False, False)
    assert 0.4 <= pause.seconds < 0.9 + slack()
    assert run_from_json(run_to_json(result)).pauses == result.pauses


def test_giving_up_before_the_start_leaves_a_record_without_a_statement(items: str, server: Server) -> None:
    """Every check says why; the run is inconclusive, and no row was read."""
    with busy(server, items, "SELECT pg_sleep(30)"):
        wait_until(lambda: (read(server, items, GuardRules(bounds=EVERY))["active_sessions"].value or 0) >= 1)
        rules = GuardRules(bounds={"active_sessions": Bound(0)}, every=0.1, give_up_after=0.3)
        result, _ = guarded(server, items, rules, suite())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.statements == ()
    assert {r.status for r in result.results} == {Status.ERROR}
    assert result.guard is not None
    assert "active sessions are over 0, and the run waited for" in result.guard.given_up
    assert result.interrupted == f"given up: {result.guard.given_up}"
    assert all(r.message == f"not run: {result.interrupted}" for r in result.results)


def test_the_run_waits_for_a_real_load_to_end(server15: Server) -> None:
    """pgbench has eight sessions at work, which have no pause between two transactions."""
    if not (SYSTEM_BIN / "pgbench").exists():
        missing("pgbench is missing: apt-get install postgresql")
    database = server15.create(TABLES)
    words = [str(SYSTEM_BIN / "pgbench"), "-h", server15.host, "-p", server15.port, "-U", "postgres"]
    subprocess.run([*words, "-i", "-q", database], check=True, capture_output=True)
    load = subprocess.Popen(
        [*words, "-n", "-c", "8", "-T", "4", database], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    rules = GuardRules(bounds={"active_sessions": Bound(2)}, every=0.2)
    wait_until(lambda: (read(server15, database, rules)["active_sessions"].value or 0) > 2)
    result, said = guarded(server15, database, rules, suite())
    load.wait(20)
    assert "active sessions are over 2" in said[0]
    assert result.verdict is Verdict.PASS
    assert result.pauses
    server15.drop(database)


@pytest.mark.parametrize("go_on", [True, False])
def test_what_cannot_be_told_goes_on_or_stops_as_the_rules_say(
    items: str, server: Server, go_on: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """And stands among the readings either way, and on the console: a rule that is blind did not watch."""
    role = f"blind_{items}"
    server.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", items)
    rules = GuardRules(bounds={"active_sessions": Bound(1_000)}, go_on=go_on)
    try:
        with closing(server.connect(items)):
            result = run(suite(), server.dsn(items, role), options=Options(jobs=1, guard=rules))
    finally:
        server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", items)
    assert result.guard is not None
    assert result.guard.readings["active_sessions"].startswith("cannot tell: this role")
    assert (result.verdict is Verdict.PASS) is go_on
    assert result.guard.given_up.startswith("cannot tell active sessions") is not go_on
    print_run(judge(result), None, quiet=True, verbose=False)
    assert "active sessions: cannot tell: this role" in " ".join(capsys.readouterr().out.split()) or not go_on


def test_a_stop_ends_the_wait_before_the_start(items: str, server: Server, tmp_path: Path) -> None:
    """As a signal does: at once, and there is nothing to keep."""
    stop, file = Stop(), tmp_path / "pause"
    file.touch()
    rules = GuardRules(pause_file=str(file), every=30)
    running = Background(lambda: guarded(server, items, rules, suite(), stop=stop))
    time.sleep(0.3)
    stop.request("interrupted by SIGTERM")
    with pytest.raises(Exception, match="interrupted by SIGTERM"):
        running.result(5)


# --- while it runs ----------------------------------------------------------------------------------------


def test_a_pause_file_that_appears_keeps_the_next_statement_waiting(
    items: str, server: Server, tmp_path: Path
) -> None:
    """What runs is left to end; what comes next waits until the file is gone, and then has its answer."""
    file = tmp_path / "pause"
    rules = GuardRules(pause_file=str(file), every=0.1)
    with gate_in(server, items) as gate:
        running = Background(lambda: guarded(server, items, rules, suite(gate.check())))
        gate.reached()
        file.touch()
        time.sleep(0.3)
        gate.open()
        time.sleep(0.5)
        assert running.running
        assert {state for _, state, _ in activity(server, items)} <= {"idle in transaction", "idle"}
        file.unlink()
        result, said = running.result()
    assert result.verdict is Verdict.PASS
    assert said == [f"guard: waiting: the pause file {file} is there", "guard: going on"]
    (pause,) = result.pauses
    assert pause.snapshot
    assert pause.seconds >= 0.5


def test_what_was_not_asked_when_the_guard_gives_up_has_no_answer(
    items: str, server: Server, tmp_path: Path
) -> None:
    """Answers that were given stay; the rest is ERROR with the first reason, and the run is inconclusive."""
    file = tmp_path / "pause"
    rules = GuardRules(pause_file=str(file), every=0.1, give_up_after=0.4)
    with gate_in(server, items) as gate:
        running = Background(lambda: guarded(server, items, rules, suite(gate.check())))
        gate.reached()
        file.touch()
        time.sleep(0.2)
        gate.open()
        result, said = running.result()
    found = by_id(result)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.interrupted.startswith(f"given up: the pause file {file} is there, and the run waited for")
    assert any(s.startswith("guard: giving up") for s in said) or result.guard is not None
    errors = [r for r in found.values() if r.status is Status.ERROR]
    assert errors
    assert all("given up: the pause file" in r.message for r in errors)
    assert len(result.pauses) == 1
    assert not activity(server, items)


def test_a_session_that_waits_for_a_lock_of_ours_ends_the_run(items: str, server: Server) -> None:
    """An ALTER TABLE behind our lock holds up everybody behind it: waiting would not let it through."""
    rules = GuardRules(bounds={"blocking": Bound(0, Action.STOP)}, every=0.1)
    with gate_in(server, items) as gate:
        running = Background(lambda: guarded(server, items, rules, suite(gate.check())))
        gate.reached()
        with busy(server, items, "ALTER TABLE items ADD COLUMN more int"):
            result, _ = running.result(10)
            wait_until(
                lambda: (
                    server.sql("SELECT count(*) FROM pg_attribute WHERE attname = 'more'", items) == [(1,)]
                )
            )
    assert result.guard is not None
    assert "has waited" in result.guard.given_up
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_statement_that_outlasts_the_pause_is_cancelled_and_asked_again(
    items: str, server: Server, tmp_path: Path
) -> None:
    """By rule only; after the pause it has its answer, as if nothing had happened."""
    file = tmp_path / "pause"
    rules = GuardRules(pause_file=str(file), every=0.1, cancel_after=0.2)
    with gate_in(server, items) as gate:
        running = Background(lambda: guarded(server, items, rules, suite(gate.check())))
        gate.reached()
        file.touch()
        wait_until(lambda: not any(state == "active" for _, state, _ in activity(server, items)))
        gate.open()
        file.unlink()
        result, _ = running.result()
    assert result.verdict is Verdict.PASS, [(r.check_id, r.message) for r in result.results]


def test_slow_is_one_statement_at_a_time(items: str, server: Server, tmp_path: Path) -> None:
    """Two workers, two statements that could run side by side: the second waits for the first."""
    file = tmp_path / "slow"
    file.touch()
    server.sql("CREATE TABLE gate2 (id int); INSERT INTO gate2 VALUES (1)", items)
    rules = GuardRules(forbids_file=str(file), actions={"forbids_file": Action.SLOW}, every=0.1)
    with gate_in(server, items) as gate:
        checks = suite_of(gate.check("one"), gate.check("two", "gate2"))
        running = Background(lambda: guarded(server, items, rules, checks, jobs=2))
        gate.reached()
        time.sleep(0.5)
        assert len(gate.reached()) == 1
        file.unlink()
        gate.reached(2)
        gate.open()
        result, said = running.result()
    assert result.verdict is Verdict.PASS
    assert said[0].startswith("guard: one statement at a time")
    assert [p.slowed for p in result.pauses] == [True]


def test_pausing_does_not_outlast_the_limit_of_the_snapshot(
    items: str, server: Server, tmp_path: Path
) -> None:
    """A snapshot that is held keeps VACUUM waiting, whoever asked for the pause."""
    file = tmp_path / "pause"
    rules = GuardRules(pause_file=str(file), every=0.1)
    with gate_in(server, items) as gate:
        limits = Limits(lock_timeout=60_000, snapshot_seconds=1)
        running = Background(lambda: guarded(server, items, rules, suite(gate.check()), limits=limits))
        gate.reached()
        file.touch()
        result, _ = running.result(10)
    assert "as long as [limits] snapshot allows" in result.interrupted
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_guard_that_loses_its_session_in_a_run_goes_on_watching(
    items: str, server: Server, tmp_path: Path
) -> None:
    """Killed once, it connects again; the run is not touched by it."""
    file = tmp_path / "pause"
    rules = GuardRules(bounds=EVERY, pause_file=str(file), every=0.1, go_on=False)
    with gate_in(server, items) as gate:
        running = Background(lambda: guarded(server, items, rules, suite(gate.check())))
        gate.reached()
        # Between two readings: within one it is not idle.
        first: list[int] = []
        wait_until(lambda: first.extend(_guards(server, items)) or first)
        kill(server, *first)
        wait_until(lambda: _guards(server, items) and _guards(server, items) != first)
        gate.open()
        result, _ = running.result()
    assert result.verdict is Verdict.PASS


def _guards(server: Server, database: str) -> list[int]:
    """The guard's session: it runs nothing of the run's."""
    rows = server.sql(
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND query = 'ROLLBACK'"
        " AND state = 'idle' AND application_name = 'kisaan-validate'"
    )
    return [pid for (pid,) in rows]


def test_the_checks_in_python_wait_too(items: str, server: Server, tmp_path: Path) -> None:
    """A stream begins only when the gate is open, though its reader was started long before."""
    import pandera.pandas as pa

    class Items(pa.DataFrameModel):
        id: int
        amount: int

        class Config:
            name = "items"

        @pa.check("amount")
        def small(cls, amounts: Any) -> Any:
            return amounts < 100

    file, told = tmp_path / "pause", dict[str, float]()

    def observe(event: object) -> None:
        if not isinstance(event, Progress):
            return
        # The counting is done: the file appears, and the guard has time to see it before the streams begin.
        if event.phase == "checking" and event.done == event.total and not file.exists():
            file.touch()
            time.sleep(0.5)
            threading.Timer(1.0, file.unlink).start()
        told[f"{event.phase} {event.done}"] = time.monotonic()

    options = Options(jobs=1, guard=GuardRules(pause_file=str(file), every=0.1))
    result = run(suite_of(Items), server.dsn(items), options=options, observer=observe)
    (small,) = [r for r in result.results if "small" in r.check_id]
    assert small.status is Status.PASS
    assert told["streaming 1"] - told["streaming 0"] > 0.6


def test_answers_of_two_snapshots_are_not_counted_together(items: str, server: Server) -> None:
    """A table whose checks were answered at two moments has no number of rows; each answer says its moment."""
    every = suite(d.references("items", "amount", "items", id="join"))
    first = run(every, server.dsn(items))
    lost = Result("positive", Status.ERROR, message="canceling statement due to conflict with recovery")
    kept = tuple(lost if r.check_id == lost.check_id else r for r in first.results)
    # What the first run covered is not what this is about: it would count the check that was lost.
    cut = replace(first, results=kept, coverage=())
    server.sql("DELETE FROM items WHERE id > 4", items)
    part = run(every.narrowed(["positive"]), server.dsn(items))
    answers = SnapshotAnswers(cut)
    assert answers.add(part, ("positive",)) == ()
    made = answers.whole(1)
    assert [(t.rows, t.reason) for t in made.tables if t.name == "items"] == [(None, SEVERAL)]
    found = by_id(made)
    assert (found["join"].examined, found["positive"].examined) == (9, 4)
    assert "of a later snapshot" in found["positive"].message
    assert run_from_json(run_to_json(made)).tables == made.tables
    # A part that another server answered is no part of this run.
    elsewhere = replace(part, place=replace(part.place, in_recovery=True))
    assert SnapshotAnswers(cut).add(elsewhere, ("positive",)) == ("positive",)


class Scripted:
    """Readings that were made up; the server that they are of may change."""

    place: tuple[str, bool] | None = ("2026-01-01", False)

    def read(self) -> dict[str, GuardReading]:
        return {}

    def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("home", "now", "said"),
    [
        (("a", False), ("a", False), ""),
        (("a", True), ("a", False), "promoted"),
        (("a", False), ("b", False), "restarted"),
        (("a", True), ("b", True), "restarted"),
        (("a", False), None, ""),
    ],
)
def test_another_server_is_no_evidence_of_the_runs_own(
    items: str, server: Server, home: tuple[str, bool], now: tuple[str, bool] | None, said: str
) -> None:
    """A guard that a balancer, a failover or a promotion put elsewhere watches nothing: the run ends."""
    source, stop, target = Scripted(), Stop(), find_target(server.dsn(items))
    source.place = now
    guard = Guard(target, GuardRules(every=0.05), stop, source=source)
    with closing(Session(target, Limits(), ())) as session:
        guard.holds(session, home)
        with guard:
            time.sleep(0.3)
    assert stop.requested is bool(said)
    assert said in stop.reason
    assert said in guard.facts.given_up


class Broken(Scripted):
    """A reader with a fault of its own."""

    def read(self) -> dict[str, GuardReading]:
        raise ZeroDivisionError


def test_a_guard_that_fails_ends_the_run(items: str, server: Server) -> None:
    """It never leaves a run unguarded without a word."""
    stop = Stop()
    with Guard(find_target(server.dsn(items)), GuardRules(every=0.05), stop, source=Broken()):
        wait_until(lambda: stop.requested, 5)
    assert stop.reason == "given up: the guard failed: ZeroDivisionError"


def test_a_session_that_was_lost_is_no_longer_ours(items: str, server: Server) -> None:
    """Its process id may be another's by now, who would not be counted."""
    gate, target = Turnstile(), find_target(server.dsn(items))
    with closing(Session(target, Limits(), ())) as kept, closing(Session(target, Limits(), ())) as lost:
        gate.knows(kept)
        gate.knows(lost)
        assert sorted(gate.pids) == sorted([kept.backend_pid, lost.backend_pid])
        kill(server, lost.backend_pid)
        with pytest.raises(DatabaseError):
            lost.execute("SELECT 1")
        assert gate.pids == [kept.backend_pid]


class Blinded(Scripted):
    """It sees at its first look, and never again."""

    looks = 0

    def read(self) -> dict[str, GuardReading]:
        self.looks += 1
        reading = GuardReading(0.0) if self.looks == 1 else GuardReading(None, "the session was lost")
        return {"active_sessions": reading}


def test_a_rule_that_goes_blind_on_the_way_says_so(items: str, server: Server) -> None:
    """It watched for one look: what it read then must not stand for the whole run."""
    rules, source = GuardRules(bounds={"active_sessions": Bound(9)}, every=0.05), Blinded()
    with Guard(find_target(server.dsn(items)), rules, Stop(), source=source) as guard:
        wait_until(lambda: source.looks > 2, 5)
    assert guard.facts.readings == {"active_sessions": "cannot tell: the session was lost"}


class Busy(Scripted):
    """There is always too much going on."""

    def read(self) -> dict[str, GuardReading]:
        return {"active_sessions": GuardReading(99.0)}


def test_a_wait_cancels_what_runs_once(items: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it lasts: what is cancelled is asked again once, and a second cancel would cost it that."""
    rules = GuardRules(bounds={"active_sessions": Bound(9)}, every=0.05, cancel_after=0.1)
    guard, cancels = Guard(find_target(server.dsn(items)), rules, Stop(), source=Busy()), []
    monkeypatch.setattr(guard.gate, "cancel", lambda: cancels.append(time.monotonic()))
    with guard:
        wait_until(lambda: cancels, 5)
        time.sleep(0.5)
    assert len(cancels) == 1


def test_a_guard_gives_up_in_time_though_it_looks_seldom(items: str, server: Server) -> None:
    """Between two looks half an hour apart a run must not wait for half an hour."""
    rules, stop = GuardRules(bounds={"active_sessions": Bound(9)}, every=1800, give_up_after=0.3), Stop()
    with Guard(find_target(server.dsn(items)), rules, stop, source=Busy()):
        wait_until(lambda: stop.requested, 5)
    assert "99 active sessions are over 9" in stop.reason


# --- the command ------------------------------------------------------------------------------------------


def test_a_guard_without_rules_is_refused(shop: Shop) -> None:
    """Whoever asks for one believes to be guarded."""
    done = shop.cli("run", "--guard")
    assert done.returncode == 2
    assert "--guard needs rules" in done.stderr


def test_run_with_a_guard_says_what_it_waits_for(shop: Shop) -> None:
    """On the console, in the record and on the page: the first reason. Giving up is inconclusive."""
    file = shop.folder / "pause"
    (shop.folder / "kisaan.toml").write_text(
        '[guard]\npause_file = "pause"\nreplication_lag = "1 h"\nevery = "1 s"\ngive_up_after = "0 s"\n'
    )
    done = shop.cli("run", "--guard", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    file.touch()
    done = shop.cli("run", "--guard", "--quiet", "--reports", "given-up")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "guard: giving up: the pause file pause is there" in done.stdout
    assert "guard: gave up: the pause file pause is there" in done.stdout
    (page,) = (shop.folder / "given-up").glob("*/report.html")
    assert "wait if the pause file pause is there" in page.read_text()
    assert "replication_lag: " in page.read_text()


def test_a_name_in_the_rules_is_no_command_to_the_terminal(shop: Shop) -> None:
    """A path may hold anything."""
    (shop.folder / "\x1b[2Jx").touch()
    rules = '[guard]\npause_file = "\\u001B[2Jx"\nevery = "1 s"\ngive_up_after = "0 s"\n'
    (shop.folder / "kisaan.toml").write_text(rules)
    done = shop.cli("run", "--guard")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "[U+001B][2Jx is there" in done.stdout
    assert "\x1b" not in done.stdout
