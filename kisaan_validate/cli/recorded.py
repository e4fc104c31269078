"""Recorded runs of a folder of reports, the newest first: what failed last, what a check came to."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.facts.place import Place
    from kisaan_validate.facts.run import Run
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.suite.load import Suite

_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]+")
"""How the folder of a run is called: by when it began, so that names sort by time, to the second."""


def recorded_runs(reports: Path, suite: str) -> Iterator[Run]:
    """The runs of a suite in a folder, the newest first, each read when it is asked for. One that cannot be
    read is named on standard error.
    """
    folders = [p for p in reports.iterdir() if _RUN_ID.fullmatch(p.name)] if reports.is_dir() else []
    # Of runs that began in one second the names do not say which is newer.
    ordered = sorted(folders, key=lambda p: p.name, reverse=True)
    for _, same_second in groupby(ordered, key=lambda p: p.name.partition("-")[0]):
        runs = [run for folder in same_second if (run := _run_in(folder)) is not None]
        for run in sorted(runs, key=lambda run: run.started_at, reverse=True):
            if run.suite.name == suite:
                yield run


def _run_in(folder: Path) -> Run | None:
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.codec import run_from_json
    from kisaan_validate.record.files import read_file

    path = folder / "run.json"
    try:
        return run_from_json(read_file(path), str(path)) if path.is_file() else None
    except RecordError as error:
        print(f"note    {error.fact}; it is passed over", file=sys.stderr)
        return None


@dataclass(frozen=True)
class LastFailed:
    """The checks that failed or had no answer in the newest run of a suite on a database."""

    run_id: str
    checks: frozenset[str]


def last_failed(config: Config, suite: str, target: Target) -> LastFailed:
    """What is to be asked again. Raises UsageError where nothing is: no run, or nothing failed in it.

    Raises TargetError and DatabaseError where the database that is meant cannot be asked for its name.
    """
    from kisaan_validate.cli.job import in_session
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.result import UNANSWERED, Status
    from kisaan_validate.postgres.catalogue import read_place

    place = in_session(target, config, lambda session: read_place(session, target.source, "")[0])
    run = next((run for run in recorded_runs(config.reports, suite) if same_place(run.place, place)), None)
    if run is None:
        raise UsageError(
            f"--last-failed: {config.reports} holds no run of suite {suite!r} on database {place.database!r}",
            "run without --last-failed first, or name the folder of reports with --reports",
        )
    failed = {r.check_id for r in run.results if r.status is Status.FAIL or r.status in UNANSWERED}
    if not failed:
        raise UsageError(
            f"--last-failed: no check failed or was without an answer in the newest run, {run.id}",
            "run without --last-failed",
        )
    return LastFailed(run.id, frozenset(failed))


def same_place(one: Place, other: Place) -> bool:
    """Whether both are one database. A server whose identifier the role may not read goes by its name."""
    identifiers = {one.system_identifier, other.system_identifier} - {""}
    return one.database == other.database and len(identifiers) < 2


def the_earlier(config: Config, suite: Suite, target: Target) -> Run | None:
    """The newest recorded run of this suite on this database that is old enough to tell how fast the
    server's counters move, if a check is about the server; None without one.
    """
    from datetime import UTC, datetime

    from kisaan_validate.cli.job import in_session
    from kisaan_validate.postgres.catalogue import read_place
    from kisaan_validate.prove.server import about_server
    from kisaan_validate.rules.server.rates import SHORTEST

    if not about_server(suite):
        return None
    until = datetime.now(UTC) - SHORTEST
    found = recorded_runs(config.reports, suite.settings.name)
    runs = (run for run in found if run.counters and run.place.at <= until)
    newest = next(runs, None)
    # Only then is the database asked for its name: the first run of a suite has nothing to compare with.
    if newest is None:
        return None
    place = in_session(target, config, lambda session: read_place(session, target.source, "")[0])
    return next((run for run in (newest, *runs) if same_place(run.place, place)), None)
