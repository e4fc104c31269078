"""What a look at folder and ledger does not show, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kisaan_validate.facts.ledger import LEDGER_SHAPES
from kisaan_validate.facts.migrations import (
    LedgerEntries,
    MigrationFolder,
    MigrationsStanding,
    MigrationWindow,
    TiedPromise,
)
from kisaan_validate.migrations.order import ran_order
from kisaan_validate.migrations.recorded import RecordedFiles
from kisaan_validate.text.numbers import counted


def untold_sentences(
    folder: MigrationFolder,
    ledger: LedgerEntries,
    found: RecordedFiles,
    window: MigrationWindow | None,
    effects: Mapping[str, tuple[TiedPromise, ...]] | None,
    before: MigrationsStanding | None,
) -> tuple[str, ...]:
    """One sentence for each thing that was not compared."""
    return (
        *_of_the_kind(ledger),
        *folder.notes,
        *ledger.notes,
        *_of_times(ledger, found, window),
        *_of_content(folder, found, before),
        *_of_effects(folder, found, effects),
    )


def _of_the_kind(ledger: LedgerEntries) -> Iterator[str]:
    if LEDGER_SHAPES[ledger.kind].untested:
        yield f"ledgers of {ledger.kind} are known from its documentation and untested"


def _of_times(ledger: LedgerEntries, found: RecordedFiles, window: MigrationWindow | None) -> Iterator[str]:
    if ledger.only_heads:
        yield "the ledger has heads alone: in which order and when revisions ran is not known"
    elif found.rows and not ran_order(found.rows):
        yield "the ledger has no times: in which order migrations ran is not known"
    if window is not None and window.since is not None and not window.names:
        yield "rows before the window were taken for earlier ones: no migration of the window was named"


def _of_content(
    folder: MigrationFolder, found: RecordedFiles, before: MigrationsStanding | None
) -> Iterator[str]:
    programs = sum(file.statements is None and not file.remarks for file in folder.files)
    if programs:
        yield f"{counted(programs, 'file')} of code: what they do was not looked at"
    rows = [(file, found.rows.get(file.name)) for file in folder.files if found.has(file.name)]
    left = sum(not (file.checksum and row is not None and row.checksum) for file, row in rows)
    if left and before is None:
        yield f"the ledger has no checksum of {counted(left, 'file')}: an edit since it ran would not be seen"


def _of_effects(
    folder: MigrationFolder, found: RecordedFiles, effects: Mapping[str, tuple[TiedPromise, ...]] | None
) -> Iterator[str]:
    applied = [file.name for file in folder.files if found.has(file.name)]
    tied = [name for name in applied if (effects or {}).get(name)]
    if applied and len(tied) < len(applied):
        left = counted(len(applied) - len(tied), "applied file")
        yield f"no promise is tied to {left}: whether they had their effect is not known"
