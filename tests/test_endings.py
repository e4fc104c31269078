"""An exit code says what was found: no suite, stream or signal makes another of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Server, slack, wait_until
from helpers import write_suite

HEAD = (
    "import atexit, os, signal, sys, threading, time\nfrom kisaan_validate import "
    "declare\ndeclare.holds('t', 'id > 0', id='c')\n"
)
PROGRAM = [sys.executable, "-m", "kisaan_validate"]

ENDINGS = {
    "sys.exit(0)": "a.py",
    "os._exit(0)": "a.py",
    "raise SystemExit": "a.py",
    "raise SystemExit(None)": "a.py",
    "os.execv('/bin/true', ['true'])": "a.py",
    "os.kill(os.getpid(), signal.SIGKILL)": "a.py",
    "exit()": "a.py",
    "class E(BaseException): pass\nraise E": "a.py",
    "sys.stdout.close()": "a.py",
    "os.close(1)": "a.py",
    "os.close(2); os.close(1)": "a.py",
    "threading.Thread(target=os._exit, args=(0,)).start(); time.sleep(2)": "a.py",
    "sys.stderr.close()": "a.py",
    "sys.stdout = sys.stderr = None": "",
    "atexit.register(os._exit, 0)": "",
}
"""What a source may do, and the file that is to be named where it is refused."""


@pytest.fixture(scope="module")
def market(server: Server) -> str:
    """A database in which one check holds."""
    return server.create("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")


def _run(words: list[str], folder: Path, dsn: str = "", shell: str = "") -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f'"$@" {shell}', "sh", *PROGRAM, *words] if shell else [*PROGRAM, *words]
    env = {**os.environ, **({"KISAAN_DSN": dsn} if dsn else {})}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


QUICK = ("os._exit(0)", "sys.stdout.close()")


@pytest.mark.parametrize(
    "ending", [e if e in QUICK else pytest.param(e, marks=pytest.mark.slow) for e in ENDINGS]
)
def test_a_suite_that_ends_the_interpreter_is_no_pass(ending: str, tmp_path: Path) -> None:
    """Law: however a source ends, replaces or silences the process, the command exits 2 and one line names
    the source.
    """
    write_suite(tmp_path / "checks", {"a.py": HEAD + ending + "\n", "b.py": "x = 1\n"})
    found = _run(["list"], tmp_path)
    if not ENDINGS[ending]:
        assert (found.returncode, "c " in found.stdout or "c\n" in found.stdout) == (0, True), found
        return
    assert found.returncode == 2, found
    if "close" not in ending or "1)" not in ending:
        assert "Traceback" not in found.stderr
    if "os.close(2)" not in ending and "stderr.close" not in ending:
        assert "a.py" in found.stderr


@pytest.mark.slow
def test_a_thread_that_exits_later_is_no_pass(server: Server, market: str, tmp_path: Path) -> None:
    """It is seen where it happens: after loading, nothing is known of the data."""
    later = "threading.Thread(target=lambda: (time.sleep(0.2), os._exit(0)), daemon=True).start()\n"
    write_suite(tmp_path / "checks", {"a.py": HEAD + later})
    found = _run(["run"], tmp_path, server.dsn(market))
    assert found.returncode in {2, 3}, found
    assert "was ended with exit status 0" in found.stderr


@pytest.mark.parametrize(("rows", "code"), [("1", 0), ("-1", 1)])
@pytest.mark.parametrize(
    "shell",
    [
        ">&-",
        *(pytest.param(s, marks=pytest.mark.slow) for s in (">/dev/full", "2>&-", "<&- >&- 2>&-", "| true")),
    ],
)
def test_output_that_goes_nowhere_costs_no_record_and_makes_no_finding(
    server: Server, rows: str, code: int, shell: str, tmp_path: Path
) -> None:
    """Law: the record is written, nothing is traced, and the code is that of the data, or 3 where the
    words were lost.
    """
    database = server.create(f"CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES ({rows})")
    write_suite(tmp_path / "checks", {"a.py": HEAD})
    piped = shell == "| true"
    found = _run(["run"], tmp_path, server.dsn(database), shell if not piped else "| (exec <&-; true)")
    (record,) = tmp_path.glob("reports/*/run.json")
    assert json.loads(record.read_text())["results"][0]["status"] == ("pass" if code == 0 else "fail")
    assert "Traceback" not in found.stderr
    if not piped:  # the shell says how true ended
        assert found.returncode in ({code} if "full" not in shell else {code, 3}), found
    server.drop(database)


def _heard() -> None:
    """Whoever runs the tests in the background of a shell hands a SIGINT down that is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


MORE = [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, True)]


@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGTERM, False), *(pytest.param(*m, marks=pytest.mark.slow) for m in MORE)]
)
def test_a_signal_stops_a_run_once(server: Server, number: int, group: bool, tmp_path: Path) -> None:
    """To the process alone or to its whole group (as a terminal and `timeout` send it): stopped in order,
    recorded, exit 3.
    """
    database = server.create("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    write_suite(
        tmp_path / "checks",
        {
            "a.py": "from kisaan_validate import declare\ndeclare.holds('t', 'pg_sleep(60 * id) IS "
            "NULL', id='slow', volatile='pg_sleep')\n"
        },
    )
    env = {**os.environ, "KISAAN_DSN": server.dsn(database)}
    process = subprocess.Popen(
        [*PROGRAM, "run"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heard,
    )
    asleep = (
        f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60 * id)%' AND datname "
        f"= '{database}' AND state = 'active'"
    )
    wait_until(lambda: server.sql(asleep)[0][0] == 1, 60)
    (os.killpg if group else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, (out, err)
    (record,) = tmp_path.glob("reports/*/run.json")
    assert json.loads(record.read_text())["interrupted"].startswith("interrupted by SIG")
    server.drop(database)


@pytest.mark.slow
def test_a_command_ends_with_the_process_that_watches_it(server: Server, tmp_path: Path) -> None:
    """Killed outright, the watching process leaves no run behind that nobody waits for."""
    database = server.create("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    write_suite(
        tmp_path / "checks",
        {
            "a.py": "from kisaan_validate import declare\ndeclare.holds('t', 'pg_sleep(60 * id) IS "
            "NULL', id='slow', volatile='pg_sleep')\n"
        },
    )
    env = {**os.environ, "KISAAN_DSN": server.dsn(database)}
    process = subprocess.Popen(
        [*PROGRAM, "run"], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    sessions = (
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    )
    asleep = f"{sessions} AND query LIKE '%pg_sleep(60 * id)%' AND state = 'active'"
    wait_until(lambda: server.sql(asleep)[0][0] == 1, 60)
    process.kill()
    process.wait()
    wait_until(lambda: server.sql(sessions)[0][0] == 0, 30)
    wait_until(lambda: list(tmp_path.glob("reports/*/run.json")), 30)
    (record,) = tmp_path.glob("reports/*/run.json")
    assert json.loads(record.read_text())["interrupted"].startswith("interrupted by SIG")
    server.drop(database)


@pytest.mark.parametrize(
    "ending",
    [
        "os._exit(0)",
        *(
            pytest.param(e, marks=pytest.mark.slow)
            for e in ("os.execv('/bin/true', ['true'])", "sys.stdout.close()", "sys.exit(0)")
        ),
    ],
)
def test_pytest_is_not_ended_by_a_suite(ending: str, tmp_path: Path) -> None:
    """`pytest --kisaan-suite` reads the suite in a process of its own first: a usage error (4), never a
    green run.
    """
    write_suite(tmp_path / "checks", {"a.py": HEAD + ending + "\n"})
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--kisaan-suite", "checks"]
    found = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 4, found
    assert "a.py" in found.stderr + found.stdout


def test_watching_costs_little(tmp_path: Path) -> None:
    """A fork before anything heavy is imported: well below the time that importing takes."""
    from kisaan_validate.cli.supervise import supervised

    start = time.perf_counter()
    code = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "from kisaan_validate.cli.supervise import supervised; import sys; "
                "sys.exit(supervised(lambda: 5, 2, 3))"
            ),
        ],
        check=False,
    ).returncode
    assert code == 5
    assert time.perf_counter() - start < 5 + slack()
    assert callable(supervised)
