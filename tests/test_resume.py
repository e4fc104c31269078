"""A table that is read over several nights, by ranges of a key: what may be said of it, and when."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from conftest import SYSTEM_BIN, Server, embedded_server, missing, system_server, wait_until
from gates import PATIENT, by_id
from helpers import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shop import Shop
from small_server import restarted
from standbys import standby_of

from kisaan_validate import declare as d
from kisaan_validate.cli.options import the_config
from kisaan_validate.cli.scan_history import resume_from
from kisaan_validate.errors import RecordError
from kisaan_validate.execute import ranges
from kisaan_validate.facts.catalogue import Column, Table
from kisaan_validate.facts.proved import TableProved
from kisaan_validate.facts.result import Evidence, Status, Verdict
from kisaan_validate.facts.resumed import RangeRead, ResumeFrom, TableResumed
from kisaan_validate.facts.run import Run
from kisaan_validate.history.proved import LastProved, proved_now
from kisaan_validate.ops.scans import chosen
from kisaan_validate.plan.ranges import WRAP, passing, younger
from kisaan_validate.plan.statements import Pass
from kisaan_validate.postgres import continuity
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.deadline import Deadline
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.resumption import ResumedTable, gone
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, load_suite, suite_of

TABLE = """
CREATE TABLE big (id bigint PRIMARY KEY, amount int, note text);
INSERT INTO big SELECT g, g % 100, 'n' FROM generate_series(1, 1000) AS g;
"""


RANGE = RangeRead(None, "5", 4, 7, (), "r", datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def small() -> Iterator[Server]:
    """A server of the test's own."""
    with embedded_server() as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """A database with a table of 1,000 rows, none of which violates anything."""
    name = server.create(TABLE)
    yield name
    server.drop(name)


def suite(*more: object) -> Suite:
    """Checks of single rows."""
    return suite_of(
        d.holds("big", "amount >= 0", id="amount"),
        d.holds("big", "note IS NOT NULL", id="note"),
        *more,
        settings=settings(),
    )


COMMITTED = "SET synchronous_commit = on; CREATE TEMP TABLE committed ()"


class Steps(Deadline):
    """A time that ends after so many looks at it, so that a night reads so many ranges."""

    def __init__(self, server: Server, ranges: int) -> None:
        super().__init__(time.monotonic() + 3600, "the budget of 1 h ended")
        object.__setattr__(self, "server", server)
        # Once before the table is begun.
        object.__setattr__(self, "left", [ranges + 1])

    @property
    def over(self) -> bool:
        """Whether it has ended. Somebody commits meanwhile, as on any server: that writes the log."""
        self.server.sql(COMMITTED)  # type: ignore[attr-defined]
        self.left[0] -= 1  # type: ignore[attr-defined]
        return bool(self.left[0] < 0)  # type: ignore[attr-defined]


def night(
    server: Server,
    database: str,
    ranges: int,
    before: Run | None = None,
    of: Suite | None = None,
    key: str = "id",
    **more: Any,
) -> Run:
    """A night that reads so many ranges, after another one, through its record."""
    state = state_of(before) if before is not None else None
    resume = {"big": ResumeFrom(key, state)}
    options = Options(jobs=1, limits=PATIENT, until=Steps(server, ranges), resume=resume, **more)
    made = run(of or suite(), server.dsn(database), options=options)
    return run_from_json(run_to_json(made))


def state_of(run: Run) -> TableResumed | None:
    """What a run says of how far the table was read."""
    return run.resumed[0] if run.resumed else None


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of 300 rows."""
    monkeypatch.setattr(ranges, "FIRST_ROWS", 300)
    monkeypatch.setattr(ranges, "next_width", lambda width, took, wanted: width)


def status(run: Run) -> dict[str, Status]:
    """The outcome of each check."""
    return {id: result.status for id, result in by_id(run).items()}


def test_nights_come_to_the_answer_of_one_scan(server: Server, database: str) -> None:
    """Before every row was seen nothing has an answer. Then all have the one of a scan, and it is said how."""
    one = night(server, database, 2)
    assert set(status(one).values()) == {Status.ERROR}
    assert one.verdict is Verdict.INCONCLUSIVE
    said = by_id(one)["amount"].message
    assert said.startswith("read in part: 600 rows of big, id below 601, were read on "), said
    assert said.endswith("; the rest was not: the budget of 1 h ended")
    (table,) = one.tables
    assert (table.rows, table.reason) == (None, said)
    two = night(server, database, 9, one)
    assert two.verdict is Verdict.PASS
    found = by_id(two)["amount"]
    assert (found.violations, found.examined, found.evidence) == (0, 1000, Evidence.BY_INDEX)
    assert found.trusted == "index big_pkey"
    assert "on 2 nights" in found.message or "1,000 rows of big were read on" in found.message
    assert "none of the rows that are there now changed since it was read" in found.message
    state = state_of(two)
    assert state is not None
    assert [(r.first, r.following, r.rows, r.run) for r in state.ranges] == [
        (None, "601", 600, one.id),
        ("601", None, 400, two.id),
    ]
    assert [t.rows for t in two.tables] == [1000]
    # The night after starts over.
    three = night(server, database, 1, two)
    assert [r.following for r in three.resumed[0].ranges] == ["301"]
    assert not any(notice.code == "resume" for notice in three.notices)


def test_all_ranges_are_not_all_rows(server: Server, database: str) -> None:
    """The time ends between the last range and the look for changed rows: no answer; the next night looks."""
    one = night(server, database, 4)
    assert set(status(one).values()) == {Status.ERROR}
    assert "1,000 rows of big were read on" in by_id(one)["amount"].message
    assert "rows that changed since then are not proved: the budget" in by_id(one)["amount"].message
    assert one.resumed[0].whole
    two = night(server, database, 1, one)
    assert two.verdict is Verdict.PASS
    assert [s.purpose for s in two.statements] == ["rows of big"]
    assert "SELECT * FROM" not in two.statements[0].sql


def test_a_violation_fails_the_night_that_meets_it(server: Server, database: str) -> None:
    """With its key; and every night after, by the run that has the key, until all rows were seen again."""
    server.sql("UPDATE big SET amount = -amount WHERE id IN (7, 610)", database)
    one = night(server, database, 1)
    assert (status(one), one.verdict) == ({"amount": Status.FAIL, "note": Status.ERROR}, Verdict.FAIL)
    found = by_id(one)["amount"]
    assert (found.violations, found.examined, found.sample_complete) == (1, 300, True)
    assert found.sample == ((("id", "7"), ("amount", "-7")),)
    server.sql("UPDATE big SET amount = 1 WHERE id = 7", database)
    two = night(server, database, 1, one)
    found = by_id(two)["amount"]
    assert (found.status, found.violations, found.examined, found.sample) == (Status.FAIL, 1, 600, ())
    assert f"(run {one.id} has their keys)" in found.message
    three = night(server, database, 1, two)
    found = by_id(three)["amount"]
    assert (found.violations, found.examined) == (2, 900)
    assert found.sample == ((("id", "610"), ("amount", "-10")),)
    assert not found.sample_complete
    four = night(server, database, 9, three)
    found = by_id(four)["amount"]
    assert (found.status, found.violations, found.examined) == (Status.FAIL, 1, 1000)
    assert (found.sample, found.sample_complete) == (((("id", "610"), ("amount", "-10")),), True)
    assert status(four)["note"] is Status.PASS


def test_a_tolerance_is_granted_by_all_rows_or_not_at_all(server: Server, database: str) -> None:
    """Five violations among the first 300 rows of 1,000: what they amount to is not known before the end."""
    server.sql("UPDATE big SET amount = -1 WHERE id < 6", database)
    checks = suite_of(
        d.holds("big", "amount > -1", id="share", tolerance="1 %"),
        d.holds("big", "amount >= 0", id="few", tolerance=3),
        d.holds("big", "amount <> -1", id="many", tolerance=9),
    )
    one = night(server, database, 1, of=checks)
    assert status(one) == {"share": Status.ERROR, "few": Status.FAIL, "many": Status.ERROR}
    # A violation answers its check; the table is not proved by that.
    failed = night(server, database, 1, of=suite_of(d.holds("big", "amount >= 0", id="few")))
    assert status(failed) == {"few": Status.FAIL}
    assert proved_now(failed, LastProved()) == (TableProved("big"),)
    two = night(server, database, 9, one, of=checks)
    assert status(two) == {"share": Status.TOLERATED, "few": Status.FAIL, "many": Status.TOLERATED}


def test_what_was_fixed_meanwhile_passes_at_the_end(server: Server, database: str) -> None:
    """The last look asks all rows again for what failed."""
    server.sql("UPDATE big SET amount = -1 WHERE id = 7", database)
    one = night(server, database, 1)
    server.sql("UPDATE big SET amount = 1 WHERE id = 7", database)
    assert night(server, database, 9, one).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "bad", "rows"),
    [
        (
            "UPDATE big SET id = -id, amount = -1 WHERE id = 900; INSERT INTO big VALUES (-5, -1, 'x')",
            2,
            1001,
        ),
        ("UPDATE big SET id = 5000, amount = -1 WHERE id = 5; VACUUM (FREEZE) big", 1, 1000),
        ("DELETE FROM big WHERE id < 10; INSERT INTO big VALUES (1, -1, 'x')", 1, 992),
        ("BEGIN; SAVEPOINT s; UPDATE big SET amount = -1 WHERE id = 5; RELEASE s; COMMIT", 1, 1000),
        ("BEGIN; UPDATE big SET amount = -1; ROLLBACK", 0, 1000),
        ("SELECT * FROM big FOR UPDATE; VACUUM FREEZE big", 0, 1000),
    ],
)
def test_what_changed_after_it_was_read_is_read_again(
    server: Server, database: str, changes: str, bad: int, rows: int
) -> None:
    """Wherever it lies then, and whatever happened to its key."""
    one = night(server, database, 2)
    for change in [changes] if changes.startswith("BEGIN") else changes.split("; "):
        server.sql(change, database)
    two = by_id(night(server, database, 9, one))["amount"]
    assert (two.violations, two.examined) == (bad, rows)
    assert two.status is (Status.FAIL if bad else Status.PASS)


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_transaction_that_began_before_the_first_night(
    server: Server, database: str, savepoint: bool
) -> None:
    """Its rows bear an older id than the first snapshot's end, and yet nobody saw them: they are read again."""
    writer = server.connect(database)
    writer.autocommit = False
    cursor = writer.cursor()
    cursor.execute("INSERT INTO big VALUES (-1, 1, 'x')")
    if savepoint:
        cursor.execute("SAVEPOINT s")
    cursor.execute("INSERT INTO big VALUES (-2, -1, 'x')")
    server.sql("UPDATE big SET note = 'm' WHERE id = 999", database)
    one = night(server, database, 2)
    two = night(server, database, 1, one)
    writer.commit()
    three = by_id(night(server, database, 9, two))["amount"]
    assert (three.status, three.violations, three.examined) == (Status.FAIL, 1, 1002)
    assert three.sample == ((("id", "-2"), ("amount", "-1")),)
    writer.close()


def test_rows_of_this_night_are_not_called_changed(server: Server, database: str) -> None:
    """While a transaction is open, all after it are younger than the end of what had ended."""
    writer = server.connect(database)
    writer.autocommit = False
    writer.cursor().execute("INSERT INTO big VALUES (-1, 1, 'x')")
    server.sql("UPDATE big SET note = 'm'", database)
    one = night(server, database, 9)
    assert (one.verdict, one.resumed[0].changed) == (Verdict.PASS, 0)
    writer.close()


# --- what is not resumed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "VACUUM FULL big",
        "TRUNCATE big; INSERT INTO big VALUES (1, 1, 'x')",
        "ALTER TABLE big DROP amount; ALTER TABLE big ADD amount int DEFAULT -1",
        "ALTER TABLE big ADD more int; ALTER TABLE big RENAME amount TO was; ALTER TABLE big RENAME more TO amount",
    ],
)
def test_a_table_that_was_made_anew_is_read_anew(server: Server, database: str, sql: str) -> None:
    """Also where its file stays, and only what a column of a name is has changed; and the reason is said."""
    one = night(server, database, 2)
    for statement in sql.split("; "):
        server.sql(statement, database)
    two = night(server, database, 1, one)
    (notice,) = (n for n in two.notices if n.code == "resume")
    assert (
        notice.message == "big is read from its first row on: the table was rewritten or altered since then"
    )
    assert [(r.first, r.run) for r in two.resumed[0].ranges] == [(None, two.id)]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        ({}, ""),
        ({"server": "0" * 64}, "started again since then, or is another one"),
        ({"shape": "0" * 64}, "rewritten or altered"),
        ({"key": "amount"}, "by another key"),
        ({"meanings": (("a", "other"),)}, "its checks are others"),
        ({"void": "it was void"}, "it was void"),
        ({"ranges": (replace(RANGE, horizon=10),)}, "in an older state"),
        ({"ranges": (replace(RANGE, horizon=0),)}, "in an older state"),
        ({"ranges": ()}, "makes no sense"),
        ({"ranges": (replace(RANGE, following="1); DROP TABLE big; --"),)}, "makes no sense"),
        ({"ranges": (replace(RANGE, following="5 "),)}, "makes no sense"),
        ({"ranges": (replace(RANGE, first="1"),)}, "makes no sense"),
        ({"ranges": (RANGE, replace(RANGE, first="6", following="9"))}, "makes no sense"),
        ({"ranges": (replace(RANGE, following=None), replace(RANGE, first="5"))}, "makes no sense"),
    ],
)
def test_what_was_read_before_does_not_count_any_more(edit: dict[str, Any], why: str) -> None:
    """Whatever of it is not as it was, or cannot have been."""
    table = Table(1, "public", "big", "r", {"id": Column("id", "bigint", "int8", True)})
    state = TableResumed("big", "id", "s", "h", (("a", "m"),), (RANGE,))
    moment = continuity.Moment("s", 9, 12, "")
    statement = Pass("rows of big", table, "public.big", (), (table.key,))
    now = ResumedTable(table, statement, moment, replace(state, ranges=()))
    said = gone(replace(state, **edit), now)
    assert why in said
    assert bool(said) is bool(why)


def test_a_change_of_a_check_begins_anew(server: Server, database: str) -> None:
    """Also where only a function of the database's own means something else."""
    server.sql("CREATE FUNCTION fine(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 >= 0'", database)
    checks = suite(d.holds("big", "fine(amount)", id="fine"))
    one = night(server, database, 2, of=checks)
    same = night(server, database, 1, one, of=checks)
    assert [r.run for r in same.resumed[0].ranges] == [one.id, same.id]
    server.sql(
        "CREATE OR REPLACE FUNCTION fine(int) RETURNS bool IMMUTABLE AS 'SELECT $1 > 5' LANGUAGE sql",
        database,
    )
    other = night(server, database, 1, one, of=checks)
    assert [r.run for r in other.resumed[0].ranges] == [other.id]
    fewer = night(server, database, 1, one)
    assert [r.run for r in fewer.resumed[0].ranges] == [fewer.id]


def test_another_server_process_begins_anew(small: Server) -> None:
    """A server that was stopped may have been set back to a copy of itself."""
    database = small.create(TABLE)
    one = night(small, database, 2)
    restarted(small)
    two = night(small, database, 1, one)
    assert [r.run for r in two.resumed[0].ranges] == [two.id]
    assert any("started again" in n.message for n in two.notices)


def test_a_log_that_is_not_written_keeps_nothing(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash could take back what the night saw, and give its transaction ids to others."""
    monkeypatch.setattr(continuity, "WRITTEN_SECONDS", 0.0)
    monkeypatch.setattr(continuity, "read_moment", _far)
    one = night(server, database, 2)
    assert "a crash could have taken it back" in one.resumed[0].void
    assert any("cannot be resumed" in notice.message for notice in one.notices)
    assert "600 rows of big" in by_id(one)["amount"].message
    # All in one night rests on nothing that is kept.
    assert night(server, database, 9).verdict is Verdict.PASS


def _far(session: Session, system_identifier: str, real: Any = continuity.read_moment) -> continuity.Moment:
    found: continuity.Moment = real(session, system_identifier)
    return replace(found, log="FFFFFFFF/0")


# --- what cannot be asked so -------------------------------------------------------------------------------


ASKED_IN_VAIN = [
    (d.holds("big", "amount < extract(epoch FROM now())", id="a"), "it calls now, which another night"),
    (d.holds("big", "note <> current_date::text", id="b"), "it calls current_date"),
    (d.holds("big", "note <> 'today'::date::text", id="c"), "a moment that moves (today)"),
    (d.holds("big", "settled(amount)", id="d"), "it may call settled, which is not declared IMMUTABLE"),
    (d.holds("big", "pg_sleep(amount * 0)::text = ''", volatile="pg_sleep", id="e"), "it calls pg_sleep"),
    (d.total("big", "amount", low=0, id="f"), "it judges a figure of all rows"),
    (d.unique("big", "id", id="g"), "this check is not about single rows"),
    (d.references("big", "amount", "other", "id", id="h"), "this check is not about single rows"),
]


def test_what_ranges_cannot_answer_is_not_asked(server: Server, database: str) -> None:
    """It has no answer, and says why; the others go on, and the run cannot pass."""
    server.sql(
        "CREATE TABLE other (id int PRIMARY KEY); "
        "CREATE FUNCTION settled(int) RETURNS bool STABLE AS 'SELECT true' LANGUAGE sql",
        database,
    )
    made = night(server, database, 9, of=suite(*(check for check, _ in ASKED_IN_VAIN)))
    for id, (_, why) in zip("abcdefgh", ASKED_IN_VAIN, strict=True):
        found = by_id(made)[id]
        assert found.status is Status.ERROR, id
        assert found.message.startswith("not asked: big is read over several nights by ranges of id, and ")
        assert why in found.message, found.message
    assert status(made)["amount"] is Status.PASS
    assert made.verdict is Verdict.INCONCLUSIVE


KEYS = [
    ("(id int PRIMARY KEY, amount int)", "nope", "it has no column nope"),
    ("(id text PRIMARY KEY, amount int)", "id", "id is of type text: a key is a whole number or a uuid"),
    ("(id int PRIMARY KEY, amount int)", "amount", "amount may be NULL, and a NULL lies in no range"),
    ("(id int PRIMARY KEY, amount int NOT NULL)", "amount", "no valid btree index leads through all rows"),
    ("(id int NOT NULL, amount int); CREATE INDEX ON {} (id)", "id", "it has no primary key"),
    (
        "(id int PRIMARY KEY, amount int); CREATE TABLE more () INHERITS ({})",
        "id",
        "it has partitions, children",
    ),
    ("(id int PRIMARY KEY, amount int) PARTITION BY RANGE (id)", "id", "it has partitions, children"),
    (
        "(id int PRIMARY KEY, amount int NOT NULL); CREATE INDEX ON {} (amount) WHERE id > 1",
        "amount",
        "no valid btree index leads through all rows by amount",
    ),
]


def test_keys_that_will_not_do(server: Server, database: str) -> None:
    """Nothing of the table is asked, and its checks say why."""
    made = "; ".join(f"CREATE TABLE k{n} {sql.format(f'k{n}')}" for n, (sql, _, _) in enumerate(KEYS))
    server.sql(made, database)
    checks = suite_of(*(d.holds(f"k{n}", "amount > 0", id=f"k{n}") for n in range(len(KEYS))))
    resume = {f"k{n}": ResumeFrom(key) for n, (_, key, _) in enumerate(KEYS)}
    found = run(checks, server.dsn(database), options=Options(limits=PATIENT, resume=resume))
    assert run_from_json(run_to_json(found)).resumed == ()
    for n, (_, key, why) in enumerate(KEYS):
        result = by_id(found)[f"k{n}"]
        assert result.status is Status.ERROR
        assert result.message.startswith(f"not asked: k{n} cannot be read by ranges of {key}: "), (
            result.message
        )
        assert why in result.message, result.message


def test_no_personal_key_is_named(server: Server, database: str) -> None:
    """A range names values of its key."""
    made = night(server, database, 2, of=replace(suite(), settings=settings(personal=("big.id",))))
    assert "id is personal" in by_id(made)["amount"].message


def test_an_index_that_does_not_lead_to_all_rows(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that it lacks is counted by the last look, and then there is no answer at all."""
    server.sql(
        "SET allow_system_table_mods = on; UPDATE pg_index SET indisready = false WHERE indexrelid = "
        "'big_pkey'::regclass",
        database,
    )
    server.sql("INSERT INTO big VALUES (-5, -1, 'x')", database)
    server.sql(
        "SET allow_system_table_mods = on; UPDATE pg_index SET indisready = true WHERE indexrelid = "
        "'big_pkey'::regclass",
        database,
    )
    # Without figures the planner would read all of the table for each range.
    server.sql("ANALYZE big", database)
    monkeypatch.setattr(ranges, "FIRST_ROWS", 20)
    one = night(server, database, 1)
    monkeypatch.setattr(ranges, "FIRST_ROWS", 600)
    two = night(server, database, 9, one)
    found = by_id(two)["amount"]
    assert found.status is Status.ERROR
    assert "the index on id led to 20 rows of a range in which the table has 21" in found.message
    assert two.verdict is Verdict.INCONCLUSIVE
    # Rebuilt, the index leads to all; but what was read before did not.
    server.sql("REINDEX INDEX big_pkey", database)
    three = night(server, database, 9, two)
    assert any("not all of its rows lay in its ranges" in n.message for n in three.notices)
    assert (status(three)["amount"], by_id(three)["amount"].examined) == (Status.FAIL, 1001)


def test_a_key_that_is_null_against_its_declaration(server: Server, database: str) -> None:
    """Such a row lies in no range; the last look counts it, and then there is no answer."""
    mods = "SET allow_system_table_mods = on; UPDATE pg_attribute SET attnotnull = {} WHERE attrelid = "
    mods += "'big'::regclass AND attname = 'id'"
    server.sql(mods.format("false"), database)
    server.sql("INSERT INTO big VALUES (NULL, -1, 'x')", database)
    server.sql(mods.format("true"), database)
    two = night(server, database, 9, night(server, database, 2))
    found = by_id(two)["amount"]
    assert found.status is Status.ERROR
    assert "1,001 rows were counted, of which 1 lie in no range of id" in found.message
    assert two.verdict is Verdict.INCONCLUSIVE
    assert two.resumed[0].void


def test_keys_of_other_types_and_odd_names(server: Server, database: str) -> None:
    """A uuid, a negative smallint, and names that must be quoted."""
    server.sql(
        'CREATE TABLE "odd ""t" ("k y" uuid PRIMARY KEY, amount int); '
        """INSERT INTO "odd ""t" SELECT md5(g::text)::uuid, g FROM generate_series(1, 1000) AS g; """
        "CREATE TABLE tiny (k smallint PRIMARY KEY, amount int); "
        "INSERT INTO tiny SELECT g - 500, g FROM generate_series(1, 1000) AS g",
        database,
    )
    for table, key in (('odd "t', "k y"), ("tiny", "k")):
        checks = suite_of(d.holds(table, "amount > 1", id="amount"))
        state, verdicts = None, []
        for _ in range(4):
            options = Options(limits=PATIENT, until=Steps(server, 2), resume={table: ResumeFrom(key, state)})
            made = run_from_json(run_to_json(run(checks, server.dsn(database), options=options)))
            state = made.resumed[0]
            verdicts.append(made.verdict)
            if state.ended:
                break
        found = by_id(made)["amount"]
        assert (found.violations, found.examined) == (1, 1000), (table, found.message)
        assert Verdict.PASS not in verdicts


# --- laws --------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*[st.integers(1, 2**34)] * 3), min_size=1, max_size=40))
@hypothesis_settings(max_examples=15, deadline=None)
def test_no_younger_transaction_is_taken_for_an_older_one(
    server: Server, numbers: list[tuple[int, int, int]]
) -> None:
    """Ids in rows are 32 bits of 64: for any transaction before the upper end, from the horizon on is younger;
    exactly those, while less than 2^32 lie between.
    """
    asked = [
        (one, since, max(made))
        for made in numbers
        for one, since in (sorted(made)[:2], sorted(made)[1::-1])
        if one < max(made) and one % WRAP >= 3
    ]
    sql = [
        younger(replace(RANGE, horizon=since), upper).replace("xmin", f"'{one % WRAP}'::xid")
        for one, since, upper in asked
    ]
    if not sql:
        return
    ((said,),) = server.sql(f"SELECT ARRAY[{', '.join(sql)}]")
    for (one, since, upper), is_younger in zip(asked, said, strict=True):
        if one >= since:
            assert is_younger, (one, since, upper)
        elif upper - one < WRAP:
            assert not is_younger, (one, since, upper)


class History:
    """Random writers of a small table, some of whose transactions stay open over nights."""

    def __init__(self, server: Server, database: str, seed: int) -> None:
        self.server, self.database, self.random = server, database, random.Random(seed)
        self.plain = server.connect(database)
        self.plain.cursor().execute("SET lock_timeout = '5ms'")
        self.open: list[Any] = []

    def close(self) -> None:
        """End all writers."""
        for writer in (self.plain, *self.open):
            writer.close()

    def step(self) -> None:
        """One thing that somebody does."""
        choice = self.random.random()
        if choice < 0.12 and len(self.open) < 3:
            writer = self.server.connect(self.database)
            writer.autocommit = False
            writer.cursor().execute("SET lock_timeout = '5ms'")
            self.open.append(writer)
            self._write(writer)
        elif choice < 0.24 and self.open:
            writer = self.open.pop(self.random.randrange(len(self.open)))
            writer.commit() if self.random.random() < 0.7 else writer.rollback()
            writer.close()
        elif choice < 0.28:
            self._try(
                self.plain, self.random.choice(["VACUUM t", "VACUUM (FREEZE) t", "SELECT FROM t FOR UPDATE"])
            )
        elif choice < 0.5 and self.open:
            self._write(self.random.choice(self.open))
        else:
            self._write(self.plain)

    def _write(self, writer: Any) -> None:
        of = self.random
        a, b = of.randrange(120), of.randrange(120)
        amount = -1 if of.random() < self.bad else 1
        sql = of.choice(
            [
                f"INSERT INTO t VALUES ({a}, {amount})",
                f"UPDATE t SET amount = {amount} WHERE id = {a}",
                f"UPDATE t SET id = {b}, amount = {amount} WHERE id = {a}",
                f"UPDATE t SET id = {b} WHERE id = {a}",
                f"DELETE FROM t WHERE id = {a}",
            ]
        )
        self._try(writer, sql)

    bad = 0.06
    """The share of writes that violate the check."""

    def _try(self, writer: Any, sql: str) -> None:
        """In a savepoint where a transaction is open; what is refused is as if it had not been tried."""
        cursor = writer.cursor()
        if writer.autocommit:
            with suppress(psycopg2.Error):
                cursor.execute(sql)
            return
        cursor.execute("SAVEPOINT s")
        try:
            cursor.execute(sql)
            if self.random.random() < 0.2:
                cursor.execute("ROLLBACK TO SAVEPOINT s")
        except psycopg2.Error:
            cursor.execute("ROLLBACK TO SAVEPOINT s")
        cursor.execute("RELEASE SAVEPOINT s")


class Interrupted(Steps):
    """A time in which writers work on between any two ranges."""

    def __init__(self, ranges: int, history: History) -> None:
        super().__init__(history.server, ranges)
        object.__setattr__(self, "history", history)

    @property
    def over(self) -> bool:
        """Whether it has ended; meanwhile things happen."""
        for _ in range(3):
            self.history.step()  # type: ignore[attr-defined]
        return super().over


def truth(server: Server, database: str, run: Run) -> tuple[int, int]:
    """How many rows violate, of how many, in the snapshot of a run that still holds it."""
    connection = server.connect(database)
    cursor = connection.cursor()
    cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    cursor.execute(f"SET TRANSACTION SNAPSHOT '{run.place.snapshot}'")
    cursor.execute("SELECT count(*) FILTER (WHERE amount < 0), count(*) FROM t")
    ((bad, rows),) = cursor.fetchall()
    connection.close()
    return bad, rows


def histories(server: Server, seed: int, nights: int = 12) -> Counter[str]:
    """Nights amid random writers, each going on from the record of the last one or, as after a crash, of one
    before it. Whatever is not open at the end of a night is what is true in its snapshot. How often what came.
    """
    database = server.create("CREATE TABLE t (id int PRIMARY KEY, amount int)")
    server.sql("INSERT INTO t SELECT 2 * g, 1 FROM generate_series(0, 49) AS g", database)
    history, came = History(server, database, seed), Counter[str]()
    checks = suite_of(d.holds("t", "amount >= 0", id="amount"))
    states: list[TableResumed | None] = [None]
    for number in range(nights):
        # Some stretches are of writers who break nothing, so that something can pass.
        history.bad = 0.06 if number % 6 < 2 else 0.0
        for _ in range(history.random.randrange(6)):
            history.step()
        if number % 6 == 0:
            history._try(history.plain, "UPDATE t SET amount = 1 WHERE amount < 0")
        true: list[tuple[int, int]] = []

        def keep(run: Run, _: object, into: list[tuple[int, int]] = true) -> None:
            into.append(truth(server, database, run))

        state = states[-1] if history.random.random() < 0.8 else history.random.choice(states)
        options = Options(
            jobs=1,
            limits=PATIENT,
            until=Interrupted(history.random.randrange(1, 6), history),
            resume={"t": ResumeFrom("id", state)},
            while_held=keep,
        )
        made = run_from_json(run_to_json(run(checks, server.dsn(database), options=options)))
        found, ((bad, rows),) = by_id(made)["amount"], true
        if made.resumed and made.resumed[0].ended:
            assert (found.violations, found.examined) == (bad, rows), (seed, number, found.message)
            assert [t.rows for t in made.tables] == [rows]
            came["ended"] += 1
            came["changed"] += bool(made.resumed[0].changed)
            came["several"] += len(made.resumed[0].ranges) > 1
        else:
            assert found.status in {Status.ERROR, Status.FAIL}, (seed, number, found)
        if found.status is Status.PASS:
            assert bad == 0, (seed, number)
        came[found.status.value] += 1
        states += made.resumed
    history.close()
    server.drop(database)
    return came


@pytest.mark.parametrize("seeds", [range(1, 2), pytest.param(range(2, 40), marks=pytest.mark.slow)])
def test_random_histories(server: Server, monkeypatch: pytest.MonkeyPatch, seeds: range) -> None:
    """No night passes with a violation that anybody could see in its snapshot, and what has come to its end is
    exact; of many every outcome occurs.
    """
    monkeypatch.setattr(ranges, "FIRST_ROWS", 12)
    came: Counter[str] = Counter()
    for seed in seeds:
        came += histories(server, seed, 12 if len(seeds) > 1 else 6)
    assert came["ended"] >= 1
    if len(seeds) > 1:
        assert min(came[name] for name in ("pass", "fail", "error", "changed", "several")) >= 5, came


# --- the command -------------------------------------------------------------------------------------------

RESUMED = """[run]
jobs = 1
[scan.nightly]
budget = "{budget}"
[scan.nightly.resume]
{table} = "id"
"""


def _records(shop: Shop) -> list[Run]:
    """The records of all runs, the oldest first."""
    found = [run_from_json(path.read_text()) for path in (shop.folder / "reports").glob("*/run.json")]
    return sorted(found, key=lambda run: run.place.at)


def test_a_profile_names_such_tables(shop: Shop) -> None:
    """A table that no check is about is a mistake; one that is read in one night passes with its words."""
    config = shop.folder / "kisaan.toml"
    config.write_text(RESUMED.format(budget="40 min", table="order"))
    done = shop.cli("scan")
    assert done.returncode == 2
    assert "[scan.nightly] resume names 'order', but no check of it is about such a table" in done.stderr
    assert "orders" in done.stderr
    config.write_text(
        RESUMED.format(budget="40 min", table="orders").replace("budget", "profile = true\nbudget")
    )
    assert shop.cli("scan").returncode == 2
    config.write_text(
        RESUMED.format(budget="40 min", table="orders").replace("budget", 'exclude = ["notes"]\nbudget')
    )
    done = shop.cli("scan", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    made = _records(shop)[-1]
    assert made.settings["resume"] == "orders by id"
    assert made.resumed[0].changed == 0
    page = (shop.folder / "reports" / made.id / "report.html").read_text()
    assert "3 rows of orders were read on" in page
    text = (shop.folder / "reports" / made.id / "run.json").read_text()
    for was, wrong in (
        (',"changed":0', ""),
        ('"horizon":', '"horizon":-'),
        ('"rows":3,"h', '"rows":2,"h'),
    ):
        assert was in text, was
        with pytest.raises(RecordError, match="contradicts itself"):
            run_from_json(text.replace(was, wrong))


def test_the_newest_record_of_a_profile_is_resumed(shop: Shop) -> None:
    """Not one of another profile, nor an older one; a night that read nothing of the table is passed over."""
    shop.sql(TABLE)
    suite_file = "from kisaan_validate import declare\ndeclare.holds('big', 'amount >= 0', id='amount')\n"
    (shop.folder / "checks" / "big.py").write_text(suite_file)
    (shop.folder / "kisaan.toml").write_text(RESUMED.format(budget="4 s", table="big"))
    config = the_config(shop.folder / "kisaan.toml")
    checks = load_suite(config.suite)
    target, profile = find_target(shop.server.dsn(shop.database)), chosen(config.scans, "nightly")
    assert resume_from(config, profile, checks, target) == {"big": ResumeFrom("id")}

    def recorded(scan: str, ranges: int) -> Run:
        state = resume_from(config, profile, checks, target)["big"].state
        options = Options(
            limits=PATIENT,
            until=Steps(shop.server, ranges),
            noted={"scan": scan},
            resume={"big": ResumeFrom("id", state)},
        )
        made = run(checks.narrowed(("big",)), shop.server.dsn(shop.database), options=options)
        # Folders sort by time, and these nights are of one second.
        made = replace(made, id=f"2026030{len(_records(shop))}T000000Z-abcdef")
        (config.reports / made.id).mkdir(parents=True)
        (config.reports / made.id / "run.json").write_text(run_to_json(replace(made, proved=())))
        return made

    nights = [recorded("nightly", 1), recorded("nightly", 1), recorded("weekly", 1), recorded("nightly", 0)]
    assert nights[3].resumed == nights[1].resumed
    found = resume_from(config, profile, checks, target)["big"].state
    assert found == nights[1].resumed[0]
    assert found is not None
    assert [r.following for r in found.ranges] == ["301", "601"]


# Sleeping, so that no machine is fast enough for the budget.
SLOW = """
CREATE FUNCTION slow(a int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS
'BEGIN IF random() < 0.3 THEN PERFORM pg_sleep(0.001); END IF; RETURN a >= 0; END';
CREATE TABLE big (id int PRIMARY KEY, amount int);
INSERT INTO big SELECT g, 1 FROM generate_series(1, 21000) AS g;
ANALYZE big;
"""


@contextmanager
def somebody_commits(server: Server) -> Iterator[None]:
    """Commits now and then, as on any server: that writes the log."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.5):
            server.sql(COMMITTED)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_nights_of_a_command(shop: Shop) -> None:
    """Each goes on from the newest record that can be read; one that was lost costs what it read."""
    shop.sql(SLOW)
    shop.sql(f"GRANT SELECT ON big TO {shop.role}")
    (shop.folder / "checks" / "big.py").write_text(
        "from kisaan_validate import declare\ndeclare.holds('big', 'slow(amount)', id='slow')\n"
    )
    config = RESUMED.format(budget="4 s", table="big").replace("budget", 'select = ["big"]\nbudget')
    (shop.folder / "kisaan.toml").write_text(config)
    with somebody_commits(shop.server):
        done = shop.cli("scan")
        assert done.returncode == 3, done.stdout + done.stderr
        (one,) = _records(shop)
        so_far = r"20,000 rows of big, id below 20001, were read on .* UTC; the rest is not proved yet"
        assert re.search(f"over several nights: {so_far}", " ".join(done.stdout.split())), done.stdout
        page = (shop.folder / "reports" / one.id / "report.html").read_text()
        assert re.search(f"Read over several nights: {so_far}", page)
        shop.sql("UPDATE big SET amount = -1 WHERE id = 3")
        lost = shop.folder / "reports" / "20260101T000000Z-abcdef"
        lost.mkdir()
        (lost / "run.json").write_text("{")
        code = 3
        for _ in range(4):
            if code == 3:
                code = shop.cli("scan").returncode
    assert code == 1
    (lost / "run.json").unlink()
    last = _records(shop)[-1]
    assert last.resumed[0].ranges[0].run == one.id
    assert (last.resumed[0].changed, by_id(last)["slow"].violations) == (1, 1)


def test_what_the_session_decides_is_told_from_what_only_sounds_so() -> None:
    """Names of functions, not beginnings of names."""
    for fine in (
        "lower(note) = note",
        "length(note) > 1",
        "hashtext(note) > 0",
        "note ~ 'now()'",
        "log(amount) > 1",
    ):
        assert passing(fine) == "", fine
    for bad in (
        "pg_backend_pid() > amount",
        "note = CURRENT_USER",
        "d < 'Now'::timestamp",
        "to_regclass(note) IS NULL",
    ):
        assert passing(bad), bad


@pytest.mark.slow
def test_a_last_look_that_takes_too_long_is_not_tried_for_ever(server: Server, database: str) -> None:
    """It has a night to itself; if it does not end in it, the table is read again from the start, and nothing has passed."""
    every_row = SLOW.partition("CREATE TABLE")[0].replace("random() < 0.3", "true")
    server.sql(every_row.replace("0.001", "0.01"), database)
    checks = suite_of(d.holds("big", "amount > 99 OR slow(amount) OR note = 'n'", id="slow"))
    server.sql("UPDATE big SET note = 'n', amount = 100", database)
    one = night(server, database, 4, of=checks)
    assert one.resumed[0].whole
    server.sql("UPDATE big SET amount = 1, note = 'other'", database)
    until = Deadline(time.monotonic() + 3, "the budget of 3 s ended", grace=0.5)
    with somebody_commits(server):
        options = Options(
            jobs=1, limits=PATIENT, until=until, resume={"big": ResumeFrom("id", state_of(one))}
        )
        two = run(checks, server.dsn(database), options=options)
    assert status(two) == {"slow": Status.ERROR}
    assert "rows that changed since then are not proved" in by_id(two)["slow"].message
    assert two.resumed[0].void
    three = night(server, database, 1, two, of=checks)
    assert [r.run for r in three.resumed[0].ranges] == [three.id]
    assert any("did not end within a night" in n.message for n in three.notices)


@pytest.mark.slow
def test_nights_on_a_standby() -> None:
    """What replay shows as running has not ended there either, and what replay changed is read again."""
    if not (SYSTEM_BIN / "pg_basebackup").exists():
        missing("PostgreSQL 15 is missing: apt-get install postgresql-15")
    with system_server(6419) as primary, standby_of(primary) as standby:
        database = primary.create(TABLE)
        writer = primary.connect(database)
        writer.autocommit = False
        writer.cursor().execute("INSERT INTO big VALUES (-2, -1, 'x')")
        primary.sql("UPDATE big SET note = 'm' WHERE id = 999", database)
        made, state = None, None
        for ranges in (2, 1, 9):
            primary.sql(COMMITTED)
            ((lsn,),) = primary.sql("SELECT pg_current_wal_insert_lsn()")
            replayed = f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn"
            wait_until(lambda asked=replayed: standby.sql(asked) == [(True,)], 20)
            options = Options(
                jobs=1, limits=PATIENT, until=Steps(primary, ranges), resume={"big": ResumeFrom("id", state)}
            )
            made = run_from_json(run_to_json(run(suite(), standby.dsn(database), options=options)))
            state = state_of(made)
            if ranges == 1:
                writer.commit()
        assert made is not None
        found = by_id(made)["amount"]
        assert (found.status, found.violations, found.examined) == (Status.FAIL, 1, 1001), found.message
        assert len(made.resumed[0].ranges) == 3
        # Another server than the standby.
        elsewhere = run(
            suite(), primary.dsn(database), options=Options(resume={"big": ResumeFrom("id", one_of(made))})
        )
        assert any("is another one" in n.message for n in elsewhere.notices)
        writer.close()


def one_of(run: Run) -> TableResumed:
    """The state of a table as if it had not come to its end."""
    return replace(run.resumed[0], ranges=run.resumed[0].ranges[:1], changed=None)
