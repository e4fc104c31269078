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
    the_options,
    the_part,
    the_suite,
)
from kisaan_validate.cli.places import column_of

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.process.stopping import Cause


@click.group(
    "baseline",
    short_help="Record the data before a change, or show a baseline.",
    invoke_without_command=True,
)
@suite_options
@target_options
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--contract",
    type=click.Path(path_type=Path),
    help="The migration's contract.",
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
    help="Keep digests of columns.",
)
@click.option(
    "--rows",
    is_flag=True,
    help="Keep each row's digest in a second file.",
)
@click.option(
    "--values",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Keep this column's values in a second file; needs a primary key. Repeatable.",
)
@click.option(
    "--public",
    multiple=True,
    metavar="PATTERN",
    help="Keep this column though its name looks personal. Repeatable.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Keep the distribution of each column's values.",
)
@click.option(
    "--hold",
    is_flag=True,
    help="Keep the snapshot open for pg_dump until Enter, SIGINT or SIGTERM.",
)
@click.option("--lock", is_flag=True, help="Exit 6 if this suite already runs on this database.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the path of the file.")
@click.pass_context
def command(
    ctx: click.Context, /, output: Path | None, hold: bool, force: bool, quiet: bool, **given: Any
) -> int | None:
    """Write a baseline file: row counts, NULLs, extremes and sums of every column, the schema, and the
    violations and failing keys of every check. `baseline show FILE` prints it.
    """
    from kisaan_validate.errors import UsageError

    # click calls the group before each of its subcommands: `baseline show` takes no baseline.
    if ctx.invoked_subcommand is not None:
        return None
    if output is None:
        raise UsageError(
            "no output file given",
            "name one with --output: kisaan-validate baseline --output pre.json",
        )
    # Said before an hour of reading, not when the file is to be written.
    beside = [_beside(output, kind) for kind in ("rows", "values") if given[kind]]
    taken = next((path for path in (output, *beside) if path.exists()), None)
    if taken is not None and not force:
        raise UsageError(f"{taken} already exists", "choose another name, or pass --force to replace it")
    return _take(output, hold, quiet, given)


def _beside(output: Path, kind: str) -> Path:
    """The file of rows or values of a baseline, which looks for it beside itself: both can be moved."""
    return output.with_name(f"{output.name}.{kind}")


def _take(output: Path, hold: bool, quiet: bool, given: dict[str, Any]) -> int:
    from kisaan_validate.cli.exits import baseline_exit_code
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.cli.lock import only_one
    from kisaan_validate.cli.past_figures import past_figures
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Comparing, Keeping, KeptColumns
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
    part = the_part(suite, given)
    chosen = tuple(column_of(text, "--values") for text in given["values"])
    contract, held = the_contract(given["contract"], suite), _Held()
    values = KeptColumns(_beside(output, "values"), chosen, given["public"]) if chosen else None
    past = past_figures(config, suite)

    def job(stop: Stop) -> Run:
        def wait(measured: Run, alive: Callable[[], bool]) -> None:
            _keep(measured, output, quiet)
            held.wait(measured, stop, alive)

        rows = RowWriter(_beside(output, "rows")) if given["rows"] else None
        options = the_options(
            config,
            # A baseline keeps keys (Comparing.keys), never whole rows.
            sample=0,
            compare=Comparing(
                contract=contract, keys=given["keys"], digests=given["digests"] or given["rows"]
            ),
            keep=Keeping(rows, values),
            profile=given["profile"],
            while_held=wait if hold else None,
            past=past,
        )
        return run(part, target, options=options, observer=observer, stop=stop)

    stopping = Stop()
    with only_one(config, suite, target, stopping, wanted=given["lock"]):
        # While a snapshot is held the terminal belongs to what says how to use it.
        with progress_observer(quiet or hold) as observer:
            measured = attended(job, stopping)
        # Part of the data under the name of a baseline would be compared with all of it later.
        if measured.interrupted:
            raise _unfinished(measured, stopping.cause)
        # With --hold it was written before the snapshot was offered to a dump.
        if not hold:
            _keep(measured, output, quiet)
    return baseline_exit_code(measured, lost=held.lost)


def _unfinished(measured: Run, cause: Cause) -> Exception:
    """What ends the command: a standby that is too old, or an interruption. No baseline is written."""
    from kisaan_validate.errors import DatabaseError, Interrupted
    from kisaan_validate.process.stopping import Cause

    if cause is Cause.HELD_TOO_LONG:
        return DatabaseError(
            f"no baseline: {measured.interrupted}",
            "take it at a quieter time or of fewer tables, or raise that limit",
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
    from kisaan_validate.report.console_baseline import print_baseline

    baseline = baseline_of(measured)
    write_file(output, baseline_to_json(baseline))
    print_baseline(baseline, output, quiet=quiet)


class _Held:
    """Holds a snapshot open until Enter or a signal."""

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
        click.echo(f"held    snapshot {name} stays open, so that dump and baseline show the same state")
        click.echo(
            f"        pg_dump --snapshot={name} --format=custom --file=pre.dump "
            f"{shown(shlex.quote(place.database))}"
        )
        click.echo("        press Enter (or send SIGINT or SIGTERM) when the dump is done")
        # Without a terminal nobody can press Enter, and /dev/null is readable at once: it would let go
        # immediately.
        listening = sys.stdin.isatty()
        while not stop.requested:
            # A short wait, so that a signal and a lost session are noticed while nobody types.
            if listening and select.select([sys.stdin], [], [], 0.2)[0]:
                break
            if not listening:
                time.sleep(0.2)
            # A lost session takes its snapshot with it: pg_dump would refuse it, or show a later state.
            if not alive():
                self.lost = True
                click.echo(
                    "error: the session that held the snapshot was lost; a dump started now would show "
                    "a later state\nHINT: take the baseline and the dump again",
                    err=True,
                )
                return
        click.echo("closed  the snapshot is released")


@command.command("show", short_help="Show a baseline in readable form.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verbose", "-v", is_flag=True, help="Print every figure.")
def show(file: Path, verbose: bool) -> None:
    """Show a baseline: its database and time, rows and figures of every table, failing checks."""
    from kisaan_validate.record.codec import baseline_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.report.console_baseline import show_baseline

    show_baseline(baseline_from_json(read_file(file), str(file)), verbose=verbose)
