"""Rolling back for real: the runbook's own command on the migrated copy, and a proper restore beside it."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.rehearsed import RollbackTry, RollbackWay
from kisaan_validate.rehearse.sameness import Comparer
from kisaan_validate.rehearse.words import masked_words

if TYPE_CHECKING:
    from kisaan_validate.scratch.client import Finished

_ERROR = re.compile(r"^(?:psql:|pg_restore:).*?\b(?:ERROR|FATAL|error):\s+(?P<said>.+)$", re.MULTILINE)
_KEPT = 60_000
"""A client's output of so many characters may have lost its beginning: only the end is kept."""

FIRST = 5
"""So many errors are shown; all are counted."""


@dataclass(frozen=True)
class RollbackCommands:
    """What a person would type to roll back, by the dump's format."""

    literal: str
    proper: str


def commands_of(dump: str, archive: bool, database: str) -> RollbackCommands:
    """The runbook's command for a dump of this name, and the proper one."""
    name, file = shlex.quote(database), shlex.quote(dump)
    if archive:
        return RollbackCommands(
            f"pg_restore -d {name} {file}",
            f"dropdb {name} && createdb -T template0 {name} && pg_restore --exit-on-error -d {name} {file}",
        )
    return RollbackCommands(
        f"psql {name} < {file}",
        f"dropdb {name} && createdb -T template0 {name} && psql -X -v ON_ERROR_STOP=1 {name} < {file}",
    )


def literal_rollback(
    comparer: Comparer, before: str, migrated: str, command: str, restore: Callable[[], Finished]
) -> RollbackTry:
    """The runbook's command: ``restore`` passes the dump into ``migrated`` and goes on after errors.

    Its exit code proves nothing, so ``migrated`` is compared with ``before`` afterwards.
    """
    asked = RollbackTry(RollbackWay.LITERAL, command)
    try:
        finished = restore()
    except KisaanError as error:
        return RollbackTry(asked.way, command, reason=error.fact)
    said = errors_said(finished.err_tail)
    if finished.cut:
        return RollbackTry(asked.way, command, errors=len(said), reason=f"it was ended: {finished.cut}")
    return RollbackTry(
        asked.way,
        command,
        finished.code,
        len(said),
        len(finished.err_tail) >= _KEPT,
        said[:FIRST],
        finished.seconds,
        comparer.same(before, migrated, sequences=True),
    )


def proper_rollback(
    comparer: Comparer, before: str, made: str, command: str, restore: Callable[[], tuple[str, ...]]
) -> RollbackTry:
    """A new database ``made`` from the dump: ``restore`` makes it and returns the errors, if any."""
    start = time.monotonic()
    try:
        errors = restore()
    except KisaanError as error:
        return RollbackTry(RollbackWay.PROPER, command, reason=error.fact)
    seconds = time.monotonic() - start
    same = comparer.same(before, made, sequences=True)
    code = 1 if errors else 0
    return RollbackTry(RollbackWay.PROPER, command, code, len(errors), False, errors[:FIRST], seconds, same)


def errors_said(text: str) -> tuple[str, ...]:
    """The errors that a client printed, in one line each, without the values that they quote."""
    # The DETAIL and CONTEXT lines that follow repeat rows, and are no errors of their own.
    return tuple(masked_words(match["said"], _class_of(match["said"])) for match in _ERROR.finditer(text))


def _class_of(said: str) -> str:
    """The class of SQLSTATEs that may quote values: a client prints no SQLSTATE, so by the words."""
    return "22" if said.startswith(("invalid ", "value ", "date/time ", "malformed ")) else ""
