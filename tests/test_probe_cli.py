"""``probe run``, ``list`` and ``show`` as they are typed: exit codes, records, and every door from outside."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import warm
from conftest import ROOT, slack, wait_until
from faulty import Faulty, faulty, in_turn, late, plain, raw, said

PROBES = """
format = 1
name = "shop"
base_url = "{url}"
production = false
[health]
path = "/health"
[[step]]
name = "a user"
method = "POST"
path = "/users"
json = {{ name = "${{rid}}" }}
capture.user = "$.id"
cleanup = {{ path = "/users/${{user}}" }}
[[step]]
name = "read it"
path = "/users/${{user}}"
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "160", "LANG": "C.UTF-8"}


def cli(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder."""
    return warm.run("kisaan_validate", words, folder, {**ENVIRONMENT, **env}, 60, False)


def few(cases: Collection[str]) -> list[Any]:
    """The first three of cases that all go the same way; the others are slow."""
    return [*list(cases)[:3], *(pytest.param(one, marks=pytest.mark.slow) for one in list(cases)[3:])]


@pytest.fixture
def server() -> Iterator[Faulty]:
    """An application in which users can be made, read and removed."""
    with faulty(health=said(200, {})) as made:
        made.ways |= {
            "POST /users": said(201, {"id": 7}),
            "GET /users/7": said(200, {}),
            "DELETE /users/7": plain(204, b""),
        }
        yield made


def write(folder: Path, server: Faulty, text: str = PROBES) -> None:
    """The file of probes."""
    (folder / "probes.toml").write_text(text.format(url=server.url))


def test_a_run_is_told_and_kept(server: Faulty, tmp_path: Path) -> None:
    """Law: exit 0 only if every step passed; what was created is printed and in the record, which `show`
    shows again.
    """
    write(tmp_path, server)
    done = cli(tmp_path, "probe", "run", "--allow-writes", "-o", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "out" / "probe.json").read_text())
    lines = done.stdout.splitlines()
    assert lines[0] == f"target       {server.url} (not production), prefix {record['prefix']}"
    assert lines[2].startswith("go           a user: POST /users: HTTP 201 in ")
    assert "DELETE /users/7: of a user: left there" in done.stdout
    assert "verdict      PASS: 3 go, 0 no-go, 0 cannot tell" in lines
    assert server.asked[1].json == {"name": record["prefix"]}
    again = cli(tmp_path, "probe", "show", "out")
    assert (again.returncode, again.stdout) == (0, "".join(f"{one}\n" for one in lines[:-1]))
    assert cli(tmp_path, "probe", "run", "--allow-writes", "-o", "out").returncode == 2
    clean = cli(tmp_path, "probe", "run", "--allow-writes", "--clean", "-q", "-o", "cleaned")
    assert (clean.returncode, "removed" in clean.stdout) == (0, True)
    assert server.paths()[-1] == "DELETE /users/7"


def test_what_was_not_run_is_cannot_tell(server: Faulty, tmp_path: Path) -> None:
    """Law: without leave nothing is written, and that is exit 3; the list sends nothing at all."""
    write(tmp_path, server)
    listed = cli(tmp_path, "probe", "list")
    assert (listed.returncode, server.asked) == (0, [])
    assert "POST   /users; removed by DELETE /users/${user}" in listed.stdout
    done = cli(tmp_path, "probe", "run")
    assert done.returncode == 3
    assert "cannot tell  a user: POST /users: not sent: it writes, which was not allowed" in done.stdout
    assert server.paths() == ["GET /health"]
    write(tmp_path, server, PROBES.replace("production = false", "production = true"))
    assert cli(tmp_path, "probe", "run", "--allow-writes").returncode == 3
    assert "POST /users" not in server.paths()
    words = ("probe", "run", "--allow-writes", "--allow-writes-on-production")
    assert cli(tmp_path, *words).returncode == 0


def test_a_fault_is_exit_1_and_nobody_there_too(server: Faulty, tmp_path: Path) -> None:
    """Law: a no-go is exit 1, with its reason on one line."""
    write(tmp_path, server)
    server.ways["GET /users/7"] = said(500, {"trace": "secret\nlines"})
    done = cli(tmp_path, "probe", "run", "--allow-writes", "-q")
    assert done.returncode == 1
    assert done.stdout.startswith("no-go        read it: GET /users/${user}: HTTP 500, expected 2xx\n")
    assert "secret" not in done.stdout
    (tmp_path / "probes.toml").write_text(PROBES.format(url="http://localhost:1"))
    gone = cli(tmp_path, "probe", "run")
    assert (gone.returncode, "the connection was refused" in gone.stdout) == (1, True)


DOORS = {
    "no file": ("probe run", "cannot read probes.toml"),
    "another file": ("probe run --probes nothing.toml", "cannot read nothing.toml"),
    "no toml": ("probe run --probes bad.toml", "not valid TOML"),
    "an unknown key": ("probe run --probes key.toml", "did you mean 'base_url'?"),
    "clean alone": ("probe run --probes good.toml --clean", "nothing may be written"),
    "production alone": ("probe run --probes good.toml --allow-writes-on-production", "nothing may be"),
    "a bad url": ("probe run --probes good.toml --base-url localhost", "not an http:// or https:// URL"),
    "no ca": ("probe run --probes good.toml --ca none.pem", "none.pem cannot be read"),
    "an empty ca": ("probe run --probes good.toml --ca good.toml", "good.toml cannot be read"),
    "a file as folder": ("probe run --probes good.toml -o good.toml", "cannot write"),
    "no record": ("probe show nothing", "cannot read nothing"),
    "another record": ("probe show good.toml", "is not complete JSON"),
}


@pytest.mark.parametrize("door", few(DOORS))
def test_what_is_wrong_is_said_before_anything_is_sent(door: str, server: Faulty, tmp_path: Path) -> None:
    """Law: exit 2, a fact, no traceback, and no request."""
    words, fact = DOORS[door]
    (tmp_path / "bad.toml").write_text("format = \x01")
    (tmp_path / "key.toml").write_text("format = 1\nbase_ulr = 'x'\n")
    (tmp_path / "good.toml").write_text(PROBES.format(url=server.url))
    done = cli(tmp_path, *words.split())
    assert (done.returncode, fact in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert server.asked == []


def test_a_stop_and_a_kill_lose_nothing(server: Faulty, tmp_path: Path) -> None:
    """Law: SIGTERM ends it at exit 3 with what was created; of one that was killed the record says what may
    be there, and it is inconclusive.
    """
    steps = '[[step]]\nname = "an order"\nmethod = "POST"\npath = "/orders"\ntimeout_ms = 60000\n'
    write(tmp_path, server, PROBES + steps)
    server.ways["POST /orders"] = late(60, raw(b""))
    for number, (sent, code) in enumerate(((signal.SIGTERM, 3), (signal.SIGKILL, -9))):
        words = ["probe", "run", "--allow-writes", "-o", sent.name]
        run = subprocess.Popen(
            [sys.executable, "-m", "kisaan_validate", *words],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_until(lambda n=number: server.paths().count("POST /orders") == n + 1)
        began = time.monotonic()
        run.send_signal(sent)
        said_, _ = run.communicate(timeout=60)
        assert run.returncode == code, said_
        assert time.monotonic() - began < 5 + 3 * slack()
        shown = cli(tmp_path, "probe", "show", sent.name)
        assert shown.returncode == 3, shown.stdout
        assert "DELETE /users/7: of a user: left there" in shown.stdout
        assert "of an order, if it is there" in shown.stdout
    assert "this is the record of a run that did not end" in shown.stdout
    assert "it was sent, and nothing is known of its answer" in shown.stdout


def test_a_record_that_cannot_be_written_loses_nothing(server: Faulty, tmp_path: Path) -> None:
    """Law: what was created is told though the disk is full by then, and that is no pass."""
    write(tmp_path, server)

    def fill(wire: Any, asked: Any) -> None:
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "out").write_text("in its place")
        said(201, {"id": 7})(wire, asked)

    server.ways["POST /users"] = fill
    done = cli(tmp_path, "probe", "run", "--allow-writes", "-o", "out")
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr.count("cannot write out/probe.json") == 1
    assert "DELETE /users/7: of a user: left there" in done.stdout
    assert "verdict      PASS" in done.stdout
    assert "page    " not in done.stdout


def test_the_probes_of_the_demonstration_are_the_runbooks(tmp_path: Path) -> None:
    """Law: health, then the three requests of the runbook, each using what the one before it created."""
    created: list[Any] = []

    def make(wire: Any, asked: Any) -> None:
        created.append((asked.path, asked.json))
        body = {"success": True, "data": {**asked.json, "id": 100 + len(created)}}
        said(201, body)(wire, asked)

    with faulty() as api:
        api.ways |= {"GET /api/health": in_turn(said(503, {}), said(200, {"status": "ok"}))}
        api.ways |= {f"POST /api/{name}": make for name in ("users", "transactions", "payments")}
        api.ways |= {
            f"DELETE /api/{one}": plain(204, b"") for one in ("users/101", "transactions/102", "payments/103")
        }
        words = ("probe", "run", "--probes", str(ROOT / "demo" / "probes.toml"), "--clean", "--allow-writes")
        env = {"KISAAN_API": api.url, "KISAAN_API_TOKEN": "t0ken"}
        done = cli(tmp_path, *words, "--allow-writes-on-production", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path for path, _ in created] == ["/api/users", "/api/transactions", "/api/payments"]
    assert created[1][1]["farmer_id"] == 101
    assert created[2][1]["transaction_id"] == 102
    assert api.paths()[-3:] == [
        "DELETE /api/payments/103",
        "DELETE /api/transactions/102",
        "DELETE /api/users/101",
    ]
    assert "t0ken" not in done.stdout
