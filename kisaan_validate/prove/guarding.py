"""The guard of a run: before its start, while it is at work, and in its record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from kisaan_validate.errors import DatabaseError, Interrupted
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.request import GuardSaid, RunRequest
from kisaan_validate.sql.qualify import qualified


@contextmanager
def guarded(request: RunRequest) -> Iterator[RunRequest]:
    """The request with its guard at work, where rules ask for one: the run begins when they let it.

    Where the guard gives up before the start, the run goes on to a record in which nothing was asked.
    Raises Interrupted if somebody asked to stop meanwhile.
    """
    rules = request.options.guard
    if rules is None:
        yield request
        return
    # Imported late: most runs have no guard.
    from kisaan_validate.guard.watch import Guard

    guard = Guard(request.target, rules, request.stop, lambda said: request.observer(GuardSaid(said)))
    try:
        guard.await_start()
        # Nothing was measured yet that could be kept.
        if request.stop.at is not None:
            raise Interrupted(request.stop.reason)
        with guard:
            yield replace(request, gate=guard.gate, guard=guard)
    finally:
        guard.end()


def watch_from_here(request: RunRequest, holder: Session) -> None:
    """Tell the guard that the snapshot is taken, and on which server."""
    if request.guard is None:
        return
    from kisaan_validate.guard.readings import place_of

    # A lost session is noticed at its next statement.
    with suppress(DatabaseError):
        request.guard.holds(holder, place_of(holder))


def promotion(holder: Session, request: RunRequest, place: Place) -> Iterator[Notice]:
    """Whether a standby has become a primary since the snapshot, of which its answers are."""
    # After a stop nothing is asked that could be cut.
    if not place.in_recovery or request.stop.requested or holder.lost:
        return
    try:
        ((standby,),) = holder.execute(_STANDBY)
    except DatabaseError:
        return
    if not standby:
        said = "the standby was promoted while it was read; the answers are of the snapshot before that"
        yield Notice("promoted", said, "run again on the server that is the standby now")


_STANDBY = qualified("SELECT pg_is_in_recovery()")


def with_pauses(made: Run, request: RunRequest) -> Run:
    """The run with what its guard did."""
    guard = request.guard
    return made if guard is None else replace(made, guard=guard.facts, pauses=guard.pauses)
