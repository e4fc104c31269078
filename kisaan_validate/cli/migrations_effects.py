"""What a recorded run says of the promises that a suite ties to migrations."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.facts.ledger import LedgerSource
    from kisaan_validate.facts.migrations import TiedPromise


@dataclass(frozen=True)
class RunEffects:
    """The promises of each migration as a run was judged, and which run of which database that was."""

    database: str
    words: str
    promises: Mapping[str, tuple[TiedPromise, ...]]


def tied_promises(source: LedgerSource, run: Path) -> RunEffects:
    """The promises of each migration, as the run was judged. Raises UsageError where nothing is tied, the run
    has no promises, or a pattern fits none of them; RecordError where the run cannot be read.
    """
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.errors import UsageError
    from kisaan_validate.report.text import utc

    if not source.effects:
        hint = 'in suite.toml: [ledger.effects] "001_first.sql" = ["ids of promises*"]'
        raise UsageError("--run: the suite ties no promise to a migration", hint)
    judged = judged_again(run / "run.json" if run.is_dir() else run)
    if not judged.promises:
        raise UsageError(
            f"--run: {run} was judged without a contract", "name a run with --baseline and --contract"
        )
    states = {promise.id: _tied(promise.id, outcome) for promise, outcome in judged.promises}
    made = {}
    for name, patterns in source.effects.items():
        for pattern in patterns:
            if not any(fnmatchcase(id_, pattern) for id_ in states):
                raise UsageError(f"[ledger.effects] {name}: no promise of the run is called {pattern}", "")
        fitting = [id_ for id_ in states if any(fnmatchcase(id_, pattern) for pattern in patterns)]
        made[name] = tuple(states[id_] for id_ in fitting)
    place = judged.run.place
    words = (
        f"effects are those that run {judged.run.id} saw {utc(place.at)} on {place.database} at {place.host}"
    )
    return RunEffects(place.database, words, made)


def _tied(id_: str, outcome: object) -> TiedPromise:
    from kisaan_validate.contract.promise import Outcome, State
    from kisaan_validate.facts.migrations import TiedPromise

    assert isinstance(outcome, Outcome)
    kept = {State.KEPT: True, State.BROKEN: False, State.NOT_DONE: False}.get(outcome.state)
    return TiedPromise(id_, kept, outcome.message)
