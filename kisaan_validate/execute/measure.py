"""Taking the measures of a contract: one statement each, in the run's snapshot."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import RAW
from kisaan_validate.digest.rows import HASH
from kisaan_validate.digest.selfcheck import column_check_sql, self_check_sql
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.one_pass import is_one_expressions_fault
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.measure_key import MeasureKey
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import Measured
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.plan.fingerprints import Digesting, encoding_for
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.statements import Reads
from kisaan_validate.postgres.session import Session, milliseconds_since
from kisaan_validate.process.stopping import Stop


@dataclass
class _Taken:
    measured: list[Measured] = field(default_factory=list)
    log: list[StatementFacts] = field(default_factory=list)

    def refuse(self, measure: Measure, error: DatabaseError, *keys: MeasureKey) -> _Taken:
        """Say why these, or all that it measures, have no answer."""
        # The measure's own message is this program's; only the server's may quote a row.
        said = measure.private and not measure.message  # by the server, about people
        fact = mask_values(error.fact, measure.known) if said else error.fact
        self.measured += [
            Measured(key.text, measure.title, sql=measure.sql, message=fact, sqlstate=error.sqlstate)
            for key in keys or measure.ids
        ]
        return self


def take_measures(
    pool: Pool, measures: Sequence[Measure], stop: Stop, on_done: Callable[[int, int], None]
) -> tuple[tuple[Measured, ...], list[StatementFacts]]:
    """What each measure says, and the statements that were run. Raises nothing: no answer is a Measured
    that says why.
    """
    if not measures:
        return (), []
    on_done(0, len(measures))
    tasks = [Task(_taker(m), _giver_up(m)) for m in measures]
    taken = pool.run(tasks, stop, lambda done: on_done(done, len(measures)))
    return tuple(m for t in taken for m in t.measured), [facts for t in taken for facts in t.log]


def read_digesting(session: Session, server_encoding: str) -> Digesting:
    """How this side computes digests, and what its hash functions answer to fixed questions. Raises
    DatabaseError.
    """
    encoding = encoding_for(session.version)
    text = server_encoding or "UTF8"
    rows = session.execute(self_check_sql(encoding, text, ascii_only=text not in RAW))
    # The hash functions are PostgreSQL's own but not promised to stay: they answer to fixed questions here.
    if encoding == HASH:
        rows += session.execute(column_check_sql(session.version, text, ascii_only=text not in RAW))
    said = hashlib.sha256(repr([tuple(str(value) for value in row) for row in rows]).encode()).hexdigest()
    return Digesting(encoding, text, said, session.version)


def _giver_up(measure: Measure) -> Callable[[DatabaseError], _Taken]:
    return lambda error: _Taken().refuse(measure, error)


def _taker(measure: Measure) -> Callable[[Session], _Taken]:
    def take(session: Session) -> _Taken:
        taken = _Taken()
        # Why there is no statement was found out while planning, and is what is to be recorded.
        if not measure.sql:
            return taken.refuse(measure, DatabaseError(measure.message))
        try:
            if measure.first is not None:
                taken.measured = _ask(session, measure.first, taken.log)
                # Equal buckets are equal rows, so the digests of
                # the baseline are true here without being computed.
                if measure.proved is not None and taken.measured[0].names == measure.proof:
                    taken.measured.append(measure.proved)
                    return taken
                taken.measured += _ask(session, measure.after(taken.measured[0].names), taken.log)
                return taken
            taken.measured += _ask(session, measure, taken.log)
        except DatabaseError as error:
            # A part may succeed where the whole failed, but not if the server or the session is at fault.
            apart = measure.parts and is_one_expressions_fault(error) and not session.lost
            if apart:
                return _apart(session, measure, taken)
            return taken.refuse(measure, error)
        return taken

    return take


def _ask(session: Session, measure: Measure, log: list[StatementFacts]) -> list[Measured]:
    """What one statement says. Raises DatabaseError, after which the session can be asked again unless it
    is lost.
    """
    start, sqlstate = time.perf_counter(), ""
    try:
        if measure.found:
            # An index may find the rows that are looked up, and no others.
            with Ground().under(session, Reads(measure.found, found=measure.found), measure.sql):
                (row,) = session.execute(measure.sql)
        elif why := refusal(session, measure.sql):
            raise why
        else:
            (row,) = session.execute(measure.sql)
    except DatabaseError as error:
        sqlstate = error.sqlstate or "not run"
        recover(session)
        raise
    finally:
        taken = milliseconds_since(start)
        log.append(StatementFacts(f"contract: {measure.id.text}", measure.sql, (), taken, sqlstate))
    return measure.read(row)


def _apart(session: Session, measure: Measure, taken: _Taken) -> _Taken:
    """Part by part: an expression that fails costs its own figures and no others. The first part holds the
    rows.
    """
    # The first part counts the rows, without which no figure of the others can be read.
    first, *others = measure.parts
    try:
        whole, *counts = _ask(session, first, taken.log)
    except DatabaseError as error:
        return taken.refuse(measure, error)
    for part in others:
        try:
            (found,) = _ask(session, part, taken.log)
            whole = replace(whole, columns={**whole.columns, **found.columns}, sql=measure.sql)
        except DatabaseError as error:
            taken.refuse(
                part,
                error,
                *(
                    measure.id.of_part(figure.name)
                    for figure in part.figures
                    # A figure that another part brought keeps its answer.
                    if figure.name not in whole.columns
                ),
            )
    taken.measured += [whole, *counts]
    return taken
