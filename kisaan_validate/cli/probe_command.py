"""``kisaan-validate probe``: ask a running application whether it works, and how often it fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.probe_errors import errors

if TYPE_CHECKING:
    from kisaan_validate.facts.probe import Probed, ProbeStep
    from kisaan_validate.probe.load import BoundProbes
    from kisaan_validate.probe.run import ProbeWish

PATH = click.Path(path_type=Path)
RECORD = "probe.json"

_PROBES = click.option(
    "--probes", type=PATH, default=Path("probes.toml"), show_default=True, help="The file of probes."
)


@click.group("probe", short_help="Ask a running application whether it works, and how often it fails.")
def command() -> None:
    """Send the requests of a file to a running application and judge its answers; compare its rate of errors
    before and after a time.
    """


command.add_command(errors)


@command.command("run", short_help="Send the requests in a file, and judge the answers.")
@_PROBES
@click.option("--base-url", metavar="URL", help="An address in place of the file's; it counts as production.")
@click.option("--ca", type=PATH, help="A file of certificates that are trusted.")
@click.option("--allow-writes", is_flag=True, help="Also send steps that write (POST, PUT, PATCH, DELETE).")
@click.option(
    "--allow-writes-on-production", is_flag=True, help="Allow that where customers use the application, too."
)
@click.option("--clean", is_flag=True, help="At the end remove what was created, the last one first.")
@click.option("-o", "--output", type=PATH, help="The folder to write.  [default: a new one in probed]")
@click.option("--quiet", "-q", is_flag=True, help="Print only steps that are not a go, and the verdict.")
def run(**given: Any) -> int:
    """Send the requests of a file in their order, health first, and judge the answers. Only reads are sent
    unless writes are allowed. What was created is listed with the requests that remove it.

    Exit 0: every step passed; 1: a step failed; 3: a step was not sent, or could not be judged.
    """
    from kisaan_validate.cli.exits import probe_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.output import say
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.probe import judge_probes
    from kisaan_validate.probe.load import bind_probes, load_probes
    from kisaan_validate.probe.run import ProbeWish, new_prefix
    from kisaan_validate.report.probe_console import created_lines, verdict_lines

    bound = bind_probes(load_probes(given["probes"]), base_url=given["base_url"], ca=given["ca"])
    wish = ProbeWish(given["allow_writes"], given["allow_writes_on_production"], given["clean"])
    if not wish.writes and (wish.on_production or wish.clean):
        raise UsageError("nothing may be written", "give --allow-writes too")
    prefix = new_prefix()
    place = _place(given["output"], prefix)
    record = _Record(place)
    found = attended(lambda stop: _probed(bound, wish, stop, prefix, record, given["quiet"]))
    for line in (*created_lines(found), *verdict_lines(found)):
        say(line)
    if record.written and _page_written(found, place.with_suffix(".html")):
        say(f"page         {place.with_suffix('.html')}")
    return probe_exit_code(judge_probes(found), interrupted=bool(found.interrupted), recorded=record.written)


def _page_written(found: Probed, place: Path) -> bool:
    """Write the page; returns whether that worked. The facts are kept without it."""
    from kisaan_validate.cli.output import kept
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.probe_page import render_probes

    return kept(lambda: write_file(place, render_probes(found)))


class _Record:
    """The record of a run, written repeatedly. If it cannot be written, the run goes on: what was created
    must be printed, and would be lost with it.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.written = place, True

    def keep(self, found: Probed) -> None:
        """Write what is known; report a failure once."""
        import sys

        from kisaan_validate.errors import RecordError
        from kisaan_validate.record.files import write_file
        from kisaan_validate.record.probed import probed_to_json

        try:
            write_file(self.place, probed_to_json(found))
            self.written = True
        except RecordError as error:
            if self.written:
                print(f"error: {error}", file=sys.stderr)
            self.written = False


def _place(output: Path | None, prefix: str) -> Path:
    """The record to write. Raises UsageError if it exists: it may list what is still to be removed."""
    from kisaan_validate.errors import UsageError
    from kisaan_validate.record.files import check_place

    place = (output or Path("probed") / prefix) / RECORD
    if place.exists():
        raise UsageError(f"{place} is there already", "name another folder with --output")
    check_place(place)
    return place


def _probed(
    bound: BoundProbes, wish: ProbeWish, stop: Any, prefix: str, record: _Record, quiet: bool
) -> Probed:
    from kisaan_validate.cli.output import say
    from kisaan_validate.facts.probe import ProbeState
    from kisaan_validate.probe.run import run_probes
    from kisaan_validate.report.probe_console import probe_line, target_words

    if not quiet:
        say(target_words(bound.address.target, bound.production, prefix))

    def tell(step: ProbeStep) -> None:
        if not (quiet and step.state is ProbeState.PASS):
            say(probe_line(step))

    return run_probes(
        bound,
        wish,
        stop,
        prefix=prefix,
        keep=record.keep,
        say=tell,
    )


@command.command("list", short_help="List what a file of probes would send; nothing is sent.")
@_PROBES
def list_(probes: Path) -> None:
    """List the steps of a file of probes in their order, which of them write, and what removes it.
    Nothing is sent.
    """
    from kisaan_validate.cli.output import say
    from kisaan_validate.facts.probe import HEALTH
    from kisaan_validate.probe.load import load_probes
    from kisaan_validate.report.text import plain

    file = load_probes(probes).file
    say(plain(f"{HEALTH:<24} GET    {file.health.path}"))
    for step in file.step:
        removed = f"; removed by {step.cleanup.method} {step.cleanup.path}" if step.cleanup else ""
        say(plain(f"{step.name:<24} {step.method:<6} {step.path}{removed}"))


@command.command("show", short_help="Show the record of a run of probes again.")
@click.argument("record", type=PATH)
def show(record: Path) -> int:
    """Show a record (probe.json, or its folder) again: the steps, what is still to be removed, the verdict.

    Exits as the run did.
    """
    from kisaan_validate.cli.exits import probe_exit_code
    from kisaan_validate.cli.output import say
    from kisaan_validate.facts.probe import judge_probes
    from kisaan_validate.record.probed import read_probed
    from kisaan_validate.report.probe_console import (
        created_lines,
        probe_line,
        target_words,
        verdict_lines,
    )

    found = read_probed(record / RECORD if record.is_dir() else record)
    say(target_words(found.target, found.production, found.prefix))
    for line in (*map(probe_line, found.steps), *created_lines(found), *verdict_lines(found)):
        say(line)
    return probe_exit_code(judge_probes(found), interrupted=bool(found.interrupted))
