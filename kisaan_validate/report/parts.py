"""One part of the page for each table: its checks, changes, kept values and columns, each said once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.result import Status
from kisaan_validate.report.cards import Card
from kisaan_validate.report.changed import TableChanges, table_changes
from kisaan_validate.report.held import HeldChecks, SharedDeclaration, declarations, held_checks
from kisaan_validate.report.summary import STATUS_ORDER, STATUS_WORDS
from kisaan_validate.report.tables import TableLine
from kisaan_validate.report.text import number
from kisaan_validate.report.values import ValueLine, value_lines
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement

MANY = 5_000
"""Of more checks, those that hold leave out their table's name, which their part has."""

_WRONG = {Status.FAIL, Status.ERROR, Status.SKIP}


@dataclass(frozen=True)
class TablePart:
    """All of one table ("" for the database as a whole).

    ``told`` are the checks that a reader must see, ``held`` the others. ``wrong``: something of it failed,
    has no answer, or differs and is not explained.
    """

    table: str
    line: TableLine | None
    told: tuple[Card, ...]
    held: HeldChecks
    changes: TableChanges | None
    values: tuple[ValueLine, ...]
    owners: str
    said: str
    wrong: bool


@dataclass(frozen=True)
class TableParts:
    """The parts in the order in which they are read, and what their checks share. ``brief``: there are so
    many checks that each letter counts.
    """

    parts: tuple[TablePart, ...]
    declarations: Mapping[SharedDeclaration, int]
    brief: bool


def table_parts(judged: Judgement, cards: Sequence[Card], lines: Iterable[TableLine]) -> TableParts:
    """Every table that has checks, counts, coverage or changes: those in which something is wrong first,
    then by name; the database as a whole before them.
    """
    changes = table_changes(judged, baseline_of(judged.run))
    by_name = {line.table: line for line in lines}
    own: dict[str, list[Card]] = defaultdict(list)
    for card in cards:
        # Titles leave out "public."; a check may have written it.
        own[card.check.table.removeprefix("public.")].append(card)
    values: dict[str, list[ValueLine]] = defaultdict(list)
    for line in value_lines(judged.run):
        values[line.table].append(line)
    known = declarations(card for card in cards if card.lean)
    brief = len(cards) > MANY
    made = [
        _part(
            name,
            by_name.get(name),
            own.get(name, []),
            held_checks([card for card in own.get(name, []) if card.lean], known, brief=brief),
            changes.get(name),
            tuple(values.get(name, ())),
            listed=judged.contract is None,
        )
        for name in sorted({*by_name, *own, *changes, *values})
    ]
    return TableParts(tuple(sorted(made, key=lambda part: not part.wrong)), known, brief)


def _part(
    name: str,
    line: TableLine | None,
    cards: Sequence[Card],
    held: HeldChecks,
    changes: TableChanges | None,
    values: tuple[ValueLine, ...],
    *,
    listed: bool,
) -> TablePart:
    told = tuple(card for card in cards if not card.lean)
    # Without a contract every difference is the reader's to judge.
    differs = changes is not None and bool(listed or changes.unexplained)
    wrong = differs or any(card.result.status in _WRONG for card in told)
    said = "; ".join(filter(None, (_checks(cards), changes.summary if changes is not None else "")))
    return TablePart(name, line, told, held, changes, values, _owners(cards), said, wrong)


def _checks(cards: Iterable[Card]) -> str:
    """How many of its checks came to what; "" where it has none."""
    found: Mapping[Status, int] = Counter(card.result.status for card in cards)
    words = [f"{number(found[s])} {STATUS_WORDS[s].lower()}" for s in STATUS_ORDER if found[s]]
    return f"{counted(sum(found.values()), 'check')}: {', '.join(words)}" if words else ""


def _owners(cards: Iterable[Card]) -> str:
    """Who owns its checks, the owners of most first."""
    found = Counter(card.check.owner for card in cards if card.check.owner)
    ranked = sorted(found, key=lambda owner: (-found[owner], owner))
    return ", ".join(ranked)
