"""What every command does to a server, as the server itself saw it: its log of all statements, and its table of locks."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import warm
from conftest import ROOT, Server, embedded_server, wait_until
from test_statements_log import _entries

from kisaan_validate.postgres.connecting import APPLICATION_NAME

TABLES = """
    CREATE TABLE farms (id int PRIMARY KEY, area numeric NOT NULL, owner int, note text, added timestamptz DEFAULT now());
    CREATE TABLE crops (id int PRIMARY KEY, farm int REFERENCES farms, area numeric NOT NULL, kind text, doc jsonb, raw bytea);
    CREATE TABLE parts (id int, at date, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
    CREATE VIEW seen AS SELECT id, area FROM farms WHERE area > 0; CREATE MATERIALIZED VIEW kept AS SELECT * FROM seen;
    CREATE SEQUENCE numbers; CREATE TABLE bare (v int, w text);
    CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER stamp BEFORE INSERT ON farms FOR EACH ROW EXECUTE FUNCTION late();
    INSERT INTO farms SELECT g, g * 10, g % 7, 'n' || g FROM generate_series(1, 200) AS g;
    INSERT INTO crops SELECT g, 1 + g % 200, g % 200, 'kind ' || g % 5, '{"a": 1}', 'x' FROM generate_series(1, 2000) AS g;
    INSERT INTO parts SELECT g, DATE '2020-06-01' + g, g FROM generate_series(1, 500) AS g; INSERT INTO bare VALUES (1, 'a'), (1, 'a');
"""

SUITE = """
import pandera.pandas as pa
from kisaan_validate import declare as d

class Farms(pa.DataFrameModel):
    id: int = pa.Field(ge=1)
    note: str = pa.Field(nullable=True)

    @pa.check("note")
    def short(cls, note):
        return note.str.len() < 3

    class Config:
        name = "farms"

d.holds("crops", "area > 50")
d.unique("crops", "kind")
d.references("crops", "farm", "farms")
d.holds("crops", "1 / (id - 7) > 0")
d.holds("parts", "v > 0")
d.holds("seen", "area < 100")
d.total("farms", "area", low=1)
"""

ASSERTION = "-- id: sums\n-- table: farms\n-- key: id\nSELECT f.id FROM farms AS f JOIN crops AS c ON c.farm = f.id GROUP BY f.id HAVING sum(c.area) > 900\n"

CONTRACT = """format = 1
[[promise]]
id = "area"
kind = "retyped"
columns = ["farms.area"]
to = "numeric(18,2)"
[[promise]]
id = "kind"
kind = "fixed"
check = "crops.kind.unique"
"""

READS = {
    "begin": r"BEGIN ISOLATION LEVEL (REPEATABLE READ|READ COMMITTED) READ ONLY, NOT DEFERRABLE",
    "snapshot": r"SET TRANSACTION SNAPSHOT '[0-9A-F-]+'",
    "set local": r"SET LOCAL \w+ = [^;]+",
    "savepoint": r"(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) \w+",
    "rollback": r"ROLLBACK",
    "lock": r"LOCK TABLE .+ IN ACCESS SHARE MODE",
    "explain": r"EXPLAIN (\((VERBOSE, )?FORMAT JSON\) )?(--[^\n]*\n)*\s*(SELECT|WITH)\b.+",
    "copy out": r"COPY \(.+\) TO STDOUT( \(FORMAT binary\))?",
    "select": r"(--[^\n]*\n)*\s*(SELECT|WITH)\b.+",
}
"""Every statement that is ever sent begins with one of these verbs. EXPLAIN without ANALYZE runs nothing."""

WRITES = re.compile(
    r"\b(nextval|setval|pg_advisory_lock|lo_import|pg_notify|pg_terminate_backend|txid_current|pg_current_xact_id)\s*\("
)
"""What a SELECT may call that is no reading; a try for an advisory lock of a transaction is the only lock taken beside tables."""

_SETTINGS = re.compile(r"; (?=(SET |SAVEPOINT |RELEASE |ROLLBACK |EXPLAIN ))")


_QUOTED = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


def verbs_of(text: str) -> list[str]:
    """The verbs of a message, each of its statements by the allow-list; one that is none of them as it is."""
    if ";" in _QUOTED.sub("", text) and not text.startswith(
        ("BEGIN", "SET LOCAL ", "SAVEPOINT ", "ROLLBACK TO ", "RELEASE ")
    ):
        return [text]  # a second statement behind the first
    pieces = (
        _SETTINGS.split(text)[::2]
        if not text.lstrip().startswith(("SELECT", "WITH", "COPY", "--"))
        else [text]
    )
    return [
        next((name for name, form in READS.items() if re.fullmatch(form, piece.strip(), re.DOTALL)), piece)
        for piece in pieces
    ]


@dataclass
class Locks:
    """The locks of the tool on relations, as they were seen: (mode, type)."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def watch(self, server: Server, done: threading.Event) -> None:
        """Look again and again until it is over."""
        connection = server.connect()
        sql = f"""SELECT l.mode, l.locktype FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
                  WHERE a.application_name LIKE '{APPLICATION_NAME}%'
                  AND NOT (l.locktype = 'object' AND l.classid = 'pg_database'::regclass)"""  # of every connection as it begins
        with connection.cursor() as cursor:
            while not done.wait(0.003):
                cursor.execute(sql)
                self.seen.update(cursor.fetchall())
        connection.close()


@pytest.fixture(scope="module")
def logged() -> Iterator[tuple[Server, str, str]]:
    """A server that logs every statement and every temporary file; two databases that differ in some rows."""
    with embedded_server() as server:
        settings = ("log_statement = 'all'", "log_line_prefix = '%m [%p] %a %x | '", "log_temp_files = 0")
        for setting in settings:
            server.sql(f"ALTER SYSTEM SET {setting}")
        server.sql("SELECT pg_reload_conf()")
        wait_until(lambda: server.sql("SHOW log_statement") == [("all",)])
        before = server.create(TABLES)
        after = server.create(TABLES)
        server.sql(
            "UPDATE crops SET kind = 'other', doc = '{}' WHERE id % 9 = 0; DELETE FROM bare; ALTER TABLE farms ADD x int",
            after,
        )
        for name in (before, after):
            server.sql("VACUUM (ANALYZE)", name)
        yield server, before, after


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, logged: tuple[Server, str, str]) -> Path:
    """A folder with a suite of every form, and a baseline for the commands that need one."""
    server, before, _ = logged
    made = tmp_path_factory.mktemp("harm")
    (made / "checks" / "sql").mkdir(parents=True)
    (made / "checks" / "all.py").write_text(SUITE)
    (made / "checks" / "sql" / "sums.sql").write_text(ASSERTION)
    (made / "contract.toml").write_text(CONTRACT)
    ended = command(made, server.dsn(before), *BASELINE, "-o", "pre.json")
    assert ended.returncode in {0, 3}, ended.stderr
    return made


BASELINE = ("baseline", "--digests", "--rows", "--values", "crops.kind", "--values", "crops.doc")

COMMANDS = {
    "run": ("run", "--lock"),
    "run with four jobs": ("run", "--jobs", "4", "--trust-indexes"),
    "run after": ("run", "--baseline", "pre.json", "--other-database"),
    "baseline": (*BASELINE, "-o", "again.json", "--force"),
    "diff": ("diff", "--added-since", "farms"),
    "diff with sha256": ("diff", "--digest", "sha256", "--no-patterns"),
    "init": ("init", "--output", "draft", "--force"),
    "doctor": ("doctor",),
    "explain": ("explain",),
    "preflight": ("preflight", "--baseline", "pre.json", "--disk", ".", "--show-queries"),
    "preflight, reading rows": ("preflight", "--deep", "--contract", "contract.toml"),
    "migrations": (
        "migrations",
        "--folder",
        "checks/sql",
        "--ledger-table",
        "crops",
        "--ledger-name",
        "kind",
        "--ledger-at",
        "",
    ),
}


def command(folder: Path, dsn: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as people do."""
    known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
    env = {**known, "PYTHONPATH": str(ROOT), "KISAAN_DSN": dsn}
    return warm.run("kisaan_validate", words, folder, env, timeout=200)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_statement_only_reads(logged: tuple[Server, str, str], folder: Path, name: str) -> None:
    """By its verb, from an allow-list; no transaction id, no temporary file, ACCESS SHARE at most on relations."""
    server, before, after = logged
    words = (*COMMANDS[name], "--before", server.dsn(before)) if name.startswith("diff") else COMMANDS[name]
    start, locks, done = len(server.log_text()), Locks(), threading.Event()
    watcher = threading.Thread(target=locks.watch, args=(server, done))
    watcher.start()
    try:
        ended = command(folder, server.dsn(after), *words)
    finally:
        done.set()
        watcher.join()
    assert "Traceback" not in ended.stderr
    assert ended.returncode in {0, 1, 3}, ended.stdout + ended.stderr
    mine = [
        line for line in _entries(server.log_text()[start:]) if line.application.startswith(APPLICATION_NAME)
    ]
    texts = [line.text.removeprefix("statement: ") for line in mine if line.text.startswith("statement: ")]
    assert texts, "the log shows nothing: the test proves nothing"
    assert {line.xid for line in mine} == {"0"}, "a transaction id was assigned: something was written"
    assert [line.text for line in mine if "temporary file" in line.text] == []
    assert [verb for text in texts for verb in verbs_of(text) if verb not in READS] == []
    assert [text for text in texts if WRITES.search(text)] == []
    modes = {mode for (mode, kind), _ in locks.seen.items() if kind == "relation"}
    assert modes == {"AccessShareLock"}, locks.seen
    assert {kind for _, kind in locks.seen} <= {"relation", "virtualxid", "advisory"}, locks.seen


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES (1)",
        "BEGIN",
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        "SET work_mem = '1GB'",
        "COPY t FROM STDIN",
        "COPY t TO PROGRAM 'x'",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (ANALYZE) SELECT 1",
        "EXPLAIN DELETE FROM t",
        "LOCK TABLE t",
        "LOCK TABLE t IN SHARE MODE",
        "ANALYZE t",
        "CREATE TEMP TABLE x (a int)",
        "COMMIT",
        "SET LOCAL a = 1; DELETE FROM t",
        "VACUUM",
        "SELECT 1; DELETE FROM t",
    ],
)
def test_the_allow_list_takes_no_other_verb(text: str) -> None:
    """What writes, locks more or stays is no reading, whatever stands before it."""
    assert any(verb not in READS for verb in verbs_of(text))
