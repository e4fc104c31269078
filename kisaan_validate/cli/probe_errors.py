"""``kisaan-validate probe errors``: the rate of errors before a change and after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from kisaan_validate.facts.error_rate import ErrorRates, ErrorWindow
    from kisaan_validate.probe.times import TwoWindows

PATH = click.Path(path_type=Path)
RECORD = "errors.json"

Counted = tuple[tuple["ErrorWindow", "ErrorWindow"], tuple[str, ...]]


@click.command("errors", short_help="Compare the rate of errors before and after a change.")
@click.option(
    "--log", "logs", type=PATH, multiple=True, help="A log file, packed by gzip or not. Repeatable."
)
@click.option("--pattern", help='A regular expression for requests, with a group "time".')
@click.option("--errors", "failed", help="A regular expression for requests that failed.")
@click.option(
    "--time-format", default="", help="The form of times (strptime).  [default: ISO 8601, or epoch]"
)
@click.option("--zone", help="The zone of times without one: UTC, +05:30, Asia/Kolkata.")
@click.option("--prometheus", metavar="URL", help="Ask a Prometheus server instead.")
@click.option("--requests", help="Its query for all requests in $window.")
@click.option("--failed", "failures", help="Its query for failed requests in $window.")
@click.option("--token-env", metavar="NAME", help="The variable that holds a bearer token for it.")
@click.option("--ca", type=PATH, help="A file of certificates that are trusted.")
@click.option("--around", required=True, metavar="TIME", help="When the change began (ISO 8601).")
@click.option("--until", metavar="TIME", help="When the change was over.  [default: --around]")
@click.option("--for", "long", required=True, metavar="DURATION", help="How long before and after: 30 min.")
@click.option(
    "--compare",
    type=click.Choice(["before", "week"]),
    default="before",
    show_default=True,
    help="With the time right before, or with the same weekday a week before.",
)
@click.option(
    "--chance",
    default="0.01",
    show_default=True,
    help="An increase counts if chance explains it less often than this.",
)
@click.option("--tolerance", default="0.01", show_default=True, help="How much the share may rise unnoticed.")
@click.option(
    "--timeout",
    type=click.IntRange(1, 86_400),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Give up reading the files after this time.",
)
@click.option("-o", "--output", type=PATH, help="The folder to write errors.json into.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict.")
def errors(**given: Any) -> int:
    """Count requests and errors in equal periods before and after a change, from log files or Prometheus, and
    compare their shares by Fisher's exact test. Too few requests to notice an increase: cannot tell.

    Exit 0: errors did not increase; 1: they did; 3: cannot tell.
    """
    from kisaan_validate.cli.exits import probe_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.output import kept, say
    from kisaan_validate.probe.error_verdict import judge_error_rates
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.report.probe_console import error_lines

    windows = _windows(given)
    place = _place(given["output"])
    stop = Stop()
    count = _asked(given, windows)
    found = _rates(given, attended(count, stop))
    judged = judge_error_rates(found)
    for line in error_lines(found, judged.state, judged.fact, judged.todo, quiet=given["quiet"]):
        say(line)
    recorded = place is None or kept(lambda: _write(place, found))
    if place is not None and recorded:
        say(f"record       {place}")
    return probe_exit_code(judged.verdict, interrupted=stop.requested, recorded=recorded)


def _windows(given: dict[str, Any]) -> TwoWindows:
    """Both periods. Raises UsageError, also if the period after has not ended."""
    from datetime import UTC, datetime

    from kisaan_validate.errors import UsageError
    from kisaan_validate.probe.times import read_zone, two_windows
    from kisaan_validate.text.durations import DURATION_HINT, read_duration

    zone = read_zone(given["zone"]) if given["zone"] else None
    seconds = read_duration(given["long"])
    if not seconds:
        raise UsageError("--for is not a duration", DURATION_HINT)
    until = _time(given["until"], "--until", zone) if given["until"] else None
    made = two_windows(
        _time(given["around"], "--around", zone), until, seconds, week=given["compare"] == "week"
    )
    if (left := made.after[1] - datetime.now(UTC)).total_seconds() > 0:
        minutes = -(-int(left.total_seconds()) // 60)
        raise UsageError(
            f"the period after has not ended: {minutes:,} min are missing",
            "wait, or give a shorter time with --for",
        )
    return made


def _time(text: str, option: str, zone: tzinfo | None) -> datetime:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.probe.times import NoTime, NoZone, read_time

    try:
        return read_time(text, "", zone)
    except NoZone:
        raise UsageError(f"{option} has no zone", "write 2026-10-18T02:30+05:30, or give --zone") from None
    except NoTime:
        raise UsageError(f"{option} is not a time", "write 2026-10-18T02:30+05:30") from None


def _asked(given: dict[str, Any], windows: TwoWindows) -> Any:
    """A function that counts, given a Stop. Raises UsageError."""
    from kisaan_validate.errors import UsageError

    if bool(given["logs"]) == (given["prometheus"] is not None):
        raise UsageError("requests are counted in log files or by Prometheus", "give --log, or --prometheus")
    return _in_logs(given, windows) if given["logs"] else _by_prometheus(given, windows)


def _in_logs(given: dict[str, Any], windows: TwoWindows) -> Any:
    from kisaan_validate.errors import UsageError
    from kisaan_validate.probe.logs import count_logs, log_patterns
    from kisaan_validate.probe.times import read_zone

    if not given["pattern"] or not given["failed"]:
        raise UsageError("--log needs --pattern and --errors", "say how to find requests and errors")
    zone = read_zone(given["zone"]) if given["zone"] else None
    patterns = log_patterns(given["pattern"], given["failed"], given["time_format"], zone)

    def count(stop: Any) -> Counted:
        made = count_logs(given["logs"], patterns, windows, given["timeout"], stop)
        return made.sides(), made.gaps()

    return count


def _by_prometheus(given: dict[str, Any], windows: TwoWindows) -> Any:
    import os

    from kisaan_validate.errors import UsageError
    from kisaan_validate.probe.prometheus import PrometheusQueries, count_prometheus
    from kisaan_validate.probe.values import CannotFill, ProbeNames

    if not given["requests"] or not given["failures"]:
        raise UsageError("--prometheus needs --requests and --failed", "give a query of each")
    headers = {}
    if name := given["token_env"]:
        try:
            headers["Authorization"] = ProbeNames("", {}, os.environ).header(f"Bearer ${{env:{name}}}")
        except CannotFill:
            raise UsageError(f"the variable {name} holds no token", "set it, without a line break") from None
    asked = PrometheusQueries(given["prometheus"], given["requests"], given["failures"], headers, given["ca"])
    return lambda stop: count_prometheus(asked, windows, stop)


def _rates(given: dict[str, Any], counted: Counted) -> ErrorRates:
    from datetime import UTC, datetime

    from kisaan_validate.facts.error_rate import ERRORS_FORMAT, ErrorRates

    (before, after), gaps = counted
    chance, tolerance = _share(given["chance"], "--chance"), _share(given["tolerance"], "--tolerance")
    source = "log" if given["logs"] else "prometheus"
    taken = datetime.now(UTC)
    return ErrorRates(
        ERRORS_FORMAT, source, taken, before, after, chance, tolerance, gaps, source == "prometheus"
    )


def _share(text: str, option: str) -> Any:
    from decimal import Decimal, InvalidOperation

    from kisaan_validate.errors import UsageError

    try:
        made = Decimal(text)
    except InvalidOperation:
        made = Decimal(-1)
    if not made.is_finite() or not 0 < made < 1 or made.adjusted() < -30:
        raise UsageError(f"{option} is not a share", "write a number between 0 and 1: 0.01")
    return made


def _place(output: Path | None) -> Path | None:
    from kisaan_validate.record.files import check_place

    if output is None:
        return None
    check_place(output / RECORD)
    return output / RECORD


def _write(place: Path, found: ErrorRates) -> None:
    from kisaan_validate.record.error_rates import errors_to_json
    from kisaan_validate.record.files import write_file

    write_file(place, errors_to_json(found))
