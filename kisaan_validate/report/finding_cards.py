"""Findings as the page shows them: what is wrong, its first rows, one next step, and all that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import VALUES
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report.cards import Card, Keys
from kisaan_validate.report.found import more_keys
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.findings import Finding, Heading, findings_of
from kisaan_validate.verdict.headlines import noun
from kisaan_validate.verdict.waivers import Use

if TYPE_CHECKING:
    from kisaan_validate.facts.kept import ValuesCompared
    from kisaan_validate.verdict.judgement import Judgement

ROWS = 3
"""So many rows of a finding are shown with it; its checks show more."""
OPEN = 12
"""So many findings are unfolded: a page of hundreds must still be read from its top."""

ON_PAPER = 9
"""So many findings are printed with their rows in the summary; of the others the title."""


@dataclass(frozen=True)
class BehindFinding:
    """One thing that shows a finding: a promise that was not kept, or a group of differences."""

    word: str
    text: str
    said: str


@dataclass(frozen=True)
class FindingCard:
    """Everything the page says of one finding.

    ``counts`` are exact, of its largest checks; ``keys`` the first rows of the leading check, or values
    before and after where a baseline kept them; ``more`` how many rows are not shown.
    """

    number: int
    finding: Finding
    counts: str
    keys: Keys | None
    more: str
    checks: tuple[Card, ...]
    behind: tuple[BehindFinding, ...]
    unfold: bool

    @property
    def anchor(self) -> str:
        """The HTML id."""
        return f"f-{self.number}"

    @property
    def shown_by(self) -> str:
        """How many checks, promises and differences show it."""
        differences = sum(len(group.changes) for group in self.finding.groups)
        numbers = (
            (len(self.checks), "check"),
            (len(self.finding.promises), "promise"),
            (differences, "difference"),
        )
        return ", ".join(counted(number, word) for number, word in numbers if number)

    @property
    def sign(self) -> str:
        """Under which sign it stands: a failure, or one that fails no run."""
        return "fail" if self.finding.severity is Severity.BLOCKING else "tolerated"


@dataclass(frozen=True)
class HeadedFindings:
    """The findings under one heading."""

    heading: Heading
    cards: tuple[FindingCard, ...]


def headed_findings(judged: Judgement, cards: Sequence[Card]) -> tuple[HeadedFindings, ...]:
    """The findings of a run under their headings, numbered through."""
    by_id = {card.check.id: card for card in cards}
    made = [_card(place, finding, judged, by_id) for place, finding in enumerate(findings_of(judged), 1)]
    return tuple(
        HeadedFindings(heading, found)
        for heading in Heading
        if (found := tuple(card for card in made if card.finding.heading is heading))
    )


def _card(place: int, finding: Finding, judged: Judgement, by_id: Mapping[str, Card]) -> FindingCard:
    checks = tuple(by_id[id] for id in finding.checks)
    kept = _values(finding, judged.run.values)
    keys = kept if kept is not None else _first_rows(checks)
    # What was wrong before is folded: the reader's question is what this change did.
    unfold = place <= OPEN and finding.heading is not Heading.KNOWN
    behind = (*_promises(finding, judged), *_groups(finding))
    return FindingCard(
        place,
        finding,
        _counts(checks, judged.run.suite.nouns),
        keys,
        _more(checks, keys, kept is not None),
        checks,
        behind,
        unfold,
    )


def _counts(checks: Sequence[Card], nouns: Mapping[str, str]) -> str:
    """How many rows, of the first two checks that count rows; a place that both are about is named once."""
    figures: dict[str, list[str]] = {}
    for card in checks[:2]:
        if card.result.violations and card.keys:
            figures.setdefault(noun(card.subject, nouns), []).append(card.figure)
    return " · ".join(f"{place}: {' and '.join(said)}" for place, said in figures.items())


def _first_rows(checks: Sequence[Card]) -> Keys | None:
    """The first rows of the leading check that has any."""
    listed = [(card.result, card.keys) for card in checks if card.keys is not None]
    if not listed:
        return None
    result, keys = listed[0]
    rows = keys.rows[:ROWS]
    # What follows them is counted for this check alone.
    all_rows = "The only row" if len(rows) == 1 else "All rows"
    which = "The first rows" if more_keys(result, len(rows)) else all_rows
    caption = which if len(listed) == 1 else f"{which} of one of {len(listed)} checks"
    return replace(keys, rows=rows, caption=caption)


def _values(finding: Finding, values: Iterable[ValuesCompared]) -> Keys | None:
    """Values before and after, row by row, where the baseline kept those of a column that changed."""
    changed = {(c.table, c.name) for g in finding.groups for c in g.changes if c.kind == VALUES}
    for column in values:
        if (column.table, column.column) in changed and column.samples:
            samples = column.samples[:ROWS]
            names = tuple(name for name, _ in samples[0].key)
            rows = tuple((*(v for _, v in s.key), s.before, s.after) for s in samples)
            heads = (*names, f"{column.column} before", f"{column.column} after")
            return Keys("The first rows, before and after", heads, rows, masked=False)
    return None


def _more(checks: Sequence[Card], keys: Keys | None, values: bool) -> str:
    """How many keys of the check whose rows are shown are not among them."""
    shown = next((card for card in checks if card.keys is not None), None)
    if keys is None or shown is None or values:
        return ""
    left = more_keys(shown.result, len(keys.rows))
    return f"and {left}" if left else ""


def _promises(finding: Finding, judged: Judgement) -> list[BehindFinding]:
    wanted = set(finding.promises)
    return [
        BehindFinding(_STATES.get(outcome.state, outcome.state.value), promise.claim(), outcome.message)
        for promise, outcome in judged.promises
        if promise.id in wanted
    ]


_STATES = {State.BROKEN: "Promise broken", State.NOT_DONE: "Promised, not done"}


def _groups(finding: Finding) -> list[BehindFinding]:
    return [BehindFinding("Covered by no promise", group.words, "") for group in finding.groups]


def story(judged: Judgement, headed: Sequence[HeadedFindings]) -> tuple[str, ...]:
    """Three sentences for who reads no further: the damage, what is unfinished, what is known to be right."""
    found = {part.heading: part.cards for part in headed}
    return (_damage(judged, found), _unfinished(judged, found), _safe(judged))


def _damage(judged: Judgement, found: Mapping[Heading, Sequence[FindingCard]]) -> str:
    fresh = found.get(Heading.NEW, ())
    failed = found.get(Heading.FAILED, ())
    if fresh:
        # Of a failure that cannot be compared nothing says that it is old.
        more = f" {counted(len(failed), 'finding')} may be new: {_named(failed)}." if failed else ""
        return f"{counted(len(fresh), 'finding')} new since the baseline: {_named(fresh)}.{more}"
    if failed:
        return f"{counted(len(failed), 'finding')}: {_named(failed)}."
    excused = sum(use.use is Use.HOLDS for use in judged.waived.values())
    waived = f"; {counted(excused, 'waived failure')}" if excused else ""
    if judged.diff is None:
        nothing = "Nothing but what is waived failed" if excused else "Nothing that was examined failed"
        return f"{nothing}{waived}." if judged.run.results else "Nothing was examined."
    known = found.get(Heading.KNOWN, ())
    before = f"; {counted(len(known), 'finding')} from before" if known else ""
    return f"Nothing is known to have become wrong since the baseline{before}{waived}."


def _named(cards: Sequence[FindingCard]) -> str:
    """The first two titles."""
    left = len(cards) - 2
    more = f"; and {number(left)} more" if left > 0 else ""
    return "; ".join(card.finding.title.rstrip(".") for card in cards[:2]) + more


def _unfinished(judged: Judgement, found: Mapping[Heading, Sequence[FindingCard]]) -> str:
    """What was promised and not done, and what has no answer."""
    undone = len(judged.in_state(State.NOT_DONE))
    answered = {r.check_id for r in judged.run.results if r.status.value not in {"error", "skip"}}
    open_ = sum(check.id not in answered for check in judged.run.checks)
    parts = []
    if undone:
        parts.append(f"{number(undone)} of {counted(len(judged.promises), 'promise')} not done")
    if open_:
        parts.append(f"{counted(open_, 'check')} without an answer")
    if lost := len(judged.run.unanswered_totals):
        parts.append(f"{counted(lost, 'control total')} without an answer")
    if unknown := len(judged.open_promises) + len(judged.untold):
        parts.append(f"{counted(unknown, 'comparison')} not possible")
    if judged.run.interrupted:
        parts.append("the run was interrupted")
    if parts:
        return f"Unfinished: {', '.join(parts)}."
    return "Every check has an answer" + (", and all that was promised was done." if judged.promises else ".")


def _safe(judged: Judgement) -> str:
    """What is proved: checks that hold, promises kept, tables with the same number of rows."""
    run = judged.run
    holds = sum(result.status.value in {"pass", "tolerated"} for result in run.results)
    parts = [f"{number(holds)} of {counted(len(run.checks), 'check')} hold"]
    if judged.promises:
        kept = len(judged.in_state(State.KEPT))
        parts.append(f"{number(kept)} of {counted(len(judged.promises), 'promise')} kept")
    if judged.before is not None:
        old = {t.title: t.rows for t in judged.before.tables if t.rows is not None}
        same = sum(t.title in old and t.rows == old[t.title] for t in run.tables)
        parts.append(f"{counted(same, 'table')} of {number(len(run.tables))} with as many rows as before")
    head = "Proved" if judged.verdict is not Verdict.INCONCLUSIVE else "Proved so far"
    return f"{head}: {', '.join(parts)}."
