"""The recorded runs as watchers read them: by the index, or by the files where it cannot be kept."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.history.night import Night
    from kisaan_validate.ops.config import Config
    from kisaan_validate.watch.last import WatchedSeries

MOST_READ = 60
"""So many of the newest runs are read where there is no index: two months of nights."""


@dataclass(frozen=True)
class FoundNights:
    """The nights that fit what was asked, and how many runs could not be read. ``nights`` are those of all
    profiles, where none was asked for.
    """

    series: list[WatchedSeries]
    unread: int
    nights: tuple[Night, ...] = ()

    def of_suites_and_scans(self, profiles: Collection[str]) -> list[WatchedSeries]:
        """The series of whole suites, and of each profile that asks a part of one; of ``profiles`` only,
        unless there are none.
        """
        from kisaan_validate.watch.last import of_scan, of_suites, part_scans

        if not self.nights:
            return self.series
        scans = [name for name in part_scans(self.nights) if name in profiles or not profiles]
        return [*of_suites(self.nights), *(one for scan in scans for one in of_scan(self.nights, scan))]


class Span(click.ParamType):  # type: ignore[type-arg]  # older click has no arguments
    """A length of time such as ``26 h``, as a timedelta."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length. Fails for a text that is not a length."""
        from kisaan_validate.text.durations import DURATION_HINT, read_duration

        if isinstance(value, timedelta):
            return value
        seconds = read_duration(str(value))
        if not seconds:
            self.fail(f"{value!r} is not a duration; {DURATION_HINT}", param, ctx)
        return timedelta(seconds=seconds)


def watched_options(function: Any) -> Any:
    """--suite-name, --database, --scan, --reports, --config."""
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="The configuration file.  [default: ./kisaan.toml]",
        ),
        click.option(
            "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
        ),
        click.option(
            "--scan", metavar="NAME", help="Only runs of this profile; it may ask a part of the suite."
        ),
        click.option("--database", metavar="NAME", help="Only runs on this database."),
        click.option("--suite-name", metavar="NAME", help="Only runs of this suite."),
    ):
        function = option(function)
    return function


def found_nights(config: Config, given: Mapping[str, Any]) -> FoundNights:
    """The nights of the suites and databases that ``given`` asks for, by series. Raises UsageError where
    neither index nor folder is there.
    """
    from kisaan_validate.watch.last import of_scan, series_of

    nights, unread = _nights(config)
    wanted = (given["suite_name"], given["database"])
    fit = [
        n for n in nights if all(w in {None, h} for w, h in zip(wanted, (n.suite, n.database), strict=True))
    ]
    if scan := given["scan"]:
        return FoundNights(of_scan(fit, scan), unread)
    return FoundNights(series_of(fit), unread, tuple(fit))


def _nights(config: Config) -> tuple[list[Night], int]:
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.errors import AlreadyRunning, RecordError

    # A host that shares no folder with the other one still has the index.
    if config.history and not config.reports.is_dir():
        return _indexed(config), 0
    try:
        with the_history(config) as found:
            return [line.night for line in found.history.nights()], found.unread
    # A folder that is mounted to be read only keeps no index, and a damaged index must hide no run.
    except (RecordError, AlreadyRunning, OSError) as error:
        print(f"note    without the index, of {MOST_READ} runs at most: {error}", file=sys.stderr)
        return _from_files(config)


def _indexed(config: Config) -> list[Night]:
    from kisaan_validate.history.store import opened

    with opened(config.history, config.renamed) as history:
        return [line.night for line in history.nights()]


def _from_files(config: Config) -> tuple[list[Night], int]:
    from kisaan_validate.cli.history_index import read_night
    from kisaan_validate.cli.runs_index import seen_in

    seen = sorted((s for s in seen_in(config.reports) if not s.reason), key=lambda s: s.path.name)
    read = [read_night(there) for there in seen[-MOST_READ:]]
    found = [night for night in read if night is not None]
    return found, len(read) - len(found)
