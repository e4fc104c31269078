"""Looks at a database: its catalogue, comments, and one scan of each table, all in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date

from kisaan_validate.author.draft.codes import certainly
from kisaan_validate.author.draft.facts import Facts, Observed, names_of
from kisaan_validate.author.draft.observe import (
    Probe,
    candidates,
    probes,
    scanner,
    sorter,
    unread,
    with_unique,
)
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.execute.fence import moved
from kisaan_validate.execute.held import HoldLimit
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.snapshot import Snapshot, take_snapshot
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.catalogue import count_scope, read_catalogue
from kisaan_validate.postgres.expected import check_expectation
from kisaan_validate.postgres.schemas import require_schemas, schemas_said, schemas_sql
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.standby import require_young
from kisaan_validate.postgres.statistics import Comments, read_comments, read_sizes, read_statistics
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.request import Observer, Progress, connected
from kisaan_validate.suite.personal import guessed_personal


@dataclass(frozen=True)
class Ask:
    """What is asked, and of which database. ``personal`` adds to what is guessed by name."""

    target: Target
    schemas: tuple[str, ...] = ("public",)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    jobs: int = 2
    expect: Mapping[str, str] = field(default_factory=dict)
    catalogue_only: bool = False


def look(ask: Ask, observer: Observer, stop: Stop) -> Facts:
    """Read the facts for a draft, in one read-only snapshot.

    What cannot be read is not observed, and says why. Raises TargetError, UsageError if the schemas hold
    nothing, and DatabaseError if the catalogue cannot be read.
    """
    holder = Session(ask.target, ask.limits, ask.schemas, stop)
    try:
        observer(connected(holder, ask.target))
        check_expectation(holder, ask.expect, ask.target)
        observer(Progress("reading the catalogue"))
        holder.begin()
        schemas: dict[str, int] = dict(holder.execute(schemas_sql()))
        require_schemas(ask.schemas, schemas)
        # Read once without locks, to know which tables are to be locked before the snapshot.
        first = read_catalogue(holder, ask.schemas, ask.aliases)
        holder.execute("ROLLBACK")
        if not first.tables:
            hint = f"name another with --schema; the schemas of this database: {schemas_said(schemas)}"
            raise UsageError(f"there are no tables in schema {', '.join(ask.schemas)}", hint)
        # A snapshot fixes what is seen; a table that is truncated later looks empty unless it was locked
        # first.
        snapshot = take_snapshot(
            holder, count_scope(first), ask.schemas, ask.aliases, ask.target.source, readers=ask.jobs
        )
        held = HoldLimit(ask.limits.snapshot_seconds, stop)
        require_young(snapshot.place.standby, ask.limits.standby_seconds)
        found = _facts(ask, holder, snapshot, observer, stop)
        # Nothing is read from here on: its limit must not stop the proof that follows under the same Stop.
        held.end()
        return found
    finally:
        holder.close()


def _facts(ask: Ask, holder: Session, snapshot: Snapshot, observer: Observer, stop: Stop) -> Facts:
    catalogue = snapshot.catalogue
    personal = tuple(dict.fromkeys((*ask.personal, *guessed_personal(names_of(catalogue)))))
    comments = _without_people(read_comments(holder, ask.schemas))
    asked = {} if ask.catalogue_only else _asked(ask, holder, snapshot, personal)
    seen = {table.key: unread(table, error) for table, error in _unavailable(snapshot)}
    seen |= _scan_all(ask, snapshot, asked, observer, stop)
    return Facts(catalogue, snapshot.place, _day(snapshot), comments, seen, personal)


def _without_people(comments: Comments) -> Comments:
    """Comments go into the draft as they are, unless somebody gave a person's data as an example."""

    def kept(text: str) -> str:
        # Only what is hardly anything else: a comment with a date or a limit is kept.
        if what := certainly(text):
            return f"(withheld: it contains what looks like {what})"
        return text

    return Comments(
        {k: kept(t) for k, t in comments.columns.items()},
        {k: kept(t) for k, t in comments.constraints.items()},
    )


def _day(snapshot: Snapshot) -> date:
    return snapshot.place.at.date()


def _unavailable(snapshot: Snapshot) -> Sequence[tuple[Table, DatabaseError]]:
    tables = snapshot.catalogue.tables
    return [
        (tables[k], DatabaseError(said, "", state))
        for k, (state, said) in snapshot.unavailable.items()
        if k in tables
    ]


def _asked(
    ask: Ask, holder: Session, snapshot: Snapshot, personal: tuple[str, ...]
) -> dict[TableKey, list[Probe]]:
    """What is asked of each table that can be read."""
    tables = _readable(snapshot.catalogue, snapshot)
    sizes = read_sizes(holder, [t.oid for t in tables])
    estimates = read_statistics(holder, candidates(tables, personal))
    return {t.key: probes(t, sizes.get(t.oid, 0), estimates, personal, ask.limits.temp_bytes) for t in tables}


def _readable(catalogue: Catalogue, snapshot: Snapshot) -> list[Table]:
    # What could not be locked may be changed while it is read.
    held = {t.key for t in snapshot.locked}
    return [t for t in count_scope(catalogue) if t.key in held and t.key not in snapshot.unavailable]


def _scan_all(
    ask: Ask, snapshot: Snapshot, asked: Mapping[TableKey, list[Probe]], observer: Observer, stop: Stop
) -> dict[TableKey, Observed]:
    if not asked:
        return {}
    # The largest tables first: the longest statement should not be the last to begin.
    tables = sorted(
        (snapshot.catalogue.tables[k] for k in asked), key=lambda t: t.estimated_rows, reverse=True
    )
    # A sort is one process's work, and takes longest.
    sorts = [(t, probe) for t in tables for probe in asked[t.key] if probe.large]
    tasks = [Task(sorter(t, probe), _giver_up(t)) for t, probe in sorts]
    tasks += [Task(scanner(t, _together(asked[t.key])), _giver_up(t)) for t in tables]
    pool = Pool(
        lambda: Session(ask.target, ask.limits, ask.schemas, stop),
        snapshot.shared,
        snapshot.kept,
        ask.jobs,
        snapshot.locking,
    )
    try:
        observer(Progress("looking at the rows", 0, len(tasks)))
        done = pool.run(tasks, stop, lambda n: observer(Progress("looking at the rows", n, len(tasks))))
        # After the reading: a table whose file was exchanged was not seen as it was in the snapshot.
        gone = moved(pool, snapshot, stop)
    finally:
        pool.close()
    seen = dict(zip((t.key for t in tables), done[len(sorts) :], strict=True))
    for (table, _), sorted_alone in zip(sorts, done, strict=False):
        for column in sorted_alone.sorted_once:
            seen[table.key] = with_unique(seen[table.key], column)
    # What was seen of them is withdrawn.
    return seen | {key: Observed(reason=f"it {why}") for key, why in gone.items() if key in seen}


def _together(asked: Sequence[Probe]) -> list[Probe]:
    """What one scan of a table answers."""
    return [probe for probe in asked if not probe.large]


def _giver_up(table: Table) -> Callable[[DatabaseError], Observed]:
    return lambda error: unread(table, error)
