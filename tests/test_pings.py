"""Pings reach a real server, in the protocol's words; whatever the server does, they change no verdict, take
no longer than they may, and give nothing of their URL away.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import needs, slack
from helpers import examples
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from shop import Shop

from kisaan_validate.watch.pings import ping_address, pinging, send_ping

SECRET = "5f3b1c9e-secret"


class Receiver:
    """A ping server on loopback. ``answers`` are the status codes of its answers, the last one for ever;
    ``wait`` seconds pass before each.
    """

    def __init__(self, *answers: int, wait: float = 0.0, location: str = "") -> None:
        self.got: list[tuple[str, dict[str, list[str]]]] = []
        self.answers, self.wait, self.location = list(answers) or [200], wait, location

    @contextmanager
    def running(self, context: ssl.SSLContext | None = None) -> Iterator[str]:
        """The ping URL while it runs."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.got.append((parts.path, parse_qs(parts.query, keep_blank_values=True)))
                time.sleep(outer.wait)
                code = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(code)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        scheme = "http" if context is None else "https"
        try:
            yield f"{scheme}://127.0.0.1:{server.server_port}/ping/{SECRET}"
        finally:
            server.shutdown()
            server.server_close()

    @property
    def signals(self) -> list[str]:
        """What was signalled."""
        assert all(path.startswith(f"/ping/{SECRET}/") for path, _ in self.got)
        return [path.rpartition("/")[2] for path, _ in self.got]


def done(url: str, code: int | None, **more: Any) -> list[str]:
    """The notes of a run that ended with this exit code."""
    notes: list[str] = []
    with pinging(url, notes.append, **more) as end:
        end.code = code
    return notes


# --- the protocol -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "signal"), [(0, "0"), (1, "1"), (3, "3"), (6, "6"), (None, "fail")])
def test_start_and_end_are_pinged_under_one_run_id(code: int | None, signal: str) -> None:
    """The exit code as the status; without one the run failed."""
    receiver = Receiver()
    with receiver.running() as url:
        assert done(url, code) == []
    assert receiver.signals == ["start", signal]
    (first,), (second,) = (query["rid"] for _, query in receiver.got)
    assert first == second
    assert len(first) == 36


def test_findings_may_be_pinged_as_a_success() -> None:
    """A run that ended with findings ran; every other end is what it is."""
    receiver = Receiver()
    with receiver.running() as url:
        for code in (1, 3):
            done(url, code, findings_are_down=False)
    assert receiver.signals == ["start", "0", "start", "3"]


def test_an_error_in_the_block_is_pinged_and_goes_on() -> None:
    """Also an interruption."""
    receiver = Receiver()
    with receiver.running() as url:
        with pytest.raises(KeyboardInterrupt), pinging(url, print):
            raise KeyboardInterrupt
        assert receiver.signals == ["start", "fail"]


@given(st.text(min_size=1), st.integers(0, 255))
@profile(max_examples=examples(50))
def test_an_address_is_below_the_url_or_refused(text: str, code: int) -> None:
    """Law: no text makes a URL of another host, or of two lines."""
    try:
        made = ping_address(f"https://hc.example.com/ping/{text}", str(code), "r")
    except ValueError:
        return
    parts = urlsplit(made)
    assert (parts.scheme, parts.hostname) == ("https", "hc.example.com")
    assert parts.path.endswith(f"/{code}")
    assert parse_qs(parts.query)["rid"] == ["r"]
    assert made.isprintable()


def test_a_query_of_the_url_is_kept() -> None:
    """As in healthchecks' ``?create=1``."""
    assert (
        ping_address("https://h/ping/k/slug/?create=1", "start", "r")
        == "https://h/ping/k/slug/start?create=1&rid=r"
    )


# --- faults -----------------------------------------------------------------------------------------------


def test_one_lost_answer_is_tried_again() -> None:
    """A single 502 is no watcher that is down."""
    receiver = Receiver(502, 200)
    with receiver.running() as url:
        assert send_ping(url, "start", "r") == ""
    assert receiver.signals == ["start", "start"]


@pytest.mark.parametrize(("code", "said"), [(500, "answered 500"), (404, "answered 404")])
def test_a_server_that_refuses_is_noted(code: int, said: str) -> None:
    """With its status."""
    with Receiver(code).running() as url:
        notes = done(url, 0)
    assert [said in note for note in notes] == [True, True]
    assert SECRET not in str(notes)


def test_a_redirect_is_not_followed() -> None:
    """It could hand the secret to another host."""
    elsewhere = Receiver()
    with elsewhere.running() as other, Receiver(302, location=other).running() as url:
        assert send_ping(url, "start", "r") == "the server answered 302 (a redirect is not followed)"
    assert elsewhere.got == []


def test_a_slow_server_is_not_waited_for() -> None:
    """However many attempts: so long in all."""
    with Receiver(wait=30).running() as url:
        since = time.monotonic()
        assert send_ping(url, "start", "r", seconds=0.5) == "no answer in time"
        assert time.monotonic() - since < 0.5 + slack()


def test_a_server_that_never_speaks_is_not_waited_for() -> None:
    """It accepts the connection, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        since = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}"
        assert send_ping(url, "start", "r", seconds=0.5) == "no answer in time"
        assert time.monotonic() - since < 0.5 + slack()


def test_a_closed_port_and_an_unknown_host_are_noted() -> None:
    """In words of their own."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert send_ping(f"http://127.0.0.1:{port}/{SECRET}", "0", "r") == "the connection was refused"
    said = send_ping(f"http://nowhere.invalid/{SECRET}", "0", "r")
    assert said in {"its host is not known", "no answer in time"}


@pytest.mark.parametrize(
    "url", ["", "ftp://h/x", "h/x", "http://", "http://h:x/", "https://h/a\nb", "file:///etc/passwd"]
)
def test_what_is_no_url_is_noted(url: str) -> None:
    """Nothing is opened."""
    assert send_ping(url, "start", "r") == "the URL is not an http or https URL"


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    """The secret is not handed to who pretends to be the watcher."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = [
        needs("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver()
    with receiver.running(context) as url:
        assert send_ping(url, "start", "r") == "its certificate is not trusted"
        # And one who speaks no TLS at all.
    with Receiver().running() as url:
        assert send_ping(url.replace("http:", "https:"), "start", "r") == "the TLS connection failed"
    assert receiver.got == []


def test_what_speaks_no_http_is_noted() -> None:
    """Such as a mail server."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):
                client, _ = server.accept()
                client.recv(1000)
                client.sendall(b"220 mail.example.com ESMTP\r\n")
                client.close()

        threading.Thread(target=answer, daemon=True).start()
        said = send_ping(f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}", "0", "r")
    assert said == "what answered speaks no HTTP"


# --- run --ping -------------------------------------------------------------------------------------------


@pytest.fixture
def watched(shop: Shop) -> Shop:
    """A shop whose configuration names the variable."""
    (shop.folder / "kisaan.toml").write_text('[pings]\nurl_env = "PING_URL"\n')
    return shop


def test_a_run_pings_its_verdict(watched: Shop) -> None:
    """Pass, findings, and what kept it from measuring anything."""
    receiver = Receiver()
    with receiver.running() as url:
        assert watched.cli("run", "--ping", PING_URL=url).returncode == 0
        watched.sql("UPDATE orders SET total = -1")
        assert watched.cli("run", "--ping", PING_URL=url).returncode == 1
        assert watched.cli("run", "--ping", "--dsn", "host=nowhere.invalid", PING_URL=url).returncode == 2
        assert watched.cli("run", PING_URL=url).returncode == 1  # nobody asked for a ping
    assert receiver.signals == ["start", "0", "start", "1", "start", "2"]


def test_no_failure_of_a_ping_changes_a_run(watched: Shop) -> None:
    """The exit code is the verdict's, the note gives nothing away, and neither does the record."""
    with Receiver(500).running() as url:
        shown = watched.cli("run", "--ping", PING_URL=url)
    assert shown.returncode == 0
    assert shown.stderr.count("was not received: the server answered 500") == 2
    record = (watched.run_folder / "run.json").read_text() + (watched.run_folder / "report.html").read_text()
    assert SECRET not in shown.stdout + shown.stderr + record
    unset = watched.cli("run", "--ping")
    assert (unset.returncode, "no ping was sent: PING_URL is not set" in unset.stderr) == (0, True)


def test_findings_up_is_a_key_of_the_configuration(watched: Shop) -> None:
    """And what is no key, or no variable, is refused by name without repeating it."""
    toml = watched.folder / "kisaan.toml"
    toml.write_text('[pings]\nurl_env = "PING_URL"\nfindings = "up"\n')
    watched.sql("UPDATE orders SET total = -1")
    receiver = Receiver()
    with receiver.running() as url:
        assert watched.cli("run", "--ping", PING_URL=url).returncode == 1
    assert receiver.signals == ["start", "0"]
    toml.write_text(f'[pings]\nurl_env = "https://hc/{SECRET}"\n')
    refused = watched.cli("run", "--ping")
    assert (refused.returncode, SECRET in refused.stderr) == (2, False)
    assert "the name of an environment variable" in refused.stderr
    toml.write_text('[pings]\nurl = "x"\n')
    assert "url_env" in watched.cli("run").stderr
    toml.write_text("")
    assert "names no ping URL" in watched.cli("run", "--ping").stderr
