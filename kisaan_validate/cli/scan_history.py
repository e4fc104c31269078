"""What a scan knows of the nights before it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.facts.place import Place
    from kisaan_validate.history.proved import LastProved
    from kisaan_validate.ops.config import Config
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


def _read(config: Config, suite: Suite, place: Place) -> LastProved:
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.history.proved import last_proved, series_at

    with the_history(config) as found:
        nights = (line.night for line in found.history.nights())
        series = series_at(nights, suite.settings.name, place)
        return last_proved(found.history, series, suite.checks)
