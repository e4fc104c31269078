"""``kisaan-validate explain``: the SQL that a run would send, without sending it."""

from __future__ import annotations

from typing import Any

import click

from kisaan_validate.cli.options import suite_options, target_options, the_config, the_limits, the_suite


@click.command("explain", short_help="Show the SQL of a run, without running it.")
@suite_options
@target_options
def command(**given: Any) -> int:
    """Show the SQL it would run, without running it; only the system catalogue is read."""
    from kisaan_validate.database.target import find_target
    from kisaan_validate.runner import Options, explain, suggestions

    config = the_config(
        given["config"], suite=given["suite"], jobs=given["jobs"], lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )  # fmt: skip
    part = the_suite(config).narrowed(given["select"], given["exclude"])
    options = Options(jobs=config.jobs, limits=the_limits(config), expect=config.expect)
    plan = explain(part, find_target(given["dsn"]), options)
    for number, statement in enumerate(plan.counting, 1):
        ids = statement.check_ids
        click.echo(f"-- statement {number} of {plan.statements}: {statement.purpose}")
        for position, id in enumerate(ids, 1):
            click.echo(f"--   {f'c{position} ' if len(ids) > 1 else ''}{id}")
        click.echo(f"{statement.sql()};\n")
    for stream in plan.streams:
        click.echo(f"-- {stream.purpose}, for checks in Python{'' if stream.ordered else ', in ranges of blocks where that helps'}")
        for judge in stream.judges:
            click.echo(f"--   {judge.check_id} ({'row by row' if judge.row_wise else 'whole columns'}: {', '.join(judge.columns)})")
        click.echo(f"{stream.sql()};\n")
    for id, text in suggestions(part).items():
        click.echo(f"-- {id} could be judged inside the database: {text}")
    for result in plan.settled.values():
        click.echo(f"-- no statement: {result.check_id}: {result.status.value}. {result.message}".rstrip(". "))
    return 0
