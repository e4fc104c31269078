"""A rehearsal in lines for a terminal: the verdict, its reasons, what people would have felt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kisaan_validate.facts.rehearsed import RehearsalJudgement, Rehearsed, VerdictReason
from kisaan_validate.report.rehearsal_felt import felt_sentences
from kisaan_validate.report.text import aligned

SHOWN = 8
"""So many reasons of a kind are printed; the page has all."""


def rehearsal_lines(found: Rehearsed, judged: RehearsalJudgement, *, quiet: bool) -> Iterator[str]:
    """The lines. ``quiet``: the verdict alone."""
    if not quiet:
        for words in felt_sentences(found.rehearsal, dict(found.nouns)):
            yield _line("felt", words)
        yield from _reasons("fails", judged.failures)
        yield from _reasons("warning", judged.warnings)
        yield from _reasons("open", judged.open)
    yield f"verdict  {judged.verdict.value}"


def _reasons(word: str, reasons: Sequence[VerdictReason]) -> Iterator[str]:
    for reason in reasons[:SHOWN]:
        yield _line(word, f"{reason.kind}: {reason.words}")
    if len(reasons) > SHOWN:
        yield _line(word, f"and {len(reasons) - SHOWN:,} more: see the page")


def _line(word: str, words: str) -> str:
    return aligned(word, words, 8)
