"""Control totals as the page shows them: groups before and after, those that differ first."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING

from kisaan_validate.compare.patterns.base import EXACT
from kisaan_validate.compare.totals import group_words
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import TOTALS
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.facts.totals import ControlTotal, GroupTotal
    from kisaan_validate.verdict.judgement import Judgement

SHOWN = 200
"""So many groups of a total are shown at most, beside all that differ."""


@dataclass(frozen=True)
class TotalLine:
    """One group; ``cells`` are rows and sums as texts, and with a baseline the difference."""

    values: tuple[str | None, ...]
    cells: tuple[str, ...]
    differs: bool


@dataclass(frozen=True)
class TotalTable:
    """One control total; ``sign`` is "" where nothing was compared. ``more`` groups are not shown."""

    table: str
    name: str
    heads: tuple[str, ...]
    result: str
    sign: str
    lines: tuple[TotalLine, ...]
    more: int


def total_tables(judged: Judgement) -> tuple[TotalTable, ...]:
    """The control totals of a run, and those that only its baseline has."""
    old = {total.key: total for total in (judged.before.totals if judged.before is not None else ())}
    new = {total.key: total for total in judged.run.totals}
    return tuple(_table(judged, old.get(key), new.get(key)) for key in dict.fromkeys((*new, *old)))


def _table(judged: Judgement, old: ControlTotal | None, new: ControlTotal | None) -> TotalTable:
    total = new or old
    assert total is not None
    heads = tuple(part.words for part in total.by)
    problem = _problem(judged, old, new)
    changes = judged.diff.changes if judged.diff is not None else ()
    mine = [c for c in changes if (c.kind, c.table, c.name) == (TOTALS, total.table, total.name)]
    different = {change.aspect.partition(" where ")[2] for change in mine}
    # One side alone beside "none" would read as though every group had come.
    compared = judged.before is not None
    lines = [] if problem else _lines(total, old, new, different, compared=compared)
    shown = tuple(line for place, line in enumerate(lines) if line.differs or place < SHOWN)
    sign, result = _result(judged, problem, len(different), len(lines))
    return TotalTable(total.table, total.name, heads, result, sign, shown, len(lines) - len(shown))


def _problem(judged: Judgement, old: ControlTotal | None, new: ControlTotal | None) -> str:
    """Why it has no answer; ""."""
    sides = [("after", new)] if judged.before is None else [("before", old), ("after", new)]
    found = [(when, "not declared" if side is None else side.message) for when, side in sides]
    return "; ".join(f"{when}: {why}" for when, why in found if why)


def _result(judged: Judgement, problem: str, different: int, groups: int) -> tuple[str, str]:
    """(sign, words)."""
    if problem:
        return "error", f"no answer; {problem}"
    if judged.before is None:
        return "", counted(groups, "group")
    if different:
        return "fail", f"{counted(different, 'group differs', 'groups differ')}, of {number(groups)}"
    return "pass", f"no difference in {counted(groups, 'group')}"


def _lines(
    total: ControlTotal,
    old: ControlTotal | None,
    new: ControlTotal | None,
    different: Collection[str],
    *,
    compared: bool,
) -> list[TotalLine]:
    sides = [_by_values(side) for side in (old, new)]
    lines = [
        _line(
            values,
            sides[0].get(values),
            sides[1].get(values),
            group_words(total, values) in different,
            compared,
        )
        for values in dict.fromkeys((*sides[1], *sides[0]))
    ]
    return sorted(lines, key=lambda line: not line.differs)


def _by_values(side: ControlTotal | None) -> dict[tuple[str | None, ...], GroupTotal]:
    return {} if side is None else {group.values: group for group in side.groups}


def _line(
    values: tuple[str | None, ...],
    old: GroupTotal | None,
    new: GroupTotal | None,
    differs: bool,
    compared: bool,
) -> TotalLine:
    if not compared:
        return TotalLine(values, (_rows(new), _sum(new)), False)
    cells = (_rows(old), _rows(new), _sum(old), _sum(new), _moved(old, new))
    return TotalLine(values, cells, differs)


def _rows(group: GroupTotal | None) -> str:
    return "none" if group is None else number(group.rows)


def _sum(group: GroupTotal | None) -> str:
    if group is None or group.total is None:
        return "none"
    value = Decimal(group.total)
    return f"{'−' if value < 0 else ''}{value.copy_abs():,f}" if value.is_finite() else group.total


def _moved(old: GroupTotal | None, new: GroupTotal | None) -> str:
    """By how much the sum differs; a group that is not there has none."""
    was, is_ = (Decimal((group.total if group is not None else None) or 0) for group in (old, new))
    if not (was.is_finite() and is_.is_finite()):
        return "not known"
    value = EXACT.subtract(is_, was)
    sign = "+" if value > 0 else "−" if value else ""
    return f"{sign}{value.copy_abs():,f}"
