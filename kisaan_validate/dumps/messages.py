"""What psql and pg_restore say, without the values that they repeat.

DETAIL, CONTEXT and HINT repeat rows and keys, and so do the messages of some errors. What is kept is the
line, the SQLSTATE, names of objects, and a message whose quoted parts are hidden unless its class of errors
names only objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kisaan_validate.dataclass import dataclass

HIDDEN = "•••"

_LINE = re.compile(r"^psql:<stdin>:(\d+): (ERROR|FATAL|PANIC|WARNING):\s+(?:([0-9A-Z]{5}): )?(.*)$")
_OWN = re.compile(r"^psql:(?:<stdin>:(\d+):)? ?(?:error: )?(.*)$")
_NAMED = re.compile(r"^(SCHEMA|TABLE|COLUMN|DATATYPE|CONSTRAINT) NAME:\s+(.*)$")
_COPY = re.compile(r"^CONTEXT:\s+COPY (.+?), line (\d+)(?:, column ([^:]+))?(?:$|[:,])")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”")
_NAMING = ("0A", "23", "25", "28", "2B", "3D", "3F", "42", "53", "54", "55", "57", "58")
"""Classes of SQLSTATE whose messages name objects and settings, not values."""

_SYNTAX = "42601"

_OF_THE_SERVER = ("08", "53", "58", "57P")
"""Beginnings of SQLSTATEs of a server that lacks something or ended: they say nothing of the dump."""

_LOST = (
    "server closed the connection",
    "connection to server was lost",
    "could not connect",
    "no connection",
)


@dataclass(frozen=True)
class ClientSaid:
    """An error as it may be shown; ``line`` in psql's input, 0 if unknown."""

    line: int
    severity: str
    sqlstate: str
    text: str


def said(output: str) -> tuple[ClientSaid, ...]:
    """The errors and warnings in psql's output (VERBOSITY=verbose), without values."""
    found: list[ClientSaid] = []
    for line in output.splitlines():
        if match := _LINE.match(line):
            state = match[3] or ""
            found.append(ClientSaid(int(match[1]), match[2], state, _shown(state, match[4])))
        elif found and (copied := _COPY.match(line)):
            column = f", column {copied[3]}" if copied[3] else ""
            found[-1] = _with(found[-1], f"row {copied[2]} of COPY{column}")
        elif found and (named := _NAMED.match(line)):
            found[-1] = _with(found[-1], f"{named[1].lower()} {named[2]}")
        elif (own := _OWN.match(line)) and own[2]:
            found.append(ClientSaid(int(own[1] or 0), "ERROR", "", _hidden(own[2])))
    return tuple(found)


def server_failed(found: Iterable[ClientSaid]) -> ClientSaid | None:
    """The first error that is the server's own, as of a full disk or its end; None if all are of what was
    restored.
    """
    return next((one for one in found if _of_the_server(one)), None)


def _of_the_server(one: ClientSaid) -> bool:
    if one.sqlstate:
        return one.sqlstate.startswith(_OF_THE_SERVER)
    return one.text.startswith(_LOST)


def _with(one: ClientSaid, more: str) -> ClientSaid:
    return ClientSaid(one.line, one.severity, one.sqlstate, f"{one.text}; {more}")


def _shown(state: str, message: str) -> str:
    if state[:2] in _NAMING and state != _SYNTAX:
        return message
    if state[:2] == "22" or state == _SYNTAX:
        return _hidden(message)
    # A function's own words may hold anything.
    return "an error whose text is not shown, because it may hold values"


def _hidden(message: str) -> str:
    """Without quoted parts; an odd quote hides the rest."""
    text = _QUOTED.sub(f'"{HIDDEN}"', message)
    left = re.split(r"[\"“](?!•••\")", text.replace(f'"{HIDDEN}"', "\0"), maxsplit=1)
    return left[0].replace("\0", f'"{HIDDEN}"') + (HIDDEN if len(left) > 1 else "")


def tool_said(output: str) -> str:
    """The last message of pg_restore, without values."""
    lines = [line for line in output.splitlines() if line.startswith("pg_restore: ")]
    return _hidden(lines[-1].removeprefix("pg_restore: ").removeprefix("error: ")) if lines else ""
