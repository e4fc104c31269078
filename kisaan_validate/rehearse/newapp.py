"""Does the build after the migration work with it? It is started on the migrated copy, and probed.

All its probes are sent, those that write too, to that process alone: whatever address their file names. It
has the copy in its environment (DATABASE_URL, PGHOST and so on) and a free PORT; whatever it starts is
killed at the end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.rehearsed import NewAppProbed
from kisaan_validate.probe.load import BoundProbes, Probes, bind_probes
from kisaan_validate.probe.places import read_address
from kisaan_validate.probe.run import ProbeWish, run_probes
from kisaan_validate.process.ports import HERE, free_port, listens
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.foreign import ForeignCommand, foreign_command
from kisaan_validate.rehearse.words import without_secrets

TIMEOUT = 60
"""Seconds until a build that does not listen, or is not healthy, is given up."""

_EVERY = 0.2


@dataclass(frozen=True)
class NewAppAsked:
    """The build after the migration: its command, and the probes that it must pass."""

    command: str
    probes: Probes
    timeout: int = TIMEOUT


def check_app(asked: NewAppAsked) -> None:
    """Refuse probes that could not be sent, before anything is restored. Raises UsageError."""
    _bound(asked, 1)


def probe_new_app(
    asked: NewAppAsked, environment: Mapping[str, str], folder: Path, stop: Stop
) -> NewAppProbed:
    """Start the build with this environment and probe it. ``folder`` is where its output is kept meanwhile.
    Raises UsageError where the command cannot be started.
    """
    port = free_port()
    bound = _bound(asked, port)
    with foreign_command(asked.command, {**environment, "PORT": str(port)}, folder / "app.log") as running:
        found = NewAppProbed(asked.command, None)
        if why := _waited(running, port, asked.timeout, stop):
            found = replace(found, reason=why)
        else:
            wish = ProbeWish(writes=True)
            found = replace(found, probed=run_probes(bound, wish, stop))
        tail = without_secrets(running.words(), _secrets(environment, asked))
        return replace(found, ended=running.ended, tail=tail)


def _bound(asked: NewAppAsked, port: int) -> BoundProbes:
    """The probes with the address of the process on this machine, health being asked until it has started."""
    file = asked.probes.file
    health = file.health.model_copy(update={"retries": max(file.health.retries, asked.timeout), "wait": 1})
    probes = replace(asked.probes, file=file.model_copy(update={"health": health}))
    prefix = ""
    with suppress(UsageError):  # a variable of the environment: its path is not known
        prefix = read_address(file.base_url or "").prefix
    made = bind_probes(probes, base_url=f"http://{HERE}:{port}{prefix}", own=False)
    # A copy that is thrown away: it may be written, and speaks no TLS.
    return replace(made, production=False, ca=None)


def _waited(running: ForeignCommand, port: int, timeout: int, stop: Stop) -> str:
    """Wait until somebody listens; why nobody does, "" if somebody does."""
    if listens(port):
        return f"port {port} was taken before it started: another program would have answered"
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if stop.requested:
            return f"stopped: {stop.reason}"
        ended = running.ended
        if listens(port):
            return ""
        if ended is not None:
            return f"it ended with exit code {ended}, and listened on no $PORT"
        stop.wait(_EVERY)
    return f"it did not listen on $PORT within {timeout} s"


def _secrets(environment: Mapping[str, str], asked: NewAppAsked) -> tuple[str, ...]:
    """The copy's password, and what probes send as headers: an application may log either."""
    from kisaan_validate.probe.load import variables_of

    sent = (os.environ.get(name, "") for name in variables_of(asked.probes.file))
    return (environment.get("PGPASSWORD", ""), *sent)
