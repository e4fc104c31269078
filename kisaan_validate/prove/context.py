"""What every later step stands on: the snapshot, which columns are personal, which tables are in scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.contract.here import with_personal
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import require_same_database
from kisaan_validate.postgres.expected import require_expected
from kisaan_validate.postgres.lineage import discretion_of, followed_in, read_lineage
from kisaan_validate.postgres.standby import too_old
from kisaan_validate.process.stopping import Cause
from kisaan_validate.prove.lock import kinds_of_readers, open_session, tables_in_scope
from kisaan_validate.prove.server import with_server

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.execute.snapshot import Snapshot
    from kisaan_validate.facts.catalogue import Catalogue, Table
    from kisaan_validate.postgres.session import Discretion, Session
    from kisaan_validate.prove.request import RunRequest
    from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class RunContext:
    """``suite`` is the part that was asked for, with all that is personal known. ``scope`` are the tables
    that are counted beyond those of checks; ``excluded`` are those that the suite leaves out.
    """

    request: RunRequest
    holder: Session
    snapshot: Snapshot
    suite: Suite
    discretion: Discretion | None
    excluded: tuple[str, ...]
    scope: tuple[Table, ...]

    @property
    def catalogue(self) -> Catalogue:
        """The relations as the snapshot sees them."""
        return self.snapshot.catalogue

    @property
    def readable(self) -> list[Table]:
        """The tables in scope that may be read."""
        return [t for t in self.scope if t.key not in self.snapshot.withheld]

    @property
    def is_personal(self) -> Callable[[str, str], bool]:
        """Whether a column (table, column) is personal."""
        return self.suite.settings.is_personal

    @property
    def encoding(self) -> str:
        """The server's encoding."""
        return self.snapshot.place.encoding or "UTF8"

    @property
    def jobs(self) -> int:
        """How many readers of each kind may work side by side."""
        # Asking sessions and streaming ones exist at the same time, so they share the room in the lock table.
        room = self.snapshot.locking.readers // kinds_of_readers(self.suite)
        return max(1, min(self.request.options.jobs, room))

    def open(self) -> Session:
        """One more session. Raises TargetError."""
        return open_session(self.request, self.discretion)


def look(request: RunRequest, holder: Session, snapshot: Snapshot) -> RunContext:
    """What is there to be proved. Raises TargetError and RecordError for a database that was not meant."""
    options, settings, catalogue = request.options, request.suite.settings, snapshot.catalogue
    # Before any check is asked: rows that are too old must
    # give no verdict. The run still says so as a record.
    if stale := too_old(snapshot.place.standby, options.limits.standby_seconds):
        request.stop.forgo(stale, Cause.STANDBY_TOO_OLD)
    # A second time, inside the snapshot: behind a pooler the first look may have met another server.
    require_expected(snapshot.place, options.expect, request.target)
    if options.before is not None and not options.before.other_database:
        require_same_database(options.before.baseline, snapshot.place)
    suite, discretion = request.suite, None
    if settings.personal:
        suite = _following(holder, suite, options.contract, catalogue)
        discretion = discretion_of(suite.settings.followed, catalogue)
        # From here on messages may be about rows; the catalogue has none of them.
        holder.discretion = discretion
    excluded = tuple(t.name for t in catalogue.tables.values() if settings.is_excluded(t.name))
    scope = tuple(tables_in_scope(request, catalogue))
    snapshot = replace(snapshot, catalogue=with_server(holder, suite, options, catalogue))
    return RunContext(request, holder, snapshot, suite, discretion, excluded, scope)


def _following(holder: Session, suite: Suite, contract: Contract | None, catalogue: Catalogue) -> Suite:
    """The suite that knows what is made of its personal columns, also under promised names."""
    lineage = read_lineage(holder)

    def known(suite: Suite) -> Suite:
        s = suite.settings
        return replace(suite, settings=replace(s, followed=followed_in(holder, lineage, s.asked, s.aliases)))

    # A promised new name may make more columns personal, and views may be made of these in turn.
    found = with_personal(known(suite), contract, catalogue)
    return known(found) if found.settings.personal != suite.settings.personal else found
