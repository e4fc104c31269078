"""``kisaan-validate metrics``: the last run as a Prometheus textfile, and alert rules over it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.options import the_config
from kisaan_validate.cli.watched import Span, watched_options

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.watch.last import WatchedSeries
    from kisaan_validate.watch.textfile import WatchedRun


@click.command("metrics", short_help="Write the last run as Prometheus metrics; print alert rules.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write this file in one step, readable by all.  [default: print]",
)
@click.option(
    "--check",
    "always",
    multiple=True,
    metavar="PATTERN",
    help="Give checks of these ids a series even where they hold. Repeatable.",
)
@click.option("--rules", is_flag=True, help="Print alert rules instead; no run is read.")
@click.option(
    "--within",
    type=Span(),
    default=timedelta(hours=26),
    metavar="SPAN",
    help="How old the last run may be (--rules).  [default: 26 h]",
)
@watched_options
def command(output: Path | None, rules: bool, **given: Any) -> int | None:
    """Write metrics of the newest whole run of every suite and database in the folder of reports, for the
    textfile collector of Prometheus' node exporter. Failing checks beyond 50 are one sum. A profile that asks
    a part of a suite has series of its own, with its name as the label scan.
    """
    from kisaan_validate.watch.alerts import rules_text

    if rules:
        _write(output, rules_text(given["within"]))
        return None
    from kisaan_validate.cli.exits import history_exit_code

    config = the_config(given["config"], reports=given["reports"])
    only = {name: given[name] for name in ("suite_name", "database", "scan", "always")}
    return history_exit_code(write_metrics(config, output, **only))


def write_metrics(
    config: Config,
    output: Path | None,
    *,
    suite_name: str | None = None,
    database: str | None = None,
    scan: str | None = None,
    always: Sequence[str] = (),
) -> int:
    """Write the metrics of the recorded runs that fit, or print them without ``output``; how many runs could
    not be read. Raises UsageError and RecordError.
    """
    from kisaan_validate.cli.watched import found_nights
    from kisaan_validate.watch.textfile import metrics_text

    found = found_nights(config, {"suite_name": suite_name, "database": database, "scan": scan})
    runs = [_watched(config, series) for series in found.of_suites_and_scans(config.scans)]
    unread = found.unread + sum(r.judged is None and r.series.last_run is not None for r in runs)
    _write(output, metrics_text(runs, datetime.now(UTC), unreadable=unread, always=tuple(always)))
    return unread


def _watched(config: Config, series: WatchedSeries) -> WatchedRun:
    """A series with its last whole run, judged again; without it, which standard error explains, if it
    cannot be read.
    """
    import os
    import sys
    from urllib.parse import unquote_to_bytes

    from kisaan_validate.cli.report_command import judged_again
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.report.text import flat
    from kisaan_validate.watch.textfile import WatchedRun

    last = series.last_run
    if last is None:
        return WatchedRun(series, None)
    try:
        folder = config.reports / os.fsdecode(unquote_to_bytes(last.folder))
        return WatchedRun(series, judged_again(folder / "run.json"))
    except KisaanError as error:
        print(f"note    {flat(error.fact)}; its checks are not in the metrics", file=sys.stderr)
        return WatchedRun(series, None)


def _write(output: Path | None, text: str) -> None:
    from kisaan_validate.record.files import write_public

    if output is None:
        click.echo(text, nl=False)
    else:
        write_public(output, text)
