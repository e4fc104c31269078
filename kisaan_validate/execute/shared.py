"""Asks a scan that references to small tables share (``plan.shared``)."""

from __future__ import annotations

import time

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import ask, refuse
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import NotRead, explained
from kisaan_validate.execute.one_pass import StatementAnswer, take
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.shared import SharedScan
from kisaan_validate.postgres.session import Session, milliseconds_since


def ask_shared(session: Session, shared: SharedScan, ground: Ground) -> list[StatementAnswer]:
    """Run a shared scan; an answer for each of its members. Raises nothing: if it fails, each is asked by
    itself, unless it was cancelled or the session is lost.
    """
    sql, sent = shared.sql(), 0.0
    try:
        if explained(session, sql).rereads:
            raise NotRead("not run: a list would be read again for each row")
        with ground.under(session, shared.reads, sql, shared.check_ids) as rests:
            sent = time.perf_counter()
            (row,), taken = session.timed(sql)
    except DatabaseError as error:
        taken = milliseconds_since(sent) if sent else 0.0
        recover(session)
        # Who cancels it, or stops the run, does not want its parts instead.
        if error.cancelled or session.lost:
            answers = [refuse(one, error) for one in shared.members]
        else:
            answers = [ask(session, one, ground) for one in shared.members]
        # The log holds only statements that were sent.
        if sent:
            code = error.sqlstate or "lost"
            facts = StatementFacts(shared.purpose, sql, shared.check_ids, taken, code)
            answers[0].log.insert(0, facts)
        return answers
    answers = []
    for one, outputs in shared.rows(row):
        answer = StatementAnswer(rests=rests, milliseconds=round(taken / len(shared.members), 3))
        take(one, outputs, one.slots, one.figures, answer)
        answers.append(answer)
    answers[0].log.append(StatementFacts(shared.purpose, sql, shared.check_ids, taken))
    return answers
