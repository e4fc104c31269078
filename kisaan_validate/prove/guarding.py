"""The guard of a run: before its start, while it is at work, and in its record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from kisaan_validate.errors import DatabaseError, Interrupted
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.request import GuardSaid, RunRequest


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


def with_pauses(made: Run, request: RunRequest) -> Run:
    """The run with what its guard did."""
    guard = request.guard
    return made if guard is None else replace(made, guard=guard.facts, pauses=guard.pauses)
