"""Failures of the scratch server itself, as of a full disk: they say nothing of the migration."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.rehearsal import MigrationDone, RehearsedRun
from kisaan_validate.scratch.space import server_failure

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

_STATES = ("08", "53100", "58030", "57P02", "57P03")
"""Beginnings of SQLSTATEs: a lost session, a full disk, a disk that fails, a server that crashed."""


def is_of_server(sqlstate: str) -> bool:
    """Whether an error says that the server itself failed, not what was asked of it."""
    return sqlstate.startswith(_STATES)


def put_away(scratch: Scratch, database: str) -> None:
    """Make room. Where that fails, what was found is not lost: all of it is erased at the end."""
    with suppress(DatabaseError):
        scratch.drop(database)


def failure_under_tape(run: RehearsedRun, scratch: Scratch) -> DatabaseError | None:
    """How the server failed while a migration ran under the tape; None if it did not."""
    if run.migration.succeeded:
        return None
    if found := failure_of_server(run.migration, scratch):
        return found
    # Of a command nothing else is known: what it printed is its own.
    state = next((s.sqlstate for s in run.tape.statements if is_of_server(s.sqlstate)), "")
    return _failure(f"SQLSTATE {state}", state, scratch) if state else None


def failure_of_server(done: MigrationDone, scratch: Scratch) -> DatabaseError | None:
    """The same of a run without a tape: by what its files met, and by whether there is any room left."""
    if done.succeeded:
        return None
    for file in done.files:
        if is_of_server(file.sqlstate):
            return _failure(f"{file.name}: {file.error}", file.sqlstate, scratch)
    if not done.stopped and scratch.full:
        return _failure("it has no room left", "53100", scratch)
    return None


def _failure(words: str, state: str, scratch: Scratch) -> DatabaseError:
    return server_failure("the migration ran", words, state, scratch.full, "migration")


def require_server_under_tape(run: RehearsedRun, scratch: Scratch) -> None:
    """Raises DatabaseError where the server failed while a migration ran under the tape."""
    if failure := failure_under_tape(run, scratch):
        raise failure


def require_server(done: MigrationDone, scratch: Scratch) -> None:
    """Raises DatabaseError where the server failed while a migration ran without one."""
    if failure := failure_of_server(done, scratch):
        raise failure
