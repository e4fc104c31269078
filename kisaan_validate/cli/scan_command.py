"""``kisaan-validate scan``: the nightly run of a profile, unattended."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.exits import exit_code
from kisaan_validate.cli.options import the_config, the_options, the_suite, the_waivers
from kisaan_validate.cli.output import (
    amount_options,
    deliver,
    format_options,
    lines_for_people,
    wanted_formats,
)
from kisaan_validate.cli.pinging import pinging
from kisaan_validate.cli.scan_after import after_scan
from kisaan_validate.cli.watched import Span
from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.history.proved import LastProved
    from kisaan_validate.ops.config import Config
    from kisaan_validate.ops.scans import ScanProfile
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.deadline import Deadline
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Options
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.judgement import Judgement


@click.command("scan", short_help="Run a profile of kisaan.toml: the nightly run.")
@click.argument("name", required=False)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option("--dsn", help="The database: postgresql://… or host=… dbname=…; keep the password in .pgpass.")
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
@click.option("--now", is_flag=True, help="Run outside the profile's window too; its budget holds.")
@click.option("--drill", is_flag=True, help="Scan nothing: send a marked alarm, as notify --drill.")
@click.option(
    "--check-last",
    type=Span(),
    metavar="SPAN",
    help="Scan nothing: say whether the last run is as young, as last --within.",
)
@format_options
@amount_options
def command(formats: tuple[str, ...], output: Path | None, **given: Any) -> int:
    """Run the profile [scan.NAME] of kisaan.toml as a nightly run: only within its window, for no longer
    than its budget, one at a time. NAME may be left out if there is one profile.

    What had no answer for longest is asked first. What the budget does not reach has no answer: the scan is
    inconclusive, and begins with it the next time. Pings, alarms and metrics go where kisaan.toml says.
    """
    if given["drill"] or given["check_last"] is not None:
        return _instead(given)
    # Before anything is measured: a misspelt format must not cost a night.
    wanted = wanted_formats(formats, output)
    night = _begun(given)
    with pinging(night.config) as ping:
        with lines_for_people(wanted) as out:
            judged, recorded = _scanned(night)
            recorded = deliver(judged, wanted, out) and recorded
            if recorded:
                after_scan(night.config, night.profile, judged)
        ping.code = exit_code(judged.run, judged.verdict, recorded=recorded)
    return ping.code


def _instead(given: dict[str, Any]) -> int:
    """What is done instead of a scan. Raises UsageError."""
    from kisaan_validate.cli.last_command import ran_within
    from kisaan_validate.cli.notify_command import hold_drill
    from kisaan_validate.errors import UsageError

    if given["drill"] and given["check_last"] is not None:
        raise UsageError("--drill and --check-last exclude each other", "give one of them")
    config = the_config(given["config"], reports=given["reports"])
    if given["drill"]:
        return hold_drill(config)
    return ran_within(
        config, given["check_last"], {"suite_name": None, "database": None, "scan": given["name"]}
    )


@dataclass(frozen=True)
class ScanNight:
    """What a scan is about. ``suite`` is the part that the profile asks for, of the ``whole``."""

    given: dict[str, Any]
    profile: ScanProfile
    config: Config
    whole: Suite
    suite: Suite
    target: Target
    until: Deadline | None
    stop: Stop


def _begun(given: dict[str, Any]) -> ScanNight:
    """The scan, ready to begin. Raises OutsideWindow, UsageError and SuiteError."""
    from kisaan_validate.ops.scans import chosen
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.process.stopping import Stop

    started, since = datetime.now(UTC), time.monotonic()
    config = the_config(given["config"], reports=given["reports"])
    profile = chosen(config.scans, given["name"])
    until = _until(profile, started, since, anyway=given["now"])
    jobs = config.jobs if profile.jobs is None else profile.jobs
    config = replace(config, jobs=jobs, sample=config.sample if profile.sample is None else profile.sample)
    whole, target = the_suite(config), find_target(given["dsn"])
    part = whole.narrowed(profile.select, profile.exclude)
    return ScanNight(given, profile, config, whole, part, target, until, Stop())


def _until(profile: ScanProfile, started: datetime, since: float, *, anyway: bool) -> Deadline | None:
    """When the scan begins nothing more. Raises OutsideWindow."""
    from kisaan_validate.errors import OutsideWindow
    from kisaan_validate.ops.scans import end_of
    from kisaan_validate.process.deadline import Deadline

    closes = profile.window.until(started) if profile.window is not None else None
    if profile.window is not None and closes is None and not anyway:
        here = started.astimezone(profile.window.zone)
        raise OutsideWindow(
            f"it is {here:%H:%M}, and [scan.{profile.name}] may run {profile.window}; nothing was checked",
            "start it within its window, or now: scan --now",
        )
    end = end_of(profile, started, None if anyway else closes)
    return Deadline(since + end.seconds, end.reason, profile.grace) if end is not None else None


def _scanned(night: ScanNight) -> tuple[Judgement, bool]:
    """The steps of a night, in their order: the run, judged and shown, and whether it could be recorded."""
    from kisaan_validate.cli.lock import only_one
    from kisaan_validate.cli.run_command import keep_and_show, prove_attended
    from kisaan_validate.cli.scan_history import remembered
    from kisaan_validate.cli.telling import standing_notices
    from kisaan_validate.facts.result import FailOn
    from kisaan_validate.signoff.provenance import provenance_of
    from kisaan_validate.verdict.judgement import judge

    config, suite, target, stop = night.config, night.suite, night.target, night.stop
    # Held until all is recorded: the next scan must find this one.
    with only_one(config, suite, target, stop, wanted=True):
        # Before the run: what is committed while it lasts is not what was run.
        origin = provenance_of(
            config.suite, suite.sources, operator=config.operator, approvals=config.signoff.approvals
        )
        before = remembered(config, suite, target)
        options = _options(night, before)
        run = prove_attended(suite, target, night.given["quiet"], options, stop)
        notices = (*run.notices, *standing_notices(config))
        run = _with_past(replace(run, provenance=origin, notices=notices), before)
        judged = judge(run, waivers=options.waivers)
        judged = replace(judged, sources=str(config.suite))
        since_last = options.fail_on is FailOn.NEW
        return keep_and_show(judged, config, night.given, since_last=since_last)


def _options(night: ScanNight, before: LastProved | None) -> Options:
    """How the run is done. Raises UsageError and SuiteError."""
    from kisaan_validate.cli.past_figures import past_figures
    from kisaan_validate.cli.recorded import the_earlier
    from kisaan_validate.cli.scan_history import resume_from
    from kisaan_validate.facts.result import FailOn

    config, profile = night.config, night.profile
    return the_options(
        config,
        sample=config.sample,
        trust_constraints=config.trust_constraints,
        trust_indexes=config.trust_indexes,
        waivers=the_waivers(config, night.whole, None, False),
        profile=profile.profile,
        fail_on=FailOn(profile.fail_on),
        past=past_figures(config, night.whole),
        earlier=the_earlier(config, night.suite, night.target),
        guard=profile.guard if profile.guard is not None else config.guard,
        resume=resume_from(config, profile, night.suite, night.target),
        first=before.turns if before is not None else {},
        until=night.until,
        noted=profile.recorded(),
    )


def _with_past(run: Run, before: LastProved | None) -> Run:
    """The run, which says when each table was last proved, as far as that is known."""
    from kisaan_validate.history.proved import proved_now

    return replace(run, proved=proved_now(run, before)) if before is not None else run
