"""No fault of a process, a function or a server ever yields PASS for rows that were streamed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandera.pandas as pa
import psutil
import pytest
from conftest import ROOT, Server, slack, wait_until
from gates import PATIENT, Background, activity, by_id, kill
from helpers import settings, write_suite

from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.plan import streams
from kisaan_validate.postgres.session import Limits
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import Progress
from kisaan_validate.prove.run import run
from kisaan_validate.stream import conduct, helpers, piece
from kisaan_validate.suite.load import load_suite, suite_of

ITEMS = """
    CREATE TABLE items (id int PRIMARY KEY, amount bigint NOT NULL);
    INSERT INTO items SELECT g, g FROM generate_series(1, 20000) AS g;
"""

SUITE = """\
    import os, signal, time
    from pathlib import Path
    import pandera.pandas as pa

    HERE = Path(__file__).parent
    W = {{"row_wise": True}}

    def once(name):
        \"\"\"Whether this is the first time, in any process.\"\"\"
        try:
            (HERE / name).touch(exist_ok=False)
            return True
        except FileExistsError:
            return False

    def culprit(s):
        {body}
        return s > 0

    items = pa.DataFrameSchema({{"amount": pa.Column(int, [
        pa.Check(lambda s: s > 0, name="before", statistics=W),
        pa.Check(culprit, name="culprit", statistics=W),
        pa.Check(lambda s: s <= 19990, name="after", statistics=W),
    ])}}, name="items")
"""


def suite(folder: Path, body: str) -> Any:
    """A suite of three Python checks; the one in the middle does something first."""
    return load_suite(write_suite(folder, {"items.py": SUITE.format(body=body)}))


@pytest.fixture
def items(server: Server, database: str) -> str:
    """A database with 20,000 items."""
    server.sql(ITEMS, database)
    return database


def assert_answered(found: dict[str, Result], *ids: str) -> None:
    """These checks of the suite have their true answers."""
    known = {"before": 0, "culprit": 0, "after": 10}
    for id in ids:
        result = found[f"items.amount.{id}"]
        assert (result.violations, result.examined) == (known[id], 20_000), result
        assert len(result.sample) == known[id]


def assert_error(result: Result, words: str = "", sqlstate: str = "") -> None:
    """The result is an ERROR that says this."""
    assert (result.status, result.sqlstate, result.violations) == (Status.ERROR, sqlstate, None)
    assert words in result.message
    assert result.message


def children() -> list[psutil.Process]:
    """The processes that read streams for this one."""
    return [p for p in psutil.Process().children() if "kisaan_validate.stream.child" in " ".join(p.cmdline())]


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """Whatever happened, no reader outlives its run."""
    yield
    wait_until(lambda: not children(), 3)


# Processes that die


@pytest.mark.slow
@pytest.mark.parametrize("body", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "os.abort()"])
def test_a_function_that_kills_its_process_costs_its_own_answer(
    server: Server, items: str, tmp_path: Path, body: str
) -> None:
    """A function that takes its process down is named and ERROR; the others are asked again without it."""
    found = by_id(run(suite(tmp_path, body), server.dsn(items), options=Options(jobs=2)))
    assert_error(found["items.amount.culprit"], "in this function")
    assert_answered(found, "before", "after")


@pytest.mark.slow
def test_a_process_that_dies_once_is_replaced(server: Server, items: str, tmp_path: Path) -> None:
    """A reader that is killed (by whomever) is not the fault of the function that it was in: its piece is
    read again.
    """
    body = "if once('died'): os.kill(os.getpid(), signal.SIGKILL)"
    found = by_id(run(suite(tmp_path, body), server.dsn(items), options=Options(jobs=1)))
    assert_answered(found, "before", "culprit", "after")


@pytest.mark.slow
def test_a_process_that_is_killed_from_outside_is_replaced(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two readers is killed in the middle of its piece: every row is judged once all the same."""
    monkeypatch.setattr(streams, "BLOCKS", 8)
    body = "if once('came'):\n            while not (HERE / 'go').exists(): time.sleep(0.02)"
    running = Background(lambda: run(suite(tmp_path, body), server.dsn(items), options=Options(jobs=2)))
    wait_until(lambda: (tmp_path / "came").exists(), 30)
    reading = [p for p in children() if p.status() != psutil.STATUS_ZOMBIE]
    for process in reading:
        process.kill()
    (tmp_path / "go").touch()
    assert_answered(by_id(running.result(60)), "before", "culprit", "after")


@pytest.mark.slow
def test_processes_that_die_between_functions_answer_nothing(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that dies twice outside every function: nobody is to blame, and nothing passes."""
    monkeypatch.setattr(
        piece.PieceReader, "_finish", piece.PieceReader._finish
    )  # this process loads the suite too: put it right again
    (tmp_path / "b.py").write_text(
        "import os\nimport pandera.pandas as pa\n"
        "from kisaan_validate.stream import piece\n"
        "whole = piece.PieceReader._finish\n"
        "piece.PieceReader._finish = lambda self: (whole(self), os._exit(7))\n"
    )
    found = by_id(run(suite(tmp_path, "pass"), server.dsn(items), options=Options(jobs=1)))
    for id in ("before", "culprit", "after"):
        assert_error(found[f"items.amount.{id}"], "exit code 7")


def test_a_process_that_cannot_start_answers_nothing(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no reader can be started every check that needs one is ERROR, and says why."""
    made = suite(tmp_path, "pass")
    for program in ("/bin/false", "/nothing/of/the/kind", str(ROOT)):
        monkeypatch.setattr(sys, "executable", program)
        outcome = run(made, server.dsn(items))
        for id in ("before", "culprit", "after"):
            assert_error(by_id(outcome)[f"items.amount.{id}"], "did not start")
        assert outcome.verdict is Verdict.INCONCLUSIVE


def test_a_bug_in_a_reader_answers_nothing(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception where none is expected ends a reader, and leaves its checks without an answer."""
    made = suite(tmp_path, "pass")
    monkeypatch.setattr(helpers.Process, "read", lambda *_: 1 / 0)
    found = by_id(run(made, server.dsn(items)))
    for id in ("before", "culprit", "after"):
        assert_error(found[f"items.amount.{id}"], "ZeroDivisionError in a reader")


def test_a_server_without_free_connections(server: Server, items: str, tmp_path: Path) -> None:
    """A reader that gets no connection: ERROR in the server's words; what the other sessions answer
    stands.
    """
    server.sql(f"CREATE ROLE few_{items} LOGIN CONNECTION LIMIT 2; GRANT pg_read_all_data TO few_{items}")
    try:
        outcome = run(suite(tmp_path, "pass"), server.dsn(items, f"few_{items}"), options=Options(jobs=1))
        for id in ("before", "culprit", "after"):
            assert_error(by_id(outcome)[f"items.amount.{id}"], "too many connections")
        assert by_id(outcome)["items.amount.not_null"].status is Status.PASS
    finally:
        server.sql(f"DROP ROLE few_{items}")


def test_a_suite_that_changes_while_it_is_run_answers_nothing(
    server: Server, items: str, tmp_path: Path
) -> None:
    """Readers read the suite again: if it is not the one that was loaded, its functions are not asked."""
    made = suite(tmp_path, "pass")
    (tmp_path / "items.py").write_text(
        (tmp_path / "items.py").read_text().replace("s <= 19990", "s <= 20000")
    )
    found = by_id(run(made, server.dsn(items)))
    for id in ("before", "culprit", "after"):
        assert_error(found[f"items.amount.{id}"], "the suite changed during the run")


@pytest.mark.slow
def test_a_helper_module_that_changes_is_noticed(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function of another module is a part of what a check means, though its file is none of the
    suite's.
    """
    (tmp_path / "lib").mkdir()
    helper = tmp_path / "lib" / f"helper_{items}.py"
    helper.write_text("def fine(s):\n    return s > 0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    source = (
        f"import pandera.pandas as pa\nfrom {helper.stem} import fine\nT = "
        f"pa.DataFrameSchema({{'amount': pa.Column(int, pa.Check(lambda s: fine(s), name='f'))}}, "
        f"name='items')\n"
    )
    made = load_suite(write_suite(tmp_path / "checks", {"a.py": source}))
    assert by_id(run(made, server.dsn(items)))["items.amount.f"].status is Status.PASS
    helper.write_text("def fine(s):\n    return s > 9\n")
    assert_error(by_id(run(made, server.dsn(items)))["items.amount.f"], "the suite changed")


# The server


def test_a_killed_session_of_a_reader_is_an_error(server: Server, items: str, tmp_path: Path) -> None:
    """A session killed in the middle of a COPY: ERROR for the checks of that stream, all others answered."""
    body = "if once('came'):\n            while not (HERE / 'go').exists(): time.sleep(0.02)"
    server.sql("INSERT INTO items SELECT g, g FROM generate_series(20001, 200000) AS g", items)
    running = Background(lambda: run(suite(tmp_path, body), server.dsn(items), options=Options(jobs=1)))
    wait_until(lambda: (tmp_path / "came").exists(), 30)
    sql = "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND query LIKE 'COPY (%'"
    (pid,) = [row[0] for row in server.sql(sql.format(items))]
    kill(server, pid)
    (tmp_path / "go").touch()
    outcome = running.result(60)
    for id in ("before", "culprit", "after"):
        result = by_id(outcome)[f"items.amount.{id}"]
        assert (result.status, result.violations) == (Status.ERROR, None)
        assert result.sqlstate in {
            "57P01",
            "08006",
        }  # a server that waits for its reader to read cannot say why it ends
        assert "connection" in result.message
    assert by_id(outcome)["items.amount.not_null"].status is Status.PASS
    assert outcome.verdict is Verdict.INCONCLUSIVE


def test_a_statement_timeout_ends_a_stream(server: Server, items: str, tmp_path: Path) -> None:
    """The COPY is a statement like any other: over its time it is ERROR 57014 for its checks, and is not
    asked again.
    """
    server.sql(
        "CREATE TABLE slow (id int PRIMARY KEY); INSERT INTO slow SELECT generate_series(1, 100); "
        "CREATE VIEW crawl AS SELECT id, id::text || pg_sleep(0.1)::text AS x FROM slow",
        items,
    )
    source = (
        "import pandera.pandas as pa\nT = pa.DataFrameSchema({'x': pa.Column(None, pa.Check(lambda "
        "s: True, name='f'))}, name='crawl')\n"
    )
    made = load_suite(write_suite(tmp_path, {"a.py": source}))
    outcome = run(made, server.dsn(items), options=Options(limits=Limits(statement_timeout=1_500)))
    result = by_id(outcome)["crawl.x.f"]
    assert result.status is Status.ERROR
    assert result.sqlstate == "57014" or "volatile" in result.message


def test_a_right_that_is_missing(server: Server, items: str, tmp_path: Path) -> None:
    """Without SELECT on one column the COPY is refused: 42501 for the checks of that stream."""
    role = f"blind_{items}"
    server.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT (id) ON items TO {role}", items)
    try:
        found = by_id(run(suite(tmp_path, "pass"), server.dsn(items, role), options=Options(jobs=1)))
        for id in ("before", "culprit", "after"):
            assert_error(found[f"items.amount.{id}"], "permission denied", "42501")
    finally:
        server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", items)


def test_row_security_is_an_error(server: Server, items: str, tmp_path: Path) -> None:
    """Rows hidden from the role would make a part look like the whole: ERROR."""
    role = f"part_{items}"
    server.sql(
        f"CREATE ROLE {role} LOGIN; GRANT SELECT ON items TO {role}; ALTER TABLE items ENABLE ROW LEVEL "
        f"SECURITY; "
        f"CREATE POLICY p ON items USING (id < 10)",
        items,
    )
    try:
        found = by_id(run(suite(tmp_path, "pass"), server.dsn(items, role), options=Options(jobs=1)))
        for id in ("before", "culprit", "after"):
            assert_error(found[f"items.amount.{id}"], "row-level security", "42501")
    finally:
        server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", items)


def test_a_locked_table_is_an_error_of_its_own_stream(server: Server, items: str, tmp_path: Path) -> None:
    """A table that somebody holds exclusively: ERROR 55P03, in time."""
    other = server.connect(items)
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
        found = by_id(
            run(suite(tmp_path, "pass"), server.dsn(items), options=Options(limits=Limits(lock_timeout=150)))
        )
    other.close()
    for id in ("before", "culprit", "after"):
        assert_error(found[f"items.amount.{id}"], "", "55P03")


def test_a_migration_that_waits_in_line_does_not_shut_readers_out(
    server: Server, items: str, tmp_path: Path
) -> None:
    """Readers take their locks when the run begins: an ALTER TABLE that queues up while it counts does not
    stop them.
    """
    made = suite(tmp_path, "pass")
    waiting: list[Background[Any]] = []

    def queue_up(event: object) -> None:
        if isinstance(event, Progress) and event.phase == "streaming" and not waiting:
            waiting.append(Background(lambda: server.sql("ALTER TABLE items ADD more int", items)))
            wait_until(
                lambda: server.sql(
                    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER "
                    "TABLE items%'"
                )
            )

    def ready(event: object) -> None:
        if isinstance(event, Progress) and event.phase == "checking":
            wait_until(lambda: len(activity(server, items)) == 4, 20)  # holder, pool of one, … and a reader
        queue_up(event)

    found = by_id(
        run(made, server.dsn(items), options=Options(jobs=2, limits=Limits(lock_timeout=500)), observer=ready)
    )
    assert_answered(found, "before", "culprit", "after")
    waiting[0].result()


# Time


@pytest.mark.slow
def test_a_function_that_does_not_return_is_named(
    server: Server, items: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that takes longer than a statement may: its process is ended, and the check that it was
    in is named.
    """
    monkeypatch.setattr(helpers, "SPARE_SECONDS", 0.5)
    started = time.monotonic()
    options = Options(jobs=1, limits=Limits(statement_timeout=2_500))
    found = by_id(run(suite(tmp_path, "while True: pass"), server.dsn(items), options=options))
    assert time.monotonic() - started < 15 + slack()
    for id in ("before", "culprit", "after"):
        assert_error(found[f"items.amount.{id}"], "in the function of items.amount.culprit")


def test_a_function_that_does_not_return_in_this_process(
    server: Server, items: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where the function runs in a thread: it is left behind, and nothing of its stream passes."""
    monkeypatch.setattr(conduct, "SPARE_SECONDS", 0.5)
    go = threading.Event()

    def stuck(s: Any) -> Any:
        go.wait()
        return s > 0

    checks = [pa.Check(lambda s: s > 0, name="a"), pa.Check(stuck, name="b")]
    made = suite_of(pa.DataFrameSchema({"amount": pa.Column(int, checks)}, name="items"), settings=settings())
    found = by_id(run(made, server.dsn(items), options=Options(limits=Limits(statement_timeout=3_000))))
    for id in "ab":
        assert_error(found[f"items.amount.{id}"], "in the function of items.amount.b")
    go.set()


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(60)"])
def test_a_stop_ends_processes_within_two_seconds(
    server: Server, items: str, tmp_path: Path, body: str
) -> None:
    """A stop in the middle of a function: the run comes back, INCONCLUSIVE, and neither processes nor
    sessions are left.
    """
    stop = Stop()
    mark = (
        f"(HERE / 'in').touch(); {body}"
        if not body.startswith("while")
        else f"(HERE / 'in').touch()\n        {body}"
    )
    running = Background(
        lambda: run(suite(tmp_path, mark), server.dsn(items), options=Options(jobs=2), stop=stop)
    )
    wait_until(lambda: (tmp_path / "in").exists(), 30)
    started = time.monotonic()
    stop.request("interrupted by SIGINT")
    outcome = running.result(10)
    assert time.monotonic() - started < 2.5 + slack()
    for id in ("before", "culprit", "after"):
        assert_error(by_id(outcome)[f"items.amount.{id}"], "interrupted by SIGINT")
    assert outcome.verdict is Verdict.INCONCLUSIVE
    wait_until(lambda: not children() and not activity(server, items), 2)


def test_a_stop_while_the_server_sorts(server: Server, items: str, tmp_path: Path) -> None:
    """A stop while the server has sent nothing yet: the statement is cancelled, not left to itself."""
    server.sql(
        "INSERT INTO items SELECT g, g FROM generate_series(20001, 1500000) AS g; ALTER TABLE items DROP "
        "CONSTRAINT items_pkey; "
        "CREATE VIEW heavy AS SELECT count(*) AS n FROM items AS a JOIN items AS b ON a.id < b.id",
        items,
    )
    source = (
        "import pandera.pandas as pa\nT = pa.DataFrameSchema({'n': pa.Column(None, pa.Check(lambda "
        "s: True, name='f'))}, name='heavy')\n"
    )
    stop = Stop()
    made = load_suite(write_suite(tmp_path, {"a.py": source}))
    running = Background(
        lambda: run(made, server.dsn(items), options=Options(jobs=1, limits=PATIENT), stop=stop)
    )
    wait_until(
        lambda: server.sql(
            f"SELECT 1 FROM pg_stat_activity WHERE datname = '{items}' AND state = 'active' AND query "
            f"LIKE '%heavy%' AND pid <> pg_backend_pid()"
        ),
        30,
    )
    time.sleep(0.5)
    stop.request("interrupted by SIGTERM")
    assert by_id(running.result(10))["heavy.n.f"].status is Status.ERROR
    wait_until(lambda: not activity(server, items), 2)


def test_readers_end_when_their_parent_is_gone(server: Server, items: str, tmp_path: Path) -> None:
    """A run that is killed outright takes its readers and their sessions along."""
    suite(tmp_path, "(HERE / 'in').touch(); time.sleep(60)")
    script = (
        f"from kisaan_validate import load_suite, run\nrun(load_suite({str(tmp_path)!r}), "
        f"{server.dsn(items)!r})"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", script], env=env)
    wait_until(lambda: (tmp_path / "in").exists(), 30)
    readers = psutil.Process(parent.pid).children()
    assert readers
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(r.is_running() and r.status() != psutil.STATUS_ZOMBIE for r in readers), 3)
    wait_until(lambda: not activity(server, items), 3)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_is_interrupted(
    server: Server, items: str, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C reaches the whole group of processes: the command writes what is known and ends with 3 within
    two seconds.
    """
    suite(tmp_path / "checks", "(HERE / 'in').touch(); time.sleep(60)")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": server.dsn(items)}
    words = [
        sys.executable,
        "-m",
        "kisaan_validate",
        "run",
        "--suite",
        str(tmp_path / "checks"),
        "--reports",
        str(tmp_path / "reports"),
    ]
    process = subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    wait_until(lambda: (tmp_path / "checks" / "in").exists(), 30)
    started = time.monotonic()
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - started < 4 + slack(), output
    assert process.returncode == 3, output
    assert list((tmp_path / "reports").glob("*/run.json"))
    wait_until(lambda: not activity(server, items), 2)


def test_a_script_without_a_main_guard(server: Server, items: str, tmp_path: Path) -> None:
    """Readers do not run the caller's script again, as multiprocessing's children would."""
    suite(tmp_path / "checks", "print('a word on stdout')")
    (tmp_path / "script.py").write_text(
        f"print('once')\nfrom kisaan_validate import load_suite, run\n"
        f"print(run(load_suite({str(tmp_path / 'checks')!r}), {server.dsn(items)!r}).verdict)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["once", "FAIL"]


def test_a_run_without_python_checks_pays_for_none(server: Server, items: str, tmp_path: Path) -> None:
    """Only suites with Python checks pay for pandas, and for what reads streams."""
    sql = "-- id: a\n-- key: id\nSELECT id FROM items WHERE amount <= 0\n"
    write_suite(tmp_path, {"sql/a.sql": sql})
    script = (
        f"import sys\nfrom kisaan_validate import load_suite, run\nr = "
        f"run(load_suite({str(tmp_path)!r}), {server.dsn(items)!r})\n"
        "print(r.verdict, [m for m in sys.modules if m.partition('.')[0] in {'pandas', 'pandera', "
        "'numpy', 'multiprocessing'}"
        " or m.startswith('kisaan_validate.stream.') and not m.endswith('.tally')])"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "PASS []"


def test_passwords_are_in_no_command_line(server: Server, items: str, tmp_path: Path) -> None:
    """What a reader is told goes over a pipe: its command line, which every user can read, holds no
    connection string.
    """
    body = "if once('came'):\n            while not (HERE / 'go').exists(): time.sleep(0.02)"
    running = Background(
        lambda: run(suite(tmp_path, body), server.dsn(items, password="hush"), options=Options(jobs=1))
    )
    wait_until(lambda: (tmp_path / "came").exists(), 30)
    lines = [" ".join(p.cmdline()) for p in children()]
    environment = [v for p in children() for k, v in p.environ().items() if k != "PYTHONPATH"]
    (tmp_path / "go").touch()
    running.result(60)
    assert lines
    assert "hush" not in " ".join([*lines, *environment])
