"""A certificate of a backup, and a backup that was taken, shown on the console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kisaan_validate.facts.certificate import BackupTaken, Certificate
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report.certificate_parts import (
    WORDS,
    newest_words,
    restored_words,
    size_words,
    tables_of,
    taken_words,
    trend_words,
)
from kisaan_validate.report.console_parts import MOST_ROWS, new_console
from kisaan_validate.report.shown import Shown as Text
from kisaan_validate.report.text import duration, signed, utc
from kisaan_validate.text.numbers import counted

_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def print_certificate(
    certificate: Certificate, path: Path | None, *, quiet: bool, verbose: bool = False
) -> None:
    """What was restored, what differs, the verdict and its reasons, and where the certificate is (None: it
    could not be written).
    """
    console, e = new_console(), certificate.evidence
    lines: list[tuple[str, str]] = []
    if not quiet:
        lines += _facts(certificate)
        for table in tables_of(certificate):
            if table.differs or verbose:
                counts = " → ".join("–" if n is None else f"{n:,}" for n in (table.before, table.after))
                lines.append((f"table   {table.table}: {counts} rows, {table.said}", ""))
    lines = lines if verbose else lines[:MOST_ROWS]
    for reason in certificate.reasons:
        lines.append(
            (f"{'wrong' if reason.wrong else 'open':<8}{reason.words}", "red" if reason.wrong else "yellow")
        )
    if verbose:
        lines += [(f"limit   {words}", "") for words in certificate.not_proved]
    for words, style in lines:
        console.print(Text(words, style=style), soft_wrap=True)
    until = certificate.valid_until
    # What nobody can read later is not green.
    lost = path is None and certificate.verdict is Verdict.PASS
    verdict = Verdict.INCONCLUSIVE if lost else certificate.verdict
    said = f"{verdict.value}  {WORDS[verdict]}"
    said += f", valid until {utc(until)}" if until is not None and not lost else ""
    console.print(Text(said, style=_STYLES[verdict]), soft_wrap=True)
    if e.restored is not None and certificate.log:
        console.print(Text(f"log     {certificate.log}"), soft_wrap=True)
    where = str(path) if path is not None else "none, as it could not be written"
    console.print(Text(f"certificate  {where}"), soft_wrap=True)


def _facts(certificate: Certificate) -> list[tuple[str, str]]:
    e = certificate.evidence
    if e.dump is None:
        return []
    dump, trend = e.dump, trend_words(certificate)
    found = [
        f"dump    {dump.name}: {dump.format.value}, {size_words(dump.size)}{f', {trend}' if trend else ''}",
        f"taken   {taken_words(certificate)}; newest row: {newest_words(certificate)}",
    ]
    if e.restored is not None:
        found.append(
            f"restored in {restored_words(certificate)} by the client of {e.restored.client} into "
            f"PostgreSQL {e.restored.server}"
        )
    if e.against is not None:
        one = "the same snapshot" if e.against.same_snapshot else "another snapshot"
        found.append(f"against {e.against.name} of {utc(e.against.taken_at)}, {one} ({e.against.how})")
    if e.counts:
        tables = tables_of(certificate)
        same = sum(not table.differs for table in tables)
        delta = sum((c.after or 0) - (c.before or 0) for c in e.counts)
        rows = sum(c.after or 0 for c in e.counts)
        found.append(
            f"tables  {same:,} of {len(tables):,} the same, {counted(rows, 'row')} ({signed(delta)})"
        )
    if e.integrity is not None:
        found.append(f"keys    {counted(len(e.integrity.keys), 'key')} checked against the rows")
    return [(words, "") for words in found]


def print_taken(taken: BackupTaken, dump: Path, baseline: Path, *, gaps: Sequence[str], quiet: bool) -> None:
    """What was written, and what it cost the server. ``gaps`` are what the baseline lacks."""
    console = new_console()
    for gap in gaps:
        console.print(Text(gap, style="bold yellow"), soft_wrap=True)
    if gaps:
        hint = "HINT: no verification can compare what the baseline lacks: take both again with --force"
        console.print(Text(hint), soft_wrap=True)
    if not quiet:
        for warning in taken.warnings:
            console.print(Text(f"pg_dump warned: {warning}", style="yellow"), soft_wrap=True)
        held, dumped = duration(taken.held_seconds * 1_000), duration(taken.dump_seconds * 1_000)
        console.print(
            Text(
                f"held    snapshot {taken.snapshot} for {held} (dump: {dumped}), with "
                "ACCESS SHARE locks: writers went on, VACUUM kept dead rows, DDL waited"
            ),
            soft_wrap=True,
        )
        console.print(Text(f"client  {taken.client}, {size_words(taken.size)}"), soft_wrap=True)
        console.print(Text(f"baseline  {baseline}"), soft_wrap=True)
    console.print(Text(f"dump    {dump}"), soft_wrap=True)
