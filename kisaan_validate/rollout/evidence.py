"""The files that steps leave in a rollout's folder: found, digested, and looked for again later."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError, RecordError
from kisaan_validate.facts.rollout import (
    RECORD_NAME,
    CriterionSeen,
    RolloutEntry,
    RolloutPlan,
    RolloutStep,
    StepAttested,
    StepEnded,
    StepEvent,
    StepRecord,
    StepStarted,
)
from kisaan_validate.record.files import says_it_is

READ_EACH_TIME = 64 << 20
"""Bytes up to which a file's digest is made again by each command; of a larger one only its size, until
``rollout check`` reads it.
"""
MOST_RECORDS = 200
"""How many files one step may leave."""


@dataclass(frozen=True)
class EvidenceFault:
    """A file that no longer holds: its step, the entry that recorded it, and what is wrong."""

    step: str
    entry: int
    words: str

    @property
    def told(self) -> str:
        """What is wrong, and whose evidence it is."""
        return f"{self.words} (evidence of {self.step}, entry {self.entry})"


def stamps(folder: Path, step: RolloutStep) -> dict[str, tuple[int, int, int]]:
    """What the step's records look like now: unchanged ones were not written by it."""
    return {_name(folder, path): _stamp(path) for path in _matching(folder, step)}


def make_folders(folder: Path, step: RolloutStep) -> None:
    """Make the folders in which a step's records are to stand, as far as their names are known. Raises
    RecordError.
    """
    for pattern in step.records:
        known = takewhile(lambda part: "*" not in part, pattern.split("/")[:-1])
        place = folder.joinpath(*known)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"cannot make {place}: {error.strerror}", "see what is there") from None


def records_of(
    folder: Path, step: RolloutStep, before: dict[str, tuple[int, int, int]]
) -> tuple[tuple[StepRecord, ...], str]:
    """The records that the step wrote since ``before``, and what is missing ("" if nothing): each pattern
    must have brought a file.
    """
    found, missing = dict[str, StepRecord](), ""
    for pattern in step.records:
        new = [p for p in _glob(folder, pattern) if before.get(_name(folder, p)) != _stamp(p)]
        missing = missing or ("" if new else f"it wrote no {pattern}")
        for path in new[: MOST_RECORDS - len(found)]:
            found[_name(folder, path)] = digested(folder, path)
        if len(new) > MOST_RECORDS - len(found) and not missing and len(found) >= MOST_RECORDS:
            missing = f"it wrote more than {MOST_RECORDS} files as {pattern}"
    return tuple(found.values()), missing


def digested(folder: Path, path: Path) -> StepRecord:
    """A file's size and SHA-256. Raises RecordError for one that is not a plain file of the folder."""
    sha, size = hashlib.sha256(), 0
    try:
        # A link could lead to a file elsewhere, which a copy of the folder would not have.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RecordError(f"{path} is not a file", "a record must be a plain file")
            while block := file.read(1 << 20):
                sha.update(block)
                size += len(block)
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "check the file") from None
    return StepRecord(_name(folder, path), size, sha.hexdigest())


def criteria_of(folder: Path, records: Sequence[StepRecord]) -> tuple[CriterionSeen, ...]:
    """What the newest run among the records says of each success criterion; none where there is no run."""
    from kisaan_validate.record.codec import run_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.report.criteria import criterion_lines

    for record in reversed(records):
        path = folder / record.path
        try:
            if not says_it_is(path, "run"):
                continue
            run = run_from_json(read_file(path), record.path)
        # A record of another kind or version says nothing, so it proves nothing.
        except KisaanError:
            continue
        return tuple(
            CriterionSeen(line.criterion.id, line.standing.value, line.said) for line in criterion_lines(run)
        )
    return ()


def faults_of(
    folder: Path, plan: RolloutPlan, entries: Sequence[RolloutEntry], *, whole: bool = False
) -> tuple[EvidenceFault, ...]:
    """What no longer holds in the newest evidence of each step. ``whole``: large files are read too."""
    return tuple(
        EvidenceFault(step, number, words)
        for step, number, record in _newest(plan, entries)
        if (words := _wrong(folder, record, whole))
    )


def _newest(plan: RolloutPlan, entries: Sequence[RolloutEntry]) -> Iterator[tuple[str, int, StepRecord]]:
    last: dict[str, tuple[int, StepEvent]] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, (StepStarted, StepEnded, StepAttested)) and event.step in plan.every:
            last[event.step] = (entry.number, event)
    for step, (number, newest) in last.items():
        for record in newest.evidence:
            yield step, number, record


def _wrong(folder: Path, record: StepRecord, whole: bool) -> str:
    path = folder / record.path
    try:
        size = path.lstat().st_size
    except OSError:
        return f"{record.path} is missing"
    if size != record.size:
        return f"{record.path} has {size:,} bytes, not {record.size:,}"
    if size > READ_EACH_TIME and not whole:
        return ""
    try:
        return "" if digested(folder, path).sha256 == record.sha256 else f"{record.path} was changed"
    except RecordError as error:
        return error.fact


def strays(folder: Path, entries: Sequence[RolloutEntry]) -> tuple[str, ...]:
    """Logs of attempts that the record does not know: the record is older than the folder. A log is only
    made after its attempt was recorded.
    """
    known = {entry.event.log for entry in entries if isinstance(entry.event, StepStarted)}
    there = sorted(_name(folder, path) for path in folder.glob("logs/*.log"))
    return tuple(
        f"{name} is of an attempt that the record does not know: was an older {RECORD_NAME} put back?"
        for name in there
        if name not in known
    )


def _matching(folder: Path, step: RolloutStep) -> list[Path]:
    return [path for pattern in step.records for path in _glob(folder, pattern)]


def _glob(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern, links and folders left out, the oldest first."""
    found = [p for p in folder.glob(pattern) if p.is_file() and not p.is_symlink()]
    # A folder on the way may be a link that leads out.
    inside = [p for p in found if p.resolve().is_relative_to(folder.resolve())]
    return sorted(inside, key=lambda p: (p.stat().st_mtime_ns, str(p)))


def _stamp(path: Path) -> tuple[int, int, int]:
    now = path.stat()
    return now.st_mtime_ns, now.st_size, now.st_ino


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
