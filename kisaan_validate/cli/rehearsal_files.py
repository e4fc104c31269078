"""The files of a rehearsal: facts, page and receipt, and the run after it; all of them or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kisaan_validate.facts.rehearsed import RehearsalJudgement
from kisaan_validate.rehearse.rehearsal import RehearsalOutcome


def keep_rehearsal(outcome: RehearsalOutcome, folder: Path) -> tuple[RehearsalOutcome, bool]:
    """Write all files, with the outcome that names the run, or none of them; reports which."""
    from contextlib import suppress
    from shutil import rmtree

    from kisaan_validate.errors import RecordError

    try:
        recorded = _with_run(outcome, folder)
        write_rehearsal(recorded, folder)
    except RecordError as error:
        click.echo(f"error: {error}", err=True)
        if outcome.proved is not None:
            rmtree(folder / outcome.proved.run.id, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()
        return outcome, False
    return recorded, True


def _with_run(outcome: RehearsalOutcome, folder: Path) -> RehearsalOutcome:
    """The run after the migration, recorded beside the page as every run is."""
    from kisaan_validate.cli.job import record

    if outcome.proved is None:
        return outcome
    place = record(outcome.proved, folder)
    contract = replace(outcome.found.contract, record=place.name)
    return replace(outcome, found=replace(outcome.found, contract=contract))


def write_rehearsal(outcome: RehearsalOutcome, folder: Path) -> RehearsalJudgement:
    """Judge a rehearsal and write what it found. The receipt comes last: without it nothing was rehearsed.
    Raises RecordError where a file cannot be written; then there is none.
    """
    from kisaan_validate.record.files import write_files
    from kisaan_validate.record.rehearsed import receipt_to_json, rehearsed_to_json
    from kisaan_validate.rehearse.judge import judge_rehearsal
    from kisaan_validate.rehearse.receipt import receipt_of
    from kisaan_validate.report.rehearsal_page import render_rehearsal

    judged = judge_rehearsal(outcome.found)
    receipt = receipt_of(outcome.found, judged, outcome.proved, outcome.contract)
    files = {
        "rehearsal.json": rehearsed_to_json(outcome.found),
        "rehearsal.html": render_rehearsal(outcome.found, judged),
        "receipt.json": receipt_to_json(receipt),
    }
    write_files([(folder / name, text) for name, text in files.items()])
    return judged
