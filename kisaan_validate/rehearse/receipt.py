"""Makes the receipt of a rehearsal, and holds the run after the real migration against it: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from kisaan_validate.facts.differences import ROWS, Change
from kisaan_validate.facts.receipt import (
    ReceiptChange,
    ReceiptFile,
    ReceiptReview,
    RehearsalReceipt,
    major_of,
)
from kisaan_validate.facts.rehearsed import RehearsalJudgement, Rehearsed

if TYPE_CHECKING:
    from kisaan_validate.verdict.judgement import Judgement


def receipt_of(
    found: Rehearsed, judged: RehearsalJudgement, proved: Judgement | None, contract: str = ""
) -> RehearsalReceipt:
    """The receipt. ``proved`` is the run after the rehearsed migration, None where there was none;
    ``contract`` the digest of the contract as it was given, without what the rehearsal promised beside it.
    """
    alone = found.rehearsal.alone.migration
    reasons = (*judged.failures, *judged.open)
    diff = proved.diff if proved is not None else None
    return RehearsalReceipt(
        at=found.at,
        version=found.version,
        verdict=judged.verdict,
        reasons=tuple(f"{reason.kind}: {reason.words}" for reason in reasons),
        migrations=tuple(ReceiptFile(file.name, file.sha256) for file in alone.files),
        command=alone.command,
        dump=ReceiptFile(PurePath(found.dump.name).name, found.dump.sha256),
        dump_taken_at=found.dump.taken_at,
        dumped_from=found.dump.server_version,
        server_version=found.rehearsal.server_version,
        contract=contract if proved is not None else "",
        suite=proved.run.suite.digest if proved is not None else "",
        settings=found.rehearsal.settings,
        compared=diff is not None,
        changes=tuple(_kept(change) for change in diff.changes) if diff is not None else (),
    )


def _kept(change: Change) -> ReceiptChange:
    return ReceiptChange(change.kind, change.table, change.name, change.aspect, change.delta)


def review_receipt(
    receipt: RehearsalReceipt, judged: Judgement, migrations: Sequence[ReceiptFile] | None
) -> ReceiptReview:
    """A run after the real migration, with its baseline, compared with the receipt of the rehearsal.

    ``migrations`` are the files as they are now, None where nobody named them.
    """
    return ReceiptReview(
        tuple(_void(receipt, judged, migrations)),
        tuple(_other(receipt, judged)),
        tuple(_unknown(receipt, judged, migrations)),
    )


def _void(
    receipt: RehearsalReceipt, judged: Judgement, migrations: Sequence[ReceiptFile] | None
) -> Iterator[str]:
    run = judged.run
    if receipt.contract != run.contract_digest:
        yield "the contract is not the one of the rehearsal"
    if receipt.suite != run.suite.digest:
        yield "the suite is not the one of the rehearsal"
    here, there = receipt.server_major, major_of(run.place.server)
    if here != there:
        yield f"rehearsed on PostgreSQL {here}, production is {there}"
    if migrations is not None and receipt.migrations:
        yield from receipt.changed_files(migrations)


def _other(receipt: RehearsalReceipt, judged: Judgement) -> Iterator[str]:
    """Where production came out differently: changes that only one of them has, and other numbers of rows."""
    if judged.diff is None or not receipt.compared:
        return
    here = {change.key: change for change in judged.diff.changes}
    there = {change.key: change for change in receipt.changes}
    for key in sorted(here.keys() - there.keys(), key=str):
        yield f"{_words(key)}: in production only"
    for key in sorted(there.keys() - here.keys(), key=str):
        yield f"{_words(key)}: in the rehearsal only"
    for key in sorted(here.keys() & there.keys(), key=str):
        mine, rehearsed = here[key].delta, there[key].delta
        # Only rows are counts of what the migration did; the sums of a copy are older in any case.
        if key[0] == ROWS and mine != rehearsed:
            yield f"{_words(key)}: {_signed(mine)} in production, {_signed(rehearsed)} in the rehearsal"


def _unknown(
    receipt: RehearsalReceipt, judged: Judgement, migrations: Sequence[ReceiptFile] | None
) -> Iterator[str]:
    if judged.diff is None:
        yield "what the migration changed in production: there is no baseline (--baseline)"
    if not receipt.compared:
        yield "what the migration changed in the rehearsal: nothing was compared there"
    if receipt.command:
        yield f"whether the command ran the same migrations: {receipt.command}"
    elif migrations is None:
        yield "whether the files of migrations are those of the rehearsal: name their folder (--migrations)"
    zone = next((s.value for s in receipt.settings if s.name == "TimeZone"), "")
    if zone:
        yield f"whether the migrating session had TimeZone {zone}, as rehearsed: nothing records it"


def _words(key: tuple[str, str, str, str]) -> str:
    kind, table, name, aspect = key
    return f"{kind} {'.'.join(dict.fromkeys(part for part in (table, name) if part))}: {aspect}"


def _signed(delta: int | None) -> str:
    return "an unknown number of rows" if delta is None else f"{delta:+,} rows"
