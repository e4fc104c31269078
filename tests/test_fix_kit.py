"""Fix kits: what a kit changes, what it refuses, and that its way back brings back every byte."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from conftest import Server, needs, wait_until
from fixing import CHECKS, ONCE, PAID, TABLES, Fixing, copied, fixing
from helpers import examples, write_suite

from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.receipt import ReceiptFile
from kisaan_validate.facts.repair import (
    PROVED_STEPS,
    FixItem,
    FixKit,
    FixProof,
    FixStep,
    FixTarget,
    ItemState,
    KitProof,
    judge_fix_kit,
    judge_fix_proof,
)
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.suite.load import load_suite
from kisaan_validate.suite.repairs import load_repairs, read_repair

BOTH = ("payments.paid", "fees.once")


@pytest.fixture(scope="module")
def written(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixing]:
    """A shop with payments without a date, and fees that are there twice; kits for both."""
    with fixing(server, tmp_path_factory.mktemp("written")) as made:
        assert judge_fix_kit(made.made()) is Verdict.PASS
        yield made


@pytest.fixture
def fix(written: Fixing) -> Iterator[Fixing]:
    """A copy of its database, with the kits."""
    with copied(written) as made:
        yield made


@pytest.fixture
def fresh(server: Server, tmp_path: Path) -> Iterator[Fixing]:
    """The same shop, for which no kit was written yet."""
    with fixing(server, tmp_path) as made:
        yield made


# --- what a kit does ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [18, pytest.param(15, marks=pytest.mark.slow)])
def test_a_repair_heals_what_failed_and_the_way_back_brings_back_every_byte(
    version: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Dates come from the entry, equal fees become one (NULL equals NULL), references move, and back."""
    with fixing(request.getfixturevalue("server" if version == 18 else "server15"), tmp_path) as fix:
        assert judge_fix_kit(fix.made()) is Verdict.PASS
        before = fix.state()
        for check in BOTH:
            assert fix.repair(check) == "", fix.said
        assert {r.status for r in fix.measured().results} == {Status.PASS}
        assert fix.sql("SELECT id, shop, rate::text FROM fees ORDER BY id") == [
            (1, 1, "5.00"),
            (3, 2, "5.00"),
            (4, None, "4.00"),
            (7, None, "4.50"),
        ]
        assert fix.sql("SELECT id, fee FROM sales ORDER BY id") == [(1, 1), (2, 1), (3, 4), (4, None), (5, 1)]
        assert fix.sql("SELECT id, fee FROM notes ORDER BY id") == [(1, 1), (2, 3)]
        assert fix.sql("SELECT count(*) FROM payments WHERE paid = made AT TIME ZONE 'UTC'") == [(5,)]
        for check in BOTH:
            assert fix.back(check) == "", fix.said
        assert fix.state() == before


def test_the_header_says_what_a_reviewer_must_know(fix: Fixing) -> None:
    """What, why, which run and rows, who reviews, what may take long, how it is run."""
    text = fix.text("fees.once", ".repair.sql")
    head = text[: text.index("BEGIN TRANSACTION")]
    for words in (
        "-- REPAIR: Keep the oldest of equal fees",
        "-- check    fees.once",
        f"-- run      {fix.record['run']}",
        f"-- rows     3 violations; digest of their keys {fix.record['kits'][1]['key_digest']}",
        f"-- database {fix.copy_of}, system identifier ",
        "-- REVIEW   finance must read this before anybody runs it",
        "-- NULL equals NULL.",
        "-- step 1   moves references in sales (fee)",
        "-- WARNING  no index of sales begins with fee: deleting may take long",
        "-- step 3   deletes rows of fees: 3 rows",
        "-- With psql:      psql -X -f fees-once-",
    ):
        assert words in head, head
    assert all(line.startswith("--") or not line for line in head.splitlines())


def test_a_session_in_another_time_zone_makes_the_same_dates(fix: Fixing) -> None:
    """Entries were written in UTC: the zone of whoever runs the kit does not move them."""
    assert (
        fix.repair("payments.paid", before="SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'") == ""
    )
    assert fix.sql("SELECT (paid AT TIME ZONE 'UTC')::text FROM payments WHERE id = 10") == [
        ("2026-01-01 19:30:00",)
    ]


def test_after_the_migration_the_same_repair_means_the_same_moment(fresh: Fixing) -> None:
    """Of a timestamptz the moment is taken as it is."""
    fresh.sql("ALTER TABLE payments ALTER made TYPE timestamptz USING made AT TIME ZONE 'UTC'")
    fresh.made()
    assert fresh.repair("payments.paid", before="SET TimeZone = 'Asia/Kolkata'") == "", fresh.said
    assert fresh.sql("SELECT count(*) FROM payments WHERE paid = made") == [(5,)]


def test_the_files_hold_no_value_of_any_row(fresh: Fixing) -> None:
    """A key may be a person's name: a kit names columns and digests, never values."""
    fresh.sql("ALTER TABLE fees ALTER shop TYPE text USING 'canary-' || shop")
    fresh.made()
    text = "".join(path.read_text() for path in fresh.folder.iterdir())
    assert "canary" not in text
    assert fresh.repair("fees.once") == "", fresh.said
    kept = fresh.sql("SELECT count(*) FROM fees")
    assert kept == [(4,)]


def test_psql_runs_the_files_and_its_exit_code_tells_a_refusal(fix: Fixing) -> None:
    """psql ends with 0 where it was done, with 3 where it was refused; the list for the books is plain SQL."""
    needs("psql")
    done = fix.psql(fix.path("fees.once", ".repair.psql"))
    assert done.returncode == 0, done.stderr
    again = fix.psql(fix.path("fees.once", ".repair.psql"))
    assert again.returncode == 3
    assert "was run already, by postgres" in again.stderr
    books = fix.psql(fix.path("fees.once", ".books.sql"))
    assert books.returncode == 0
    assert "2 |     1 |    1 | 5.00" in books.stdout
    assert fix.psql(fix.path("fees.once", ".way-back.psql")).returncode == 0
    assert fix.psql(fix.path("fees.once", ".way-back.psql")).returncode == 3


# --- refusals: nothing is changed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("INSERT INTO fees (shop, rate) VALUES (2, 5)", "KV002", "saw 3 violations, but now there are 4"),
        ("INSERT INTO fees (shop, rate) VALUES (1, 5)", "KV002", "saw 3 violations, but now there are 4"),
        # As many, but others.
        ("UPDATE fees SET shop = 2 WHERE shop IS NULL AND rate = 4", "KV002", "but not the same ones"),
        ("ALTER TABLE fees ADD more int", "KV001", "columns of public.fees"),
        ("ALTER TABLE notes ALTER fee TYPE int", "KV001", "columns of public.notes"),
    ],
)
def test_other_rows_than_those_that_were_seen_are_refused(
    fix: Fixing, change: str, code: str, words: str
) -> None:
    """Between run and kit somebody wrote: nothing is changed, and it is said why."""
    fix.sql("UPDATE fees SET shop = 9 WHERE id = 3") if "others" in words else None
    fix.sql(change)
    before = fix.state()
    assert fix.repair("fees.once") == code
    assert words in fix.said
    assert fix.state() == before
    assert fix.untouched


def test_another_database_or_transaction_is_refused(fresh: Fixing, server: Server) -> None:
    """By name, by the server's identifier, and where something was begun already."""
    fresh.made()
    other = server.create(TABLES)
    sql = fresh.text("fees.once", ".repair.sql")
    connection = server.connect(other)
    with connection.cursor() as cursor:
        with pytest.raises(psycopg2.Error, match="not for " + other):
            cursor.execute(sql)
        cursor.execute("ROLLBACK")
        # On a copy that says so it runs.
        cursor.execute(f"SET fix_kit.on_copy_of = '{fresh.shop.database}'")
        cursor.execute(sql)
    connection.close()
    server.drop(other)
    ((known,),) = server.sql("SELECT system_identifier::text FROM pg_control_system()")
    assert known in sql
    assert fresh.run(sql.replace(known, "1")) == "KV001"
    assert "another server" in fresh.said
    assert fresh.run(sql, "BEGIN; CREATE TABLE mine ()") == "KV001"
    assert fresh.run(sql, "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1") != ""
    assert fresh.untouched


def test_a_kit_runs_once_and_its_way_back_once(fix: Fixing) -> None:
    """A second run is refused also when it was taken back; the way back without a repair, too."""
    assert fix.back("fees.once") == "KV003"
    assert "not run here" in fix.said
    assert fix.repair("fees.once") == ""
    assert fix.repair("fees.once") == "KV003"
    assert fix.back("fees.once") == ""
    assert fix.back("fees.once") == "KV003"
    assert "taken back already" in fix.said
    assert fix.repair("fees.once") == "KV003"


@pytest.mark.parametrize(
    ("check", "change", "words"),
    [
        ("payments.paid", "UPDATE payments SET amount = 1 WHERE id = 20", "1 rows of payments were changed"),
        ("payments.paid", "DELETE FROM payments WHERE id IN (20, 30)", "2 rows of payments were changed"),
        ("payments.paid", "UPDATE payments SET note = '{\"a\":1}' WHERE id = 20", "1 rows of payments"),
        ("fees.once", "INSERT INTO fees OVERRIDING SYSTEM VALUE VALUES (5, 9, 9)", "1 deleted rows of fees"),
        ("fees.once", "UPDATE sales SET fee = 3 WHERE id = 2", "1 rows of sales were changed"),
    ],
)
def test_a_later_change_keeps_the_way_back_from_overwriting_it(
    fix: Fixing, check: str, change: str, words: str
) -> None:
    """Whatever somebody wrote after the repair stays, and is told."""
    assert fix.repair(check) == ""
    fix.sql(change)
    before = fix.state()
    assert fix.back(check) == "KV005"
    assert words in fix.said
    assert fix.state() == before


def _begun(fix: Fixing, check: str) -> tuple[Any, str, str]:
    """A connection, the kit's statements before its COMMIT, and the rest."""
    sql = fix.text(check, ".repair.sql")
    head, commit, rest = sql.rpartition("COMMIT;")
    connection = fix.shop.server.connect(fix.shop.database)
    with connection.cursor() as cursor:
        cursor.execute(f"SET fix_kit.on_copy_of = '{fix.copy_of}'")
    return connection, head, commit + rest


def test_while_a_kit_works_nobody_writes_and_everybody_reads(fix: Fixing) -> None:
    """A writer waits until the commit; what he inserts then is not hidden from the next check."""
    connection, head, commit = _begun(fix, "fees.once")
    with connection.cursor() as cursor:
        cursor.execute(head)
        for table in ("fees", "sales", "notes"):
            assert (
                fix.run(f"INSERT INTO {table} SELECT FROM {table} LIMIT 0", "SET lock_timeout = '50ms'")
                == "55P03"
            )
            assert fix.run(f"SELECT count(*) FROM {table}", "SET lock_timeout = '50ms'") == ""
        assert fix.run("INSERT INTO payments SELECT FROM payments LIMIT 0", "SET lock_timeout = '50ms'") == ""
        cursor.execute(commit)
    connection.close()
    assert fix.sql("SELECT count(*) FROM fees") == [(4,)]


def test_a_kit_waits_for_a_writer_and_then_looks_again(fix: Fixing) -> None:
    """A duplicate that was not committed when the kit began is seen when it got its lock."""
    writer = fix.shop.server.connect(fix.shop.database)
    code: list[str] = []
    with writer.cursor() as cursor:
        cursor.execute("BEGIN; INSERT INTO fees (shop, rate) VALUES (2, 5)")
        thread = threading.Thread(target=lambda: code.append(fix.repair("fees.once")))
        thread.start()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = '{}')"
        wait_until(lambda: fix.shop.server.sql(waits.format(fix.shop.database)))
        cursor.execute("COMMIT")
        thread.join()
    writer.close()
    assert code == ["KV002"]
    assert fix.untouched


def test_a_lock_that_is_not_given_back_ends_the_kit(fix: Fixing) -> None:
    """After lock_timeout nothing is changed."""
    writer = fix.shop.server.connect(fix.shop.database)
    with writer.cursor() as cursor:
        cursor.execute("BEGIN; INSERT INTO fees (shop, rate) VALUES (2, 5)")
        sql = fix.text("fees.once", ".repair.sql")
        assert "SET LOCAL lock_timeout = '5s';" in sql
        assert fix.run(sql.replace("'5s'", "'100ms'")) == "55P03"
    writer.close()
    assert fix.untouched


def test_a_kit_that_is_killed_before_its_commit_changed_nothing(fix: Fixing) -> None:
    """All is one transaction, the schema of copies too."""
    before = fix.state()
    for check in BOTH:
        connection, head, _ = _begun(fix, check)
        with connection.cursor() as cursor:
            cursor.execute(head)
            cursor.execute("SELECT count(*) FROM fix_kit.kits")
            assert cursor.fetchall() == [(1,)]
            fix.sql(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        connection.close()
    wait_until(lambda: fix.untouched)
    assert fix.state() == before
    assert fix.repair("fees.once") == "", fix.said


# --- triggers, cascades, policies --------------------------------------------------------------------------

STAMP = """
ALTER TABLE payments ADD changed timestamptz NOT NULL DEFAULT '2026-01-01';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION stamp();
"""
AUDIT = """
CREATE TABLE audit (what text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON payments FOR EACH ROW EXECUTE FUNCTION audit();
"""
KEEP = """
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id <> 30 THEN NEW END; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION keep();
"""
MORE = """
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN UPDATE payments SET note = NULL WHERE id = 1; END IF; RETURN NULL; END $$;
CREATE TRIGGER more AFTER UPDATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION more();
"""
LATE = """
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF pg_trigger_depth() = 1 THEN UPDATE payments SET amount = 99 WHERE id = NEW.id; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
"""


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (STAMP, "columns of payments would change too: changed"),
        (AUDIT, "public.audit would be written too"),
        (KEEP, "5 rows of payments should be changed, but 4 were"),
        (MORE, "other rows of public.payments would be written too: 0 inserted, 6 updated, 0 deleted"),
        (LATE, "columns of payments would change too: amount"),
    ],
)
def test_what_triggers_do_beside_the_repair_is_refused(fresh: Fixing, trigger: str, words: str) -> None:
    """Another column, another table, other rows, at the end of the transaction too: named, and rolled back."""
    fresh.sql(trigger)
    fresh.made("payments.paid")
    before = fresh.state()
    assert fresh.repair("payments.paid") == "KV004"
    assert words in fresh.said
    assert fresh.state() == before


def test_declared_effects_of_triggers_are_part_of_the_repair(server: Server, tmp_path: Path) -> None:
    """The way back needs the tables' own triggers off, says so, and leaves them as they were."""
    paid = PAID.replace('review = "finance"', 'review = "finance"\nwrites = ["audit"]')
    paid = paid.replace('books = ["amount"]', 'books = ["amount"]\nalso = ["changed"]')
    with fixing(server, tmp_path, paid=paid) as fix:
        fix.sql(STAMP + AUDIT + "ALTER TABLE payments ENABLE ALWAYS TRIGGER audit")
        fix.sql("CREATE TRIGGER asleep BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION stamp()")
        fix.sql("ALTER TABLE payments DISABLE TRIGGER asleep")
        states = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        before, triggers = fix.rows("payments"), fix.sql(states)
        (kit,) = fix.made("payments.paid").kits
        assert kit.steps[0].triggers == ("audit", "stamp")
        assert fix.repair("payments.paid") == "", fix.said
        assert fix.back("payments.paid") == "KV004"
        assert "SET fix_kit.triggers = 'off'" in fix.said
        assert fix.back("payments.paid", before="SET fix_kit.triggers = 'off'") == "", fix.said
        assert fix.rows("payments") == before
        assert fix.sql(states) == triggers
        assert fix.sql("SELECT count(*) FROM audit") == [(5,)]


def test_a_cascade_into_rows_that_nobody_named_is_refused(server: Server, tmp_path: Path) -> None:
    """A repair that only deletes would take referring rows along."""
    once = ONCE.replace('kept = ["stays"]\nreferences = ["notes.fee"]\n', "")
    with fixing(server, tmp_path, once=once) as fix:
        fix.made("fees.once")
        assert fix.repair("fees.once") == "KV004"
        assert "public.sales would be written too" in fix.said
        fix.sql("ALTER TABLE sales DROP CONSTRAINT sales_fee_fkey")
        fix.sql("ALTER TABLE sales ADD CONSTRAINT sales_fee_fkey FOREIGN KEY (fee) REFERENCES fees")
        assert fix.repair("fees.once") == "23503"
        assert fix.untouched


def test_a_policy_that_hides_rows_is_refused(fresh: Fixing) -> None:
    """Row security would leave rows out without a word."""
    role = fresh.shop.role
    fresh.sql(
        f"ALTER TABLE payments ENABLE ROW LEVEL SECURITY; CREATE POLICY hiding ON payments USING (id < 30);"
        f" GRANT ALL ON payments TO {role}; GRANT CREATE ON DATABASE {fresh.shop.database} TO {role}"
    )
    fresh.made("payments.paid")
    assert fresh.repair("payments.paid", role=role) == "42501"
    assert "row-level security" in fresh.said
    assert fresh.untouched
    fresh.sql("ALTER TABLE payments DISABLE ROW LEVEL SECURITY")
    # And a role that owns nothing may run it, if it was given the rights.
    assert fresh.repair("payments.paid", role=role) == "", fresh.said
    assert fresh.back("payments.paid", role=role) == "", fresh.said


# --- tables of all kinds -----------------------------------------------------------------------------------


def test_quoted_names_partitions_and_keys_of_several_columns(server: Server, tmp_path: Path) -> None:
    """Rows move to another partition, and back; names may hold quotes, dollars, colons and per cent signs."""
    tables = """
    CREATE TABLE "odd ""t$fix_kit$" ("key ""one" text, "Größe" date, "a:b'%s" int, PRIMARY KEY ("key ""one", "Größe", "a:b'%s"))
      PARTITION BY RANGE ("Größe");
    CREATE TABLE p1 PARTITION OF "odd ""t$fix_kit$" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE p2 PARTITION OF "odd ""t$fix_kit$" FOR VALUES FROM ('2026-02-01') TO ('2027-01-01');
    ALTER TABLE "odd ""t$fix_kit$" ADD "va:lue" numeric;
    INSERT INTO "odd ""t$fix_kit$" SELECT 'k''"' || g, '2026-01-20'::date + g, g, CASE WHEN g % 3 = 0 THEN -g END FROM generate_series(1, 30) g;
    CREATE TABLE moving (id int, place int NOT NULL, why text, PRIMARY KEY (id, why)) PARTITION BY HASH (id);
    CREATE TABLE m1 PARTITION OF moving FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE m2 PARTITION OF moving FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    """
    checks = """
    from kisaan_validate import declare
    declare.holds('odd "t$fix_kit$', '"va:lue" IS NOT NULL', id="odd.filled")
    """
    filled = (
        'format = 1\ncheck = "odd.filled"\ntitle = "Fill \\u2028 \\n; DROP TABLE moving; --"\ntext = "t"\nreview = "r"\n'
        '[[step]]\ntable = \'odd "t$fix_kit$\'\naction = "update"\ncolumns = ["va:lue"]\n'
        "key = ['key \"one', 'Größe', 'a:b''%s']\n".replace("''%s'", "'%s\"").replace("'a:b", '"a:b')
        + 'rows = \'\'\'SELECT t."key ""one", t."Größe", t."a:b\'%s", 0 AS "va:lue" FROM "odd ""t$fix_kit$" AS t '
        'JOIN failing USING ("key ""one", "Größe", "a:b\'%s")\'\'\'\n'
    )
    with fixing(server, tmp_path, tables, checks.replace("\n    ", "\n"), filled=filled) as fix:
        (kit,) = fix.made().kits
        assert kit.count == 20
        before = fix.state()
        assert fix.repair("odd.filled") == "", fix.said
        assert fix.sql('SELECT count(*) FROM "odd ""t$fix_kit$" WHERE "va:lue" = 0') == [(20,)]
        assert fix.psql(fix.path("odd.filled", ".books.sql")).returncode == 0
        done = fix.psql(fix.path("odd.filled", ".way-back.psql"))
        assert done.returncode == 0, done.stderr
        assert fix.state() == before


def test_rows_without_a_key_get_no_kit(server: Server, tmp_path: Path) -> None:
    """Nothing would tell whether these are the rows that were seen."""
    tables = """
    CREATE TABLE plain (x int); INSERT INTO plain VALUES (1), (NULL);
    CREATE TABLE parted (x int) PARTITION BY LIST (x); CREATE TABLE part PARTITION OF parted DEFAULT;
    INSERT INTO parted VALUES (NULL);
    """
    checks = "from kisaan_validate import declare\n"
    repairs = {}
    for table in ("plain", "parted"):
        checks += f'declare.holds("{table}", "x IS NOT NULL", id="{table}.x")\n'
        repairs[table] = (
            f'format = 1\ncheck = "{table}.x"\ntitle = "t"\ntext = "t"\nreview = "r"\n[[step]]\ntable = "{table}"\n'
            'action = "delete"\nkey = ["x"]\nrows = "SELECT x FROM failing"\n'
        )
    with fixing(server, tmp_path, tables, checks, **repairs) as fix:
        made = fix.made()
        assert {item.check: item.state for item in made.items} == dict.fromkeys(
            ("plain.x", "parted.x"), ItemState.UNKNOWN
        )
        assert all("no key" in item.fact for item in made.items), made.items
        assert judge_fix_kit(made) is Verdict.INCONCLUSIVE


def test_self_references_and_identity_and_deferred_keys(server: Server, tmp_path: Path) -> None:
    """A table that refers to itself: references among the deleted rows come back as they were."""
    tables = (
        TABLES
        + """
    ALTER TABLE fees ADD parent bigint REFERENCES fees DEFERRABLE INITIALLY DEFERRED;
    UPDATE fees SET parent = 2 WHERE id IN (3, 5, 6);
    UPDATE fees SET parent = 6 WHERE id = 2;
    """
    )
    with fixing(server, tmp_path, tables, once=ONCE) as fix:
        fix.made("fees.once")
        before = fix.state()
        assert fix.repair("fees.once") == "", fix.said
        assert fix.sql("SELECT id, parent FROM fees ORDER BY 1") == [(1, None), (3, 1), (4, None), (7, None)]
        assert fix.back("fees.once") == "", fix.said
        assert fix.state() == before


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, examples(20)))]
)
def test_repair_and_way_back_are_nothing_together(server: Server, tmp_path: Path, seed: int) -> None:
    """Of random rows: what failed holds afterwards, no row that did not fail is touched, and all comes back."""
    chance = random.Random(seed)

    def pick(*values: str) -> str:
        return chance.choice(values)

    fees = ", ".join(
        f"({pick('1', '2', 'NULL')}, {pick('1', '2.50')})" for _ in range(chance.randrange(8, 60))
    )
    paid = ", ".join(
        f"({n}, {chance.randrange(1, 10**6)}, '2026-01-01'::timestamp + {chance.randrange(10**7)} * interval '1 s', "
        f"{pick('NULL', 'now()')}, {pick('NULL', chr(39) + '[1, 2]' + chr(39))})"
        for n in range(chance.randrange(2, 80))
    )
    tables = (
        TABLES.split("INSERT INTO payments")[0] + "CREATE TABLE fees" + TABLES.split("CREATE TABLE fees")[1]
    )
    with fixing(server, tmp_path, tables) as fix:
        fix.sql(
            f"INSERT INTO fees (shop, rate) VALUES {fees}; INSERT INTO payments VALUES (-1, 1, now(), NULL, NULL), {paid}"
        )
        refer = "SELECT g, (SELECT id FROM fees ORDER BY random() + g LIMIT 1) FROM generate_series(10, 60) g"
        fix.sql(f"INSERT INTO sales {refer}; INSERT INTO notes {refer}")
        kit = fix.made()
        before = fix.state()
        assert {item.state for item in kit.items} == {ItemState.WORK}
        for one in kit.kits:
            assert fix.repair(one.check) == "", fix.said
        assert {r.status for r in fix.measured().results} == {Status.PASS}
        # Each group keeps its lowest id, and every reference a row.
        assert not fix.sql("SELECT 1 FROM notes WHERE fee NOT IN (SELECT id FROM fees)")
        for one in reversed(kit.kits):
            assert fix.back(one.check) == "", fix.said
        assert fix.state() == before


# --- the command -------------------------------------------------------------------------------------------


def test_the_command_writes_kits_and_says_for_which_checks_there_is_none(fresh: Fixing) -> None:
    """0: each failing check has one; 3: one has none, named with the reason; 5: nothing failed; 2: not asked well."""
    run, cli = fresh.recorded(), fresh.shop.cli
    done = fresh.written(run=run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [i["state"] for i in fresh.record["items"]] == ["work", "work"]
    assert "payments.paid: 5 violations" in done.stdout
    assert "have finance review payments-paid-" in done.stdout
    assert fresh.untouched
    full = fresh.written(run=run)
    assert full.returncode == 2
    assert "is not empty" in full.stderr
    named = cli("fix-kit", str(run), "payments.paid", "-o", "one", "-q")
    assert named.returncode == 0
    assert named.stdout.count("\n") == 2
    passed = cli("fix-kit", str(run), "payments.amount", "-o", "two")
    assert (passed.returncode, "nothing to fix" in passed.stdout) == (5, True)
    assert cli("fix-kit", str(run), "payments.nothing", "-o", "two").returncode == 2
    (fresh.shop.folder / "checks" / "repairs" / "once.toml").unlink()
    lacking = cli("fix-kit", str(run), "fees.once", "payments.paid", "-o", "three")
    assert lacking.returncode == 3
    assert "no kit   fees.once: no repair is declared for it" in lacking.stdout
    assert len(list((fresh.shop.folder / "three").glob("payments-paid*.sql"))) == 3


def test_the_command_refuses_what_is_not_the_run_or_its_database(fresh: Fixing, server: Server) -> None:
    """Another database, a changed check, a damaged record, a missing folder: nothing is written."""
    run, cli = fresh.recorded(), fresh.shop.cli
    other = server.create(TABLES)
    server.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {fresh.shop.role}", other)
    wrong = cli("fix-kit", str(run), "--dsn", server.dsn(other, fresh.shop.role))
    server.drop(other)
    assert wrong.returncode == 2
    assert f"the run is of database {fresh.shop.database}, but this is {other}" in wrong.stderr
    assert cli("fix-kit", "nowhere").returncode == 2
    unreachable = cli("fix-kit", str(run), "--dsn", "host=127.0.0.1 port=1 dbname=x")
    assert unreachable.returncode == 2
    (fresh.shop.folder / "damaged").mkdir()
    (fresh.shop.folder / "damaged" / "run.json").write_text((run / "run.json").read_text()[:-20])
    assert cli("fix-kit", "damaged").returncode == 2
    checks = fresh.shop.folder / "checks" / "checks.py"
    checks.write_text(checks.read_text().replace("paid IS NOT NULL", "paid IS NOT NULL OR amount = 10"))
    meant = cli("fix-kit", str(run), "payments.paid", "-o", "meant")
    assert meant.returncode == 3
    assert "means something else than in the run" in meant.stdout
    assert not (fresh.shop.folder / "fix-kit").exists()


def test_another_server_with_a_database_of_the_same_name_is_refused(fresh: Fixing) -> None:
    """The identifiers of both are compared, where they are known; the kit then compares the name alone."""
    found = fresh.measured()
    elsewhere = replace(found, place=replace(found.place, system_identifier="1"))
    with pytest.raises(UsageError, match="on another server"):
        fresh.made(found=elsewhere)
    unknown = replace(found, place=replace(found.place, system_identifier=""))
    assert judge_fix_kit(fresh.made(found=unknown)) is Verdict.PASS
    sql = fresh.text("fees.once", ".repair.sql")
    assert "pg_control_system" not in sql
    assert "WARNING  the server's identifier is not known" in sql


def test_without_a_digest_of_the_keys_there_is_no_kit(fresh: Fixing) -> None:
    """Of personal keys none is kept, and a count alone does not say which rows fail."""
    (fresh.shop.folder / "checks" / "suite.toml").write_text('personal = ["fees.shop", "payments.id"]\n')
    done = fresh.written()
    assert done.returncode == 2
    assert "repairs/once.toml: fees.shop is personal" in done.stderr
    once = fresh.shop.folder / "checks" / "repairs" / "once.toml"
    once.write_text(ONCE.replace('books = ["shop", "rate"]', 'books = ["rate"]'))
    done = fresh.written()
    assert done.returncode == 3
    assert done.stdout.count("no digest of the failing keys, which are personal") == 2
    assert fresh.record["kits"] == []


def _refusal(text: str) -> str:
    with pytest.raises(SuiteError) as caught:
        read_repair(text, "repairs/x.toml")
    return caught.value.fact


@pytest.mark.parametrize(
    ("was", "is_", "words"),
    [
        ("format = 1", "format = 2", "format: must be 1"),
        ('review = "finance"', "", "needs 'review'"),
        ('action = "update"', 'action = "truncate"', "action: must be"),
        ('columns = ["paid"]', "", "an update needs columns"),
        ('columns = ["paid"]', 'columns = ["id"]', "the key of a row cannot be repaired"),
        ('columns = ["paid"]', 'columns = ["paid", "more"]', "'more' is not an output of rows"),
        ('columns = ["paid"]', 'columns = ["paid"]\nkept = ["id"]', "only a delete moves references"),
        ("SELECT p.id, p.made::timestamptz AS paid FROM", "DELETE FROM", "only SELECT"),
        ("FROM payments AS p JOIN failing USING (id)", "FROM payments AS p; SELECT 1", "semicolon"),
        (
            "FROM payments AS p JOIN failing USING (id)",
            "FROM payments AS p FOR UPDATE",
            "LOCK is not allowed",
        ),
        ('title = "', 'titel = "', "unknown key 'titel'"),
        ("[[step]]", "[step]", "must be a list of tables"),
    ],
)
def test_a_repair_that_cannot_be_meant_is_refused(was: str, is_: str, words: str) -> None:
    """With the file, the place in it, and what to write."""
    assert was in PAID
    assert words in _refusal(PAID.replace(was, is_))


@pytest.mark.parametrize(
    ("was", "is_", "words"),
    [
        ('key = ["id"]', 'key = ["amount"]', "the key of payments is not (amount)"),
        ('books = ["amount"]', 'books = ["amont"]', "payments has no column 'amont'"),
        ('columns = ["paid"]', 'columns = ["doubled"]', "payments.doubled is written by PostgreSQL itself"),
        ("FROM payments AS p", "FROM payment AS p", "there is no table 'payment'"),
        ('table = "payments"', 'table = "payment"', "there is no table 'payment'"),
        ('review = "finance"', 'review = "finance"\nwrites = ["nowhere"]', "there is no table 'nowhere'"),
    ],
)
@pytest.mark.slow
def test_a_repair_that_does_not_fit_the_database_gets_no_kit(
    written: Fixing, tmp_path: Path, was: str, is_: str, words: str
) -> None:
    """It is said of its check; other checks get their kits."""
    changed = PAID.replace(was, is_)
    if "doubled" in is_:
        changed = changed.replace("AS paid", "AS doubled")
    if "key" in is_:
        changed = changed.replace("SELECT p.id", "SELECT p.amount")
    assert changed != PAID
    with fixing(written.shop.server, tmp_path, paid=changed, once=ONCE) as fix:
        made = fix.made()
        items = {item.check: item for item in made.items}
        assert items["fees.once"].state is ItemState.WORK
        assert items["payments.paid"].state is ItemState.UNKNOWN
        assert words in items["payments.paid"].fact
        assert judge_fix_kit(made) is Verdict.INCONCLUSIVE


def test_a_repair_belongs_to_one_check_of_the_suite(tmp_path: Path) -> None:
    """A typing slip, and two repairs of one check, are refused before anything is written."""
    slip = {
        "checks.py": CHECKS,
        "repairs/paid.toml": PAID,
        "repairs/slip.toml": PAID.replace('.paid"', '.payd"'),
    }
    with pytest.raises(SuiteError, match=r"slip.toml: there is no check 'payments.payd'"):
        load_repairs(load_suite(write_suite(tmp_path / "one", slip)))
    with pytest.raises(SuiteError, match=r"slip.toml: .* has a repair already, in repairs/paid.toml"):
        load_repairs(load_suite(write_suite(tmp_path / "two", {**slip, "repairs/slip.toml": PAID})))


# --- checks of all forms -----------------------------------------------------------------------------------

FORMS = {
    "join": (
        'declare.references("notes", "fee", "fees", id="it")',
        'table = "notes"\naction = "delete"\nkey = ["id"]\nrows = "SELECT id FROM failing"',
        "INSERT INTO notes VALUES (7, 99), (8, 98)",
        "notes",
        ("fees",),
    ),
    "alias": (
        'declare.unique("charges", ["shop", "rate"], id="it")',
        ('table = "charges"\naction = "delete"\nkey = ["id"]\nkept = ["stays"]\nreferences = ["notes.fee"]\n'
        'rows = "SELECT id, stays FROM (SELECT *, min(id) OVER (PARTITION BY shop, rate) AS stays FROM charges) AS f '
        'WHERE id <> stays"'),
        "SELECT 1",
        "fees",
        (),
    ),
    "text key": (
        'declare.holds("people", "age > 0", id="it")',
        ('table = "people"\naction = "update"\nkey = ["town", "name"]\ncolumns = ["age"]\n'
        'rows = "SELECT town, name, (SELECT max(shop) FROM fees) AS age FROM failing"'),
        ("CREATE TABLE people (name text, town varchar(20), age int, PRIMARY KEY (name, town));"
        "INSERT INTO people VALUES ('a,b', '\"x\"', -1), ('a', 'b,\\x', -1), ('', 'NULL', 0), ('NULL', '', -2), ('c', 'd', 1)"),
        "people",
        ("fees",),
    ),
    "sql": (None, ('table = "sales"\naction = "update"\nkey = ["id"]\ncolumns = ["fee"]\n'
        'rows = "SELECT s.id, 3 AS fee FROM failing AS s"'), "SELECT 1", "sales", ("fees",)),
}  # fmt: skip
ASSERTION = """-- id: it
-- table: sales
-- key: id
SELECT s.id FROM sales AS s JOIN fees AS f ON f.id = s.fee WHERE f.shop IS NULL OR f.shop = 1
"""


@pytest.mark.parametrize(
    "form", ["join", "sql", *(pytest.param(name, marks=pytest.mark.slow) for name in ("alias", "text key"))]
)
def test_a_kit_finds_the_rows_of_every_form_of_check(server: Server, tmp_path: Path, form: str) -> None:
    """Joined rows, queries, aliases, keys of texts: the digest in SQL is the run's; tables that are only read are
    locked too.
    """
    declared, step, setup, table, reads = FORMS[form]
    checks = f"from kisaan_validate import declare\n{declared or ''}\n"
    repair = f'format = 1\ncheck = "it"\ntitle = "t"\ntext = "t"\nreview = "r"\n[[step]]\n{step}\n'
    files = {"suite.toml": 'name = "x"\n[aliases]\ncharges = ["charges", "fees"]\n'}
    if declared is None:
        checks, files["sql/it.sql"] = CHECKS, ASSERTION
    with fixing(server, tmp_path, TABLES, checks, it=repair) as fix:
        write_suite(tmp_path / "checks", files)
        fix.sql(setup)
        made = fix.made("it")
        assert [item.state for item in made.items] == [ItemState.WORK], made.items
        before = fix.state()
        connection, head, commit = _begun(fix, "it")
        with connection.cursor() as cursor:
            cursor.execute(head)
            for name in (table, *reads):
                writes = f"DELETE FROM {name} WHERE false"
                assert fix.run(writes, "SET lock_timeout = '50ms'") == "55P03", name
            cursor.execute(commit)
        connection.close()
        (found,) = [r for r in fix.measured().results if r.check_id == "it"]
        assert found.status is Status.PASS
        assert fix.state()[table] != before[table]
        assert fix.back("it") == "", fix.said
        assert fix.state() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        # The row that is to stay is deleted itself; it is not there; a row is named twice; too few.
        (
            "SELECT id, id - 1 AS stays FROM fees WHERE id IN (2, 3, 5)",
            "that should stay is missing, or would be",
        ),
        (
            "SELECT id, 99 AS stays FROM fees WHERE id IN (2, 5, 6)",
            "that should stay is missing, or would be",
        ),
        ("SELECT id, NULL::bigint AS stays FROM fees WHERE id IN (2, 5, 6)", "that should stay is missing"),
        ("SELECT f.id, 1 AS stays FROM fees AS f, failing WHERE f.id IN (2, 5, 6)", "was chosen twice"),
        ("SELECT id, 1 AS stays FROM fees WHERE id IN (2, 6)", "2 rows of fees were chosen for 3 violations"),
        ("SELECT id, 1 AS stays FROM fees WHERE id IN (2, 3, 6)", "there would be 1 violations, not 0"),
        (
            "SELECT 90 + id AS id, 1 AS stays FROM fees WHERE id IN (2, 5, 6)",
            "a chosen row of fees is not there",
        ),
    ],
)
def test_a_declared_repair_that_chooses_wrongly_is_refused(
    server: Server, tmp_path: Path, rows: str, words: str
) -> None:
    """Before anything is changed, or by the check at the end."""
    once = ONCE[: ONCE.index("rows = ")] + f'rows = "{rows}"\n'
    with fixing(server, tmp_path, once=once) as fix:
        fix.made("fees.once")
        assert fix.repair("fees.once") == "KV004", fix.said
        assert words in fix.said
        assert fix.untouched


def test_a_session_without_foreign_keys_is_refused(fix: Fixing) -> None:
    """Nothing would keep a reference from pointing nowhere."""
    assert fix.repair("fees.once", before="SET session_replication_role = replica") == "KV001"
    assert fix.repair("fees.once", before="SET track_counts = off") == "KV001"
    assert fix.untouched


# --- verdicts ----------------------------------------------------------------------------------------------


def _proof(states: tuple[ItemState, ...], **more: Any) -> FixProof:
    from datetime import UTC, datetime

    steps = tuple(FixStep(name, state, "") for name, state in zip(PROVED_STEPS, states, strict=False))
    file = ReceiptFile("f", "0")
    one = KitProof("c", "k", steps)
    return FixProof(datetime(2026, 1, 1, tzinfo=UTC), "1", file, "r", file, "18", "s", (one,), **more)


def test_only_a_proof_without_gaps_passes() -> None:
    """Each combination of outcomes: one failure fails, one unknown is inconclusive, whatever the others say."""
    outcomes = (ItemState.PASS, ItemState.FAIL, ItemState.UNKNOWN)
    for states in product(outcomes, repeat=len(PROVED_STEPS)):
        found = judge_fix_proof(_proof(states))
        if ItemState.FAIL in states:
            assert found is Verdict.FAIL
        elif ItemState.UNKNOWN in states:
            assert found is Verdict.INCONCLUSIVE
        else:
            assert found is Verdict.PASS
    good = (ItemState.PASS,) * len(PROVED_STEPS)
    assert judge_fix_proof(_proof(good[:-1])) is Verdict.INCONCLUSIVE
    assert judge_fix_proof(_proof(good, interrupted_by="SIGINT")) is Verdict.INCONCLUSIVE
    assert judge_fix_proof(replace(_proof(good), proofs=())) is Verdict.INCONCLUSIVE


def test_a_record_of_kits_passes_only_if_each_check_has_one() -> None:
    """Work to do is what a kit is for; anything unknown is inconclusive; nothing asked is nothing proved."""
    from datetime import UTC, datetime

    def of(*states: ItemState) -> FixKit:
        items = tuple(FixItem("c", state, "", "") for state in states)
        target = FixTarget("h", "1", "d", "", "18")
        return FixKit(datetime(2026, 1, 1, tzinfo=UTC), "1", "r", "0", "s", target, items, ())

    assert judge_fix_kit(of(ItemState.WORK, ItemState.WORK)) is Verdict.PASS
    assert judge_fix_kit(of(ItemState.WORK, ItemState.UNKNOWN)) is Verdict.INCONCLUSIVE
    assert judge_fix_kit(of()) is Verdict.INCONCLUSIVE
