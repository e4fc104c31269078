"""Files compared with an earlier look: what was applied then must be the same now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kisaan_validate.facts.migrations import (
    MigrationFile,
    MigrationFinding,
    MigrationsStanding,
    Oddity,
)
from kisaan_validate.facts.states import StandingState


def changed_since(files: Sequence[MigrationFile], before: MigrationsStanding) -> Iterator[MigrationFinding]:
    """Files that were applied when ``before`` was made, and have changed or gone since."""
    now = {file.name: file.sha256 for file in files}
    for item in before.items:
        if not (item.in_folder and item.in_ledger and item.sha256):
            continue
        todo = "an applied file must stay as it ran: write a new one"
        if item.name not in now:
            fact = "was applied and in the folder at the earlier look, and is gone from the folder"
            yield MigrationFinding(Oddity.NO_FILE, StandingState.FAIL, item.name, fact, todo)
        elif now[item.name] and now[item.name] != item.sha256:
            fact = "was edited since the earlier look, when it was applied already"
            yield MigrationFinding(Oddity.EDITED, StandingState.FAIL, item.name, fact, todo)
