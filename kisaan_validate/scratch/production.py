"""A scratch server must never be the database under validation: proved before anything is written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kisaan_validate.errors import TargetError
from kisaan_validate.postgres.connecting import connect
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.identity import identity_of, same

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGSERVICE")
_SECONDS = 10
_HINT = "name another server with --scratch-dsn, or none: then one is made for the occasion"


def refuse_if_production(scratch: Scratch, target: Target) -> None:
    """Raise TargetError unless the two are proved to be different servers. Writes nothing to either."""
    connection = scratch.connect("postgres")
    try:
        refuse_if_one(connection, target, made=scratch.installation is not None)
    finally:
        connection.close()


def refuse_if_one(connection: Any, target: Target, *, made: bool = False) -> None:
    """As above, with a connection to the server into which would be written; ``made``: it is ours."""
    try:
        theirs = connect(target, _SECONDS, Stop())
    except TargetError as error:
        raise TargetError(
            f"nobody can tell whether the scratch server is the database under validation: {error.fact}",
            f"unset {target.source} for this command, or make it reachable",
        ) from None
    try:
        reason = same(identity_of(connection), identity_of(theirs), made=made)
    finally:
        theirs.close()
    if reason:
        raise TargetError(
            f"the scratch server may be the database under validation ({target.source}): {reason}", _HINT
        )


def named_productions() -> tuple[Target, ...]:
    """The databases that the environment names: each of them may be the one under validation. Raises
    TargetError.
    """
    named = [
        find_target(environ={name: os.environ[name]})
        for name in ("KISAAN_DSN", "DATABASE_URL")
        if os.environ.get(name)
    ]
    # Without either of them, libpq's own variables name it.
    if any(os.environ.get(name) for name in _LIBPQ):
        named.append(find_target(environ={}))
    return tuple(named)


def refuse_named(connection: Any, more: Iterable[Target] = ()) -> None:
    """Raise TargetError unless the server is none of those that the environment, or the caller, names."""
    for target in (*named_productions(), *more):
        refuse_if_one(connection, target)
