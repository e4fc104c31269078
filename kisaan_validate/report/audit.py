"""What an auditor reads on the page: the reconciliation statements, and everything that was not proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.report.control_totals import total_tables
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.reconciliation import Amount, LineKind, Reconciliation, StatementLine

if TYPE_CHECKING:
    from kisaan_validate.verdict.judgement import Judgement
    from kisaan_validate.verdict.unproved import UnprovedPart

_STANDS = frozenset({LineKind.BEFORE, LineKind.COMPUTED, LineKind.COUNTED, LineKind.EXPECTED})
"""Lines that say how much there is; the others say by how much it moved."""

_HEAVY = frozenset({LineKind.COMPUTED, LineKind.DIFFERENCE})
"""Lines under a rule, as in books."""


@dataclass(frozen=True)
class BookLine:
    """One line of a statement, drawn. ``mark`` is its CSS class."""

    word: str
    cells: tuple[Markup, ...]
    source: str
    mark: str


@dataclass(frozen=True)
class Book:
    """One table's statement in full. ``sign`` is the status under whose sign its result stands."""

    table: str
    heads: tuple[str, ...]
    lines: tuple[BookLine, ...]
    sign: str
    result: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class QuietLine:
    """One measure of a table in which nothing is known to have moved."""

    table: str
    what: str
    before: Markup
    came: Markup
    went: Markup
    after: Markup
    difference: Markup
    source: str


@dataclass(frozen=True)
class Audit:
    """The statements of a run: those with movement, and a line for each measure of the others."""

    words: str
    books: tuple[Book, ...]
    quiet: tuple[QuietLine, ...]


def audit_of(found: Sequence[Reconciliation]) -> Audit:
    """The statements as the page shows them."""
    loud = tuple(_book(one) for one in found if not one.quiet)
    return Audit(_words(found), loud, tuple(line for one in found if one.quiet for line in _quiet(one)))


def _words(found: Sequence[Reconciliation]) -> str:
    states = Counter(one.reconciles for one in found)
    said = ((True, "reconcile"), (False, "do not"), (None, "cannot be told"))
    parts = [f"{states[state]:,} {word}" for state, word in said if states[state]]
    return f"{counted(len(found), 'table')}: {', '.join(parts)}." if found else ""


def _book(one: Reconciliation) -> Book:
    heads = ("Rows", *(f"Sum of {column}" for column in one.columns))
    sign = {True: "pass", False: "fail", None: "error"}[one.reconciles]
    left = tuple(f"{column}: {reason}" for column, reason in one.left_out)
    return Book(one.table, heads, tuple(_line(line) for line in one.lines), sign, _result(one, heads), left)


def _result(one: Reconciliation, heads: Sequence[str]) -> str:
    if one.reconciles:
        return "reconciles"
    if one.reconciles is None:
        return f"not known whether it reconciles: {'; '.join(one.unknown)}"
    pairs = zip(heads, one.differences, strict=True)
    wrong = [f"{head.lower()} {moved(a.value)}" for head, a in pairs if a.value]
    return f"does not reconcile: {', '.join(wrong)}"


def _line(line: StatementLine) -> BookLine:
    stands = line.kind in _STANDS
    cells = tuple(_cell(amount, stands=stands) for amount in line.amounts)
    wrong = line.kind is LineKind.DIFFERENCE and any(amount.value for amount in line.amounts)
    mark = " ".join(
        word
        for word, there in (("sum", line.kind in _HEAVY), ("wrong", wrong), ("memo", _memo(line)))
        if there
    )
    return BookLine(line.kind.value, cells, line.source, mark)


def _memo(line: StatementLine) -> bool:
    return line.kind in {LineKind.TO_GO, LineKind.EXPECTED}


def _quiet(one: Reconciliation) -> Iterable[QuietLine]:
    source = next((line.source for line in one.lines if line.kind is LineKind.CAME_OTHERWISE), "")
    for place, what in enumerate(("rows", *(f"sum of {column}" for column in one.columns))):
        by_kind = {line.kind: line.amounts[place] for line in one.lines}
        yield QuietLine(
            one.table,
            what,
            _cell(by_kind[LineKind.BEFORE], stands=True),
            _cell(by_kind[LineKind.CAME_OTHERWISE], stands=False),
            _cell(by_kind[LineKind.WENT_OTHERWISE], stands=False),
            _cell(by_kind[LineKind.COUNTED], stands=True),
            _cell(by_kind[LineKind.DIFFERENCE], stands=False),
            source,
        )


def _cell(amount: Amount, *, stands: bool) -> Markup:
    if amount.value is None:
        return Markup('<span class="quiet">not known</span>')
    return Markup("{}").format(amount_text(amount.value) if stands else moved(amount.value))


def amount_text(value: Decimal) -> str:
    """An exact amount with thousands separators and a true minus; no digit is added or lost."""
    return f"{'−' if value < 0 else ''}{value.copy_abs():,f}"


def moved(value: Decimal | None) -> str:
    """By how much something moved: with its sign, and none for 0."""
    if value is None:
        return "not known"
    return f"{'+' if value > 0 else ''}{amount_text(value)}"


def unproved_words(parts: Iterable[UnprovedPart]) -> str:
    """How many things of each kind were not proved, in one line."""
    return "; ".join(f"{part.name.lower()}: {part.size:,}" for part in parts)


def audit_facts(
    judged: Judgement, found: Sequence[Reconciliation], parts: Sequence[UnprovedPart]
) -> dict[str, object]:
    """What the template shows of both."""
    return {
        "audit": audit_of(found) if judged.before is not None else None,
        "totals": total_tables(judged),
        "open_parts": parts,
        "open_words": unproved_words(parts),
    }
