"""Whether the service answers: one GET of its health endpoint; no redirect is followed."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kisaan_validate.errors import UsageError
from kisaan_validate.postgres.watchdog import within
from kisaan_validate.process.stopping import Stop

_ONE_ANSWER = 5.0
"""Seconds until an answer is given up, however slowly it comes."""


@dataclass(frozen=True)
class HealthPlace:
    """Where the service is asked. The path is not shown: it may hold a key."""

    secure: bool
    host: str
    port: int
    path: str = field(repr=False)


def health_url(url: str) -> HealthPlace:
    """The place that a URL names. Raises UsageError; the message never repeats the URL."""
    hint = "write http://127.0.0.1:3000/api/health"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("--health is not a URL", hint) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("--health is not an http or https URL", hint)
    if parts.username is not None:
        raise UsageError("--health has a user in its URL", "name an endpoint that answers without one")
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    if not path.isascii() or not path.isprintable() or " " in path:
        raise UsageError("--health has characters that must be percent-encoded", hint)
    secure = parts.scheme == "https"
    return HealthPlace(secure, parts.hostname, port or (443 if secure else 80), path)


def ask_health(place: HealthPlace, stop: Stop) -> int | None:
    """The HTTP status of one GET; None where nothing answered in time."""

    def ask() -> int:
        kind = http.client.HTTPSConnection if place.secure else http.client.HTTPConnection
        line = kind(place.host, place.port, timeout=_ONE_ANSWER)
        try:
            line.request("GET", place.path, headers={"Connection": "close"})
            return line.getresponse().status
        finally:
            line.close()

    try:
        # In a thread: a service that sends a byte now and then would keep us waiting for ever.
        status: int = within(_ONE_ANSWER, stop, ask, lambda _: None)
    except (OSError, http.client.HTTPException, ValueError, TimeoutError):
        return None
    return status
