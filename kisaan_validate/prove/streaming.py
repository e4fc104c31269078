"""The checks in Python: their tables are streamed, each once, to processes that judge the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.execute.pool import Pool
from kisaan_validate.facts.result import Result
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.plan import Plan
from kisaan_validate.prove.budget import turn_of
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.outcome import Answers, failures_of, rows_of, streamed_results
from kisaan_validate.prove.planning import Planned
from kisaan_validate.prove.streamed_rows import count_streamed, show_streamed

if TYPE_CHECKING:
    from kisaan_validate.stream.conduct import Streams

COPIES = 8
"""So many copies of a single value may lie in the memory of the process that hands it to a function: the
driver's buffers, bytes, text.
"""


class Streaming:
    """The readers of what Python checks need."""

    def __init__(self, context: RunContext, streams: Streams) -> None:
        self._scene, self._streams = context, streams

    def results(
        self, pool: Pool, plan: Plan, counted: Answers, log: list[StatementFacts]
    ) -> Mapping[str, Result]:
        """The results of the checks that are judged in Python; statements are added to ``log``."""
        request, settings = self._scene.request, self._scene.suite.settings
        # The processes were started with the session pool; here they begin to read.
        answers = self._streams.results(request.counting("streaming"))
        streamed = list(zip(plan.streams, answers, strict=True))
        for answer in answers:
            log += answer.log
        counts, more = count_streamed(pool, plan.streams, rows_of(counted), request.stop)
        log += more
        results = streamed_results(plan, streamed, counts, settings.may_be_quoted, failures_of(counted))
        keys = request.options.failing_keys
        results, more = show_streamed(pool, streamed, results, keys, settings.is_personal, request.stop)
        log += more
        return results

    @property
    def shortage(self) -> str:
        """Why fewer sessions streamed than were asked for, or ""."""
        return self._streams.shortage

    def close(self) -> None:
        """End the processes."""
        self._streams.close()


def streaming(context: RunContext, planned: Planned) -> Streaming | None:
    """The readers; without checks in Python neither pandas nor a process is asked for."""
    # Where nothing is to be asked any more, no process is started for it.
    if not planned.plan.streams or context.request.stop.requested:
        return None
    # Imported late: pandas and numpy take a second, and most suites have no check in Python.
    from kisaan_validate.stream.conduct import Streams
    from kisaan_validate.stream.work import StreamJob

    request, suite, plan, snapshot = context.request, context.suite, planned.plan, context.snapshot
    # The limit is for what the functions get; buffers, bytes and text exist beside it for a moment.
    most = request.options.python_memory // COPIES
    read = {stream.table.key for stream in plan.streams}
    ids = {judge.check_id for stream in plan.streams for judge in stream.judges}
    job = StreamJob(
        request.target,
        request.options.limits,
        suite.settings.schemas,
        snapshot.shared,
        # Only its own tables: each process locks them, and the lock table is shared.
        tuple(table for table in snapshot.kept if table.key in read),
        tuple(replace(stream, most=most) for stream in plan.streams),
        suite.origin,
        # The processes read the suite again, so the digest must show that it is still the same files.
        suite.digest,
        {check.id: check.digest for check in plan.checks if check.id in ids},
        _hidden(context, plan),
        request.options.failing_keys,
        request.options.python_memory,
        snapshot.locking,
        context.discretion,
    )
    first = request.options.first
    readers = Streams(
        job,
        suite,
        planned.blocks,
        context.jobs,
        request.stop,
        request.gate,
        lambda stream: turn_of(stream.check_ids, first),
    )
    return Streaming(context, readers)


def _hidden(context: RunContext, plan: Plan) -> frozenset[str]:
    """The checks whose values are not shown, because they read a personal column."""
    personal = context.is_personal
    return frozenset(
        judge.check_id
        for stream in plan.streams
        for judge in stream.judges
        if any(personal(stream.table.name, c) for c in judge.columns)
    )
