"""No fault ever yields PASS: what is broken on a real server, and what a run then says."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandera.pandas as pa
import pytest
from conftest import ROOT, Server, embedded_server, slack, wait_until
from gates import GATE_TABLE, PATIENT, Background, activity, answers, by_id, gate_in, holder_of, kill
from helpers import measuring, write_suite

from kisaan_validate import declare as d
from kisaan_validate.cli.main import main
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import DatabaseError, RecordError, TargetError
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.result import UNANSWERED, Evidence, Result, Status, Verdict
from kisaan_validate.facts.run import Run, StatementFacts
from kisaan_validate.postgres.same_server import Shared, leave_mark
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import Progress
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, run_from_json, run_to_json
from kisaan_validate.record.files import write_file
from kisaan_validate.record.rowfile import kept_rows
from kisaan_validate.record.valuefile import kept_values
from kisaan_validate.sql.expressions import quote
from kisaan_validate.suite.load import Suite, SuiteSettings, load_suite, suite_of
from kisaan_validate.verdict.judgement import judge

GATED = """
from kisaan_validate import declare

waits = "id IS NULL OR pg_advisory_xact_lock_shared(7)::text = ''"
declare.holds("gate", waits, volatile="pg_advisory_xact_lock_shared", id="gate")
declare.holds("items", "amount > 0", id="positive")
"""
"""A suite whose first check waits at the gate."""

ITEMS = """
    CREATE TABLE items (id int PRIMARY KEY, amount numeric NOT NULL, label text);
    INSERT INTO items SELECT g, g, 'item ' || g FROM generate_series(1, 100) AS g;
"""


def items_suite(*more: Any) -> Suite:
    """Three checks whose answers are known: 0, 10 and 0 violations; ``more`` come first."""
    return suite_of(
        *more,
        d.holds("items", "amount > 0", id="positive"),
        d.holds("items", "amount <= 90", id="at_most_90"),
        d.unique("items", "label", id="labels"),
    )


def assert_items_answered(run: Run) -> None:
    """The checks of :func:`items_suite` have their true answers."""
    found = by_id(run)
    assert [found[id].violations for id in ("positive", "at_most_90", "labels")] == [0, 10, 0]
    assert found["at_most_90"].status is Status.FAIL
    assert len(found["at_most_90"].sample) == 10


def assert_error(result: Result, sqlstate: str) -> None:
    """The result is an ERROR that says something, with this SQLSTATE."""
    assert (result.status, result.sqlstate) == (Status.ERROR, sqlstate)
    assert result.message
    assert result.violations is None


def when(phase: str, action: Callable[[], object]) -> Callable[[object], None]:
    """An observer that does something once, when a run begins a phase."""
    waiting = [action]

    def observe(event: object) -> None:
        if isinstance(event, Progress) and event.phase == phase and waiting:
            waiting.pop()()

    return observe


@contextmanager
def role_in(server: Server, database: str, options: str = "") -> Iterator[str]:
    """A role that may read the tables of ``public`` and nothing else."""
    name = f"reader_{database}"
    server.sql(f"CREATE ROLE {name} LOGIN {options}")
    try:
        server.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}", database)
        yield name
    finally:
        server.sql(f"DROP OWNED BY {name}", database)
        server.sql(f"DROP ROLE {name}")


# Sessions that die


def test_a_killed_worker_costs_only_its_statement(server: Server, database: str) -> None:
    """A worker killed in a statement: its checks are ERROR 57P01, the other workers answer all the rest."""
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        suite = items_suite(gate.check())
        running = Background(lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT)))
        kill(server, *gate.reached())
        result = running.result()
    assert_error(by_id(result)["gate"], "57P01")
    assert "administrator" in by_id(result)["gate"].message
    assert_items_answered(result)
    assert result.verdict is Verdict.FAIL


def test_a_killed_worker_leaves_a_run_without_failures_inconclusive(server: Server, database: str) -> None:
    """Where every answered check holds, one lost answer makes the verdict INCONCLUSIVE."""
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        suite = suite_of(gate.check(), d.holds("items", "amount > 0", id="positive"))
        running = Background(lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT)))
        kill(server, *gate.reached())
        result = running.result()
    assert by_id(result)["positive"].status is Status.PASS
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_killed_holder_costs_nothing(server: Server, database: str) -> None:
    """Workers hold the snapshot and the locks themselves: without its exporter the run still has every
    answer.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        suite = items_suite(gate.check())
        running = Background(lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT)))
        gate.reached()
        kill(server, holder_of(server, database))
        gate.open()
        result = running.result()
    assert by_id(result)["gate"].status is Status.PASS
    assert_items_answered(result)


def test_a_killed_holder_costs_the_comparison_of_rows_and_nothing_else(
    server: Server, database: str, tmp_path: Path
) -> None:
    """What was measured before is in the record; what the lost session would have compared is named, and
    not green.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    folder, file = tmp_path / "checks", tmp_path / "pre.json"
    write_suite(folder, {"suite.toml": 'name = "s"', "a.py": GATED})
    kept = ["--rows", "--values", "items.amount", "-o", str(file)]
    assert main(["baseline", "--suite", str(folder), "--dsn", server.dsn(database), *kept]) == 0
    server.sql("UPDATE items SET amount = amount + 1 WHERE id = 3", database)
    baseline = baseline_from_json(file.read_text(encoding="utf-8"))
    assert baseline.row_file is not None
    assert baseline.value_file is not None
    rows, values = kept_rows(tmp_path, baseline.row_file), kept_values(tmp_path, baseline.value_file)
    options = measuring(count_all=True, baseline=baseline, row_file=rows, value_file=values, limits=PATIENT)
    with gate_in(server, database) as gate:
        running = Background(lambda: run(load_suite(folder), server.dsn(database), options=options))
        gate.reached()
        kill(server, holder_of(server, database))
        gate.open()
        made = running.result()
    assert {r.status for r in made.results} == {Status.PASS}
    untold = [*(r.message for r in made.rows if r.table == "items"), *(v.message for v in made.values)]
    assert [message.partition(":")[0] for message in untold] == ["the connection was lost"] * 2
    judged = judge(made, baseline)
    assert judged.diff is not None
    assert any("items" in u.what for u in judged.diff.unknown)
    assert judged.verdict is Verdict.INCONCLUSIVE


def test_all_sessions_killed_still_returns_the_run(server: Server, database: str) -> None:
    """Every session killed at once: the Run comes back, nothing unanswered passes, what is known is right."""
    server.sql(GATE_TABLE + ITEMS, database)
    with gate_in(server, database) as gate:
        suite = items_suite(gate.check(), d.holds("gate", "id = 1", id="beside_the_gate"))
        options = Options(jobs=1, limits=PATIENT)
        running = Background(lambda: run(suite, server.dsn(database), options=options))
        gate.reached()
        kill(server, *(pid for pid, _, _ in activity(server, database)))
        result = running.result()
    assert {r.status for r in result.results} == {Status.ERROR}
    assert all(r.message and r.violations is None for r in result.results)
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_snapshot_that_is_gone_answers_nothing(server: Server, database: str) -> None:
    """Workers that cannot import the snapshot give every task up in the server's words; they never read
    without it.
    """
    server.sql(ITEMS, database)
    target = find_target(server.dsn(database))
    holder = Session(target, Limits(), ("public",))
    holder.begin()
    mark = leave_mark(holder)
    ((snapshot,),) = holder.execute("SELECT pg_export_snapshot()")
    kill(server, holder.backend_pid)
    pool = Pool(lambda: Session(target, Limits(), ("public",)), Shared(snapshot, mark), (), 2)
    task: Task[DatabaseError] = Task(lambda session: DatabaseError("read all the same"), lambda error: error)
    (answer,) = pool.run([task], Stop())
    assert pool.sessions == ()
    assert "snapshot" in answer.fact
    assert answer.sqlstate in {"22023", "42704"}


def test_a_server_that_crashes_and_one_that_is_shut_down() -> None:
    """A crashed backend takes all sessions with it; so does an immediate stop. Both times the Run comes
    back.
    """
    with embedded_server() as own:
        database = own.create(GATE_TABLE + ITEMS)
        own.sql("CHECKPOINT")  # these servers write lazily: a crash must not take the tables themselves
        for fault in (_crash, _stop_immediately):
            with gate_in(own, database) as gate:
                suite = items_suite(gate.check())
                running = Background(partial(run, suite, own.dsn(database), options=Options(limits=PATIENT)))
                (pid,) = gate.reached()
                wait_until(
                    lambda: (
                        sum(state == "idle in transaction" for _, state, _ in activity(own, database)) == 2
                    )
                )
                fault(own, pid)
                result = running.result()
            assert by_id(result)["gate"].status is Status.ERROR
            assert by_id(result)["gate"].message
            assert result.verdict is not Verdict.PASS
            for id, violations in {"positive": 0, "at_most_90": 10, "labels": 0}.items():
                assert by_id(result)[id].violations in {violations, None}
            if fault is _crash:
                wait_until(lambda: _accepts(own), 20)


def _crash(server: Server, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _stop_immediately(server: Server, pid: int) -> None:
    os.kill(int((server.log.parent / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)


def _accepts(server: Server) -> bool:
    try:
        return bool(server.sql("SELECT 1"))
    except Exception:
        return False


# Timeouts and locks


def test_a_statement_timeout_costs_one_statement(server: Server, database: str) -> None:
    """A statement over its time is ERROR 57014 for its checks; it is not asked again piece by piece."""
    server.sql(GATE_TABLE + ITEMS, database)
    slow = d.holds("gate", "id IS NULL OR pg_sleep(60)::text = ''", volatile="pg_sleep", id="slow")
    suite = items_suite(slow, d.holds("gate", "id = 1", id="its_neighbour"))
    result = run(suite, server.dsn(database), options=Options(limits=Limits(statement_timeout=400)))
    for id in ("slow", "its_neighbour"):
        assert_error(by_id(result)[id], "57014")
        assert "statement_timeout" in by_id(result)[id].hint
    assert_items_answered(result)
    assert sum(s.sqlstate == "57014" for s in result.statements) == 1


def test_a_locked_table_is_an_error_of_its_checks_only(server: Server, database: str) -> None:
    """A table somebody holds in ACCESS EXCLUSIVE mode: its checks are ERROR 55P03 in time, others
    answered.
    """
    server.sql("CREATE TABLE busy (id int PRIMARY KEY);" + ITEMS, database)
    other = server.connect(database)
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")
        suite = items_suite(
            d.holds("busy", "id > 0", id="busy_row"),
            d.unique("busy", "id", id="busy_query"),
            d.references("items", "id", "busy", id="busy_join"),
            d.column("busy", "id", type="integer", id="busy_catalogue"),
        )
        started = time.monotonic()
        result = run(
            suite, server.dsn(database), options=measuring(count_all=True, limits=Limits(lock_timeout=150))
        )
        assert time.monotonic() - started < 5 + slack()
    other.close()
    for id in ("busy_row", "busy_query", "busy_join"):
        assert_error(by_id(result)[id], "55P03")
    assert by_id(result)["busy_catalogue"].status is Status.PASS
    assert_items_answered(result)
    (facts,) = [t for t in result.tables if t.name == "busy"]
    assert facts.rows is None
    assert facts.reason


# What is there at the first look, and gone at the second


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ("DROP TABLE items", {"table", "column"}),
        ("ALTER TABLE items RENAME TO things", {"table", "column"}),
        ("ALTER TABLE items DROP COLUMN amount", {"column"}),
    ],
)
def test_what_vanishes_while_the_run_begins_fails_its_presence(
    server: Server, database: str, change: str, gone: set[str]
) -> None:
    """A table or column dropped between the look at the catalogue and the locks: presence FAILs,
    dependents SKIP.
    """
    server.sql(ITEMS + "CREATE TABLE rest (id int); INSERT INTO rest VALUES (1)", database)
    suite = suite_of(
        d.table("items", id="table"),
        d.column("items", "amount", id="column"),
        d.holds("items", "amount > 0", id="row"),
        d.reconciles("items", "amount", details="items", detail_column="amount", via="id", id="query"),
        d.holds("rest", "id = 1", id="rest"),
    )
    observer = when("locking", lambda: server.sql(change, database))
    found = by_id(run(suite, server.dsn(database), observer=observer))
    for id in ("table", "column"):
        expected = Status.FAIL if id in gone else Status.PASS
        # A column of a table that is gone is not looked for: the table's own check says so.
        assert found[id].status is (Status.SKIP if id == "column" and "table" in gone else expected)
    for id in ("row", "query"):
        assert found[id].status is Status.SKIP
        assert "does not exist" in found[id].message
    assert found["rest"].status is Status.PASS


def test_a_table_that_appears_while_the_run_begins_is_not_read_unlocked(
    server: Server, database: str
) -> None:
    """A table created between the look and the locks is not locked, so nothing that reads it may pass."""
    server.sql("CREATE TABLE rest (id int); INSERT INTO rest VALUES (1)", database)
    suite = suite_of(d.holds("items", "amount > 0", id="row"), d.holds("rest", "id = 1", id="rest"))
    result = run(suite, server.dsn(database), observer=when("locking", lambda: server.sql(ITEMS, database)))
    assert by_id(result)["row"].status is Status.ERROR
    assert by_id(result)["row"].message
    assert by_id(result)["rest"].status is Status.PASS
    assert result.verdict is Verdict.INCONCLUSIVE


# Rights


def test_a_table_without_the_right_to_read_is_an_error_of_its_checks(server: Server, database: str) -> None:
    """SELECT revoked on one table: 42501 on its checks, every other check answered."""
    server.sql("CREATE TABLE closed (id int PRIMARY KEY); INSERT INTO closed VALUES (1);" + ITEMS, database)
    with role_in(server, database) as role:
        server.sql(f"REVOKE SELECT ON closed FROM {role}", database)
        suite = items_suite(
            d.holds("closed", "id > 0", id="row"),
            d.unique("closed", "id", id="query"),
            d.references("items", "id", "closed", id="join"),
        )
        result = run(suite, server.dsn(database, role))
    for id in ("row", "query", "join"):
        assert_error(by_id(result)[id], "42501")
    assert_items_answered(result)
    assert not [n for n in result.notices if n.code in {"writable", "superuser"}]


def test_a_schema_without_usage_is_an_error_of_all_its_checks(server: Server, database: str) -> None:
    """USAGE of the schema revoked: nothing in it can be read, and nothing in it passes."""
    server.sql(ITEMS, database)
    with role_in(server, database) as role:
        server.sql("REVOKE USAGE ON SCHEMA public FROM PUBLIC", database)
        result = run(items_suite(), server.dsn(database, role))
    assert {(r.status, r.sqlstate) for r in result.results} == {(Status.ERROR, "42501")}
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_right_that_one_expression_lacks_costs_one_error(server: Server, database: str) -> None:
    """A function that the role may not call is the fault of the check that calls it, not of its
    neighbours.
    """
    function = "CREATE FUNCTION hush(numeric) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN $1 > 0;"
    server.sql(ITEMS + function + "REVOKE EXECUTE ON FUNCTION hush FROM PUBLIC", database)
    with role_in(server, database) as role:
        result = run(items_suite(d.holds("items", "hush(amount)", id="hush")), server.dsn(database, role))
    assert_error(by_id(result)["hush"], "42501")
    assert_items_answered(result)


def test_row_security_is_an_error_and_never_filters(server: Server, database: str) -> None:
    """Row security that would hide rows from the role: ERROR 42501, asked once; a part of the rows is no
    answer.
    """
    server.sql(ITEMS + "ALTER TABLE items ENABLE ROW LEVEL SECURITY", database)
    server.sql("CREATE POLICY p ON items USING (id < 10); CREATE VIEW seen AS SELECT * FROM items", database)
    suite = items_suite(d.holds("seen", "amount > 0", id="view"))
    with role_in(server, database) as role:
        server.sql(f"ALTER VIEW seen OWNER TO {role}", database)
        server.sql(f"ALTER ROLE {role} SET row_security = on")
        result = run(suite, server.dsn(database, role))
        assert {(r.status, r.sqlstate) for r in result.results} == {(Status.ERROR, "42501")}
        assert "BYPASSRLS" in result.results[0].hint
        assert len([s for s in result.statements if s.purpose == "rows of items"]) <= 2
        server.sql(f"ALTER ROLE {role} BYPASSRLS")
        assert_items_answered(run(suite, server.dsn(database, role)))


def test_a_role_that_can_write_is_a_notice(server: Server, database: str) -> None:
    """A guest with more rights than it needs is told so, by table; the answers stay the same."""
    server.sql(ITEMS, database)
    with role_in(server, database) as role:
        server.sql(f"GRANT UPDATE ON items TO {role}", database)
        result = run(items_suite(), server.dsn(database, role))
    (notice,) = [n for n in result.notices if n.code == "writable"]
    assert "items" in notice.message
    assert_items_answered(result)


# Settings of the role and of the database

SENSITIVE = r"""
    CREATE TABLE odd (
        at timestamptz, id int, span interval NOT NULL, real8 float8 NOT NULL, bytes bytea NOT NULL, path text NOT NULL,
        maybe int, tags text[] NOT NULL, day date NOT NULL, PRIMARY KEY (at, id, span, real8, bytes, day)
    );
    INSERT INTO odd
    SELECT '2024-03-04 05:06:07+05:30'::timestamptz + g * interval '1 hour', g, g * interval '1 mon 2 days 03:04:05',
           g / 3.0::float8, decode(lpad(to_hex(g), 4, '0'), 'hex'), 'a\b' || g, nullif(g % 3, 0), ARRAY['x', 'y' || g % 4],
           '2024-02-03'::date + g
    FROM generate_series(1, 300) AS g;
    CREATE INDEX ON odd USING gin (tags);
    ANALYZE odd;
    CREATE SCHEMA decoy;
    CREATE TABLE decoy.odd AS SELECT * FROM odd WHERE false;
    CREATE FUNCTION decoy.length(text) RETURNS int LANGUAGE sql IMMUTABLE RETURN 0;
    CREATE FUNCTION decoy.encode(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'x';
    CREATE FUNCTION public.length(text) RETURNS int LANGUAGE sql IMMUTABLE RETURN 0;
    CREATE FUNCTION decoy.equal(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
    CREATE OPERATOR decoy.= (LEFTARG = text, RIGHTARG = text, FUNCTION = decoy.equal);
"""


def sensitive_suite() -> Suite:
    """Checks whose answers, samples or digests would move with the session's settings."""
    return suite_of(
        d.holds("odd", "at < '2024-03-10 00:00:00'", id="time_zone"),
        d.holds("odd", "span < '6 mons'", id="interval"),
        d.holds("odd", "day <> '24-02-05'::text::date", id="date_order"),
        d.holds("odd", r"path <> 'a\b7'", id="backslash"),
        d.holds("odd", "coalesce(maybe = NULL, true)", id="null_equals"),
        d.holds("odd", "array_length('{1,NULL}'::int[], 1) + 0 * id = 2", id="array_nulls"),
        d.holds("odd", "(real8)::text <> '0.3333333333333333'", id="float_digits"),
        d.holds("odd", r"(bytes)::text <> '\x0007'", id="bytea_text"),
        d.unique("odd", "maybe", where="tags @> ARRAY['y1']", id="gin"),
        d.holds("odd", "length(path) > 4", id="length"),
        d.holds("odd", "id <> 1 OR pg_sleep(0.08)::text = ''", volatile="pg_sleep", id="slow"),
        d.unique("odd", "maybe", id="duplicates"),
    )


HOSTILE = {
    "search_path": "decoy, pg_catalog",
    "TimeZone": "'Asia/Kolkata'",
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "row_security": "on",
    "gin_fuzzy_search_limit": "5",
    "enable_seqscan": "off",
    "statement_timeout": "50",  # a shorter one can end the driver's own first statement, which is loud enough
    "lock_timeout": "1",
    "idle_in_transaction_session_timeout": "1",
    "default_transaction_isolation": "'read uncommitted'",
    "default_transaction_deferrable": "on",
    "bytea_output": "escape",
    "jit_above_cost": "0",
    "quote_all_identifiers": "on",
    "client_encoding": "latin1",
    "client_min_messages": "error",
    "synchronize_seqscans": "off",
    "work_mem": "64",
    "force_parallel_mode": "on",
    "plan_cache_mode": "force_generic_plan",
    "from_collapse_limit": "1",
    "xmlbinary": "hex",
    "default_tablespace": "''",
}
OLD_NAMES = {"force_parallel_mode": "debug_parallel_query"}


@pytest.fixture(scope="module")
def sensitive(server: Server) -> Iterator[tuple[str, dict[str, tuple[object, ...]]]]:
    """A database on whose answers settings could tell, and the answers as they are."""
    name = server.create(SENSITIVE)
    expected = answers(run(sensitive_suite(), server.dsn(name)))
    assert not [id for id, answer in expected.items() if answer[0] in UNANSWERED]
    assert sum(answer[0] is Status.FAIL for answer in expected.values()) >= 8
    yield name, expected
    server.drop(name)


@pytest.mark.parametrize("setting", [*HOSTILE, "everything"])
def test_settings_of_the_role_and_the_database_change_nothing(
    server: Server, sensitive: tuple[str, dict[str, tuple[object, ...]]], setting: str
) -> None:
    """Whatever ALTER ROLE and ALTER DATABASE set, the answers, samples and digests are to the letter the
    same.
    """
    database, expected = sensitive
    chosen = HOSTILE if setting == "everything" else {"enable_seqscan": "off", setting: HOSTILE[setting]}
    role = f"hostile_{os.getpid()}"
    server.sql(f"CREATE ROLE {role} LOGIN SUPERUSER")
    try:
        for name, value in chosen.items():
            name = OLD_NAMES.get(name, name)
            server.sql(f"ALTER ROLE {role} IN DATABASE {database} SET {name} = {value}")
            server.sql(f"ALTER DATABASE {database} SET {name} = {value}")
        assert answers(run(sensitive_suite(), server.dsn(database, role))) == expected
    finally:
        server.sql(f"ALTER DATABASE {database} RESET ALL; DROP ROLE {role}")


LOOKALIKES = {
    "OPERATOR > (numeric, int)": {"positive", "view"},
    "OPERATOR <= (numeric, int)": {"at_most_90"},
    "OPERATOR = (varchar, varchar)": {"named"},
    "OPERATOR = (small, int)": {"named"},
    "OPERATOR = (anyelement, anyelement)": {"named"},
    "OPERATOR > (numeric, numeric)": set(),
    "OPERATOR = (text, text)": set(),
    "OPERATOR = (int, boolean)": set(),
    "OPERATOR @@@ (numeric, int)": set(),
    "FUNCTION length(varchar)": {"named"},
    "FUNCTION left(varchar, int)": set(),
    "FUNCTION length(text)": set(),
    "FUNCTION count()": set(),
    "FUNCTION lower(int)": set(),
}
"""Each with the checks in whose author-written SQL it could be chosen."""


@pytest.mark.parametrize("lookalike", LOOKALIKES)
def test_lookalike_operators_and_functions_never_answer(
    server: Server, database: str, lookalike: str
) -> None:
    """A user's public.>(numeric, integer) fits better than PostgreSQL's own, and the search path cannot help.

    What the engine writes is answered by PostgreSQL's own all the same. Where an author wrote what could
    mean either, the check is an ERROR that names it; SQL that names its schemas is answered.
    """
    server.sql(ITEMS + "ALTER TABLE items ADD name varchar(9); UPDATE items SET name = 'n' || id", database)
    server.sql("CREATE DOMAIN small AS numeric; CREATE VIEW seen AS SELECT * FROM items", database)
    columns = {
        "amount": pa.Column(nullable=True, checks=[pa.Check.gt(5), pa.Check.le(50), pa.Check.notin([7])]),
        "name": pa.Column(
            nullable=True,
            checks=[pa.Check.isin(["n1"]), pa.Check.str_length(1, 2), pa.Check.str_startswith("n1")],
        ),
    }
    suite = items_suite(
        pa.DataFrameSchema(columns, name="items"),
        d.holds("seen", "amount > 90", id="view"),
        d.holds("items", "length(name) < 4 OR name = 'n100'", id="named"),
        d.holds(
            "items",
            "pg_catalog.length(name) OPERATOR(pg_catalog.>) 2 OR name OPERATOR(pg_catalog.=) 'n1'",
            id="qualified",
        ),
    )
    expected = answers(run(suite, server.dsn(database)))
    _make(server, database, lookalike)
    result = run(suite, server.dsn(database))
    refused = LOOKALIKES[lookalike]
    for id in refused:
        assert_error(by_id(result)[id], "42725")
        assert "public." in by_id(result)[id].message
    assert {id: answer for id, answer in answers(result).items() if id not in refused} == {
        id: answer for id, answer in expected.items() if id not in refused
    }


def _make(server: Server, database: str, lookalike: str) -> None:
    kind, _, rest = lookalike.partition(" ")
    if kind == "FUNCTION":
        returns = "text" if rest.startswith("left") else "int"
        server.sql(
            f"CREATE FUNCTION public.{rest} RETURNS {returns} IMMUTABLE LANGUAGE sql AS 'SELECT "
            f"NULL::{returns}'",
            database,
        )
        return
    name, _, types = rest.partition(" ")
    left, right = types.strip("()").split(", ")
    yes = "IMMUTABLE LANGUAGE sql AS 'SELECT true'"
    server.sql(f"CREATE FUNCTION public.always{types} RETURNS boolean {yes}", database)
    operands = f"LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.always"
    server.sql(f"CREATE OPERATOR public.{name} ({operands})", database)


def test_an_extension_that_brings_its_own_operators_is_no_lookalike(server: Server, database: str) -> None:
    """citext and its kin define comparisons on purpose, for their own types: checks are answered, by
    those.
    """
    server.sql("CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;" + ITEMS, database)
    server.sql(
        "CREATE TABLE mixed (id int PRIMARY KEY, name citext); INSERT INTO mixed VALUES (1, 'ABC')", database
    )
    result = run(items_suite(d.holds("mixed", "name = 'abc'", id="citext")), server.dsn(database))
    assert by_id(result)["citext"].status is Status.PASS
    assert_items_answered(result)


def test_a_role_that_becomes_another_at_login_reads_as_that_one(server: Server, database: str) -> None:
    """ALTER ROLE … SET role: the rights are those of the other role, and a notice names both."""
    server.sql(ITEMS, database)
    with role_in(server, database) as role:
        login = f"login_{database}"
        server.sql(f"CREATE ROLE {login} LOGIN IN ROLE {role}; ALTER ROLE {login} SET role = {role}")
        try:
            result = run(items_suite(), server.dsn(database, login))
            assert_items_answered(result)
            assert result.place.role == role
            assert [
                n
                for n in result.notices
                if n.code == "role_switched" and login in n.message and role in n.message
            ]
            server.sql(f"REVOKE SELECT ON items FROM {role}; GRANT SELECT ON items TO {login}", database)
            result = run(items_suite(), server.dsn(database, login))
            assert {(r.status, r.sqlstate) for r in result.results} == {(Status.ERROR, "42501")}
        finally:
            server.sql(f"DROP OWNED BY {login}", database)
            server.sql(f"DROP ROLE {login}")


# Expressions that fail


def wide_suite(culprits: set[int], checks: int = 64, bad: str = "1 / (amount - 50) IS NULL") -> Suite:
    """``checks`` row checks of one table; number n has n violations, those of ``culprits`` cannot be
    computed.
    """
    every = [d.holds("items", bad if n in culprits else f"amount > {n}", id=f"c{n}") for n in range(checks)]
    return suite_of(*every)


@pytest.mark.parametrize(
    "culprits",
    [{0}, {63}, {31}, {32}, {17}, {0, 63}, {20, 21}, set(range(64))],
    ids=["first", "last", "middle", "after", "some", "both ends", "neighbours", "all"],
)
def test_a_division_by_zero_costs_exactly_its_checks(
    server: Server, database: str, culprits: set[int]
) -> None:
    """Each culprit is ERROR 22012, every other check of the shared scan is answered; the search is short."""
    server.sql(ITEMS, database)
    result = run(wide_suite(culprits), server.dsn(database))
    for id, one in by_id(result).items():
        number = int(id[1:])
        if number in culprits:
            assert_error(one, "22012")
            assert "zero" in one.message
        else:
            assert one.violations == number
    assert result.tables[0].rows == 100
    most = 2 * int(math.log2(64)) * len(culprits)
    assert len(counted(result)) - 1 <= min(most, 2 * 64 + 1)


def test_a_fault_of_the_whole_is_not_laid_on_the_last_check(server: Server, database: str) -> None:
    """A statement too deep to run as a whole, but not in parts, has no culprit: every part is answered."""
    server.sql(ITEMS, database)
    server.sql(
        """CREATE FUNCTION grudge(numeric) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
             IF length(current_query()) > 1500 THEN RAISE EXCEPTION 'too long' USING ERRCODE = '54001'; END IF;
             RETURN $1 > 0; END $$""",
        database,
    )
    suite = wide_suite({40}, bad="grudge(amount)")
    found = by_id(run(suite, server.dsn(database)))
    assert all(r.violations == (0 if id == "c40" else int(id[1:])) for id, r in found.items())


@pytest.mark.parametrize(
    ("expression", "sqlstate"),
    [
        ("label ~ '('", "2201B"),
        ("(amount * 1e131000) * 1e131000 > 0", "22003"),
        ("label::int > 0", "22P02"),
        ("label::date > '2020-01-01'", "22007"),
        ("nowhere(amount)", "42883"),
        ("amount + label > 0", "42883"),
        ("sqrt(-amount) > 0", "2201F"),
        ("substr(label, 1, -1) = ''", "22011"),
    ],
)
def test_an_expression_that_cannot_be_computed_is_one_error(
    server: Server, database: str, expression: str, sqlstate: str
) -> None:
    """Each kind of broken expression gives its own SQLSTATE to its own check and leaves the others alone."""
    server.sql(ITEMS, database)
    result = run(items_suite(d.holds("items", expression, id="broken")), server.dsn(database))
    assert_error(by_id(result)["broken"], sqlstate)
    assert_items_answered(result)


def test_two_faults_keep_their_own_messages(server: Server, database: str) -> None:
    """With two different culprits, each check carries the error of its own expression."""
    server.sql(ITEMS, database)
    suite = items_suite(
        d.holds("items", "1 / (amount - 50) > 0", id="division"),
        d.holds("items", "label ~ '('", id="pattern"),
    )
    result = run(suite, server.dsn(database))
    assert_error(by_id(result)["division"], "22012")
    assert_error(by_id(result)["pattern"], "2201B")
    assert_items_answered(result)


def two_thousand(*more: Declaration) -> Suite:
    """2,000 comparisons of one column; number n has n % 100 violations. ``more`` come first."""
    checks = [pa.Check.gt(n % 100) for n in range(2_000)]
    return suite_of(
        *more, pa.DataFrameSchema({"amount": pa.Column(nullable=True, checks=checks)}, name="items")
    )


def counted(run: Run) -> list[StatementFacts]:
    """The statements that counted something: not those that read the keys of failures."""
    return [s for s in run.statements if not s.purpose.startswith("keys")]


@pytest.mark.slow
def test_two_thousand_checks_of_a_table_are_one_statement(server: Server, database: str) -> None:
    """Beyond the 1,664 columns of a target list slots travel in arrays: still one scan, every count right."""
    server.sql(ITEMS, database)
    result = run(two_thousand(), server.dsn(database), options=Options(sample=2))
    comparisons = [r for r in result.results if "greater_than" in r.check_id]
    assert [r.violations for r in comparisons] == [n % 100 for n in range(2_000)]
    assert len(counted(result)) == 1
    assert all(r.sample or r.message for r in comparisons if r.violations)


@pytest.mark.slow
def test_two_thousand_checks_with_a_culprit(server: Server, database: str) -> None:
    """The culprit among 2,000 checks is found by halving too."""
    server.sql(ITEMS, database)
    suite = two_thousand(d.holds("items", "1 / (amount - 50) IS NULL", id="culprit"))
    result = run(suite, server.dsn(database), options=Options(sample=1))
    assert_error(by_id(result)["culprit"], "22012")
    comparisons = [r for r in result.results if "greater_than" in r.check_id]
    assert [r.violations for r in comparisons] == [n % 100 for n in range(2_000)]
    assert len(counted(result)) - 1 <= 2 * 11


# Kinds of relations


def test_every_kind_of_relation_is_read(server: Server, database: str) -> None:
    """Partitioned, inherited, viewed, materialised, foreign, in another schema: the same answers as the
    plain table.
    """
    server.sql(ITEMS, database)
    server.sql(
        f"""CREATE TABLE parts (id int, amount numeric NOT NULL, label text) PARTITION BY RANGE (id);
            CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (60);
            CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
            CREATE TABLE mother (id int, amount numeric, label text); CREATE TABLE child () INHERITS (mother);
            INSERT INTO parts SELECT * FROM items; INSERT INTO mother SELECT * FROM items WHERE id <= 50;
            INSERT INTO child SELECT * FROM items WHERE id > 50;
            CREATE VIEW seen AS SELECT * FROM items; CREATE MATERIALIZED VIEW stored AS SELECT * FROM items;
            CREATE SCHEMA other; CREATE TABLE other.elsewhere AS SELECT * FROM items;
            CREATE EXTENSION postgres_fdw;
            CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw
                OPTIONS (host '{server.host}', port '{server.port}', dbname '{database}');
            CREATE USER MAPPING FOR CURRENT_USER SERVER itself OPTIONS (user 'postgres');
            CREATE FOREIGN TABLE far (id int, amount numeric, label text) SERVER itself OPTIONS (table_name 'items');""",
        database,
    )
    names = ["items", "parts", "mother", "seen", "stored", "elsewhere", "other.elsewhere", "far"]
    made = [d.holds(n, "amount <= 90", id=f"row {n}") for n in names] + [
        d.unique(n, "label", id=f"q {n}") for n in names
    ]
    suite = suite_of(*made, settings=SuiteSettings("kinds", ("public", "other"), foreign=("far",)))
    result = run(suite, server.dsn(database))
    for name in names:
        assert (by_id(result)[f"row {name}"].violations, by_id(result)[f"row {name}"].examined) == (
            10,
            100,
        ), name
        assert by_id(result)[f"q {name}"].violations == 0, name
    assert {t.name: t.rows for t in result.tables} == dict.fromkeys(["elsewhere", *names[:5], "far"], 100)


def test_a_foreign_server_that_is_away_is_an_error_of_its_table(server: Server, database: str) -> None:
    """A foreign table whose server does not answer: ERROR with its SQLSTATE, the local tables are
    answered.
    """
    server.sql(ITEMS, database)
    server.sql(
        f"""CREATE EXTENSION postgres_fdw;
            CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{server.host}', port '1');
            CREATE USER MAPPING FOR CURRENT_USER SERVER away;
            CREATE FOREIGN TABLE far (id int, amount numeric) SERVER away;""",
        database,
    )
    suite = items_suite(d.holds("far", "amount > 0", id="far"))
    allowed = replace(suite, settings=replace(suite.settings, foreign=("far",)))
    result = run(allowed, server.dsn(database))
    assert_error(by_id(result)["far"], "08001")
    assert_items_answered(result)


def test_an_empty_database_is_never_a_pass(server: Server, database: str) -> None:
    """Nothing to look at: presence FAILs, the rest is SKIP, and an optional suite has proved nothing."""
    result = run(items_suite(d.table("items", id="table")), server.dsn(database))
    assert [r.status for r in result.results] == [Status.FAIL, Status.SKIP, Status.SKIP, Status.SKIP]
    optional = suite_of(d.holds("items", "amount > 0", applies="table items", id="optional"))
    result = run(optional, server.dsn(database))
    assert result.results[0].status is Status.NOT_APPLICABLE
    assert result.verdict is Verdict.INCONCLUSIVE


def test_damaged_pages_are_an_error(server: Server, database: str) -> None:
    """A page whose checksum is wrong: ERROR XX001 on that table, never the rows that happen to be
    readable.
    """
    server.sql("CREATE EXTENSION pg_buffercache; CREATE TABLE torn (id int, t text);" + ITEMS, database)
    server.sql(
        "INSERT INTO torn SELECT g, repeat('x', 500) FROM generate_series(1, 100) AS g; CHECKPOINT", database
    )
    ((path, folder),) = server.sql(
        "SELECT pg_relation_filepath('torn'), current_setting('data_directory')", database
    )
    with open(Path(folder) / path, "r+b") as file:
        file.seek(8192 * 3 + 4000)
        file.write(b"damage")
    server.sql("SELECT pg_buffercache_evict_relation('torn')", database)
    suite = items_suite(d.holds("torn", "id > 0", id="row"), d.unique("torn", "id", id="query"))
    result = run(suite, server.dsn(database))
    for id in ("row", "query"):
        assert_error(by_id(result)[id], "XX001")
    assert_items_answered(result)


# Limits


def test_a_query_that_would_fill_the_disk_is_not_run(server: Server, database: str) -> None:
    """More temporary bytes than allowed: SKIP that says so, with a hint; joins likewise; scans are not
    affected.
    """
    server.sql(ITEMS, database)
    server.sql(
        """CREATE TABLE big AS SELECT g AS id, 'some longer text ' || g AS t FROM generate_series(1, 40000) AS g;
           CREATE TABLE partner AS SELECT * FROM big; ALTER TABLE partner ADD PRIMARY KEY (id); ANALYZE""",
        database,
    )
    suite = items_suite(
        d.unique("big", "t", id="query"),
        d.references("big", "id", "partner", id="join"),
        d.holds("big", "id > 0", id="row"),
    )
    with role_in(server, database) as role:
        server.sql(f"ALTER ROLE {role} SET work_mem = '64kB'")
        result = run(suite, server.dsn(database, role), options=Options(limits=Limits(temp_bytes=100_000)))
        free = run(suite, server.dsn(database, role))
    for id in ("query", "join"):
        assert by_id(result)[id].status is Status.SKIP
        assert "temporary files" in by_id(result)[id].message
        assert by_id(result)[id].hint
        assert by_id(free)[id].violations == 0
    assert by_id(result)["row"].violations == 0
    assert_items_answered(result)


def test_the_servers_own_limit_on_temporary_files_is_an_error(server: Server, database: str) -> None:
    """temp_file_limit of the server, which no plan foresees: ERROR 53400, the rest is answered."""
    server.sql(ITEMS, database)
    server.sql(
        "CREATE TABLE big AS SELECT g AS id, 'some text ' || g AS t FROM generate_series(1, 40000) AS g",
        database,
    )
    with role_in(server, database) as role:
        server.sql(
            f"ALTER ROLE {role} SET work_mem = '64kB'; ALTER ROLE {role} SET temp_file_limit = '100kB'"
        )
        result = run(items_suite(d.unique("big", "t", id="query")), server.dsn(database, role))
    assert_error(by_id(result)["query"], "53400")
    assert_items_answered(result)


@pytest.mark.parametrize("limit", [2, 3])
def test_few_connections_make_a_run_slower_not_poorer(server: Server, database: str, limit: int) -> None:
    """With room for one or two workers only, four jobs give the same answers."""
    server.sql(ITEMS, database)
    with role_in(server, database, f"CONNECTION LIMIT {limit}") as role:
        result = run(items_suite(), server.dsn(database, role), options=Options(jobs=4))
    assert_items_answered(result)


def test_no_connection_for_workers_is_never_a_pass(server: Server, database: str) -> None:
    """Room for the first session only: either it answers itself, or every scanned check is an ERROR that
    says why.
    """
    server.sql(ITEMS, database)
    suite = items_suite(d.table("items", id="table"))
    with role_in(server, database, "CONNECTION LIMIT 1") as role:
        result = run(suite, server.dsn(database, role))
    found = by_id(result)
    assert found["table"].status is Status.PASS
    for id, violations in {"positive": 0, "at_most_90": 10, "labels": 0}.items():
        assert found[id].violations == violations or "too many connections" in found[id].message
    assert result.verdict is not Verdict.PASS


def test_no_connection_at_all_is_a_target_error(server: Server, database: str) -> None:
    """A role with no connection left: TargetError before anything is read, and it says why."""
    with role_in(server, database, "CONNECTION LIMIT 0") as role:
        dsn = server.dsn(database, role)
        with pytest.raises(TargetError, match="too many connections"):
            run(items_suite(), dsn)


# Names and data from hell

HOSTILE_NAMES = [
    "select",
    "Upper Case",
    'quo"te',
    "per%cent",
    "per%(cent)s",
    "new\nline",
    "semi;colon",
    "</script>",
    "\u202ertl",
    "o'brien",
    "back\\slash",
    "a.b",
    "x" * 63,
    "ü" * 31,
    "ctid2",
    "child",
    "parent",
    "examined",
    "c1",
    ":bind",
    "{brace}",
    "$1",
    "--",
    "/*",
    "v",
    "surplus",
    "-- \n",
]


def test_hostile_names_and_data_are_only_names_and_data(server: Server, database: str) -> None:
    """Any name of a table or column, and any value, is quoted wherever it goes, and survives the record."""
    made: list[Declaration] = []
    for n, name in enumerate(HOSTILE_NAMES):
        table, literal = quote(name), name.replace("'", "''")
        server.sql(
            f"CREATE TABLE {table} ({table} text PRIMARY KEY, other int); SET "
            f"standard_conforming_strings = on; "
            f"INSERT INTO {table} VALUES ('{literal}', 1), ('second', 2), ('third', 2)",
            database,
        )
        called = '"' + name.replace('"', '""') + '"'
        made += [
            d.table(called, id=f"table {n}"),
            d.unique(called, "other", id=f"unique {n}"),
            d.references(called, name, called, name, id=f"references {n}"),
            d.ledger(called, name, [name, "'; DROP TABLE x; --"], id=f"ledger {n}"),
            d.minimum_rows(called, 3, id=f"rows {n}"),
            d.holds(called, f"{_always_quoted(name)} <> '{literal}'", id=f"holds {n}"),
        ]
    result = run(suite_of(*made), server.dsn(database))
    for n, name in enumerate(HOSTILE_NAMES):
        found = {
            kind: by_id(result)[f"{kind} {n}"]
            for kind in ("table", "unique", "references", "ledger", "rows", "holds")
        }
        assert not {k: r for k, r in found.items() if r.status in UNANSWERED}, name
        assert [r.violations for r in found.values()] == [0, 1, 0, 1, 0, 1], name
        assert found["holds"].sample[0][0] == (name, name)
    assert run_from_json(run_to_json(result)) == result


def _always_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# Stopping


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stop_cancels_the_servers_work_and_returns_the_run(
    server: Server, database: str, jobs: int
) -> None:
    """A requested stop: within two seconds nothing of the run is on the server, and the Run holds what is
    known.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    stop = Stop()
    with gate_in(server, database) as gate:
        suite = items_suite(gate.check())
        options = Options(jobs=jobs, limits=PATIENT)
        running = Background(lambda: run(suite, server.dsn(database), options=options, stop=stop))
        gate.reached()
        if jobs == 2:
            wait_until(
                lambda: sum(state == "idle in transaction" for _, state, _ in activity(server, database)) == 2
            )
        stop.request("interrupted by a test")
        wait_until(lambda: not activity(server, database), 2)
        result = running.result(3)
    assert result.interrupted == "interrupted by a test"
    assert result.verdict is not Verdict.PASS
    assert by_id(result)["gate"].status is Status.ERROR
    if jobs == 2:
        assert [by_id(result)[id].violations for id in ("positive", "at_most_90", "labels")] == [0, 10, 0]
    else:
        assert "interrupted by a test" in by_id(result)["positive"].message


def test_a_stop_before_the_start_asks_nothing(server: Server, database: str) -> None:
    """Stopped before it began: a Run without a scan, interrupted, INCONCLUSIVE."""
    server.sql(ITEMS, database)
    stop = Stop()
    stop.request("never mind")
    result = run(items_suite(), server.dsn(database), stop=stop)
    assert result.interrupted == "never mind"
    assert not result.statements
    assert {r.status for r in result.results} == {Status.ERROR}
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_frozen_server_process_does_not_outlast_a_stop(server: Server, database: str) -> None:
    """A backend that answers nobody, not even a cancel: the stopped run comes back all the same, in a few
    seconds.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    stop = Stop()
    with gate_in(server, database) as gate:
        suite = items_suite(gate.check())
        running = Background(
            lambda: run(suite, server.dsn(database), options=Options(limits=PATIENT), stop=stop)
        )
        (pid,) = gate.reached()
        wait_until(
            lambda: sum(state == "idle in transaction" for _, state, _ in activity(server, database)) == 2
        )
        os.kill(pid, signal.SIGSTOP)
        try:
            stop.request("enough")
            result = running.result(6)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert by_id(result)["gate"].status is Status.ERROR
        assert result.interrupted == "enough"
        assert [by_id(result)[id].violations for id in ("positive", "at_most_90", "labels")] == [0, 10, 0]
        wait_until(lambda: not activity(server, database), 5)


def test_sigterm_ends_a_process_with_a_record(server: Server, database: str) -> None:
    """SIGTERM: the server is free within two seconds, and the process has a Run in its hands, marked
    interrupted.
    """
    server.sql(GATE_TABLE + ITEMS, database)
    program = textwrap.dedent(
        """
        import sys
        from kisaan_validate import declare as d
        from kisaan_validate.cli.job import attended
        from kisaan_validate.postgres.session import Limits
        from kisaan_validate.prove.options import Options
        from kisaan_validate.prove.run import run
        from kisaan_validate.suite.load import suite_of

        waits = "id IS NULL OR pg_advisory_xact_lock_shared(7)::text = ''"
        suite = suite_of(
            d.holds("gate", waits, volatile="pg_advisory_xact_lock_shared", id="gate"),
            d.holds("items", "amount <= 90", id="at_most_90"),
        )
        options = Options(limits=Limits(lock_timeout=60_000))
        print(attended(lambda stop: run(suite, sys.argv[1], options=options, stop=stop)).to_json())
        """
    )
    with gate_in(server, database) as gate:
        command = [sys.executable, "-c", program, server.dsn(database)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        gate.reached()
        wait_until(
            lambda: sum(state == "idle in transaction" for _, state, _ in activity(server, database)) == 2
        )
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not activity(server, database), 2)
        output, _ = process.communicate(timeout=10)
    result = run_from_json(output)
    assert "SIGTERM" in result.interrupted
    assert by_id(result)["gate"].status is Status.ERROR
    assert by_id(result)["at_most_90"].violations == 10


# Writing


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """A file that cannot be written in full is an error, leaves nothing behind, and keeps what was there
    before.
    """
    place = tmp_path / "run.json"
    write_file(place, "the old one")
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from kisaan_validate.errors import RecordError
        from kisaan_validate.record.files import write_file
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_file(Path(sys.argv[1]), "x" * 1_000_000)
        except RecordError as error:
            print(error)
        """
    )
    command = [sys.executable, "-c", program, str(place)]
    said = subprocess.run(command, capture_output=True, cwd=ROOT, text=True, check=True).stdout
    assert "cannot write" in said
    assert "HINT" in said
    assert place.read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_text_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """A lone surrogate has no UTF-8: RecordError, and nothing is left behind."""
    with pytest.raises(RecordError):
        write_file(tmp_path / "run.json", "\ud800")
    assert not list(tmp_path.iterdir())


# Text that is not what the database says it is


def test_bytes_that_are_not_text_are_an_error(server: Server) -> None:
    """A SQL_ASCII database holds bytes that are not UTF-8: what cannot be read is said, never dropped or
    passed.
    """
    name = f"ascii_{os.getpid()}"
    server.sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        server.sql(ITEMS, name)
        server.sql("SET client_encoding = 'SQL_ASCII'; CREATE TABLE raw (id text PRIMARY KEY)", name)
        server.sql("INSERT INTO raw SELECT convert_from('\\xe9'::bytea, 'SQL_ASCII')", name)
        result = run(items_suite(d.holds("raw", "id = 'x'", id="raw")), server.dsn(name))
        assert_items_answered(result)
        raw = by_id(result)["raw"]
        assert raw.violations == 1 or raw.status is Status.ERROR
        assert raw.sample or raw.message
    finally:
        server.drop(name)


def test_catalogue_checks_need_no_worker(server: Server, database: str) -> None:
    """What the catalogue answers is answered whatever happens to the workers."""
    server.sql(ITEMS, database)
    suite = suite_of(d.table("items", id="table"), d.holds("items", "amount > 0", id="row"))
    with role_in(server, database, "CONNECTION LIMIT 1") as role:
        result = run(suite, server.dsn(database, role))
    assert (by_id(result)["table"].status, by_id(result)["table"].evidence) == (
        Status.PASS,
        Evidence.CATALOGUE,
    )


def test_the_catalogue_knows_the_names_it_is_asked_for() -> None:
    """An alias and a quoted name find nothing in an empty catalogue: absence is an answer, not an
    exception.
    """
    assert Catalogue(("public",), {}, 180000).find('"odd.schema"."odd.table"') is None
