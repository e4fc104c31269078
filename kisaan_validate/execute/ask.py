"""Asking one statement, and when it fails, finding out whose fault it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import NotRead, TooLarge
from kisaan_validate.execute.one_pass import StatementAnswer, ask_pass, is_one_expressions_fault
from kisaan_validate.execute.recovery import FEW_ROWS, recover, tuned
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.samples import COUNTED
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.postgres.session import Session, milliseconds_since


def ask(
    session: Session, statement: Pass | Query, ground: Ground, listing: str | None = None
) -> StatementAnswer:
    """Run any counting statement, after its plan was looked at. Raises nothing. ``listing`` is the
    statement by which a query also lists what it counts.
    """
    if isinstance(statement, Query):
        listed = _ask_listing(session, statement, listing, ground) if listing else None
        return listed or ask_query(session, statement, ground)
    with tuned(session, statement.planner):
        return _ask_grounded(session, statement, ground)


def _ask_grounded(session: Session, statement: Pass, ground: Ground) -> StatementAnswer:
    """A pass whose plan reads what it should. An expression at fault fails already there: then the rows'
    plan alone is looked at.
    """
    failure = DatabaseError("not run")
    # First all of it. If an expression fails while planning, the bare scan at least shows how rows are read.
    for sql in (statement.sql(), statement.sql((), ())):
        try:
            with ground.under(session, statement.reads, sql, statement.check_ids) as rests:
                counted = ask_pass(session, statement)
            counted.rests = rests
            return counted
        except DatabaseError as error:
            recover(session)
            failure = error
        # A plan that is refused would be refused again: these
        # say something of the table, not of an expression.
        if session.lost or isinstance(failure, (NotRead, TooLarge)):
            break
    return refuse(statement, failure)


def refuse(statement: Pass | Query, error: DatabaseError) -> StatementAnswer:
    """The answer of a statement that could not be, or was not, run."""
    return StatementAnswer(errors=dict.fromkeys(statement.check_ids, error), failure=error)


def _ask_listing(session: Session, query: Query, sql: str, ground: Ground) -> StatementAnswer | None:
    """Count and list in one statement; None if it cannot be run, which says nothing of the count."""
    counted = StatementAnswer()
    start = time.perf_counter()
    try:
        with (
            ground.under(session, query.reads, sql, query.check_ids) as rests,
            tuned(session, FEW_ROWS),
        ):
            rows, counted.milliseconds = session.timed(sql)
    except DatabaseError as error:
        recover(session)
        # It sorts by keys, which a type may not allow, and keeps the rows, for which there may be no room
        # (class 53): then the count alone is asked.
        short = error.sqlstate.startswith("53")
        if is_one_expressions_fault(error) or short or isinstance(error, (NotRead, TooLarge)):
            return None
        taken = milliseconds_since(start)
        facts = StatementFacts(query.purpose, sql, query.check_ids, taken, error.sqlstate or "lost")
        return replace(refuse(query, error), milliseconds=taken, log=[facts])
    ((count, *judged),) = (values for slot, values, *_ in rows if slot == COUNTED)
    counted.rests, counted.listed[query.check_id] = rests, rows
    counted.violations[query.check_id] = int(count)
    counted.examined.update((query.check_id, int(number)) for number in judged)
    counted.log.append(StatementFacts(query.purpose, sql, query.check_ids, counted.milliseconds))
    return counted


def ask_query(session: Session, query: Query, ground: Ground) -> StatementAnswer:
    """Run one query check. Raises nothing, as :func:`ask_pass`."""
    counted = StatementAnswer()
    start = time.perf_counter()
    sql = query.sql()
    try:
        with ground.under(session, query.reads, sql, query.check_ids) as rests:
            counted.rests = rests
            ((count, *judged),), counted.milliseconds = session.timed(sql)
        counted.log.append(StatementFacts(query.purpose, sql, query.check_ids, counted.milliseconds))
        most = query.violations.most
        # The number of segments is the last output of such a query; see ``rules.quantile``.
        if most and (segments := int(judged.pop())) > most:
            counted.errors[query.check_id] = _too_many(segments, most)
            return counted
        take_counts(query, (count, *judged), counted)
    except DatabaseError as error:
        counted.milliseconds = milliseconds_since(start)
        recover(session)
        counted.errors[query.check_id] = error
        # What was refused was not sent, and the log holds only statements that were.
        if not isinstance(error, (NotRead, TooLarge)):
            facts = StatementFacts(
                query.purpose, sql, query.check_ids, counted.milliseconds, error.sqlstate or "lost"
            )
            counted.log.append(facts)
    return counted


def take_counts(query: Query, row: Sequence[Any], counted: StatementAnswer) -> None:
    """What the one row of a query says: how many rows violate and, where it counts them, were judged; and a
    figure that is judged later.
    """
    count, *judged = row
    if query.violations.found:
        counted.found[query.check_id] = str(judged.pop())
    counted.violations[query.check_id] = int(count)
    counted.examined.update((query.check_id, int(number)) for number in judged)


def _too_many(segments: int, most: int) -> DatabaseError:
    hint = "raise segments=…, choose coarser segments, or restrict the rows with where=…"
    return DatabaseError(f"it has {segments:,} segments, but at most {most:,} are judged one by one", hint)
