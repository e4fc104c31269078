"""``kisaan-validate preflight``: go, no-go or cannot tell before a migration, with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.migrations_inputs import KINDS
from kisaan_validate.cli.options import CONFIG, DSN, SUITE, Decorated
from kisaan_validate.cli.watched import Span

if TYPE_CHECKING:
    from kisaan_validate.facts.preflight import PreflightRecord

PATH = click.Path(path_type=Path)

LEAVABLE = (
    "backup",
    "rehearsal",
    "baseline",
    "target",
    "tables",
    "contract",
    "migrations",
    "dump",
    "settings",
    "gaps",
    "disk",
)
"""As ``preflight.rules`` has them: the help must not import a room."""


def _age(name: str, what: str, default: str) -> Decorated:
    return click.option(
        f"--{name}-age", type=Span(), metavar="SPAN", help=f"Oldest {what}.  [default: {default}]"
    )


@click.command("preflight", short_help="Decide whether a migration can begin, with reasons.")
@CONFIG
@SUITE
@DSN
@click.option(
    "--expect",
    multiple=True,
    metavar="KEY=NAME",
    help="The database, host or role that is meant. Repeatable.",
)
@click.option("--contract", type=PATH, help="The contract of the migration.")
@click.option(
    "--migrations",
    type=PATH,
    multiple=True,
    help="The folder of migrations; by default the suite's [ledger] folders. Repeatable.",
)
@click.option("--ledger-kind", type=click.Choice(KINDS), help="Whose ledger it is.  [default: names]")
@click.option("--ledger-table", metavar="TABLE", help="The ledger; by default that of its kind.")
@click.option(
    "--accept",
    multiple=True,
    metavar="WHAT",
    help="A known oddity of a migration, such as 'only reads: 007*'. Repeatable.",
)
@click.option("--certificate", type=PATH, help="The certificate of the backup.")
@click.option("--dump", type=PATH, help="The dump, if it is not beside its certificate.")
@click.option("--receipt", type=PATH, help="The receipt of the rehearsal.")
@click.option("--baseline", type=PATH, help="The baseline to compare with later.")
@click.option("--run", "run_file", type=PATH, help="A recent run whose counts say what has to be fixed.")
@click.option("--disk", type=PATH, help="A folder on the disk of the data, on the server's own host.")
@_age("backup", "dump", "1 d")
@_age("rehearsal", "rehearsal", "7 d")
@_age("baseline", "baseline", "1 d")
@_age("run", "counts", "1 d")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(LEAVABLE),
    metavar="NAME",
    help=f"Leave something out by name; that is recorded: {', '.join(LEAVABLE)}. Repeatable.",
)
@click.option(
    "--deep", is_flag=True, help="Also read rows: current counts, unique indexes, the dump's digest."
)
@click.option("--show-queries", is_flag=True, help="Show the query texts of sessions that are in the way.")
@click.option("-o", "--output", type=PATH, help="The folder to write.  [default: preflight]")
@click.option("--verbose", "-v", is_flag=True, help="Print every answer.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the page's path.")
def command(**given: Any) -> int:
    """Ask in seconds whether a migration can begin: the right database, tables and types, pending files, a
    certified backup, a rehearsal and a baseline that fit, nobody in the way, room on the disk, a server that
    is well. Reads no rows without --deep, only the server's state and files. Writes a page and a record.

    Exit 0: go; 1: no-go; 3: cannot tell. Work that the migration is there to do fails nothing.
    """
    from kisaan_validate.cli.exits import preflight_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.preflight_inputs import read_preflight_inputs
    from kisaan_validate.preflight.run import preflight
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.record.files import check_place

    folder: Path = given["output"] or Path("preflight")
    # Before anything is asked: an answer that nobody can read is worth nothing.
    check_place(folder / "preflight.json")
    asked = read_preflight_inputs(given)
    found = attended(lambda stop: preflight(asked, stop), Stop())
    recorded = _write(found, folder)
    _print(found, folder, given, recorded=recorded)
    return preflight_exit_code(found.verdict, recorded=recorded)


def _write(found: PreflightRecord, folder: Path) -> bool:
    """Write record and page; says on standard error why they could not be written."""
    from kisaan_validate.cli.output import kept
    from kisaan_validate.record.files import write_files
    from kisaan_validate.record.preflight import preflight_to_json
    from kisaan_validate.report.preflight_page import render_preflight

    text = preflight_to_json(found)
    texts = {"preflight.json": text, "preflight.html": render_preflight(found, text)}
    return kept(lambda: write_files([(folder / name, text) for name, text in texts.items()]))


def _print(found: PreflightRecord, folder: Path, given: dict[str, Any], *, recorded: bool) -> None:
    from kisaan_validate.cli.output import say
    from kisaan_validate.report.preflight_console import preflight_lines

    for line in preflight_lines(found, quiet=given["quiet"], verbose=given["verbose"]):
        say(line)
    if recorded:
        say(f"page         {folder / 'preflight.html'}")
