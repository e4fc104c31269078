"""Pings at the start and the end of a run, as healthchecks.io and its self-hosted form take them.

Source of the protocol: https://healthchecks.io/docs/http_api/ (start, fail and exit status signals, run ids).
A ping URL is a secret: no message holds any part of it, nor the text of an error, which could.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from kisaan_validate.dataclass import dataclass

PING_SECONDS = 5.0
"""So long a ping may take in all, with every attempt: a run must not wait for its watcher."""

ATTEMPTS = 2
"""A single lost packet must not look like a run that never ended."""


@dataclass
class PingEnd:
    """How what is watched ended: its exit code, None as long as it has none."""

    code: int | None = None


@contextmanager
def pinging(
    url: str, note: Callable[[str], None], *, seconds: float = PING_SECONDS, findings_are_down: bool = True
) -> Iterator[PingEnd]:
    """Ping the start, and at the end the exit code that the block has set; without one, that it failed.

    No failure of a ping is an error: ``note`` is told. ``findings_are_down`` False: a run that ended with
    findings (exit code 1) is pinged as a success, because it ran.
    """
    rid, end = str(uuid.uuid4()), PingEnd()
    _tell(url, "start", rid, note, seconds)
    try:
        yield end
    finally:
        ran = end.code == 1 and not findings_are_down
        _tell(url, "fail" if end.code is None else "0" if ran else str(end.code), rid, note, seconds)


def _tell(url: str, signal: str, rid: str, note: Callable[[str], None], seconds: float) -> None:
    if why := send_ping(url, signal, rid, seconds):
        which = "start" if signal == "start" else "end"
        note(f"the ping of the {which} was not received: {why}")


def send_ping(url: str, signal: str, rid: str, seconds: float = PING_SECONDS) -> str:
    """Send one signal ("start", "fail", an exit code); "" if it was received, else why not, in words."""
    try:
        address = ping_address(url, signal, rid)
    except ValueError:
        return "the URL is not an http or https URL"
    box = ["no answer in time"]
    # In a thread, because a name that cannot be looked up keeps a resolver busy for half a minute.
    thread = threading.Thread(target=_attempts, args=(address, time.monotonic() + seconds, box), daemon=True)
    thread.start()
    thread.join(seconds)
    return box[0]


def ping_address(url: str, signal: str, rid: str) -> str:
    """Where a signal is sent: below the path of the URL, its query kept. Raises ValueError."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.strip().isprintable():
        raise ValueError
    _ = parts.port  # raises ValueError if it is not a number
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("rid", rid)]
    return urlunsplit(
        (parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{signal}", urlencode(query), "")
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could hand the secret to another host."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is the answer."""


def _attempts(address: str, deadline: float, box: list[str]) -> None:
    """Try until it is received or the time is over; ``box`` holds "", or why it was not."""
    for _ in range(ATTEMPTS):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        box[0] = _attempt(address, left)
        if not box[0]:
            return


def _attempt(address: str, seconds: float) -> str:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(address, timeout=seconds) as answer:
            answer.read(1)
            return ""
    # In words of our own: those of an error may repeat the URL.
    except urllib.error.HTTPError as error:
        redirected = " (a redirect is not followed)" if error.code in range(300, 400) else ""
        return f"the server answered {error.code}{redirected}"
    except urllib.error.URLError as error:
        return _reason(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)


def _reason(error: object) -> str:
    kinds: tuple[tuple[type[BaseException], str], ...] = (
        (ssl.SSLCertVerificationError, "its certificate is not trusted"),
        (ssl.SSLError, "the TLS connection failed"),
        (TimeoutError, "no answer in time"),
        (socket.gaierror, "its host is not known"),
        (ConnectionRefusedError, "the connection was refused"),
        (ConnectionError, "the connection was lost"),
        (http.client.HTTPException, "what answered speaks no HTTP"),
    )
    return next((said for kind, said in kinds if isinstance(error, kind)), "it could not be reached")
