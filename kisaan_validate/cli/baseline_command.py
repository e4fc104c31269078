"""``kisaan-validate baseline``: freeze what the data is, before a migration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kisaan_validate.cli.options import suite_options, target_options, the_config, the_limits, the_suite


@click.command("baseline", short_help="Freeze rows, columns and violating counts before a change.")
@suite_options
@target_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but where the file is.")
def command(output: Path, force: bool, quiet: bool, **given: Any) -> int:
    """Store every table's exact rows and columns, and every check's violating count, in a file."""
    from kisaan_validate.baseline import baseline_of
    from kisaan_validate.cli.job import attended, progress_observer
    from kisaan_validate.database.target import find_target
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.codec import baseline_to_json
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.console import print_baseline
    from kisaan_validate.runner import Options, run

    if output.exists() and not force:
        raise UsageError(f"{output} exists already", "choose another name, or pass --force to replace it")
    config = the_config(
        given["config"], suite=given["suite"], jobs=given["jobs"], lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )  # fmt: skip
    suite, target = the_suite(config), find_target(given["dsn"])
    options = Options(jobs=config.jobs, sample=0, limits=the_limits(config), count_all=True, expect=config.expect)
    with progress_observer(quiet) as observer:
        measured = attended(
            lambda stop: run(
                suite, target, select=given["select"], exclude=given["exclude"], options=options, observer=observer,
                stop=stop,
            )
        )  # fmt: skip
    if measured.interrupted:
        raise click.Abort
    baseline = baseline_of(measured)
    write_file(output, baseline_to_json(baseline))
    print_baseline(baseline, output, quiet=quiet)
    incomplete = [t for t in baseline.tables if t.rows is None]
    return 3 if incomplete else 0
