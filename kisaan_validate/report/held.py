"""Checks that hold, as short as they can be said: what many share stands once. There may be thousands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kisaan_validate.facts.result import Status
from kisaan_validate.report.cards import Card

Prose = tuple[str, str]
"""Why a check is there, and what to do if it fails."""


@dataclass(frozen=True)
class Reason:
    """Prose that several checks share, under the number by which they name it."""

    number: int
    why: str
    hint: str


@dataclass(frozen=True)
class HeldCheck:
    """One check that holds, with what its group does not say. ``reason`` is the number of its prose, 0
    where it has none or has it to itself (``why``, ``hint``).
    """

    card: Card
    figure: str
    tags: str
    facts: str
    reason: int
    why: str
    hint: str


@dataclass(frozen=True)
class HeldGroup:
    """Checks of one table that hold, and all that they have in common: ``facts`` in words."""

    status: Status
    severity: str
    owner: str
    since: str
    facts: str
    checks: tuple[HeldCheck, ...]


def shared_reasons(cards: Iterable[Card]) -> dict[Prose, Reason]:
    """The prose that more than one check has, numbered in the order in which it is met."""
    found = Counter(prose for card in cards if any(prose := _prose(card)))
    often = [prose for prose, times in found.items() if times > 1]
    return {prose: Reason(place, *prose) for place, prose in enumerate(often, 1)}


def held_groups(cards: Iterable[Card], reasons: Mapping[Prose, Reason]) -> tuple[HeldGroup, ...]:
    """The checks of one table that hold, with those that have the most in common side by side."""
    found: dict[tuple[Status, str, str, str, str], list[Card]] = defaultdict(list)
    for card in cards:
        severity = card.check.severity.value
        found[card.result.status, severity, card.check.owner, card.since, _common(card)].append(card)
    return tuple(
        HeldGroup(*key, tuple(_held(card, reasons) for card in members)) for key, members in found.items()
    )


def _prose(card: Card) -> Prose:
    return card.check.why, card.result.hint or card.check.hint


def _common(card: Card) -> str:
    """What a check shares with its like, in words."""
    known = dict(card.facts)
    free = "enforced by nothing" if known.get("Enforced by") == "nothing" else ""
    said = (_worded(card.figure), card.result.message, card.movement, known.get("Evidence", ""), free)
    return " · ".join(filter(None, said))


def _worded(figure: str) -> str:
    """The figure if it is words: counts are each check's own."""
    return "" if any(map(str.isdigit, figure)) else figure


def _held(card: Card, reasons: Mapping[Prose, Reason]) -> HeldCheck:
    prose = _prose(card)
    reason = reasons.get(prose)
    why, hint = prose if reason is None else ("", "")
    number = reason.number if reason is not None else 0
    figure = "" if _worded(card.figure) else card.figure
    return HeldCheck(card, figure, ", ".join(card.check.tags), _own(card), number, why, hint)


def _own(card: Card) -> str:
    """The facts that only this check has, in one line."""
    known = dict(card.facts)
    enforced = known.get("Enforced by", "nothing")
    said = (
        known.get("Declared at", ""),
        known.get("Took", ""),
        f"enforced by {enforced}" if enforced != "nothing" else "",
        f"columns {', '.join(card.check.columns)}" if not _named(card) else "",
        *(f"{name.lower()} {known[name]}" for name in ("Tolerance", "Applies if") if name in known),
        *(f"{name} {known[name]}" for name in ("SQLSTATE", "Digest of all keys") if name in known),
    )
    return " · ".join(filter(None, said))


def _named(card: Card) -> bool:
    """Whether claim and id name every column of the check anyway."""
    said: Sequence[str] = f"{card.check.claim} {card.check.id}".replace(".", " ").replace(",", " ").split()
    return set(card.check.columns) <= set(said)
