"""Asks several statements that travel as one."""

from __future__ import annotations

import time

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import ask, refuse, take_counts
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import NotRead, explained
from kisaan_validate.execute.one_pass import StatementAnswer, take
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.fused import FusedStatement
from kisaan_validate.plan.statements import Query
from kisaan_validate.postgres.session import Session, milliseconds_since


def ask_fused(session: Session, fused: FusedStatement, ground: Ground) -> list[StatementAnswer]:
    """Run it; an answer for each of its members. Raises nothing: if it fails, each is asked by itself, unless
    it was cancelled or the session is lost.
    """
    log: list[StatementFacts] = []
    try:
        row, rests = _row(session, fused, ground, log)
    except DatabaseError as error:
        recover(session)
        # Who cancels it, or stops the run, does not want its parts instead.
        if error.cancelled or session.lost:
            answers = [refuse(one, error) for one in fused.members]
        else:
            answers = [ask(session, one, ground) for one in fused.members]
    else:
        taken = round(log[0].milliseconds / len(fused.members), 3)
        answers = []
        for one, outputs in fused.rows(row):
            answer = StatementAnswer(rests=rests, milliseconds=taken)
            if isinstance(one, Query):
                take_counts(one, outputs, answer)
            else:
                take(one, outputs, one.slots, one.figures, answer)
            answers.append(answer)
    answers[0].log[:0] = log
    return answers


def _row(
    session: Session, fused: FusedStatement, ground: Ground, log: list[StatementFacts]
) -> tuple[tuple[object, ...], tuple[str, ...]]:
    """Its one row, and what it rests on; ``log`` gets the statement, if it was sent. Raises DatabaseError."""
    sql = fused.sql()
    if fused.lists and explained(session, sql).rereads:
        raise NotRead("not run: a list would be read again for each row")
    with ground.under(session, fused.reads, sql, fused.check_ids) as rests:
        start, code = time.perf_counter(), ""
        try:
            (row,) = session.execute(sql)
        except DatabaseError as error:
            # Without a SQLSTATE the line broke before the server could say anything.
            code = error.sqlstate or "lost"
            raise
        finally:
            taken = milliseconds_since(start)
            log.append(StatementFacts(fused.purpose, sql, fused.check_ids, taken, code))
        return row, rests
