"""Asks a table that is read over several nights: ranges while there is time, then what changed meanwhile.

Law: no check passes before all ranges were read and the last look has seen every row of the table in the
present snapshot. Then its answer is that of one scan in this snapshot. Until then a violation that was met
is a failure, and all else has no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.execute.pieces import Pieces
from kisaan_validate.execute.ranges import (
    PIECE_SECONDS,
    Looked,
    Ranges,
    RangesRead,
    believing,
    look_last,
    read_ranges,
)
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.resumed import RangeCount, RangeRead, TableResumed
from kisaan_validate.plan.pieces import divisible
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.ranges import LastLook, last_look, missed, range_of
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.evidence import Keys, keys_of_range
from kisaan_validate.prove.outcome import joined
from kisaan_validate.prove.resumed import Resumed
from kisaan_validate.prove.resumption import ResumedTable
from kisaan_validate.verdict.resumed import as_read, no_answer, whole_words

MOST_LISTED = 20
"""Of so many ranges of a night failing keys are listed."""


GOES_ON = "the next scan goes on there"


def resumed_asker(
    context: RunContext, plan: Plan, resumed: ResumedTable, ground: Ground, blocks: int | None
) -> Callable[[Session], StatementAnswer]:
    """The work that reads a table as far as there is time."""
    return lambda session: _Asker(context, plan, resumed, ground, blocks).ask(session)


class _Asker:
    """One night of one table."""

    def __init__(
        self, context: RunContext, plan: Plan, resumed: ResumedTable, ground: Ground, blocks: int | None
    ) -> None:
        self._context, self._resumed, self._ground, self._blocks = context, resumed, ground, blocks
        self._checks = {check.id: check for check in plan.checks}
        guard = context.request.options.guard
        given = guard.piece_seconds if guard is not None else None
        self._seconds = given if given is not None else PIECE_SECONDS

    def ask(self, session: Session) -> StatementAnswer:
        """Ranges, then the last look. Raises nothing."""
        before = self._resumed.state or self._resumed.blank
        if before.whole:
            return self._looked(session, before, RangesRead(None), fresh=False)
        read = self._read(session, before)
        if not read.begun:
            return self._partial(session, before, read, None)
        now = self._with(before, read)
        if not now.whole:
            return self._partial(session, now, read, now)
        return self._looked(session, now, read, fresh=True)

    def _may_go_on(self) -> str:
        """Why nothing more is begun; "" while there is time."""
        request = self._context.request
        until = request.options.until
        if request.stop.requested:
            return request.stop.reason
        return until.reason if until is not None and until.over else ""

    def _read(self, session: Session, before: TableResumed) -> RangesRead:
        table = self._resumed.table
        ranges = Ranges(
            self._resumed.key,
            before.ranges[-1].following if before.ranges else None,
            self._may_go_on,
            self._seconds,
            max(0, table.estimated_rows - before.rows),
            self._context.request.counting(f"reading {table.name} by {self._resumed.key}"),
        )
        return read_ranges(session, self._resumed.statement, self._ground, ranges)

    def _with(self, before: TableResumed, read: RangesRead) -> TableResumed:
        """The state after this night's ranges, which are one."""
        place, moment = self._context.snapshot.place, self._resumed.moment
        first = before.ranges[-1].following if before.ranges else None
        counts = tuple(read.counts[id] for id in sorted(read.counts))
        one = RangeRead(first, read.following, read.rows, moment.horizon, counts, "", place.at)
        rests = tuple(dict.fromkeys((*before.rests, *read.rests)))
        return replace(before, ranges=(*before.ranges, one), rests=rests)

    # --- answers ------------------------------------------------------------------------------------------

    def _looked(
        self, session: Session, state: TableResumed, read: RangesRead, *, fresh: bool
    ) -> StatementAnswer:
        """The answers of a table whose ranges were all read. ``fresh``: the last of them in this snapshot."""
        kept = state if fresh else None
        if why := self._may_go_on():
            return self._partial(session, state, replace(read, why=why), kept)
        upper, ranges = self._resumed.moment.upper, state.ranges
        if fresh:
            # What this snapshot saw cannot have changed in it, however young its transaction is.
            ranges = (*ranges[:-1], replace(ranges[-1], horizon=upper))
        seen = replace(state, ranges=ranges)
        look = last_look(self._resumed.statement, seen, upper)
        looked = look_last(session, look, self._ground, self._pieces(look))
        if looked.changed is None:
            lost = looked.answer.failure or DatabaseError("not run")
            # A night of its own was not enough: another would not be either, so it starts over.
            if not fresh and self._may_go_on():
                kept = replace(state, void="the look for changed rows did not end within a night")
            return self._partial(session, state, replace(read, error=lost, log=[]), kept, looked)
        if error := missed(seen, looked.answer.rows or 0, looked.changed, looked.stayed, upper):
            return self._broken(
                replace(state, void="not all of its rows lay in its ranges"), error, read, looked
            )
        return self._whole(replace(state, changed=looked.changed), read, looked)

    def _pieces(self, look: LastLook) -> Pieces | None:
        """How the last look is cut; None where it is asked at once."""
        statement = self._resumed.statement
        if self._blocks is None or not divisible(statement, self._blocks, self._context.holder.version):
            return None
        say = self._context.request.counting(f"looking for changed rows of {statement.table.name}")
        return Pieces(self._blocks, self._seconds, say, look.cut)

    def _whole(self, state: TableResumed, read: RangesRead, looked: Looked) -> StatementAnswer:
        """What one scan of the table in this snapshot would answer."""
        answer = looked.answer
        answer.rests = tuple(dict.fromkeys((*state.rests, *answer.rests)))
        answer.milliseconds += read.milliseconds
        answer.log = [*read.log, *answer.log]
        notes = dict.fromkeys(answer.violations, whole_words(state))
        answer.resumed = Resumed(self._resumed, state, notes, partial=False)
        return answer

    def _broken(
        self, state: TableResumed, error: DatabaseError, read: RangesRead, looked: Looked
    ) -> StatementAnswer:
        """No answer at all, and nothing to go on with: what was read was not all that there was."""
        ids = self._resumed.statement.check_ids
        return StatementAnswer(
            errors=dict.fromkeys(ids, error),
            failure=error,
            milliseconds=read.milliseconds + looked.answer.milliseconds,
            log=[*read.log, *looked.answer.log],
            resumed=Resumed(self._resumed, state, partial=False),
        )

    def _partial(
        self,
        session: Session,
        state: TableResumed,
        read: RangesRead,
        kept: TableResumed | None,
        looked: Looked | None = None,
    ) -> StatementAnswer:
        """What is known before every row was seen: violations that were met; nothing else."""
        open_ = _open_error(state, read)
        more = looked.answer if looked is not None else StatementAnswer()
        answer = StatementAnswer(
            rests=state.rests,
            failure=open_,
            milliseconds=read.milliseconds + more.milliseconds,
            log=[*read.log, *more.log],
        )
        notes = {}
        for id in self._resumed.statement.check_ids:
            met = state.met(id)
            if _decided(self._checks[id], met):
                answer.violations[id], answer.examined[id] = met.violations, met.examined
                notes[id] = joined(as_read(state, id), open_.fact)
            else:
                answer.errors[id] = read.errors.get(id, open_)
        keys = self._keys(session, read, answer.violations) if read.failed else {}
        key = self._resumed.table.primary_key
        answer.resumed = Resumed(self._resumed, kept, notes, keys, key)
        return answer

    def _keys(self, session: Session, read: RangesRead, failing: Mapping[str, int]) -> dict[str, Keys]:
        """Failing keys of this night's ranges, as many as are shown; none where they cannot be read.

        The time may have ended: these are the last statements, and few.
        """
        options, settings = self._context.request.options, self._context.suite.settings
        limit, found = options.failing_keys, dict[str, Keys]()
        for first, following, wrong in read.failed[:MOST_LISTED]:
            counts = {id: n for id, n in wrong.items() if id in failing and len(found.get(id, ())) < limit}
            if not counts or self._context.request.stop.requested:
                continue
            piece = range_of(self._resumed.statement, self._resumed.key, first, following)
            asker = keys_of_range(piece, counts, limit, settings, believing(self._ground))
            for id, sample in asker(session).items():
                found[id] = (*found.get(id, ()), *sample)[:limit]
        return found


def _decided(check: Check, met: RangeCount) -> bool:
    """Whether a check fails whatever the rows are that were not seen."""
    tolerance = check.tolerance
    if tolerance is None:
        return met.violations > 0
    # A share of the rows is not known before all of them are.
    return tolerance.rows is not None and met.violations > tolerance.rows


def _open_error(state: TableResumed, read: RangesRead) -> DatabaseError:
    """Why what was not seen has no answer."""
    error = read.error
    # A conflict with replay is not asked again: the ranges go on where they are, in the next night.
    conflict = error is not None and error.sqlstate == "40001"
    why = "replay on the standby cancelled it" if conflict else error.fact if error is not None else read.why
    sqlstate = error.sqlstate if error is not None and not conflict else ""
    return DatabaseError(no_answer(state, why), GOES_ON, sqlstate, error is not None and error.lost)
