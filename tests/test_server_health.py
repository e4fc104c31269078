"""``declare.server_health()`` on real servers: each fault is planted and found by name, and what the role may
not see has no answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from conftest import SYSTEM_BIN, Server, missing, system_server, wait_until
from helpers import prove, settings
from standbys import PRIMARY_PORT, standby_of

from kisaan_validate import declare
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.prove.options import Before, Comparing
from kisaan_validate.prove.run import explain
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_from_json, run_to_json
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import judge


@pytest.fixture(params=["server", "server15"])
def any_server(request: pytest.FixtureRequest) -> Server:
    """PostgreSQL 18 and 15."""
    if request.param == "server15" and not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    found: Server = request.getfixturevalue(request.param)
    return found


@contextmanager
def made(server: Server, sql: str) -> Iterator[str]:
    """A database with this in it."""
    name = server.create()
    try:
        for statement in sql.split(";\n"):
            server.sql(statement, name) if statement.strip() else None
        yield name
    finally:
        server.drop(name)


def the_suite(only: str, **bounds: Any) -> Suite:
    """A suite of one check of the server."""
    return suite_of(*declare.server_health(only=only, **bounds), settings=settings())


def found(server: Server, database: str, only: str, **bounds: Any) -> Result:
    """What one check of the server comes to."""
    return prove(server, database, the_suite(only, **bounds)).results[0]


def rows(result: Result) -> list[dict[str, str | None]]:
    """The evidence."""
    return [dict(row) for row in result.sample]


# --- a healthy server ------------------------------------------------------------------------------------


def test_a_healthy_server_passes_each_check_and_says_what_is_nearest_to_its_bound(any_server: Server) -> None:
    with made(
        any_server, "CREATE TABLE t (id serial PRIMARY KEY, name text); INSERT INTO t (name) VALUES ('a')"
    ) as name:
        run = prove(any_server, name, suite_of(*declare.server_health(), settings=settings()))
    outcome = {r.check_id: r for r in run.results}
    assert list(outcome) == [
        f"database.{check}"
        for check in (
            "wraparound",
            "sequence_headroom",
            "sequence_types",
            "invalid_indexes",
            "collations",
            "checksums",
            "replication_slots",
        )
    ]
    checksums = outcome.pop("database.checksums")
    assert {r.status for r in outcome.values()} == {Status.PASS}, outcome
    assert checksums.status in {Status.PASS, Status.NOT_APPLICABLE}
    assert (
        "public.t_id_seq: 2,147,483,646 values left of 2,147,483,647"
        in outcome["database.sequence_headroom"].message
    )
    assert " transactions old, " in outcome["database.wraparound"].message
    # The record says the same again, and keeps the counters for the next run's rates.
    again = run_from_json(run_to_json(run))
    assert again == run
    assert {c.name for c in again.counters} >= {"transactions", "multixacts", "public.t_id_seq"}


def test_nothing_of_it_is_read_where_no_check_asks(server: Server, database: str) -> None:
    server.sql("CREATE TABLE t (id int PRIMARY KEY)", database)
    run = prove(server, database, suite_of(declare.table("t"), settings=settings()))
    assert run.counters == ()
    assert "counters" not in run_to_json(run)


def test_explain_knows_the_answers_as_a_run_does(server: Server, database: str) -> None:
    plan = explain(the_suite("invalid_indexes"), server.dsn(database))
    assert plan.settled["database.invalid_indexes"].status is Status.PASS


# --- each fault ------------------------------------------------------------------------------------------


def test_a_failed_concurrent_build_is_an_invalid_index(any_server: Server) -> None:
    with made(any_server, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)") as name:
        with pytest.raises(psycopg2.errors.UniqueViolation):
            any_server.sql("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)", name)
        result = found(any_server, name, "invalid_indexes")
        assert (result.status, result.violations) == (Status.FAIL, 1)
        assert [(r["index"], r["table"]) for r in rows(result)] == [("public.t_a", "public.t")]
        assert "REINDEX INDEX CONCURRENTLY" in result.hint
        any_server.sql("DROP INDEX t_a", name)
        assert found(any_server, name, "invalid_indexes").status is Status.PASS


@contextmanager
def building(server: Server, name: str) -> Iterator[None]:
    """While a concurrent build waits for a transaction that writes to its table."""
    writer, builder = server.connect(name), server.connect(name)
    writer.autocommit = False
    writer.cursor().execute("INSERT INTO t VALUES (2)")
    work = threading.Thread(target=lambda: builder.cursor().execute("CREATE INDEX CONCURRENTLY t_b ON t (a)"))
    work.start()
    try:
        wait_until(
            lambda: server.sql(
                "SELECT 1 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE relname = 't_b'",
                name,
            )
        )
        yield
    finally:
        writer.rollback()
        work.join(60)
        writer.close()
        builder.close()


def test_an_index_that_is_being_built_is_none_that_failed(any_server: Server) -> None:
    with made(any_server, "CREATE TABLE t (a int)") as name:
        with building(any_server, name):
            result = found(any_server, name, "invalid_indexes")
        assert (result.status, result.message) == (Status.PASS, "1 index being built")


def test_a_role_that_may_not_see_builds_cannot_tell_which_it_is(any_server: Server) -> None:
    with made(any_server, "CREATE TABLE t (a int)") as name, reader(any_server, name) as role:
        with building(any_server, name):
            result = as_role(any_server, name, role, "invalid_indexes")
        assert result.status is Status.ERROR
        assert "index public.t_b may be broken or being built" in result.message
        assert "pg_read_all_stats" in result.hint


@contextmanager
def reader(server: Server, name: str) -> Iterator[str]:
    """A role without rights of its own."""
    role = f"reader_{name}"
    server.sql(f"CREATE ROLE {role} LOGIN")
    try:
        yield role
    finally:
        server.sql(f"DROP OWNED BY {role}", name)
        server.sql(f"DROP ROLE {role}")


def as_role(server: Server, name: str, role: str, only: str) -> Result:
    """What one check comes to for a role."""
    from helpers import measuring

    from kisaan_validate.prove.run import run

    return run(the_suite(only), server.dsn(name, role), options=measuring(jobs=1)).results[0]


def test_a_sequence_near_its_end_is_found_with_what_is_left(any_server: Server) -> None:
    sql = "CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2000000000)"
    with made(any_server, sql) as name:
        result = found(any_server, name, "sequence_headroom")
        assert (result.status, result.violations) == (Status.FAIL, 1)
        (row,) = rows(result)
        assert row == {
            "sequence": "public.t_id_seq", "last_value": "2000000000", "end": "2147483647",
            "left": "147483647", "days_left": "unknown", "fills": "public.t.id",
        }  # fmt: skip
        assert found(any_server, name, "sequence_headroom", values_left="5%").status is Status.PASS


def test_a_column_ends_a_sequence_that_is_wider(any_server: Server) -> None:
    sql = (
        "CREATE SEQUENCE wide; CREATE TABLE t (id int DEFAULT nextval('wide')); SELECT setval('wide', 2147483647);"
        "CREATE SEQUENCE ring AS smallint CYCLE; SELECT setval('ring', 32767);"
        "CREATE SEQUENCE down INCREMENT -1 MINVALUE -10 MAXVALUE -1; SELECT setval('down', -10)"
    )
    with made(any_server, sql) as name:
        left = {r["sequence"]: r["left"] for r in rows(found(any_server, name, "sequence_headroom"))}
        # The one that begins again is left out.
        assert left == {"public.wide": "0", "public.down": "0"}


def test_types_of_sequences_are_held_against_their_columns(any_server: Server) -> None:
    sql = (
        "CREATE TABLE early (id serial); ALTER TABLE early ALTER COLUMN id TYPE bigint;"
        "CREATE SEQUENCE late; CREATE DOMAIN small AS int; CREATE TABLE beyond (id small DEFAULT nextval('late'));"
        "CREATE TABLE fine (id bigint GENERATED ALWAYS AS IDENTITY, n serial, t numeric DEFAULT nextval('late'));"
        "CREATE SEQUENCE bounded MAXVALUE 1000; CREATE TABLE chosen (id int DEFAULT nextval('bounded'))"
    )
    with made(any_server, sql) as name:
        result = found(any_server, name, "sequence_types")
        said = {(r["sequence"], r["column"]): r["problem"] for r in rows(result)}
        assert said == {
            ("public.early_id_seq", "public.early.id"): "it ends first",
            ("public.late", "public.beyond.id"): "its values stop fitting",
        }
        assert (result.examined, result.violations) == (5, 2)


def test_collations_that_moved_are_found_with_the_indexes_that_use_them(any_server: Server) -> None:
    # The embedded server is built without ICU, and has a provider of its own since 17.
    icu = any_server.sql("SELECT 1 FROM pg_collation WHERE collname = 'de-x-icu'")
    made_by = "provider = icu, locale = 'de'" if icu else "provider = builtin, locale = 'C.UTF-8'"
    sql = (
        f"CREATE COLLATION used ({made_by}); CREATE COLLATION idle ({made_by});"
        "CREATE TABLE t (a text COLLATE used); CREATE INDEX ON t (a);"
        "UPDATE pg_collation SET collversion = '1.2.3' WHERE collname IN ('used', 'idle')"
    )
    with made(any_server, sql) as name:
        result = found(any_server, name, "collations")
        (row,) = rows(result)
        assert (row["collation"], row["recorded"], row["indexes"]) == ("public.used", "1.2.3", "1")
        any_server.sql("ALTER COLLATION used REFRESH VERSION", name)
        assert found(any_server, name, "collations").status is Status.PASS


def test_the_database_has_a_collation_of_its_own(any_server: Server) -> None:
    with made(any_server, "CREATE TABLE t (a text PRIMARY KEY)") as name:
        any_server.sql(f"UPDATE pg_database SET datcollversion = '0.1' WHERE datname = '{name}'")
        result = found(any_server, name, "collations")
        actual = any_server.sql(
            f"SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = '{name}'"
        )
        if actual[0][0] is None:  # the C library's own order has no version: nothing says what it was
            assert (result.status, f"database {name}" in result.message) == (Status.ERROR, True)
        else:
            assert [(r["collation"], r["recorded"]) for r in rows(result)] == [(f"database {name}", "0.1")]


def test_a_slot_that_nobody_reads_is_found_once_it_keeps_too_much(any_server: Server) -> None:
    slot = f"left_{any_server.port}"
    with made(any_server, "CREATE TABLE t (a text)") as name:
        any_server.sql(f"SELECT pg_create_physical_replication_slot('{slot}', true)")
        try:
            any_server.sql("INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 2000)", name)
            # Written at the latest now: a commit does not wait for it where synchronous_commit is off.
            any_server.sql("CHECKPOINT")
            assert found(any_server, name, "replication_slots").status is Status.PASS
            result = found(any_server, name, "replication_slots", wal_bytes=100_000)
            (row,) = rows(result)
            assert (row["slot"], row["active"], row["limit"]) == (slot, "no", "none")
            assert int(str(row["bytes"])) > 1_000_000
            assert f"slot {slot} keeps " in result.message
            # A limit of the server's own, nearly reached, fails whatever the suite says.
            any_server.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
            any_server.sql("SELECT pg_reload_conf()")
            wait_until(lambda: any_server.sql("SHOW max_slot_wal_keep_size") == [("1MB",)])
            assert found(any_server, name, "replication_slots").status is Status.FAIL
        finally:
            any_server.sql(f"SELECT pg_drop_replication_slot('{slot}')")
            any_server.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
            any_server.sql("SELECT pg_reload_conf()")


def test_ages_are_judged_by_what_autovacuum_allows_and_by_the_way_to_the_end(any_server: Server) -> None:
    """The ages are made by writing them into the catalogue of one database, as the server itself would."""
    with made(any_server, "CREATE TABLE t (a int)") as name:
        # 1,100 million transactions ago, modulo 2^32.
        ago = "((txid_current() + 4294967296 - 1100000000) % 4294967296)::text::xid"
        any_server.sql(f"UPDATE pg_class SET relfrozenxid = {ago} WHERE relname = 't'", name)
        result = found(any_server, name, "wraparound")
        assert (result.status, result.violations) == (Status.FAIL, 1)
        (row,) = rows(result)
        assert (row["kind"], row["name"], row["counted"]) == ("table", "public.t", "transactions")
        assert 1_100_000_000 <= int(str(row["age"])) < 1_100_100_000
        assert int(str(row["age"])) + int(str(row["left"])) == 2**31 - 1 - 3_000_000
        assert found(any_server, name, "wraparound", wraparound="60%", overdue=9).status is Status.PASS
        assert found(any_server, name, "wraparound", wraparound="60%", overdue=2).status is Status.FAIL


@pytest.mark.slow
def test_a_standby_answers_for_itself_and_its_page_says_so(server15: Server) -> None:
    """Slots and ages of the standby's own; an unlogged sequence cannot be read there; the page shows it all."""
    with system_server(PRIMARY_PORT) as primary, standby_of(primary) as standby:
        primary.sql("CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 2147483647)")
        wait_until(lambda: standby.sql("SELECT 1 FROM pg_class WHERE relname = 't_id_seq'"))
        suite = suite_of(*declare.server_health(), settings=settings())
        made = prove(standby, "postgres", suite)
        outcome = {r.check_id: r for r in made.results}
        assert outcome.pop("database.sequence_headroom").violations == 1
        assert outcome.pop("database.checksums").status is Status.NOT_APPLICABLE
        assert {r.status for r in outcome.values()} == {Status.PASS}, outcome
        page = render_html(judge(made))
        assert "public.t_id_seq has 0 values left of 2,147,483,647" in page
        assert "data checksums are off on this server" in page


# --- what cannot be told ---------------------------------------------------------------------------------


def test_a_sequence_that_the_role_may_not_read_is_named_and_no_pass(any_server: Server) -> None:
    sql = "CREATE TABLE t (id serial); CREATE TABLE u (id serial)"
    with made(any_server, sql) as name, reader(any_server, name) as role:
        any_server.sql(f"GRANT SELECT ON SEQUENCE u_id_seq TO {role}", name)
        result = as_role(any_server, name, role, "sequence_headroom")
        assert (result.status, result.sqlstate) == (Status.ERROR, "42501")
        assert "public.t_id_seq: this role may not read it" in result.message
        assert "public.u_id_seq" not in result.message
        # A known fault outranks what is not known, and both are said.
        any_server.sql("SELECT setval('u_id_seq', 2147483647)", name)
        result = as_role(any_server, name, role, "sequence_headroom")
        assert (result.status, result.violations) == (Status.FAIL, 1)
        assert "cannot tell of 1 other: public.t_id_seq" in result.message


@pytest.mark.parametrize(
    ("only", "revoked"),
    [
        ("replication_slots", "SELECT ON pg_replication_slots"),
        ("checksums", "SELECT ON pg_stat_database"),
        ("wraparound", "EXECUTE ON FUNCTION mxid_age(xid)"),
        ("invalid_indexes", "SELECT ON pg_stat_progress_create_index"),
        ("collations", "EXECUTE ON FUNCTION pg_collation_actual_version(oid)"),
    ],
)
def test_what_rights_withhold_costs_its_own_check_alone(
    server: Server, database: str, only: str, revoked: str
) -> None:
    with reader(server, database) as role:
        server.sql(f"REVOKE {revoked} FROM PUBLIC", database)
        others = [d for d in declare.server_health() if d.name not in {only, "sequence_headroom"}]
        suite = suite_of(*declare.server_health(only=only), *others, settings=settings())
        from helpers import measuring

        from kisaan_validate.prove.run import run

        outcome = {
            r.check_id: r for r in run(suite, server.dsn(database, role), options=measuring(jobs=1)).results
        }
        result = outcome[f"database.{only}"]
        assert result.status is Status.ERROR, result
        assert result.message.startswith("cannot tell: permission denied"), result
        assert {i for i, r in outcome.items() if r.status is Status.ERROR} == {f"database.{only}"}


def test_a_locked_sequence_is_not_waited_for(server: Server) -> None:
    with made(server, "CREATE TABLE t (id serial)") as name:
        holder = server.connect(name)
        holder.autocommit = False
        try:
            holder.cursor().execute("ALTER SEQUENCE t_id_seq RENAME TO other")
            result = found(server, name, "sequence_headroom")
        finally:
            holder.rollback()
            holder.close()
        assert (result.status, "locked it exclusively" in result.message) == (Status.ERROR, True)


def test_no_lock_is_kept_on_a_sequence_while_the_snapshot_lasts(server: Server) -> None:
    """ALTER SEQUENCE must not wait for a run."""
    with made(server, "CREATE TABLE t (id serial)") as name:
        held: list[Any] = []

        def look(*_: Any) -> None:
            sql = "SELECT l.mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation WHERE c.relname = 't_id_seq'"
            held.extend(server.sql(sql, name))

        run = prove(server, name, the_suite("sequence_headroom"), while_held=look)
        assert (run.results[0].status, held) == (Status.PASS, [])


# --- rates -----------------------------------------------------------------------------------------------


def earlier(run: Run, **ago: float) -> Run:
    """The same run, so long ago."""
    return replace(run, place=replace(run.place, at=run.place.at - timedelta(**ago)))


def test_days_left_come_from_an_earlier_run(any_server: Server) -> None:
    sql = "CREATE TABLE t (id serial); SELECT setval('t_id_seq', 1000000)"
    with made(any_server, sql) as name:
        suite = the_suite("sequence_headroom")
        before = earlier(prove(any_server, name, suite), days=1)
        any_server.sql("SELECT setval('t_id_seq', 101000000)", name)
        # 100 million a day, and 2,046,483,647 left.
        result = prove(any_server, name, suite, earlier=before).results[0]
        assert (result.status, rows(result)[0]["days_left"]) == (Status.FAIL, "20")
        assert "20 days at the rate since " in result.message
        enough = the_suite("sequence_headroom", days=20)
        assert prove(any_server, name, enough, earlier=before).results[0].status is Status.PASS
        # Over an hour a burst would pass for the usual: then the share alone decides.
        short = earlier(before, days=-1, hours=1)
        assert prove(any_server, name, suite, earlier=short).results[0].status is Status.PASS


def test_a_baseline_tells_the_rate_too(server: Server) -> None:
    sql = "CREATE TABLE t (id serial); SELECT setval('t_id_seq', 1000000)"
    with made(server, sql) as name:
        suite = the_suite("sequence_headroom")
        run = earlier(prove(server, name, suite, compare=Comparing()), days=1)
        baseline = baseline_from_json(baseline_to_json(baseline_of(run)))
        assert baseline.counters == run.counters
        server.sql("SELECT setval('t_id_seq', 101000000)", name)
        for kept in (baseline, replace(baseline, counters=())):  # an older baseline knows sequences only
            compared = prove(server, name, suite, compare=Comparing(Before(kept)))
            assert rows(compared.results[0])[0]["days_left"] == "20"


# --- what cannot be meant --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"only": "wrap"}, "only='wrap' is not one of"),
        ({"wraparound": "100%"}, "not a share between 0 and 1"),
        ({"wraparound": 0.5}, "not a share between 0 and 1"),
        ({"values_left": "0%"}, "not a share between 0 and 1"),
        ({"days": 0}, "not a whole number above 0"),
        ({"wal_bytes": True}, "not a whole number above 0"),
        ({"overdue": 1.5}, "not a whole number above 0"),
        ({"filter": False}, "does not judge rows"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        declare.server_health(**given)


def test_it_tolerates_nothing() -> None:
    with pytest.raises(SuiteError, match="tolerates nothing"):
        suite_of(*declare.server_health(only="checksums", tolerance=5))


def test_an_id_is_a_prefix_and_what_is_said_reaches_each_check() -> None:
    made = declare.server_health(
        id="prod", only=["checksums", "collations"], severity="warning", hint="call Asha"
    )
    suite = suite_of(*made)
    assert [c.id for c in suite.checks] == ["prod.checksums", "prod.collations"]
    assert {(c.severity.value, c.hint) for c in suite.checks} == {("warning", "call Asha")}
