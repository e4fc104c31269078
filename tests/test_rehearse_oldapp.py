"""The previous build of an application, started on a copy: what it answers, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import slack, wait_until

from kisaan_validate.errors import UsageError
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.foreign import foreign_command
from kisaan_validate.rehearse.oldapp import ask_old_app, health_place

SERVICE = """
import http.server, os, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(STATUS); self.end_headers()
    def log_message(self, *words): pass
print("connecting to", os.environ["DATABASE_URL"], flush=True)
print("PGPASSFILE" in os.environ, os.environ.get("KISAAN_DSN"), os.environ.get("PGHOST"), flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:5/x",
    "PGHOST": "127.0.0.1",
    "PGPASSWORD": "hunter2",
}


def service(folder: Path, body: str = SERVICE) -> str:
    """The command of a service that runs this Python."""
    path = folder / "service.py"
    path.write_text(body)
    return f"exec {sys.executable} {path}"


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_is_healthy_when_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the copy in its environment and nothing of ours; its output is kept without the password."""
    monkeypatch.setenv("KISAAN_DSN", "host=production")
    monkeypatch.setenv("PGPASSFILE", "/real")
    found = ask_old_app(
        service(tmp_path, SERVICE.replace("STATUS", "204")), "/api/health", ENVIRONMENT, tmp_path
    )
    assert (found.healthy, found.status, found.reason, found.ended) == (True, 204, "", None)
    assert "False None 127.0.0.1" in found.tail
    assert "hunter2" not in found.tail
    assert "connecting to postgresql://u:•••@127.0.0.1" in found.tail


def test_it_is_not_when_it_says_so_until_the_time_ends(tmp_path: Path) -> None:
    """503 is asked again, as it may only be starting; the last status is kept."""
    found = ask_old_app(
        service(tmp_path, SERVICE.replace("STATUS", "503")), "/", ENVIRONMENT, tmp_path, timeout=2
    )
    assert (found.healthy, found.status) == (False, 503)
    assert found.seconds >= 2


def test_it_is_not_when_it_ends(tmp_path: Path) -> None:
    """With its exit code, at once, and the end of its output."""
    found = ask_old_app("echo 'relation x does not exist'; exit 3", "/", ENVIRONMENT, tmp_path)
    assert (found.healthy, found.status, found.ended) == (False, None, 3)
    assert found.tail == "relation x does not exist"
    assert found.seconds < 5 + slack()


def test_a_port_that_another_program_has_proves_nothing(tmp_path: Path) -> None:
    """Its answer would be taken for the build's: not known."""
    command = service(tmp_path, SERVICE.replace("STATUS", "200"))
    with foreign_command(command, {**ENVIRONMENT, "PORT": "18237"}, tmp_path / "other.log"):
        wait_until(lambda: _answers(18237), 20)
        found = ask_old_app("sleep 60", "http://127.0.0.1:18237/", ENVIRONMENT, tmp_path)
    assert found.healthy is None
    assert "port 18237 was taken before it started" in found.reason


def _answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_what_it_started_is_killed_with_it(tmp_path: Path) -> None:
    """Also a child that ignores SIGTERM and outlives its parent."""
    child = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done"
    found = ask_old_app(
        f'sh -c "{child.replace("$", chr(92) + "$")}" & sleep 0.5; exit 0', "/", ENVIRONMENT, tmp_path
    )
    assert found.ended == 0
    assert found.healthy is False
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_stop_ends_the_wait(tmp_path: Path) -> None:
    """Nothing is said of the build then."""
    stop = Stop()
    stop.request("interrupted")
    found = ask_old_app("sleep 60", "/", ENVIRONMENT, tmp_path, stop=stop)
    assert (found.healthy, found.reason) == (None, "stopped: interrupted")


def test_it_dies_with_us(tmp_path: Path) -> None:
    """By SIGKILL, which nothing can hear: its leash sees the end of the pipe."""
    script = f"""
import sys, time; from pathlib import Path
from kisaan_validate.rehearse.foreign import foreign_command
with foreign_command("echo $$ > {tmp_path}/pid; exec sleep 600", {{}}, Path("{tmp_path}/out")):
    print("running", flush=True); time.sleep(600)
"""
    us = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert us.stdout is not None
    us.stdout.readline()
    wait_until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()), 20)
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    os.kill(us.pid, signal.SIGKILL)
    us.wait()
    us.stdout.close()
    start = time.monotonic()
    wait_until(lambda: not alive(pid), 20)
    assert time.monotonic() - start < 5 + slack()


@pytest.mark.parametrize(
    "health", ["http://example.org/", "https://127.0.0.1/", "api/health", "ftp://localhost/"]
)
def test_it_is_asked_on_this_machine_only(health: str) -> None:
    """A health path elsewhere would be production's."""
    with pytest.raises(UsageError, match="not on this machine"):
        health_place(health, 1)


def test_a_place_is_a_path_or_a_url_here() -> None:
    """The port of a URL is the service's own."""
    assert health_place("/api/health?x=1", 77) == ("127.0.0.1", 77, "/api/health?x=1")
    assert health_place("http://localhost:3000/h?y=2", 77) == ("localhost", 3000, "/h?y=2")
