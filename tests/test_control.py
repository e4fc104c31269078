"""Always in control: whatever a server, a proxy or a network does, a command ends by its limits, and
within 5 s of a signal.

Law: no wait is without an end. Every wait for a server has a limit; the first SIGINT, SIGTERM or SIGHUP
ends them all, what is known is written, the exit code is 3 and no session is left; a second signal ends
the command at once.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from conftest import Server, embedded_server, slack, wait_until
from control import Command, asleep, proxy_before, sessions, start, started
from gates import Background
from helpers import examples, write_suite

from kisaan_validate.cli import signals
from kisaan_validate.errors import DatabaseError
from kisaan_validate.postgres import session as session_module
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import GRACE_SECONDS, Stop

TABLES = """CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g;
CREATE TABLE u AS SELECT * FROM t; ALTER TABLE u ADD PRIMARY KEY (id); CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1)"""
QUICK = (
    "from kisaan_validate import declare\ndeclare.holds('t', 'v > 0', "
    "id='quick')\ndeclare.unique('u', 'v', id='unique')\n"
)
SLOW = QUICK + "declare.holds('one', 'pg_sleep(60 * id) IS NULL', id='slow', volatile='pg_sleep')\n"


@pytest.fixture
def market(server: Server, tmp_path: Path) -> Iterator[str]:
    """A database with two tables, and a suite over it in the folder that sleeps for a minute."""
    database = server.create(TABLES)
    write_suite(tmp_path / "checks", {"a.py": SLOW})
    yield database
    server.drop(database)


def assert_interrupted(command: Command, code: int, answered: bool = True) -> None:
    """It ended by the signal, and its record says so; ``answered``: what was known is there."""
    assert code == 3, (code, command.out, command.err)
    assert "Traceback" not in command.err
    (record,) = command.records
    assert record["interrupted"].startswith("interrupted by SIG")
    found = {result["check_id"]: result["status"] for result in record["results"]}
    assert found["slow"] == "error"
    if answered:
        assert (found["quick"], found["unique"]) == ("pass", "pass")


# A network, a server, a process of it that stop answering


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_frozen_network_does_not_outlast_a_signal(
    server: Server, market: str, tmp_path: Path, number: int
) -> None:
    """A proxy becomes a black hole during a count: the run ends in time, its record holds what was known
    before.
    """
    with (
        proxy_before(server) as proxy,
        started(["run", "--jobs", "2"], tmp_path, proxy.dsn(market)) as command,
    ):
        command.runs_until(lambda: asleep(server, market) and len(_idle(server, market)) == 2)
        proxy.freeze()
        assert_interrupted(command, command.ended(command.signal(number)))
        proxy.thaw()
        wait_until(lambda: not sessions(server, market), 10)


def _idle(server: Server, database: str) -> list[int]:
    """The sessions that were asked nothing for so long that nothing is left to be asked: a session also
    waits for a client that a busy machine holds up.
    """
    sql = f"""SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND state = 'idle in transaction'
        AND clock_timestamp() - state_change > interval '{slack() / 2:.1f} s'"""
    return [int(pid) for (pid,) in server.sql(sql)]


@pytest.mark.slow
def test_a_second_signal_ends_at_once(server: Server, market: str, tmp_path: Path) -> None:
    """It is not waited for any grace: nothing is said about the data, exit 3."""
    with proxy_before(server) as proxy, started(["run"], tmp_path, proxy.dsn(market)) as command:
        command.runs_until(lambda: asleep(server, market))
        proxy.freeze()
        command.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert command.ended(command.signal(signal.SIGTERM), 1) == 3
        assert "at once" in command.err
        proxy.thaw()
        wait_until(lambda: not sessions(server, market), 10)


@pytest.mark.slow
def test_a_frozen_process_of_the_server_does_not_outlast_a_signal(
    server: Server, market: str, tmp_path: Path
) -> None:
    """SIGSTOP of the one that counts: it cannot even be cancelled. Once it goes on, it notices that nobody
    listens.
    """
    with started(["run", "--jobs", "2"], tmp_path, server.dsn(market)) as command:
        command.runs_until(lambda: asleep(server, market) and len(_idle(server, market)) == 2)
        (pid,) = asleep(server, market)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert_interrupted(command, command.ended(command.signal(signal.SIGTERM)))
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not sessions(server, market), 10)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_frozen_server_does_not_outlast_a_signal(tmp_path: Path, number: int) -> None:
    """SIGSTOP of all its processes: neither sessions nor the cancelling of a statement get an answer."""
    with embedded_server() as own:
        database = own.create(TABLES)
        write_suite(tmp_path / "checks", {"a.py": SLOW})
        with started(["run"], tmp_path, own.dsn(database)) as command:
            command.runs_until(lambda: asleep(own, database) and len(_idle(own, database)) == 2)
            with _frozen(own):
                assert_interrupted(command, command.ended(command.signal(number)))
            wait_until(lambda: not sessions(own, database), 10)


@contextmanager
def _frozen(server: Server) -> Iterator[None]:
    """A server none of whose processes runs."""
    folder = server.sql("SHOW data_directory")[0][0]
    parent = int((Path(folder) / "postmaster.pid").read_text().split()[0])
    os.kill(parent, signal.SIGSTOP)  # it starts no further ones
    everyone = [parent]
    try:
        everyone += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
        _send(everyone, signal.SIGSTOP)
        yield
    finally:
        _send(everyone, signal.SIGCONT)


def _send(pids: Iterable[int], number: int) -> None:
    """A signal to those that are still there: workers of the server come and go."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@pytest.mark.slow
def test_a_frozen_network_ends_by_the_limits_of_the_run(server: Server, market: str, tmp_path: Path) -> None:
    """Nobody sends a signal: the statement's limit ends each wait, the record says that the connection was
    lost, exit 3.
    """
    words = ["run", "--jobs", "2", "--statement-timeout", "2000"]
    with proxy_before(server) as proxy, started(words, tmp_path, proxy.dsn(market)) as command:
        command.runs_until(lambda: asleep(server, market))
        proxy.freeze()
        assert command.ended(time.monotonic(), 40) == 3
        (record,) = command.records
        messages = {result["check_id"]: result.get("message", "") for result in record["results"]}
        assert "the connection was lost: no answer within 7 s" in messages["slow"]
        assert "rewritten" not in "".join(messages.values())


# Connecting


@contextmanager
def _silent() -> Iterator[str]:
    """The connection string of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as listener:
        yield f"host=127.0.0.1 port={listener.getsockname()[1]} dbname=none user=nobody"


ASKING = {
    "run": ["run"],
    "baseline": ["baseline", "-o", "b.json"],
    "diff": ["diff", "--before", "DSN"],
    "init": ["init", "-o", "new"],
    "doctor": ["doctor"],
    "explain": ["explain"],
    "run --lock": ["run", "--lock"],
}
"""The commands that ask a server."""


@pytest.mark.parametrize(
    "name", [n if n in {"run", "doctor"} else pytest.param(n, marks=pytest.mark.slow) for n in ASKING]
)
def test_connecting_to_somebody_silent_does_not_outlast_a_signal(name: str, tmp_path: Path) -> None:
    """Nothing was measured, so there is no record; but it was the signal that ended it: exit 3."""
    write_suite(tmp_path / "checks", {"a.py": QUICK})
    with (
        _silent() as dsn,
        started([dsn if w == "DSN" else w for w in ASKING[name]], tmp_path, dsn) as command,
    ):
        command.listens()
        time.sleep(2)
        assert command.ended(command.signal(signal.SIGTERM)) == 3, command.err
        assert "interrupted" in command.err
        assert not command.records


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKING)
def test_connecting_to_somebody_silent_ends_by_its_limit(name: str, tmp_path: Path) -> None:
    """``connect_timeout`` of the URL holds for all of it; nothing was measured: exit 2."""
    write_suite(tmp_path / "checks", {"a.py": QUICK})
    with _silent() as plain:
        dsn = f"{plain} connect_timeout=2"
        with started([dsn if w == "DSN" else w for w in ASKING[name]], tmp_path, dsn) as command:
            command.listens()
            assert command.ended(time.monotonic(), 15) == 2, command.err


# Any moment


def _everything(server: Server, database: str, folder: Path) -> dict[str, list[str]]:
    return {
        **{
            name: [server.dsn(database) if w == "DSN" else w for w in words] for name, words in ASKING.items()
        },
        "list": ["list"],
        "run of streams": ["run", "--suite", str(folder / "streams")],
    }


STREAMS = """
import pandera.pandas as pa
class T(pa.DataFrameModel):
    id: int
    v: int = pa.Field()
    class Config:
        name = "t"
    @pa.check("v", element_wise=False)
    def positive(cls, series):
        import time
        time.sleep(0.2)
        return series > 0
"""


@pytest.mark.parametrize(
    "name", ["run", *(pytest.param(n, marks=pytest.mark.slow) for n in (*ASKING, "list", "run of streams"))]
)
def test_a_signal_at_any_moment_ends_it_in_time(
    server: Server, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Exit 3, or the code that it would have had if it was done already; a record if it measured; no
    session is left.
    """
    full = request.node.get_closest_marker("slow") is not None
    database = server.create(TABLES)
    write_suite(tmp_path / "checks", {"a.py": QUICK})
    write_suite(tmp_path / "streams", {"a.py": QUICK, "m.py": STREAMS})
    words = _everything(server, database, tmp_path)[name]
    with _timed(words, tmp_path / "first", tmp_path, server.dsn(database)) as whole:
        length, done = whole
    seed = random.randrange(1_000_000)
    moments = random.Random(seed)
    for turn in range(examples(20) if full else 2):
        folder = _copied(tmp_path, tmp_path / f"turn{turn}")
        moment, number = moments.uniform(0, length), moments.choice([signal.SIGTERM, signal.SIGINT])
        with started(words, folder, server.dsn(database)) as command:
            command.listens()
            time.sleep(moment)
            code = command.ended(command.signal(number))
            told = (seed, turn, moment, number, code, command.out, command.err)
            assert code in {3, done}, told
            assert "Traceback" not in command.err, told
            if code == done != 3 and name.startswith("run"):
                assert command.records, told
            wait_until(lambda: not sessions(server, database), 10)
    server.drop(database)


@contextmanager
def _timed(words: list[str], folder: Path, source: Path, dsn: str) -> Iterator[tuple[float, int]]:
    """How long a command takes that nobody interrupts, and its exit code."""
    command = start(words, _copied(source, folder), dsn)
    command.listens()
    begun = time.monotonic()
    code = command.ended(begun, 120)
    yield time.monotonic() - begun, code


def _copied(source: Path, folder: Path) -> Path:
    folder.mkdir()
    for name in ("checks", "streams"):
        (folder / name).symlink_to(source / name)
    return folder


# What holds it together


@pytest.mark.parametrize("copied", [False, True])
def test_a_stop_ends_every_wait_for_a_server(server: Server, database: str, copied: bool) -> None:
    """A statement or a stream that nobody answers is cut when the grace of a stop has passed; later ones
    are not waited for.
    """
    with proxy_before(server) as proxy:
        stop = Stop()
        session = Session(find_target(proxy.dsn(database)), Limits(), ("public",), stop)
        proxy.freeze()
        wait = (
            (lambda: session.copy_out("COPY (SELECT 1) TO STDOUT", len))
            if copied
            else (lambda: session.execute("SELECT 1"))
        )
        waiting = Background(wait)
        time.sleep(0.3)
        stop.request("interrupted by a test")
        for asked in (waiting, Background(wait)):
            with pytest.raises(DatabaseError, match="the connection was lost: no answer"):
                asked.result(GRACE_SECONDS + 1 + slack())
        session.close()


@pytest.mark.slow
def test_whoever_does_not_hear_a_signal_is_killed(tmp_path: Path) -> None:
    """A source of the suite that takes signals away: the watching process ends it all the same, exit 3."""
    deaf = (
        "import signal, time\nfor n in (signal.SIGTERM, signal.SIGINT): signal.signal(n, "
        "signal.SIG_IGN)\nopen('deaf', 'w').close()\ntime.sleep(60)\n"
    )
    write_suite(tmp_path / "checks", {"a.py": QUICK + deaf})
    with started(["list"], tmp_path, "") as command:
        command.runs_until((tmp_path / "deaf").exists)
        assert command.ended(command.signal(signal.SIGTERM)) == 3
        assert "did not end in time after a signal" in command.err


@pytest.mark.parametrize("words", [["list"], ["report", "none.json"]], ids=["watched", "by itself"])
def test_a_signal_while_the_interpreter_tidies_up_changes_no_exit_code(
    words: list[str], tmp_path: Path
) -> None:
    """Once the exit code is known, nothing puts back a handler that would end the process in another way."""
    write_suite(tmp_path / "checks", {"a.py": QUICK})
    late = (
        "import atexit, os, signal, sys\nfrom kisaan_validate.cli.main import entry\nme = os.getpid()\n"
        "def last():\n    if os.getpid() == me:\n        os.kill(me, signal.SIGTERM)\n"
        "        print([signal.getsignal(n).name for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)])\n"
        f"atexit.register(last)\nsys.argv = ['kisaan-validate', *{words!r}]\nentry()\n"
    )
    whole = subprocess.run([sys.executable, "-c", late], cwd=tmp_path, capture_output=True, text=True)
    assert whole.returncode == (0 if words == ["list"] else 2), whole
    assert "['SIG_IGN', 'SIG_IGN', 'SIG_IGN']" in whole.stdout


SIGNAL = "import os, signal\ndef hear(*_): os.kill(os.getpid(), signal.SIGINT)\n"
WRAPPED = {
    "plainly": "hear()",
    "where __set_name__ may not raise": "class D: __set_name__ = hear\nclass C: d = D()",
    "where a library wraps": "try: hear()\nexcept BaseException as e: raise ValueError('x') from e",
    "where a library raises again": "try: hear()\nexcept BaseException: {}['x']",
    "where nothing can be raised": "class D: __del__ = hear\nD()",
}


@pytest.mark.parametrize("place", WRAPPED)
def test_an_interruption_that_is_wrapped_or_lost_is_one_still(
    server: Server, market: str, tmp_path: Path, place: str
) -> None:
    """Wherever the interpreter stands when a signal comes, it is said to be an interruption: never a fault
    of ours, of the suite or of the data.
    """
    write_suite(tmp_path / "checks", {"a.py": f"{SIGNAL}{WRAPPED[place]}\n{QUICK}"})
    with started(["run"], tmp_path, server.dsn(market)) as command:
        assert command.ended(time.monotonic(), 30) == 3
        assert "interrupted" in command.out + command.err
        assert not {"Traceback", "bug", "ignored"} & set(command.err.replace(":", " ").split())


@pytest.mark.slow
def test_an_interruption_that_nobody_sent_is_a_fault() -> None:
    """Where no signal was heard, what a library raises so is an error like any other."""
    assert not signals.heard()
    assert not signals.behind(KeyboardInterrupt())


def test_what_has_come_in_is_no_silence_of_the_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream is not cut when its limit passes, whether its reader is slow (there is something to read) or
    it takes longer than the limit as a whole (rows came in meanwhile).
    """
    monkeypatch.setattr(session_module, "SPARE_SECONDS", -898)
    session = Session(find_target(server.dsn()), Limits(), ("public",))
    rows: list[bytes] = []

    def take(row: bytes) -> None:
        if not rows:
            time.sleep(3)
        rows.append(row)

    session.copy_out("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT", take)
    assert len(rows) == 20_000
    session.copy_out(
        "COPY (SELECT repeat('x', 9000), pg_sleep(0.3) FROM generate_series(1, 10)) TO STDOUT", rows.append
    )
    assert len(rows) == 20_010
    with pytest.raises(DatabaseError, match="no answer within 2 s") as lost:
        session.execute("SELECT pg_sleep(20)")
    assert lost.value.lost
    session.close()


def test_a_server_that_cannot_tell_whether_we_are_there_is_asked_without(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some systems know no such setting: the transaction begins all the same, once and for all later ones."""
    monkeypatch.setattr(session_module, "_ALIVE", (("client_connection_check_interval", "'-5s'", 0),))
    session = Session(find_target(server.dsn()), Limits(), ("public",))
    for _ in range(2):
        session.begin()
        assert session.execute("SELECT 1") == [(1,)]
        session.execute("ROLLBACK")
    session.close()


def test_what_a_url_says_of_a_connection_counts(server: Server) -> None:
    """Keepalives and the limit of unanswered bytes are ours only where the URL says nothing."""
    for given, kept in (({}, "60000"), ({"tcp_user_timeout": "1234"}, "1234")):
        session = Session(find_target(server.dsn(**given)), Limits(), ("public",))
        assert session.parameters["tcp_user_timeout"] == kept
        session.close()


def test_cancelling_holds_nobody_up(server: Server, database: str) -> None:
    """Where nobody answers, asking to cancel returns at once, and other threads go on."""
    with proxy_before(server) as proxy:
        session = Session(find_target(proxy.dsn(database)), Limits(), ("public",))
        proxy.freeze()
        begun = time.monotonic()
        session.cancel()
        assert sum(range(1_000)) == 499_500
        assert time.monotonic() - begun < 1 + slack()
        session.abandon()
        session.close()
