"""Asks the statements: counts, then keys of what failed, then what is streamed, then what a comparison
needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.execute.fence import moved
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.execute.pool import Pool
from kisaan_validate.execute.totals import take_totals
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.plan.totals import TotalQuery, total_queries
from kisaan_validate.prove.budget import Budget
from kisaan_validate.prove.counting import Counting, counting_work, parted
from kisaan_validate.prove.evidence import collect_keys
from kisaan_validate.prove.failfast import FailFast
from kisaan_validate.prove.failing import FailingRows, failing_rows
from kisaan_validate.prove.outcome import (
    failures_of,
    figures_of,
    results_of,
    rows_of,
    unmeasured_of,
)
from kisaan_validate.prove.profiling import ProfilePlan, take
from kisaan_validate.prove.resumed import Resumed, resumed_of, with_notes, without_partial
from kisaan_validate.prove.streaming import Streaming, streaming
from kisaan_validate.prove.volumes import volume_results

if TYPE_CHECKING:
    from kisaan_validate.facts.distribution import Distribution
    from kisaan_validate.facts.result import Result
    from kisaan_validate.facts.table import KeyedDigest, Measured, Profile
    from kisaan_validate.facts.titles import TableKey
    from kisaan_validate.facts.totals import ControlTotal
    from kisaan_validate.prove.comparison import ComparisonPlan
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.prove.planning import Planned

Log = list[StatementFacts]
CountAnswers = list[tuple[Pass | Query, StatementAnswer]]


@dataclass(frozen=True)
class Measurements:
    """What the server told. ``moved`` are the tables that did not stay as they were, and why;
    ``shortages`` say why fewer sessions worked than were asked for; ``log`` are the statements.
    ``failing`` are the failing rows of checks with a settling time, by check id. ``resumed`` are the tables
    that are read over several nights.
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
    resumed: Sequence[Resumed] = ()


@dataclass(frozen=True)
class Questions:
    """What a run asks, and with what it asks. ``log`` gathers the statements."""

    context: RunContext
    planned: Planned
    pool: Pool
    streams: Streaming | None
    fast: FailFast
    budget: Budget
    log: Log = field(default_factory=list)


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
        fast = FailFast(planned.plan, request.options, context.suite.settings.may_be_quoted)
        questions = Questions(context, planned, pool, streams, fast, Budget(request.options.until))
        return _told(questions, compared, profiled)
    finally:
        if streams is not None:
            streams.close()
        pool.close()


def _told(q: Questions, compared: ComparisonPlan, profiled: ProfilePlan) -> Measurements:
    context, pool, log, stop = q.context, q.pool, q.log, q.context.request.stop
    answers, streamed = _counted(q)
    results, failing = _proved(q, answers, streamed)
    measured, keyed = _measured(q, compared)
    totals, more = take_totals(pool, _total_queries(context), stop)
    log += more
    # Last of all that is measured: a profile decides nothing, so nothing waits for it.
    distributions = take(context, profiled, figures_of(answers), rows_of(answers), pool, log)
    short = (pool.shortage, q.streams.shortage if q.streams is not None else "")
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
        resumed_of(answers),
    )


def _counted(q: Questions) -> tuple[CountAnswers, Mapping[str, Result] | None]:
    """The answers of all that counts; and the results of what is streamed, if that was due before the last
    of them, else None.
    """
    first, stop = q.context.request.options.first, q.context.request.stop
    now, later = parted(counting_work(q.context, q.planned, q.fast), q.planned.plan, first)
    answers, streamed = _count(q, now), None
    # What is streamed was not reached for longer than all that is left to be counted.
    if later and q.streams is not None:
        q.budget.end(stop, more=True)
        streamed = {} if q.budget.ended else q.streams.results(q.pool, q.planned.plan, answers, q.log)
        answers += _count(q, later)
    q.budget.end(stop, more=q.streams is not None and not later)
    return answers, streamed


def _proved(
    q: Questions, answers: CountAnswers, streamed: Mapping[str, Result] | None
) -> tuple[dict[str, Result], Mapping[str, FailingRows]]:
    """The results of all checks, and the failing rows of those with a settling time. ``streamed`` is None
    where the streams were not read yet.
    """
    context, plan, stop = q.context, q.planned.plan, q.context.request.stop
    # Evidence needs the counts: only what failed is read a second time, and a digest covers the counted
    # number.
    results = _failures_explained(q, answers)
    volumes = volume_results(context, results, answers)
    results |= volumes
    q.fast.see(volumes.values())
    failing, more = failing_rows(q.pool, plan, results, context.suite.settings, q.planned.ground, stop)
    q.log.extend(more)
    if streamed is None and q.streams is not None and not (q.fast.failed or q.budget.ended):
        # After the counts, because the rows streamed are compared with the rows counted.
        streamed = q.streams.results(q.pool, plan, answers, q.log)
    results |= streamed or {}
    q.fast.see((streamed or {}).values())
    q.fast.end(stop)
    return results, failing


def _measured(q: Questions, compared: ComparisonPlan) -> tuple[tuple[Measured, ...], tuple[KeyedDigest, ...]]:
    """What a comparison needs; nothing where nothing is compared."""
    if not compared.measures and not compared.keyed:
        return (), ()
    from kisaan_validate.execute.keyed import take_keyed
    from kisaan_validate.execute.measure import take_measures

    say, stop = q.context.request.counting, q.context.request.stop
    measured, more = take_measures(q.pool, compared.measures, stop, say("measuring"))
    q.log.extend(more)
    keyed, more = take_keyed(q.pool, compared.keyed, stop, say("comparing personal columns"))
    q.log.extend(more)
    return measured, keyed


def _total_queries(context: RunContext) -> list[TotalQuery]:
    snapshot = context.snapshot
    closed = {key: why for key, (_, why) in snapshot.unavailable.items()}
    return total_queries(context.suite.totals, context.catalogue, context.is_personal, closed)


def _count(q: Questions, work: Sequence[Counting]) -> CountAnswers:
    request = q.context.request
    say, total = request.counting("checking"), len(work)
    say(0, total)
    tasks = [q.budget.gated(one.task) for one in work]
    found = q.pool.run(tasks, request.stop, lambda done: say(done, total))
    answers = [pair for pairs in found for pair in pairs]
    for _, answer in answers:
        q.log.extend(answer.log)
    q.log.extend(q.planned.ground.log)
    q.planned.ground.log.clear()
    return answers


def _failures_explained(q: Questions, answers: CountAnswers) -> dict[str, Result]:
    """The results of what was counted, with the keys of what failed."""
    settings, request, plan = q.context.suite.settings, q.context.request, q.planned.plan
    resumed = resumed_of(answers)
    results, more = collect_keys(
        q.pool,
        without_partial(plan, resumed),
        results_of(plan, answers, settings.may_be_quoted),
        request.options.failing_keys,
        settings,
        q.planned.ground,
        [answer for _, answer in answers],
        request.stop,
        request.counting("collecting evidence"),
    )
    q.log.extend(more)
    return with_notes(results, resumed)
