"""Asks for digests of personal columns: how many distinct values they have, then the digests themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from itertools import groupby

from kisaan_validate.contract.needs import Need, Removal
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import KeyedDigest
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.plan.fingerprints import Digesting
from kisaan_validate.plan.keyed import (
    LEAST_DISTINCT,
    KeyedColumn,
    KeyedTable,
    SealedDigests,
    keyed_again,
    keyed_before,
    without_secret,
)
from kisaan_validate.plan.measure.side import IsPersonal
from kisaan_validate.plan.measure.whole import DigestKey, digest_key
from kisaan_validate.postgres.session import Session, milliseconds_since
from kisaan_validate.process.stopping import Stop

FEW = f"it is personal and has fewer than {LEAST_DISTINCT:,} distinct values, which a digest could give away"
"""Why no digest of a personal column is kept."""


@dataclass(frozen=True)
class KeyedJob:
    """A table's statement, and what it is made of. Columns with few values go to ``sealed``, if given."""

    asked: KeyedTable
    table: Table | None
    key: DigestKey
    how: Digesting
    sealed: SealedDigests | None = None


def keyed_jobs_before(
    tables: Mapping[str, Table],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    how: Digesting,
    secret: str,
    needs: Sequence[Need],
    sealed: SealedDigests | None = None,
) -> tuple[KeyedJob, ...]:
    """What is asked of the personal columns of these tables (by title) while a baseline is taken.

    ``needs`` are those of its contract, of which the removals tell which rows are to stay.
    """
    removals: dict[TableKey, list[Removal]] = {}
    # Kept beside the digest of all rows: afterwards it is not known yet which removals will have been done.
    for need in needs:
        found = catalogue.find(need.table)
        if isinstance(need, Removal) and found is not None:
            removals.setdefault(found.key, []).append(need)
    jobs = []
    for table in tables.values():
        personal = [c for c in table.columns if is_personal(table.name, c)]
        if personal:
            key = digest_key(table, catalogue, is_personal, None, how, removals=removals.get(table.key, ()))
            jobs.append(KeyedJob(keyed_before(table, personal, key, how, secret), table, key, how, sealed))
    return tuple(jobs)


def keyed_jobs_again(
    tables: Mapping[str, Table],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    how: Digesting,
    before: Baseline,
    since: Mapping[TableKey, str],
    sealed: SealedDigests | None = None,
) -> tuple[KeyedJob, ...]:
    """What is asked of the personal columns that a baseline speaks of; tables that are gone have nothing
    to be asked.
    """
    jobs = []
    for title, listed in groupby(sorted(before.keyed, key=lambda k: k.table), key=lambda k: k.table):
        table = tables.get(title)
        if table is not None:
            key = digest_key(table, catalogue, is_personal, before, how, since.get(table.key, ""))
            for secret, some in _by_key(list(listed), before.secret, sealed):
                jobs.append(KeyedJob(keyed_again(table, title, some, key, how, secret), table, key, how))
    return tuple(jobs)


def _by_key(
    listed: Sequence[KeyedDigest], secret: str, sealed: SealedDigests | None
) -> list[tuple[str, list[KeyedDigest]]]:
    """The digests of a table by the key under which they are."""
    apart = sealed.known if sealed is not None else {}
    plain = [one for one in listed if (one.table, one.column) not in apart]
    rest = [one for one in listed if (one.table, one.column) in apart]
    return [(secret, plain), *([(sealed.secret, rest)] if sealed is not None and rest else [])]


@dataclass
class _Said:
    keyed: list[KeyedDigest] = field(default_factory=list)
    log: list[StatementFacts] = field(default_factory=list)


def take_keyed(
    pool: Pool, jobs: Sequence[KeyedJob], stop: Stop, on_done: Callable[[int, int], None]
) -> tuple[tuple[KeyedDigest, ...], list[StatementFacts]]:
    """What is known of each personal column, and the statements, without the key. Raises nothing: why not
    is a message.
    """
    if not jobs:
        return (), []
    on_done(0, len(jobs))
    tasks = [Task(_taker(job), _giver_up(job)) for job in jobs]
    said = pool.run(tasks, stop, lambda done: on_done(done, len(jobs)))
    return tuple(k for one in said for k in one.keyed), [facts for one in said for facts in one.log]


def _giver_up(job: KeyedJob) -> Callable[[DatabaseError], _Said]:
    return lambda error: _Said([*job.asked.refused, *_failed(job, job.asked.columns, error)])


def _failed(job: KeyedJob, columns: Sequence[KeyedColumn], error: DatabaseError) -> list[KeyedDigest]:
    # The key could stand in the message, as a part of the statement that failed.
    known = frozenset({job.asked.title, *(column.name for column in columns)})
    message = mask_values(without_secret(error.fact, job.asked.secret), known)
    return [KeyedDigest(job.asked.title, column.name, message=message) for column in columns]


def _taker(job: KeyedJob) -> Callable[[Session], _Said]:
    def take(session: Session) -> _Said:
        said = _Said(list(job.asked.refused))
        enough: list[KeyedColumn] = []
        few: list[KeyedColumn] = []
        for column in job.asked.columns:
            try:
                # With a baseline's digest at hand, the column had
                # enough values then; nothing is published now.
                many = bool(job.asked.known) or _has_many(session, job, column, said.log)
            except DatabaseError as error:
                said.keyed += _failed(job, [column], error)
                continue
            if many:
                enough.append(column)
            else:
                few.append(column)
                said.keyed.append(KeyedDigest(job.asked.title, column.name, message=FEW))
        _seal(session, job, few, said.log)
        if not enough or job.table is None:
            return said
        # One statement for the columns that are left: the table is read once for all.
        asked = job.asked.only(enough, job.key, job.how, job.table)
        try:
            said.keyed += asked.read(_ask(session, asked, asked.sql, said.log))
        except DatabaseError as error:
            said.keyed += _failed(job, enough, error)
        return said

    return take


def _seal(session: Session, job: KeyedJob, few: Sequence[KeyedColumn], log: list[StatementFacts]) -> None:
    """The digests of columns with few values, under the key that is kept apart. Where that fails there is
    none, and the column stays one that could not be compared.
    """
    if job.sealed is None or job.table is None or not few:
        return
    asked = replace(job.asked, secret=job.sealed.secret, refused=()).only(few, job.key, job.how, job.table)
    try:
        job.sealed.keep(asked.read(_ask(session, asked, asked.sql, log)))
    except DatabaseError:
        return


def _has_many(session: Session, job: KeyedJob, column: KeyedColumn, log: list[StatementFacts]) -> bool:
    """Whether it has enough distinct values. Few classes mean few values, so that they can be counted in
    memory.
    """
    # Few enough to group in memory; only a column that looks poor is counted exactly.
    (classes,) = _ask(session, job.asked, column.classes, log)
    if int(str(classes)) >= LEAST_DISTINCT:
        return True
    (values,) = _ask(session, job.asked, column.values, log)
    return int(str(values)) >= LEAST_DISTINCT


def _ask(session: Session, asked: KeyedTable, sql: str, log: list[StatementFacts]) -> Sequence[object]:
    start, sqlstate = time.perf_counter(), ""
    try:
        if why := refusal(session, sql):
            raise why
        (row,) = session.execute(sql)
        found: Sequence[object] = row
        return found
    except DatabaseError as error:
        sqlstate = error.sqlstate or "not run"
        recover(session)
        raise
    finally:
        taken = milliseconds_since(start)
        # The log becomes public with the record, and the key must not.
        log.append(
            StatementFacts(
                f"personal columns of {asked.title}", without_secret(sql, asked.secret), (), taken, sqlstate
            )
        )
