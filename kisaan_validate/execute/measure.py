"""Taking the measures of a contract: one statement each, in the run's snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kisaan_validate.compile.measures import Measure
from kisaan_validate.database.session import Session
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import recover, too_large
from kisaan_validate.execute.pool import Pool, Stop, Task
from kisaan_validate.model import Measured, StatementFacts


@dataclass(frozen=True)
class _Taken:
    measured: tuple[Measured, ...]
    log: tuple[StatementFacts, ...] = ()


def take_measures(
    pool: Pool, measures: Sequence[Measure], stop: Stop, on_done: Callable[[int, int], None]
) -> tuple[tuple[Measured, ...], list[StatementFacts]]:
    """What each measure says, and the statements that were run. Raises nothing: no answer is a Measured that says why."""
    if not measures:
        return (), []
    on_done(0, len(measures))
    tasks = [Task(_taker(m), _giver_up(m)) for m in measures]
    taken = pool.run(tasks, stop, lambda done: on_done(done, len(measures)))
    return tuple(m for t in taken for m in t.measured), [facts for t in taken for facts in t.log]


def _giver_up(measure: Measure) -> Callable[[DatabaseError], _Taken]:
    return lambda error: _refused(measure, error)


def _refused(measure: Measure, error: DatabaseError) -> _Taken:
    ids = measure.counts or (measure.id,)
    return _Taken(tuple(Measured(id, measure.title, sql=measure.sql, message=error.fact, sqlstate=error.sqlstate) for id in ids))


def _taker(measure: Measure) -> Callable[[Session], _Taken]:
    def take(session: Session) -> _Taken:
        if measure.table is None:
            return _Taken((Measured(measure.id, measure.title, message=measure.missing),))
        start = time.perf_counter()
        try:
            if refusal := too_large(session, measure.sql):
                return _refused(measure, refusal)
            (row,) = session.execute(measure.sql)
        except DatabaseError as error:
            recover(session)
            return _refused(measure, error)
        taken = (time.perf_counter() - start) * 1000
        return _Taken(tuple(measure.read(row)), (StatementFacts(f"contract: {measure.id}", measure.sql, (), taken),))

    return take
