"""``kisaan-validate report``: render the page again from run.json."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report", short_help="Render a page again from run.json.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page to write.  [default: beside run.json]")
def command(run: Path, output: Path | None) -> int:
    """Render report.html again from a run's folder or its run.json. Needs no database."""
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.codec import baseline_from_json, digest_of, run_from_json
    from kisaan_validate.record.files import read_file, write_file
    from kisaan_validate.report.html import render_html

    source = run / "run.json" if run.is_dir() else run
    measured = run_from_json(read_file(source), str(source))
    baseline, beside = None, source.parent / "baseline.json"
    if measured.baseline_digest:
        text = read_file(beside)
        if digest_of(text) != measured.baseline_digest:
            raise RecordError(f"{beside} is not the baseline of this run", "restore the file that was recorded with it")
        baseline = baseline_from_json(text, str(beside))
    page = output or source.parent / "report.html"
    write_file(page, render_html(measured, baseline))
    click.echo(f"report  {page}")
    return 0
