"""``kisaan-validate baseline``: freeze what the data is, before a migration; ``baseline show``: read it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import (
    suite_options,
    target_options,
    the_config,
    the_contract,
    the_limits,
    the_suite,
)
from kisaan_validate.cli.places import column_of

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.process.stopping import Cause


@click.group(
    "baseline",
    short_help="Freeze what the data is before a change, or show a baseline.",
    invoke_without_command=True,
)
@suite_options
@target_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--contract",
    type=click.Path(path_type=Path),
    help="What the migration promises: keep what it will be judged by.",
)
@click.option(
    "--keys",
    type=click.IntRange(0, 100_000),
    default=500,
    show_default=True,
    help="Failing keys kept per check.",
)
@click.option(
    "--digests",
    is_flag=True,
    help="Keep digests of all columns, so that a change that no figure shows is found.",
)
@click.option(
    "--rows",
    is_flag=True,
    help="Also keep a digest of every row, in a file beside it: then it is told which rows changed.",
)
@click.option(
    "--values",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Also keep this column's values, in a file beside it: then it is "
    "told what they were, and the pattern of the change. Repeatable; the table needs a primary key.",
)
@click.option(
    "--public",
    multiple=True,
    metavar="PATTERN",
    help="Keep the values of a TABLE.COLUMN although its name looks personal.",
)
@click.option(
    "--hold",
    is_flag=True,
    help="Keep the snapshot open for pg_dump --snapshot, until Enter, SIGINT or SIGTERM.",
)
@click.option(
    "--lock", is_flag=True, help="One at a time: if this suite is at work on this database already, exit 6."
)
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but where the file is.")
@click.pass_context
def command(
    ctx: click.Context, /, output: Path | None, hold: bool, force: bool, quiet: bool, **given: Any
) -> int | None:
    """Store what one scan of each table tells (exact rows, and each column's NULLs, ends and sum), the
    schema, and every check's violating count and keys, in a file. `baseline show FILE` reads it to you."""
    from kisaan_validate.errors import UsageError

    if ctx.invoked_subcommand is not None:
        return None
    if output is None:
        raise UsageError(
            "baseline needs a file to write",
            "name it with --output: kisaan-validate baseline --output pre.json",
        )
    if output.exists() and not force:
        raise UsageError(f"{output} exists already", "choose another name, or pass --force to replace it")
    return _take(output, hold, quiet, given)


def _take(output: Path, hold: bool, quiet: bool, given: dict[str, Any]) -> int:
    from kisaan_validate.cli.exits import baseline_exit_code
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.cli.lock import only_one
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Comparing, Keeping, KeptColumns, Options
    from kisaan_validate.prove.run import run
    from kisaan_validate.record.rowfile import RowWriter

    config = the_config(
        given["config"],
        suite=given["suite"],
        jobs=given["jobs"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )
    suite, target = the_suite(config), find_target(given["dsn"])
    chosen = tuple(column_of(text, "--values") for text in given["values"])
    contract, held = the_contract(given["contract"], suite), _Held()
    beside = output.with_name(f"{output.name}.values")
    values = KeptColumns(beside, chosen, given["public"]) if chosen else None

    def job(stop: Stop) -> Run:
        def wait(measured: Run, alive: Callable[[], bool]) -> None:
            _keep(measured, output, quiet)
            held.wait(measured, stop, alive)

        rows = RowWriter(output.with_name(f"{output.name}.rows")) if given["rows"] else None
        options = Options(
            jobs=config.jobs,
            sample=0,
            limits=the_limits(config),
            expect=config.expect,
            python_memory=config.python_memory_mb * 1024**2,
            compare=Comparing(
                contract=contract, keys=given["keys"], digests=given["digests"] or given["rows"]
            ),
            keep=Keeping(rows, values),
            while_held=wait if hold else None,
        )
        return run(
            suite,
            target,
            select=given["select"],
            exclude=given["exclude"],
            options=options,
            observer=observer,
            stop=stop,
        )

    stopping = Stop()
    with only_one(config, suite, target, stopping, wanted=given["lock"]):
        with progress_observer(quiet or hold) as observer:
            measured = attended(job, stopping)
        if measured.interrupted:
            raise _unfinished(measured, stopping.cause)
        if not hold:
            _keep(measured, output, quiet)
    return baseline_exit_code(measured, lost=held.lost)


def _unfinished(measured: Run, cause: Cause) -> Exception:
    """What ends the command: a standby that is too old, or whoever interrupted it. No baseline is written."""
    from kisaan_validate.errors import DatabaseError, Interrupted
    from kisaan_validate.process.stopping import Cause

    if cause is Cause.HELD_TOO_LONG:
        return DatabaseError(
            f"no baseline: {measured.interrupted}",
            "take it when less is written, of fewer tables, or raise that limit",
        )
    if cause is Cause.STANDBY_TOO_OLD:
        hint = "take it on the primary, or when the standby has caught up"
        return DatabaseError(measured.interrupted, hint)
    return Interrupted(measured.interrupted, "no baseline was written")


def _keep(measured: Run, output: Path, quiet: bool) -> None:
    """Write the baseline of a run, and say what it holds."""
    from kisaan_validate.facts.baseline import baseline_of
    from kisaan_validate.record.codec import baseline_to_json
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.console import print_baseline

    baseline = baseline_of(measured)
    write_file(output, baseline_to_json(baseline))
    print_baseline(baseline, output, quiet=quiet)


class _Held:
    """Holds a snapshot open until it is told to let go."""

    lost = False

    def wait(self, measured: Run, stop: Any, alive: Callable[[], bool]) -> None:
        """Say how to use the snapshot, then wait for Enter, a signal, or the loss of the session that
        holds it.
        """
        import select
        import sys
        import time

        from kisaan_validate.report.shown import shown

        name, place = measured.place.snapshot, measured.place
        click.echo(f"held    snapshot {name} stays open: the dump and the baseline are of one instant")
        click.echo(
            f"        pg_dump --snapshot={name} --format=custom --file=pre.dump "
            f"{shown(shlex.quote(place.database))}"
        )
        click.echo("        press Enter (or send SIGINT or SIGTERM) when the dump is done")
        listening = sys.stdin.isatty()
        while not stop.requested:
            if listening and select.select([sys.stdin], [], [], 0.2)[0]:
                break
            if not listening:
                time.sleep(0.2)
            if not alive():
                self.lost = True
                click.echo(
                    "error: the session that held the snapshot is gone; a dump begun now is of another "
                    "instant\n"
                    "HINT: take baseline and dump again",
                    err=True,
                )
                return
        click.echo("let go  the snapshot is closed")


@command.command("show", short_help="Read a baseline to people.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verbose", "-v", is_flag=True, help="Every column's figures too.")
def show(file: Path, verbose: bool) -> None:
    """Show what a baseline holds: of which database and when, rows and figures of every table, failing
    checks.
    """
    from kisaan_validate.record.codec import baseline_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.report.console import show_baseline

    show_baseline(baseline_from_json(read_file(file), str(file)), verbose=verbose)
