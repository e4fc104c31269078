"""A migration that is interrupted and run again, and one that is started twice at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.rehearsal import MigrationDone
from kisaan_validate.facts.rehearsed import (
    AgainState,
    InterruptedPoint,
    InterruptedReview,
    Sameness,
    TwiceReview,
)
from kisaan_validate.rehearse.killswitch import kill_switch
from kisaan_validate.rehearse.migrating import Migrating, migration_error
from kisaan_validate.rehearse.sameness import Comparer
from kisaan_validate.rehearse.trouble import put_away, require_server

POINTS = 12
"""Before so many changes a migration is interrupted, unless said otherwise."""

_LEDGERS = """
SELECT c.oid::regclass::text, a.attname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND NOT a.attisdropped AND (c.relname, a.attname) IN (
  (%s, %s), ('knex_migrations', 'name'), ('SequelizeMeta', 'name'), ('schema_migrations', 'version'),
  ('flyway_schema_history', 'version'), ('alembic_version', 'version_num'),
  ('_prisma_migrations', 'migration_name'), ('goose_db_version', 'version_id'), ('django_migrations', 'name'))
"""
"""The ledgers of common runners, and the one that was named: (table, column of the name)."""


@dataclass(frozen=True)
class AgainGround:
    """What is interrupted: ``source`` is the copy before the migration, ``result`` one after it, undisturbed.

    ``say`` is told what is being done.
    """

    migrating: Migrating
    comparer: Comparer
    source: str
    result: str
    say: Callable[[str], None]


def interrupted(ground: AgainGround, points: int = POINTS) -> InterruptedReview:
    """Kill the migration before ``points`` of its changes, each on a copy of its own, and run it again."""
    try:
        changes, why = _count(ground)
    except KisaanError as error:
        return InterruptedReview(reason=error.fact)
    if why:
        return InterruptedReview(reason=why)
    found: list[InterruptedPoint] = []
    for at in chosen(len(changes), points):
        if ground.migrating.stop.requested:
            return InterruptedReview(tuple(found), len(changes), f"stopped: {ground.migrating.stop.reason}")
        ground.say(f"interrupted before change {at:,} of {len(changes):,}")
        found.append(_point(ground, at, changes[at - 1]))
    return InterruptedReview(tuple(found), len(changes))


def chosen(changes: int, points: int) -> tuple[int, ...]:
    """At most ``points`` of the numbers from 1 to ``changes``, evenly spread, first and last among them."""
    if changes <= points:
        return tuple(range(1, changes + 1))
    if points < 2:
        return (changes,) * points
    return tuple(sorted({1 + (changes - 1) * n // (points - 1) for n in range(points)}))


def _count(ground: AgainGround) -> tuple[list[str], str]:
    """The changes of an undisturbed migration in words, by number; why there are none."""
    database = "counted"
    ground.comparer.scratch.clone(ground.source, database)
    try:
        with kill_switch(ground.comparer.scratch, database, 0) as switch:
            done = ground.migrating.run(database)
    finally:
        put_away(ground.comparer.scratch, database)
    require_server(done, ground.comparer.scratch)
    if not done.succeeded:
        return [], f"the migration fails while its changes are counted: {migration_error(done)}"
    known = dict(switch.changes)
    # A savepoint that was rolled back took its words with it; its number stays.
    return [known.get(n, "a change that was rolled back") for n in range(1, switch.reached + 1)], ""


def _point(ground: AgainGround, at: int, text: str) -> InterruptedPoint:
    database, scratch = f"interrupted_{at}", ground.comparer.scratch
    try:
        scratch.clone(ground.source, database)
        with kill_switch(scratch, database, at) as switch:
            ground.migrating.run(database)
        if switch.reached < at:
            why = "it ended before it came to this change"
            return InterruptedPoint(at, text, AgainState.UNKNOWN, why)
        again = ground.migrating.run(database)
        require_server(again, scratch)
        if not again.succeeded:
            state = AgainState.UNKNOWN if ground.migrating.stop.requested else AgainState.WEDGED
            return InterruptedPoint(at, text, state, migration_error(again))
        return _compared(at, text, ground.comparer.same(ground.result, database))
    except KisaanError as error:
        return InterruptedPoint(at, text, AgainState.UNKNOWN, error.fact)
    finally:
        put_away(ground.comparer.scratch, database)


def _compared(at: int, text: str, same: Sameness) -> InterruptedPoint:
    if same.equal is None:
        return InterruptedPoint(at, text, AgainState.UNKNOWN, "; ".join(same.unknown), same)
    if same.equal:
        return InterruptedPoint(at, text, AgainState.HEALED, "", same)
    return InterruptedPoint(at, text, AgainState.DIFFERS, "; ".join(same.differing[:3]), same)


def twice_at_once(ground: AgainGround) -> TwiceReview:
    """Start the migration twice at the same moment on one copy."""
    database, scratch = "twice", ground.comparer.scratch
    try:
        scratch.clone(ground.source, database)
        ends = _both(ground, database)
        for end in ends:
            require_server(end, scratch)
        same = ground.comparer.same(ground.result, database)
        return TwiceReview(ends, same, _duplicates(ground, database))
    except KisaanError as error:
        return TwiceReview(reason=error.fact)
    finally:
        put_away(ground.comparer.scratch, database)


def _both(ground: AgainGround, database: str) -> tuple[MigrationDone, MigrationDone]:
    gate = threading.Barrier(2)
    ends: dict[int, MigrationDone] = {}
    errors: list[BaseException] = []

    def one(number: int) -> None:
        try:
            gate.wait(60)
            ends[number] = ground.migrating.run(database)
        # BaseException: in a thread it would vanish, and a run be missing without a word.
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return ends[0], ends[1]


def _duplicates(ground: AgainGround, database: str) -> tuple[str, ...]:
    """Names that a ledger of migrations has more than once."""
    ledger = ground.migrating.ledger
    table = ledger.table.rpartition(".")[2]
    scratch = ground.comparer.scratch
    found: list[str] = []
    for name, column in scratch.execute(_LEDGERS, database, (table, ledger.name_column)):
        quoted = '"' + column.replace('"', '""') + '"'
        rows = scratch.execute(
            f"SELECT {quoted}::text FROM {name} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1", database
        )
        found += [f"{value} ({name})" for (value,) in rows]
    return tuple(found)
