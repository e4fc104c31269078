"""``kisaan-validate history backtest``: what the rules of volumes would have said of recorded nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from kisaan_validate.cli.options import the_config

if TYPE_CHECKING:
    from kisaan_validate.facts.check import Check
    from kisaan_validate.history.night import Night
    from kisaan_validate.history.store import History
    from kisaan_validate.ops.config import Config
    from kisaan_validate.volumes.backtest import TriedNight
    from kisaan_validate.volumes.model import PastPoint, VolumeFact, VolumeRule


@click.command("backtest", short_help="Try the rules of volumes on recorded nights.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="KEY=VALUE",
    help="Try another setting: share=20%, nights=6, by=any, score=5, at_least_change=100. Repeatable.",
)
@click.option(
    "--last", type=click.IntRange(1), default=90, show_default=True, metavar="N", help="The last N nights."
)
@click.option(
    "--reports", type=click.Path(path_type=Path), help="The folder for reports.  [default: reports]"
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The configuration file.  [default: ./kisaan.toml]"
)
@click.pass_obj
def command(
    outer: dict[str, Any], /, ids: tuple[str, ...], rules: tuple[str, ...], last: int, **given: Any
) -> int:
    """Say on which of the last nights each volume would have failed, as the newest run declares it, and
    propose least and most. ID names volumes of the newest run's suite and database; without one, all.
    """
    from kisaan_validate.cli.exits import history_exit_code
    from kisaan_validate.cli.history_index import the_history

    said = {name: given.get(name) or (outer or {}).get(name) for name in ("config", "reports")}
    config = the_config(said["config"], reports=said["reports"])
    with the_history(config) as found:
        nights = _nights(found.history)
    volumes = _volumes(config, nights, ids)
    for check, fact, points in volumes:
        for text in _tried(check, _rule(fact.rule, rules), points, last):
            click.echo(text)
    if not volumes:
        click.echo("no recorded run has the figure of a volume; declare.volume declares one")
    return history_exit_code(found.unread)


def _nights(history: History) -> list[Night]:
    """All nights of the newest run's suite and database with their figures, the oldest first."""
    listed = history.nights()
    if not listed:
        return []
    from kisaan_validate.history.night import same_database

    newest = listed[0].night
    return same_database(history.of_suite(newest.suite, (), listed[-1].night.at), newest)


def _volumes(
    config: Config, nights: Sequence[Night], ids: Sequence[str]
) -> list[tuple[Check, VolumeFact, tuple[PastPoint, ...]]]:
    """Each volume as the newest run with its figure has it, and its figures. Raises UsageError for an id that
    no night has.
    """
    from kisaan_validate.errors import UsageError
    from kisaan_validate.history.earlier import figures_of
    from kisaan_validate.history.lines import now_called
    from kisaan_validate.text.nearest import nearest

    renamed = config.renamed
    figures = figures_of(nights, renamed)
    newest = {
        now_called(outcome.check, renamed): (night, outcome.check)
        for night in nights
        for outcome in night.outcomes
        if outcome.figure
    }
    for id in ids:
        if id not in newest:
            hint = nearest(id, newest, "without an ID all volumes are tried")
            raise UsageError(f"no run has the figure of a volume {id!r}", hint)
    found = []
    for id in ids or sorted(newest):
        check, fact = _recorded(config, *newest[id])
        found.append((check, fact, figures.get((id, fact.measured), ())))
    return found


def _recorded(config: Config, night: Night, id: str) -> tuple[Check, VolumeFact]:
    """A volume as a run recorded it. Raises RecordError."""
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.codec import run_from_json
    from kisaan_validate.record.files import read_file

    path = config.reports / unquote(night.folder) / "run.json"
    run = run_from_json(read_file(path), str(path))
    fact = next((result.volume for result in run.results if result.check_id == id), None)
    if fact is None:
        raise RecordError(
            f"{path} has no figure of {id}", "make the index again: kisaan-validate history rebuild"
        )
    return run.by_id[id], fact


def _rule(rule: VolumeRule, given: Sequence[str]) -> VolumeRule:
    from kisaan_validate.errors import SuiteError, UsageError
    from kisaan_validate.rules.volume_reading import overridden

    try:
        return overridden(rule, given)
    except SuiteError as error:
        raise UsageError(f"--rule: {error.fact}", error.hint) from None


def _tried(check: Check, rule: VolumeRule, points: Sequence[PastPoint], last: int) -> Iterator[str]:
    from kisaan_validate.report.text import flat
    from kisaan_validate.text.numbers import counted
    from kisaan_validate.volumes.backtest import proposed, tried
    from kisaan_validate.volumes.words import rule_words

    nights = tried(rule, points, check.table, check.columns)[-last:]
    rung = [night for night in nights if night.rings]
    tried_on, times = counted(len(nights), "night"), counted(len(rung), "time")
    yield f"{flat(check.id)}: with this rule the last {tried_on} would have failed {times}"
    yield f"  rule      {flat(rule_words(rule))}"
    if unknown := _unknown(nights):
        yield f"  unknown   on {counted(unknown, 'night')} the past knows too little"
    yield from (f"  fails     {flat(night.outcome.message)}" for night in rung)
    if bounds := proposed(rule, nights):
        yield f"  proposed  {bounds}"


def _unknown(nights: Sequence[TriedNight]) -> int:
    from kisaan_validate.volumes.judge import VolumeState

    return sum(night.outcome.state is VolumeState.TOO_LITTLE for night in nights)
