"""Which rows failed: a sample of keys and a digest of all keys, for failing checks only."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.lookup import looked_up
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import FEW_ROWS, recover, tuned
from kisaan_validate.facts.result import COUNTED, Result
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.plan.marks import Marks
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.samples import (
    RARE,
    VALUE_LIMIT,
    Failing,
    are_few,
    marks_of,
    may_be_looked_up,
    query_listing,
    query_sample,
    table_sample,
)
from kisaan_validate.plan.statements import Pass, Query, Reads
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.hidden import masked_outputs
from kisaan_validate.prove.outcome import joined
from kisaan_validate.rules.present import MISSING
from kisaan_validate.sql.expressions import key_columns
from kisaan_validate.suite.load import SuiteSettings

MOST_AT_ONCE = 500
"""So many failing checks of one table share a statement that lists their rows."""

Keys = tuple[tuple[tuple[str, str | None], ...], ...]
IsPersonal = Callable[[str, str], bool]


@dataclass(frozen=True)
class Sampled:
    """What one statement said of its failing checks, by check id."""

    keys: Mapping[str, Listed]
    log: StatementFacts


@dataclass(frozen=True)
class Listed:
    """The first keys of a check's violating rows, the digest of all, and how many these are; None without
    a key.
    """

    sample: Keys
    digest: str
    found: int | None


def collect_keys(
    pool: Pool,
    plan: Plan,
    results: Mapping[str, Result],
    limit: int,
    settings: SuiteSettings,
    ground: Ground,
    answers: Iterable[StatementAnswer],
    stop: Stop,
    on_done: Callable[[int, int], None],
) -> tuple[dict[str, Result], list[StatementFacts]]:
    """``results`` with keys where checks failed, and the statements that read them.

    One statement for all checks over the rows of a table and one for each failing query, unless its rows
    were listed when they were counted (``answers``); none where nothing failed or ``limit`` is 0. If keys
    cannot be read the result stays what it is and says so: a failure is known without them.
    """
    completed, known = dict(results), list(answers)
    marks = {id: marks for answer in known for id, marks in answer.marks.items()}
    rows = {id: listed for answer in known for id, listed in answer.listed.items()}
    failing = _wanted(plan, results, limit, settings, marks, rows) if limit else []
    for wanted in failing:
        if (found := rows.get(wanted.ids[0])) is not None:
            (id,) = wanted.ids
            completed[id] = _with_keys(completed[id], wanted, _listed(wanted, found, 0), limit)
    work = [wanted for wanted in failing if wanted.sql]
    # After a stop a failure stays a failure; its keys are a luxury.
    if not work or stop.requested:
        return completed, []
    on_done(0, len(work))
    tasks = [Task(_asker(w, ground), lambda error: error) for w in work]
    log: list[StatementFacts] = []
    for wanted, answer in zip(work, pool.run(tasks, stop, lambda n: on_done(n, len(work))), strict=True):
        if isinstance(answer, DatabaseError):
            # The SELECT shows values, so an error in it may quote one.
            fact = mask_values(answer.fact, wanted.known) if wanted.private else answer.fact
            for id in wanted.ids:
                note = f"its keys could not be read: {fact}"
                completed[id] = replace(completed[id], message=joined(completed[id].message, note))
            continue
        log.append(answer.log)
        for id, listed in answer.keys.items():
            completed[id] = _with_keys(completed[id], wanted, listed, limit)
    return completed, log


def _with_keys(result: Result, wanted: _Wanted, listed: Listed, limit: int) -> Result:
    """A result with its keys. They are all where they are as many as was counted, or of groups fewer than
    were asked for.
    """
    sample = listed.sample
    # A group stands for several rows, so fewer groups than violations may still be all of them.
    if wanted.grouped:
        whole = 0 < len(sample) < limit or len(sample) == result.violations
    else:
        whole = len(sample) == result.violations
        # Fewer than were asked for means that the plan did not meet the counted rows again: no digest then.
        known = len(sample) if listed.found is None else listed.found
        lost = wanted.by_rows and listed.found is not None and listed.found != result.violations
        if lost or (not whole and len(sample) < limit):
            note = f"only {known:,} of its keys were found again"
            return replace(result, sample=sample, key=wanted.key, message=joined(result.message, note))
    found = replace(result, sample=sample, key=wanted.key, sample_complete=whole, key_digest=listed.digest)
    return replace(found, message=joined(found.message, missing_words(found)))


NAMED = 10
"""So many missing names stand in a message; the evidence has more."""


def missing_words(result: Result) -> str:
    """``missing: a, b``, where what failed is a list of names of which these are not there; "" for any
    other check.
    """
    names = [row[0][1] for row in result.sample if [name for name, _ in row] == [MISSING]]
    if not names or len(names) != len(result.sample):
        return ""
    more = (result.violations or len(names)) - len(names[:NAMED])
    return f"missing: {', '.join(name or '' for name in names[:NAMED])}" + (
        f", and {more:,} more" if more > 0 else ""
    )


@dataclass(frozen=True)
class _Wanted:
    """One statement that lists violating rows. ``ids``, ``counts`` and ``names`` go together, position by
    position. ``sql`` is "" where the rows were listed already.

    ``bounded`` tells that what it collects is known to be little: then the planner's guess is not asked.
    ``private``: the server's messages may quote personal values; ``known`` are names that they may
    contain. ``reads`` says how it may read; ``grouped`` that one of its rows may stand for
    several violations, ``by_rows`` that each is one row of a table. ``few``: the planner need not be
    helped to read few rows out of many in parallel.
    """

    purpose: str
    sql: str
    ids: tuple[str, ...]
    counts: tuple[int, ...]
    names: tuple[tuple[str, ...], ...]
    key: tuple[str, ...]
    personal_key: bool
    bounded: bool
    private: bool
    known: frozenset[str]
    reads: Reads
    grouped: bool = False
    by_rows: bool = False
    few: bool = False
    looked: str = ""


def _wanted(
    plan: Plan,
    results: Mapping[str, Result],
    limit: int,
    settings: SuiteSettings,
    marks: Mapping[str, Marks],
    listed: Container[str],
) -> list[_Wanted]:
    def count(id: str) -> int:
        result = results[id]
        # What the catalogue settled has no rows to list.
        return (result.violations or 0) if result.evidence in COUNTED else 0

    shared: dict[tuple[TableKey, str], list[Failing]] = defaultdict(list)
    queries = list(plan.queries)
    for statement in plan.passes:
        wrong = [s for s in statement.slots if count(s.check_id)]
        failing = [
            Failing(statement, s, count(s.check_id), marks.get(s.check_id)) for s in wrong if s.query is None
        ]
        apart = statement.joined if failing and (statement.referring or are_few(failing)) else ""
        shared[statement.table.key, apart] += failing
        queries += [
            s.query for s in wrong if s.query is not None
        ]  # a figure is shown by a statement of its own
    # A statement has at most 1,664 columns; so many failing checks of one table are rare enough to read it
    # twice.
    parts = [
        failing[i : i + MOST_AT_ONCE]
        for failing in shared.values()
        for i in range(0, len(failing), MOST_AT_ONCE)
    ]
    found = [_of_table(part, limit, settings.is_personal) for part in parts]
    failed = (query for query in queries if count(query.check_id))
    return found + [
        _of_query(q, count(q.check_id), limit, settings, listed=q.check_id in listed) for q in failed
    ]


def _of_table(failing: Sequence[Failing], limit: int, is_personal: IsPersonal) -> _Wanted:
    table = failing[0].statement.table
    joins = {f.statement.purpose if f.statement.joined else "" for f in failing}
    of = joins.pop() if len(joins) == 1 else ""
    # The key is shown beside the columns of the check, so it is masked by the same rule.
    names = {c for f in failing for c in f.slot.columns} | set(table.primary_key)
    masked = frozenset(c for c in names if is_personal(table.name, c))
    key = key_columns(table)
    return _Wanted(
        f"keys: {of or table.name}",
        table_sample(failing, limit, masked),
        tuple(f.slot.check_id for f in failing),
        tuple(f.count for f in failing),
        tuple(f.statement.sample_columns(f.slot) for f in failing),
        key,
        any(name in masked for name in key),
        True,
        # Any column, not only the shown ones: a cast or function in the condition may quote what it reads.
        any(is_personal(table.name, c) for c in table.columns),
        frozenset({table.name, *table.columns}),
        _reads(failing),
        by_rows=True,
        few=marks_of(failing) is not None,
        looked=table_sample(failing, limit, masked, looked=True) if may_be_looked_up(failing) else "",
    )


def listings(
    queries: Iterable[Query], small: Container[TableKey], limit: int, settings: SuiteSettings
) -> dict[str, str]:
    """By check id the statements that count and list in one. A query over ``small`` tables alone has none:
    to ask it again if it fails costs less than to write and plan the longer statement for each.
    """
    wanted = (query for query in queries if limit and query.is_listed)
    large = (query for query in wanted if not all(key in small for key in query.reads.tables))
    return {query.check_id: query_listing(query, limit, masked_outputs(query, settings)) for query in large}


def keys_of_range(
    statement: Pass, counts: Mapping[str, int], limit: int, settings: SuiteSettings, ground: Ground
) -> Callable[[Session], dict[str, Keys]]:
    """The work that lists failing keys of a scan of one range, by check id, of checks that failed in it so
    often; nothing where they cannot be read. It finds the rows as the scan does.
    """
    failing = [Failing(statement, s, counts[s.check_id]) for s in statement.slots if s.check_id in counts]
    wanted = replace(_of_table(failing, limit, settings.is_personal), reads=statement.reads, looked="")

    def work(session: Session) -> dict[str, Keys]:
        found = _asker(wanted, ground)(session)
        return {} if isinstance(found, DatabaseError) else {id: one.sample for id, one in found.keys.items()}

    return work


def _reads(failing: Sequence[Failing]) -> Reads:
    """How one statement may read for all of these: an index may find rows only if it may for
    each.
    """
    joined = [f.statement.reads for f in failing if f.statement.joined]
    tables = dict.fromkeys(key for f in failing for key in f.statement.reads.tables)
    bare = dict.fromkeys(key for f in failing for key in f.statement.reads.bare)
    by_index = bool(joined) and all(reads.found for reads in joined)
    found = dict.fromkeys(key for reads in joined for key in reads.found) if by_index else {}
    return Reads(tuple(tables), tuple(bare), tuple(found))


def _of_query(query: Query, count: int, limit: int, settings: SuiteSettings, *, listed: bool) -> _Wanted:
    masked, key = masked_outputs(query, settings), query.violations.keys
    # A figure was counted without this statement, which may have to sort what the figure is made of.
    bounded = count <= RARE and query.violations.riding is None
    return _Wanted(
        f"keys: {query.purpose}",
        "" if listed else query_sample(query, limit, masked),
        query.check_ids,
        (count,),
        (query.sample_columns(),),
        key,
        any(name in masked for name in key),
        bounded,
        settings.may_be_quoted({t for t, _ in query.columns}, query.violations.sql),
        frozenset(name for pair in query.columns for name in pair),
        query.reads,
        bool(query.violations.weight),
    )


def _asker(wanted: _Wanted, ground: Ground) -> Callable[[Session], Sampled | DatabaseError]:
    def work(session: Session) -> Sampled | DatabaseError:
        if wanted.looked and (found := looked_up(session, wanted.looked)) is not None:
            sampled = _sampled(wanted, wanted.looked, *found)
            # An index that does not lead to what was counted is not believed.
            counts = [sampled.keys[id].found for id in wanted.ids]
            if counts == list(wanted.counts):
                return sampled
        try:
            with (
                # The plan of a listing differs from that of the count, so it is looked at again.
                ground.under(session, wanted.reads, wanted.sql, wanted.ids, bounded=wanted.bounded),
                # A parallel scan that sends all of a joined table to its leader costs more than it saves.
                tuned(session, () if wanted.few else FEW_ROWS),
            ):
                rows, taken = session.timed(wanted.sql)
        except DatabaseError as error:
            recover(session)
            return error
        return _sampled(wanted, wanted.sql, rows, taken)

    return work


def _sampled(wanted: _Wanted, sql: str, rows: Rows, taken: float) -> Sampled:
    keys = {id: _listed(wanted, rows, n) for n, id in enumerate(wanted.ids)}
    return Sampled(keys, StatementFacts(wanted.purpose, sql, wanted.ids, taken))


def _listed(wanted: _Wanted, rows: Sequence[tuple[object, ...]], number: int) -> Listed:
    """What the rows of a listing (``plan.samples``) say of the check at a position."""
    sample, digest, known = [], "", None
    for slot, values, high, low, found in rows:
        if slot != number:
            continue
        if isinstance(values, list):
            sample.append(tuple(zip(wanted.names[number], map(cut_value, values), strict=True)))
        else:
            known = found if isinstance(found, int) else None
            digest = _digest(wanted.counts[number], high, low)
    # The digest of a personal key could be guessed value by value.
    return Listed(tuple(sample), "" if wanted.personal_key else digest, known)


def _digest(count: int, high: object, low: object) -> str:
    """SHA-256 over the number of violating rows and the sums over their keys."""
    return hashlib.sha256(f"{count}|{high}|{low}".encode()).hexdigest()


def cut_value(value: str | None) -> str | None:
    """A value as a sample holds it."""
    if value is None or len(value) <= VALUE_LIMIT:
        # The server sends one character more than the limit, so a cut value is known to be cut.
        return value
    return value[:VALUE_LIMIT] + "…"
