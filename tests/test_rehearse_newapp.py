"""The new build of an application, started on a migrated copy and probed there, writes included."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty import faulty, said
from rehearsal_cases import clean
from shop import Shop
from test_rehearse_cli import ALONE, GOOD, left, place, rehearse, write
from test_rehearse_oldapp import ENVIRONMENT

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.probe import ProbeState
from kisaan_validate.facts.rehearsed import NewAppProbed, ReasonKind
from kisaan_validate.facts.result import Verdict
from kisaan_validate.probe.load import read_probes
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.newapp import NewAppAsked, check_app, probe_new_app
from kisaan_validate.report.rehearsal_page import render_rehearsal

__all__ = ["place"]

APP = """
import http.server, json, os, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        print(self.headers.get("Authorization"), flush=True)
        self.say(200, {"ok": True})
    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        self.say(*made(given))
    def log_message(self, *words): pass
def made(given):
    MADE
print("on", os.environ["DATABASE_URL"], os.environ.get("KISAAN_DSN"), flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
PROBES = """
format = 1
base_url = "{url}"
production = true
headers.Authorization = "Bearer ${{env:APP_TOKEN}}"
[health]
path = "/health"
[[step]]
name = "an order"
method = "POST"
path = "/orders"
json = {{ total = 12.50, note = "${{rid}}" }}
status = 201
expect = [{{ json = "$.total", equals = "12.50" }}]
capture.order = "$.id"
"""


def app(folder: Path, made: str = 'return 201, {"id": 4, "total": "12.50"}') -> str:
    """The command of an application that makes orders so."""
    path = folder / "app.py"
    path.write_text(APP.replace("MADE", made))
    return f"exec {sys.executable} {path}"


def asked(command: str, url: str = "https://production.example.org", timeout: int = 20) -> NewAppAsked:
    """A build with the probes of production."""
    return NewAppAsked(command, read_probes(PROBES.format(url=url), "probes.toml"), timeout)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the probes send."""
    monkeypatch.setenv("APP_TOKEN", "t0ken-of-ours")
    monkeypatch.setenv("KISAAN_DSN", "host=production")


def test_probes_go_to_the_process_alone_whatever_their_file_names(tmp_path: Path) -> None:
    """Law: writes that a file marks as production go to the copy, never to the address in the file; the
    output is kept without secrets.
    """
    with faulty(health=said(200, {})) as production:
        found = probe_new_app(asked(app(tmp_path), production.url), ENVIRONMENT, tmp_path, Stop())
        assert production.asked == []
    assert found.probed is not None
    assert [step.state for step in found.probed.steps] == [ProbeState.PASS] * 2, found
    assert found.probed.target.startswith("http://127.0.0.1:")
    assert "on postgresql://u:•••@127.0.0.1:5/x None" in found.tail
    assert "t0ken" not in found.tail
    assert "hunter2" not in found.tail


def test_a_build_that_fails_is_told_and_a_build_that_never_starts_too(tmp_path: Path) -> None:
    """Law: a failed probe and a command that ends with an error fail the rehearsal; one that does
    not listen leaves it open.
    """
    wrong = probe_new_app(asked(app(tmp_path, "return 500, {}")), ENVIRONMENT, tmp_path, Stop())
    ended = probe_new_app(asked("echo no relation x; exit 3"), ENVIRONMENT, tmp_path, Stop())
    deaf = probe_new_app(asked("exec sleep 60", timeout=1), ENVIRONMENT, tmp_path, Stop())
    told = [judge_rehearsal(replace(clean(), new_app=one)) for one in (wrong, ended, deaf)]
    assert [one.verdict for one in told] == [Verdict.FAIL, Verdict.FAIL, Verdict.INCONCLUSIVE]
    assert told[0].failures[0].words == "probe 'an order' failed: HTTP 500, expected 201"
    assert told[1].failures[0].words.endswith("it ended with exit code 3, and listened on no $PORT")
    assert "no relation x" in ended.tail
    assert "it did not listen on $PORT within 1 s" in told[2].open[0].words
    assert {r.kind for one in told for r in (*one.failures, *one.open)} == {ReasonKind.NEW_APP}
    page = render_rehearsal(replace(clean(), new_app=wrong), told[0])
    assert "an order: HTTP 500, expected 201" in page


def test_what_is_not_known_of_a_build_keeps_the_rehearsal_open(tmp_path: Path) -> None:
    """Law: no probe without an answer, no run that was stopped, and no missing one passes."""
    good = probe_new_app(asked(app(tmp_path)), ENVIRONMENT, tmp_path, Stop())
    assert good.probed is not None
    assert judge_rehearsal(replace(clean(), new_app=good)).verdict is Verdict.PASS
    step = replace(good.probed.steps[1], state=ProbeState.UNKNOWN)
    for probed in (
        None,
        replace(good.probed, ended=None),
        replace(good.probed, interrupted="SIGTERM"),
        replace(good.probed, steps=()),
        replace(good.probed, steps=(good.probed.steps[0], step)),
    ):
        judged = judge_rehearsal(replace(clean(), new_app=NewAppProbed("x", probed)))
        assert judged.verdict is Verdict.INCONCLUSIVE


def test_probes_that_cannot_be_sent_are_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: before anything is restored."""
    check_app(asked("x"))
    monkeypatch.delenv("APP_TOKEN")
    with pytest.raises(UsageError, match="APP_TOKEN"):
        check_app(asked("x"))


WRITING = """
    import psycopg2
    with psycopg2.connect(os.environ["DATABASE_URL"]) as line, line.cursor() as cursor:
        cursor.execute("INSERT INTO orders (id, total, note, paid) VALUES (900000, %s, %s, true) RETURNING id, total::text",
                       (str(given["total"]), given["note"]))
        id, total = cursor.fetchone()
    return 201, {"id": id, "total": total}
"""


@pytest.mark.slow
@pytest.mark.usefixtures("token")
def test_a_real_build_is_probed_on_the_migrated_copy(place: Shop, server: Any) -> None:
    """Law: it writes into a clone of the migrated database, and nothing of that reaches the original."""
    write(place, GOOD)
    (place.folder / "probes.toml").write_text(PROBES.format(url="https://production.example.org"))
    words = [*ALONE, "-o", "out"]
    app_words = ["--app", app(place.folder, WRITING), "--probes", "probes.toml"]
    alone = rehearse(place, *words, "--app", "x")
    assert (alone.returncode, "--app and --probes belong together" in alone.stderr) == (2, True)
    done = rehearse(place, *words, *app_words, APP_TOKEN="t0ken-of-ours")
    facts = json.loads((place.folder / "out" / "rehearsal.json").read_text())
    states = [step["state"] for step in facts["new_app"]["probed"]["steps"]]
    assert states == ["pass", "pass"], facts["new_app"]
    assert "new build: " not in done.stdout
    assert server.sql("SELECT count(*) FROM orders WHERE id = 900000", place.database)[0][0] == 0
    assert left(place) == []
