"""A baseline freezes what a run measured, so that a later run can be compared with it."""

from __future__ import annotations

from kisaan_validate.errors import RecordError
from kisaan_validate.model import Baseline, Check, CheckFacts, Place, Result, Run


def baseline_of(run: Run) -> Baseline:
    """What a baseline keeps of a run: all that it measured of the tables, and every check's count and
    failing keys.
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
        row_file=run.row_file,
        value_file=run.value_file,
        secret=run.secret,
        keyed=run.keyed,
    )


def _facts(check: Check, result: Result) -> CheckFacts:
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
    if before.system_identifier and place.system_identifier:
        same = before.system_identifier == place.system_identifier
    else:
        same = (before.host, before.port) == (place.host, place.port)
    if same and before.database == place.database:
        return
    fact = (
        f"the baseline is of database {before.database!r} on {before.host}, this is "
        f"{place.database!r} on {place.host}"
    )
    raise RecordError(
        fact, "take a baseline of this database, or pass --other-database if the comparison is meant"
    )
