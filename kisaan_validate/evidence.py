"""Which rows failed: a sample of keys and a digest of all keys, for failing checks only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kisaan_validate.compile.plan import Plan
from kisaan_validate.compile.statements import VALUE_LIMIT, Pass, Query, Slot
from kisaan_validate.database.session import Session
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import recover, too_large
from kisaan_validate.execute.pool import Pool, Stop, Task
from kisaan_validate.model import Evidence, Result, StatementFacts
from kisaan_validate.outcome import joined
from kisaan_validate.sql.expressions import key_columns

Keys = tuple[tuple[tuple[str, str | None], ...], ...]
IsPersonal = Callable[[str, str], bool]


@dataclass(frozen=True)
class Sampled:
    """What one statement said of its failing checks: (sample, key digest) by check id."""

    keys: Mapping[str, tuple[Keys, str]]
    columns: Mapping[str, tuple[str, ...]]
    log: StatementFacts


def collect_keys(
    pool: Pool, plan: Plan, results: Mapping[str, Result], limit: int, is_personal: IsPersonal, stop: Stop,
    on_done: Callable[[int, int], None],
) -> tuple[dict[str, Result], list[StatementFacts]]:  # fmt: skip
    """``results`` with keys where checks failed, and the statements that read them.

    One statement a pass and one a failing query, none where nothing failed. If keys cannot be read the result
    stays what it is and says so: a failure is known without them.
    """
    completed = dict(results)
    work = [w for statement in plan.counting if (w := _wanted(statement, results)) is not None]
    if not work or stop.requested:
        return completed, []
    on_done(0, len(work))
    tasks = [Task(w.ask(limit, is_personal), lambda error: error) for w in work]
    log: list[StatementFacts] = []
    for wanted, answer in zip(work, pool.run(tasks, stop, lambda n: on_done(n, len(work))), strict=True):
        if isinstance(answer, DatabaseError):
            for id in wanted.counts:
                note = f"its keys could not be read: {answer.fact}"
                completed[id] = replace(completed[id], message=joined(completed[id].message, note))
            continue
        log.append(answer.log)
        for id, (sample, digest) in answer.keys.items():
            whole = len(sample) < limit or len(sample) == completed[id].violations
            completed[id] = replace(
                completed[id], sample=sample, key=answer.columns[id], sample_complete=whole, key_digest=digest
            )
    return completed, log


def _wanted(statement: Pass | Query, results: Mapping[str, Result]) -> _Wanted | None:
    failing = {
        id: results[id].violations or 0
        for id in statement.check_ids
        if results[id].violations and results[id].evidence is Evidence.SCANNED
    }
    return _Wanted(statement, failing) if failing else None


@dataclass(frozen=True)
class _Wanted:
    statement: Pass | Query
    counts: Mapping[str, int]

    @property
    def slots(self) -> list[Slot]:
        assert isinstance(self.statement, Pass)
        return [slot for slot in self.statement.slots if slot.check_id in self.counts]

    def ask(self, limit: int, is_personal: IsPersonal) -> Callable[[Session], Sampled | DatabaseError]:
        statement = self.statement
        if isinstance(statement, Query):
            masked = _masked_outputs(statement, is_personal)
            sql, names = statement.sample_sql(limit, masked), [statement.sample_columns()]
            key = statement.violations.keys
        else:
            slots = self.slots
            masked = _masked_columns(statement, slots, is_personal)
            sql = statement.sample_sql([(s, self.counts[s.check_id]) for s in slots], limit, masked)
            names = [statement.sample_columns(s) for s in slots]
            key = key_columns(statement.table)

        personal_key = any(name in masked for name in key)
        columns = dict.fromkeys(self.counts, key)

        def work(session: Session) -> Sampled | DatabaseError:
            try:
                if refusal := too_large(session, sql):
                    return refusal
                rows, taken = session.timed(sql)
            except DatabaseError as error:
                recover(session)
                return error
            keys = {
                id: (_sample(rows, n, names[n]), "" if personal_key else _digest(rows, n, count))
                for n, (id, count) in enumerate(self.counts.items())
            }
            return Sampled(keys, columns, StatementFacts(f"keys: {statement.purpose}", sql, tuple(self.counts), taken))

        return work


def _masked_columns(statement: Pass, slots: Sequence[Slot], is_personal: IsPersonal) -> frozenset[str]:
    names = {c for slot in slots for c in slot.columns} | set(statement.table.primary_key)
    return frozenset(c for c in names if is_personal(statement.table.name, c))


def _masked_outputs(query: Query, is_personal: IsPersonal) -> frozenset[str]:
    """Output columns that bear a personal column's name, are made of one, or could be: what cannot be traced is masked."""
    secret = {column for table, column in query.columns if is_personal(table, column)}
    if not secret:
        return frozenset()
    real = {column for _, column in query.columns}
    made_of = query.violations.made_of

    def masked(output: str) -> bool:
        # A name that is no column of a table (``u.to_jsonb``) is a function of the row, and may show all of it.
        origins = made_of.get(output, () if output in query.violations.safe else (output,))
        return output in secret or any(name in secret or name not in real for name in origins)

    return frozenset(c for c in query.sample_columns() if masked(c))


_Row = tuple[int, list[str | None] | None, object, object]


def _sample(rows: Sequence[tuple[object, ...]], number: int, names: Sequence[str]) -> Keys:
    found = []
    for slot, values, *_ in rows:
        if slot == number and isinstance(values, list):
            cut = [v if v is None or len(v) <= VALUE_LIMIT else v[:VALUE_LIMIT] + "…" for v in values]
            found.append(tuple(zip(names, cut, strict=True)))
    return tuple(found)


def _digest(rows: Sequence[tuple[object, ...]], number: int, count: int) -> str:
    """SHA-256 over the number of violating rows and the sums over their keys.

    Not given for personal keys: the digest of one telephone number could be guessed.
    """
    for slot, values, high, low in rows:
        if slot == number and values is None:
            return hashlib.sha256(f"{count}|{high}|{low}".encode()).hexdigest()
    return ""
