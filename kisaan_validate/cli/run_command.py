"""``kisaan-validate run``: prove the suite, show it, record it."""

from __future__ import annotations

import sys
from dataclasses import replace
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
    the_waivers,
)
from kisaan_validate.cli.output import (
    amount_options,
    deliver,
    format_options,
    lines_for_people,
    wanted_formats,
)
from kisaan_validate.cli.pinging import pinged
from kisaan_validate.cli.places import column_of

if TYPE_CHECKING:
    from kisaan_validate.backup.standin import DumpedBaseline
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.run import Run
    from kisaan_validate.guard.rules import GuardRules
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Comparing, Options
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.judgement import Judgement


@click.command("run", short_help="Run every check and write a report.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@suite_options
@target_options
@click.option(
    "-x",
    "--fail-fast",
    is_flag=True,
    help="Start nothing more after a blocking check failed; the rest has no answer.",
)
@click.option(
    "--last-failed",
    is_flag=True,
    help="Only what failed or had no answer in the newest run on this database.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="Compare with this baseline file, or with a dump, which is restored and measured first.",
)
@click.option(
    "--contract", type=click.Path(path_type=Path), help="The migration's contract; needs --baseline."
)
@click.option(
    "--rehearsal",
    type=click.Path(path_type=Path),
    metavar="RECEIPT",
    help="Compare with the receipt of the migration's rehearsal; needs --baseline.",
)
@click.option(
    "--migrations",
    type=click.Path(path_type=Path),
    help="With --rehearsal: the folder of migrations, to see whether they are those.",
)
@click.option(
    "--since",
    type=click.Choice(["last"]),
    help="With --fail-on new: new is what the last run on this database did not know.",
)
@click.option("--other-database", is_flag=True, help="Accept a baseline of another database.")
@click.option(
    "--added-since",
    multiple=True,
    metavar="TABLE.COLUMN",
    help="Rows above this column's old maximum came later; other tables use the key. Repeatable.",
)
@click.option(
    "--zone",
    default="",
    metavar="ZONE",
    help="Time zone of timestamp columns that became timestamptz.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["any", "new"]),
    help="Which failures fail the run.  [default: any]",
)
@click.option(
    "--waivers",
    type=click.Path(path_type=Path),
    help="The file of accepted failures.  [default: the suite's waivers.toml]",
)
@click.option("--no-waivers", is_flag=True, help="Ignore waivers.")
@click.option("--sample", type=click.IntRange(0, 10_000), help="Failing keys shown per check.  [default: 20]")
@click.option(
    "--trust-constraints",
    is_flag=True,
    default=None,
    help="Let constraints and partition bounds replace reading rows.",
)
@click.option(
    "--trust-indexes",
    is_flag=True,
    default=None,
    help="Let indexes find or replace rows.",
)
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
@click.option(
    "--profile",
    is_flag=True,
    help="Show the distribution of each column's values.",
)
@click.option(
    "--guard",
    is_flag=True,
    help="Wait for the server, or give up, by the rules in [guard] of the configuration.",
)
@click.option("--lock", is_flag=True, help="Exit 6 if this suite already runs on this database.")
@click.option("--ping", is_flag=True, help="Ping start and end to the URL of [pings] in kisaan.toml.")
@format_options
@amount_options
def command(formats: tuple[str, ...], output: Path | None, **given: Any) -> int:
    """Run every check on the live database in one read-only snapshot, and write a report. ID names checks
    as --select does: by id, table or tag; * matches any characters.
    """
    # Before anything is measured: a misspelt format must not cost a run.
    wanted = wanted_formats(formats, output)
    with pinged(given) as ping:
        with lines_for_people(wanted) as out:
            judged, recorded = _judged(given)
            # deliver comes first in the "and": formats are written even where the record could not be.
            recorded = deliver(judged, wanted, out) and recorded
        from kisaan_validate.cli.exits import exit_code

        ping.code = exit_code(judged.run, judged.verdict, recorded=recorded)
    return ping.code


def _judged(given: dict[str, Any]) -> tuple[Judgement, bool]:
    """The run, judged and shown, and whether its files could be written."""
    from kisaan_validate.cli.lock import only_one
    from kisaan_validate.cli.recorded import the_earlier
    from kisaan_validate.cli.rehearsal_beside import read_rehearsal, show_rehearsal
    from kisaan_validate.cli.telling import standing_notices
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.signoff.provenance import provenance_of
    from kisaan_validate.verdict.judgement import judge

    config = the_config(
        given["config"],
        suite=given["suite"],
        jobs=given["jobs"],
        sample=given["sample"],
        reports=given["reports"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
        trust_constraints=given["trust_constraints"],
        trust_indexes=given["trust_indexes"],
    )
    rehearsal = read_rehearsal(given["rehearsal"], given["migrations"])
    suite = the_suite(config)
    comparing, dumped = _comparing(config, suite, given)
    options, target = _options(config, suite, given, comparing), find_target(given["dsn"])
    part, stop = _part(config, suite, target, given), Stop()
    options = replace(options, earlier=the_earlier(config, part, target))
    # Held until all is recorded: the next run must find this one as its predecessor.
    with only_one(config, suite, target, stop, wanted=given["lock"]):
        # Before the run: what is committed while it lasts is not what was run.
        origin = provenance_of(
            config.suite, suite.sources, operator=config.operator, approvals=config.signoff.approvals
        )
        run = replace(prove_attended(part, target, given["quiet"], options, stop), provenance=origin)
        run, baseline = _beside(run, options.baseline, dumped)
        run = replace(run, notices=(*run.notices, *standing_notices(config)))
        judged = judge(run, baseline, options.contract, options.waivers)
        judged = replace(judged, sources=str(config.suite))
        judged, recorded = keep_and_show(judged, config, given, since_last=given["since"] == "last")
        # A pass that is not as it was rehearsed is not green.
        if rehearsal is not None:
            recorded = show_rehearsal(rehearsal, judged, config.reports / judged.run.id) and recorded
        return judged, recorded


def _beside(
    run: Run, baseline: Baseline | None, dumped: DumpedBaseline | None
) -> tuple[Run, Baseline | None]:
    """The run and what it is judged beside; of a dump, with what only this database tells, which is said."""
    if dumped is None:
        return run, baseline
    from kisaan_validate.backup.standin import settled_by
    from kisaan_validate.record.codec import baseline_to_json, digest_of

    settled = settled_by(dumped.baseline, run)
    digest = digest_of(baseline_to_json(settled))
    return replace(run, notices=(*run.notices, *dumped.notices), baseline_digest=digest), settled


def keep_and_show(
    judged: Judgement, config: Config, given: dict[str, Any], *, since_last: bool
) -> tuple[Judgement, bool]:
    """The run as it is recorded, after the one before it, and whether it could be."""
    from kisaan_validate.cli.job import record_after
    from kisaan_validate.cli.last_run import remembering
    from kisaan_validate.cli.output import lost
    from kisaan_validate.cli.runs_index import add_to_index
    from kisaan_validate.errors import RecordError
    from kisaan_validate.report.console import print_run

    place, recorded = None, True
    try:
        settle = remembering(config, since_last=since_last)
        judged, place = record_after(judged, config.reports, settle)
    except RecordError as error:
        print(f"error: {error}", file=sys.stderr)
        recorded = False
    # The index lists folders with a record; without one there is nothing to add.
    else:
        add_to_index(config.reports, judged)
    try:
        print_run(judged, place, quiet=given["quiet"], verbose=given["verbose"])
        sys.stdout.flush()
    except (
        OSError
    ) as error:  # nobody reads the lines any more, or nothing takes them, but the report is there
        lost(sys.stdout, error)
        # A reader that left (`| head`) had what it wanted; a full disk kept lines from somebody who waited
        # for them.
        recorded = recorded and isinstance(error, BrokenPipeError)
    return judged, recorded


def _options(config: Config, suite: Suite, given: dict[str, Any], comparing: Comparing | None) -> Options:
    """How the run is done. Raises UsageError."""
    from kisaan_validate.cli.past_figures import past_figures
    from kisaan_validate.facts.result import FailOn

    return the_options(
        config,
        sample=config.sample,
        trust_constraints=config.trust_constraints,
        trust_indexes=config.trust_indexes,
        compare=comparing,
        waivers=the_waivers(config, suite, given["waivers"], given["no_waivers"]),
        fail_on=FailOn(given["fail_on"] or "any"),
        fail_fast=given["fail_fast"],
        profile=given["profile"],
        past=past_figures(config, suite),
        guard=_guard(config) if given["guard"] else None,
    )


def _guard(config: Config) -> GuardRules:
    """The rules that are configured. Raises UsageError where there are none."""
    from kisaan_validate.errors import UsageError

    # Without rules it would watch nothing, while whoever asked for it believes otherwise.
    if config.guard is None:
        raise UsageError(
            "--guard needs rules, but the configuration has no [guard]", "write them: see docs/guard.md"
        )
    return config.guard


def _comparing(
    config: Config, suite: Suite, given: dict[str, Any]
) -> tuple[Comparing | None, DumpedBaseline | None]:
    """What the run is compared with, and if it is a dump, where that was measured. The files that are named
    are read before anything is asked of the database. Raises UsageError.
    """
    from kisaan_validate.errors import UsageError

    path: Path | None = given["baseline"]
    if given["since"] and given["fail_fast"]:
        raise UsageError(
            "--fail-fast cannot tell, before the run ends, which failures --since last knows",
            "leave one of them out",
        )
    if path is None:
        # These options need a baseline: if they were dropped silently, the run would seem to have used them.
        options = {
            "--contract": given["contract"] is not None,
            "--fail-on new": given["fail_on"] == "new" and not given["since"],
            "--zone": bool(given["zone"]),
            "--added-since": bool(given["added_since"]),
        }
        for option, wanted in options.items():
            if wanted:
                hint = "take one before the migration: kisaan-validate baseline -o pre.json"
                hint += "; or compare with the last run: --since last" if option == "--fail-on new" else ""
                raise UsageError(
                    f"{option} needs --baseline: without one there is nothing to compare with", hint
                )
        return None, None
    from kisaan_validate.prove.options import Before, Comparing
    from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, digest_of
    from kisaan_validate.record.files import read_file
    from kisaan_validate.record.rowfile import kept_rows
    from kisaan_validate.record.valuefile import kept_values

    contract = the_contract(given["contract"], suite)
    dumped = _dumped(path, config, suite, contract, given["quiet"])
    baseline = dumped.baseline if dumped is not None else baseline_from_json(read_file(path), str(path))
    # The digest of the copy that is kept beside the run: an editor may have reformatted the same facts.
    before = Before(
        baseline,
        digest_of(baseline_to_json(baseline)),
        given["other_database"] or dumped is not None,
        kept_rows(path.parent, baseline.row_file) if baseline.row_file is not None else None,
        kept_values(path.parent, baseline.value_file) if baseline.value_file is not None else None,
    )
    since = tuple(column_of(text, "--added-since") for text in given["added_since"])
    return Comparing(before, contract, zone=given["zone"], added_since=since), dumped


def _dumped(
    path: Path, config: Config, suite: Suite, contract: Contract | None, quiet: bool
) -> DumpedBaseline | None:
    """The baseline measured on a restored dump; None where the file is no dump."""
    from kisaan_validate.backup.recognise import is_dump

    if not is_dump(path):
        return None
    from kisaan_validate.backup.standin import baseline_of_dump
    from kisaan_validate.cli.job import attended, progress_observer

    click.echo(f"before  the dump {path} is restored and measured first")
    # A copy of ours is not the database that was expected.
    options = the_options(config, sample=0, expect={})
    with progress_observer(quiet) as observer:
        return attended(lambda stop: baseline_of_dump(path, suite, contract, options, observer, stop))


def _part(config: Config, suite: Suite, target: Target, given: dict[str, Any]) -> Suite:
    """The checks that were asked for. Raises UsageError where that is none."""
    part = the_part(suite, given, given["ids"])
    if not given["last_failed"]:
        return part
    from kisaan_validate.cli.recorded import last_failed

    last = last_failed(config, suite.settings.name, target)
    return part.narrowed(failed=(last.run_id, last.checks))


def prove_attended(suite: Suite, target: Target, quiet: bool, options: Options, stop: Stop) -> Run:
    """The run, its progress shown and signals heard. Raises TargetError where nothing was measured."""
    from kisaan_validate.cli.job import attended, progress_observer, ready_to_record
    from kisaan_validate.errors import DatabaseError, TargetError
    from kisaan_validate.prove.run import run

    with progress_observer(quiet) as observer:
        try:
            return attended(
                lambda stop: run(suite, target, options=options, observer=observer, stop=stop),
                stop,
                lambda: ready_to_record(compared=options.baseline is not None),
            )
        except (
            DatabaseError
        ) as error:  # nothing was measured, and there will be no record: as if it had not been reached
            raise TargetError(error.fact, error.hint) from None
