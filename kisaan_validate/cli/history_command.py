"""``kisaan-validate history``: all recorded runs, and one check through them. Needs no database."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.history_backtest import command as backtest
from kisaan_validate.cli.options import the_config

if TYPE_CHECKING:
    from kisaan_validate.history.lines import LineNight
    from kisaan_validate.history.marks import HistoryMark
    from kisaan_validate.history.retention import Retention
    from kisaan_validate.history.store import History
    from kisaan_validate.ops.config import Config

_PLACE = (
    click.option(
        "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
    ),
    click.option(
        "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
    ),
)
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


def _placed(function: Any) -> Any:
    for option in reversed(_PLACE):
        function = option(function)
    return function


@click.group(
    "history", short_help="List all recorded runs: what is new, known, fixed.", invoke_without_command=True
)
@_placed
@click.option("--suite-name", metavar="NAME", help="Only runs of this suite.")
@click.option("--database", metavar="NAME", help="Only runs on this database.")
@click.option(
    "--verdict", type=click.Choice(["PASS", "FAIL", "INCONCLUSIVE"], case_sensitive=False), help="Only these."
)
@click.option("--since", type=_DAY, help="Only runs since this day or time, in UTC.")
@click.option(
    "--last", type=click.IntRange(1), default=30, show_default=True, metavar="N", help="At most so many."
)
@click.pass_context
def command(context: click.Context, /, **given: Any) -> int | None:
    """List the recorded runs, the newest first: verdict, and how many checks are new failures, known,
    grown, fixed or without an answer.

    A failure is known by its check and what that means; `[history.renamed]` in kisaan.toml lets a check
    that was renamed keep its past.
    """
    from kisaan_validate.cli.exits import history_exit_code

    context.obj = given
    if context.invoked_subcommand is not None:
        return None
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.report.nights import night_lines, none_listed

    config = _config(given)
    with the_history(config) as found:
        listed = found.history.nights(**_wanted(given))
        some = bool(found.history.folders())
    marks = _marks(config)
    for text in night_lines(listed, marks):
        click.echo(text)
    if not listed:
        click.echo(none_listed(some))
    return history_exit_code(found.unread)


command.add_command(backtest)


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    """What the options say of the nights to list."""
    since = given["since"]
    return {
        "suite": given["suite_name"] or "",
        "database": given["database"] or "",
        "verdict": (given["verdict"] or "").upper(),
        "since": since.replace(tzinfo=UTC) if since is not None else None,
        "last": given["last"],
    }


@command.command("show", short_help="Show one check through all runs.")
@click.argument("id", metavar="ID")
@_placed
@click.pass_obj
def show(outer: dict[str, Any], /, id: str, **given: Any) -> int:
    """Show the check ID through all runs of the newest run's suite and database: since when it fails, how
    many rows on which night, and what happened between.
    """
    from kisaan_validate.cli.exits import history_exit_code
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.report.nights import check_history

    config = _config(given, outer)
    with the_history(config) as found:
        lines = _lines(found.history, config, id)
    marks = _marks(config)
    for line in lines:
        for text in check_history(line, marks):
            click.echo(text)
    return history_exit_code(found.unread)


def _lines(history: History, config: Config, id: str) -> list[list[LineNight]]:
    """The lines of a check, one for each of its meanings. Raises UsageError if there is none."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.history.lines import now_called
    from kisaan_validate.text.nearest import nearest

    nights = history.nights(last=1)
    names = [id, *(old for old in config.renamed if now_called(old, config.renamed) == id)]
    lines = history.lines(nights[0].night, names) if nights else []
    if not lines:
        known = (
            {o.outcome.check for line in history.lines(nights[0].night) for o in line} if nights else set()
        )
        raise UsageError(
            f"no run has a check {id!r}", nearest(id, known, "`kisaan-validate list` lists them")
        )
    return lines


@command.command("proved", short_help="Show when each table was last proved.")
@_placed
@click.pass_obj
def proved(outer: dict[str, Any], /, **given: Any) -> int:
    """Show for each table that the newest run asked about the last run in which all of its checks had an
    answer, whatever it was; the one that is longest ago first.
    """
    from kisaan_validate.cli.exits import history_exit_code
    from kisaan_validate.cli.history_proved import proved_lines

    lines, unread = proved_lines(_config(given, outer))
    for text in lines or ["no run is recorded yet"]:
        click.echo(text)
    return history_exit_code(unread)


@command.command("mark", short_help="Note an event, shown between the runs.")
@click.argument("text")
@click.option("--at", type=_DAY, help="When, in UTC.  [default: now]")
@_placed
@click.pass_obj
def mark(outer: dict[str, Any], /, text: str, at: datetime | None, **given: Any) -> None:
    """Remember TEXT, as "release 1.4 deployed": `history` shows it between the runs before and after it."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.history.marks import LONGEST, HistoryMark, add_mark
    from kisaan_validate.report.text import flat

    if not text.strip() or len(text) > LONGEST:
        raise UsageError("the mark has no text, or too much", f"say what happened in {LONGEST} characters")
    reports = _config(given, outer).reports
    if not reports.is_dir():
        raise UsageError(f"no such folder: {str(reports)!r}", "name the folder of reports with --reports")
    mark = HistoryMark(at.replace(tzinfo=UTC) if at is not None else datetime.now(UTC), text)
    add_mark(reports, mark)
    click.echo(f"mark    {flat(mark.text)}")


@command.command("rebuild", short_help="Make the index of all runs again.")
@_placed
@click.pass_obj
def rebuild(outer: dict[str, Any], /, **given: Any) -> int:
    """Make the index again from the run.json files, which are what counts."""
    from kisaan_validate.cli.exits import history_exit_code
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.text.numbers import counted

    with the_history(_config(given, outer), anew=True) as found:
        number = len(found.history.known())
    click.echo(f"history {counted(number, 'run')}")
    return history_exit_code(found.unread)


@command.command("prune", short_help="Remove old runs by a rule; each leaves a tombstone.")
@click.option("--keep-days", type=click.IntRange(1, 36_500), metavar="N", help="Keep runs of so many days.")
@click.option(
    "--keep-runs", type=click.IntRange(1), metavar="N", help="Keep the newest of each suite and database."
)
@click.option(
    "--keep-weeks", type=click.IntRange(1, 36_500), metavar="N", help="Keep one run a week for so long."
)
@click.option(
    "--forget-keys",
    type=click.IntRange(1, 36_500),
    metavar="DAYS",
    help="Remove runs that hold keys of rows after so many days, whatever is kept.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@_placed
@click.pass_obj
def prune(outer: dict[str, Any], /, yes: bool, **given: Any) -> int:
    """List the runs that the rule of [history] in kisaan.toml, or of these options, removes; with --yes
    remove them. What is removed leaves its verdict, counts and place in the chain in tombstone.json.

    What is signed or packed stays, and so does the newest run of each suite and database.
    """
    from kisaan_validate.cli.exits import history_exit_code
    from kisaan_validate.cli.history_prune import prune as pruned
    from kisaan_validate.report.nights import prune_lines

    config = _config(given, outer)
    rule = _retention(config, given)
    found = pruned(config, rule, datetime.now(UTC), remove=yes)
    for text in prune_lines(found.fates, removed=yes):
        click.echo(text)
    for left in found.left:
        print(f"note    {left}", file=sys.stderr)
    if found.finished:
        click.echo(f"finished {found.finished:,} removals that were cut short")
    return history_exit_code(found.unread)


def _retention(config: Config, given: dict[str, Any]) -> Retention:
    """The rule of the options, each before that of the configuration. Raises UsageError if there is none."""
    from dataclasses import replace

    from kisaan_validate.errors import UsageError

    forget = given["forget_keys"] * 86_400 if given["forget_keys"] else None
    said = {"days": given["keep_days"], "runs": given["keep_runs"], "weeks": given["keep_weeks"]}
    said |= {"forget_seconds": forget}
    rule = replace(config.retention, **{name: value for name, value in said.items() if value is not None})
    if rule.weeks is not None and not rule.by_age:
        raise UsageError(
            "keep_weeks alone would remove today's runs",
            "say with keep_days or keep_runs what is kept besides one run a week",
        )
    if not rule.by_age and rule.forget_seconds is None:
        raise UsageError(
            "no rule says which runs are removed",
            "write keep_days or keep_runs under [history] in kisaan.toml, or pass --keep-days",
        )
    return rule


def _marks(config: Config) -> list[HistoryMark]:
    from kisaan_validate.history.marks import MARKS_FILE, read_marks
    from kisaan_validate.text.numbers import counted

    marks, unread = read_marks(config.reports)
    if unread:
        said = f"{counted(unread, 'line')} of {MARKS_FILE} cannot be read"
        print(f"note    {said}", file=sys.stderr)
    return marks


def _config(given: dict[str, Any], outer: dict[str, Any] | None = None) -> Config:
    """The configuration; what is said after a subcommand counts more than what is said before it."""
    said = {name: given.get(name) or (outer or {}).get(name) for name in ("config", "reports")}
    return the_config(said["config"], reports=said["reports"])
