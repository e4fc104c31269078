"""One check and its result as the page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.differences import CheckMove, Transition
from kisaan_validate.facts.result import COUNTED, MASKED, Evidence, Result, Status, vacuous
from kisaan_validate.report.marks import marked
from kisaan_validate.report.psql import around
from kisaan_validate.report.summary import figure
from kisaan_validate.report.text import anchor, duration, is_name, named, number, value
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.waivers import Waived

EVIDENCE_WORDS = {
    Evidence.SCANNED: "the rows were read",
    Evidence.STREAMED: "streamed: a Python function judged the rows",
    Evidence.CATALOGUE: "the system catalogue was read (\\d+ in psql shows it); no SQL of its own",
    Evidence.BY_INDEX: "not all rows were read; taken as true:",
    Evidence.BY_CONSTRAINT: "not all rows were read; taken as true:",
    Evidence.PROVED: "proved by a constraint; the rows were not read",
    Evidence.NONE: "none: no SQL was run for it",
}


_SIDES = (("recorded", "computed"),)
"""The columns in which checks say what stands in the books and what the details add up to."""

OPEN = 12
"""So many failing checks are unfolded; of all others each page shows the line."""


@dataclass(frozen=True)
class Keys:
    """The recorded keys of violating rows as a table. A cell is None for NULL."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    masked: bool

    @property
    def drawn(self) -> Iterator[list[Markup]]:
        """The rows as they are shown; where two columns are the two sides of a comparison, what differs is
        marked.
        """
        sides = next(
            (tuple(map(self.columns.index, pair)) for pair in _SIDES if set(pair) <= set(self.columns)), None
        )
        for row in self.rows:
            # A name of a table or column breaks between its words, also in a narrow column on paper.
            cells = [named(cell, 0) if cell is not None and is_name(cell) else value(cell) for cell in row]
            # A NULL or masked side has no characters to set beside the other's.
            if sides is not None and None not in (both := [row[n] for n in sides]) and MASKED not in both:
                cells[sides[0]], cells[sides[1]] = marked(*both)
            yield cells


@dataclass(frozen=True)
class Card:
    """Everything the page says of one check."""

    check: Check
    result: Result
    anchor: str
    figure: str
    movement: str
    keys: Keys | None
    facts: tuple[tuple[str, str], ...]
    unfold: bool
    vacuous: bool
    waiver: Waived | None = None
    since: str = ""

    @property
    def lean(self) -> bool:
        """Whether its static text is kept short: nothing is wrong, and there may be thousands of its like."""
        # A page of ten thousand passing checks must still open: what can be read elsewhere is left out of
        # them.
        return self.result.status in {Status.PASS, Status.NOT_APPLICABLE} and not (
            self.waiver or self.vacuous
        )

    @property
    def psql(self) -> tuple[str, str]:
        """The shell lines around the SQL that hand it to psql; ("", "") where SQL alone does not
        re-perform the check.
        """
        # The SQL of a Python check only streams rows; psql would show no answer.
        again = self.result.sql and self.check.form is not Form.PYTHON
        return around(self.result.sql) if again else ("", "")

    @property
    def subject(self) -> str:
        """The table the check speaks of."""
        return self.check.table or "whole database"

    @property
    def is_new(self) -> bool:
        """Whether it held when the baseline was taken and fails now."""
        return self.movement.startswith(Transition.NEWLY_FAILING.value)


def card_of(check: Check, result: Result, move: CheckMove | None, use: Waived | None, shown: int) -> Card:
    """The card of one check with at most ``shown`` keys. A failure is unfolded unless it is excused, or
    failed before as well.
    """
    return Card(
        check=check,
        result=result,
        anchor=anchor("c", check.id),
        figure=figure(check, result),
        movement=movement(move),
        keys=keys_of(check, result, shown),
        facts=tuple((name, text) for name, text in _facts(check, result) if text),
        unfold=result.status is Status.FAIL and use is None and _since(move) != "known",
        vacuous=vacuous(result),
        waiver=use,
        since=_since(move),
    )


def movement(move: CheckMove | None) -> str:
    """How a check moved since the baseline, with both counts; "" where there is nothing to compare."""
    # Still passing with another number of tolerated rows is news; with the same number it is not.
    if move is None or (move.transition is Transition.STILL_PASSING and move.before == move.after):
        return ""
    if move.transition is Transition.UNKNOWN:
        return f"cannot tell: {move.reason}" if move.reason else "cannot tell"
    words = f"{move.transition.value}: {_count(move.before)} → {_count(move.after)}"
    return f"{words} ({move.reason})" if move.reason else words


def _since(move: CheckMove | None) -> str:
    """What the page filters by: ``new``, ``known`` (failed before as well), ``fixed``, ``open`` (cannot be
    told), or "".
    """
    return _SINCE.get(move.transition, "") if move is not None else ""


_SINCE = {
    Transition.NEWLY_FAILING: "new",
    Transition.STILL_FAILING: "known",
    Transition.FIXED: "fixed",
    Transition.UNKNOWN: "open",
}


def _count(value: int | None) -> str:
    return "not counted" if value is None else number(value)


def keys_of(check: Check, result: Result, shown: int) -> Keys | None:
    """The first recorded keys, if any; the caption says how many there are in all."""
    sample = result.sample[:shown]
    if not sample:
        return None
    # Rows may differ in their columns (a figure's segments): the heading has all of them, in order of
    # appearance.
    columns = tuple(dict.fromkeys(name for row in sample for name, _ in row))
    rows = tuple(tuple(dict(row).get(name, "") for name in columns) for row in sample)
    masked = any(cell == MASKED for row in rows for cell in row)
    return Keys(_caption(check, len(rows), result.violations), columns, rows, masked)


def _caption(check: Check, shown: int, violations: int | None) -> str:
    of_rows = check.form in {Form.ROW, Form.JOIN}
    if violations is None:
        return f"{counted(shown, 'entry', 'entries')} recorded"
    # An entry may stand for several violations here (a group, a segment), so "of" would be false.
    if not of_rows and violations != shown:
        return f"Showing {counted(shown, 'entry', 'entries')}; {counted(violations, 'violation')} in all"
    what = "violating row" if of_rows else "violation"
    if shown == violations:
        return f"The only {what}" if shown == 1 else f"All {counted(shown, what)}"
    return f"Showing {number(shown)} of {counted(violations, what)}"


def _facts(check: Check, result: Result) -> list[tuple[str, str]]:
    evidence = " ".join(filter(None, (EVIDENCE_WORDS[result.evidence], result.trusted)))
    # Only answers that could have come from rows; the catalogue's are facts that no constraint enforces.
    scanned = result.evidence in {*COUNTED, Evidence.STREAMED, Evidence.PROVED}
    return [
        ("Evidence", evidence),
        ("Enforced by", (result.enforced_by or "nothing") if scanned else ""),
        ("Tolerance", f"up to {check.tolerance}" if check.tolerance is not None else ""),
        ("Owner", check.owner),
        ("Tags", ", ".join(check.tags)),
        ("Columns", ", ".join(check.columns)),
        ("Applies if", "; ".join(check.applies)),
        ("Declared at", check.origin),
        ("SQLSTATE", result.sqlstate),
        ("Took", duration(result.milliseconds) if result.milliseconds else ""),
        ("Digest of all keys", result.key_digest),
    ]


def _with_past(card: Card, words: str) -> Card:
    return replace(card, facts=(("Nights before", words), *card.facts)) if words else card


def cards_of(
    pairs: list[tuple[Check, Result]],
    moves: Mapping[str, CheckMove],
    uses: Mapping[str, Waived],
    shown: int,
    past: Mapping[str, str] = {},
) -> list[Card]:
    """The cards of all checks, in the order given, each with at most ``shown`` keys; the first ones that
    may be are unfolded. ``past`` is what earlier nights say of them, by id.
    """
    made = [card_of(check, result, moves.get(check.id), uses.get(check.id), shown) for check, result in pairs]
    made = [_with_past(card, past.get(card.check.id, "")) for card in made]
    late = [card for card in made if card.unfold][OPEN:]
    # A page of a thousand failures must still be read from its top.
    folded = {card.check.id for card in late}
    return [replace(card, unfold=False) if card.check.id in folded else card for card in made]
