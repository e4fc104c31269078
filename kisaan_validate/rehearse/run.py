"""One run of a migration on a copy: the tape, the canaries and perhaps an open reader around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import field, replace
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsal import (
    Calibration,
    CanaryWatch,
    MigrationDone,
    Rehearsal,
    RehearsedRun,
    SessionSetting,
)
from kisaan_validate.rehearse.blame import blamed
from kisaan_validate.rehearse.canaries import CanaryFlock
from kisaan_validate.rehearse.canary import FELT_SECONDS
from kisaan_validate.rehearse.logfile import LOG_SETTINGS
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.reader import OpenReaderSession
from kisaan_validate.rehearse.rules import RuleGround, rule_findings
from kisaan_validate.rehearse.rules.base import LEDGERS
from kisaan_validate.rehearse.tape import TapeRecorder
from kisaan_validate.rehearse.times import setting_seconds

REHEARSAL_SETTINGS = {**LOG_SETTINGS, "max_connections": "150"}
"""What a scratch server needs at its start for a rehearsal."""

READER_SECONDS = 30.0
"""How long the reader is left open unless it is said."""


DEADLOCK = "40P01"


@dataclass(frozen=True)
class RehearsalPlace:
    """The copy: a superuser's way in, as a function and as libpq's text, and the migration's files."""

    connect: Callable[[], Any]
    dsn: str = field(repr=False)
    files: Mapping[str, str]


def rehearsed_run(
    place: RehearsalPlace,
    migrate: Callable[[], MigrationDone],
    *,
    canaries: bool = True,
    reader_seconds: float | None = None,
) -> RehearsedRun:
    """Run ``migrate`` on the copy and tell what it did.

    ``reader_seconds``: a reader stays open so long. Without ``canaries`` nobody else writes, so that WAL can
    be told by statement. Raises UsageError if the server writes no log that can be read.
    """
    ours = OurSessions(place.connect)
    recorder = TapeRecorder(ours, place.files, shared="canaries wrote meanwhile" if canaries else "")
    flock, reader = None, None
    with recorder, ExitStack() as stack:
        if canaries:
            flock = stack.enter_context(
                CanaryFlock(place.dsn, ours, recorder.started, locked=recorder.locked)
            )
        if reader_seconds is not None:
            reader = stack.enter_context(OpenReaderSession(ours, recorder.started, reader_seconds))
        migration = migrate()
    assert recorder.tape is not None
    tape = recorder.tape
    if not tape.statements:
        tape = replace(tape, gaps=(*tape.gaps, "the migration sent no statement to the copy"))
    if canaries and any(s.sqlstate == DEADLOCK for s in tape.statements):
        gap = (
            "a deadlock with canaries ended a statement, as one with users would: what came after did not run"
        )
        tape = replace(tape, gaps=(*tape.gaps, gap))
    watch = (
        flock.watch() if flock else CanaryWatch((), (), (), (), 0.0, FELT_SECONDS, 0, ("there were none",))
    )
    return RehearsedRun(migration, tape, blamed(watch, tape), reader.reader if reader else None)


def rehearsal_of(
    version: str,
    settings: tuple[SessionSetting, ...],
    calibration: Calibration | None,
    alone: RehearsedRun,
    beside: RehearsedRun | None,
    *,
    reader_reason: str = "",
    ledgers: frozenset[str] = LEDGERS,
) -> Rehearsal:
    """A rehearsal of its two runs, with what the rules find and what it does not prove."""
    limit = next((s.value for s in settings if s.name == "lock_timeout"), None)
    ground = RuleGround(ledgers, None if limit is None else setting_seconds(limit))
    runs = [("", alone), *([("beside an open reader: ", beside)] if beside is not None else [])]
    return Rehearsal(
        server_version=version,
        settings=settings,
        calibration=calibration,
        alone=alone,
        beside_reader=beside,
        reader_reason=reader_reason,
        findings=rule_findings(alone.tape, ground),
        not_proved=tuple(prefix + words for prefix, run in runs for words in _not_proved(run)),
    )


def _not_proved(run: RehearsedRun) -> Iterator[str]:
    """What one run does not tell, in words."""
    if not run.migration.succeeded:
        why = f": {run.migration.stopped}" if run.migration.stopped else ""
        yield f"the migration did not come to its end{why}"
    yield from run.tape.gaps
    yield from run.canaries.gaps
    for left in run.canaries.not_tried:
        yield f"{left.relation}, {left.access.value}: {left.reason}"
