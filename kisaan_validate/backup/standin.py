"""A dump in the place of a baseline that nobody took: restored, measured, and put away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from kisaan_validate.backup.verifying import DATABASE, ScratchWish, restored_dump
from kisaan_validate.contract.load import Contract
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.errors import Interrupted, RecordError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.dump import DumpFacts, Restored
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Comparing, Options
from kisaan_validate.prove.request import Observer, Progress
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class DumpedBaseline:
    """A baseline measured on a restored dump, and what a reader of a comparison with it must know."""

    baseline: Baseline
    notices: tuple[Notice, ...]


def baseline_of_dump(
    dump: Path, suite: Suite, contract: Contract | None, options: Options, observer: Observer, stop: Stop
) -> DumpedBaseline:
    """The baseline that would have been taken when the dump was: with digests, and what ``contract`` needs.

    Raises RecordError for a dump that is not whole or does not restore without an error, UsageError for what
    this machine lacks, DatabaseError, and Interrupted.
    """
    observer(Progress("reading the dump"))
    facts = read_dump(dump)
    if facts.complete is False:
        raise RecordError(f"{dump} is not whole: {facts.damage}", "use another dump, or a baseline")
    with restored_dump(dump, facts, ScratchWish(), options.jobs, observer, stop) as (scratch, done):
        if not done.whole:
            said = done.errors[0] if done.errors else f"exit code {done.exit_code}"
            raise RecordError(f"{dump} does not restore: {said}", f"the log is kept: {done.log}")
        measured = run(
            suite,
            scratch.target(DATABASE),
            options=replace(options, compare=Comparing(contract=contract, digests=True)),
            observer=lambda event: observer(event) if isinstance(event, Progress) else None,
            stop=stop,
        )
    if measured.interrupted:
        raise Interrupted(measured.interrupted, "nothing was compared")
    made = baseline_of(measured)
    return DumpedBaseline(replace(made, place=_place(made.place, facts)), _notices(facts, done))


def _place(there: Place, facts: DumpFacts) -> Place:
    """Where the rows come from: the scratch server is gone, and says nothing about them."""
    return replace(
        there,
        host=f"dump {facts.name}",
        port="",
        database=facts.database or there.database,
        role="",
        source=f"dump {facts.name}, SHA-256 {facts.sha256}",
        system_identifier="",
        snapshot="",
        address="",
    )


def _notices(facts: DumpFacts, done: Restored) -> tuple[Notice, ...]:
    at = (
        "at a time that it does not say"
        if facts.taken_at is None
        else f"begun {facts.taken_at:%Y-%m-%d %H:%M}"
    )
    zone = " (zone not recorded)" if facts.taken_at is not None and facts.taken_at.tzinfo is None else ""
    words = (
        f"before is the dump {facts.name} (SHA-256 {facts.sha256}), {at}{zone}, restored into a server of its "
        "own: another database, in which owners, and what was left out of the restore, may differ"
    )
    left = ", ".join(f"{one.kind} {one.name}" for one in done.left_out)
    more = (Notice("dump-left-out", f"not restored from the dump, so absent before: {left}"),) if left else ()
    whole = (
        (Notice("dump-unfinished", f"whether the dump is whole cannot be told: {facts.damage}"),)
        if facts.complete is None
        else ()
    )
    return (Notice("dump-baseline", words), *more, *whole)
