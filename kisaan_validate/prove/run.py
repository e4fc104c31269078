"""One run: prove a suite on a live PostgreSQL, in one snapshot, by a few statements.

The steps are named here, in their order; each is a function of a module beside this one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.errors import CatalogueWithheld
from kisaan_validate.execute.held import HoldLimit
from kisaan_validate.postgres.catalogue import reading_catalogue
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.process.deadline import DeadlineTimer
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.again import asked_again
from kisaan_validate.prove.asking import ask_all
from kisaan_validate.prove.assemble import assemble
from kisaan_validate.prove.comparison import ComparisonPlan
from kisaan_validate.prove.context import RunContext, look
from kisaan_validate.prove.guarding import guarded, watch_from_here, with_pauses
from kisaan_validate.prove.ledger import with_ledger
from kisaan_validate.prove.lock import connect, lock
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.planning import explained, plan
from kisaan_validate.prove.profiling import plan_profile
from kisaan_validate.prove.recovery import alive, heaps_only
from kisaan_validate.prove.request import Observer, RunRequest
from kisaan_validate.prove.rows import with_rows
from kisaan_validate.prove.settling import Look, settled
from kisaan_validate.prove.values import values_to_keep, with_values
from kisaan_validate.prove.withheld import nothing_judged

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.plan.plan import Plan
    from kisaan_validate.postgres.session import Session
    from kisaan_validate.suite.load import Suite


def run(
    suite: Suite,
    dsn: str | Target | None = None,
    *,
    select: Iterable[str] = (),
    exclude: Iterable[str] = (),
    options: Options | None = None,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
) -> Run:
    """Prove a suite on a database.

    ``dsn`` names it, else KISAAN_DSN, DATABASE_URL, libpq's environment.

    Reads only, in one REPEATABLE READ READ ONLY snapshot. A check that could not be asked has status ERROR
    or SKIP in the returned Run; nothing that goes wrong on the server after the snapshot was taken raises.
    Raises TargetError (no connection, or not the expected database), SuiteError (a selection matches
    nothing) and DatabaseError (the server failed before the snapshot was taken); then what was half written
    beside a baseline is removed.
    """
    options = options or Options()
    try:
        asked = _request(suite.narrowed(select, exclude), dsn, options, observer, stop)
        with guarded(asked) as request:
            return asked_again(request, _prove)
    # ``BaseException``: an interrupt must not leave half a file either.
    except BaseException:
        options.keep.drop()
        raise


def _prove(request: RunRequest) -> Run:
    """A look in one snapshot, and a second one at what may have been in flight."""
    first = _again(request)
    # Only now: no snapshot is held while rows settle.
    return settled(request, first, _again)


def _again(request: RunRequest) -> Look:
    """All of it in one snapshot, until the time ends."""
    with DeadlineTimer(request.options.until, request.stop), closing(connect(request)) as holder:
        try:
            return _look(request, holder)
        except CatalogueWithheld as error:
            # What is compared would look as if all were gone: that is no run at all.
            if request.options.compare is not None:
                raise
            return nothing_judged(request, holder, error)


def _look(request: RunRequest, holder: Session) -> Look:
    """The steps. ``holder`` is the session that holds the snapshot; later ones join it."""
    options, stop = request.options, request.stop
    with reading_catalogue():
        snapshot = lock(request, holder)
    watch_from_here(request, holder)
    # The clock starts with the snapshot, because from here on VACUUM has to keep dead rows.
    with HoldLimit(options.limits.snapshot_seconds, stop) as held:
        seen = time.monotonic()
        with reading_catalogue():
            context = look(request, holder, snapshot)
            # A column that cannot be kept is refused before hours of reading.
            keeping = values_to_keep(context)
            planned = plan(context)
        compared = _comparison(context)
        profiled = plan_profile(context, compared.here.before)
        # The catalogue is read through its indexes; from here on only heaps may answer.
        heaps_only(holder)
        told = ask_all(context, planned, compared, profiled)
        made = assemble(context, planned, compared, told)
        made = with_ledger(context, told.moved, made)
        made = with_rows(context, compared, made)
        made = with_values(context, compared, made, keeping)
        # Once more, because rows and values were read after the run was assembled.
        made = _ended(made, request, held)
        if options.while_held is not None and not stop.requested:
            # The snapshot is still open here, and the callback can ask whether it survived so long.
            options.while_held(made, lambda: alive(holder))
    return Look(made, told.failing, seen)


def _comparison(context: RunContext) -> ComparisonPlan:
    """What is to be measured for a comparison; nothing if none was asked for."""
    comparing = context.request.options.compare
    if comparing is None:
        return ComparisonPlan()
    # Only now: a run without a baseline need not import what compares.
    from kisaan_validate.prove.comparing import prepare

    return prepare(context, comparing)


def _ended(made: Run, request: RunRequest, held: HoldLimit) -> Run:
    made = replace(with_pauses(made, request), interrupted=request.interrupted, halted=request.halted)
    return replace(made, held_seconds=held.seconds, finished_at=request.now())


def explain(
    suite: Suite, dsn: str | Target | None = None, options: Options | None = None, stop: Stop | None = None
) -> Plan:
    """What :func:`run` would send to this database, without sending it: only the catalogue is read.

    Raises TargetError and DatabaseError.
    """
    return explained(_request(suite, dsn, options, lambda _: None, stop))


def _request(
    suite: Suite,
    dsn: str | Target | None,
    options: Options | None,
    observer: Observer,
    stop: Stop | None,
) -> RunRequest:
    target = dsn if isinstance(dsn, Target) else find_target(dsn)
    # The clock is read here, before connecting, so that the time of a slow connection belongs to the run.
    return RunRequest(suite, target, options or Options(), observer, stop or Stop())
