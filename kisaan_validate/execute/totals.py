"""Taking control totals: one statement each, in the run's snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.totals import ControlTotal, GroupTotal
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.plan.totals import TotalQuery
from kisaan_validate.postgres.session import Session, milliseconds_since
from kisaan_validate.process.stopping import Stop


@dataclass
class _TakenTotals:
    total: ControlTotal
    log: list[StatementFacts] = field(default_factory=list)


def take_totals(
    pool: Pool, queries: Sequence[TotalQuery], stop: Stop
) -> tuple[tuple[ControlTotal, ...], list[StatementFacts]]:
    """What each says, and the statements that were run. Raises nothing: a total without an
    answer says why.
    """
    tasks = [Task(_taker(query), _giver_up(query)) for query in queries]
    taken = pool.run(tasks, stop, lambda _: None) if tasks else []
    return tuple(one.total for one in taken), [facts for one in taken for facts in one.log]


def _giver_up(query: TotalQuery) -> Callable[[DatabaseError], _TakenTotals]:
    return lambda error: _TakenTotals(_refused(query, error))


def _refused(query: TotalQuery, error: DatabaseError) -> ControlTotal:
    fact = mask_values(error.fact, query.known) if query.private else error.fact
    return replace(query.total, message=query.total.message or fact, sqlstate=error.sqlstate)


def _taker(query: TotalQuery) -> Callable[[Session], _TakenTotals]:
    def take(session: Session) -> _TakenTotals:
        taken = _TakenTotals(query.total)
        if not query.total.sql:
            return taken
        try:
            taken.total = _ask(session, query, taken.log)
        except DatabaseError as error:
            taken.total = _refused(query, error)
        return taken

    return take


def _ask(session: Session, query: TotalQuery, log: list[StatementFacts]) -> ControlTotal:
    """What one statement says. Raises DatabaseError, after which the session can be asked again unless it is
    lost.
    """
    total, start, sqlstate = query.total, time.perf_counter(), ""
    try:
        if why := refusal(session, total.sql):
            raise why
        rows = session.execute(total.sql)
    except DatabaseError as error:
        sqlstate = error.sqlstate or "not run"
        recover(session)
        raise
    finally:
        took = milliseconds_since(start)
        log.append(
            StatementFacts(f"control total: {total.table}, {total.name}", total.sql, (), took, sqlstate)
        )
    # Never cut: totals of some groups would be taken for those of all.
    if len(rows) > query.most:
        return replace(
            total, message=f"more than {query.most:,} groups; raise most=…, or group more coarsely"
        )
    return replace(total, groups=tuple(_group(row, len(total.by)) for row in rows))


def _group(row: Sequence[object], parts: int) -> GroupTotal:
    values = tuple(None if value is None else str(value) for value in row[:parts])
    count, total = row[parts:]
    return GroupTotal(values, int(str(count)), None if total is None else str(total))
