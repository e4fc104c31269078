"""Asks the statements: counts, then keys of what failed, then what is streamed, then what a comparison
needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kisaan_validate.execute.ask import StatementAnswer, ask, ask_bundle, refuse
from kisaan_validate.execute.fence import moved
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.keyed import take_keyed
from kisaan_validate.execute.measure import take_measures
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.totals import take_totals
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.result import Result
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import KeyedDigest, Measured, Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.facts.totals import ControlTotal
from kisaan_validate.plan.bundles import StatementBundle
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.plan.totals import TotalQuery, total_queries
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.comparing import ComparisonPlan
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.evidence import collect_keys, listings
from kisaan_validate.prove.failfast import FailFast
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

Log = list[StatementFacts]


@dataclass(frozen=True)
class Measurements:
    """What the server told. ``moved`` are the tables that did not stay as they were, and why;
    ``shortages`` say why fewer sessions worked than were asked for; ``log`` are the statements.
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


def ask_all(
    context: RunContext, planned: Planned, compared: ComparisonPlan, profiled: ProfilePlan
) -> Measurements:
    """Ask everything, in sessions side by side. What goes wrong on the server becomes part of the answer."""
    snapshot = context.snapshot
    # Both open their sessions here, before anything is counted: a late one could wait behind an ALTER TABLE.
    pool = Pool(context.open, snapshot.shared, snapshot.kept, context.jobs, snapshot.locking)
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
    answers = _count(context, planned, pool, fast, log)
    # Evidence needs the counts: only what failed is read a second time, and a digest covers the counted
    # number.
    results = _failures_explained(context, planned, answers, pool, log)
    if streams is not None and not fast.failed:
        # After the counts, because the rows streamed are held against the rows counted.
        results |= streams.results(pool, planned.plan, answers, log)
        fast.see(results.values())
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
    )


def _total_queries(context: RunContext) -> list[TotalQuery]:
    snapshot = context.snapshot
    closed = {key: why for key, (_, why) in snapshot.unavailable.items()}
    return total_queries(context.suite.totals, context.catalogue, context.is_personal, closed)


def _count(context: RunContext, planned: Planned, pool: Pool, fast: FailFast, log: Log) -> Answers:
    limit = context.request.options.failing_keys
    listing = listings(planned.plan.queries, planned.small, limit, context.suite.settings)
    together = {id(one) for bundle in planned.bundles for one in bundle.members}
    # The largest tables first: the longest statement should not be the last to begin.
    alone = sorted((s for s in planned.plan.counting if id(s) not in together), key=_size, reverse=True)
    work = [_alone(s, planned.ground, listing, fast) for s in alone]
    work += [_together(bundle, planned.ground) for bundle in planned.bundles]
    say, total = context.request.counting("checking"), len(work)
    say(0, total)
    found = pool.run(work, context.request.stop, lambda done: say(done, total))
    answers = [pair for pairs in found for pair in pairs]
    for _, answer in answers:
        log += answer.log
    log += planned.ground.log
    return answers


Asked = Task[list[tuple[Pass | Query, StatementAnswer]]]


def _alone(statement: Pass | Query, ground: Ground, listing: Mapping[str, str], fast: FailFast) -> Asked:
    """The work that asks one statement."""
    asker = fast.unless_failed(statement, _asker(statement, ground, listing))
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


def _asker(
    statement: Pass | Query, ground: Ground, listing: Mapping[str, str]
) -> Callable[[Session], StatementAnswer]:
    sql = listing.get(statement.check_id) if isinstance(statement, Query) else None
    return lambda session: ask(session, statement, ground, sql)


def _size(statement: Pass | Query) -> int:
    # A query over several tables has no size of its own.
    return statement.table.estimated_rows if statement.table is not None else 0
