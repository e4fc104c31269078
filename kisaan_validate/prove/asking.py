"""Asks the statements: counts, then keys of what failed, then what is streamed, then what a comparison
needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kisaan_validate.execute.ask import StatementAnswer, ask, ask_bundle, refuse
from kisaan_validate.execute.fence import moved
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.keyed import take_keyed
from kisaan_validate.execute.measure import take_measures
from kisaan_validate.execute.pieces import Pieces, ask_in_pieces
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.totals import take_totals
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.result import Result
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import KeyedDigest, Measured, Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.facts.totals import ControlTotal
from kisaan_validate.plan.bundles import StatementBundle
from kisaan_validate.plan.pieces import divisible
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.plan.totals import TotalQuery, total_queries
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.budget import Budget, turn_of
from kisaan_validate.prove.comparing import ComparisonPlan
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.evidence import collect_keys, listings
from kisaan_validate.prove.failfast import FailFast
from kisaan_validate.prove.failing import FailingRows, failing_rows
from kisaan_validate.prove.outcome import (
    Answers,
    failures_of,
    figures_of,
    results_of,
    rows_of,
    unmeasured_of,
)
from kisaan_validate.prove.planning import Planned
from kisaan_validate.prove.profiling import ProfilePlan, take
from kisaan_validate.prove.streaming import Streaming, streaming
from kisaan_validate.prove.volumes import volume_results

Log = list[StatementFacts]


@dataclass(frozen=True)
class Measurements:
    """What the server told. ``moved`` are the tables that did not stay as they were, and why;
    ``shortages`` say why fewer sessions worked than were asked for; ``log`` are the statements.
    ``failing`` are the failing rows of checks with a settling time, by check id.
    """

    results: Mapping[str, Result]
    rows: Mapping[TableKey, int]
    failures: Mapping[TableKey, str]
    figures: Mapping[TableKey, Mapping[str, Profile]]
    measured: tuple[Measured, ...]
    moved: Mapping[TableKey, str]
    unmeasured: Mapping[TableKey, Mapping[str, str]] = field(default_factory=dict)
    keyed: tuple[KeyedDigest, ...] = ()
    distributions: Mapping[TableKey, Mapping[str, Distribution]] = field(default_factory=dict)
    shortages: tuple[str, ...] = ()
    totals: tuple[ControlTotal, ...] = ()
    log: tuple[StatementFacts, ...] = ()
    failing: Mapping[str, FailingRows] = field(default_factory=dict)


def ask_all(
    context: RunContext, planned: Planned, compared: ComparisonPlan, profiled: ProfilePlan
) -> Measurements:
    """Ask everything, in sessions side by side. What goes wrong on the server becomes part of the answer."""
    snapshot = context.snapshot
    # Both open their sessions here, before anything is counted: a late one could wait behind an ALTER TABLE.
    request = context.request
    # Where nothing is to be asked any more, as when the guard gave up before the start, nobody is sent.
    jobs = 0 if request.stop.requested else context.jobs
    pool = Pool(context.open, snapshot.shared, snapshot.kept, jobs, snapshot.locking, request.gate)
    streams = streaming(context, planned)
    try:
        return _told(context, planned, compared, profiled, pool, streams)
    finally:
        if streams is not None:
            streams.close()
        pool.close()


def _told(
    context: RunContext,
    planned: Planned,
    compared: ComparisonPlan,
    profiled: ProfilePlan,
    pool: Pool,
    streams: Streaming | None,
) -> Measurements:
    request, stop = context.request, context.request.stop
    log: Log = []
    fast = FailFast(planned.plan, request.options, context.suite.settings.may_be_quoted)
    budget = Budget(request.options.until)
    now, later = _parted(_work(context, planned, fast), planned.plan, request.options.first)
    answers = _count(context, planned, pool, now, budget, log)
    streamed: Mapping[str, Result] = {}
    # What is streamed was not reached for longer than all that is left to be counted.
    if later and streams is not None:
        budget.end(stop, more=True)
        if not budget.ended:
            streamed = streams.results(pool, planned.plan, answers, log)
        answers += _count(context, planned, pool, later, budget, log)
    budget.end(stop, more=streams is not None and not later)
    # Evidence needs the counts: only what failed is read a second time, and a digest covers the counted
    # number.
    results = _failures_explained(context, planned, answers, pool, log)
    volumes = volume_results(context, results, answers)
    results |= volumes
    fast.see(volumes.values())
    settings = context.suite.settings
    failing, more = failing_rows(pool, planned.plan, results, settings, planned.ground, stop)
    log += more
    if streams is not None and not (later or fast.failed or budget.ended):
        # After the counts, because the rows streamed are held against the rows counted.
        streamed = streams.results(pool, planned.plan, answers, log)
    results |= streamed
    fast.see(streamed.values())
    fast.end(stop)
    measured, more = take_measures(pool, compared.measures, stop, request.counting("measuring"))
    log += more
    keyed, more = take_keyed(pool, compared.keyed, stop, request.counting("comparing personal columns"))
    log += more
    totals, more = take_totals(pool, _total_queries(context), stop)
    log += more
    # Last of all that is measured: a profile decides nothing, so nothing waits for it.
    distributions = take(context, profiled, figures_of(answers), rows_of(answers), pool, log)
    short = (pool.shortage, streams.shortage if streams is not None else "")
    return Measurements(
        results,
        rows_of(answers),
        failures_of(answers),
        figures_of(answers),
        measured,
        # Asked last: a table that is truncated while any of this ran makes its answers worthless.
        moved(pool, context.snapshot, stop),
        unmeasured_of(answers),
        keyed,
        distributions,
        # A session that a stop turned away is no shortage of the server's.
        () if stop.requested else tuple(filter(None, short)),
        totals,
        tuple(log),
        failing,
    )


def _total_queries(context: RunContext) -> list[TotalQuery]:
    snapshot = context.snapshot
    closed = {key: why for key, (_, why) in snapshot.unavailable.items()}
    return total_queries(context.suite.totals, context.catalogue, context.is_personal, closed)


def _work(context: RunContext, planned: Planned, fast: FailFast) -> list[Counting]:
    """What counts, in the order in which it is asked: by turn, then the largest tables first."""
    limit = context.request.options.failing_keys
    listing = listings(planned.plan.queries, planned.small, limit, context.suite.settings)
    together = {id(one) for bundle in planned.bundles for one in bundle.members}
    # The largest tables first: the longest statement should not be the last to begin.
    alone = sorted((s for s in planned.plan.counting if id(s) not in together), key=_size, reverse=True)
    work = [
        Counting(
            _alone(s, planned.ground, listing, fast, _pieces(context, planned, s)), s.check_ids, _counts(s)
        )
        for s in alone
    ]
    for bundle in planned.bundles:
        tables = frozenset[TableKey]().union(*map(_counts, bundle.members))
        work.append(Counting(_together(bundle, planned.ground), bundle.check_ids, tables))
    first = context.request.options.first
    return sorted(work, key=lambda one: turn_of(one.ids, first)) if first else work


def _parted(
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


def _count(
    context: RunContext, planned: Planned, pool: Pool, work: Sequence[Counting], budget: Budget, log: Log
) -> list[tuple[Pass | Query, StatementAnswer]]:
    say, total = context.request.counting("checking"), len(work)
    say(0, total)
    tasks = [budget.gated(one.task) for one in work]
    found = pool.run(tasks, context.request.stop, lambda done: say(done, total))
    answers = [pair for pairs in found for pair in pairs]
    for _, answer in answers:
        log += answer.log
    log += planned.ground.log
    planned.ground.log.clear()
    return answers


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


def _together(bundle: StatementBundle, ground: Ground) -> Asked:
    """The work that asks a bundle."""
    return Task(
        lambda session: list(zip(bundle.members, ask_bundle(session, bundle, ground), strict=True)),
        lambda error: [(one, refuse(one, error)) for one in bundle.members],
    )


def _failures_explained(
    context: RunContext, planned: Planned, answers: Answers, pool: Pool, log: Log
) -> dict[str, Result]:
    """The results of what was counted, with the keys of what failed."""
    settings, request, plan = context.suite.settings, context.request, planned.plan
    results, more = collect_keys(
        pool,
        plan,
        results_of(plan, answers, settings.may_be_quoted),
        request.options.failing_keys,
        settings,
        planned.ground,
        [answer for _, answer in answers],
        request.stop,
        request.counting("collecting evidence"),
    )
    log += more
    return results


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


def _size(statement: Pass | Query) -> int:
    # A query over several tables has no size of its own.
    return statement.table.estimated_rows if statement.table is not None else 0
