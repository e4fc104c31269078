"""``kisaan-validate last``: whether the last run is young enough. Needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import the_config
from kisaan_validate.cli.watched import Span, watched_options

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config


@click.command("last", short_help="Say whether the last run is young enough, for another host's cron.")
@click.option(
    "--within",
    type=Span(),
    required=True,
    metavar="SPAN",
    help="How old the last run may be, such as '26 h'.",
)
@watched_options
def command(within: Any, **given: Any) -> int:
    """Exit 0 only if the newest whole run of every suite and database in the folder of reports (or in the
    index, if [history] names a database) ended and is at most --within old, whatever its verdict; else 7.

    A run that was partial or interrupted does not count, nor one that is dated in the future. With --scan, of
    the runs of that profile, one counts that asked all that the profile names, be it a part of the suite.
    """
    return ran_within(the_config(given["config"], reports=given["reports"]), within, given)


def ran_within(config: Config, within: timedelta, given: Mapping[str, Any]) -> int:
    """Say of each series of runs that fits ``given`` (suite_name, database, scan) whether its last run is
    as young; the exit code. Raises UsageError where neither index nor folder is there.
    """
    from kisaan_validate.cli.exits import last_exit_code
    from kisaan_validate.cli.watched import found_nights
    from kisaan_validate.watch.last import age_of, all_ran

    found = found_nights(config, given)
    now = datetime.now(UTC)
    ages = [age_of(series, now, within) for series in found.series]
    for age in ages:
        click.echo(f"{'ran' if age.ran else 'DID NOT RUN':<11}  {age.said}")
    if not ages:
        click.echo("DID NOT RUN  no recorded run fits")
    if found.unread:
        click.echo(
            f"note    {found.unread} recorded runs cannot be read; a newer one may be among them", err=True
        )
    return last_exit_code(all_ran(ages))
