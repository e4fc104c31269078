"""Checks that hold, as short as they can be said: what many share stands once. There may be thousands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Evidence, Result, Status, message_of
from kisaan_validate.report.cards import Card
from kisaan_validate.report.sqlframe import SqlFrame, common_frame

_BRIEF = {
    Evidence.SCANNED: "rows read",
    Evidence.STREAMED: "rows streamed to a Python function",
    Evidence.CATALOGUE: "read in the catalogue",
}
"""What the section's first lines explain."""


_ENFORCED = {"nothing": "enforced by nothing", "NOT NULL": "enforced by NOT NULL"}
"""What enforces most rules; what enforces any other stands with it."""


_APPLIES = "applies if its columns are there"


@dataclass(frozen=True)
class SharedDeclaration:
    """What a line of the suite says of the checks that it declares."""

    origin: str
    severity: str
    owner: str
    tags: str
    applies: str
    why: str
    hint: str


@dataclass(frozen=True)
class HeldCheck:
    """One check that holds, with what its group does not say. ``number`` is that of its declaration, 0
    where it has one to itself: then it is ``own``. ``parts`` are those of its SQL within the frame of its
    table.
    """

    card: Card
    id: str
    facts: str
    number: int
    own: SharedDeclaration | None
    parts: tuple[str, str] | None


@dataclass(frozen=True)
class HeldGroup:
    """Checks of one table that hold, and all that they have in common: ``facts`` in words."""

    status: Status
    since: str
    facts: str
    checks: tuple[HeldCheck, ...]


@dataclass(frozen=True)
class HeldChecks:
    """All checks of one table that hold, and the frame of their SQL, None where each has all of its own."""

    frame: SqlFrame | None
    groups: tuple[HeldGroup, ...]

    @property
    def number(self) -> int:
        """How many there are."""
        return sum(len(group.checks) for group in self.groups)


def declarations(cards: Iterable[Card]) -> dict[SharedDeclaration, int]:
    """What more than one check shares, numbered in the order in which it is met."""
    found = Counter(map(_declared, cards))
    often = [declared for declared, times in found.items() if times > 1]
    return {declared: place for place, declared in enumerate(often, 1)}


def held_checks(cards: Sequence[Card], known: Mapping[SharedDeclaration, int], *, brief: bool) -> HeldChecks:
    """The checks of one table that hold, with those that have the most in common side by side. ``brief``:
    without the table's name in their ids and in a frame for their SQL, on a page of very many.
    """
    usual, frame = _Usual.of(cards), common_frame(card.result.sql for card in cards) if brief else None
    found: dict[tuple[Status, str, str], list[HeldCheck]] = defaultdict(list)
    for card in cards:
        key = card.result.status, card.since, _common(card, usual)
        found[key].append(_held(card, known, usual, frame, brief))
    return HeldChecks(frame, tuple(HeldGroup(*key, tuple(members)) for key, members in found.items()))


def _declared(card: Card) -> SharedDeclaration:
    check = card.check
    hint = card.result.hint or check.hint
    applies = _APPLIES if _plainly_applies(card) else ""
    tags = ", ".join(check.tags)
    return SharedDeclaration(check.origin, check.severity.value, check.owner, tags, applies, check.why, hint)


def _plainly_applies(card: Card) -> bool:
    """Whether the one condition is that the columns of the check exist."""
    check = card.check
    return bool(check.columns) and set(check.applies) == {f"column {check.table}.{c}" for c in check.columns}


@dataclass(frozen=True)
class _Usual:
    """What is worth a group of its own among the checks of a table: words, and the most frequent numbers."""

    figures: frozenset[str]
    messages: frozenset[str]
    times: frozenset[str]

    @staticmethod
    def of(cards: Sequence[Card]) -> _Usual:
        figures = Counter(card.figure for card in cards)
        counts = [figure for figure, _ in figures.most_common() if any(map(str.isdigit, figure))]
        messages = Counter(message_of(card.result) for card in cards)
        times = Counter(dict(card.facts).get("Took", "") for card in cards)
        return _Usual(
            frozenset((set(figures) - set(counts)) | set(counts[:1])),
            frozenset(message for message, number in messages.items() if number > 2),
            frozenset(time for time, _ in times.most_common(1)),
        )


def _common(card: Card, usual: _Usual) -> str:
    """What a check shares with its like, in words."""
    known, result = dict(card.facts), card.result
    applies = result.status is not Status.NOT_APPLICABLE
    evidence = _BRIEF.get(result.evidence, known.get("Evidence", "")) if applies else ""
    said = (
        card.figure if applies and card.figure in usual.figures else "",
        _said(result) if message_of(result) in usual.messages else "",
        card.movement,
        evidence,
        _ENFORCED.get(known.get("Enforced by", ""), ""),
        known.get("Took", "") if known.get("Took") in usual.times else "",
        f"SQLSTATE {result.sqlstate}" if result.sqlstate else "",
    )
    return " · ".join(filter(None, said))


def _held(
    card: Card, known: Mapping[SharedDeclaration, int], usual: _Usual, frame: SqlFrame | None, brief: bool
) -> HeldCheck:
    declared = _declared(card)
    number = known.get(declared, 0)
    id = card.check.id.removeprefix(f"{card.check.table}.") if brief else card.check.id
    facts = " · ".join(filter(None, _facts_of(card, usual)))
    parts = frame.parts_of(card.result.sql) if frame is not None else None
    return HeldCheck(card, id, facts, number, None if number else declared, parts)


def _facts_of(card: Card, usual: _Usual) -> tuple[str, ...]:
    """The facts that only this check has."""
    known, result, check = dict(card.facts), card.result, card.check
    counted = result.status is not Status.NOT_APPLICABLE and card.figure not in usual.figures
    took, enforced = known.get("Took", ""), known.get("Enforced by", "")
    return (
        card.figure if counted else "",
        _said(result) if message_of(result) not in usual.messages else "",
        took if took not in usual.times else "",
        f"enforced by {enforced}" if enforced and enforced not in _ENFORCED else "",
        f"columns {', '.join(check.columns)}" if not _named(card) else "",
        f"tolerance {known['Tolerance']}" if "Tolerance" in known else "",
        f"applies if {'; '.join(check.applies)}" if check.applies and not _plainly_applies(card) else "",
        f"digest of all keys {result.key_digest}" if result.key_digest else "",
    )


def _said(result: Result) -> str:
    """The message, but for the word that the group begins with anyway."""
    return message_of(result).removeprefix("not applicable, because ")


def _named(card: Card) -> bool:
    """Whether claim and id name every column of the check anyway."""
    said: Sequence[str] = f"{card.check.claim} {card.check.id}".replace(".", " ").replace(",", " ").split()
    return set(card.check.columns) <= set(said)
