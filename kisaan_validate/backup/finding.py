"""What lies beside a dump: its record, a baseline, a log of pg_dump, certificates of earlier dumps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kisaan_validate.backup.dumping import complaints_of
from kisaan_validate.backup.taking import RECORD, beside
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.certificate import BackupTaken, ComparedBaseline, EarlierBackup
from kisaan_validate.facts.dump import DumpFacts
from kisaan_validate.record.certificate import certificate_from_json, taken_from_json
from kisaan_validate.record.codec import baseline_from_json, digest_of
from kisaan_validate.record.files import read_file, says_it_is

CERTIFICATE = ".certificate.json"
_MOST = 1_000
"""So many files of a folder are looked at."""


@dataclass(frozen=True)
class FoundBaseline:
    """A baseline to compare with, its text's digest, and what a certificate says of it."""

    baseline: Baseline
    path: Path
    compared: ComparedBaseline


def record_of(dump: Path) -> BackupTaken | None:
    """The record that ``backup take`` wrote beside a dump; None if there is none. Raises RecordError."""
    path = beside(dump, RECORD)
    return taken_from_json(read_file(path), path.name) if path.is_file() else None


def changed_since(taken: BackupTaken | None, facts: DumpFacts | None) -> str:
    """How a dump differs from the one that was recorded; "" if it does not, or none was."""
    if taken is None or facts is None or taken.sha256 == facts.sha256:
        return ""
    if taken.size != facts.size:
        return f"it has {facts.size:,} bytes, the recorded one {taken.size:,}"
    return "its SHA-256 is another"


def complaints(taken: BackupTaken | None, log: Path | None) -> tuple[str, ...]:
    """The errors that pg_dump reported, by the record and by a log of what it printed. Raises UsageError."""
    found: list[str] = []
    if taken is not None and taken.exit_code:
        found.append(f"it ended with exit code {taken.exit_code}")
    if log is not None:
        try:
            found += complaints_of(log.read_text(encoding="utf-8", errors="replace"))[0]
        except OSError as error:
            raise UsageError(f"cannot read the log {log}: {error.strerror}", "check --log") from None
    return tuple(found)


def find_baseline(
    dump: Path, facts: DumpFacts, taken: BackupTaken | None, given: Path | None, *, same: bool
) -> tuple[FoundBaseline | None, str]:
    """The baseline to compare with, and why there is none: the one given, else that of the record, else the
    newest beside the dump. ``same``: somebody says that it is of the snapshot that was dumped. Raises
    RecordError for one that was given and cannot be read.
    """
    if given is not None:
        return _found(given, facts, taken, same=same), ""
    if taken is not None:
        path = dump.parent / taken.baseline
        if path.is_file():
            return _found(path, facts, taken, same=same), ""
    newest = max(_beside(dump, facts), key=lambda one: one.baseline.taken_at, default=None)
    if newest is not None:
        return newest, ""
    missing = f"the baseline {taken.baseline} of its record is not there" if taken is not None else ""
    return None, missing


def _beside(dump: Path, facts: DumpFacts) -> Iterator[FoundBaseline]:
    """The baselines in the folder of a dump that may be of its database; damaged ones are passed over."""
    for path in sorted(dump.parent.glob("*.json"))[:_MOST]:
        with suppress(RecordError):
            if path.is_file() and says_it_is(path, "baseline"):
                found = _found(path, facts, None, same=False)
                if facts.database in {"", found.baseline.place.database}:
                    yield found


def _found(path: Path, facts: DumpFacts, taken: BackupTaken | None, *, same: bool) -> FoundBaseline:
    text = read_file(path)
    baseline, digest = baseline_from_json(text, str(path)), digest_of(text)
    recorded = taken is not None and taken.baseline_digest == digest
    how = (
        "recorded by backup take"
        if recorded
        else "as --same-snapshot says"
        if same
        else "the newest there is"
    )
    # Only a time with a zone can be compared with ours.
    at = taken.started_at if taken is not None else facts.taken_at
    known = at is not None and at.tzinfo is not None
    compared = ComparedBaseline(
        path.name,
        digest,
        baseline.taken_at,
        baseline.place.database,
        baseline.place.host,
        recorded or same,
        how,
        any(table.digests is not None for table in baseline.tables),
        baseline.taken_at > at if known and at is not None else None,
    )
    return FoundBaseline(baseline, path, compared)


def earlier_backups(folder: Path, own: str) -> tuple[EarlierBackup, ...]:
    """What the certificates in a folder say of earlier dumps, the newest first; ``own`` is the name of the
    one that is being made. Those that cannot be read are passed over.
    """
    found = []
    for path in sorted(folder.glob(f"*{CERTIFICATE}"))[:_MOST]:
        with suppress(RecordError):
            if path.name == own:
                continue
            one = certificate_from_json(read_file(path), path.name)
            dump = one.evidence.dump
            if dump is not None:
                taken = one.evidence.taken.started_at if one.evidence.taken is not None else dump.taken_at
                database = dump.database or (one.evidence.against.database if one.evidence.against else "")
                found.append(
                    EarlierBackup(path.name, one.made_at, dump.name, dump.size, database, taken, one.verdict)
                )
    return tuple(sorted(found, key=lambda one: one.made_at, reverse=True))
