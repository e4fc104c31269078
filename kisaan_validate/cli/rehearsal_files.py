"""The files of a rehearsal: facts, page and receipt."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.facts.rehearsed import RehearsalJudgement
from kisaan_validate.rehearse.rehearsal import RehearsalOutcome


def write_rehearsal(outcome: RehearsalOutcome, folder: Path) -> RehearsalJudgement:
    """Judge a rehearsal and write what it found. The receipt comes last: without it nothing was rehearsed.
    Raises KisaanError where a file cannot be written.
    """
    from kisaan_validate.record.files import write_file
    from kisaan_validate.record.rehearsed import receipt_to_json, rehearsed_to_json
    from kisaan_validate.rehearse.judge import judge_rehearsal
    from kisaan_validate.rehearse.receipt import receipt_of
    from kisaan_validate.report.rehearsal_page import render_rehearsal

    judged = judge_rehearsal(outcome.found)
    write_file(folder / "rehearsal.json", rehearsed_to_json(outcome.found))
    write_file(folder / "rehearsal.html", render_rehearsal(outcome.found, judged))
    write_file(folder / "receipt.json", receipt_to_json(receipt_of(outcome.found, judged, outcome.proved)))
    return judged
