"""The folder compared with the ledger: a pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import (
    FileRemark,
    LedgerEntries,
    LedgerEntry,
    MigrationFile,
    MigrationFinding,
    MigrationFolder,
    MigrationItem,
    MigrationsStanding,
    MigrationWindow,
    Oddity,
    TiedPromise,
)
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.accepting import with_accepted
from kisaan_validate.migrations.earlier import changed_since
from kisaan_validate.migrations.effects import effect_findings
from kisaan_validate.migrations.graph import heads, roots
from kisaan_validate.migrations.order import order_findings
from kisaan_validate.migrations.recorded import RecordedFiles, recorded
from kisaan_validate.migrations.untold import untold_sentences
from kisaan_validate.migrations.window import window_findings
from kisaan_validate.text.numbers import counted

FAIL, UNKNOWN, WORK = StandingState.FAIL, StandingState.UNKNOWN, StandingState.WORK

GRAPHS = frozenset({LedgerKind.ALEMBIC, LedgerKind.DJANGO})
"""Kinds whose files name what they follow."""


def migrations_standing(
    folder: MigrationFolder,
    ledger: LedgerEntries,
    *,
    accept: Sequence[str] = (),
    window: MigrationWindow | None = None,
    effects: Mapping[str, tuple[TiedPromise, ...]] | None = None,
    before: MigrationsStanding | None = None,
) -> MigrationsStanding:
    """What the files of a folder and the rows of a ledger say together. Raises UsageError for an ``accept``
    that says nothing.

    ``accept`` says what is known and accepted, as "only reads: 007*": it is still listed, and fails nothing.
    ``window`` is compared with the times of the rows, ``effects`` are promises by the migration that was to
    keep them, ``before`` is an earlier answer: files applied then must not have changed since. What is not
    given is not judged, and ``untold`` of the answer says so.
    """
    if folder.message or ledger.message:
        return _not_known(folder, ledger)
    found = recorded(folder.files, ledger)
    odd = [
        *_files_alone(folder, found),
        *_rows_alone(folder.files, ledger, found),
        *order_findings(folder.files, found, graph=ledger.kind in GRAPHS),
        *_forks(folder.files, ledger.kind, found),
        *_checksums(folder.files, found.rows),
        *(window_findings(folder.files, found.rows, window) if window is not None else ()),
        *(effect_findings(folder.files, found, effects) if effects is not None else ()),
        *(changed_since(folder.files, before) if before is not None else ()),
    ]
    findings, unused = with_accepted(odd, accept)
    untold = untold_sentences(folder, ledger, found, window, effects, before)
    return MigrationsStanding(
        ledger.kind,
        folder.path,
        ledger.table,
        tuple(_items(folder.files, found)),
        findings,
        (*untold, *unused),
    )


def _not_known(folder: MigrationFolder, ledger: LedgerEntries) -> MigrationsStanding:
    """One of the two could not be read, so nothing is known about any file."""
    findings = []
    if folder.message:
        fact, todo = f"the folder was not read: {folder.message}", "name the folder of the migrations"
        findings.append(MigrationFinding(Oddity.NOT_READ, UNKNOWN, "", fact, todo))
    if ledger.message:
        todo = "before the first migration there is none; else name the table" if ledger.absent else ""
        fact = f"the ledger was not read: {ledger.message}"
        findings.append(MigrationFinding(Oddity.NOT_READ, UNKNOWN, "", fact, todo))
    items = [MigrationItem(f.name, True, None, sha256=f.sha256) for f in folder.files]
    items += [MigrationItem(e.name, False, True, e.at) for e in ledger.entries]
    return MigrationsStanding(ledger.kind, folder.path, ledger.table, tuple(items), tuple(findings))


def _items(files: Sequence[MigrationFile], found: RecordedFiles) -> Iterator[MigrationItem]:
    names = {file.name for file in files}
    for file in files:
        row = found.rows.get(file.name, LedgerEntry(file.name))
        yield MigrationItem(file.name, True, found.has(file.name), row.at, file.sha256)
    for name, row in found.rows.items():
        if name not in names:
            yield MigrationItem(name, False, True, row.at)


def _files_alone(folder: MigrationFolder, found: RecordedFiles) -> Iterator[MigrationFinding]:
    """What is not in the ledger, and what is odd about the files themselves."""
    stems = {row.rpartition(".")[0] or row: row for row in found.rows}
    for file in folder.files:
        has = found.has(file.name)
        if has is None:
            fact = "may be applied or not: what the ledger's heads follow could not be read whole"
            yield MigrationFinding(Oddity.PENDING, UNKNOWN, file.name, fact)
        elif not has and file.name not in found.rows:
            fact = f"is not in the ledger{_but_for_its_ending(file.name, stems)}"
            yield MigrationFinding(Oddity.PENDING, WORK, file.name, fact, "run the migrations")
        for remark in file.remarks:
            yield _remarked(file.name, remark, applied=bool(has))
    for name, remark in folder.remarks:
        yield _remarked(name, remark, applied=False)


def _forks(
    files: Sequence[MigrationFile], kind: LedgerKind, found: RecordedFiles
) -> Iterator[MigrationFinding]:
    """Where migrations that are still to run have two ends, so that a runner does not know which is meant."""
    groups: dict[str, list[MigrationFile]] = {}
    for file in files if kind in GRAPHS else ():
        groups.setdefault(file.name.partition(".")[0] if kind is LedgerKind.DJANGO else "", []).append(file)
    for group in groups.values():
        ends = heads(group)
        # Several roots are several graphs by design.
        if len(ends) > 1 and len(roots(group)) == 1 and any(not found.has(end) for end in ends):
            fact = f"is one of {len(ends)} ends of the graph: {', '.join(ends[:5])}"
            todo = "merge them, or name the one that is meant"
            yield MigrationFinding(Oddity.GRAPH, FAIL, ends[0], fact, todo)


def _but_for_its_ending(name: str, stems: Mapping[str, str]) -> str:
    near = stems.get(name.rpartition(".")[0], "")
    return f", which has {near}" if near else ""


_TODO = {
    Oddity.ONLY_READS: "make a check of it; a validation that cannot fail proves nothing",
    Oddity.OPEN_TRANSACTION: "end the transaction in the file, or leave it to the runner",
    Oddity.ENDS_TRANSACTION: "leave transactions to the runner",
    Oddity.NOT_TOGETHER: "put it into a file of its own",
    Oddity.EMPTY: "see whether its content was lost",
    Oddity.SAME_NUMBER: "give it a new number before it is applied anywhere",
    Oddity.OUTSIDE_FOLDER: "copy the file into the folder",
}


def _remarked(name: str, remark: FileRemark, *, applied: bool) -> MigrationFinding:
    unknown = remark.oddity in {Oddity.NOT_READ, Oddity.OUTSIDE_FOLDER}
    # A batch that PostgreSQL refuses was applied all the same: so it ran in another way than is assumed.
    if remark.oddity is Oddity.NOT_TOGETHER and applied:
        unknown = True
    state = UNKNOWN if unknown else FAIL
    return MigrationFinding(
        remark.oddity, state, name, remark.fact, _TODO.get(remark.oddity, ""), remark.line
    )


def _rows_alone(
    files: Sequence[MigrationFile], ledger: LedgerEntries, found: RecordedFiles
) -> Iterator[MigrationFinding]:
    """Rows without a file, repeated rows, and rows that record a failure."""
    names = {file.name for file in files} | found.stood_for
    apps = {name.partition(".")[0] for name in names} if ledger.kind is LedgerKind.DJANGO else set()
    elsewhere: Counter[str] = Counter()
    for name, row in found.rows.items():
        if row.success is False:
            todo = "see what is half done, then repair the ledger"
            yield MigrationFinding(Oddity.FAILED, FAIL, name, "is recorded as failed", todo)
        if name in names:
            continue
        app = name.partition(".")[0]
        if apps and app not in apps:
            elsewhere[app] += 1
            continue
        todo = "find the file: another branch or version ran it"
        yield MigrationFinding(Oddity.NO_FILE, FAIL, name, "is in the ledger, but has no file", todo)
    for app, number in sorted(elsewhere.items()):
        fact = f"has {counted(number, 'row')} in the ledger but no folder here: they were not compared"
        todo = f'name its folder too, or accept it: "elsewhere: {app}"'
        yield MigrationFinding(Oddity.ELSEWHERE, UNKNOWN, app, fact, todo)
    for name in found.twice:
        yield MigrationFinding(
            Oddity.TWICE, FAIL, name, "is recorded more than once", "two runners ran at once"
        )
    if ledger.locked:
        fact = "the ledger is locked: a runner is at work, or died at work"
        yield MigrationFinding(Oddity.LOCKED, FAIL, "", fact, "wait for it; if nobody is at work, unlock it")


def _checksums(files: Sequence[MigrationFile], rows: Mapping[str, LedgerEntry]) -> Iterator[MigrationFinding]:
    for file in files:
        row = rows.get(file.name)
        if row is None or not row.checksum or not file.checksum or row.checksum == file.checksum:
            continue
        if file.name.startswith("R__"):
            # A repeatable migration runs again when it changed.
            fact = "has changed since it ran: it has to run again"
            yield MigrationFinding(Oddity.PENDING, WORK, file.name, fact, "run the migrations")
            continue
        fact = f"has the checksum {file.checksum}, but the ledger has {row.checksum}"
        todo = "it was edited after it ran, or an old release of its runner computed it differently"
        yield MigrationFinding(Oddity.EDITED, FAIL, file.name, fact, todo)
