"""What the rows of a ledger say about the files: each kind has its own way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import LedgerEntries, LedgerEntry, MigrationFile, Oddity
from kisaan_validate.migrations.flyway import flyway_name, plain_version, version_key
from kisaan_validate.migrations.graph import ancestors


@dataclass(frozen=True)
class RecordedFiles:
    """The rows by the name of their file.

    ``covered`` are files that are applied without a row of their own: what a head follows, what a squashed
    migration stands for, what is older than a baseline. ``unsure`` are those that cannot be decided.
    ``twice`` are names with more than one row. ``stood_for`` are names without a file that a file replaces.
    """

    rows: Mapping[str, LedgerEntry]
    covered: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    twice: tuple[str, ...] = ()
    stood_for: frozenset[str] = field(default=frozenset())

    def has(self, name: str) -> bool | None:
        """Whether the ledger says that a file is applied; None where that is not known."""
        if name in self.rows:
            return self.rows[name].success is not False
        if name in self.covered:
            return True
        return None if name in self.unsure else False


def recorded(files: Iterable[MigrationFile], ledger: LedgerEntries) -> RecordedFiles:
    """What a ledger says about these files."""
    known = {file.name: file for file in files}
    if ledger.kind is LedgerKind.FLYWAY:
        return _of_flyway(known, ledger.entries)
    if ledger.kind is LedgerKind.RAILS:
        plain = [replace(e, name=str(int(e.name)) if e.name.isdecimal() else e.name) for e in ledger.entries]
        return _of_rows(plain)
    found = _of_rows(ledger.entries)
    if ledger.only_heads:
        return _of_heads(known, found)
    return _of_squashed(known, found)


def _of_rows(entries: Iterable[LedgerEntry]) -> RecordedFiles:
    rows = sorted(entries, key=lambda e: (e.number or 0, e.at, e.name))
    counts = Counter(entry.name for entry in rows)
    twice = tuple(sorted(name for name, number in counts.items() if number > 1))
    first: dict[str, LedgerEntry] = {}
    for entry in rows:
        # The first of several rows: it says when the file first ran.
        first.setdefault(entry.name, entry)
    return RecordedFiles(first, twice=twice)


def _of_heads(known: Mapping[str, MigrationFile], found: RecordedFiles) -> RecordedFiles:
    done = ancestors((name for name in found.rows if name in known), known)
    lost = any(name not in known for name in found.rows)
    # What a head without a file follows is not known.
    unread = {name for name, file in known.items() if any(r.oddity is Oddity.NOT_READ for r in file.remarks)}
    unsure = frozenset(known if lost else unread) - done
    return replace(found, covered=done & frozenset(known), unsure=unsure)


def _of_squashed(known: Mapping[str, MigrationFile], found: RecordedFiles) -> RecordedFiles:
    covered, stood_for = set[str](), set[str]()
    for name, file in known.items():
        stood_for.update(old for old in file.replaces if old not in known)
        if name in found.rows:
            covered.update(old for old in file.replaces if old in known)
        elif file.replaces and all(old in found.rows for old in file.replaces):
            covered.add(name)
    return replace(found, covered=frozenset(covered), stood_for=frozenset(stood_for))


def _of_flyway(known: Mapping[str, MigrationFile], entries: Iterable[LedgerEntry]) -> RecordedFiles:
    """The last row of each version counts; what was undone or deleted has none."""
    rows: dict[str, LedgerEntry] = {}
    baselines: list[str] = []
    for entry in sorted(entries, key=lambda e: e.number or 0):
        kind, _, said = entry.name.partition(" ")
        name = flyway_name(said) or (f"V{plain_version(said)}" if _is_version(said) else said)
        if kind == "SCHEMA":
            continue
        if kind.endswith("BASELINE"):
            baselines.append(name)
        if kind == "DELETE" or kind.startswith("UNDO"):
            rows.pop(name, None)
        else:
            rows[name] = replace(entry, name=name)
    covered = {f for f in known for b in baselines if f.startswith("V") and version_key(f) <= version_key(b)}
    # A baseline is a row without a file, and meant to be.
    stood_for = frozenset(b for b in baselines if b not in known)
    return RecordedFiles(rows, frozenset(covered), stood_for=stood_for)


def _is_version(text: str) -> bool:
    return bool(text) and all(part.isdecimal() for part in text.replace("_", ".").split("."))
