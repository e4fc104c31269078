"""The work that counts: one task for each statement or bundle, in the order in which it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.execute.ask import ask, refuse
from kisaan_validate.execute.fused import ask_fused
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.execute.pieces import Pieces, ask_in_pieces
from kisaan_validate.execute.pool import Task
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.pieces import divisible
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.prove.budget import turn_of
from kisaan_validate.prove.evidence import listings

if TYPE_CHECKING:
    from kisaan_validate.execute.ground import Ground
    from kisaan_validate.plan.fused import FusedStatement
    from kisaan_validate.plan.plan import Plan
    from kisaan_validate.postgres.session import Session
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.prove.failfast import FailFast
    from kisaan_validate.prove.planning import Planned


@dataclass(frozen=True)
class Counting:
    """Work that counts: the checks that it answers, and the tables whose rows it counts."""

    task: Asked
    ids: tuple[str, ...]
    counts: frozenset[TableKey]


Asked = Task[list[tuple[Pass | Query, StatementAnswer]]]


def _alone(
    statement: Pass | Query,
    ground: Ground,
    listing: Mapping[str, str],
    fast: FailFast,
    pieces: Pieces | None,
) -> Asked:
    """The work that asks one statement."""
    asker = fast.unless_failed(statement, _asker(statement, ground, listing, pieces))
    return Task(
        lambda session: [(statement, asker(session))], lambda error: [(statement, refuse(statement, error))]
    )


def _together(fused: FusedStatement, ground: Ground) -> Counting:
    """The work that asks several statements as one."""
    task: Asked = Task(
        lambda session: list(zip(fused.members, ask_fused(session, fused, ground), strict=True)),
        lambda error: [(one, refuse(one, error)) for one in fused.members],
    )
    return Counting(task, fused.check_ids, frozenset[TableKey]().union(*map(_counts, fused.members)))


def counting_work(context: RunContext, planned: Planned, fast: FailFast) -> list[Counting]:
    """What counts, in the order in which it is asked: by turn, then what reads the most rows first."""
    limit = context.request.options.failing_keys
    listing = listings(planned.plan.queries, planned.small, limit, context.suite.settings)
    together = {id(one) for fused in planned.fused for one in fused.members}
    alone = [s for s in planned.plan.counting if id(s) not in together]
    resumed = [s for s in alone if planned.resumption.of(s) is not None]
    sized = [
        (
            _size(context, s.tables),
            Counting(
                _alone(s, planned.ground, listing, fast, _pieces(context, planned, s)),
                s.check_ids,
                _counts(s),
            ),
        )
        for s in alone
        if s not in resumed
    ]
    sized += [(_size(context, s.reads.tables), _together(s, planned.ground)) for s in planned.fused]
    # The longest statement should not be the last to begin. Stable: else in the order of the suite.
    work = [one for _, one in sorted(sized, key=lambda pair: pair[0], reverse=True)]
    first = context.request.options.first
    work = sorted(work, key=lambda one: turn_of(one.ids, first)) if first else work
    # Last: they take all the time that there is.
    return work + [Counting(_resumed(context, planned, s), s.check_ids, _counts(s)) for s in resumed]


def _resumed(context: RunContext, planned: Planned, statement: Pass | Query) -> Asked:
    """The work that reads a table over several nights."""
    from kisaan_validate.prove.resuming import resumed_asker

    table = planned.resumption.of(statement)
    assert table is not None
    blocks = planned.sizes.get(table.table.oid)
    asker = resumed_asker(context, planned.plan, table, planned.ground, blocks)
    return Task(
        lambda session: [(statement, asker(session))], lambda error: [(statement, refuse(statement, error))]
    )


def parted(
    work: list[Counting], plan: Plan, first: Mapping[str, int]
) -> tuple[list[Counting], list[Counting]]:
    """What is counted before the streams are read, and after: nothing, unless what is streamed is due
    before all that is counted. Then only the rows that are streamed are counted before.
    """
    due = min((turn_of(stream.check_ids, first) for stream in plan.streams), default=0)
    if not first or not plan.streams or due >= min((turn_of(one.ids, first) for one in work), default=0):
        return work, []
    tables = {stream.table.key for stream in plan.streams}
    needed = [one for one in work if one.counts & tables]
    return needed, [one for one in work if not one.counts & tables]


def _counts(statement: Pass | Query) -> frozenset[TableKey]:
    """The tables whose rows a statement counts."""
    counted = isinstance(statement, Pass) and statement.counts_table
    return frozenset({statement.table.key}) if counted and statement.table is not None else frozenset()


def _pieces(context: RunContext, planned: Planned, statement: Pass | Query) -> Pieces | None:
    """How a scan is cut; None where it is asked at once."""
    guard = context.request.options.guard
    if guard is None or guard.piece_seconds is None or isinstance(statement, Query):
        return None
    blocks = planned.sizes.get(statement.table.oid)
    if blocks is None or not divisible(statement, blocks, context.holder.version):
        return None
    return Pieces(blocks, guard.piece_seconds, context.request.counting(f"reading {statement.table.name}"))


def _asker(
    statement: Pass | Query, ground: Ground, listing: Mapping[str, str], pieces: Pieces | None
) -> Callable[[Session], StatementAnswer]:
    if isinstance(statement, Pass) and pieces is not None:
        return lambda session: ask_in_pieces(session, statement, ground, pieces)
    sql = listing.get(statement.check_id) if isinstance(statement, Query) else None
    return lambda session: ask(session, statement, ground, sql)


def _size(context: RunContext, tables: Iterable[TableKey]) -> int:
    """About how many rows of these tables are read."""
    found = (context.catalogue.tables.get(key) for key in tables)
    return sum(table.estimated_rows for table in found if table is not None)
