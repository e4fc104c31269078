"""A run of a role that may not read the catalogue: it is recorded, and no check of it has an answer."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import replace

from kisaan_validate.errors import CatalogueWithheld, DatabaseError
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.totals import ControlTotal
from kisaan_validate.postgres.catalogue import read_place
from kisaan_validate.postgres.expected import require_expected
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.guarding import with_pauses
from kisaan_validate.prove.request import RunRequest
from kisaan_validate.prove.settling import Look
from kisaan_validate.version import VERSION


def nothing_judged(request: RunRequest, holder: Session, error: CatalogueWithheld) -> Look:
    """The run without an answer to any check, each with what was withheld. Raises DatabaseError where not
    even the place can be told, TargetError where it is not the expected one.
    """
    suite, options = request.suite, request.options
    with suppress(DatabaseError):
        holder.execute("ROLLBACK")
    holder.begin()
    place, notices = read_place(holder, request.target.source, "")
    require_expected(place, options.expect, request.target)
    told = Result("", Status.ERROR, message=error.fact, hint=error.hint, sqlstate=error.sqlstate)
    made = Run(
        id=f"{request.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        started_at=request.started,
        finished_at=request.now(),
        tool_version=VERSION,
        suite=suite.facts,
        place=place,
        selection=suite.selection,
        settings=options.recorded(),
        tables=(),
        checks=suite.checks,
        results=tuple(replace(told, check_id=check.id) for check in suite.checks),
        notices=(*notices, Notice("catalogue", error.fact, error.hint)),
        waivers_digest=options.waivers.digest if options.waivers is not None else "",
        fail_on=options.fail_on,
        criteria=suite.criteria,
        interrupted=request.interrupted,
        halted=request.halted,
        totals=tuple(ControlTotal(s.table, s.column, s.by, message=error.fact) for s in suite.totals),
    )
    return Look(with_pauses(made, request), {}, time.monotonic())
