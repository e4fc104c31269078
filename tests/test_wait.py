"""The command wait: only the ledger says that a server is migrated, whatever its health endpoint answers; and
waiting holds nothing, outlives a restart, and ends in time.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, Server, embedded_server, slack, wait_until
from shop import Shop
from small_server import restarted
from test_migrations import GOOD, folder

from kisaan_validate.facts.migrations import WaitEnd
from kisaan_validate.facts.result import Verdict
from kisaan_validate.probe import health
from kisaan_validate.probe.health import ask_health, health_request
from kisaan_validate.process.stopping import Stop
from kisaan_validate.record.migrations import read_migrations

LEDGER = "CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now()); GRANT SELECT ON _migrations TO PUBLIC;"
FILES = {f"00{n}_x.sql": GOOD for n in (1, 2, 3)}


@pytest.fixture
def place(shop: Shop) -> Shop:
    """A shop with a folder of three migrations; its ledger is not there yet."""
    folder(shop.folder / "m", FILES)
    return shop


@contextmanager
def waiting(place: Shop, *words: str, dsn: str = "") -> Iterator[subprocess.Popen[str]]:
    """A `wait` under way, in a process of its own."""
    known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
    env = {
        **known,
        "PYTHONPATH": str(ROOT),
        "KISAAN_DSN": dsn or place.server.dsn(place.database, place.role),
    }
    done = subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", "wait", "--until-migrated", "--folder", "m", *words],
        cwd=place.folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield done
    finally:
        if done.poll() is None:
            done.kill()
        done.wait()


def heard(done: subprocess.Popen[str], words: str) -> str:
    """What it printed up to a line with these words."""
    assert done.stdout is not None
    lines = []
    for line in done.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"never said {words!r}: {''.join(lines)}")


def ended(done: subprocess.Popen[str], code: int) -> str:
    """What it printed until it ended with this code."""
    said, _ = done.communicate(timeout=60)
    assert done.returncode == code, said
    assert "Traceback" not in said
    return said


class Health(BaseHTTPRequestHandler):
    """A service that answers each request with success."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def service(kind: type[BaseHTTPRequestHandler] = Health) -> Iterator[str]:
    """Its base URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_service_that_answers_before_it_is_migrated(place: Shop) -> None:
    """Its health endpoint says 200 from the start; the wait ends when the last file is in the ledger, and says both."""
    with (
        service() as url,
        waiting(place, "--health", f"{url}/api/health?key=hunter2", "--timeout", "60 s", "-o", "out") as done,
    ):
        first = heard(done, "the service answers 200; what is missing is not known")
        assert "_migrations does not exist" in first
        place.sql(LEDGER + "INSERT INTO _migrations VALUES ('001_x.sql')")
        some = heard(done, "the service answers 200, and 2 migrations are missing")
        assert "1 of 3 migrations applied; missing: 002_x.sql, 003_x.sql" in some
        place.sql("INSERT INTO _migrations VALUES ('002_x.sql'), ('003_x.sql')")
        said = ended(done, 0)
    assert "3 of 3 migrations applied" in said
    assert "verdict  PASS (applied)" in said
    assert "hunter2" not in first + some + said
    record = read_migrations(place.folder / "out")
    assert (record.verdict, record.waited and record.waited.end) == (Verdict.PASS, WaitEnd.APPLIED)
    # Kept is when the service first answered, and what was missing then.
    assert record.waited is not None
    assert record.waited.service is not None
    assert (record.waited.service.status, record.waited.service.missing) == (200, None)


def test_what_is_missing_at_the_end(place: Shop) -> None:
    """Each by name, since when, 1; within the time that was given."""
    place.sql(LEDGER + "INSERT INTO _migrations VALUES ('001_x.sql')")
    done = place.cli("wait", "--until-migrated", "--folder", "m", "--timeout", "2 s", "-o", "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^missing  2 after [2-9]\.\d s, since 2", done.stdout, re.MULTILINE), done.stdout
    assert "missing  002_x.sql\nmissing  003_x.sql\n" in done.stdout
    assert "verdict  FAIL (timed out)" in done.stdout
    record = read_migrations(place.folder / "out")
    assert (record.verdict, record.waited and record.waited.end) == (Verdict.FAIL, WaitEnd.TIMED_OUT)
    assert record.waited is not None
    assert 2.0 <= record.waited.seconds < 4 + slack()


def test_what_never_becomes_true_ends_at_once(place: Shop) -> None:
    """A row that says that its migration failed: no, long before the time is over."""
    place.sql(
        "CREATE TABLE flyway_schema_history (installed_rank int, version text, type text, script text, checksum int,"
        " installed_on timestamp DEFAULT now(), success boolean); GRANT SELECT ON flyway_schema_history TO PUBLIC;"
        "INSERT INTO flyway_schema_history VALUES (1, '1', 'SQL', 'V1__a.sql', NULL, now(), false)"
    )
    folder(place.folder / "f", {"V1__a.sql": GOOD, "V2__b.sql": GOOD})
    start = time.monotonic()
    done = place.cli(
        "wait", "--until-migrated", "--folder", "f", "--ledger-kind", "flyway", "--timeout", "1 h"
    )
    assert time.monotonic() - start < 30 + slack()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong    V1 is recorded as failed" in done.stdout
    assert "0 of 2 migrations applied" in done.stdout
    assert "verdict  FAIL (never)" in done.stdout


def test_a_runner_at_work_is_waited_for(place: Shop) -> None:
    """Knex's rows are complete while its lock is held: not applied until the runner lets it go."""
    folder(place.folder / "m", {"1.js": ""})
    place.sql(
        "CREATE TABLE knex_migrations (id serial, name text, batch int, migration_time timestamptz DEFAULT now());"
        "CREATE TABLE knex_migrations_lock (index serial, is_locked int); INSERT INTO knex_migrations (name) VALUES ('1.js');"
        "INSERT INTO knex_migrations_lock (is_locked) VALUES (1); GRANT SELECT ON knex_migrations, knex_migrations_lock TO PUBLIC"
    )
    with waiting(place, "--ledger-kind", "knex", "--timeout", "60 s") as done:
        assert "1 of 1 migration applied" in heard(done, "the ledger is locked")
        place.sql("UPDATE knex_migrations_lock SET is_locked = 0")
        assert "verdict  PASS" in ended(done, 0)


def test_servers_that_cannot_be_asked(place: Shop) -> None:
    """None at all: 3 in time. Another database than the expected one: 2 at once."""
    start = time.monotonic()
    done = place.cli(
        "wait",
        "--until-migrated",
        "--folder",
        "m",
        "--timeout",
        "2 s",
        "--dsn",
        "host=127.0.0.1 port=9 password=hunter2",
        "-o",
        "out",
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "the server could not be asked at the end" in done.stdout
    record = read_migrations(place.folder / "out")
    assert (record.verdict, record.standing.known, record.waited and record.waited.looks) == (
        Verdict.INCONCLUSIVE,
        False,
        0,
    )
    assert "hunter2" not in done.stdout + done.stderr
    (place.folder / "kisaan.toml").write_text('[target]\nexpect = { database = "other" }\n')
    done = place.cli("wait", "--until-migrated", "--folder", "m", "--timeout", "1 h")
    assert done.returncode == 2, done.stdout + done.stderr
    assert time.monotonic() - start < 40 + 4 * slack()


@pytest.mark.slow
def test_a_server_that_is_silent(place: Shop) -> None:
    """It accepts and never answers: 3 when the time is over, and not later."""
    start = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x sslmode=disable"
        done = place.cli("wait", "--until-migrated", "--folder", "m", "--timeout", "4 s", "--dsn", dsn)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "no answer for" in done.stdout
    assert time.monotonic() - start < 12 + 2 * slack()


def test_what_cannot_be_waited_for(place: Shop) -> None:
    """Not said what for, no folder, no duration, no URL: 2 or 3, and nothing is waited for."""
    words = ("wait", "--folder", "m", "--timeout", "1 h")
    assert place.cli(*words).returncode == 2
    assert place.cli(*words, "--until-migrated", "--folder", "nowhere").returncode == 3
    for slip in ("10", "0 s", "31 d", "999999999 d"):
        assert place.cli("wait", "--until-migrated", "--folder", "m", "--timeout", slip).returncode == 2
    done = place.cli(*words, "--until-migrated", "--health", "http://u:hunter2@x/")
    assert done.returncode == 2
    assert "hunter2" not in done.stdout + done.stderr


def test_nothing_is_held_while_it_waits(place: Shop) -> None:
    """Between two looks no session is there; the ledger can be locked, altered and filled; a signal ends it with 3."""
    place.sql(LEDGER)
    ours = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{place.database}' AND application_name LIKE 'kisaan%'"
    with waiting(place, "--timeout", "60 s") as done:
        heard(done, "0 of 3 migrations applied")
        wait_until(lambda: place.server.sql(ours) == [(0,)])
        place.sql(
            "SET lock_timeout = '5s'; ALTER TABLE _migrations ADD more int; INSERT INTO _migrations VALUES ('001_x.sql')"
        )
        heard(done, "1 of 3")
        done.send_signal(signal.SIGINT)
        said = ended(done, 3)
    assert "verdict  INCONCLUSIVE (stopped)" in said


@pytest.mark.slow
def test_the_reason_that_was_read_outlives_our_own_end(place: Shop) -> None:
    """While somebody holds the ledger, the lock is the reason at the end, not that we cancelled the last look."""
    place.sql(LEDGER)
    holder = place.server.connect(place.database)
    holder.cursor().execute("BEGIN; LOCK TABLE _migrations IN ACCESS EXCLUSIVE MODE")
    words = ("wait", "--until-migrated", "--folder", "m", "--lock-timeout", "2000", "--timeout", "4 s")
    done = place.cli(*words)
    holder.close()
    assert done.returncode == 3, done.stdout
    assert "lock timeout" in done.stdout
    assert "user request" not in done.stdout


@pytest.mark.slow
def test_a_server_that_restarts_is_asked_again(tmp_path: Path) -> None:
    """Its absence is told, and the wait goes on."""
    with embedded_server() as server:
        database = server.create(LEDGER)
        folder(tmp_path / "m", FILES)
        place = Shop(server, tmp_path, database)
        with waiting(place, "--timeout", "120 s", dsn=server.dsn(database)) as done:
            heard(done, "0 of 3 migrations applied")
            blocked = server.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
            assert blocked == []
            heard(done, "the server cannot be asked")
            restarted(server)
            server.sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
            heard(done, "0 of 3 migrations applied")
            server.sql(
                "INSERT INTO _migrations SELECT '00' || n || '_x.sql' FROM generate_series(1, 3) n", database
            )
            assert "verdict  PASS" in ended(done, 0)


# --- the health endpoint -------------------------------------------------------------------------------------


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A service that answers as told, on a raw line; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    try:
                        line.recv(4096)
                        talk(line)
                    except OSError:
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/health"


def test_services_that_answer_badly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect is an answer and is not followed; what trickles, closes, or is no HTTP is none, in time."""
    monkeypatch.setattr(health, "_ONE_ANSWER", 1.0)
    elsewhere: list[str] = []

    class Elsewhere(Health):
        def do_GET(self) -> None:
            elsewhere.append(self.path)
            super().do_GET()

    def trickle(line: socket.socket) -> None:
        for _ in range(40):
            line.sendall(b"H")
            time.sleep(0.5)

    with service(Elsewhere) as other:
        redirect = f"HTTP/1.1 302 Found\r\nLocation: {other}/moved\r\n\r\n".encode()
        cases: list[tuple[Callable[[socket.socket], None], int | None]] = [
            (lambda line: line.sendall(redirect), 302),
            (lambda line: line.sendall(b"HTTP/1.1 500 No\r\n\r\n"), 500),
            (
                lambda line: line.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 100_000
                ),
                200,
            ),
            (lambda line: None, None),
            (lambda line: line.sendall(b"\x00" * 100), None),
            (lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"), None),
        ]
        for talk, expected in cases:
            with answering(talk) as url:
                assert ask_health(health_request(url), Stop()) == expected
        with answering(trickle) as url:
            start = time.monotonic()
            assert ask_health(health_request(url), Stop()) is None
            assert time.monotonic() - start < 3 + slack()
    assert elsewhere == [], "a redirect was followed"
    assert ask_health(health_request("http://127.0.0.1:9/"), Stop()) is None


def test_the_ledger_of_an_older_server(server15: Server, tmp_path: Path) -> None:
    """PostgreSQL 15 is asked the same."""
    database = server15.create(LEDGER + "INSERT INTO _migrations VALUES ('001_x.sql')")
    folder(tmp_path / "m", {"001_x.sql": GOOD})
    done = Shop(server15, tmp_path, database).cli(
        "wait", "--until-migrated", "--folder", "m", KISAAN_DSN=server15.dsn(database)
    )
    assert done.returncode == 0, done.stdout + done.stderr
