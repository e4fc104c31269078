"""``kisaan-validate index``: the pages over all runs of a folder, made again from the runs themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kisaan_validate.cli.options import the_config


@click.command("index", short_help="Make the page over all runs again.")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--anew", is_flag=True, help="Read every run again, also those that look as they did.")
@click.option("--config", type=click.Path(path_type=Path), help="A kisaan.toml.  [default: ./kisaan.toml]")
def command(folder: Path | None, anew: bool, config: Path | None) -> int:
    """Write index.html over all runs of a folder (by default the configured folder of reports). Needs no
    database.

    Every run does this by itself; this is for runs that were copied, removed or left behind. A file
    .kisaan-index.json spares reading what did not change; it can be deleted at any time."""
    from kisaan_validate.cli.exits import index_exit_code
    from kisaan_validate.cli.runs_index import INDEX_PAGE, update_index
    from kisaan_validate.errors import UsageError
    from kisaan_validate.report.text import flat
    from kisaan_validate.text.numbers import counted

    reports = folder or the_config(config).reports
    if not reports.is_dir():
        raise UsageError(f"there is no folder {str(reports)!r}", "name the folder of reports")
    index = update_index(reports, anew=anew)
    for found in index.unread:
        print(f"note    {flat(found.folder)}: {flat(found.reason)}", file=sys.stderr)
    click.echo(f"index   {reports / INDEX_PAGE}: {counted(len(index.entries), 'run')}")
    return index_exit_code(sum(found.damaged for found in index.unread))
