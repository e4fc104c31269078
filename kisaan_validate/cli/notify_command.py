"""``kisaan-validate notify``: tell people what is news in a recorded run. Needs no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kisaan_validate.cli.options import the_config

if TYPE_CHECKING:
    from kisaan_validate.cli.telling import TellingDone
    from kisaan_validate.ops.config import Config


@click.command("notify", short_help="Tell people what is new, worse or fixed in a run.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN]")
@click.option("--drill", is_flag=True, help="Send a marked alarm, and say which receipt came back.")
@click.option("--retry", is_flag=True, help="Send only what waits, also what was given up.")
@click.option("--dry-run", is_flag=True, help="Print the message, and send nothing.")
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
def command(
    run: Path | None, drill: bool, retry: bool, dry_run: bool, reports: Path | None, config: Path | None
) -> int:
    """Tell people what is news in RUN, the folder of a recorded run (default: the newest): what is new,
    worse, fixed, or still open after a week. Nothing is sent where nothing is news, or where the run was
    told already. Who is told stands in [notify] of kisaan.toml.

    A message waits in the folder of reports until every channel took it.
    """
    from kisaan_validate.errors import UsageError

    if drill + retry + dry_run > 1 or (run is not None and (drill or retry)):
        raise UsageError("these options exclude each other", "give one of RUN, --drill and --retry")
    settings = the_config(config, reports=reports)
    if not settings.reports.is_dir():
        raise UsageError(
            f"no such folder: {str(settings.reports)!r}", "name the folder of reports with --reports"
        )
    if drill:
        return hold_drill(settings)
    if retry:
        return _retry(settings)
    return _tell(settings, run, dry_run)


def _tell(config: Config, run: Path | None, dry_run: bool) -> int:
    from kisaan_validate.cli.exits import notify_exit_code
    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.cli.telling import message_for, tell, the_notify
    from kisaan_validate.report.shown import shown
    from kisaan_validate.report.text import flat

    # Before any run is read: without anybody to tell there is nothing to do.
    the_notify(config)
    folder = run or _newest(config)
    judged = judged_again(folder / "run.json" if folder.is_dir() else folder)
    if dry_run:
        message = message_for(config, judged)
        click.echo(shown(f"{message.subject}\n\n{message.body}") if message is not None else _QUIET)
        return notify_exit_code(0)
    done = tell(config, judged)
    if done.message is not None:
        click.echo(f"told    {flat(done.message.subject)}")
    else:
        click.echo("quiet   this run was told already" if done.again else _QUIET)
    return _shown(done)


_QUIET = "quiet   nothing is news"


def _retry(config: Config) -> int:
    from kisaan_validate.cli.telling import send_again

    done = send_again(config)
    if not done.sent and not done.undelivered:
        click.echo("quiet   nothing waits")
    return _shown(done)


def _shown(done: TellingDone) -> int:
    from kisaan_validate.cli.exits import notify_exit_code
    from kisaan_validate.report.text import flat

    for sent in done.sent:
        click.echo(f"{'sent' if sent.delivered else 'failed':<7} {flat(sent.channel)}: {flat(sent.said)}")
    for notice in done.undelivered:
        click.echo(f"note    {flat(notice.message)}; {flat(notice.hint)}", err=True)
    failed = sum(not sent.delivered for sent in done.sent)
    return notify_exit_code(failed + len(done.undelivered))


def hold_drill(config: Config) -> int:
    """Send a marked alarm and print the receipts; the exit code. Raises UsageError where nobody is to be
    told, RecordError.
    """
    from kisaan_validate.cli.exits import notify_exit_code
    from kisaan_validate.cli.telling import drill
    from kisaan_validate.report.text import flat

    held = drill(config)
    for answer in held.answers:
        word = "receipt" if answer.delivered else "FAILED"
        click.echo(f"{word:<7} {flat(answer.channel)}: {flat(answer.said)}")
    return notify_exit_code(len(held.failed))


def _newest(config: Config) -> Path:
    """The folder of the newest run. Raises UsageError where there is none."""
    from urllib.parse import unquote

    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.errors import UsageError

    with the_history(config) as found:
        nights = found.history.nights()
    if not nights:
        raise UsageError(f"{config.reports} holds no run", "run `kisaan-validate run` first")
    return config.reports / unquote(nights[0].night.folder)
