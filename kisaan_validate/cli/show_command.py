"""``kisaan-validate show``: one check, and what it came to last. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import the_config, the_suite

if TYPE_CHECKING:
    from kisaan_validate.facts.check import Check
    from kisaan_validate.suite.load import Suite


@click.command("show", short_help="Show one check and its last result.")
@click.argument("id", metavar="ID")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
def command(id: str, **given: Any) -> None:
    """Show the check ID: what it claims, why, where it is declared, and from the newest recorded run its
    result, first failing keys and SQL. Needs no database.
    """
    from kisaan_validate.cli.recorded import recorded_runs
    from kisaan_validate.report.one_check import check_lines

    config = the_config(given["config"], suite=given["suite"], reports=given["reports"])
    suite = the_suite(config)
    check = _one(suite, id)
    runs = recorded_runs(config.reports, suite.settings.name)
    run = next((run for run in runs if check.id in run.by_id), None)
    for line in check_lines(check, config.suite, run, config.reports):
        click.echo(line, color=True)


def _one(suite: Suite, id: str) -> Check:
    """The one check that is meant. Raises UsageError where several are, SuiteError where none is."""
    from kisaan_validate.errors import UsageError

    found = suite.narrowed([id]).checks
    if len(found) > 1:
        near = ", ".join(check.id for check in found[:3])
        raise UsageError(
            f"{id!r} means {len(found):,} checks, but one is shown at a time",
            f"name one: {near}{', …' if len(found) > 3 else ''}; `kisaan-validate list {id}` lists them",
        )
    return found[0]
