"""``kisaan-validate migrations``: the folder of migrations against the ledger, each difference named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.migrations_inputs import (
    Instant,
    keep_record,
    ledger_inputs,
    ledger_options,
    record_of,
)

if TYPE_CHECKING:
    from kisaan_validate.cli.migrations_effects import RunEffects
    from kisaan_validate.cli.migrations_inputs import LedgerInputs
    from kisaan_validate.facts.migrations import MigrationsRecord, MigrationWindow
    from kisaan_validate.migrations.look import LedgerLook

PATH = click.Path(path_type=Path)


@click.command("migrations", short_help="Compare the folder of migrations with the ledger.")
@ledger_options
@click.option("--since", type=Instant(), help="When the window began: 2026-11-30T02:00+05:30.")
@click.option("--until", type=Instant(), help="When the window ended.")
@click.option(
    "--of",
    multiple=True,
    metavar="PATTERN",
    help="The migrations that should run in the window. Repeatable.",
)
@click.option(
    "--before",
    type=PATH,
    metavar="RECORD",
    help="An earlier migrations.json: what was applied then must be the same now.",
)
@click.option(
    "--run", type=PATH, help="A run.json with a contract: promises tied to files in [ledger.effects]."
)
def command(**given: Any) -> int:
    """Say of each migration whether it is applied, by the ledger in which its runner records it: what is
    missing, what has no file, what ran out of order or outside the window, what is recorded without effect,
    and files that only read, leave a transaction open, or were edited.

    Reads the ledger in one short transaction, and runs no file. Exit 0: all are applied and nothing is odd;
    1: something is missing or odd; 3: folder or ledger could not be read, or cannot tell.
    """
    from dataclasses import replace

    from kisaan_validate.cli.exits import migrations_exit_code
    from kisaan_validate.cli.output import say
    from kisaan_validate.migrations.compare import migrations_standing
    from kisaan_validate.report.migrations_console import migrations_lines

    inputs = ledger_inputs(given)
    before, effects = _before(given["before"]), _effects(inputs, given["run"])
    window = _window(given, before)
    look = _looked(inputs)
    _require_same(look, before, effects)
    standing = migrations_standing(
        inputs.folder,
        look.ledger,
        accept=inputs.accept,
        window=window,
        effects=effects.promises if effects is not None else None,
        before=before.standing if before is not None else None,
    )
    if effects is not None:
        standing = replace(standing, untold=(*standing.untold, effects.words))
    record = record_of(look, standing)
    if window is not None:
        record = replace(record, window=window)
    for line in migrations_lines(record, quiet=given["quiet"]):
        say(line)
    keep_record(record, given["output"])
    return migrations_exit_code(record.verdict)


def _looked(inputs: LedgerInputs) -> LedgerLook:
    from kisaan_validate.cli.job import attended
    from kisaan_validate.migrations.look import look_at_ledger

    return attended(lambda stop: look_at_ledger(inputs.question, stop))


def _require_same(look: LedgerLook, before: MigrationsRecord | None, effects: RunEffects | None) -> None:
    """What was seen in another database says nothing about this one. Raises UsageError."""
    from kisaan_validate.errors import UsageError

    for option, seen in (("--before", before), ("--run", effects)):
        if seen is not None and seen.database != look.database:
            fact = f"{option} is of database {seen.database}, but this is {look.database}"
            raise UsageError(fact, "name one of this database")


def _before(path: Path | None) -> MigrationsRecord | None:
    from kisaan_validate.record.migrations import read_migrations

    return read_migrations(path) if path is not None else None


def _window(given: Mapping[str, Any], before: MigrationsRecord | None) -> MigrationWindow | None:
    """The window, with the migrations that were to run in it: those that are named, else those that were
    missing at the earlier look. Raises UsageError.
    """
    from glob import escape

    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.migrations import MigrationWindow

    since, until, of = given["since"], given["until"], given["of"]
    if since is None and until is None:
        if of:
            raise UsageError("--of names migrations of a window", "say when it was: --since and --until")
        return None
    if since is not None and until is not None and until < since:
        raise UsageError("the window ends before it begins", "give --since before --until")
    earlier = tuple(escape(name) for name in before.standing.pending) if before is not None else ()
    return MigrationWindow(since, until, of or earlier)


def _effects(inputs: LedgerInputs, run: Path | None) -> RunEffects | None:
    """What happened to the promises that the suite ties to migrations. Raises UsageError and RecordError."""
    from kisaan_validate.cli.migrations_effects import tied_promises

    return tied_promises(inputs.question.source, run) if run is not None else None
