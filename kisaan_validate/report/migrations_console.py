"""Folder and ledger compared, in lines for a terminal: first what is wrong, then what was not compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from kisaan_validate.facts.migrations import (
    MigrationFinding,
    MigrationsRecord,
    MigrationsStanding,
    Oddity,
)
from kisaan_validate.facts.states import StandingState
from kisaan_validate.report.text import plain, shortened
from kisaan_validate.text.numbers import agreeing, counted

SHOWN = 8
"""How many findings of a kind are printed; the record has all."""

_WORDS = {
    StandingState.FAIL: "wrong",
    StandingState.WORK: "to do",
    StandingState.UNKNOWN: "unknown",
    StandingState.PASS: "accepted",
}


def migrations_lines(record: MigrationsRecord, *, quiet: bool) -> Iterator[str]:
    """The lines. ``quiet``: without what was found as it should be, or accepted, or not compared."""
    standing = record.standing
    if not quiet:
        yield line("folder", f"{standing.folder}: {_files(standing)}")
        yield line("ledger", f"{standing.table} ({standing.kind}) of {where(record)}: {_rows(standing)}")
    for state, word in _WORDS.items():
        if not (quiet and state is StandingState.PASS):
            found = [finding for finding in standing.findings if finding.state is state]
            yield from _findings(word, found)
    if not quiet:
        for sentence in standing.untold:
            yield line("not told", sentence)
    yield line("verdict", record.verdict.value)


def where(record: MigrationsRecord) -> str:
    """The database's name for people."""
    host = record.host or "a local socket"
    return f"{record.database} at {host}{':' if record.host else ', '}{record.port}"


def line(word: str, words: str) -> str:
    """One aligned line; nothing is hidden, even in names that somebody chose to break it."""
    return f"{word:<9}{shortened(plain(words), 400)}"


def _files(standing: MigrationsStanding) -> str:
    return counted(sum(item.in_folder for item in standing.items), "file")


def _rows(standing: MigrationsStanding) -> str:
    if not standing.known:
        return "not compared"
    applied = [item for item in standing.items if item.in_ledger]
    files = sum(item.in_folder for item in applied)
    return f"{files:,} of them {agreeing(files, 'is', 'are')} applied" + (
        f", and {counted(len(applied) - files, 'row')} without a file" if len(applied) > files else ""
    )


def _findings(word: str, found: Sequence[MigrationFinding]) -> Iterator[str]:
    order = list(Oddity)
    for oddity, same in groupby(sorted(found, key=lambda f: order.index(f.oddity)), key=lambda f: f.oddity):
        yield from _one_kind(word, oddity, list(same))


def _one_kind(word: str, oddity: Oddity, same: Sequence[MigrationFinding]) -> Iterator[str]:
    for finding in same[:SHOWN]:
        name = f"{finding.name} " if finding.name else ""
        yield line(word, f"{oddity}: {name}{finding.fact}")
    if len(same) > SHOWN:
        yield line(word, f"{oddity}: and {len(same) - SHOWN:,} more")
    todos = dict.fromkeys(finding.todo for finding in same if finding.todo and not finding.accepted)
    for todo in list(todos)[:SHOWN]:
        yield line("", f"-> {todo}")
