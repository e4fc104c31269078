"""The folder of a rollout: its plan, its record, and the one way to add to it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import AlreadyRunning, RecordError, SuiteError, UsageError
from kisaan_validate.facts.rollout import (
    PLAN_NAME,
    RECORD_NAME,
    RolloutEntry,
    RolloutEvent,
    RolloutOpened,
    RolloutPlan,
    WorkTakenOver,
)
from kisaan_validate.facts.rollout_state import RolloutPosition
from kisaan_validate.record.files import read_file, write_file
from kisaan_validate.record.rollout import entry_digest, rollout_from_json, rollout_to_json
from kisaan_validate.rollout.evidence import EvidenceFault, faults_of, strays
from kisaan_validate.rollout.machine import accepted_plan, what_next
from kisaan_validate.rollout.plan import read_plan
from kisaan_validate.rollout.work import Holding, operator
from kisaan_validate.version import VERSION

LONGEST_PLAN = 1 << 20
"""Characters of a plan."""


@dataclass
class RolloutBook:
    """A rollout as it was read. ``faults`` are files of the newest evidence that do not hold."""

    folder: Path
    plan: RolloutPlan
    entries: tuple[RolloutEntry, ...]
    faults: tuple[EvidenceFault, ...] = ()
    strays: tuple[str, ...] = ()
    """Signs that the record is older than the folder."""
    holding: Holding | None = None
    text: str = field(default="", repr=False)
    """The record as it stands in the file."""

    @property
    def position(self) -> RolloutPosition:
        """Where it stands."""
        return what_next(self.plan, self.entries, {fault.step for fault in self.faults})

    @property
    def changed(self) -> bool:
        """Whether the plan differs from the one that was begun or accepted."""
        return bool(self.entries) and accepted_plan(self.entries) != self.plan.digest

    def require_plan(self) -> None:
        """Raises UsageError for a plan that was changed and not accepted."""
        if self.changed:
            raise UsageError(
                f"{self.folder / PLAN_NAME} was changed since the rollout began: its SHA-256 is "
                f"{self.plan.digest[:16]}…, not {accepted_plan(self.entries)[:16]}…",
                f"put the old text back, or accept it: rollout override {PLAN_NAME} --by NAME --reason TEXT",
            )

    def look_again(self, *, whole: bool = False) -> None:
        """See which evidence still holds."""
        self.faults = faults_of(self.folder, self.plan, self.entries, whole=whole)
        self.strays = strays(self.folder, self.entries)

    def add(self, event: RolloutEvent) -> RolloutEntry:
        """Record an event. Raises AlreadyRunning where somebody else works there now, and RecordError."""
        if self.holding is not None:
            self.holding.require()
        path = self.folder / RECORD_NAME
        if (read_file(path) if path.exists() else "") != self.text:
            raise AlreadyRunning(
                f"{path} was changed meanwhile", "nothing more was recorded; find out who changed it"
            )
        last = self.entries[-1] if self.entries else None
        entry = RolloutEntry(
            len(self.entries) + 1,
            datetime.now(UTC),
            operator(),
            entry_digest(last) if last is not None else "",
            event,
        )
        text = rollout_to_json((*self.entries, entry))
        write_file(path, text)
        self.entries, self.text = (*self.entries, entry), text
        return entry

    @property
    def head(self) -> str:
        """The digest of the last entry."""
        return entry_digest(self.entries[-1]) if self.entries else ""


def read_book(folder: Path, commands: Collection[str] | None = None, *, whole: bool = False) -> RolloutBook:
    """The rollout in a folder, only to look at. Raises UsageError (there is none), SuiteError and
    RecordError.
    """
    path = folder / RECORD_NAME
    if not path.exists():
        raise UsageError(f"there is no rollout in {folder}", "begin one: kisaan-validate rollout next")
    text = read_file(path)
    record = rollout_from_json(text, str(path))
    book = RolloutBook(folder, _plan(folder / PLAN_NAME, commands), record.entries, text=text)
    book.look_again(whole=whole)
    return book


def open_book(
    folder: Path, holding: Holding, plan: Path | None, commands: Collection[str], by: str = ""
) -> RolloutBook:
    """The rollout in a folder, to work on; begun by ``plan`` if there is none yet. ``by`` is who takes over
    somebody's lock. Raises UsageError, SuiteError and RecordError.
    """
    if not (folder / RECORD_NAME).exists():
        book = _begun(folder, plan, commands)
    else:
        book = read_book(folder, commands)
        _require_same(plan, book)
    book.holding = holding
    if not book.entries:
        book.add(RolloutOpened(book.plan.name, book.plan.digest, VERSION))
    if holding.taken_from:
        book.add(WorkTakenOver(holding.taken_from, by))
    return book


def _begun(folder: Path, plan: Path | None, commands: Collection[str]) -> RolloutBook:
    kept = folder / PLAN_NAME
    source = plan or (kept if kept.exists() else Path(PLAN_NAME))
    if not source.exists():
        raise UsageError(f"there is no {source}", "name the plan: --plan rollout.toml (docs/rollout.md)")
    read = _plan(source, commands)
    if kept.exists() and kept.resolve() != source.resolve():
        raise UsageError(f"{kept} is there already", "leave out --plan, or name another --folder")
    if not kept.exists():
        # The plan of this night, whatever happens to the file that it was written in.
        write_file(kept, read_file(source))
    return RolloutBook(folder, read, ())


def _require_same(plan: Path | None, book: RolloutBook) -> None:
    if plan is not None and hashlib.sha256(read_file(plan).encode()).hexdigest() != book.plan.digest:
        raise UsageError(
            f"{book.folder} holds the rollout of another plan than {plan}", "name another --folder"
        )


def _plan(path: Path, commands: Collection[str] | None) -> RolloutPlan:
    text = read_file(path)
    if len(text) > LONGEST_PLAN:
        raise SuiteError(f"it has {len(text):,} characters", f"at most {LONGEST_PLAN:,} are read", str(path))
    return read_plan(text, str(path), commands)


def clock_notes(entries: Sequence[RolloutEntry]) -> tuple[str, ...]:
    """Where the clock went back between two entries: the chain proves their order, the times do not."""
    return tuple(
        f"The clock went back by {(one.at - two.at).total_seconds():,.0f} s between entries {one.number} and "
        f"{two.number} ({one.operator.host}, {two.operator.host})."
        for one, two in pairwise(entries)
        if two.at < one.at
    )


def require_folder(folder: Path) -> None:
    """Raises RecordError where the folder of a rollout is not a folder."""
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is not a folder", "name another --folder")
