"""Dumps restored into a server of our own: whole, by name what is not, and nothing that a dump tries."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import SYSTEM_BIN, Server, missing
from dump_sources import LEFT_OUT, ROWS
from test_dumps_read import FORMS, Made

from kisaan_validate.dumps.clients import choose_clients, safe
from kisaan_validate.dumps.door import Door
from kisaan_validate.dumps.messages import said, tool_said
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.dumps.restore import RestoreProgress, restore
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.errors import Interrupted, KisaanError, RecordError, UsageError
from kisaan_validate.facts.dump import DumpFacts, Restored
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.installation import Installation, choose
from kisaan_validate.scratch.server import Scratch, scratch_server

HEAD = """--
-- PostgreSQL database dump
--

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.t (id integer, note text);

"""
TAIL = """

--
-- PostgreSQL database dump complete
--

"""


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Dumps by 18."""
    return Made(server, "server", tmp_path_factory.mktemp("dumps"))


@pytest.fixture(scope="module")
def scratch() -> Iterator[Scratch]:
    """A scratch server of 18."""
    with scratch_server(choose()) as running:
        yield running


@pytest.fixture(scope="module")
def scratch15() -> Iterator[Scratch]:
    """A scratch server of 15."""
    if not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    with scratch_server(choose(named=SYSTEM_BIN)) as running:
        yield running


def restored(scratch: Scratch, path: Path, **more: Any) -> tuple[Restored, str]:
    """The dump restored into a new database, and its name."""
    name = f"r{len(scratch.execute('SELECT 1 FROM pg_database'))}_{abs(hash(str(path))) % 10**6}"
    scratch.create(name)
    return restore(path, read_dump(path), scratch, name, **more), name


TEXTS = """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^(pg_|information)' ORDER BY 1"""


def rows_of(ask: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table as text, and the large objects, views and functions."""
    found = {t: ask(f"SELECT x::text FROM ONLY {t} AS x ORDER BY 1") for (t,) in ask(TEXTS)}
    found["large objects"] = ask("SELECT oid, lo_get(oid) FROM pg_largeobject_metadata ORDER BY 1")
    found["views"] = ask(
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' AND viewname = 'v'"
    )
    found["functions"] = ask(
        "SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc WHERE prokind <> 'a'"
        " AND pronamespace = 'public'::regnamespace AND proname IN ('f', 'g', 'p') ORDER BY 1"
    )
    found["sequences"] = ask("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
    return found


def same_rows(scratch: Scratch, name: str, made: Made) -> None:
    """What was restored is what was dumped, by content."""
    source = rows_of(lambda sql: made.server.sql(sql, made.database()))
    there = rows_of(lambda sql: scratch.execute(sql, name))
    for table, rows in source.items():
        plain = [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows]
        assert [
            [bytes(v) if isinstance(v, memoryview) else v for v in row] for row in there[table]
        ] == plain, table


# --- whole ----------------------------------------------------------------------------------------------

OPTIONS = [[o] for o in FORMS.values()] + [["--inserts"], ["--create", "--clean"]]
SLOW = [
    ["--column-inserts", "--rows-per-insert=7"],
    ["--load-via-partition-root"],
    ["--statistics"],
    ["-Fd", "-Z0"],
]
SLOW += [["--clean", "--if-exists"], ["--clean"], ["--no-comments"], ["--use-set-session-authorization"]]
ALL = [*OPTIONS, *(pytest.param(words, marks=pytest.mark.slow) for words in SLOW)]


@pytest.mark.parametrize("options", ALL, ids=lambda words: "".join(words))
def test_every_form_restores_all_rows(made: Made, scratch: Scratch, options: list[str]) -> None:
    """By content, with the roles made, and what was left out named; as a role that is no superuser."""
    outcome, name = restored(scratch, made(*options))
    assert (outcome.errors, outcome.exit_code) == ((), 0)
    assert outcome.whole
    assert sum(rows for _, rows in outcome.counted) == ROWS
    same_rows(scratch, name, made)
    expected = {(kind, n.replace("{0}", made.database())) for kind, n in LEFT_OUT}
    assert expected <= {(one.kind, one.name) for one in outcome.left_out}
    assert scratch.execute("SELECT count(*) FROM pg_event_trigger", name) == [(0,)]
    assert scratch.execute("SELECT count(*) FROM pg_user_mapping", name) == [(0,)]
    (right,) = scratch.execute(
        "SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = %s", name, [f"{made.database()}_a"]
    )
    assert right == (False, False)
    assert not Path("/tmp/never").exists()
    scratch.drop(name)


@pytest.mark.slow
def test_a_dump_of_15_restores_into_15(server15: Server, scratch15: Scratch, tmp_path: Path) -> None:
    """Each form, by the client of 15."""
    made = Made(server15, "server15", tmp_path)
    for option in [*FORMS.values(), "--inserts"]:
        outcome, name = restored(scratch15, made(option))
        assert outcome.whole, outcome.errors
        assert " 15." in outcome.client
        same_rows(scratch15, name, made)
        scratch15.drop(name)


def test_an_older_dump_restores_into_a_newer_server(
    server15: Server, scratch: Scratch, tmp_path: Path
) -> None:
    """15 into 18."""
    made = Made(server15, "server15", tmp_path)
    for option in ("-Fp", "-Fc"):
        outcome, name = restored(scratch, made(option))
        assert outcome.whole, outcome.errors
        scratch.drop(name)


def test_missing_rows_are_found_after_exit_code_0(made: Made, scratch: Scratch) -> None:
    """The exit code of psql says nothing; the tables are counted."""
    path = made("-Fc")
    facts = read_dump(path)
    tables = tuple(
        replace(t, rows=t.rows + 1) if t.name == "s.e1" and t.rows else t for t in facts.contents.tables
    )
    scratch.create("counted")
    outcome = restore(
        path, replace(facts, contents=replace(facts.contents, tables=tables)), scratch, "counted"
    )
    assert (outcome.exit_code, outcome.whole) == (0, False)
    assert outcome.errors == ("the table s.e1 has 42 rows, the dump 43",)
    scratch.drop("counted")


def test_progress_is_told_to_the_end(made: Made, scratch: Scratch) -> None:
    """Bytes of the file, never more than there are."""
    for option in ("-Fp", "-Fc"):
        told: list[RestoreProgress] = []
        path = made(option)
        restored(scratch, path, observer=told.append)
        assert told
        assert told[-1].done == told[-1].size == path.stat().st_size
        assert all(a.done <= b.done for a, b in pairwise(told))


# --- hostile --------------------------------------------------------------------------------------------

DOORS = {
    "shell": "\\! touch {mark}\n",
    "shell behind a statement": "SELECT pg_catalog.setval('public.x', 1, true); \\! touch {mark}\n",
    "pipe": "CREATE VIEW public.v AS SELECT 1 \\g |touch {mark}\n",
    "copy": "\\copy public.t from program 'touch {mark}'\n",
    "include": "\\i {mark}\n",
    "output": "\\o |touch {mark}\n",
    "gexec": "SELECT 'DROP TABLE public.t' \\gexec\n",
    "backticks": "\\set x `touch {mark}`\n",
    "own restrict ended": "\\unrestrict x; \\! touch {mark}\n",
    "variable": "CREATE VIEW public.v AS SELECT :'VERSION';\n",
    "connect": "\\connect postgres\n",
    "connect by service": "\\connect service=x\n",
    "program": "COPY public.t FROM PROGRAM 'touch {mark}';\n",
    "program to": "COPY public.t TO PROGRAM 'touch {mark}';\n",
    "program in odd letters": "cOpY/**/public.t--\nfRoM/*'*/PrOgRaM E'touch {mark}';\n",
    "program behind rows": "COPY public.t (id) FROM stdin;\n1\n\\.\nCOPY public.t FROM PROGRAM 'touch {mark}';\n",
    "program behind a quote": "COMMENT ON TABLE public.t IS 'a\\'; COPY public.t FROM PROGRAM 'touch {mark}'; --';\n",
    "program in a function": "CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS 'SELECT 1' SET a = begin; COPY public.t FROM PROGRAM 'touch {mark}';\n",
    "program in atomic": "CREATE FUNCTION public.f() RETURNS int BEGIN ATOMIC SELECT 1 AS case; END; COPY public.t FROM PROGRAM 'touch {mark}';\n",
    "program behind a name": "CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; COPY public.t FROM PROGRAM 'touch {mark}'; END;\n",
    "program in a case": "CREATE FUNCTION public.f() RETURNS int BEGIN ATOMIC SELECT 1 AS case; END; COPY public.t FROM PROGRAM 'touch {mark}'; END;\n",
    "program in brackets": "CREATE TABLE public.q (a int; COPY public.t FROM PROGRAM 'touch {mark}';);\n",
    "block": "DO $$BEGIN COPY public.t FROM PROGRAM 'touch {mark}'; END$$;\n",
    "file": "COPY public.t FROM '/etc/passwd';\n",
    "binary": "COPY public.t FROM stdin WITH (FORMAT binary);\n",
    "large object": "SELECT pg_catalog.lo_import('/etc/passwd');\n",
    "large object out": "SELECT lo_export(1, '{mark}');\n",
    "function": "SELECT public.f();\n",
    "settings": "SELECT pg_catalog.set_config('log_line_prefix', '', false);\n",
    "file by a function": "SELECT pg_catalog.setval('public.x', pg_catalog.length(pg_catalog.pg_read_file('/etc/passwd')), true);\n",
    "call": "CALL public.p();\n",
    "system": "ALTER SYSTEM SET archive_command = 'touch {mark}';\n",
    "insert": "INSERT INTO public.t VALUES (1, pg_read_file('/etc/passwd'));\n",
    "insert from": "INSERT INTO public.t SELECT 1;\n",
    "table from a query": "CREATE TABLE public.q AS SELECT pg_read_file('/etc/passwd');\n",
    "unicode": "COMMENT ON TABLE public.t IS U&'\\0041';\n",
    "encoding": "SET client_encoding = 'SJIS';\n",
    "setting": "SET session_preload_libraries = 'x';\n",
    "strings": "SET standard_conforming_strings = off;\nCOMMENT ON TABLE public.t IS '\\'; COPY public.t FROM PROGRAM ''touch {mark}''; --';\nDO 'x';\n",
    "zero": "-- " + "x" * 5000 + "\nCOMMENT ON TABLE public.t IS 'a\0';\n",
    "load": "LOAD '/tmp/x.so';\n",
    "without an end": "CREATE VIEW public.v AS SELECT 1\n",
}
"""Each stops a restore, before or while it runs."""


def plain(folder: Path, body: str) -> Path:
    """A plain dump with this body."""
    path = folder / "hostile.sql"
    path.write_bytes((HEAD + body + TAIL).encode())
    return path


@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens(door: str, scratch: Scratch, tmp_path: Path) -> None:
    """The reader names it, and the restore refuses: also when it was told that there is nothing."""
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    path = plain(tmp_path, DOORS[door].format(mark=mark))
    facts = read_dump(path)
    assert any(one.stops for one in facts.refused) or facts.complete is False
    with pytest.raises(KisaanError) as caught:
        restore(path, facts, scratch, "postgres")
    assert caught.value.hint
    # By the door alone, as if the reader had seen nothing: before psql gets the statement.
    alone = Door([path.read_bytes()], Rulings(), preamble="", ending="")
    given: list[bytes] = []
    with pytest.raises(KisaanError):
        given.extend(iter(alone.read, b""))
    assert b"PROGRAM" not in b"".join(given)
    assert not mark.exists()


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_no_door_opens_to_psql(door: str, scratch: Scratch, tmp_path: Path) -> None:
    """The same, with psql and a server behind it, when the reader is not believed."""
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    path = plain(tmp_path, DOORS[door].format(mark=mark))
    facts = replace(read_dump(path), refused=(), complete=True)
    scratch.create("door")
    with pytest.raises(KisaanError):
        restore(path, facts, scratch, "door")
    scratch.drop("door")
    assert not mark.exists()


def test_psql_itself_runs_no_command(scratch: Scratch, tmp_path: Path) -> None:
    """Even if the door let a command pass, our own restrict holds."""
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    ending = f"\\! touch {mark}\n\\unrestrict wrong\n\\! touch {mark}\n"
    door = Door([b""], Rulings(), preamble="\\restrict abc\n", ending=ending)
    done = scratch.client("psql", ["-v", "ON_ERROR_STOP=1", "-f", "-"], database="postgres", stdin=door)  # type: ignore[arg-type]
    assert done.code == 3
    assert not mark.exists()


LEGAL = {
    "a command in a text": "COMMENT ON TABLE public.t IS 'a\n\\! touch {mark}\n';\n",
    "a command in a function": "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $a$ SELECT $$\n\\! touch {mark}\n$$ $a$;\n",
    "a command in rows": "COPY public.t (id, note) FROM stdin;\n1\t\\\\! touch {mark}\n2\t\\\\i x\n\\.\n",
    "rows like SQL": "COPY public.t (id, note) FROM stdin;\n1\tDROP TABLE public.t;\n2\t-- ' $$ /*\n\\.\n",
    "a program in a function": "CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN COPY t FROM PROGRAM 'touch {mark}'; RETURN 1; END$$;\n",
    "a semicolon in a name": 'CREATE TABLE public."; \\! touch {mark}" (a integer);\n',
    "comments": "/* \\! touch {mark} */ -- \\! x\n",
}


@pytest.mark.parametrize("what", LEGAL)
def test_data_that_looks_like_commands_is_data(what: str, scratch: Scratch, tmp_path: Path) -> None:
    """It is restored as it is, and nothing runs."""
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    path = plain(tmp_path, LEGAL[what].format(mark=mark))
    outcome, name = restored(scratch, path)
    assert outcome.whole, outcome.errors
    assert not mark.exists()
    scratch.drop(name)


def test_what_runs_all_the_same_may_do_nothing(scratch: Scratch, tmp_path: Path) -> None:
    """A function in a CHECK runs while rows are loaded: without the right to run a program or read a file."""
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    for body in (
        f"COPY public.t FROM PROGRAM 'touch {mark}'",
        "PERFORM pg_catalog.pg_read_file('/etc/passwd')",
    ):
        function = f"CREATE FUNCTION public.f() RETURNS bool LANGUAGE plpgsql AS $$BEGIN {body}; RETURN true; END$$;\n"
        rows = "COPY public.q (a) FROM stdin;\n1\n\\.\n"
        path = plain(tmp_path, f"{function}CREATE TABLE public.q (a int CHECK (public.f()));\n{rows}")
        outcome, name = restored(scratch, path)
        assert not outcome.whole
        assert "42501" in outcome.errors[0]
        assert not mark.exists()
        scratch.drop(name)


def test_an_archive_passes_the_same_door(made: Made, scratch: Scratch, tmp_path: Path) -> None:
    """SQL in its table of contents is as free as in a plain dump."""
    data = made("-Fc").read_bytes()
    harmless, evil = b"CREATE PROCEDURE public.p()", b"ALTER SYSTEM SET a = b;--  "
    assert len(harmless) == len(evil)
    assert data.count(harmless) == 1
    path = tmp_path / "x.dump"
    path.write_bytes(data.replace(harmless, evil))
    facts = read_dump(path)
    assert any(one.stops and one.kind == "ALTER SYSTEM" for one in facts.refused)
    scratch.create("evil")
    for told in (facts, replace(facts, refused=())):
        with pytest.raises(UsageError, match="ALTER SYSTEM"):
            restore(path, told, scratch, "evil")
    scratch.drop("evil")


def test_what_is_left_out_is_named(scratch: Scratch, tmp_path: Path) -> None:
    """Extensions, tablespaces, languages, labels, memberships, subscriptions; the rest is there."""
    body = """CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public;
COMMENT ON EXTENSION file_fdw IS 'x';
CREATE EXTENSION IF NOT EXISTS no_such_thing WITH SCHEMA public;
CREATE SUBSCRIPTION sub CONNECTION 'host=elsewhere password=hunter2' PUBLICATION p;
CREATE ROLE intruder SUPERUSER PASSWORD 'hunter2';
GRANT postgres TO validate_restore;
SECURITY LABEL FOR x ON TABLE public.t IS 'y';
SET default_tablespace = fast;
CREATE TABLE public.q (a integer);
CREATE FUNCTION public.c() RETURNS integer LANGUAGE c AS 'lib', 'f';
CREATE VIEW public.uses_c AS SELECT public.c() AS c;
CREATE FUNCTION public.py() RETURNS integer LANGUAGE plpython3u AS 'return 1';
ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO PUBLIC;
"""
    outcome, name = restored(scratch, plain(tmp_path, body))
    assert outcome.whole, outcome.errors
    assert {(o.kind, o.name) for o in outcome.left_out} == {
        *(("extension", "file_fdw"), ("comment on extension", "file_fdw"), ("extension", "no_such_thing")),
        *(
            ("subscription", "sub"),
            ("role", "intruder"),
            ("role membership", "postgres"),
            ("security label", "x"),
        ),
        *(
            ("tablespace", "fast"),
            ("function", "public.c"),
            ("view", "public.uses_c"),
            ("function", "public.py"),
        ),
        *(("default privileges", "postgres"), ("GRANT", "pg_catalog.pg_ls_dir")),
    }
    assert not any("hunter2" in str(o) for o in outcome.left_out)
    assert scratch.execute("SELECT count(*) FROM public.q", name) == [(0,)]
    assert scratch.execute("SELECT 1 FROM pg_roles WHERE rolname = 'intruder'") == []
    assert scratch.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'validate_restore'") == [(False,)]
    scratch.drop(name)


# --- failures -------------------------------------------------------------------------------------------


def test_errors_are_named_without_values(scratch: Scratch, tmp_path: Path) -> None:
    """A row that does not load: line, table, column and SQLSTATE, in a log of 0600; never the value."""
    rows = "COPY public.t (id, note) FROM stdin;\n1\tfine\nS3cretValue\tS3cretNote\n\\.\n"
    insert = "INSERT INTO public.t VALUES ('S3cretValue', 'S3cretNote');\n"
    key = "COPY public.t (id, note) FROM stdin;\n7\tS3cretNote\n7\tx\n\\.\nALTER TABLE public.t ADD UNIQUE (id);\n"
    raised = "CREATE FUNCTION public.f(t text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'S3cret %', t; END$$;\n"
    raised += "ALTER TABLE public.t ADD CHECK (public.f(note));\n" + rows.replace("S3cretValue", "5")
    for body, state in ((rows, "22P02"), (insert, "22P02"), (key, "23505"), (raised, "P0001")):
        outcome, name = restored(scratch, plain(tmp_path, body), log_folder=tmp_path)
        assert not outcome.whole
        assert outcome.log is not None
        log = Path(outcome.log)
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert state in outcome.errors[0]
        assert "public.t" in outcome.errors[0]
        assert "S3cret" not in log.read_text() + str(outcome)
        scratch.drop(name)


def test_messages_lose_their_values() -> None:
    """Odd quotes, DETAIL, HINT and CONTEXT."""
    text = (
        'psql:<stdin>:3: ERROR:  22P02: invalid input syntax for type integer: "a"b"\nDETAIL:  Key (x)=(secret).\n'
        'CONTEXT:  COPY t, line 2, column id: "secret"\nTABLE NAME:  t\npsql:<stdin>:9: ERROR:  42P01: relation "q" is gone\n'
    )
    first, second = said(text)
    assert (
        first.text == 'invalid input syntax for type integer: "•••"b•••; row 2 of COPY, column id; table t'
        or ("secret" not in first.text and '"a"' not in first.text)
    )
    assert (second.line, second.text) == (9, 'relation "q" is gone')
    assert "secret" not in tool_said('pg_restore: error: could not read "secret"')


def test_a_dump_that_is_not_whole_or_has_changed_is_refused(
    made: Made, scratch: Scratch, tmp_path: Path
) -> None:
    """Before anything is restored."""
    path = tmp_path / "x"
    path.write_bytes(made("-Fp").read_bytes()[:-400])
    with pytest.raises(RecordError, match="not whole"):
        restore(path, read_dump(path), scratch, "postgres")
    shutil.copy(made("-Fp"), path)
    facts = read_dump(path)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(RecordError, match="has changed"):
        restore(path, facts, scratch, "postgres")


def test_a_damaged_archive_is_named_while_it_is_restored(
    made: Made, scratch: Scratch, tmp_path: Path
) -> None:
    """What pg_restore cannot read is its error, not an empty table."""
    data = bytearray(made("-Fc").read_bytes())
    data[-150:-100] = bytes(50)
    path = tmp_path / "x"
    path.write_bytes(bytes(data))
    facts = read_dump(path)
    assert facts.complete is False
    scratch.create("damaged")
    with pytest.raises(RecordError, match="pg_restore could not read"):
        restore(path, replace(facts, complete=True), scratch, "damaged")
    scratch.drop("damaged")


def test_a_restore_can_be_stopped(made: Made, scratch: Scratch, tmp_path: Path) -> None:
    """It ends at once, by its own exception."""
    stop = Stop()
    rows = "".join(f"INSERT INTO public.t VALUES ({n}, 'x');\n" for n in range(60_000))
    path = plain(tmp_path, rows)
    scratch.create("stopped")
    with pytest.raises(Interrupted, match="enough"):
        restore(
            path, read_dump(path), scratch, "stopped", stop=stop, observer=lambda told: stop.request("enough")
        )
    scratch.drop("stopped")


# --- clients --------------------------------------------------------------------------------------------


def test_the_client_is_chosen_by_the_dump(made: Made, scratch: Scratch, scratch15: Scratch) -> None:
    """A newer dump needs newer clients, and a server that is as new as it."""
    facts = read_dump(made("-Fc"))
    assert choose_clients(facts, scratch15).major == 18
    with pytest.raises(UsageError, match="an older server does not restore it"):
        restore(made("-Fc"), facts, scratch15, "postgres")
    with pytest.raises(
        UsageError, match="clients of PostgreSQL 97 or newer are needed, the newest here are 18"
    ):
        choose_clients(replace(facts, client_version="97.1"), scratch)
    assert "18." in restored(scratch, made("-Fp"))[0].client


def test_a_psql_without_restrict_is_refused(scratch: Scratch) -> None:
    """With the minor releases that have it."""
    one = scratch.installation
    assert one is not None
    old = Installation(one.folder, 150013, "old 15.13")
    facts = DumpFacts(*["x"] * 4, *["15.1"] * 4, *["x"] * 5)  # type: ignore[arg-type]
    facts = replace(facts, client_version="15.1")

    class Holder:
        installation = old

    with pytest.raises(UsageError, match=r"has no .restrict") as caught:
        choose_clients(facts, Holder(), [])  # type: ignore[arg-type]
    assert "15.14" in caught.value.hint
    assert [safe(replace(old, version=v)) for v in (130021, 130022, 150014, 170005, 170006, 180000)] == [
        *(False, True, True, False, True, True)
    ]
