"""``rehearse`` as people use it: a dump of a real server, files or a command, a page, a receipt, nothing left."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server, needs, wait_until
from how_tos import lines_of
from processes import processes_of
from shop import Shop

from kisaan_validate.record.rehearsed import read_receipt
from kisaan_validate.scratch.installation import choose

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(12,2) NOT NULL, made timestamp NOT NULL DEFAULT '2026-01-01');
INSERT INTO orders SELECT g, 'n' || g, g FROM generate_series(1, 20000) g;
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());
"""
SUITE = """from kisaan_validate import declare

declare.table("orders")
declare.holds("orders", "total >= 0", id="orders.total")
declare.unique("orders", "id")
"""
CONTRACT = """format = 1
name = "times"

[[promise]]
id = "one-clock"
kind = "retyped"
column = "orders.made"
to = "timestamp with time zone"
"""
ALONE = ("--migrations", "migrations", "--open-reader", "0", "--interruptions", "0")
"""Only the migration itself."""
BAD = {
    "01_time.sql": "ALTER TABLE orders ALTER COLUMN made TYPE timestamptz;\n",
    "02_note.sql": "ALTER TABLE orders DROP COLUMN note;\nDELETE FROM orders WHERE id > 19990;\n",
}
GOOD = {
    "01_index.sql": "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;\n"
}


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Iterator[Shop]:
    """A database, its dump, a suite, a contract, and a folder of its own for scratch servers."""
    database = server.create(TABLES)
    role = f"reader_{database}"
    server.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", database)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "orders.py").write_text(SUITE)
    (tmp_path / "checks" / "suite.toml").write_text('name = "orders"\n[nouns]\norders = "sales"\n')
    (tmp_path / "contract.toml").write_text(CONTRACT)
    (tmp_path / "queries.sql").write_text(
        "SELECT note FROM orders WHERE id = $1;\nSELECT total FROM orders\nWHERE id = $1;\n"
    )
    # Not in pytest's folder, which is closed to the account that a server of root's runs as.
    scratch = Path(tempfile.mkdtemp(prefix="kisaan-rehearse-"))
    scratch.chmod(0o755)
    (tmp_path / "scratch").symlink_to(scratch)
    program = choose().program("pg_dump")
    subprocess.run([str(program), "-d", server.dsn(database), "-f", str(tmp_path / "backup.sql")], check=True)
    yield Shop(server, tmp_path, database)
    server.drop(database)
    server.sql(f"DROP ROLE {role}")
    shutil.rmtree(scratch)


def scratch_of(place: Shop) -> Path:
    """The folder in which its scratch servers are made."""
    return (place.folder / "scratch").resolve()


def write(place: Shop, files: dict[str, str]) -> None:
    """The folder of migrations."""
    folder = place.folder / "migrations"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)


def rehearse(place: Shop, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command on the dump."""
    scratch = str(scratch_of(place))
    return place.cli("rehearse", "--dump", "backup.sql", *words, KISAAN_SCRATCH_DIR=scratch, **env)


def left(place: Shop) -> list[str]:
    """What lies in the folder of scratch servers."""
    return sorted(path.name for path in scratch_of(place).iterdir())


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("--migrations", "migrations", "--cmd", "x"), "either files or a command"),
        ((), "either files or a command"),
        (("--migrations", "nowhere"), "nowhere is no folder"),
        (("--migrations", "migrations", "--settings", "TimeZone"), "not of the form NAME=VALUE"),
        (("--migrations", "migrations", "--queries", "none.sql"), "none.sql cannot be read"),
        (
            ("--migrations", "migrations", "--old-app", "x", "--old-app-health", "http://example.org/"),
            "not on this machine",
        ),
        (("--migrations", "migrations", "-o", "done"), "done holds a rehearsal already"),
        (
            ("--migrations", "migrations", "--scratch-dsn", "x", "--scratch-bin", "/x"),
            "names a server that runs",
        ),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_restored(place: Shop, words: Any, fact: str) -> None:
    """With what to do, exit 2, and no scratch server was made."""
    write(place, GOOD)
    (place.folder / "done").mkdir()
    (place.folder / "done" / "receipt.json").write_text("{}")
    done = rehearse(place, *words)
    assert done.returncode == 2
    assert fact in done.stderr
    assert "HINT: " in done.stderr
    assert left(place) == []


def test_a_receipt_is_needed_to_compare_migrations_with(place: Shop) -> None:
    """``run --migrations`` alone would seem to have compared something."""
    done = place.cli("run", "--migrations", "migrations")
    assert done.returncode == 2
    assert "--migrations needs --rehearsal" in done.stderr


@pytest.mark.slow
def test_a_bad_migration(place: Shop) -> None:
    """All that is wrong with it, by name; page, record and receipt; and nothing is left of the copy."""
    write(place, BAD)
    done = rehearse(
        place, "--migrations", "migrations", "--contract", "contract.toml", "--queries", "queries.sql", "--settings",
        "TimeZone=Asia/Kolkata", "--open-reader", "2", "--interruptions", "3", "--old-app", "exit 4", "-o", "out",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    for line in (
        "felt     sales could not be read or written for",
        "fails    rule: A table is rewritten while nobody can read it",
        "fails    rule: A result depends on a setting of the session",
        'fails    query: a query no longer plans: column "note" does not exist',
        "fails    contract: ",
        "warning  rollback: psql DATABASE < backup.sql does not roll back: ",
        "fails    interrupted: interrupted before change 5 and run again, it wedges",
        "warning  previous build: the previous build does not work",
        "verdict  FAIL",
    ):
        assert line in done.stdout, line
    receipt = read_receipt(place.folder / "out" / "receipt.json")
    assert [file.name for file in receipt.migrations] == ["01_time.sql", "02_note.sql"]
    assert {s.name: s.value for s in receipt.settings}["TimeZone"] == "Asia/Kolkata"
    assert ("rows", "orders", -10) in {(c.kind, c.table, c.delta) for c in receipt.changes}
    page = (place.folder / "out" / "rehearsal.html").read_text()
    assert "A rollback by a new database from the dump restores everything in" in page
    facts = json.loads((place.folder / "out" / "rehearsal.json").read_text())
    ways = {one["way"]: one for one in facts["rollback"]}
    assert ways["a new database from the dump"]["same"]["equal"] is True
    literal = ways["the dump into the migrated database"]
    assert (literal["exit_code"], literal["same"]["equal"]) == (0, False)
    assert literal["errors"] > 0
    assert left(place) == []


@pytest.mark.slow
def test_production_is_held_against_the_receipt(place: Shop) -> None:
    """As rehearsed; with another file void; with other rows in production different; then no run is green."""
    write(place, GOOD)
    contract = (
        CONTRACT.split("[[")[0]
        + '[[promise]]\nid = "p"\nkind = "added"\nobject = "column"\ntable = "orders"\nname = "paid"\n'
    )
    (place.folder / "contract.toml").write_text(contract)
    done = rehearse(place, *ALONE, "--contract", "contract.toml", "-o", "out")
    assert done.returncode in {1, 3}, done.stdout + done.stderr
    assert place.cli("baseline", "--digests", "--contract", "contract.toml", "-o", "pre.json").returncode == 0
    place.server.sql(GOOD["01_index.sql"], place.database)
    place.server.sql("INSERT INTO _migrations VALUES ('01_index.sql')", place.database)
    ask = ("run", "--baseline", "pre.json", "--contract", "contract.toml", "--rehearsal", "out/receipt.json")
    said = place.cli(*ask, "--migrations", "migrations").stdout
    assert "production came out as rehearsed, as far as that is known" in said, said
    (place.folder / "migrations" / "01_index.sql").write_text("SELECT 1;")
    said = place.cli(*ask, "--migrations", "migrations").stdout
    assert "void     01_index.sql was changed after the rehearsal" in said
    place.server.sql("DELETE FROM orders WHERE id = 7", place.database)
    said = place.cli(*ask).stdout
    assert "differs  rows orders" in said
    assert "production came out differently from the rehearsal" in said
    assert "production only" in (place.newest_run / "rehearsal.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    [
        "restore the dump",
        "migrate under the tape",
        "roll back by the dump",
        "interrupted before change 3",
        "start it twice at once",
    ],
)
def test_killed_at_any_step_nothing_is_left(place: Shop, step: str) -> None:
    """By SIGKILL: the server, its folder and the command's processes are gone, and there is no receipt."""
    write(place, BAD)
    command = [
        sys.executable,
        "-m",
        "kisaan_validate",
        "rehearse",
        "--dump",
        "backup.sql",
        "--migrations",
        "migrations",
    ]
    command += ["--open-reader", "1", "--interruptions", "3", "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": "", "PYTHONUNBUFFERED": "1"}
    environment["KISAAN_SCRATCH_DIR"] = str(scratch_of(place))
    process = subprocess.Popen(
        command, cwd=place.folder, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if step in line:
            break
    else:
        raise AssertionError(f"it never came to {step}")
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    wait_until(lambda: left(place) == [], 60)
    wait_until(lambda: not processes_of(scratch_of(place)), 30)
    assert not (place.folder / "out" / "receipt.json").exists()


@pytest.mark.slow
def test_hostile_migrations(place: Shop) -> None:
    """One that never ends is given up; one that would run a shell, or drop our triggers, fails or is on tape."""
    mark = place.folder / "mark"
    write(place, {"1.sql": "SELECT pg_sleep(600);\n"})
    done = rehearse(place, *ALONE, "--timeout", "3", "-o", "never")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fails    migration: the migration failed: " in done.stdout
    write(place, {"1.sql": f"\\! touch {mark}\nSELECT 1;\n"})
    assert rehearse(place, *ALONE, "-o", "shell").returncode == 1
    assert not mark.exists()
    drop = "DO $$ DECLARE t name; BEGIN FOR t IN SELECT evtname FROM pg_event_trigger LOOP EXECUTE 'DROP EVENT TRIGGER ' || t; END LOOP; END $$;\n"
    write(place, {"1.sql": drop + "ALTER TABLE orders ADD COLUMN x int;\n"})
    done = rehearse(place, *ALONE, "-o", "drop")
    assert done.returncode == 1
    assert "must be owner of event trigger" in done.stdout or "42501" in done.stdout, done.stdout
    write(
        place,
        {"1.sql": "DO $$ BEGIN RAISE LOG 'kisaan 0 end 1'; END $$; ALTER TABLE orders ADD COLUMN x int;\n"},
    )
    done = rehearse(place, *ALONE, "-o", "log")
    assert "warning  rule: A lock is awaited without a limit" in done.stdout, done.stdout
    assert left(place) == []


@pytest.mark.slow
def test_a_server_that_dies_is_no_verdict(place: Shop) -> None:
    """Whatever was being done: exit 3, in words, and nothing is left."""
    script = place.folder / "kill.py"
    script.write_text(
        "import os, pathlib, signal\n"
        f"pid = next(pathlib.Path({str(scratch_of(place))!r}).glob('*/data/postmaster.pid'))\n"
        "os.kill(int(pid.read_text().split()[0]), signal.SIGKILL)\n"
    )
    done = rehearse(place, "--cmd", f"{sys.executable} {script}", "-o", "out")
    assert done.returncode in {1, 3}, done.stdout + done.stderr
    assert "PASS" not in done.stdout
    wait_until(lambda: left(place) == [], 30)


ALEMBIC_ENV = """
import os
from alembic import context
from sqlalchemy import create_engine
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:"))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_STEP = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "a1", None
def upgrade():
    op.add_column("orders", sa.Column("paid", sa.Boolean()))
    op.create_index("orders_note", "orders", ["note"])
"""


@pytest.mark.slow
def test_migrations_by_alembic(place: Shop) -> None:
    """A real foreign runner: its statements are on the tape, its transaction heals, its index stops writers."""
    pytest.importorskip("alembic", reason="pip install alembic")
    folder = place.folder / "alembic"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ALEMBIC_ENV)
    (folder / "versions" / "a1.py").write_text(ALEMBIC_STEP)
    (place.folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    command = f"{sys.executable} -m alembic upgrade head"
    done = rehearse(place, "--cmd", command, "--open-reader", "1", "--interruptions", "3", "-o", "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "An index is built while nobody can write to the table" in done.stdout
    assert "A lock is awaited without a limit" in done.stdout
    facts = json.loads((place.folder / "out" / "rehearsal.json").read_text())
    assert {point["state"] for point in facts["interrupted"]["points"]} == {"heals"}
    tags = {statement["tag"] for statement in facts["rehearsal"]["alone"]["tape"]["statements"]}
    assert {"ALTER TABLE", "CREATE INDEX"} <= tags


KNEX = """
exports.up = async (knex) => {
  await knex.schema.alterTable('orders', (t) => { t.boolean('paid'); });
};
exports.down = async () => {};
"""


@pytest.mark.slow
def test_migrations_by_knex(place: Shop) -> None:
    """Another one, in Node: it reaches the copy by TCP, and its tables are not taken for ours."""
    needs("npm")
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "knex", "pg"],
        cwd=place.folder,
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        pytest.skip(f"npm install failed: {installed.stderr[-200:]}")
    (place.folder / "knexmigrations").mkdir()
    (place.folder / "knexmigrations" / "001_paid.js").write_text(KNEX)
    (place.folder / "knexfile.js").write_text(
        "module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './knexmigrations' } };\n"
    )
    done = rehearse(
        place, "--cmd", "npx knex migrate:latest", "--open-reader", "1", "--interruptions", "2", "-o", "out"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "A lock is awaited without a limit" in done.stdout
    facts = json.loads((place.folder / "out" / "rehearsal.json").read_text())
    assert facts["rehearsal"]["alone"]["migration"]["succeeded"] is True
    assert any("paid" in s["text"] for s in facts["rehearsal"]["alone"]["tape"]["statements"])


def test_the_lines_of_the_page_are_known() -> None:
    """Each option on docs/rehearsal.md is one of the command's."""
    text = (ROOT / "docs" / "rehearsal.md").read_text(encoding="utf-8")
    told = {line.split()[1] for line in lines_of(text)}
    assert told == {"rehearse", "run", "scratch", "sign", "verify"}
    help_ = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for option in set(re.findall(r"`(--[a-z-]+)", text)):
        assert option in help_, option
