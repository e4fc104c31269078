"""Whether applied migrations had their effect, by the promises that a suite ties to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kisaan_validate.facts.migrations import (
    MigrationFile,
    MigrationFinding,
    Oddity,
    TiedPromise,
)
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.recorded import RecordedFiles


def effect_findings(
    files: Sequence[MigrationFile], found: RecordedFiles, effects: Mapping[str, tuple[TiedPromise, ...]]
) -> Iterator[MigrationFinding]:
    """Applied files whose promises were not kept, or are not known to be; names that no file has."""
    for name in sorted({*effects} - {file.name for file in files}):
        fact = "is tied to promises, but no file has this name: they were not looked at"
        todo = "name the file as the ledger does, in [ledger.effects]"
        yield MigrationFinding(Oddity.NO_EFFECT, StandingState.UNKNOWN, name, fact, todo)
    for file in files:
        if not found.has(file.name):
            continue
        for promise in effects.get(file.name, ()):
            said = f": {promise.message}" if promise.message else ""
            if promise.kept is False:
                fact = f"is recorded, but promise {promise.id} was not kept{said}"
                todo = "see the run's report; the file did not do what it should"
                yield MigrationFinding(Oddity.NO_EFFECT, StandingState.FAIL, file.name, fact, todo)
            elif promise.kept is None:
                fact = f"is recorded, but whether promise {promise.id} was kept is not known{said}"
                yield MigrationFinding(Oddity.NO_EFFECT, StandingState.UNKNOWN, file.name, fact)
