"""A preflight on real servers: real blockers are named, what is hidden or locked is not taken for absent, and
no question that fails hides another.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import SYSTEM_BIN, Server, embedded_server, missing, system_server, wait_until
from rehearsal_cases import clean
from small_server import restarted
from standbys import standby_of

from kisaan_validate import declare as d
from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.errors import TargetError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.preflight import PreflightItem, PreflightRecord
from kisaan_validate.facts.rehearsal import SessionSetting
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.facts.tape import SizeChange, TableRewrite
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.preflight.asked import PreflightAsked
from kisaan_validate.preflight.evidence import Given, GivenRecord
from kisaan_validate.preflight.rules import LEAVABLE, PreflightRules
from kisaan_validate.preflight.run import preflight
from kisaan_validate.prove.options import Comparing, Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_to_json
from kisaan_validate.record.preflight import preflight_to_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.receipt import receipt_of
from kisaan_validate.suite.load import suite_of

PASS, FAIL, UNKNOWN, WORK = (
    StandingState.PASS,
    StandingState.FAIL,
    StandingState.UNKNOWN,
    StandingState.WORK,
)

TABLES = """
CREATE TABLE orders (id bigserial PRIMARY KEY, total numeric(12,2) NOT NULL, paid_at timestamptz,
    made_at timestamp NOT NULL DEFAULT now(), shop int, rate int);
INSERT INTO orders (total, paid_at, shop, rate) SELECT g, CASE WHEN g > 3 THEN now() END, g / 2, 1
    FROM generate_series(1, 100) AS g;
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());
INSERT INTO _migrations (name) VALUES ('01.sql');
CREATE ROLE guard_{name} LOGIN; GRANT pg_monitor TO guard_{name};
CREATE ROLE plain_{name} LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO guard_{name}, plain_{name};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO guard_{name}, plain_{name};
"""

SUITE = suite_of(
    d.holds("orders", "paid_at IS NOT NULL", id="orders.paid_at.not_null"),
    d.unique("orders", ["shop", "rate"], id="orders.once"),
    d.holds("orders", "total >= 0", id="orders.total"),
)

CONTRACT = """format = 1
[[promise]]
id = "wide"
kind = "retyped"
columns = ["orders.total"]
from = "numeric(12,2)"
to = "numeric(18,2)"
[[promise]]
id = "zoned"
kind = "retyped"
columns = ["orders.made_at"]
to = "timestamptz"
using = "{column} AT TIME ZONE 'UTC'"
[[promise]]
id = "paid"
kind = "fixed"
check = "orders.paid_at.not_null"
[[promise]]
id = "once"
kind = "rows_removed"
table = "orders"
surplus_of = "orders.once"
[[promise]]
id = "note"
kind = "added"
columns = ["orders.note"]
"""


@dataclass
class House:
    """A server with prepared transactions, and a database with a role that sees all and one that does not."""

    server: Server
    database: str

    def connect(self) -> Any:
        """Somebody else's session, in a transaction."""
        connection = psycopg2.connect(self.server.dsn(self.database, application_name="shopd"))
        connection.cursor().execute("BEGIN")
        return connection

    def sql(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL as the owner."""
        return self.server.sql(sql, self.database)

    def ask(self, role: str = "guard", **changed: Any) -> PreflightRecord:
        """A preflight of everything but files, with bounds of nothing."""
        rules = PreflightRules(transaction=0, idle_in_transaction=0, lock_wait=0, replication_lag=3_600)
        contract: Contract = read_contract(CONTRACT, "contract.toml")
        dsn = self.server.dsn(self.database, f"{role}_{self.database}")
        asked = PreflightAsked(
            find_target(dsn),
            {"database": self.database},
            rules,
            SUITE,
            contract,
            Given(),
            dict.fromkeys(("backup", "rehearsal", "baseline", "disk", "migrations"), "said"),
            datetime.now(UTC),
            Options(limits=Limits(lock_timeout=300)),
        )
        return preflight(replace(asked, **changed))


@pytest.fixture(scope="module", params=["18", pytest.param("15", marks=pytest.mark.slow)])
def stage(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of either version."""
    if request.param == "15" and not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    with embedded_server() if request.param == "18" else system_server(6431) as running:
        restarted(running, max_prepared_transactions=5, wal_level="logical")
        yield running


@pytest.fixture
def house(stage: Server) -> Iterator[House]:
    """A database of its own."""
    name = stage.create()
    stage.sql(TABLES.format(name=name), name)
    yield House(stage, name)
    stage.drop(name)


def one(found: PreflightRecord, topic: str, question: str) -> PreflightItem:
    """The only answer to a question."""
    (item,) = [item for item in found.items if (item.topic, item.question) == (topic, question)]
    return item


def wrong(found: PreflightRecord) -> set[tuple[str, str]]:
    """What is a no-go."""
    return {(str(item.topic), item.question) for item in found.of(FAIL)}


def test_nothing_in_the_way(house: House) -> None:
    """Types and rows to fix are work; the verdict is open only for rows that nobody counted."""
    found = house.ask()
    assert wrong(found) == set()
    assert {(str(i.topic), i.question) for i in found.of(UNKNOWN)} == {("work", "rows")}
    assert found.verdict is Verdict.INCONCLUSIVE
    types = one(found, "tables", "types")
    assert types.state is WORK
    assert [dict(row)["column"] for row in types.rows] == ["orders.total", "orders.made_at"]
    assert found.seconds < 30


def test_deep_counts_the_rows_and_reads_the_heap(house: House) -> None:
    """Exact numbers of what the migration is there to fix, and a go."""
    found = house.ask(deep=True)
    assert found.verdict is Verdict.PASS, [i for i in found.items if i.state in {FAIL, UNKNOWN}]
    assert "3 rows" in one(found, "work", "orders.paid_at.not_null").fact
    assert "49 rows" in one(found, "work", "orders.once").fact
    assert one(found, "work", "orders.once").state is WORK
    assert "1 unique index" in one(found, "indexes", "unique").fact


def test_deep_finds_what_a_damaged_index_hides(house: House) -> None:
    """A duplicate under a unique index would stop the rewriting of the table."""
    house.sql("UPDATE pg_index SET indisready = false WHERE indexrelid = 'orders_pkey'::regclass")
    house.sql("INSERT INTO orders (id, total, paid_at) VALUES (7, 1, now())")
    house.sql("UPDATE pg_index SET indisready = true WHERE indexrelid = 'orders_pkey'::regclass")
    # However much cheaper the planner takes the index for.
    for cost in ("random_page_cost = 0", "cpu_index_tuple_cost = 0", "seq_page_cost = 1000"):
        house.sql(f"ALTER ROLE guard_{house.database} SET {cost}")
    found = house.ask(deep=True)
    assert wrong(found) == {("indexes", "unique")}
    assert "1 row too many" in one(found, "indexes", "unique").fact


def test_transactions_are_named_by_who_holds_what(house: House) -> None:
    """User, application, pid, since when and which tables; the text of the query only if asked for."""
    with closing(house.connect()) as other:
        cursor = other.cursor()
        cursor.execute("SELECT count(*) FROM orders WHERE total = 4242.42")
        found = house.ask()
        assert wrong(found) == {("blockers", "idle in transaction")}
        item = one(found, "blockers", "idle in transaction")
        row = dict(item.rows[0])
        assert row["pid"] == str(other.info.backend_pid)
        assert (row["user"], row["application"], row["locks"]) == ("postgres", "shopd", "orders")
        assert row["since"].startswith("20")
        assert "4242" not in preflight_to_json(found)
        shown = one(house.ask(show_queries=True), "blockers", "idle in transaction")
        assert "4242.42" in dict(shown.rows[0])["query"]
        other.rollback()


def test_a_running_statement_and_a_lock_are_in_the_way(house: House) -> None:
    """An ACCESS EXCLUSIVE lock, somebody who waits behind it, and who is waited for; the catalogue is read
    all the same.
    """
    with closing(house.connect()) as holder, closing(house.connect()) as waiter:
        holder.cursor().execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=_swallow, args=(waiter, "SELECT count(*) FROM orders"))
        thread.start()
        wait_until(lambda: house.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)], 10)
        found = house.ask(deep=True)
        blocked = {("blockers", q) for q in ("idle in transaction", "transactions", "waits", "locks")}
        assert wrong(found) == blocked
        waits = dict(one(found, "blockers", "waits").rows[0])
        assert waits["behind"] == str(holder.info.backend_pid)
        assert (waits["pid"], waits["table"]) == (str(waiter.info.backend_pid), "orders")
        assert "AccessExclusiveLock on orders" in one(found, "blockers", "locks").fact
        # What could not be read behind the lock is said to be so.
        assert one(found, "work", "orders.paid_at.not_null").state is UNKNOWN
        assert {i.state for i in found.items if i.topic == "indexes"} == {UNKNOWN}
        holder.rollback()
        thread.join(10)


def _swallow(connection: Any, sql: str) -> None:
    with suppress(psycopg2.Error):
        connection.cursor().execute(sql)


def test_a_prepared_transaction_keeps_its_locks(house: House) -> None:
    """Its session is gone; it is named by its name and owner, and its lock is seen."""
    house.sql("BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE; PREPARE TRANSACTION 'tonight''s'")
    try:
        found = house.ask()
        assert wrong(found) == {("blockers", "prepared"), ("blockers", "locks")}
        assert dict(one(found, "blockers", "prepared").rows[0])["name"] == "tonight's"
        assert "a prepared transaction" in one(found, "blockers", "locks").fact
    finally:
        house.sql("ROLLBACK PREPARED 'tonight''s'")


def test_maintenance_is_named_by_command_and_table(house: House) -> None:
    """CREATE INDEX CONCURRENTLY waits for a writer, and an ALTER would wait for it."""
    with closing(house.connect()) as writer:
        writer.cursor().execute("UPDATE orders SET total = total WHERE id = 1")
        builder = house.server.connect(house.database)
        thread = threading.Thread(
            target=_swallow, args=(builder, "CREATE INDEX CONCURRENTLY late ON orders (total)")
        )
        thread.start()
        wait_until(lambda: house.sql("SELECT count(*) FROM pg_stat_progress_create_index") == [(1,)], 10)
        found = house.ask()
        item = one(found, "blockers", "maintenance")
        assert item.state is FAIL
        assert "CREATE INDEX CONCURRENTLY on orders" in item.fact
        # The index is not broken: it is being built.
        assert one(found, "health", "invalid indexes").state is PASS
        writer.rollback()
        thread.join(20)
        builder.close()


def test_a_slot_that_nobody_reads(house: House) -> None:
    """All that the migration writes would be kept for it."""
    slot = f"s_{house.database}"
    house.sql(f"SELECT pg_create_physical_replication_slot('{slot}', true)")
    try:
        found = house.ask()
        assert wrong(found) == {("health", "unread slots")}
        assert slot in one(found, "health", "unread slots").fact
    finally:
        house.sql(f"SELECT pg_drop_replication_slot('{slot}')")


def test_a_role_that_sees_little_says_so(house: House) -> None:
    """What others do is hidden from it: no question about them is green; locks are hidden from nobody."""
    with closing(house.connect()) as other:
        other.cursor().execute("LOCK TABLE orders IN SHARE MODE")
        found = house.ask("plain", deep=True)
        assert found.verdict is Verdict.FAIL
        assert wrong(found) == {("blockers", "locks")}
        assert one(found, "blockers", "sessions").state is UNKNOWN
        assert one(found, "target", "sees sessions").state is UNKNOWN
        asked = {i.question for i in found.items if i.topic == "blockers"}
        assert asked == {"sessions", "prepared", "waits", "locks"}
        other.rollback()
    assert one(house.ask("plain"), "target", "reads tables").state is PASS
    house.sql(f"REVOKE SELECT ON orders FROM plain_{house.database}")
    assert one(house.ask("plain"), "target", "reads tables").state is FAIL


def test_a_locked_catalogue_hides_only_what_it_holds(house: House) -> None:
    """Who holds it is named; tables and types cannot be told; nothing waits for long."""
    with closing(house.connect()) as holder:
        holder.cursor().execute("LOCK TABLE pg_attrdef IN ACCESS EXCLUSIVE MODE")
        start = time.monotonic()
        found = house.ask()
        assert time.monotonic() - start < 60
        holder.rollback()
    assert found.verdict is Verdict.FAIL
    assert ("blockers", "locks") in wrong(found)
    assert {i.state for i in found.items if i.topic == "tables"} == {UNKNOWN}
    assert one(found, "clocks", "server").state is PASS


def test_a_lost_connection_leaves_answers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked before stays; what could not be asked is unknown; nothing is green for it."""
    begun = Session.begin

    def dying(session: Session, **more: Any) -> None:
        begun(session, **more)
        if len(lives) == 1:
            house.sql(f"SELECT pg_terminate_backend({session.backend_pid})")
        if lives:
            lives.pop()

    lives = [1, 2, 3, 4, 5]
    monkeypatch.setattr(Session, "begin", dying)
    found = house.ask()
    assert found.verdict is Verdict.INCONCLUSIVE
    assert one(found, "target", "target").state is PASS
    lost = [i for i in found.items if "connection was lost" in i.fact]
    assert lost
    assert {i.state for i in lost} == {UNKNOWN}
    assert {str(i.topic) for i in found.items} >= {"blockers", "health", "clocks", "tables", "work"}
    assert not [i for i in found.items if i.topic in {"health", "clocks"} and i.state is PASS]


def test_the_wrong_database_is_refused(house: House) -> None:
    """Nothing more is asked of it."""
    with pytest.raises(TargetError, match="expect says prod"):
        house.ask(expect={"database": "prod"})
    found = house.ask(expect={})
    assert one(found, "target", "target").state is UNKNOWN
    left = house.ask(expect={}, without={**dict.fromkeys(LEAVABLE, "said")})
    assert not [item for item in left.items if (item.topic, item.question) == ("target", "target")]
    assert [one.name for one in left.left_out] == list(LEAVABLE)


def test_types_from_which_it_does_not_start(house: House) -> None:
    """Another type than the contract's is a no-go; the promised one is done; a missing column is named."""
    house.sql("ALTER TABLE orders ALTER COLUMN total TYPE numeric(14,2)")
    found = house.ask()
    assert wrong(found) == {("tables", "types")}
    assert "orders.total is numeric(14,2)" in next(i.fact for i in found.of(FAIL))
    house.sql("ALTER TABLE orders ALTER COLUMN total TYPE numeric(18,2); ALTER TABLE orders ADD note text")
    found = house.ask()
    assert one(found, "tables", "types done").state is PASS
    assert one(found, "tables", "added").state is UNKNOWN
    house.sql("ALTER TABLE orders DROP COLUMN total")
    found = house.ask()
    assert wrong(found) == {("tables", "types"), ("tables", "tables")}


def test_a_missing_table_is_not_passed_over(house: House) -> None:
    """The suite's checks say which tables there must be."""
    house.sql("DROP TABLE orders")
    assert ("tables", "tables") in wrong(house.ask())


def test_pending_files_are_work_and_odd_ones_are_not(house: House, tmp_path: Path) -> None:
    """The folder and the ledger, by name and digest."""
    for name in ("01.sql", "02.sql"):
        (tmp_path / name).write_text("ALTER TABLE orders ADD x int;\n")
    rules = PreflightRules(migrations=(tmp_path,))
    found = house.ask(rules=rules, without={})
    item = one(found, "migrations", "pending")
    assert (item.state, [dict(row)["file"] for row in item.rows]) == (WORK, ["02.sql"])
    (tmp_path / "02.sql").unlink()
    assert one(house.ask(rules=rules, without={}), "migrations", "pending").state is UNKNOWN
    (tmp_path / "01.sql").rename(tmp_path / "00.sql")
    assert ("migrations", "no file") in wrong(house.ask(rules=rules, without={}))
    gone = PreflightRules(migrations=(tmp_path / "gone",))
    assert not [
        i for i in house.ask(rules=gone, without={}).items if i.topic == "migrations" and i.state is PASS
    ]
    house.sql("UPDATE _migrations SET executed_at = now() + interval '1 hour'")
    (tmp_path / "00.sql").rename(tmp_path / "01.sql")
    assert ("clocks", "ledger") in wrong(house.ask(rules=rules, without={}))


def test_the_disk(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What rewritten tables need stands beside what is free: exact sizes of the catalogue, indexes included."""
    without = {"migrations": "said"}
    ((size,),) = house.sql("SELECT pg_total_relation_size('orders')")
    found = one(house.ask(without=without), "disk", "free space")
    assert found.state is UNKNOWN
    assert f"{size:,} bytes" in found.fact
    assert f"{2 * size:,} bytes" in found.fact
    rules = PreflightRules(disk=tmp_path)
    assert one(house.ask(without=without, rules=rules), "disk", "free space").state is PASS

    class Full:
        f_bavail, f_frsize = 2 * size - 1, 1

    monkeypatch.setattr("os.statvfs", lambda _: Full)
    assert one(house.ask(without=without, rules=rules), "disk", "free space").state is FAIL
    Full.f_bavail = 2 * size
    assert one(house.ask(without=without, rules=rules), "disk", "free space").state is PASS
    monkeypatch.undo()
    gone = PreflightRules(disk=tmp_path / "gone")
    assert one(house.ask(without=without, rules=gone), "disk", "free space").state is UNKNOWN
    assert one(house.ask(without=without, contract=None), "disk", "rewrites").state is UNKNOWN


def test_a_sequence_and_an_index_that_are_not_well(house: House) -> None:
    """The checks of server_health are asked, with what to do."""
    house.sql("CREATE SEQUENCE small AS smallint; SELECT setval('small', 32000)")
    house.sql(f"GRANT SELECT ON SEQUENCE small TO guard_{house.database}")
    house.sql("CREATE INDEX broken ON orders (rate)")
    house.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass")
    found = house.ask()
    assert wrong(found) == {("health", "sequence headroom"), ("health", "invalid indexes")}
    assert "767 values left" in one(found, "health", "sequence headroom").fact


def test_hostile_names_stay_text(house: House) -> None:
    """An application may call itself anything: it stands in the record as it is, and ends no line."""
    name = "x\\'; DROP --"
    other = psycopg2.connect(house.server.dsn(house.database, application_name=f"'{name}'"))
    other.cursor().execute("SELECT 1")
    found = house.ask()
    other.close()
    row = dict(one(found, "blockers", "idle in transaction").rows[0])
    assert "DROP" in row["application"]
    assert json.loads(preflight_to_json(found))["verdict"] == "FAIL"


# --- what a recent record knows -------------------------------------------------------------------------


def baseline(house: House, **changed: Any) -> Baseline:
    """A baseline with the contract, as ``baseline --contract`` takes it."""
    contract = read_contract(CONTRACT, "contract.toml")
    options = Options(compare=Comparing(contract=contract))
    made = run(SUITE, house.server.dsn(house.database, f"guard_{house.database}"), options=options)
    return replace(baseline_of(made), **changed)


def with_baseline(house: House, record: Baseline, **changed: Any) -> PreflightRecord:
    """A preflight with it."""
    given = Given(baseline=GivenRecord(Path("pre.json"), record, "ab" * 32))
    return house.ask(
        given=given, without=dict.fromkeys(("backup", "rehearsal", "disk", "migrations"), "said"), **changed
    )


def test_a_young_baseline_counts_the_rows(house: House) -> None:
    """Of this database, whole, with this contract and suite: a go without reading a row."""
    record = baseline(house)
    found = with_baseline(house, record)
    assert found.verdict is Verdict.PASS, [i for i in found.items if i.state in {FAIL, UNKNOWN}]
    assert "3 rows to fix (the baseline pre.json)" in one(found, "work", "orders.paid_at.not_null").fact
    assert "49 rows" in one(found, "work", "orders.once").fact
    assert one(found, "work", "orders.once").state is WORK


def _other(record: Baseline, **place: Any) -> Baseline:
    return replace(record, place=replace(record.place, **place))


BASELINES: dict[str, tuple[Any, dict[str, StandingState]]] = {
    "old": (
        lambda r: replace(r, taken_at=r.taken_at - timedelta(days=1, minutes=1)),
        {"baseline age": FAIL, "work age": UNKNOWN},
    ),
    "of tomorrow": (
        lambda r: replace(r, taken_at=r.taken_at + timedelta(days=1)),
        {"baseline age": UNKNOWN, "work age": UNKNOWN},
    ),
    "of another server": (
        lambda r: _other(r, system_identifier="8"),
        {"baseline database": FAIL, "work rows": UNKNOWN},
    ),
    "of another database": (
        lambda r: _other(r, database="shop"),
        {"baseline database": FAIL, "work rows": UNKNOWN},
    ),
    "of nobody knows which server": (
        lambda r: _other(r, system_identifier=""),
        {"baseline database": UNKNOWN},
    ),
    "without a contract": (lambda r: replace(r, contract_digest=""), {"baseline contract": FAIL}),
    "of another contract": (lambda r: replace(r, contract_digest="00"), {"baseline contract": FAIL}),
    "of another suite": (
        lambda r: replace(r, suite=replace(r.suite, digest="00")),
        {"baseline suite": UNKNOWN},
    ),
    "with a table uncounted": (
        lambda r: replace(r, tables=tuple(replace(t, rows=None, reason="locked") for t in r.tables)),
        {"baseline whole": UNKNOWN},
    ),
    "with a promise unmeasured": (
        lambda r: replace(r, measured=tuple(replace(m, message="locked") for m in r.measured)),
        {"baseline whole": UNKNOWN},
    ),
    "of a check that had no answer": (
        lambda r: replace(r, checks=tuple(replace(c, status=Status.SKIP, violations=None) for c in r.checks)),
        {"work orders.paid_at.not_null": UNKNOWN, "work orders.once": UNKNOWN},
    ),
    "of a check that meant another thing": (
        lambda r: replace(r, checks=tuple(replace(c, digest="00") for c in r.checks)),
        {"work orders.paid_at.not_null": UNKNOWN, "work orders.once": UNKNOWN},
    ),
    "without the checks": (
        lambda r: replace(r, checks=()),
        {"work orders.paid_at.not_null": UNKNOWN, "work orders.once": UNKNOWN},
    ),
}


def test_what_a_baseline_does_not_prove(house: House) -> None:
    """Each fault of it costs its own answers, and no other."""
    record = baseline(house)
    for why, (spoil, expected) in BASELINES.items():
        found = with_baseline(house, spoil(record))
        states = {f"{i.topic} {i.question}": i.state for i in found.items if i.state in {FAIL, UNKNOWN}}
        assert states == expected, why


def test_a_run_counts_the_rows(house: House, tmp_path: Path) -> None:
    """The newer of run and baseline; a run that cannot be read, or is of elsewhere, counts nothing."""
    made = run(SUITE, house.server.dsn(house.database, f"guard_{house.database}"))
    path = tmp_path / "run.json"
    path.write_text(run_to_json(made))
    found = house.ask(run_file=tmp_path)
    assert f"3 rows to fix (the run {made.id})" in one(found, "work", "orders.paid_at.not_null").fact
    assert found.verdict is Verdict.PASS
    path.write_text(run_to_json(replace(made, place=replace(made.place, system_identifier="8"))))
    assert one(house.ask(run_file=path), "work", "rows").state is UNKNOWN
    path.write_text("{")
    assert one(house.ask(run_file=path), "work", "rows").state is UNKNOWN


def test_the_zone_of_the_rehearsal(house: House) -> None:
    """A cast between timestamps reads TimeZone: another one than rehearsed is never passed over."""
    for zone, state in (("UTC", PASS), ("Etc/UTC", PASS), ("Asia/Kolkata", UNKNOWN), ("", UNKNOWN)):
        settings = (SessionSetting("TimeZone", zone, "default"),)
        found = clean()
        receipt = replace(receipt_of(found, judge_rehearsal(found), None), settings=settings)
        given = Given(receipt=GivenRecord(Path("receipt.json"), receipt, "ab" * 32))
        house.sql(f"ALTER ROLE guard_{house.database} SET TimeZone = 'UTC'")
        asked = house.ask(given=given, without={})
        assert one(asked, "rehearsal", "TimeZone").state is state, zone


def test_the_rehearsal_says_what_is_rewritten(house: House) -> None:
    """Its facts beside the receipt are taken only if they are of it, and whole."""
    found = clean()
    receipt = receipt_of(found, judge_rehearsal(found), None)
    tape = found.rehearsal.alone.tape
    statement = replace(
        tape.statements[0],
        rewrites=(
            TableRewrite("public.orders", ("a type",), 5),
            TableRewrite("public.new", (), 5, ours=True),
        ),
        sizes=(SizeChange("public.other", 100, 150), SizeChange("public.orders", 5, 9)),
        wal_bytes=10**9,
        within=0,
    )
    run_ = replace(found.rehearsal.alone, tape=replace(tape, statements=(statement,)))
    found = replace(found, rehearsal=replace(found.rehearsal, alone=run_))

    def asked(facts: Rehearsed) -> PreflightItem:
        given = Given(
            receipt=GivenRecord(Path("receipt.json"), receipt, ""),
            rehearsed=GivenRecord(Path("rehearsal.json"), facts, ""),
        )
        return one(house.ask(given=given, without={}), "disk", "free space")

    ((size,),) = house.sql("SELECT pg_total_relation_size('orders')")
    # New files, what other tables grew by, and the WAL as it was measured: more than the files.
    assert f"the rehearsal rewrote 1 table of {size:,} bytes" in asked(found).fact
    assert f"{size + 50 + 10**9:,} bytes" in asked(found).fact
    assert "the contract changes" in asked(replace(found, at=found.at + timedelta(seconds=1))).fact
    gap = replace(run_, tape=replace(run_.tape, gaps=("lines are missing",)))
    whole = replace(found, rehearsal=replace(found.rehearsal, alone=gap))
    assert "the contract changes" in asked(whole).fact


def test_work_that_no_check_counts_is_said(house: House) -> None:
    """Rows that are to be filled or to go, of which the suite has no check."""
    more = """[[promise]]
id = "shops"
kind = "filled"
column = "orders.shop"
[[promise]]
id = "cheap"
kind = "rows_removed"
table = "orders"
where = "total < 3"
"""
    found = house.ask(contract=read_contract(CONTRACT + more, "contract.toml"))
    said = [i.fact for i in found.of(WORK) if i.question == "not counted"]
    assert len(said) == 2
    assert "orders.shop" in said[0]
    assert "total < 3" in said[1]


@pytest.mark.slow
def test_an_autovacuum_to_prevent_wraparound() -> None:
    """A real one: it is told from any other, and nobody is told to end it."""
    slow = {"autovacuum_vacuum_cost_delay": 100, "autovacuum_vacuum_cost_limit": 1}
    burn = "BEGIN INSERT INTO junk VALUES (1); EXCEPTION WHEN others THEN NULL; END"
    with embedded_server() as server:
        name = server.create(template="template1")
        server.sql(TABLES.format(name=name), name)
        server.sql("CREATE TABLE junk (x int)", name)
        # Each of these takes a transaction id of its own.
        server.sql(f"DO $$ BEGIN FOR i IN 1..110000 LOOP {burn}; END LOOP; END $$", name)
        restarted(
            server,
            autovacuum="on",
            autovacuum_naptime=1,
            autovacuum_freeze_max_age=100_000,
            autovacuum_max_workers=8,
            **slow,
        )
        wraps = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'autovacuum: %wraparound)'"
        here = f"{wraps} AND datname = '{name}'"
        wait_until(lambda: server.sql(here) == [(True,)], 60)
        item = one(House(server, name).ask(), "blockers", "wraparound")
        # Ended before its server's folder is removed, to which it writes.
        restarted(server, autovacuum="off", autovacuum_freeze_max_age=2_000_000)
        assert item.state is FAIL
        assert "way to nobody" in item.fact
        assert "pg_terminate" not in item.todo


@contextmanager
def _pair() -> Iterator[tuple[Server, Server]]:
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        missing("PostgreSQL 15 is missing: apt-get install postgresql-15")
    with system_server(6432) as primary, standby_of(primary) as standby:
        yield primary, standby


@pytest.mark.slow
def test_a_standby_is_no_place_to_migrate() -> None:
    """It says so, answers what it can, and does not speak for the primary."""
    with _pair() as (primary, standby):
        name = primary.create()
        primary.sql(TABLES.format(name=name), name)
        wait_until(
            lambda: standby.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == [(1,)], 20
        )
        ((lsn,),) = primary.sql("SELECT pg_current_wal_insert_lsn()")
        wait_until(
            lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn") == [(True,)], 20
        )
        found = House(standby, name).ask()
        assert ("target", "primary") in wrong(found)
        assert one(found, "blockers", "primary").state is UNKNOWN
        assert found.place.standby is True
        here = House(primary, name).ask()
        assert wrong(here) == set()
        assert one(here, "replication", "lag").state is PASS
