"""Removing runs by a rule: each leaves a tombstone in its folder, and its night in the history."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.cli.job import BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE
from kisaan_validate.cli.runs_index import TOMBSTONE
from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.history.night import Night
    from kisaan_validate.history.retention import Retention, RunFate
    from kisaan_validate.ops.config import Config
    from kisaan_validate.signoff.chain import Link

_RECORD = "run.json"
_OURS = ("report.html", "report-full.html", BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE)
"""What is removed beside run.json and the suite's sources; what others put there stays."""


@dataclass(frozen=True)
class PruneOutcome:
    """Which runs go and which stay, the oldest first, and what was found on the way: runs that cannot be
    read, files of others that were left, runs that were half removed before.
    """

    fates: tuple[RunFate, ...]
    unread: int
    left: tuple[str, ...] = ()
    finished: int = 0

    @property
    def gone(self) -> list[RunFate]:
        """The runs that the rule removes."""
        return [fate for fate in self.fates if fate.goes]


def prune(config: Config, rule: Retention, now: datetime, *, remove: bool) -> PruneOutcome:
    """Find out what the rule removes, and remove it if that is asked. Raises RecordError, AlreadyRunning."""
    from kisaan_validate.cli.history_index import bring_up, the_history
    from kisaan_validate.cli.runs_index import update_index
    from kisaan_validate.signoff.chain import chain_lock

    # No run is recorded meanwhile: it would name as its predecessor what is being removed.
    with the_history(config) as found, chain_lock(config.reports):
        nights = [line.night for line in found.history.nights()][::-1]
        decided = _fates(config.reports, nights, rule, now)
        if not remove:
            return PruneOutcome(tuple(decided), found.unread)
        finished = sum(_finish(config.reports / night.run) for night in nights if night.pruned)
        left = [name for fate in decided if fate.goes for name in _remove(config.reports, fate, now)]
        unread = bring_up(config, found.history)
    update_index(config.reports)
    return PruneOutcome(tuple(decided), unread, tuple(left), finished)


def _fates(reports: Path, nights: Sequence[Night], rule: Retention, now: datetime) -> list[RunFate]:
    from kisaan_validate.history.night import same_database
    from kisaan_validate.history.retention import fates
    from kisaan_validate.signoff.chain import links_of

    there = [night for night in nights if not night.pruned]
    held = _held(reports, there, links_of(reports))
    decided: list[RunFate] = []
    while there:
        series = same_database(there, there[0])
        decided += fates(series, rule, now, held)
        done = {night.run for night in series}
        there = [night for night in there if night.run not in done]
    return sorted(decided, key=lambda fate: (fate.night.at, fate.night.run))


def _held(reports: Path, nights: Sequence[Night], links: Sequence[Link]) -> dict[str, str]:
    """The runs that no rule removes, and why."""
    from kisaan_validate.signoff.chain import tips

    held = {link.id: "the next run of the chain follows it" for link in tips(list(links))}
    held |= _suspicious(links)
    for night in nights:
        if why := _evidence(reports, night.run):
            held[night.run] = why
        elif night.folder != night.run:
            held[night.run] = f"it lies in another folder, {night.folder}"
    return held


def _suspicious(links: Sequence[Link]) -> Mapping[str, str]:
    """Runs of which the chain says that something is wrong: that must not be removed with them."""
    digests = {link.id: link.digest for link in links if not link.error}
    changed = {
        link.previous_run: "it was changed after the next run named it"
        for link in links
        if digests.get(link.previous_run, link.previous_digest) != link.previous_digest
    }
    return {**changed, **{link.id or link.folder: link.error for link in links if link.error}}


def _evidence(reports: Path, run: str) -> str:
    """Why people rely on a run: they signed, attested or stamped it, or packed it. "" if nobody did."""
    # Whatever lies there, even if it is damaged: nothing of it is to be lost.
    if os.path.lexists(reports / run / "signoffs"):
        return "it is signed"
    return f"{run}.zip holds its evidence" if os.path.lexists(reports / f"{run}.zip") else ""


def _remove(reports: Path, fate: RunFate, now: datetime) -> Iterator[str]:
    """Put a tombstone into the place of a run; the names of what others left in its folder. Raises
    RecordError.
    """
    from kisaan_validate.errors import RecordError
    from kisaan_validate.history.night import outcomes_of
    from kisaan_validate.history.tombstone import Tombstone
    from kisaan_validate.record.codec import digest_of, run_from_json
    from kisaan_validate.record.files import cannot_write, read_file, sync_folder
    from kisaan_validate.signoff.tombstones import write_tombstone

    folder, night = reports / fate.night.run, fate.night
    text = read_file(folder / _RECORD)
    if digest_of(text) != night.digest:
        raise RecordError(f"{folder / _RECORD} changed while runs were removed", "prune again")
    run = run_from_json(text, str(folder / _RECORD))
    night = replace(night, outcomes=tuple(outcomes_of(run)), keys=False)
    origin = run.provenance
    write_tombstone(folder, Tombstone(night, origin.previous_run, origin.previous_digest, now, fate.why))
    # Again, as near to the removal as can be: somebody may have signed meanwhile.
    if _evidence(reports, night.run):
        (folder / TOMBSTONE).unlink()
        yield f"{night.run}: signed while runs were removed, so it stays"
        return
    try:
        # First the record, and for good: from here on the tombstone counts.
        (folder / _RECORD).unlink()
        sync_folder(folder)
    except OSError as error:
        raise cannot_write(folder / _RECORD, error) from None
    _finish(folder)
    kept = sorted(path.name for path in folder.iterdir() if path.name != TOMBSTONE)
    if kept:
        yield f"{night.run}: {', '.join(kept)}, which kisaan-validate did not write"


def _finish(folder: Path) -> bool:
    """Remove what is left of the files of a run that has a tombstone; whether there was anything."""
    if not (folder / TOMBSTONE).is_file() or os.path.lexists(folder / _RECORD):
        return False
    # Files are written under a hidden name of their own first; one that was cut short lies there still.
    cut = (path for path in folder.glob(".*") if path.name.startswith(tuple(f".{n}." for n in _ALL)))
    left = [path for path in (*(folder / name for name in _OURS), *cut) if os.path.lexists(path)]
    for path in left:
        with suppress(OSError):
            path.unlink()
    suite = folder / "suite"
    if suite.is_dir() and not suite.is_symlink():
        shutil.rmtree(suite, ignore_errors=True)
        return True
    return bool(left)


_ALL = (_RECORD, TOMBSTONE, *_OURS)
