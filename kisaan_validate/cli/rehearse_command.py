"""``kisaan-validate rehearse``: run a migration on a copy of production, and tell what it would do there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kisaan_validate.facts.rehearsed import RehearsalJudgement, Rehearsed
    from kisaan_validate.process.stopping import Stop


@click.command("rehearse", short_help="Run a migration on a copy, and tell what it would do to production.")
@click.option("--dump", type=click.Path(path_type=Path), help="The dump of production (pg_dump).")
@click.option("--migrations", type=click.Path(path_type=Path), help="The folder of SQL files.")
@click.option("--cmd", metavar="COMMAND", help="The team's own command instead; DATABASE_URL names the copy.")
@click.option(
    "--env",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of --cmd, --app and --old-app; {host}, {port}, {user}, {password}, {database}, {url} "
    "stand for the copy's. Repeatable.",
)
@click.option(
    "--fix",
    type=click.Path(path_type=Path),
    help="Instead of a migration: prove the kits in this folder, with repair and way back.",
)
@click.option("--contract", type=click.Path(path_type=Path), help="The migration's contract.")
@click.option("--suite", type=click.Path(path_type=Path), help="The suite's folder.  [default: checks]")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: kisaan.toml]"
)
@click.option(
    "--waivers", type=click.Path(path_type=Path), help="The file of accepted failures and findings."
)
@click.option("--no-waivers", is_flag=True, help="Ignore waivers.")
@click.option("--queries", type=click.Path(path_type=Path), help="A file of the application's queries.")
@click.option(
    "--dsn",
    metavar="DSN",
    help="Production, only read: its pg_stat_statements, and one count to compare speeds.",
)
@click.option("--old-app", metavar="COMMAND", help="Start the previous build on the migrated copy.")
@click.option(
    "--old-app-health",
    default="/",
    show_default=True,
    metavar="PATH",
    help="The path that it answers, on $PORT; or a URL here.",
)
@click.option("--app", metavar="COMMAND", help="Start the new build on the migrated copy, for --probes.")
@click.option(
    "--probes", type=click.Path(path_type=Path), help="The probes that --app must pass, writes included."
)
@click.option(
    "--open-reader",
    type=click.FloatRange(0, 3_600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Leave a reader open so long; 0: none.",
)
@click.option(
    "--settings", multiple=True, metavar="NAME=VALUE", help="A setting of the migrating session. Repeatable."
)
@click.option(
    "--interruptions",
    type=click.IntRange(0, 1_000),
    default=12,
    show_default=True,
    help="Kill the migration before so many of its changes; 0: never.",
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 604_800),
    default=3_600,
    show_default=True,
    metavar="SECONDS",
    help="Give up each run of the migration after that.",
)
@click.option("--ledger", default="_migrations", show_default=True, help="The table of applied files.")
@click.option("--scratch-bin", type=click.Path(path_type=Path), help="The folder of PostgreSQL's programs.")
@click.option("--scratch-dir", type=click.Path(path_type=Path), help="Where the scratch server is made.")
@click.option("--scratch-dsn", metavar="DSN", help="A server that `scratch adopt` marked.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the page's path.")
def command(**given: Any) -> int:
    """Restore a dump into a server of our own, run a migration on clones of it, and tell what it would do:
    locks and waits, differences, queries that break, rollback, interruption. Writes a page, a record and a
    receipt.

    Exit 0: nothing speaks against it; 1: something does; 3: something was not done or is not known.
    """
    from kisaan_validate.cli.exits import rehearse_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.rehearsal_files import keep_rehearsal
    from kisaan_validate.cli.rehearse_fix import rehearse_fix
    from kisaan_validate.cli.rehearse_inputs import read_inputs, rehearsed
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rehearse.judge import judge_rehearsal

    if given["fix"] is not None:
        return rehearse_fix(given)
    # All that is named is read before anything is restored.
    inputs = read_inputs(given)
    stop = Stop()
    outcome = attended(lambda stop: rehearsed(inputs, stop), stop)
    outcome, kept = keep_rehearsal(outcome, inputs.output)
    judged = judge_rehearsal(outcome.found, kept=kept)
    _print(outcome.found, judged, inputs.output if kept else None, quiet=given["quiet"])
    return rehearse_exit_code(judged.verdict, interrupted=_interrupted(stop), kept=kept)


def _interrupted(stop: Stop) -> bool:
    return stop.requested


def _print(found: Rehearsed, judged: RehearsalJudgement, folder: Path | None, *, quiet: bool) -> None:
    from kisaan_validate.cli.output import say
    from kisaan_validate.report.rehearsal_console import rehearsal_lines

    for line in rehearsal_lines(found, judged, quiet=quiet):
        say(line)
    if folder is not None:
        say(f"page     {folder / 'rehearsal.html'}")
    else:
        say("page     none, as it could not be written")
