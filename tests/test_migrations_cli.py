"""The command migrations on real servers: whatever the ledger or the folder is, it ends in words and is never
green by mistake.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, Server, wait_until
from shop import Shop
from test_migrations import GOOD, folder

from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.migrations import migrations_schema, read_migrations

LEDGER = """
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());
GRANT SELECT ON _migrations TO PUBLIC;
INSERT INTO _migrations VALUES ('001_a.sql', '2026-01-01 00:00Z'), ('002_b.sql', '2026-01-01 01:00Z');
"""


@pytest.fixture
def place(shop: Shop) -> Shop:
    """A shop with a ledger of two rows, and a folder of the same two files."""
    shop.sql(LEDGER)
    folder(shop.folder / "m", {"001_a.sql": GOOD, "002_b.sql": GOOD})
    return shop


def told(place: Shop, *words: str, code: int, **more: object) -> str:
    """What `migrations` prints, having ended with this code and no traceback."""
    done = place.cli("migrations", "--folder", "m", *words, **more)  # type: ignore[arg-type]
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout
    return done.stdout + done.stderr


def test_all_applied_is_recorded(place: Shop) -> None:
    """PASS, 0, and a record that is read back, whose target has no secret."""
    said = told(place, "-o", "out", code=0)
    assert "verdict  PASS" in said
    record = read_migrations(place.folder / "out")
    assert (record.verdict, record.database) == (Verdict.PASS, place.database)
    assert [(item.name, item.in_ledger) for item in record.standing.items] == [
        ("001_a.sql", True),
        ("002_b.sql", True),
    ]
    plain = json.loads((place.folder / "out" / "migrations.json").read_text())
    assert {*plain} == {*migrations_schema()["properties"]}
    assert told(place, "-q", code=0) == "verdict  PASS\n"


def test_the_published_schema_is_that_of_the_record() -> None:
    """docs/schemas is generated (tests/make_schemas.py) and never lags behind."""
    path = ROOT / "docs" / "schemas" / "migrations.schema.json"
    assert json.loads(path.read_text()) == migrations_schema(), "run: python tests/make_schemas.py"


def test_what_is_missing_or_odd_fails(place: Shop) -> None:
    """Pending, without a file, only reads: 1, each by name; -q keeps them."""
    folder(place.folder / "m", {"003_c.sql": "SELECT 1"})
    place.sql("INSERT INTO _migrations VALUES ('gone.sql')")
    for words in ((), ("-q",)):
        said = told(place, *words, code=1)
        assert "pending: 003_c.sql is not in the ledger" in said
        assert "no file: gone.sql" in said
        assert "only reads: 003_c.sql" in said
    place.sql("INSERT INTO _migrations VALUES ('003_c.sql')")
    assert "verdict  FAIL" in told(place, "--accept", "no file: gone*", code=1)
    said = told(place, "--accept", "no file: gone*", "--accept", "only reads: 003_c.sql", code=0)
    assert "accepted no file: gone.sql" in said


def test_the_window_and_an_earlier_look(place: Shop) -> None:
    """Times with a zone; what was pending at the earlier look is what was to run in the window."""
    folder(place.folder / "m", {"003_c.sql": GOOD, "004_d.sql": GOOD})
    told(place, "-o", "before", code=1)
    place.sql(
        "INSERT INTO _migrations VALUES ('003_c.sql', '2026-02-01 02:00Z'), ('004_d.sql', '2026-02-01 04:00Z')"
    )
    window = ("--since", "2026-02-01T07:00+05:30", "--until", "2026-02-01T08:00+05:30")
    said = told(place, *window, "--before", "before", "-o", "after", code=1)
    assert "outside the window: 004_d.sql ran at 2026-02-01 04:00:00+00, after the window" in said
    assert "003_c.sql" not in said
    assert read_migrations(place.folder / "after").window.names == ("003_c.sql", "004_d.sql")
    (place.folder / "m" / "001_a.sql").write_text("DELETE FROM orders")
    assert "edited: 001_a.sql" in told(place, "--before", "before", code=1)
    assert "before the window" in told(place, *window, "--of", "001*", code=1)
    for words in (
        ("--since", "2026-02-01T07:00"),
        ("--since", "yesterday"),
        ("--of", "a"),
        (*reversed(window),),
    ):
        told(place, *words, code=2)
    told(place, "--since", "2026-02-02T00:00Z", "--until", "2026-02-01T00:00Z", code=2)
    text = (place.folder / "before" / "migrations.json").read_text()
    (place.folder / "other.json").write_text(text.replace(place.database, "other"))
    assert "--before is of database other" in told(place, "--before", "other.json", code=2)
    (place.folder / "before" / "migrations.json").write_text("{}")
    told(place, "--before", "before", code=2)


HOSTILE = {
    "a view": ("CREATE VIEW v AS SELECT * FROM _migrations", "v is a view, not a plain table"),
    "a partitioned table": (
        "CREATE TABLE v (name text) PARTITION BY LIST (name)",
        "v is a partitioned table",
    ),
    "absent": ("SELECT 1", "v does not exist"),
    "another column": ("CREATE TABLE v (title text); GRANT SELECT ON v TO PUBLIC", "v has no column name"),
    "a type of somebody's": (
        "CREATE DOMAIN d AS text; CREATE TABLE v (name d, executed_at timestamptz); GRANT SELECT ON v TO PUBLIC",
        "the type of its column name is not one of PostgreSQL's own",
    ),
    "no right": ("CREATE TABLE v (name text, executed_at timestamptz)", "this role may not read v"),
    "some columns only": (
        "CREATE TABLE v (name text, executed_at timestamptz); GRANT SELECT (name) ON v TO PUBLIC",
        "permission denied for table v",
    ),
    "row security": (
        (
            "CREATE TABLE v (name text, executed_at timestamptz); ALTER TABLE v ENABLE ROW LEVEL SECURITY; "
            "CREATE POLICY part ON v USING (name <> '002_b.sql'); GRANT SELECT ON v TO PUBLIC"
        ),
        "row-level security policy",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ledgers_that_cannot_be_read(place: Shop, name: str) -> None:
    """INCONCLUSIVE, 3, with the reason; nothing is said of the files."""
    sql, expected = HOSTILE[name]
    place.sql(sql)
    said = told(place, "--ledger-table", "v", code=3)
    assert expected in said
    assert "pending" not in said


def test_a_ledger_that_somebody_holds(place: Shop) -> None:
    """ACCESS EXCLUSIVE: waited for no longer than the lock timeout, and said."""
    holder = place.server.connect(place.database)
    try:
        holder.cursor().execute("BEGIN; LOCK TABLE _migrations IN ACCESS EXCLUSIVE MODE")
        said = told(place, "--lock-timeout", "200", code=3)
    finally:
        holder.close()
    assert "lock timeout" in said
    assert "another session holds a conflicting lock" in said


@pytest.mark.parametrize("many", [1_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_hostile_names_in_the_ledger(place: Shop, many: int) -> None:
    """Line breaks and commands to a terminal are shown as such, and a hundred thousand rows are read."""
    place.sql(
        "INSERT INTO _migrations SELECT t, 'epoch' FROM unnest(ARRAY[E'a\\nverdict  PASS', E'\\x1b[2Jb', repeat('x', 5000)]) AS t;"
        f"INSERT INTO _migrations SELECT 'n' || n FROM generate_series(1, {many}) AS n"
    )
    said = told(place, "-o", "out", code=1)
    assert said.count("\nverdict") == 1
    assert "a[U+000A]verdict  PASS" in said
    assert "[U+001B][2Jb" in said
    assert f"and {many - 5:,} more" in said
    assert len(read_migrations(place.folder / "out").standing.items) == many + 5


def test_a_ledger_without_times(place: Shop) -> None:
    """A column of texts is none of times, and a name has the form it has in the catalogue."""
    place.sql('CREATE TABLE "Done.It" ("The Name" varchar(80), at text); GRANT SELECT ON "Done.It" TO PUBLIC')
    place.sql("INSERT INTO \"Done.It\" VALUES ('001_a.sql', 'b'), ('002_b.sql', 'a')")
    words = ("--ledger-table", '"Done.It"', "--ledger-name", "The Name", "--ledger-at", "at")
    said = told(place, *words, code=0)
    assert "its column at has no times" in said
    assert "in which order migrations ran is not known" in said
    assert "has no time of it" in told(place, *words, "--until", "2026-01-01T00:00Z", code=3)


def test_the_suite_says_where(place: Shop) -> None:
    """[ledger] names folder, table and what is accepted; options override it; mistakes are named."""
    settings = place.folder / "checks" / "suite.toml"
    settings.write_text(
        '[ledger]\ntable = "_migrations"\nname = "name"\nat = "executed_at"\nfolders = ["../m"]\naccept = ["no file: gone*"]\n'
    )
    place.sql("INSERT INTO _migrations VALUES ('gone.sql')")
    done = place.cli("migrations")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.cli("migrations", "--folder", "checks").returncode == 3
    (place.folder / "kisaan.toml").write_text('[target]\nexpect = { database = "other" }\n')
    assert place.cli("migrations").returncode == 2
    (place.folder / "kisaan.toml").unlink()
    for text, expected in (
        ('[ledger]\nkind = "names"\n', "name its table"),
        ('[ledger]\nkind = "knexx"\n', "kind"),
        ('[ledger]\nkind = "knex"\nname = "x"\n', "has the columns of knex"),
        ('[ledger]\nkind = "knex"\n', "no folder of migrations was named"),
        (
            'personal = ["_migrations.name"]\n[ledger]\ntable = "_migrations"\nname = "name"\nfolders = ["../m"]\n',
            "personal",
        ),
        (
            '[ledger]\nkind = "knex"\nfolders = ["../m"]\naccept = ["nonsense: *"]\n',
            "cannot be accepted",
        ),
    ):
        settings.write_text(text)
        done = place.cli("migrations")
        assert done.returncode == (3 if "personal" in text else 2), text
        assert expected in done.stdout + done.stderr, done.stderr
    settings.unlink()
    assert "--folder" in place.cli("migrations").stderr


def test_promises_tied_to_files(place: Shop) -> None:
    """A run says whether each recorded file had its effect; what is tied to nothing is refused or said."""
    place.sql("ALTER TABLE orders ADD currency text; GRANT SELECT ON orders TO PUBLIC")
    (place.folder / "contract.toml").write_text(
        'format = 1\n[[promise]]\nid = "a/currency"\nkind = "added"\nobject = "column"\ntable = "orders"\nname = "currency"\n'
        '[[promise]]\nid = "b/tax"\nkind = "added"\nobject = "column"\ntable = "orders"\nname = "tax"\n'
    )
    effects = '[ledger]\ntable = "_migrations"\nname = "name"\nat = "executed_at"\n[ledger.effects]\n"001_a.sql" = ["a/*"]\n{}\n'
    settings = place.folder / "checks" / "suite.toml"
    settings.write_text(effects.format('"002_b.sql" = ["b/*"]'))
    place.sql("ALTER TABLE orders DROP currency")
    assert place.cli("baseline", "-o", "pre.json").returncode in {0, 3}
    place.sql("ALTER TABLE orders ADD currency text")
    place.cli("run", "--baseline", "pre.json", "--contract", "contract.toml")
    run = str(place.run_folder)
    said = told(place, "--run", run, code=1)
    assert "without effect: 002_b.sql is recorded, but promise b/tax was not kept" in said
    assert "001_a.sql is recorded" not in said
    assert f"effects are those that run {place.run_folder.name} saw" in said
    settings.write_text(effects.format(""))
    assert "no promise is tied to 1 applied file" in told(place, "--run", run, code=0)
    settings.write_text(effects.format('"002_b.sql" = ["zzz*"]'))
    assert "no promise of the run is called zzz*" in told(place, "--run", run, code=2)


def test_no_server_and_no_place(place: Shop) -> None:
    """2 where the server cannot be reached or nothing can be written: nothing was measured."""
    said = told(place, "--dsn", "host=127.0.0.1 port=9 user=u password=hunter2 dbname=d", code=2)
    assert "hunter2" not in said
    (place.folder / "file").write_text("")
    told(place, "-o", "file", code=2)


def test_nothing_is_written_and_no_lock_stays(place: Shop) -> None:
    """A role that may do nothing but read two columns is enough, and nothing of a look is left."""
    place.sql(
        "REVOKE ALL ON _migrations FROM PUBLIC; GRANT SELECT (name, executed_at) ON _migrations TO "
        + place.role
    )
    database = place.database
    # xmax too: it tells of a row that was locked.
    rows = "SELECT xmin::text, xmax::text, ctid::text, * FROM _migrations ORDER BY name"
    before = place.server.sql(rows, database)
    assert told(place, "-q", code=0) == "verdict  PASS\n"
    ours = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name LIKE 'kisaan%'"
    wait_until(lambda: place.server.sql(ours) == [(0,)])
    locks = (
        "SELECT count(*) FROM pg_locks WHERE relation = '_migrations'::regclass AND pid <> pg_backend_pid()"
    )
    assert place.server.sql(locks, database) == [(0,)]
    assert place.server.sql(rows, database) == before
    place.sql(f"REVOKE SELECT (name) ON _migrations FROM {place.role}")
    assert "verdict  INCONCLUSIVE" in told(place, code=3)


def test_an_older_server_too(server15: Server, tmp_path: Path) -> None:
    """PostgreSQL 15 answers the same."""
    database = server15.create(LEDGER)
    folder(tmp_path / "m", {"001_a.sql": GOOD})
    place = Shop(server15, tmp_path, database)
    place.role = "postgres"
    assert "no file: 002_b.sql" in told(place, code=1)
