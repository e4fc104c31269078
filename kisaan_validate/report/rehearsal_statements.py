"""The statements of a migration as lines of a table: when, how long, what they kept others from."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.tape import (
    BLOCKS_READS,
    SeenBy,
    StatementOutcome,
    Tape,
    TapeLock,
    TapeStatement,
)
from kisaan_validate.report import text
from kisaan_validate.report.rehearsal_words import bytes_words, called, clock_exact, lock_words, seconds_words

LONGEST = 600
"""Characters of a statement that are shown."""


@dataclass(frozen=True)
class TapeLine:
    """One statement. ``locks`` are in words, the strongest of each table; ``facts`` what else it did."""

    number: int
    within: int
    text: Markup
    cut: int
    place: str
    started: str
    ran: str
    outcome: str
    failed: bool
    error: str
    locks: tuple[str, ...]
    facts: tuple[str, ...]
    sampled: bool


def statement_lines(tape: Tape, nouns: Mapping[str, str]) -> tuple[TapeLine, ...]:
    """All statements, in their order."""
    return tuple(_line(statement, tape, nouns) for statement in tape.statements)


def _line(statement: TapeStatement, tape: Tape, nouns: Mapping[str, str]) -> TapeLine:
    shown = statement.text.strip()
    line = f", line {statement.line:,}" if statement.line is not None else ""
    seconds = statement.seconds
    return TapeLine(
        statement.number,
        statement.within,
        text.code(shown[:LONGEST]),
        max(0, len(shown) - LONGEST),
        f"{statement.file}{line}",
        clock_exact(statement.start),
        "not known" if seconds is None else seconds_words(seconds, up=True),
        str(statement.outcome),
        statement.outcome is not StatementOutcome.COMMITTED,
        " ".join(part for part in (statement.sqlstate, statement.error) if part),
        _locks(statement, tape, nouns),
        tuple(_facts(statement)),
        statement.seen_by is SeenBy.SAMPLES,
    )


def _locks(statement: TapeStatement, tape: Tape, nouns: Mapping[str, str]) -> tuple[str, ...]:
    """The locks that keep others out, the strongest of each table."""
    strongest: dict[str, TapeLock] = {}
    for lock in statement.locks:
        table = lock.table or lock.relation
        if lock.blocks_writes and (table not in strongest or lock.mode in BLOCKS_READS):
            strongest[table] = lock
    return tuple(_lock(table, lock, tape, nouns) for table, lock in sorted(strongest.items()))


def _lock(table: str, lock: TapeLock, tape: Tape, nouns: Mapping[str, str]) -> str:
    until = tape.seconds if lock.until is None else lock.until
    about = "about " if lock.sampled else ""
    held = f"{about}{seconds_words(max(0.0, until - lock.since), up=True)}"
    end = "" if lock.until is not None else ", its end is not known"
    waited = f", after a wait of {seconds_words(lock.waited, up=True)}" if lock.waited else ""
    return f"{called(table, nouns)}: {lock_words(lock.mode)} for {held}{end}{waited}"


def _scans(statement: TapeStatement) -> list[str]:
    """A line for each table that is read whole: what for, and of what."""
    found: dict[str, dict[str, list[str]]] = {}
    for scan in statement.scans:
        objects = found.setdefault(scan.relation, {}).setdefault(scan.what, [])
        objects += [name for name in (scan.constraint, scan.index) if name]
    return [
        f"reads all of {relation}: "
        + "; ".join(f"{what} {', '.join(objects)}".rstrip() for what, objects in reasons.items())
        for relation, reasons in found.items()
    ]


def _facts(statement: TapeStatement) -> list[str]:
    said = []
    for rewrite in statement.rewrites:
        if not rewrite.ours:
            size = f" ({bytes_words(rewrite.bytes_before)})" if rewrite.bytes_before is not None else ""
            because = f": {', '.join(rewrite.reasons)}" if rewrite.reasons else ""
            said.append(f"rewrites {rewrite.relation}{size}{because}")
    said += _scans(statement)
    for grown in statement.sizes:
        if grown.before is not None and grown.after is not None and grown.before != grown.after:
            sizes = f"{bytes_words(grown.before)} before, {bytes_words(grown.after)} after"
            said.append(f"{grown.relation}: {sizes}")
    said += [f"drops {dropped.type} {dropped.identity}" for dropped in statement.dropped]
    if statement.temp_bytes:
        said.append(f"temporary files: {bytes_words(statement.temp_bytes)}")
    if statement.wal_bytes is not None:
        said.append(f"WAL: {bytes_words(statement.wal_bytes)}")
    return said
