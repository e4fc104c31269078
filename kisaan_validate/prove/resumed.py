"""What a night's ranges came to: in its results, and for the night that goes on with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.resumed import TableResumed
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.plan import Plan
from kisaan_validate.postgres.continuity import is_written
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.evidence import Keys
from kisaan_validate.prove.outcome import joined
from kisaan_validate.prove.resumption import ResumedTable

UNWRITTEN = "the server's log was not written up to the snapshot, so a crash could have taken it back"


@dataclass(frozen=True)
class Resumed:
    """What a night came to: ``state`` is how far the table is read now, None if that is no further than
    before. ``partial``: not all rows were seen. ``notes`` say by check id what is behind its answer, ``keys``
    are failing keys of this night's ranges; ``key`` names the columns of these that identify a row.
    """

    table: ResumedTable
    state: TableResumed | None
    notes: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Keys] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    partial: bool = True


def resumed_of(answers: Sequence[tuple[object, StatementAnswer]]) -> list[Resumed]:
    """What the answers say of tables that are read over several nights."""
    return [answer.resumed for _, answer in answers if isinstance(answer.resumed, Resumed)]


def without_partial(plan: Plan, resumed: Sequence[Resumed]) -> Plan:
    """The plan without the scans of tables that were read in part: their failing rows are not looked for in
    all of the table.
    """
    partial = {one.table.table.key for one in resumed if one.partial}
    return replace(plan, passes=tuple(s for s in plan.passes if s.table.key not in partial))


def with_notes(results: Mapping[str, Result], resumed: Sequence[Resumed]) -> dict[str, Result]:
    """The results, those of such tables with what is behind them, and with keys."""
    changed = dict(results)
    for one in resumed:
        for id, note in one.notes.items():
            result = changed[id]
            if result.violations is None:
                continue
            made = replace(result, message=joined(result.message, note))
            if result.status is Status.FAIL and (sample := one.keys.get(id)):
                whole = len(sample) == result.violations
                made = replace(made, sample=sample, key=one.key, sample_complete=whole)
            changed[id] = made
    return changed


def kept_states(
    context: RunContext, resumed: Sequence[Resumed], moved: Mapping[TableKey, str], run: str
) -> tuple[tuple[TableResumed, ...], tuple[Notice, ...]]:
    """What the next night may go on with, and what is to be said of it."""
    states, notices = [], []
    written: dict[str, bool] = {}
    for one in resumed:
        if one.table.anew:
            said = f"{one.table.table.title} is read from its first row on: {one.table.anew}"
            notices.append(Notice("resume", said))
        # Recorded also where it is as before: this run has no more to say of the table.
        state = one.state or one.table.state
        if state is None or one.table.table.key in moved:
            continue
        log = one.table.moment.log
        # What has ended is not resumed, and what was kept before was written then.
        if log not in written and one.state is not None and not state.ended:
            written[log] = _is_written(context, log)
        if not written.get(log, True) and not state.ended:
            said = f"what was read of {one.table.table.title} cannot be resumed"
            notices.append(
                Notice("resume", f"{said}: {UNWRITTEN}", "the next scan reads the same rows again")
            )
            state = one.table.state or replace(state, void=UNWRITTEN)
        ranges = tuple(replace(r, run=r.run or run) for r in state.ranges)
        states.append(replace(state, ranges=ranges))
    return tuple(states), tuple(notices)


def _is_written(context: RunContext, log: str) -> bool:
    try:
        return is_written(context.holder, log)
    except DatabaseError:
        # What cannot be asked is not known.
        return False
