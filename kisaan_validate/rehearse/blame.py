"""Which statements of the tape an outage is due to: those that held or awaited a lock of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kisaan_validate.facts.rehearsal import CanaryAccess, CanaryOutage, CanaryWatch, OutageInterval
from kisaan_validate.facts.tape import Tape, TapeLock


def blamed(watch: CanaryWatch, tape: Tape) -> CanaryWatch:
    """The same outages, each with the numbers of the statements that caused it. None: nothing on the tape
    did, as where rows were locked or the machine was busy.
    """
    return replace(watch, outages=tuple(_outage(outage, tape) for outage in watch.outages))


def _outage(outage: CanaryOutage, tape: Tape) -> CanaryOutage:
    intervals = tuple(
        replace(i, statements=tuple(sorted(set(_causes(outage, i, tape))))) for i in outage.intervals
    )
    return replace(outage, intervals=intervals)


def _causes(outage: CanaryOutage, interval: OutageInterval, tape: Tape) -> Iterator[int]:
    for statement in tape.statements:
        for lock in statement.locks:
            blocks = lock.blocks_reads if outage.access is CanaryAccess.READ else lock.blocks_writes
            if lock.table == outage.relation and blocks and _overlaps(lock, interval, tape.seconds):
                yield statement.number


def _overlaps(lock: TapeLock, interval: OutageInterval, end: float) -> bool:
    """Whether a lock was held or awaited then: who awaits it stops all who come later."""
    until = lock.until if lock.until is not None else end
    return lock.since - lock.waited <= interval.end and until >= interval.start
