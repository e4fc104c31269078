"""``kisaan-validate run``: prove the suite, show it, record it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import suite_options, target_options, the_config, the_limits, the_suite

if TYPE_CHECKING:
    from kisaan_validate.model import Baseline, Run


@click.command("run", short_help="Prove every check and write a report.")
@suite_options
@target_options
@click.option("--baseline", type=click.Path(path_type=Path), help="Compare with a baseline file taken before.")
@click.option("--other-database", is_flag=True, help="The baseline may be of another database.")
@click.option("--sample", type=click.IntRange(0, 10_000), help="Failing keys shown per check.  [default: 20]")
@click.option("--trust-constraints", is_flag=True, default=None, help="Let a sound constraint stand in for a scan.")
@click.option("--reports", type=click.Path(path_type=Path), help="Where reports land.  [default: reports]")
@click.option("--quiet", "-q", is_flag=True, help="Only the verdict line and where the report is.")
@click.option("--verbose", "-v", is_flag=True, help="Every check, not only those that need attention.")
def command(baseline: Path | None, other_database: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Prove every check on the live database, in one read-only snapshot, and write a report."""
    from kisaan_validate.cli.exits import exit_code
    from kisaan_validate.cli.job import record
    from kisaan_validate.errors import RecordError
    from kisaan_validate.report.console import print_run

    before, digest = _baseline(baseline)
    config = the_config(
        given["config"], suite=given["suite"], jobs=given["jobs"], sample=given["sample"], reports=given["reports"],
        lock_timeout_ms=given["lock_timeout"], statement_timeout_ms=given["statement_timeout"],
        trust_constraints=given["trust_constraints"],
    )  # fmt: skip
    run = _prove(config, given, before, digest, other_database, quiet)
    place, recorded = None, True
    try:
        place = record(run, config.reports, before)
    except RecordError as error:
        print(f"error: {error}", file=sys.stderr)
        recorded = False
    print_run(run, before, place, quiet=quiet, verbose=verbose)
    return exit_code(run, recorded=recorded)


def _baseline(path: Path | None) -> tuple[Baseline | None, str]:
    from kisaan_validate.record.codec import baseline_from_json, digest_of
    from kisaan_validate.record.files import read_file

    if path is None:
        return None, ""
    text = read_file(path)
    return baseline_from_json(text, str(path)), digest_of(text)


def _prove(
    config: Any, given: dict[str, Any], before: Baseline | None, digest: str, other_database: bool, quiet: bool
) -> Run:
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.database.target import find_target
    from kisaan_validate.runner import Options, run

    suite, target = the_suite(config), find_target(given["dsn"])
    options = Options(
        jobs=config.jobs,
        sample=config.sample,
        limits=the_limits(config),
        trust_constraints=config.trust_constraints,
        count_all=before is not None,
        expect=config.expect,
        baseline=before,
        baseline_digest=digest,
        other_database=other_database,
    )
    with progress_observer(quiet) as observer:
        return attended(
            lambda stop: run(
                suite, target, select=given["select"], exclude=given["exclude"], options=options, observer=observer,
                stop=stop,
            )
        )  # fmt: skip
