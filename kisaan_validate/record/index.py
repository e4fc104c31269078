"""What is known of all runs of a folder without reading them again: ``.kisaan-index.json``.

It saves time and proves nothing: an entry holds only as long as the files that it was made of look as they
did, and a file that is missing, damaged or of another version is made again from the runs. Nobody signs it
and no verdict rests on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.result import UNANSWERED, Verdict
from kisaan_validate.record.codec import digest_of
from kisaan_validate.record.files import read_file, write_file
from kisaan_validate.record.typed import adapter
from kisaan_validate.verdict.findings import findings_of
from kisaan_validate.verdict.judgement import Judgement

INDEX_FORMAT = 5
"""Version of the file. 1: first form. 2: what a comparison could not tell; runs are judged again, for it
makes them inconclusive. 3: the first finding of a run. 4: runs that were
pruned; how often a suite is to run; the run before. 5: what happened since the run before.
"""

TABLES_KEPT = 6
"""So many of the largest tables of a run keep their row counts here; run.json has all."""

LONGEST = 120
"""Longer names are cut, so that one hostile name cannot make the index large. run.json has them whole."""

_HEAD = '{"kind":"index","format_version":%d,"seal":"%s","body":'


@dataclass(frozen=True)
class Entry:
    """One run, as far as a list of runs shows it. ``folder`` is percent-encoded; ``mark`` says what its
    files looked like.

    ``failing`` counts the blocking checks that fail the run, ``failed`` all that failed whatever their
    severity. ``tables`` are the largest ones, ``rows`` None where they were not counted. ``unkept`` and
    ``unexplained`` are the promises of the contract and the differences that fail the run, ``untold`` the
    promises and parts of the comparison that are unknown, ``listed`` the differences that no contract
    judges, ``inapplicable`` the promises about what is on neither side. ``signed`` is what the files of
    sign-offs say, in words. ``finding`` is the title of the first of ``findings``, "" where nothing is wrong.
    ``pruned`` says when and by which rule its files were removed; of the rest it has what a tombstone tells.
    ``every_seconds`` is how often the suite is to run, 0 if nobody said; ``previous`` the run that was
    recorded before it in the folder. ``between`` is what happened since the run before it of the same suite
    and database.
    """

    folder: str
    mark: str
    page: bool
    id: str
    digest: str
    at: datetime
    verdict: Verdict
    suite: str
    host: str
    port: str
    database: str
    server: str
    checks: int
    failing: int
    failed: int
    unanswered: int
    milliseconds: int
    partial: bool
    interrupted: bool
    tables: tuple[tuple[str, int | None], ...]
    contract: str = ""
    unkept: int = 0
    unexplained: int = 0
    untold: int = 0
    listed: int = 0
    inapplicable: int = 0
    finding: str = ""
    findings: int = 0
    signed: str = ""
    pruned: str = ""
    every_seconds: int = 0
    previous: str = ""
    between: tuple[str, ...] = ()

    @property
    def target(self) -> tuple[str, str, str, str]:
        """(host, port, database, suite): runs that agree in these can be drawn as one line."""
        return (self.host, self.port, self.database, self.suite)

    @property
    def whole(self) -> bool:
        """Whether all of the suite was asked and the run came to its end."""
        return not self.partial and not self.interrupted


@dataclass(frozen=True)
class Unread:
    """A folder that is in no list, and why. ``damaged``: there is a run.json, but it cannot be read as a
    run.
    """

    folder: str
    mark: str
    reason: str
    damaged: bool = False


@dataclass(frozen=True)
class RunsIndex:
    """All runs of a folder, the newest first. ``pages`` maps each page that was written to what it was
    made of.
    """

    entries: tuple[Entry, ...] = ()
    unread: tuple[Unread, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)


def entry_of(
    judged: Judgement,
    folder: str,
    mark: str,
    digest: str,
    *,
    page: bool,
    signed: str = "",
    between: Sequence[str] = (),
) -> Entry:
    """The entry of a run as it was judged; ``digest`` is that of its run.json, ``between`` what happened
    since the run before it.
    """
    from kisaan_validate.contract.promise import State

    run = judged.run
    findings = findings_of(judged)
    answered = {result.check_id for result in run.results if result.status not in UNANSWERED}
    return entry_of_counts(
        folder=folder,
        mark=mark,
        page=page,
        id=run.id,
        digest=digest,
        at=run.place.at,
        verdict=judged.verdict,
        suite=run.suite.name,
        host=run.place.host,
        port=run.place.port,
        database=run.place.database,
        server=run.place.system_identifier,
        checks=len(run.checks),
        failing=len(judged.failing),
        failed=len(run.failures),
        unanswered=sum(check.id not in answered for check in run.checks),
        milliseconds=round((run.finished_at - run.started_at).total_seconds() * 1_000),
        partial=run.selection.partial or bool(run.halted),
        interrupted=bool(run.interrupted),
        tables=tuple((table.title, table.rows) for table in run.tables),
        contract=judged.contract.name if judged.contract is not None else "",
        unkept=len(judged.in_state(State.BROKEN, State.NOT_DONE)),
        unexplained=len(judged.unexplained),
        untold=len(judged.open_promises) + len(judged.untold),
        listed=len(judged.listed),
        inapplicable=len(judged.in_state(State.NOT_APPLICABLE)),
        signed=signed,
        finding=findings[0].title if findings else "",
        findings=len(findings),
        every_seconds=run.past.every_seconds if run.past is not None else 0,
        previous=run.provenance.previous_run,
        between=tuple(map(_cut, between)),
    )


def entry_of_counts(*, tables: Sequence[tuple[str, int | None]], **given: Any) -> Entry:
    """An entry of these facts, its names cut and of its tables only the largest kept."""
    # Names come from a database or a hostile record; the index must stay small.
    cut = {name: _cut(value) if isinstance(value, str) else value for name, value in given.items()}
    whole = {name: given[name] for name in ("folder", "mark", "verdict")}
    return Entry(**{**cut, **whole}, tables=_largest(tables))


def _largest(tables: Sequence[tuple[str, int | None]]) -> tuple[tuple[str, int | None], ...]:
    # The largest tell most about a database; ties by name, so that the choice is stable.
    ranked = sorted(tables, key=lambda table: (-(table[1] or 0), table[0]))
    return tuple((_cut(title), rows) for title, rows in ranked[:TABLES_KEPT])


def entry_name(text: str) -> str:
    """A name as entries hold it: a long one is cut."""
    return _cut(text)


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"


def write_index(path: Path, index: RunsIndex) -> None:
    """Write the file whole, mode 0600. Raises RecordError."""
    body = json.dumps(adapter(RunsIndex).dump_python(index, mode="json"), separators=(",", ":"))
    # The seal stands before the body, so that it can be checked without parsing what it seals.
    write_file(path, _HEAD % (INDEX_FORMAT, digest_of(body)) + body + "}\n")


def read_index(path: Path) -> RunsIndex | None:
    """The index that was written, or None: missing, not readable, of another version, or not as it was
    written.
    """
    from pydantic import ValidationError

    try:
        text = read_file(path)
        head = len(_HEAD % (INDEX_FORMAT, "0" * 64))
        body = text[head:].removesuffix("}\n")
        # Compared as text, before anything is parsed.
        if text[:head] != _HEAD % (INDEX_FORMAT, digest_of(body)):
            return None
        index: RunsIndex = adapter(RunsIndex).validate_python(json.loads(body))
    # Any doubt means that it is made again: nothing rests on it.
    except (RecordError, ValueError, RecursionError, ValidationError):
        return None
    return index
