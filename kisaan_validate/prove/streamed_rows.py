"""How many rows a stream should bring, and which rows failed the checks that read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import TooLarge, refusal
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.result import Evidence, Result
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.streams import Judge, Stream, sample_columns, sample_sql
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.evidence import IsPersonal, Keys, cut_value
from kisaan_validate.prove.outcome import joined
from kisaan_validate.sql.expressions import key_columns
from kisaan_validate.stream.tally import Streamed, Tally


def count_streamed(
    pool: Pool, streams: Sequence[Stream], rows: Mapping[TableKey, int], stop: Stop
) -> tuple[list[int | None], list[StatementFacts]]:
    """How many rows each stream should bring, where that is known: ``rows`` are whole tables, filtered
    ones are counted.
    """

    def asker(stream: Stream) -> Callable[[Session], tuple[int, StatementFacts] | None]:
        def work(session: Session) -> tuple[int, StatementFacts] | None:
            try:
                if refusal(session, stream.count_sql()):
                    # The count only confirms the stream. Without a heap
                    # scan it would confirm nothing, so it is left out.
                    return None
                ((count,),), taken = session.timed(stream.count_sql())
            except DatabaseError:
                recover(session)
                return None  # the stream itself says what is wrong
            return int(count), StatementFacts(
                f"rows of the {stream.purpose}", stream.count_sql(), stream.check_ids, taken
            )

        return work

    # A table without a filter was counted by its pass already.
    filtered = [stream for stream in streams if stream.table.only]
    answers = pool.run([Task(asker(stream), lambda _: None) for stream in filtered], stop)
    # Only filtered streams were asked, so their answers are consumed one by one, in the same order.
    counted = iter(answer[0] if answer is not None else None for answer in answers)
    counts = [next(counted) if stream.table.only else rows.get(stream.table.key) for stream in streams]
    return counts, [answer[1] for answer in answers if answer is not None]


def show_streamed(
    pool: Pool,
    streamed: Sequence[tuple[Stream, Streamed]],
    results: Mapping[str, Result],
    limit: int,
    is_personal: IsPersonal,
    stop: Stop,
) -> tuple[dict[str, Result], list[StatementFacts]]:
    """``results`` of streamed checks with keys where they failed, and the statements that read them.

    The rows are known already; the server shows them, so that what is shown is its own text, and personal
    values never leave it. The digest was made on the way.
    """
    completed, wanted = dict(results), []
    for stream, answer in streamed:
        for judge in stream.judges:
            tally = answer.tallies.get(judge.check_id)
            if (
                tally is None
                or results[judge.check_id].evidence is not Evidence.STREAMED
                or not tally.violations
            ):
                continue
            completed[judge.check_id] = _with_digest(completed[judge.check_id], stream, tally)
            most = limit if judge.sample_limit is None else min(limit, judge.sample_limit)
            if tally.found and most:
                wanted.append(StreamedRows(stream, judge, tally, most, is_personal))
    log: list[StatementFacts] = []
    answers = pool.run([Task(w.ask, lambda error: error) for w in wanted], stop)
    for rows, shown in zip(wanted, answers, strict=True):
        id = rows.judge.check_id
        if isinstance(shown, DatabaseError):
            note = f"its keys could not be read: {shown.fact}"
            completed[id] = replace(completed[id], message=joined(completed[id].message, note))
            continue
        sample, facts = shown
        log.append(facts)
        completed[id] = replace(
            completed[id], sample=sample, sample_complete=len(sample) == completed[id].violations
        )
    return completed, log


# The sample may be cut, the digest never is: it was summed while the rows passed.
def _with_digest(result: Result, stream: Stream, tally: Tally) -> Result:
    if tally.as_one:
        return result
    if not stream.locator:
        return replace(result, message=joined(result.message, "its rows have no key to name them by"))
    return replace(result, key=key_columns(stream.table), key_digest=tally.key_digest if stream.keyed else "")


@dataclass(frozen=True)
class StreamedRows:
    """The violating rows of one streamed check."""

    stream: Stream
    judge: Judge
    tally: Tally
    limit: int
    is_personal: IsPersonal

    def ask(self, session: Session) -> tuple[Keys, StatementFacts] | DatabaseError:
        """The keys of the rows, and the statement that read them."""
        names = sample_columns(self.stream, self.judge)
        masked = frozenset(name for name in names if self.is_personal(self.stream.table.name, name))
        # Pieces finish in any order; sorted, the same rows are shown in every run.
        found = [texts for _, texts in sorted(self.tally.found)]
        sql = sample_sql(self.stream, self.judge, found, masked, self.limit)
        try:
            # The rows are known by key, so the result is small whatever the planner expects of its size.
            if (why := refusal(session, sql)) and not isinstance(why, TooLarge):
                return why
            rows, taken = session.timed(sql)
        except DatabaseError as error:
            recover(session)
            return error
        facts = StatementFacts(f"keys: {self.stream.purpose}", sql, (self.judge.check_id,), taken)
        return tuple(tuple(zip(names, map(cut_value, values), strict=True)) for (values,) in rows), facts
