"""A web server on loopback that answers byte for byte as a test says, with every fault that the wire knows."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receivers import Certificate, certificate


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


Behaviour = Callable[[socket.socket, Asked], None]


@dataclass
class Faulty:
    """A server: how it answers each path (by method and path, else by path), and what it was asked."""

    ways: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://localhost:{self.port}"

    def paths(self) -> list[str]:
        """Method and path of each request, in order."""
        return [f"{one.method} {one.path}" for one in self.asked]


def plain(status: int, body: bytes, *headers: str, kind: str = "application/json") -> Behaviour:
    """An answer with a body."""

    def answer(wire: socket.socket, asked: Asked) -> None:
        lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
        wire.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if asked.method == "HEAD" else body))

    return answer


def said(status: int, value: Any, *headers: str) -> Behaviour:
    """An answer in JSON."""
    return plain(status, json.dumps(value).encode(), *headers)


def raw(data: bytes) -> Behaviour:
    """Bytes, then the end."""
    return lambda wire, asked: wire.sendall(data)


def late(seconds: float, then: Behaviour) -> Behaviour:
    """An answer after a while."""

    def answer(wire: socket.socket, asked: Asked) -> None:
        time.sleep(seconds)
        then(wire, asked)

    return answer


def dripping(head: bytes, drop: bytes, every: float = 0.05) -> Behaviour:
    """Bytes that never end, slowly."""

    def answer(wire: socket.socket, asked: Asked) -> None:
        wire.sendall(head)
        while True:
            wire.sendall(drop)
            time.sleep(every)

    return answer


def endless(chunk: bytes, size: int) -> Behaviour:
    """A body of so many bytes."""

    def answer(wire: socket.socket, asked: Asked) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        wire.sendall(head.encode())
        for _ in range(size // len(chunk)):
            wire.sendall(chunk)

    return answer


def packed(unpacked: bytes) -> Behaviour:
    """A body that is packed, though nobody asked for it."""
    return plain(200, gzip.compress(unpacked, compresslevel=1), "Content-Encoding: gzip")


def in_turn(*ways: Behaviour) -> Behaviour:
    """One way after the other; the last one stays."""
    left = list(ways)

    def answer(wire: socket.socket, asked: Asked) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(wire, asked)

    return answer


@contextlib.contextmanager
def faulty(tls: ssl.SSLContext | None = None, **ways: Behaviour) -> Iterator[Faulty]:
    """A server until the end of the block. ``ways`` are by path, whose / is written _."""
    server = Faulty({f"/{name}": way for name, way in ways.items()}, scheme="https" if tls else "http")
    with socket.create_server(("localhost", 0)) as door:
        server.port = door.getsockname()[1]
        threading.Thread(target=_serve, args=(door, server, tls), daemon=True).start()
        yield server


def _serve(door: socket.socket, server: Faulty, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            wire, _ = door.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(wire, server, tls), daemon=True).start()


def _answer(wire: socket.socket, server: Faulty, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
        stack.enter_context(wire)
        if tls is not None:
            wire = stack.enter_context(tls.wrap_socket(wire, server_side=True))
        asked = _read(wire)
        server.asked.append(asked)
        bare = asked.path.partition("?")[0]
        way = server.ways.get(f"{asked.method} {bare}") or server.ways.get(bare) or plain(404, b"{}")
        way(wire, asked)


def _read(wire: socket.socket) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := wire.recv(65_536)):
            raise ValueError("it went away")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += wire.recv(65_536)
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)


def expired(folder: Path) -> Certificate:
    """A certificate for localhost that trusts itself and ended yesterday."""
    made = certificate(folder)
    words = ["openssl", "req", "-new", "-key", str(made.key), "-subj", "/CN=localhost"]
    request = subprocess.run(words, check=True, capture_output=True).stdout
    extension = folder / "san.cnf"
    extension.write_text("subjectAltName=DNS:localhost\n")
    words = ["openssl", "x509", "-req", "-signkey", str(made.key), "-days", "-1", "-extfile", str(extension)]
    made.pem.write_bytes(subprocess.run(words, input=request, check=True, capture_output=True).stdout)
    return made
