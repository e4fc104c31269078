"""What a scan knows of the nights before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.facts.place import Place
    from kisaan_validate.facts.resumed import ResumeFrom
    from kisaan_validate.facts.run import Run
    from kisaan_validate.history.proved import LastProved
    from kisaan_validate.ops.config import Config
    from kisaan_validate.ops.scans import ScanProfile
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.suite.load import Suite


def remembered(config: Config, suite: Suite, target: Target) -> LastProved | None:
    """When each check of a suite on this database last had an answer; None, and a note, where the history
    cannot be read: that keeps no scan from running.

    Raises TargetError and DatabaseError where the database cannot be asked for its name.
    """
    from kisaan_validate.cli.job import in_session
    from kisaan_validate.errors import AlreadyRunning, RecordError
    from kisaan_validate.history.proved import LastProved
    from kisaan_validate.postgres.catalogue import read_place
    from kisaan_validate.report.text import flat

    # The first scan of all makes the folder.
    if not config.reports.is_dir():
        return LastProved()
    place = in_session(target, config, lambda session: read_place(session, target.source, "")[0])
    try:
        return _read(config, suite, place)
    except (RecordError, AlreadyRunning) as error:
        said = f"{flat(error.fact)}; what was not reached last time does not go first"
        print(f"note    {said}", file=sys.stderr)
        return None


MOST_LOOKED_AT = 60
"""How many of the newest runs are searched for how far a table was read."""


def resume_from(config: Config, profile: ScanProfile, suite: Suite, target: Target) -> dict[str, ResumeFrom]:
    """Where to go on with tables that a profile reads over several nights, by name. Raises UsageError, and
    TargetError and DatabaseError where the database cannot be asked for its name.
    """
    from kisaan_validate.cli.job import in_session
    from kisaan_validate.cli.recorded import same_place
    from kisaan_validate.facts.resumed import ResumeFrom
    from kisaan_validate.ops.scans import resumed_tables
    from kisaan_validate.postgres.catalogue import read_place

    wanted = resumed_tables(profile, {check.table for check in suite.checks})
    found = {name: ResumeFrom(key) for name, key in wanted.items()}
    if not wanted or not config.reports.is_dir():
        return found
    place = in_session(target, config, lambda session: read_place(session, target.source, "")[0])
    for run in _nights(config, profile, suite):
        if not same_place(run.place, place):
            continue
        for state in run.resumed:
            # The newest record of a table: an older one may have been resumed.
            if state.table in found and found[state.table].state is None:
                found[state.table] = ResumeFrom(wanted[state.table], state)
        if all(one.state is not None for one in found.values()):
            break
    return found


def _nights(config: Config, profile: ScanProfile, suite: Suite) -> Iterator[Run]:
    """The nights of a profile among the newest runs, the last one first."""
    from kisaan_validate.cli.recorded import recorded_runs

    newest = islice(recorded_runs(config.reports, suite.settings.name), MOST_LOOKED_AT)
    return (run for run in newest if run.settings.get("scan") == profile.name)


def _read(config: Config, suite: Suite, place: Place) -> LastProved:
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.history.proved import last_proved, series_at

    with the_history(config) as found:
        nights = (line.night for line in found.history.nights())
        series = series_at(nights, suite.settings.name, place)
        return last_proved(found.history, series, suite.checks)
