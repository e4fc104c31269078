"""A dump in the place of a baseline that nobody took: restored, measured, and put away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kisaan_validate.backup.excused import RESTORER
from kisaan_validate.backup.verifying import DATABASE, ScratchWish, restored_dump
from kisaan_validate.compare.schema import RELATIONS
from kisaan_validate.compare.scope import DATABASE as OF_DATABASE
from kisaan_validate.contract.load import Contract
from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.errors import Interrupted, RecordError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.dump import DumpFacts, Restored
from kisaan_validate.facts.place import Notice, Place
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import SchemaObject
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


def settled_by(baseline: Baseline, run: Run) -> Baseline:
    """The baseline of a dump with what no restore can tell taken from the database that it is compared with:
    owners and their privileges, versions of extensions, what the database as a whole is like.
    """
    now = {item.key: item for item in run.objects}
    restored = [item for item in baseline.objects if item.kind != OF_DATABASE and not _of_restorer(item)]
    kept = [_owned(item, now.get(item.key)) for item in restored]
    owners = {(o.table or o.name, o.facts["owner"]) for o in run.objects if "owner" in o.facts}
    there = {item.key for item in kept}
    tables = {item.name for item in kept if item.kind in RELATIONS}
    told = (item for item in run.objects if item.kind == OF_DATABASE or _is_owners(item, owners, tables))
    every = [*kept, *(item for item in told if item.key not in there)]
    return replace(baseline, objects=tuple(sorted(every, key=lambda item: item.key)))


def _of_restorer(item: SchemaObject) -> bool:
    return item.kind == "grant" and item.name.split(" on ")[0] == RESTORER


def _is_owners(item: SchemaObject, owners: set[tuple[str, str]], tables: set[str]) -> bool:
    """Whether it says what the owner of a relation that both sides have may do with it, or of another
    object.
    """
    if item.kind != "grant":
        return False
    role, _, on = item.name.partition(" on ")
    if item.table:
        return item.table in tables and (item.table, role) in owners
    return any(role == owner for _, owner in owners) and bool(on)


def _owned(item: SchemaObject, now: SchemaObject | None) -> SchemaObject:
    """An object with the owner that it has now, and an extension with its version."""
    told = ("owner", "version") if item.kind == "extension" else ("owner",)
    taken = {name: now.facts[name] for name in told if now is not None and name in now.facts}
    return replace(item, facts={**item.facts, **taken})


def _notices(facts: DumpFacts, done: Restored) -> tuple[Notice, ...]:
    at = (
        "at a time that it does not say"
        if facts.taken_at is None
        else f"begun {facts.taken_at:%Y-%m-%d %H:%M}"
    )
    zone = " (zone not recorded)" if facts.taken_at is not None and facts.taken_at.tzinfo is None else ""
    words = (
        f"before is the dump {facts.name} (SHA-256 {facts.sha256}), {at}{zone}, restored into a server of "
        "its own. Owners, their privileges, extensions' versions and the database's locale are taken from "
        "the database as it is now: they are not compared"
    )
    left = ", ".join(f"{one.kind} {one.name}" for one in done.left_out)
    more = (Notice("dump-left-out", f"not restored from the dump, so absent before: {left}"),) if left else ()
    whole = (
        (Notice("dump-unfinished", f"whether the dump is whole cannot be told: {facts.damage}"),)
        if facts.complete is None
        else ()
    )
    return (Notice("dump-baseline", words), *more, *whole)
