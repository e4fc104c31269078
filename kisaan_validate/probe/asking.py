"""One request and its answer: bounded in time and size, sent to the one address that is named.

No redirect is followed, no proxy or password of the environment is used, no connection is used twice.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.probe.silence import Silence, silence_of
from kisaan_validate.process.stopping import Stop
from kisaan_validate.version import VERSION

if TYPE_CHECKING:
    import httpx

KEPT = 1024 * 1024
"""Bytes of a body that are read."""

_GRACE = 0.5


@dataclass(frozen=True)
class Outgoing:
    """A request as it is sent. ``timeout`` bounds all of it, in seconds."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout: float


@dataclass(frozen=True)
class HttpAnswer:
    """What came back. ``cut``: the body is longer than is read; ``broken`` says why its end is missing ("" if
    it is whole). ``seconds`` is from the first try to connect to the last byte that was read.
    """

    status: int
    seconds: float
    content_type: str = ""
    encoding: str = ""
    body: bytes = b""
    cut: bool = False
    broken: str = ""


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, name and certificate checked, by the authorities of the system or those in a file.
    Raises UsageError.
    """
    try:
        made = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
        raise UsageError(f"the certificates in {ca} cannot be read: {reason}", "check the path") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def ask(request: Outgoing, trust: ssl.SSLContext, stop: Stop) -> HttpAnswer | Silence:
    """Send a request; its answer, or why there is none. Ends by its timeout, or soon after a stop."""
    # Before the clock runs: a client takes half a second to load.
    import httpx

    client = httpx.Client(verify=trust, trust_env=False, follow_redirects=False, timeout=request.timeout)
    asking = _Asking(request, client)
    # In a thread of its own: neither a name that does not resolve nor a header that never ends can be
    # interrupted in any other way. A daemon, since it may be left behind.
    thread = threading.Thread(target=asking.run, daemon=True)
    thread.start()
    until = asking.began + request.timeout + _GRACE
    while thread.is_alive() and time.monotonic() < until and not stop.requested:
        thread.join(0.02)
    if not thread.is_alive():
        return asking.outcome()
    asking.abandon()
    return asking.abandoned(f"stopped: {stop.reason}" if stop.requested else "")


@dataclass
class _Asking:
    """One request on its way; what is known of its answer so far can be read from another thread."""

    request: Outgoing
    client: httpx.Client
    began: float = field(default_factory=time.monotonic)
    answer: HttpAnswer | None = None
    error: BaseException | None = None
    connected: bool = False
    _body: bytearray = field(default_factory=bytearray)
    _wire: socket.socket | None = None
    _left: bool = False

    def run(self) -> None:
        """Send it and read the answer; everything that goes wrong is kept."""
        try:
            self._send()
        # Whatever a library raises is this request's outcome, and must not be lost in a thread.
        except BaseException as error:
            self.error = error
        finally:
            self._close()

    def outcome(self) -> HttpAnswer | Silence:
        """Its outcome, once :meth:`run` has ended."""
        if self.error is None and self.answer is not None:
            return self.answer
        if self.error is not None and not isinstance(self.error, Exception):
            raise self.error
        return self._ended(silence_of(self.error, self.request.timeout, connected=self.connected))

    def abandoned(self, stopped: str) -> HttpAnswer | Silence:
        """Its outcome when it is given up."""
        words = stopped or f"no answer within {self.request.timeout:g} s"
        return self._ended(Silence(words, known=not stopped, reached=self.connected))

    def abandon(self) -> None:
        """Cut the connection, so that its thread ends."""
        self._left = True
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    def _ended(self, silence: Silence) -> HttpAnswer | Silence:
        """An answer that began counts as one, even if its end is missing."""
        if self.answer is None:
            return silence
        late = silence.words.startswith("no answer")
        words = f"its body did not end within {self.request.timeout:g} s" if late else silence.words
        return HttpAnswer(self.answer.status, self._seconds(), broken=words)

    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def _send(self) -> None:
        request = self.request
        with (
            self.client as client,
            client.stream(
                request.method,
                request.url,
                headers={**_ALWAYS, **request.headers},
                content=request.body,
                extensions={"trace": self._trace},
            ) as response,
        ):
            self._read(response)

    def _read(self, response: httpx.Response) -> None:
        headers = response.headers
        content, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
        self.answer = HttpAnswer(response.status_code, self._seconds(), content, encoding.strip().lower())
        cut = False
        # Raw: compressed data is unpacked later, up to a limit.
        for chunk in response.iter_raw():
            if self._seconds() > self.request.timeout or self._left:
                raise TimeoutError
            self._body += chunk[: KEPT + 1 - len(self._body)]
            cut = len(self._body) > KEPT
            if cut:
                break
        made = self.answer
        self.answer = HttpAnswer(
            made.status, self._seconds(), made.content_type, made.encoding, bytes(self._body), cut
        )

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        self.connected = True
        wire = info["return_value"].get_extra_info("socket")
        # A handle of its own: TLS takes the other one over.
        self._wire = socket.socket(fileno=os.dup(wire.fileno()))
        if self._left:
            self.abandon()

    def _close(self) -> None:
        if self._wire is not None:
            self._wire.close()


_ALWAYS = {
    "Accept": "application/json",
    # A compressed answer could unpack to a thousand times its size.
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": f"kisaan-validate/{VERSION}",
}
