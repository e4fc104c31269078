"""What is kept of a run, so that a later one can be compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.kept import RowFile
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.server import ServerCounter
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import KeyedDigest, Measured, SchemaObject, SequenceValue, TableFacts
from kisaan_validate.facts.totals import ControlTotal

BASELINE_FORMAT = 2
"""Version of a baseline file. 1: never published. 2: all that a run measures, failing keys, and a seal."""


@dataclass(frozen=True)
class CheckFacts:
    """What a baseline keeps of one check.

    ``keys`` are violating keys as far as they were collected, personal values masked; ``keys_complete``
    tells whether these are all. ``key_digest`` covers all of them in any case.
    """

    id: str
    digest: str
    status: Status
    severity: Severity
    violations: int | None
    key_digest: str = ""
    keys: tuple[tuple[tuple[str, str | None], ...], ...] = ()
    keys_complete: bool = False
    sqlstate: str = ""

    @property
    def missing(self) -> bool:
        """Whether there was no answer because a table or column that it is about, or applies to, did not
        exist.
        """
        # What a check is about may come with the migration, which is another thing than an error.
        unasked = self.status in {Status.SKIP, Status.NOT_APPLICABLE}
        return unasked and self.sqlstate in {"42P01", "42703"}


@dataclass(frozen=True)
class Baseline:
    """What one database's data was at one instant. See Run for the fields of
    that name.
    """

    id: str
    taken_at: datetime
    tool_version: str
    suite: SuiteFacts
    place: Place
    selection: Selection
    tables: tuple[TableFacts, ...]
    checks: tuple[CheckFacts, ...]
    notices: tuple[Notice, ...] = ()
    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[SequenceValue, ...] = ()
    measured: tuple[Measured, ...] = ()
    contract_digest: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    row_file: RowFile | None = None
    value_file: RowFile | None = None
    secret: str = ""
    keyed: tuple[KeyedDigest, ...] = ()
    totals: tuple[ControlTotal, ...] = ()
    counters: tuple[ServerCounter, ...] = ()
    format_version: int = BASELINE_FORMAT


def baseline_of(run: Run) -> Baseline:
    """What a baseline keeps of a run.

    All that it measured of the tables, and every check's count and failing keys.
    """
    checks = run.by_id
    return Baseline(
        id=run.id,
        taken_at=run.place.at,
        tool_version=run.tool_version,
        suite=run.suite,
        place=run.place,
        selection=run.selection,
        tables=run.tables,
        checks=tuple(_facts(checks[result.check_id], result) for result in run.results),
        notices=run.notices,
        objects=run.objects,
        unread=run.unread,
        sequences=run.sequences,
        measured=run.measured,
        contract_digest=run.contract_digest,
        meanings=run.meanings,
        row_file=run.row_file,
        value_file=run.value_file,
        secret=run.secret,
        keyed=run.keyed,
        totals=run.totals,
        counters=run.counters,
    )


def _facts(check: Check, result: Result) -> CheckFacts:
    # Only the key: the other values of a sample are shown in a report, and not kept for later.
    keys = tuple(tuple((name, value) for name, value in row if name in result.key) for row in result.sample)
    return CheckFacts(
        result.check_id,
        check.digest,
        result.status,
        check.severity,
        result.violations,
        result.key_digest,
        keys,
        result.sample_complete,
        result.sqlstate,
    )


def require_same_database(baseline: Baseline, place: Place) -> None:
    """Refuse a baseline of another database (system identifier and name). Raises RecordError.

    Where either side could not read the system identifier, host and port stand in for it.
    """
    before = baseline.place
    # The identifier survives a restart and a new address, and a copied data directory shares it.
    if before.system_identifier and place.system_identifier:
        same = before.system_identifier == place.system_identifier
    else:
        same = (before.host, before.port) == (place.host, place.port)
    # One server holds many databases, so the name is asked in any case.
    if same and before.database == place.database:
        return
    fact = (
        f"the baseline is of database {before.database!r} on {before.host}, but this is "
        f"{place.database!r} on {place.host}"
    )
    raise RecordError(
        fact, "take a baseline of this database, or pass --other-database if you mean to compare them"
    )
