"""``kisaan-validate report``: render the page again from run.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kisaan_validate.judgement import Judgement


@click.command("report", short_help="Render a page again from run.json.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page to write.  [default: beside run.json]")
def command(run: Path, output: Path | None) -> int:
    """Render report.html again from a run's folder or its run.json. Needs no database."""
    from kisaan_validate.record.files import write_file
    from kisaan_validate.report.html import render_html

    source = run / "run.json" if run.is_dir() else run
    page = output or source.parent / "report.html"
    write_file(page, render_html(judged_again(source)))
    click.echo(f"report  {page}")
    return 0


def judged_again(source: Path) -> Judgement:
    """A recorded run, judged again beside the files that it names by digest. Raises RecordError."""
    from kisaan_validate.cli.job import BASELINE_FILE, CONTRACT_FILE, WAIVERS_FILE
    from kisaan_validate.contract.load import read_contract
    from kisaan_validate.judgement import judge
    from kisaan_validate.record.codec import baseline_from_json, run_from_json
    from kisaan_validate.record.files import read_file
    from kisaan_validate.waivers import read_waivers

    run = run_from_json(read_file(source), str(source))
    before = _beside(source.parent / BASELINE_FILE, run.baseline_digest, "baseline")
    promised = _beside(source.parent / CONTRACT_FILE, run.contract_digest, "contract")
    excused = _beside(source.parent / WAIVERS_FILE, run.waivers_digest, "file of waivers")
    return judge(
        run,
        baseline_from_json(before, BASELINE_FILE) if before is not None else None,
        read_contract(promised, CONTRACT_FILE) if promised is not None else None,
        read_waivers(excused, WAIVERS_FILE) if excused is not None else None,
    )


def _beside(path: Path, digest: str, what: str) -> str | None:
    """The text of a file that a run names by digest, None if it names none. Raises RecordError if it is another."""
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.codec import digest_of
    from kisaan_validate.record.files import read_file

    if not digest:
        return None
    text = read_file(path)
    if digest_of(text) != digest:
        raise RecordError(f"{path} is not the {what} of this run", "restore the file that was recorded with it")
    return text
