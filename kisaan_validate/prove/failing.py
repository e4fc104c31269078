"""Every violating row of the checks that have a settling time, known by the digest of its key.

The digests stay in memory: of a personal key none is ever recorded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.recovery import FEW_ROWS, recover, tuned
from kisaan_validate.facts.result import COUNTED, Result, Status
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.failing import failing_sql, incomparable
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.statements import Pass, Query, Slot
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.hidden import masked_outputs
from kisaan_validate.suite.load import SuiteSettings

MOST_ROWS = 10_000
"""Of more violating rows two looks are not compared: such a failure is not a matter of rows in flight."""


@dataclass(frozen=True)
class FailingRow:
    """The digest of its key, and its values as they may be shown."""

    digest: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class FailingRows:
    """All violating rows of one check in one look, or ``why`` they are not known. ``names`` are those of
    the values, ``key`` those of the key among them; ``personal_key``: its digest may not be recorded.
    """

    rows: tuple[FailingRow, ...] = ()
    names: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    personal_key: bool = False
    why: str = ""

    def digest_of(self, rows: Sequence[FailingRow]) -> str:
        """The digest of all keys of these rows, as the server makes it (``plan.samples``); "" if it may not
        be recorded.
        """
        if self.personal_key:
            return ""
        high, low = (sum(_half(row.digest, start) for row in rows) for start in (0, 16))
        return hashlib.sha256(f"{len(rows)}|{high}|{low}".encode()).hexdigest()


def _half(digest: str, start: int) -> int:
    """Sixteen hex digits as PostgreSQL's ``bit(64)::bigint`` reads them: signed."""
    return int.from_bytes(bytes.fromhex(digest[start : start + 16]), "big", signed=True)


def failing_rows(
    pool: Pool,
    plan: Plan,
    results: Mapping[str, Result],
    settings: SuiteSettings,
    ground: Ground,
    stop: Stop,
) -> tuple[dict[str, FailingRows], list[StatementFacts]]:
    """The violating rows of the checks with a settling time that did not hold, by check id, and the
    statements that listed them.
    """
    found: dict[str, FailingRows] = {}
    wanted: list[_Listing] = []
    settling = {check.id for check in plan.checks if check.settling}
    for id, statement, slot in _places(plan):
        if id not in settling or not _broken(results.get(id)):
            continue
        if why := incomparable(statement, slot):
            found[id] = FailingRows(why=why)
        elif (results[id].violations or 0) > MOST_ROWS:
            found[id] = FailingRows(why=f"more than {MOST_ROWS:,} rows failed")
        else:
            wanted.append(_listing(id, statement, slot, settings, results[id].violations or 0))
    answers = pool.run([_task(one, ground) for one in wanted], stop) if wanted else []
    log = []
    for one, (rows, facts) in zip(wanted, answers, strict=True):
        found[one.id] = rows
        log += facts
    return found, log


def _places(plan: Plan) -> list[tuple[str, Pass | Query, Slot | None]]:
    in_passes = [(slot.check_id, one, slot) for one in plan.passes for slot in one.slots]
    return [*in_passes, *((query.check_id, query, None) for query in plan.queries)]


def _broken(result: Result | None) -> bool:
    """Whether a statement found violations, tolerated ones too."""
    broken = {Status.FAIL, Status.TOLERATED}
    return result is not None and result.status in broken and result.evidence in COUNTED


@dataclass(frozen=True)
class _Listing:
    """One statement that lists the violating rows of a check, of which so many were counted."""

    id: str
    statement: Pass | Query
    sql: str
    names: tuple[str, ...]
    key: tuple[str, ...]
    personal_key: bool
    count: int


def _listing(
    id: str, statement: Pass | Query, slot: Slot | None, settings: SuiteSettings, count: int
) -> _Listing:
    if isinstance(statement, Query):
        masked, key = masked_outputs(statement, settings), statement.violations.keys
        names = statement.sample_columns()
    else:
        assert slot is not None
        table, names = statement.table, statement.sample_columns(slot)
        key = table.primary_key
        masked = frozenset(c for c in names if settings.is_personal(table.name, c))
    # One more than was counted: whatever is not as it was counted is noticed.
    sql = failing_sql(statement, slot, count + 1, masked)
    return _Listing(id, statement, sql, names, key, any(name in masked for name in key), count)


_Answer = tuple[FailingRows, list[StatementFacts]]


def _task(listing: _Listing, ground: Ground) -> Task[_Answer]:
    def work(session: Session) -> _Answer:
        try:
            with (
                ground.under(session, listing.statement.reads, listing.sql, (listing.id,), bounded=True),
                tuned(session, FEW_ROWS),
            ):
                rows, taken = session.timed(listing.sql)
        except DatabaseError as error:
            recover(session)
            return _unread(error)
        facts = StatementFacts(
            f"failing rows: {listing.statement.purpose}", listing.sql, (listing.id,), taken
        )
        return _read(listing, rows), [facts]

    return Task(work, _unread)


def _unread(error: DatabaseError) -> _Answer:
    # The server's words may quote a value of a row; its code says enough.
    said = f"SQLSTATE {error.sqlstate}" if error.sqlstate else error.fact
    return FailingRows(why=f"its failing rows could not be listed: {said}"), []


def _read(listing: _Listing, rows: Sequence[tuple[object, ...]]) -> FailingRows:
    # A plan that did not meet the counted rows again compares nothing.
    if len(rows) != listing.count:
        return FailingRows(why=f"{listing.count:,} rows failed, but {len(rows):,} were listed")
    made = [FailingRow(str(digest), tuple(values)) for digest, values in rows if isinstance(values, list)]
    return FailingRows(tuple(made), listing.names, listing.key, listing.personal_key)
