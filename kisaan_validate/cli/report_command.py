"""``kisaan-validate report``: render the page again from run.json."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kisaan_validate.cli.options import the_config
from kisaan_validate.cli.output import OutputWanted, deliver, format_options, lines_for_people, wanted_formats

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.verdict.judgement import Judgement


@click.command("report", short_help="Render the page or another format from run.json.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    help="The suite's folder, for links to sources.  [default: checks]",
)
@click.option(
    "--print",
    "printed",
    type=click.Choice(["summary", "full"]),
    default="summary",
    show_default=True,
    help="What the page prints: about three sheets, or everything.",
)
@format_options
def command(
    run: Path, suite: Path | None, printed: str, formats: tuple[str, ...], output: Path | None
) -> int | None:
    """Render report.html, or another --format, again from a run's folder or run.json, with its sign-offs.
    Needs no database.

    Without --format, --output is the page to write (default: next to run.json; with --print full it is
    report-full.html, so that report.html stays what verify compares).
    """
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.html import PrintedPart, render_html
    from kisaan_validate.signoff.evidence import read_folder
    from kisaan_validate.signoff.page import signatures_of
    from kisaan_validate.signoff.verify_signoffs import own_standing

    source = run / "run.json" if run.is_dir() else run
    if formats:
        return _in_formats(source, suite, wanted_formats(formats, output))
    name = "report.html" if printed == "summary" else "report-full.html"
    page, judged = output or source.parent / name, judged_again(source)
    standing = own_standing(read_folder(source.parent), judged)
    write_file(page, render_html(judged, signatures_of(standing), PrintedPart(printed)))
    click.echo(f"report  {page}")
    return None


def _in_formats(source: Path, suite: Path | None, wanted: tuple[OutputWanted, ...]) -> int:
    from kisaan_validate.cli.exits import formats_exit_code

    config = the_config(None, suite=suite)
    judged = replace(judged_again(source), sources=str(config.suite))
    with lines_for_people(wanted) as out:
        good = deliver(judged, wanted, out)
        for w in wanted:
            if w.path is not None and good:
                click.echo(f"{w.format.name:<7} {w.path}")
    return formats_exit_code(good)


def judged_again(source: Path) -> Judgement:
    """A recorded run, judged again beside the files that it names by digest. Raises RecordError."""
    from kisaan_validate.cli.job import BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE
    from kisaan_validate.record.codec import baseline_from_json, run_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.verdict.judgement import judge
    from kisaan_validate.verdict.waivers import read_waivers

    run = run_from_json(read_file(source), str(source))
    # Before any is parsed: files that do not belong to the run must not be judged as though they did.
    before = _beside(source.parent / BASELINE_FILE, run.baseline_digest, "baseline")
    promised = _beside(source.parent / CONTRACT_FILE, run.contract_digest, "contract")
    excused = _beside(source.parent / WAIVERS_FILE, run.waivers_digest, "file of waivers")
    return judge(
        run,
        baseline_from_json(before, BASELINE_FILE) if before is not None else None,
        _contract(promised, CONTRACT_FILE) if promised is not None else None,
        read_waivers(excused, WAIVERS_FILE) if excused is not None else None,
    )


def _contract(text: str, source: str) -> Contract:
    # Imported here: most runs have no contract, and each would take the time.
    from kisaan_validate.contract.load import read_contract

    return read_contract(text, source)


def _beside(path: Path, digest: str, what: str) -> str | None:
    """The text of a file that a run names by digest, None if it names none. Raises RecordError if it is
    another.
    """
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import read_file

    if not digest:
        # A contract or waivers that lie beside a run which had none would change its verdict.
        if path.exists():
            raise RecordError(
                f"{path} does not belong here: the run used no {what}",
                "move it away, or restore run.json",
            )
        return None
    # Read once: what is judged is the text whose digest was compared.
    text = read_file(path)
    if digest_of(text) != digest:
        raise RecordError(
            f"{path} is not the {what} of this run", "restore the file that was recorded with the run"
        )
    return text
