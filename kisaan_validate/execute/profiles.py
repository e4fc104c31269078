"""Asking the statements of a profile, in the run's snapshot: one that fails costs its own columns only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import NotRead, TooLarge, refusal
from kisaan_validate.execute.one_pass import is_one_expressions_fault
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.profiles import ProfileStatement, Valued, ends_sql
from kisaan_validate.postgres.session import Rows, Session, milliseconds_since
from kisaan_validate.process.stopping import Stop

OnDone = Callable[[int, int], None]


@dataclass
class Told:
    """What one statement said: the distributions of its columns, or why there are none."""

    columns: dict[str, Distribution] = field(default_factory=dict)
    log: list[StatementFacts] = field(default_factory=list)

    def refuse(self, statement: ProfileStatement, error: DatabaseError) -> Told:
        """Say why its columns were not measured."""
        why = reason(error)
        self.columns |= {column.name: Distribution(message=why) for column in statement.columns}
        return self


@dataclass
class Ends:
    """The finite ends of columns that also hold NaN or infinities, or why they are not known."""

    found: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    message: str = ""
    log: list[StatementFacts] = field(default_factory=list)


_SHORT = {"57014": "statement timeout", "55P03": "lock timeout"}
"""What PostgreSQL says in a sentence, by SQLSTATE."""


def reason(error: DatabaseError) -> str:
    """Why something was not measured, in a few words."""
    return _SHORT.get(error.sqlstate, error.fact)


def take_profiles(
    pool: Pool, statements: Sequence[ProfileStatement], stop: Stop, on_done: OnDone
) -> tuple[dict[TableKey, dict[str, Distribution]], list[StatementFacts]]:
    """By table and column what was measured, and the statements that were run. Raises nothing."""
    if statements:
        on_done(0, len(statements))
    tasks = [Task(_taker(s), _giver_up(s)) for s in statements]
    told = pool.run(tasks, stop, lambda done: on_done(done, len(statements)))
    found: dict[TableKey, dict[str, Distribution]] = {}
    for statement, answer in zip(statements, told, strict=True):
        found.setdefault(statement.table.key, {}).update(answer.columns)
    return found, [facts for answer in told for facts in answer.log]


def take_ends(
    pool: Pool, wanted: Mapping[TableKey, tuple[Table, Sequence[Valued]]], stop: Stop
) -> dict[TableKey, Ends]:
    """The finite ends of these columns, one statement a table. Raises nothing."""
    tasks = [Task(_ends_taker(*pair), lambda error: Ends(message=reason(error))) for pair in wanted.values()]
    return dict(zip(wanted, pool.run(tasks, stop), strict=True))


def _ends_taker(table: Table, columns: Sequence[Valued]) -> Callable[[Session], Ends]:
    def take(session: Session) -> Ends:
        ends = Ends()
        try:
            (row,) = _ask(
                session, f"profile of {table.name}: finite ends", ends_sql(table, columns), ends.log
            )
        except DatabaseError as error:
            return replace(ends, message=reason(error))
        pairs = zip(row[::2], row[1::2], strict=True)
        return replace(ends, found={c.name: pair for c, pair in zip(columns, pairs, strict=True)})

    return take


def _giver_up(statement: ProfileStatement) -> Callable[[DatabaseError], Told]:
    return lambda error: Told().refuse(statement, error)


def _taker(statement: ProfileStatement) -> Callable[[Session], Told]:
    def take(session: Session) -> Told:
        told = Told()
        try:
            (row,) = _ask(session, statement.purpose, statement.sql(), told.log)
        except DatabaseError as error:
            # One column's value, or its size, may be at fault; a timeout would only be waited for again.
            parted = len(statement.columns) > 1 and (
                isinstance(error, TooLarge) or is_one_expressions_fault(error)
            )
            return _apart(session, statement, told) if parted else told.refuse(statement, error)
        told.columns = statement.read(row)
        return told

    return take


def _apart(session: Session, statement: ProfileStatement, told: Told) -> Told:
    """Each column by itself, so that one which cannot be measured costs no other."""
    for part in statement.alone():
        single = _taker(part)(session)
        told.columns |= single.columns
        told.log += single.log
    return told


def _ask(session: Session, purpose: str, sql: str, log: list[StatementFacts]) -> Rows:
    """The rows of a statement. Raises DatabaseError, after which the session can be asked again unless it
    is lost.
    """
    start, sqlstate = time.perf_counter(), ""
    try:
        if session.lost:
            raise session.loss or DatabaseError("the connection was lost")
        if why := refusal(session, sql):
            raise why
        return session.execute(sql)
    except (NotRead, TooLarge):
        sqlstate = "not run"
        raise
    except DatabaseError as error:
        sqlstate = error.sqlstate or "lost"
        recover(session)
        raise
    finally:
        taken = milliseconds_since(start)
        log.append(StatementFacts(purpose, sql, (), taken, sqlstate))
