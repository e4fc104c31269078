"""Does the build before the migration work after it? It is started on the migrated copy and asked.

What it answers tells what rolling back only the code would mean. It has the copy in its environment
(DATABASE_URL, PGHOST and so on) and a free PORT; whatever it starts is killed at the end.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rehearsed import OldAppAnswer
from kisaan_validate.process.ports import HERE, free_port, listens
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.foreign import ForeignCommand, foreign_command
from kisaan_validate.rehearse.words import without_secrets

TIMEOUT = 60.0
"""Seconds until a build that does not answer is given up."""

_EVERY = 0.2
_ONE_ANSWER = 5.0


def ask_old_app(
    command: str,
    health: str,
    environment: Mapping[str, str],
    folder: Path,
    *,
    timeout: float = TIMEOUT,
    stop: Stop | None = None,
) -> OldAppAnswer:
    """Start ``command`` with this environment and ask its health path until it answers 2xx or 3xx.

    ``health`` is a path, or a URL on this machine. ``folder`` is where its output is kept meanwhile. Answers
    of 4xx and 5xx are asked again until the time ends: a service may say 503 while it starts. Raises
    UsageError where ``health`` is elsewhere or the command cannot be started.
    """
    port = free_port()
    place = health_place(health, port)
    asked = OldAppAnswer(command, place[2], None)
    stop = stop or Stop()
    with foreign_command(command, {**environment, "PORT": str(port)}, folder / "old-app.log") as running:
        start = time.monotonic()
        found = _asked(running, place, asked, start + timeout, stop)
        tail = without_secrets(running.words(), _secrets(environment))
        return replace(found, seconds=time.monotonic() - start, tail=tail)


def health_place(health: str, port: int) -> tuple[str, int, str]:
    """Host, port and path that are asked. Raises UsageError for a place that is not on this machine."""
    if health.startswith("/"):
        return HERE, port, health
    parts = urlsplit(health)
    if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        hint = "write a path, as /api/health, or http://127.0.0.1:3000/api/health"
        raise UsageError("--old-app-health is not a path and not on this machine", hint)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return parts.hostname or HERE, parts.port or 80, path


def _asked(
    running: ForeignCommand,
    place: tuple[str, int, str],
    asked: OldAppAnswer,
    until: float,
    stop: Stop,
) -> OldAppAnswer:
    if listens(place[1], place[0]):
        why = f"port {place[1]} was taken before it started: another program would have answered"
        return replace(asked, reason=why)
    status: int | None = None
    while time.monotonic() < until:
        if stop.requested:
            return replace(asked, status=status, reason=f"stopped: {stop.reason}")
        ended = running.ended
        answer = _status(place)
        status = status if answer is None else answer
        if answer is not None and 200 <= answer < 400:
            return replace(asked, healthy=True, status=answer)
        # Asked once more after its end: a command may leave a service behind, which then answered.
        if ended is not None:
            return replace(asked, healthy=False, status=status, ended=ended)
        stop.wait(_EVERY)
    return replace(asked, healthy=False, status=status)


def _status(place: tuple[str, int, str]) -> int | None:
    """The HTTP status of one GET; None where nothing answered."""
    line = http.client.HTTPConnection(place[0], place[1], timeout=_ONE_ANSWER)
    try:
        line.request("GET", place[2], headers={"Connection": "close"})
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()


def _secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    return (environment.get("PGPASSWORD", ""),)
