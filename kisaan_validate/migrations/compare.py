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
    without_file: Sequence[str] = (),
    window: MigrationWindow | None = None,
    effects: Mapping[str, tuple[TiedPromise, ...]] | None = None,
) -> MigrationsStanding:
    """What the files of a folder and the rows of a ledger say together.

    ``without_file`` are patterns of rows whose files are known to be elsewhere. ``window`` is held against
    the times of the rows, ``effects`` are promises by the migration that was to keep them; what is not
    given is not judged, and ``untold`` of the answer says so.
    """
    raise NotImplementedError
