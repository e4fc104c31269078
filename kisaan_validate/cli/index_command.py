"""``kisaan-validate index``: the pages over all runs of a folder, made again from the runs themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kisaan_validate.cli.options import the_config


@click.command("index", short_help="Rebuild the list of runs.")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--all", "anew", is_flag=True, help="Read unchanged runs again too.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
def command(folder: Path | None, anew: bool, config: Path | None) -> int:
    """Write index.html, the list of all runs in a folder (default: the configured folder of reports).
    Needs no database.

    `run` does this itself; use this after copying or removing runs. The cache .kisaan-index.json can be
    deleted at any time.
    """
    from kisaan_validate.cli.exits import index_exit_code
    from kisaan_validate.cli.runs_index import INDEX_PAGE, update_index
    from kisaan_validate.errors import UsageError
    from kisaan_validate.report.text import flat
    from kisaan_validate.text.numbers import counted

    reports = folder or the_config(config).reports
    if not reports.is_dir():
        raise UsageError(f"no such folder: {str(reports)!r}", "name the folder of reports")
    index = update_index(reports, anew=anew)
    for found in index.unread:
        print(f"note    {flat(found.folder)}: {flat(found.reason)}", file=sys.stderr)
    click.echo(f"index   {reports / INDEX_PAGE}: {counted(len(index.entries), 'run')}")
    return index_exit_code(sum(found.damaged for found in index.unread))
