"""Asks a scan that references to small tables share (``plan.shared``)."""

from __future__ import annotations

import time

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import ask, refuse
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import NotRead, TooLarge, explained
from kisaan_validate.execute.one_pass import StatementAnswer, is_one_expressions_fault, take
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.shared import SharedScan
from kisaan_validate.postgres.session import Session, milliseconds_since

_TIMED_OUT = "57014"


def ask_shared(session: Session, shared: SharedScan, ground: Ground) -> list[StatementAnswer]:
    """Run a shared scan; an answer for each of its members. Raises nothing: if it fails for a reason that
    may be one member's own, each is asked by itself; else the error is that of all.
    """
    sql, start = shared.sql(), time.perf_counter()
    try:
        if explained(session, sql).rereads:
            raise NotRead("not run: a list would be read again for each row")
        with ground.under(session, shared.reads, sql, shared.check_ids) as rests:
            (row,), taken = session.timed(sql)
    except DatabaseError as error:
        recover(session)
        return _without(session, shared, ground, error, milliseconds_since(start))
    answers = []
    for one, outputs in shared.rows(row):
        answer = StatementAnswer(rests=rests, milliseconds=round(taken / len(shared.members), 3))
        take(one, outputs, one.slots, one.figures, answer)
        answers.append(answer)
    answers[0].log.append(StatementFacts(shared.purpose, sql, shared.check_ids, taken))
    return answers


def _without(
    session: Session, shared: SharedScan, ground: Ground, error: DatabaseError, taken: float
) -> list[StatementAnswer]:
    """The answers after a shared scan failed with an error, after so many milliseconds."""
    if _may_be_ones_own(session, error, taken):
        answers = [ask(session, one, ground) for one in shared.members]
    else:
        answers = [refuse(one, error) for one in shared.members]
    # What was refused was not sent, and the log holds only statements that were.
    if not isinstance(error, (NotRead, TooLarge)):
        code = error.sqlstate or "lost"
        facts = StatementFacts(shared.purpose, shared.sql(), shared.check_ids, taken, code)
        answers[0].log.insert(0, facts)
    return answers


def _may_be_ones_own(session: Session, error: DatabaseError, taken: float) -> bool:
    """Whether members may have an answer by themselves: one takes less time and memory than all, and not each
    needs every right.
    """
    if error.lost or session.lost:
        return False
    # Sooner than that it was cancelled: by a person, or because the run is stopped.
    if error.sqlstate == _TIMED_OUT:
        return taken >= session.limits.statement_timeout
    return (
        isinstance(error, (NotRead, TooLarge))
        or is_one_expressions_fault(error)
        or error.sqlstate in {"42501", "42P01"}
        or error.sqlstate.startswith("53")
    )
