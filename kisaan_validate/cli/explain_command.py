"""``kisaan-validate explain``: the SQL that a run would send, without sending it."""

from __future__ import annotations

import sys
from typing import Any

import click

from kisaan_validate.cli.options import (
    suite_options,
    target_options,
    the_config,
    the_options,
    the_part,
    the_suite,
)


@click.command("explain", short_help="Show the SQL of a run without running it.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@suite_options
@target_options
def command(ids: tuple[str, ...], **given: Any) -> None:
    """Show the SQL that `run` would execute, without executing it. Reads only the system catalogue. ID
    names checks as --select does.
    """
    from kisaan_validate.cli.job import attended
    from kisaan_validate.postgres.target import find_target
    from kisaan_validate.prove.planning import suggestions
    from kisaan_validate.prove.run import explain

    config = the_config(
        given["config"],
        suite=given["suite"],
        jobs=given["jobs"],
        lock_timeout_ms=given["lock_timeout"],
        statement_timeout_ms=given["statement_timeout"],
    )
    part = the_part(the_suite(config), given, ids)
    options = the_options(config)
    target = find_target(given["dsn"])
    plan = attended(lambda stop: explain(part, target, options, stop))
    for number, statement in enumerate(plan.counting, 1):
        ids = statement.check_ids
        _remark(f"statement {number} of {plan.statements}: {statement.purpose}")
        for position, id in enumerate(ids, 1):
            _remark(f"  {f'c{position} ' if len(ids) > 1 else ''}{id}")
        _sql(statement.sql())
    for stream in plan.streams:
        _remark(
            f"{stream.purpose}, for checks in "
            f"Python{'' if stream.ordered else ', split into ranges of blocks if that is faster'}"
        )
        for judge in stream.judges:
            _remark(
                f"  {judge.check_id} ({'row by row' if judge.row_wise else 'whole columns'}: "
                f"{', '.join(judge.columns)})"
            )
        _sql(stream.sql())
    for id, text in suggestions(part).items():
        _remark(f"{id} could run inside the database: {text}")
    for result in plan.settled.values():
        _remark(f"no statement: {result.check_id}: {result.status.value}. {result.message}".rstrip(". "))


def _remark(text: str) -> None:
    """A line behind ``--``: whatever stands in a name, it cannot end the line and be SQL where this is
    piped into psql.
    """
    from kisaan_validate.report.text import plain

    click.echo(f"-- {plain(text)}")


def _sql(text: str) -> None:
    """The SQL as it is run; on a terminal, with hidden characters written by their names."""
    from kisaan_validate.report.shown import shown

    # color=True: else click takes what looks like a command to a terminal out of the name of a table.
    click.echo(f"{shown(text) if sys.stdout.isatty() else text};\n", color=True)
