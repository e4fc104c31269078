"""What ended a migration that was the scratch server's own failure: it says nothing of the migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.rehearsal import MigrationDone, RehearsedRun

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

_STATES = ("08", "53100", "58030", "57P02", "57P03")
"""Beginnings of SQLSTATEs: a lost session, a full disk, a disk that fails, a server that crashed."""


def require_server(run: RehearsedRun, scratch: Scratch) -> None:
    """Raises DatabaseError where the server failed while a migration ran under the tape."""
    require_server_of(run.migration, scratch)
    # Of a command nothing else is known: what it printed is its own.
    states = (s.sqlstate for s in run.tape.statements) if not run.migration.succeeded else ()
    for state in states:
        if state.startswith(_STATES):
            raise _failed(f"SQLSTATE {state}", state, scratch)


def require_server_of(done: MigrationDone, scratch: Scratch) -> None:
    """The same of a run without a tape: by what its files met, and by whether there is any room left."""
    if done.succeeded:
        return
    for file in done.files:
        if file.sqlstate.startswith(_STATES):
            raise _failed(f"{file.name}: {file.error}", file.sqlstate, scratch)
    if not done.stopped and scratch.full:
        raise _failed("it has no room left", "53100", scratch)


def _failed(words: str, state: str, scratch: Scratch) -> DatabaseError:
    room = f"; {scratch.full}" if scratch.full else ""
    return DatabaseError(
        f"the scratch server failed while the migration ran: {words}{room}",
        "this says nothing of the migration: make room, or name another folder with --scratch-dir",
        state,
    )
