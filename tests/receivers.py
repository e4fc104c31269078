"""Real receivers on loopback: mail servers with and without TLS, web servers that behave in every way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = "night", "correct horse; battery"


@dataclass
class Certificate:
    """A certificate for localhost, which trusts itself."""

    pem: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS as a server speaks it."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.pem, self.key)
        return made


def certificate(folder: Path, host: str = "localhost") -> Certificate:
    """A new certificate for a host."""
    made = Certificate(folder / f"{host}.pem", folder / f"{host}.key")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-keyout", str(made.key), "-out", str(made.pem), "-days", "2", "-subj", f"/CN={host}"]
    words += ["-addext", f"subjectAltName=DNS:{host}"]
    subprocess.run(words, check=True, capture_output=True)
    return made


@dataclass
class Sink:
    """What a mail server took."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    refuse: str = ""
    """An address that it refuses."""
    answer: str = "250 2.0.0 Ok: queued as 4F1B2"

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails, parsed."""
        return [message_from_bytes(raw, policy=default) for raw in self.raw]  # type: ignore[misc]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Refuse one address."""
        if address == self.refuse:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail."""
        if self.answer.startswith("250"):
            self.raw.append(envelope.original_content)
            self.to.append(envelope.rcpt_tos)
        return self.answer


@contextlib.contextmanager
def _listening(make: Callable[[], SMTP], context: ssl.SSLContext | None) -> Iterator[int]:
    """The port of a server of aiosmtpd's, in a thread of its own."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        loop.create_server(make, "localhost", free_port(), ssl=context), loop
    ).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextlib.contextmanager
def mail_server(
    tls: Certificate | None = None, *, starttls: bool = False, auth: bool = False
) -> Iterator[Sink]:
    """A mail server. ``tls`` from the beginning, or with ``starttls`` when asked; ``auth`` wants USER and
    PASSWORD.
    """
    sink = Sink()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    def make() -> SMTP:
        more: dict[str, Any] = {"tls_context": tls.context()} if tls is not None and starttls else {}
        more |= {"require_starttls": True} if more else {}
        if auth:
            more |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": bool(starttls)}
        return SMTP(sink, hostname="sink.test", loop=asyncio.get_event_loop(), **more)

    with _listening(make, tls.context() if tls is not None and not starttls else None) as port:
        sink.port = port
        yield sink


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


@dataclass
class Hook:
    """What a web server was sent, and how it behaves."""

    port: int = 0
    how: str = "good"
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    """Bytes of the endless answer that went out."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://localhost:{self.port}/hook"


class _Poster(BaseHTTPRequestHandler):
    hook: Hook

    def do_POST(self) -> None:
        """Answer as the hook is told to."""
        hook = self.hook
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if hook.how == "closed":
            self.connection.close()
            return
        hook.bodies.append(body)
        hook.headers.append(dict(self.headers))
        getattr(self, f"_{hook.how}")()

    def _good(self) -> None:
        self._answer(200, b'{"id": "evt-77", "ok": true}')

    def _broken(self) -> None:
        self._answer(500, b"Bearer abc; your url was https://u:p@h/secret")

    def _redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.hook.url)
        self.end_headers()

    def _hostile(self) -> None:
        self._answer(200, b'{"id": "a\\u001b[31m\\nSubject: x\\u202e"}')

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        with contextlib.suppress(OSError):
            while self.hook.sent < 1 << 30:
                self.wfile.write(b"x" * 65_536)
                self.hook.sent += 65_536

    def _drip(self) -> None:
        """A byte now and then: no single wait is long."""
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(300):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Nobody asks for it: who follows a redirect would."""
        self.hook.bodies.append(b"followed")
        self._answer(200, b"")

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextlib.contextmanager
def web_server(how: str = "good", tls: Certificate | None = None) -> Iterator[Hook]:
    """A web server that behaves so."""
    hook = Hook(how=how)
    server = ThreadingHTTPServer(("localhost", 0), type("_Told", (_Poster,), {"hook": hook}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.context().wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    hook.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each connection is talked to so."""

    class Handler(socketserver.BaseRequestHandler):
        """One connection."""

        def handle(self) -> None:
            """Talk."""
            with contextlib.suppress(OSError):
                talk(self.request)

    class Server(socketserver.ThreadingTCPServer):
        """One thread a connection."""

        daemon_threads = True
        allow_reuse_address = True

    with Server(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@dataclass
class FarHook:
    """A web server in a process of its own: processes with threads must not be forked."""

    port: int
    log: Path

    def ids(self) -> list[str]:
        """The ids of the messages that came."""
        return self.log.read_text().split()

    def clear(self) -> None:
        """Forget them."""
        self.log.write_text("")


@contextlib.contextmanager
def far_web_server(log: Path) -> Iterator[FarHook]:
    """A web server elsewhere that takes all."""
    log.write_text("")
    come, go = os.pipe()
    child = os.fork()
    if child == 0:
        _serve(log, go)
    try:
        yield FarHook(int(os.read(come, 20)), log)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(come)
        os.close(go)


def _serve(log: Path, port: int) -> NoReturn:
    class Logged(list[bytes]):
        """What came, written down before it is answered."""

        def append(self, body: bytes) -> None:
            """Write down its id."""
            with log.open("a") as file:
                file.write(f"{json.loads(body)['id']}\n")

    with web_server() as hook:
        hook.bodies = Logged()
        os.write(port, str(hook.port).encode())
        while True:
            signal.pause()
