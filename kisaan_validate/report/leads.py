"""The most important findings, in plain language: what the first screen says beside the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from kisaan_validate.contract.rules import Outcome, Promise, State
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import ROWS, Change, Unknown
from kisaan_validate.facts.result import Status
from kisaan_validate.report.cards import Card
from kisaan_validate.report.changed import STATE_SIGNS, STATE_WORDS, words_of
from kisaan_validate.report.text import anchor, number, signed
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair
from kisaan_validate.verdict.judgement import Judgement

MOST = 3
"""So many stand on the first screen."""


@dataclass(frozen=True)
class Lead:
    """One finding: under which sign, what it is (``word``), the exact figure, what is said, why it
    matters, where more stands.

    ``more`` says how many findings like it there are beside it, "" for none.
    """

    sign: str
    word: str
    figure: str
    text: str
    why: str
    target: str
    severity: str = ""
    new: bool = False
    waiver: str = ""
    more: str = ""


def leads_of(judged: Judgement, cards: Sequence[Card]) -> list[Lead]:
    """The most important findings: one of each kind, the gravest kind first, then the next of each, up to
    MOST.

    The kinds: blocking checks that fail since the baseline, broken promises, unexplained differences,
    promises not done, blocking checks that failed before or for which that is unknown, checks without an
    answer, promises that are unknown, what could not be compared, what counts less.
    """
    kinds = [kind for kind in _kinds(judged, cards) if kind]
    # In turn from each kind, so that ten failing checks do not hide a broken promise.
    rounds = (lead for turn in zip_longest(*kinds) for lead in turn if lead is not None)
    chosen = [lead for lead, _ in zip(rounds, range(MOST), strict=False)]
    return [_with_more(lead, kinds, chosen) for lead in chosen]


def _with_more(lead: Lead, kinds: Sequence[Sequence[Lead]], chosen: Sequence[Lead]) -> Lead:
    kind = next(kind for kind in kinds if lead in kind)
    shown = [one for one in chosen if one in kind]
    left = len(kind) - len(shown)
    # Only the last one shown of a kind says how many follow it.
    if not left or lead is not shown[-1]:
        return lead
    return Lead(**{**vars(lead), "more": f"and {number(left)} more of this kind"})


def _kinds(judged: Judgement, cards: Sequence[Card]) -> list[list[Lead]]:
    failed = [card for card in cards if card.result.status is Status.FAIL]
    # What counts for the verdict, not what fails: waived and old failures stand at the end.
    grave = [card for card in failed if card.check.id in judged.failing]
    open_ = [card for card in cards if card.result.status in {Status.ERROR, Status.SKIP}]
    return [
        [_check(card) for card in sorted((c for c in grave if c.is_new), key=_size)],
        _promises(judged, State.BROKEN),
        [_change(change) for change in sorted(judged.unexplained, key=_weight)],
        _promises(judged, State.NOT_DONE),
        [_check(card) for card in sorted((c for c in grave if not c.is_new), key=_size)],
        [_check(card) for card in open_],
        [_promised(*one) for one in judged.open_promises],
        [_untold(item) for item in judged.untold],
        [_check(card) for card in sorted((c for c in failed if c not in grave), key=_size)],
    ]


def _size(card: Card) -> int:
    return -(card.result.violations or 0)


def _weight(change: Change) -> tuple[bool, int, str, str]:
    # Differences of rows first, then the largest; names only make the order total.
    return (change.kind != ROWS, -abs(change.delta or 0), change.table, change.name)


def _check(card: Card) -> Lead:
    check, result = card.check, card.result
    failed = result.status is Status.FAIL
    # A fact of the catalogue says more than the claim it breaks.
    told = result.evidence.name == "CATALOGUE" and result.message
    return Lead(
        result.status.value,
        "",
        card.figure,
        f"{card.subject}: {result.message if told else check.claim}",
        check.why if failed and check.why else result.message,
        card.anchor,
        check.severity.value,
        card.is_new,
        card.waiver.use.value if card.waiver is not None else "",
    )


def _promises(judged: Judgement, state: State) -> list[Lead]:
    found = sorted(judged.in_state(state), key=lambda one: one[0].severity is not Severity.BLOCKING)
    return [_promised(*one) for one in found]


def _promised(promise: Promise, outcome: Outcome) -> Lead:
    counts = (
        " → ".join(pair(outcome.before, outcome.after, quoted=False))
        if outcome.before or outcome.after
        else ""
    )
    word = f"Promise {STATE_WORDS[outcome.state].lower().removeprefix('promised but ')}"
    return Lead(
        STATE_SIGNS[outcome.state],
        word,
        counts,
        promise.claim(),
        outcome.message or promise.why,
        anchor("p", promise.id),
        promise.severity.value,
    )


def _change(change: Change) -> Lead:
    sides = " → ".join(pair(change.before, change.after, none="none", quoted=False))
    figure = f"{signed(change.delta)} rows" if change.kind == ROWS and change.delta is not None else sides
    text = f"{change.table or 'the database'}: {words_of(change)} changed; no promise covers it"
    why = f"{sides} {'rows' if change.kind == ROWS else ''}".strip()
    return Lead("fail", "Unexplained", figure, text, why if figure != why else "", anchor("d", change.table))


def _untold(item: Unknown) -> Lead:
    return Lead("error", "Not compared", "", item.what, item.reason, "changes")


def beyond(judged: Judgement, cards: Sequence[Card], shown: Sequence[Lead]) -> str:
    """How many checks fail in all, where that is more than what is shown; "" otherwise."""
    failing = sum(card.result.status is Status.FAIL for card in cards)
    # Only leads about checks have anchors that begin so.
    named = sum(lead.target.startswith("c-") for lead in shown)
    return f"All {counted(failing, 'failing check')}" if failing > named else ""
