"""Keeping the index of all nights as the runs in the folder of reports say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from kisaan_validate.cli.runs_index import SeenFolder
    from kisaan_validate.history.night import Night
    from kisaan_validate.history.store import History
    from kisaan_validate.ops.config import Config

HISTORY_FILE, LOCK_FILE = ".kisaan-history.sqlite", ".lock-history"

LOCK_WAIT = 15.0
"""Seconds that are waited for another process which is at work on the same index."""


@dataclass(frozen=True)
class UpToDate:
    """A history that knows all runs that are there, but for so many that could not be read."""

    history: History
    unread: int


@contextmanager
def the_history(config: Config, *, anew: bool = False) -> Iterator[UpToDate]:
    """The history, brought up to the runs that are there; ``anew`` makes its file again. What cannot be
    read is named on standard error. Raises RecordError, AlreadyRunning.
    """
    from kisaan_validate.errors import UsageError
    from kisaan_validate.history.store import opened
    from kisaan_validate.record.filelock import file_lock

    reports = config.reports
    if not reports.is_dir():
        raise UsageError(f"no such folder: {str(reports)!r}", "name the folder of reports with --reports")
    place = config.history or reports / HISTORY_FILE
    with file_lock(reports / LOCK_FILE, f"the history of {reports}", wait=LOCK_WAIT):
        if anew and not config.history:
            _removed(reports / HISTORY_FILE)
        with opened(place, config.renamed) as history:
            if anew:
                # Of a database only what is its own is removed.
                history.forget(list(history.known()))
            yield UpToDate(history, bring_up(config, history))


def _removed(path: Path) -> None:
    """Raises RecordError."""
    from kisaan_validate.errors import RecordError

    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(f"cannot remove {path}: {error.strerror}", "remove it by hand") from None


def bring_up(config: Config, history: History) -> int:
    """Read the runs that are new or changed, and leave out those that are gone; how many cannot be read."""
    from kisaan_validate.cli.runs_index import seen_in

    looks, seen = history.looks(), [there for there in seen_in(config.reports) if not there.reason]
    fresh = [there for there in seen if looks.get(there.folder) != there.mark]
    read = {there.folder: night for there in fresh if (night := read_night(there)) is not None}
    # What can no longer be read is not shown as it was.
    unread = {there.folder for there in fresh} - read.keys()
    here = {there.folder for there in seen} - unread
    known = history.folders()
    added = _once(read.values(), {run: folder for run, folder in known.items() if folder in here})
    if added:
        history.add(added, {there.folder: there.mark for there in fresh})
    added_runs = {night.run for night in added}
    if gone := [run for run, folder in known.items() if folder not in here and run not in added_runs]:
        history.forget(gone)
    history.settle()
    return len(unread)


def _once(read: Iterable[Night], known: Mapping[str, str]) -> list[Night]:
    """Each run once, from the folder of its name if there is one: what is copied is no night of its own.
    ``known`` are the folders of runs that are in the history.
    """
    kept: dict[str, Night] = {}
    for night in sorted(read, key=lambda night: (night.folder != night.run, night.folder)):
        other = kept[night.run].folder if night.run in kept else known.get(night.run, night.folder)
        if other == night.folder or (night.folder == night.run and night.run not in kept):
            kept[night.run] = night
        else:
            said = f"{night.folder} holds run {night.run}, and so does {other}"
            print(f"note    {said}; it is counted once", file=sys.stderr)
    return list(kept.values())


def read_night(there: SeenFolder) -> Night | None:
    """The night of a run; None, which standard error explains, if it cannot be read."""
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.cli.runs_index import TOMBSTONE
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.history.night import night_of
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import read_file
    from kisaan_validate.report.text import flat
    from kisaan_validate.signoff.tombstones import read_tombstone

    source = there.path / "run.json"
    try:
        if there.pruned:
            return replace(read_tombstone(there.path / TOMBSTONE).night, folder=there.folder)
        return night_of(judged_again(source), there.folder, digest_of(read_file(source)))
    except KisaanError as error:
        said = error.fact
    # A run.json that was made to do harm: too deep, too long a number, more than memory holds.
    except (MemoryError, RecursionError, ValueError, ArithmeticError) as error:
        said = f"{type(error).__name__} while reading it"
    print(f"note    {flat(said)}; it is not in the history", file=sys.stderr)
    return None
