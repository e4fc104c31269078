"""Keeping ``index.html`` of a folder of reports as the runs beside it say.

Only new or changed runs are read; the others keep their entries. What is no run is named on the page and
stops nothing.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from kisaan_validate.cli.job import BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE
from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.record.index import Entry, RunsIndex, Unread
    from kisaan_validate.verdict.judgement import Judgement

INDEX_FILE, INDEX_PAGE, LOCK_FILE = ".kisaan-index.json", "index.html", ".lock-index"

AFTER_A_RUN = 5.0
"""So many seconds a run may spend on reading others that the index does not know; the rest is named and
left for later.
"""

LOCK_WAIT = 15.0
"""Seconds that are waited for another process which is at work on the same index."""

LARGEST = 512 * 1024**2
"""Bytes; a longer run.json is not read for the index."""

PAGE_MARK = b'content="kisaan-validate '
"""What is found near the head of every page of ours."""

_READ = ("run.json", BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE)
_SIGNOFFS, TOMBSTONE = "signoffs", "tombstone.json"


@dataclass(frozen=True)
class SeenFolder:
    """A folder as it stands there: its percent-encoded name, what its files look like, and why it is no
    run ("" if it may be). ``pruned``: a tombstone is left of its run.
    """

    path: Path
    folder: str
    mark: str
    page: bool
    reason: str = ""
    pruned: bool = False


def update_index(
    reports: Path, *, seconds: float | None = None, anew: bool = False, fresh: Judgement | None = None
) -> RunsIndex:
    """Bring the index of a folder up to its runs and return it.

    ``seconds`` bounds the reading of runs that it does not know (None: all are read), ``anew`` reads every
    run again. ``fresh`` is the run that was just recorded there. Raises RecordError if it cannot be written,
    AlreadyRunning if another process keeps its lock.
    """
    from kisaan_validate.record.filelock import file_lock
    from kisaan_validate.record.index import RunsIndex, read_index, write_index

    with file_lock(reports / LOCK_FILE, f"the index of {reports}", wait=LOCK_WAIT):
        known = read_index(reports / INDEX_FILE) or RunsIndex()
        # Nothing is taken as known then, so that every run is read.
        entries, unread = _gather(seen_in(reports), RunsIndex() if anew else known, seconds, fresh)
        # A page that somebody removed is rendered again, even if its month did not change.
        pages = {} if anew else {name: of for name, of in known.pages.items() if (reports / name).is_file()}
        index = RunsIndex(entries, unread, pages)
        made = _write_pages(reports, index, known.pages)
        write_index(reports / INDEX_FILE, made)
    return made


def add_to_index(reports: Path, fresh: Judgement | None = None) -> None:
    """Bring the index up to a run that was just recorded, as it was judged if that is at hand. An error is
    reported and changes no verdict.
    """
    from kisaan_validate.errors import KisaanError

    try:
        update_index(reports, seconds=AFTER_A_RUN, fresh=fresh)
    except (KisaanError, OSError) as error:
        said = error.fact if isinstance(error, KisaanError) else str(error)
        print(
            (f"note    {INDEX_PAGE} does not show this run: {said}; rebuild it with `kisaan-validate index`"),
            file=sys.stderr,
        )


def _write_pages(reports: Path, index: RunsIndex, before: Iterable[str]) -> RunsIndex:
    """Write the pages that changed, remove those of months that are gone. Raises RecordError."""
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.index import index_pages

    made = {}
    for name, made_of, page in index_pages(index):
        if page:
            _refuse_foreign(reports / name)
            write_file(reports / name, page)
        if name != INDEX_PAGE:
            made[name] = made_of
    # Names come from the index file, which anybody may have edited: nothing but a month's page is removed.
    for name in set(before) - set(made):
        if re.fullmatch(r"index-\d{4}-\d{2}\.html", name):
            with suppress(OSError):
                os.unlink(reports / name)
    return replace(index, pages=made)


def _refuse_foreign(page: Path) -> None:
    """Raises RecordError for a page of somebody else's in the place of ours: a folder of reports may be a
    folder of more.
    """
    from kisaan_validate.errors import RecordError

    try:
        with page.open("rb") as file:
            ours = PAGE_MARK in file.read(2_000)
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(
            f"cannot read {page}: {error.strerror}",
            "make the user who runs this the owner of the folder of reports",
        ) from None
    if not ours:
        raise RecordError(
            f"{page} was not written by kisaan-validate", "move it, or choose another folder with --reports"
        )


def _gather(
    seen: Iterable[SeenFolder], known: RunsIndex, seconds: float | None, fresh: Judgement | None
) -> tuple[tuple[Entry, ...], tuple[Unread, ...]]:
    """The entries of all runs, the newest first, and what is not a run."""
    from kisaan_validate.record.index import Unread

    entries = {entry.folder: entry for entry in known.entries}
    # Without a mark it was left out for lack of time, or for its form: it is looked at again.
    refused = {found.folder: found for found in known.unread if found.mark}
    end = time.monotonic() + seconds if seconds is not None else None
    kept: list[Entry] = []
    unread: list[Unread] = []
    for there in sorted(
        seen, key=lambda one: one.folder, reverse=True
    ):  # names begin with the time: the newest are read first
        entry, refusal = entries.get(there.folder), refused.get(there.folder)
        if there.reason:
            unread.append(Unread(there.folder, "", there.reason))
        elif entry is not None and entry.mark == there.mark:
            # The page may have come or gone while the record stayed as it was.
            kept.append(replace(entry, page=there.page))
        elif refusal is not None and refusal.mark == there.mark:
            unread.append(refusal)
        # Only reading costs time: what is known already is listed beyond the bound too.
        elif end is not None and time.monotonic() > end:
            unread.append(Unread(there.folder, "", "not read yet; run `kisaan-validate index` to read it"))
        else:
            read = _read(there, fresh)
            (unread if isinstance(read, Unread) else kept).append(read)  # type: ignore[arg-type]
    return tuple(sorted(kept, key=lambda entry: (entry.at, entry.folder), reverse=True)), (
        *unread,
        *_twice(kept),
    )


def _read(there: SeenFolder, fresh: Judgement | None) -> Entry | Unread:
    """The entry of a run, judged again beside its files, or why there is none."""
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import read_file
    from kisaan_validate.record.index import Unread, entry_of
    from kisaan_validate.report.between import since_last_words
    from kisaan_validate.report.text import flat, shortened

    source = there.path / "run.json"
    try:
        if there.pruned:
            return _entry_of_tombstone(there)
        digest = digest_of(read_file(source))
        judged = fresh if fresh is not None and _is_written(fresh, there, digest) else judged_again(source)
        signed, between = signed_words(there.path, judged), since_last_words(judged.run)
        about = (there.folder, there.mark, digest)
        return entry_of(judged, *about, page=there.page, signed=signed, between=between)
    except KisaanError as error:
        reason = error.fact
    # A run.json that was made to do harm: too deep, too long a number, more than memory holds.
    except (MemoryError, RecursionError, ValueError, ArithmeticError) as error:
        reason = f"{type(error).__name__} while reading it"
    # Without the folder's path, as the index may be published, and without what a message may hide.
    return Unread(
        there.folder, there.mark, shortened(flat(reason.replace(f"{there.path}/", "")), 300), damaged=True
    )


def _entry_of_tombstone(there: SeenFolder) -> Entry:
    """What a list shows of a run whose files were removed. Raises RecordError."""
    from kisaan_validate.facts.check import Severity
    from kisaan_validate.facts.result import UNANSWERED, Status
    from kisaan_validate.record.index import entry_of_counts
    from kisaan_validate.signoff.tombstones import read_tombstone

    night = read_tombstone(there.path / TOMBSTONE).night
    failed = [outcome for outcome in night.outcomes if outcome.status is Status.FAIL]
    return entry_of_counts(
        folder=there.folder,
        mark=there.mark,
        page=False,
        id=night.run,
        digest=night.digest,
        at=night.at,
        verdict=night.verdict,
        suite=night.suite,
        host=night.host,
        port=night.port,
        database=night.database,
        server=night.server,
        checks=len(night.outcomes),
        failing=sum(outcome.severity is Severity.BLOCKING for outcome in failed),
        failed=len(failed),
        unanswered=sum(outcome.status in UNANSWERED for outcome in night.outcomes),
        milliseconds=night.milliseconds,
        partial=not night.whole,
        interrupted=False,
        tables=night.rows,
        pruned=night.pruned,
    )


def _is_written(fresh: Judgement, there: SeenFolder, digest: str) -> bool:
    """Whether a folder holds a run just as this process recorded it: it need not be read and judged again."""
    from kisaan_validate.record.codec import run_digest
    from kisaan_validate.record.consistency import run_contradictions

    # What every reader would refuse is to be refused here too.
    return (
        fresh.run.id == there.path.name
        and digest == run_digest(fresh.run)
        and not next(run_contradictions(fresh.run), "")
    )


def _twice(entries: Iterable[Entry]) -> Iterator[Unread]:
    """Runs of one id in several folders: one of them is a copy, and counted twice."""
    from kisaan_validate.record.index import Unread

    first: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.folder):
        if (other := first.setdefault(entry.id, entry.folder)) != entry.folder:
            yield Unread(
                entry.folder,
                "",
                f"holds run {entry.id}, and so does {other}; both are listed",
            )


def signed_words(place: Path, judged: Judgement) -> str:
    """Where a run stands with those who signed it, by the keys beside it; "" where nobody did."""
    if not any((place / _SIGNOFFS).glob("*.json")):
        return ""
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.signoff.evidence import read_folder
    from kisaan_validate.signoff.verify_signoffs import own_standing

    try:
        standing = own_standing(read_folder(place), judged)
    except KisaanError as error:
        return f"not checked: {error.fact}"
    broken = (
        f", {len(standing.broken)} of {len(standing.signed)} signatures are invalid"
        if standing.broken
        else ""
    )
    return f"{standing.state.value}, {len(standing.approvals)} of {standing.needed}{broken}"


def seen_in(reports: Path) -> list[SeenFolder]:
    """Every folder below ``reports`` except hidden ones, without reading a file. Raises RecordError."""
    from kisaan_validate.errors import RecordError

    try:
        with os.scandir(reports) as found:
            return [_look(entry) for entry in found if _is_candidate(entry)]
    except OSError as error:
        raise RecordError(
            f"cannot read the folder {reports}: {error.strerror}", "name the folder of reports"
        ) from None


def _is_candidate(entry: os.DirEntry[str]) -> bool:
    # Links are candidates only so that they can be named; they are never followed.
    return not entry.name.startswith(".") and (entry.is_symlink() or entry.is_dir(follow_symlinks=False))


def _look(entry: os.DirEntry[str]) -> SeenFolder:
    path, folder = Path(entry.path), quote_from_bytes(os.fsencode(entry.name), safe="")
    if entry.is_symlink():
        return SeenFolder(path, folder, "", page=False, reason="a symbolic link, not followed")
    try:
        # The record first: without one the folder is no run, whatever else lies in it.
        if pruned := _is_pruned(entry.path):
            return SeenFolder(path, folder, pruned, page=False, pruned=True)
        reason = _why_not(f"{entry.path}/run.json")
        mark = mark_of(entry.path)
    except FileNotFoundError:
        return SeenFolder(path, folder, "", page=False, reason="it has no run.json")
    except OSError as error:
        return SeenFolder(path, folder, "", page=False, reason=f"cannot be read: {error.strerror}")
    return SeenFolder(path, folder, mark, os.path.isfile(f"{entry.path}/report.html"), reason)


def mark_of(place: str) -> str:
    """What the files of a run's folder look like."""
    return ",".join((*(_looks(f"{place}/{name}") for name in _READ), *_signoff_looks(place)))


def _is_pruned(place: str) -> str:
    """What the tombstone of a folder without a run.json looks like; "" if there is none."""
    # While both are there, the run is: its removal was cut short.
    return "" if _looks(f"{place}/run.json") else _looks(f"{place}/{TOMBSTONE}")


def _looks(path: str) -> str:
    """Size and times of a file; "" if there is none."""
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return ""
    # The time of change too: that of modification can be set back, and a copy may keep it.
    return f"{facts.st_size}.{facts.st_mtime_ns}.{facts.st_ctime_ns}"


def _why_not(path: str) -> str:
    """Why a run.json is not to be opened; "" if it can be. A pipe would keep us waiting, a link leads
    elsewhere.
    """
    facts = os.lstat(path)
    if not stat.S_ISREG(facts.st_mode):
        return "run.json is not a regular file"
    if facts.st_size > LARGEST:
        return f"run.json is longer than {LARGEST:,} bytes"
    return ""


def _signoff_looks(place: str) -> Iterator[str]:
    """Names, sizes and times of the files of sign-offs."""
    # "signoffs" may be missing, or be a file.
    with suppress(FileNotFoundError, NotADirectoryError):
        # A folder lists its files in no order, and the mark must be the same for the same files.
        for name in sorted(os.listdir(f"{place}/{_SIGNOFFS}")):
            yield f"{quote_from_bytes(os.fsencode(name), safe='')}={_looks(f'{place}/{_SIGNOFFS}/{name}')}"
