"""``kisaan-validate list``: what the suite declares. Needs no database."""

from __future__ import annotations

from typing import Any

import click

from kisaan_validate.cli.options import suite_options, the_config, the_part, the_suite


@click.command("list", short_help="List the checks of the suite.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@suite_options
def command(names: tuple[str, ...], **given: Any) -> None:
    """List the checks of the suite: id, severity, what must hold. NAME is a table, schema.table, check id
    or tag; * matches any characters.
    """
    from kisaan_validate.report.console_story import print_checks

    suite = the_suite(the_config(given["config"], suite=given["suite"]))
    part = the_part(suite, given, names)
    print_checks(part.checks, suite.total)
