"""The first steps: connect, look at the catalogue, lock, and take the snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.execute.snapshot import Snapshot, take_snapshot
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.plan import tables_of
from kisaan_validate.postgres.catalogue import count_scope, read_catalogue
from kisaan_validate.postgres.expected import check_expectation
from kisaan_validate.postgres.session import Discretion, Session
from kisaan_validate.prove.request import RunRequest, connected
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.suite.load import Suite


def open_session(request: RunRequest, discretion: Discretion | None = None) -> Session:
    """A session that is cancelled with the run. Raises TargetError."""
    session = Session(request.target, request.options.limits, request.suite.settings.schemas, request.stop)
    session.discretion = discretion
    request.gate.knows(session)
    return session


def connect(request: RunRequest) -> Session:
    """The first session. Raises TargetError, also if it is not the expected database."""
    holder = open_session(request)
    request.observer(connected(holder, request.target))
    # Observed before the check, so that a refused target is named as it was reached.
    check_expectation(holder, request.options.expect, request.target)
    return holder


def lock(request: RunRequest, holder: Session) -> Snapshot:
    """Lock what will be read, then take the snapshot. Raises DatabaseError."""
    request.say("reading the catalogue")
    settings = request.suite.settings
    # A first look, because LOCK needs names, and the snapshot must be taken after the locks.
    holder.begin()
    first_look = read_catalogue(holder, settings.schemas, settings.aliases)
    # Its snapshot must not be the run's: it was taken before the locks.
    holder.execute("ROLLBACK")
    tables = tables_of(request.suite, first_look)
    # What a control total reads must stay as it is, like what checks read.
    named = (first_look.find(spec.table) for spec in request.suite.totals)
    tables |= {t.key: t for t in named if t is not None and t.countable}
    tables |= {t.key: t for t in tables_in_scope(request, first_look)}
    request.say("locking")
    return take_snapshot(
        holder,
        # Sorted by name: two runs that lock in the same order cannot wait for each other in a circle.
        [tables[key] for key in sorted(tables)],
        settings.schemas,
        settings.aliases,
        request.target.source,
        settings.foreign,
        readers=request.options.jobs * kinds_of_readers(request.suite),
        together=read_together(request.suite, first_look),
    )


def tables_in_scope(request: RunRequest, catalogue: Catalogue) -> list[Table]:
    """The tables that are counted beyond those of checks: all for a comparison, or those of a profile."""
    options, settings = request.options, request.suite.settings
    if not options.every_table:
        return []
    found = [t for t in count_scope(catalogue) if not settings.is_excluded(t.name)]
    # Beside a baseline every table counts; a profile alone is of the tables that were selected.
    if options.compare is not None or not (request.suite.selection.select or request.suite.selection.partial):
        return found
    chosen = tables_of(request.suite, catalogue)
    return [t for t in found if t.key in chosen]


def kinds_of_readers(suite: Suite) -> int:
    """How many kinds of readers a run has: sessions that ask, and those that stream for Python checks."""
    if any(isinstance(rule, PythonRule) for rule in suite.rules.values()):
        return 2
    return 1


def read_together(suite: Suite, catalogue: Catalogue) -> Iterator[frozenset[TableKey]]:
    """The tables that one statement may read: those of all checks of a table, whose failing rows are
    listed together.
    """
    groups: dict[str, set[TableKey]] = {}
    for check in suite.checks:
        found = (
            catalogue.find(name) for name in (check.table, *(name for name, _ in suite.needs(check))) if name
        )
        # A check without a table stands alone; evidence joins only checks of one table.
        groups.setdefault(check.table or check.id, set()).update(t.key for t in found if t is not None)
    yield from map(frozenset, groups.values())
