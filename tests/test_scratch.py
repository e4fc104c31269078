"""Servers of our own: what they can do, that nobody else gets in, and that nothing of them stays."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner
from conftest import ROOT, SYSTEM_BIN, Server, _folder, missing, needs, slack, wait_until
from processes import processes_of

from kisaan_validate.cli.main import cli
from kisaan_validate.errors import DatabaseError, TargetError, UsageError
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.installation import Installation, choose, installations
from kisaan_validate.scratch.server import Scratch, scratch_server

HOLDER = """import os, sys, time
from pathlib import Path
from kisaan_validate.scratch.installation import choose
from kisaan_validate.scratch.server import scratch_server
with scratch_server(choose(named=Path(sys.argv[1])), parent=Path(sys.argv[2])) as scratch:
    if "fork" in sys.argv and not os.fork():
        while scratch.folder.exists():
            time.sleep(0.2)
        os._exit(0)
    scratch.create("held")
    scratch.execute("CREATE TABLE secret AS SELECT 'a personal value' AS v", "held")
    print(scratch.folder, flush=True)
    time.sleep(600)
"""


def system() -> Installation:
    """The system's PostgreSQL."""
    if not (SYSTEM_BIN / "postgres").exists():
        missing("a system PostgreSQL is missing: apt-get install postgresql")
    return choose(named=SYSTEM_BIN)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for scratch servers that others may enter, since tmp_path is closed to their account."""
    folder = _folder("kisaan-t-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["embedded", "system"])
def scratch(request: pytest.FixtureRequest) -> Iterator[Scratch]:
    """A running scratch server of each installation."""
    with scratch_server(choose() if request.param == "embedded" else system()) as running:
        yield running
    assert not running.folder.exists()


def test_the_installations_are_found_and_told(tmp_path: Path) -> None:
    """The embedded one comes first; a folder without PostgreSQL is refused, and so is a major that is not
    here.
    """
    found = installations(SYSTEM_BIN)
    assert found[0].label.startswith("embedded 18.")
    assert [one.major for one in found[1:] if one.folder == SYSTEM_BIN] == [int(SYSTEM_BIN.parent.name)]
    assert choose(18).program("pg_restore") is not None
    assert choose(15).major == int(SYSTEM_BIN.parent.name)
    with pytest.raises(UsageError, match="no PostgreSQL in"):
        choose(named=tmp_path)
    with pytest.raises(UsageError, match="PostgreSQL 97 or newer"):
        choose(97)
    (tmp_path / "psql").symlink_to(SYSTEM_BIN / "psql")
    with pytest.raises(UsageError, match="has no postgres, initdb"):
        choose(named=tmp_path)


def test_it_creates_clones_and_drops(scratch: Scratch) -> None:
    """A clone has the rows, owners and settings of its source, and lives without it."""
    scratch.create("first")
    scratch.client("psql", ["-c", "CREATE TABLE t AS SELECT 1 AS a"], database="first")
    scratch.execute("ALTER DATABASE first SET work_mem = '7MB'")
    scratch.clone("first", "second")
    scratch.drop("first")
    assert scratch.execute("SELECT a FROM t", "second") == [(1,)]
    assert scratch.execute("SELECT tableowner::text FROM pg_tables WHERE tablename = 't'", "second") == [
        (scratch.owner,)
    ]
    assert scratch.execute("SHOW work_mem", "second") == [("7MB",)]
    scratch.drop("second")
    scratch.create('a "name"', encoding="SQL_ASCII", locale="C")
    assert scratch.execute("SHOW server_encoding", 'a "name"') == [("SQL_ASCII",)]
    scratch.drop('a "name"')


@pytest.mark.slow
def test_a_clone_of_a_database_in_use_is_refused_in_words(scratch: Scratch) -> None:
    """With who works in it."""
    scratch.create("busy")
    session = scratch.connect("busy", scratch.owner)
    with pytest.raises(DatabaseError, match="being accessed by validate_restore"):
        scratch.clone("busy", "copy")
    session.close()
    scratch.drop("busy")


def test_the_owner_is_no_superuser_and_cannot_become_one(scratch: Scratch) -> None:
    """The clients' password opens no other role, and neither do programs and files."""
    scratch.create("mine")
    for hostile in (
        "\\connect - postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER ROLE validate_restore SUPERUSER",
        "CREATE TABLE x (a text); COPY x FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/kisaan-never'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION nothing()",
    ):
        done = scratch.client(
            "psql", ["-v", "ON_ERROR_STOP=1"], database="mine", stdin=io.BytesIO(hostile.encode())
        )
        assert done.code in (2, 3), hostile
    assert scratch.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", params=[scratch.owner]) == [
        (False,)
    ]
    scratch.drop("mine")


def test_a_dump_cannot_lend_its_functions_to_the_superuser(scratch: Scratch) -> None:
    """A database's own search path may put functions before PostgreSQL's; our sessions do not take it."""
    scratch.create("trap")
    trap = """CREATE SCHEMA evil;
        CREATE FUNCTION evil.version() RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$;
        ALTER DATABASE trap SET search_path = evil, pg_catalog"""
    assert scratch.client("psql", ["-v", "ON_ERROR_STOP=1", "-c", trap], database="trap").ok
    seen = scratch.client("psql", ["-Atc", "SELECT version()"], database="trap")
    assert seen.out_tail == "trapped\n", "the trap is none"
    assert scratch.execute("SELECT version() LIKE 'PostgreSQL %'", "trap") == [(True,)]
    put = "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert scratch.client("psql", ["-v", "ON_ERROR_STOP=1", "-c", put], database="postgres").code == 1
    scratch.drop("trap")


def test_nobody_gets_in_without_a_password(scratch: Scratch) -> None:
    """Neither by the socket nor by the loopback address, not even as root; the folder is closed."""
    address = dict(scratch.target("postgres").parameters)
    for role in ("postgres", scratch.owner):
        for password in ("", "postgres"):
            with pytest.raises(psycopg2.OperationalError, match=r"password|fe_sendauth"):
                psycopg2.connect(
                    host=address["host"],
                    port=address["port"],
                    user=role,
                    dbname="postgres",
                    password=password,
                )
    assert stat.S_IMODE(scratch.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((scratch.folder / name).stat().st_mode) for name in ("data", "work")} == {0o700}
    assert address["password"] not in repr(scratch.target("postgres"))
    if os.geteuid() == 0:
        import pwd

        with pytest.raises(KeyError):
            pwd.getpwuid(scratch.folder.stat().st_uid)
    text = (scratch.folder / "log").read_text()
    assert address["password"] not in text


def test_clients_run_in_an_environment_of_ours(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's variables, service file and start-up file change neither our sessions nor a client's."""
    (tmp_path / ".psqlrc").write_text("\\echo start-up file\n")
    (tmp_path / "services").write_text(
        "[prod]\nhost=192.0.2.1\nhostaddr=192.0.2.1\noptions=-c work_mem=1MB\n"
    )
    hostile = {
        "HOME": str(tmp_path),
        "PSQLRC": str(tmp_path / ".psqlrc"),
        "PGSERVICEFILE": str(tmp_path / "services"),
        "PGSERVICE": "prod",
        "PGHOST": "192.0.2.1",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "somebody",
        "PGPASSWORD": "wrong",
        "PGDATABASE": "nowhere",
        "PGOPTIONS": "-c work_mem=1MB -c search_path=evil",
        "PGSSLMODE": "verify-full",
        "PGCHANNELBINDING": "require",
        "PGTARGETSESSIONATTRS": "standby",
        "PGREQUIREAUTH": "none",
        "PGTZ": "Asia/Kolkata",
        "PGDATESTYLE": "German",
        "PGREQUIREPEER": "nobody-at-all",
        "PGCLIENTENCODING": "LATIN1",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    asked = "SELECT current_setting('work_mem'), current_setting('TimeZone'), current_setting('DateStyle')"
    scratch.create("clean")
    assert scratch.execute(asked, "clean") == [("4MB", "UTC", "ISO, MDY")]
    done = scratch.client("psql", ["-At", "-c", asked], database="clean")
    assert (done.ok, done.out_tail) == (True, "4MB|UTC|ISO, MDY\n")
    told = scratch.environment("clean")
    assert {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "DATABASE_URL"} <= told.keys()
    assert not {"HOME", "PGOPTIONS", "PGSERVICE", "PSQLRC"} & told.keys()
    scratch.drop("clean")


def test_a_client_ends_when_it_is_told_to(scratch: Scratch) -> None:
    """After the time, or a stop; both are said, and neither is a success."""
    began = time.monotonic()
    late = scratch.client("psql", ["-c", "SELECT pg_sleep(60)"], database="postgres", timeout=0.5)
    stop = Stop()
    stop.request("somebody asked")
    stopped = scratch.client("psql", ["-c", "SELECT pg_sleep(60)"], database="postgres", stop=stop)
    assert (late.ok, late.cut) == (False, "it took too long")
    assert (stopped.ok, stopped.cut) == (False, "somebody asked")
    assert time.monotonic() - began < 20 + slack()


def test_an_input_that_breaks_off_is_no_end_of_input(scratch: Scratch) -> None:
    """What reads the dump fails: the client must not commit what came so far."""

    class Damaged(io.RawIOBase):
        sent = False

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            if self.sent:
                time.sleep(0.3)
                raise EOFError("the compressed file ended early")
            self.sent = True
            return b"CREATE TABLE half (a int);\nINSERT INTO half VALUES (1);\n"

    scratch.create("broken")
    with pytest.raises(EOFError):
        scratch.client("psql", ["-1"], database="broken", stdin=Damaged())  # type: ignore[arg-type]
    wait_until(lambda: not scratch.execute("SELECT 1 FROM pg_stat_activity WHERE datname = 'broken'"))
    assert scratch.execute("SELECT to_regclass('half') IS NULL", "broken") == [(True,)]
    scratch.drop("broken")


def test_settings_restarts_and_the_loopback_address(scratch: Scratch) -> None:
    """Databases survive a restart; TCP comes only when asked for, on the loopback address, with a password."""
    scratch.create("kept")
    scratch.reload(autovacuum="on")
    scratch.restart(max_connections="33")
    assert scratch.execute("SHOW max_connections") == [("33",)]
    assert scratch.execute("SHOW autovacuum") == [("on",)]
    assert scratch.execute("SHOW listen_addresses") == [("",)]
    assert scratch.environment("kept")["PGHOST"].startswith("/")
    scratch.listen()
    told = scratch.environment("kept")
    assert told["PGHOST"] == "127.0.0.1"
    with psycopg2.connect(told["DATABASE_URL"]) as session, session.cursor() as cursor:
        cursor.execute("SELECT current_user::text, current_database()::text")
        assert cursor.fetchone() == (scratch.owner, "kept")
    session.close()
    with pytest.raises(UsageError, match="loopback"):
        scratch.restart(listen_addresses="*")
    with pytest.raises(UsageError, match="hba_file"):
        scratch.restart(hba_file="/tmp/open")
    with pytest.raises(DatabaseError, match="max_connections"):
        scratch.restart(max_connections="-1")
    scratch.drop("kept")


def test_a_port_that_was_taken_meanwhile_is_another_one(scratch: Scratch) -> None:
    """The server binds the port itself, so no moment is left in which another program's could be meant."""
    import socket

    scratch.listen()
    with socket.socket() as thief:
        cluster: Any = scratch._place
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        cluster.port = thief.getsockname()[1]
        cluster.write_place()
        scratch.restart()
        assert cluster.port != thief.getsockname()[1]
        assert scratch.execute("SELECT 1") == [(1,)]


def test_a_server_that_was_killed_is_said_to_be(place: Path) -> None:
    """Whoever asks next reads that the server has ended, not that a socket is missing; nothing is left."""
    with scratch_server(system(), parent=place) as scratch:
        pid = int((scratch.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        with pytest.raises(DatabaseError, match="has ended: signal 9 killed it"):
            scratch.execute("SELECT 1")
    assert list(place.iterdir()) == []


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(place: Path) -> None:
    """The server's own words."""
    with (
        pytest.raises(DatabaseError, match=r"(?s)did not start: .*shared_buffers"),
        scratch_server(system(), parent=place, settings={"shared_buffers": "none"}),
    ):
        pass
    assert list(place.iterdir()) == []


@contextmanager
def holder(
    installation: Installation, place: Path, *more: str
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that holds a scratch server, and the server's folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(installation.folder), str(place), *more],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    try:
        yield process, folder
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    "number",
    [signal.SIGKILL, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGTERM, signal.SIGINT))],
)
def test_nothing_stays_of_a_process_that_was_killed(place: Path, number: signal.Signals) -> None:
    """The keeper sees the end of its parent, stops the server and erases the folder."""
    with holder(system(), place) as (process, folder):
        assert folder.is_dir()
        process.send_signal(number)
        process.wait()
        wait_until(lambda: not list(place.iterdir()), 30)
        assert processes_of(folder) == []


@pytest.mark.slow
def test_a_forked_child_does_not_keep_the_server(place: Path) -> None:
    """It holds the keeper's pipe open; the keeper looks at its parent too."""
    with holder(system(), place, "fork") as (process, folder):
        process.kill()
        process.wait()
        wait_until(lambda: not list(place.iterdir()), 15)
        assert processes_of(folder) == []


@pytest.mark.slow
def test_a_killed_keeper_leaves_nothing_either(place: Path) -> None:
    """Then its parent erases, and the server can be used until then."""
    with scratch_server(system(), parent=place) as scratch:
        keeper: Any = scratch._place
        keeper._keeper.kill()
        keeper._keeper.wait()
        assert scratch.execute("SELECT 1") == [(1,)]
    assert list(place.iterdir()) == []
    assert processes_of(scratch.folder) == []


@pytest.mark.slow
def test_programs_that_are_closed_to_the_account_are_copied(place: Path) -> None:
    """An environment below root's home stays closed; without root nothing is copied."""
    source = choose().folder.parent.parent
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    for folder in (source, source.with_name(f"{source.name}.libs")):
        shutil.copytree(folder, closed / folder.name)
    named = choose(named=closed / source.name / "pginstall")
    with scratch_server(named, parent=place) as scratch:
        assert scratch.client("psql", ["-Atc", "SELECT 1"], database="postgres").out_tail == "1\n"
        assert (scratch.folder / "programs").exists() == (os.geteuid() == 0)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(closed)


@pytest.mark.slow
def test_a_role_that_was_let_in_and_a_server_that_was_kept(place: Path) -> None:
    """Its passwords lie in a file that libpq takes, and `clean` erases it with the rest."""
    told: list[str] = []
    with scratch_server(system(), parent=place, keep=True, notice=told.append) as scratch:
        scratch.execute("CREATE ROLE app")
        scratch.admit("app")
        scratch.admit("fresh")
    place_of = scratch.target("postgres", "app").parameters
    for role in ("app", "fresh", scratch.owner, "postgres"):
        session = psycopg2.connect(
            host=place_of["host"],
            port=place_of["port"],
            user=role,
            dbname="postgres",
            passfile=scratch.passfile,
        )
        session.close()
    assert CliRunner().invoke(cli, ["scratch", "clean", "--scratch-dir", str(place)]).exit_code == 0
    assert list(place.iterdir()) == []


def test_what_the_keeper_could_not_erase_is_found_again(place: Path) -> None:
    """Keeper and owner are killed: the server runs on, is listed, and is ended and erased by `clean`. What
    a live process holds is left alone.
    """
    with holder(system(), place) as (process, folder), holder(choose(), place) as (_, other):
        (keeper,) = (
            int(line) for line in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        )
        os.kill(keeper, signal.SIGKILL)
        process.kill()
        process.wait()
        wait_until(lambda: not Path(f"/proc/{keeper}").exists())
        assert processes_of(folder)
        listed = CliRunner().invoke(cli, ["scratch", "list", "--scratch-dir", str(place)])
        lines = sorted(listed.output.splitlines())
        assert [line.split("  ")[0] for line in lines] == ["in use", "left over"]
        assert str(other) in lines[0]
        assert "MB" in lines[0]
        cleaned = CliRunner().invoke(cli, ["scratch", "clean", "--scratch-dir", str(place)])
        assert f"erased {folder}" in cleaned.output
        assert f"{other} is in use" in cleaned.output
        assert (folder.exists(), other.exists()) == (False, True)
        wait_until(lambda: not processes_of(folder))
    wait_until(lambda: not list(place.iterdir()), 30)


@pytest.mark.slow
def test_the_next_server_erases_what_was_left(place: Path) -> None:
    """And says so; what was kept on purpose stays until `clean`."""
    told: list[str] = []
    with scratch_server(system(), parent=place, keep=True, notice=told.append) as kept:
        pass
    assert f"kept {kept.folder}" in told[0]
    with holder(system(), place) as (process, folder):
        (keeper,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(keeper), signal.SIGKILL)
        process.kill()
        process.wait()
        with scratch_server(system(), parent=place, notice=told.append) as second:
            assert (kept.folder.exists(), folder.exists()) == (True, False)
            assert kept.execute("SELECT 1") == second.execute("SELECT 1")
    assert f"erased {folder}" in told[1]
    assert CliRunner().invoke(cli, ["scratch", "clean", "--scratch-dir", str(place)]).exit_code == 0
    assert list(place.iterdir()) == []
    assert processes_of(kept.folder) == []


def test_a_forged_marker_erases_nothing(place: Path, tmp_path: Path) -> None:
    """A marker that others could have written is passed over; so is a folder that is not the one it names."""
    from kisaan_validate.scratch.keeper import erased
    from kisaan_validate.scratch.marker import HeldMarker, new_marker

    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("kept")
    folder = place / "kisaan-scratch-00000000"
    folder.mkdir()
    marker = HeldMarker(place / "kisaan-scratch-00000000.json", new_marker("forged"))
    marker.add(folder)
    marker.close()
    marker.path.chmod(0o666)
    assert CliRunner().invoke(cli, ["scratch", "clean", "--scratch-dir", str(place)]).exit_code == 0
    assert folder.exists()
    marker.path.chmod(0o600)
    folder.rmdir()
    folder.symlink_to(victim)
    CliRunner().invoke(cli, ["scratch", "clean", "--scratch-dir", str(place)])
    assert (victim / "file").read_text() == "kept"
    # The link may have the inode of the folder that went; it is no folder, so there is nothing to erase.
    there = folder.lstat()
    assert erased({str(folder): [there.st_dev, there.st_ino]}, 0.0) == []


def test_a_folder_that_others_can_move_is_refused(place: Path) -> None:
    """A scratch folder never lies where its name can be given to another one."""
    place.chmod(0o777)
    with pytest.raises(UsageError, match="others can move"), scratch_server(parent=place):
        pass
    with pytest.raises(UsageError, match="is no folder"), scratch_server(parent=place / "none"):
        pass


def test_a_long_path_gets_its_socket_elsewhere(place: Path) -> None:
    """A socket's path has at most 107 bytes; both folders are erased."""
    long = place / ("x" * 120)
    long.mkdir(mode=0o755)
    with scratch_server(system(), parent=long) as scratch:
        sockets = Path(scratch.environment("postgres")["PGHOST"])
        assert len(str(sockets)) < 80
        assert scratch.execute("SELECT 1") == [(1,)]
        assert scratch.client("psql", ["-Atc", "SELECT 1"], database="postgres").out_tail == "1\n"
    assert list(long.iterdir()) == []
    assert not sockets.exists()
    long.rmdir()


def test_too_little_room_is_foreseen(place: Path) -> None:
    """With both figures, and nothing was made."""
    from kisaan_validate.scratch.space import need_room

    with pytest.raises(UsageError, match="nobody can tell how much room"):
        need_room(place / "gone", 1)
    need_room(place / "gone", 1, unknown_space=True)
    with (
        pytest.raises(UsageError, match=r"needs [0-9,.]+ TB, and [0-9,.]+ [GT]B are free"),
        scratch_server(parent=place, need_bytes=10**16),
    ):
        pass
    assert list(place.iterdir()) == []


def test_a_full_disk_is_said_and_nothing_stays(place: Path) -> None:
    """A disk that fills up while it is written ends in words."""
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "none", place]).returncode
    ):
        pytest.skip("a small disk can be mounted by root only")
    try:
        with scratch_server(system(), parent=place, settings={"max_wal_size": "64MB"}) as scratch:
            scratch.create("full")
            with pytest.raises(DatabaseError, match=r"No space left|free disk space|has ended"):
                scratch.execute(
                    "CREATE TABLE t AS SELECT repeat(md5(g::text), 60) FROM generate_series(1, 999999) g",
                    "full",
                )
        assert list(place.iterdir()) == []
        with pytest.raises(UsageError, match="are free"), scratch_server(parent=place, need_bytes=200 << 20):
            pass
    finally:
        subprocess.run([needs("umount"), place], check=True)


@pytest.fixture(scope="module")
def lent() -> Iterator[Callable[[], str]]:
    """A server that could be adopted: empty, on the loopback address. Calling it empties it again."""
    with scratch_server(
        system(), settings={"listen_addresses": "127.0.0.1", "wal_level": "replica"}
    ) as lender:

        def fresh() -> str:
            lender.drop("validate_scratch")
            for (role,) in lender.execute("SELECT rolname::text FROM pg_roles WHERE oid >= 16384"):
                lender.execute(f"DROP ROLE {role}")
            return lender.dsn("postgres", "postgres")

        fresh.lender = lender  # type: ignore[attr-defined]
        yield fresh


OBSTACLES = {
    "databases: theirs": ("CREATE DATABASE theirs", "DROP DATABASE theirs"),
    "templates: theirs": (
        "CREATE DATABASE theirs IS_TEMPLATE true",
        "ALTER DATABASE theirs IS_TEMPLATE false; DROP DATABASE theirs",
    ),
    "roles: theirs": ("CREATE ROLE theirs", "DROP ROLE theirs"),
    "relations: theirs": ("CREATE TABLE theirs ()", "DROP TABLE theirs"),
    "schemas: theirs": ("CREATE SCHEMA theirs", "DROP SCHEMA theirs"),
    "functions: theirs": (
        "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION theirs",
    ),
    "types: theirs": ("CREATE TYPE theirs AS ENUM ()", "DROP TYPE theirs"),
    "large objects: 77777": ("SELECT lo_create(77777)", "SELECT lo_unlink(77777)"),
    "publications: theirs": ("CREATE PUBLICATION theirs", "DROP PUBLICATION theirs"),
    "replication slots: theirs": (
        "SELECT pg_create_physical_replication_slot('theirs')",
        "SELECT pg_drop_replication_slot('theirs')",
    ),
}


@pytest.mark.parametrize("words", OBSTACLES)
def test_a_server_that_is_not_empty_is_not_adopted(lent: Any, words: str) -> None:
    """Each thing that may stand there is named, and nothing was written."""
    from kisaan_validate.scratch.adopted import adopt

    put, undo = OBSTACLES[words]
    dsn = lent()
    for statement in put.split("; "):
        lent.lender.execute(statement)
    try:
        with pytest.raises(UsageError, match=words):
            adopt(dsn)
        assert lent.lender.execute("SELECT 1 FROM pg_database WHERE datname = 'validate_scratch'") == []
    finally:
        for statement in undo.split("; "):
            lent.lender.execute(statement)


def test_others_sessions_and_standbys_are_not_adopted(lent: Any) -> None:
    """Somebody is connected; the role is no superuser; the server is in recovery."""
    from kisaan_validate.scratch.adopted import adopt

    dsn, lender = lent(), lent.lender
    session = lender.connect("postgres")
    with pytest.raises(UsageError, match="sessions of others: postgres in postgres"):
        adopt(dsn)
    session.close()
    lender.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    with pytest.raises(UsageError, match="no superuser: weak"):
        adopt(
            f"host=127.0.0.1 port={lender.environment('postgres')['PGPORT']} user=weak password=weak dbname=postgres"
        )
    lender.execute("DROP ROLE weak")
    with pytest.raises(TargetError, match="several servers"):
        adopt("host=192.0.2.1,192.0.2.2")
    mark = lender.folder / "data" / "standby.signal"
    mark.touch()
    lender.give(mark)
    lender.restart()
    try:
        with pytest.raises(UsageError, match="a standby: it is in recovery"):
            adopt(dsn)
    finally:
        mark.unlink()
        lender.restart()


def test_an_adopted_server_is_used_and_left_empty(lent: Any, place: Path) -> None:
    """It must be marked, nobody else may use it meanwhile, and it is as empty at the end as before. What a
    killed command left is dropped by the next one.
    """
    from kisaan_validate.scratch.adopted import adopt

    dsn, lender = lent(), lent.lender
    with pytest.raises(UsageError, match="was not adopted"), scratch_server(dsn=dsn, parent=place):
        pass
    assert adopt(dsn) == adopt(dsn)
    databases = "SELECT datname::text FROM pg_database ORDER BY 1"
    roles = "SELECT count(*) FROM pg_roles WHERE oid >= 16384"
    before = lender.execute(databases)
    with scratch_server(dsn=dsn, parent=place) as scratch:
        assert scratch.installation is None
        scratch.create("one")
        scratch.clone("one", "two")
        done = scratch.client("psql", ["-Atc", "SELECT current_user"], database="two")
        assert done.out_tail == f"{scratch.owner}\n", done
        scratch.execute("CREATE ROLE of_the_dump")
        with pytest.raises(UsageError, match="in use"), scratch_server(dsn=dsn, parent=place):
            pass
        with pytest.raises(UsageError, match="cannot be restarted"):
            scratch.restart()
    assert (lender.execute(databases), lender.execute(roles)) == (before, [(0,)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, dsn, str(place)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert ("left",) in lender.execute(databases)
    assert (
        CliRunner()
        .invoke(cli, ["scratch", "clean", "--scratch-dir", str(place), "--scratch-dsn", dsn])
        .exit_code
        == 0
    )
    assert (lender.execute(databases), lender.execute(roles)) == (before, [(0,)])
    wait_until(lambda: not list(place.iterdir()))
    lender.execute("CREATE DATABASE theirs")
    with (
        pytest.raises(UsageError, match="not empty: databases: theirs"),
        scratch_server(dsn=dsn, parent=place),
    ):
        pass
    lender.execute("DROP DATABASE theirs")


KILLED = """import os, signal, sys
from pathlib import Path
from kisaan_validate.scratch.server import scratch_server
with scratch_server(dsn=sys.argv[1], parent=Path(sys.argv[2])) as scratch:
    scratch.create("left")
    scratch.execute("CREATE ROLE left_over")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_database_under_validation_is_never_adopted(
    lent: Any, monkeypatch: pytest.MonkeyPatch, server: Server, place: Path
) -> None:
    """By the same words, by another address of it, when it cannot be asked, or does not say who it is."""
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.scratch.adopted import adopt
    from kisaan_validate.scratch.production import refuse_if_production

    dsn, lender = lent(), lent.lender
    port = lender.environment("postgres")["PGPORT"]
    by_socket = dsn.replace("host='127.0.0.1'", f"host='{lender.folder}'")
    refusals = {
        dsn: "this is KISAAN_DSN",
        by_socket: "one system identifier",
        "host=127.0.0.1 port=1": "nobody can tell",
    }
    for said, words in refusals.items():
        monkeypatch.setenv("KISAAN_DSN", said)
        with pytest.raises(TargetError, match=words):
            adopt(dsn)
        assert lender.execute("SELECT 1 FROM pg_database WHERE datname = 'validate_scratch'") == []
    # A role of production that may not read who the server is.
    database = server.create(
        "CREATE ROLE asks LOGIN; REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC"
    )
    monkeypatch.setenv("KISAAN_DSN", server.dsn(database, "asks"))
    with pytest.raises(TargetError, match="nobody can tell, since the system identifier"):
        adopt(dsn)
    server.drop(database)
    server.sql("DROP ROLE asks")
    monkeypatch.setenv("KISAAN_DSN", server.dsn())
    assert adopt(dsn)
    monkeypatch.delenv("KISAAN_DSN")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@127.0.0.1:{port}/postgres")
    with (
        pytest.raises(TargetError, match=r"nobody can tell|one system"),
        scratch_server(dsn=dsn, parent=place),
    ):
        pass
    monkeypatch.delenv("DATABASE_URL")
    with scratch_server(dsn=dsn, parent=place) as scratch:
        refuse_if_production(scratch, find_target(server.dsn()))
        with pytest.raises(TargetError, match="may be the database under validation"):
            refuse_if_production(scratch, find_target(by_socket))


def test_two_servers_are_two_only_when_it_is_proved() -> None:
    """Copies share the identifier; an address or a start in common is doubt enough; silence is no proof."""
    from dataclasses import replace

    from kisaan_validate.scratch.identity import ScratchIdentity, same

    one = ScratchIdentity("1", "100.5", "/data", "192.0.2.1:5432")
    other = ScratchIdentity("2", "200.5", "/data", "192.0.2.2:5432")
    assert same(one, other) == ""
    for doubt in (
        replace(other, system="1"),
        replace(other, started="100.5"),
        replace(other, address=one.address),
        replace(other, system=""),
        replace(other, started=""),
    ):
        assert "" not in (same(one, doubt), same(doubt, one))
    assert same(one, replace(other, system=""), made=True) == ""
    assert same(one, replace(other, started=""), made=True)


@pytest.mark.slow
def test_two_at_once_do_not_meet(place: Path) -> None:
    """Each has its own folder, port, passwords and, as root, user number."""
    with scratch_server(system(), parent=place) as one, scratch_server(system(), parent=place) as two:
        one.create("a")
        assert two.execute("SELECT 1 FROM pg_database WHERE datname = 'a'") == []
        assert one.folder != two.folder
        if os.geteuid() == 0:
            assert one.folder.stat().st_uid != two.folder.stat().st_uid


def test_a_folder_that_the_server_may_not_enter_is_named(tmp_path: Path) -> None:
    """Before anything is made, with what to do. Whoever is not root runs the server himself, and may."""
    tmp_path.chmod(0o700)
    if os.geteuid() != 0:
        with scratch_server(parent=tmp_path) as scratch:
            assert scratch.folder.parent == tmp_path.resolve()
        return
    with pytest.raises(UsageError, match="may not enter") as refused, scratch_server(parent=tmp_path):
        pass
    assert "--scratch-dir" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_dump_is_restored_into_a_lent_server(
    lent: Callable[[], str], server15: Server, place: Path, tmp_path: Path
) -> None:
    """How much room its disk has nobody here can tell: who lends it knows."""
    import dumps

    from kisaan_validate.backup.verifying import DATABASE, ScratchWish, restored_dump
    from kisaan_validate.dumps.read import read_dump
    from kisaan_validate.scratch.adopted import adopt

    dsn, dump = lent(), tmp_path / "a.dump"
    adopt(dsn)
    database = server15.create("CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) AS n")
    words = [dumps.pg_dump(server15), "-Fc", f"--file={dump}", "-d", server15.dsn(database)]
    subprocess.run(words, check=True, capture_output=True)
    wish = ScratchWish(dsn=dsn, folder=place)
    with restored_dump(dump, read_dump(dump), wish, 1, lambda _: None, Stop()) as (scratch, done):
        assert (done.errors, scratch.execute("SELECT count(*) FROM public.t", DATABASE)) == ((), [(1000,)])
    server15.drop(database)
