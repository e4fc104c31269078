"""``run --rehearsal receipt.json``: after the real migration, where production differed from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.errors import RecordError, UsageError

if TYPE_CHECKING:
    from kisaan_validate.facts.receipt import ReceiptFile, ReceiptReview, RehearsalReceipt
    from kisaan_validate.verdict.judgement import Judgement

FILE, COPY = "rehearsal.txt", "receipt.json"
"""What is written beside the record of the run: what was found, and the receipt itself."""


def read_rehearsal(
    receipt: Path | None, migrations: Path | None
) -> tuple[RehearsalReceipt, tuple[ReceiptFile, ...] | None] | None:
    """The receipt and the files of migrations as they are now, read before anything is measured.

    None where no receipt was named. Raises UsageError and RecordError.
    """
    if receipt is None:
        if migrations is not None:
            raise UsageError(
                "--migrations needs --rehearsal: without a receipt there is nothing to compare them with",
                "name the receipt of the rehearsal",
            )
        return None
    from kisaan_validate.record.rehearsed import read_receipt

    made = read_receipt(receipt)
    if migrations is None:
        return made, None
    from kisaan_validate.facts.receipt import ReceiptFile
    from kisaan_validate.rehearse.migrate import read_sources

    return made, tuple(ReceiptFile(one.name, one.sha256) for one in read_sources(migrations))


def show_rehearsal(
    rehearsal: tuple[RehearsalReceipt, tuple[ReceiptFile, ...] | None], judged: Judgement, place: Path
) -> bool:
    """Say where production differed, and keep it beside the run; whether nothing is known to differ."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.record.files import write_file
    from kisaan_validate.record.rehearsed import receipt_to_json
    from kisaan_validate.rehearse.receipt import review_receipt
    from kisaan_validate.report.text import plain

    receipt, files = rehearsal
    review = review_receipt(receipt, judged, files)
    lines = [plain(line) for line in rehearsal_lines(receipt, review)]
    for line in lines:
        say(line)
    written = True
    try:
        write_file(place / COPY, receipt_to_json(receipt))
        write_file(place / FILE, "\n".join(lines) + "\n")
    except RecordError as error:
        say(f"error: {error}")
        written = False
    return written and not (review.void or review.other)


def rehearsal_lines(receipt: RehearsalReceipt, review: ReceiptReview) -> list[str]:
    """The review in lines for people."""
    at = f"{receipt.at:%Y-%m-%d %H:%M} UTC"
    head = f"rehearsed {at}, verdict {receipt.verdict.value}, on {receipt.dump.name}"
    lines = [head, *(f"void     {words}" for words in review.void)]
    lines += [f"differs  {words}" for words in review.other]
    lines += [f"open     {words}" for words in review.unknown]
    if review.void:
        lines.append("the rehearsal was of something else: it proves nothing for this migration")
    elif review.other:
        lines.append("production came out differently from the rehearsal")
    elif review.unknown:
        lines.append("production came out as rehearsed, as far as that is known")
    else:
        lines.append("production came out as rehearsed")
    return lines
