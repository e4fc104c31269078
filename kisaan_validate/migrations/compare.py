"""The folder held against the ledger: a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kisaan_validate.facts.migrations import (
    LedgerEntries,
    MigrationFolder,
    MigrationsStanding,
    MigrationWindow,
    TiedPromise,
)


def migrations_standing(
    folder: MigrationFolder,
    ledger: LedgerEntries,
    *,
    accept: Sequence[str] = (),
    window: MigrationWindow | None = None,
    effects: Mapping[str, tuple[TiedPromise, ...]] | None = None,
    before: MigrationsStanding | None = None,
) -> MigrationsStanding:
    """What the files of a folder and the rows of a ledger say together.

    ``accept`` says what is known and accepted, as "only reads: 007*": it is still listed, and fails nothing.
    ``window`` is held against the times of the rows, ``effects`` are promises by the migration that was to
    keep them, ``before`` is an earlier answer: files applied then must not have changed since. What is not
    given is not judged, and ``untold`` of the answer says so.
    """
    raise NotImplementedError
